"""Reducing: fewer dimensions by PCA, fewer words, smaller numbers.

A vector ``x`` becomes ``(x - m) C'``: ``m`` is the mean of all vectors, the rows of ``C`` are their
principal components, those of the largest variance first. Where only the strongest directions are
taken away (all-but-the-top: Mu and Viswanath, "All-but-the-top: simple and effective postprocessing
for word representations", 2018) ``x`` becomes ``(x - m) - (x - m) U' U`` with these directions as
the rows of ``U``. Both maps are affine, so that the mean of mapped vectors is the mapped mean:
where vectors are made of parts of words (fastText), mapping all parts gives the mapped vectors, for
unseen words too.

int8 is symmetric: a row has the scale ``max |x| / 127``, and its numbers are multiples of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.output.vectors import Vectors
from gai.signature import as_dict
from gai.threads import in_order
from gai.vectors.directions import gram, strongest, without
from gai.vectors.neighbours import cosine, one_blas_thread, unit

NUMBERS = ("float32", "float16", "int8")
LEVELS = 127
"""The largest number of an int8 that is used; -128 would have no counterpart."""

BLOCK = 1 << 22
"""Bytes of float32 rows that are mapped at once."""

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
Blocks = Iterator[tuple[int, Rows]]


@dataclass(frozen=True)
class Reduction:
    """What is to become smaller.

    ``top`` keeps the first words, ``remove`` takes away that many of the strongest directions,
    ``dim`` keeps that many of the next ones (PCA), and ``numbers`` is one of ``NUMBERS``. None
    leaves all words, all dimensions, and the kind of numbers. Raises UsageError for what is none of
    these.
    """

    dim: int | None = None
    top: int | None = None
    remove: int = 0
    numbers: str | None = None

    def __post_init__(self) -> None:
        if self.numbers not in (None, *NUMBERS):
            raise UsageError(f"unknown numbers {self.numbers!r}", f"one of {', '.join(NUMBERS)}")
        for name in ("dim", "top"):
            if (number := getattr(self, name)) is not None and number < 1:
                raise UsageError(f"{name} is {number}, but must be 1 or more")
        if self.remove < 0:
            raise UsageError(f"remove is {self.remove}, but must be 0 or more")

    @property
    def maps(self) -> bool:
        """Whether vectors move, and not only their numbers are rounded."""
        return self.dim is not None or self.remove > 0


@dataclass(frozen=True, eq=False)
class Map:
    """An affine map of vectors: ``mean`` (dim,) is taken from each, and then only its places along
    ``directions`` (any number, dim) are kept, or with ``removes`` everything else."""

    mean: Floats
    directions: Floats
    removes: bool

    @property
    def dim(self) -> int:
        """How many numbers a mapped vector has."""
        return len(self.mean if self.removes else self.directions)

    def __call__(self, rows: NDArray[Any]) -> Rows:
        centred = rows - self.mean
        if self.removes:
            return without(centred, self.directions)
        return (centred @ self.directions.T).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Reduced:
    """Smaller vectors, and what is left in them.

    ``explained`` is the share of the variance that the kept dimensions have, None where all were
    kept. ``cosine`` is the mean cosine between vectors before and after their numbers were rounded,
    None where they were not.
    """

    vectors: Vectors
    explained: float | None = None
    cosine: float | None = None


def reduced(vectors: Vectors, reduction: Reduction, jobs: int = 1) -> Reduced:
    """The vectors made smaller; ``jobs`` threads change no number.

    The signature says what was done (``reduction``), the state holds ``reduction_mean`` and
    ``reduction_directions`` of the map. What training needs to go on is gone. Raises GaiError where
    there are not as many dimensions or words as asked for, and for numbers too large for float16.
    """
    kept = first_words(vectors, reduction.top)
    move, explained = None, None
    if reduction.maps:
        move, explained = learned(kept, reduction, jobs)
        kept = mapped(kept, move, jobs)
    wanted, near = reduction.numbers or vectors.dtype.name, None
    if wanted != kept.dtype.name:
        kept, near = with_numbers(kept, wanted, jobs)
    kept.signature = described(vectors, reduction, explained, near)
    if move is not None:
        kept.state = {"reduction_mean": move.mean, "reduction_directions": move.directions}
    return Reduced(kept, explained, near)


def described(
    vectors: Vectors, reduction: Reduction, explained: float | None, cosine: float | None
) -> dict[str, Any]:
    """The signature of reduced vectors; an earlier reduction stands within the later one."""
    made = as_dict(reduction) | {"explained": explained, "cosine": cosine}
    if (earlier := vectors.signature.get("reduction")) is not None:
        made["after"] = earlier
    return {**vectors.signature, "reduction": made}


def first_words(vectors: Vectors, top: int | None) -> Vectors:
    """The vectors of the first ``top`` words, without what training needs."""
    count = min(len(vectors), top or len(vectors))
    scales, counts, parts = vectors.scales, vectors.counts, vectors.subwords
    plain = vectors.dtype == np.float32
    return Vectors(
        vectors.words[:count],
        vectors.block(0, count) if plain else vectors.matrix[:count],
        scales=None if scales is None else scales[:count],
        counts=None if counts is None else counts[:count],
        subwords=None if parts is None else replace(parts, words=parts.words[:count]),
    )


def learned(vectors: Vectors, reduction: Reduction, jobs: int = 1) -> tuple[Map, float]:
    """The map for these vectors, and the share of their variance that it keeps."""
    first, last = reduction.remove, reduction.remove + (reduction.dim or 0)
    check_rank(vectors, max(last, first + 1), reduction)
    mean = mean_of(vectors)
    spread = covariance(vectors, mean, jobs)
    directions, variances = strongest(spread, vectors.dim)
    total = float(variances.sum())
    if total == 0:
        raise GaiError("all vectors are the same: they have no principal components")
    if reduction.dim is None:
        return Map(mean, directions[:first], True), float(variances[first:].sum()) / total
    return Map(mean, directions[first:last], False), float(variances[first:last].sum()) / total


def check_rank(vectors: Vectors, needed: int, reduction: Reduction) -> None:
    """Raises GaiError where the vectors have fewer than ``needed`` principal components."""
    there = min(vectors.dim, len(vectors))
    if needed <= there:
        return
    size = f"{len(vectors):,} words with {vectors.dim} dimensions"
    asked = f"{reduction.dim} dimensions to keep" if reduction.dim else "dimension left"
    after = f" after {reduction.remove} are taken away" if reduction.remove else ""
    raise GaiError(f"{size} have no {asked}{after}", f"they have {there} at most")


def mean_of(vectors: Vectors) -> Floats:
    """The mean of all vectors: float64 (dim,)."""
    total = np.zeros(vectors.dim)
    for _, rows in checked(vectors):
        total += rows.sum(axis=0, dtype=np.float64)
    return total / max(len(vectors), 1)


def checked(vectors: Vectors) -> Blocks:
    """All vectors in blocks; raises GaiError where a number is NaN or infinite."""
    for first, rows in vectors.blocks():
        vectors.check(first, rows)
        yield first, rows


def covariance(vectors: Vectors, mean: Floats, jobs: int = 1) -> Floats:
    """The sum of ``(x - mean) (x - mean)'`` over all vectors: float64 (dim, dim)."""
    total = np.zeros((vectors.dim, vectors.dim))
    with one_blas_thread():
        for part in in_order(lambda block: gram(block[1] - mean), vectors.blocks(), jobs):
            total += part
    return total


def mapped(vectors: Vectors, move: Map, jobs: int = 1) -> Vectors:
    """All vectors, and the parts of words, moved."""
    parts = vectors.subwords
    if parts is not None:
        words = mapped_rows(parts.words, move, jobs)
        parts = replace(parts, words=words, buckets=mapped_rows(parts.buckets, move, jobs))
    rows = np.empty((len(vectors), move.dim), np.float32)
    fill(rows, vectors.blocks(), move, jobs)
    return Vectors(vectors.words, rows, counts=vectors.counts, subwords=parts)


def mapped_rows(matrix: NDArray[Any], move: Map, jobs: int) -> Rows:
    """The rows of a matrix moved: float32."""
    rows = np.empty((len(matrix), move.dim), np.float32)
    fill(rows, blocks_of(matrix), move, jobs)
    return rows


def blocks_of(matrix: NDArray[Any]) -> Blocks:
    """The rows of a matrix as float32, some at a time."""
    step = max(1, BLOCK // max(1, 4 * matrix.shape[1]))
    for first in range(0, len(matrix), step):
        yield first, matrix[first : first + step].astype(np.float32, copy=False)


def fill(rows: Rows, blocks: Blocks, change: Callable[[Rows], Rows], jobs: int) -> None:
    """Writes what becomes of all blocks to their places in ``rows``."""
    with one_blas_thread():
        for first, new in in_order(lambda block: (block[0], change(block[1])), blocks, jobs):
            rows[first : first + len(new)] = new


def with_numbers(vectors: Vectors, numbers: str, jobs: int = 1) -> tuple[Vectors, float]:
    """The vectors in smaller numbers, and the mean cosine of a vector with what it was before.

    Vectors of zeros do not count.
    """
    matrix = np.empty((len(vectors), vectors.dim), numbers)
    scales = np.zeros(len(vectors), np.float32)
    total, filled = 0.0, 0
    work = partial(rounded, numbers=numbers)
    for first, small, scale, cosines in in_order(work, checked(vectors), jobs):
        matrix[first : first + len(small)] = small
        scales[first : first + len(small)] = scale
        total, filled = total + float(cosines.sum()), filled + len(cosines)
    made = Vectors(
        vectors.words,
        matrix,
        scales=scales if numbers == "int8" else None,
        counts=vectors.counts,
        subwords=rounded_parts(vectors, numbers),
    )
    return made, total / max(filled, 1)


def rounded(block: tuple[int, Rows], numbers: str) -> tuple[int, NDArray[Any], Rows, Floats]:
    """The place of a block, its rows in smaller numbers, the scale of each row, and the cosine with
    what it was of each row but those of zeros."""
    first, rows = block
    if numbers == "int8":
        small, scales = to_int8(rows)
    else:
        small, scales = to_float(rows, numbers), np.ones(len(rows), np.float32)
    filled = np.flatnonzero(rows.any(axis=1))
    back = small[filled].astype(np.float32) * scales[filled, None]
    return first, small, scales, cosine(unit(rows[filled]), back)


def to_int8(rows: Rows) -> tuple[NDArray[np.int8], Rows]:
    """The rows as int8 and the scale of each; a row of zeros has the scale 0."""
    scales = (np.abs(rows).max(axis=1, initial=0.0) / LEVELS).astype(np.float32)
    divisors = np.where(scales > 0, scales, 1)[:, None]
    return np.clip(np.rint(rows / divisors), -LEVELS, LEVELS).astype(np.int8), scales


def to_float(rows: Rows, numbers: str) -> NDArray[Any]:
    """The rows as float16 or float32; raises GaiError for numbers that float16 cannot hold."""
    with np.errstate(over="ignore"):
        small = rows.astype(numbers)
    if not np.isfinite(small).all():
        raise GaiError(
            f"{np.abs(rows).max():.6g} is too large for float16, which ends at 65504",
            "--numbers int8 has a scale for each word",
        )
    return small


def rounded_parts(vectors: Vectors, numbers: str) -> Any:
    """The parts of words in smaller numbers: float16 where words have int8, for these have no
    scales."""
    parts = vectors.subwords
    if parts is None or numbers == "float32":
        return parts
    words, buckets = (np.empty(rows.shape, np.float16) for rows in (parts.words, parts.buckets))
    for made, matrix in ((words, parts.words), (buckets, parts.buckets)):
        for first, rows in blocks_of(matrix):
            made[first : first + len(rows)] = to_float(rows, "float16")
    return replace(parts, words=words, buckets=buckets)
