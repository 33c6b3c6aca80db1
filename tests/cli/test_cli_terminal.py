"""What a person sees, and what a pipe gets: tables, colours, control characters, progress."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gai.cli import display, terminal
from gai.output import load

ANSI = "\x1b["


def test_a_terminal_gets_a_summary_and_the_heaviest_terms(on_terminal: Any, corpora: Path) -> None:
    files = sorted((corpora / "inaugural").glob("*.txt"))
    ended = on_terminal("tfidf", *files)
    assert ended.code == 0
    assert ANSI in ended.out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ended.out)
    for word in ("documents", "terms", "non-zeros", "density", "time", "MB/s", "arrive 0.0"):
        assert word in plain
    assert f"... and {len(files) - display.DOCUMENTS} more documents" in plain
    assert max(map(len, plain.splitlines())) <= 100


def test_no_colour_means_no_escape_sequences(on_terminal: Any, two: Path) -> None:
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        ended = on_terminal("tfidf", "--per", "line", two, env=env)
        assert ended.code == 0
        assert "heaviest" in ended.out
        assert "\x1b" not in ended.out


def test_top_shows_all_documents_and_all_their_terms(on_terminal: Any, corpora: Path) -> None:
    files = sorted((corpora / "inaugural").glob("*.txt"))
    ended = on_terminal("bow", *files, "--top", "30", env={"NO_COLOR": "1"})
    assert ended.out.count("Washington.txt") == 2
    assert len(re.findall(r"[^ ,]\.txt", ended.out)) == len(files)
    assert "more documents" not in ended.out
    shown = re.sub(r"^.*\.txt +[0-9,]+", "", ended.out, flags=re.MULTILINE)
    assert len(re.findall(r"\S+ \d+(?= |$)", shown, re.MULTILINE)) == 30 * len(files)


@pytest.mark.parametrize(
    "words", [["bow"], ["bow", "--format", "tsv"], ["freq"], ["bow", "--top", "1"]]
)
def test_control_characters_never_reach_a_terminal(
    words: list[str], on_terminal: Any, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes("\x1b]0;owned\x07 \x9b31m \u202e [bold]a[/bold]".encode())
    ended = on_terminal(*words, "--token-pattern", r"\S+", tmp_path / "x", env={"NO_COLOR": "1"})
    assert ended.code == 0
    assert "[bold]a[/bold]" in ended.out or "--top" in words
    assert not set(ended.out) & set("\x1b\x07\x9b\u202e")
    assert r"\x1b" in ended.out


def test_a_pipe_gets_what_the_document_holds(gai: Any) -> None:
    done = gai("bow", "--token-pattern", r"\S+", stdin=b"\x1b]0;owned\x07\n")
    assert done.stdout == b"-:1\t\x1b]0;owned\x07\t1\n"


def test_a_person_without_input_gets_a_hint(on_terminal: Any) -> None:
    ended = on_terminal("tfidf")
    assert ended.code == 2
    assert "gai: error: no input" in ended.out


def test_input_may_be_piped_in_front_of_a_person(on_terminal: Any) -> None:
    ended = on_terminal("freq", stdin=b"b a b", env={"NO_COLOR": "1"})
    assert ended.code == 0
    assert re.search(r"^b +2 +1$", ended.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("flags", "says"), [([], True), (["-q"], False), (["-v"], True), (["-q", "-v"], False)]
)
def test_a_written_file_is_reported_to_a_person(
    flags: list[str], says: bool, on_terminal: Any, two: Path, tmp_path: Path
) -> None:
    ended = on_terminal("bow", two, "-o", tmp_path / "x.npz", *flags)
    assert ended.code == 0
    assert load(tmp_path / "x.npz").shape == (1, 8)
    assert ended.out.startswith("gai: 1 document, 8 terms, ") == says
    assert bool(ended.out) == says


@pytest.mark.parametrize(("flags", "says"), [([], False), (["-v"], True)])
def test_a_log_is_told_only_on_demand(flags: list[str], says: bool, gai: Any, two: Path) -> None:
    done = gai("bow", two, *flags)
    assert done.returncode == 0
    assert (b"non-zeros" in done.stderr) == says
    assert b"non-zeros" not in done.stdout


def test_binary_formats_are_not_for_terminals(on_terminal: Any, two: Path) -> None:
    ended = on_terminal("bow", two, "--format", "npz")
    assert ended.code == 2
    assert "npz" in ended.out


def test_help_is_coloured_for_a_person_only(on_terminal: Any, gai: Any) -> None:
    assert ANSI in on_terminal("bow", "--help").out
    assert ANSI not in on_terminal("bow", "--help", env={"NO_COLOR": "1"}).out
    assert ANSI.encode() not in gai("bow", "--help").stdout


@pytest.mark.parametrize("columns", [70, 80, 200])
def test_help_fits_the_terminal(columns: int, on_terminal: Any) -> None:
    ended = on_terminal("tfidf", "--help", columns=columns, env={"NO_COLOR": "1"})
    longest = max(ended.out.splitlines(), key=len)
    assert len(longest) <= columns, longest


def test_the_table_fits_a_narrow_terminal(on_terminal: Any, corpora: Path) -> None:
    files = sorted((corpora / "udhr").glob("[c-g]*.txt"))
    ended = on_terminal("tfidf", *files, columns=70, env={"NO_COLOR": "1"})
    assert max(map(display.wide, ended.out.splitlines())) <= 70


def test_a_bar_shows_up_when_the_work_takes_long(on_terminal: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "slow.py"
    pipe.write_text(
        "import sys, time\nfrom gai.cli import progress\nfrom gai.cli.main import main\n"
        "import gai.counts\n"
        "count = gai.counts.count\n"
        "def slow(*a, **k):\n    time.sleep(0.5)\n    return count(*a, **k)\n"
        "gai.counts.count = slow\nprogress.PATIENCE = 0.1\nsys.exit(main())\n"
    )
    (tmp_path / "x.txt").write_text("a b c")
    words = ["bow", tmp_path / "x.txt", "-o", tmp_path / "x.npz"]
    assert "━" in on_terminal(*words, script=pipe).out
    assert "━" not in on_terminal(*words, "-q", script=pipe).out
    assert "━" not in on_terminal(*words, script=pipe, env={"NO_COLOR": "1"}).out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("naïve 中 \u200d", "naïve 中 \u200d"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x85\n\t", r"\x85\x0a\x09"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("\udcff", r"\udcff"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert terminal.escape(text) == shown


def test_ends_and_beginnings_fit() -> None:
    assert display.end_of("corpora/a.txt", 20) == "corpora/a.txt"
    assert display.end_of("corpora/中文文件.txt", 10) == "…文件.txt"
    assert display.wide(display.end_of("x" * 50, 10)) == 10
    assert display.wide(display.start_of("中" * 50, 10)) == 10
