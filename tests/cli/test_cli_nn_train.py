"""gai nn train: the real command on small real data, and what it leaves in RUN."""

from __future__ import annotations

import json
import pickle
import pickletools
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gai.nn.net import checkpoints
from gai.nn.runs import LAST, MODEL, Run

Variables = Callable[..., dict[str, str]]
SMALL = ("--epochs", "2", "--width", "16", "--threads", "1", "--seed", "1")
BANKING = ("--label-field", "category", "--embedding", "16", "--filters", "8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Path:
    """Small real data: 300 questions of 10 kinds, lines of Shakespeare, tagged words, a series."""
    path = tmp_path_factory.mktemp("data")
    rows = (corpora / "banking77" / "test.csv").read_text().splitlines(keepends=True)
    (path / "banking.csv").write_text("".join(rows[:301]))
    text = (corpora / "shakespeare" / "tinyshakespeare.txt").read_text()
    (path / "shakespeare.txt").write_text(text[:4000])
    pairs = ["The/DET", "cat/NOUN", "sat/VERB", "on/ADP", "the/DET", "mat/NOUN", "./PUNCT"]
    words = "".join(conllu(n, *pair.split("/")) for n, pair in enumerate(pairs, 1))
    (path / "tags.conllu").write_text(f"{words}\n" * 20)
    waves = np.sin(np.arange(200) / 5)
    (path / "waves.csv").write_text("value\n" + "".join(f"{value:.4f}\n" for value in waves))
    several = [("a fee", "money"), ("lost card", "card|loss"), ("card fee", "card|money")] * 10
    (path / "several.csv").write_text("text,label\n" + "".join(f"{a},{b}\n" for a, b in several))
    return path


def conllu(number: int, word: str, tag: str) -> str:
    return f"{number}\t{word}\t_\t{tag}\t_\t_\t0\t_\t_\t_\n"


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("pickle was used")


@pytest.fixture
def no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be pickled or unpickled."""
    for module, names in ((pickle, ("load", "loads", "dump", "dumps")), (torch, ("load", "save"))):
        for name in names:
            monkeypatch.setattr(module, name, never)


def is_pickle(content: bytes) -> bool:
    """Whether all of a file is opcodes of a pickle, or a zip archive as torch.save writes it."""
    if content.startswith(b"PK"):
        return True
    try:
        return len(list(pickletools.genops(content))) > 0
    except (ValueError, UnicodeDecodeError, IndexError):
        return False


FORMS: dict[str, tuple[str, ...]] = {
    "mlp": ("mlp", "banking.csv", *BANKING),
    "cnn": ("cnn", "banking.csv", *BANKING),
    "rnn": ("rnn", "banking.csv", *BANKING, "--bidirectional"),
    "lstm": ("lstm", "banking.csv", *BANKING, "--attention"),
    "gru": ("gru", "banking.csv", *BANKING, "--layers", "2"),
    "transformer": ("transformer", "banking.csv", *BANKING),
    "several": ("cnn", "several.csv", "--label-sep", "|", "--filters", "4"),
    "iris": ("mlp", "@iris", "--activation", "tanh", "--layer-norm"),
    "digits": ("cnn", "@digits", "--filters", "2", "--epochs", "1"),
    "diabetes": ("mlp", "@diabetes", "--loss", "huber"),
    "tags": ("lstm", "tags.conllu", "--bidirectional", "--embedding", "8"),
    "letters": ("gru", "shakespeare.txt", "--context-size", "16", "--embedding", "8"),
    "words": ("transformer", "shakespeare.txt", "--unit", "words", "--context-size", "8"),
    "waves": ("gru", "waves.csv", "--task", "forecast", "--window", "12", "--horizon", "2"),
}
SCORES = {
    **dict.fromkeys(("mlp", "cnn", "rnn", "lstm", "gru", "transformer", "iris"), "accuracy"),
    **{"digits": "accuracy", "several": "micro_f1", "diabetes": "r2", "waves": "r2"},
    **{"tags": "accuracy", "letters": "perplexity", "words": "perplexity"},
}
OF_TEXT = set(FORMS) - {"iris", "digits", "diabetes", "waves"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("no_pickle")
def test_every_model_and_task(form: str, quick: Any, folder: Path, tmp_path: Path) -> None:
    model, data, *more = FORMS[form]
    run = tmp_path / "run"
    done = quick("nn", "train", model, data, *SMALL, *more, "-o", run, cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    *epochs, final = map(json.loads, done.stdout.splitlines())
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert files == {
        *("config.toml", "input.json", "metrics.jsonl", "report.json", "card.md", "curves.svg"),
        *(MODEL, LAST, *(["vocab.tsv"] if form in OF_TEXT else [])),
    }
    assert not any(is_pickle((run / name).read_bytes()) for name in files)
    report = json.loads((run / "report.json").read_text())
    name = SCORES[form]
    assert np.isfinite(report["scores"]["valid"]["network"][name])
    baselines = report["scores"]["valid"]["baselines"]
    assert all(name in scores for scores in baselines.values())
    assert len(baselines) == 1
    assert final["final"]["valid"]["baselines"].keys() == baselines.keys()
    assert report["steps"] == epochs[-1]["step"]
    records = Run(str(run)).records()
    assert [record["step"] for record in records] == [epoch["step"] for epoch in epochs]
    assert any(epoch["best"] for epoch in epochs)
    assert (run / "card.md").read_text().startswith(f"# {model}, ")
    config = tomllib.loads((run / "config.toml").read_text())
    assert (config["model"]["model"], config["data"]["data"]) == (model, [data])
    assert config["training"]["threads"] == 1


def weights(run: Path) -> dict[str, bytes]:
    """All bits of the last weights and of what goes on from them."""
    return {k: t.numpy().tobytes() for k, t in checkpoints.read(str(run / LAST)).tensors.items()}


def timeless(run: Path) -> list[dict[str, Any]]:
    times = ("seconds", "seconds_left", "samples_per_second")
    return [{k: v for k, v in one.items() if k not in times} for one in Run(str(run)).records()]


def same(one: Path, other: Path) -> bool:
    """Whether two runs have the same weights, best and last, and the same metrics."""
    return (
        (one / MODEL).read_bytes() == (other / MODEL).read_bytes()
        and weights(one) == weights(other)
        and timeless(one) == timeless(other)
    )


@pytest.mark.parametrize("form", ["cnn", "tags", "words", "iris", "several"])
def test_a_config_repeats_a_run_bit_for_bit(
    form: str, quick: Any, folder: Path, tmp_path: Path
) -> None:
    model, data, *more = FORMS[form]
    quick("nn", "train", model, data, *SMALL, *more, "-q", "-o", tmp_path / "a", cwd=folder)
    config = tmp_path / "a" / "config.toml"
    again = ("nn", "train", "--config", config, "-q")
    assert quick(*again, "-o", tmp_path / "b", cwd=folder).returncode == 0
    assert same(tmp_path / "a", tmp_path / "b")
    for name in ("config.toml", "input.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    quick(*again, "--seed", "2", "-o", tmp_path / "c", cwd=folder)
    assert not same(tmp_path / "a", tmp_path / "c")
    assert "seed = 2" in (tmp_path / "c" / "config.toml").read_text()


def test_a_flag_takes_back_what_a_config_has_set(quick: Any, tmp_path: Path) -> None:
    quick("nn", "train", "mlp", "@iris", *SMALL, "--batch-norm", "-q", "-o", tmp_path / "a")
    again = ("nn", "train", "--config", tmp_path / "a" / "config.toml", "--no-batch-norm", "-q")
    assert quick(*again, "-o", tmp_path / "b").returncode == 0
    config = tomllib.loads((tmp_path / "b" / "config.toml").read_text())
    assert config["model"]["batch_norm"] is False


def test_options_reach_the_configuration_by_their_names(quick: Any, tmp_path: Path) -> None:
    words = ["--optimizer", "nesterov", "--lr", "0.05", "--schedule", "cosine", "--warmup", "2"]
    words += ["--clip-norm", "2", "--l2", "0.001", "--batch-size", "full", "--valid", "0.2"]
    words += ["--early-stopping", "5", "--weights-init", "he", "--class-weights", "balanced"]
    done = quick("nn", "train", "mlp", "@iris", *SMALL, *words, "-q", "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    found = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    training = found["training"]
    assert (training["optimizer"], training["lr"], training["schedule"]) == (
        "nesterov",
        0.05,
        "cosine",
    )
    assert (training["warmup"], training["clip_norm"], training["l2"]) == (2, 2.0, 0.001)
    assert (training["batch_size"], training["early_stopping"]) == (0, 5)
    assert (found["model"]["weights_init"], found["data"]["class_weights"]) == ("he", "balanced")
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["data"]["examples"] == {"train": 120, "valid": 30}
    assert report["steps"] == 2


def test_a_test_part_is_scored_once_at_the_end(quick: Any, folder: Path, tmp_path: Path) -> None:
    words = ("--test", "banking.csv", "-o", tmp_path / "run")
    done = quick("nn", "train", *FORMS["mlp"], *SMALL, *words, cwd=folder)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all("test" not in json.dumps(line) for line in lines[:-1])
    assert lines[-1]["final"].keys() == {"valid", "test"}
    card = (tmp_path / "run" / "card.md").read_text()
    assert "## Scores on the test part" in card


def test_vectors_of_words_are_taken_and_the_run_can_be_used(
    quick: Any, folder: Path, tmp_path: Path
) -> None:
    """The width of the vectors is that of the embedding, whatever --embedding says by default."""
    (tmp_path / "v.vec").write_text("2 5\ncard 1 2 3 4 5\nmy 5 4 3 2 1\n")
    words = ("--vectors", tmp_path / "v.vec", "--freeze-vectors", "-o", tmp_path / "run")
    more = ("--label-field", "category", "--filters", "4")
    done = quick("nn", "train", "cnn", "banking.csv", *SMALL, *more, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert b"2 of 4" in done.stderr  # of four hundred and some terms
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert config["model"]["embedding"] == 5
    found = checkpoints.read(str(tmp_path / "run" / MODEL)).tensors["body.embedding.weight"]
    vocab = (tmp_path / "run" / "vocab.tsv").read_text().splitlines()
    place = [line.split("\t")[0] for line in vocab].index("card")
    assert found[place].tolist() == [1, 2, 3, 4, 5]
    assert quick("nn", "predict", tmp_path / "run", "banking.csv", cwd=folder).returncode == 0


def test_quiet_says_nothing_and_verbose_where_it_is(quick: Any, tmp_path: Path) -> None:
    train = ("nn", "train", "mlp", "@iris", *SMALL)
    done = quick(*train, "-q", "-o", tmp_path / "a")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = quick(*train, "-v", "-o", tmp_path / "b")
    assert done.stderr.startswith(f"gai: {tmp_path / 'b'} has the network of step ".encode())


def test_without_validation_the_last_weights_are_the_result(quick: Any, tmp_path: Path) -> None:
    done = quick("nn", "train", "mlp", "@iris", *SMALL, "--valid", "0", "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    last = checkpoints.read(str(tmp_path / "run" / LAST)).tensors
    best = checkpoints.read(str(tmp_path / "run" / MODEL)).tensors
    assert all(torch.equal(last[f"model.{name}"], tensor) for name, tensor in best.items())
    assert json.loads((tmp_path / "run" / "report.json").read_text())["scores"] == {}
    assert (tmp_path / "run" / "curves.svg").read_bytes().startswith(b"<svg ")


def test_a_broken_pipe_ends_quietly_and_the_run_can_go_on(
    quick: Any, tmp_path: Path, variables: Variables
) -> None:
    run = tmp_path / "run"
    words = ["nn", "train", "mlp", "@iris", *SMALL, "--epochs", "40", "-o", str(run)]
    process = started(words, variables())
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["step"] == 5
    process.stdout.close()
    assert process.wait(60) in (0, 141)
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    if process.returncode == 141:
        assert quick("nn", "train", "--resume", "-q", "-o", run).returncode == 0
    assert Run(str(run)).records()[-1]["epoch"] == 40


def started(words: list[str], environment: dict[str, str], **more: Any) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gai", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        **more,
    )


LONG = ("--epochs", "16", "--width", "16", "--threads", "1", "--batch-norm", "--augment", "drop")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A run that nobody interrupted."""
    from gai.cli.main import main

    run = tmp_path_factory.mktemp("whole") / "run"
    model, data, *more = FORMS["cnn"]
    words = ["nn", "train", model, str(folder / data), *more, *LONG, "-q", "-o", str(run)]
    before = signal.getsignal(signal.SIGTERM)
    assert main(words) == 0
    signal.signal(signal.SIGTERM, before)
    return run


@pytest.mark.parametrize(
    ("number", "code", "saved"),
    [
        (signal.SIGINT, 130, True),
        (signal.SIGKILL, -9, False),
        pytest.param(signal.SIGTERM, 143, True, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_a_signal_ended_goes_on_as_if_nothing_had_happened(
    number: int,
    code: int,
    saved: bool,
    quick: Any,
    folder: Path,
    whole: Path,
    variables: Variables,
    tmp_path: Path,
) -> None:
    model, data, *more = FORMS["cnn"]
    run = tmp_path / "run"
    words = ["nn", "train", model, str(folder / data), *more, *LONG, "-o", str(run)]
    process = started(words, variables())
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"final" not in out
    said = f"gai: interrupted; gai nn train --resume -o {run} goes on\n" if code == 130 else ""
    assert err.decode() == said
    assert not (run / "report.json").exists()
    position = checkpoints.read(str(run / LAST)).facts["position"]
    assert first["step"] <= position["step"] < 9 * 16
    assert saved or position["step"] % 9 == 0  # killed: the last evaluation
    (run / "last" / ".state.safetensors.0.tmp").write_bytes(b"as a kill leaves it")
    done = quick("nn", "train", "--resume", "-o", run)
    assert done.returncode == 0, done.stderr
    assert same(run, whole)
    assert [path.name for path in (run / "last").iterdir()] == ["state.safetensors"]
    assert (run / "config.toml").read_bytes() == (whole / "config.toml").read_bytes()
    assert (run / "report.json").exists()


def test_a_live_table_on_a_terminal(on_terminal: Any, tmp_path: Path) -> None:
    words = ("nn", "train", "mlp", "@iris", *SMALL, "-o", tmp_path / "run")
    ended = on_terminal(*words, columns=110)
    assert ended.code == 0
    assert "\x1b[" in ended.out
    for name in ("epoch", "train loss", "valid loss", "accuracy", "rate", "gradient", "samples/s"):
        assert name in ended.out
    assert "logistic regression" in ended.out
    assert '{"' not in ended.out


@pytest.mark.slow
def test_lines_of_a_table_where_no_escape_sequence_is_welcome(
    on_terminal: Any, tmp_path: Path
) -> None:
    words = ("nn", "train", "mlp", "@iris", *SMALL, "-o", tmp_path / "run")
    ended = on_terminal(*words, env={"NO_COLOR": "1"}, columns=110)
    assert ended.code == 0
    assert "\x1b" not in ended.out
    head, first, second, *_ = ended.out.splitlines()
    assert head.split()[:4] == ["epoch", "step", "train", "loss"]
    assert [first.split()[0], second.split()[0]] == ["1", "2"]
    assert "on the valid part" in ended.out
