"""Curves of activations and losses, against their formulas and against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from gai.nn import names
from gai.nn.net.curves import Curve, of_activation, of_loss

Floats = NDArray[np.float64]
Formula = Callable[[Floats], Floats]


def sigmoid(x: Floats) -> Floats:
    made: Floats = 1 / (1 + np.exp(-x))
    return made


ACTIVATIONS: dict[str, Formula] = {
    "linear": lambda x: x,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "prelu": lambda x: np.where(x > 0, x, 0.25 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "gelu": lambda x: np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x]),
    "swish": lambda x: x * sigmoid(x),
    "softmax": lambda x: np.exp(x) / (np.exp(x) + 1),
}

LOSSES: dict[str, Formula] = {
    "mse": lambda x: x**2,
    "mae": np.abs,
    "huber": lambda x: np.where(abs(x) < 1, x**2 / 2, abs(x) - 0.5),
    "bce": lambda x: -np.log(sigmoid(x)),
    "cross-entropy": lambda x: np.log(1 + np.exp(-x)),
    "hinge": lambda x: np.maximum(0, 1 - x) / 2,  # torch divides by the number of classes
    "kl": lambda x: 0.8 * np.log(0.8 / sigmoid(x)) + 0.2 * np.log(0.2 / sigmoid(-x)),
    "focal": lambda x: -((1 - sigmoid(x)) ** 2) * np.log(sigmoid(x)),
}


@pytest.mark.parametrize("name", names.ACTIVATIONS)
def test_an_activation_and_its_slope_are_those_of_its_formula(name: str) -> None:
    check(of_activation(name), ACTIVATIONS[name])


@pytest.mark.parametrize("name", names.SUPERVISED)
def test_a_loss_and_its_slope_are_those_of_its_formula(name: str) -> None:
    check(of_loss(name), LOSSES[name])


def check(curve: Curve, formula: Formula) -> None:
    assert curve.values == pytest.approx(formula(curve.x), abs=1e-9)
    h = 1e-6
    ahead, behind = formula(curve.x + h), formula(curve.x - h)
    left = (formula(curve.x) - behind) / h
    right = (ahead - formula(curve.x)) / h
    smooth = abs(left - right) < 1e-3  # nothing is said of corners
    assert smooth.sum() >= len(smooth) - 2
    assert curve.slopes[smooth] == pytest.approx(((ahead - behind) / (2 * h))[smooth], abs=1e-5)


def test_options_change_what_they_are_for() -> None:
    leaky = of_activation("leaky-relu", 0.5)
    assert leaky.values[0] == -2.5
    assert of_loss("huber", huber_delta=3.0).slopes.max() == 3.0
    easy = of_loss("focal", focal_gamma=0.0)
    assert easy.values == pytest.approx(of_loss("cross-entropy").values)


def test_relu_has_no_slope_at_its_corner() -> None:
    curve = of_activation("relu")
    assert curve.slopes[curve.x == 0] == 0.0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("linear", None, None), ("relu", 0.0, None), ("sigmoid", -2.9, 2.9), ("tanh", -2.2, 2.2)],
)
def test_flat_ends_are_where_the_slope_stays_below_a_twentieth(
    name: str, low: float | None, high: float | None
) -> None:
    curve = of_activation(name)
    found = curve.flat()
    assert found == (
        None if low is None else pytest.approx(low, abs=0.06),
        None if high is None else pytest.approx(high, abs=0.06),
    )
    if found[1] is not None:
        assert abs(curve.slopes[curve.x >= found[1]]).max() < 0.05
