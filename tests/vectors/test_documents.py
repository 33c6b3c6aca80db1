"""Vectors of documents against plain loops, scikit-learn and work by hand; search in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gai.counts import Counts, count
from gai.documents import Reader, Reading, from_texts
from gai.errors import GaiError, UsageError
from gai.matrix import RowBlock
from gai.output.dense import Dense, load_dense, write_dense
from gai.output.vectors import Vectors
from gai.output.vectors.model import Subwords
from gai.terms import Terms
from gai.tokens.analysis import Analysis
from gai.vectors.blocks import bounds, evenly
from gai.vectors.documents import (
    WEIGHTS,
    Learned,
    Scheme,
    applied,
    composed,
)
from gai.vectors.search import beginnings, best, check_index, query

TEXTS = [
    "the cat sat on the mat",
    "The dog barked at the cat!",
    "nobody here",
    "a dog, a cat, a dog and the other dog",
    "mat",
]
WORDS = ["the", "cat", "dog", "mat", "sat", "barked"]
FREQUENCIES = np.array([500, 40, 30, 5, 20, 1])


def vectors_of(words: Sequence[str] = WORDS, dim: int = 7, **more: Any) -> Vectors:
    rows = np.random.default_rng(len(words)).normal(size=(len(words), dim)).astype(np.float32)
    return Vectors(Terms.of(words), rows, **more)


def counted(texts: Sequence[str] = TEXTS, *sizes: int) -> Counts:
    """The counts of texts, in batches of so many documents."""
    cuts = np.cumsum([0, *sizes, len(texts)]).tolist()
    names = [f"d{number}" for number in range(len(texts))]
    batches = [from_texts(list(texts[a:b]), names[a:b]) for a, b in pairwise(cuts)]
    return count(batches, Analysis())


def plain(
    texts: Sequence[str], vectors: Vectors, weights: dict[str, float], by_weight: bool
) -> np.ndarray:
    """The weighted means by loops over dictionaries: float64 (documents, dim)."""
    rows = dict(zip(vectors.words, vectors.matrix.astype(np.float64), strict=True))
    found = np.zeros((len(texts), vectors.dim))
    for number, text in enumerate(texts):
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        known = [word for word in words if word in rows]
        total = sum(weights[word] for word in known) if by_weight else len(known)
        for word in known:
            found[number] += weights[word] * rows[word] / total
    return found


def test_the_average_is_that_of_the_words_as_often_as_they_stand_there() -> None:
    vectors = vectors_of()
    made = composed(counted(), vectors)
    found = made.array()
    assert found.dtype == np.float32
    assert_allclose(found, plain(TEXTS, vectors, dict.fromkeys(WORDS, 1.0), True), atol=1e-6)
    assert made.empty == 1
    assert not found[2].any()


def test_tfidf_has_the_smooth_idf_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = vectors_of()
    model = TfidfVectorizer(norm="l1", token_pattern=r"\w+", vocabulary=WORDS)
    expected = model.fit_transform(TEXTS) @ vectors.matrix.astype(np.float64)
    found = composed(counted(), vectors, Scheme("tfidf")).array()
    # The vocabulary has no word that is left out, but N and df are those of all documents.
    assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("counts", [None, FREQUENCIES])
def test_sif_is_the_formula_of_the_paper(counts: np.ndarray | None) -> None:
    vectors, a = vectors_of(counts=counts), 1e-2
    tokens = "".join(c if c.isalnum() else " " for c in " ".join(TEXTS).lower()).split()
    if counts is None:
        shares = {word: tokens.count(word) / len(tokens) for word in WORDS}
    else:
        shares = dict(zip(WORDS, counts / counts.sum(), strict=True))
    weights = {word: a / (a + share) for word, share in shares.items()}
    rows = plain(TEXTS, vectors, weights, False)
    first = np.linalg.svd(rows)[2][:1]
    made = composed(counted(), vectors, Scheme("sif", a=a))
    assert_allclose(made.array(), rows - rows @ first.T @ first, atol=1e-6)


def test_sif_worked_by_hand() -> None:
    # Documents "x", "x", "y y y", with p = 2/5 and 3/5 and a = 0.4, 0.6: half of each vector.
    vectors = Vectors(Terms.of(["x", "y"]), np.array([[2, 0], [0, 8]], np.float32))
    made = composed(counted(["x", "x", "y y y"]), vectors, Scheme("sif", a=0.4, remove=0))
    assert_allclose(made.array(), [[1, 0], [1, 0], [0, 3.2]], rtol=1e-6)
    # The squares are 1 + 1 along x and 10.24 along y: what they share is y.
    made = composed(counted(["x", "x", "y y y"]), vectors, Scheme("sif", a=0.4))
    assert_allclose(made.array(), [[1, 0], [1, 0], [0, 0]], atol=1e-7)
    assert_allclose(made.learned.shared, [[0, 1]], atol=1e-12)


def test_several_directions_are_taken_away_and_from_any_weights() -> None:
    vectors = vectors_of()
    whole = composed(counted(), vectors).array().astype(np.float64)
    directions = np.linalg.svd(whole)[2][:2]
    found = composed(counted(), vectors, Scheme("average", remove=2)).array()
    assert_allclose(found, whole - whole @ directions.T @ directions, atol=1e-6)


@settings(max_examples=25)
@given(
    texts=st.lists(st.lists(st.sampled_from([*WORDS, "other"])).map(" ".join), min_size=4),
    cut=st.integers(0, 3),
    weights=st.sampled_from(WEIGHTS),
)
def test_neither_batches_nor_jobs_change_a_bit(texts: list[str], cut: int, weights: str) -> None:
    texts = [*texts, "the cat", "dog mat"]
    vectors = vectors_of()
    one = composed(counted(texts), vectors, Scheme(weights)).array()
    two = composed(counted(texts, cut, 1), vectors, Scheme(weights), jobs=3).array(jobs=3)
    assert_array_equal(one, two)


@given(
    lengths=st.lists(st.integers(0, 6), max_size=30),
    rows=st.integers(1, 7),
    cells=st.integers(1, 12),
    pieces=st.lists(st.integers(1, 30)),
)
def test_rows_cut_evenly_are_the_same_rows(
    lengths: list[int], rows: int, cells: int, pieces: list[int]
) -> None:
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    numbers = np.arange(indptr[-1], dtype=np.int32)
    stops = sorted({min(one, len(lengths)) for one in pieces} | {len(lengths)})
    blocks = [
        RowBlock(
            first,
            indptr[first : last + 1] - indptr[first],
            *(numbers[indptr[first] : indptr[last]],) * 2,
        )
        for first, last in zip([0, *stops], stops, strict=False)
    ]
    wanted = list(bounds(indptr, rows, cells))
    made = list(evenly(blocks, wanted))
    assert [block.first for block in made] == wanted[:-1]
    assert [length for block in made for length in np.diff(block.indptr)] == lengths
    assert_array_equal(np.concatenate([numbers[:0], *(block.indices for block in made)]), numbers)
    for block in made:
        assert block.indptr[0] == 0
        assert len(block.indptr) <= rows + 1
        assert block.indptr[-1] <= cells or len(block.indptr) == 2


def test_small_blocks_make_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = composed(counted(), vectors_of(), Scheme("sif")).array()
    monkeypatch.setattr(bounds, "__defaults__", (2, 3))
    made = composed(counted(), vectors_of(), Scheme("sif"))
    assert [first for first, _ in made.blocks()] == [0, 1, 2, 4]
    assert_allclose(made.array(), expected, atol=1e-6)


def knowing(**more: Any) -> Vectors:
    """Vectors that know parts of words of three letters and more."""
    words, draw = Terms.of(WORDS), np.random.default_rng(3)
    rows, buckets = draw.normal(size=(6, 7)), draw.normal(size=(50, 7))
    parts = Subwords(rows.astype(np.float32), buckets.astype(np.float32), 3, 4)
    return Vectors(words, None, subwords=parts, **more)


def test_words_without_a_row_may_be_made_of_their_parts() -> None:
    vectors, texts = knowing(), ["dogged mat a", "cat mat", "a"]
    made = composed(counted(texts), vectors)
    dogged, mat = vectors.vector("dogged"), vectors.vector("mat")
    assert dogged is not None
    assert mat is not None
    a = vectors.vector("a")  # <a> has three letters
    assert a is not None
    assert list(made.words.terms) == ["a", "cat", "dogged", "mat"]
    assert_allclose(made.array()[0], (dogged + mat + a) / 3, rtol=1e-5)
    skipped = composed(counted(texts), vectors, Scheme(subwords=False))
    assert_allclose(skipped.array()[0], mat, rtol=1e-6)
    assert (made.empty, skipped.empty) == (0, 1)
    with pytest.raises(UsageError, match="no parts of words"):
        composed(counted(texts), vectors_of(), Scheme(subwords=True))


def test_words_made_of_parts_count_as_never_seen_by_sif() -> None:
    vectors = knowing(counts=FREQUENCIES)
    made = composed(counted(["dogged", "cat", "mat dog"]), vectors, Scheme("sif"))
    weights = dict(zip(made.words.terms, made.weights, strict=True))
    assert weights["dogged"] == 1.0
    assert weights["cat"] == pytest.approx(1e-3 / (1e-3 + 40 / 596))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("counts", [None, FREQUENCIES])
def test_a_document_alone_gets_the_vector_it_had_among_all(
    weights: str, counts: np.ndarray | None, tmp_path: Path
) -> None:
    vectors = vectors_of(counts=counts)
    made = composed(counted(), vectors, Scheme(weights, a=0.1))
    path = tmp_path / "docs.npz"
    write_dense(made.dense(), path)
    for learned in (made.learned, Learned.of(load_dense(path))):
        alone = query(TEXTS[3], Analysis(), vectors, learned)
        assert_array_equal(alone.vector, made.array()[3])
        assert alone.missing == ["a", "and", "other"]
        again = applied(counted(), vectors, learned)
        assert_array_equal(again.array(), made.array())


def test_new_words_weigh_as_rare_ones() -> None:
    vectors = vectors_of()
    learned = composed(counted(["the cat", "the dog"]), vectors, Scheme("tfidf")).learned
    found = query("the mat", Analysis(), vectors, learned).vector
    the, mat = np.log(3 / 3) + 1, np.log(3 / 1) + 1
    expected = (the * vectors.matrix[0] + mat * vectors.matrix[3]) / (the + mat)
    assert_allclose(found, expected, rtol=1e-5)


def test_what_cannot_be_done_is_said() -> None:
    vectors = vectors_of()
    with pytest.raises(GaiError, match="no word of the documents"):
        composed(counted(["nothing", "here"]), vectors)
    with pytest.raises(GaiError, match="1 shared direction taken away from 1 document would"):
        composed(counted(["cat", "nothing"]), vectors, Scheme("sif"))
    with pytest.raises(GaiError, match="the vectors have 7 dimensions"):
        composed(counted(), vectors, Scheme(remove=7))
    for wrong in ({"weights": "mean"}, {"a": 0.0}, {"remove": -1}):
        with pytest.raises(UsageError):
            Scheme(**wrong)


def test_the_signature_says_what_changed_a_number(tmp_path: Path) -> None:
    vectors = vectors_of(signature={"kind": "glove"})
    path = tmp_path / "docs.npz"
    write_dense(composed(counted(), vectors, Scheme("sif")).dense(), path)
    said = load_dense(path).signature
    assert said["kind"] == "documents"
    assert said["weighting"] == {
        "weights": "sif",
        "a": 0.001,
        "p": "documents",
        "remove": 1,
        "subwords": False,
    }
    assert said["vectors"]["signature"] == {"kind": "glove"}
    assert said["vectors"]["fingerprint"] == vectors.fingerprint()
    assert vectors_of([*WORDS[:-1], "barking"]).fingerprint() != vectors.fingerprint()


# Files


def dense() -> Dense:
    return composed(counted(), vectors_of()).dense()


def test_numpy_opens_the_npz_and_gai_maps_it(tmp_path: Path) -> None:
    path = tmp_path / "docs.npz"
    write_dense(dense(), path)
    expected = composed(counted(), vectors_of()).array()
    with np.load(path) as opened:
        assert_array_equal(opened["vectors"], expected)
    stored = load_dense(path)
    assert stored.shape == (5, 7)
    assert_array_equal(stored.vectors, expected)
    assert list(stored.documents) == ["d0", "d1", "d2", "d3", "d4"]


def test_text_formats_read_back_as_the_same_float32(tmp_path: Path) -> None:
    expected = composed(counted(), vectors_of()).array()
    for format in ("tsv", "csv", "jsonl"):
        write_dense(dense(), tmp_path / f"docs.{format}")
    rows = [line.split("\t") for line in (tmp_path / "docs.tsv").read_text().splitlines()]
    listed = list(csv.reader(io.StringIO((tmp_path / "docs.csv").read_text())))
    lines = [json.loads(line) for line in (tmp_path / "docs.jsonl").read_text().splitlines()]
    assert listed[0] == ["document", "1", "2", "3", "4", "5", "6", "7"]
    for found in (rows, listed[1:], [[line["id"], *line["vector"]] for line in lines]):
        assert [name for name, *_ in found] == ["d0", "d1", "d2", "d3", "d4"]
        assert_array_equal(np.array([row[1:] for row in found]).astype(np.float32), expected)


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, vectors=np.zeros((2, 2), np.float32))
    with pytest.raises(GaiError, match="holds no vectors of documents"):
        load_dense(path)
    write_dense(dense(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(GaiError, match="cut short or damaged"):
        load_dense(path)
    with pytest.raises(UsageError, match="cannot tell the format"):
        write_dense(dense(), tmp_path / "docs.bin")
    with pytest.raises(UsageError, match="not compressed"):
        write_dense(dense(), tmp_path / "docs.npz.gz")


# Search


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 12), size=st.integers(1, 8))
def test_the_best_are_those_of_a_full_sort(seed: int, k: int, size: int) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.integers(-2, 3, size=(20, 3)).astype(np.float32)  # with zeros and many ties
    asked = draw.normal(size=3).astype(np.float32)
    blocks = ((first, rows[first : first + size]) for first in range(0, 20, size))
    places, scores = best(blocks, asked, k)
    wide, filled = rows.astype(np.float64), np.flatnonzero(rows.any(axis=1))
    with np.errstate(invalid="ignore"):
        cosines = (wide @ asked) / np.linalg.norm(wide, axis=1) / np.linalg.norm(asked)
    order = filled[np.argsort(-cosines[filled].astype(np.float32).round(5), kind="stable")][:k]
    assert_allclose(scores, cosines[order], atol=1e-5)
    assert len(places) == min(k, len(filled))
    assert_array_equal(cosines[places].round(5), cosines[order].round(5))
    assert all(
        first < second
        for first, second, one, two in zip(places, places[1:], scores, scores[1:], strict=False)
        if one == two
    )


def test_a_query_must_have_a_word_that_has_a_vector() -> None:
    vectors = vectors_of()
    learned = composed(counted(), vectors).learned
    with pytest.raises(GaiError, match="have no words 'barkd', 'catt'") as caught:
        query("barkd catt", Analysis(), vectors, learned)
    assert "near it: barked" in caught.value.hint
    with pytest.raises(GaiError, match="no word in the query"):
        query("?!", Analysis(), vectors, learned)
    with pytest.raises(GaiError, match="no UTF-8"):
        query("cat \udcff", Analysis(), vectors, learned)


def test_an_index_belongs_to_its_vectors(tmp_path: Path) -> None:
    path = tmp_path / "docs.npz"
    write_dense(dense(), path)
    index = load_dense(path)
    check_index(index, vectors_of(), "v.bin")
    with pytest.raises(GaiError, match=r"has 7 dimensions, v\.bin has 5"):
        check_index(index, vectors_of(dim=5), "v.bin")
    other = Vectors(Terms.of(WORDS), -vectors_of().matrix)
    with pytest.raises(GaiError, match=r"made with other vectors than v\.bin"):
        check_index(index, other, "v.bin")


@pytest.mark.parametrize("per", ["line", "paragraph", "file"])
def test_the_beginnings_of_documents(tmp_path: Path, per: Any) -> None:
    texts = ["first\nstill\r\n\nsecond", "\n\nthird é\n", "x" * 50]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text, newline="")
    paths = tuple(str(tmp_path / f"{number}.txt") for number in range(3))
    reader = Reader(Reading(paths, per=per, block_size=9, split_documents=True))
    expected = {
        "line": ["first", "still", "", "second", "", "", "third é", "x" * 8],
        "paragraph": ["first\nst", "second", "third é", "x" * 8],
        "file": ["first\n", "\n\nthird ", "x" * 8],
    }[per]
    found = beginnings(reader, range(len(expected)), 8)
    assert [found[number] for number in range(len(expected))] == expected
    assert beginnings(reader, [1], 8) == {1: expected[1]}
