"""How a task is learned: what is to fall, which batches come, and what judges the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from gai.backends import resolve
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net.answers import Judged
from gai.nn.net.batches import Order, Take
from gai.nn.net.loop import Goal, Objective


class Judge(Protocol):
    """What scores a network on some examples."""

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of an evaluation during training; ``loss`` is among them."""

    def judged(self, network: nn.Module) -> Judged:
        """The same with intervals and details."""


Watch = Callable[[Mapping[str, float]], Iterable[str]]
"""What a person should know of the scores of an evaluation, after those before it."""


def unwatched() -> Watch:
    """Nothing, whatever the scores."""
    return lambda scores: ()


@dataclass(frozen=True)
class Learning:
    """``objective`` is made of the encoding and the weights of classes; ``judge`` of the encoding,
    examples as arrays and as they were read, and the objective; ``batches`` says in which order
    training examples come, and what makes batches of them; ``watch`` makes what looks at the
    scores of a training."""

    objective: Callable[[Encoding, Tensor | None], Objective]
    judge: Callable[[Encoding, Dataset, Raw, Objective], Judge]
    batches: Callable[[Parts, Config, torch.device], tuple[Order, Take]]
    watch: Callable[[], Watch] = unwatched


BY_TASK = {
    "classify": "supervised:LEARNING",
    "regress": "supervised:LEARNING",
    "forecast": "supervised:LEARNING",
    "tag": "supervised:LEARNING",
    "lm": "language:LEARNING",
    "seq2seq": "translation:LEARNING",
    "reconstruct": "reconstruction:LEARNING",
    "generate": "generation:LEARNING",
    "algorithm": "algorithms:LEARNING",
    "match": "matching:LEARNING",
}

BY_MODEL: dict[str, str] = {
    "vae": "variational:LEARNING",
    "capsnet": "capsules:LEARNING",
}
"""Models that learn in their own way, whatever the task."""

GOALS = {
    "accuracy": Goal("accuracy", True),
    "micro_f1": Goal("micro_f1", True),
    "r2": Goal("loss", False),
    "perplexity": Goal("loss", False),
    "exact": Goal("exact", True),
    "error": Goal("loss", False),
    "bits": Goal("bits", False),
    "distance": Goal("distance", False),
    "eer": Goal("eer", False),
}
"""What decides which evaluation was the best, by the main score of the task."""


def learning(config: Config) -> Learning:
    """How the task of a run is learned."""
    name = BY_MODEL.get(config.model) or BY_TASK[config.task]
    found: Learning = resolve(f"{__name__}.{name}")
    return found
