"""Learning from labels: the loss of the outputs against the targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net import answers, losses
from gai.nn.net.batches import Batch, Order, Shuffled, Take, taker
from gai.nn.net.learning import Learning
from gai.nn.net.loop import Lost, Objective


@dataclass(frozen=True)
class Supervised:
    """The mean loss of a batch."""

    loss: losses.Loss

    def __call__(self, network: nn.Module, batch: Batch, step: int) -> Lost:
        assert batch.targets is not None
        return Lost(self.loss(network(batch.inputs), batch.targets))


def objective(encoding: Encoding, weights: Tensor | None) -> Supervised:
    """The loss that the choices name."""
    return Supervised(loss_of(encoding, weights))


def loss_of(encoding: Encoding, weights: Tensor | None = None) -> losses.Loss:
    """The mean loss of outputs against targets; ``weights`` are those of classes."""
    several = encoding.labels is not None and encoding.labels.several
    config = encoding.config
    return losses.loss(config, task=config.task, several_labels=several, class_weights=weights)


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> answers.Judge:
    """Scores by the targets."""
    assert isinstance(objective, Supervised)
    return answers.Judge(encoding, dataset, objective.loss, raw.texts)


def batches(parts: Parts, config: Config, device: torch.device) -> tuple[Order, Take]:
    """All examples in a new order each epoch, those of like length together."""
    data = parts.train
    return Shuffled(len(data), config.batch_size, config.seed, data.lengths), taker(data, device)


LEARNING = Learning(objective, judge, batches)
