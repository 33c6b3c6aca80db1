"""Nearest neighbours: brute force and gensim as oracles, and the same bits however it is asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.terms import Terms
from gai.vectors import neighbours
from gai.vectors.neighbours import Cosine, nearest


def made(rows: Any, **more: Any) -> Vectors:
    matrix = np.asarray(rows)
    return Vectors(Terms.of(f"w{place}" for place in range(len(matrix))), matrix, **more)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def cosine(one: Any, other: Any) -> np.float32:
    """By hand: exact sums, and 0 where a vector has no direction."""
    pairs = list(zip(map(float, one), map(float, other), strict=True))
    lengths = math.sqrt(math.fsum(a * a for a, _ in pairs) * math.fsum(b * b for _, b in pairs))
    return np.float32(math.fsum(a * b for a, b in pairs) / lengths if lengths else 0.0)


def brute(rows: Any, query: Any, k: int, hidden: Any = ()) -> list[tuple[int, float]]:
    scored = [(-cosine(query, row), place) for place, row in enumerate(rows)]
    best = sorted(pair for pair in scored if pair[1] not in hidden)[:k]
    return [(place, -float(score)) for score, place in best]


def pairs(places: np.ndarray, scores: np.ndarray) -> list[tuple[int, float]]:
    found = zip(places.tolist(), scores.tolist(), strict=True)
    return [(place, score) for place, score in found if place >= 0]


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Small whole numbers: many vectors are zero, equal, parallel or opposite."""
    words, dim, n = draw(st.integers(1, 90)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = st.integers(-2, 2).map(float)
    row = st.lists(cells, min_size=dim, max_size=dim)
    hidden = st.lists(st.integers(-1, words + 3), min_size=2, max_size=2)
    return {
        "rows": draw(st.lists(row, min_size=words, max_size=words)),
        "queries": draw(st.lists(row, min_size=n, max_size=n)),
        "k": draw(st.integers(1, 12)),
        "exclude": draw(st.none() | st.lists(hidden, min_size=n, max_size=n)),
        "limit": draw(st.none() | st.integers(1, 100)),
        "jobs": draw(st.integers(1, 3)),
    }


@given(questions())
def test_what_brute_force_finds_with_ties_by_place(asked: dict[str, Any]) -> None:
    rows, queries = asked["rows"], np.array(asked["queries"], np.float32)
    exclude = None if asked["exclude"] is None else np.array(asked["exclude"], np.int64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "BLOCK", 1)  # 64 words: several blocks
        patched.setattr(neighbours, "CROWD", 2)
        places, scores = nearest(
            made(np.array(rows, np.float32)),
            queries,
            asked["k"],
            exclude,
            limit=asked["limit"],
            jobs=asked["jobs"],
        )
    seen = rows[: asked["limit"]]
    assert places.shape == scores.shape == (len(queries), min(asked["k"], len(seen)))
    for number, query in enumerate(queries):
        hidden = () if exclude is None else asked["exclude"][number]
        found = pairs(places[number], scores[number])
        assert found == brute(seen, query, asked["k"], hidden)


@pytest.mark.parametrize("restrict", [None, 150])
def test_gensim_finds_the_same(restrict: int | None) -> None:
    rows = normal(1, 500, 40)
    vectors, peer = made(rows), KeyedVectors(40)
    peer.add_vectors(list(vectors.words), rows)
    asked = np.arange(0, 500, 25)
    places, scores = nearest(vectors, rows[asked], 10, asked[:, None], limit=restrict)
    for number, place in enumerate(asked.tolist()):
        expected = peer.most_similar(f"w{place}", topn=10, restrict_vocab=restrict)
        assert [vectors.words[found] for found in places[number].tolist()] == [
            w for w, _ in expected
        ]
        assert scores[number] == pytest.approx([score for _, score in expected], abs=1e-6)


def test_the_bits_depend_neither_on_blocks_nor_on_company_nor_on_threads() -> None:
    vectors, queries = made(normal(2, 3000, 50)), normal(3, 300, 50)
    places, scores = nearest(vectors, queries, 7)
    for block, jobs in [(1, 1), (1, 4), (1 << 16, 2), (1 << 30, 3)]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(neighbours, "BLOCK", block)
            found = nearest(vectors, queries, 7, jobs=jobs)
        assert np.array_equal(found[0], places)
        assert found[1].tobytes() == scores.tobytes()
    for number in range(0, 300, 37):
        alone = nearest(vectors, queries[number : number + 1], 7)
        assert np.array_equal(alone[0][0], places[number])
        assert alone[1][0].tobytes() == scores[number].tobytes()


def test_words_that_float32_cannot_tell_apart_are_told_apart() -> None:
    # In float32, what BLAS makes of these cosines is in another order than the cosines are.
    middle = normal(4, 1, 300)
    rows = middle + normal(5, 400, 300) * np.float32(2e-3)
    places, scores = nearest(made(rows), middle, 20)
    assert pairs(places[0], scores[0]) == brute(rows, middle[0], 20)
    rough = neighbours.cosines(Cosine(middle).probes, rows)[0]
    assert np.argsort(-rough, kind="stable")[:20].tolist() != places[0].tolist()


@pytest.mark.parametrize("dim", [1, 7, 300, 1000])
def test_float32_is_never_off_by_more_than_the_margin(dim: int) -> None:
    rows, queries = np.abs(normal(6, 200, dim)), np.abs(normal(7, 20, dim))
    scoring = Cosine(queries)
    rough = neighbours.cosines(scoring.probes, rows)
    exact = scoring.units @ neighbours.unit(rows).T
    assert np.abs(rough - exact).max() <= neighbours.margin(dim)


def test_few_words_get_a_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    score = Cosine.exact

    def counted(self: Cosine, queries: Any, rows: Any) -> Any:
        nonlocal looked
        looked += len(rows)
        return score(self, queries, rows)

    monkeypatch.setattr(Cosine, "exact", counted)
    monkeypatch.setattr(neighbours, "BLOCK", 4 * 50 * 1000)
    nearest(made(normal(8, 50_000, 50)), normal(9, 4, 50), 10)
    assert looked < 4 * 300


def test_lengths_do_not_matter_however_large_or_small() -> None:
    rows = normal(10, 40, 8)
    scales = np.float32(10) ** np.linspace(-36, 36, 40, dtype=np.float32)
    places, scores = nearest(made(rows * scales[:, None]), rows[:5] * np.float32(1e-30), 10)
    plain = nearest(made(rows), rows[:5], 10)
    assert np.array_equal(places, plain[0])
    assert scores == pytest.approx(plain[1], abs=1e-6)


def test_zeros_have_the_cosine_zero() -> None:
    rows = np.array([[0, 0], [0, 2], [1, 0], [-1, 0]], np.float32)
    places, scores = nearest(made(rows), np.array([[1, 0], [0, 0]], np.float32), 4)
    assert places.tolist() == [[2, 0, 1, 3], [0, 1, 2, 3]]
    assert scores.tolist() == [[1, 0, 0, -1], [0, 0, 0, 0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_an_error_with_the_word(bad: float) -> None:
    rows = normal(13, 200, 3)
    rows[150, 1] = bad
    with pytest.raises(GaiError, match="w150"):
        nearest(made(rows), rows[:1], 4)
    assert nearest(made(rows), rows[:1], 4, limit=150)[0].shape == (1, 4)


def test_small_numbers_and_files_are_read_as_they_are(tmp_path: Path) -> None:
    rows = normal(11, 300, 16)
    scales = np.abs(rows).max(axis=1) / 127
    small = np.round(rows / scales[:, None]).astype(np.int8)
    for stored, plain in [
        (made(small, scales=scales), small * scales[:, None]),
        (made(rows.astype(np.float16)), rows.astype(np.float16).astype(np.float32)),
    ]:
        places, scores = nearest(stored, rows[:3], 5)
        for number in range(3):
            assert pairs(places[number], scores[number]) == brute(plain, rows[number], 5)
    rows.tofile(tmp_path / "rows")
    mapped = made(np.memmap(tmp_path / "rows", np.float32, "r", shape=rows.shape))
    assert np.array_equal(nearest(mapped, rows[:3], 5)[0], nearest(made(rows), rows[:3], 5)[0])


def test_where_nothing_is_left() -> None:
    vectors, hidden = made(normal(12, 3, 2)), np.array([[0, 1]])
    places, scores = nearest(vectors, vectors.block(0, 1), 3, hidden)
    assert places.tolist() == [[2, -1, -1]]
    assert scores[0, 1:].tolist() == [-np.inf, -np.inf]
    assert nearest(vectors, np.empty((0, 2), np.float32), 3)[0].shape == (0, 3)
    assert nearest(made(np.empty((0, 2), np.float32)), vectors.block(0, 1), 3)[0].shape == (1, 0)
