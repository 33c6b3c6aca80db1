"""NTM: a controller with a memory of its own, which heads read and write (Graves, Wayne and
Danihelka 2014, "Neural Turing Machines").

A head looks at all places of the memory, at some more than at others: where that is what its key
asks for, or one place beside where it looked before. Letters are those of the paper: B examples, T
steps, N places of M numbers each; here are H pairs of a head that reads and one that writes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.nn.config import Config
from gai.nn.net.activations import activation
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.network import Attention, Body

CONTENT = 1e-6
"""What all numbers of the memory are at first: the best of what Collier and Beel (2018,
"Implementing Neural Turing Machines") tried."""

LARGEST = 20.0
"""What the heads hear is cut off beyond (Collier and Beel 2018): so no exponential overflows."""

TINY = 1e-16
"""What keeps lengths and weights from 0, where they have no direction and no logarithm."""

MOVES = 3
"""A head moves by +1, 0 or -1 places."""


class NTM(Body, Attention):
    """The controller sees an input and what was read at the step before; it answers with what it
    has made of that and what is read now.

    The memory begins at a constant, all heads at its first place. Nothing depends on T.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.places, self.numbers = config.memory
        self.heads = config.heads
        self.width = config.width + self.heads * self.numbers
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.controller = controller(config, shape.size[-1] + self.heads * self.numbers)
        self.orders = nn.Linear(config.width, sum(sizes(self.heads, self.numbers)))
        nn.init.xavier_uniform_(self.orders.weight, gain=1.4)
        nn.init.normal_(self.orders.bias, std=0.01)
        self.first_read = nn.Parameter(torch.zeros(self.heads * self.numbers))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, T, width]; whoever watches gets the weights of all heads [B, 2 H, T, N], those that
        read before those that write."""
        x = self.input_dropout(inputs.values)
        memory = x.new_full((len(x), self.numbers, self.places), CONTENT)
        weights = x.new_zeros(len(x), 2 * self.heads, self.places)
        weights[..., 0] = 1.0
        found, state = self.first_read.expand(len(x), -1), None
        made, looks = [], []
        for step in x.unbind(1):
            hidden, state = self._controlled(torch.cat([step, found], 1), state)
            orders = ordered(self.orders(hidden), self.heads, self.numbers)
            weights = addressed(weights, memory, orders)
            reading, writing = weights.chunk(2, 1)
            found = read(memory, reading).flatten(1)
            memory = written(memory, writing, orders.erase, orders.add)
            made.append(torch.cat([hidden, found], 1))
            looks.append(weights)
        if self.watcher is not None:
            self.watcher(torch.stack(looks, 2).detach())
        dropped: Tensor = self.dropout(torch.stack(made, 1))
        return dropped

    def _controlled(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """What the controller makes of [B, D]: [B, width], and an LSTM's state after it."""
        if isinstance(self.controller, nn.LSTMCell):
            after = self.controller(x, state)
            return after[0], after
        return self.controller(x), None


def controller(config: Config, inner: int) -> nn.Module:
    """An LSTM, or one layer of units that remembers nothing by itself."""
    if config.controller == "lstm":
        return nn.LSTMCell(inner, config.width)
    units = activation(config.activation, config.negative_slope)
    return nn.Sequential(nn.Linear(inner, config.width), units)


class Orders(NamedTuple):
    """What the controller tells its heads, those that read before those that write.

    ``keys`` [B, 2 H, M] with their ``strengths`` [B, 2 H] (beta) say what to look for; ``gates``
    [B, 2 H, 1] (g) how much this counts against where a head was, ``shifts`` [B, 2 H, 3] (s) the
    shares of moves by +1, 0 and -1 from there, ``powers`` [B, 2 H, 1] (gamma) how sharp it looks.
    What is written is ``erase`` and ``add`` [B, H, M].
    """

    keys: Tensor
    strengths: Tensor
    gates: Tensor
    shifts: Tensor
    powers: Tensor
    erase: Tensor
    add: Tensor


def sizes(heads: int, numbers: int) -> list[int]:
    """How many numbers go through tanh, through the sigmoid, through softplus, and a softmax."""
    both = 2 * heads
    return [(both + heads) * numbers, heads * numbers + both, 2 * both, MOVES * both]


def ordered(raw: Tensor, heads: int, numbers: int) -> Orders:
    """The outputs of one layer [B, sum of sizes] as orders in their ranges: from -1 to 1 what is a
    key or added, from 0 to 1 gates and what is erased, from 0 on strengths, from 1 on powers."""
    size, both = len(raw), 2 * heads
    parts = raw.clamp(-LARGEST, LARGEST).split_with_sizes(sizes(heads, numbers), 1)
    keys_add = parts[0].tanh().view(size, both + heads, numbers)
    keys, add = keys_add.split_with_sizes([both, heads], 1)
    erase, gates = parts[1].sigmoid().split_with_sizes([heads * numbers, both], 1)
    strengths, powers = F.softplus(parts[2]).chunk(2, 1)
    return Orders(
        keys,
        strengths,
        gates.unsqueeze(2),
        parts[3].view(size, both, MOVES).softmax(2),
        powers.unsqueeze(2) + 1.0,
        erase.view(size, heads, numbers),
        add,
    )


def addressed(before: Tensor, memory: Tensor, orders: Orders) -> Tensor:
    """Where heads look [B, 2 H, N] that looked at ``before``: content, gate, shift and sharpening
    (equations 5 to 9)."""
    found = similar(memory, orders.keys, orders.strengths)
    gated = torch.lerp(before, found, orders.gates)
    return sharpened(shifted(gated, orders.shifts), orders.powers)


def similar(memory: Tensor, keys: Tensor, strengths: Tensor) -> Tensor:
    """The softmax over the places of memory [B, M, N] of strength times the cosine between a key
    and what is there: [B, 2 H, N] (equations 5 and 6)."""
    scaled = keys * (strengths * inverse(keys.square().sum(2))).unsqueeze(2)
    # Sums by a product of matrices: several times as fast as torch's norm over this dimension.
    ones = memory.new_ones(1, 1, 1).expand(len(memory), 1, memory.shape[1])
    lengths = inverse(torch.bmm(ones, memory.square()))
    return (torch.bmm(scaled, memory) * lengths).softmax(2)


def inverse(squares: Tensor) -> Tensor:
    """1 / length, of the squares of lengths."""
    return (squares + TINY).rsqrt()


def shifted(weights: Tensor, shifts: Tensor) -> Tensor:
    """The weights [B, 2 H, N] moved around a circle by +1, 0 and -1 places, in shares: sum over j
    of w(j) s(i - j) (equation 8)."""
    around = torch.cat([weights[..., -1:], weights, weights[..., :1]], 2)
    moved: Tensor = (around.unfold(2, MOVES, 1) * shifts.unsqueeze(2)).sum(3)
    return moved


def sharpened(weights: Tensor, powers: Tensor) -> Tensor:
    """The weights to the power gamma, in shares (equation 9), by way of logarithms."""
    return (powers * (weights + TINY).log()).softmax(2)


def read(memory: Tensor, weights: Tensor) -> Tensor:
    """What is in memory [B, M, N] where heads look: [B, H, M] (equation 2)."""
    return torch.bmm(weights, memory.transpose(1, 2))


def written(memory: Tensor, weights: Tensor, erase: Tensor, add: Tensor) -> Tensor:
    """The memory [B, M, N] after what each head erases, then after what all of them add (equations
    3 and 4)."""
    for looks, less in zip(weights.unbind(1), erase.unbind(1), strict=True):
        gone = torch.bmm(less.unsqueeze(2), looks.unsqueeze(1))
        memory = torch.addcmul(memory, memory, gone, value=-1.0)
    return torch.baddbmm(memory, add.transpose(1, 2), weights)
