"""The words of a file of vectors: put together, checked, and each only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gai.terms import Terms

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

BASE = np.uint64(0x9E3779B97F4A7C15)
"""What hashing multiplies by, odd, so that powers of it never become 0."""


def cut_from(data: Bytes, starts: Places, ends: Places) -> Terms:
    """The words ``data[starts[i]:ends[i]]``."""
    lengths = ends - starts
    offsets = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    places = np.repeat(starts - offsets[:-1], lengths)
    places += np.arange(len(places))
    return Terms(data[places], offsets)


def repeated(words: Terms) -> Places:
    """The places of words that stand further up already, in order: int64[]."""
    hashes = _hashes(words)
    order = np.argsort(hashes, kind="stable")
    ties = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    if not len(ties):
        return np.zeros(0, np.int64)
    suspects = np.unique(np.concatenate([order[ties], order[ties + 1]]))
    seen: set[bytes] = set()
    found = []
    for place in suspects.tolist():
        word = words.as_bytes(place)
        if word in seen:
            found.append(place)
        seen.add(word)
    return np.array(found, np.int64)


def _hashes(words: Terms) -> NDArray[np.uint64]:
    """A hash of each word: the same for the same bytes."""
    lengths = words.lengths()
    found = lengths.astype(np.uint64) * BASE
    longest = int(lengths.max(initial=0))
    alive = np.arange(len(words))
    for at in range(longest):
        alive = alive[lengths[alive] > at]
        found[alive] = (found[alive] ^ words.arena[words.offsets[alive] + at]) * BASE
        found[alive] ^= found[alive] >> np.uint64(29)
    return found


class RawTerms(Terms):
    """Words that are not all UTF-8: other bytes become lone surrogates, as in names of files."""

    __slots__ = ()

    def __getitem__(self, index: int | slice) -> str | Terms:  # type: ignore[override]
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        return self.as_bytes(index).decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        text, bounds = self.arena.tobytes(), self.offsets.tolist()
        return (text[a:b].decode("utf-8", "surrogateescape") for a, b in pairwise(bounds))

    def take(self, order: NDArray[np.integer]) -> Terms:
        """The words at the places ``order``, in that order."""
        taken = Terms(self.arena, self.offsets).take(order)
        return RawTerms(taken.arena, taken.offsets)


def broken(words: Terms) -> list[int]:
    """The places of the words that are no UTF-8."""
    try:
        words.arena.tobytes().decode()
        if not np.any(words.arena[words.offsets[:-1][words.lengths() > 0]] & 0xC0 == 0x80):
            return []
    except UnicodeDecodeError:
        pass
    return [place for place in range(len(words)) if _is_broken(words.as_bytes(place))]


def _is_broken(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return True
    return False


def shown(words: Sequence[bytes]) -> str:
    """A few words for a message."""
    return ", ".join(repr(word.decode("utf-8", "surrogateescape")) for word in words)


def all_holding(words: Terms, bytes_: bytes) -> list[int]:
    """The places of the words that hold one of these bytes."""
    table = np.zeros(256, np.bool_)
    table[list(bytes_)] = True
    found = np.flatnonzero(table[words.arena])
    places: list[int] = np.unique(words.offsets.searchsorted(found, "right") - 1).tolist()
    return places


def holding(words: Terms, bytes_: bytes) -> int:
    """The place of the first word that holds one of these bytes, -1 where none does."""
    return next(iter(all_holding(words, bytes_)), -1)
