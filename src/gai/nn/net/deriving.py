"""A run that is made of another by changing its network: what is compared, what is written."""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from gai.errors import GaiError, UsageError
from gai.nn import config as configs
from gai.nn import reports, runs
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset, Ragged
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Gathered, Parts, digest_of, gathered
from gai.nn.data.raw import Raw
from gai.nn.net import checkpoints, devices, experiment, pruning
from gai.nn.net.answers import CELLS, WHOLE, Judge, Judged
from gai.nn.net.batches import Batch, in_turn, predictable, taker, windows
from gai.nn.net.keeping import Folder
from gai.nn.net.loop import Listener, Training
from gai.nn.runs import Run

TIMED = 32
"""Batches that are timed, at most."""

TRIES = 3
"""How often they are; the fastest counts."""

PATIENCE = 2.0
"""Seconds that one try may take, for there to be another."""


@dataclass(frozen=True)
class Measured:
    """A network in numbers: its weights and how many of them are not 0; bytes in memory, of its
    file, and of this compressed (zlib); and on some examples how many it answers in a second (of a
    language model tokens), and its scores. What is not known is None."""

    parameters: int
    nonzero: int
    memory: int
    disk: int
    compressed: int
    speed: float | None
    judged: Judged | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON: one number by name."""
        sizes = {k: v for k, v in vars(self).items() if k != "judged"}
        return {**sizes, **({} if self.judged is None else self.judged.summary)}


@dataclass(frozen=True)
class Bench:
    """The examples that networks are compared on, and where they come from."""

    encoding: Encoding
    raw: Raw
    said: str

    def judged(self, network: nn.Module) -> Judged:
        """The scores of a network."""
        return experiment.judge_of(self.encoding, self.raw).judged(network)

    def speed(self, network: nn.Module) -> float | None:
        """Examples a second; tokens of a language model; None of what answers in its own way."""
        if not isinstance(experiment.judge_of(self.encoding, self.raw), Judge):
            return None
        batches = some_of(self.encoding, self.encoding.dataset(self.raw), device_of(network))
        lm = self.encoding.config.task == "lm"
        size = sum(b.inputs.values.numel() if lm else b.size for b in batches)
        return size / max(fastest(network.eval(), batches), 1e-9)


def device_of(network: nn.Module) -> torch.device:
    """Where a network computes."""
    return next(network.parameters()).device


def some_of(encoding: Encoding, dataset: Dataset, device: torch.device) -> list[Batch]:
    """The first batches, as they are asked; of a language model, windows of its text."""
    config = encoding.config
    if config.task != "lm":
        take, parts = taker(dataset, device), list(in_turn(dataset, WHOLE, CELLS))
        return [take(rows) for rows in parts[:TIMED]]
    assert isinstance(dataset.inputs, Ragged)
    stream = dataset.inputs.values
    count = predictable(stream)
    context = min(config.context, count)
    take, starts = windows(stream, context, device), np.arange(count // context) * context
    size = max(CELLS // context, 1)
    return [take(starts[k : k + size]) for k in range(0, len(starts), size)][:TIMED]


def fastest(network: nn.Module, batches: list[Batch]) -> float:
    """The seconds that a network needs for some batches, in the best of a few tries."""
    best = float("inf")
    with torch.inference_mode():
        for _ in range(TRIES):
            started = perf_counter()
            for batch in batches:
                network(batch.inputs)
            if batches and device_of(network).type == "cuda":
                torch.cuda.synchronize()
            best = min(best, perf_counter() - started)
            if best > PATIENCE:
                break
    return best


def measured(network: nn.Module, run: Run, bench: Bench | None) -> Measured:
    """The network of a run in numbers."""
    with open(run.file(runs.MODEL), "rb") as file:
        content = file.read()
    weights = list(network.parameters())
    kept = [*weights, *network.buffers()]
    return Measured(
        parameters=sum(w.numel() for w in weights),
        nonzero=sum(int(torch.count_nonzero(w)) for w in weights),
        memory=sum(tensor.numel() * tensor.element_size() for tensor in kept),
        disk=len(content),
        compressed=len(zlib.compress(content)),
        speed=None if bench is None else bench.speed(network),
        judged=None if bench is None else bench.judged(network),
    )


def read_again(run: Run) -> Gathered:
    """The parts that a run was trained on, as they are read; raises GaiError where they are not
    what they were."""
    said = configs.read(run.file(runs.CONFIG))
    hint = "--data DATA has other examples to score on"
    if "-" in said.get("data", ()):
        raise GaiError(f"{run.path} was trained on standard input", hint)
    try:
        found = gathered(said)
    except GaiError as error:
        raise GaiError(error.message, hint) from error
    if digest_of(found.raw.values()) != run.input()["digest"]:
        paths = ", ".join(said.get("data", ()))
        raise GaiError(f"{paths}: not as it was when {run.path} was trained", hint)
    return found


def parts_of(run: Run, found: Gathered, config: Config) -> Parts:
    """The same as arrays, as a run makes them, with other choices for a training."""
    encoding = run.encoding(config)
    made = {name: encoding.dataset(raw) for name, raw in found.raw.items()}
    digest = digest_of(found.raw.values())
    train, valid, test = (made.get(name) for name in ("train", "valid", "test"))
    assert train is not None
    return Parts(config, encoding, train, valid, test, found.raw, digest)


def training_on(parts: Parts, run: Run, listener: Listener) -> Training:
    """A training that goes on with the weights in a folder, and keeps 0 what is 0."""
    device = devices.device(parts.config)
    config = devices.settled(parts.config, device)
    devices.prepare(config.threads)
    torch.manual_seed(config.seed)
    network = experiment.network_of(parts.encoding).to(device)
    path = run.file(runs.MODEL)
    checkpoints.restore(network, checkpoints.read(path).tensors, path)
    pruning.hold(network)
    run.write(runs.CONFIG, configs.write(config))
    return experiment.training(parts, config, network, Folder(run), listener)


def require_other(run: Run, other: Run, *, force: bool) -> None:
    """Raises UsageError where the new run would be written over the old one, or over another."""
    if os.path.realpath(run.path) == os.path.realpath(other.path):
        raise UsageError(f"-o {other.path} is RUN itself", "-o OTHER names a new folder")
    other.require_free(force=force)


def write(
    run: Run,
    other: Run,
    config: Config,
    encoding: Encoding,
    tensors: checkpoints.Tensors,
    **made: Any,
) -> None:
    """The folder of a run: as that of another, with these choices and weights.

    ``made`` is what input.json says of the change. The folder must be free or may be replaced.
    """
    facts = checkpoints.read(run.file(runs.MODEL)).facts
    before = {k: v for k, v in run.input().items() if k in ("pruned", "quantized")}
    digest = run.input()["digest"]
    other.begin(force=True)
    other.write(runs.CONFIG, configs.write(config))
    other.write_encoding(replace(encoding, config=config), digest, **{**before, **made})
    checkpoints.write(other.file(runs.MODEL), tensors, facts)


def write_report(run: Run, other: Run, config: Config, found: Measured, note: str) -> None:
    """report.json and card.md, as the other run has them, with the scores on the validation part
    as they are now; nothing where that has none."""
    if not os.path.exists(run.file(runs.REPORT)):
        return
    report = run.json(runs.REPORT)
    before = report.get("scores", {}).get("valid", {})
    report["scores"] = {}
    if found.judged is not None:
        summary, intervals, details = found.judged
        report["scores"]["valid"] = {
            "network": summary,
            "intervals": intervals,
            "details": details,
            **{name: before[name] for name in ("baselines",) if name in before},
        }
    report["network"]["parameters"] = found.parameters
    report["notes"] = [*report.get("notes", []), note]
    report = runs.strict(report)
    other.write(runs.REPORT, json.dumps(report, indent=1) + "\n")
    other.write(runs.CARD, reports.card(report, config))
