"""The stages of a network from its inputs to its head, which fine-tuning freezes and slows down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

STAGE = re.compile(r"[^\d]*?\.\d+(?=\.)|body\.model\.[^.]+|body\.[^.]+|[^.]+")
"""The beginning of a weight's name that says its stage: ``body.layers.2``, ``body.norm``, ``head``.
A module in a list is a stage of its own, as is what stands beside lists."""

ALL = -1
"""``freeze``: all stages but the head."""


@dataclass(frozen=True)
class Stage:
    """Weights that are frozen together."""

    name: str
    weights: tuple[nn.Parameter, ...]


def stages(network: nn.Module) -> list[Stage]:
    """The stages, the head last; vectors of terms and of places are one, and the first.

    A weight of two stages, as a language model's embedding, is of the first.
    """
    found: dict[str, list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        found.setdefault(_stage_of(name), []).append(weight)
    order = sorted(found, key=lambda name: (name in LAST, name != "embedding"))
    return [Stage(name, tuple(found[name])) for name in order]


ENTERING = (
    *("body.embedding", "body.places", "body.projection", "places", "written_places"),
    *("body.model.embeddings", "body.model.embedder"),
)
"""Vectors of terms, of places in a text or of numbers."""

LAST = ("head", "output")
"""What answers; of an autoencoder it makes the numbers again."""


def _stage_of(name: str) -> str:
    matched = STAGE.match(name)
    assert matched is not None
    stage = matched[0]
    if stage == "log_deviation":
        return "output"  # the deviation around it
    return "embedding" if stage in ENTERING else stage


def frozen(freeze: int, unfreeze_every: int | None, count: int, epoch: int) -> int:
    """How many of ``count`` stages are frozen in an epoch, from 0.

    All but one stay so at most. Gradual unfreezing (Howard and Ruder 2018) thaws one more from
    above every ``unfreeze_every`` epochs.
    """
    first = count - 1 if freeze == ALL else min(freeze, count - 1)
    return first if unfreeze_every is None else max(first - epoch // unfreeze_every, 0)


@dataclass(frozen=True)
class Freezing:
    """Freezes the lowest stages, fewer of them as epochs go by; what was frozen before stays so."""

    stages: Sequence[Stage]
    freeze: int
    unfreeze_every: int | None
    learning: frozenset[int]

    @classmethod
    def of(cls, network: nn.Module, freeze: int, unfreeze_every: int | None) -> Freezing:
        """That of a network before anything is frozen."""
        learning = frozenset(id(w) for w in network.parameters() if w.requires_grad)
        return cls(stages(network), freeze, unfreeze_every, learning)

    def __call__(self, epoch: int) -> None:
        """Sets which weights learn in an epoch."""
        below = frozen(self.freeze, self.unfreeze_every, len(self.stages), epoch)
        for place, stage in enumerate(self.stages):
            for weight in stage.weights:
                weight.requires_grad_(place >= below and id(weight) in self.learning)
