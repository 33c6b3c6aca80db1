"""Team: processes that train one network together, each on its share of every batch.

torchrun starts them, gloo joins them on CPUs and nccl on GPUs, one for each process.
DistributedDataParallel averages their gradients; as each weighs its own loss by its part of the
batch, the mean is that of one process with the same batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gai.errors import GaiError
from gai.nn import processes
from gai.nn.data.arrays import IGNORED
from gai.nn.net.batches import Batch, Rows


class Share(NamedTuple):
    """The part of a batch that one process computes; ``counts`` is false for a process with
    nothing to do, which goes along with an example that weighs nothing."""

    rows: Rows
    counts: bool = True


class Agreed(NamedTuple):
    """What the processes found of a batch together: the mean loss, the means of its parts, how many
    examples it had, what this process weighs, and whether one of them was asked to end."""

    loss: float
    parts: Mapping[str, float]
    size: int
    weight: float
    asked: bool


@dataclass(frozen=True)
class Team:
    """``size`` processes, of which this one has the number ``rank``."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network as one that shares its gradients; the same where it is alone."""
        return network if self.size == 1 else DistributedDataParallel(network)

    def share(self, rows: Rows) -> Share:
        """Every ``size``-th of the rows of a batch, so that lengths are alike."""
        if self.size == 1:
            return Share(rows)
        own = rows[self.rank :: self.size]
        return Share(own) if len(own) else Share(rows[:1], counts=False)

    def agree(
        self, loss: Tensor, parts: Mapping[str, Tensor], batch: Batch, counts: bool, asked: bool
    ) -> Agreed:
        """What all of them say of a batch, each weighing by the targets in its share."""
        values = [loss.item(), *(part.item() for part in parts.values())]
        if self.size == 1:
            found = dict(zip(parts, values[1:], strict=True))
            return Agreed(values[0], found, batch.size, 1.0, asked)
        own = targets_in(batch) if counts else 0
        # A loss that is no number must stay one in the sum.
        shares = [value * own if own else 0.0 for value in values]
        said = [own, batch.size if counts else 0, asked, *shares]
        total = torch.tensor(said, dtype=torch.float64, device=loss.device)
        distributed.all_reduce(total)
        whole, size, stop, *sums = total.tolist()
        whole = whole or math.nan  # no target in all of the batch: there is no mean
        means = [value / whole for value in sums]
        weight = own * self.size / whole
        return Agreed(
            means[0], dict(zip(parts, means[1:], strict=True)), int(size), weight, stop > 0
        )

    def same(self, scores: Mapping[str, float]) -> dict[str, float]:
        """The scores that the first process found: what they decide is decided alike."""
        if self.size == 1:
            return dict(scores)
        values = torch.tensor(list(scores.values()), dtype=torch.float64)
        distributed.broadcast(values, 0)
        return dict(zip(scores, values.tolist(), strict=True))

    def seed(self, *numbers: int) -> int | None:
        """What the chance of this process begins with; None for the first, which goes on as one
        alone does."""
        return None if self.first else abs(hash((*numbers, self.rank))) % (1 << 62)


def targets_in(batch: Batch) -> int:
    """How many targets a mean over a batch is over."""
    targets = batch.targets
    if targets is None or targets.ndim < 2 or targets.is_floating_point():
        return batch.size
    return int((targets != IGNORED).sum())


def here() -> Team:
    """The team that this process belongs to."""
    if distributed.is_available() and distributed.is_initialized():
        return Team(distributed.get_rank(), distributed.get_world_size())
    return Team()


def backend() -> str:
    """What joins processes: gloo for tensors of a CPU, and where there is a GPU nccl for its."""
    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"


@contextmanager
def joined() -> Iterator[Team]:
    """Within the block the processes that torchrun started are a team; raises GaiError where they
    do not find each other."""
    if processes.size() == 1:
        yield Team()
        return
    try:
        distributed.init_process_group(backend())
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise GaiError(
            f"process {processes.rank()} of {processes.size()} does not find the others: {first}",
            "torchrun --nproc-per-node N -m gai nn train ...; without torchrun unset WORLD_SIZE",
        ) from error
    try:
        yield here()
    finally:
        distributed.destroy_process_group()
