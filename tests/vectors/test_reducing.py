"""Reduced vectors against scikit-learn's PCA and plain numpy; rounding; parts of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gai.errors import GaiError, UsageError
from gai.output.vectors import Vectors, load, save
from gai.output.vectors.model import Subwords
from gai.terms import Terms
from gai.vectors import reducing
from gai.vectors.reducing import Reduction, reduced, to_int8

WORDS, DIM = 300, 12


def rows_of(words: int = WORDS, dim: int = DIM, seed: int = 1) -> np.ndarray:
    """Rows whose variances differ, and whose mean is not zero."""
    draw = np.random.default_rng(seed)
    turned = (
        draw.normal(size=(words, dim)) * np.linspace(4, 0.5, dim) @ draw.normal(size=(dim, dim))
    )
    return (turned + 3).astype(np.float32)


def vectors_of(rows: np.ndarray | None = None, **more: Any) -> Vectors:
    rows = rows_of() if rows is None else rows
    return Vectors(Terms.of(f"w{number}" for number in range(len(rows))), rows, **more)


def cosines(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    one, two = one.astype(np.float64), two.astype(np.float64)
    return (one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)


def test_pca_is_that_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    model = PCA(5, svd_solver="full").fit(rows_of().astype(np.float64))
    expected = model.transform(rows_of().astype(np.float64))
    made = reduced(vectors_of(), Reduction(dim=5))
    assert made.vectors.matrix.dtype == np.float32
    signs = np.sign((made.vectors.matrix * expected).sum(0))
    assert_allclose(made.vectors.matrix * signs, expected, rtol=1e-4, atol=1e-4)
    assert made.explained == pytest.approx(model.explained_variance_ratio_.sum())
    assert made.cosine is None
    directions = made.vectors.state["reduction_directions"]
    assert_allclose(directions * signs[:, None], model.components_, atol=1e-9)
    assert (directions[np.arange(5), np.abs(directions).argmax(1)] > 0).all()
    assert_allclose(made.vectors.state["reduction_mean"], model.mean_)


def test_the_stored_map_makes_the_same_vectors() -> None:
    made = reduced(vectors_of(), Reduction(dim=5)).vectors
    state = made.state
    again = (rows_of() - state["reduction_mean"]) @ state["reduction_directions"].T
    assert_allclose(made.matrix, again, rtol=1e-6)


def test_the_strongest_directions_are_taken_away() -> None:
    rows = rows_of().astype(np.float64)
    centred = rows - rows.mean(0)
    values, directions = np.linalg.svd(centred, full_matrices=False)[1:]
    made = reduced(vectors_of(), Reduction(remove=2))
    top = directions[:2]
    assert made.vectors.dim == DIM
    assert_allclose(made.vectors.matrix, centred - centred @ top.T @ top, atol=1e-4)
    assert made.explained == pytest.approx((values[2:] ** 2).sum() / (values**2).sum())


def test_with_both_the_next_directions_are_kept() -> None:
    whole = reduced(vectors_of(), Reduction(dim=DIM)).vectors.matrix
    made = reduced(vectors_of(), Reduction(dim=3, remove=2)).vectors.matrix
    assert_allclose(made, whole[:, 2:5], atol=1e-5)


def test_all_dimensions_keep_all_distances() -> None:
    made = reduced(vectors_of(), Reduction(dim=DIM))
    assert made.explained == pytest.approx(1.0)
    before, after = rows_of().astype(np.float64), made.vectors.matrix.astype(np.float64)
    apart = np.linalg.norm(before[:50, None] - before[50:100], axis=2)
    assert_allclose(np.linalg.norm(after[:50, None] - after[50:100], axis=2), apart, rtol=1e-5)


@pytest.mark.parametrize(("numbers", "least"), [("float16", 0.9999999), ("int8", 0.999)])
def test_rounded_vectors_stay_near(numbers: str, least: float) -> None:
    rows = np.random.default_rng(5).normal(size=(500, 100)).astype(np.float32)
    rows[7] = 0
    made = reduced(vectors_of(rows), Reduction(numbers=numbers))
    assert made.vectors.matrix.dtype == numbers
    assert (made.vectors.scales is not None) == (numbers == "int8")
    filled = np.flatnonzero(rows.any(axis=1))
    near = cosines(rows[filled], made.vectors.take(filled))
    assert near.min() > least
    assert made.cosine == pytest.approx(near.mean(), abs=1e-12)
    assert not made.vectors.take(np.array([7])).any()


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_int8_is_off_by_half_a_step_at_most(listed: list[list[float]]) -> None:
    rows = np.array(listed, np.float32)
    small, scales = to_int8(rows)
    assert small.dtype == np.int8
    assert np.abs(small.astype(int)).max() <= 127
    back = small.astype(np.float64) * scales[:, None].astype(np.float64)
    off = np.abs(back - rows).max(axis=1)
    assert (off <= 0.5001 * scales.astype(np.float64) + 1e-43).all()


def test_int8_worked_by_hand() -> None:
    small, scales = to_int8(np.array([[12.7, -6.35, 0.04], [0, 0, 0]], np.float32))
    assert_allclose(scales, [0.1, 0])
    assert_array_equal(small, [[127, -64, 0], [0, 0, 0]])  # 63.5 goes to the even neighbour


def test_first_words_keep_their_counts_and_numbers() -> None:
    scales = np.linspace(0.1, 1, WORDS).astype(np.float32)
    small = np.random.default_rng(2).integers(-127, 128, (WORDS, DIM)).astype(np.int8)
    before = vectors_of(small, scales=scales, counts=np.arange(WORDS)[::-1].copy())
    made = reduced(before, Reduction(top=40)).vectors
    assert made.matrix.dtype == np.int8
    assert list(made.words) == [f"w{number}" for number in range(40)]
    assert_array_equal(made.block(0, 40), before.block(0, 40))
    assert_array_equal(made.counts, np.arange(WORDS)[::-1][:40])
    assert len(reduced(before, Reduction(top=10_000)).vectors) == WORDS


def test_small_numbers_may_become_float32_again_and_stay_small_otherwise() -> None:
    half = reduced(vectors_of(), Reduction(numbers="float16")).vectors
    wide = reduced(half, Reduction(numbers="float32")).vectors
    assert wide.matrix.dtype == np.float32
    assert_array_equal(wide.matrix, half.matrix.astype(np.float32))
    assert reduced(half, Reduction(dim=4)).vectors.matrix.dtype == np.float16


def test_parts_of_words_move_with_the_words() -> None:
    draw, names = np.random.default_rng(4), ["cat", "dog", "mat", "a", "bird", "birds"]
    words, buckets = draw.normal(size=(6, 8)) + 1, draw.normal(size=(40, 8)) - 2
    parts = Subwords(words.astype(np.float32), buckets.astype(np.float32), 3, 5)
    before = Vectors(Terms.of(names), None, subwords=parts)
    for reduction in (Reduction(dim=4), Reduction(remove=2), Reduction(dim=3, remove=1, top=5)):
        made = reduced(before, reduction).vectors
        state = made.state
        mean, directions = state["reduction_mean"], state["reduction_directions"]
        assert made.knows_parts
        for word in ("cat", "bird", "catdog", "unseen"):
            moved = before.vector(word) - mean
            if reduction.dim is None:
                expected = moved - moved @ directions.T @ directions
            else:
                expected = moved @ directions.T
            assert_allclose(made.vector(word), expected, rtol=1e-4, atol=1e-5)
    for numbers in ("float16", "int8"):
        made = reduced(before, Reduction(numbers=numbers)).vectors
        for word in ("cat", "unseen"):
            assert cosines(made.vector(word)[None], before.vector(word)[None])[0] > 0.999


def test_neither_jobs_nor_blocks_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(4000)
    one = reduced(vectors_of(rows), Reduction(dim=6, numbers="int8"), jobs=1)
    two = reduced(vectors_of(rows), Reduction(dim=6, numbers="int8"), jobs=3)
    assert_array_equal(one.vectors.matrix, two.vectors.matrix)
    assert_array_equal(one.vectors.scales, two.vectors.scales)
    assert one.cosine == two.cosine
    monkeypatch.setattr("gai.output.vectors.model.BLOCK", 1 << 12)
    small = reduced(vectors_of(rows), Reduction(dim=6), jobs=3).vectors
    assert_allclose(
        small.matrix, reduced(vectors_of(rows), Reduction(dim=6)).vectors.matrix, 1e-4, 1e-4
    )


def test_a_file_keeps_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    once = reduced(vectors_of(signature={"kind": "glove"}), Reduction(dim=5)).vectors
    save(reduced(once, Reduction(numbers="int8")).vectors, path)
    found = load(path)
    assert found.signature["kind"] == "glove"
    said = found.signature["reduction"]
    assert (said["numbers"], said["dim"]) == ("int8", None)
    assert said["cosine"] > 0.99
    assert said["after"]["dim"] == 5
    assert 0 < said["after"]["explained"] < 1
    assert found.matrix.dtype == np.int8


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(GaiError, match="300 words with 12 dimensions have no 13 dimensions"):
        reduced(vectors_of(), Reduction(dim=13))
    with pytest.raises(GaiError, match="no 11 dimensions to keep after 2 are taken away"):
        reduced(vectors_of(), Reduction(dim=11, remove=2))
    with pytest.raises(GaiError, match="no dimension left after 12 are taken away"):
        reduced(vectors_of(), Reduction(remove=12))
    with pytest.raises(GaiError, match="4 words with 12 dimensions"):
        reduced(vectors_of(), Reduction(dim=5, top=4))
    with pytest.raises(GaiError, match="all vectors are the same"):
        reduced(vectors_of(np.ones((20, 3), np.float32)), Reduction(dim=2))
    with pytest.raises(GaiError, match="70000 is too large for float16"):
        reduced(vectors_of(np.array([[1, 70000]], np.float32)), Reduction(numbers="float16"))
    broken = rows_of()
    broken[17, 3] = np.nan
    for reduction in (Reduction(dim=3), Reduction(numbers="int8")):
        with pytest.raises(GaiError, match="the vector of 'w17' holds NaN"):
            reduced(vectors_of(broken), reduction)
    for wrong in ({"dim": 0}, {"top": 0}, {"remove": -1}, {"numbers": "int4"}):
        with pytest.raises(UsageError):
            Reduction(**wrong)


def test_parts_are_mapped_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reducing, "BLOCK", 64)
    blocks = list(reducing.blocks_of(rows_of(10)))
    assert len(blocks) == 10
    assert_array_equal(np.concatenate([rows for _, rows in blocks]), rows_of(10))
