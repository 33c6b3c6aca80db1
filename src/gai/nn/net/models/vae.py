"""Variational autoencoder: a code that is drawn, so that new examples can be drawn, too (Kingma and
Welling 2014, "Auto-encoding variational Bayes")."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gai.nn.config import Config
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.autoencoder import Autoencoder


class Posterior(NamedTuple):
    """What the encoder says of the code of each example: a normal distribution of independent
    numbers, mean and log-variance [B, code]."""

    mean: Tensor
    log_variance: Tensor

    def drawn(self, noise: Tensor) -> Tensor:
        """Codes made of standard normal ``noise`` [B, code], so that gradients pass."""
        return self.mean + noise * torch.exp(0.5 * self.log_variance)

    def kl(self) -> Tensor:
        """The divergence from the prior, a standard normal, in nats: [B].

        1/2 sum (mean^2 + variance - log variance - 1).
        """
        found = self.mean.square() + self.log_variance.exp() - self.log_variance - 1.0
        return 0.5 * found.sum(1)


class VAE(Autoencoder):
    """An autoencoder whose code is a distribution.

    Pixels from 0 to 1 are probabilities (``--loss bce``). Other numbers are normal around the
    output with one deviation, which is learned (Rybkin 2021, "Simple and effective VAE training
    with calibrated decoders"): with a fixed one the code falls silent or is noise-free, by the
    units of the data.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape)
        self.dimensions = config.code
        self.log_deviation = None if self.shares else nn.Parameter(torch.zeros(()))

    def _coder(self, config: Config, inner: int) -> nn.Module:
        """The layer that makes mean and log-variance of the code."""
        return nn.Linear(inner, 2 * config.code)

    def forward(self, inputs: Inputs, noise: Tensor | None = None) -> Any:  # type: ignore[override]
        """What it makes of each example by the mean of its code, [B, D].

        With standard normal ``noise`` [B, code], by which a code is drawn, the two parts of the
        negative bound, [B] in nats: the surprise at the example, given the code, and the divergence
        of the code from the prior.
        """
        found = self.posterior(inputs)
        if noise is None:
            return self.decode(found.mean)
        outputs = self.decode(found.drawn(noise))
        return self.surprise(outputs, inputs.values.flatten(1)), found.kl()

    def posterior(self, inputs: Inputs) -> Posterior:
        """The distribution of the code of each example."""
        return Posterior(*self.code(self._hidden(inputs)).chunk(2, 1))

    def encode(self, inputs: Inputs) -> Tensor:
        """The mean of the code of each example, [B, code]."""
        return self.posterior(inputs).mean

    def surprise(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """-log p(wanted | code) of each example in nats, [B]: the sum over its D numbers."""
        if self.log_deviation is None:
            each = F.binary_cross_entropy_with_logits(outputs, wanted, reduction="none")
            return each.sum(1)
        off = (wanted - outputs) * torch.exp(-self.log_deviation)
        return (0.5 * off.square() + self.log_deviation + 0.5 * math.log(2 * math.pi)).sum(1)

    def sample(
        self, count: int, generator: torch.Generator, labels: Tensor | None = None
    ) -> Tensor:
        """New examples [count, D], of codes drawn from the prior: of pixels their probabilities,
        other numbers drawn around the output."""
        code = torch.randn(count, self.dimensions, generator=generator, device=generator.device)
        found = self.seen(self.decode(code))
        if self.log_deviation is None:
            return found
        noise = torch.randn(found.shape, generator=generator, device=generator.device)
        return found + self.log_deviation.exp() * noise
