"""Stems and lemmas side by side: rows of words and sentences, and the measures of a corpus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gai.documents import conllu
from gai.errors import UsageError
from gai.forms.former import Former
from gai.forms.stems import stemmer
from gai.texts.comparing import (
    Maker,
    Row,
    lemmatizers,
    sentences_table,
    stemmers,
    suitable,
    words_table,
)
from gai.texts.measuring import (
    Corpus,
    Method,
    annotated,
    disagreements,
    gold,
    largest,
    measures,
    method,
)
from gai.texts.paice import paice

Ids, Bounds = NDArray[np.int32], NDArray[np.int64]

LEMMAS = {"better": "good", "best": "good", "ran": "run", "running": "run", "mice": "mouse"}


def former(form: Callable[[str], str], cased: bool = False) -> Former:
    return Former("made up", "", "none 1", cased, lambda words: [form(word) for word in words])


def lemma_maker() -> Maker:
    return Maker("lemmas", "lemma", former(lambda word: LEMMAS.get(word.lower(), word), cased=True))


class Reader:
    """An engine that reads sentences: its tokens are what spaces separate, its lemmas upper case.

    The tag is the number of words of the sentence, which no engine could know of a word alone.
    """

    package = "reader 1"

    def texts(self, texts: Sequence[str]) -> Iterator[Any]:
        return self.sentences([text.split() for text in texts])

    def sentences(self, sentences: Sequence[Sequence[str]]) -> Iterator[Any]:
        for words in sentences:
            tags = [str(len(words))] * len(words)
            lemmas = [word.upper() for word in words]
            yield SimpleNamespace(tokens=list(words), lemmas=lemmas, tags=tags)


READER = Maker("reader", "lemma", analyser=Reader())


def test_the_words_of_the_issue() -> None:
    makers = [*stemmers(None, strip="er$"), lemma_maker()]
    assert [maker.name for maker in makers] == [
        *("porter", "snowball", "lancaster", "regexp"),
        "lemmas",
    ]
    assert words_table(["running", "better"], makers) == [
        Row(0, "running", "", ("run", "run", "run", "running", "run")),
        Row(0, "better", "", ("better", "better", "bet", "bett", "good")),
    ]


def test_the_lemmatizer_is_asked_by_its_name() -> None:
    (maker,) = lemmatizers(["simplemma", "simplemma"])
    assert (maker.name, maker.kind) == ("simplemma", "lemma")
    assert maker.package.startswith("simplemma ")
    assert [row.forms for row in words_table(["better", "mice"], [maker])] == [
        ("good",),
        ("mouse",),
    ]


def test_case_is_lowered_for_those_who_do_not_want_it_and_each_word_asked_once() -> None:
    asked: list[str] = []

    def noted(word: str) -> str:
        asked.append(word)
        return word + "."

    makers = [
        Maker("lower", "stem", former(noted)),
        Maker("cased", "lemma", former(noted, cased=True)),
    ]
    rows = words_table(["Rust", "rust", "Rust"], makers)
    assert [row.forms for row in rows] == [
        ("rust.", "Rust."),
        ("rust.", "rust."),
        ("rust.", "Rust."),
    ]
    assert asked == ["rust", "Rust", "rust"]


def test_sentences_are_the_words_of_the_scanner_where_nobody_reads_them() -> None:
    rows = sentences_table(["She ran.", "Don't!"], [lemma_maker()])
    assert rows == [
        Row(1, "She", "", ("She",)),
        Row(1, "ran", "", ("run",)),
        Row(2, "Don't", "", ("Don't",)),
    ]


def test_sentences_are_the_words_of_the_engine_that_reads_them() -> None:
    rows = sentences_table(["Mice ran .", "Don't !"], [lemma_maker(), READER])
    assert rows == [
        Row(1, "Mice", "3", ("mouse", "MICE")),
        Row(1, "ran", "3", ("run", "RAN")),
        Row(2, "Don't", "2", ("Don't", "DON'T")),
    ]


class Neighbours:
    """Behind "she" the lemma of "left" is "leave"; words come once, sentences have their bounds."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.lemmas = ["unused", "leave"]

    def extend(self, words: Sequence[str]) -> None:
        assert not {*words} & {*self.words}
        self.words += words

    def corrections(self, ids: Ids, bounds: Bounds) -> tuple[Bounds, Ids]:
        found = [
            place
            for start, stop in pairwise(bounds.tolist())
            for place in range(start + 1, stop)
            if [self.words[ids[place - 1]].lower(), self.words[ids[place]]] == ["she", "left"]
        ]
        return np.array(found, np.int64), np.ones(len(found), np.int32)


def test_the_neighbours_of_a_word_may_decide() -> None:
    maker = replace(lemma_maker(), context=Neighbours)
    texts = ["She left the left mice.", "It is she.", "Left she left!"]
    lemmas = [row.forms[0] for row in sentences_table(texts, [maker])]
    assert " ".join(lemmas) == "She leave the left mouse It is she Left she leave"
    assert [row.forms[0] for row in words_table(["She", "left"], [maker])] == ["She", "left"]


def test_a_word_alone_is_a_sentence_for_an_engine_that_reads_them() -> None:
    assert words_table(["mice", "ran"], [READER]) == [
        Row(0, "mice", "1", ("MICE",)),
        Row(0, "ran", "1", ("RAN",)),
    ]


def test_nothing_to_compare_is_no_rows() -> None:
    assert words_table([], [lemma_maker()]) == []
    assert sentences_table(["", "!"], [READER]) == []
    assert words_table(["word"], []) == [Row(0, "word", "", ())]


def test_the_stemmers_that_suit_a_language() -> None:
    assert suitable("en") == ("porter", "snowball", "lancaster")
    assert suitable("de") == ("snowball", "cistem")
    assert suitable("ru") == ("snowball",)
    assert suitable("zh") == ()
    assert [maker.name for maker in stemmers(None, lang="ar")] == ["snowball", "isri", "arlstem"]
    assert [maker.name for maker in stemmers(("regexp",), strip="s$")] == ["regexp"]
    with pytest.raises(UsageError, match="porter is made for en, not for de"):
        stemmers(("porter",), lang="de")


SENTENCES = ("The mice ran , the mouse ran better .", "Running , the BEST mouse ran . Best Mice !")
TEXT = " ".join(SENTENCES).split(" ")


def test_a_corpus_against_the_same_text_formed_token_by_token() -> None:
    corpus = Corpus(Counter(TEXT))
    for maker in [lemma_maker(), *stemmers(None), Maker("cistem", "stem", stemmer("cistem"))]:
        found = measures(method(maker, corpus), None)
        (words, forms) = (
            [word.lower() for word in TEXT],
            [row.forms[0].lower() for row in words_table(TEXT, [maker])],
        )
        assert found.tokens == len(TEXT)
        assert found.before == len({*words})
        assert found.after == len({*forms})
        assert found.changed == sum(a != b for a, b in zip(words, forms, strict=True))
        assert found.compression == pytest.approx(1 - found.after / found.before)
        assert found.method.made == Counter(zip(words, forms, strict=True))
        assert found.paice is None
        assert found.method.rate is not None
        assert found.method.rate > 0


def test_sentences_give_the_same_as_words_where_neighbours_do_not_matter() -> None:
    corpus = Corpus(Counter(TEXT), [sentence.split() for sentence in SENTENCES])
    words = Maker("reader", "lemma", former(str.upper, cased=True))
    assert method(READER, corpus).made == method(words, corpus).made


def test_an_engine_that_reads_sentences_is_refused_where_there_are_only_words() -> None:
    with pytest.raises(UsageError, match="reader reads sentences"):
        method(READER, Corpus(Counter(TEXT)))


def test_a_word_with_several_lemmas_belongs_to_the_one_it_has_most_often() -> None:
    made = Counter(
        {("left", "left"): 1, ("left", "leave"): 3, ("saw", "see"): 2, ("saw", "saw"): 2}
    )
    assert Method("m", "lemma", "", made).forms == {"left": "leave", "saw": "saw"}


def annotated_sentences() -> list[conllu.Annotated]:
    return [
        conllu.Annotated(["Divided", "Division"], ["divide", "division"], ["VERB", "NOUN"]),
        conllu.Annotated(["divides", "divisions"], ["divide", "division"], ["VERB", "NOUN"]),
    ]


def test_gold_lemmas_group_the_words_for_paice() -> None:
    sentences = annotated_sentences()
    corpus, reference = annotated(sentences), gold(sentences)
    assert corpus.words == Counter(["Divided", "Division", "divides", "divisions"])
    cut = method(Maker("cut", "stem", former(lambda word: word[:5])), corpus)  # divid, divis
    perfect = measures(cut, reference).paice
    assert perfect is not None
    assert (perfect.ui, perfect.oi) == (0, 0)
    shorter = method(Maker("shorter", "stem", former(lambda word: word[:3])), corpus)
    found = measures(shorter, reference).paice
    assert found == paice((reference.forms[word], "div") for word in corpus.frequency)
    assert found is not None
    assert (found.ui, found.oi, found.gdnt) == (0, 1, 4)
    assert measures(reference, reference).paice is None


def test_words_that_the_reference_does_not_know_are_left_out_of_paice() -> None:
    reference = gold(annotated_sentences())
    corpus = Corpus(Counter(["divided", "divides", "unknown", "unknowns"]))
    found = measures(method(Maker("all", "stem", former(lambda _: "x")), corpus), reference)
    assert found.paice is not None
    assert (found.paice.gdmt, found.paice.gwmt) == (1, 0)
    assert found.after == 1


def test_the_largest_groups_have_most_words_and_then_most_tokens() -> None:
    words = Counter({"a1": 1, "a2": 9, "A2": 1, "b1": 2, "b2": 1, "b3": 2, "c1": 50})
    corpus = Corpus(words | Counter({"d1": 4, "d2": 7, "e1": 20, "e2": 1}))
    cut = method(Maker("cut", "stem", former(lambda word: word[0])), corpus)
    found = [(g.form, g.words, g.tokens) for g in largest(cut, corpus.frequency, 4)]
    assert found == [
        ("b", ("b1", "b3", "b2"), 5),
        ("e", ("e1", "e2"), 21),
        ("a", ("a2", "a1"), 11),  # as many as d
        ("d", ("d2", "d1"), 11),
    ]
    assert largest(cut, corpus.frequency, 0) == []


def as_method(name: str, forms: dict[str, str], frequency: Counter[str]) -> Method:
    made = Counter({(word, form): frequency[word] for word, form in forms.items()})
    return Method(name, "stem", "", made)


FREQUENCY = Counter(
    {"nation": 30, "nations": 10, "national": 12, "nationally": 3, "is": 50, "be": 40, "are": 20}
    | {"run": 5, "ran": 4}
)
REFERENCE = {"nation": "nation", "nations": "nation", "national": "national"} | {
    "nationally": "nationally",
    **dict.fromkeys(["is", "be", "are"], "be"),
    **dict.fromkeys(["run", "ran"], "run"),
}
WEAK = REFERENCE | {"nationally": "national"} | {word: word for word in ("is", "be", "are")}
STRONG = dict.fromkeys(REFERENCE, "nat") | {
    word: word for word in ("is", "be", "are", "run", "ran")
}


def test_disagreements_by_hand() -> None:
    weak = as_method("weak", WEAK, FREQUENCY)
    strong = as_method("strong", STRONG, FREQUENCY)
    reference = as_method("lemma", REFERENCE, FREQUENCY)
    found = disagreements([weak, strong], reference, FREQUENCY, 20)
    told = [(d.kind, d.one, d.other, d.tokens, d.weight, d.by) for d in found]
    assert told == [
        # strong: nation(s) 40 against national 12, against nationally 3, which is not told: nation
        # was shown already. weak: national against nationally, of which one was shown as well.
        ("joined", "nation", "national", 12, 12, ("strong",)),
        # is against be (40), is against are (20): the second has a word that was shown.
        ("split", "is", "be", 40, 80, ("weak", "strong")),
        ("split", "run", "ran", 4, 4, ("strong",)),
    ]
    assert disagreements([weak, strong], reference, FREQUENCY, 2) == [found[0], found[1]]
    assert disagreements([weak, strong], reference, FREQUENCY, 1) == [found[0]]
    assert disagreements([weak], reference, FREQUENCY, 0) == []
    assert disagreements([reference], reference, FREQUENCY, 9) == []


words_of_three = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.tuples(*[st.sampled_from("xyz")] * 3), max_size=12
)


@given(words_of_three, st.integers(0, 12), st.lists(st.integers(1, 9), min_size=12, max_size=12))
def test_what_is_told_is_true(
    made: dict[str, tuple[str, str, str]], k: int, numbers: list[int]
) -> None:
    frequency = Counter(dict(zip(made, numbers, strict=False)))
    one, two, reference = (
        as_method(name, {word: forms[i] for word, forms in made.items()}, frequency)
        for i, name in enumerate(["one", "two", "reference"])
    )
    found = disagreements([one, two], reference, frequency, k)
    every = disagreements([one, two], reference, frequency, 99)
    assert len(found) == min(k, len(every))
    shown = defaultdict(list)
    for told in found:
        shown[told.kind] += [told.one, told.other]
        together = reference.forms[told.one] == reference.forms[told.other]
        assert together == (told.kind == "split")
        assert frequency[told.one] >= frequency[told.other]
        for name, stems in (("one", one), ("two", two)):
            if name in told.by:
                assert (stems.forms[told.one] == stems.forms[told.other]) != together
        assert told.tokens <= told.weight <= told.tokens * len(told.by)
    assert all(len({*words}) == len(words) for words in shown.values())
    # Nothing to tell of a kind: Paice counts no such pair either.
    counts = [
        paice(zip(reference.forms.values(), m.forms.values(), strict=True)) for m in (one, two)
    ]
    kinds = {told.kind for told in every}
    assert ("joined" in kinds) == any(count.gwmt for count in counts)
    assert ("split" in kinds) == any(count.gumt for count in counts)
