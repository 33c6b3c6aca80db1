"""Result: a matrix whose rows are still to be computed, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.documents.ids import DocumentIds
from gai.terms import Terms
from gai.threads import in_order

CELLS = 1 << 18
"""Cells that are turned into text at once; about 100 bytes of memory each."""


@dataclass(slots=True)
class RowBlock:
    """Consecutive rows, from row ``first`` on.

    ``indptr`` (int64, one more than there are rows) starts at 0; ``indices`` (int32) are sorted
    within each row; ``data`` holds counts (int32) or weights (float64).
    """

    first: int
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[Any]


@dataclass
class Result:
    """What a command hands to a writer: columns, rows, and the tasks that compute the cells.

    ``indptr`` is that of the whole matrix. ``tasks`` give blocks of rows that follow each other and
    cover all rows; each may run in any thread, once or again. ``signature`` is fit for JSON.
    ``extra`` holds further arrays: per term "df", "tf" (int64) and, for weights, "idf" (float64);
    per document "lengths" (int32 or int64). ``sizes`` gives the bytes of each document.
    """

    terms: Terms
    documents: DocumentIds
    indptr: NDArray[np.int64]
    dtype: np.dtype[Any]
    tasks: Sequence[Callable[[], RowBlock]]
    signature: dict[str, Any]
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)
    sizes: Callable[[], NDArray[Any]] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Documents and terms."""
        return len(self.documents), len(self.terms)

    @property
    def nnz(self) -> int:
        """The number of stored cells."""
        return int(self.indptr[-1])

    def rows(self, jobs: int = 1) -> Iterator[RowBlock]:
        """The blocks in row order; with several jobs, threads compute the next ones ahead."""
        return in_order(_run, self.tasks, jobs)

    def csr(self, jobs: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
        """The whole matrix as ``indptr``, ``indices`` and ``data``."""
        indices, data = np.empty(self.nnz, np.int32), np.empty(self.nnz, self.dtype)
        for block in self.rows(jobs):
            place = int(self.indptr[block.first])
            indices[place : place + len(block.indices)] = block.indices
            data[place : place + len(block.data)] = block.data
        return self.indptr, indices, data


def cut(block: RowBlock, cells: int = CELLS) -> Iterator[RowBlock]:
    """The rows of a block in blocks of at most so many cells or, where it has more, of one row."""
    first, rows = 0, len(block.indptr) - 1
    while first < rows:
        reach = int(block.indptr[first]) + cells
        last = max(first + 1, int(block.indptr.searchsorted(reach, "right")) - 1)
        indptr = block.indptr[first : last + 1]
        part = slice(int(indptr[0]), int(indptr[-1]))
        shifted = indptr - indptr[0]
        yield RowBlock(block.first + first, shifted, block.indices[part], block.data[part])
        first = last


def _run(task: Callable[[], RowBlock]) -> RowBlock:
    return task()
