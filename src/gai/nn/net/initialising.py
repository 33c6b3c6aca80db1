"""First values of weights by name, as ``gai.nn.names.INITIALISATIONS`` lists them.

``default`` leaves what torch has drawn. With the others

- weights of linear and convolution layers are drawn as the name says, and so is each block of those
  that hold several matrices in one (queries, keys and values of attention, gates of an LSTM or
  GRU): the fan of one gate is not that of all;
- hidden-to-hidden matrices are orthogonal under every name (Saxe 2014): the same matrix is applied
  at each step of a sequence, and rotations neither grow nor shrink what goes through many of them;
- biases are 0, but those of an LSTM's forget gates are 1, so that it remembers at first (Jozefowicz
  2015);
- embeddings are normal with deviation 0.1, the padding row 0. They have no fan-in, for a lookup
  adds nothing up; torch's deviation of 1 drowns, on small data, what is learned of a rare word.

Scales of normalisation, slopes of PReLU and weights that do not learn stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

EMBEDDING_DEVIATION = 0.1

GATES = {"LSTM": 4, "GRU": 3}
"""Matrices in one weight of a recurrent layer."""

Draw = Callable[[Tensor], Tensor]
"""Fills one matrix, or one bank of filters, in place."""


def initialise(
    model: nn.Module, name: str, *, activation: str = "relu", negative_slope: float = 0.01
) -> None:
    """Draws the weights of all layers anew, in place, with torch's own random numbers.

    Goes before pre-trained vectors are put in. ``activation`` and ``negative_slope`` matter to
    ``he``: what lets something through below 0 needs less (He 2015, section 2.2).
    """
    if name == "default":
        return
    draw = drawing(name, activation, negative_slope)
    with torch.no_grad():
        for module in model.modules():
            _draw_layer(module, draw)
        # Last, because an output layer may share the weight of the embedding.
        for module in model.modules():
            if isinstance(module, nn.Embedding | nn.EmbeddingBag):
                _draw_embedding(module)


def drawing(name: str, activation: str, negative_slope: float) -> Draw:
    """What fills a matrix."""
    if name == "orthogonal":
        return nn.init.orthogonal_
    if name == "xavier":
        return nn.init.xavier_uniform_
    slope = {"leaky-relu": negative_slope, "prelu": 0.25}.get(activation, 0.0)
    return partial(nn.init.kaiming_normal_, a=slope, nonlinearity="leaky_relu")


def _draw_layer(module: nn.Module, draw: Draw) -> None:
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        _fill(module.weight, draw)
        if module.bias is not None:
            _fill(module.bias, nn.init.zeros_)
    elif isinstance(module, nn.MultiheadAttention):
        _draw_attention(module, draw)
    elif isinstance(module, nn.RNNBase):
        for name, weight in module.named_parameters(recurse=False):
            _draw_recurrent(module.mode, name, weight, draw)


def _fill(weight: Tensor, draw: Draw, blocks: int = 1) -> None:
    """Draws each of ``blocks`` matrices that stand on each other."""
    if weight.requires_grad:
        for block in weight.chunk(blocks):
            draw(block)


def _draw_attention(module: nn.MultiheadAttention, draw: Draw) -> None:
    for name, weight in module.named_parameters(recurse=False):
        if name.endswith("weight"):
            _fill(weight, draw, 3 if name == "in_proj_weight" else 1)
        else:
            _fill(weight, nn.init.zeros_)


def _draw_recurrent(mode: str, name: str, weight: Tensor, draw: Draw) -> None:
    gates = GATES.get(mode, 1)
    if name.startswith("weight_hh"):
        _fill(weight, nn.init.orthogonal_, gates)
    elif name.startswith("weight"):
        _fill(weight, draw, gates if name.startswith("weight_ih") else 1)
    else:
        _fill(weight, nn.init.zeros_)
        if mode == "LSTM" and name.startswith("bias_ih"):
            # Torch adds bias_ih and bias_hh up, and its gates are input, forget, cell, output.
            _fill(weight.chunk(4)[1], nn.init.ones_)


def _draw_embedding(module: nn.Embedding | nn.EmbeddingBag) -> None:
    if module.weight.requires_grad:
        nn.init.normal_(module.weight, std=EMBEDDING_DEVIATION)
        if module.padding_idx is not None:
            module.weight[module.padding_idx] = 0.0
