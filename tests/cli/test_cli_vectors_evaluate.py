"""gai vectors evaluate: what it prints in every format, what it says, what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.cli import evaluated, vectors_evaluate
from gai.output.vectors import Vectors, save
from gai.terms import Terms
from gai.vectors import testsets

WORDS = ["king", "man", "queen", "woman", "big", "bigger"]
ROWS = [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 5]]
PAIRS = "king\tqueen\t8\nking\tman\t9\nking\tbig\t1\nman\twoman\t2\nman\temu\t2\n"
QUESTIONS = ": family\nman king woman queen\nking man queen big\nman king woman emperor\n"
QUESTIONS += ": gram3\nbig bigger man king\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with six vectors, a set of pairs and one of analogies."""
    save(Vectors(Terms.of(WORDS), np.array(ROWS, np.float32)), tmp_path / "v.vec")
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    (tmp_path / "questions.txt").write_text(QUESTIONS)
    return tmp_path


BOTH = ("v.vec", "--set", "pairs.tsv", "--set", "questions.txt")


def test_a_pipe_gets_a_line_for_each_set_and_section(quick: Any, folder: Path) -> None:
    done = quick("vectors", "evaluate", *BOTH)
    assert (done.returncode, done.stderr) == (0, b"")
    header, pairs, *sections = (line.split("\t") for line in done.stdout.decode().splitlines())
    assert header == list(evaluated.COLUMNS)
    row = dict(zip(header, pairs, strict=True))
    # cosines 0.5, 0.71, 0, 0 beside 8, 9, 1, 2: ranks 3 4 1.5 1.5 and 3 4 1 2
    assert (row["set"], row["found"], row["total"]) == ("pairs.tsv", "4", "5")
    assert float(row["spearman"]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)
    assert float(row["low"]) < float(row["spearman"]) < float(row["high"])
    assert row["method"] == row["section"] == row["accuracy"] == row["correct"] == ""
    rows = [dict(zip(header, section, strict=True)) for section in sections]
    assert [(r["section"], r["correct"], r["found"], r["total"], r["accuracy"]) for r in rows] == [
        ("family", "1", "2", "3", "0.5"),
        ("gram3", "1", "1", "1", "1.0"),
        ("semantic", "1", "2", "3", "0.5"),
        ("syntactic", "1", "1", "1", "1.0"),
        ("total", "2", "3", "4", "0.6666666666666666"),
    ]
    assert {(r["set"], r["method"], r["spearman"]) for r in rows} == {
        ("questions.txt", "3cosadd", "")
    }


def test_every_format_says_the_same(quick: Any, folder: Path) -> None:
    tsv, comma, lines = (
        quick("vectors", "evaluate", *BOTH, "--format", format).stdout.decode()
        for format in ("tsv", "csv", "jsonl")
    )
    rows = list(csv.DictReader(io.StringIO(tsv), delimiter="\t"))
    assert list(csv.DictReader(io.StringIO(comma))) == rows
    objects = [json.loads(line) for line in lines.splitlines()]
    assert [{name: str(value) for name, value in one.items()} for one in objects] == [
        {name: value for name, value in row.items() if value} for row in rows
    ]


def test_a_file_gets_the_format_of_its_name(quick: Any, folder: Path) -> None:
    done = quick("vectors", "evaluate", *BOTH, "-o", "scores.jsonl", "--deps", "scores.d")
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads((folder / "scores.jsonl").read_text().splitlines()[-1])["correct"] == 2
    assert (folder / "scores.d").read_text().replace("\\\n", "").split() == [
        *("scores.jsonl:", "v.vec", "pairs.tsv", "questions.txt"),
        *("v.vec:", "pairs.tsv:", "questions.txt:"),
    ]


def test_without_a_set_all_built_in_ones_are_asked(quick: Any, folder: Path) -> None:
    done = quick("vectors", "evaluate", "v.vec", "-v")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    assert [row["set"] for row in rows[:2]] == ["wordsim353", "simlex999"]
    assert [row["total"] for row in rows[:2]] == ["353", "999"]
    assert len([row for row in rows if row["set"] == "google"]) == 14 + 2 + 1
    assert rows[-1]["total"] == "19544"
    assert b"gai: 3 test sets, 6 words of 4 dimensions, " in done.stderr


def test_names_of_built_in_sets_are_those_of_the_library() -> None:
    assert tuple(testsets.BUILT_IN) == vectors_evaluate.SETS


def test_a_set_without_a_known_word_is_no_error_but_is_said(quick: Any, folder: Path) -> None:
    (folder / "other.tsv").write_text("emu\tyak\t3\nyak\tgnu\t4\n")
    done = quick("vectors", "evaluate", "v.vec", "--set", "other.tsv", "--format", "jsonl")
    assert json.loads(done.stdout)["spearman"] is None
    assert json.loads(done.stdout)["found"] == 0
    assert done.stderr == b"gai: other.tsv: its words are not in these vectors\n"
    assert quick("vectors", "evaluate", "v.vec", "--set", "other.tsv", "-q").stderr == b""


def test_missing_words_are_listed(quick: Any, folder: Path) -> None:
    done = quick("vectors", "evaluate", *BOTH, "--missing")
    assert done.stdout == b"set\tword\npairs.tsv\temu\nquestions.txt\temperor\n"


def test_only_the_first_words_are_looked_at(quick: Any, folder: Path) -> None:
    done = quick("vectors", "evaluate", *BOTH, "--top-words", "4", "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (rows[0]["found"], rows[-1]["found"]) == (3, 1)


def test_the_method_changes_what_is_solved(quick: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    words = [f"w{number}" for number in range(40)]
    save(
        Vectors(Terms.of(words), rng.standard_normal((40, 5)).astype(np.float32)),
        tmp_path / "v.npz",
    )
    lines = [" ".join(rng.choice(words, 4, replace=False)) for _ in range(400)]
    (tmp_path / "q.txt").write_text(": s\n" + "\n".join(lines))
    found = [
        quick("vectors", "evaluate", "v.npz", "--set", "q.txt", "--method", method).stdout
        for method in ("3cosadd", "3cosmul")
    ]
    correct = [one.decode().splitlines()[-1].split("\t")[9] for one in found]
    assert correct[0] != correct[1]


def test_a_terminal_gets_tables(on_terminal: Any, folder: Path) -> None:
    paths = [str(folder / name) for name in ("v.vec", "pairs.tsv", "questions.txt")]
    done = on_terminal(
        *("vectors", "evaluate", paths[0], "--set", paths[1], "--set", paths[2]),
        env={"NO_COLOR": "1"},
        columns=200,
    )
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0][:5] == ["pairs", "found", "coverage", "Spearman", "95"]
    assert lines[1][1:5] == ["4/5", "80", "%", "0.9487"]
    assert lines[3][1:] == ["(3cosadd)", "found", "coverage", "solved", "accuracy"]
    assert lines[4] == ["family", "2/3", "67", "%", "1", "0.5000"]
    assert lines[-1] == ["total", "3/4", "75", "%", "2", "0.6667"]


def test_a_terminal_gets_missing_words_without_their_control_characters(
    on_terminal: Any, folder: Path
) -> None:
    (folder / "odd.tsv").write_text("king\tred\x1b[31m\t3\nman\tqueen\t4\n")
    done = on_terminal(
        *("vectors", "evaluate", str(folder / "v.vec"), "--missing"),
        *("--set", str(folder / "odd.tsv")),
        env={"NO_COLOR": "1"},
        columns=200,
    )
    assert "red\\x1b[31m" in done.out


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        ((), "no file: which vectors?", 2),
        (("v.vec", "--set", "simlex"), "no such test set or file: simlex", 1),
        (("v.vec", "--set", ""), "no such test set or file: ", 1),
        (("v.vec", "--set", "bad.tsv"), "bad.tsv, line 2: 4 columns, not 3", 1),
        (("v.vec", "--method", "cosine"), "--method cosine: ", 2),
        (("v.vec", "--top-words", "0"), "--top-words 0: ", 2),
        (("v.vec", "-o", "scores.npz"), "this cannot be written as npz", 2),
        (("v.vec", "--deps", "x.d"), "--deps needs -o FILE", 2),
        (("v.vec", "--subwords"), "v.vec knows no parts of words", 1),
        (("none.vec", "--set", "pairs.tsv"), "none.vec", 1),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    quick: Any, folder: Path, words: tuple[str, ...], message: str, code: int
) -> None:
    (folder / "bad.tsv").write_text("a\tb\t3\na\tN\tb\t3\n")
    done = quick("vectors", "evaluate", *words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode().startswith(f"gai: error: {message}")
    assert b"Traceback" not in done.stderr


def test_a_bad_set_is_refused_before_the_vectors_are_read(quick: Any, folder: Path) -> None:
    (folder / "v.vec").write_bytes(b"\x00broken")
    done = quick("vectors", "evaluate", "v.vec", "--set", "pairs.tsv", "--set", "nothing.tsv")
    assert done.stderr.startswith(b"gai: error: no such test set or file: nothing.tsv")
