"""Context: lemmas that neighbours decide, by hand-made sentences, a plain twin, and a treebank."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError
from gai.forms import context as module
from gai.forms.context import KEEP, Choice, Context, Table, read
from gai.forms.lemmas import lemmatizer

TRAIN, DEV = "en_ewt-ud-train.conllu", "en_ewt-ud-dev.conllu"


@pytest.fixture(scope="module")
def english() -> Context:
    return Context.load()


def corrected(context: Context, sentence: str) -> list[str]:
    """The lemmas of words with a space between, on top of simplemma's."""
    words = sentence.split(" ")
    return context.correct(words, lemmatizer("simplemma").forms(words))


def given_ids(
    context: Context, pieces: Sequence[Sequence[str]], lemmas: Iterable[str]
) -> list[str]:
    """The same by way of ids, for a context that knows no words yet."""
    words = [word for piece in pieces for word in piece]
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(word, len(number)) for word in words], np.int32)
    context.extend(list(number))
    found = list(lemmas)
    bounds = np.cumsum([0, *map(len, pieces)])
    places, changed = context.corrections(ids, bounds)
    assert (np.diff(places) > 0).all()
    for place, lemma in zip(places, changed, strict=True):
        found[place] = context.lemmas[lemma]
    return found


@pytest.mark.parametrize(
    ("sentence", "place", "lemma"),
    [
        ("I saw her again .", 2, "she"),
        ("I saw her mother .", 2, "her"),
        ("I told her that it rained", 2, "she"),
        ("It 's a pity .", 1, "be"),
        ("It ’s a pity .", 1, "be"),
        ("My father 's car broke down", 2, "'s"),
        ("I thought so .", 1, "think"),
        ("It was just a thought .", 4, "thought"),
        ("She left the house .", 1, "leave"),
        ("We are very interested in it", 3, "interested"),
        ("It may have interested him", 3, "interest"),
        ("I was pleased with the result", 2, "pleased"),
        ("There is no parking here", 3, "parking"),
        ("They were parking the car", 2, "park"),
        ("He is living in Rome .", 2, "live"),
        ("She would n't make a living .", 5, "living"),
        ("All our lives we tried", 2, "life"),
        ("at 7 am on Monday", 2, "a.m."),
        ("How am I to get in ?", 1, "be"),
        ("They are thinking about it", 2, "think"),
        ("It is getting worse", 3, "bad"),
        ("We 'd like to go", 1, "would"),
    ],
)
def test_neighbours_decide(english: Context, sentence: str, place: int, lemma: str) -> None:
    assert corrected(english, sentence)[place] == lemma


def test_words_that_the_treebank_does_not_have_are_judged_by_their_ending(
    english: Context,
) -> None:
    word = "zorping"
    assert word not in english.table.choices
    assert english.correct(["It", "is", word, "."], ["it", "be", "zorp", "."])[2] == "zorp"
    assert english.correct(["the", word, "of", "wool"], ["the", "zorp", "of", "wool"])[1] == word


def test_a_lemma_that_nothing_speaks_against_is_the_dictionarys_in_its_case(
    english: Context,
) -> None:
    words, lemmas = ["Ann", "and", "her", "XML"], ["Anne", "&", "HER", "xMl"]
    assert english.correct(words[:2] + words[3:], lemmas[:2] + lemmas[3:]) == ["Anne", "&", "xMl"]
    assert english.correct(["with", "her", "mother"], ["with", "HER", "mother"])[1] == "HER"


def word_strategy(table: Table) -> st.SearchStrategy[str]:
    """Words in doubt, words that count as neighbours, and words that no table has."""
    known = [*sorted(table.choices), *sorted(table.near), *sorted(table.classes)[::50]]
    forms = [str, str.title, str.upper, lambda word: word.replace("'", "’")]
    strange = st.text("abcdeginsuy-'’.1Ü\u0130", min_size=1, max_size=9)
    formed = st.builds(
        lambda word, form: form(word), st.sampled_from(known), st.sampled_from(forms)
    )
    ended = st.builds("{}{}".format, strange, st.sampled_from(["ing", "ed", "'s", "n't", "ly"]))
    return st.one_of(formed, strange, ended)


TABLE = Context.load().table
WORDS = word_strategy(TABLE)


@given(data=st.data())
def test_arrays_say_what_the_plain_twin_says(data: st.DataObject) -> None:
    table = TABLE
    pieces = data.draw(st.lists(st.lists(WORDS, max_size=8), max_size=5))
    lemmas = [[f"<{word}>" for word in piece] for piece in pieces]
    context = Context(table)
    plain = [context.correct(*both) for both in zip(pieces, lemmas, strict=True)]
    fast = given_ids(context, pieces, [lemma for piece in lemmas for lemma in piece])
    assert fast == [lemma for piece in plain for lemma in piece]


def test_a_novel_in_arrays_is_the_novel_in_plain(corpora: Path, english: Context) -> None:
    text = (corpora / "gutenberg" / "carroll-alice.txt").read_text(encoding="utf-8")
    pieces = [line.split() for line in text.splitlines()]
    plain = [lemma for piece in pieces for lemma in english.correct(piece, piece)]
    fast = given_ids(Context(english.table), pieces, [word for piece in pieces for word in piece])
    assert fast == plain
    changed = sum(a != b for a, b in zip(fast, (w for p in pieces for w in p), strict=True))
    assert changed > 200


def test_no_neighbour_beyond_the_end_of_a_piece(english: Context) -> None:
    words = ["I", "saw", "her", "mother", "came"]
    together = given_ids(Context(english.table), [words], words)
    apart = given_ids(Context(english.table), [words[:3], words[3:]], words)
    assert (together[2], apart[2]) == ("her", "she")


def test_words_may_come_in_parts(english: Context) -> None:
    words = [f"{start}{end}" for start in english.table.near for end in ("", "ing", "ed", "'s")]
    words = list(dict.fromkeys(words))
    ids = np.arange(len(words), dtype=np.int32)[::-1].copy()
    at_once, in_parts = Context(english.table), Context(english.table)
    at_once.extend(words)
    for start, end in pairwise([0, 0, 1, 600, len(words)]):
        in_parts.extend(words[start:end])
    bounds = np.array([0, len(ids)])
    for one, other in zip(
        at_once.corrections(ids, bounds), in_parts.corrections(ids, bounds), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert at_once.lemmas == in_parts.lemmas
    assert len(words) > 600


def test_only_what_is_in_a_piece_is_corrected(english: Context) -> None:
    context = Context(english.table)
    context.extend(["worse"])
    ids = np.zeros(6, np.int32)
    places, lemmas = context.corrections(ids, np.array([1, 3, 3, 5]))
    assert places.tolist() == [1, 2, 3, 4]
    assert [context.lemmas[lemma] for lemma in lemmas] == ["bad"] * 4
    for bounds in ([], [0], [2, 2]):
        places, lemmas = context.corrections(ids, np.array(bounds, np.int64))
        assert (places.size, lemmas.size) == (0, 0)
    places, _ = context.corrections(ids[:0], np.array([0, 0]))
    assert places.size == 0


def test_a_score_of_zero_is_low() -> None:
    table = Table(choices={"x": Choice("g", KEEP, "high", 2)}, weights={"g": {"after NN": -2}})
    context = Context(table)
    assert context.correct(["x", "y"], ["low", "y"]) == ["low", "y"]
    assert context.correct(["x"], ["low"]) == ["high"]
    assert given_ids(Context(table), [["x", "y"], ["x"]], ["low", "y", "low"])[0] == "low"


def test_a_neighbour_with_weights_of_its_own_counts_as_its_class_too() -> None:
    table = Table(
        classes={"the": "DT"},
        near={"the"},
        choices={"x": Choice("g", "low", "high", -4)},
        weights={"g": {"before DT": 2, "before _the": 3}},
    )
    assert Context(table).correct(["the", "x"], ["the", "?"])[1] == "high"
    assert given_ids(Context(table), [["The", "x"]], ["the", "?"])[1] == "high"


def test_classes_of_words_by_their_form(english: Context) -> None:
    words = ["don't", "she's", "Anna's", "they’ll", "1,200", "Zorp", "zorply", "zorps", "!?", "♥"]
    classes = ["RB", "BE", "POS", "MD", "CD", "NNP", "RB", "NNS", ".", "SYM"]
    assert [english.table.class_of(word) for word in words] == classes


def test_a_language_without_a_table_is_an_error() -> None:
    with pytest.raises(GaiError, match="no table of contexts for the language 'de'") as caught:
        Context.load("de")
    assert caught.value.hint == "there is one for: en"


@pytest.mark.parametrize("line", ["word\tg\tx", "rare\ting\tmuch", "colour\tred", "near"])
def test_a_broken_table_names_its_line(line: str) -> None:
    with pytest.raises(GaiError, match=r"mine\.tsv: line 3 "):
        read(["# a comment\n", "near\tthe of\n", line + "\n"], "mine.tsv")


def test_the_table_is_small_and_says_where_it_is_from() -> None:
    path = module.FOLDER / "context-en.tsv"
    head = path.read_text(encoding="utf-8").partition("\nclass\t")[0]
    assert "UD English EWT" in head
    assert "CC BY-SA 4.0" in head
    assert "CC BY-SA" not in (module.FOLDER / "english.txt").read_text(encoding="utf-8")
    assert "Attribution-ShareAlike 4.0" in (module.FOLDER / "LICENSE-EWT.txt").read_text("utf-8")
    assert path.stat().st_size < 200_000


@pytest.mark.slow
def test_lemmas_of_the_treebank(data: Path) -> None:
    """98.0 % on the development part, and nothing lost where text has no punctuation."""
    from benchmarks import learn_context as bench

    found = bench.documents(data / "gold" / DEV)
    tokens, right = accuracy(found, bench.apart)
    assert tokens == 25_147
    assert right >= 0.98
    assert accuracy(found, bench.joined)[1] >= 0.9775


def accuracy(found: Sequence[object], view: object) -> tuple[int, float]:
    """How many tokens there are, and the share of lemmas that are right."""
    pieces = [piece for document in found for piece in view(document)]  # type: ignore[operator]
    words = [[word for word, _ in piece] for piece in pieces]
    plain = lemmatizer("simplemma").forms([word for piece in words for word in piece])
    lemmas = given_ids(Context.load(), words, plain)
    tokens = [token for piece in pieces for _, token in piece]
    right = [
        lemma.lower() == token.lemma for token, lemma in zip(tokens, lemmas, strict=True) if token
    ]
    return len(right), sum(right) / len(right)


@pytest.mark.slow
def test_the_shipped_table_is_what_the_script_learns(data: Path) -> None:
    """Line by line; a weight that lies on a half may be rounded otherwise on other machines."""
    from benchmarks import learn_context as bench

    made = list(bench.lines(bench.learn(bench.documents(data / "gold" / TRAIN))))
    made = [line for entry in made for line in entry.split("\n")]
    shipped = (module.FOLDER / "context-en.tsv").read_text(encoding="utf-8").splitlines()
    other = [line for line in difflib.ndiff(shipped, made) if line[0] in "+-"]
    assert len(other) <= 0.01 * len(shipped)
