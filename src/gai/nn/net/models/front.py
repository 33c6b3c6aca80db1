"""What bodies begin and end with: embeddings, which tokens are real, pooling, normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gai.nn.config import Config
from gai.nn.data.arrays import PAD
from gai.nn.net.inputs import Inputs, Shape


def embedding(shape: Shape, dim: int) -> nn.Embedding | None:
    """A vector for each term, that of padding 0; None where the inputs are no ids."""
    return nn.Embedding(shape.size[0], dim, padding_idx=PAD) if shape.kind == "ids" else None


def vectors(embedding: nn.Embedding | None, values: Tensor) -> Tensor:
    """What stands for each token [B, T, dim]: the vector of its id, the sum of the vectors of its
    features [B, T, C], or its own numbers."""
    if embedding is None:
        return values
    if values.ndim == 3:
        flat, weight = values.flatten(0, 1), embedding.weight
        found = nn.functional.embedding_bag(flat, weight, mode="sum", padding_idx=PAD)
        return found.view(*values.shape[:2], -1)
    one: Tensor = embedding(values)
    return one


def real(inputs: Inputs) -> Tensor | None:
    """Which tokens are no padding, bool [B, T]; None where all are.

    Of an example without tokens the first counts, so that no mean is over nothing.
    """
    if inputs.lengths is None:
        return None
    places = torch.arange(inputs.values.shape[1], device=inputs.values.device)
    return places < inputs.lengths.clamp(min=1)[:, None]


def pool(x: Tensor, real: Tensor | None, how: str) -> Tensor:
    """The largest (``max``) or mean (``avg``) value of each feature over real tokens: [B, T, H] to
    [B, H]."""
    if real is None:
        return x.amax(1) if how == "max" else x.mean(1)
    if how == "max":
        return x.masked_fill(~real[..., None], -torch.inf).amax(1)
    return (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)


def normalisation(config: Config, width: int) -> nn.Module:
    """What normalises the last dimension of [B, width]; of [B, T, width] over real tokens."""
    if config.batch_norm:
        return BatchNorm(width)
    return LayerNorm(width) if config.layer_norm else Unchanged()


class Unchanged(nn.Module):
    """No normalisation."""

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """``x``."""
        return x


class LayerNorm(nn.LayerNorm):
    """Layer normalisation, for which padding is no matter."""

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """Every token by itself."""
        return super().forward(x)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation over examples, or over the real tokens of them all.

    A batch of one has no variance: the running mean and variance stand in for its own.
    """

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """[B, width] or [B, T, width], padding as it was."""
        if real is not None and self.training:
            return torch.zeros_like(x).masked_scatter(real[..., None], self._rows(x[real]))
        made = self._rows(x.flatten(0, -2)).view_as(x)
        return made if real is None else made * real[..., None]

    def _rows(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1:
            mean, var = self.running_mean, self.running_var
            return nn.functional.batch_norm(x, mean, var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)
