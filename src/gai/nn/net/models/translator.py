"""Translator: a transformer that reads one text and writes another (Vaswani et al. 2017)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.arrays import PAD
from gai.nn.net.activations import activation
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import transformer
from gai.nn.net.models.front import real
from gai.nn.net.models.network import Attention, Model
from gai.nn.net.models.transformer import Layer, SelfAttention, weights


class Memory(NamedTuple):
    """What the decoder knows of the text that was read, and of what it has written so far.

    ``keys`` and ``values`` are those of the text, [B, heads, T, d] for each layer, ``mask`` bool
    [B, 1, 1, T] its real tokens; ``written`` holds the keys and values of each layer's own tokens,
    and is empty at the beginning.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    mask: Tensor | None
    written: tuple[tuple[Tensor, Tensor], ...] = ()

    def chosen(self, rows: Tensor) -> Memory:
        """That of these examples."""
        return Memory(
            tuple(k[rows] for k in self.keys),
            tuple(v[rows] for v in self.values),
            None if self.mask is None else self.mask[rows],
            tuple((k[rows], v[rows]) for k, v in self.written),
        )


class Translator(Model):
    """An encoder, a decoder that looks back at it, and one embedding for what is read, written and
    said. Blocks are normalised first; places are learned, as in the other transformer."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.width, self.context, heads = config.width, config.context, config.heads
        terms = shape.size[0]
        self.embedding = nn.Embedding(terms, config.width, padding_idx=PAD)
        self.places = nn.Embedding(config.context, config.width)
        self.written_places = nn.Embedding(config.context, config.width)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = nn.ModuleList(Layer(config, causal=False) for _ in range(config.layers))
        self.encoder_norm = nn.LayerNorm(config.width, bias=False)
        self.decoder = nn.ModuleList(DecoderLayer(config, heads) for _ in range(config.layers))
        self.decoder_norm = nn.LayerNorm(config.width, bias=False)
        self.head = nn.Linear(config.width, shape.outputs, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, inputs: Inputs) -> Tensor:
        """The logits [B, S, V] of what follows each of ``inputs.before`` [B, S]."""
        assert inputs.before is not None
        memory = self.read(inputs)
        return self.write(inputs.before, memory)[0]

    def features(self, inputs: Inputs) -> Tensor:
        """What the encoder has made of each token that was read, [B, T, width]."""
        there = real(inputs)
        mask = None if there is None else there[:, None, None]
        x = self._entering(inputs.values, self.places.weight)
        for layer in self.encoder:
            x = layer(x, mask)
        found: Tensor = self.encoder_norm(x)
        return found

    def read(self, inputs: Inputs) -> Memory:
        """What the decoder looks back at."""
        x, there = self.features(inputs), real(inputs)
        pairs = [layer.across.remembered(x) for layer in self._layers()]
        mask = None if there is None else there[:, None, None]
        return Memory(tuple(k for k, _ in pairs), tuple(v for _, v in pairs), mask)

    def write(self, ids: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """The logits [B, S, V] behind each of ``ids`` [B, S], which follow what is written, and the
        memory with them."""
        first = memory.written[0][0].shape[2] if memory.written else 0
        x = self._entering(ids, self.written_places.weight, first)
        written = []
        for k, layer in enumerate(self._layers()):
            own = memory.written[k] if memory.written else None
            x, after = layer(x, own, memory.keys[k], memory.values[k], memory.mask)
            written.append(after)
        logits: Tensor = self.head(self.decoder_norm(x))
        return logits, memory._replace(written=tuple(written))

    def _layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.decoder if isinstance(layer, DecoderLayer)]

    def _entering(self, ids: Tensor, places: Tensor, first: int = 0) -> Tensor:
        end = first + ids.shape[1]
        if end > self.context:
            raise GaiError(
                f"{end} tokens are more than the {self.context} that the transformer has places "
                "for",
                f"--context-size {end} at training",
            )
        x: Tensor = self.dropout(self.input_dropout(self.embedding(ids)) + places[first:end])
        return x


class DecoderLayer(nn.Module):
    """A block of attention to what was written, attention to what was read, and dense layers."""

    def __init__(self, config: Config, heads: int) -> None:
        super().__init__()
        width = config.width
        self.own_norm = nn.LayerNorm(width, bias=False)
        self.own = SelfAttention(width, heads, config.dropout, causal=True)
        self.across_norm = nn.LayerNorm(width, bias=False)
        self.across = CrossAttention(width, heads, config.dropout)
        self.dense_norm = nn.LayerNorm(width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.activation = activation(config.activation, config.negative_slope)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        written: tuple[Tensor, Tensor] | None,
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """[B, S, width], and the keys and values of all that is written by now."""
        mixed, after = self.own.go_on(self.own_norm(x), written)
        x = x + self.dropout(mixed)
        x = x + self.dropout(self.across(self.across_norm(x), keys, values, mask))
        x = x + self.dropout(self.down(self.activation(self.up(self.dense_norm(x)))))
        return x, (after[0], after[1])


class CrossAttention(Attention):
    """Each written token's mean of the values of all that were read, in several heads."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def remembered(self, read: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values [B, heads, T, d] of what was read, [B, T, width]."""
        keys, values = (self._split(part) for part in self.key_value(read).chunk(2, 2))
        return keys, values

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """[B, S, width]."""
        query = self._split(self.query(x))
        if self.watcher is not None:
            self.watcher(weights(query, keys, mask).detach())
        p = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, keys, values, mask, dropout_p=p)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


def translator(config: Config, shape: Shape) -> Translator:
    """One with its first weights, drawn as GPT-2's."""
    made = Translator(config, shape)
    with torch.no_grad():
        transformer.draw_all(made)
        layers = [*made.encoder, *made.decoder]
        for layer in layers:
            adding = [layer.down, *(m.out for m in layer.modules() if isinstance(m, Attention))]
            transformer.draw_adding(adding, 2 * config.layers)
    return made
