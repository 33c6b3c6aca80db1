"""CapsNet: capsules, vectors whose length says that something is there and whose direction says how
(Sabour, Frosst and Hinton 2017, "Dynamic routing between capsules")."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.nn.config import Config
from gai.nn.net.activations import activation
from gai.nn.net.initialising import initialise
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.cnn import over_pixels
from gai.nn.net.models.network import Model

LARGE = 16
"""Pixels of a side from which on the first filters halve it: there routing would take most of the
time."""

TINY = 1e-8
"""Added to squared lengths under a root, whose slope at 0 is infinite."""

NEAR = 1e-6
"""Lengths are taken to be so far from 0 and 1, where log-odds are infinite."""


class CapsNet(Model):
    """Filters, capsules of parts, capsules of classes that these agree on, and a decoder.

    The answer for a class is the log-odds of the length p of its capsule, so that p is the sigmoid
    of it. The softmax of all answers is then the probability of each class where just one is there
    and p is the chance of each by itself: p_k / (1 - p_k) over the sum of these.

    The decoder makes the image again of the capsule of its class; it has ``config.layers`` hidden
    layers, and is not there without ``--reconstruction``.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        channels, *sides = shape.size
        kernel, (small, large) = fitting(config.kernels[0], min(sides)), config.capsule_sizes
        stride = 2 if min(sides) >= LARGE else 1
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.filters = nn.Conv2d(channels, config.filters, kernel, stride)
        self.norm = over_pixels(config, config.filters)
        self.activation = activation(config.activation, config.negative_slope)
        self.primary = Primary(config.filters, config.capsules, small, kernel)
        places = math.prod(behind(behind(side, kernel, stride), kernel, 2) for side in sides)
        self.routing = Routing(config, places, shape.outputs)
        self.dropout = nn.Dropout(config.dropout)
        self.decoder = None
        if config.reconstruction:
            self.decoder = decoder(config, shape.outputs * large, math.prod(shape.size))
        initialise(
            self,
            config.weights_init,
            activation=config.activation,
            negative_slope=config.negative_slope,
        )

    def forward(self, inputs: Inputs) -> Tensor:
        """The log-odds of each class, [B, K]."""
        return self.answers(self.capsules(inputs))

    def features(self, inputs: Inputs) -> Tensor:
        """The capsules of all classes one behind the other, [B, K * size]."""
        return self.capsules(inputs).flatten(1)

    def capsules(self, inputs: Inputs) -> Tensor:
        """The capsules of the classes, [B, K, size]."""
        x = self.activation(self.norm(self.filters(self.input_dropout(inputs.values))))
        found: Tensor = self.routing(self.primary(self.dropout(x)))
        return found

    def answers(self, capsules: Tensor) -> Tensor:
        """The log-odds of the lengths of capsules [B, K, size]: [B, K]."""
        return torch.logit(length(capsules), NEAR)

    def reconstructed(self, capsules: Tensor, shares: Tensor) -> Tensor:
        """Images [B, D] of capsules [B, K, size], each times the share [B, K] of its class: 1 for
        that of the image, 0 for others."""
        assert self.decoder is not None
        made: Tensor = self.decoder((capsules * shares[..., None]).flatten(1))
        return made


def fitting(kernel: int, side: int) -> int:
    """The side of filters: ``kernel``, or of a small image a third of its own, so that two layers
    of them fit into it."""
    return min(kernel, max((side + 1) // 3, 1))


def behind(side: int, kernel: int, stride: int) -> int:
    """The side of an image behind filters."""
    return (side - kernel) // stride + 1


class Primary(nn.Module):
    """Capsules of parts: what several filters say of one place is a vector, squashed."""

    def __init__(self, channels: int, kinds: int, size: int, kernel: int) -> None:
        super().__init__()
        self.size = size
        self.filters = nn.Conv2d(channels, kinds * size, kernel, 2)

    def forward(self, x: Tensor) -> Tensor:
        """[B, I, size], those of one kind one behind the other."""
        found = self.filters(x)
        count, channels, height, width = found.shape
        vectors = found.view(count, channels // self.size, self.size, height * width)
        return squash(vectors.transpose(2, 3).flatten(1, 2))


class Routing(nn.Module):
    """Each capsule of a part predicts each of a class by a matrix; those whose prediction agrees
    with the others' are listened to, in ``config.routings`` rounds.

    A part has a matrix of its own, or with ``config.shared_matrices`` that of its kind, to which a
    vector of its place is added: so a shape is known where training never saw it.
    """

    def __init__(self, config: Config, places: int, classes: int) -> None:
        super().__init__()
        size, wider = config.capsule_sizes
        self.rounds, self.classes = config.routings, classes
        self.parts = config.capsules * places
        shared = config.shared_matrices
        matrices = config.capsules if shared else self.parts
        self.weight = nn.Parameter(torch.empty(matrices, size, classes * wider))
        self.places = nn.Parameter(torch.zeros(places, 1, classes * wider)) if shared else None
        # Before it is squashed a capsule of a class is then as long as those of parts. What these
        # say adds up at random, and where they share a matrix in step.
        many = places * self.parts if shared else self.parts
        nn.init.normal_(self.weight, std=classes / math.sqrt(wider * many))

    @property
    def operations(self) -> int:
        """The multiply-adds for one example: the votes, and in each round what they add up to; in
        all but the last also how far each agrees with that."""
        votes = self.parts * self.weight.shape[2]
        return votes * self.weight.shape[1] + (2 * self.rounds - 1) * votes

    def forward(self, parts: Tensor) -> Tensor:
        """The capsules of classes [B, K, wider], of those of parts [B, I, size]."""
        votes = self.votes(parts).view(self.parts, parts.shape[0], self.classes, -1)
        return routed(votes.permute(1, 2, 0, 3).contiguous(), self.rounds)

    def votes(self, parts: Tensor) -> Tensor:
        """What each part predicts, [I, B, K * wider]."""
        if self.places is None:
            return torch.bmm(parts.transpose(0, 1), self.weight)
        count, kinds, places = parts.shape[0], self.weight.shape[0], self.places.shape[0]
        apart = parts.view(count, kinds, places, -1).permute(1, 2, 0, 3)
        said = torch.bmm(apart.flatten(1, 2), self.weight)
        return (said.view(kinds, places, count, -1) + self.places).flatten(0, 1)


def routed(votes: Tensor, rounds: int) -> Tensor:
    """Capsules [B, K, size] of the votes [B, K, I, size] of I capsules for each of them: procedure
    1 of the paper.

    b = 0; then in each round c = softmax of b over the classes, v = squash(sum over i of c u), and
    b grows by the agreement u . v.
    """
    logits = torch.zeros(votes.shape[:3], dtype=votes.dtype, device=votes.device)
    for last in range(rounds - 1, -1, -1):
        shares = logits.softmax(1)
        capsules = squash((shares[:, :, None] @ votes)[:, :, 0])
        if last:
            logits = logits + (votes @ capsules[..., None])[..., 0]
    return capsules


def squash(vectors: Tensor) -> Tensor:
    """|s|^2 / (1 + |s|^2) times the direction s / |s|, of the last dimension."""
    squares = vectors.square().sum(-1, keepdim=True)
    return vectors * (squares / ((1.0 + squares) * torch.sqrt(squares + TINY)))


def length(vectors: Tensor) -> Tensor:
    """The lengths along the last dimension."""
    return torch.sqrt(vectors.square().sum(-1) + TINY)


def decoder(config: Config, inner: int, numbers: int) -> nn.Sequential:
    """Hidden layers from capsules to the numbers of an image."""
    layers: list[nn.Module] = []
    for _ in range(config.layers):
        layers += [nn.Linear(inner, config.width), nn.ReLU()]
        inner = config.width
    return nn.Sequential(*layers, nn.Linear(inner, numbers))


def margin(answers: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean margin loss of log-odds [B, K] against classes int64 [B] or labels float [B, K].

    Of each class T max(0, 0.9 - p)^2 + 0.5 (1 - T) max(0, p - 0.1)^2, summed, where p is the length
    of its capsule and T is 1 where it is there; ``weights`` [K] weigh an example by its class.
    """
    lengths, there = torch.sigmoid(answers), present(targets, answers)
    right = there * F.relu(0.9 - lengths).square()
    wrong = 0.5 * (1.0 - there) * F.relu(lengths - 0.1).square()
    if weights is not None:
        right, wrong = right * weights, wrong * (there @ weights)[:, None]
    return (right + wrong).sum(1).mean()


def present(targets: Tensor, answers: Tensor) -> Tensor:
    """1 for each class that is there and 0 for the others, [B, K]."""
    if targets.dim() < answers.dim():
        targets = F.one_hot(targets, answers.shape[-1])
    return targets.to(answers.dtype)
