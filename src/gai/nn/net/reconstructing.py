"""What an autoencoder makes of examples, and how far that is from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import answers
from gai.nn.net.batches import Rows
from gai.nn.net.inputs import Inputs
from gai.nn.net.sampling import in_units

Floats = NDArray[np.float64]


def wanted(inputs: Inputs, numbers: int) -> Tensor:
    """What is to come out: the examples as they are, dense [B, numbers]."""
    if inputs.weights is None:
        return inputs.values.flatten(1)
    assert inputs.lengths is not None
    made = inputs.weights.new_zeros(len(inputs.lengths), numbers)
    return made.index_put((owners(inputs), inputs.values), inputs.weights)


def owners(inputs: Inputs) -> Tensor:
    """The row that each cell of sparse rows is in, int64 [cells]."""
    assert inputs.lengths is not None
    cells = torch.arange(len(inputs.values), device=inputs.values.device)
    return torch.searchsorted(inputs.lengths, cells, right=True) - 1


def distances(seen: Tensor, wanted: Tensor, config: Config) -> Tensor:
    """How far the reconstruction of each example is from it, [B].

    The mean squared error per number; of a row of text, where nearly all numbers are 0, the squared
    distance, or where the loss is cosine 1 - the cosine.
    """
    if config.loss == "cosine":
        return 1.0 - F.cosine_similarity(seen, wanted, dim=1)
    squared = (seen - wanted).square()
    return squared.sum(1) if config.input in ("tfidf", "bow") else squared.mean(1)


def reconstructed(network: nn.Module, dataset: Dataset) -> Iterator[tuple[Rows, Tensor, Tensor]]:
    """The numbers of some examples, their reconstructions and themselves [B, D], batch by batch."""
    asked: Any = network
    for rows, batch, said in answers.outputs(network, dataset):
        yield rows, asked.seen(said.float()), wanted(batch.inputs, said.shape[1])


def errors(network: nn.Module, dataset: Dataset, config: Config) -> Floats:
    """How far the reconstruction of each example is from it, float64 [n]."""
    made = np.zeros(len(dataset))
    for rows, seen, right in reconstructed(network, dataset):
        made[rows] = distances(seen, right, config).cpu().numpy()
    return made


def require_reconstructs(config: Config, command: str) -> None:
    """Raises GaiError where the model of a run does not make its inputs again."""
    if config.task != "reconstruct":
        message = f"gai nn {command} needs a model that reconstructs, and this is {config.model}"
        raise GaiError(message, "gai nn train autoencoder DATA -o RUN")


class Cleaned(NamedTuple):
    """Examples as they were given and as the network makes them, in the units of the data: images
    [n, C, H, W] or rows [n, D]."""

    given: NDArray[np.float32]
    made: NDArray[np.float32]


def cleaned(network: nn.Module, encoding: Encoding, raw: Raw, noise: float, seed: int) -> Cleaned:
    """What the network makes of examples, after normal ``noise`` of this deviation was put on."""
    dataset = encoding.dataset(raw, labelled=False)
    assert isinstance(dataset.inputs, np.ndarray)
    if noise:
        drawn = np.random.default_rng(seed).standard_normal(dataset.inputs.shape, np.float32)
        dataset = replace(dataset, inputs=dataset.inputs + np.float32(noise) * drawn)
    made = torch.zeros(len(dataset), encoding.outputs)
    for rows, seen, _ in reconstructed(network, dataset):
        made[torch.from_numpy(rows)] = seen.cpu()
    given = torch.from_numpy(dataset.inputs).flatten(1)
    return Cleaned(in_units(given, encoding), in_units(made, encoding))
