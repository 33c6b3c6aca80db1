"""Scores where an example has several labels, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.intervals import Interval, between, sums_of_draws
from gai.nn.scores.shares import Floats, LabelScore, mean_f1, plain, plain_rows, rows_of


@dataclass(frozen=True, eq=False)
class Multilabel:
    """How well sets of labels were found.

    ``subset_accuracy`` is the share of examples all of whose labels are right; ``micro_f1`` counts
    the labels of all examples together, ``macro_f1`` is the mean F1 of the labels that were right
    or given anywhere. NaN without examples, or without a label.
    """

    labels: tuple[str, ...]
    subset_accuracy: float
    micro_f1: float
    macro_f1: float
    rows: tuple[LabelScore, ...]
    targets: NDArray[np.bool_] = field(repr=False)
    given: NDArray[np.bool_] = field(repr=False)

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        return {
            "subset_accuracy": self.subset_accuracy,
            "micro_f1": self.micro_f1,
            "macro_f1": self.macro_f1,
        }

    def as_dict(self) -> dict[str, Any]:
        """All that is known, for JSON; NaN is None."""
        return {
            **plain(self.summary()),
            "examples": len(self.targets),
            "labels": plain_rows(self.rows),
        }

    def intervals(
        self, *, draws: int = 1000, level: float = 0.95, seed: int = 0
    ) -> dict[str, Interval]:
        """Bootstrap intervals of all scores."""
        rows = sums_by_row(self.targets, self.given)
        drawn = scores_of(sums_of_draws(rows, draws=draws, seed=seed))
        return {name: between(values, level) for name, values in drawn.items()}


def multilabel(
    targets: NDArray[Any],
    probabilities: NDArray[Any],
    labels: Sequence[str],
    threshold: float = 0.5,
) -> Multilabel:
    """The scores of the labels whose probability is above the threshold; both arrays [n, K]."""
    right, given = np.asarray(targets) > 0.5, np.asarray(probabilities) > threshold
    counts = (right & given).sum(0), given.sum(0), right.sum(0)
    exact = (right == given).all(1).sum()
    scores = scores_of(np.concatenate([[len(right), exact], *counts]).astype(np.float64)[None])
    one = {name: float(values[0]) for name, values in scores.items()}
    return Multilabel(
        tuple(labels), **one, rows=rows_of(labels, *counts), targets=right, given=given
    )


def sums_by_row(targets: NDArray[np.bool_], given: NDArray[np.bool_]) -> Any:
    """What each example adds to the sums that scores are made of, sparse [n, 2 + 3 K]."""
    from scipy.sparse import csr_array

    one = np.ones((len(targets), 1), bool)
    exact = (targets == given).all(1, keepdims=True)
    return csr_array(np.hstack([one, exact, targets & given, given, targets])).astype(np.float64)


def scores_of(sums: Floats) -> dict[str, Floats]:
    """The scores of sums [draws, 2 + 3 K]: examples, exact ones, and of each label how often it was
    found, given, and right."""
    K = (sums.shape[1] - 2) // 3
    examples, exact = sums[:, 0], sums[:, 1]
    found, given, right = np.split(sums[:, 2:], [K, 2 * K], axis=1)
    totals = [part.sum(1, keepdims=True) for part in (found, given, right)]
    return {
        "subset_accuracy": np.where(examples > 0, exact / np.maximum(examples, 1), nan),
        "micro_f1": mean_f1(*totals),
        "macro_f1": mean_f1(found, given, right),
    }
