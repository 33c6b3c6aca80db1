"""gai subword train: a model from documents, the same bytes each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tokenizers")

TEXT = "the cat sat on the mat, and the other cat sat on the other mat\n" * 20


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    path = tmp_path / "cats.txt"
    path.write_text(TEXT)
    return path


def types(path: Path) -> str:
    kind: str = json.loads(path.read_text(encoding="utf-8"))["model"]["type"]
    return kind


@pytest.mark.parametrize(
    ("options", "kind"),
    [([], "BPE"), (["--algorithm", "bpe"], "BPE"), (["--algorithm", "unigram"], "Unigram")],
)
def test_a_model_is_written_and_used(
    options: list[str], kind: str, cats: Path, tmp_path: Path, quick: Callable[..., Any]
) -> None:
    model = tmp_path / "model.json"
    ended = quick("subword", "train", cats, "-o", model, "--size", "300", *options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert types(model) == kind
    from gai.tokens.tokenizers import tokenizer

    (found,) = tokenizer({"BPE": "bpe"}.get(kind, "unigram"), model=str(model))(["a cat"])
    assert [token.strip("Ġ▁") for token in found.tokens][-1] == "cat"


@pytest.mark.parametrize("algorithm", ["bpe", "unigram"])
def test_files_pipes_and_records_give_the_same_bytes(
    algorithm: str, cats: Path, tmp_path: Path, quick: Callable[..., Any]
) -> None:
    records = "".join(json.dumps({"text": line}) + "\n" for line in TEXT.splitlines())
    (tmp_path / "cats.jsonl").write_text(records)
    train = ["subword", "train", "--algorithm", algorithm, "--size", "300", "-o"]
    for name, words, stdin in (
        ("a.json", [cats], b""),
        ("b.json", [], TEXT.encode()),
        ("c.json", [tmp_path / "cats.jsonl"], b""),
    ):
        assert quick(*train, tmp_path / name, *words, stdin=stdin).returncode == 0
    first = (tmp_path / "a.json").read_bytes()
    assert first == (tmp_path / "b.json").read_bytes() == (tmp_path / "c.json").read_bytes()


def test_options_reach_the_model(cats: Path, tmp_path: Path, quick: Callable[..., Any]) -> None:
    model = tmp_path / "model.json"
    words = ["--special", "<s>", "--special", "</s>", "--lowercase", "--min-frequency", "60"]
    deps = tmp_path / "model.d"
    assert quick("subword", "train", cats, "-o", model, *words, "--deps", deps).returncode == 0
    made = json.loads(model.read_text(encoding="utf-8"))
    assert [token["content"] for token in made["added_tokens"]] == ["<s>", "</s>"]
    assert made["normalizer"] == {"type": "Lowercase"}
    assert "at" in made["model"]["vocab"]  # 80 times
    assert "Ġother" not in made["model"]["vocab"]  # 40 times
    assert f"{cats}" in deps.read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "-o FILE is missing"),
        (["-o", "model.json", "--size", "10"], 2, "257 or more"),
        (["-o", "model.json", "--algorithm", "bpf"], 2, "did you mean bpe?"),
        (["-o", "no/model.json"], 1, "no/model.json"),
        (["-o", "model.json", "missing.txt"], 1, "missing.txt"),
        (["-o", "-", "--deps", "x.d"], 2, "--deps needs -o FILE"),
    ],
)
def test_wrong_use(
    words: list[str], code: int, said: str, cats: Path, quick: Callable[..., Any]
) -> None:
    ended = quick("subword", "train", cats, *words, cwd=cats.parent)
    assert ended.returncode == code
    assert said in ended.stderr.decode()
    assert not (cats.parent / "model.json").exists()


def test_nothing_to_learn_from_leaves_the_old_model(
    tmp_path: Path, quick: Callable[..., Any]
) -> None:
    (tmp_path / "model.json").write_text("old")
    ended = quick("subword", "train", "-o", "model.json", stdin=b"\n\n", cwd=tmp_path)
    assert (ended.returncode, (tmp_path / "model.json").read_text()) == (1, "old")
    assert b"no text to learn tokens from" in ended.stderr


def test_bytes_that_are_no_text(tmp_path: Path, quick: Callable[..., Any]) -> None:
    (tmp_path / "bad.txt").write_bytes(b"abc \xff def\n" * 9)
    words = ["subword", "train", "bad.txt", "-o", "model.json"]
    ended = quick(*words, cwd=tmp_path)
    assert ended.returncode == 1
    assert b"bad.txt: undecodable byte 0xff at byte 4" in ended.stderr
    assert quick(*words, "--errors", "replace", cwd=tmp_path).returncode == 0


def test_ctrl_c_while_it_learns(tmp_path: Path, variables: Callable[..., dict[str, str]]) -> None:
    """The package computes in machine code that does not look up."""
    words = [sys.executable, "-m", "gai", "subword", "train", "-", "-o", tmp_path / "model.json"]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=variables()
    )
    assert process.stdin
    process.stdin.write(TEXT.encode() * 400)  # more than a pipe holds: it has begun to read
    process.stdin.flush()  # and not closed: it goes on reading
    os.kill(process.pid, signal.SIGINT)
    began = time.monotonic()
    assert process.wait(10) == 130
    assert time.monotonic() - began < 2
    assert os.listdir(tmp_path) == []
