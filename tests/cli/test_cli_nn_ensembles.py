"""gai nn cv, compare and ensemble: the real commands, and what they make of wrong words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.cli.main import main

SMALL = ("--epochs", "2", "--width", "6", "--threads", "1", "--lr", "0.01")
QUESTIONS = ("where is my card", "the fee is wrong", "how do I pay")
KINDS = ("card", "fee", "pay")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions, and runs that were trained on them and on other things."""
    path = tmp_path_factory.mktemp("runs")
    rows = [(f"{QUESTIONS[n % 3]} {n}", KINDS[n % 3], n % 12) for n in range(120)]
    table = "".join(f"{text},{label},u{user}\n" for text, label, user in rows)
    (path / "questions.csv").write_text(f"text,label,user\n{table}")
    few = "my card,card\nwrong fee,fee\npay now,pay\n"
    (path / "more.csv").write_text("text,label\n" + few * 5)
    (path / "other.csv").write_text("text,label\ngood,yes\nbad,no\n" * 20)
    (path / "play.txt").write_text("to be or\nnot to be\n" * 90)
    train(path, "one", "mlp", "questions.csv", "--seed", "1")
    train(path, "two", "mlp", "questions.csv", "--seed", "2", "--split-seed", "1")
    train(path, "apart", "mlp", "questions.csv", "--seed", "3")
    train(path, "other", "mlp", "other.csv")
    train(path, "prices", "mlp", "@diabetes")
    text = ("--context-size", "8", "--steps", "3", "--embedding", "6")
    train(path, "letters", "gru", "play.txt", *text)
    train(path, "words", "gru", "play.txt", "--unit", "words", *text)
    return path


def train(path: Path, run: str, model: str, data: str, *words: str) -> None:
    where = data if data.startswith("@") else str(path / data)
    assert main(["nn", "train", model, where, *SMALL, *words, "-q", "-o", str(path / run)]) == 0


@pytest.fixture
def ask(quick: Any, folder: Path) -> Callable[..., Any]:
    """A command of gai nn, or gai info, within the folder of the runs."""

    def asked(command: str, *words: Any, stdin: bytes = b"") -> Any:
        above = () if command == "info" else ("nn",)
        return quick(*above, command, *words, stdin=stdin, cwd=folder)

    return asked


def found(done: Any) -> dict[str, Any]:
    """The JSON object that a pipe gets."""
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def rows(done: Any) -> list[list[str]]:
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def failed(done: Any, message: str, code: int) -> None:
    """Asserts that a command ended with this error, and no other noise."""
    err = done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b""), err
    assert err.startswith("gai: error: ")
    assert message in err
    assert "Traceback" not in err


def test_folds_are_kept_as_runs_and_their_means_are_told(ask: Any, folder: Path) -> None:
    words = ("mlp", "questions.csv", *SMALL, "-k", "3", "--group-field", "user", "--seed", "1")
    made = found(ask("cv", *words, "-o", "folds"))
    assert made["how"].startswith("by user, no value in two folds")
    assert [fold["fold"] for fold in made["folds"]] == ["1/3", "2/3", "3/3"]
    assert sum(fold["examples"]["test"] for fold in made["folds"]) == 120
    values = [fold["network"]["accuracy"] for fold in made["folds"]]
    assert made["network"]["accuracy"]["mean"] == pytest.approx(np.mean(values), abs=1e-5)
    names = ["card.md", "cv.json", "fold-1", "fold-2", "fold-3"]
    assert sorted(path.name for path in (folder / "folds").iterdir()) == names
    page = (folder / "folds" / "card.md").read_text()
    assert "| accuracy |" in page
    assert "| 3/3 |" in page
    failed(ask("cv", *words, "-o", "folds"), "folds holds runs already", 2)
    assert ["kind", "nn cross-validation"] in rows(ask("info", "folds"))
    assert found(ask("evaluate", "folds/fold-2", "more.csv"))["summary"]["accuracy"] > 0
    config = ("--config", "folds/fold-2/config.toml", "-q", "-o", "again")
    assert ask("train", *config).returncode == 0
    stored = [folder / run / "model.safetensors" for run in ("again", "folds/fold-2")]
    assert stored[0].read_bytes() == stored[1].read_bytes()  # a fold is an ordinary run


def test_tables_of_folds_and_means(ask: Any) -> None:
    done = ask("cv", "mlp", "@iris", *SMALL, "-k", "2", "--no-json")
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode()
    for words in ("fold", "1/2", "2/2", "baseline", "± 95 %", "each class spread evenly"):
        assert words in shown
    quiet = ask("cv", "mlp", "@iris", *SMALL, "-k", "2", "-q")  # nothing else has the result
    assert json.loads(quiet.stdout)["k"] == 2
    assert (quiet.returncode, quiet.stderr) == (0, b"")
    kept = ask("cv", "mlp", "@iris", *SMALL, "-k", "2", "-q", "-o", "kept")
    assert (kept.returncode, kept.stdout, kept.stderr) == (0, b"", b"")


def test_records_from_a_pipe_are_cross_validated(ask: Any) -> None:
    lines = [{"text": QUESTIONS[n % 3], "label": KINDS[n % 3]} for n in range(30)]
    stdin = "".join(json.dumps(line) + "\n" for line in lines).encode()
    made = found(ask("cv", "mlp", "-", "--input-format", "jsonl", *SMALL, "-k", "2", stdin=stdin))
    assert made["data"]["examples"] == 30


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("mlp", "@iris", "-k", "1"), 2, "--folds 1: expected a whole number, 2 or more"),
        (("mlp", "@iris", "-k", "51"), 2, "51 folds, and no label has more than 50 examples"),
        (("mlp", "@iris", "-k", "151"), 2, "151 folds of 150 examples"),
        (("mlp", "@iris", "--test", "0.2"), 2, "gai nn cv makes its own folds"),
        (("mlp", "@iris", "--fold", "1/5"), 2, "gai nn cv makes its own folds"),
        (("mlp", "@iris", "--group-field", "x"), 2, "the data has no groups"),
        (("mlp", "questions.csv", "--group-field", "x"), 1, "no field 'x'"),
        (("mlp", "questions.csv", "--group-field", "label", "-k", "4"), 2, "4 folds of 3 groups"),
        (("mlp", "@diabetes", "-k", "443"), 2, "443 folds of 442 examples"),
        (("mlp",), 2, "no DATA to train on"),
        ((), 2, "no MODEL"),
        (("mpl", "@iris"), 2, "did you mean mlp?"),
        (("mlp", "@iris", "-o", "play.txt"), 2, "play.txt is a file"),
        (("mlp", "@iris", "-o", "one"), 2, "one is a folder with other files in it"),
        (("mlp", "@iris", "-o", "one", "--force"), 2, "one is a folder with other files in it"),
    ],
)
def test_folds_that_cannot_be(words: tuple[str, ...], code: int, message: str, ask: Any) -> None:
    failed(ask("cv", *words, "--threads", "1"), message, code)


def test_a_rare_label_is_told(ask: Any, folder: Path) -> None:
    text = (folder / "questions.csv").read_text()
    (folder / "rare.csv").write_text(text + "one of a kind,rare,u1\n")
    done = ask("cv", "mlp", "rare.csv", *SMALL, "-k", "2")
    assert done.returncode == 0
    assert b"gai: labels with fewer examples than there are folds: 'rare'\n" in done.stderr


def test_runs_are_compared_on_what_both_held_out(ask: Any, folder: Path) -> None:
    made = found(ask("compare", "one", "two"))
    assert (made["part"], made["data"], made["examples"]) == ("valid", None, 12)
    reports = {run["run"]: run for run in made["runs"]}
    assert reports.keys() == {"one", "two"}
    for name in reports:
        stored = json.loads((folder / name / "report.json").read_text())
        scores = stored["scores"]["valid"]["network"]
        assert reports[name]["scores"] == pytest.approx(
            {score: scores[score] for score in reports[name]["scores"]}, abs=1e-5
        )
        assert reports[name]["parameters"] == stored["network"]["parameters"]
    (apart,) = made["differences"]
    one, two = (reports[name]["scores"]["log_loss"] for name in ("one", "two"))
    assert apart["scores"]["log_loss"]["value"] == pytest.approx(two - one, abs=1e-5)
    (counts,) = made["mcnemar"]
    assert sum(counts[n] for n in ("both", "only_first", "only_second", "neither")) == 12
    assert found(ask("compare", "one", "two", "--seed", "0")) == made
    assert found(ask("compare", "one", "two", "--seed", "1")) != made


def test_runs_are_compared_on_named_data(ask: Any, folder: Path) -> None:
    made = found(ask("compare", "one", "apart", "more.csv"))
    assert (made["part"], made["data"], made["examples"]) == (None, ["more.csv"], 15)
    scores = found(ask("evaluate", "apart", "more.csv"))["summary"]
    assert made["runs"][1]["scores"]["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-5)
    stdin = (folder / "more.csv").read_bytes()
    piped = found(ask("compare", "one", "apart", "-", "--input-format", "csv", stdin=stdin))
    assert piped["runs"][1]["scores"] == made["runs"][1]["scores"]
    shown = ask("compare", "one", "apart", "more.csv", "--no-json").stdout.decode()
    for words in ("apart less one", "± 95"[2:], "p", "McNemar", "neither", "parameters"):
        assert words in shown


def test_numbers_and_texts_are_compared(ask: Any) -> None:
    made = found(ask("compare", "prices", "prices"))
    none = {"value": 0, "low": 0, "high": 0, "p": 1}
    assert made["differences"][0]["scores"]["r2"] == pytest.approx(none, abs=1e-12)
    assert "mcnemar" not in made
    made = found(ask("compare", "letters", "words"))
    apart = made["differences"][0]["scores"]
    assert set(apart) == {"bits_per_character", "bits_per_byte"}  # their tokens are others
    for run in made["runs"]:
        known = found(ask("evaluate", run["run"], "play.txt"))
        assert known["summary"].keys() == run["scores"].keys()
    made = found(ask("compare", "letters", "letters", "play.txt"))
    known = found(ask("evaluate", "letters", "play.txt"))["summary"]
    assert made["runs"][0]["scores"] == pytest.approx(known, rel=1e-4)
    assert "perplexity" in made["differences"][0]["scores"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "nothing to compare"),
        (("one",), 2, "nothing to compare"),
        (("one", "nothing"), 2, "nothing is no run"),
        (("one", "apart"), 1, "one and apart were scored on different data"),
        (("one", "two", "--part", "test"), 1, "one has held out no test part"),
        (("one", "prices"), 1, "one gives a label an example, prices a number"),
        (("one", "letters"), 1, "one gives a label an example, letters the next tokens"),
        (("one", "two", "more.csv", "--part", "valid"), 2, "--part valid and more.csv"),
        (("one", "two", "nothing.csv"), 1, "nothing.csv: no such file"),
        (("one", "two", "--text-field", "x"), 2, "--text-field without DATA"),
        (("one", "two", "more.csv", "--label-field", "x"), 1, "no field 'x'"),
    ],
)
def test_what_cannot_be_compared(words: tuple[str, ...], code: int, message: str, ask: Any) -> None:
    failed(ask("compare", *words, "--threads", "1"), message, code)


def test_an_ensemble_is_asked_like_a_run(ask: Any, folder: Path) -> None:
    made = found(ask("ensemble", "average", "one", "two", "-o", "both", "--force"))
    assert made["scores"]["valid"]["network"]["accuracy"] > 0
    assert [one["run"] for one in made["scores"]["valid"]["members"]] == ["one", "two"]
    each = [rows(ask("predict", run, "more.csv", "--proba")) for run in ("one", "two", "both")]
    for one, two, both in zip(*each, strict=True):
        assert one[:2] == two[:2] == both[:2]
        mean = (float(one[2]) + float(two[2])) / 2
        assert float(both[2]) == pytest.approx(mean, abs=2e-6)
    scores = found(ask("evaluate", "both", "more.csv"))["summary"]
    again = found(ask("compare", "one", "both", "more.csv"))["runs"][1]
    assert again["scores"]["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-5)
    sizes = [run["bytes"] for run in found(ask("compare", "one", "two", "both"))["runs"]]
    assert sizes[2] == sizes[0] + sizes[1]
    features = rows(ask("encode", "both", "more.csv"))
    assert len(features[0]) == 1 + 6 + 6
    assert ["kind", "nn ensemble"] in rows(ask("info", "both"))
    assert (folder / "both" / "card.md").read_text().startswith("# An ensemble of 2\n")
    failed(ask("inspect", "both"), "both is an ensemble, and this takes one network", 1)
    assert ask("inspect", "both/member-1").returncode == 0
    shutil.rmtree(folder / "both" / "member-2")
    failed(ask("predict", "both", "more.csv"), "both has no member-2", 1)


def test_each_way_to_an_ensemble(ask: Any, folder: Path) -> None:
    vote = found(ask("ensemble", "vote", "one", "two", "--weights", "2,1", "-o", "vote"))
    assert vote["weights"] == pytest.approx([2 / 3, 1 / 3], abs=1e-5)
    valid = found(ask("ensemble", "average", "one", "two", "--weights", "valid", "-o", "valid"))
    assert sum(valid["weights"]) == pytest.approx(1, abs=1e-5)
    stack = found(ask("ensemble", "stack", "one", "two", "-o", "stack"))
    assert (stack["fitted_on"], stack["scores"]) == (["valid"], {})
    done = ask("ensemble", "stack", "one", "two", "questions.csv", "-o", "stack", "--force")
    assert b"left out: a member was trained on them" in done.stderr
    words = ("questions.csv", *SMALL, "--seed", "1", "-n", "2", "-o")
    bag = found(ask("ensemble", "bag", "mlp", *words, "bag", "--test", "0.2"))
    assert list(bag["scores"]) == ["valid", "test"]
    boost = found(ask("ensemble", "boost", "mlp", *words, "boost"))
    assert boost["how"] == "vote"
    for name in ("vote", "valid", "stack", "bag", "boost"):
        assert len(rows(ask("predict", name, "more.csv"))) == 15
        assert not list((folder / name).glob("*/last"))
    shown = ask("ensemble", "average", "one", "two", "-o", "shown", "--no-json").stdout.decode()
    for words_ in ("valid part", "mean member", "ensemble", "weight"):
        assert words_ in shown


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "gai nn ensemble average|vote|bag|boost|stack"),
        (("sum", "one", "two"), 2, "no ensemble is made sum"),
        (("average", "one", "two"), 2, "needs a folder to write: -o OUT"),
        (("average", "-o", "new"), 2, "no runs: of what is the ensemble?"),
        (("average", "one", "-o", "new"), 2, "only one run, one"),
        (("average", "one", "nothing", "-o", "new"), 2, "nothing is no run"),
        (("average", "one", "other", "-o", "new"), 1, "labels that only one of them has"),
        (("vote", "one", "prices", "-o", "new"), 1, "--task classify and regress"),
        (("average", "letters", "words", "-o", "new"), 1, "was trained for --task lm"),
        (("average", "one", "two", "--epochs", "3", "-o", "new"), 2, "--epochs 3 changes nothing"),
        (("average", "one", "two", "-n", "3", "-o", "new"), 2, "--members changes nothing"),
        (("average", "one", "two", "--weights", "1,x", "-o", "new"), 2, "--weights 1,x"),
        (("average", "one", "two", "--weights", "1", "-o", "new"), 2, "--weights 1"),
        (("average", "one", "two", "--weights", "0,0", "-o", "new"), 2, "--weights 0,0"),
        (("average", "one", "two", "-o", "."), 2, ". is a folder with other files in it"),
        (("average", "one", "two", "-o", "one"), 2, "one is a folder with other files in it"),
        (("stack", "one", "apart", "-o", "new"), 1, "no validation part in common"),
        (("stack", "one", "two", "--epochs", "2", "-o", "new"), 2, "--epochs 2 changes nothing"),
        (("bag", "mlp", "-o", "new"), 2, "no DATA to train on"),
        (("bag", "-o", "new"), 2, "no MODEL"),
        (("bag", "one", "two", "-o", "new"), 2, "no model is called 'one'"),
        (("boost", "mlp", "@iris", "--weights", "valid", "-o", "new"), 2, "--weights changes"),
        (("bag", "mlp", "nothing.csv", "-o", "new"), 1, "nothing.csv: no such file"),
        (("boost", "gru", "play.txt", "-o", "new"), 2, "no boosting of --task lm"),
    ],
)
def test_ensembles_that_cannot_be(
    words: tuple[str, ...], code: int, message: str, ask: Any, folder: Path
) -> None:
    failed(ask("ensemble", *words, "--threads", "1"), message, code)
    assert not (folder / "new").exists()


def test_a_member_cannot_be_replaced_by_its_ensemble(ask: Any) -> None:
    assert ask("ensemble", "average", "one", "two", "-o", "pair").returncode == 0
    done = ask("ensemble", "average", "pair/member-1", "pair/member-2", "-o", "pair", "--force")
    failed(done, "pair/member-1 lies in pair, which is made anew", 2)
