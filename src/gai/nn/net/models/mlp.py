"""MLP: hidden layers of units, each of which sees all of the layer before."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gai.errors import UsageError
from gai.nn.config import Config
from gai.nn.net.activations import activation
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.front import embedding, normalisation, pool, real, vectors
from gai.nn.net.models.network import Body


class MLP(Body):
    """Text as the pool of its embeddings, or rows, numbers and pixels; then hidden layers."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.kind, self.how = shape.kind, config.pool
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.embedding = embedding(shape, config.embedding)
        if shape.kind == "rows" and not config.layers:
            raise UsageError("mlp needs a hidden layer over rows of a matrix", "--layers 1")
        inner = config.embedding if shape.kind == "ids" else math.prod(shape.size)
        widths = [inner] + [config.width] * config.layers
        self.layers = nn.ModuleList(
            Hidden(config, widths[k], sparse=shape.kind == "rows" and k == 0)
            for k in range(config.layers)
        )
        self.width = widths[-1]

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width]."""
        x = self._entering(inputs)
        for layer in self.layers:
            x = layer(x)
        assert isinstance(x, Tensor)
        return x

    def _entering(self, inputs: Inputs) -> Tensor | Inputs:
        """What the first layer sees: numbers [B, D], or the rows, some of their cells 0."""
        if self.kind == "rows":
            return inputs._replace(weights=self.input_dropout(inputs.weights))
        x: Tensor = self.input_dropout(vectors(self.embedding, inputs.values))
        return pool(x, real(inputs), self.how) if self.kind == "ids" else x.flatten(1)


class Hidden(nn.Module):
    """dropout(activation(norm(linear(x)))), and x besides where it is residual and as wide."""

    def __init__(self, config: Config, inner: int, sparse: bool = False) -> None:
        super().__init__()
        width = config.width
        self.linear = SparseLinear(inner, width) if sparse else nn.Linear(inner, width)
        self.norm = normalisation(config, width)
        self.activation = activation(config.activation, config.negative_slope)
        self.dropout = nn.Dropout(config.dropout)
        self.residual = config.residual and inner == width and not sparse

    def forward(self, x: Tensor | Inputs) -> Tensor:
        """[B, width]."""
        y: Tensor = self.dropout(self.activation(self.norm(self.linear(x))))
        return x + y if self.residual and isinstance(x, Tensor) else y


class SparseLinear(nn.EmbeddingBag):
    """A linear layer over sparse rows: the weights of a row's columns, times its cells, summed.

    ``weight`` is [columns, width]: what a row needs lies together. Starts as ``nn.Linear`` does.
    """

    def __init__(self, columns: int, width: int) -> None:
        super().__init__(columns, width, mode="sum")
        self.bias = nn.Parameter(torch.empty(width))
        bound = 1.0 / math.sqrt(columns)
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, inputs: Inputs) -> Tensor:  # type: ignore[override]
        """[B, width]."""
        return super().forward(inputs.values, inputs.lengths, inputs.weights) + self.bias
