"""Counts become weights: term frequency times inverse document frequency, divided by a norm.

A weight is ``tf * idf / norm``. The three factors are chosen by name in a :class:`Weighting`:

========= =============== =====================================================================
tf        raw             count
          relative        count / length of the document
          log             1 + ln(count)
          binary          1
          augmented       0.5 + 0.5 count / largest count in the document
          logave          (1 + ln(count)) / (1 + ln(average count in the document))
          bm25            count / (count + k1 (1 - b + b length / mean length))
idf       plain           ln(N / df)
          smooth          ln((1 + N) / (1 + df)) + 1, scikit-learn's
          probabilistic   max(0, ln((N - df) / df))
          bm25            ln(1 + (N - df + 0.5) / (df + 0.5))
          none            1
norm      l1, l2          sum of the absolute weights; root of the sum of their squares
          unique          (1 - slope) pivot + slope * number of terms in the document
          bytes           size of the document ** alpha
          none            1
========= =============== =====================================================================

N is the number of documents in the training corpus, empty ones included, and df how many of them
hold the term. A length counts tokens after stop words and before pruning, so that pruning does not
change the frequencies of the terms that stay. The largest and the average count and the number of
terms in a document are those of its row, after pruning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.matrix import Result, RowBlock

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Weighting:
    """The choice of tf, idf and norm, and their parameters.

    ``k1`` and ``b`` belong to tf bm25, ``slope`` to norm unique (0.2 is the value of Singhal,
    Buckley and Mitra, "Pivoted document length normalization", 1996), ``alpha`` to norm bytes.
    Raises UsageError for a name that is not in the table above and a parameter out of range.
    """

    tf: str = "relative"
    idf: str = "plain"
    norm: str = "none"
    k1: float = 1.2
    b: float = 0.75
    slope: float = 0.2
    alpha: float = 0.5

    def __post_init__(self) -> None:
        for kind, names in (("tf", TFS), ("idf", IDFS), ("norm", NORMS)):
            if getattr(self, kind) not in names:
                listed = ", ".join(names)
                raise UsageError(f"{kind} {getattr(self, kind)!r} is not one of {listed}")
        if not (self.k1 >= 0 and isfinite(self.k1)):
            raise UsageError(f"k1 is {self.k1}, but must be a number from 0 up")
        for name in ("b", "slope", "alpha"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is {getattr(self, name)}, but must lie between 0 and 1")

    @classmethod
    def like_sklearn(cls) -> Weighting:
        """The defaults of scikit-learn's TfidfVectorizer."""
        return cls("raw", "smooth", "l2")

    @classmethod
    def bm25(cls, k1: float = 1.2, b: float = 0.75) -> Weighting:
        """Lucene's form of BM25, without the constant factor k1 + 1.

        Lengths are exact here. Lucene rounds the lengths it stores to one byte and counts only
        documents that have the field, so its scores differ slightly from these. Formula:
        Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009.
        """
        return cls("bm25", "bm25", "none", k1=k1, b=b)

    @classmethod
    def smart(cls, code: str) -> Weighting:
        """The weighting of a SMART code of three letters such as ``ltc``: tf, idf, norm.

        Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval, figure 6.15,
        with the natural logarithm. Raises UsageError with the list of letters.

        >>> Weighting.smart("ltc")
        Weighting(tf='log', idf='plain', norm='l2', k1=1.2, b=0.75, slope=0.2, alpha=0.5)
        """
        tables = list(_SMART.values())
        if len(code) != 3 or any(letter not in tables[i] for i, letter in enumerate(code)):
            listed = "; ".join(f"{kind} {' '.join(letters)}" for kind, letters in _SMART.items())
            raise UsageError(
                f"SMART code {code!r} is not a letter for tf, one for idf and one for the norm",
                f"the letters are {listed}; an example is ltc",
            )
        tf, idf, norm = (tables[i][letter] for i, letter in enumerate(code))
        return cls(tf, idf, norm)

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> Weighting:
        """The weighting that :meth:`describe` described, for a signature read from a file.

        Raises GaiError for a parameter that this version does not know.
        """
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(described) - known):
            raise GaiError(
                f"the signature's weighting has an unknown parameter {unknown[0]!r}",
                "it was written by another version of gai; make the matrix again with this one",
            )
        return cls(**described)

    def describe(self) -> dict[str, Any]:
        """Everything that changes a number, and nothing else, ready for JSON."""
        needed = {"k1": self.tf == "bm25", "b": self.tf == "bm25"}
        needed |= {"slope": self.norm == "unique", "alpha": self.norm == "bytes"}
        return {name: value for name, value in asdict(self).items() if needed.get(name, True)}


@dataclass(frozen=True, eq=False)
class Statistics:
    """What the weights need to know of the training corpus.

    ``df`` has one number a column: the documents that hold the term. ``mean_length`` is in tokens,
    over all documents, empty ones included.
    """

    documents: int
    df: NDArray[np.int64]
    mean_length: float
    _idf: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)

    @property
    def mean_unique(self) -> float:
        """The mean number of distinct terms (columns) in a document."""
        return float(self.df.sum()) / max(self.documents, 1)


def idf(weighting: Weighting, statistics: Statistics) -> Floats:
    """One factor a column, read-only; computed once for each ``statistics``.

    A column with df 0, which only a fixed vocabulary has, gets 0 under plain and probabilistic:
    the training corpus tells nothing about the term. The other formulas are finite there.
    """
    kept = statistics._idf.get(weighting.idf)
    if kept is None:
        kept = IDFS[weighting.idf](statistics.documents, statistics.df.astype(np.float64))
        kept.flags.writeable = False
        statistics._idf[weighting.idf] = kept
    return kept


def weigh(
    weighting: Weighting,
    statistics: Statistics,
    indptr: NDArray[np.integer[Any]],
    indices: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    lengths: NDArray[np.integer[Any]],
    sizes: NDArray[np.integer[Any]] | None = None,
) -> Floats:
    """One weight a count, for a block of whole rows.

    ``indptr`` starts at 0 and has one number more than there are rows; ``lengths`` (tokens) and
    ``sizes`` (bytes or characters; only norm bytes needs them) have one number a row. A count is at
    least 1. The bits of a weight do not depend on how the rows are split into blocks. A row whose
    weights are all zero is not divided, so no input gives NaN or infinity. Raises UsageError where
    ``sizes`` are missing.
    """
    block = _Block(weighting, statistics, indptr, indices, counts, lengths, sizes)
    frequencies = TFS[weighting.tf](block)
    if weighting.idf == "none":
        weights = frequencies.astype(np.float64, copy=frequencies is counts)
    else:
        # intp indices and a multiplication in place: three times as fast as indexing with int32
        weights = idf(weighting, statistics).take(indices.astype(np.intp, copy=False))
        weights *= frequencies
    if weighting.norm != "none":
        divisors = NORMS[weighting.norm](block, weights)
        divisors[divisors == 0.0] = 1.0
        weights /= block.spread(divisors)
    return weights


def weighted(counts: Result, weighting: Weighting, statistics: Statistics | None = None) -> Result:
    """A matrix of counts with weights in the place of the counts.

    ``statistics`` are those of the training corpus where it is another than this one.
    """
    lengths = counts.extra["lengths"]
    if statistics is None:
        mean_length = float(lengths.mean()) if len(lengths) else 0.0
        statistics = Statistics(len(lengths), counts.extra["df"], mean_length)
    factors = idf(weighting, statistics)
    all_sizes = counts.sizes() if weighting.norm == "bytes" and counts.sizes else None

    def weigh_block(task: Callable[[], RowBlock]) -> RowBlock:
        block = task()
        rows = slice(block.first, block.first + len(block.indptr) - 1)
        sizes = None if all_sizes is None else all_sizes[rows]
        block.data = weigh(
            weighting, statistics, block.indptr, block.indices, block.data, lengths[rows], sizes
        )
        return block

    return replace(
        counts,
        dtype=np.dtype(np.float64),
        tasks=[partial(weigh_block, task) for task in counts.tasks],
        signature=counts.signature | {"kind": "tfidf", "weighting": weighting.describe()},
        extra=counts.extra | {"idf": factors},
    )


@dataclass(frozen=True)
class Explanation:
    """How the weight of one term in one document comes about.

    ``unnormed`` is tf times idf, and ``weight`` is that after the norm, bit for bit what
    :func:`weigh` gives. A term that the document does not hold has ``count``, ``tf`` and both
    weights 0.
    """

    count: int
    length: int
    tf: float
    df: int
    documents: int
    idf: float
    unnormed: float
    weight: float


def explain(
    weighting: Weighting,
    statistics: Statistics,
    column: int,
    indices: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    length: int,
    size: int | None = None,
) -> Explanation:
    """The numbers behind one weight: of ``column`` in the row with these ``indices``, ``counts``,
    ``length`` (tokens) and ``size`` (for norm bytes)."""
    cell = np.flatnonzero(indices == column)
    sizes = None if size is None else np.array([size])

    def value(chosen: Weighting) -> float:
        row = np.array([0, len(indices)]), indices, counts, np.array([length]), sizes
        return float(weigh(chosen, statistics, *row)[cell].sum())

    return Explanation(
        count=int(counts[cell].sum()),
        length=length,
        tf=value(replace(weighting, idf="none", norm="none")),
        df=int(statistics.df[column]),
        documents=statistics.documents,
        idf=float(idf(weighting, statistics)[column]),
        unnormed=value(replace(weighting, norm="none")),
        weight=value(weighting),
    )


@dataclass(frozen=True, eq=False)
class _Block:
    """The arguments of :func:`weigh`, as every formula gets them."""

    weighting: Weighting
    statistics: Statistics
    indptr: NDArray[np.integer[Any]]
    indices: NDArray[np.integer[Any]]
    counts: NDArray[np.integer[Any]]
    lengths: NDArray[np.integer[Any]]
    sizes: NDArray[np.integer[Any]] | None

    @property
    def cells(self) -> NDArray[Any]:
        """How many non-zeros each row has."""
        return np.diff(self.indptr)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """The value of its row for each non-zero."""
        return np.repeat(values, self.cells)

    def gather(self, reduction: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """The reduction of each row; 0 for an empty one, where reduceat would read the next row."""
        gathered = np.zeros(len(self.indptr) - 1, values.dtype)
        filled = self.cells > 0
        if filled.any():
            gathered[filled] = reduction.reduceat(values, self.indptr[:-1][filled])
        return gathered


def _raw(block: _Block) -> NDArray[Any]:
    return block.counts


def _relative(block: _Block) -> Floats:
    lengths = np.maximum(block.lengths, 1).astype(np.float64)
    frequencies: Floats = block.spread(lengths)
    np.divide(block.counts, frequencies, out=frequencies)
    return frequencies


def _log(block: _Block) -> Floats:
    frequencies: Floats = np.log(block.counts, dtype=np.float64)
    frequencies += 1.0
    return frequencies


def _binary(block: _Block) -> Floats:
    return np.ones(len(block.counts))


def _augmented(block: _Block) -> Floats:
    largest = block.gather(np.maximum, block.counts)
    frequencies: Floats = block.counts / block.spread(largest.astype(np.float64))
    frequencies *= 0.5
    frequencies += 0.5
    return frequencies


def _logave(block: _Block) -> Floats:
    averages = block.gather(np.add, block.counts) / np.maximum(block.cells, 1)
    frequencies = _log(block)
    frequencies /= block.spread(1.0 + np.log(np.maximum(averages, 1.0)))
    return frequencies


def _bm25(block: _Block) -> Floats:
    k1, b = block.weighting.k1, block.weighting.b
    # no length is known where every training document was empty: then every length is the mean
    relative = block.lengths / block.statistics.mean_length if block.statistics.mean_length else 1.0
    saturation = k1 * (1.0 - b + b * relative) + np.zeros(len(block.lengths))
    frequencies: Floats = block.spread(saturation)
    frequencies += block.counts
    np.divide(block.counts, frequencies, out=frequencies)
    return frequencies


TFS: dict[str, Callable[[_Block], NDArray[Any]]] = {
    "raw": _raw,
    "relative": _relative,
    "log": _log,
    "binary": _binary,
    "augmented": _augmented,
    "logave": _logave,
    "bm25": _bm25,
}
"""The names of the term frequencies."""


def _plain(documents: int, df: Floats) -> Floats:
    factors: Floats = np.divide(documents, df, out=np.ones_like(df), where=df > 0)
    return np.log(factors, out=factors)


def _smooth(documents: int, df: Floats) -> Floats:
    factors: Floats = np.log((1 + documents) / (1.0 + df)) + 1.0
    return factors


def _probabilistic(documents: int, df: Floats) -> Floats:
    odds: Floats = np.divide(documents - df, df, out=np.ones_like(df), where=df > 0)
    return np.log(np.maximum(odds, 1.0, out=odds), out=odds)


def _bm25_idf(documents: int, df: Floats) -> Floats:
    factors: Floats = np.log(1.0 + (documents - df + 0.5) / (df + 0.5))
    return factors


IDFS: dict[str, Callable[[int, Floats], Floats]] = {
    "plain": _plain,
    "smooth": _smooth,
    "probabilistic": _probabilistic,
    "bm25": _bm25_idf,
    "none": lambda documents, df: np.ones_like(df),
}
"""The names of the inverse document frequencies."""


def _l1(block: _Block, weights: Floats) -> Floats:
    return block.gather(np.add, np.abs(weights))


def _l2(block: _Block, weights: Floats) -> Floats:
    squares: Floats = block.gather(np.add, weights * weights)
    return np.sqrt(squares, out=squares)


def _unique(block: _Block, weights: Floats) -> Floats:
    slope = block.weighting.slope
    divisors: Floats = (1.0 - slope) * block.statistics.mean_unique + slope * block.cells
    return divisors


def _bytes(block: _Block, weights: Floats) -> Floats:
    if block.sizes is None:
        raise UsageError(
            "norm bytes (SMART b) needs the size of every document, which this input does not give",
            "use another norm: l1, l2, unique or none",
        )
    divisors: Floats = np.power(block.sizes, block.weighting.alpha, dtype=np.float64)
    return divisors


NORMS: dict[str, Callable[[_Block, Floats], Floats]] = {
    "none": lambda block, weights: np.ones(len(block.lengths)),
    "l1": _l1,
    "l2": _l2,
    "unique": _unique,
    "bytes": _bytes,
}
"""The names of the norms."""

_SMART = {
    "tf": {"n": "raw", "l": "log", "a": "augmented", "b": "binary", "L": "logave"},
    "idf": {"n": "none", "t": "plain", "p": "probabilistic"},
    "norm": {"n": "none", "c": "l2", "u": "unique", "b": "bytes"},
}
