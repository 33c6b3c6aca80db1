"""Learning a variational autoencoder: the evidence lower bound, in nats per example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gai.errors import UsageError
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net.answers import Judged, asked
from gai.nn.net.batches import Batch
from gai.nn.net.inputs import Inputs
from gai.nn.net.learning import Learning
from gai.nn.net.learning import reconstruction as plain
from gai.nn.net.loop import Lost, Objective
from gai.nn.net.reconstructing import errors

FITTING = ("bce", "mse")
"""A probability for each pixel, or a normal distribution of numbers."""

SEED = 0
"""Of the codes that an evaluation draws: two of them see the same noise."""


@dataclass(frozen=True)
class Bound:
    """The negative bound, its KL part times ``beta`` (Higgins 2017, "beta-VAE")."""

    beta: float
    code: int

    def __call__(self, network: Any, batch: Batch, step: int) -> Lost:
        surprise, kl = (part.mean() for part in parts(network, batch.inputs, self.code))
        return Lost(surprise + self.beta * kl, {"reconstruction": surprise, "kl": kl})


def parts(
    network: Any, inputs: Inputs, code: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The surprise at each example, given one code that is drawn for it, and the divergence of the
    code from the prior: both [B], in nats; together the negative bound."""
    size, device, dtype = (len(inputs.values), code), inputs.values.device, inputs.values.dtype
    noise = torch.randn(size, generator=generator, device=device, dtype=dtype)
    surprise, kl = network(inputs, noise)
    return surprise, kl


def objective(encoding: Encoding, weights: Tensor | None) -> Bound:
    """The bound; raises UsageError for choices that do not fit."""
    config = encoding.config
    if config.loss not in FITTING:
        hint = "bce for pixels from 0 to 1, mse for other numbers"
        raise UsageError(f"--loss {config.loss} does not fit a vae", hint)
    plain.require_fitting(config, encoding.kind)
    return Bound(config.beta, config.code)


@dataclass(frozen=True)
class Judge:
    """Scores a variational autoencoder: the bound with its parts, and the error of what is made of
    the mean of the code."""

    encoding: Encoding
    dataset: Dataset
    beta: float

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of an evaluation during training; ``loss`` is among them."""
        return self.found(network)[0]

    def judged(self, network: nn.Module) -> Judged:
        """The same with an interval of the error and its quantiles."""
        return plain.judged(*self.found(network))

    def found(self, network: nn.Module) -> tuple[plain.Summary, NDArray[np.float64]]:
        """The scores, and the error of each example."""
        surprise, kl = self.bound(network)
        made = errors(network, self.dataset, self.encoding.config)
        summary = {
            "loss": surprise + self.beta * kl,
            "elbo": -(surprise + kl),
            "reconstruction": surprise,
            "kl": kl,
            "error": plain.mean(made),
        }
        return summary, made

    def bound(self, network: nn.Module) -> tuple[float, float]:
        """The mean surprise and divergence of all examples."""
        device = next(network.parameters()).device
        generator = torch.Generator(device).manual_seed(SEED)
        found = np.zeros(2)
        for _, batch in asked(network, self.dataset):
            both = parts(network, batch.inputs, self.encoding.config.code, generator)
            found += [float(part.sum()) for part in both]
        surprise, kl = (found / max(len(self.dataset), 1)).tolist()
        return surprise, kl


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> Judge:
    """Scores by the examples themselves."""
    assert isinstance(objective, Bound)
    plain.require_shares(encoding.config, dataset)
    return Judge(encoding, dataset, objective.beta)


LEARNING = Learning(objective, judge, plain.batches)
