"""Terms: many strings as one byte arena plus offsets; sorting and merging of vocabularies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

ROUNDS = 4
"""Rounds of 16 bytes that sorting compares as integers, before it compares whole terms."""

PIECE = 1 << 22
"""Bytes that are gathered at once, so that index arrays stay small."""

WORD = np.dtype(">u8")
MASKS = np.array([(1 << 64) - (1 << 8 * (8 - kept)) for kept in range(9)], np.uint64)
"""``MASKS[n]`` keeps the first ``n`` bytes of a big-endian word."""


@dataclass(eq=False, slots=True)
class Terms(Sequence[str]):
    """Many strings: term ``i`` is ``arena[offsets[i]:offsets[i + 1]]`` in UTF-8.

    ``arena`` is uint8, ``offsets`` int64 with one entry more than there are terms; the first is 0.
    """

    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, terms: Iterable[str]) -> Terms:
        """The terms of an iterable of strings.

        Raises UnicodeEncodeError where one holds a lone surrogate.
        """
        pieces = [term.encode() for term in terms]
        offsets = np.zeros(len(pieces) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)), out=offsets[1:])
        return cls(np.frombuffer(b"".join(pieces), np.uint8), offsets)

    @classmethod
    def concatenate(cls, parts: Sequence[Terms]) -> Terms:
        """The terms of all parts, one part after the other."""
        shifts = np.cumsum([0, *(len(part.arena) for part in parts)], dtype=np.int64)
        ends = [part.offsets[1:] + shift for part, shift in zip(parts, shifts, strict=False)]
        arenas = [part.arena for part in parts]
        return cls(
            np.concatenate([np.zeros(0, np.uint8), *arenas]),
            np.concatenate([np.zeros(1, np.int64), *ends]),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Terms: ...
    def __getitem__(self, index: int | slice) -> str | Terms:
        if not isinstance(index, slice):
            return self.as_bytes(index).decode()
        first, last, step = index.indices(len(self))
        if step != 1:
            return self.take(np.fromiter(range(first, last, step), np.int64))
        offsets = self.offsets[first : max(first, last) + 1]
        return Terms(self.arena[offsets[0] : offsets[-1]], offsets - offsets[0])

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), 1 << 16):
            yield from _decoded(self[first : first + (1 << 16)])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Terms):
            return NotImplemented
        same = np.array_equal(self.offsets, other.offsets)
        return same and np.array_equal(self.arena, other.arena)

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:5]))
        return f"<{len(self)} terms: {shown}{', ...' if len(self) > 5 else ''}>"

    def as_bytes(self, index: int) -> bytes:
        """The UTF-8 bytes of one term; negative indices count from the end."""
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"term {index} of {len(self)}")
        return self.arena[self.offsets[place] : self.offsets[place + 1]].tobytes()

    def lengths(self) -> NDArray[np.int64]:
        """The length of each term in bytes."""
        return np.diff(self.offsets)

    def take(self, order: NDArray[np.integer]) -> Terms:
        """The terms at the places ``order``, in that order."""
        starts, lengths = self.offsets[:-1][order], self.lengths()[order]
        offsets = np.zeros(len(order) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        arena = np.empty(offsets[-1], np.uint8)
        first = 0
        while first < len(order):
            last = max(first + 1, int(offsets.searchsorted(offsets[first] + PIECE, "right")) - 1)
            part = slice(int(offsets[first]), int(offsets[last]))
            arena[part] = _gathered(self.arena, starts[first:last], lengths[first:last])
            first = last
        return Terms(arena, offsets)

    def argsort(self) -> NDArray[np.int64]:
        """The order that sorts the terms, equal ones in the order they have: int64[n].

        By bytes, which is by code point, which is how Python sorts strings.
        """
        return self._sorted()[0]

    def group(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The sorting order, and for each term its rank among the distinct terms: two int64[n].

        Terms are equal where their ranks are; ``terms.take(order)`` holds equal ones side by side.
        """
        order, same = self._sorted()
        ranks = np.empty(len(self), np.int64)
        ranks[order] = np.cumsum(np.concatenate([np.zeros(1, np.int64), ~same]))[: len(self)]
        return order, ranks

    def _sorted(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The sorting order, and whether the term at each place of it equals the next: [n - 1].

        Sixteen bytes a round as two integers; only the terms that tie and go on see the next round.
        """
        order = np.arange(len(self), dtype=np.int64)
        same = np.zeros(max(len(self) - 1, 0), np.bool_)
        padded = np.concatenate([self.arena, np.zeros(16, np.uint8)])
        places, runs = order.copy(), np.zeros(len(self), np.int64)
        for done in range(0, 16 * ROUNDS, 16):
            if not len(places):
                return order, same
            places, runs = self._refine(order, same, padded, places, runs, done)
        self._compare(order, same, places, runs)
        return order, same

    def _refine(
        self,
        order: NDArray[np.int64],
        same: NDArray[np.bool_],
        padded: NDArray[np.uint8],
        places: NDArray[np.int64],
        runs: NDArray[np.int64],
        done: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places that still tie after bytes ``done`` to ``done + 16``, and the run of each.

        ``places`` of ``order`` tie with their neighbours of the same run. Terms that end here sort
        by their length: a shorter one with the same padded bytes is a prefix of the longer.
        """
        terms = order[places]
        starts, left = self.offsets[terms] + done, self.offsets[terms + 1] - self.offsets[terms]
        left -= done
        keys = [
            np.minimum(left, 17),
            _words(padded, starts + 8, left - 8),
            _words(padded, starts, left),
            runs,
        ]
        by = np.lexsort(keys)
        order[places] = terms[by]
        rest, second, first, run = (key[by] for key in keys)
        ties = np.ones(max(len(places) - 1, 0), np.bool_)
        for key in (run, first, second, rest):
            ties &= key[1:] == key[:-1]
        ended = rest <= 16
        same[places[:-1][ties & ended[1:]]] = True
        ties &= ~ended[1:]
        open_ = np.concatenate([ties, [False]]) | np.concatenate([[False], ties])
        return places[open_], np.concatenate([[0], np.cumsum(~ties)])[open_]

    def _compare(
        self,
        order: NDArray[np.int64],
        same: NDArray[np.bool_],
        places: NDArray[np.int64],
        runs: NDArray[np.int64],
    ) -> None:
        """Sort each run of ties by all of its bytes, in place."""
        bounds = np.flatnonzero(np.diff(runs, prepend=-1, append=-1)).tolist()
        for first, last in pairwise(bounds):
            place = slice(int(places[first]), int(places[last - 1]) + 1)
            tied = [(self.as_bytes(term), term) for term in order[place].tolist()]
            tied.sort()
            order[place] = [term for _, term in tied]
            same[place.start : place.stop - 1] = [
                one == two for (one, _), (two, _) in pairwise(tied)
            ]


def _words(
    padded: NDArray[np.uint8], starts: NDArray[np.int64], left: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Eight bytes from each start as a big-endian integer, zeros for what is not ``left``."""
    count = len(padded) - 7
    windows = np.ndarray((count,), WORD, padded.data, strides=(1,))
    words = windows[np.minimum(starts, count - 1)].astype(np.uint64)
    return words & MASKS[np.clip(left, 0, 8)]


def _gathered(
    arena: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """The bytes of all stretches, one after the other."""
    if len(starts) == 1:
        return arena[starts[0] : starts[0] + lengths[0]]
    before = np.cumsum(lengths) - lengths
    return arena[np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))]


def _decoded(terms: Terms) -> list[str]:
    """All terms as strings: decoded at once, then cut, for that is quicker than one by one."""
    text = terms.arena.tobytes().decode()
    offsets = terms.offsets
    if len(text) < len(terms.arena):
        leads = np.cumsum((terms.arena & 0xC0) != 0x80)
        offsets = np.concatenate([np.zeros(1, np.int64), leads])[offsets]
    bounds = offsets.tolist()
    return [text[first:last] for first, last in pairwise(bounds)]
