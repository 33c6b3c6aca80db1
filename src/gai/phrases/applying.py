"""Applying: from words to words and phrases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.kernels.reference.phrases import CHAIN
from gai.phrases.model import Phrase, Phrases

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]


def join(tokens: Sequence[str], phrases: Phrases) -> list[str]:
    """The tokens with each phrase as one word, spelled with the delimiter.

    Phrases are taken from the left, as soon as one is whole, as gensim does it; then those of the
    next pass. What :class:`Joiner` does with ids, in plain Python.
    """
    connectors = frozenset(phrases.learning.connectors)
    units = list(tokens)
    for spellings in phrases.spellings:
        units = _joined(units, spellings, connectors)
    return units


def _joined(
    tokens: list[str], spellings: dict[tuple[str, ...], str], connectors: frozenset[str]
) -> list[str]:
    done: list[str] = []
    held: list[str] = []  # a word that may begin a phrase, and the connectors behind it
    for token in tokens:
        if token in connectors:
            (held or done).append(token)
        elif (phrase := spellings.get((*held, token))) is not None:
            done.append(phrase)
            held = []
        else:
            done += held
            held = [token]
    return done + held


class Joiner:
    """Finds phrases in text that is ids of words.

    ``extend`` tells it the words, in the order of their ids, as the vocabulary grows. ``ops`` are
    the kernels, or their twins (``gai.kernels.reference``) for a small job.
    """

    def __init__(self, phrases: Phrases, ops: Any = None) -> None:
        self.ops = kernels.load() if ops is None else ops
        self.units: list[str] = []
        self._passes: list[_Pass] = []
        for found in phrases.passes:
            one = _Pass(found, phrases, self.ops)
            one.extend(self.units)
            self._passes.append(one)
            self.units = [*one.units, *self.units]

    def extend(self, words: Sequence[str]) -> None:
        """Learn words that are new; the first one ever has id 0, each further one id more."""
        for one in self._passes:
            one.extend(words)

    def spans(self, ids: Ids, bounds: Ints) -> tuple[Ints, Ints]:
        """The first token of each unit, and the one behind its last.

        A unit is a phrase or a single token. Every token of the segments ``ids[bounds[s]:bounds[s +
        1]]`` is in one; the units of segment s begin at ``bounds[s]`` or later, before the next.
        """
        _, _, starts, ends = self.units_of(ids, bounds)
        return starts, ends

    def units_of(self, ids: Ids, bounds: Ints) -> tuple[Ids, Ints, Ints, Ints]:
        """The id of each unit, the bounds of the segments in units, and what ``spans`` gives.

        Phrases have the ids of ``units``; behind them come the words, in their order.
        """
        starts = np.arange(bounds[0], bounds[-1])
        units, segments, ends = ids[bounds[0] : bounds[-1]], bounds - bounds[0], starts + 1
        for one in self._passes:
            units, segments, first, last = one.run(units, segments)
            starts, ends = starts[first], ends[last - 1]
        return units, segments, starts, ends


class _Pass:
    """The phrases of one pass, as the kernel wants them.

    ``units`` are their spellings, each once. ``words`` are numbers: of a word that begins a phrase
    the node where it leads, of a connector -2 - its number.
    """

    def __init__(self, found: Sequence[Phrase], phrases: Phrases, ops: Any) -> None:
        self.ops = ops
        connectors = phrases.learning.connectors
        self.words = {word: -2 - number for number, word in enumerate(connectors)}
        self.tails: dict[str, int] = {}
        self.table = _table(self._ways(found), ops)
        numbers: dict[str, int] = {}
        spelled = map(phrases.spelled, found)
        self.unit = np.array([numbers.setdefault(text, len(numbers)) for text in spelled], np.int32)
        self.units = list(numbers)
        self._heads = self._tails = np.zeros(0, np.int32)

    def _ways(self, found: Sequence[Phrase]) -> dict[int, int]:
        """Where each node leads by each connector, and by each last word."""
        ways: dict[int, int] = {}
        nodes = count()
        for number, phrase in enumerate(found):
            first, *between, last = phrase.words
            if first not in self.words:
                self.words[first] = next(nodes)
            node = self.words[first]
            for word in between:
                way = node << 32 | CHAIN | -2 - self.words[word]
                if way not in ways:
                    ways[way] = next(nodes)
                node = ways[way]
            ways[node << 32 | self.tails.setdefault(last, len(self.tails))] = number
        return ways

    def extend(self, words: Iterable[str]) -> None:
        """Learn more words."""
        more = list(words)
        heads = np.array([self.words.get(word, -1) for word in more], np.int32)
        tails = np.array([self.tails.get(word, -1) for word in more], np.int32)
        self._heads = np.concatenate([self._heads, heads])
        self._tails = np.concatenate([self._tails, tails])

    def run(self, ids: Ids, bounds: Ints) -> tuple[Ids, Ints, Ints, Ints]:
        """The units, the bounds of the segments among them, and where each unit begins and ends."""
        starts, ends = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
        found, segments = np.empty(len(ids), np.int32), np.empty(len(bounds), np.int64)
        size = self.ops.join_phrases(
            ids, bounds, self._heads, self._tails, self.table, starts, ends, found, segments
        )
        starts, ends, found = starts[:size], ends[:size], found[:size]
        units = ids[starts] + np.int32(len(self.units))
        units[found >= 0] = self.unit[found[found >= 0]]
        return units, segments, starts, ends


def _table(ways: dict[int, int], ops: Any) -> NDArray[np.uint64]:
    """The table that the kernel looks into: keys, and values one larger than those of ``ways``."""
    flat = np.array([(key, value + 1) for key, value in ways.items()], np.uint64).reshape(-1)
    table = np.zeros(max(8, 1 << (4 * len(ways)).bit_length()), np.uint64)
    ops.rehash_counts(flat, table)
    return table
