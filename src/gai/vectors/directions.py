"""Directions: what all rows of a matrix have in common, and the rows without it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]


def gram(rows: NDArray[Any]) -> Floats:
    """The sum of all ``x x'`` over the rows ``x``: float64 (dim, dim)."""
    wide = rows.astype(np.float64, copy=False)
    total: Floats = wide.T @ wide
    return total


def strongest(gram: Floats, count: int) -> tuple[Floats, Floats]:
    """The ``count`` directions in which the rows behind ``gram`` reach farthest, float64
    (count, dim), and the sum of the squares along each, float64 (count,), largest first.

    These are the right singular vectors of the rows, or the principal components where the rows
    were centred: the eigenvectors of ``gram``, and its eigenvalues. The largest number of each is
    positive, so that the sign is no matter of chance.
    """
    values, found = np.linalg.eigh(gram)
    directions = found[:, ::-1][:, :count].T
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    turned = np.ascontiguousarray(directions * np.where(largest < 0, -1.0, 1.0))
    return turned, np.maximum(values[::-1][:count], 0.0)


def without(rows: NDArray[Any], directions: Floats) -> Rows:
    """The rows without their share of orthonormal directions (any number, dim): float32."""
    if not len(directions):
        return rows.astype(np.float32, copy=False)
    wide = rows.astype(np.float64, copy=False)
    return (wide - (wide @ directions.T) @ directions).astype(np.float32)
