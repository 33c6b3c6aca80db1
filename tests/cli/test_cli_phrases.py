"""gai phrases: what it prints, what it keeps, what it refuses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gai.phrases import load

TEXT = (
    "New York never sleeps.\nIn New York the bank of England rests.\nBank of England, New York!\n"
)
LOOSE = ("--min-count", "1", "--threshold", "1")


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Three lines that know two phrases."""
    path = tmp_path / "lines.txt"
    path.write_text(TEXT)
    return path


def test_a_pipe_gets_phrase_score_and_count_best_first(quick: Any, lines: Path) -> None:
    done = quick("phrases", "--per", "line", *LOOSE, "--connectors", "english", lines)
    assert (done.returncode, done.stderr) == (0, b"")
    # 7 words but in, the, of; and 7 pairs: (2 - 1) / (2 * 2) * 14, (3 - 1) / (3 * 3) * 14
    assert done.stdout == b"bank_of_england\t3.5\t2\nnew_york\t3.1111111111111107\t3\n"


def test_documents_are_whole_files_unless_told_otherwise(quick: Any, lines: Path) -> None:
    whole = quick("phrases", *LOOSE, "--threshold", "0.1", lines)
    apart = quick("phrases", *LOOSE, "--threshold", "0.1", "--per", "line", lines)
    assert whole.returncode == apart.returncode == 0
    assert whole.stdout != apart.stdout


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl"])
def test_every_format_says_the_same(quick: Any, corpora: Path, format: str) -> None:
    source = (corpora / "inaugural", "--per", "line", "--connectors", "english", "-k", "30")
    done = quick("phrases", *source, "--format", format)
    expected = [
        (name, float(score), int(count))
        for name, score, count in (
            line.split("\t") for line in quick("phrases", *source).stdout.decode().splitlines()
        )
    ]
    assert len(expected) == 30
    assert expected == sorted(expected, key=lambda row: (-row[1], row[0]))
    assert list(rows(done.stdout.decode(), format)) == expected


def rows(text: str, format: str) -> Any:
    if format == "jsonl":
        for line in text.splitlines():
            found = json.loads(line)
            assert "_".join(found["words"]) == found["phrase"]
            yield found["phrase"], found["score"], found["count"]
        return
    table = csv.reader(io.StringIO(text), delimiter="," if format == "csv" else "\t")
    if format == "csv":
        assert next(table) == ["phrase", "score", "count"]
    yield from ((name, float(score), int(count)) for name, score, count in table)


def test_a_terminal_gets_a_table(on_terminal: Callable[..., Any], corpora: Path) -> None:
    shown = on_terminal("phrases", str(corpora / "inaugural"), "--per", "line")
    assert shown.code == 0
    assert "chief_magistrate" in shown.out
    assert "259" in shown.out
    assert "239 more phrases" in shown.out


def test_control_characters_never_reach_a_terminal(
    on_terminal: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a\x1b[31m b\x1b[0m\n" * 9)
    shown = on_terminal("phrases", str(path), "--pretokenized", *LOOSE, "--threshold", "0.1")
    assert "\\x1b[31m" in shown.out
    assert "\x1b[31m" not in shown.out


def test_a_file_keeps_everything(quick: Any, lines: Path, tmp_path: Path) -> None:
    options = ("--per", "line", *LOOSE, "--connectors", "english", "--keep-case")
    done = quick("phrases", *options, lines, "-o", "kept.json")
    assert (done.returncode, done.stdout) == (0, b"")
    kept = load(str(tmp_path / "kept.json"))
    assert [name for name, _ in kept.ranked()] == ["New_York"]
    assert kept.learning.connectors_name == "english"
    assert kept.signature["analysis"]["lowercase"] is False
    assert kept.signature["reading"]["per"] == "line"
    assert kept.signature["documents"] == 3
    assert str(tmp_path) not in (tmp_path / "kept.json").read_text()
    again = quick("phrases", *options, lines, "--format", "json")
    assert again.stdout == (tmp_path / "kept.json").read_bytes()


def test_what_is_kept_joins_text(quick: Any, lines: Path) -> None:
    quick("phrases", "--per", "line", *LOOSE, "--connectors", "english", lines, "-o", "kept.json")
    done = quick("tokenize", "--unit", "phrase", "--phrases", "kept.json", lines, "--per", "line")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [
        "new_york never sleeps",
        "in new_york the bank_of_england rests",
        "bank_of_england new_york",
    ]


def test_standard_input_is_read_once_for_two_passes(quick: Any, corpora: Path) -> None:
    text = (corpora / "inaugural" / "1841-Harrison.txt").read_bytes() * 3
    one = quick("phrases", "-", "--passes", "1", stdin=text)
    two = quick("phrases", "-", "--passes", "2", stdin=text)
    assert two.returncode == 0
    assert set(one.stdout.splitlines()) < set(two.stdout.splitlines())


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_the_bytes_do_not_depend_on_jobs(quick: Any, corpora: Path, jobs: int) -> None:
    source = (corpora / "gutenberg", "--per", "paragraph", "--connectors", "english")
    options = ("--passes", "2", "--format", "json")
    expected = quick("phrases", *source, *options, "-j", "1").stdout
    assert len(expected) > 10_000
    assert quick("phrases", *source, *options, "-j", jobs, "--memory", "300M").stdout == expected


def test_connectors_and_delimiter_are_the_users(quick: Any, lines: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("OF\n")
    options = ("--connectors", "mine.txt", "--delimiter", "~", "-o", "x.tsv", "--deps", "x.d")
    done = quick("phrases", "--per", "line", *LOOSE, *options, lines)
    assert done.returncode == 0
    assert "bank~of~england\t" in (tmp_path / "x.tsv").read_text()
    assert "mine.txt" in (tmp_path / "x.d").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--ngrams", "2"), "no such option: --ngrams"),
        (("--scoring", "npmi", "--threshold", "2"), "threshold 2"),
        (("--threshold", "0"), "threshold 0"),
        (("--threshold", "-7"), "--threshold -7"),
        (("--min-count", "0"), "--min-count 0"),
        (("--passes", "0"), "--passes 0"),
        (("--scoring", "pmi"), "--scoring pmi: did you mean npmi?"),
        (("--delimiter", ""), "delimiter"),
        (("-k", "3", "-o", "x.json"), "-k 3 contradicts json"),
        (("-o", "x.npz"), "npz"),
        (("--deps", "x.d"), "--deps needs -o"),
    ],
)
def test_nonsense_is_refused_before_any_work(
    quick: Any, lines: Path, words: tuple[str, ...], said: str
) -> None:
    done = quick("phrases", lines, *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--connectors", "english2"), "english2"),
        (("none.txt",), "none.txt"),
        (("-o", "none/x.json"), "none"),
    ],
)
def test_what_is_missing_is_named(
    quick: Any, lines: Path, words: tuple[str, ...], said: str
) -> None:
    done = quick("phrases", lines, *words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert said in done.stderr.decode()


def test_no_documents_and_no_phrases(quick: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    none = quick("phrases", "--per", "line", "empty.txt")
    assert none.returncode == 1
    assert b"no documents" in none.stderr
    few = quick("phrases", "-", stdin=b"nothing to see here\n")
    assert (few.returncode, few.stdout) == (0, b"")


def test_info_shows_what_a_model_was_learned_from(quick: Any, lines: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    assert quick("phrases", lines, "--threshold", "0.1", "-o", model).returncode == 0
    shown = quick("info", model).stdout.decode()
    assert "kind\tphrases" in shown
    assert "tokenizer:unicode" in shown
