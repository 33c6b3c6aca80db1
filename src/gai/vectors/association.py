"""Association: counts of neighbours become weights, PMI or PPMI, and a matrix to be written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.documents.ids import DocumentIds
from gai.errors import UsageError
from gai.matrix import Result, RowBlock, cut
from gai.threads import in_order
from gai.vectors.cooccurrence import Cooccurrence
from gai.vectors.runs import dropped

Weight = Literal["count", "pmi", "ppmi"]
Floats = NDArray[np.float64]

LARGEST_COUNT = 2**31 - 1
"""The largest count that is kept as int32."""

Pair = tuple[int, int, float]
"""A row, a column and the number in their cell."""


@dataclass(frozen=True)
class Association:
    """How the count x of a word i and its context j becomes a weight.

    ``weight`` "count" leaves x as it is. "pmi" is ln(p(i, j) / (p(i) p(j))) - ln(shift): p(i, j) is
    x over the sum of all cells, p(i) the share of row i in it, and p(j) that of column j among all
    columns, each column sum raised to ``alpha`` first (0.75 holds rare contexts back). "ppmi" is
    the same where it is above 0, and no cell elsewhere. Cells with x below ``min_cell`` are left
    out of the matrix, but not out of the sums. Raises UsageError for numbers that make no sense.

    Source: Levy, Goldberg & Dagan, Improving Distributional Similarity with Lessons Learned from
    Word Embeddings (2015), sections 2.2, 3.1 and 3.2.
    """

    weight: Weight = "count"
    shift: float = 1.0
    alpha: float = 1.0
    min_cell: float = 0.0

    def __post_init__(self) -> None:
        if self.weight not in ("count", "pmi", "ppmi"):
            raise UsageError(f"no weight is called {self.weight!r}", "count, pmi, ppmi")
        if not 0.0 < self.shift < math.inf:
            raise UsageError(f"a shift of {self.shift:g} is not above 0", "1 shifts nothing")
        if not 0.0 < self.alpha <= 1.0:
            raise UsageError(f"alpha {self.alpha:g} is not above 0 and up to 1", "0.75 is usual")

    @property
    def plain(self) -> bool:
        """Whether nothing changes."""
        return self.weight == "count" and not self.min_cell > 0.0


class Share(NamedTuple):
    """What a cell would hold by chance: ``rows[i] * columns[j] / total``, times the shift."""

    rows: Floats
    columns: Floats
    total: float


def associations(found: Cooccurrence, association: Association, *, jobs: int = 1) -> Result:
    """The weighted matrix, words by words, to be written: rows and columns are the words.

    Numbers are float64, but counts without distance weights int32 where all of them fit.
    ``extra["tf"]`` (int64) says how often each word occurs. ``jobs`` threads find out how many
    cells each row keeps; it does not change the result.
    """
    whole = RowBlock(0, found.indptr, found.indices, found.data)
    blocks = list(cut(whole))
    share = _share(found, association, blocks)
    counts = association.weight == "count" and _fit(found, blocks)
    dtype = np.dtype(np.int32 if counts else np.float64)
    weigh = partial(weighed, association=association, share=share, dtype=dtype)
    names = DocumentIds()
    names.append_names(found.words)
    indptr = found.indptr if association.plain else _indptr(len(found), weigh, blocks, jobs)
    facts = {**found.signature.get("cooccurrence", {}), **asdict(association)}
    return Result(
        terms=found.words,
        documents=names,
        indptr=indptr,
        dtype=dtype,
        tasks=[partial(weigh, block) for block in blocks],
        signature={**found.signature, "terms": len(found), "cooccurrence": facts},
        extra={"tf": np.asarray(found.counts, np.int64)},
    )


def weighed(
    block: RowBlock,
    *,
    association: Association,
    share: Share | None,
    dtype: np.dtype[Any],
) -> RowBlock:
    """The rows of a block as weights; ``share`` is what counts are compared with, None where they
    stay as they are."""
    kept: NDArray[Any] = block.data >= association.min_cell
    values: NDArray[Any] = block.data
    if share is not None:
        rows = np.repeat(np.arange(len(block.indptr) - 1) + block.first, np.diff(block.indptr))
        # In this order, so that what is as frequent as by chance gives exactly 0.
        chance = share.rows[rows] * share.columns[block.indices]
        values = np.log(block.data * share.total / chance)
        if association.weight == "ppmi":
            kept &= values > 0.0
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    made = RowBlock(
        block.first, before[block.indptr], block.indices[kept], values[kept].astype(dtype)
    )
    _dropped(block)
    return made


def _dropped(block: RowBlock) -> None:
    dropped(block.indices)
    dropped(block.data)


def sums(found: Cooccurrence) -> tuple[Floats, Floats]:
    """The sum of each row and of each column: float64 (words,) each."""
    return _sums(found, list(cut(RowBlock(0, found.indptr, found.indices, found.data))))


def _sums(found: Cooccurrence, blocks: list[RowBlock]) -> tuple[Floats, Floats]:
    words = len(found)
    rows, columns = np.zeros(words), np.zeros(words)
    for block in blocks:
        size = len(block.indptr) - 1
        places = np.repeat(np.arange(size), np.diff(block.indptr))
        rows[block.first : block.first + size] = np.bincount(places, block.data, size)
        if not found.symmetric:
            columns += np.bincount(block.indices, block.data, words)
        _dropped(block)
    return rows, rows if found.symmetric else columns


def _share(found: Cooccurrence, association: Association, blocks: list[RowBlock]) -> Share | None:
    if association.weight == "count":
        return None
    rows, columns = _sums(found, blocks)
    contexts = columns**association.alpha
    return Share(rows, contexts * association.shift, float(contexts.sum()))


def _fit(found: Cooccurrence, blocks: list[RowBlock]) -> bool:
    """Whether all cells are whole numbers and fit into int32."""
    if found.weighting != "flat":
        return False
    for block in blocks:
        most = block.data.max(initial=0.0)
        dropped(block.data)
        if most > LARGEST_COUNT:
            return False
    return True


def _indptr(
    words: int, weigh: Callable[[RowBlock], RowBlock], blocks: list[RowBlock], jobs: int
) -> NDArray[np.int64]:
    """Where the rows of the weighted matrix begin."""

    def kept(block: RowBlock) -> NDArray[np.int64]:
        return np.diff(weigh(block).indptr)

    indptr = np.zeros(words + 1, np.int64)
    for block, lengths in zip(blocks, in_order(kept, blocks, jobs), strict=True):
        indptr[block.first + 1 : block.first + 1 + len(lengths)] = lengths
    return np.cumsum(indptr)


def heaviest(result: Result, k: int, *, once: bool, jobs: int = 1) -> list[Pair]:
    """The ``k`` heaviest cells, heaviest first, equal ones sorted by their words.

    With ``once`` only cells whose row comes before or at their column in the order of words.
    """
    ranks = np.empty(len(result.terms), np.int64)
    ranks[result.terms.argsort()] = np.arange(len(ranks))
    rows, columns = np.zeros(0, np.int64), np.zeros(0, np.int64)
    values = np.zeros(0, result.dtype)
    for block in result.rows(jobs):
        for new in _candidates(block, ranks, k, once):
            rows, columns, values = (
                np.concatenate(both) for both in zip((rows, columns, values), new, strict=True)
            )
            best = np.lexsort((ranks[columns], ranks[rows], -values))[:k]
            rows, columns, values = rows[best], columns[best], values[best]
    return list(zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True))


def _candidates(
    block: RowBlock, ranks: NDArray[np.int64], k: int, once: bool
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Rows, columns and values of the cells of a block that may be among the ``k`` heaviest."""
    rows = np.repeat(np.arange(len(block.indptr) - 1) + block.first, np.diff(block.indptr))
    columns, values = block.indices.astype(np.int64), block.data
    if once:
        first = ranks[rows] <= ranks[columns]
        rows, columns, values = rows[first], columns[first], values[first]
    if len(values) > k:
        enough = values >= np.partition(values, len(values) - k)[len(values) - k]
        rows, columns, values = rows[enough], columns[enough], values[enough]
    if len(values):
        yield rows, columns, values
