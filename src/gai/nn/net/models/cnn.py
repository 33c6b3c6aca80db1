"""CNN: filters that slide over tokens (Kim 2014) or pixels, and pooling over where they were."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.nn.config import Config
from gai.nn.net.activations import activation
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.front import embedding, normalisation, pool, real, vectors
from gai.nn.net.models.network import Body, State

LARGEST = 1 << 27
"""Numbers in the tables of a folded network, at most: half a gigabyte."""


def cnn(config: Config, shape: Shape) -> Body:
    """The body for images, or for sequences of tokens or of numbers."""
    return ImageCNN(config, shape) if shape.kind == "images" else TextCNN(config, shape)


class TextCNN(Body):
    """Filters over tokens, pooled over the text (Kim 2014), or one answer for each token.

    A text has as many windows of each width as tokens, one around each; where a window reaches over
    an end it sees zeros. So no text is too short, and padding is no matter. In a causal network a
    window ends at its token.

    On the CPU, ids go through tables: see ``Filters.tables``. They are made once for each distinct
    term of a batch, not for each token, which makes a training step two or three times as fast; a
    folded network has them for all terms.
    """

    folded_tables: list[Tensor] | None = None

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.per_token, self.how = shape.per_token, config.pool
        inner = config.embedding if shape.kind == "ids" else shape.size[-1]
        self.embedding = embedding(shape, inner)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.width = config.filters * len(config.kernels)
        self.layers = nn.ModuleList(
            Filters(config, self.width if k else inner, shape.causal) for k in range(config.layers)
        )
        self.dropout = nn.Dropout(config.dropout)
        alone = config.layers == 1 and not (config.batch_norm or config.layer_norm)
        self.early = alone and config.pool == "max" and not shape.per_token and rises(config)
        self.sight = config.layers * (max(config.kernels) - 1)

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width], or [B, T, width] of a network that answers for each token."""
        there = real(inputs)
        x = self._first(inputs.values, there)
        for layer in self.layers[1:]:
            x = layer(self.dropout(x), there)
        pooled = x if self.per_token or x.ndim == 2 else pool(x, there, self.how)
        dropped: Tensor = self.dropout(pooled)
        return dropped

    def _first(self, values: Tensor, there: Tensor | None) -> Tensor:
        """[B, T, width] after the first filters, or [B, width] where they could be pooled early."""
        first = self.layers[0]
        assert isinstance(first, Filters)
        one_id = values.ndim == 2 and values.device.type == "cpu"  # a token, where tables pay
        if self.embedding is None or not one_id or first.residual:
            x: Tensor = first(self.input_dropout(vectors(self.embedding, values)), there)
            return x
        rows, tables = self._tables(values, self.embedding, first)
        found = first.looked_up(rows if there is None else rows * there, tables)
        if self.early:
            pooled: Tensor = first.activation(torch.cat([pool(x, there, "max") for x in found], 1))
            return pooled
        return first.finished(torch.cat(found, 2), there)

    def _tables(
        self, ids: Tensor, embedding: nn.Embedding, first: Filters
    ) -> tuple[Tensor, list[Tensor]]:
        """The row of each token [B, T], from 1 on, and tables with these rows."""
        if self.folded_tables is not None:
            return ids + 1, self.folded_tables
        if self.training and self.input_dropout.p:
            # Each token loses values of its own.
            found = self.input_dropout(embedding(ids)).flatten(0, 1)
            rows = torch.arange(ids.numel()).view_as(ids)
        else:
            distinct, rows = torch.unique(ids, return_inverse=True)
            found = embedding(distinct)
        return rows + 1, first.tables(found)

    def folded(self) -> TextCNN:
        """One that has its tables, and shares its weights; itself where they would be too large."""
        first = self.layers[0]
        assert isinstance(first, Filters)
        if self.folded_tables is not None:
            return self
        if self.embedding is None or self.embedding.num_embeddings * first.row > LARGEST:
            return self
        made = copy.copy(self)
        with torch.no_grad():
            made.folded_tables = first.tables(self.embedding.weight)
        return made

    def advance(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Keeps as many ids as the next token's windows see."""
        seen = ids if state is None else torch.cat([state[0], ids], 1)
        found = self(Inputs(seen[:, -self.sight - ids.shape[1] :]))
        return found[:, -1], (seen[:, -max(self.sight, 1) :],)


RISING = ("linear", "sigmoid", "tanh", "relu", "elu")


def rises(config: Config) -> bool:
    """Whether the activation never falls: then the largest value before it is so behind it."""
    leaky = config.activation == "leaky-relu" and config.negative_slope >= 0.0
    return leaky or config.activation in RISING


class Filters(nn.Module):
    """Filters of several widths side by side, over [B, T, inner]."""

    def __init__(self, config: Config, inner: int, causal: bool) -> None:
        super().__init__()
        width = config.filters * len(config.kernels)
        self.kernels = nn.ModuleList(nn.Conv1d(inner, config.filters, k) for k in config.kernels)
        self.margins = [(k - 1, 0) if causal else ((k - 1) // 2, k // 2) for k in config.kernels]
        self.norm = normalisation(config, width)
        self.activation = activation(config.activation, config.negative_slope)
        self.residual = config.residual and inner == width
        self.row = config.filters * sum(config.kernels)

    def forward(self, x: Tensor, there: Tensor | None) -> Tensor:
        """[B, T, width], by convolution."""
        if there is not None:
            x = x * there[..., None]
        lines = x.transpose(1, 2)
        found = [conv(F.pad(lines, m)) for conv, m in zip(self.kernels, self.margins, strict=True)]
        y = self.finished(torch.cat(found, 1).transpose(1, 2), there)
        return x + y if self.residual else y

    def finished(self, y: Tensor, there: Tensor | None) -> Tensor:
        """Filters' sums [B, T, width], normalised and activated."""
        activated: Tensor = self.activation(self.norm(y, there))
        return activated

    def tables(self, found: Tensor) -> list[Tensor]:
        """What each vector [N, inner] adds to the filters at each place of a window.

        For each width k it is [(N + 1) k, filters]; row i k + j is W_j v_(i-1), and v_-1 = 0 stands
        for what lies outside of the text. The bias is in the rows of the first place.
        """
        padded = F.pad(found, (0, 0, 1, 0))
        made = []
        for conv in self.kernels:
            assert isinstance(conv, nn.Conv1d)
            filters, inner, k = conv.weight.shape
            bias = F.pad(conv.bias, (0, (k - 1) * filters))  # type: ignore[arg-type]
            flat = conv.weight.permute(2, 0, 1).reshape(-1, inner)
            made.append(F.linear(padded, flat, bias).view(-1, filters))
        return made

    def looked_up(self, rows: Tensor, tables: list[Tensor]) -> list[Tensor]:
        """The filters' sums [B, T, filters] for each width, over the vectors that ``rows`` [B, T]
        stand for, 0 for none."""
        found = []
        for table, margins in zip(tables, self.margins, strict=True):
            k = sum(margins) + 1
            windows = F.pad(rows, margins).unfold(1, k, 1) * k + torch.arange(k)
            bags = F.embedding_bag(windows.flatten(0, 1), table, mode="sum")
            found.append(bags.view(*rows.shape, -1))
        return found


class ImageCNN(Body):
    """Blocks of filters over pixels, each of which halves the sides, and a dense layer."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        channels, *sides = shape.size
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.blocks = nn.ModuleList()
        for k in range(config.layers):
            # Not below 2 pixels: where they were matters.
            halved = [2 if side >= 4 else 1 for side in sides]
            self.blocks.append(Block(config, channels, config.filters << k, halved))
            channels = config.filters << k
            sides = [side // half for side, half in zip(sides, halved, strict=True)]
        self.dense = nn.Linear(channels * sides[0] * sides[1], config.width)
        self.activation = activation(config.activation, config.negative_slope)
        self.dropout = nn.Dropout(config.dropout)
        self.width = config.width

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width]."""
        x = self.input_dropout(inputs.values)
        for block in self.blocks:
            x = block(x)
        features: Tensor = self.dropout(self.activation(self.dense(x.flatten(1))))
        return features


class Block(nn.Module):
    """3 x 3 filters and pooling; a residual one has a second layer of filters around which its
    inputs also go directly."""

    def __init__(self, config: Config, inner: int, width: int, halved: list[int]) -> None:
        super().__init__()
        self.filters = nn.Conv2d(inner, width, 3, padding=1)
        self.norm = over_pixels(config, width)
        self.residual = config.residual
        if self.residual:
            self.again = nn.Conv2d(width, width, 3, padding=1)
            self.norm_again = over_pixels(config, width)
        self.activation = activation(config.activation, config.negative_slope)
        pooling = nn.MaxPool2d if config.pool == "max" else nn.AvgPool2d
        self.pool = pooling((halved[0], halved[1]))

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, H / 2, W / 2]."""
        x = self.activation(self.norm(self.filters(x)))
        if self.residual:
            x = x + self.activation(self.norm_again(self.again(x)))
        pooled: Tensor = self.pool(x)
        return pooled


def over_pixels(config: Config, width: int) -> nn.Module:
    """What normalises [B, width, H, W]: each channel over the batch, or all of an image."""
    if config.batch_norm:
        return nn.BatchNorm2d(width)
    return nn.GroupNorm(1, width) if config.layer_norm else nn.Identity()
