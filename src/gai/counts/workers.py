"""Workers: a batch in, its rows out; with kernels, for n-grams, and in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from gai.counts.ngrams import Ngrams, source
from gai.counts.part import Part, Totals, part_of
from gai.documents import Batch, Errors
from gai.kernels import reference
from gai.terms import Terms
from gai.terms.forming import Forming, before_forms
from gai.terms.plain import terms_of_each
from gai.terms.scanner import Rows, Scanner
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import bounds, checked, pieces, prepared


class Worker(Protocol):
    """One thread's share of the work: batches in, rows out, with term ids of its own.

    ``totals`` are tf and df of its terms. ``begun`` holds, for each batch that it took, the
    number of the batch and how many terms it knew before: where each term appeared first.
    """

    totals: Totals
    begun: list[tuple[int, int]]

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids."""


class KernelWorker:
    """A worker that scans, interns and counts in one compiled loop."""

    def __init__(self, name: int, analysis: Analysis, errors: Errors, kernels: Any) -> None:
        self.name, self.analysis, self.errors, self.kernels = name, analysis, errors, kernels
        self.scanner = Scanner(analysis, kernels, "count")
        self.totals = Totals(kernels)
        self.begun: list[tuple[int, int]] = []

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""
        self.begun.append((number, len(self.scanner.interner)))
        ready = prepared(batch, self.kernels, self.errors, self.analysis)
        found = self.scanner.run(ready.batch, ready.fold)
        self.totals.add(found, len(self.scanner.interner))
        return part_of(self.name, batch, ready.sizes, found)

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids."""
        return self.scanner.interner.terms()


class NgramWorker:
    """A worker that counts n-grams, of tokens or of characters, by their ids."""

    def __init__(
        self, name: int, analysis: Analysis, errors: Errors, kernels: Any, forming: Forming | None
    ) -> None:
        self.name, self.errors, self.kernels = name, errors, kernels
        self.analysis = before_forms(analysis)
        self.source = source(self.analysis, kernels, forming)
        self.ngrams = Ngrams(analysis, kernels)
        self.totals = Totals(kernels)
        self.begun: list[tuple[int, int]] = []

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""
        self.begun.append((number, len(self.ngrams)))
        ready = prepared(batch, self.kernels, self.errors, self.analysis)
        found = self.ngrams.count(self.source.sequences(ready.batch, ready.fold))
        self.totals.add(found, len(self.ngrams))
        return part_of(self.name, batch, ready.sizes, found)

    def terms(self) -> Terms:
        """All n-grams so far, those too short to be counted as well, in the order of their ids."""
        return self.ngrams.terms(self.source)


class PlainWorker:
    """A worker in plain Python: for small jobs, and for what no kernel does."""

    def __init__(
        self, name: int, analysis: Analysis, errors: Errors, forming: Forming | None
    ) -> None:
        self.name, self.errors = name, errors
        self.terms_of_each = terms_of_each(analysis, forming)
        self.numbers: dict[str, int] = {}
        self.totals = Totals(reference)
        self.begun: list[tuple[int, int]] = []

    def rows(self, number: int, batch: Batch) -> Part:
        """The rows of a batch."""
        self.begun.append((number, len(self.numbers)))
        batch, _ = checked(batch, reference, self.errors)
        starts, ends = bounds(batch)
        texts = [text.decode() for text in pieces(batch)]
        found = self._count(self.terms_of_each(texts))
        self.totals.add(found, len(self.numbers))
        return part_of(self.name, batch, ends - starts, found)

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids."""
        return Terms.of(self.numbers)

    def _count(self, documents: Iterable[list[str]]) -> Rows:
        """The rows of documents given as lists of terms."""
        numbers, ends, lengths = self.numbers, [0], []
        ids: list[int] = []
        counts: list[int] = []
        for terms in documents:
            found = Counter(terms)
            ids += [numbers.setdefault(term, len(numbers)) for term in found]
            counts += found.values()
            ends.append(len(ids))
            lengths.append(len(terms))
        return Rows(
            np.array(ends, np.int64),
            np.array(ids, np.int32),
            np.array(counts, np.int32),
            np.array(lengths, np.int64),
        )
