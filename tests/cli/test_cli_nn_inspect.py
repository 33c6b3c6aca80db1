"""gai nn inspect and gai nn trace, on runs that are trained in a moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.cli.main import main

Run = Callable[..., Any]

SENTENCES = """text\tlabel
the cat sat on the mat\tcat
a cat and another cat\tcat
dogs bark at the moon\tdog
my dog barks a lot\tdog
the cat likes milk\tcat
this dog is big\tdog
"""
TAGS = "The\tDET\ncat\tNOUN\nsat\tVERB\n\nA\tDET\ndog\tNOUN\nbarks\tVERB\n"
TINY = ("--epochs", "2", "--threads", "1", "--seed", "1", "--width", "8", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, and runs that were trained on it: iris, text, tags, letters."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.tsv").write_text(SENTENCES)
    (folder / "tags.tsv").write_text(TAGS)
    (folder / "letters.txt").write_text("to be or not to be\n" * 20)
    commands = {
        "iris": ["mlp", "@iris"],
        "text": ["lstm", folder / "text.tsv", "--valid", "0", "--embedding", "8"],
        "tags": ["gru", folder / "tags.tsv", "--task", "tag", "--valid", "0", "--min-count", "1"],
        "letters": ["rnn", folder / "letters.txt", "--task", "lm", "--context-size", "10"],
    }
    for name, words in commands.items():
        said = ["nn", "train", *map(str, words), "-o", str(folder / name), *TINY]
        assert main(said) == 0, name
    return folder


def found(ended: Any) -> dict[str, Any]:
    assert (ended.returncode, ended.stderr) == (0, b"")
    return dict(json.loads(ended.stdout))


def shown(ended: Any) -> str:
    assert (ended.returncode, ended.stderr) == (0, b"")
    return str(ended.stdout.decode())


def refused(ended: Any, code: int = 2) -> str:
    assert (ended.returncode, ended.stdout) == (code, b"")
    assert "Traceback" not in ended.stderr.decode()
    return str(ended.stderr.decode())


def test_a_pipe_gets_the_layers_as_json(quick: Run, folder: Path) -> None:
    said = found(quick("nn", "inspect", folder / "iris"))
    assert (said["model"], said["task"], said["flow"]) == ("mlp", "classify", None)
    assert [layer["kind"] for layer in said["layers"]] == ["Linear 4 -> 8", "ReLU", "Linear 8 -> 3"]
    assert said["operations"] == 4 * 8 + 8 * 3
    assert said["parameters"] == 40 + 27


def test_a_person_gets_a_table(quick: Run, folder: Path) -> None:
    said = shown(quick("nn", "inspect", folder / "iris", "--no-json"))
    rows = [line.split() for line in said.splitlines()]
    assert ["body.layers.0.linear", "Linear", "4", "->", "8", "8", "40", "32", "yes"] in rows
    assert "67 parameters, all learn; 268 B of weights" in said


def test_the_length_of_the_text_decides_how_many_operations_there_are(
    quick: Run, folder: Path
) -> None:
    counts = {
        tokens: found(quick("nn", "inspect", folder / "text", "--tokens", tokens))["operations"]
        for tokens in ("5", "10")
    }
    assert counts == {t: int(t) * 4 * 8 * (8 + 8) + 8 * 2 for t in counts}


def test_data_shows_how_gradients_fare(quick: Run, folder: Path) -> None:
    words = ("nn", "inspect", folder / "text", "--data", folder / "text.tsv", "--rows", "4")
    flow = found(quick(*words))["flow"]
    assert flow["examples"] == 4
    assert [layer["layer"] for layer in flow["layers"]][-1] == "head"
    (reach,) = flow["reaches"]
    assert reach["layer"] == "body.layers.0.ahead"
    assert reach["distances"][0] == 0
    said = shown(quick(*words, "--no-json"))
    assert "Back through time in body.layers.0.ahead" in said
    assert f"{reach['verdict']}: at distance {reach['distances'][-1]} it is" in said


def test_a_plain_rnn_is_seen_to_forget(quick: Run, tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    values = chance.random((60, 120, 2), np.float32)
    np.savez(tmp_path / "long.npz", x=values, y=values[:, 0, 0].astype(np.float64))
    said = ("nn", "train", "rnn", "long.npz", "-o", "run", *TINY)
    assert quick(*said).returncode == 0
    ended = quick("nn", "inspect", "run", "--data", "long.npz")
    (reach,) = found(ended)["flow"]["reaches"]
    assert (reach["verdict"], reach["distances"][-1]) == ("vanishes", 119)
    assert reach["norms"][-1] < 1e-10 * reach["norms"][0]
    shares = dict(zip(reach["distances"], reach["norms"], strict=True))
    assert shares[0] > shares[20] > shares[40] > shares[60] > shares[80] > shares[100]


def test_a_terminal_gets_tables(on_terminal: Run, folder: Path) -> None:
    ended = on_terminal("nn", "trace", folder / "iris", "3", env={"NO_COLOR": "1"})
    assert ended.code == 0
    assert ended.out.startswith("Example: @iris:3")
    assert "The chain rule for head.weight[" in ended.out


def test_a_trace_of_the_data_that_a_run_was_trained_on(quick: Run, folder: Path) -> None:
    said = found(quick("nn", "trace", folder / "iris", "60"))
    assert said["example"] == "@iris:60"
    assert said["input"][0]["number"] == "sepal length"
    assert [row["target"] for row in said["answers"]] == [0, 1, 0]
    assert max(row["error"] for row in said["weights"]) < 1e-4
    assert [chain["weights"] for chain in said["chains"]] == [
        "head.weight",
        "body.layers.0.linear.weight",
    ]
    assert said["step"]["optimizer"] == "adam"
    assert said["step"]["descended"] < said["step"]["before"]


def test_a_trace_is_the_same_each_time(quick: Run, folder: Path) -> None:
    first, again = (quick("nn", "trace", folder / "text", "2").stdout for _ in range(2))
    assert first == again


def test_a_trace_as_a_teacher_writes_it(quick: Run, folder: Path) -> None:
    said = shown(quick("nn", "trace", folder / "iris", "1", "--no-json"))
    for part in ("Input", "Forward", "Answer", "Loss, cross-entropy", "Backward", "One step"):
        assert part in said
    assert "= p[" in said
    assert "ReLU'(" in said
    assert "adam, its first step: w - lr m" in said


def test_a_text_that_was_typed(quick: Run, folder: Path) -> None:
    words = ("nn", "trace", folder / "text", "--text", "the cat barks", "--label", "dog")
    said = found(quick(*words))
    assert [row["token"] for row in said["input"]] == ["the", "cat", "barks"]
    assert [(row["label"], row["target"]) for row in said["answers"]] == [("cat", 0), ("dog", 1)]


def test_tags_that_were_typed(quick: Run, folder: Path) -> None:
    words = ("nn", "trace", folder / "tags", "--text", "The dog", "--label", "DET NOUN")
    said = found(quick(*words))
    assert [(row["token"], row["true"]) for row in said["answers"]] == [
        ("The", "DET"),
        ("dog", "NOUN"),
    ]
    assert "3 tags" in refused(quick(*words[:-1], "DET NOUN X"))


def test_a_language_model_is_traced_window_by_window(quick: Run, folder: Path) -> None:
    said = found(quick("nn", "trace", folder / "letters", "2"))
    assert "".join(row["token"] for row in said["input"]) == "ot to be\nt"
    assert said["answers"][0]["true"] == "t"
    said = found(quick("nn", "trace", folder / "letters", "--text", "to be"))
    assert [row["true"] for row in said["answers"]] == list("o be")
    board = shown(quick("nn", "trace", folder / "letters", "2", "--no-json"))
    assert "' '" in board  # a space can be seen


def test_other_examples(quick: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new.tsv").write_text("body\tkind\nmy cat\tcat\nmy dog\tdog\n")
    fields = ("--text-field", "body", "--label-field", "kind")
    said = found(quick("nn", "trace", folder / "text", "2", "--data", "new.tsv", *fields))
    assert [row["token"] for row in said["input"]] == ["my", "dog"]


def test_data_that_changed_since_is_said(quick: Run, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text(SENTENCES)
    said = ("nn", "train", "mlp", "t.tsv", "--valid", "0", "-o", "run", *TINY)
    assert quick(*said).returncode == 0
    assert found(quick("nn", "trace", "run", "1"))
    (tmp_path / "t.tsv").write_text(SENTENCES + "one more cat\tcat\n")
    ended = quick("nn", "trace", "run", "1")
    assert ended.returncode == 0
    assert ended.stderr == b"gai: t.tsv: not as it was when run was trained\n"
    (tmp_path / "t.tsv").unlink()
    error = refused(quick("nn", "trace", "run", "1"), code=1)
    assert "t.tsv" in error
    assert "--data DATA names other examples" in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["iris"], "no ROW"),
        (["iris", "0"], "1 or more"),
        (["iris", "151"], "no example 151: the data has 150 examples"),
        (["iris", "1", "--text", "x"], "--text and ROW 1"),
        (["iris", "1", "--label", "x"], "--label without --text"),
        (["iris", "--text", "x", "--label", "y"], "this model reads numbers, no text"),
        (["text", "--text", "a cat"], "--label LABEL; cat, dog"),
        (["text", "--text", "a cat", "--data", "x"], "--text and --data x"),
        (["letters", "--text", "to be", "--label", "x"], "a language model has none"),
        (["letters", "99"], "no example 99: the data has 37 windows of 10 tokens"),
    ],
)
def test_what_cannot_be_traced(quick: Run, folder: Path, words: list[str], said: str) -> None:
    assert said in refused(quick("nn", "trace", folder / words[0], *words[1:]))


def test_an_unknown_label_and_a_text_too_short_are_errors(quick: Run, folder: Path) -> None:
    ended = quick("nn", "trace", folder / "text", "--text", "a cow", "--label", "cow")
    assert "training never saw the label 'cow'" in refused(ended, 1)
    ended = quick("nn", "trace", folder / "letters", "--text", "a")
    assert "fewer than two tokens" in refused(ended, 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["iris", "--rows", "3"], 2, "--rows without --data"),
        (["iris", "--tokens", "3"], 2, "this model reads numbers"),
        (["nowhere"], 1, "is no run"),
        (["iris", "--data", "nowhere.npz"], 1, "nowhere.npz"),
        (["text", "--data", "@iris"], 1, "the data is numbers"),
    ],
)
def test_what_cannot_be_inspected(
    quick: Run, folder: Path, words: list[str], code: int, said: str
) -> None:
    assert said in refused(quick("nn", "inspect", folder / words[0], *words[1:]), code)


def test_a_run_must_be_named(quick: Run) -> None:
    assert "no RUN" in refused(quick("nn", "inspect"))
    assert "no ROW" in refused(quick("nn", "trace"))
