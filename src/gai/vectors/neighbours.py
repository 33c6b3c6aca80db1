"""Nearest neighbours by cosine: exact, a block of words at a time.

Each block is scored at once with one matrix product in float32, which decides which words are
worth a second look: those that could be among the k best, given how far float32 may be off. Of
these the score is computed anew, word by word, in float64. So neither the size of the blocks nor
the number of queries or threads changes a result, although it does change what BLAS makes of the
product.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gai.output.vectors import Vectors
from gai.threads import in_order

BLOCK = 1 << 21
"""Bytes of float32 rows in a block: as much as a core keeps close at hand."""

QUERIES = 256
"""Queries that share a pass over the vectors."""

CROWD = 16
"""Words beyond k in a block that are scored anew without a closer look at which these are."""

PIECE = 1 << 21
"""Bytes of float64 rows that are scored at once."""

LEAST, MOST = np.float32(1e-30), np.float32(1e30)
"""Squares of lengths with which float32 may compute."""

LOWEST = np.finfo(np.float32).min

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
Scores = NDArray[np.float32]

NONE = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
"""No query, no place, no score."""


class Scoring(Protocol):
    """What words are scored by, for ``count`` queries."""

    @property
    def probes(self) -> Rows:
        """The unit vectors whose cosines with each word are wanted: float32 (probes, dim)."""

    @property
    def count(self) -> int:
        """How many queries there are."""

    def upper(self, cosines: Rows) -> Rows:
        """Numbers that no exact score is above: float32 (count, words), from the cosines of
        float32 (probes, words), which may be overwritten."""

    def exact(self, queries: Places, rows: Rows) -> Scores:
        """The score of row i for query ``queries[i]``: float32 (rows,)."""


@dataclass(eq=False)
class Cosine:
    """Words scored by their cosine with ``queries``, float32 (n, dim)."""

    queries: Rows

    @cached_property
    def units(self) -> NDArray[np.float64]:
        return unit(self.queries)

    @cached_property
    def probes(self) -> Rows:
        return self.units.astype(np.float32)

    @property
    def count(self) -> int:
        return len(self.queries)

    def upper(self, cosines: Rows) -> Rows:
        cosines += margin(self.queries.shape[1])
        return cosines

    def exact(self, queries: Places, rows: Rows) -> Scores:
        return cosine(self.units[queries], rows).astype(np.float32)


def nearest(
    vectors: Vectors,
    queries: Rows,
    k: int,
    exclude: Places | None = None,
    *,
    limit: int | None = None,
    jobs: int = 1,
) -> tuple[Places, Scores]:
    """The places of the ``k`` words whose vectors have the highest cosine with each query, and
    these cosines: int64 and float32 (n, k), best first, equal ones by place.

    ``queries`` is float32 (n, dim), of any length. ``exclude`` (n, any number) holds places that
    are not to be found for a query, -1 where there is none. Only the first ``limit`` words are
    looked at. A vector of zeros has the cosine 0 with everything. Where fewer than ``k`` words are
    left, the last places are -1 and their scores -inf; there are never more columns than words.
    Raises GaiError where a vector that is looked at holds NaN or infinity.
    """
    pieces = [slice(first, first + QUERIES) for first in range(0, max(1, len(queries)), QUERIES)]
    found = [
        search(
            vectors,
            Cosine(np.asarray(queries, np.float32)[piece]),
            k,
            None if exclude is None else exclude[piece],
            limit=limit,
            jobs=jobs,
        )
        for piece in pieces
    ]
    return np.concatenate([places for places, _ in found]), np.concatenate([s for _, s in found])


def search(
    vectors: Vectors,
    scoring: Scoring,
    k: int,
    exclude: Places | None = None,
    *,
    limit: int | None = None,
    jobs: int = 1,
) -> tuple[Places, Scores]:
    """The places of the ``k`` best words for each query and their scores, as in :func:`nearest`."""
    words = len(vectors) if limit is None else min(limit, len(vectors))
    kept = Kept(scoring.count, min(k, words))
    if not (words and kept.count and kept.k):
        return kept.places, kept.scores
    step = max(64, BLOCK // (4 * max(1, vectors.dim)))
    spans = [(start, min(words, start + step)) for start in range(0, words, step)]
    look = partial(candidates, vectors, scoring, kept, exclude)
    with one_blas_thread() if len(spans) > 1 else nullcontext():
        for found in in_order(look, spans, min(jobs, len(spans))):
            kept.add(*found)
    return kept.places, kept.scores


@dataclass(eq=False)
class Kept:
    """The ``k`` best words so far of each of ``count`` queries."""

    count: int
    k: int
    places: Places = field(init=False)
    scores: Scores = field(init=False)
    floors: Scores = field(init=False)
    """What a score must not be below to be of interest: float32 (count,)."""

    def __post_init__(self) -> None:
        self.places = np.full((self.count, self.k), -1, np.int64)
        self.scores = np.full((self.count, self.k), -np.inf, np.float32)
        self.floors = np.full(self.count, LOWEST)

    def add(self, queries: Places, places: Places, scores: Scores) -> None:
        """Takes in words with their scores, one of each for an entry of ``queries``."""
        if not len(queries):
            return
        touched = np.flatnonzero(np.bincount(queries, minlength=self.count))
        queries = np.concatenate([touched.repeat(self.k), queries])
        places = np.concatenate([self.places[touched].ravel(), places])
        scores = np.concatenate([self.scores[touched].ravel(), scores])
        order = np.lexsort((places, -scores, queries))
        best = order[rank(queries[order]) < self.k].reshape(len(touched), self.k)
        self.places[touched], self.scores[touched] = places[best], scores[best]
        # Workers read the floors meanwhile: an old one only means more to look at.
        self.floors[touched] = np.maximum(self.scores[touched, -1], LOWEST)


def candidates(
    vectors: Vectors,
    scoring: Scoring,
    kept: Kept,
    exclude: Places | None,
    span: tuple[int, int],
) -> tuple[Places, Places, Scores]:
    """The words of a block that may belong to the best: queries, places and exact scores."""
    rows = np.asarray(vectors.block(*span))
    upper = scoring.upper(cosines(scoring.probes, rows))
    if exclude is not None and ((exclude >= span[0]) & (exclude < span[1])).any():
        hide(upper, exclude - span[0])
    floors = kept.floors.copy()
    best = upper.max(axis=1)
    if np.isnan(best).any():
        vectors.check(span[0], rows)
    hopeful = np.flatnonzero(best >= floors)
    if not len(hopeful):
        return NONE
    upper, floors = upper[hopeful], floors[hopeful]
    raise_floors(upper, floors, kept.k, lambda at, words: exact(scoring, hopeful[at], rows, words))
    at, words = np.nonzero(upper >= floors[:, None])
    queries = hopeful[at]
    return queries, words + span[0], exact(scoring, queries, rows, words)


def cosines(probes: Rows, rows: Rows) -> Rows:
    """The cosine of each probe, a unit vector, with each row: float32 (probes, rows), within
    :func:`margin`."""
    with np.errstate(all="ignore"):
        squares = np.vecdot(rows, rows)
        found: Rows = probes @ rows.T
        found *= 1 / np.sqrt(squares)
    odd = np.flatnonzero(~((squares > LEAST) & (squares < MOST)))
    if len(odd):
        found[:, odd] = probes @ unit(rows[odd]).T.astype(np.float32)
    return found


def margin(dim: int) -> np.float32:
    """What a cosine computed in float32 is off at most, in whatever order the terms are added.

    A sum of ``dim`` products is off by ``dim * 2**-24`` times the lengths of both vectors (Higham,
    Accuracy and Stability of Numerical Algorithms, 3.1); so is the square of a length, of which
    the root is half as far off. The rest is for rounding each number once or twice.
    """
    return np.float32(2 * (dim + 8) * 2.0**-24)


def raise_floors(upper: Rows, floors: Scores, k: int, score: Any) -> None:
    """Raises the floors of queries for which many words of the block are above them, in place.

    Scored exactly, the ``k`` words with the highest bounds show how good ``k`` words are at least.
    """
    above = np.count_nonzero(upper >= floors[:, None], axis=1)
    crowded = np.flatnonzero(above > k + CROWD)
    if not len(crowded):
        return
    high = upper.shape[1] - k
    best = np.argpartition(upper[crowded], high, axis=1)[:, high:]
    scores = score(crowded.repeat(k), best.ravel()).reshape(best.shape)
    floors[crowded] = np.maximum(floors[crowded], scores.min(axis=1))


def exact(scoring: Scoring, queries: Places, rows: Rows, words: Places) -> Scores:
    """The exact score of ``rows[words[i]]`` for query ``queries[i]``: float32 (words,)."""
    found = np.empty(len(words), np.float32)
    step = max(1, PIECE // (8 * max(1, rows.shape[1])))
    for first in range(0, len(words), step):
        piece = slice(first, first + step)
        found[piece] = scoring.exact(queries[piece], rows[words[piece]])
    return found


def cosine(units: NDArray[np.float64], rows: NDArray[Any]) -> NDArray[np.float64]:
    """The cosine of each unit vector with the row beside it: float64 (rows,)."""
    found: NDArray[np.float64] = np.einsum("ij,ij->i", units, unit(rows))
    return np.clip(found, -1.0, 1.0, out=found)


def unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    """The rows at length 1: float64 (rows, dim). Zeros stay zeros."""
    wide = rows.astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    lengths[lengths == 0] = 1.0
    with np.errstate(invalid="ignore"):
        wide /= lengths[:, None]
    return wide


def hide(upper: Rows, columns: Places) -> None:
    """Puts cells of the block out of the question, in place: in each row those of ``columns``."""
    rows, which = np.nonzero((columns >= 0) & (columns < upper.shape[1]))
    upper[rows, columns[rows, which]] = -np.inf


def rank(groups: Places) -> Places:
    """The place of each entry among its neighbours of the same group: 0, 1, 2, 0, 1, ..."""
    starts = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    lengths = np.diff(starts, append=len(groups))
    return np.arange(len(groups)) - starts.repeat(lengths)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS keeps to the thread that calls it while the block runs: whoever asks for two cores has
    two threads already, and BLAS's own wait for each other where another program wants a core."""
    with blas().limit(limits=1, user_api="blas"):
        yield


@cache
def blas() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
