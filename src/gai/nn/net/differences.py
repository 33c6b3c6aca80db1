"""Finite differences: how the loss changes where one weight is a little larger, and smaller."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gai.nn.net.batches import Batch
from gai.nn.net.losses import Loss

NUDGE = 1e-5
"""By how much a weight is changed for a finite difference, times its size where that is above 1."""

RESOLVED = 1e-6
"""Gradients below this drown in the rounding of a difference: errors are shares of it."""


@torch.no_grad()
def difference(
    network: nn.Module, loss: Loss, batch: Batch, weight: Tensor, at: tuple[int, ...]
) -> float:
    """(L(w + e) - L(w - e)) / 2e of one weight, which is as it was afterwards."""
    old = float(weight[at])
    nudge = NUDGE * max(1.0, abs(old))
    found = []
    for changed in (old + nudge, old - nudge):
        weight[at] = changed
        found.append(float(loss(network(batch.inputs), batch.targets)))  # type: ignore[arg-type]
    weight[at] = old
    return (found[0] - found[1]) / (2 * nudge)


def relative(a: float, b: float) -> float:
    """How far two gradients are apart, as a share of the larger."""
    return abs(a - b) / max(abs(a), abs(b), RESOLVED)


def largest(values: Tensor) -> tuple[int, ...]:
    """Where the entry is that is largest without its sign, the first of several."""
    place = int(values.abs().argmax())
    return tuple(int(i) for i in np.unravel_index(place, tuple(values.shape)))
