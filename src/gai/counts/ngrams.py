"""N-grams: sequences of ids in, rows of n-grams out."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch
from gai.terms import Terms
from gai.terms.forming import Forming, FormTable
from gai.terms.interner import HIGH, aligned, longer
from gai.terms.scanner import Rows, Scanner
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import bounds
from gai.tokens.tables import tables

PAIRS, FILLED, DOCUMENT, STAMP = range(4)
"""Places in the state, as ``gai.kernels.ngrams`` explains them."""

MORE_PAIRS, MORE_CELLS = 1, 2

Ids = NDArray[np.int32]


class Sequences(NamedTuple):
    """What n-grams are made of: document d is segments ``documents[d]`` to ``documents[d + 1]``,
    segment s is the tokens (int32) from ``segments[s]`` to ``segments[s + 1]``."""

    tokens: NDArray[np.int32]
    segments: NDArray[np.int64]
    documents: NDArray[np.int64]


class Source(Protocol):
    """Where the sequences come from, and what the ids in them stand for."""

    def sequences(self, batch: Batch, fold: bool) -> Sequences:
        """The sequences of a batch."""

    def spelled(self, ids: Ids) -> tuple[Terms, Ids]:
        """Terms among which are those of the ids, and the place of each id's term."""


def source(analysis: Analysis, kernels: Any, forming: Forming | None = None) -> Source:
    """The source of the tokens, their forms, or the characters, that the analysis asks for."""
    if forming is not None:
        return Forms(analysis, kernels, forming)
    if analysis.analyzer == "word":
        return Tokens(analysis, kernels)
    return Characters(analysis, kernels)


class Tokens:
    """The ids of the tokens of each document."""

    def __init__(self, analysis: Analysis, kernels: Any) -> None:
        self.scanner = Scanner(analysis, kernels, "encode")

    def sequences(self, batch: Batch, fold: bool) -> Sequences:
        """One segment a document."""
        found = self.scanner.run(batch, fold)
        return Sequences(found.ids, found.indptr, np.arange(len(found.indptr)))

    def spelled(self, ids: Ids) -> tuple[Terms, Ids]:
        """All tokens, and the ids as they are."""
        return self.scanner.interner.terms(), ids


class Forms:
    """The ids of the stems or lemmas of the tokens of each document."""

    def __init__(self, analysis: Analysis, kernels: Any, forming: Forming) -> None:
        self.scanner = Scanner(analysis, kernels, "encode")
        self.table = FormTable(forming)

    def sequences(self, batch: Batch, fold: bool) -> Sequences:
        """One segment a document."""
        found = self.scanner.run(batch, fold)
        made = self.table.formed(found, self.scanner.interner.terms())
        return Sequences(made.ids, made.indptr, np.arange(len(made.indptr)))

    def spelled(self, ids: Ids) -> tuple[Terms, Ids]:
        """All forms, and the ids as they are."""
        return self.table.terms(), ids


class Characters:
    """The code points of each document, or of its words with spaces around them."""

    def __init__(self, analysis: Analysis, kernels: Any) -> None:
        self.kernels = kernels
        self.padded = int(analysis.analyzer == "char_wb")

    def sequences(self, batch: Batch, fold: bool) -> Sequences:
        """One segment a document, or a word."""
        starts, ends = bounds(batch)
        size, props = int((ends - starts).sum()), tables()
        tokens = np.empty((2 * size if self.padded else size) + len(starts) + 1, np.int32)
        segments = np.empty((size if self.padded else 0) + len(starts) + 1, np.int64)
        documents = np.empty(len(starts) + 1, np.int64)
        count = self.kernels.read_characters(
            batch.data,
            starts,
            ends,
            props.props,
            props.lower,
            HIGH if fold else 0,
            self.padded,
            tokens,
            segments,
            documents,
        )
        return Sequences(tokens[: segments[count]], segments[: count + 1], documents)

    def spelled(self, ids: Ids) -> tuple[Terms, Ids]:
        """The characters among the ids, and the place of each id among them."""
        distinct, places = np.unique(ids, return_inverse=True)
        return Terms.of(map(chr, distinct)), places.astype(np.int32)


class Ngrams:
    """A table of n-grams, and the rows that the kernels fill with them."""

    def __init__(self, analysis: Analysis, kernels: Any, slots: int = 1 << 16) -> None:
        self.analysis, self.kernels = analysis, kernels
        self.table = aligned(4 * slots)
        self.prefixes, self.lasts = np.zeros(slots // 2, np.int32), np.zeros(slots // 2, np.int32)
        self.state = np.zeros(4, np.int64)
        self._ids = self._counts = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return int(self.state[PAIRS])

    def count(self, found: Sequences) -> Rows:
        """The rows of the documents; ids and counts are good until the next call."""
        size = len(found.documents) - 1
        indptr, lengths = np.zeros(size + 1, np.int64), np.empty(size, np.int64)
        chain = np.empty(int(np.diff(found.segments).max(initial=0)), np.int32)
        self.state[[FILLED, DOCUMENT]] = 0
        while lack := self.kernels.count_ngrams(
            *found,
            *self.analysis.ngrams,
            int(self.analysis.analyzer == "char_wb"),
            self.table,
            self.prefixes,
            self.lasts,
            self.state,
            chain,
            indptr,
            self._ids,
            self._counts,
            lengths,
        ):
            self._grow(lack, len(found.tokens))
        filled = int(self.state[FILLED])
        return Rows(indptr, self._ids[:filled], self._counts[:filled], lengths)

    def terms(self, source: Source) -> Terms:
        """The n-grams, spelled out."""
        size, separator = len(self), int(self.analysis.analyzer == "word")
        tokens, lasts = source.spelled(self.lasts[:size])
        grams = (self.prefixes[:size], lasts, separator, tokens.arena, tokens.offsets)
        offsets = np.empty(size + 1, np.int64)
        self.kernels.spelled_lengths(*grams, offsets)
        spelled = np.empty(offsets[-1], np.uint8)
        self.kernels.spell(*grams, offsets, spelled)
        return Terms(spelled, offsets)

    def _grow(self, lack: int, tokens: int) -> None:
        if lack == MORE_CELLS:
            low, high = self.analysis.ngrams
            size = max(2 * len(self._ids), tokens * (high - low + 1))
            self._ids, self._counts = longer(self._ids, size), longer(self._counts, size)
            return
        table = aligned(2 * len(self.table))
        self.kernels.rehash_pairs(self.table, table)
        self.table = table
        size = len(table) // 8
        self.prefixes, self.lasts = longer(self.prefixes, size), longer(self.lasts, size)
