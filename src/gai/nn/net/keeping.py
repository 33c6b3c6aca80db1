"""Where the weights, states and records of a training are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from gai.nn import runs
from gai.nn.net import checkpoints
from gai.nn.net.loop import Record
from gai.nn.runs import Run


@dataclass(frozen=True)
class Folder:
    """Keeps them in the folder of a run."""

    run: Run

    def best(self, network: nn.Module, record: Record) -> None:
        """Writes model.safetensors."""
        facts = {"step": record.step, "scores": dict(record.scores)}
        checkpoints.write(self.run.file(runs.MODEL), checkpoints.tensors_of(network), facts)

    def record(self, record: Record) -> None:
        """Adds a line to metrics.jsonl."""
        self.run.append_record(record.as_dict())

    def state(self, tensors: checkpoints.Tensors, facts: Mapping[str, Any]) -> None:
        """Writes last/state.safetensors."""
        checkpoints.write(self.run.file(runs.LAST), tensors, facts)


class Nowhere:
    """Keeps nothing: another process does."""

    def best(self, network: nn.Module, record: Record) -> None:
        """Nothing."""

    def record(self, record: Record) -> None:
        """Nothing."""

    def state(self, tensors: checkpoints.Tensors, facts: Mapping[str, Any]) -> None:
        """Nothing."""


@dataclass
class Memory:
    """Keeps the best weights and the records for as long as the process lives."""

    weights: checkpoints.Tensors = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def best(self, network: nn.Module, record: Record) -> None:
        """Copies the weights."""
        found = checkpoints.tensors_of(network)
        self.weights = {name: tensor.detach().clone() for name, tensor in found.items()}

    def record(self, record: Record) -> None:
        """Adds a record."""
        self.records.append(record)

    def state(self, tensors: checkpoints.Tensors, facts: Mapping[str, Any]) -> None:
        """Nothing: it will not go on."""
