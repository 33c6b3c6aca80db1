"""gai nn predict, evaluate, encode, generate and list: the real commands on trained models."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from gai.cli.main import main
from gai.nn import names

Variables = Callable[..., dict[str, str]]


def tagged(*sentences: str) -> str:
    made = []
    for sentence in sentences:
        for number, pair in enumerate(sentence.split(), 1):
            word, tag = pair.rsplit("/", 1)
            made.append(f"{number}\t{word}\t_\t{tag}\t_\t_\t0\t_\t_\t_\n")
        made.append("\n")
    return "".join(made)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Path:
    """Data, and a run for each kind of question: text, flowers, prices, tags, topics, language."""
    path = tmp_path_factory.mktemp("runs")
    lines = (corpora / "banking77" / "train.csv").read_text().splitlines(keepends=True)
    (path / "train.csv").write_text("".join(lines[:301]))
    held = (corpora / "banking77" / "test.csv").read_text().splitlines(keepends=True)
    (path / "test.csv").write_text("".join(held[:81]))
    text = (corpora / "shakespeare" / "tinyshakespeare.txt").read_text()
    (path / "play.txt").write_text(text[:6000])
    (path / "tags.conllu").write_text(tagged("the/D cat/N sat/V", "a/D dog/N ran/V !/P") * 20)
    several = [("a fee", "money"), ("lost card", "card|loss"), ("card fee", "card|money")] * 20
    (path / "topics.csv").write_text("text,label\n" + "".join(f"{a},{b}\n" for a, b in several))
    small = ["--threads", "1", "-q"]
    category = ["--label-field", "category"]
    train(path, "text", "mlp", "train.csv", *category, "--epochs", "12", "--lr", "0.01", *small)
    train(path, "flowers", "mlp", "@iris", "--epochs", "20", "--lr", "0.01", *small)
    train(path, "prices", "mlp", "@diabetes", "--epochs", "2", *small)
    train(path, "tags", "gru", "tags.conllu", "--epochs", "12", "--lr", "0.02", *small)
    topics = ["--label-sep", "|", "--input", "ids", "--epochs", "20", "--lr", "0.02"]
    train(path, "topics", "mlp", "topics.csv", *topics, *small)
    lm = ["--width", "16", "--embedding", "16", "--context-size", "16", "--steps", "30"]
    train(path, "play", "gru", "play.txt", *lm, *small)
    train(path, "words", "gru", "play.txt", "--unit", "words", *lm, *small)
    return path


def train(path: Path, run: str, model: str, data: str, *words: str) -> None:
    where = data if data.startswith("@") else str(path / data)
    assert main(["nn", "train", model, where, *words, "-o", str(path / run)]) == 0


def rows(done: Any) -> list[list[str]]:
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def objects(done: Any) -> list[dict[str, Any]]:
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_labels_and_their_probabilities_in_each_form(ask: Any) -> None:
    short = rows(ask("predict", "text", "test.csv"))
    every = rows(ask("predict", "text", "test.csv", "--proba"))
    found = objects(ask("predict", "text", "test.csv", "--format", "jsonl", "--proba"))
    assert len(short) == len(found) == 80
    assert [row[0] for row in short] == [f"test.csv:{n}" for n in range(1, 81)]
    kinds = len(every) // 80
    for place, (row, one) in enumerate(zip(short, found, strict=True)):
        mine = every[place * kinds : (place + 1) * kinds]
        shares = {label: float(value) for _, label, value in mine}
        assert {id for id, _, _ in mine} == {row[0]} == {one["id"]}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
        best = max(shares, key=lambda label: shares[label])
        assert (row[1], float(row[2])) == (best, shares[best])
        assert (one["label"], one["probability"]) == (best, pytest.approx(shares[best], abs=1e-6))
        assert one["probabilities"] == pytest.approx(shares, abs=1e-6)


def test_standard_input_lines_records_and_compressed_ones_give_the_same(
    ask: Any, folder: Path
) -> None:
    texts = ["where is my card", "", "a\tb \x1b[1m", "the rate is wrong"]
    records = "".join(json.dumps({"id": f"x{n}", "text": t}) + "\n" for n, t in enumerate(texts))
    lines = rows(ask("predict", "text", stdin="".join(f"{t}\n" for t in texts).encode()))
    dash = rows(ask("predict", "text", "-", stdin="\n".join(texts).encode()))
    found = rows(
        ask(
            "predict", "text", "-", "--input-format", "jsonl", stdin=gzip.compress(records.encode())
        )
    )
    assert lines == dash
    assert [row[0] for row in lines] == ["-:1", "-:2", "-:3", "-:4"]
    assert [row[0] for row in found] == ["x0", "x1", "x2", "x3"]
    assert [row[1:] for row in lines] == [row[1:] for row in found]


def test_the_answer_is_the_same_however_many_texts_are_asked_about(ask: Any, folder: Path) -> None:
    lines = [
        line.split(",")[0].strip('"') for line in (folder / "test.csv").read_text().splitlines()
    ]
    whole = rows(ask("predict", "text", "-", stdin="\n".join(lines[1:21]).encode()))
    for line, row in zip(lines[1:4], whole, strict=False):
        (alone,) = rows(ask("predict", "text", "-", stdin=line.encode()))
        assert alone[1] == row[1]
        assert float(alone[2]) == pytest.approx(float(row[2]), abs=1e-5)


def test_more_texts_than_one_piece_are_answered_in_their_order(ask: Any) -> None:
    lines = "".join(f"card {n}\n" for n in range(9000)).encode()
    found = rows(ask("predict", "text", stdin=lines))
    assert [row[0] for row in found] == [f"-:{n}" for n in range(1, 9001)]
    assert len({row[1] for row in found}) == 1


def test_a_file_of_answers_by_its_extension(ask: Any, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "said.jsonl"
    done = ask("predict", "text", "test.csv", "-o", out)
    assert (done.returncode, done.stdout) == (0, b"")
    assert out.read_bytes() == ask("predict", "text", "test.csv", "--format", "jsonl").stdout
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".stdin")] == [
        "said.jsonl"
    ]


def test_a_file_of_answers_appears_whole_or_not_at_all(ask: Any, tmp_path: Path) -> None:
    out = tmp_path / "said.tsv"
    out.write_text("before\n")
    broken = b'{"text": "a"}\n' * 9000 + b'{"text": \n'
    done = ask("predict", "text", "-", "--input-format", "jsonl", "-o", out, stdin=broken)
    assert done.returncode == 1
    assert b"line 9001" in done.stderr or b":9001" in done.stderr
    assert out.read_text() == "before\n"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_nobody_who_reads_on_is_no_error(folder: Path, variables: Variables) -> None:
    """``gai nn predict ... | head -1``"""
    command = f"{sys.executable} -m gai nn predict text - --threads 1 | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        input=b"where is my card\n" * 60_000,
        capture_output=True,
        cwd=folder,
        env=variables(),
        check=False,
    )
    assert done.returncode in (0, 141)
    assert done.stderr == b""
    assert done.stdout.startswith(b"-:1\t")
    assert done.stdout.count(b"\n") == 1


def test_flowers_from_a_table_of_numbers(ask: Any, folder: Path) -> None:
    table = "a,b,c,d\n5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n"
    columns = ("--columns", "a,b,c,d", "--input-format", "csv")
    found = rows(ask("predict", "flowers", "-", *columns, stdin=table.encode()))
    assert [row[:2] for row in found] == [["-:1", "setosa"], ["-:2", "virginica"]]
    whole = rows(ask("predict", "flowers", "@iris"))
    assert whole[0][1:] == found[0][1:]
    assert len(whole) == 150


def test_numbers_are_in_the_units_of_the_labels(ask: Any) -> None:
    found = rows(ask("predict", "prices", "@diabetes"))
    values = np.array([float(value) for _, value in found])
    assert values.shape == (442,)
    assert 100 < values.mean() < 200  # the mean of the labels is 152
    one = objects(ask("predict", "prices", "@diabetes", "--format", "jsonl"))[0]
    assert one == {"id": "@diabetes:1", "value": float(found[0][1])}


def test_tags_of_each_token_of_plain_and_tagged_text(ask: Any, folder: Path) -> None:
    text = b"the dog sat !\n\na cat\n"
    found = rows(ask("predict", "tags", "-", stdin=text))
    assert [row[:3] for row in found] == [
        ["-:1", "the", "D"],
        ["-:1", "dog", "N"],
        ["-:1", "sat", "V"],
        ["-:1", "!", "P"],
        ["-:3", "a", "D"],
        ["-:3", "cat", "N"],
    ]
    first, empty, last = objects(ask("predict", "tags", "-", "--format", "jsonl", stdin=text))
    assert (first["tokens"], first["tags"]) == (["the", "dog", "sat", "!"], ["D", "N", "V", "P"])
    assert empty == {"id": "-:2", "tokens": [], "tags": [], "probabilities": []}
    assert (last["id"], len(last["probabilities"])) == ("-:3", 2)
    assert rows(ask("predict", "tags", "-", stdin=b"\n\n")) == []
    assert len(rows(ask("predict", "tags", "tags.conllu"))) == 140


def test_several_labels_or_none(ask: Any) -> None:
    text = b"lost card\nfee\nnothing known\n"
    found = objects(ask("predict", "topics", "-", "--format", "jsonl", "--proba", stdin=text))
    assert [one["labels"] for one in found[:2]] == [["card", "loss"], ["money"]]
    for one in found:
        shares = one["probabilities"]
        assert one["labels"] == [
            label for label in ("card", "loss", "money") if shares[label] >= 0.5
        ]
    short = rows(ask("predict", "topics", "-", stdin=text))
    assert [row[:2] for row in short[:3]] == [["-:1", "card"], ["-:1", "loss"], ["-:2", "money"]]
    assert len(rows(ask("predict", "topics", "-", "--proba", stdin=text))) == 9


def test_scores_are_those_of_the_predictions(ask: Any, folder: Path) -> None:
    done = ask("evaluate", "text", "test.csv")
    assert (done.returncode, done.stderr) == (0, b"")
    report = json.loads(done.stdout)
    said = [row[1] for row in rows(ask("predict", "text", "test.csv"))]
    right = [line.rsplit(",", 1)[1].strip() for line in (folder / "test.csv").open()][1:]
    summary = report["summary"]
    assert summary["accuracy"] == pytest.approx(accuracy_score(right, said))
    both = sorted(set(right))
    assert summary["macro_f1"] == pytest.approx(
        f1_score(right, said, labels=both, average="macro"), abs=0.15
    )
    low, high = report["intervals"]["accuracy"]
    assert low <= summary["accuracy"] <= high
    assert np.trace(report["details"]["confusion"]) == round(summary["accuracy"] * 80)
    assert (report["run"], report["data"]) == ("text", ["test.csv"])


def test_the_scores_of_the_report_can_be_had_again(ask: Any, folder: Path) -> None:
    """On the same data the loss and the scores are those that training wrote down."""
    found = json.loads(ask("evaluate", "play", "play.txt").stdout)["summary"]
    assert math.exp(found["loss"]) == pytest.approx(found["perplexity"])
    assert found["bits_per_character"] == pytest.approx(found["loss"] / math.log(2), rel=1e-3)
    found = json.loads(ask("evaluate", "prices", "@diabetes").stdout)["summary"]
    assert found["r2"] < 1


def test_labels_that_training_never_saw_are_told_and_count_as_wrong(ask: Any) -> None:
    table = "text,category\nwhere is my card,card_arrival\nhello,greeting\nbye,greeting\n"
    done = ask("evaluate", "text", "-", "--input-format", "csv", stdin=table.encode())
    assert done.returncode == 0
    assert done.stderr == b"gai: the data has labels that training never saw: 'greeting'\n"
    assert json.loads(done.stdout)["summary"]["accuracy"] <= 1 / 3 + 1e-9


def test_scores_of_nothing_but_unknown_labels_are_no_nan_in_json(ask: Any) -> None:
    table = b"text,category\nhello,greeting\n"
    done = ask("evaluate", "text", "-", "--input-format", "csv", "--json", stdin=table)
    assert done.returncode == 0
    found = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert found["summary"]["loss"] is None


def test_tables_of_scores_on_a_terminal(on_terminal: Any, folder: Path) -> None:
    run, words = folder / "flowers", ("@iris", "--threads", "1")
    ended = on_terminal("nn", "evaluate", run, *words, env={"NO_COLOR": "1"})
    assert ended.code == 0
    for name in ("accuracy", "macro f1", "calibration error", "95 %", "setosa", "true \\ said"):
        assert name in ended.out
    assert '{"' not in ended.out


def test_features_are_the_last_hidden_layer(ask: Any, folder: Path, tmp_path: Path) -> None:
    done = ask("encode", "flowers", "@iris", "-o", tmp_path / "x.npz")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        features = found["vectors"]
    assert features.shape == (150, 256)
    assert features.dtype == np.float32
    assert features.min() == 0  # behind a relu
    found = rows(ask("encode", "flowers", "@iris"))
    assert found[0][0] == "@iris:1"
    assert np.allclose([float(value) for value in found[0][1:]], features[0])
    assert len(rows(ask("encode", "tags", "-", stdin=b"the dog\na\n"))) == 2


def test_generated_text_begins_with_the_prompt_and_is_the_same_again(
    ask: Any, tmp_path: Path
) -> None:
    words = ("generate", "play", "--prompt", "ROMEO:", "-n", "40")
    found = ask(*words, "--seed", "3").stdout.decode()
    assert found.startswith("ROMEO:")
    assert len(found) == len("ROMEO:") + 40 + 1
    assert ask(*words, "--seed", "3", "--stream").stdout.decode() == found
    assert ask(*words, "--seed", "4").stdout.decode() != found
    cold = [ask(*words, "--temperature", "0", "--seed", seed).stdout for seed in ("1", "2")]
    assert cold[0] == cold[1]
    ask(*words, "--seed", "3", "-o", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == found
    assert ask("generate", "play", "-n", "5", "--top-k", "1").returncode == 0
    assert ask("generate", "play", "-n", "5", "--top-p", "0.5").returncode == 0


def test_generated_words_have_spaces_between(ask: Any) -> None:
    found = ask("generate", "words", "--prompt", "First", "-n", "12").stdout.decode()
    assert found.startswith(("First ", "First,", "First\n", "First:", "First.", "First'"))
    assert len(found.split()) > 3


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("predict", "play", "play.txt"), 1, "a language model has no labels to predict"),
        (("generate", "text"), 1, "trained to classify: only language models generate"),
        (("generate", "text", "--stream"), 1, "trained to classify: only language models"),
        (("generate", "play", "--top-p", "0"), 2, "--top-p 0: a share above 0"),
        (("predict",), 2, "no RUN: which model?"),
        (("evaluate", "text"), 2, "no DATA to evaluate on"),
        (("predict", "nothing", "test.csv"), 1, "nothing is no run: no such folder"),
        (("predict", "test.csv", "test.csv"), 1, "test.csv is no run: it has no config.toml"),
        (("predict", "text", "nothing.csv"), 1, "nothing.csv: no such file"),
        (("predict", "text", "test.csv", "-o", "no/where"), 1, "cannot write no/where"),
        (("encode", "text", "test.csv", "-o", "x.npz", "--format", "tvs"), 2, "did you mean tsv?"),
        (("predict", "text", "@iris"), 1, "this model reads text, and the data is numbers"),
        (("predict", "flowers", "test.csv"), 1, "this model reads numbers, and the data is text"),
        (("predict", "flowers", "@digits"), 1, "on examples of 4 numbers, the data has 64"),
        (("evaluate", "text", "train.csv", "--label-field", "x"), 1, "no field 'x'"),
        (("evaluate", "flowers", "@diabetes"), 1, "examples of 4 numbers, the data has 10"),
        (("evaluate", "topics", "play.txt"), 1, "a line without a label"),
        (("evaluate", "tags", "test.csv"), 1, "not a token, a TAB and its tag"),
    ],
)
def test_questions_that_a_run_has_no_answer_to(
    words: tuple[str, ...], code: int, message: str, ask: Any
) -> None:
    done = ask(*words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode().startswith("gai: error: ")
    assert message in done.stderr.decode()


def test_every_name_has_a_line_in_the_list(call: Any) -> None:
    lines = [line.split("\t") for line in call("nn", "list").out.splitlines()]
    known = [(kind, name) for kind, found in names.LISTS.items() for name in found]
    assert [tuple(line[:2]) for line in lines] == known
    assert all(len(line) == 3 and line[2] for line in lines)
    losses = call("nn", "list", "losses").out.splitlines()
    assert [line.split("\t")[1] for line in losses] == list(names.LOSSES)
    assert "did you mean losses?" in call("nn", "list", "loses").err
