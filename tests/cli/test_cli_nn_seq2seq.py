"""gai nn train transformer --task seq2seq, and what answers for it: the real commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gai.cli.main import main

Quick = Callable[..., "subprocess.CompletedProcess[bytes]"]

FIELDS = ("--text-field", "lemma", "--label-field", "form")
NOUNS = ("nouns.csv", "--task", "seq2seq", "-o", "other")
SMALL = ("--width", "16", "--heads", "2", "--layers", "1", "--threads", "1", "--seed", "1", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plurals of made-up nouns, and a model that has seen them a few times."""
    path = tmp_path_factory.mktemp("writing")
    stems = ["".join(letters) for letters in product("bdg", "ao", "tn")]
    rows = [f"{stem},{stem}{'es' if stem.endswith('t') else 's'}" for stem in stems] * 4
    (path / "nouns.csv").write_text("lemma,form\n" + "\n".join(rows) + "\n")
    fields = ["--task", "seq2seq", *FIELDS]
    words = ["nn", "train", "transformer", str(path / "nouns.csv"), *fields, *SMALL]
    words += ["--epochs", "4", "--batch-size", "8", "--lr", "0.01", "--dropout", "0"]
    assert main([*words, "-o", str(path / "run")]) == 0
    return path


def test_the_report_has_what_was_written_beside_the_text_as_it_is(folder: Path) -> None:
    report = json.loads((folder / "run" / "report.json").read_text())
    scores = report["scores"]["valid"]
    assert scores["network"].keys() == {"loss", "exact", "character_error_rate"}
    baseline = scores["baselines"]["the text as it is"]
    assert baseline["exact"] == 0.0
    assert 1 / 4 <= baseline["character_error_rate"] <= 2 / 5  # "s" or "es" behind three letters


def test_predict_writes_a_text_a_line(folder: Path, quick: Quick) -> None:
    greedy = quick("nn", "predict", folder / "run", "-", stdin=b"bat\ngon\n\n")
    assert greedy.returncode == 0, greedy.stderr
    lines = [line.split("\t") for line in greedy.stdout.decode().splitlines()]
    assert [line[0] for line in lines] == ["-:1", "-:2", "-:3"]
    assert all(float(log) < 0 for *_, log in lines)
    wide = [folder / "run", "-", "--beam", "3", "--format", "jsonl"]
    said = json.loads(quick("nn", "predict", *wide, stdin=b"bat\n").stdout)
    assert said.keys() == {"id", "text", "log_probability"}


def test_evaluate_scores_what_it_writes(folder: Path, quick: Quick) -> None:
    done = quick("nn", "evaluate", folder / "run", folder / "nouns.csv", *FIELDS, "--json")
    found = json.loads(done.stdout)
    assert found["details"]["examples"] == 48
    low, high = found["intervals"]["exact"]
    assert low <= found["summary"]["exact"] <= high


def test_a_map_of_attention(folder: Path, quick: Quick, tmp_path: Path) -> None:
    found = json.loads(quick("nn", "inspect", folder / "run", "--attend", "bat").stdout)
    across = found[-1]
    assert across["layer"] == "decoder.0.across"
    assert across["columns"] == ["b", "a", "t"]
    assert across["rows"][-1] == "end"
    for one in found:
        for head in one["weights"]:
            assert all(sum(row) == pytest.approx(1.0, abs=1e-4) for row in head)
            assert all(weight == round(weight, 6) for row in head for weight in row)
    drawn = quick("nn", "inspect", folder / "run", "--attend", "bat", "--no-json").stdout.decode()
    assert drawn.splitlines()[0] == "decoder.0.across, mean of 2 heads"
    quick("nn", "inspect", folder / "run", "--attend", "bat", "-o", tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert len(root.findall("{*}g")) == 6  # three layers of two heads


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["predict", "run", "-", "--proba"], 2, "--proba: a text has no labels"),
        (["predict", "run", "long.txt"], 1, "100 tokens are more than the 64"),
        (["inspect", "run", "--attend", ""], 1, "no token of this text is looked at"),
        (["inspect", "run", "--attend", "bat", "-o", "a.bmp"], 2, "cannot be written to a.bmp"),
        (["train", "lstm", *NOUNS, *FIELDS], 2, "lstm does not write texts"),
        (["train", "transformer", *NOUNS], 1, "no field 'text'"),
    ],
)
def test_what_cannot_be_is_one_line(
    folder: Path, quick: Quick, words: list[str], code: int, message: str
) -> None:
    (folder / "long.txt").write_text("b" * 100 + "\n")
    done = quick("nn", *words, cwd=folder, stdin=b"bat\n")
    first, *rest = done.stderr.decode().splitlines()
    assert message in first
    assert done.returncode == code
    assert len(rest) <= 1
