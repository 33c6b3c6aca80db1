"""Rows of a sparse matrix in blocks that depend on nothing but the matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gai.matrix import RowBlock

ROWS, CELLS = 1 << 12, 1 << 21
"""Rows, and cells of them, in a block, unless one row has more cells."""


def bounds(indptr: NDArray[np.int64], rows: int = ROWS, cells: int = CELLS) -> Iterator[int]:
    """Where each block begins, and where the last one ends."""
    first, last = 0, len(indptr) - 1
    yield first
    while first < last:
        reach = int(indptr.searchsorted(indptr[first] + cells, "right")) - 1
        first = min(max(reach, first + 1), first + rows, last)
        yield first


def evenly(blocks: Iterable[RowBlock], bounds: Sequence[int]) -> Iterator[RowBlock]:
    """The rows of all blocks, which follow each other, cut at ``bounds`` instead."""
    held: list[RowBlock] = []
    ends = iter(bounds[1:])
    end = next(ends, 0)
    for block in blocks:
        start, stop = block.first, block.first + len(block.indptr) - 1
        while start < end <= stop:
            yield joined([*held, part(block, start, end)])
            held, start, end = [], end, next(ends, 0)
        if start < stop:
            held.append(part(block, start, stop))


def part(block: RowBlock, start: int, stop: int) -> RowBlock:
    """Rows ``start`` to ``stop`` of the matrix, all of which are in the block."""
    indptr = block.indptr[start - block.first : stop - block.first + 1]
    cells = slice(int(indptr[0]), int(indptr[-1]))
    return RowBlock(start, indptr - indptr[0], block.indices[cells], block.data[cells])


def joined(blocks: Sequence[RowBlock]) -> RowBlock:
    """The rows of all blocks, which follow each other, as one."""
    if len(blocks) == 1:
        return blocks[0]
    lengths = np.concatenate([np.diff(block.indptr) for block in blocks])
    return RowBlock(
        blocks[0].first,
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        np.concatenate([block.indices for block in blocks]),
        np.concatenate([block.data for block in blocks]),
    )
