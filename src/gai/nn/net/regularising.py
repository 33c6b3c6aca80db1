"""What keeps weights small.

A *weight* here has two or more dimensions; biases and the scales of normalisation are left alone,
as by the optimiser's weight decay.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gai.nn.net.models.mlp import SparseLinear


def penalty(model: nn.Module, l1: float, l2: float) -> Tensor:
    """l1 times the sum of |w| and l2 times the sum of w^2, over all weights that learn; those of
    embeddings too, of which a padding row is 0 and adds nothing."""
    if not (l1 or l2):
        return torch.zeros(())
    weights = [w.flatten() for w in model.parameters() if w.requires_grad and w.dim() >= 2]
    parts: list[Tensor] = []
    if l1:
        parts += [l1 * weight.abs().sum() for weight in weights]
    if l2:
        parts += [l2 * weight.dot(weight) for weight in weights]
    return torch.stack(parts).sum()


@torch.no_grad()
def limit_norms(model: nn.Module, max_norm: float) -> None:
    """Shortens the incoming weights of each unit and filter to ``max_norm``, after a step.

    Of linear and convolution layers (Hinton 2012, "Improving neural networks by preventing
    co-adaptation of feature detectors"); not of an output layer that shares the embedding's weight.
    """
    modules = list(model.modules())
    lookups = {id(m.weight) for m in modules if isinstance(m, nn.Embedding | nn.EmbeddingBag)}
    for layer in (m for m in modules if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)):
        if layer.weight.requires_grad and id(layer.weight) not in lookups:
            layer.weight.renorm_(2, 0, max_norm)
    for sparse in (m for m in modules if isinstance(m, SparseLinear)):
        sparse.weight.renorm_(2, 1, max_norm)  # a unit is a column of it
