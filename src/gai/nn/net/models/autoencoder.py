"""Autoencoder: through a narrow code and back, as near to what came in as it can (Hinton and
Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks")."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from gai.nn.config import Config
from gai.nn.net.initialising import initialise
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.mlp import Hidden, SparseLinear
from gai.nn.net.models.network import Model


class Autoencoder(Model):
    """Hidden layers down to a code, and as many back to the D numbers of an example.

    Images are flattened inside; rows of text stay sparse on their way in, and come out dense. The
    code is linear, or with ``--sparsity`` the positive part of it, so that units can be off.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.sparse, self.shares = shape.kind == "rows", config.loss == "bce"
        self.input_dropout = nn.Dropout(config.input_dropout)
        numbers, layers = math.prod(shape.size), range(config.layers)
        inner = config.width if config.layers else numbers
        self.encoder = nn.ModuleList(
            Hidden(config, config.width if k else numbers, sparse=self.sparse and not k)
            for k in layers
        )
        self.code = self._coder(config, inner)
        self.gate = nn.ReLU() if config.sparsity else nn.Identity()
        self.decoder = nn.ModuleList(
            Hidden(config, config.width if k else config.code) for k in layers
        )
        self.output = nn.Linear(config.width if config.layers else config.code, numbers)
        initialise(
            self,
            config.weights_init,
            activation=config.activation,
            negative_slope=config.negative_slope,
        )

    def _coder(self, config: Config, inner: int) -> nn.Module:
        """The layer that makes the code."""
        first = self.sparse and not config.layers
        return SparseLinear(inner, config.code) if first else nn.Linear(inner, config.code)

    def forward(self, inputs: Inputs, costly: bool = False) -> Any:
        """What it makes of each example, [B, D]; where the loss is bce the logits of it.

        Where codes are ``costly`` also what each of them costs, [B].
        """
        code = self.encode(inputs)
        outputs = self.decode(code)
        return (outputs, self.cost(code)) if costly else outputs

    def features(self, inputs: Inputs) -> Tensor:
        """The code of each example, [B, code]."""
        return self.encode(inputs)

    def encode(self, inputs: Inputs) -> Tensor:
        """The code of each example, [B, code]."""
        code: Tensor = self.gate(self.code(self._hidden(inputs)))
        return code

    def _hidden(self, inputs: Inputs) -> Tensor | Inputs:
        """What the layer before the code makes of the examples."""
        if self.sparse:
            x: Tensor | Inputs = inputs._replace(weights=self.input_dropout(inputs.weights))
        else:
            x = self.input_dropout(inputs.values.flatten(1))
        for layer in self.encoder:
            x = layer(x)
        return x

    def decode(self, code: Tensor) -> Tensor:
        """What ``forward`` gives, of codes [B, code]."""
        x = code
        for layer in self.decoder:
            x = layer(x)
        outputs: Tensor = self.output(x)
        return outputs

    def seen(self, outputs: Tensor) -> Tensor:
        """Outputs in the numbers of the examples: the shares that logits stand for."""
        return torch.sigmoid(outputs) if self.shares else outputs

    def cost(self, code: Tensor) -> Tensor:
        """The sum of each code [B, code], each unit times the length of the weights that go out of
        it: so a code is not cheaper for being small and weights large."""
        first = self.decoder[0].linear if len(self.decoder) else self.output
        assert isinstance(first, nn.Linear)
        found: Tensor = (code.abs() * first.weight.norm(dim=0)).sum(1)
        return found
