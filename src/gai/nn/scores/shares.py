"""Precision, recall and F1 from counts, and numbers as JSON takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class LabelScore:
    """How well one label was found; ``support`` is how many examples have it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


def divided(above: ArrayLike, below: ArrayLike) -> Floats:
    """``above`` over ``below``, 0 where that is 0 over 0 (as scikit-learn has it)."""
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    shares: Floats = np.zeros(np.broadcast_shapes(above.shape, below.shape))
    np.divide(above, below, out=shares, where=below > 0)
    return shares


def f1(right: NDArray[Any], given: NDArray[Any], support: NDArray[Any]) -> Floats:
    """2 right / (given + support): the harmonic mean of precision and recall."""
    return divided(2 * right, given + support)


def mean_f1(right: NDArray[Any], given: NDArray[Any], support: NDArray[Any]) -> Floats:
    """The mean F1, over the last axis, of the labels that were right or given anywhere.

    A label that is in neither says nothing, and does not count; NaN where there is no other.
    """
    occur = ((given + support) > 0).sum(-1)
    total = f1(right, given, support).sum(-1)
    return np.where(occur > 0, divided(total, occur), np.nan)


def rows_of(
    labels: Sequence[str], right: Counts, given: Counts, support: Counts
) -> tuple[LabelScore, ...]:
    """The scores of each label that ``right`` answers of the ``given`` ones make."""
    columns = divided(right, given), divided(right, support), f1(right, given, support), support
    cells = (column.tolist() for column in columns)
    return tuple(LabelScore(*row) for row in zip(labels, *cells, strict=True))


def plain(scores: Mapping[str, float]) -> dict[str, float | None]:
    """The same for JSON, which has no NaN and no infinity: these become None."""
    return {name: score if isfinite(score) else None for name, score in scores.items()}


def plain_rows(rows: Iterable[LabelScore]) -> list[dict[str, Any]]:
    """The rows for JSON."""
    return [vars(row).copy() for row in rows]
