"""One example through a network: forward, back by the chain rule, one step, and the proof of it.

The proof are finite differences: how the loss changes where one weight is a little larger, and a
little smaller. All in float64, without dropout, without chance.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from gai.nn.config import Config
from gai.nn.data.encoding import Encoding
from gai.nn.net import regularising
from gai.nn.net.batches import Batch
from gai.nn.net.chains import Chain, chained
from gai.nn.net.differences import difference, largest, relative
from gai.nn.net.gradients import Gradients
from gai.nn.net.inspecting import kind
from gai.nn.net.learning import supervised
from gai.nn.net.losses import Loss
from gai.nn.net.optimizers import optimizer
from gai.nn.net.showing import Chosen, Row, answers, shown
from gai.nn.net.watching import Call, exact, watched

BEGINNING = 3
"""Values of a layer that are shown."""


class Forward(NamedTuple):
    """What a layer made of the example."""

    layer: str
    kind: str
    shape: list[int]
    first: list[float]
    min: float
    mean: float
    max: float


class Backward(NamedTuple):
    """The gradient of the loss with respect to what a layer made; ``largest`` is the entry that
    is largest without its sign, ``at`` where it is."""

    layer: str
    shape: list[int]
    norm: float
    largest: float
    at: list[int]


class Weight(NamedTuple):
    """The gradient of the loss with respect to some weights, and its largest entry beside a finite
    difference, which no weight has whose gradient is 0; ``error`` is relative."""

    weights: str
    shape: list[int]
    norm: float
    at: list[int]
    gradient: float
    difference: float | None
    error: float | None


class Moved(NamedTuple):
    """A weight before and after one step: of plain gradient descent, and of the optimiser."""

    weight: str
    old: float
    gradient: float
    descended: float
    optimized: float


class Step(NamedTuple):
    """One step of all weights, and the loss of the example before and after."""

    lr: float
    optimizer: str
    rule: str
    weights: list[Moved]
    before: float
    descended: float
    optimized: float


@dataclass(frozen=True)
class Trace:
    """All of it; ``input`` and ``answers`` have columns by the kind of data and task."""

    example: str
    input: list[Row]
    forward: list[Forward]
    answers: list[Row]
    loss: str
    value: float
    backward: list[Backward]
    weights: list[Weight]
    chains: list[Chain]
    step: Step

    def as_dict(self) -> Row:
        """For JSON."""
        return {name: plain(value) for name, value in vars(self).items()}


def plain(value: Any) -> Any:
    """Dictionaries in place of tuples with names."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items()}
    return value


def trace(network: nn.Module, encoding: Encoding, example: Chosen) -> Trace:
    """One example through the network."""
    config, batch = encoding.config, example.batch
    network, loss = exact(network), supervised.loss_of(encoding)
    with watched(network) as calls:
        outputs = network(batch.inputs)
    assert batch.targets is not None
    found = loss(outputs, batch.targets)
    found.backward()  # type: ignore[no-untyped-call]
    chains = list(chained(network, encoding, calls, batch, loss))
    return Trace(
        example=example.name,
        input=shown(encoding, example),
        forward=[forward(call) for call in calls],
        answers=answers(encoding, outputs.detach()[0], batch, example.raw),
        loss=config.loss,
        value=found.item(),
        backward=[made for call in reversed(calls) if (made := backward(call)) is not None],
        weights=list(weights(network, loss, batch)),
        chains=chains,
        step=step(network, config, loss, batch, chains),
    )


def forward(call: Call) -> Forward:
    """What a layer made."""
    values = call.output.detach()[0]
    first = values.flatten()[:BEGINNING].tolist()
    low, mean, high = (float(f(values)) for f in (torch.min, torch.mean, torch.max))
    return Forward(call.name, kind(call.module), list(values.shape), first, low, mean, high)


def backward(call: Call) -> Backward | None:
    """The gradient that came to a layer; None where nothing before it learns."""
    if call.output.grad is None:
        return None
    gradient = call.output.grad[0]
    at = largest(gradient)
    return Backward(
        call.name, list(gradient.shape), float(gradient.norm()), float(gradient[at]), list(at)
    )


def weights(network: nn.Module, loss: Loss, batch: Batch) -> Iterator[Weight]:
    """The gradients of all weights that have one, from the last layer to the first."""
    for name, weight in reversed(list(network.named_parameters())):
        if weight.grad is None:
            continue
        at = largest(weight.grad)
        norm, gradient = float(weight.grad.norm()), float(weight.grad[at])
        found = difference(network, loss, batch, weight, at) if gradient else None
        error = None if found is None else relative(gradient, found)
        yield Weight(name, list(weight.shape), norm, list(at), gradient, found, error)


FIRST_STEPS = {
    "sgd": "w - lr g",
    "momentum": "w - lr v, where v begins as g",
    "nesterov": "w - lr (g + momentum v), where v begins as g",
    "adagrad": "w - lr g / (sqrt(s) + 1e-10), where s begins as g^2",
    "rmsprop": "w - lr g / (sqrt(s) + 1e-8), where s begins as 0.01 g^2",
    "adam": "w - lr m / (sqrt(v) + 1e-8), where m begins as g and v as g^2",
    "adamw": "(1 - lr weight_decay) w - lr m / (sqrt(v) + 1e-8), where m begins as g, v as g^2",
}
"""The first step of each optimiser; g is the gradient after penalties and clipping."""


def step(network: nn.Module, config: Config, loss: Loss, batch: Batch, chains: list[Chain]) -> Step:
    """One step of all weights from where they are: plain, and as the optimiser of the run makes
    its first one."""
    descended, optimized = copy.deepcopy(network), copy.deepcopy(network)
    descend(descended, network, config.lr)
    optimize(optimized, config, loss, batch)
    three = (network, descended, optimized)
    moved = []
    for chain in chains:
        found = (n.get_parameter(chain.weights).detach() for n in three)
        old, new, better = (float(weight[chain.place]) for weight in found)
        moved.append(Moved(chain.label, old, chain.gradient, new, better))
    rule = FIRST_STEPS[config.optimizer]
    return Step(config.lr, config.optimizer, rule, moved, *(value(n, loss, batch) for n in three))


@torch.no_grad()
def descend(network: nn.Module, of: nn.Module, lr: float) -> None:
    """w - lr g for each weight, with the gradients of ``of``."""
    for weight, before in zip(network.parameters(), of.parameters(), strict=True):
        if before.grad is not None:
            weight.sub_(lr * before.grad)


def optimize(network: nn.Module, config: Config, loss: Loss, batch: Batch) -> None:
    """One step of the optimiser of the run, as the training loop makes it, without dropout."""
    made = optimizer(config, network)
    made.zero_grad(set_to_none=True)
    assert batch.targets is not None
    penalty = regularising.penalty(network, config.l1, config.l2)
    whole = loss(network(batch.inputs), batch.targets) + penalty
    whole.backward()  # type: ignore[no-untyped-call]
    Gradients(network).clip(config.clip_norm, config.clip_value)
    made.step()
    if config.max_norm is not None:
        regularising.limit_norms(network, config.max_norm)


@torch.no_grad()
def value(network: nn.Module, loss: Loss, batch: Batch) -> float:
    """The loss as it is."""
    return float(loss(network(batch.inputs), batch.targets))  # type: ignore[arg-type]
