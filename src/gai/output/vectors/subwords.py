"""fastText's parts of words: vectors of n-grams, and vectors of words made of them.

A word is written ``<word>``; its parts are its n-grams of ``min_n`` to ``max_n`` characters, and a
hash of each (FNV-1a, 32 bits) names a row among ``buckets``. The vector of a known word is the
mean of its own row and of those of its parts, the vector of any other word the mean of its parts
(Bojanowski, Grave, Joulin and Mikolov 2017, "Enriching Word Vectors with Subword Information").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.kernels import reference
from gai.terms import Terms

END_OF_SENTENCE = b"</s>"
"""The word that fastText puts at the end of each line; since 2017 it has no parts."""

SMALL = 2_000
"""Words up to which plain Python is done before the kernels are loaded."""

CHUNK = 1 << 12
"""Rows that are made at once, and kept."""

Rows = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Subwords:
    """What fastText has learned, before words and their parts are put together.

    ``words`` (words, dim) are the words' own rows, ``buckets`` (buckets, dim) those of the parts:
    float32 or float16, at any address. ``alone`` is a word without parts.
    """

    words: NDArray[Any]
    buckets: NDArray[Any]
    min_n: int
    max_n: int
    alone: bytes | None = END_OF_SENTENCE

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return int(self.words.shape[1])

    @property
    def bucket(self) -> int:
        """How many rows the parts of words share."""
        return len(self.buckets)

    @property
    def any(self) -> bool:
        """Whether words have parts at all."""
        return self.bucket > 0 and self.max_n > 0

    def ids(self, words: Terms) -> tuple[Places, NDArray[np.int32]]:
        """Where the parts of each word begin in an array, and that array: rows of ``buckets``."""
        bounds = np.zeros(len(words) + 1, np.int64)
        sizes = self.max_n - max(self.min_n, 1) + 1
        if not self.any or sizes <= 0:
            return bounds, np.zeros(0, np.int32)
        widths = words.lengths() + 2
        ids = np.empty(int((widths * np.minimum(widths, sizes)).sum()), np.int32)
        offsets, arena = np.ascontiguousarray(words.offsets), np.ascontiguousarray(words.arena)
        low = max(self.min_n, 1)
        ops = operations(len(words))
        count = ops.subword_ids(arena, offsets, low, self.max_n, self.bucket, bounds, ids)
        return bounds, ids[:count]

    def known(self, words: Terms, places: Places) -> Rows:
        """The vectors of words that have a row: ``words`` are those at ``places``."""
        bounds, ids = self.ids(words)
        if self.alone is not None:
            for number in np.flatnonzero(words.lengths() == len(self.alone)).tolist():
                if words.as_bytes(number) == self.alone:
                    bounds, ids = _without(bounds, ids, number)
        return self._means(places, bounds, ids)

    def unseen(self, words: Terms) -> tuple[Rows, NDArray[np.bool_]]:
        """The vectors of words without a row, and for each whether it has parts to be made of."""
        bounds, ids = self.ids(words)
        return self._means(np.full(len(words), -1, np.int64), bounds, ids), np.diff(bounds) > 0

    def _means(self, places: Places, bounds: Places, ids: NDArray[np.int32]) -> Rows:
        words, buckets = self.words, self.buckets
        if buckets.dtype != np.float32:
            # Half-precision rows are widened where they are needed, not all of them.
            used, numbers = np.unique(ids, return_inverse=True)
            buckets, ids = buckets[used].astype(np.float32), numbers.astype(np.int32)
        if words.dtype != np.float32:
            own = places >= 0
            words = words[places[own]].astype(np.float32)
            places = np.where(own, np.cumsum(own) - 1, -1)
        out = np.empty(len(places) * self.dim, np.float32)
        tables = (_bytes(words), _bytes(buckets))
        ops = operations(len(places))
        ops.mean_rows(*tables, places, bounds, np.ascontiguousarray(ids), self.dim, out)
        return out.reshape(len(places), self.dim)


def _bytes(rows: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rows).reshape(-1).view(np.uint8)


def not_finite(rows: NDArray[Any]) -> int:
    """The first of the rows that holds NaN or infinity, -1 where none does."""
    flat = rows.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        # One number tells at the speed of memory, unless it is too large itself.
        if rows.dtype == np.int8 or np.isfinite(np.dot(flat, flat)):
            return -1
    finite = np.isfinite(rows).all(axis=1)
    return -1 if finite.all() else int(np.argmin(finite))


def operations(words: int) -> Any:
    """The kernels, or for a few words their twins."""
    return reference if words <= SMALL else kernels.load()


def _without(
    bounds: Places, ids: NDArray[np.int32], number: int
) -> tuple[Places, NDArray[np.int32]]:
    """The same parts without those of one word."""
    first, last = bounds[number], bounds[number + 1]
    moved = bounds.copy()
    moved[number + 1 :] -= last - first
    return moved, np.delete(ids, slice(int(first), int(last)))


class Composed:
    """All vectors of known words, each made when it is first asked for, and kept."""

    def __init__(self, words: Terms, subwords: Subwords) -> None:
        self.words, self.subwords = words, subwords
        self._rows: Rows | None = None
        self._made = np.zeros(-(-len(words) // CHUNK), np.bool_)

    def block(self, start: int, stop: int) -> Rows:
        """The vectors of words ``start`` to ``stop``."""
        if self._rows is None:
            # Memory is only taken for the rows that are written.
            self._rows = np.empty((len(self.words), self.subwords.dim), np.float32)
        for chunk in range(start // CHUNK, -(-stop // CHUNK)):
            if not self._made[chunk]:
                first, last = chunk * CHUNK, min((chunk + 1) * CHUNK, len(self.words))
                places = np.arange(first, last)
                self._rows[first:last] = self.subwords.known(self.words[first:last], places)
                self._made[chunk] = True
        return self._rows[start:stop]

    def take(self, places: Places) -> Rows:
        """The vectors at ``places``."""
        return self.subwords.known(self.words.take(places), np.ascontiguousarray(places))
