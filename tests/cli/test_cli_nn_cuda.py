"""gai nn on a GPU: the numbers of a CPU, and runs that open on either. Skipped without a GPU."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
DEVICE = os.environ.get("GAI_TEST_DEVICE", "cuda")
"""``cpu`` tries these tests themselves where there is no GPU."""

pytestmark = pytest.mark.skipif(
    DEVICE == "cuda" and not torch.cuda.is_available(), reason="there is no CUDA device"
)

SMALL = ("--width", "16", "--epochs", "2", "--dropout", "0", "--seed", "1", "--threads", "1", "-q")

TRAININGS = {
    "mlp": ("mlp", "@digits"),
    "mlp-tfidf": ("mlp", "texts.tsv", "--min-count", "1"),
    "mlp-norm": ("mlp", "@digits", "--batch-norm", "--weight-decay", "0.01", "--clip-norm", "1"),
    "regress": ("mlp", "@diabetes"),
    "cnn": ("cnn", "@digits", "--filters", "8"),
    "cnn-texts": ("cnn", "texts.tsv", "--min-count", "1", "--filters", "8"),
    "lstm": ("lstm", "texts.tsv", "--min-count", "1"),
    "gru-tags": ("gru", "tags.conllu", "--min-count", "1", "--valid", "tags.conllu"),
    "transformer": ("transformer", "texts.tsv", "--min-count", "1", "--precision", "float32"),
    "lm": ("lstm", "book.txt", "--context-size", "16", "--batch-size", "16"),
    "seq2seq": (
        "transformer",
        "pairs.tsv",
        "--task",
        "seq2seq",
        "--label-field",
        "target",
        "--precision",
        "float32",
    ),
    "autoencoder": ("autoencoder", "@digits", "--code", "8"),
    "capsnet": ("capsnet", "@digits", "--filters", "8", "--capsules", "2"),
    "siamese": ("siamese", "@digits", "--code", "8"),
    "ntm": ("ntm", "@copy", "--lengths", "1-3", "--bits", "3", "--memory", "8x6", "--steps", "40"),
}
"""Trainings whose losses are those of the CPU."""

CHANCE = {
    "vae": ("vae", "@digits", "--code", "4"),
    "gan": ("gan", "@digits", "--code", "4", "--conditional"),
    "wasserstein": ("gan", "@digits", "--code", "4", "--loss", "wasserstein"),
    "half": ("transformer", "texts.tsv", "--min-count", "1"),
    "half-lm": ("transformer", "book.txt", "--context-size", "16", "--steps", "20"),
    "augmented": ("cnn", "@digits", "--filters", "8", "--augment", "shift,rotate"),
}
"""Trainings that draw other numbers on a GPU, or compute with fewer bits there."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small data of each kind."""
    folder = tmp_path_factory.mktemp("cuda")
    rng = np.random.default_rng(1)
    words = {"a": ["cat", "dog", "the", "sat"], "b": ["sun", "moon", "the", "rose"]}
    texts = [(" ".join(rng.choice(words[label], 6)), label) for label in rng.choice(["a", "b"], 80)]
    (folder / "texts.tsv").write_text(
        "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in texts)
    )
    tags = [[(word, word[0].upper()) for word in text.split()] for text, _ in texts[:30]]
    (folder / "tags.conllu").write_text(
        "".join(
            "".join(f"{n}\t{w}\t_\t{t}\t_\t_\t0\t_\t_\t_\n" for n, (w, t) in enumerate(one, 1))
            + "\n"
            for one in tags
        )
    )
    (folder / "book.txt").write_text("\n".join(text for text, _ in texts * 3))
    pairs = ["".join(rng.choice(list("abcd"), 4)) for _ in range(120)]
    (folder / "pairs.tsv").write_text(
        "text\ttarget\n" + "".join(f"{' '.join(p)}\t{' '.join(p[::-1])}\n" for p in pairs)
    )
    np.savez(folder / "one.npz", x=rng.uniform(0, 16, (1, 1, 8, 8)).astype(np.float32))
    np.savez(folder / "two.npz", x=rng.uniform(0, 16, (5, 1, 8, 8)).astype(np.float32))
    return folder


@pytest.fixture(autouse=True)
def free(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """Commands run where the data is."""
    monkeypatch.chdir(folder)
    yield
    torch.cuda.empty_cache()


def trained(call: Callable[..., Any], name: str, device: str) -> Path:
    """The run of a training on a device; made once."""
    run = Path(f"{name}-{device}")
    if not run.exists():
        words = {**TRAININGS, **CHANCE}[name]
        ended = call("nn", "train", *words, *SMALL, "--device", device, "-o", run)
        assert ended.code == 0, ended.err
    return run


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", TRAININGS)
def test_losses_are_those_of_the_cpu(name: str, call: Callable[..., Any]) -> None:
    here = records(trained(call, name, DEVICE))
    there = records(trained(call, name, "cpu"))
    assert len(here) == len(there) > 0
    # Rounding makes a difference that grows from step to step; which negatives are mined is then
    # another matter, too.
    for near, one, other in zip((1e-2, 2e-2), here, there, strict=False):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=near)
        assert one["scores"]["loss"] == pytest.approx(other["scores"]["loss"], rel=2 * near)
        assert one["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=10 * near)


@pytest.mark.parametrize("name", CHANCE)
def test_what_draws_other_numbers_learns_too(name: str, call: Callable[..., Any]) -> None:
    found = records(trained(call, name, DEVICE))
    assert all(math.isfinite(record["train_loss"]) for record in found)
    if "gan" not in name and name != "wasserstein":
        assert found[-1]["train_loss"] < found[0]["train_loss"] or len(found) == 1


@pytest.mark.parametrize("name", ["mlp", "cnn-texts", "augmented", "gan", "lstm"])
def test_a_resumed_training_is_that_of_one_go(name: str, call: Callable[..., Any]) -> None:
    whole = trained(call, name, DEVICE)
    words = {**TRAININGS, **CHANCE}[name]
    run = Path(f"{name}-again")
    first = [*words, *SMALL, "--device", DEVICE, "--epochs", "1", "-o", run]
    assert call("nn", "train", *first).code == 0
    model = words[0]
    ended = call("nn", "train", model, "--resume", "--epochs", "2", "-q", "-o", run)
    assert ended.code == 0, ended.err
    for one, other in zip(records(run), records(whole), strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-6)
        assert one["scores"] == pytest.approx(other["scores"], rel=1e-5, nan_ok=True)


@pytest.mark.parametrize("name", ["mlp", "lstm", "gru-tags", "capsnet", "siamese", "half", "ntm"])
def test_a_run_opens_on_either_device(name: str, call: Callable[..., Any]) -> None:
    run = trained(call, name, DEVICE)
    data = {**TRAININGS, **CHANCE}[name][1]
    found = []
    for device in (DEVICE, "cpu"):
        ended = call("nn", "evaluate", run, data, "--device", device, "--json")
        assert ended.code == 0, ended.err
        found.append(json.loads(ended.out)["summary"])
    assert found[0] == pytest.approx(found[1], rel=2e-2, nan_ok=True)


ASKED = {
    "predict": ("mlp", ["predict", "RUN", "@digits", "--device", "DEVICE"]),
    "encode": ("autoencoder", ["encode", "RUN", "@digits", "--device", "DEVICE", "-o", "code.npz"]),
    "anomalies": ("autoencoder", ["anomalies", "RUN", "@digits", "--device", "DEVICE"]),
    "sample": ("gan", ["sample", "RUN", "-n", "8", "--device", "DEVICE", "-o", "grid.png"]),
    "sample-vae": ("vae", ["sample", "RUN", "-n", "8", "--device", "DEVICE", "-o", "vae.png"]),
    "match": ("siamese", ["match", "RUN", "one.npz", "two.npz", "--device", "DEVICE"]),
    "generate": ("half-lm", ["generate", "RUN", "--length", "20", "--device", "DEVICE"]),
    "inspect": ("cnn", ["inspect", "RUN"]),
    "diagnose": ("mlp", ["diagnose", "@digits", "--steps", "20", "--device", "DEVICE"]),
    "lr-find": ("mlp", ["lr-find", "mlp", "@digits", "--device", "DEVICE"]),
    "cv": ("mlp", ["cv", "mlp", "@digits", "-k", "2", *SMALL, "--device", "DEVICE"]),
    "report": ("mlp", ["report", "RUN", "-o", "page.html"]),
    "prune": ("mlp", ["prune", "RUN", "--amount", "0.5", "-o", "pruned"]),
    "quantize": ("lstm", ["quantize", "RUN", "-o", "eighth"]),
    "finetune": (
        "mlp",
        ["finetune", "RUN", "@digits", "--epochs", "1", "--device", "DEVICE", "-o", "fine"],
    ),
    "ensemble": ("mlp", ["ensemble", "average", "RUN", "mlp-cpu", "-o", "both"]),
    "compare": ("mlp", ["compare", "RUN", "mlp-cpu"]),
}
"""Commands that ask a run made on the device, or train on it."""


@pytest.mark.parametrize("name", ASKED)
def test_commands_work_on_it(name: str, call: Callable[..., Any]) -> None:
    model, words = ASKED[name]
    run = trained(call, model, DEVICE)
    if "mlp-cpu" in words:
        trained(call, "mlp", "cpu")
    said = {"RUN": str(run), "DEVICE": DEVICE}
    ended = call("nn", *(said.get(word, word) for word in words))
    assert ended.code == 0, ended.err


def test_search_trains_its_trials_on_it(call: Callable[..., Any]) -> None:
    pytest.importorskip("optuna")
    words = ["--random", "--trials", "2", *SMALL, "--device", DEVICE, "-o", "study"]
    ended = call("nn", "search", "mlp", "@digits", *words)
    assert ended.code == 0, ended.err


def test_memory_that_is_not_there_is_an_error_of_one_line(call: Callable[..., Any]) -> None:
    if DEVICE == "cpu":
        pytest.skip("of a GPU")
    words = ["mlp", "@digits", "--width", "8192", "--layers", "2", "--device", DEVICE]
    torch.cuda.set_per_process_memory_fraction(0.001)
    try:
        ended = call("nn", "train", *words, "-q", "-o", "huge")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert ended.code == 1
    assert len(ended.err.splitlines()) <= 2, ended.err
    assert "memory" in ended.err


def test_several_processes_for_one_gpu_are_refused_and_the_cpu_takes_them(
    variables: Callable[..., dict[str, str]],
) -> None:
    count = torch.cuda.device_count() + 1
    start = ["-m", "torch.distributed.run", "--nproc-per-node", str(count)]
    port = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    words = [sys.executable, *start, *port, "-m", "gai", "nn", "train", *TRAININGS["mlp"], *SMALL]
    env = variables(OMP_NUM_THREADS="1")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, *more], capture_output=True, text=True, env=env, timeout=120)

    done = run("--device", "cpu", "-o", "together")
    assert done.returncode == 0, done.stderr
    if DEVICE == "cuda":
        done = run("-o", "none")
        assert done.returncode != 0
        assert "has no GPU of its own" in done.stderr


def test_nccl_joins_what_a_team_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    from gai.nn.net import team

    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "29571")
    torch.distributed.init_process_group(team.backend(), rank=0, world_size=1)
    try:
        own = team.Team(0, 2)  # as one of two, whose other half is not there
        plain = torch.nn.Linear(3, 1).to(DEVICE)
        shared = own.wrapped(plain)
        shared(torch.ones(4, 3, device=DEVICE)).sum().backward()
        assert plain.weight.grad is not None
        assert plain.weight.grad.tolist() == [[4.0, 4.0, 4.0]]
        assert own.same({"loss": 0.5, "accuracy": 0.25}) == {"loss": 0.5, "accuracy": 0.25}
    finally:
        torch.distributed.destroy_process_group()
