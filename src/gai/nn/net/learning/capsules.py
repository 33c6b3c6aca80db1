"""Learning with capsules: the margin loss of their lengths, and the image made again of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from gai.errors import UsageError
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import answers, losses
from gai.nn.net.batches import Batch
from gai.nn.net.learning import Learning, supervised
from gai.nn.net.loop import Lost, Objective
from gai.nn.net.models.capsnet import margin, present


@dataclass(frozen=True)
class Capsules:
    """The mean loss of a batch, and ``reconstruction`` times the squared error of an image that is
    made of the capsule of its class alone, summed over the pixels."""

    loss: losses.Loss
    reconstruction: float

    def __call__(self, network: Any, batch: Batch, step: int) -> Lost:
        assert batch.targets is not None
        capsules = network.capsules(batch.inputs)
        said = network.answers(capsules)
        loss = self.loss(said, batch.targets)
        if not self.reconstruction:
            return Lost(loss)
        made = network.reconstructed(capsules, present(batch.targets, said))
        error = (made - batch.inputs.values.flatten(1)).square().sum(1).mean()
        return Lost(loss + self.reconstruction * error, {"labels": loss, "reconstruction": error})


def objective(encoding: Encoding, weights: Tensor | None) -> Capsules:
    """The margin loss, or another one for labels that the choices name."""
    config = encoding.config
    if config.loss == "margin":
        if config.label_smoothing:
            hint = "leave it out, or --loss cross-entropy"
            raise UsageError("--loss margin has no label smoothing", hint)
        loss: losses.Loss = partial(margin, weights=weights)
    else:
        loss = supervised.loss_of(encoding, weights)
    return Capsules(loss, config.reconstruction)


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> answers.Judge:
    """Scores by the targets; the loss is that of labels alone."""
    assert isinstance(objective, Capsules)
    return answers.Judge(encoding, dataset, objective.loss, raw.texts)


LEARNING = Learning(objective, judge, supervised.batches)
