"""gai vectors plot: files that are the same every time, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai import backends
from gai.output.vectors import Vectors, save
from gai.terms import Terms

WORDS = ["red", "blue", "green", "one", "two", "three", "cat", "dog", "cow", "sheep"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Vectors of ten words, in the current folder."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).normal(size=(len(WORDS), 8)).astype(np.float32)
    save(Vectors(Terms.of(WORDS), rows), "ten.npz")
    return Path("ten.npz")


@pytest.mark.parametrize("name", ["a.png", "a.svg", "a.html"])
def test_the_same_bytes_every_time(gai: Any, file: Path, name: str) -> None:
    seen = []
    for seed in ("1", "2"):
        words = ["dog", "two", "red", "--neighbours", "2", "-j", seed]
        changed = {"PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}"}
        done = gai("vectors", "plot", file, *words, "-o", name, env=changed)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        seen.append(Path(name).read_bytes())
    assert seen[0] == seen[1]
    assert str(Path.cwd()).encode() not in seen[0]


def test_the_seed_moves_tsne(quick: Any, file: Path) -> None:
    seen = [
        quick("vectors", "plot", file, "--method", "tsne", "--format", "html", *seed).stdout
        for seed in ([], ["--seed", "1"], ["--seed", "2"])
    ]
    assert seen[0] == seen[1] != seen[2]
    assert seen[0].startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "a picture needs a file: -o FILE"),
        (["-o", "a.pdf"], 2, "a picture cannot be written to a.pdf"),
        (["dgo", "-o", "a.svg"], 1, "the vectors have no word 'dgo'\n  near it: dog"),
        (["-o", "a.svg", "--neighbours", "3"], 2, "--neighbours 3 needs WORDS"),
        (["-o", "a.html", "--size", "300x300"], 2, "--size 300x300 contradicts html"),
        (["-o", "a.svg", "--size", "300"], 2, "expected a size such as 1600x1200"),
        (["-o", "a.svg", "--size", "9x9"], 2, "expected 200 to 20000 pixels"),
        (["dog", "-o", "a.svg", "--method", "tsne"], 1, "1 word is too few for t-SNE"),
        (["-o", "nowhere/a.svg"], 1, "there is no folder nowhere"),
    ],
)
def test_what_is_refused(call: Any, file: Path, words: list[str], code: int, message: str) -> None:
    ended = call("vectors", "plot", file, *words)
    assert ended.code == code
    assert message in ended.err
    assert [path.name for path in Path().iterdir()] == ["ten.npz"]


def test_no_file_is_named(call: Any) -> None:
    assert "no file: which vectors?" in call("vectors", "plot").err


def test_a_terminal_gets_no_picture(on_terminal: Any, file: Path) -> None:
    ended = on_terminal("vectors", "plot", file, "--format", "svg")
    assert ended.code == 2
    assert "a picture needs a file: -o FILE" in ended.out


def test_without_matplotlib_the_pip_line_is_named(
    monkeypatch: pytest.MonkeyPatch, call: Any, file: Path
) -> None:
    monkeypatch.setattr(backends, "available", lambda extra: extra != "plot")
    ended = call("vectors", "plot", file, "-o", "a.png")
    assert ended.code == 1
    assert "pip install 'gai[plot]'" in ended.err
    assert call("vectors", "plot", file, "-o", "a.html").code == 0


def test_labels_without_room_are_told_once(call: Any, file: Path) -> None:
    words = Terms.of(f"a-rather-long-word-{number}" for number in range(100))
    rows = np.random.default_rng(1).standard_normal((100, 5), np.float32)
    save(Vectors(words, rows), "many.npz")
    crowded = ["vectors", "plot", "many.npz", "--size", "300x300"]
    told = call(*crowded, "-o", "a.svg").err.splitlines()
    assert len(told) == 1
    assert "of 100 labels have no room" in told[0]
    assert call(*crowded, "-o", "a.svg", "-q").err == ""


def test_make_is_told_what_a_picture_is_made_of(call: Any, file: Path) -> None:
    assert call("vectors", "plot", file, "-o", "a.html", "--deps", "a.d").code == 0
    assert Path("a.d").read_text().split()[:3] == ["a.html:", "\\", "ten.npz"]
