"""Where a network computes: the device, the number of threads, the precision."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import torch
from torch import nn

from gai.errors import GaiError
from gai.nn import processes
from gai.nn.config import Config
from gai.nn.net.batches import Batch

PROBED = 5
"""Steps that are timed with each number of threads."""


def device(config: Config) -> torch.device:
    """The device that ``--device`` names; raises GaiError where there is none."""
    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        built = "" if torch.version.cuda else "; this torch was built without CUDA"
        raise GaiError(f"--device {name}: there is no CUDA device{built}", "--device auto or cpu")
    if name == "cuda" and processes.size() > 1:
        name = f"cuda:{own_gpu()}"
    try:
        found = torch.device(name)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        message = str(error).splitlines()[0]
        raise GaiError(f"--device {name}: {message}", "--device auto, cpu or cuda") from error
    return found


def own_gpu() -> int:
    """The number of the GPU of this of several processes, the current one from then on; raises
    GaiError where there are fewer GPUs than processes."""
    count, place = torch.cuda.device_count(), processes.place()
    if place >= count:
        message = f"process {place + 1} of this machine has no GPU of its own: there are {count}"
        raise GaiError(message, f"--nproc-per-node {count}, or --device cpu")
    torch.cuda.set_device(place)
    return place


def settled(config: Config, device: torch.device) -> Config:
    """The choices with the precision that ``auto`` means: bfloat16 where the GPU has it."""
    if config.precision != "auto":
        return config
    half = device.type == "cuda" and config.body == "transformer"
    return replace(config, precision="bfloat16" if half else "float32")


def prepare(threads: int) -> None:
    """Sets the number of threads; numbers too small to matter become 0, for they are slow."""
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)


def fastest(
    network: nn.Module, batches: list[Batch], objective: Callable[..., Any], most: int
) -> int:
    """The number of threads, 1 or ``most``, with which a few steps take less time.

    The network, and what random numbers come next, stay as they are. Small layers often run faster
    on one thread.
    """
    if most == 1:
        return 1
    chance, trial = torch.get_rng_state(), copy.deepcopy(network).train()
    best: dict[int, float] = {1: float("inf"), most: float("inf")}
    try:
        for number in range(PROBED):
            batch = batches[number % len(batches)]
            for threads in best:
                torch.set_num_threads(threads)
                started = perf_counter()
                objective(trial, batch, 0).loss.backward()
                best[threads] = min(best[threads], perf_counter() - started)
    finally:
        torch.set_rng_state(chance)
    return min(best, key=lambda threads: best[threads])
