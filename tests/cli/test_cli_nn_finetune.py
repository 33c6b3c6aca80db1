"""gai nn finetune: the real command, from a language model to a classifier."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gai.cli.main import main

Quick = Callable[..., "subprocess.CompletedProcess[bytes]"]

BANKING = ("--label-field", "category", "--epochs", "3", "--threads", "1", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Path:
    """300 questions with labels, the text of 600 others, and a language model of that."""
    path = tmp_path_factory.mktemp("tuning")
    rows = (corpora / "banking77" / "test.csv").read_text().splitlines(keepends=True)
    (path / "few.csv").write_text("".join(rows[:301]))
    (path / "domain.txt").write_text(
        "".join(row.rpartition(",")[0] + "\n" for row in rows[301:901])
    )
    small = ["--width", "16", "--embedding", "16", "--steps", "20", "--threads", "1", "-q"]
    words = ["nn", "train", "gru", str(path / "domain.txt"), "--unit", "words", *small]
    assert main([*words, "-o", str(path / "lm")]) == 0
    return path


def test_a_classifier_from_a_language_model_and_again_from_its_config(
    folder: Path, quick: Quick
) -> None:
    few = [folder / "few.csv", *BANKING, "--freeze", "all", "--unfreeze-every", "1"]
    done = quick(
        "nn", "finetune", folder / "lm", *few, "--layer-decay", "0.5", "-o", "one", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "one" / "report.json").read_text())
    assert report["task"] == "classify"
    assert any("the head begins anew" in note for note in report["notes"])
    assert any("terms are new, beside" in note for note in report["notes"])
    said = quick("nn", "predict", folder / "one", folder / "domain.txt")
    assert len(said.stdout.splitlines()) == 600
    again = ["--config", folder / "one" / "config.toml", "-q", "-o", "two"]
    assert quick("nn", "train", *again, cwd=folder).returncode == 0
    weights = [(folder / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


def test_a_run_goes_on_where_the_model_that_it_came_from_is_gone(
    folder: Path, quick: Quick, tmp_path: Path
) -> None:
    lm = tmp_path / "lm"
    lm.symlink_to(folder / "lm")
    few = [folder / "few.csv", *BANKING, "--unfreeze-every", "2", "--freeze", "all"]
    for name, epochs in (("whole", "4"), ("parted", "3")):
        done = quick("nn", "finetune", lm, *few, "-o", tmp_path / name, "--epochs", epochs)
        assert done.returncode == 0, done.stderr
    lm.unlink()
    done = quick("nn", "train", "--resume", "-o", tmp_path / "parted", "--epochs", "4", "-q")
    assert done.returncode == 0, done.stderr
    states = [(tmp_path / n / "last" / "state.safetensors") for n in ("whole", "parted")]
    from gai.nn.net import checkpoints

    whole, parted = (checkpoints.read(str(state)).tensors for state in states)
    for key, tensor in whole.items():
        assert tensor.equal(parted[key]), key


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["few.csv"], 2, "training needs a folder to write: -o OTHER"),
        (["few.csv", "-o", "x", "--unit", "characters"], 2, "the weights are those of unit words"),
        (["@digits", "-o", "x"], 1, "this model reads text, and the data is numbers"),
        (["few.csv", "-o", "x", "--layer-decay", "0"], 2, "--layer-decay 0 must be above 0"),
        (["few.csv", "-o", "lm"], 2, "lm holds a run already"),
    ],
)
def test_what_cannot_be_is_one_line(
    folder: Path, quick: Quick, words: list[str], code: int, message: str
) -> None:
    done = quick("nn", "finetune", "lm", *words, cwd=folder)
    assert done.returncode == code
    first, *rest = done.stderr.decode().splitlines()
    assert message in first
    assert len(rest) <= 1
