"""From arrays to batches of tensors: which examples, in which order, and how they are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gai.errors import GaiError
from gai.nn.data.arrays import IGNORED, PAD, Dataset, Ragged, Several, Sparse, places
from gai.nn.net.inputs import Inputs

Rows = NDArray[np.int64]
"""The numbers of the examples of a batch; of a language model, where each window begins."""

POOLED = 50
"""Batches whose examples are sorted by length together: short beside short, yet in any order."""


class Batch(NamedTuple):
    """Some examples as tensors, with their targets."""

    inputs: Inputs
    targets: Tensor | None
    size: int


class Order(Protocol):
    """What says which examples an epoch takes, batch by batch."""

    def epoch(self, number: int) -> Sequence[Rows]:
        """The batches of epoch ``number``; the same whenever it is asked."""

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""


class Shuffled:
    """All examples in a new order for each epoch, those of like length together."""

    def __init__(
        self, size: int, batch_size: int, seed: int, lengths: NDArray[np.int64] | None = None
    ) -> None:
        self.size, self.seed, self.lengths = size, seed, lengths
        self.batch_size = min(batch_size or size, size)

    @property
    def batches(self) -> int:
        return -(-self.size // self.batch_size)

    def epoch(self, number: int) -> Sequence[Rows]:
        """The batches of an epoch; the last one of them may be smaller."""
        rng = np.random.default_rng((self.seed, number))
        order = rng.permutation(self.size)
        if self.lengths is None:
            return list(_cut(order, self.batch_size))
        pools = _cut(order, POOLED * self.batch_size)
        found = [b for pool in pools for b in _cut(self._sorted(pool), self.batch_size)]
        return [found[place] for place in rng.permutation(len(found))]

    def _sorted(self, pool: Rows) -> Rows:
        assert self.lengths is not None
        return pool[np.argsort(self.lengths[pool], kind="stable")]


class Windows:
    """Windows of a stream of ids, shuffled; each epoch begins them at another place."""

    def __init__(self, size: int, context: int, batch_size: int, seed: int) -> None:
        self.size, self.context, self.seed = size, context, seed
        self.batch_size = batch_size or self._most

    @property
    def _most(self) -> int:
        return max((self.size - 1) // self.context, 1)

    @property
    def batches(self) -> int:
        return max(self._whole // self.batch_size, 1)

    @property
    def _whole(self) -> int:
        """How many windows every epoch has, wherever it begins."""
        return max((self.size - self.context) // self.context, 1)

    def epoch(self, number: int) -> Sequence[Rows]:
        """Where the windows of each batch begin."""
        rng = np.random.default_rng((self.seed, number))
        first = int(rng.integers(0, max(min(self.context, self.size - self.context), 1)))
        starts = first + self.context * rng.permutation(self._whole)
        size = min(self.batch_size, len(starts))
        return [starts[k * size : (k + 1) * size] for k in range(self.batches)]


def _cut(rows: Rows, size: int) -> Iterator[Rows]:
    return (rows[first : first + size] for first in range(0, len(rows), size))


def in_turn(dataset: Dataset, size: int, cells: int) -> Iterator[Rows]:
    """Batches of ``size`` examples; where they differ in length, the longest first, and as many as
    are no more than ``cells`` tokens with their padding."""
    lengths = dataset.lengths
    rows = np.arange(len(dataset))
    if lengths is None:
        yield from _cut(rows, size)
        return
    rows = rows[np.argsort(-lengths, kind="stable")]
    while len(rows):
        count = max(cells // max(int(lengths[rows[0]]), 1), 1)
        yield rows[:count]
        rows = rows[count:]


Take = Callable[[Rows], Batch]
"""What makes a batch of examples."""


def taker(dataset: Dataset, device: torch.device) -> Take:
    """A function from the numbers of examples to their batch on a device."""
    if isinstance(dataset.inputs, Ragged):
        return lambda rows: _ragged(dataset, dataset.inputs, rows, device)  # type: ignore[arg-type]
    if isinstance(dataset.inputs, Several):
        return _together([taker(replace(dataset, inputs=p), device) for p in dataset.inputs.parts])
    if isinstance(dataset.inputs, Sparse):
        return lambda rows: _sparse(dataset, dataset.inputs, rows, device)  # type: ignore[arg-type]
    values = torch.from_numpy(np.ascontiguousarray(dataset.inputs)).to(device)
    targets = _tensor(dataset.targets, device)

    def take(rows: Rows) -> Batch:
        chosen = torch.from_numpy(rows).to(device)
        return Batch(
            Inputs(values[chosen]), None if targets is None else targets[chosen], len(rows)
        )

    return take


def _together(takers: Sequence[Take]) -> Take:
    """A function to the batches of several networks as one."""

    def take(rows: Rows) -> Batch:
        found = [one(rows) for one in takers]
        inputs = found[0].inputs._replace(parts=tuple(batch.inputs for batch in found))
        return found[0]._replace(inputs=inputs)

    return take


def _ragged(dataset: Dataset, inputs: Ragged, rows: Rows, device: torch.device) -> Batch:
    padded = inputs.padded(rows)
    lengths = inputs.lengths[rows]
    targets = None
    if dataset.targets is not None:
        found = dataset.targets_of(rows)
        if dataset.per_token:
            laid = np.full(padded.shape[:2], IGNORED, np.int64)
            laid[np.arange(padded.shape[1]) < lengths[:, None]] = found
            found = laid
        targets = _tensor(found, device)
    ids = torch.from_numpy(padded).to(device).long()
    made = Inputs(ids, torch.from_numpy(lengths).to(device))
    if dataset.answers is not None:
        before, targets = _answers(dataset.answers, rows, device)
        made = made._replace(before=before)
    return Batch(made, targets, len(rows))


def _answers(answers: Ragged, rows: Rows, device: torch.device) -> tuple[Tensor, Tensor]:
    """What stands before each token of the answers, and the tokens: both [B, S]. The end mark,
    which is last in each, also stands at the beginning."""
    ids = torch.from_numpy(answers.padded(rows)).to(device).long()
    ends = torch.from_numpy(answers.values[answers.offsets[1:][rows] - 1]).to(device).long()
    before = torch.cat([ends[:, None], ids[:, :-1]], 1)
    # Behind the end of a shorter answer: whatever is said there does not count.
    return before, ids.masked_fill(ids == PAD, IGNORED)


def _sparse(dataset: Dataset, inputs: Sparse, rows: Rows, device: torch.device) -> Batch:
    lengths = np.diff(inputs.indptr)[rows]
    cells = places(inputs.indptr[:-1][rows], lengths)
    starts = np.cumsum(lengths) - lengths
    made = Inputs(
        torch.from_numpy(inputs.indices[cells]).to(device).long(),
        torch.from_numpy(starts).to(device),
        torch.from_numpy(inputs.data[cells]).to(device),
    )
    targets = None if dataset.targets is None else _tensor(dataset.targets_of(rows), device)
    return Batch(made, targets, len(rows))


def _tensor(array: NDArray[np.generic] | None, device: torch.device) -> Tensor | None:
    return None if array is None else torch.from_numpy(np.ascontiguousarray(array)).to(device)


def predictable(stream: NDArray[np.int32]) -> int:
    """How many tokens of a stream can be predicted: all but the first; raises GaiError where there
    are none."""
    if len(stream) < 2:
        raise GaiError("the text has fewer than two tokens", "nothing can be predicted in it")
    return len(stream) - 1


def windows(stream: NDArray[np.int32], context: int, device: torch.device) -> Take:
    """A function from where windows begin to their ids and, as targets, the ids that follow."""
    ids = torch.from_numpy(np.asarray(stream, np.int64)).to(device)
    within = torch.arange(context, device=device)

    def take(rows: Rows) -> Batch:
        spots = torch.from_numpy(rows).to(device)[:, None] + within
        lengths = torch.full((len(rows),), context, device=device)
        return Batch(Inputs(ids[spots], lengths), ids[spots + 1], len(rows))

    return take
