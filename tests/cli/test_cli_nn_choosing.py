"""gai nn lr-find and gai nn search: the real commands, and what they leave alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gai import backends
from gai.cli.main import main

pytest.importorskip("optuna")

TINY = ["--epochs", "2", "--batch-size", "64", "--threads", "1"]
SMALL = ["--over", "lr=0.001,0.1", "--layers", "0", *TINY]


def digest(folder: Path) -> dict[str, str]:
    """What is in the files of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in paths}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run on flowers."""
    path = tmp_path_factory.mktemp("choosing")
    words = ["nn", "train", "mlp", "@iris", "--width", "8", "--lr", "0.05", *TINY, "-q"]
    assert main([*words, "-o", str(path / "run")]) == 0
    return path


# lr-find


def test_a_pipe_gets_the_option_to_type(quick: Any, folder: Path) -> None:
    words = ["nn", "lr-find", "mlp", "@iris", "--threads", "1"]
    found = quick(*words)
    assert (found.returncode, found.stderr) == (0, b"")
    flag, rate = found.stdout.decode().split()
    assert flag == "--lr"
    assert 1e-4 < float(rate) < 1.0
    assert quick(*words).stdout == found.stdout


def test_the_rate_trains_better_than_a_hundredth_of_it(quick: Any, tmp_path: Path) -> None:
    found = quick("nn", "lr-find", "mlp", "@iris", "--threads", "1")
    rate = float(found.stdout.split()[1])
    losses = []
    for lr in (rate, rate / 100):
        words = ["nn", "train", "mlp", "@iris", "--lr", lr, *TINY, "-q", "--force", "-o", "run"]
        assert quick(*words).returncode == 0
        report = json.loads((tmp_path / "run" / "report.json").read_text())
        losses.append(report["scores"]["valid"]["network"]["loss"])
    assert losses[0] < losses[1]


def test_a_run_stays_as_it_is_byte_for_byte(quick: Any, folder: Path) -> None:
    before = digest(folder / "run")
    found = quick("nn", "lr-find", "--run", "run", cwd=folder)
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.startswith(b"--lr ")
    assert digest(folder / "run") == before


def test_the_test_goes_on_from_the_weights_of_the_run(quick: Any, folder: Path) -> None:
    for name, words in (("run.json", ["--run", "run"]), ("new.json", ["mlp", "@iris"])):
        words = [*words, "--width", "8", "--threads", "1", "--steps", "10", "-o", name]
        assert quick("nn", "lr-find", *words, cwd=folder).returncode == 0
    run, new = (json.loads((folder / f"{name}.json").read_text()) for name in ("run", "new"))
    assert run["losses"][0] < new["losses"][0] - 0.1


def test_numbers_and_picture_are_the_same_bytes_each_time(quick: Any, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg", "a.json"):
        words = ["--from", "1e-5", "--to", "1", "--steps", "20", "--threads", "1", "-o", name]
        assert quick("nn", "lr-find", "mlp", "@iris", *words).returncode == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<svg")
    made = json.loads((tmp_path / "a.json").read_text())
    assert made["rates"][0] == pytest.approx(1e-5)
    assert made["rates"][-1] <= 1.0
    assert len(made["rates"]) == len(made["losses"]) == len(made["smoothed"]) <= 20
    assert made["lr"]["rate"] > 0


def test_four_flowers_and_a_rate_that_is_far_too_high_get_a_suggestion(
    quick: Any, tmp_path: Path
) -> None:
    rows = "a,b,label\n1,2,x\n3,1,y\n2,2,x\n5,1,y\n"
    (tmp_path / "few.csv").write_text(rows)
    few = ["few.csv", "--columns", "a,b", "--valid", "0", "--threads", "1"]
    assert quick("nn", "lr-find", "mlp", *few).stdout.startswith(b"--lr ")
    wild = ["--from", "1e6", "--to", "1e30", "--optimizer", "sgd"]
    assert quick("nn", "lr-find", "mlp", *few, *wild).stdout.startswith(b"--lr ")


def test_a_terminal_gets_a_plot_and_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setattr("gai.cli.terminal.is_terminal", lambda stream: True)
    assert main(["nn", "lr-find", "mlp", "@iris", "--threads", "1", "--steps", "30"]) == 0
    shown = capfd.readouterr().out
    for text in ("Learning rate range test", "learning rate", "steepest fall", "--lr ", "└"):
        assert text in shown


BAD_TESTS = [
    (["mlp", "@iris", "--from", "1", "--to", "0.1"], 2, "--from 1 --to 0.1: rates rise"),
    (["mlp", "@iris", "--from", "0"], 2, "--from 0 --to 10: rates rise"),
    (["mlp", "@iris", "--steps", "2"], 2, "--steps 2: a test takes at least 10"),
    (["mlp", "@iris", "-o", "lr.png"], 2, "a test cannot be written to lr.png"),
    (["mlp", "@iris", "-o", "none/lr.svg"], 1, "there is no folder none"),
    ([], 2, "no MODEL"),
    (["mlpp", "@iris"], 2, "no model is called 'mlpp'"),
    (["--run", "nothing"], 1, "nothing is no run"),
    (["--run", "run", "--width", "9"], 2, "--width 9: the weights are those of width 8"),
]


@pytest.mark.parametrize(("words", "code", "message"), BAD_TESTS)
def test_a_test_that_cannot_be_is_refused_in_a_line(
    quick: Any, folder: Path, words: list[str], code: int, message: str
) -> None:
    refused(quick("nn", "lr-find", *words, cwd=folder), code, message)


def refused(done: Any, code: int, message: str) -> None:
    assert done.returncode == code, done.stderr.decode()
    first, *hints = done.stderr.decode().splitlines()
    assert first.startswith("gai: error: ")
    assert message in first
    assert len(hints) <= 1
    assert done.stdout == b""


# search


def lines(done: Any) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_three_trials_from_end_to_end(quick: Any, tmp_path: Path) -> None:
    words = ["nn", "search", "mlp", "@iris", "--trials", "3", "--test", "0.2", *TINY, "-o", "study"]
    made = lines(quick(*words))
    assert [line["trial"] for line in made[:3]] == [1, 2, 3]
    assert all({"state", "value", "choices", "seconds", "fit"} <= line.keys() for line in made[:3])
    best = made[3]["best"]
    assert best["value"] == max(line["value"] for line in made[:3])
    assert "test" in made[4]["final"]
    study = tmp_path / "study"
    assert sorted(path.name for path in study.iterdir()) == [
        *("best", "study.db", "trials.svg", "trials.tsv"),
    ]
    assert len((study / "trials.tsv").read_text().splitlines()) == 4
    again = quick("nn", "predict", "study/best", "@iris")
    assert len(again.stdout.splitlines()) == 150
    before = digest(study)
    same = quick(*words)
    assert lines(same)[0] == {"best": best}
    assert b"has its 3 trials; --trials 6 makes more" in same.stderr
    after = digest(study)
    assert {k: v for k, v in before.items() if k != "study.db"} == {
        k: v for k, v in after.items() if k != "study.db"
    }


def test_a_grid_of_a_file_and_of_flags(quick: Any, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text("batch_size = [0, 64]\n")
    space = ["--space", "space.toml", "--over", "optimizer=sgd,adam", "--layers", "0"]
    tiny = ["--epochs", "1", "--threads", "1"]
    made = lines(quick("nn", "search", "mlp", "@iris", "--grid", *space, *tiny, "-o", "study"))
    trials = [(one["choices"]["batch_size"], one["choices"]["optimizer"]) for one in made[:4]]
    assert sorted(trials) == [(0, "adam"), (0, "sgd"), (64, "adam"), (64, "sgd")]
    assert "best" in made[4]


def test_auto_says_why(quick: Any, tmp_path: Path) -> None:
    words = ["nn", "search", "mlp", "@diabetes", "--auto", "--trials", "3"]
    done = quick(*words, "--threads", "1", "--lr", "0.01", "-o", "study")
    made = lines(done)
    assert made[0]["why"] == "it begins small: layers 1, width 64, dropout 0"
    assert made[0]["choices"] == {"layers": 1, "width": 64, "dropout": 0.0}
    assert "->" in made[1]["why"]
    assert all("lr" not in line["choices"] for line in made[:3])  # it was typed
    assert made[1]["choices"] != made[0]["choices"]
    table = (tmp_path / "study" / "trials.tsv").read_text()
    assert made[1]["why"] in table


def test_a_terminal_gets_a_table_a_plot_and_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setattr("gai.cli.terminal.is_terminal", lambda stream: True)
    monkeypatch.setenv("TERM", "dumb")
    place = str(tmp_path / "study")
    assert main(["nn", "search", "mlp", "@iris", *SMALL, "--trials", "2", "-o", place]) == 0
    shown = capfd.readouterr().out
    assert shown.splitlines()[0].split() == ["trial", "accuracy", "seconds", "fit", "choices"]
    for text in ("Trials", "is the best: lr 0.1", f"its run: {place}/best", "on the valid part"):
        assert text in shown


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of one trial."""
    path = tmp_path_factory.mktemp("study")
    words = ["nn", "search", "mlp", "@iris", *SMALL, "--trials", "1", "-q"]
    assert main([*words, "-o", str(path / "study")]) == 0
    (path / "file").write_text("")
    (path / "empty.toml").write_text("")
    (path / "wrong.toml").write_text("layers = ['two']\n")
    (path / "open.toml").write_text("lr = {low = 0.1, high = 1}\n")
    return path


NEW = ["mlp", "@iris", "-o", "new"]
OLD = ["mlp", "@iris", *SMALL, "-o", "study"]
BAD_SEARCHES = [
    (["mlp", "@iris"], 2, "a search needs a folder to write: -o STUDY"),
    (["-o", "new"], 2, "no MODEL"),
    (["mlp", "-o", "new"], 2, "no DATA"),
    ([*NEW, "--space", "empty.toml"], 1, "empty.toml: no choice to search"),
    ([*NEW, "--space", "wrong.toml"], 1, "wrong.toml: layers is 'two', not a whole number"),
    ([*NEW, "--space", "missing.toml"], 1, "missing.toml: no such file"),
    ([*NEW, "--over", "lairs=1,2"], 1, "--over: no choice is called 'lairs'"),
    ([*NEW, "--over", "layers"], 2, "--over layers: expected NAME=A,B,C"),
    ([*NEW, "--over", "lr=0.1,0.2", "--lr", "0.3"], 2, "--lr 0.3 contradicts the space"),
    ([*NEW, "--over", "max_vocab=10,20"], 1, "max_vocab cannot be searched: the data is read once"),
    ([*NEW, "--grid", "--space", "open.toml"], 2, "--grid: lr goes from 0.1 to 1 without a step"),
    ([*NEW, "--grid", "--tpe"], 2, "--grid contradicts --tpe"),
    ([*NEW, "--auto", "--over", "lr=1,2"], 2, "--auto contradicts --over lr=1,2"),
    ([*NEW, "--valid", "0"], 2, "--valid 0: a search needs a part that validates"),
    ([*NEW, "--trials", "0"], 2, "--trials 0: expected a whole number, 1 or more"),
    ([*NEW, "--time", "0"], 1, "new: no trial has ended well"),
    (["mlp", "@iris", "-o", "file"], 2, "file is a file"),
    (["mlp", "@iris", "-o", "."], 2, ". is a folder, and holds no study"),
    (["mlp", "@diabetes", *SMALL, "-o", "study"], 1, "study cannot go on: "),
    ([*OLD, "--over", "lr=0.001,0.2"], 1, "study cannot go on: its space had lr [0.001, 0.1], and"),
    ([*OLD, "--width", "9"], 1, "study cannot go on: its trials had width 256, and now it has wid"),
    ([*OLD, "--valid", "0.2"], 1, "study cannot go on: its trials had valid null, and now it has"),
]


@pytest.mark.parametrize(("words", "code", "message"), BAD_SEARCHES)
def test_a_search_that_cannot_be_is_refused_in_a_line(
    quick: Any, study: Path, words: list[str], code: int, message: str
) -> None:
    before = digest(study / "study")
    done = quick("nn", "search", *words, "--threads", "1", cwd=study)
    refused(done, code, message)
    if "study" in words:
        after = digest(study / "study")
        assert before == after


def test_without_optuna_the_extra_is_named(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = backends.available
    monkeypatch.setattr(backends, "available", lambda extra: extra != "search" and real(extra))
    done = call("nn", "search", "mlp", "@iris", "-o", "study")
    assert done.code == 1
    assert "pip install 'gai[search]'" in done.err


@pytest.mark.slow
def test_ctrl_c_keeps_the_trials_and_the_same_command_goes_on(
    tmp_path: Path, variables: Callable[..., dict[str, str]]
) -> None:
    words = ["nn", "search", "mlp", "@digits", "--random", "--threads", "1", "-o", "study"]
    command = [sys.executable, "-m", "gai", *words]

    def ready() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with subprocess.Popen(
        [*command, "--trials", "999"],
        cwd=tmp_path,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=ready,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert b"study keeps its trials; the same goes on" in process.stderr.read()
        assert process.wait() == 130
    done = subprocess.run(
        [*command, "--trials", "2"], cwd=tmp_path, env=variables(), capture_output=True, check=True
    )
    made = [json.loads(line) for line in done.stdout.decode().splitlines()]
    table = (tmp_path / "study" / "trials.tsv").read_text().splitlines()
    assert table[1].split("\t")[1] == first["state"]
    assert sum(line.split("\t")[1] != "interrupted" for line in table[1:]) == 2
    assert "final" in made[-1]
