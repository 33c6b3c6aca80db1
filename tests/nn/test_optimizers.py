"""Optimisers by name, step by step against their formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from gai.nn.config import Config
from gai.nn.names import OPTIMIZERS
from gai.nn.net.optimizers import optimizer

Array = NDArray[np.float64]

LR, MOMENTUM, BETA2, DECAY = 0.1, 0.8, 0.95, 0.3

CONFIG = Config(lr=LR, momentum=MOMENTUM, beta2=BETA2)


def gradient(weight: Array) -> Array:
    """Of the loss sum(w^4) / 4."""
    return weight**3


def sgd(w: Array) -> Iterator[Array]:
    while True:
        w = w - LR * gradient(w)
        yield w


def momentum(w: Array) -> Iterator[Array]:
    moved = np.zeros_like(w)
    while True:
        moved = MOMENTUM * moved + gradient(w)
        w = w - LR * moved
        yield w


def nesterov(w: Array) -> Iterator[Array]:
    moved = np.zeros_like(w)
    while True:
        g = gradient(w)
        moved = MOMENTUM * moved + g
        w = w - LR * (g + MOMENTUM * moved)
        yield w


def adagrad(w: Array) -> Iterator[Array]:
    squares = np.zeros_like(w)
    while True:
        squares = squares + gradient(w) ** 2
        w = w - LR * gradient(w) / (np.sqrt(squares) + 1e-10)
        yield w


def rmsprop(w: Array) -> Iterator[Array]:
    squares = np.zeros_like(w)
    while True:
        squares = 0.99 * squares + 0.01 * gradient(w) ** 2
        w = w - LR * gradient(w) / (np.sqrt(squares) + 1e-8)
        yield w


def adam(w: Array) -> Iterator[Array]:
    mean, squares, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        t += 1
        mean = 0.9 * mean + 0.1 * gradient(w)
        squares = BETA2 * squares + (1 - BETA2) * gradient(w) ** 2
        right = mean / (1 - 0.9**t), squares / (1 - BETA2**t)
        w = w - LR * right[0] / (np.sqrt(right[1]) + 1e-8)
        yield w


FORMULAS: dict[str, Callable[[Array], Iterator[Array]]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adam,
}


class Weight(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, -0.5], [0.25, 2.0]], dtype=torch.float64))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_four_steps_are_the_formula(name: str) -> None:
    model = Weight()
    expected = FORMULAS[name](model.weight.detach().numpy().copy())
    steps = optimizer(CONFIG.with_(optimizer=name), model)
    for _ in range(4):
        steps.zero_grad()
        (model.weight**4).sum().div(4).backward()
        steps.step()
        found = model.weight.detach().numpy()
        np.testing.assert_allclose(found, next(expected), rtol=1e-6, atol=1e-9)


def decayed(name: str) -> tuple[nn.Sequential, nn.Sequential]:
    """A network before and after a step without any gradient."""
    torch.manual_seed(1)
    before = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 4), nn.LayerNorm(4), nn.PReLU())
    after = deepcopy(before)
    for weight in after.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer(CONFIG.with_(optimizer=name, weight_decay=DECAY), after).step()
    return before, after


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_spares_biases_and_normalisation(name: str) -> None:
    before, after = decayed(name)
    for old, new in zip(before.parameters(), after.parameters(), strict=True):
        if old.dim() < 2:
            assert torch.equal(old, new)
        else:
            assert ((new - old) * old < 0).all()  # toward 0


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_weight_decay_takes_its_share(name: str) -> None:
    before, after = decayed(name)
    torch.testing.assert_close(after[1].weight, before[1].weight * (1 - LR * DECAY))


def test_adamw_decays_only_by_what_is_said() -> None:
    for group in optimizer(CONFIG.with_(optimizer="adamw"), nn.Linear(3, 2)).param_groups:
        assert group["weight_decay"] == 0


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_every_weight_that_learns_is_there_once(decay: float) -> None:
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 4), nn.Linear(3, 5, bias=False))
    model[0].weight.requires_grad_(False)
    model[2].weight = model[0].weight
    groups = optimizer(CONFIG.with_(weight_decay=decay), model).param_groups
    found = [weight for group in groups for weight in group["params"]]
    assert {id(w) for w in found} == {id(w) for w in model[1].parameters()}
    assert len(found) == 2
    assert all(group["params"] for group in groups)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_has_the_same_bits_with_one_thread_and_two(name: str) -> None:
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            model = nn.Linear(301, 333)
            steps = optimizer(CONFIG.with_(optimizer=name, lr=0.01, weight_decay=0.1), model)
            for _ in range(3):
                for weight in model.parameters():
                    weight.grad = torch.randn_like(weight)
                steps.step()
            found.append(model.weight.detach().clone())
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_nesterov_without_momentum_is_sgd() -> None:
    for group in optimizer(CONFIG.with_(optimizer="nesterov", momentum=0.0), Weight()).param_groups:
        assert not group["nesterov"]
