"""The second level of a stack: what the members' answers weigh, learned on examples that none of
them was trained on (Wolpert 1992, Stacked generalization)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import answers
from gai.nn.net.ensembles import Ensemble, evidence
from gai.nn.net.inputs import Inputs

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
"""How dear it may be to leave the plain mean of the members."""

FOLDS = 5
"""Parts of the examples, each of which once says how dear it should be."""

LEAST = 10
"""Examples that a second level is fitted to at least."""


class Level(NamedTuple):
    """The weight of each member [M], and what is added for each label or number [K]."""

    weights: Tensor
    bias: Tensor

    def apply(self, said: Tensor) -> Tensor:
        """The outputs [n, K] for what the members say [M, n, K]."""
        found: Tensor = torch.tensordot(self.weights, said, 1) + self.bias
        return found


def stacked(network: Ensemble, encoding: Encoding, raw: Raw) -> Level:
    """The second level for the members of an ensemble, fitted to examples that none of them was
    trained on; raises GaiError where these are too few."""
    dataset = encoding.dataset(raw)
    assert dataset.targets is not None
    targets, said = torch.from_numpy(dataset.targets), said_of(network, dataset)
    if targets.ndim == 1:
        known = targets >= 0
        targets, said = targets[known], said[:, known]
    if len(targets) < LEAST:
        hint = "gai nn ensemble average needs none"
        raise GaiError(f"{len(targets)} examples are too few to fit a second level to", hint)
    targets = targets.double() if targets.is_floating_point() else targets
    seen = evidence(said, network.labelled, network.several).double()
    return chosen(seen, targets, loss_of(network))


def said_of(network: Ensemble, dataset: Dataset) -> Tensor:
    """What each member says of some examples, [M, n, K], as ``Ensemble.each`` has it."""
    flat = answers.answers(SideBySide(network).eval(), dataset)
    return torch.stack(flat.chunk(len(network.members), -1))


class SideBySide(nn.Module):
    """The answers of all members side by side: [B, M K]."""

    def __init__(self, network: Ensemble) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Inputs) -> Tensor:
        return torch.cat(tuple(self.network.each(inputs)), -1)


Loss = Callable[[Tensor, Tensor], Tensor]
"""The sum of the losses of outputs [n, K]."""


def chosen(said: Tensor, targets: Tensor, loss: Loss) -> Level:
    """The level whose penalty has the least loss on each fifth of the examples in turn."""
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))
    fold = torch.empty_like(order)
    fold[order] = torch.arange(len(targets)) % FOLDS

    def held_out(penalty: float) -> float:
        total = 0.0
        for number in range(FOLDS):
            inside = fold == number
            level = fitted(said[:, ~inside], targets[~inside], penalty, loss)
            total += float(loss(level.apply(said[:, inside]), targets[inside]))
        return total

    return fitted(said, targets, min(PENALTIES, key=held_out), loss)


def fitted(said: Tensor, targets: Tensor, penalty: float, loss: Loss) -> Level:
    """The weights w and biases b with the least loss + penalty / 2 (|w - 1 / M|^2 + |b|^2).

    The outputs are sum over members of w said, + b, of logarithms of probabilities: a logistic
    regression with one weight for each member. With no examples it is the members' mean.
    """
    members, _, outputs = said.shape
    weights = torch.full((members,), 1 / members, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        away = (weights - 1 / members).square().sum() + bias.square().sum()
        whole = loss(Level(weights, bias).apply(said), targets) + penalty / 2 * away
        whole.backward()  # type: ignore[no-untyped-call]
        return whole

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return Level(weights.detach(), bias.detach())


def loss_of(network: Ensemble) -> Loss:
    """Cross-entropy of classes; binary of several labels; of numbers half the squared error."""
    if network.several:
        return nn.BCEWithLogitsLoss(reduction="sum")
    if network.labelled:
        return nn.CrossEntropyLoss(reduction="sum")
    return lambda outputs, targets: (outputs - targets).square().sum() / 2
