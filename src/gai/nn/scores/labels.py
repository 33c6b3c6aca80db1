"""Scores where one label is right: of an example (classification) or of a token (tagging).

The target -1 is a label that training never saw. It cannot be given, so it is always wrong: it
lowers the accuracy, and for macro F1 all such examples are one more class whose F1 is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.nn.data.arrays import IGNORED
from gai.nn.scores.calibration import calibration_error
from gai.nn.scores.intervals import Interval, between, sums_of_draws
from gai.nn.scores.shares import Counts, Floats, LabelScore, mean_f1, plain, plain_rows, rows_of

UNSEEN = -1
"""The target that is a label which training never saw."""

SMALLEST = float(np.finfo(np.float64).eps)
"""The smallest probability of the log loss, as scikit-learn has it."""


@dataclass(frozen=True, eq=False)
class Answers:
    """How often each label was given where each was right.

    ``confusion`` [K, K] has a row for each right label and a column for each given one; ``missed``
    [K] counts the labels given to examples whose right label training never saw.
    """

    labels: tuple[str, ...]
    confusion: Counts
    missed: Counts

    @property
    def unseen(self) -> int:
        """How many examples have a label that training never saw."""
        return int(self.missed.sum())

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return int(self.confusion.sum()) + self.unseen

    @cached_property
    def rows(self) -> tuple[LabelScore, ...]:
        """Precision, recall and F1 of each label; 0 where they are 0 over 0."""
        return rows_of(self.labels, *self._counts)

    @cached_property
    def accuracy(self) -> float:
        """The share of right answers; NaN without examples."""
        return int(self.confusion.trace()) / self.examples if self.examples else nan

    @cached_property
    def macro_f1(self) -> float:
        """The mean F1 of the labels that were right or given anywhere."""
        return float(_macro_f1(*self._counts, np.array(self.unseen)))

    @cached_property
    def majority(self) -> float:
        """The share of the commonest right label: the accuracy of always giving that one."""
        return int(self._counts[2].max(initial=0)) / self.examples if self.examples else nan

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "majority": self.majority,
        }

    def as_dict(self) -> dict[str, Any]:
        """All that is known, for JSON; NaN is None."""
        return {
            **plain(self.summary()),
            "examples": self.examples,
            "unseen": self.unseen,
            "labels": plain_rows(self.rows),
            "confusion": self.confusion.tolist(),
        }

    def intervals(
        self, *, draws: int = 1000, level: float = 0.95, seed: int = 0
    ) -> dict[str, Interval]:
        """Bootstrap intervals of accuracy and macro F1."""
        cells = np.vstack([self.confusion, self.missed])
        right, given = np.nonzero(cells)
        each = np.arange(len(right))
        rows = sums_by_row(each, len(each), right, given, len(self.labels))
        sums = sums_of_draws(rows, cells[right, given], draws=draws, seed=seed)
        return _intervals(sums, level)

    @cached_property
    def _counts(self) -> tuple[Counts, Counts, Counts]:
        """Right answers, answers, and examples, by label."""
        given = self.confusion.sum(0) + self.missed
        return self.confusion.diagonal(), given, self.confusion.sum(1)


@dataclass(frozen=True, eq=False)
class Classification(Answers):
    """The same where answers come with probabilities.

    ``calibration_error``: how far the probability of the answer is from the share of right ones,
    on average. ``log_loss``: mean of -log(probability of the right label), in nats, over the
    examples whose label has one.
    """

    calibration_error: float
    log_loss: float

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "log_loss": self.log_loss,
            "calibration_error": self.calibration_error,
            "majority": self.majority,
        }


@dataclass(frozen=True, eq=False)
class Tagging(Answers):
    """The same for tokens; ``examples`` are tokens.

    Where ``lengths`` are known, intervals come from drawing whole sequences, since the tokens of
    one sentence are alike.
    """

    targets: NDArray[np.int64] = field(repr=False)
    predictions: NDArray[np.int64] = field(repr=False)
    lengths: NDArray[np.int64] | None = field(repr=False)

    def intervals(
        self, *, draws: int = 1000, level: float = 0.95, seed: int = 0
    ) -> dict[str, Interval]:
        """Bootstrap intervals of accuracy and macro F1."""
        if self.lengths is None:
            return super().intervals(draws=draws, level=level, seed=seed)
        K = len(self.labels)
        sequence = np.repeat(np.arange(len(self.lengths)), self.lengths)
        known = self.targets != IGNORED
        right = np.where(self.targets == UNSEEN, K, self.targets)[known]
        given = self.predictions[known]
        rows = sums_by_row(sequence[known], len(self.lengths), right, given, K)
        return _intervals(sums_of_draws(rows, draws=draws, seed=seed), level)


def classification(
    targets: NDArray[np.int64], probabilities: NDArray[Any], labels: Sequence[str]
) -> Classification:
    """The scores of probabilities [n, K] where the right classes are ``targets`` [n].

    The answer is the most probable label, the first of several equal ones.
    """
    given = np.argmax(probabilities, axis=1).astype(np.int64)
    top = np.asarray(probabilities[np.arange(len(given)), given], np.float64)
    return Classification(
        tuple(labels),
        *confusion(targets, given, len(labels)),
        calibration_error(top, given == targets),
        log_loss(targets, probabilities),
    )


def tagging(
    targets: NDArray[np.int64],
    predictions: NDArray[np.int64],
    labels: Sequence[str],
    lengths: NDArray[np.int64] | None = None,
) -> Tagging:
    """The scores of tags, of one sequence after the other: [N] each.

    Tokens whose target is ``IGNORED`` do not count. ``lengths`` are those of the sequences.
    """
    known = targets != IGNORED
    counts = confusion(targets[known], predictions[known], len(labels))
    return Tagging(tuple(labels), *counts, targets, predictions, lengths)


def confusion(
    targets: NDArray[np.int64], given: NDArray[np.int64], classes: int
) -> tuple[Counts, Counts]:
    """How often each of K classes was given, for each right one [K, K] and for unseen ones [K]."""
    rows = np.where(targets == UNSEEN, classes, targets)
    cells = np.bincount(rows * classes + given, minlength=(classes + 1) * classes)
    table = cells.reshape(classes + 1, classes)
    return table[:classes], table[classes]


def log_loss(targets: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """The mean of -log(probability of the right class), in nats; NaN where none is known."""
    known = np.flatnonzero(targets != UNSEEN)
    if not len(known):
        return nan
    right = np.asarray(probabilities[known, targets[known]], np.float64)
    return float(-np.log(np.clip(right, SMALLEST, 1)).mean())


def _macro_f1(
    right: NDArray[Any], given: NDArray[Any], support: NDArray[Any], unseen: NDArray[Any]
) -> Floats:
    """The mean F1 of the labels [..., K], with those that training never saw as one more."""
    none = np.zeros_like(unseen)[..., None]
    return mean_f1(
        np.concatenate([right, none], -1),
        np.concatenate([given, none], -1),
        np.concatenate([support, unseen[..., None]], -1),
    )


def sums_by_row(
    row: NDArray[np.int64], rows: int, right: NDArray[np.int64], given: NDArray[np.int64], K: int
) -> Any:
    """Counts by row, sparse [rows, 3 K + 1]: right answers, answers, examples (unseen last)."""
    from scipy.sparse import csr_array

    hit = right == given
    columns = np.concatenate([right[hit], K + given, 2 * K + right])
    places = np.concatenate([row[hit], row, row])
    return csr_array((np.ones(len(columns)), (places, columns)), shape=(rows, 3 * K + 1))


def scores_of(sums: Floats) -> dict[str, Floats]:
    """Accuracy and macro F1 of each draw, whose sums [draws, 3 K + 1] these are."""
    K = sums.shape[1] // 3
    right, given, support, unseen = np.split(sums, [K, 2 * K, 3 * K], axis=1)
    examples = sums[:, 2 * K :].sum(1)
    accuracies = np.where(examples > 0, right.sum(1) / np.maximum(examples, 1), np.nan)
    return {
        "accuracy": accuracies,
        "macro_f1": _macro_f1(right, given, support, unseen[:, 0]),
    }


def _intervals(sums: Floats, level: float) -> dict[str, Interval]:
    """The intervals that the sums of draws make."""
    return {name: between(values, level) for name, values in scores_of(sums).items()}
