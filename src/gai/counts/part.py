"""Part: the rows of one batch, with the term ids of the worker that counted it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch
from gai.terms.scanner import Rows

Numbers = NDArray[np.int32] | NDArray[np.int64]
"""Whole numbers in as few bytes as hold them: memory that is new costs more than converting."""


ARRAYS = ("indptr", "ids", "counts", "lengths", "sizes")
"""The arrays of a part."""


@dataclass(slots=True)
class Part:
    """The rows of one batch, with the term ids of the worker that counted it.

    It has ``rows`` rows and ``cells`` cells. Row d is the cells from ``indptr[d]`` to
    ``indptr[d + 1]`` of ``ids`` (int32) and ``counts`` (uint8 where all fit, else int32).
    ``lengths`` are tokens, ``sizes`` bytes of each document.
    ``names`` and ``restart`` are the batch's. ``continued``: the first row goes on where the
    last one of the part before ended.
    """

    worker: int
    rows: int
    cells: int
    indptr: Numbers
    ids: NDArray[np.int32]
    counts: NDArray[np.uint8] | NDArray[np.int32]
    lengths: Numbers
    sizes: Numbers
    names: list[str] | str
    restart: bool
    continued: bool


class Totals:
    """``tf`` and ``df`` of the terms of a worker; behind the last term stand zeros."""

    def __init__(self, ops: Any) -> None:
        self.ops = ops
        self.tf = self.df = np.zeros(0, np.int64)

    def add(self, rows: Rows, terms: int) -> None:
        """Add rows in which no id is ``terms`` or above."""
        if terms > len(self.tf):
            room = np.zeros(2 * terms - len(self.tf), np.int64)
            self.tf, self.df = np.concatenate([self.tf, room]), np.concatenate([self.df, room])
        self.ops.tally(rows.ids, rows.counts, self.tf, self.df)


def part_of(worker: int, batch: Batch, sizes: NDArray[np.int64], rows: Rows) -> Part:
    """The part of a batch and its rows, which are copied."""
    return Part(
        worker,
        len(rows.lengths),
        len(rows.ids),
        narrow(rows.indptr),
        rows.ids.copy(),
        compact(rows.counts),
        narrow(rows.lengths),
        narrow(sizes),
        batch.ids,
        batch.restart,
        batch.continued,
    )


def narrow(numbers: NDArray[np.int64]) -> Numbers:
    """The numbers, which are not negative, as int32 where all fit."""
    fits = numbers.max(initial=0) <= np.iinfo(np.int32).max
    return numbers.astype(np.int32) if fits else numbers


def compact(counts: NDArray[np.int32]) -> NDArray[np.uint8] | NDArray[np.int32]:
    """A copy of the counts in as few bytes as hold them."""
    if len(counts) == 0 or counts.max() < 256:
        return counts.astype(np.uint8)
    return counts.copy()
