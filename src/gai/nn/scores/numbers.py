"""Scores of predicted numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.intervals import Interval, between, sums_of_draws
from gai.nn.scores.shares import Floats, plain


@dataclass(frozen=True, eq=False)
class Regression:
    """How near predictions are: mean squared and mean absolute error, and the root of the former,
    over all outputs; R2, the mean of those of the outputs. NaN without examples.

    R2 = 1 - sum (y - p)^2 / sum (y - mean y)^2 (NaN for fewer than 2 examples; where all y are
    equal 1 for the right answer, else 0, as scikit-learn has it).
    """

    mse: float
    mae: float
    rmse: float
    r2: float
    targets: Floats = field(repr=False)
    predictions: Floats = field(repr=False)

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        return {"mse": self.mse, "mae": self.mae, "rmse": self.rmse, "r2": self.r2}

    def as_dict(self) -> dict[str, Any]:
        """All that is known, for JSON; NaN is None."""
        return {**plain(self.summary()), "examples": len(self.targets)}

    def intervals(
        self, *, draws: int = 1000, level: float = 0.95, seed: int = 0
    ) -> dict[str, Interval]:
        """Bootstrap intervals of all scores."""
        if not len(self.targets):
            return dict.fromkeys(self.summary(), (nan, nan))
        rows = sums_by_row(self.targets, self.predictions)
        drawn = scores_of(sums_of_draws(rows, draws=draws, seed=seed))
        return {name: between(values, level) for name, values in drawn.items()}


def regression(targets: NDArray[Any], predictions: NDArray[Any]) -> Regression:
    """The scores of predictions, both arrays [n, k], or [n] for one output."""
    y, p = (_columns(array) for array in (targets, predictions))
    errors = y - p
    if not len(y):
        return Regression(nan, nan, nan, nan, y, p)
    mse = float((errors**2).mean())
    return Regression(mse, float(np.abs(errors).mean()), sqrt(mse), r2(y, p), y, p)


def sums_by_row(targets: Floats, predictions: Floats) -> Floats:
    """What each example adds to the sums that scores are made of, [n, 1 + 4 k]."""
    errors, y = targets - predictions, targets - targets.mean(0)
    return np.hstack([np.ones((len(y), 1)), np.abs(errors), errors**2, y, y**2])


def scores_of(sums: Floats) -> dict[str, Floats]:
    """The scores of each draw, whose sums [draws, 1 + 4 k] these are."""
    k = sums.shape[1] // 4
    drawn, absolute, squared, total, squares = np.split(sums, [1, 1 + k, 1 + 2 * k, 1 + 3 * k], 1)
    mse = (squared / drawn).mean(1)
    spread = squares - total**2 / drawn
    explained = 1 - squared / np.where(spread > 0, spread, nan)
    mae = (absolute / drawn).mean(1)
    return {"mse": mse, "mae": mae, "rmse": np.sqrt(mse), "r2": explained.mean(1)}


def r2(targets: Floats, predictions: Floats) -> float:
    """The mean, over the columns, of the share of the variance that predictions explain."""
    if len(targets) < 2:
        return nan
    squared = ((targets - predictions) ** 2).sum(0)
    spread = ((targets - targets.mean(0)) ** 2).sum(0)
    differ = (np.ptp(targets, axis=0) > 0) & (spread > 0)  # rounding alone makes a spread, too
    shares = np.divide(squared, spread, out=(squared > 0).astype(np.float64), where=differ)
    return float((1 - shares).mean())


def _columns(array: NDArray[Any]) -> Floats:
    """The array as float64 [n, k]."""
    wide = np.asarray(array, np.float64)
    return wide[:, None] if wide.ndim == 1 else wide
