"""Bad input: one clear line, the right exit code, no partial output. And odd input that is fine."""

from __future__ import annotations

import bz2
import ctypes
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gai.output import load

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2

Spoil = Callable[[Path], None]


def binary(folder: Path) -> None:
    (folder / "in").write_bytes(b"text\0more")


def undecodable(folder: Path) -> None:
    (folder / "in").write_bytes(b"fine\nbad \xff here\n")


def truncated(folder: Path) -> None:
    (folder / "in").write_bytes(gzip.compress(os.urandom(50_000).hex().encode())[:-1000])


def no_json(folder: Path) -> None:
    (folder / "in").write_text('{"text": "a"}\n{"text": \n', encoding="utf-8")


def no_field(folder: Path) -> None:
    (folder / "in").write_text('{"text": "a"}\n{"txt": "b"}\n', encoding="utf-8")


def empty_folder(folder: Path) -> None:
    (folder / "in").mkdir()


def other_names(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "a.md").write_text("a")


def nothing(folder: Path) -> None:
    pass


def empty(folder: Path) -> None:
    (folder / "in").write_text("")


def text(folder: Path) -> None:
    (folder / "in").write_text("a b\nb c\n")


def apart(folder: Path) -> None:
    (folder / "in").write_text("a b\nc d\n")


def twice(folder: Path) -> None:
    text(folder)
    (folder / "v").write_text("a\nb\na\n")


def a_folder_is_there(folder: Path) -> None:
    text(folder)
    (folder / "out.tsv").mkdir()


CASES = {
    "missing file": (nothing, [], 1, ["in", "no such file"]),
    "folder without files": (empty_folder, [], 1, ["in", "no files"]),
    "folder without matches": (other_names, ["--glob", "*.txt"], 1, ["in", "*.txt"]),
    "binary file": (binary, [], 1, ["in", "--text"]),
    "undecodable bytes": (undecodable, [], 1, ["in", "9", "--errors"]),
    "no documents": (empty, ["--per", "line"], 1, ["no documents", "in"]),
    "truncated gz": (truncated, [], 1, ["in"]),
    "no JSON": (no_json, ["--input-format", "jsonl"], 1, ["in", "2", "--skip-bad"]),
    "no such field": (no_field, ["--input-format", "jsonl"], 1, ["in", "2", "text"]),
    "output is a folder": (a_folder_is_there, [], 1, ["out.tsv"]),
    "unknown flag": (text, ["--ngram", "2"], 2, ["--ngram", "--ngrams"]),
    "min-df above max-df": (text, ["--min-df", "2", "--max-df", "1"], 2, ["--min-df", "--max-df"]),
    "min-df above max-df, mixed": (
        text,
        ["--per", "line", "--min-df", "2", "--max-df", "0.5"],
        2,
        ["--min-df 2", "--max-df 0.5"],
    ),
    "vocabulary with duplicates": (twice, ["--vocabulary", "v"], 1, ["v", "line 3", "line 1"]),
    "missing vocabulary": (text, ["--vocabulary", "w"], 1, ["w", "no such file"]),
    "missing stop words": (text, ["--stop-words", "no.txt"], 1, ["no.txt"]),
    "nothing left": (apart, ["--per", "line", "--min-df", "2"], 1, ["no terms"]),
    "no model": (text, ["--apply", "in"], 1, ["in"]),
    "bad pattern": (text, ["--token-pattern", "("], 2, ["("]),
}


ALSO = [
    (command, name)
    for command in ("freq", "tfidf")
    for name in ("missing file", "undecodable bytes", "truncated gz", "no documents")
]
"""What is shown of the other commands as well."""


@pytest.mark.parametrize(
    ("command", "name"),
    [*(("bow", name) for name in CASES), *ALSO],
)
def test_one_line_and_no_output(command: str, name: str, gai: Any, tmp_path: Path) -> None:
    spoil, flags, code, words = CASES[name]
    spoil(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = gai(command, "in", *flags, "-o", "out.tsv", cwd=tmp_path)
    problem, *hints = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (code, b"")
    assert problem.startswith("gai: error: ")
    assert all(hint.startswith("  ") for hint in hints)
    assert len(hints) <= 1
    for word in words:
        assert word in done.stderr.decode()
    assert sorted(tmp_path.rglob("*")) == before


def without_power() -> None:
    """Lets even root read only what the permissions of a file allow, from the next exec on."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability)


def test_an_unreadable_file(variables: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a")
    (tmp_path / "in").chmod(0)
    done = subprocess.run(
        [sys.executable, "-m", "gai", "bow", "in", "-o", "out.tsv"],
        capture_output=True,
        cwd=tmp_path,
        env=variables(),
        preexec_fn=without_power,
        check=False,
    )
    assert done.stderr == b"gai: error: in: permission denied\n"
    assert (done.returncode, done.stdout) == (1, b"")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_old_output_survives_a_failure(gai: Any, tmp_path: Path) -> None:
    undecodable(tmp_path)
    (tmp_path / "out.npz").write_bytes(b"old")
    assert gai("bow", "in", "-o", "out.npz", cwd=tmp_path).returncode == 1
    assert (tmp_path / "out.npz").read_bytes() == b"old"


@pytest.mark.parametrize("command", ["bow", "freq"])
def test_no_folder_to_write_to(command: str, gai: Any, two: Path, tmp_path: Path) -> None:
    done = gai(command, two, "-o", "deep/out.tsv", cwd=tmp_path)
    assert done.returncode == 1
    assert b"deep" in done.stderr
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(("errors", "tokens"), [("replace", 3), ("ignore", 3)])
def test_errors_may_be_passed_over(errors: str, tokens: int, gai: Any, tmp_path: Path) -> None:
    undecodable(tmp_path)
    done = gai("bow", "in", "--errors", errors, cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == tokens


def test_a_binary_file_may_be_read_as_text(gai: Any, tmp_path: Path) -> None:
    binary(tmp_path)
    done = gai("freq", "in", "--text", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"more\t1\t1\ntext\t1\t1\n")


def test_bad_records_may_be_left_out_and_are_counted(gai: Any, tmp_path: Path) -> None:
    no_json(tmp_path)
    done = gai("bow", "in", "--input-format", "jsonl", "--skip-bad", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"in:1\ta\t1\n")
    assert b"left out 1 broken record" in done.stderr
    quiet = gai("bow", "in", "--input-format", "jsonl", "--skip-bad", "-q", cwd=tmp_path)
    assert quiet.stderr == b""


def test_an_empty_file_is_an_empty_row(gai: Any, tmp_path: Path) -> None:
    empty(tmp_path)
    (tmp_path / "full").write_text("a b")
    done = gai("tfidf", "in", "full", "-o", "x.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stored = load(tmp_path / "x.npz")
    assert list(stored.documents) == ["in", "full"]
    assert stored.indptr.tolist() == [0, 0, 2]
    assert gai("bow", "in", "-o", "y.npz", cwd=tmp_path).returncode == 0
    assert load(tmp_path / "y.npz").shape == (1, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"a b\nb c\n",
        b"a b\r\nb c\r\n",
        b"\xef\xbb\xbfa b\nb c",
        gzip.compress(b"a b\nb c\n"),
        bz2.compress(b"a b\nb c\n"),
    ],
    ids=["lf", "crlf", "bom", "gz", "bz2"],
)
@pytest.mark.parametrize("piped", [True, False])
def test_ends_of_lines_marks_and_compression(
    content: bytes, piped: bool, gai: Any, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(content)
    done = gai(
        *("bow", "--per", "line", "-" if piped else "in"),
        stdin=content if piped else b"",
        cwd=tmp_path,
    )
    name = "-" if piped else "in"
    expected = f"{name}:1\ta\t1\n{name}:1\tb\t1\n{name}:2\tb\t1\n{name}:2\tc\t1\n"
    assert (done.returncode, done.stdout.decode()) == (0, expected)


def test_a_file_name_that_is_no_text(gai: Any, tmp_path: Path) -> None:
    odd = os.fsdecode(b"bad\xff\n\x1b.txt")
    (tmp_path / odd).write_text("a")
    done = gai("bow", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"./bad\xff\\n\x1b.txt\ta\t1\n")
    done = gai("bow", ".", "--format", "jsonl", cwd=tmp_path)
    assert json.loads(done.stdout)["id"] == f"./{odd}"
    done = gai("bow", odd + "x", cwd=tmp_path)
    assert done.stderr.startswith(b"gai: error: bad\\udcff\\x0a\\x1b.txtx: no such file")


def test_words_after_two_dashes_are_files(gai: Any, tmp_path: Path) -> None:
    (tmp_path / "--top").write_text("a")
    done = gai("bow", "--", "--top", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"--top\ta\t1\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [("KeyError('x')", "KeyError: 'x'"), ("MemoryError()", "not enough memory")],
)
def test_a_bug_is_one_line_and_debug_shows_the_traceback(
    error: str, line: str, variables: Callable[..., dict[str, str]]
) -> None:
    code = "import sys, gai.cli.app as app\nfrom gai.cli.main import main\n"
    code += f"def run(words): raise {error}\napp.run = run\nsys.exit(main())"
    for flags in ([], ["--debug"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *flags],
            capture_output=True,
            text=True,
            env=variables(),
            check=False,
        )
        assert done.returncode == 1
        assert f"gai: error: {line}\n" in done.stderr
        assert ("Traceback" in done.stderr) == bool(flags)
