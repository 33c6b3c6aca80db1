"""Scanner: the kernels that find tokens, and the arrays that they fill."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch
from gai.kernels.state import FILLED, STOPS
from gai.terms import Terms
from gai.terms.interner import HIGH, Interner
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import bounds
from gai.tokens.tables import tables

Task = Literal["count", "encode", "locate"]
NONE = np.zeros(0, np.int64)


class Rows(NamedTuple):
    """Rows as a scanner has just counted them: a matrix in CSR form, and tokens per row.

    Of located tokens, ``begins`` and ``stops`` say where each stands in the data of the batch.
    """

    indptr: NDArray[np.int64]
    ids: NDArray[np.int32]
    counts: NDArray[np.int32]
    lengths: NDArray[np.int64]
    begins: NDArray[np.int64] = NONE
    stops: NDArray[np.int64] = NONE


class Scanner:
    """Batches in, rows of counts out; or the id of each token instead, or that and its place.

    ``task`` is "count", "encode" or "locate". Stop words get the first ids, so that the kernels
    know them by their number.
    """

    def __init__(self, analysis: Analysis, kernels: Any, task: Task) -> None:
        self.analysis = analysis
        self.task = task
        self.scan = getattr(kernels, f"{task}_{analysis.tokenizer}")
        self.shortest = analysis.min_length if analysis.tokenizer == "word" else 1
        self.tables = tables()
        self.interner = Interner(kernels)
        if analysis.stop_words:
            self.interner.enter(Terms.of(analysis.stop_words))
            self.interner.state[STOPS] = len(self.interner)
        self._ids = self._counts = np.zeros(0, np.int32)
        self._begins = self._stops = NONE

    def run(self, batch: Batch, fold: bool) -> Rows:
        """The rows of a batch; what is in them is good until the next call.

        Unless tokens are counted, ``ids`` are those of the tokens in order, and ``counts`` say
        nothing.
        """
        starts, ends = bounds(batch)
        self._make_room(batch.size // 2 + len(starts) + 1)
        indptr, lengths = np.zeros(len(starts) + 1, np.int64), np.empty(len(starts), np.int64)
        interner = self.interner
        interner.begin()
        while lack := self.scan(
            batch.data,
            starts,
            ends,
            self.tables.props,
            self.tables.lower,
            HIGH if fold else 0,
            self.shortest,
            interner.table,
            interner.arena,
            interner.offsets,
            interner.state,
            indptr,
            self._ids,
            self._counts,
            lengths,
            self._begins,
            self._stops,
        ):
            interner.grow(lack, int((ends - starts).max()))
        filled = slice(int(interner.state[FILLED]))
        places = (self._begins[filled], self._stops[filled])
        return Rows(indptr, self._ids[filled], self._counts[filled], lengths, *places)

    def _make_room(self, cells: int) -> None:
        if cells > len(self._ids):
            self._ids, self._counts = np.empty(cells, np.int32), np.empty(cells, np.int32)
            if self.task == "locate":
                self._begins, self._stops = np.empty(cells, np.int64), np.empty(cells, np.int64)
