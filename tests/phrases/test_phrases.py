"""Phrases are those of gensim, learned from ids and joined by ids."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gai import kernels
from gai.documents import Reader, Reading
from gai.documents.batch import from_texts
from gai.errors import GaiError, UsageError
from gai.kernels import reference
from gai.phrases import Joiner, Learning, Phrase, Phrases, join, learn, load, pieces
from gai.phrases.connectors import ENGLISH, connectors
from gai.terms.plain import terms_of_each
from gai.tokens import Analysis

gensim = pytest.importorskip("gensim.models.phrases", reason="gensim is the oracle")

ELSE = "\x1f"
"""A delimiter that no token holds."""

PRETOKENIZED = Analysis(tokenizer="pretokenized", lowercase=False)
WORDS = st.sampled_from(["a", "b", "c", "of", "the", "a_b", "_", "é"])
TEXTS = st.lists(st.lists(WORDS, max_size=12), max_size=6)
LEARNINGS = st.builds(
    Learning,
    min_count=st.integers(1, 2),
    threshold=st.sampled_from([0.01, 0.3, 0.9]),
    scoring=st.sampled_from(["default", "npmi"]),
    connectors=st.sampled_from([(), ("of", "the"), ("a", "of", "_")]),
    passes=st.integers(1, 3),
)


@cache
def sentences(folder: Path) -> list[list[str]]:
    """The tokens of each line of a corpus, as another path through the code finds them."""
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
    lines = [line for text in texts for line in text.removesuffix("\n").split("\n")]
    return [list(tokens) for tokens in terms_of_each(Analysis(), None)(lines)]


def by_gensim(texts: Sequence[Sequence[str]], learning: Learning, delimiter: str = ELSE) -> Any:
    """What gensim learns in one pass."""
    return gensim.Phrases(
        texts,
        min_count=learning.min_count,
        threshold=learning.least,
        scoring=learning.scoring,
        connector_words=frozenset(learning.connectors),
        delimiter=delimiter,
    )


def spelled(found: Sequence[Phrase], delimiter: str) -> dict[str, float]:
    return {delimiter.join(phrase.words): phrase.score for phrase in found}


def learned(texts: Sequence[Sequence[str]], learning: Learning, **how: Any) -> Phrases:
    """What is learned from texts that are tokens already, a batch of two documents at a time."""
    lines = [" ".join(tokens) for tokens in texts]
    parts = [lines[first : first + 2] for first in range(0, len(lines), 2)]
    return learn((from_texts(part, part) for part in parts), PRETOKENIZED, learning, **how)


def shown(found: Phrases) -> list[list[tuple[tuple[str, ...], float, int]]]:
    return [[(one.words, one.score, one.count) for one in part] for part in found.passes]


@pytest.mark.parametrize("words", [(), ENGLISH], ids=["plain", "connectors"])
@pytest.mark.parametrize(
    ("corpus", "scoring", "threshold"),
    [("inaugural", "default", None), ("inaugural", "npmi", 0.3), ("gutenberg", "default", None)],
)
def test_phrases_of_a_corpus_are_those_that_gensim_exports(
    corpora: Path, corpus: str, scoring: str, threshold: float | None, words: tuple[str, ...]
) -> None:
    learning = Learning(scoring=scoring, threshold=threshold, connectors=words)
    reading = Reading((str(corpora / corpus),), per="line")
    found = learn(Reader(reading), Analysis(), learning, jobs=2, engine="kernels")
    model = by_gensim(sentences(corpora / corpus), learning, "_")
    exported = model.export_phrases()
    assert len(exported) > 200
    assert spelled(found.passes[0], "_") == pytest.approx(exported, rel=1e-12, abs=0)
    assert {found.spelled(one): one.count for one in found} == {
        name: model.vocab[name] for name in exported
    }


@given(TEXTS, LEARNINGS)
def test_phrases_are_those_that_gensim_exports_with_a_delimiter_that_no_token_holds(
    texts: list[list[str]], learning: Learning
) -> None:
    found = learned(texts, learning, engine="kernels")
    for part in found.passes:
        model = by_gensim(texts, learning)
        assert spelled(part, ELSE) == pytest.approx(model.export_phrases(), rel=1e-12, abs=0)
        applied = model.freeze()
        texts = [[token.replace(ELSE, "_") for token in applied[tokens]] for tokens in texts]


@given(TEXTS, LEARNINGS, st.integers(1, 3))
@settings(max_examples=50)
def test_neither_engine_nor_jobs_change_what_is_learned(
    texts: list[list[str]], learning: Learning, jobs: int
) -> None:
    expected = shown(learned(texts, learning, engine="reference"))
    assert shown(learned(texts, learning, engine="kernels", jobs=jobs)) == expected


@given(TEXTS, LEARNINGS, TEXTS)
def test_phrases_are_joined_where_gensim_joins_them(
    texts: list[list[str]], learning: Learning, others: list[list[str]]
) -> None:
    found = learned(texts, learning)
    model = by_gensim(texts, learning).freeze()
    first = Phrases(learning, found.passes[:1])
    for tokens in texts + others:
        assert join(tokens, first) == [token.replace(ELSE, "_") for token in model[tokens]]


@given(TEXTS, LEARNINGS, TEXTS, st.booleans())
def test_ids_are_joined_as_the_words_are(
    texts: list[list[str]], learning: Learning, others: list[list[str]], plain: bool
) -> None:
    found = learned(texts, learning)
    joiner = Joiner(found, reference if plain else None)
    numbers: dict[str, int] = {}
    for part in (texts, others):  # the vocabulary grows between two batches
        known = len(numbers)
        ids = [numbers.setdefault(word, len(numbers)) for tokens in part for word in tokens]
        joiner.extend(list(numbers)[known:])
        bounds = np.cumsum([0, *map(len, part)], dtype=np.int64)
        starts, ends = joiner.spans(np.array(ids, np.int32), bounds)
        flat, joined = list(chain(*part)), [join(tokens, found) for tokens in part]
        units = ["_".join(flat[start:end]) for start, end in zip(starts, ends, strict=True)]
        assert units == list(chain(*joined))
        cuts = np.searchsorted(starts, bounds)
        assert np.diff(cuts).tolist() == list(map(len, joined))
        made, cut, _, _ = joiner.units_of(np.array(ids, np.int32), bounds)
        assert [[*joiner.units, *numbers][unit] for unit in made] == units
        assert cut.tolist() == cuts.tolist()


def test_segments_may_begin_anywhere() -> None:
    found = Phrases(Learning(), ((Phrase(("b", "a"), 1.0, 9),),))
    joiner = Joiner(found, reference)
    joiner.extend(["a", "b"])
    ids = np.array([1, 0, 1, 0, 1, 0], np.int32)
    starts, ends = joiner.spans(ids, np.array([1, 3, 6], np.int64))
    assert (starts.tolist(), ends.tolist()) == ([1, 2, 3, 4], [2, 3, 4, 6])


def test_a_second_pass_finds_phrases_of_phrases(corpora: Path) -> None:
    reading = Reading((str(corpora / "inaugural"),), per="line")
    learning = Learning(connectors=ENGLISH, passes=2)
    found = learn(Reader(reading), Analysis(), learning)
    first = by_gensim(sentences(corpora / "inaugural"), learning, "_").freeze()
    second = by_gensim(list(first[sentences(corpora / "inaugural")]), learning, " ")
    assert spelled(found.passes[1], " ") == pytest.approx(second.export_phrases(), rel=1e-12)
    assert "more_perfect_union" in dict(found.ranked())


def test_the_worked_example() -> None:
    """Four words and three pairs, six words in all; new york stands there twice."""
    texts = [["new", "york", "lives"], ["new", "york", "grows"]]
    found = learned(texts, Learning(min_count=1, threshold=1.0))
    assert shown(found) == [[(("new", "york"), (2 - 1) / (2 * 2) * 7, 2)]]
    found = learned(texts, Learning(min_count=1, scoring="npmi"))
    score = math.log((2 / 6) / (2 / 6 * 2 / 6)) / -math.log(2 / 6)
    assert shown(found)[0][0][0] == ("new", "york")
    assert shown(found)[0][0][1] == pytest.approx(score)


def test_no_phrase_goes_across_documents() -> None:
    texts = [["new"], ["york"]] * 9
    assert len(learned(texts, Learning(min_count=1, threshold=0.001))) == 0


def test_nothing_is_learned_from_nothing() -> None:
    for engine in ("kernels", "reference", "auto"):
        found = learned([], Learning(passes=2), engine=engine)
        assert shown(found) == [[], []]
        assert join(["a", "b"], found) == ["a", "b"]


def test_many_words_and_long_chains_make_the_tables_grow() -> None:
    words = [f"w{k * k % 7919}" for k in range(300_000)]
    texts = [words, ["x", *["of"] * 100_000, "y"], ["x", *["of"] * 100_000, "y"]]
    learning = Learning(min_count=1, threshold=0.001, connectors=("of",))
    found = learned(texts, learning, engine="kernels", jobs=2)
    model = by_gensim(texts, learning)
    assert spelled(found.passes[0], ELSE) == pytest.approx(model.export_phrases(), rel=1e-12)
    assert join(texts[1], found) == ["_".join(texts[1])]


def test_forms_are_what_phrases_are_made_of() -> None:
    analysis = Analysis(form="stem:snowball", lang="en")
    batch = from_texts(["running horses", "runs horse"], ["1", "2"])
    found = learn([batch], analysis, Learning(min_count=1, threshold=0.1))
    assert shown(found)[0][0][0] == ("run", "hors")


def test_connector_words_are_gensims(tmp_path: Path) -> None:
    assert frozenset(ENGLISH) == gensim.ENGLISH_CONNECTOR_WORDS
    assert connectors("none", str) == ((), "")
    assert connectors("english", str) == (tuple(sorted(ENGLISH)), "english")
    (tmp_path / "mine.txt").write_text("# mine\nOf\n\nof\nDer\n")
    assert connectors(str(tmp_path / "mine.txt"), str.lower) == (("der", "of"), "mine.txt")
    with pytest.raises(GaiError, match=r"none\.txt"):
        connectors(str(tmp_path / "none.txt"), str)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scoring": "pmi"},
        {"min_count": 0},
        {"passes": 0},
        {"threshold": 0.0},
        {"threshold": math.nan},
        {"threshold": 1.5, "scoring": "npmi"},
        {"delimiter": ""},
        {"delimiter": "\n"},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Learning(**wrong)


@pytest.mark.parametrize("analysis", [Analysis(ngrams=(1, 2)), Analysis(analyzer="char")])
def test_ngrams_are_refused(analysis: Analysis) -> None:
    with pytest.raises(UsageError, match="n-grams"):
        learn([], analysis, Learning())


@pytest.fixture
def stored(tmp_path: Path, corpora: Path) -> tuple[Phrases, Path]:
    learning = Learning(connectors=ENGLISH, connectors_name="english", passes=2)
    reading = Reading((str(corpora / "inaugural" / "1841-Harrison.txt"),), per="paragraph")
    found = learn(Reader(reading), Analysis(), learning)
    path = tmp_path / "phrases.json"
    path.write_bytes(b"".join(pieces(found)))
    return found, path


def test_what_is_stored_comes_back(stored: tuple[Phrases, Path]) -> None:
    found, path = stored
    back = load(str(path))
    assert len(back) > 10
    assert back.learning == found.learning
    assert shown(back) == shown(found)
    assert back.signature == found.signature
    assert back.signature["kind"] == "phrases"
    assert len(back.signature["input"]) == 64


def test_a_stored_file_has_a_phrase_a_line_and_no_folder(stored: tuple[Phrases, Path]) -> None:
    found, path = stored
    text = path.read_text("utf-8")
    assert text.count('"words"') == len(found)
    assert len(text.splitlines()) == len(found) + 2 * len(found.passes) + 4
    assert "Harrison" not in text


def test_a_compressed_file_is_read_too(stored: tuple[Phrases, Path], tmp_path: Path) -> None:
    import gzip

    found, path = stored
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert shown(load(str(tmp_path / "x.json.gz"))) == shown(found)
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(GaiError, match=r"x\.json\.gz"):
        load(str(tmp_path / "x.json.gz"))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"a": 1}', b"new_york\t3.2\n"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(GaiError, match="no file of phrases") as raised:
        load(str(tmp_path / "x.json"))
    assert "gai phrases" in raised.value.hint
    assert len(raised.value.message.splitlines()) == 1


DAMAGE: list[Any] = [
    lambda kept: kept["passes"][0].append({"words": ["a", "b", "c"], "score": 1.0, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": ["new", "of"], "score": 1.0, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": ["alone"], "score": 1.0, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": ["x", "\ud800"], "score": 1.0, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": [1, 2], "score": 1.0, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": ["x", "y"], "score": math.nan, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": ["x", "y"], "score": None, "count": 1}),
    lambda kept: kept["passes"][0].append({"words": ["x", "y"], "score": 1.0}),
    lambda kept: kept["passes"].append(7),
    lambda kept: kept.pop("passes"),
    lambda kept: kept.pop("signature"),
    lambda kept: kept["signature"]["learning"].update(delimiter=3),
    lambda kept: kept["signature"]["learning"].update(other=3),
    lambda kept: kept["signature"]["analysis"].update(tokenizer="none"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused(stored: tuple[Phrases, Path], damage: Any) -> None:
    kept = json.loads(stored[1].read_text("utf-8"))
    damage(kept)
    stored[1].write_text(json.dumps(kept), "utf-8")
    with pytest.raises(GaiError, match="damaged") as raised:
        load(str(stored[1]))
    assert len(raised.value.message.splitlines()) == 1


@pytest.mark.parametrize("size", [40, 1000, -3])
def test_half_a_file_is_refused(stored: tuple[Phrases, Path], size: int) -> None:
    stored[1].write_bytes(stored[1].read_bytes()[:size])
    with pytest.raises(GaiError, match="damaged"):
        load(str(stored[1]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match=r"none\.json: no such file"):
        load(str(tmp_path / "none.json"))


def test_ranked_phrases_are_best_first_and_each_once() -> None:
    one, two, three = (
        Phrase(("x", end), score, 1) for end, score in [("a", 1), ("b", 2), ("c", 2)]
    )
    again = Phrase(("x", "a"), 9.0, 2)
    found = Phrases(Learning(), ((one, two), (three, again)))
    assert found.ranked() == [("x_b", two), ("x_c", three), ("x_a", one)]


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=20), min_size=1, max_size=5),
    st.sets(st.integers(0, 9)),
    st.integers(0, 2),
)
def test_kernels_count_what_their_twins_count(
    texts: list[list[int]], linking: set[int], shift: int
) -> None:
    """Tables that are full at once, so that the kernel stops and goes on inside a segment."""
    from gai.phrases.pairs import PairTable

    segments = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    tokens = np.array(list(chain(*texts)), np.int32)
    flags = np.array([token in linking for token in range(10)], np.uint8)
    found = []
    for ops in (kernels.load(), reference):
        one, other = PairTable(ops, slots=8), PairTable(ops, slots=8)
        one.add(tokens, segments, flags)
        one.add(tokens, segments, flags)
        other.add(9 - tokens, segments, flags[::-1].copy())
        one.merge(other, flags[::-1].copy(), np.arange(10)[::-1] + shift)
        entries = reference.phrases.entries(one.table)
        found.append((entries, one.totals[:12].tolist(), one.known_chains().tolist()))
    assert found[0] == found[1]
