"""Co-occurrence counts against counting by hand with fractions, and weights against formulas."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gai.counts.store import resident
from gai.errors import GaiError, UsageError
from gai.output import load, write
from gai.terms import Terms
from gai.vectors import cooccurrence, runs
from gai.vectors.association import Association, associations, heaviest, sums
from gai.vectors.cooccurrence import EXACT, FINE, Cooccurrence, Scale, cooccurrences
from gai.vectors.corpus import Corpus

Cells = dict[tuple[int, int], float]

SENTENCES = st.lists(st.lists(st.integers(0, 8), max_size=12), max_size=12)
SETTINGS = st.fixed_dictionaries(
    {
        "window": st.integers(1, 14) | st.integers(15, 60),
        "symmetric": st.booleans(),
        "weighting": st.sampled_from(["inverse", "flat"]),
    }
)


def corpus_of(sentences: list[list[int]], words: int = 9) -> Corpus:
    ids = np.array([word for sentence in sentences for word in sentence], np.int32)
    bounds = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
    counts = np.bincount(ids, minlength=words).astype(np.int64)
    return Corpus(Terms.of(f"w{word}" for word in range(words)), counts, ids, bounds)


def by_hand(
    sentences: list[list[int]], window: int, symmetric: bool, weighting: str
) -> dict[tuple[int, int], Fraction]:
    """Every pair of places that are near, added up exactly."""
    found: Counter[tuple[int, int]] = Counter()
    for sentence in sentences:
        for at, left in enumerate(sentence):
            for d, right in enumerate(sentence[at + 1 : at + 1 + window], 1):
                weight = Fraction(1, d if weighting == "inverse" else 1)
                found[left, right] += weight  # type: ignore[assignment]
                if symmetric:
                    found[right, left] += weight  # type: ignore[assignment]
    return dict(found)  # type: ignore[arg-type]


def cells(found: Cooccurrence) -> Cells:
    rows = np.repeat(np.arange(len(found)), np.diff(found.indptr))
    for start, stop in pairwise(found.indptr.tolist()):
        assert (np.diff(found.indices[start:stop]) > 0).all()
    places = zip(rows.tolist(), found.indices.tolist(), strict=True)
    return dict(zip(places, found.data.tolist(), strict=True))


def same(one: Cooccurrence, other: Cooccurrence) -> bool:
    """Whether two results have the same bits."""
    names = ("indptr", "indices", "data")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


@pytest.mark.parametrize("engine", ["reference", "kernels"])
@given(sentences=SENTENCES, chosen=SETTINGS)
def test_values_are_the_true_sums(
    engine: str, sentences: list[list[int]], chosen: dict[str, Any]
) -> None:
    found = cooccurrences(corpus_of(sentences), **chosen, engine=engine)
    expected = by_hand(sentences, **chosen)
    if chosen["window"] <= EXACT or chosen["weighting"] == "flat":
        assert cells(found) == {place: float(value) for place, value in expected.items()}
    else:
        assert cells(found) == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-7)


@given(
    sentences=SENTENCES,
    chosen=SETTINGS,
    chunk=st.integers(1, 40),
    work=st.integers(1, 60),
    jobs=st.integers(1, 3),
    memory=st.sampled_from([None, 1]),
    engine=st.sampled_from(["kernels", "reference"]),
)
@settings(max_examples=60)
def test_neither_threads_nor_chunks_nor_the_disk_change_a_bit(
    sentences: list[list[int]],
    chosen: dict[str, Any],
    chunk: int,
    work: int,
    jobs: int,
    memory: int | None,
    engine: str,
) -> None:
    corpus = corpus_of(sentences)
    expected = cooccurrences(corpus, **chosen, engine="reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cooccurrence, "CHUNK", chunk)
        patch.setattr(cooccurrence, "SMALLEST_CHUNK", chunk)
        patch.setattr(cooccurrence, "WORK", work)
        told: list[int] = []
        found = cooccurrences(
            corpus, **chosen, engine=engine, jobs=jobs, memory=memory, advance=told.append
        )
    assert same(found, expected)
    assert sum(told) == corpus.tokens


def test_many_words_take_the_dense_and_the_sparse_way() -> None:
    """Frequent words read their accumulator from end to end, rare ones only what is marked."""
    draw = np.random.default_rng(5)
    words = 10_000
    ids = (draw.pareto(0.6, 120_000) * 2).astype(np.int64) % words
    sentences = [part.tolist() for part in np.split(ids, np.sort(draw.integers(0, len(ids), 9000)))]
    corpus = corpus_of(sentences, words)
    assert corpus.counts.max() * 20 > words > 20 * np.median(corpus.counts)
    expected = cooccurrences(corpus, 10, engine="reference")
    assert same(cooccurrences(corpus, 10, engine="kernels", jobs=2), expected)


def test_a_long_sentence_is_cut_into_chunks_without_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_of([np.random.default_rng(1).integers(0, 9, 1000).tolist()])
    whole = cooccurrences(corpus, 10)
    monkeypatch.setattr(cooccurrence, "CHUNK", 37)
    assert same(cooccurrences(corpus, 10), whole)


def test_rows_and_columns_are_those_of_the_glove_authors() -> None:
    """A word beside itself counts from both places; without symmetry the row is the left word."""
    corpus = corpus_of([[0, 0, 1]], 2)
    assert cells(cooccurrences(corpus)) == {(0, 0): 2.0, (0, 1): 1.5, (1, 0): 1.5}
    assert cells(cooccurrences(corpus, symmetric=False)) == {(0, 0): 1.0, (0, 1): 1.5}


def test_a_window_may_be_larger_than_any_sentence() -> None:
    corpus = corpus_of([[0, 1, 2], [2, 0]])
    assert same(cooccurrences(corpus, 10**12), cooccurrences(corpus, 23))


@pytest.mark.parametrize("sentences", [[], [[]], [[3], [4]]])
def test_no_neighbours(sentences: list[list[int]]) -> None:
    for engine in ("kernels", "reference"):
        found = cooccurrences(corpus_of(sentences), engine=engine)
        assert (found.indptr.tolist(), found.nnz, found.data.size) == ([0] * 10, 0, 0)


@given(units=st.integers(0, 2**64 - 1), window=st.integers(1, 40))
@example(units=11205253249702154886, window=10)  # rounded twice it would be another number
def test_units_become_the_nearest_number(units: int, window: int) -> None:
    scale = Scale.of(window, "inverse")
    (value,) = scale.values(np.array([units], np.uint64))
    assert value == float(Fraction(units, scale.one))


def test_weights_are_whole_units_up_to_a_window_of_22() -> None:
    assert Scale.of(10, "inverse").one == 2520
    assert Scale.of(EXACT, "inverse").one == 232792560
    for window in range(1, EXACT + 1):
        scale = Scale.of(window, "inverse")
        assert all(int(scale.weights[d]) * d == scale.one for d in range(1, window + 1))
    wide = Scale.of(100, "inverse")
    assert wide.one == FINE < 1 << 32
    assert all(abs(int(wide.weights[d]) - Fraction(FINE, d)) <= 0.5 for d in range(1, 101))


def test_what_might_overflow_is_refused() -> None:
    corpus = corpus_of([[0] * 51], 1)
    huge = Corpus(corpus.words, np.array([1 << 40]), corpus.ids, corpus.bounds)
    with pytest.raises(GaiError, match="too much text to count a window of 50 words"):
        cooccurrences(huge, 50)
    assert cells(cooccurrences(huge, 1)) == {(0, 0): 100.0}


def test_a_window_holds_a_word() -> None:
    with pytest.raises(UsageError, match="a window of 0 words"):
        cooccurrences(corpus_of([[0, 1]]), 0)


def test_a_full_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        return open("/dev/full", "r+b", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(GaiError, match="cannot write a temporary file"):
        cooccurrences(corpus_of([[0, 1, 2]]), memory=1)
    monkeypatch.setattr(cooccurrence, "CHUNK", 1)
    with pytest.raises(GaiError, match="cannot write a temporary file"):
        cooccurrences(corpus_of([[0, 1, 2]]))


def test_what_is_mapped_leaves_memory_and_comes_back() -> None:
    room = runs.OnDisk(np.int64)
    for part in range(4):
        room.append(np.arange(part << 18, (part + 1) << 18))
    whole = room.whole()
    assert int(whole.sum()) == (1 << 20) * ((1 << 20) - 1) // 2
    before = resident()
    runs.dropped(whole[1000:])
    assert before - resident() > 7 << 20
    assert whole[[0, 5000, -1]].tolist() == [0, 5000, (1 << 20) - 1]
    own = np.arange(10)
    runs.dropped(own)
    assert own.tolist() == list(range(10))


# Association


def dense(found: Cooccurrence) -> np.ndarray[Any, Any]:
    full = np.zeros((len(found), len(found)))
    for (row, column), value in cells(found).items():
        full[row, column] = value
    return full


def written(found: Cooccurrence, association: Association, path: Any) -> np.ndarray[Any, Any]:
    """The matrix as it comes back from a file; NaN where there is no cell."""
    write(associations(found, association, jobs=2), path)
    matrix = load(path).matrix.tocoo()
    full = np.full(matrix.shape, np.nan)
    full[matrix.row, matrix.col] = matrix.data
    return full


TEXT = [[0, 1, 2, 3, 0, 1], [4, 0, 1, 2], [5, 6, 7, 8, 0, 1, 1], [2, 3, 2, 3]]


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("weight", ["pmi", "ppmi"])
@pytest.mark.parametrize(("shift", "alpha"), [(1.0, 1.0), (2.0, 0.75)])
def test_pmi_is_the_formula(
    weight: Any, shift: float, alpha: float, symmetric: bool, tmp_path: Any
) -> None:
    found = cooccurrences(corpus_of(TEXT), 3, symmetric=symmetric)
    chosen = Association(weight, shift, alpha, min_cell=0.5)
    counts = dense(found)
    joint, word = counts / counts.sum(), counts.sum(1) / counts.sum()
    context = counts.sum(0) ** alpha / (counts.sum(0) ** alpha).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.log(joint / np.outer(word, context)) - math.log(shift)
    expected[counts < 0.5] = np.nan
    if weight == "ppmi":
        expected[~(expected > 0)] = np.nan
    np.testing.assert_allclose(written(found, chosen, tmp_path / "x.npz"), expected, rtol=1e-12)


def test_what_is_as_frequent_as_by_chance_has_no_ppmi(tmp_path: Any) -> None:
    corpus = corpus_of([[a, b] for a in range(3) for b in range(3, 6)], 6)
    found = cooccurrences(corpus, 1, symmetric=False, weighting="flat")
    pmi = written(found, Association("pmi"), tmp_path / "pmi.npz")
    assert (pmi[:3, 3:] == 0.0).all()
    assert associations(found, Association("ppmi")).nnz == 0


def test_counts_are_int32_where_each_neighbour_counts_1(tmp_path: Any) -> None:
    flat = cooccurrences(corpus_of(TEXT), 3, weighting="flat")
    near = cooccurrences(corpus_of(TEXT), 3)
    assert associations(flat, Association()).dtype == np.int32
    assert associations(near, Association()).dtype == np.float64
    counts = dense(near)
    expected = np.where(counts >= 1.0, counts, np.nan)
    many = Cooccurrence(**{**vars(flat), "data": flat.data + 2.0**31})
    assert associations(many, Association()).dtype == np.float64
    least = Association(min_cell=1.0)
    np.testing.assert_array_equal(written(near, least, tmp_path / "x.npz"), expected)


def test_sums_are_those_of_rows_and_columns() -> None:
    for symmetric in (True, False):
        found = cooccurrences(corpus_of(TEXT), 4, symmetric=symmetric)
        rows, columns = sums(found)
        np.testing.assert_allclose(rows, dense(found).sum(1), rtol=1e-14)
        np.testing.assert_allclose(columns, dense(found).sum(0), rtol=1e-14)


@given(sentences=SENTENCES, k=st.integers(1, 30), once=st.booleans())
def test_the_heaviest_pairs_are_those_that_sorting_finds(
    sentences: list[list[int]], k: int, once: bool
) -> None:
    found = cooccurrences(corpus_of(sentences), 5, weighting="flat")
    every = [(row, column, value) for (row, column), value in cells(found).items()]
    if once:
        every = [pair for pair in every if pair[0] <= pair[1]]
    every.sort(key=lambda pair: (-pair[2], pair[0], pair[1]))
    assert heaviest(associations(found, Association()), k, once=once) == every[:k]


@pytest.mark.parametrize("wrong", [{"shift": 0.0}, {"alpha": 0.0}, {"alpha": 2}, {"weight": "x"}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Association(**wrong)
