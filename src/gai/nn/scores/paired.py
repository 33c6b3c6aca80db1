"""What each example adds to a model's scores: models that answered the same examples are compared
by drawing the same examples for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.nn.data.arrays import IGNORED
from gai.nn.scores import labels, numbers, several
from gai.nn.scores.intervals import Difference, difference, drawn_together
from gai.nn.scores.labels import SMALLEST, UNSEEN
from gai.nn.scores.shares import Floats


@dataclass(frozen=True, eq=False)
class Sums:
    """What each example, or sequence, or piece of a text adds up to: ``rows`` [n, s], dense or
    sparse; ``scores_of`` makes scores of sums [draws, s]. ``right`` [n] are the examples that were
    answered rightly, where that is a question."""

    rows: Any
    scores_of: Callable[[Floats], Mapping[str, Floats]]
    right: NDArray[np.bool_] | None = None

    def scores(self) -> dict[str, float]:
        """The scores of all examples."""
        sums = np.asarray(self.rows.sum(0), np.float64).reshape(1, -1)
        return {name: float(value[0]) for name, value in self.scores_of(sums).items()}


def of_labels(targets: NDArray[np.int64], probabilities: NDArray[Any]) -> Sums:
    """Those of one label an example: accuracy, macro F1 and log loss.

    The log loss is over the examples whose label has a probability.
    """
    from scipy.sparse import csr_array, hstack

    n, K = probabilities.shape
    given = probabilities.argmax(1).astype(np.int64)
    known = targets != UNSEEN
    right = np.where(known, targets, K)
    counts = labels.sums_by_row(np.arange(n), n, right, given, K)
    sure = np.asarray(probabilities[np.arange(n), np.where(known, targets, 0)], np.float64)
    nats = np.where(known, -np.log(np.clip(sure, SMALLEST, 1)), 0.0)
    rows = hstack([counts, csr_array(np.stack([known, nats], 1))], format="csr")

    def scores_of(sums: Floats) -> dict[str, Floats]:
        counted, surprised = sums[:, -2], sums[:, -1]
        loss = np.where(counted > 0, surprised / np.maximum(counted, 1), np.nan)
        return {**labels.scores_of(sums[:, :-2]), "log_loss": loss}

    return Sums(rows, scores_of, right=given == targets)


def of_tags(
    targets: NDArray[np.int64], given: NDArray[np.int64], lengths: NDArray[np.int64], K: int
) -> Sums:
    """Those of tags [N], one sequence after the other: accuracy and macro F1; sequences are
    drawn."""
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    known = targets != IGNORED
    right = np.where(targets == UNSEEN, K, targets)[known]
    rows = labels.sums_by_row(sequence[known], len(lengths), right, given[known], K)
    return Sums(rows, labels.scores_of)


def of_several(targets: NDArray[Any], probabilities: NDArray[Any], threshold: float = 0.5) -> Sums:
    """Those of several labels an example; right are the examples all of whose labels are."""
    wanted, given = np.asarray(targets) > 0.5, np.asarray(probabilities) > threshold
    right = (wanted == given).all(1)
    return Sums(several.sums_by_row(wanted, given), several.scores_of, right)


def of_numbers(targets: Floats, predictions: Floats) -> Sums:
    """Those of numbers [n, k]."""
    return Sums(numbers.sums_by_row(targets, predictions), numbers.scores_of)


def of_texts(nats: Floats, tokens: Floats, characters: Floats, bytes: Floats) -> Sums:
    """Those of the pieces of a text [n] each: how surprising they are, and how long."""
    rows = np.stack([nats, tokens, characters, bytes], 1).astype(np.float64)

    def scores_of(sums: Floats) -> dict[str, Floats]:
        loss = sums[:, 0] / np.maximum(sums[:, 1], 1)
        bits = sums[:, 0] / log(2)
        with np.errstate(over="ignore"):
            perplexity = np.exp(loss)
        return {
            "loss": loss,
            "perplexity": perplexity,
            "bits_per_character": bits / np.maximum(sums[:, 2], 1),
            "bits_per_byte": bits / np.maximum(sums[:, 3], 1),
        }

    return Sums(rows, scores_of)


def differences(
    models: Sequence[Sums], *, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> list[dict[str, Difference]]:
    """How much each model but the first differs from it, by score; the draws are the same for all.

    The models were asked about the same n examples, in the same order.
    """
    sums = drawn_together([model.rows for model in models], draws=draws, seed=seed)
    drawn = [model.scores_of(found) for model, found in zip(models, sums, strict=True)]
    whole = [model.scores() for model in models]
    return [
        {
            name: difference(scores[name] - whole[0][name], values[name] - drawn[0][name], level)
            for name in scores
            if name in whole[0]
        }
        for scores, values in zip(whole[1:], drawn[1:], strict=True)
    ]


class Counts(NamedTuple):
    """How many examples both models answer rightly, only the first, only the second, neither; and
    how often chance alone tells them apart as much."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Counts:
    """The counts of McNemar's test (1947) for two models on the same examples.

    p is exact: twice the binomial probability, at 1/2, of at most the smaller of the two counts
    that differ among both; at most 1.
    """
    from scipy.special import bdtr

    one, other = int((first & ~second).sum()), int((second & ~first).sum())
    n = one + other
    p = min(2 * float(bdtr(min(one, other), n, 0.5)), 1.0) if n else 1.0
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    return Counts(both, one, other, neither, p)
