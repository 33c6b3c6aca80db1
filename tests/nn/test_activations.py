"""Activations by name, against their formulas."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gai.nn.names import ACTIVATIONS
from gai.nn.net.activations import activation

FORMULAS: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": lambda x: 1 - 2 / (math.exp(2 * x) + 1),
    "relu": lambda x: max(0.0, x),
    "leaky-relu": lambda x: x if x > 0 else 0.03 * x,
    "prelu": lambda x: x if x > 0 else 0.25 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "swish": lambda x: x / (1 + math.exp(-x)),
}


def points() -> Tensor:
    return torch.tensor([[-3.0, -1.0, -0.1], [0.2, 1.0, 4.0]], dtype=torch.float64)


@pytest.mark.parametrize("name", FORMULAS)
def test_an_activation_is_its_formula(name: str) -> None:
    x = points()
    found = activation(name, negative_slope=0.03).double()(x)
    assert found.flatten().tolist() == pytest.approx(
        [FORMULAS[name](v) for v in x.flatten().tolist()]
    )


def test_softmax_shares_add_up_to_one_across_the_units() -> None:
    x = points()
    exps = x.exp()
    torch.testing.assert_close(activation("softmax")(x), exps / exps.sum(1, keepdim=True))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_agree_with_finite_differences(name: str) -> None:
    module = activation(name).double()
    assert torch.autograd.gradcheck(module, points().requires_grad_())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_call_makes_a_new_module(name: str) -> None:
    assert activation(name) is not activation(name)


def test_two_prelus_learn_slopes_of_their_own() -> None:
    model = nn.Sequential(activation("prelu"), activation("prelu"))
    assert len(list(model.parameters())) == 2
