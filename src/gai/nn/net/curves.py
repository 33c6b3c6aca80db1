"""Activations and losses as curves: values and, by torch's own gradients, derivatives.

They are those of the functions that networks are trained with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gai.nn.config import Config
from gai.nn.net import losses
from gai.nn.net.activations import activation
from gai.nn.net.units import FLAT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A function at ``x``: its values and its derivatives; ``about`` says what x is."""

    name: str
    about: str
    x: Floats
    values: Floats
    slopes: Floats

    def flat(self) -> tuple[float | None, float | None]:
        """Below and above which x the slope stays under ``FLAT`` to the end; None where it ends
        steep."""
        steep = np.flatnonzero(abs(self.slopes) >= FLAT)
        if not len(steep):
            return None, None
        first, last = int(steep[0]), int(steep[-1])
        low = float(self.x[first - 1]) if first > 0 else None
        return low, float(self.x[last + 1]) if last < len(self.x) - 1 else None


def of_activation(name: str, negative_slope: float = 0.01) -> Curve:
    """An activation from -5 to 5; softmax is the share of the first of two units, the other at 0.

    Where there is no derivative it is the one that torch goes by: 0 at the corner of relu.
    """
    about = "input; the other unit is at 0" if name == "softmax" else "input"
    module = activation(name, negative_slope).double()
    if name == "softmax":
        return drawn(name, about, lambda x: module(beside_zero(x))[:, 0], 5.0)
    return drawn(name, about, module, 5.0)


@dataclass(frozen=True)
class Placed:
    """What x is to a loss of a ``task``: an output [1, 1], or by ``margin`` the first of two scores
    [1, 2], of which the other is 0."""

    about: str
    task: str
    target: int | tuple[float, ...]
    margin: bool = False
    several: bool = False


ERROR = Placed("prediction minus target", "regress", (0.0,))
MARGIN = Placed("right score minus other", "classify", 0, margin=True)
SHARES = Placed("score minus other; right is 0.8 to 0.2", "classify", (0.8, 0.2), margin=True)
LABEL = Placed("score of a label that is there", "classify", (1.0,), several=True)

PLACES = {
    **dict.fromkeys(("mse", "mae", "huber"), ERROR),
    **dict.fromkeys(("cross-entropy", "hinge", "focal"), MARGIN),
    "bce": LABEL,
    "kl": SHARES,  # where one class is right it is cross-entropy
}
"""How each loss is seen."""


def of_loss(name: str, *, huber_delta: float = 1.0, focal_gamma: float = 2.0) -> Curve:
    """The loss of one example from -4 to 4, as ``PLACES`` says."""
    place = PLACES[name]
    config = Config(loss=name, huber_delta=huber_delta, focal_gamma=focal_gamma)
    loss = losses.loss(config, task=place.task, several_labels=place.several)
    kind = torch.int64 if isinstance(place.target, int) else torch.float64
    target = torch.tensor([place.target], dtype=kind)

    def each(x: Tensor) -> Tensor:
        outputs = beside_zero(x) if place.margin else x[:, None]
        return torch.stack([loss(one, target) for one in torch.split(outputs, 1)])

    return drawn(name, place.about, each, 4.0)


def beside_zero(x: Tensor) -> Tensor:
    """Rows [n, 2] of a number and 0."""
    return torch.stack([x, torch.zeros_like(x)], 1)


def drawn(name: str, about: str, function: Callable[[Tensor], Tensor], end: float) -> Curve:
    """A function of float64 [n] from ``-end`` to ``end``, twenty points to a unit of x."""
    grid = np.arange(round(-20 * end), round(20 * end) + 1) / 20
    x = torch.tensor(grid, requires_grad=True)
    values = function(x)
    (slopes,) = torch.autograd.grad(values.sum(), x)
    return Curve(name, about, grid, values.detach().numpy(), slopes.numpy())
