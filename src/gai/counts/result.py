"""Counts: all that was counted, and the matrix of those columns that somebody wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.counts.part import Numbers, Part
from gai.counts.pruning import Pruning
from gai.counts.store import Store
from gai.documents import DocumentIds
from gai.kernels import reference
from gai.matrix import Result, RowBlock
from gai.signature import as_dict, signature
from gai.terms import Terms
from gai.tokens.analysis import Analysis

Ints = NDArray[np.int64]
Columns = NDArray[np.int32]

FEW = 200_000
"""Cells up to which rows are finished in plain Python, before kernels are loaded."""


@dataclass(slots=True)
class Chunk:
    """Rows ``start`` to ``stop`` of a part; they are rows ``first``, ... of the matrix.

    ``part`` is a number in the store, or a part of its own whose ids are those of the vocabulary.
    """

    first: int
    part: int | Part
    start: int
    stop: int


@dataclass(frozen=True)
class Origin:
    """Where the documents came from: how they were read, and the digest of the input."""

    reading: dict[str, Any] | None = None
    digest: str = ""


@dataclass
class Counts:
    """All that was counted.

    ``terms`` are sorted by code point; per term ``tf`` (corpus totals), ``df`` (documents that hold
    it) and ``first`` (grows with the place where it appears first).
    """

    terms: Terms
    documents: DocumentIds
    tf: Ints
    df: Ints
    first: Ints
    store: Store
    numbers: list[Columns]
    analysis: Analysis
    origin: Origin
    chunks: list[Chunk] = field(default_factory=list)

    @cached_property
    def lengths(self) -> Numbers:
        """Tokens after stop words, or n-grams, of each document."""
        return self._of_rows("lengths")

    @cached_property
    def sizes(self) -> Numbers:
        """Bytes of each document."""
        return self._of_rows("sizes")

    def array(self, chunk: Chunk, name: str) -> NDArray[Any]:
        """One array of the part that a chunk belongs to."""
        if isinstance(chunk.part, int):
            return self.store.array(chunk.part, name)
        array: NDArray[Any] = getattr(chunk.part, name)
        return array

    def _of_rows(self, name: str) -> Numbers:
        """A number of each row, from the parts."""
        dtypes = {self.array(chunk, name).dtype for chunk in self.chunks}
        numbers: Numbers = np.empty(len(self.documents), np.int32)
        if np.dtype(np.int64) in dtypes:
            numbers = np.empty(len(self.documents), np.int64)
        for chunk in self.chunks:
            rows = slice(chunk.first, chunk.first + chunk.stop - chunk.start)
            numbers[rows] = self.array(chunk, name)[chunk.start : chunk.stop]
        return numbers

    def result(self, pruning: Pruning | None = None, *, binary: bool = False) -> Result:
        """The matrix of the chosen columns: counts, or ones where ``binary`` is set."""
        pruning = pruning or Pruning()
        terms, numbers = self._columns(pruning)
        finish = _Finish(self, numbers, binary)
        tf, df = _taken(self.tf, numbers), _taken(self.df, numbers)
        return Result(
            terms=terms,
            documents=self.documents,
            indptr=finish.indptr(),
            dtype=finish.dtype,
            tasks=[partial(finish.block, chunk) for chunk in self.chunks],
            signature=self._signature(pruning, binary, len(terms)),
            extra={"df": df, "tf": tf, "lengths": self.lengths},
            sizes=lambda: self.sizes,
        )

    def _signature(self, pruning: Pruning, binary: bool, terms: int) -> dict[str, Any]:
        """Everything that changes a number."""
        return signature(
            "bow",
            as_dict(self.analysis),
            documents=len(self.documents),
            terms=terms,
            pruning=as_dict(pruning),
            reading=self.origin.reading,
            binary=binary,
            input_digest=self.origin.digest,
        )

    def _columns(self, pruning: Pruning) -> tuple[Terms, Ints]:
        """The columns, and their numbers in ``terms``; -1 for a column that the corpus lacks."""
        if pruning.vocabulary is None:
            numbers = pruning.chosen(len(self.documents), self.tf, self.df, self.first)
            return self.terms.take(numbers), numbers
        fixed = Terms.of(pruning.vocabulary)
        _, ranks = Terms.concatenate([self.terms, fixed]).group()
        known = np.full(int(ranks.max(initial=-1)) + 1, -1, np.int64)
        known[ranks[: len(self.terms)]] = np.arange(len(self.terms))
        return fixed, known[ranks[len(self.terms) :]]


def _taken(totals: Ints, numbers: Ints) -> Ints:
    """The totals of the columns, 0 where the corpus lacks the term."""
    if len(totals) == 0:
        return np.zeros(len(numbers), np.int64)
    return np.where(numbers >= 0, totals[numbers], 0)


class _Finish:
    """From the cells of a chunk to rows of the matrix."""

    def __init__(self, counts: Counts, numbers: Ints, binary: bool) -> None:
        self.counts, self.binary = counts, binary
        self.dtype = np.dtype(np.int32)
        columns = np.full(len(counts.terms) + 1, -1, np.int32)
        columns[numbers] = np.arange(len(numbers), dtype=np.int32)
        columns[-1] = -1
        self.columns = [columns[known] for known in counts.numbers] + [columns[:-1]]
        self.all_kept = not (columns[:-1] < 0).any()
        cells = sum(part.cells for part in counts.store.parts)
        self.ops: Any = reference if cells <= FEW else kernels.load()

    def indptr(self) -> Ints:
        """That of the whole matrix."""
        indptr = np.zeros(len(self.counts.documents) + 1, np.int64)
        for chunk in self.counts.chunks:
            indptr[chunk.first + 1 : chunk.first + 1 + chunk.stop - chunk.start] = self._kept(chunk)
        return np.cumsum(indptr, out=indptr)

    def _kept(self, chunk: Chunk) -> NDArray[Any]:
        """The number of cells of each row."""
        rows = slice(chunk.start, chunk.stop + 1)
        if self.all_kept:
            return np.diff(self.counts.array(chunk, "indptr")[rows])
        part = self._part(chunk)
        kept = np.empty(chunk.stop - chunk.start, np.int64)
        self.ops.kept_cells(
            part.indptr[rows].astype(np.int64), part.ids, self.columns[part.worker], kept
        )
        return kept

    def _part(self, chunk: Chunk) -> Part:
        return self.counts.store[chunk.part] if isinstance(chunk.part, int) else chunk.part

    def block(self, chunk: Chunk) -> RowBlock:
        """The rows of a chunk; any thread may call this."""
        part = self._part(chunk)
        indptr = part.indptr[chunk.start : chunk.stop + 1]
        begin, end = int(indptr[0]), int(indptr[-1])
        indices, data = np.empty(end - begin, np.int32), np.empty(end - begin, np.int32)
        new_indptr = np.empty(len(indptr), np.int64)
        longest = int(np.diff(indptr).max(initial=0))
        filled = self.ops.finish_rows(
            (indptr - begin).astype(np.int64),
            part.ids[begin:end],
            part.counts[begin:end].astype(np.int32),
            self.columns[part.worker],
            new_indptr,
            indices,
            data,
            np.empty(longest, np.int64),
            np.empty(longest, np.int64),
            np.empty(256, np.int64),
        )
        block = RowBlock(chunk.first, new_indptr, indices[:filled], data[:filled])
        if self.binary:
            block.data[:] = 1
        return block
