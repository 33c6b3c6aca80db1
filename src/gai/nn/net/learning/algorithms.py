"""Learning an algorithm from generated examples: an endless stream, in which none comes twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from gai.errors import UsageError
from gai.nn import scores
from gai.nn.config import Config
from gai.nn.data import algorithms
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net import answers
from gai.nn.net.answers import Judged
from gai.nn.net.batches import Batch, Order, Rows, Take
from gai.nn.net.inputs import Inputs
from gai.nn.net.learning import Learning, supervised
from gai.nn.net.loop import Objective

EPOCH = 1000
"""Batches that count as an epoch."""


@dataclass(frozen=True)
class Endless:
    """The numbers of sequences that are made when they are taken, ``size`` of them a batch."""

    size: int
    batches: int = EPOCH

    def epoch(self, number: int) -> Sequence[Rows]:
        """The batches of an epoch."""
        first = number * self.batches * self.size
        return [first + k * self.size + np.arange(self.size) for k in range(self.batches)]


def batches(parts: Parts, config: Config, device: torch.device) -> tuple[Order, Take]:
    """Batches without end, each of sequences of one length."""
    if not config.batch_size:
        raise UsageError("--batch-size full: there is no end of examples", "--batch-size 16")
    return Endless(config.batch_size), maker(config, device)


def maker(config: Config, device: torch.device) -> Take:
    """A function from numbers of sequences of one batch to these."""
    name, size = config.data[0], config.batch_size

    def take(rows: Rows) -> Batch:
        made = algorithms.batch(name, config, int(rows[0]) // size, size)
        inputs, targets = (torch.from_numpy(array[rows % size]).to(device) for array in made)
        return Batch(Inputs(inputs), targets, len(rows))

    return take


@dataclass(frozen=True)
class Judge:
    """Scores a network on some examples, by the bits that are due."""

    dataset: Dataset

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of an evaluation during training; ``loss`` is among them."""
        return self._found(network).summary()

    def judged(self, network: nn.Module) -> Judged:
        """The same with intervals, and by the number of bits that are due."""
        found = self._found(network)
        intervals = {name: scores.interval(getattr(found, name)) for name in ("bits", "exact")}
        details = {"examples": len(found.due), "sequences": found.by_size()}
        return Judged(found.summary(), intervals, details)

    def _found(self, network: nn.Module) -> Found:
        size = len(self.dataset)
        found = Found(np.zeros(size), np.zeros(size), np.zeros(size, np.int64))
        for rows, batch, said in answers.outputs(network, self.dataset):
            assert batch.targets is not None
            due = ~batch.targets.isnan()
            wanted = batch.targets.nan_to_num(0.0)
            lost = F.binary_cross_entropy_with_logits(said.float(), wanted, reduction="none")
            wrong = ((said > 0) != (wanted > 0.5)) & due
            found.bits[rows] = (lost * due).sum((1, 2)).cpu().double().numpy() / log(2)
            found.exact[rows] = ~wrong.any(2).any(1).cpu().numpy()
            found.due[rows] = due.sum((1, 2)).cpu().numpy()
        return found


@dataclass(frozen=True)
class Found:
    """Of each sequence: its surprise in ``bits`` (the sum of the binary cross-entropies of all bits
    that are due, Graves's measure), whether every bit is right, and how many are due."""

    bits: NDArray[np.float64]
    exact: NDArray[np.float64]
    due: NDArray[np.int64]

    def summary(self) -> dict[str, float]:
        """The means over sequences; ``loss`` is that over bits, in nats."""
        loss = float(self.bits.sum()) * log(2) / int(self.due.sum())
        return {"loss": loss, "bits": float(self.bits.mean()), "exact": float(self.exact.mean())}

    def by_size(self) -> list[dict[str, Any]]:
        """The means for each number of bits that are due, for JSON."""
        return [
            {
                "due": int(due),
                "examples": int((self.due == due).sum()),
                "bits": float(self.bits[self.due == due].mean()),
                "exact": float(self.exact[self.due == due].mean()),
            }
            for due in np.unique(self.due)
        ]


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> Judge:
    """Scores by the bits that are to come out."""
    return Judge(dataset)


LEARNING = Learning(supervised.objective, judge, batches)
