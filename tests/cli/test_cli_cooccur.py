"""gai cooccur: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TEXT = "A rose is a rose.\n\nis rose\n"
ALL = ("--min-count", "1")


@pytest.fixture
def roses(tmp_path: Path) -> Path:
    """Two sentences; in words: a rose is a rose, is rose."""
    path = tmp_path / "roses.txt"
    path.write_text(TEXT)
    return path


def test_a_pipe_gets_word_context_and_count(quick: Any, roses: Path) -> None:
    done = quick("cooccur", *ALL, "--window", "2", roses)
    assert (done.returncode, done.stderr) == (0, b"")
    # rose: a 1 + 1/2 + 1, is 1 + 1/2 + 1 (of the other line); a: is 1/2 + 1
    assert done.stdout == (
        b"rose\ta\t2.5\nrose\tis\t2.5\na\trose\t2.5\na\tis\t1.5\nis\trose\t2.5\nis\ta\t1.5\n"
    )


def test_asymmetric_counts_what_follows(quick: Any, roses: Path) -> None:
    done = quick("cooccur", *ALL, "--window", "1", "--asymmetric", roses)
    assert done.stdout == b"rose\tis\t1.0\na\trose\t2.0\nis\trose\t1.0\nis\ta\t1.0\n"


def test_flat_counts_are_whole_numbers(quick: Any, roses: Path) -> None:
    done = quick("cooccur", *ALL, "--flat", "--asymmetric", "-k", "2", roses)
    assert done.stdout == b"a\trose\t3\nis\trose\t2\n"


def test_words_left_out_leave_no_gap(quick: Any, roses: Path) -> None:
    done = quick("cooccur", "--min-count", "3", "--flat", "--window", "1", roses)
    assert done.stdout == b"rose\trose\t2\n"
    few = quick("cooccur", *ALL, "--max-vocab", "1", "--flat", "--window", "1", roses)
    assert few.stdout == done.stdout


def test_the_heaviest_pairs_come_once(quick: Any, roses: Path) -> None:
    options = ("cooccur", *ALL, "--window", "2", "-k", "9", roses)
    rows = [line.split("\t") for line in quick(*options).stdout.decode().splitlines()]
    assert rows == [["a", "rose", "2.5"], ["is", "rose", "2.5"], ["a", "is", "1.5"]]
    records = quick(*options, "--format", "jsonl").stdout.decode().splitlines()
    assert json.loads(records[0]) == {"word": "a", "context": "rose", "value": 2.5}
    table = quick(*options, "--format", "csv").stdout.decode().splitlines()
    assert table[:2] == ["word,context,value", "a,rose,2.5"]


def test_a_file_is_a_matrix_with_its_words(quick: Any, roses: Path, tmp_path: Path) -> None:
    from scipy.sparse import load_npz

    path = tmp_path / "x.npz"
    done = quick("cooccur", *ALL, "--window", "2", roses, "-o", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert load_npz(path).toarray().tolist() == [[0, 2.5, 2.5], [2.5, 0, 1.5], [2.5, 1.5, 0]]
    facts = json.loads(quick("info", path, "--format", "json").stdout)
    assert facts["kind"] == "cooccur"
    assert facts["first terms"] == facts["first documents"] == ["rose", "a", "is"]
    assert facts["signature"]["cooccurrence"] == {
        "window": 2,
        "symmetric": True,
        "weighting": "inverse",
        "weight": "count",
        "shift": 1.0,
        "alpha": 1.0,
        "min_cell": 0.0,
    }
    assert quick("top", path, "-k", "1").stdout == b"rose\ta\t2.5\na\trose\t2.5\nis\trose\t2.5\n"


def test_neither_jobs_nor_memory_change_a_byte(quick: Any, corpora: Path, tmp_path: Path) -> None:
    text = corpora / "inaugural"
    runs = [("-j", "1"), ("-j", "3"), ("--memory", "1M", "-j", "2")]
    files = [tmp_path / f"{number}.npz" for number in range(len(runs))]
    for file, options in zip(files, runs, strict=True):
        weights = ("--weight", "ppmi", "--shift", "2", "--alpha", "0.75", "--min-cell", "1")
        assert quick("cooccur", *weights, *options, text, "-o", file).returncode == 0
    assert files[0].read_bytes() == files[1].read_bytes() == files[2].read_bytes()


def test_ppmi_keeps_what_is_above_nothing(quick: Any, corpora: Path) -> None:
    pmi, ppmi = (
        quick("cooccur", "--weight", weight, corpora / "inaugural").stdout.splitlines()
        for weight in ("pmi", "ppmi")
    )
    assert ppmi == [line for line in pmi if float(line.rpartition(b"\t")[2]) > 0]
    assert 0 < len(ppmi) < len(pmi)


def test_standard_input_and_sentences(quick: Any) -> None:
    text = b"One two. Three four.\n"
    lines = quick("cooccur", *ALL, "--flat", "--window", "1", "-", stdin=text)
    apart = quick("cooccur", *ALL, "--flat", "--window", "1", "--sentences", "-", stdin=text)
    assert b"two\tthree\t1\n" in lines.stdout
    assert sorted(apart.stdout.decode().splitlines()) == [
        "four\tthree\t1",
        "one\ttwo\t1",
        "three\tfour\t1",
        "two\tone\t1",
    ]


def test_a_terminal_sees_the_heaviest_pairs(on_terminal: Any, roses: Path) -> None:
    shown = on_terminal("cooccur", *ALL, "--window", "2", str(roses)).out
    for part in ("word", "context", "2.5000", "1.5000", "non-zeros"):
        assert part in shown


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--shift", "5"), 2, "--shift 5.0 changes nothing here"),
        (("--alpha", "0.75", "--weight", "count"), 2, "--alpha 0.75 changes nothing here"),
        (("--weight", "pmi", "--shift", "0"), 2, "a shift of 0 is not above 0"),
        (("--weight", "tfidf"), 2, "--weight"),
        (("--window", "0"), 2, "--window"),
        (("--min-count", "9"), 1, "no word occurs 9 times"),
        (("-k", "3", "-o", "x.npz"), 2, "npz"),
        (("-o", "x.what"), 2, "cannot tell the format of 'x.what'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    quick: Any, roses: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    done = quick("cooccur", *ALL[: 0 if "--min-count" in words else None], *words, roses)
    assert done.returncode == code
    assert done.stdout == b""
    assert message in done.stderr.decode().splitlines()[0]


def test_an_empty_input_is_an_error(quick: Any) -> None:
    done = quick("cooccur", "-", stdin=b"")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no words in the input" in done.stderr


def test_counts_of_neighbours_are_not_applied_to_documents(quick: Any, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a b a b\n")
    quick("cooccur", text, "--min-count", "1", "-o", tmp_path / "x.npz")
    done = quick("bow", "--apply", tmp_path / "x.npz", text)
    assert done.returncode == 2
    assert b"no matrix of documents and terms" in done.stderr
