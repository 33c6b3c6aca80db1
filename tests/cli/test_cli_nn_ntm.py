"""gai nn with a neural Turing machine: learn to copy, score, look into, go on, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gai.cli.main import main
from gai.nn.net import checkpoints

Run = Callable[..., Any]

COPY = ("@copy", "--lengths", "1-2", "--bits", "3")
SMALL = ("--memory", "8x6", "--width", "24", "--threads", "1", "--seed", "1", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: an ntm that has learned to copy one or two rows of three bits, and an lstm."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "book.txt").write_text("to be or not to be\n" * 20)
    learned = ("--steps", "400", "--lr", "0.01", "--eval-every", "200", *SMALL)
    assert main(["nn", "train", "ntm", *COPY, *learned, "-o", str(folder / "ntm")]) == 0
    short = ("--steps", "5", "--width", "6", "--threads", "1", "--seed", "1", "-q")
    assert main(["nn", "train", "lstm", *COPY, *short, "-o", str(folder / "lstm")]) == 0
    return folder


def said(ended: Any) -> dict[str, Any]:
    assert (ended.returncode, ended.stderr) == (0, b"")
    return dict(json.loads(ended.stdout))


def refused(ended: Any, code: int = 2) -> str:
    assert (ended.returncode, ended.stdout) == (code, b"")
    error = str(ended.stderr.decode())
    assert error.startswith("gai: error: ")
    assert len(error.splitlines()) <= 2  # and a hint
    return error


def test_a_small_machine_learns_to_copy(folder: Path) -> None:
    report = json.loads((folder / "ntm" / "report.json").read_text())
    found = report["scores"]["valid"]
    assert found["network"]["bits"] < 0.5
    assert found["network"]["exact"] > 0.98
    assert found["baselines"]["chance"]["bits"] == 4.5
    assert report["data"]["examples"] == {"train": 400 * 16, "valid": 320}
    assert "ntm, what to do with generated bits" in (folder / "ntm" / "card.md").read_text()


def test_it_is_scored_on_fresh_sequences_of_any_length(quick: Run, folder: Path) -> None:
    own = said(quick("nn", "evaluate", folder / "ntm", "@copy"))
    assert own["summary"]["exact"] > 0.98
    assert [row["due"] for row in own["details"]["sequences"]] == [3, 6]
    valid = json.loads((folder / "ntm" / "report.json").read_text())["scores"]["valid"]
    assert own["summary"]["bits"] != valid["network"]["bits"]
    longer = said(quick("nn", "evaluate", folder / "ntm", "@copy", "--lengths", "30"))
    assert [row["due"] for row in longer["details"]["sequences"]] == [90]
    assert longer["summary"]["bits"] > own["summary"]["bits"]


def test_it_is_scored_on_another_task_of_the_same_shape(quick: Run, folder: Path) -> None:
    both = [
        said(quick("nn", "evaluate", folder / "ntm", name, "--lengths", "2"))["summary"]["exact"]
        for name in ("@copy", "@reverse")
    ]
    assert both[0] > 0.95
    assert both[1] < 0.5


def test_inspect_draws_where_the_heads_look(quick: Run, folder: Path) -> None:
    words = ("nn", "inspect", folder / "ntm", "--data", "@copy", "--lengths", "2")
    found = said(quick(*words))
    assert found["example"] == "@copy:320"
    assert [len(row) for row in found["inputs"]] == [4] * 5
    assert found["targets"][:3] == [[None] * 3] * 3
    assert found["targets"][3] == [int(bit) for bit in found["inputs"][0][:3]]
    assert list(found["heads"]) == ["write", "read"]
    for weights in found["heads"].values():
        assert [len(row) for row in weights] == [8] * 5
        assert all(abs(sum(row) - 1) < 0.001 for row in weights)
        assert all(weight == round(weight, 4) for row in weights for weight in row)

    ended = quick(*words, "--no-json")
    assert ended.returncode == 0
    lines = ended.stdout.decode().splitlines()
    assert lines[0].startswith("@copy:320: bits in from step 0, out from step 3; 0 of 6 bits wrong")
    assert any(line.startswith("read") for line in lines)
    rows = [line.partition("|")[2] for line in lines if line.endswith("|")]
    assert {len(row) for row in rows} == {6}
    assert any("█" in row for row in rows)


def test_inspect_writes_pictures(quick: Run, folder: Path, tmp_path: Path) -> None:
    words = ("nn", "inspect", folder / "ntm", "--data", "@copy", "--lengths", "5")
    for name, start in (("heads.png", b"\x89PNG"), ("heads.svg", b"<?xml")):
        ended = quick(*words, "-o", tmp_path / name)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        first = (tmp_path / name).read_bytes()
        assert first.startswith(start)
        quick(*words, "-o", tmp_path / name)
        assert (tmp_path / name).read_bytes() == first
    error = refused(quick(*words, "-o", "heads.txt"))
    assert "the memory cannot be drawn as heads.txt" in error


def test_inspect_counts_layers_and_operations(quick: Run, folder: Path) -> None:
    found = said(quick("nn", "inspect", folder / "ntm"))
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert layers["body"]["kind"] == "NTM 8 places of 6"
    assert layers["body"]["output"] == [5, 30]
    assert layers["body"]["operations"] == 5 * 5 * 8 * 6
    assert layers["body.orders"]["operations"] == 5 * 24 * 36
    assert found["parameters"] == sum(layer["parameters"] for layer in found["layers"])


def test_the_gradients_of_a_recurrent_peer_can_be_looked_at(quick: Run, folder: Path) -> None:
    words = ("nn", "inspect", folder / "lstm", "--data", "@copy", "--lengths", "2", "--rows", "4")
    flow = said(quick(*words))["flow"]
    assert flow["examples"] == 4
    (reach,) = flow["reaches"]
    assert reach["distances"][-1] == 4
    assert all(norm > 0 for norm in reach["norms"])


def test_a_run_goes_on_bit_for_bit(quick: Run, tmp_path: Path) -> None:
    few = ("nn", "train", "ntm", "@copy", "--lengths", "1-3", "--eval-every", "2", *SMALL)
    assert quick(*few, "--steps", "6", "-o", "whole").returncode == 0
    assert quick(*few, "--steps", "4", "-o", "parts").returncode == 0
    assert quick("nn", "train", "--resume", "-q", "--steps", "6", "-o", "parts").returncode == 0
    one, other = (
        checkpoints.read(str(tmp_path / name / "last" / "state.safetensors")).tensors
        for name in ("whole", "parts")
    )
    assert one.keys() == other.keys()
    assert all(bool((one[name] == other[name]).all()) for name in one)


@pytest.mark.parametrize("model", ["rnn", "gru", "transformer", "cnn"])
@pytest.mark.parametrize("name", ["@repeat-copy", "@sort"])
def test_other_models_take_the_same_data(quick: Run, model: str, name: str, tmp_path: Path) -> None:
    few = ["--lengths", "1-3", "--steps", "2", "--width", "8", "--threads", "1"]
    few += ["--repeats", "1-2"] if name == "@repeat-copy" else []
    assert quick("nn", "train", model, name, *few, "-q", "-o", "run").returncode == 0
    found = said(quick("nn", "evaluate", "run", name))
    assert list(found["summary"]) == ["loss", "bits", "exact"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ntm", "@copy", "--lengths", "0"], "--lengths 0"),
        (["ntm", "@copy", "--lengths", "5-2"], "--lengths 5-2"),
        (["ntm", "@copy", "--lengths", "x"], "--lengths x"),
        (["ntm", "@copy", "--repeats", "3-1"], "--repeats 3-1"),
        (["ntm", "@copy", "--memory", "0x3"], "--memory 0x3"),
        (["ntm", "@copy", "--memory", "128"], "--memory 128"),
        (["ntm", "@copy", "--controller", "gru"], "--controller gru"),
        (["ntm", "@copy", "--test", "0.1"], "@copy is made as it is needed"),
        (["ntm", "@copy", "--batch-size", "full"], "there is no end of examples"),
        (["ntm", "@copy", "@sort"], "2 inputs"),
        (["ntm", "@copie"], "@copie: an algorithm is learned from generated examples"),
        (["ntm", "book.txt"], "book.txt: an algorithm is learned from generated examples"),
        (["mlp", "@copy"], "mlp has no answer for each token"),
        (["lstm", "@copy", "--task", "lm"], "@copy is not for --task lm"),
        (["lstm", "@copy", "--memory", "8x8"], "--memory is for ntm"),
    ],
)
def test_bad_input_is_an_error_of_one_line(
    quick: Run, folder: Path, words: list[str], message: str, tmp_path: Path
) -> None:
    ended = quick("nn", "train", *words, "-o", tmp_path / "run", cwd=folder)
    assert message in refused(ended)
    assert not (tmp_path / "run").exists()


def test_what_asks_for_labels_is_refused(quick: Run, folder: Path) -> None:
    run = folder / "ntm"
    assert "no labels to predict" in refused(quick("nn", "predict", run, "@copy"), 1)
    assert "answers at many steps" in refused(quick("nn", "trace", run, "1"), 1)
    assert "nothing is drawn" in refused(quick("nn", "inspect", run, "-o", "x.svg"))
    shape = refused(quick("nn", "evaluate", run, "@sort"), 1)
    assert "this model was trained on steps of 4 numbers, the data has 5" in shape
    text = refused(quick("nn", "evaluate", run, folder / "book.txt"))
    assert "an algorithm is learned from generated examples" in text


@pytest.mark.slow
def test_copy_goes_beyond_the_lengths_of_training_as_an_lstm_does_not(quick: Run) -> None:
    same = ("@copy", "--steps", "4000", "--seed", "1", "--threads", "1", "-q")
    assert quick("nn", "train", "ntm", *same, "-o", "machine").returncode == 0
    assert quick("nn", "train", "lstm", "--width", "52", *same, "-o", "peer").returncode == 0
    assert said(quick("nn", "evaluate", "machine", "@copy"))["summary"]["bits"] < 0.01
    longer = [
        said(quick("nn", "evaluate", run, "@copy", "--lengths", "40"))["summary"]["bits"]
        for run in ("machine", "peer")
    ]
    assert longer[0] < 1.0
    assert longer[1] > 200.0
