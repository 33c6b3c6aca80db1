"""gai nn prune, quantize and export: the real commands, and what their runs and files answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from gai.cli import nn_export, terminal
from gai.cli.main import main
from gai.nn.net import checkpoints

SMALL = ["--threads", "1", "-q"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Path:
    """Data, and runs: flowers, texts as rows and as ids, a language model."""
    path = tmp_path_factory.mktemp("runs")
    lines = (corpora / "banking77" / "train.csv").read_text().splitlines(keepends=True)
    (path / "train.csv").write_text("".join(lines[:301]))
    (path / "test.csv").write_text("".join([lines[0], *lines[301:361]]))
    (path / "gone.csv").write_text("".join(lines[:301]))
    play = (corpora / "shakespeare" / "tinyshakespeare.txt").read_text()
    (path / "play.txt").write_text(play[:4000])
    category = ["--label-field", "category"]
    train(path, "flowers", "mlp", "@iris", "--epochs", "20", "--lr", "0.01", "--width", "32")
    train(path, "rows", "mlp", "train.csv", *category, "--epochs", "8", "--lr", "0.01")
    narrow = ["--width", "12", "--embedding", "8"]
    train(path, "ids", "lstm", "train.csv", *category, "--epochs", "1", "--attention", *narrow)
    train(path, "gone", "mlp", "gone.csv", *category, "--epochs", "1")
    (path / "gone.csv").unlink()
    steps = ["--steps", "20", "--context-size", "16"]
    train(path, "play", "gru", "play.txt", *narrow, *steps)
    return path


def train(path: Path, run: str, model: str, data: str, *words: str) -> None:
    where = data if data.startswith("@") else str(path / data)
    assert main(["nn", "train", model, where, *words, *SMALL, "-o", str(path / run)]) == 0


@pytest.fixture
def ask(quick: Any, folder: Path) -> Callable[..., Any]:
    """A command of gai nn within the folder of the runs."""

    def asked(*words: Any, stdin: bytes = b"") -> Any:
        return quick("nn", *words, stdin=stdin, cwd=folder)

    return asked


def found(done: Any) -> dict[str, Any]:
    """The last JSON line of a command that went well."""
    assert (done.returncode, done.stderr) == (0, b"")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def summary(done: Any) -> dict[str, float]:
    assert done.returncode == 0, done.stderr
    said: dict[str, float] = json.loads(done.stdout)["summary"]
    return said


def answers(ask: Any, run: str, *words: str, stdin: bytes = b"") -> None:
    """Asserts that every command that asks a run works with this one."""
    for command in (("predict", run), ("encode", run)):
        assert ask(*command, *words, "--threads", "1", stdin=stdin).returncode == 0
    for command in (("inspect", run), ("inspect", run, "--data", *words), ("trace", run, "1")):
        assert ask(*command, stdin=stdin).returncode == 0


def test_pruned_weights_are_0_and_the_run_is_one_as_others_are(ask: Any, folder: Path) -> None:
    said = found(ask("prune", "flowers", "-o", "half", "--amount", "0.5", "--threads", "1"))
    before, after = said["before"], said["after"]
    weights = 4 * 32 + 32 * 3
    assert before["nonzero"] - after["nonzero"] == weights // 2
    assert after["parameters"] == before["parameters"] == weights + 35
    assert after["compressed"] < 0.8 * before["compressed"]
    assert (said["run"], said["output"]) == ("flowers", "half")
    answers(ask, "half", "@iris")
    report = json.loads((folder / "half" / "report.json").read_text())
    assert report["scores"]["valid"]["network"]["accuracy"] == pytest.approx(after["accuracy"])
    assert "pruned by gai nn prune, by matrix, 0.5" in report["notes"][-1]


def test_the_scores_of_the_table_are_those_of_evaluate(ask: Any) -> None:
    named = ("--data", "@iris", "--threads", "1")
    said = found(ask("prune", "flowers", "-o", "most", "--amount", "0.8", "--global", *named))
    for run, stage in (("flowers", "before"), ("most", "after")):
        wanted = summary(ask("evaluate", run, "@iris", "--threads", "1"))
        assert said[stage]["accuracy"] == pytest.approx(wanted["accuracy"], abs=1e-5)
        assert said[stage]["loss"] == pytest.approx(wanted["loss"], rel=1e-4)
    assert said["examples"] == "@iris"


def test_structured_pruning_leaves_a_narrower_network(ask: Any, folder: Path, quick: Any) -> None:
    said = found(ask("prune", "flowers", "-o", "narrow", "--structured", "--threads", "1"))
    assert "width = 16" in (folder / "narrow" / "config.toml").read_text()
    assert said["after"]["parameters"] == 4 * 16 + 16 + 16 * 3 + 3
    assert said["after"]["disk"] < said["before"]["disk"]
    answers(ask, "narrow", "@iris")
    about = quick("info", folder / "narrow").stdout.decode().splitlines()
    assert "pruned.amount\t0.5" in about
    assert "pruned.how\tstructured" in about


def test_training_on_lowers_the_loss_and_keeps_0_what_is_0(ask: Any, folder: Path) -> None:
    words = ("--amount", "0.8", "--epochs", "12", "--lr", "0.02", "--threads", "1")
    done = ask("prune", "flowers", "-o", "tuned", *words)
    said = found(done)
    assert len(done.stdout.splitlines()) == 13  # a line for each epoch
    assert said["trained on"]["loss"] < said["after"]["loss"]
    assert said["trained on"]["nonzero"] == said["after"]["nonzero"]
    zero = weights_of(folder / "tuned") == 0
    assert ask("train", "--resume", "-o", "tuned", "--epochs", "14", "-q").returncode == 0
    after = weights_of(folder / "tuned")
    assert np.array_equal(after == 0, zero)
    assert len((folder / "tuned" / "metrics.jsonl").read_text().splitlines()) == 14


def weights_of(run: Path) -> Any:
    tensors = checkpoints.read(str(run / "model.safetensors")).tensors
    return np.concatenate([w.numpy().ravel() for w in tensors.values() if w.ndim == 2])


def test_a_language_model_is_pruned_by_its_units_and_still_writes(ask: Any) -> None:
    words = ("--structured", "--amount", "0.5", "--steps", "2", "--threads", "1")
    said = found(ask("prune", "play", "-o", "short", *words))
    assert said["trained on"]["perplexity"] > 1
    assert said["after"]["parameters"] < said["before"]["parameters"]
    done = ask("generate", "short", "-n", "5", "--threads", "1")
    assert len(done.stdout.decode()) == 6


def test_weights_of_8_bits_are_a_quarter_and_say_nearly_the_same(ask: Any, folder: Path) -> None:
    said = found(ask("quantize", "rows", "-o", "rows8", "--threads", "1"))
    before, after = said["before"], said["after"]
    assert after["disk"] < 0.3 * before["disk"]
    assert after["memory"] < 0.3 * before["memory"]
    assert after["parameters"] == before["parameters"]
    assert after["loss"] == pytest.approx(before["loss"], rel=0.02)
    answers(ask, "rows8", "train.csv")
    named = ("test.csv", "--threads", "1")
    wanted, now = (ask("predict", run, *named).stdout.decode() for run in ("rows", "rows8"))
    labels = [[line.split("\t")[1] for line in text.splitlines()] for text in (wanted, now)]
    same = sum(a == b for a, b in zip(*labels, strict=True))
    assert wanted != now
    assert same >= 58


def test_what_is_said_of_a_text_does_not_depend_on_those_beside_it(ask: Any) -> None:
    assert ask("quantize", "ids", "-o", "ids8", *SMALL).returncode == 0
    texts = [b"where is my card", b"my card has not come, and I need it now", b"top up"]
    together = ask("predict", "ids8", "--proba", "--threads", "1", stdin=b"\n".join(texts)).stdout
    alone = [ask("predict", "ids8", "--proba", "--threads", "1", stdin=one).stdout for one in texts]
    lines = [line.split(b"\t") for line in together.splitlines()]
    each = [line.split(b"\t") for text in alone for line in text.splitlines()]
    assert [line[1:] for line in lines] == [line[1:] for line in each]


def test_info_and_inspect_say_what_has_8_bits(ask: Any, folder: Path, quick: Any) -> None:
    assert ask("quantize", "play", "-o", "play8", *SMALL).returncode == 0
    assert b"quantized\tint8" in quick("info", folder / "play8").stdout.splitlines()
    said = json.loads(ask("inspect", "play8").stdout)
    kinds = [layer["kind"] for layer in said["layers"]]
    assert any(kind.startswith("GRU") and kind.endswith("8 bits") for kind in kinds)
    assert {layer["learns"] for layer in said["layers"] if layer["parameters"]} == {False}
    assert said["bytes"] < json.loads(ask("inspect", "play").stdout)["bytes"] / 2.5
    first = ask("generate", "play8", "-n", "5", "--threads", "1", "--seed", "2").stdout
    assert ask("generate", "play8", "-n", "5", "--threads", "1", "--seed", "2").stdout == first


def test_where_the_data_is_gone_there_are_no_scores_and_no_training(ask: Any) -> None:
    done = ask("quantize", "gone", "-o", "gone8", "--threads", "1")
    assert done.returncode == 0
    assert done.stderr.startswith(b"gai: no scores: ")
    quiet = ask("quantize", "gone", "-o", "quiet8", "--threads", "1", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, b"", b"")
    assert b"no such file" in done.stderr
    assert "loss" not in json.loads(done.stdout)["after"]
    done = ask("prune", "gone", "-o", "gone2", "--epochs", "1", "--threads", "1")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no such file" in done.stderr


@pytest.fixture(scope="module")
def exported(folder: Path) -> Path:
    """The network over rows as an ONNX file."""
    place = folder / "rows.onnx"
    assert main(["nn", "export", str(folder / "rows"), "--onnx", str(place)]) == 0
    return place


def test_an_onnx_file_says_what_predict_says(ask: Any, folder: Path, exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    lines = Path(about["vocabulary"]).read_text(encoding="utf-8").splitlines()
    terms = [line.split("\t")[0] for line in lines]
    place, counts = {term: k for k, term in enumerate(terms)}, np.zeros((2, len(terms)), np.float32)
    texts = ["where is my card my card", "the exchange rate is wrong"]
    for row, text in enumerate(texts):
        for term, count in Counter(text.split()).items():
            if term in place:
                counts[row, place[term]] = count
    shares = session.run(None, {"counts": counts})[0]
    done = ask("predict", "rows", "--format", "jsonl", "--proba", stdin="\n".join(texts).encode())
    labels = json.loads(about["labels"])
    for row, line in enumerate(done.stdout.splitlines()):
        wanted = json.loads(line)["probabilities"]
        assert {n: pytest.approx(wanted[n], abs=2e-5) for n in labels} == dict(
            zip(labels, map(float, shares[row]), strict=True)
        )
        assert labels[int(shares[row].argmax())] == json.loads(line)["label"]


def test_a_text_without_a_known_term_is_answered_by_the_file(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[1]
    shares = session.run(None, {"counts": np.zeros((2, size), np.float32)})[0]
    assert np.allclose(shares.sum(1), 1)


def test_a_table_stands_on_a_terminal(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    done = ask("prune", "flowers", "-o", "shown", "--threads", "1")
    shown = done.stdout.decode()
    for line in ("before", "after", "not 0", "compressed", "examples/s", "accuracy"):
        assert line in shown
    assert "Scores on the validation part, 15 examples" in shown
    assert '{"' not in shown


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("prune",), 2, "no RUN: which model?"),
        (("prune", "nothing", "-o", "x"), 1, "nothing is no run: no such folder"),
        (("quantize", "nothing", "-o", "x"), 1, "nothing is no run: no such folder"),
        (("export", "nothing", "--onnx", "x"), 1, "nothing is no run: no such folder"),
        (("prune", "flowers"), 2, "no folder to write: -o OTHER"),
        (("quantize", "flowers"), 2, "no folder to write: -o OTHER"),
        (("export", "flowers"), 2, "no file to write: --onnx FILE"),
        (("export", "flowers", "--onnx", "no/where"), 1, "cannot write no/where"),
        (("prune", "flowers", "-o", "x", "--amount", "1"), 2, "a share above 0 and below 1"),
        (("prune", "flowers", "-o", "x", "--amount", "0"), 2, "a share above 0 and below 1"),
        (("prune", "flowers", "-o", "x", "--amount", "-1"), 2, "a number, from 0 to 1"),
        (("prune", "flowers", "-o", "x", "--amount", "half"), 2, "a number, from 0 to 1"),
        (("prune", "flowers", "-o", "x", "--global", "--structured"), 2, "--global and --stru"),
        (("prune", "flowers", "-o", "x", "--epochs", "1", "--steps", "1"), 2, "one of them"),
        (("prune", "flowers", "-o", "x", "--lr", "0.1"), 2, "--lr 0.1 without training"),
        (("prune", "flowers", "-o", "x", "--epochs", "0"), 2, "expected a whole number, 1 or"),
        (("prune", "flowers", "-o", "flowers", "--force"), 2, "-o flowers is RUN itself"),
        (("quantize", "flowers", "-o", "./flowers"), 2, "is RUN itself"),
        (("quantize", "flowers", "-o", "rows"), 2, "rows holds a run already"),
        (("quantize", "flowers", "-o", "train.csv"), 2, "train.csv is a file"),
        (("prune", "rows", "-o", "x", "--data", "@iris"), 1, "reads text, and the data is num"),
        (("prune", "rows", "-o", "x", "--data", "none.csv"), 1, "none.csv: no such file"),
        (("quantize", "rows", "-o", "x", "--data", "play.txt"), 1, "a line without a label"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line_and_nothing_is_written(
    words: tuple[str, ...], code: int, message: str, ask: Any, folder: Path
) -> None:
    done = ask(*words)
    assert (done.returncode, done.stdout) == (code, b"")
    told = done.stderr.decode()
    assert told.startswith("gai: error: ")
    assert message in told
    assert "Traceback" not in told
    assert not (folder / "x").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--resume", "-o", "eight"), "eight has weights of 8 bits"),
        (("finetune", "eight", "@iris", "-o", "x"), "eight has weights of 8 bits"),
        (("prune", "eight", "-o", "x"), "eight has weights of 8 bits"),
        (("quantize", "eight", "-o", "x"), "eight has weights of 8 bits"),
        (("export", "eight", "--onnx", "x"), "eight has weights of 8 bits"),
        (("train", "--resume", "-o", "zeros"), "zeros was pruned, and not trained since"),
    ],
)
def test_what_was_made_smaller_does_not_train(
    words: tuple[str, ...], message: str, ask: Any, folder: Path
) -> None:
    for command, other in (("quantize", "eight"), ("prune", "zeros")):
        if not (folder / other).exists():
            assert ask(command, "flowers", "-o", other, *SMALL).returncode == 0
    done = ask(*words)
    assert done.returncode in (1, 2)
    assert message in done.stderr.decode()
    assert not (folder / "x").exists()


def test_a_pruned_network_can_have_8_bits_and_stays_pruned(ask: Any, folder: Path) -> None:
    assert ask("prune", "rows", "-o", "thin", "--amount", "0.9", "--global", *SMALL).returncode == 0
    said = found(ask("quantize", "thin", "-o", "thin8", "--threads", "1"))
    assert said["after"]["nonzero"] <= said["before"]["nonzero"]
    assert said["after"]["compressed"] < 0.7 * said["before"]["compressed"]
    about = json.loads((folder / "thin8" / "input.json").read_text())
    assert about["quantized"] == "int8"
    assert about["pruned"] == {"amount": 0.9, "how": "global"}


def test_without_the_packages_the_pip_line_is_told(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nn_export, "find_spec", lambda name: None)
    done = ask("export", "flowers", "--onnx", "x")
    assert done.returncode == 1
    assert b"pip install 'gai[onnx]'" in done.stderr
