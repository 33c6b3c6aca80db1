"""How the layers of a network fare at work: what they give, which units are flat, which dead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from gai.nn.net.watching import Call

FLAT = 0.05
"""A slope of an activation below which nothing is learned through it: saturated."""


class Units(NamedTuple):
    """How the units of an activation fare: the share of its outputs where it is flat (sigmoid,
    tanh), or of its units that are 0 for all examples (relu)."""

    layer: str
    kind: str
    saturated: float | None
    dead: float | None


class State(NamedTuple):
    """The outputs of a layer over some examples: mean and deviation, and as ``Units`` has it what
    is flat or dead, None where a layer cannot be."""

    layer: str
    kind: str
    mean: float
    deviation: float
    saturated: float | None
    dead: float | None


@dataclass
class Sums:
    """What outputs add up to."""

    kind: str
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    flat: int | None = None
    alive: Tensor | None = None

    def add(self, module: nn.Module, values: Tensor) -> None:
        """Adds the outputs of one call."""
        numbers = values.double()
        self.count += values.numel()
        self.total += float(numbers.sum())
        self.squares += float(numbers.square().sum())
        if (slopes := slopes_of(module, values)) is not None:
            self.flat = (self.flat or 0) + int((slopes < FLAT).sum())
        elif rectifies(module):
            on = by_unit(values).ne(0).any(0)
            self.alive = on if self.alive is None else self.alive | on

    def state(self, layer: str) -> State:
        """The mean and the shares."""
        mean = self.total / self.count
        spread = math.sqrt(max(self.squares / self.count - mean * mean, 0.0))
        flat = None if self.flat is None else self.flat / self.count
        dead = None if self.alive is None else 1 - float(self.alive.double().mean())
        return State(layer, self.kind, mean, spread, flat, dead)


class Census:
    """Looks at the outputs of layers, example by example or batch by batch."""

    def __init__(self) -> None:
        self.sums: dict[str, Sums] = {}

    def count(self, calls: list[Call]) -> None:
        """Adds what the layers gave."""
        for name, module, _, output in calls:
            values = output.detach()
            if values.is_floating_point() and values.numel():
                self.sums.setdefault(name, Sums(type(module).__name__)).add(module, values)

    def states(self) -> list[State]:
        """The layers, in the order of their first use."""
        return [sums.state(name) for name, sums in self.sums.items()]

    def units(self) -> list[Units]:
        """Those that can be flat or dead."""
        return [
            Units(state.layer, state.kind, state.saturated, state.dead)
            for state in self.states()
            if state.saturated is not None or state.dead is not None
        ]


def slopes_of(module: nn.Module, output: Tensor) -> Tensor | None:
    """The derivative of a sigmoid or tanh where it gave these outputs; None of other layers."""
    if isinstance(module, nn.Sigmoid):
        return output * (1 - output)
    plain = isinstance(module, nn.RNN) and module.nonlinearity == "tanh"
    return 1 - output**2 if plain or isinstance(module, nn.Tanh) else None


def rectifies(module: nn.Module) -> bool:
    """Whether units of the layer may be 0 for good."""
    plain = isinstance(module, nn.RNN) and module.nonlinearity == "relu"
    return plain or isinstance(module, nn.ReLU)


def by_unit(values: Tensor) -> Tensor:
    """A column for each unit: of pixels [B, C, H, W] the channel, else the last dimension."""
    return (values.movedim(1, -1) if values.dim() == 4 else values).flatten(0, -2)
