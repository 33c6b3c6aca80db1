"""Workers: a batch in, its rows out; one with kernels and one in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gai.counts.interner import DONE, FILLED, HIGH, STOPS, Interner
from gai.counts.part import Part, compact
from gai.counts.prepare import bounds, checked, normalised, pieces
from gai.documents import Batch, Errors
from gai.kernels import reference
from gai.terms import Terms
from gai.tokens.analysis import Analysis
from gai.tokens.normalise import normaliser
from gai.tokens.plain import terms_of_each
from gai.tokens.tables import tables


class Worker(Protocol):
    """One thread's share of the work: batches in, rows out, with term ids of its own.

    ``tf`` and ``df`` are the totals of its terms. ``begun`` holds, for each batch that it took, the
    number of the batch and how many terms it knew before: where each term appeared first.
    """

    tf: NDArray[np.int64]
    df: NDArray[np.int64]
    begun: list[tuple[int, int]]

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids."""


class KernelWorker:
    """A worker that scans, interns and counts in one compiled loop."""

    def __init__(self, name: int, analysis: Analysis, errors: Errors, kernels: Any) -> None:
        self.name, self.analysis, self.errors, self.kernels = name, analysis, errors, kernels
        self.count = kernels.count_word if analysis.tokenizer == "word" else kernels.count_unicode
        self.tables = tables()
        self.interner = Interner(kernels)
        if analysis.stop_words:
            self.interner.enter(Terms.of(analysis.stop_words))
            self.interner.state[STOPS] = len(self.interner)
        self.tf = self.df = np.zeros(0, np.int64)
        self.begun: list[tuple[int, int]] = []
        self._ids = self._counts = np.zeros(0, np.int32)

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""
        self.begun.append((number, len(self.interner)))
        batch, facts = checked(batch, self.kernels, self.errors)
        starts, ends = bounds(batch)
        sizes = ends - starts
        batch = normalised(batch, facts, self.analysis)
        starts, ends = bounds(batch)
        self._make_room(batch.size // 2 + len(starts) + 1)
        indptr, lengths = np.zeros(len(starts) + 1, np.int64), np.empty(len(starts), np.int64)
        self._run(batch, starts, ends, indptr, lengths)
        filled = int(self.interner.state[FILLED])
        ids, counts = self._ids[:filled], self._counts[:filled]
        self._tally(ids, counts)
        return Part(
            self.name,
            indptr,
            ids.copy(),
            compact(counts),
            lengths,
            sizes,
            batch.ids,
            batch.restart,
            batch.continued,
        )

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids."""
        return self.interner.terms()

    def _run(
        self,
        batch: Batch,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        indptr: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> None:
        interner = self.interner
        interner.begin()
        while True:
            lack = self.count(
                batch.data,
                starts,
                ends,
                self.tables.props,
                self.tables.lower,
                HIGH if self.analysis.lowercase else 0,
                self.analysis.min_length,
                interner.table,
                interner.arena,
                interner.offsets,
                interner.state,
                indptr,
                self._ids,
                self._counts,
                lengths,
            )
            if lack == DONE:
                return
            interner.grow(lack, int((ends - starts).max()))

    def _make_room(self, cells: int) -> None:
        if cells > len(self._ids):
            self._ids, self._counts = np.empty(cells, np.int32), np.empty(cells, np.int32)

    def _tally(self, ids: NDArray[np.int32], counts: NDArray[np.int32]) -> None:
        if len(self.interner) > len(self.tf):
            self.tf, self.df = (_longer(old, 2 * len(self.interner)) for old in (self.tf, self.df))
        self.kernels.tally(ids, counts, self.tf, self.df)


class PlainWorker:
    """A worker in plain Python: for small jobs, and for what no kernel does."""

    def __init__(self, name: int, analysis: Analysis, errors: Errors) -> None:
        self.name, self.errors = name, errors
        self.normalise = normaliser(
            analysis.lowercase, analysis.strip_accents, analysis.normalize
        )
        self.terms_of_each = terms_of_each(analysis)
        self.numbers: dict[str, int] = {}
        self.tf = self.df = np.zeros(0, np.int64)
        self.begun: list[tuple[int, int]] = []

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""
        self.begun.append((number, len(self.numbers)))
        batch, _ = checked(batch, reference, self.errors)
        starts, ends = bounds(batch)
        texts = [self.normalise(text.decode()) for text in pieces(batch)]
        indptr, ids, counts, lengths = self._count(self.terms_of_each(texts))
        if len(self.numbers) > len(self.tf):
            self.tf, self.df = (_longer(old, 2 * len(self.numbers)) for old in (self.tf, self.df))
        reference.tally(ids, counts, self.tf, self.df)
        return Part(
            self.name,
            indptr,
            ids,
            compact(counts),
            lengths,
            ends - starts,
            batch.ids,
            batch.restart,
            batch.continued,
        )

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids."""
        return Terms.of(self.numbers)

    def _count(
        self, documents: Iterable[list[str]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """``indptr``, ids, counts and lengths of documents given as lists of terms."""
        numbers, ends, lengths = self.numbers, [0], []
        ids: list[int] = []
        counts: list[int] = []
        for terms in documents:
            found = Counter(terms)
            ids += [numbers.setdefault(term, len(numbers)) for term in found]
            counts += found.values()
            ends.append(len(ids))
            lengths.append(len(terms))
        return (
            np.array(ends, np.int64),
            np.array(ids, np.int32),
            np.array(counts, np.int32),
            np.array(lengths, np.int64),
        )


def _longer(array: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    longer = np.zeros(size, np.int64)
    longer[: len(array)] = array
    return longer
