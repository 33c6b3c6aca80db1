"""torchrun -m gai nn train: two processes on the CPU learn as one does with the same batches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Variables = Callable[..., dict[str, str]]

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
PORT = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
GAI = ["-m", "gai", "nn", "train"]

SENTENCES = ["the/D cat/N sat/V", "a/D dog/N ran/V off/P !/P", "go/V", "the/D old/A dog/N sat/V"]


@pytest.fixture
def tags(tmp_path: Path) -> Path:
    """25 sentences of 1 to 5 words: in batches of 8 the last has one, and one process none."""
    made = []
    for sentence in (SENTENCES * 7)[:25]:
        for number, pair in enumerate(sentence.split(), 1):
            word, tag = pair.split("/")
            made.append(f"{number}\t{word}\t_\t{tag}\t_\t_\t0\t_\t_\t_\n")
        made.append("\n")
    path = tmp_path / "tags.conllu"
    path.write_text("".join(made))
    return path


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_two_processes_have_the_loss_curve_of_one(
    tags: Path, tmp_path: Path, variables: Variables
) -> None:
    small = ["--width", "8", "--embedding", "8", "--dropout", "0", "--min-count", "1"]
    words = ["gru", tags, "--valid", tags, "--batch-size", "8", "--epochs", "3", *small]
    words += ["--lr", "0.02", "--seed", "1", "--threads", "1"]
    env = variables(OMP_NUM_THREADS="1")
    for name, start in (("two", [*TORCHRUN, *PORT]), ("one", [sys.executable])):
        done = subprocess.run(
            [*start, *GAI, *map(str, words), "-o", str(tmp_path / name)],
            capture_output=True, text=True, env=env, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        # Three evaluations and the end: only one of the processes speaks.
        assert len(done.stdout.splitlines()) == 4, done.stdout
    one, two = records(tmp_path / "one"), records(tmp_path / "two")
    assert [record["step"] for record in two] == [4, 8, 12]
    for alone, together in zip(one, two, strict=True):
        assert together["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-4)
        assert together["scores"]["loss"] == pytest.approx(alone["scores"]["loss"], rel=1e-4)
        assert together["gradient_norm"] == pytest.approx(alone["gradient_norm"], rel=1e-3)
    assert one[-1]["train_loss"] < one[0]["train_loss"] * 0.95  # it has learned something


def test_standard_input_is_not_for_several_processes(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    ended = call("nn", "train", "mlp", "-", "-o", tmp_path / "run")
    assert ended.code == 2
    assert "standard input for several processes" in ended.err


@pytest.mark.slow
def test_one_interrupt_ends_all_processes_at_the_same_step_and_they_go_on(
    tmp_path: Path, variables: Variables
) -> None:
    run, env = tmp_path / "run", variables(OMP_NUM_THREADS="1")
    words = ["mlp", "@digits", "--epochs", "400", "--threads", "1", "-o", str(run)]
    started = subprocess.Popen([*TORCHRUN, *PORT, *GAI, *words], env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    os.kill(started.pid, signal.SIGINT)
    assert started.wait(60) != 0
    stopped = len(records(run))
    assert 0 < stopped < 400
    more = ["--resume", "--epochs", str(stopped + 2), "-o", str(run)]
    done = subprocess.run(
        [*TORCHRUN, *PORT, *GAI, *more], env=env, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert [record["epoch"] for record in records(run)] == list(range(1, stopped + 3))
