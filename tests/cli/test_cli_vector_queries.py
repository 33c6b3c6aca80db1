"""gai vectors nearest, analogy, similarity and odd-one-out: words, pipes, terminals, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors

from gai.output.vectors import Vectors, save
from gai.terms import Terms

Quick = Callable[..., "subprocess.CompletedProcess[bytes]"]

# Two axes: royal and female. A man is (0, -1), a queen (1, 1).
ROWS = {
    "king": (1.0, -1.0, 0.1),
    "queen": (1.0, 1.0, 0.1),
    "man": (0.0, -1.0, 0.1),
    "woman": (0.0, 1.0, 0.1),
    "prince": (0.9, -1.0, 0.3),
    "cereal": (0.0, 0.0, 1.0),
    "new york": (0.1, 0.1, 0.9),
    "-man": (-1.0, 0.2, 0.2),
}


def written(path: Path, rows: Mapping[str, tuple[float, ...]]) -> Path:
    save(Vectors(Terms.of(rows), np.array([*rows.values()], np.float32)), path)
    return path


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    return written(tmp_path / "v.npz", ROWS)


@pytest.fixture(scope="module")
def peer() -> KeyedVectors:
    made = KeyedVectors(3)
    made.add_vectors([*ROWS], np.array([*ROWS.values()], np.float32))
    return made


def table(out: bytes) -> list[list[str]]:
    return [line.split("\t") for line in out.decode().splitlines()]


def ranked(rows: list[list[str]]) -> list[tuple[str, Any]]:
    return [(word, pytest.approx(float(score), abs=1e-6)) for _, word, score in rows]


def test_the_nearest_words_in_a_pipe(quick: Quick, vectors: Path, peer: KeyedVectors) -> None:
    ended = quick("vectors", "nearest", vectors, "king", "new york", "-k", "3")
    assert (ended.returncode, ended.stderr) == (0, b"")
    rows = table(ended.stdout)
    assert [row[0] for row in rows] == ["king"] * 3 + ["new york"] * 3
    assert ranked(rows) == peer.most_similar("king", topn=3) + peer.most_similar("new york", topn=3)


def test_scores_read_back_as_the_same_float32(quick: Quick, vectors: Path) -> None:
    for _, _, score in table(quick("vectors", "nearest", vectors, "king").stdout):
        assert str(np.float32(score)) == score


def test_formats_say_the_same(quick: Quick, vectors: Path, tmp_path: Path) -> None:
    rows = table(quick("vectors", "nearest", vectors, "king").stdout)
    assert len(rows) == len(ROWS) - 1
    lines = quick("vectors", "nearest", vectors, "king", "--format", "jsonl").stdout.splitlines()
    told = [json.loads(line) for line in lines]
    assert [[one["word"], one["neighbour"], str(np.float32(one["score"]))] for one in told] == rows
    quick("vectors", "nearest", vectors, "king", "-o", tmp_path / "near.csv")
    header, *comma = (tmp_path / "near.csv").read_text().splitlines()
    assert header == "word,neighbour,score"
    assert [line.split(",") for line in comma] == rows


def test_only_the_first_words_are_found(quick: Quick, vectors: Path) -> None:
    rows = table(quick("vectors", "nearest", vectors, "new york", "--top-words", "2").stdout)
    assert sorted(row[1] for row in rows) == ["king", "queen"]


@pytest.mark.parametrize("dash", [[], ["-"]])
def test_words_from_a_pipe(quick: Quick, vectors: Path, dash: list[str]) -> None:
    expected = quick("vectors", "nearest", vectors, "king", "new york").stdout
    for text in (b"king\nnew york\n", b"\xef\xbb\xbfking\r\n\n  new york  "):
        assert quick("vectors", "nearest", vectors, *dash, stdin=text).stdout == expected


def test_lines_that_cannot_be_answered_are_told_and_the_others_answered(
    quick: Quick, vectors: Path
) -> None:
    expected = quick("vectors", "nearest", vectors, "king", "man").stdout
    ended = quick("vectors", "nearest", vectors, stdin=b"king\nqueeen\n\nMan\nman\n")
    assert (ended.returncode, ended.stdout) == (1, expected)
    assert ended.stderr.decode().splitlines() == [
        "gai: line 2: the vectors have no word 'queeen' (near it: queen)",
        "gai: line 4: the vectors have no word 'Man' (did you mean man?)",
        "gai: error: 2 of 4 lines not answered",
    ]


def test_an_unknown_word_among_arguments_ends_the_run(quick: Quick, vectors: Path) -> None:
    ended = quick("vectors", "nearest", vectors, "king", "queeen")
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert ended.stderr == (b"gai: error: the vectors have no word 'queeen'\n  near it: queen\n")


def test_a_word_in_a_pipe_is_answered_before_the_next_is_asked(
    vectors: Path, variables: Callable[..., dict[str, str]]
) -> None:
    words = [sys.executable, "-m", "gai", "vectors", "nearest", str(vectors), "-k", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, env=variables()) as process:
        assert process.stdin
        assert process.stdout
        for word, near in [(b"king", b"prince"), (b"cereal", b"new york")]:
            process.stdin.write(word + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(word + b"\t" + near + b"\t")
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["king", "-", "man", "+", "woman"],
        ["king - man + woman"],
        ["--", "king", "-", "man", "+woman"],
        ["-", "man", "+", "king", "+", "woman"],
    ],
)
@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_analogies(
    quick: Quick, vectors: Path, peer: KeyedVectors, words: list[str], method: str
) -> None:
    ended = quick("vectors", "analogy", "-k", "2", "--method", method, vectors, *words)
    assert (ended.returncode, ended.stderr) == (0, b"")
    solve = peer.most_similar if method == "3cosadd" else peer.most_similar_cosmul
    rows = table(ended.stdout)
    assert ranked(rows) == solve(positive=["king", "woman"], negative=["man"], topn=2)
    assert rows[0][1] == "queen"
    spelt = "- man + king + woman" if words[0] == "-" else "king - man + woman"
    assert {row[0] for row in rows} == {spelt}


def test_several_expressions_and_expressions_from_a_pipe(quick: Quick, vectors: Path) -> None:
    text = "king - man + woman\nqueen - woman + man\n"
    piped = quick("vectors", "analogy", vectors, "-k", "1", stdin=text.encode())
    assert [row[1] for row in table(piped.stdout)] == ["queen", "king"]
    typed = quick("vectors", "analogy", vectors, "-k", "1", *text.splitlines())
    assert typed.stdout == piped.stdout
    ended = quick("vectors", "analogy", vectors, stdin=b"king queen\nking + quen\nking -man\n")
    assert ended.returncode == 1
    errors = ended.stderr.decode().splitlines()
    assert errors[0].startswith("gai: line 1: king queen: no + or - between king and queen")
    assert errors[1] == "gai: line 2: the vectors have no word 'quen' (near it: queen)"
    assert errors[2].startswith("gai: line 3: king -man: no + or - between king and -man")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["king", "man"], "no + or - between king and man"),
        (["king", "-"], "a word is missing at the end"),
        (["king", "-", "+", "man"], "a word is missing between - and +"),
        (["king - king"], "nothing is left"),
        (["-", "king", "--method", "3cosmul"], "needs a word with a +"),
    ],
)
def test_what_is_no_expression(quick: Quick, vectors: Path, words: list[str], message: str) -> None:
    ended = quick("vectors", "analogy", vectors, *words)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert message in ended.stderr.decode()


def test_similarity_of_two_words_and_of_pairs(
    quick: Quick, vectors: Path, peer: KeyedVectors
) -> None:
    ended = quick("vectors", "similarity", vectors, "king", "new york")
    word, other, score = table(ended.stdout)[0]
    assert (word, other) == ("king", "new york")
    assert float(score) == pytest.approx(peer.similarity("king", "new york"), abs=1e-6)
    piped = quick("vectors", "similarity", vectors, stdin=b"king\tnew york\t7.5\nking man\n")
    assert piped.returncode == 0
    assert piped.stdout.splitlines()[0] == ended.stdout.strip()
    assert table(piped.stdout)[1][:2] == ["king", "man"]
    bad = quick("vectors", "similarity", vectors, stdin=b"king\nking man woman\nking\tman\n")
    assert bad.returncode == 1
    assert bad.stderr.count(b"two words are compared") == 2
    assert len(table(bad.stdout)) == 1
    assert quick("vectors", "similarity", vectors, "king").returncode == 2


def test_the_odd_one_out(quick: Quick, vectors: Path, peer: KeyedVectors) -> None:
    words = ["king", "cereal", "prince", "queen"]
    ended = quick("vectors", "odd-one-out", vectors, *words)
    listed, odd, score = table(ended.stdout)[0]
    assert (listed, odd) == ("king cereal prince queen", peer.doesnt_match(words))
    assert float(score) == pytest.approx(min(peer.rank_by_centrality(words))[0], abs=1e-6)
    text = b"king cereal prince queen\nnew york\tking\tprince\nking man\n"
    piped = quick("vectors", "odd-one-out", vectors, "--format", "jsonl", stdin=text)
    assert piped.returncode == 1
    assert b"line 3: king man: too few words" in piped.stderr
    told = [json.loads(line) for line in piped.stdout.splitlines()]
    assert told[0]["words"] == words
    assert told[1]["words"] == ["new york", "king", "prince"]
    assert [one["odd"] for one in told] == [odd, "new york"]


@pytest.mark.parametrize("name", ["nearest", "analogy", "similarity", "odd-one-out"])
def test_what_is_missing_is_named(quick: Quick, name: str, vectors: Path) -> None:
    ended = quick("vectors", name)
    assert ended.returncode == 2
    assert b"which vectors?" in ended.stderr
    ended = quick("vectors", name, "none.npz", stdin=b"a\n")
    assert ended.returncode == 1
    assert b"none.npz" in ended.stderr
    empty = quick("vectors", name, vectors, stdin=b"\n\n")
    assert (empty.returncode, empty.stdout) == (1, b"")
    assert b"standard input is empty" in empty.stderr


def test_words_that_are_no_utf8_pass_as_they_are(quick: Quick, tmp_path: Path) -> None:
    words = [b"king", b"qu\xe9en"]
    rows = np.array([[1, 0], [1, 1]], np.float32).tobytes()
    body = b"".join(word + b" " + rows[8 * n : 8 * n + 8] + b"\n" for n, word in enumerate(words))
    (tmp_path / "raw.bin").write_bytes(b"2 2\n" + body)
    ended = quick("vectors", "nearest", "raw.bin", "king")
    assert ended.stdout.startswith(b"king\tqu\xe9en\t0.707")
    told = quick("vectors", "nearest", "raw.bin", "king", "--format", "jsonl").stdout
    assert json.loads(told)["neighbour"] == "qu\udce9en"


def test_bytes_that_are_no_utf8_are_found(quick: Quick, vectors: Path) -> None:
    ended = quick("vectors", "nearest", vectors, stdin=b"king\nman\nk\xffng\n")
    assert ended.returncode == 1
    assert b"standard input, line 3: this is no UTF-8" in ended.stderr


def test_a_terminal_gets_a_table_without_control_characters(
    on_terminal: Any, tmp_path: Path
) -> None:
    rows = {"king": (1.0, 0.0), "que\x1b[31men": (1.0, 0.1), "\u202eman": (0.0, 1.0)}
    path = written(tmp_path / "odd.npz", rows)
    shown = on_terminal("vectors", "nearest", path, "king").out
    assert "neighbour" in shown
    assert r"que\x1b[31men" in shown
    assert r"\u202eman" in shown
    assert "0.9950" in shown
    raw = on_terminal("vectors", "nearest", path, "king", "--format", "tsv").out
    assert r"que\x1b[31men" in raw
    assert on_terminal("vectors", "nearest", path).code == 2
    piped = on_terminal("vectors", "nearest", path, "-k", "1", stdin=b"king\n\x1b[2J\n")
    assert piped.code == 1
    assert "\x1b[2J" not in piped.out
    assert r"no word '\x1b[2J'" in piped.out


def test_what_was_asked_stands_once_in_a_table(on_terminal: Any, vectors: Path) -> None:
    shown = on_terminal("vectors", "nearest", str(vectors), "king", "queen", "-k", "2").out
    first = [line.split("  ")[0].strip() for line in shown.splitlines()]
    assert [text for text in first if text in ROWS] == ["king", "queen"]


def test_nothing_slow_is_imported(vectors: Path, variables: Callable[..., dict[str, str]]) -> None:
    script = (
        "import sys; from gai.cli.main import main\n"
        f"assert main(['vectors', 'nearest', {os.fspath(vectors)!r}, 'king']) == 0\n"
        "slow = {'gensim', 'scipy', 'sklearn', 'numba', 'spacy', 'rich.table', 'threadpoolctl'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=variables(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_a_make_rule_and_a_word_about_the_work(quick: Quick, vectors: Path, tmp_path: Path) -> None:
    words = ["-v", "-o", tmp_path / "near.tsv", "--deps", tmp_path / "near.d"]
    ended = quick("vectors", "nearest", vectors, "king", *words)
    assert ended.stderr.startswith(b"gai: 1 answered from 8 words in ")
    assert os.fspath(vectors) in (tmp_path / "near.d").read_text()
    assert len((tmp_path / "near.tsv").read_bytes().splitlines()) == 7
