"""Pairs: how often each word occurs, and each two words side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.kernels.reference.phrases import CHAIN, CHAINS, MORE_PAIRS, PAIRS, PLACE, SEGMENT, STATE
from gai.terms import Terms
from gai.terms.interner import aligned, longer

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]


class PairTable:
    """How often each word and each pair occurs, as one worker finds them.

    ``ops`` are the kernels or their twins. Words are known by their ids, a pair by its prefix and
    its last word, as ``gai.kernels.phrases`` explains.
    """

    def __init__(self, ops: Any, slots: int = 1 << 18) -> None:
        self.ops = ops
        self.table = aligned(2 * slots)
        self.chains = np.zeros(slots // 4, np.uint64)
        self.totals = np.zeros(0, np.int64)
        self.state = np.zeros(STATE, np.int64)

    def add(self, tokens: NDArray[np.int32], segments: Ints, connectors: Flags) -> None:
        """Count the tokens from ``segments[s]`` to ``segments[s + 1]``, for every s.

        ``connectors`` says of each word whether it is one; no token is ``len(connectors)`` or more.
        """
        if len(connectors) > len(self.totals):
            self.totals = longer(self.totals, 2 * len(connectors))
        self.state[[SEGMENT, PLACE]] = 0, -1
        while lack := self.ops.count_pairs(
            tokens, segments, connectors, self.table, self.chains, self.totals, self.state
        ):
            self._grow(lack)

    def _grow(self, lack: int) -> None:
        if lack == MORE_PAIRS:
            self._rehash(2 * len(self.table))
        else:
            self.chains = longer(self.chains, 2 * len(self.chains))

    def _rehash(self, size: int) -> None:
        table = aligned(size)
        self.ops.rehash_counts(self.table, table)
        self.table = table

    def merge(self, other: PairTable, connectors: Flags, words: Ints) -> None:
        """Add the counts of another table, where word t has the number ``words[t]`` here."""
        self._make_room(other, int(words.max(initial=-1)) + 1)
        known = other.totals[: len(words)]
        self.totals[words[: len(known)]] += known
        chains = other.known_chains()
        numbers = np.empty(len(chains), np.int32)
        self.ops.merge_counts(
            other.table,
            chains,
            connectors,
            words.astype(np.int32),
            self.table,
            self.chains,
            self.state,
            numbers,
        )

    def _make_room(self, other: PairTable, words: int) -> None:
        """Room for so many words, and for all that is in another table beside what is here."""
        if words > len(self.totals):
            self.totals = longer(self.totals, words)
        pairs, chains = map(int, (self.state + other.state)[[PAIRS, CHAINS]])
        if 4 * pairs > len(self.table):
            self._rehash(2 << (2 * pairs).bit_length())
        if chains > len(self.chains):
            self.chains = longer(self.chains, chains)

    def frequent(self, least: int, connectors: Flags) -> tuple[Ints, Ints, Ints]:
        """Prefix and last word of each pair that occurs ``least`` times or more, and how often."""
        slots = self.table.reshape(-1, 2)
        slots = slots[slots[:, 1] >= least]
        prefixes, lasts = halves(slots[:, 0])
        kept = connectors[lasts] == 0
        return prefixes[kept], lasts[kept], slots[kept, 1].astype(np.int64)

    def known_chains(self) -> NDArray[np.uint64]:
        """The keys of all chains, in the order of their numbers."""
        return self.chains[: self.state[CHAINS]]


def halves(keys: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """The high 32 bits and the low 32 bits of each key."""
    return (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


@dataclass(frozen=True)
class Found:
    """Counts, and what the ids in them stand for: ``words`` by id, ``connectors`` among them."""

    words: Terms
    connectors: Flags
    table: PairTable

    def vocabulary(self) -> int:
        """The number of different words, but connectors, and of different pairs."""
        words = self.table.totals[: len(self.connectors)] > 0
        words &= self.connectors[: len(words)] == 0
        return int(np.count_nonzero(words) + self.table.state[PAIRS] - self.table.state[CHAINS])

    def first_words(self, prefixes: Ints) -> Ints:
        """The word with which each prefix begins."""
        firsts = prefixes.copy()
        while (deep := np.flatnonzero(firsts >= CHAIN)).size:
            firsts[deep] = halves(self.table.chains[firsts[deep] - CHAIN])[0]
        return firsts

    def spelled(self, prefix: int, last: int) -> tuple[str, ...]:
        """The words of a pair, those between them too."""
        found = [last]
        while prefix >= CHAIN:
            prefix, connector = divmod(int(self.table.chains[prefix - CHAIN]), 1 << 32)
            found.append(connector)
        return tuple(self.words[word] for word in (prefix, *found[::-1]))


def merged(shares: Sequence[Found]) -> Found:
    """What all workers have found together; the table of the first one takes it all.

    The words of each share are all different. Which of them found what leaves no trace but the
    order of the words.
    """
    first = shares[0]
    if len(shares) == 1:
        return first
    everything = Terms.concatenate([share.words for share in shares])
    order, ranks = everything.group()
    appeared = order[np.flatnonzero(np.diff(ranks[order], prepend=-1))]
    places = np.sort(appeared)  # so that the words of the first share keep their ids
    ids = np.searchsorted(places, appeared)[ranks]
    connectors = np.zeros(len(places), np.uint8)
    for share, own in zip(shares, np.split(ids, _ends(shares)), strict=True):
        connectors[own] = share.connectors
        if share is not first:
            first.table.merge(share.table, share.connectors, own)
    return Found(everything.take(places), connectors, first.table)


def _ends(shares: Sequence[Found]) -> Ints:
    return np.cumsum([len(share.words) for share in shares])[:-1]
