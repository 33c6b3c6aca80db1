"""Options that would change nothing are refused, -q is quiet, and JSON has six digits."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from gai.cli.nn_display import rounded

ROWS = "".join(f"good film {n},pos\nbad film {n},neg\n" for n in range(15))
SMALL = ("--epochs", "1", "--width", "4", "--threads", "1", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, and a run that was trained on it."""
    from gai.cli.main import main

    path = tmp_path_factory.mktemp("unused")
    (path / "films.csv").write_text(f"text,label\n{ROWS}")
    (path / "other.csv").write_text("text,label\na good one,fine\n")
    words = ["nn", "train", "mlp", str(path / "films.csv"), *SMALL, "-o", str(path / "run")]
    assert main(words) == 0
    return path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train mlp films.csv --lengths 5", "--lengths is for --task algorithm"),
        ("train mlp films.csv --repeats 3", "--repeats is for --task algorithm"),
        ("train mlp films.csv --bits 4", "--bits is for --task algorithm"),
        ("train mlp films.csv --window 5", "--window is for --task forecast"),
        ("train mlp films.csv --horizon 5", "--horizon is for --task forecast"),
        ("train mlp films.csv --unit words", "--unit is for --task lm or seq2seq"),
        ("train ntm @copy --repeats 3", "--repeats: @copy repeats nothing"),
        ("train ntm @sort --horizon 3", "--horizon is for --task forecast"),
    ],
)
def test_what_training_would_not_look_at(
    words: str, message: str, folder: Path, quick: Any
) -> None:
    done = quick("nn", *words.split(), *SMALL, "-o", "new", cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("predict run films.csv --lengths 5", "--lengths is for --task algorithm"),
        ("evaluate run films.csv --repeats 5", "--repeats is for --task algorithm"),
        ("inspect run --label-field x", "--label-field without --data"),
        ("inspect run --attend text --data films.csv", "--attend and --data"),
        ("inspect run --attend text --tokens 3", "--attend and --tokens"),
        ("report run --label-field x -o page.html", "--label-field without DATA"),
        ("compare run run --text-field x", "--text-field without DATA"),
        ("quantize run --label-field x -o new", "--label-field without --data"),
        ("prune run --label-field x -o new", "--label-field without --data"),
        ("sample run --columns x", "--columns without --data"),
        ("sample run --columns-of-grid 3 -o new.npz", "--columns-of-grid 3: npz has no grid"),
        ("denoise run films.csv --columns-of-grid 3", "--columns-of-grid 3: tsv has no grid"),
        ("ensemble stack run run --label-field x -o new", "--label-field x changes nothing"),
        ("ensemble average run run --context-size 9 -o new", "--context-size 9 changes nothing"),
        ("diagnose run --context-size 9", "--context-size: run has choices of its own"),
        ("lr-find --run run --config run/config.toml", "--run run and --config run/config.toml"),
        ("search mlp films.csv --auto --pruner halving -o new", "--auto contradicts --pruner"),
    ],
)
def test_what_nobody_would_look_at(words: str, message: str, folder: Path, quick: Any) -> None:
    done = quick("nn", *words.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert not (folder / "new").exists()
    assert not (folder / "page.html").exists()


def test_a_quiet_evaluation_says_its_scores_alone(folder: Path, quick: Any) -> None:
    loud = quick("nn", "evaluate", "run", "other.csv", cwd=folder)
    assert b"labels that training never saw" in loud.stderr
    done = quick("nn", "evaluate", "run", "other.csv", "-q", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == json.loads(loud.stdout)


def test_all_numbers_have_six_digits_and_json_takes_them() -> None:
    found = {"a": [1 / 3, (math.nan, 2)], "b": {"c": 2e6 / 3}, "d": "x"}
    assert rounded(found) == {"a": [0.333333, [None, 2]], "b": {"c": 666667.0}, "d": "x"}
