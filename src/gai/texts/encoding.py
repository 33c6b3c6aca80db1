"""Encoders: a batch in, its tokens out, as numbers of terms and with their places in the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch, Errors
from gai.kernels import reference
from gai.phrases.applying import Joiner
from gai.phrases.model import Phrases
from gai.terms import Terms
from gai.terms.forming import Forming, FormTable, before_forms
from gai.terms.plain import text_normaliser
from gai.terms.scanner import Rows, Scanner, Task
from gai.texts.units import Split
from gai.tokens.alignment import aligned, byte_positions
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import bounds, checked, normalised, pieces
from gai.tokens.tokenizers import Spans

FORGET = 1 << 21
"""Terms that a worker remembers at most, so that an endless stream does not fill the memory."""


class Encoded(NamedTuple):
    """The tokens of a batch: ``rows`` as ids, with their places where those were asked for.

    ``batch`` is the text as it was read, checked and cut. Token k is ``batch.data[rows.begins[k]:
    rows.stops[k]]`` and term ``terms[rows.ids[k]]``; document d has tokens ``rows.indptr[d]`` to
    ``rows.indptr[d + 1]``.
    """

    batch: Batch
    rows: Rows
    terms: Terms


class Encoder(Protocol):
    """One thread's share of the work; ``begun`` says how often it began to number terms."""

    begun: int

    def encode(self, batch: Batch) -> Encoded:
        """The tokens of a batch; they are good until the next call."""


class KernelEncoder:
    """An encoder whose tokens are found by kernels."""

    def __init__(
        self,
        analysis: Analysis,
        errors: Errors,
        kernels: Any,
        forming: Forming | None,
        places: bool,
    ) -> None:
        self.analysis, self.errors, self.kernels = before_forms(analysis), errors, kernels
        self.forming = forming
        self.task: Task = "locate" if places else "encode"
        self.begun = 0
        self._begin()

    def _begin(self) -> None:
        self.begun += 1
        self.scanner = Scanner(self.analysis, self.kernels, self.task)
        self.table = FormTable(self.forming) if self.forming else None

    def encode(self, batch: Batch) -> Encoded:
        """The tokens of a batch; they are good until the next call."""
        if len(self.scanner.interner) > FORGET:
            self._begin()
        batch, facts = checked(batch, self.kernels, self.errors)
        ready, fold = normalised(batch, facts, self.analysis)
        rows = self.scanner.run(ready, fold)
        if self.task == "locate":
            put_back(rows, batch, ready, self.analysis)
        words = self.scanner.interner.terms()
        if self.table is None:
            return Encoded(batch, rows, words)
        return Encoded(batch, self.table.formed(rows, words), self.table.terms())


def put_back(rows: Rows, batch: Batch, ready: Batch, analysis: Analysis) -> None:
    """Moves the places of tokens in documents that were normalised to where they came from."""
    starts, ends = bounds(batch)
    moved = bounds(ready)[0]
    normalise = text_normaliser(analysis)
    for document in np.flatnonzero(moved != starts).tolist():
        tokens = slice(int(rows.indptr[document]), int(rows.indptr[document + 1]))
        text = batch.data[starts[document] : ends[document]].tobytes().decode()
        found = aligned(text, normalise, lowers_only(analysis))
        before = byte_positions(found.normalised)
        after = byte_positions(text) + starts[document]
        first = np.searchsorted(before, rows.begins[tokens] - moved[document])
        last = np.searchsorted(before, rows.stops[tokens] - moved[document]) - 1
        rows.begins[tokens] = after[found.starts[first]]
        rows.stops[tokens] = after[found.ends[last]]


def lowers_only(analysis: Analysis) -> bool:
    """Whether normalising means lower case and no more."""
    return analysis.strip_accents is None and analysis.normalize is None


class PlainEncoder:
    """An encoder in plain Python: for small jobs, and for what no kernel does.

    ``split`` finds the tokens of texts, with their places in characters.
    """

    def __init__(self, split: Split, errors: Errors, forming: Forming | None) -> None:
        self.split, self.errors, self.forming = split, errors, forming
        self.begun = 0
        self._begin()

    def _begin(self) -> None:
        self.begun += 1
        self.numbers: dict[str, int] = {}
        self.table = FormTable(self.forming) if self.forming else None

    def encode(self, batch: Batch) -> Encoded:
        """The tokens of a batch."""
        if len(self.numbers) > FORGET:
            self._begin()
        batch, _ = checked(batch, reference, self.errors)
        texts = [text.decode() for text in pieces(batch)]
        rows = self._rows(texts, list(self.split(texts)), bounds(batch)[0])
        words = Terms.of(self.numbers)
        if self.table is None:
            return Encoded(batch, rows, words)
        return Encoded(batch, self.table.formed(rows, words), self.table.terms())

    def _rows(
        self, texts: Sequence[str], found: Sequence[Spans], starts: NDArray[np.int64]
    ) -> Rows:
        numbers, ids = self.numbers, []
        begins, stops = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for text, spans, start in zip(texts, found, starts.tolist(), strict=True):
            ids += [numbers.setdefault(token, len(numbers)) for token in spans.tokens]
            places = byte_positions(text) + start
            begins.append(places[np.array(spans.starts, np.int64)])
            stops.append(places[np.array(spans.ends, np.int64)])
        indptr = np.cumsum([0, *(len(spans.tokens) for spans in found)], dtype=np.int64)
        counts = np.zeros(0, np.int32)
        spans_of = (np.concatenate(begins), np.concatenate(stops))
        return Rows(indptr, np.array(ids, np.int32), counts, np.diff(indptr), *spans_of)


class PhraseEncoder:
    """An encoder that makes one token of each phrase in what another encoder finds."""

    def __init__(self, words: Encoder, phrases: Phrases) -> None:
        self.words, self.phrases = words, phrases
        self.begun = 0

    def encode(self, batch: Batch) -> Encoded:
        """The tokens of a batch; they are good until the next call."""
        found = self.words.encode(batch)
        if self.begun != self.words.begun:
            self.begun, self.known = self.words.begun, 0
            self.joiner = Joiner(self.phrases)
        self.joiner.extend(list(found.terms[self.known :]))
        self.known = len(found.terms)
        rows = found.rows
        ids, indptr, first, last = self.joiner.units_of(rows.ids, rows.indptr)
        places = (rows.begins, rows.stops)
        if len(rows.begins):
            places = (rows.begins[first], rows.stops[last - 1])
        made = Rows(indptr, ids, rows.counts[:0], np.diff(indptr), *places)
        terms = Terms.concatenate([Terms.of(self.joiner.units), found.terms])
        return Encoded(found.batch, made, terms)
