"""Texts as rows of ids: terms, characters and features, and the vocabulary that numbers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.nn.data import text
from gai.nn.data.arrays import PAD, UNKNOWN, Ragged, Sparse, places
from gai.nn.data.text import (
    SPECIAL,
    CharacterEncoder,
    FeatureEncoder,
    Numbered,
    TermEncoder,
    Vocabulary,
    characters_in,
    counted,
    cut,
    distinct_in,
    features,
    shape,
    terms_in,
)
from gai.tokens.analysis import Analysis

TEXTS = ["The cat sat on the mat.", "", "It's 3.5 °C — naïve café, ΟΔΟΣ!", "\n \t", "a the THE the"]

rows_of_ids = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)


def ragged(rows: Sequence[Sequence[int]]) -> Ragged:
    values = np.array([value for row in rows for value in row], np.int32)
    return Ragged(values, np.cumsum([0, *map(len, rows)], dtype=np.int64))


def lists(rows: Ragged) -> list[list[int]]:
    """The rows as lists."""
    return [part.tolist() for part in np.split(rows.values, rows.offsets[1:-1])][: rows.rows]


def spelled(found: Numbered) -> list[list[str]]:
    """The terms of each row."""
    terms = list(found.terms)
    return [[terms[id] for id in row] for row in lists(found.rows)]


def vocabulary(*terms: str) -> Vocabulary:
    return Vocabulary([*SPECIAL, *terms], np.zeros(len(terms) + 2, np.int64))


@given(rows_of_ids, st.data())
def test_rows_are_taken_and_padded_as_lists_are(rows: list[list[int]], data: st.DataObject) -> None:
    which = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
    taken = np.array(which, np.int64)
    whole = ragged(rows)
    assert lists(whole.take(taken)) == [rows[i] for i in which]
    width = max([len(rows[i]) for i in which] + [1])
    expected = [rows[i] + [PAD] * (width - len(rows[i])) for i in which]
    assert whole.padded(taken).tolist() == expected


@given(rows_of_ids, st.data())
def test_rows_of_a_matrix_are_taken_as_scipy_takes_them(
    rows: list[list[int]], data: st.DataObject
) -> None:
    from scipy.sparse import csr_matrix

    which = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
    whole = ragged([sorted(set(row)) for row in rows])
    values = np.arange(len(whole.values), dtype=np.float32)
    sparse = Sparse(whole.offsets, whole.values, values, 10).take(np.array(which, np.int64))
    dense = csr_matrix((values, whole.values, whole.offsets), (len(rows), 10)).toarray()
    made = csr_matrix((sparse.data, sparse.indices, sparse.indptr), (len(which), 10)).toarray()
    assert (made == dense[which]).all()


def test_places_are_the_ranges_one_after_the_other() -> None:
    assert places(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
    assert places(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize(
    "analysis",
    [
        Analysis(),
        Analysis(lowercase=False, min_length=2),
        Analysis(analyzer="char", ngrams=(1, 2)),
        Analysis(form="stem:porter", stop_words=("on",)),
    ],
)
def test_kernels_number_terms_as_the_plain_way_does(analysis: Analysis) -> None:
    found = []
    for plain in (True, False):
        number = terms_in(analysis, plain=plain)
        found.append([spelled(number(TEXTS)), spelled(number(["the new cat", "dog"]))])
    assert found[0] == found[1]
    assert any(found[0][0])


def test_terms_keep_their_numbers_in_later_texts() -> None:
    number = terms_in(Analysis(), plain=True)
    first, second = number(["b a b"]), number(["c b", "a"])
    assert lists(first.rows) == [[0, 1, 0]]
    assert lists(second.rows) == [[2, 0], [1]]
    assert list(second.terms) == ["b", "a", "c"]


def test_characters_are_numbered_in_their_order() -> None:
    found = characters_in(["ba", "", "a😀\n"])
    assert list(found.terms) == ["\n", "a", "b", "😀"]
    assert lists(found.rows) == [[2, 1], [], [1, 3, 0]]


@given(st.lists(st.text(st.characters(), max_size=6), max_size=5))
def test_the_characters_are_those_of_the_texts(texts: list[str]) -> None:
    assert ["".join(row) for row in spelled(characters_in(texts))] == texts


@given(st.lists(st.lists(st.text(max_size=3), max_size=4), max_size=5))
def test_the_tokens_are_those_of_the_sentences(sentences: list[list[str]]) -> None:
    found = distinct_in(sentences)
    assert spelled(found) == sentences
    assert len(set(found.terms)) == len(found.terms)
    counts = Counter(token for sentence in sentences for token in sentence)
    assert dict(zip(found.terms, counted(found).tolist(), strict=True)) == counts


def test_features_of_a_word() -> None:
    assert features("McDonald's") == (
        *("wMcDonald's", "lmcdonald's"),
        *("2's", "3d's", "4ld's", "pmcd", "sXxXx.x"),
    )
    assert features("A") == ("wA", "la", "2a", "3a", "4a", "pa", "sX")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("1990s", "0x"), ("U.S.", "X.X."), ("", ""), ("ß日", "x"), ("É3", "X0"), ("--", ".")],
)
def test_the_shape_of_a_word(word: str, expected: str) -> None:
    assert shape(word) == expected


def test_a_vocabulary_has_the_most_frequent_terms_first_and_ties_by_code_points() -> None:
    terms, counts = ["b", "é", "a", "rare", "Z", "most"], np.array([3, 3, 3, 1, 3, 9])
    found = Vocabulary.of(terms, counts, least=2, most=None)
    assert found.terms == [*SPECIAL, "most", "Z", "a", "b", "é"]
    assert found.counts.tolist() == [0, 0, 9, 3, 3, 3, 3]
    assert Vocabulary.of(terms, counts, least=1, most=3).terms == [*SPECIAL, "most", "Z", "a"]
    assert len(Vocabulary.of(terms, counts, least=10, most=None)) == 2


def test_a_term_that_occurs_never_is_no_term() -> None:
    assert Vocabulary.of(["a", "b"], np.array([0, 1]), least=1, most=None).terms[2:] == ["b"]


def test_ids_of_terms_and_of_those_that_the_vocabulary_lacks() -> None:
    known = vocabulary("a", "<unk>", "<pad>", "")
    assert known.places(["<unk>", "a", "b", "<pad>", ""]).tolist() == [3, 2, UNKNOWN, 4, 5]


words = st.sampled_from(["cat", "dog", "the", "x1", "new"])


@given(st.lists(st.lists(st.lists(words, max_size=5).map(" ".join), max_size=4), max_size=4))
def test_terms_become_ids_however_many_texts_come_at_once(pieces: list[list[str]]) -> None:
    known = vocabulary("the", "cat", "dog")
    encode = TermEncoder(known, Analysis())
    for texts in pieces:
        expected = [[known.ids.get(word, UNKNOWN) for word in one.split()] for one in texts]
        assert lists(encode(texts)) == expected


@pytest.mark.parametrize(("names", "value"), [(["SMALL", "SMALL_UNCOMPILED"], 40), (["FORGET"], 3)])
def test_ids_are_the_same_where_an_encoder_begins_anew(
    names: list[str], value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the kernels once there is much to do, and where it remembers too many terms."""
    for name in names:
        monkeypatch.setattr(text, name, value)
    known = vocabulary("the", "cat", "dog")
    encode, begun = TermEncoder(known, Analysis()), []
    for k in range(6):
        assert lists(encode([f"The cat n{k} m{k}", "", f"dog x{k}"])) == [[2, 3, 1, 1], [], [4, 1]]
        begun.append(encode.number)
    assert len(set(map(id, begun))) > 1
    assert encode.plain == (names == ["FORGET"])


@given(st.lists(st.text(max_size=5), max_size=4))
def test_characters_become_ids(texts: list[str]) -> None:
    known = vocabulary("a", "\n", "😀", "0")
    expected = [[known.ids.get(letter, UNKNOWN) for letter in one] for one in texts]
    assert lists(CharacterEncoder(known)(texts)) == expected


def test_features_become_a_row_of_ids_for_each_token() -> None:
    known = vocabulary("wThe", "lthe", "pthe", "sx")
    made = FeatureEncoder(known)([["The", "cat"], [], ["The"]])
    the, cat = [2, 3, 1, 1, 1, 4, 1], [1, 1, 1, 1, 1, 1, 5]
    assert made.values.tolist() == [the, cat, the]
    assert made.offsets.tolist() == [0, 2, 2, 3]
    assert made.values.dtype == np.int32


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_sentences_without_a_token_have_no_rows(sentences: list[list[str]]) -> None:
    made = FeatureEncoder(vocabulary("a"))(sentences)
    assert made.values.shape == (0, len(features("a")))
    assert made.rows == len(sentences)
    assert made.padded(np.arange(made.rows)).shape == (len(sentences), 1, len(features("a")))


@given(rows_of_ids, st.none() | st.integers(1, 4))
def test_long_rows_are_cut(rows: list[list[int]], longest: int | None) -> None:
    assert lists(cut(ragged(rows), longest)) == [row[:longest] for row in rows]
