"""What a Turing machine does with one example: what it is given, what it says, where it looks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from gai.errors import UsageError
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net.batches import taker
from gai.nn.net.models import Model

Floats = NDArray[np.float32]


class Recall(NamedTuple):
    """One example, step by step: ``inputs`` [T, F], ``targets`` [T, K] with NaN where no bit is
    due, the probabilities that the network ``said`` [T, K], and the weights of each head [T, N] by
    its name, those that write first."""

    name: str
    inputs: Floats
    targets: Floats
    said: Floats
    heads: dict[str, Floats]


def recall(network: Model, encoding: Encoding, raw: Raw) -> Recall:
    """What the network does with the last example, which is as long as any of generated ones."""
    dataset = encoding.dataset(raw)
    batch = taker(dataset, torch.device("cpu"))(np.array([len(dataset) - 1]))
    assert batch.targets is not None
    steps = int(np.flatnonzero(~batch.targets[0].isnan().all(1).numpy())[-1]) + 1
    inputs = batch.inputs._replace(values=batch.inputs.values[:, :steps])
    with torch.inference_mode(), network.watch() as found:
        said = network(inputs)[0].sigmoid()
    if not found:
        raise UsageError("this model has no memory that heads look at", "an ntm has")
    (weights,) = found.values()
    return Recall(
        str(dataset.ids[-1]),
        inputs.values[0].numpy(),
        batch.targets[0, :steps].numpy(),
        said.numpy(),
        named(weights[0].numpy()),
    )


def named(weights: Floats) -> dict[str, Floats]:
    """The weights [2 H, T, N] of heads by their names: the second half of them writes."""
    pairs = len(weights) // 2
    numbers = [""] if pairs == 1 else [f" {k + 1}" for k in range(pairs)]
    writing = {f"write{n}": weights[pairs + k] for k, n in enumerate(numbers)}
    return writing | {f"read{n}": weights[k] for k, n in enumerate(numbers)}
