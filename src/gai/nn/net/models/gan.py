"""GAN: a generator that makes examples of noise, and a discriminator that tells them from data
(Goodfellow 2014, "Generative adversarial nets")."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gai.nn.config import Config
from gai.nn.net.initialising import initialise
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.mlp import Hidden
from gai.nn.net.models.network import Model

MEMORY = 0.99
"""Share of the mean generator that stays at each step. On the digits its samples are six times
nearer to data, by energy distance, than those of the generator itself, which never settles."""


class GAN(Model):
    """A generator, the running mean of it, which samples are drawn from, and a discriminator.

    Both know the label of an example where ``shape.outputs`` says how many labels there are
    (``--conditional``), else that is 0. Images are flattened inside, and their pixels are from 0 to
    1; other numbers are any. Dropout is for the discriminator alone, batch normalisation for the
    generator: real and made examples must not see each other.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.dimensions = config.code
        self.generator = Generator(config.with_(dropout=0.0, input_dropout=0.0), shape)
        self.discriminator = Discriminator(config.with_(batch_norm=False), shape)
        initialise(
            self,
            config.weights_init,
            activation=config.activation,
            negative_slope=config.negative_slope,
        )
        averaged = get_ema_multi_avg_fn(MEMORY)  # type: ignore[no-untyped-call]
        self.mean = AveragedModel(self.generator, multi_avg_fn=averaged, use_buffers=True)
        self.mean.requires_grad_(False)

    def forward(self, inputs: Inputs) -> Tensor:
        """The score of each example, whatever its label: [B, 1], above 0 for what looks real."""
        found: Tensor = self.discriminator.output(self.features(inputs))
        return found

    def features(self, inputs: Inputs) -> Tensor:
        """The last hidden layer of the discriminator, [B, width]."""
        return self.discriminator.features(inputs.values.flatten(1))

    def made(self, count: int, labels: Tensor | None) -> Tensor:
        """Examples of the generator as it is now, [count, D], of noise of torch's own."""
        device = next(self.parameters()).device
        found: Tensor = self.generator(torch.randn(count, self.dimensions, device=device), labels)
        return found

    def sample(
        self, count: int, generator: torch.Generator, labels: Tensor | None = None
    ) -> Tensor:
        """New examples of the mean generator, [count, D], one for each of the labels [count]."""
        noise = torch.randn(count, self.dimensions, generator=generator, device=generator.device)
        found: Tensor = self.mean(noise, labels)
        return found

    def follow(self) -> None:
        """Moves the mean generator towards the generator."""
        self.mean.update_parameters(self.generator)


class Generator(nn.Module):
    """Noise, and the label beside it, through hidden layers to the D numbers of an example."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.labels, self.shares = shape.outputs, shape.kind == "images"
        inner = config.code + self.labels
        self.layers = nn.ModuleList(
            Hidden(config, config.width if k else inner) for k in range(config.layers)
        )
        self.output = nn.Linear(config.width, math.prod(shape.size))

    def forward(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """[B, D], of noise [B, code] and labels int64 [B]."""
        x = noise
        if labels is not None:
            x = torch.cat([noise, F.one_hot(labels, self.labels).to(noise.dtype)], 1)
        for layer in self.layers:
            x = layer(x)
        made: Tensor = self.output(x)
        return torch.sigmoid(made) if self.shares else made


class Discriminator(nn.Module):
    """The D numbers of an example through hidden layers to a score; a label has a direction in the
    last hidden layer, along which its examples score (Miyato and Koyama 2018, "cGANs with
    projection discriminator")."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.layers = nn.ModuleList(
            Hidden(config, config.width if k else math.prod(shape.size))
            for k in range(config.layers)
        )
        self.output = nn.Linear(config.width, 1)
        self.directions = nn.Embedding(shape.outputs, config.width) if shape.outputs else None
        if self.directions is not None:
            nn.init.normal_(self.directions.weight, std=0.1)

    def features(self, examples: Tensor) -> Tensor:
        """The last hidden layer, [B, width]."""
        x: Tensor = self.input_dropout(examples)
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, examples: Tensor, labels: Tensor | None) -> Tensor:
        """The score of each example [B], as one of its label: above 0 for what looks real."""
        hidden = self.features(examples)
        scores: Tensor = self.output(hidden)[:, 0]
        if self.directions is None or labels is None:
            return scores
        toward: Tensor = self.directions(labels)
        return scores + (hidden * toward).sum(1)
