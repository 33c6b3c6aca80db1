"""gai vectors convert and gai vectors info, as commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.output.vectors import FORMATS, Subwords, Vectors, load, save
from gai.terms import Terms

Run = Callable[..., Any]
WORDS = ["the", "new york", "naïve", "cat"]
SIGNATURE = {"kind": "word2vec", "training": {"dim": 3}, "gai": "0.1.0"}


def vectors(words: list[str] = WORDS) -> Vectors:
    matrix = np.arange(3 * len(words), dtype=np.float32).reshape(-1, 3) / 8
    counts = np.array([5, 9, 2, 7])[: len(words)]
    return Vectors(Terms.of(words), matrix, counts=counts, signature=SIGNATURE)


def with_parts() -> Vectors:
    random = np.random.default_rng(0)
    own, parts = (random.normal(size=(n, 3)).astype(np.float32) for n in (2, 40))
    return Vectors(Terms.of(["a", "b"]), None, subwords=Subwords(own, parts, 2, 3))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    save(vectors(), tmp_path / "x.npz")
    return tmp_path / "x.npz"


def facts(ended: Any) -> dict[str, str]:
    assert (ended.returncode, ended.stderr) == (0, b"")
    return dict(line.split("\t") for line in ended.stdout.decode().splitlines())


@pytest.mark.parametrize("format", FORMATS)
def test_convert_keeps_words_numbers_counts_and_signature(
    quick: Run, tmp_path: Path, format: str
) -> None:
    save(vectors(["the", "naïve", "cat"]), tmp_path / "x.safetensors")
    ended = quick("vectors", "convert", "x.safetensors", "y", "--format", format)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    found = load(tmp_path / "y")
    assert found.format == format
    assert list(found.words) == ["the", "naïve", "cat"]
    assert found.block(0, 3).tolist() == vectors().matrix[:3].tolist()
    assert found.counts is not None
    assert found.counts.tolist() == [5, 9, 2]
    assert found.signature == SIGNATURE


def test_top_keeps_the_most_frequent(quick: Run, stored: Path) -> None:
    assert quick("vectors", "convert", stored, "y.npz", "--top", "2").returncode == 0
    found = load(stored.with_name("y.npz"))
    assert list(found.words) == ["new york", "cat"]
    assert found.matrix.tolist() == vectors().matrix[[1, 3]].tolist()
    assert found.counts is not None
    assert found.counts.tolist() == [9, 7]


def test_top_without_counts_keeps_the_first(quick: Run, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"a 1\nb 2\nc 3\n")
    assert quick("vectors", "convert", "x.txt", "y.vec", "--top", "2").returncode == 0
    assert (tmp_path / "y.vec").read_bytes() == b"2 1\na 1.0\nb 2.0\n"


def test_top_of_vectors_with_parts_still_knows_them(quick: Run, tmp_path: Path) -> None:
    save(with_parts(), tmp_path / "x.bin")
    assert quick("vectors", "convert", "x.bin", "y.bin", "--top", "1").returncode == 0
    found, before = load(tmp_path / "y.bin"), load(tmp_path / "x.bin")
    assert (found.format, len(found)) == ("fasttext", 1)
    for word in ("a", "unseen"):
        assert np.array_equal(found.vector(word), before.vector(word))


def test_pipes_on_both_sides(gai: Run, tmp_path: Path) -> None:
    ended = gai("vectors", "convert", "-", "-", "--format", "glove", stdin=b"2 1\na 1\nb 0.10\n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"a 1.0\nb 0.1\n", b"")


def test_notes_go_to_standard_error(quick: Run, tmp_path: Path) -> None:
    (tmp_path / "x.vec").write_bytes(b"3 1\na 1\nb 2\na 3\n")
    ended = quick("vectors", "convert", "x.vec", "-", "--format", "glove")
    assert ended.stdout == b"a 1.0\nb 2.0\n"
    assert ended.stderr == b"gai: one word is there twice, and counts where it comes first: 'a'\n"
    assert quick("vectors", "convert", "x.vec", "y.txt", "-q").stderr == b""


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["x.npz"], 2, "two files are needed"),
        (["x.npz", "y.xyz"], 2, "cannot tell the format of 'y.xyz'"),
        (["x.npz", "y.npz.gz"], 2, "not compressed with gzip"),
        (["x.npz", "-"], 2, "cannot tell the format"),
        (["x.npz", "y.vec"], 1, "the word 'new york' cannot be written as word2vec-text"),
        (["x.npz", "no/y.npz"], 1, "there is no folder no"),
        (["missing.bin", "y.npz"], 1, "missing.bin: no such file"),
        (["x.npz", "y.npz", "--top", "0"], 2, "--top"),
    ],
)
def test_what_cannot_be_converted(
    quick: Run, stored: Path, words: list[str], code: int, what: str
) -> None:
    ended = quick("vectors", "convert", *words)
    assert (ended.returncode, ended.stdout) == (code, b"")
    assert what in ended.stderr.decode()
    assert [path.name for path in stored.parent.iterdir() if path.suffix] == ["x.npz"]


def test_binary_numbers_are_not_for_a_terminal(on_terminal: Run, stored: Path) -> None:
    ended = on_terminal("vectors", "convert", str(stored), "-", "--format", "npz")
    assert ended.code == 2
    assert "no text for a terminal" in ended.out


def test_info_says_what_a_file_holds(quick: Run, stored: Path) -> None:
    found = facts(quick("vectors", "info", "x.npz"))
    wanted = {
        "file": "x.npz",
        "kind": "word2vec",
        "format": "npz",
        "words": "4",
        "dim": "3",
        "numbers": "float32",
        "tokens": "23",
        "unseen words": "unknown",
        "signature.training.dim": "3",
        "first words": "the new york naïve cat",
    }
    assert found.items() >= wanted.items()
    assert "length.mean" not in found


def test_info_v_measures_the_vectors(quick: Run, stored: Path) -> None:
    found = facts(quick("vectors", "info", "x.npz", "-v"))
    norms = np.linalg.norm(vectors().matrix, axis=1)
    for name, value in (
        ("shortest", norms.min()),
        ("mean", norms.mean()),
        ("longest", norms.max()),
    ):
        assert float(found[f"length.{name}"]) == pytest.approx(value, abs=1e-6)


def test_info_as_json(quick: Run, tmp_path: Path) -> None:
    save(with_parts(), tmp_path / "x.bin")
    found = json.loads(quick("vectors", "info", "x.bin", "--format", "json").stdout)
    assert found["unseen words"] == "made of parts of 2 to 3 characters, 40 buckets"
    assert found["training state"] == []
    assert found["first words"] == ["a", "b"]


def test_info_of_words_that_are_no_utf8(quick: Run, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"a\xe4 1 2\n")
    ended = quick("vectors", "info", "x.txt")
    assert b"first words\ta\xe4\n" in ended.stdout
    assert b"one word is no UTF-8" in ended.stderr
    found = json.loads(quick("vectors", "info", "x.txt", "--format", "json").stdout)
    assert found["first words"] == ["a\udce4"]


def test_info_without_a_file(quick: Run) -> None:
    ended = quick("vectors", "info")
    assert ended.returncode == 2
    assert b"which vectors?" in ended.stderr


@pytest.mark.parametrize("command", ["info", "convert"])
def test_errors_are_one_line(quick: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "x.vec").write_bytes(b"2 2\na 1 2\nb 3\n")
    ended = quick("vectors", command, "x.vec", *(["y.npz"] if command == "convert" else []))
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"gai: error: x.vec: line 3: 1 number, not 2\n")


def test_a_cut_file_is_not_converted(quick: Run, tmp_path: Path) -> None:
    save(vectors(["the", "cat"]), tmp_path / "x.vec")
    (tmp_path / "cut.vec").write_bytes((tmp_path / "x.vec").read_bytes()[:-4])
    ended = quick("vectors", "convert", "cut.vec", "cut.npz")
    assert ended.returncode == 1
    assert b"ends within line 3: it is cut short" in ended.stderr
    assert not (tmp_path / "cut.npz").exists()


def test_info_of_a_pipe_is_refused(gai: Run) -> None:
    ended = gai("info", "-", stdin=b"2 1\na 1\nb 2\n")
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"gai info reads a file, not a pipe" in ended.stderr
    assert b"gai vectors info -" in ended.stderr
