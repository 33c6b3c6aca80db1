"""Learning to make of an example the example itself: what an autoencoder does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gai.errors import GaiError, UsageError
from gai.nn import scores
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net import answers, losses
from gai.nn.net.answers import Judged
from gai.nn.net.batches import Batch, Order, Take
from gai.nn.net.inputs import Inputs
from gai.nn.net.learning import Learning, supervised
from gai.nn.net.loop import Lost, Objective
from gai.nn.net.reconstructing import distances, wanted

FITTING = ("mse", "mae", "huber", "bce", "cosine")

QUANTILES = 101
"""Quantiles of the errors that a report keeps: what gai nn anomalies compares with."""

Summary = dict[str, float]


@dataclass(frozen=True)
class Reconstruction:
    """The mean loss of a batch; inputs are noised by ``denoise``, and codes cost ``sparsity``."""

    loss: losses.Loss
    denoise: float = 0.0
    sparsity: float = 0.0

    def __call__(self, network: Any, batch: Batch, step: int) -> Lost:
        seen = noisy(batch.inputs, self.denoise) if self.denoise else batch.inputs
        if not self.sparsity:
            outputs = network(seen)
            return Lost(self.loss(outputs, wanted(batch.inputs, outputs.shape[1])))
        outputs, costs = network(seen, costly=True)
        loss = self.loss(outputs, wanted(batch.inputs, outputs.shape[1]))
        penalty = self.sparsity * costs.mean()
        return Lost(loss + penalty, {"reconstruction": loss, "sparsity": penalty})


def noisy(inputs: Inputs, amount: float) -> Inputs:
    """Examples with noise: normal of this deviation, or in rows of text a share of cells left out
    (Vincent 2010, "Stacked denoising autoencoders")."""
    if inputs.weights is not None:
        kept = torch.rand_like(inputs.weights) >= amount
        return inputs._replace(weights=inputs.weights * kept)
    return inputs._replace(values=inputs.values + amount * torch.randn_like(inputs.values))


def objective(encoding: Encoding, weights: Tensor | None) -> Reconstruction:
    """The loss that the choices name; raises UsageError for one that does not fit."""
    config = encoding.config
    require_fitting(config, encoding.kind)
    return Reconstruction(loss_of(config), config.denoise, config.sparsity)


def require_fitting(config: Config, kind: str) -> None:
    """Raises UsageError for choices that do not fit the task or the data."""
    if config.loss not in FITTING and ":" not in config.loss:
        hint = f"one of {', '.join(FITTING)}, or module:function"
        raise UsageError(f"--loss {config.loss} does not fit --task reconstruct", hint)
    if config.loss == "bce" and kind == "rows":
        raise UsageError("--loss bce is for numbers from 0 to 1, and not for rows", "cosine, mse")
    if config.class_weights != "none":
        raise UsageError("--class-weights: an autoencoder has no classes", "leave it out")
    if config.label_smoothing:
        raise UsageError("--label-smoothing: an autoencoder has no labels", "leave it out")
    if kind == "rows" and config.denoise >= 1.0:
        hint = "--denoise 0.3"
        raise UsageError(f"--denoise {config.denoise:g} of a row leaves nothing: below 1", hint)


def loss_of(config: Config) -> losses.Loss:
    """The mean over a batch of what the choices name, of outputs and examples [B, D]."""
    if ":" in config.loss:
        return losses.custom(config.loss)
    if config.loss == "bce":
        return F.binary_cross_entropy_with_logits
    if config.loss in ("mae", "huber"):
        return losses.distance(config)
    return lambda outputs, examples: distances(outputs, examples, config).mean()


@dataclass(frozen=True)
class Judge:
    """Scores an autoencoder on a part of the data, by the loss without noise and penalty."""

    encoding: Encoding
    dataset: Dataset
    loss: losses.Loss

    def scores(self, network: nn.Module) -> Summary:
        """The scores of an evaluation during training; ``loss`` is among them."""
        return self.found(network)[0]

    def judged(self, network: nn.Module) -> Judged:
        """The same with an interval of the error and its quantiles."""
        return judged(*self.found(network))

    def found(self, network: Any) -> tuple[Summary, NDArray[np.float64]]:
        """The scores, and the error of each example."""
        total, made = 0.0, np.zeros(len(self.dataset))
        for rows, batch, said in answers.outputs(network, self.dataset):
            right = wanted(batch.inputs, said.shape[1])
            total += float(self.loss(said, right)) * len(rows)
            found = distances(network.seen(said), right, self.encoding.config)
            made[rows] = found.cpu().numpy()
        return {"loss": total / max(len(made), 1), "error": mean(made)}, made


def judged(summary: Summary, found: NDArray[np.float64]) -> Judged:
    """Scores with what is known of the errors of all examples."""
    quantiles = np.quantile(found, np.linspace(0, 1, QUANTILES)) if len(found) else np.zeros(0)
    details = {"examples": len(found), "quantiles": quantiles.tolist()}
    return Judged(summary, {"error": scores.interval(found)}, details)


def mean(values: NDArray[np.float64]) -> float:
    """The mean, NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> Judge:
    """Scores by the examples themselves."""
    assert isinstance(objective, Reconstruction)
    require_shares(encoding.config, dataset)
    return Judge(encoding, dataset, objective.loss)


def batches(parts: Parts, config: Config, device: torch.device) -> tuple[Order, Take]:
    """All examples in a new order each epoch."""
    require_shares(config, parts.train)
    return supervised.batches(parts, config, device)


def require_shares(config: Config, dataset: Dataset) -> None:
    """Raises GaiError where bce would be of numbers that are no shares."""
    if config.loss == "bce" and (found := beyond_shares(dataset)):
        scaled = ", after scaling," if config.input == "numbers" else ""
        message = f"--loss bce needs numbers from 0 to 1, and the data{scaled} has {found}"
        raise GaiError(message, "--loss mse takes any")


def beyond_shares(dataset: Dataset) -> str:
    """From where to where numbers go that are not all from 0 to 1; nothing where they are."""
    inputs = dataset.inputs
    if not isinstance(inputs, np.ndarray) or not inputs.size:
        return ""
    low, high = float(inputs.min()), float(inputs.max())
    return f"{low:g} to {high:g}" if low < 0.0 or high > 1.0 else ""


LEARNING = Learning(objective, judge, batches)
