"""Boosting: which examples the next network looks at more, and what the last one's answer weighs.

SAMME for classes (Zhu, Zou, Rosset and Hastie 2009, Multi-class AdaBoost), AdaBoost.R2 with linear
loss for numbers (Drucker 1997, Improving regressors using boosting techniques), as scikit-learn has
them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Step(NamedTuple):
    """The weight of a network's answer, and those of the examples for the next network [n].

    A weight of 0 says that the network is too weak to count.
    """

    weight: float
    examples: Floats


def even(count: int) -> Floats:
    """The weights of examples that nobody has seen yet."""
    return np.full(count, 1 / count)


def drawn(examples: Floats, seed: int) -> Rows:
    """As many examples as there are, drawn by their weights with replacement."""
    random = np.random.default_rng((seed, 3))
    return random.choice(len(examples), size=len(examples), p=examples)


def samme(missed: NDArray[np.bool_], examples: Floats, classes: int) -> Step:
    """ln((1 - e) / e) + ln(K - 1), where e is the weight of the examples that were missed [n];
    these weigh more by exp of that.

    At e = 1 - 1 / K, as chance has it, the weight is 0; an e of 0 counts as half an example.
    """
    error = float(examples[missed].sum())
    if error >= 1 - 1 / classes:
        return Step(0.0, examples)
    error = max(error, 0.5 / len(examples))
    weight = math.log((1 - error) / error) + math.log(classes - 1)
    heavier = examples * np.exp(weight * missed)
    return Step(weight, heavier / heavier.sum())


def adaboost_r2(errors: Floats, examples: Floats) -> Step:
    """ln(1 / b), b = L / (1 - L), where L is the mean of the absolute errors [n] as shares of the
    largest; examples weigh less by b^(1 - share).

    From L = 1/2 on the weight is 0; where there are no errors it is 1.
    """
    largest = float(errors.max())
    if largest <= 0:
        return Step(1.0, examples)
    shares = errors / largest
    loss = float(examples @ shares)
    if loss >= 0.5:
        return Step(0.0, examples)
    beta = loss / (1 - loss)
    lighter = examples * beta ** (1 - shares)
    return Step(math.log(1 / beta), lighter / lighter.sum())
