"""gai vectors documents, search and reduce: what they write, what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gai.counts import count
from gai.documents import Reader, Reading
from gai.output.dense import load_dense
from gai.output.vectors import Vectors, load, save
from gai.signature import as_dict, signature
from gai.terms import Terms
from gai.tokens.analysis import Analysis
from gai.vectors.documents import Scheme, composed

WORDS = ["the", "cat", "dog", "mat", "sat", "barked"]
LINES = "The cat sat on the mat.\nThe dog barked at the cat.\nNobody here\nmat mat\n"


def vectors_of(dim: int = 5, **analysis: Any) -> Vectors:
    """Vectors that remember how their text became words, where ``analysis`` says so."""
    rows = np.random.default_rng(dim).normal(size=(len(WORDS), dim)).astype(np.float32)
    said = signature("glove", as_dict(Analysis(**analysis)), documents=1, terms=6)
    return Vectors(Terms.of(WORDS), rows, signature=said if analysis else None)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    save(vectors_of(), tmp_path / "v.npz")
    return tmp_path / "v.npz"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    (tmp_path / "lines.txt").write_text(LINES)
    return tmp_path / "lines.txt"


# gai vectors documents


@pytest.mark.parametrize("weights", ["average", "tfidf", "sif"])
def test_every_format_holds_the_vectors_of_the_api(
    quick: Any, vectors: Path, lines: Path, tmp_path: Path, weights: str
) -> None:
    counts = count(Reader(Reading((str(lines),), per="line")), Analysis())
    expected = composed(counts, vectors_of(), Scheme(weights)).array()
    words = ("vectors", "documents", vectors, "--per", "line", "--weights", weights, lines)
    assert quick(*words, "-o", "docs.npz").returncode == 0
    assert_array_equal(load_dense(tmp_path / "docs.npz").vectors, expected)
    piped = quick(*words)
    assert piped.stderr == b"gai: no word with a vector in 1 of 4 documents: zeros\n"
    rows = [line.split("\t") for line in piped.stdout.decode().splitlines()]
    assert [name for name, *_ in rows] == [f"{lines}:{number}" for number in (1, 2, 3, 4)]
    assert_array_equal(np.array([row[1:] for row in rows], np.float32), expected)
    shown = [json.loads(line) for line in quick(*words, "--format", "jsonl").stdout.splitlines()]
    assert_array_equal(np.array([one["vector"] for one in shown], np.float32), expected)
    assert len(quick(*words, "--format", "csv", "-q").stdout.splitlines()) == 5


def test_the_bytes_do_not_depend_on_the_jobs(
    quick: Any, vectors: Path, corpora: Path, tmp_path: Path
) -> None:
    source = (corpora / "inaugural", "--per", "paragraph", "--weights", "sif")
    for jobs in ("1", "3"):
        done = quick("vectors", "documents", vectors, *source, "-j", jobs, "-o", f"{jobs}.npz")
        assert done.returncode == 0
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "3.npz").read_bytes()


def test_text_becomes_words_as_it_did_for_the_vectors(
    quick: Any, lines: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cased.npz"
    save(vectors_of(lowercase=False, stop_words=("on",)), path)
    found = quick("vectors", "documents", path, "--per", "line", lines, "-o", "docs.npz")
    assert found.returncode == 0
    said = load_dense(tmp_path / "docs.npz").signature
    assert (said["analysis"]["lowercase"], said["analysis"]["stop_words"]) == (False, [])
    dog = load_dense(tmp_path / "docs.npz").vectors[1]
    known = vectors_of(lowercase=False).matrix[[2, 5, 0, 1]]  # The is another word than the
    assert_allclose(dog, known.mean(0), rtol=1e-6)
    for flag in (("--strip-accents", "ascii"), ("--tokenizer", "word")):
        refused = quick("vectors", "documents", path, lines, *flag)
        assert refused.returncode == 2
        expected = f"{' '.join(flag)} contradicts {path}"
        assert expected in refused.stderr.decode()


def test_words_may_be_left_out_and_tokens_come_from_anywhere(
    quick: Any, lines: Path, tmp_path: Path
) -> None:
    path = tmp_path / "v.npz"
    save(vectors_of(tokenizer="pretokenized"), path)
    source = ("vectors", "documents", path, "--per", "line", lines)
    done = quick(*source, "--stop-words", "english", "-o", "docs.npz")
    assert done.returncode == 0
    rows = load_dense(tmp_path / "docs.npz").vectors
    assert_allclose(rows[1], vectors_of(tokenizer="pretokenized").matrix[[1, 2, 5]].mean(0), 1e-6)


def test_a_terminal_gets_a_table(
    on_terminal: Callable[..., Any], vectors: Path, lines: Path
) -> None:
    shown = on_terminal("vectors", "documents", str(vectors), "--per", "line", str(lines))
    assert shown.code == 0
    assert "dimensions" in shown.out
    assert "lines.txt:4" in shown.out
    found = on_terminal("vectors", "search", str(vectors), "a mat", "--per", "line", str(lines))
    assert found.code == 0
    assert "no vector for a" in found.out
    assert "mat mat" in found.out
    assert found.out.index("mat mat") < found.out.index("The cat sat on the mat.")


def test_make_learns_what_the_vectors_were_made_from(
    quick: Any, vectors: Path, lines: Path, tmp_path: Path
) -> None:
    output = ("-o", "docs.npz", "--deps", "docs.d")
    assert quick("vectors", "documents", vectors, lines, *output).returncode == 0
    rule = (tmp_path / "docs.d").read_text()
    assert str(vectors) in rule
    assert str(lines) in rule


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--sif-a", "0.1"), "--sif-a 0.1 needs --weights sif"),
        (("--weights", "sif"), "1 shared direction taken away from 1 document"),
        (("--oov", "subwords"), "these vectors know no parts of words"),
        (("--weights", "mean"), "choose from average, tfidf, sif"),
        (("--remove-top", "5"), "the vectors have 5 dimensions"),
        (("-o", "docs.bin"), "cannot tell the format of 'docs.bin'"),
        (("--keep-case", "--stop-words", "nothing.txt"), "nothing.txt"),
    ],
)
def test_what_cannot_be_done_is_said(
    quick: Any, vectors: Path, lines: Path, flags: tuple[str, ...], message: str
) -> None:
    done = quick("vectors", "documents", vectors, lines, *flags)
    assert done.returncode in (1, 2)
    assert message in done.stderr.decode()
    assert done.stdout == b""


def test_documents_without_any_known_word_are_an_error(
    quick: Any, vectors: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.txt").write_text("nothing known here")
    done = quick("vectors", "documents", vectors, "other.txt", "-o", "docs.npz")
    assert done.returncode == 1
    assert b"no word of the documents has a vector" in done.stderr
    assert not (tmp_path / "docs.npz").exists()


# gai vectors search


@pytest.mark.parametrize("weights", ["average", "tfidf", "sif"])
def test_the_nearest_are_found_in_files_and_in_an_index(
    quick: Any, vectors: Path, lines: Path, tmp_path: Path, weights: str
) -> None:
    source = ("--per", "line", "--weights", weights, lines)
    assert quick("vectors", "documents", vectors, *source, "-o", "docs.npz").returncode == 0
    made = load_dense(tmp_path / "docs.npz").vectors.astype(np.float64)
    asked = ("vectors", "search", vectors, "mat mat")
    for where in (source, ("--index", "docs.npz")):
        done = quick(*asked, *where)
        assert done.returncode == 0
        rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
        assert [rank for rank, _, _ in rows] == ["1", "2", "3"]
        places = [int(document.rpartition(":")[2]) - 1 for _, _, document in rows]
        assert places[0] == 3  # the query itself; line 3 has no known word
        cosines = made[places] @ made[3] / np.linalg.norm(made[places], axis=1)
        expected = cosines / np.linalg.norm(made[3])
        assert_allclose([float(score) for _, score, _ in rows], expected, atol=1e-6)
        assert (np.diff(expected) <= 0).all()
    fewer = quick(*asked, "--index", "docs.npz", "-k", "1", "--format", "jsonl")
    assert json.loads(fewer.stdout) == {"rank": 1, "score": pytest.approx(1), "id": f"{lines}:4"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("barkd",), 1, "the vectors have no word 'barkd'\n  near it: barked"),
        (("",), 2, "the query is empty"),
        (("...",), 1, "there is no word in the query"),
        (("cat", "--index", "docs.npz", "lines.txt"), 2, "lines.txt contradicts --index docs.npz"),
        (("cat", "--index", "docs.npz", "--weights", "sif"), 2, "--weights sif contradicts"),
        (("cat", "--index", "docs.npz", "--per", "line"), 2, "--per line contradicts --index"),
        (("cat", "--index", "docs.npz", "--keep-case"), 2, "--keep-case contradicts --index"),
        (("cat", "--index", "v.npz"), 1, "v.npz holds no vectors of documents"),
        (("cat", "--index", "longer.npz"), 1, "longer.npz has 9 dimensions"),
        (("cat", "--index", "none.npz"), 1, "cannot read none.npz"),
        ((), 2, "what is to be found?"),
    ],
)
def test_questions_that_have_no_answer(
    quick: Any,
    vectors: Path,
    lines: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    save(vectors_of(9), tmp_path / "longer-words.npz")
    source = ("--per", "line", lines, "-q")
    quick("vectors", "documents", vectors, *source, "-o", "docs.npz")
    quick("vectors", "documents", "longer-words.npz", *source, "-o", "longer.npz")
    where = () if "--index" in words or not words else (lines,)
    done = quick("vectors", "search", vectors, *words, *where)
    assert message in done.stderr.decode()
    assert done.returncode == code
    assert done.stdout == b""


def test_words_of_the_query_without_a_vector_are_named(
    quick: Any, vectors: Path, lines: Path
) -> None:
    done = quick("vectors", "search", vectors, "a cat named mat", "--per", "line", lines)
    assert b"no vector for a, named: searching for the other words" in done.stderr


# gai vectors reduce


def test_reduced_vectors_say_what_is_left_of_them(quick: Any, tmp_path: Path) -> None:
    save(vectors_of(9), tmp_path / "v.npz")
    flags = ("--dim", "3", "--numbers", "int8", "--top", "5")
    done = quick("vectors", "reduce", "v.npz", *flags, "-o", "small.npz", "-v")
    assert done.returncode == 0
    found = load(tmp_path / "small.npz")
    assert (len(found), found.dim, found.dtype) == (5, 3, np.int8)
    said = found.signature["reduction"]
    share, near = 100 * said["explained"], said["cosine"]
    assert f"5 of 6 words, 3 of 9 dimensions with {share:.1f} % of the variance, int8 with a mean "
    assert f"mean cosine of {near:.6f}" in done.stderr.decode()
    assert f"3 of 9 dimensions with {share:.1f} % of the variance" in done.stderr.decode()
    assert quick("vectors", "reduce", "v.npz", *flags, "-o", "again.npz").stderr == b""
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "small.npz").read_bytes()


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("-o", "small.npz"), 2, "nothing to reduce"),
        (("--dim", "3"), 2, "reduced vectors need a file"),
        (("--numbers", "int8", "-o", "small.vec"), 2, "contradicts word2vec-text"),
        (("--dim", "9", "-o", "small.npz"), 1, "6 words with 5 dimensions have no 9 dimensions"),
        (("--numbers", "int4", "-o", "small.npz"), 2, "did you mean int8?"),
        (("--dim", "3", "-o", "nowhere/small.npz"), 1, "nowhere"),
    ],
)
def test_what_cannot_be_reduced(
    quick: Any, vectors: Path, tmp_path: Path, flags: tuple[str, ...], code: int, message: str
) -> None:
    done = quick("vectors", "reduce", vectors, *flags)
    assert message in done.stderr.decode()
    assert done.returncode == code
    assert not (tmp_path / "small.npz").exists()
