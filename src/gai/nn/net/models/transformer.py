"""Transformer: blocks of self-attention and of two dense layers, normalised first (GPT-2)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.net.activations import activation
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.front import embedding, pool, real, vectors
from gai.nn.net.models.network import Attention, Body, State

DEVIATION = 0.02
"""Of the first weights (Radford 2019)."""


class Transformer(Body):
    """Vectors of tokens plus vectors of their places, blocks, and a pool over tokens or an answer
    for each.

    Layers have no bias, as in nanoGPT's training. Vectors that were trained before and have another
    width than the network go through a projection.
    """

    slide = 1
    """How many tokens leave a full context at once when it goes on: more are faster, and leave it
    shorter for a while."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.per_token, self.causal, self.how = shape.per_token, shape.causal, config.pool
        self.width = config.width
        self.context, inner = (config.context, config.width) if shape.kind == "ids" else shape.size
        if shape.kind == "ids" and config.vectors is not None:
            inner = config.embedding
        self.embedding = embedding(shape, inner)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.projection: nn.Module = nn.Identity()
        if shape.kind != "ids" or inner != config.width:
            self.projection = nn.Linear(inner, config.width)
        self.places = nn.Embedding(self.context, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config, shape.causal) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=False)

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width], or [B, T, width] of a network that answers for each token."""
        there = real(inputs)
        x = self._entering(inputs.values)
        # What is real in a causal network never looks at the padding behind it.
        mask = None if there is None or self.causal else there[:, None, None]
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        return x if self.per_token else pool(x, there, self.how)

    def _entering(self, values: Tensor, first: int = 0) -> Tensor:
        """What the first block sees [B, T, width], of tokens whose places begin at ``first``."""
        end = first + values.shape[1]
        if end > self.context:
            raise GaiError(
                f"{end} tokens are more than the {self.context} that the transformer looks at",
                f"--context-size {end} at training, or --max-length {self.context}",
            )
        x = self.projection(self.input_dropout(vectors(self.embedding, values)))
        placed: Tensor = self.dropout(x + self.places.weight[first:end])
        return placed

    def advance(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Keeps the ids, and the keys and values of each block; where the context is full, it
        slides: all of its tokens have new places then, and are worked out anew."""
        seen = ids if state is None else torch.cat([state[0], ids], 1)
        if seen.shape[1] > self.context:
            state, seen = None, seen[:, -max(self.context + 1 - self.slide, 1) :]
        if state is None:
            ids = seen
        x, kept = self._entering(ids, seen.shape[1] - ids.shape[1]), [seen]
        for k, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            x, after = layer.go_on(x, state[2 * k + 1 : 2 * k + 3] if state else None)
            kept += after
        return self.norm(x[:, -1]), tuple(kept)


class Layer(nn.Module):
    """A block: x + attention(norm(x)), and to this two dense layers in the same way."""

    def __init__(self, config: Config, causal: bool) -> None:
        super().__init__()
        width = config.width
        self.attention_norm = nn.LayerNorm(width, bias=False)
        self.attention = SelfAttention(width, config.heads, config.dropout, causal)
        self.dense_norm = nn.LayerNorm(width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.activation = activation(config.activation, config.negative_slope)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """[B, T, width]."""
        return self._dense(x + self.dropout(self.attention(self.attention_norm(x), mask)))

    def go_on(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The outputs after earlier tokens, whose keys and values are ``state``, and the new
        state."""
        mixed, state = self.attention.go_on(self.attention_norm(x), state)
        return self._dense(x + mixed), state

    def _dense(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.dropout(self.down(self.activation(self.up(self.dense_norm(x)))))
        return added


class SelfAttention(Attention):
    """Each token's mean of the values of all (of those up to it, where causal), in several heads,
    weighted by softmax(q k / sqrt(d)) (Vaswani 2017)."""

    def __init__(self, width: int, heads: int, dropout: float, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal, self.dropout = heads, causal, dropout
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """[B, T, width]; ``mask`` is bool [B, 1, 1, T], the tokens that may be looked at."""
        q, k, v = self._split(x)
        if self.watcher is not None:
            self.watcher(weights(q, k, _earlier(x, 0) if self.causal else mask).detach())
        return self._mix(q, k, v, mask, self.causal)

    def go_on(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The same after tokens whose keys and values [B, heads, P, d] are ``state``."""
        q, k, v = self._split(x)
        if self.watcher is not None and state is None:
            self.watcher(weights(q, k, _earlier(x, 0)).detach())
        if state is None:
            return self._mix(q, k, v, None, True), (k, v)
        mask = _earlier(x, state[0].shape[2]) if x.shape[1] > 1 else None
        k, v = torch.cat([state[0], k], 2), torch.cat([state[1], v], 2)
        return self._mix(q, k, v, mask, False), (k, v)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, [B, heads, T, d] each."""
        size = (*x.shape[:2], self.heads, -1)
        q, k, v = (part.view(size).transpose(1, 2) for part in self.qkv(x).chunk(3, 2))
        return q, k, v

    def _mix(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        p = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=p, is_causal=causal)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


def weights(q: Tensor, k: Tensor, mask: Tensor | None) -> Tensor:
    """The weights of attention [B, heads, T, T], which torch's function does not show."""
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    return (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(3)


def _earlier(x: Tensor, before: int) -> Tensor:
    """bool [T, before + T]: each token and those before it."""
    length = x.shape[1]
    return x.new_ones(length, before + length, dtype=torch.bool).tril(before)


def draw(network: nn.Module, body: Transformer) -> None:
    """Draws the first weights as GPT-2: normal, smaller where a block adds to what passes by.

    Within ``torch.no_grad()``.
    """
    draw_all(network)
    for layer in body.layers:
        assert isinstance(layer, Layer)
        draw_adding([layer.attention.out, layer.down], 2 * len(body.layers))


def draw_all(network: nn.Module) -> None:
    """Draws the weights of all layers: normal, biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=DEVIATION)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx] = 0.0


def draw_adding(layers: Iterable[nn.Linear], times: int) -> None:
    """Draws the weights of layers that add to what passes by, ``times`` in all."""
    for layer in layers:
        nn.init.normal_(layer.weight, std=DEVIATION / math.sqrt(times))
