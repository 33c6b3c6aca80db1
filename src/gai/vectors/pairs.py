"""Pairs: the cells of a co-occurrence matrix, dealt to blocks that threads train on without locks.

Words are dealt to P parts, and the pairs to P x P blocks by the parts of their row and column. A
round is P blocks, one in each row and each column of blocks, so that no two of them share a word on
the same side: any number of threads may work on a round, and the bits are the same. P depends on
the size of the matrix only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Condition
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.kernels.reference.glove import PLACE_BITS
from gai.threads import in_order
from gai.vectors.cooccurrence import Cooccurrence
from gai.vectors.runs import Growing, OnDisk, dropped

PARTS = 32
"""Parts that the words are dealt to, where there are pairs enough: work for 16 threads."""

HEIGHT = 1024
"""Words that a part has in a larger vocabulary: 0.8 MB of rows on either side, at 100 dimensions,
so that a block is trained within the cache."""

BLOCK = 8192
"""Pairs that a block has at least, on the average: about a millisecond of work."""

BYTES = 12
"""What a pair takes."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Numbering:
    """Which word is where: word w has row ``rows[w]`` (int64) of the weights, ``height`` rows a
    part. ``members`` (int32) are the words part by part, in the order of their places; those of
    part p are ``members[starts[p]:starts[p + 1]]``."""

    parts: int
    height: int
    rows: Ints
    members: NDArray[np.int32]
    starts: Ints

    @classmethod
    def of(cls, words: int, pairs: int, random: np.random.RandomState) -> Numbering:
        """Deals words by falling frequency, to and fro, so that all parts get as many pairs; within
        a part they stand in random order."""
        parts = part_count(words, pairs)
        group, at = np.divmod(np.arange(words), parts)
        part = np.where(group % 2, parts - 1 - at, at)
        members = np.lexsort((random.permutation(words), part))
        starts = np.searchsorted(part[members], np.arange(parts + 1))
        rows = np.empty(words, np.int64)
        height = -(-words // parts)
        rows[members] = np.arange(words) + (height * np.arange(parts) - starts[:-1])[part[members]]
        return cls(parts, height, rows, members.astype(np.int32), starts)

    def codes(self) -> NDArray[np.uint32]:
        """The part of each word, and in the low bits its place there: what kernels want."""
        part, place = np.divmod(self.rows, self.height)
        return (part << PLACE_BITS | place).astype(np.uint32)


def part_count(words: int, pairs: int) -> int:
    """How many parts there are: as many as give blocks that fit the cache and are worth a call."""
    wanted = min(max(PARTS, -(-words // HEIGHT)), math.isqrt(pairs // BLOCK))
    return max(wanted, -(-words >> PLACE_BITS), 1)


class Pairs(NamedTuple):
    """The pairs of block b are ``bounds[b]`` to ``bounds[b + 1]`` of ``places`` (uint32) and, two
    numbers each, of ``numbers`` (float32); see ``gai.kernels.glove``. Both may be mapped from a
    temporary file."""

    bounds: Ints
    places: NDArray[np.uint32]
    numbers: NDArray[np.float32]

    def block(self, number: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """The places and the numbers of a block."""
        start, stop = self.bounds[number : number + 2].tolist()
        return self.places[start:stop], self.numbers[2 * start : 2 * stop]


def dealt(
    cells: Cooccurrence,
    numbering: Numbering,
    x_max: float,
    alpha: float,
    ops: Any,
    *,
    jobs: int = 1,
    on_disk: bool = False,
) -> Pairs:
    """All cells as pairs, block after block, those of one row part together.

    ``ops`` are the kernels or their twins; ``jobs`` threads take a part of the rows each.
    """
    store = OnDisk if on_disk else Growing
    places, numbers = store(np.uint32), store(np.float32)
    deal = partial(_part, cells, numbering, numbering.codes(), x_max, alpha, ops)
    ends = [np.zeros(1, np.int64)]
    for bounds, some_places, some_numbers in in_order(deal, range(numbering.parts), jobs):
        ends.append(bounds + ends[-1][-1])
        places.append(some_places)
        numbers.append(some_numbers)
    return Pairs(np.concatenate(ends), places.whole(), numbers.whole())


def _part(
    cells: Cooccurrence,
    numbering: Numbering,
    codes: NDArray[np.uint32],
    x_max: float,
    alpha: float,
    ops: Any,
    part: int,
) -> Pairs:
    """The pairs of one part of the rows; its bounds are only the ends of its blocks."""
    members = numbering.members[numbering.starts[part] : numbering.starts[part + 1]]
    counts = np.zeros(numbering.parts, np.int64)
    ops.count_parts(members, cells.indptr, cells.indices, codes, counts)
    bounds = np.cumsum(counts)
    places = np.empty(bounds[-1], np.uint32)
    numbers = np.empty(2 * bounds[-1], np.float32)
    matrix = cells.indptr, cells.indices, cells.data
    ops.deal_pairs(members, *matrix, codes, x_max, alpha, bounds - counts, places, numbers)
    for array in (cells.indices, cells.data):
        dropped(array)
    return Pairs(bounds, places, numbers)


class Turn(NamedTuple):
    """A block and when it comes: ``number`` rounds have their turn before."""

    number: int
    row: int
    column: int


def turns(parts: int, random: np.random.RandomState) -> Iterator[Turn]:
    """All blocks, round after round, the rounds in random order.

    Within a round those come first that wait for what was begun first in the round before.
    """
    rows = np.arange(parts)
    row_begun = column_begun = np.zeros(parts, np.int64)
    for number, shift in enumerate(random.permutation(parts).tolist()):
        columns = (rows + shift) % parts
        order = np.argsort(np.maximum(row_begun, column_begun[columns]), kind="stable")
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            yield Turn(number, row, column)
        row_begun, column_begun = np.empty_like(rows), np.empty_like(rows)
        row_begun[rows[order]] = column_begun[columns[order]] = np.arange(parts)


class Board:
    """Where threads see which turns are over.

    A turn waits only for those before it that share its words, not for all threads to end a round.
    Turns have to be begun in their order: the earliest then never waits for one not begun.
    """

    def __init__(self, parts: int) -> None:
        self._rows, self._columns = [0] * parts, [0] * parts
        self._changed = Condition()

    @contextmanager
    def taking(self, turn: Turn) -> Iterator[None]:
        """Waits for the turn, and says at the end, however it ends, that it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._free(turn))
        try:
            yield
        finally:
            with self._changed:
                self._rows[turn.row] += 1
                self._columns[turn.column] += 1
                self._changed.notify_all()

    def _free(self, turn: Turn) -> bool:
        return self._rows[turn.row] == turn.number == self._columns[turn.column]
