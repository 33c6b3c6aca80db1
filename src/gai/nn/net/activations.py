"""Activations by name, as ``gai.nn.names.ACTIVATIONS`` lists them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

MODULES: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "swish": nn.SiLU,
    "softmax": partial(nn.Softmax, dim=-1),
}


def activation(name: str, negative_slope: float = 0.01) -> nn.Module:
    """A new module that applies this activation; only leaky-relu looks at ``negative_slope``.

    New each time, because a PReLU has a weight that two layers must not share by accident.
    """
    return nn.LeakyReLU(negative_slope) if name == "leaky-relu" else MODULES[name]()
