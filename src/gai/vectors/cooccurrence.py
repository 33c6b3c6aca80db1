"""Co-occurrence: how often words stand near each other, counted exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.counts.store import resident
from gai.errors import GaiError, UsageError
from gai.kernels import reference
from gai.terms import Terms
from gai.threads import by_workers
from gai.vectors.corpus import Corpus
from gai.vectors.runs import Growing, OnDisk, Rows, Runs, dropped

Weighting = Literal["inverse", "flat"]
Ints = NDArray[np.int64]
Units = NDArray[np.uint64]
Advance = Callable[[int], None]
Spans = list[tuple[int, int]]

KERNELS = ("index_words", "count_neighbours", "merge_rows")

SMALL, SMALL_UNCOMPILED = 200_000, 5_000_000
"""Neighbours up to which plain Python is done before the kernels are loaded, or compiled."""

WORK = 1 << 21
"""Neighbours that a task looks at, about 10 ms."""

CHUNK, SMALLEST_CHUNK = 1 << 26, 1 << 20
"""Tokens that are indexed at once, at most and under the tightest --memory."""

TOKEN, CELL = 12, 12
"""Bytes of memory for a token in an index (its word, its place, perhaps the end of a sentence) and
for a cell of the matrix."""

EXACT = 22
"""Windows up to which every weight 1/d is a whole number of units."""

FINE = 18 * math.lcm(*range(1, EXACT + 1))
"""Units that 1 has in larger windows, nearly 2^32; only weights with a factor that it lacks are
rounded, by less than 1.2e-10."""


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """How near to each other the words of a corpus stand: a sparse matrix, words by words.

    Row i is ``indices[indptr[i]:indptr[i + 1]]`` (int32, sorted) and the same of ``data``
    (float64); ``indptr`` is int64. ``indices`` and ``data`` may be mapped from a temporary file,
    and are then read-only. ``counts`` says how often each word occurs, ``tokens`` how many there
    are in all. A word within
    ``window`` words of another in the same sentence, at distance d, adds 1/d (``weighting``
    "inverse") or 1 ("flat"). ``symmetric``: cell (i, j) counts j on both sides of i. Else it counts
    j behind i only.
    """

    words: Terms
    counts: Ints
    indptr: Ints
    indices: NDArray[np.int32]
    data: NDArray[np.float64]
    window: int
    symmetric: bool
    weighting: Weighting
    tokens: int
    signature: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of words."""
        return len(self.words)

    @property
    def nnz(self) -> int:
        """The number of stored cells."""
        return int(self.indptr[-1])


def cooccurrences(
    corpus: Corpus,
    window: int = 10,
    *,
    symmetric: bool = True,
    weighting: Weighting = "inverse",
    jobs: int = 1,
    memory: int | None = None,
    advance: Advance | None = None,
    engine: str = "auto",
) -> Cooccurrence:
    """The co-occurrences of a corpus, those that the GloVe authors' ``cooccur`` finds.

    Sums are made of whole numbers, units of 1 / lcm(1, ..., window), so that each value is the
    float64 nearest to the true sum; above a window of 22 weights are rounded to units of 2.4e-10
    first. ``jobs`` is the number of threads, ``memory`` what the process may take, in bytes (rows
    are then counted in several runs, which are merged on disk), ``engine`` is "kernels",
    "reference" (plain Python) or "auto". None of these changes a bit of the result. ``advance`` is
    called with the number of tokens just counted, in this thread. Raises UsageError for a window
    below 1, GaiError where a sum might need more than 64 bits or the disk is full.

    Source: Pennington, Socher & Manning, GloVe (2014), section 4.2.
    """
    if window < 1:
        raise UsageError(f"a window of {window} words holds none", "1 is the smallest")
    scale = Scale.of(window, weighting, reach_of(corpus, window))
    scale.check(corpus)
    counting = Counting(corpus, _ops(engine, corpus, scale), scale, symmetric, jobs)
    indptr, indices, data = counting.cells(memory, advance or (lambda tokens: None))
    facts = {"window": window, "symmetric": symmetric, "weighting": weighting}
    return Cooccurrence(
        words=corpus.words,
        counts=corpus.counts,
        indptr=indptr,
        indices=indices,
        data=data,
        window=window,
        symmetric=symmetric,
        weighting=weighting,
        tokens=corpus.tokens,
        signature={**corpus.signature, "kind": "cooccur", "cooccurrence": facts},
    )


def _ops(engine: str, corpus: Corpus, scale: Scale) -> Any:
    if engine == "auto":
        limit = SMALL if kernels.ready(KERNELS) else SMALL_UNCOMPILED
        engine = "reference" if 2 * scale.reach * corpus.tokens <= limit else "kernels"
    return reference if engine == "reference" else kernels.load()


def reach_of(corpus: Corpus, window: int) -> int:
    """The window or, where that is less, how far the longest sentence lets it reach."""
    step = 1 << 20
    starts = range(0, len(corpus.bounds) - 1, step)
    pieces = (corpus.bounds[start : start + step + 1] for start in starts)
    longest = max((int(np.diff(piece).max()) for piece in pieces), default=0)
    return max(0, min(window, longest - 1))


@dataclass(frozen=True)
class Scale:
    """Weights as whole numbers: a neighbour at distance d adds ``weights[d]`` of the units of which
    1 has ``one``."""

    weights: Units
    one: int

    @classmethod
    def of(cls, window: int, weighting: Weighting, reach: int | None = None) -> Scale:
        """The scale of a window, with weights up to ``reach`` or to its end."""
        distances = range(1, (window if reach is None else reach) + 1)
        if weighting == "flat":
            return cls(np.array([0, *(1 for _ in distances)], np.uint64), 1)
        one = math.lcm(*range(1, window + 1)) if window <= EXACT else FINE
        steps = [(2 * one + d) // (2 * d) for d in distances]
        return cls(np.array([0, *steps], np.uint64), one)

    @property
    def reach(self) -> int:
        """The largest distance."""
        return len(self.weights) - 1

    def check(self, corpus: Corpus) -> None:
        """Raises GaiError where a sum might not fit into 64 bits."""
        most = 2 * int(self.weights.sum()) * int(corpus.counts.max(initial=0))
        if most >> 64:
            raise GaiError(
                f"too much text to count a window of {self.reach} words exactly",
                "a window of 22 or less is far from this limit",
            )

    def values(self, units: Units) -> NDArray[np.float64]:
        """The numbers nearest to so many units."""
        found = units / np.float64(self.one)
        if self.one > 1:
            for k in np.flatnonzero(units > 1 << 53).tolist():  # else rounded twice
                found[k] = int(units[k]) / self.one
        return found


class Index(NamedTuple):
    """Some tokens with their surroundings, and where each word stands among them: see
    ``gai.kernels.cooccurrence``."""

    text: NDArray[np.int32]
    starts: Ints
    places: NDArray[np.int32]


class Worker:
    """One thread's accumulator and its room for the rows of a task."""

    def __init__(self, words: int) -> None:
        self.acc = np.zeros(words, np.uint64)
        self.bits = np.zeros((words >> 6) + 1, np.uint64)
        self.top = np.zeros((words >> 12) + 1, np.uint64)
        room = max(words, WORK)
        self.ends = np.empty(words, np.int64)
        self.columns, self.units = np.empty(room, np.int32), np.empty(room, np.uint64)

    @property
    def bytes(self) -> int:
        """How much memory this may come to."""
        return sum(array.nbytes for array in self.arrays)

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """What kernels take last."""
        return self.acc, self.bits, self.top, self.ends, self.columns, self.units

    def rows(self, span: tuple[int, int], cells: int, scale: Scale | None) -> Rows:
        """A copy of the rows just made, in units or, with a scale, as numbers."""
        first, last = span
        units = self.units[:cells]
        return Rows(
            first,
            self.ends[: last - first].copy(),
            self.columns[:cells].copy(),
            units.copy() if scale is None else scale.values(units),
        )


class Counting:
    """What counts a corpus: in one run, or in several that are merged."""

    def __init__(self, corpus: Corpus, ops: Any, scale: Scale, symmetric: bool, jobs: int) -> None:
        self.corpus, self.ops, self.scale, self.reach = corpus, ops, scale, scale.reach
        self.both = int(symmetric)
        jobs = max(1, jobs) if ops is not reference else 1
        self.workers = [Worker(len(corpus.words)) for _ in range(jobs)]

    def cells(
        self, memory: int | None, advance: Advance
    ) -> tuple[Ints, NDArray[np.int32], NDArray[np.float64]]:
        """The whole matrix as ``indptr``, ``indices`` and ``data``."""
        spans, words = self.chunks(memory), len(self.corpus.words)
        if len(spans) == 1:
            index = self.index(*spans[0])
            most = np.minimum(self.neighbours(index), words)
            found = self.counted(index, self.scale, advance)
        else:
            runs = Runs(words)
            for span in spans:
                runs.add(self.counted(self.index(*span), None, advance))
            most, found = runs.cells, self.merged(runs)
        large = memory is not None and CELL * int(most.sum()) > memory // 4
        return self.collected(found, OnDisk if large else Growing)

    def chunks(self, memory: int | None) -> Spans:
        """The tokens as spans of about equal length that are indexed at once."""
        tokens, most = self.corpus.tokens, CHUNK
        if memory is not None:
            left = memory - resident() - sum(worker.bytes for worker in self.workers)
            most = min(CHUNK, max(SMALLEST_CHUNK, left // 2 // TOKEN))
        count = max(1, -(-tokens // most))
        return list(pairwise(tokens * k // count for k in range(count + 1)))

    def index(self, first: int, last: int) -> Index:
        """The tokens from ``first`` to ``last``, with as much around them as a window reaches."""
        corpus = self.corpus
        low, high = max(first - self.reach, 0), min(last + self.reach, corpus.tokens)
        begin = int(np.searchsorted(corpus.bounds, low, "right")) - 1
        end = int(np.searchsorted(corpus.bounds, high, "left"))
        bounds = np.ascontiguousarray(corpus.bounds[begin : end + 1], np.int64)
        text = np.empty(high - low + min(len(bounds), high - low) + 1, np.int32)
        starts = np.zeros(len(corpus.words) + 1, np.int64)
        places = np.empty(last - first, np.int32)
        size = self.ops.index_words(
            corpus.ids, bounds, low, first, last, high, text, starts, places
        )
        dropped(corpus.ids[low:high])
        return Index(text[:size], starts, places)

    def neighbours(self, index: Index) -> Ints:
        """How many neighbours the rows look at, at most."""
        return np.diff(index.starts) * self.reach * (1 + self.both)

    def counted(self, index: Index, scale: Scale | None, advance: Advance) -> Iterator[Rows]:
        """All rows in order, in units or, with a scale, as numbers."""
        spans = cut(self.neighbours(index))
        for rows in by_workers(partial(self.count, index, scale), spans, self.workers):
            yield rows
            advance(int(index.starts[rows.first + len(rows.ends)] - index.starts[rows.first]))

    def count(
        self, index: Index, scale: Scale | None, worker: Worker, span: tuple[int, int]
    ) -> Rows:
        """A few rows."""
        cells = self.ops.count_neighbours(
            *span, *index, self.scale.weights, self.both, *worker.arrays
        )
        return worker.rows(span, cells, scale)

    def merged(self, runs: Runs) -> Iterator[Rows]:
        """All rows in order, each the sum of what the runs have of it."""
        return by_workers(partial(self.merge, runs), cut(runs.cells), self.workers)

    def merge(self, runs: Runs, worker: Worker, span: tuple[int, int]) -> Rows:
        """A few rows; only one that is alone has more cells than are read at once."""
        first, last = span
        groups = list(runs.groups(first, last, WORK))
        cells = 0
        for k, group in enumerate(groups, 1):
            cells = self.ops.merge_rows(
                last - first, *runs.read(group), int(k == len(groups)), *worker.arrays
            )
        return worker.rows(span, cells, self.scale)

    def collected(
        self, found: Iterator[Rows], kind: type[Growing] | type[OnDisk]
    ) -> tuple[Ints, NDArray[np.int32], NDArray[np.float64]]:
        """The rows as one matrix."""
        indptr = np.zeros(len(self.corpus.words) + 1, np.int64)
        indices, data = kind(np.int32), kind(np.float64)
        for rows in found:
            after = rows.first + 1
            indptr[after : after + len(rows.ends)] = rows.ends + indices.size
            indices.append(rows.columns)
            data.append(rows.values)
        return indptr, indices.whole(), data.whole()


def cut(costs: Ints) -> Spans:
    """Spans of rows that cost up to ``WORK`` each, or have one row."""
    sums = np.cumsum(costs)
    spans, first = [], 0
    while first < len(costs):
        done = int(sums[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(sums, done + WORK, "right")))
        spans.append((first, last))
        first = last
    return spans
