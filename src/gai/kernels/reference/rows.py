"""Plain twins of the kernels over rows of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Columns = NDArray[np.int32]


def tally(ids: Columns, counts: NDArray[np.int32], tf: Ints, df: Ints) -> int:
    """0, after adding rows of counts to the totals of each term and its number of documents."""
    np.add.at(tf, ids, counts)
    np.add.at(df, ids, 1)
    return 0


def kept_cells(indptr: Ints, ids: Columns, columns: Columns, kept: Ints) -> int:
    """0, after writing how many cells of each row have a column."""
    before = np.concatenate([[0], np.cumsum(columns[ids] >= 0)])
    kept[:] = np.diff(before[indptr])
    return 0


def finish_rows(
    indptr: Ints,
    ids: Columns,
    counts: NDArray[np.int32],
    columns: Columns,
    new_indptr: Ints,
    indices: Columns,
    data: Columns,
    *scratch: NDArray[Any],
) -> int:
    """The number of cells kept, after giving each row its final columns, sorted."""
    found = columns[ids]
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    kept = np.flatnonzero(found >= 0)
    order = kept[np.lexsort((found[kept], rows[kept]))]
    indices[: len(order)] = found[order]
    data[: len(order)] = counts[order]
    new_indptr[0] = 0
    np.cumsum(np.bincount(rows[kept], minlength=len(indptr) - 1), out=new_indptr[1:])
    return len(order)
