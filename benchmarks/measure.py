"""Measuring: whole processes one after the other, their time and their peak memory.

Nothing here or in what starts the processes may import anything large: on Linux a process is born
with the peak memory of the one that started it, so that no peak below this one's can be seen.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A process that was to be measured ended with an error."""


@dataclass(frozen=True)
class Command:
    """What to start, and the file that it writes, which is removed first."""

    argv: Sequence[str]
    output: Path | None = None


@dataclass(frozen=True)
class Run:
    """One process from start to end: seconds on the wall and of all cores, peak bytes of memory."""

    seconds: float
    cpu: float = 0.0
    peak: int = 0


def run(command: Command) -> Run:
    """The time and memory of one process; raises Failed with what it said last."""
    if command.output:
        command.output.unlink(missing_ok=True)
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        process = _started(command.argv, said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        # Told, so that Popen does not wait for a process that is gone.
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise Failed(_complaint(command.argv, process.returncode, said.read()))
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT)


def _started(argv: Sequence[str], said: Any) -> subprocess.Popen[bytes]:
    """The process; neither its output nor its messages are a terminal, so it draws no bar."""
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(argv, stdin=nothing, stdout=nothing, stderr=said)
    except OSError as error:
        raise Failed(f"{argv[0]} does not start: {error.strerror}") from error


def _complaint(argv: Sequence[str], code: int, said: bytes) -> str:
    lines = said.decode(errors="replace").splitlines()
    return f"{' '.join(argv)} ended with {code}: {lines[-1] if lines else 'no message'}"


def alternately(commands: Sequence[Command], rounds: int) -> list[tuple[Run, ...]]:
    """The runs of each command, started in turn (A B A B ...), so that noise meets them all."""
    seen = [[run(command) for command in commands] for _ in range(rounds)]
    return list(zip(*seen, strict=True))


def asked(*argv: str) -> Any:
    """The JSON that a module of this package prints, run as a process of its own."""
    return json.loads(printed([sys.executable, "-m", *argv]))


def printed(argv: Sequence[str]) -> bytes:
    """What a process prints; raises Failed with what it said last."""
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise Failed(f"{argv[0]} does not start: {error.strerror}") from error
    if done.returncode:
        raise Failed(_complaint(argv, done.returncode, done.stderr))
    return done.stdout


def seconds(runs: Iterable[Run]) -> float:
    """The median time on the wall."""
    return median(run.seconds for run in runs)


def peak(runs: Iterable[Run]) -> int:
    """The largest peak memory in bytes."""
    return max(run.peak for run in runs)


def ratios(runs: Sequence[Run], others: Sequence[Run]) -> list[float]:
    """How many times as long each run took as the one of the same round among the others."""
    return [a.seconds / b.seconds for a, b in zip(runs, others, strict=True)]


def own_peak() -> int:
    """Peak bytes of this process: no smaller peak of another can be seen."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
