"""The kernels over rows of counts against their plain twins."""

from __future__ import annotations

import numpy as np
import pytest

from gai import kernels
from gai.kernels import reference


@pytest.fixture(params=range(6))
def rows(request: pytest.FixtureRequest) -> tuple[np.ndarray, ...]:
    """Random rows, short and long ones, with columns dropped; more than 2^16 columns at last."""
    random = np.random.default_rng(request.param)
    terms = [5, 60, 300, 3_000, 70_000, 3_000_000][request.param]
    lengths = random.integers(0, [4, 60, 120, 700, 900, 90][request.param], 40)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.concatenate(
        [random.choice(min(terms, 1000), min(n, 5), replace=False) for n in lengths]
        if terms == 5
        else [random.permutation(terms)[:n] for n in lengths]
        if terms < 100_000
        else [np.unique(random.integers(0, terms, n)) for n in lengths]
    )
    if terms in (5, 3_000_000):
        sizes = [min(n, 5) if terms == 5 else 0 for n in lengths]
        if terms != 5:
            pieces = [np.unique(random.integers(0, terms, n)) for n in lengths]
            sizes, ids = [len(p) for p in pieces], np.concatenate(pieces)
        indptr = np.concatenate([[0], np.cumsum(sizes)])
    ids = ids.astype(np.int32)
    counts = random.integers(1, 2**31 - 1, len(ids)).astype(np.int32)
    columns = random.permutation(terms).astype(np.int32)
    columns[random.random(terms) < 0.2] = -1
    return indptr.astype(np.int64), ids, counts, columns


def test_rows_are_finished_as_the_twin_does(rows: tuple[np.ndarray, ...]) -> None:
    indptr, ids, counts, columns = rows
    longest = int(np.diff(indptr).max())
    results = []
    for ops in (kernels.load(), reference):
        new = np.empty(len(indptr), np.int64)
        indices, data = np.empty(len(ids), np.int32), np.empty(len(ids), np.int32)
        scratch = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(256, np.int64)
        filled = ops.finish_rows(indptr, ids, counts, columns, new, indices, data, *scratch)
        kept = np.empty(len(indptr) - 1, np.int64)
        ops.kept_cells(indptr, ids, columns, kept)
        assert np.array_equal(np.diff(new), kept)
        results.append((filled, new.tolist(), indices[:filled].tolist(), data[:filled].tolist()))
    assert results[0] == results[1]


def test_totals_are_those_of_the_twin(rows: tuple[np.ndarray, ...]) -> None:
    _, ids, counts, columns = rows
    counts = counts >> 10
    totals = [np.zeros(len(columns), np.int64) for _ in range(4)]
    kernels.load().tally(ids, counts, *totals[:2])
    reference.tally(ids, counts, *totals[2:])
    assert np.array_equal(totals[0], totals[2])
    assert np.array_equal(totals[1], totals[3])
