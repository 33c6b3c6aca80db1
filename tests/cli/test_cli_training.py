"""gai word2vec and fasttext: the real commands, from text to files and back."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.output.vectors import load

Variables = Callable[..., dict[str, str]]
SMALL = ("--dim", "8", "--epochs", "2", "--deterministic")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Path:
    """Ten addresses in one file."""
    path = tmp_path_factory.mktemp("text") / "addresses.txt"
    parts = sorted((corpora / "inaugural").iterdir())[:10]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("command", ["word2vec", "fasttext"])
def test_the_same_bytes_from_anywhere(command: str, quick: Any, text: Path, tmp_path: Path) -> None:
    """From a file, standard input, compressed, as records, with any -j: the same vectors."""
    more = ["--bucket", "500"] if command == "fasttext" else []
    lines = text.read_bytes().splitlines()
    records = b"".join(json.dumps({"text": line.decode()}).encode() + b"\n" for line in lines)
    (tmp_path / "text.jsonl").write_bytes(records)
    (tmp_path / "text.txt.gz").write_bytes(gzip.compress(text.read_bytes()))
    inputs: list[tuple[Any, bytes]] = [
        (text, b""),
        ("-", text.read_bytes()),
        (tmp_path / "text.txt.gz", b""),
        (tmp_path / "text.jsonl", b""),
    ]
    found = []
    for jobs, (name, stdin) in enumerate(inputs, 1):
        out = tmp_path / f"{jobs}.npz"
        args = [command, name, *more, *SMALL, "-j", str(jobs), "-o", out]
        done = quick(*args, stdin=stdin)
        assert done.returncode == 0, done.stderr
        vectors = load(str(out))
        found.append((list(vectors.words), vectors.block(0, len(vectors)).tobytes()))
    assert all(one == found[0] for one in found)
    again = tmp_path / "again.npz"
    quick(command, text, *more, *SMALL, "-o", again)
    assert again.read_bytes() == (tmp_path / "1.npz").read_bytes()


def test_words_are_counted_as_freq_counts_them(quick: Any, text: Path, tmp_path: Path) -> None:
    quick("word2vec", text, *SMALL, "--min-count", "20", "-o", tmp_path / "x.npz")
    vectors = load(str(tmp_path / "x.npz"))
    assert vectors.counts is not None
    rows = quick("freq", text).stdout.decode().splitlines()
    expected = [(word, int(tf)) for word, tf, _ in (row.split("\t") for row in rows)]
    mine = list(zip(vectors.words, vectors.counts.tolist(), strict=True))
    assert mine == [(word, tf) for word, tf in expected if tf >= 20]


def test_steps_of_the_text_are_those_of_other_commands(
    quick: Any, text: Path, tmp_path: Path
) -> None:
    steps = ["--stem", "porter", "--stop-words", "english", "--max-vocab", "50"]
    quick("word2vec", text, *SMALL, *steps, "-o", tmp_path / "x.npz")
    vectors = load(str(tmp_path / "x.npz"))
    rows = quick("freq", text, *steps[:4]).stdout.decode().splitlines()
    assert list(vectors.words) == [row.split("\t")[0] for row in rows[:50]]
    assert vectors.signature["analysis"]["form"] == "stem:porter"
    assert vectors.signature["kind"] == "word2vec"


def interrupted(args: list[Any], said: str, env: dict[str, str]) -> str:
    """What a run says after it was interrupted where it said this."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gai", *map(str, args)], stderr=subprocess.PIPE, env=env
    )
    assert process.stderr
    for line in process.stderr:
        if said in line.decode():
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read().decode()
    assert process.wait(5) == 130
    return rest


@pytest.mark.parametrize("extension", ["npz", "safetensors"])
@pytest.mark.parametrize("more", [("--hs",), ("--cbow",)])
def test_a_resumed_run_is_the_whole_run(
    extension: str,
    more: tuple[str, ...],
    quick: Any,
    variables: Variables,
    text: Path,
    tmp_path: Path,
) -> None:
    part, whole = tmp_path / f"part.{extension}", tmp_path / f"whole.{extension}"
    args = ["word2vec", text, "--dim", "8", "--deterministic", *more, "--epochs", "40"]
    quick(*args, "-o", whole)
    interrupted([*args, "-o", part], "epoch 2/40", variables())
    assert part.read_bytes() != whole.read_bytes()
    done = quick(*args, "--resume", part, "-o", part)
    assert done.returncode == 0, done.stderr
    assert part.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("command", ["word2vec", "fasttext"])
def test_an_interrupt_keeps_the_last_finished_epoch(
    command: str, variables: Variables, text: Path, tmp_path: Path
) -> None:
    out, temporary = tmp_path / "x.npz", tmp_path / "tmp"
    temporary.mkdir()
    args = [command, text, "--dim", "8", "--epochs", "10000", "-o", out]
    more = ["--bucket", "500"] if command == "fasttext" else []
    said = interrupted([*args, *more], "epoch 3/10000", variables(TMPDIR=str(temporary)))
    last = int(said.rpartition("the vectors of epoch ")[2])
    assert last >= 3
    vectors = load(str(out))
    assert vectors.signature["training"]["trained"] == last
    assert np.isfinite(vectors.block(0, len(vectors))).all()
    assert list(temporary.iterdir()) == []


def test_what_is_said_and_when(quick: Any, text: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.npz"
    done = quick("word2vec", text, "--dim", "8", "--epochs", "2", "-o", out)
    lines = done.stderr.decode().splitlines()
    assert [line.partition(":")[2].partition(":")[0] for line in lines] == [
        " epoch 1/2",
        " epoch 2/2",
    ]
    losses = [float(line.partition("loss ")[2].partition(",")[0]) for line in lines]
    assert losses[1] < losses[0] < 4.2
    assert quick("word2vec", text, *SMALL, "-q", "-o", out).stderr == b""


def test_scores_after_each_epoch(quick: Any, text: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("government\tpeople\t7\nwar\tpeace\t6\ncountry\tnation\t9\npower\tlaw\t5\n")
    out = tmp_path / "x.npz"
    args = ["word2vec", text, *SMALL, "--eval", pairs, "-o", out]
    done = quick(*args, "--patience", "1")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("gai: epoch")]
    assert lines
    assert all("pairs.tsv " in line for line in lines)


def test_vectors_to_start_from(quick: Any, text: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    quick("word2vec", text, *SMALL, "-o", first)
    done = quick(
        "word2vec", text, "--init", first, "--alpha", "0", "--min-alpha", "0", "-o", second
    )
    assert done.returncode == 0, done.stderr
    one, two = load(str(first)), load(str(second))
    assert np.array_equal(one.block(0, len(one)), two.block(0, len(two)))


def test_sentences_of_another_language_are_another_text(
    quick: Any, text: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    args = ["word2vec", text, *SMALL, "--sentences"]
    assert quick(*args, "--lang", "en", "-o", first).returncode == 0
    done = quick(*args, "--lang", "de", "--epochs", "3", "--resume", first, "-o", second)
    assert done.returncode == 1
    assert b"another text, or in another way: vocabulary" in done.stderr


def test_what_is_wrong_is_said_before_the_text_is_read(quick: Any, tmp_path: Path) -> None:
    """Of a text that is not there nobody says a word."""
    vectors = tmp_path / "a.npz"
    words = tmp_path / "text.txt"
    words.write_text("a b a b\n" * 50)
    quick("word2vec", words, *SMALL, "-o", vectors)
    wrong = {
        "window 5, not 4": ("--window", "4", "--epochs", "3", "--dim", "8"),
        "has trained 2 epochs already": ("--dim", "8", "--epochs", "2"),
    }
    for message, more in wrong.items():
        done = quick("word2vec", "missing", *more, "--resume", vectors, "-o", tmp_path / "b.npz")
        assert message in done.stderr.decode()


def test_a_rule_for_make_comes_with_the_vectors(quick: Any, text: Path, tmp_path: Path) -> None:
    rule, pairs = tmp_path / "x.d", tmp_path / "pairs.tsv"
    pairs.write_text("government\tpeople\t7\nwar\tpeace\t6\ncountry\tnation\t9\n")
    args = ["word2vec", text, *SMALL, "--deps", rule, "-o", tmp_path / "x.npz"]
    assert quick(*args, "--min-count", "1000000").returncode == 1
    assert not rule.exists()
    assert quick(*args, "--eval", pairs, "--eval", "simlex999").returncode == 0
    assert str(text) in rule.read_text()
    assert str(pairs) in rule.read_text()


WRONG = [
    (["-o", "x.npz", "--seed", "4294967296"], 2, "--seed 4294967296"),
    (["-o", "x.npz", "--negative", "3", "--hs"], 2, "--negative 3 contradicts --hs"),
    ([], 2, "needs a file"),
    (["-o", "x.unknown"], 2, "x.unknown"),
    (["-o", "no/such/x.npz"], 1, "no folder"),
    (["-o", "x.npz", "--eval", "no-such-set"], 1, "no-such-set"),
    (["-o", "x.npz", "--init", "missing.npz"], 1, "missing.npz"),
    (["-o", "x.npz", "--init", "a.npz", "--resume", "b.npz"], 2, "contradicts"),
    (["-o", "x.npz", "--dim", "0"], 2, "--dim 0"),
    (["-o", "x.npz", "--min-count", "1000000"], 1, "no word occurs 1000000 times"),
]


@pytest.mark.parametrize(("args", "code", "message"), WRONG)
def test_wrong_uses(
    args: list[str], code: int, message: str, quick: Any, text: Path, tmp_path: Path
) -> None:
    done = quick("word2vec", text, *args, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert b"epoch" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] in ([], [".stdin"])


def test_parts_of_words_need_a_length(quick: Any, text: Path, tmp_path: Path) -> None:
    done = quick("fasttext", text, "--min-n", "5", "--max-n", "3", "-o", tmp_path / "x.npz")
    assert done.returncode == 2
    assert b"--min-n 5 is above --max-n 3" in done.stderr
