"""Words asked: their places, and of unknown ones what may have been meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.output.vectors.words import RawTerms
from gai.terms import Terms
from gai.vectors import words
from gai.vectors.similarity import centralities, similarities
from gai.vectors.words import known, query_vectors, spellings

NAMES = ["the", "king", "kind", "kings", "London", "new_york", "naïve", "queen", "NATO"]


@pytest.fixture
def vectors() -> Vectors:
    rows = np.random.default_rng(1).standard_normal((len(NAMES), 4), dtype=np.float32)
    return Vectors(Terms.of(NAMES), rows)


class Parts(Vectors):
    """Vectors that know parts of words: a stand-in for FastText's."""

    def lookup(self, words: Any) -> Any:
        rows, there = super().lookup(words)
        for place, word in enumerate(words):
            if not there[place] and len(word) > 2:
                rows[place], there[place] = len(word), True
        return rows, there


def osa(one: str, other: str) -> int:
    """The optimal string alignment distance, as in the textbook."""
    d = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (not same))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[len(one), len(other)]


letters = st.text("abcäж", max_size=6)


@given(st.lists(letters, max_size=60), st.text("abcäжB", min_size=1, max_size=6))
def test_spellings_are_those_that_the_textbook_finds(terms: list[str], word: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(words, "CHUNK", 7)
        found = spellings(Terms.of(terms), word, count=100)
    most = 1 if len(word) <= 3 else 2
    far = [min(osa(word, term), osa(word.lower(), term)) for term in terms]
    ranked = sorted((d, place) for place, d in enumerate(far) if d <= most and terms[place])
    assert found == [terms[place] for _, place in ranked]


def test_words_that_are_no_utf8_have_spellings_too() -> None:
    names = [b"na\xefve", b"\xa9abc", "naïve".encode(), b"naive"]
    bounds = np.cumsum([0, *map(len, names)])
    terms = RawTerms(np.frombuffer(b"".join(names), np.uint8), bounds)
    assert spellings(terms, "naive") == ["naive", "na\udcefve", "naïve"]
    assert spellings(terms, "abc") == ["\udca9abc"]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("kinng", "near it: king, kind, kings"),
        ("King", "did you mean king?"),
        ("london", "did you mean London?"),
        ("nato", "did you mean NATO?"),
        ("new york", "did you mean new_york?"),
        ("New-York", "did you mean new_york?"),
        ("naive", "near it: naïve"),
        ("Knig", "near it: king, kind, kings"),
        ("xylophone", ""),
        ("", ""),
    ],
)
def test_an_unknown_word_brings_what_was_meant(vectors: Vectors, word: str, hint: str) -> None:
    with pytest.raises(GaiError) as caught:
        known(vectors, ["the", word])
    assert caught.value.message == f"the vectors have no word '{word}'"
    assert caught.value.hint == hint


def test_several_unknown_words_are_named_each_with_its_hint(vectors: Vectors) -> None:
    with pytest.raises(GaiError) as caught:
        query_vectors(vectors, ["xyzzy", "quene", "the", "quene"])
    assert caught.value.message == "the vectors have no words 'xyzzy', 'quene'"
    assert caught.value.hint == "quene: near it: queen"


def test_known_words_are_places(vectors: Vectors) -> None:
    assert known(vectors, ["queen", "the", "queen"]).tolist() == [7, 0, 7]


def test_parts_of_words_answer_for_unseen_ones(vectors: Vectors) -> None:
    parts = Parts(vectors.words, vectors.matrix)
    rows = query_vectors(parts, ["unseen", "king"])
    assert rows.tolist() == [[6.0] * 4, vectors.matrix[1].tolist()]
    with pytest.raises(GaiError, match="'zz'"):
        query_vectors(parts, ["unseen", "zz"])
    nothing = Parts(Terms.of([]), np.empty((0, 4), np.float32))
    assert query_vectors(nothing, ["unseen"]).tolist() == [[6.0] * 4]


def test_similarities_and_the_odd_one_are_those_of_gensim() -> None:
    from gensim.models import KeyedVectors

    rows = np.random.default_rng(2).standard_normal((50, 10), dtype=np.float32)
    names = [f"w{place}" for place in range(50)]
    vectors, peer = Vectors(Terms.of(names), rows), KeyedVectors(10)
    peer.add_vectors(names, rows)
    pairs = list(zip(names, names[7:], strict=False))
    expected = [peer.similarity(*pair) for pair in pairs]
    assert similarities(vectors, pairs) == pytest.approx(expected, abs=1e-6)
    for first in range(0, 40, 5):
        listed = names[first : first + 5]
        central = centralities(vectors, listed)
        ranked = dict(reversed(pair) for pair in peer.rank_by_centrality(listed))
        assert central == pytest.approx([ranked[name] for name in listed], abs=1e-6)
        assert listed[int(central.argmin())] == peer.doesnt_match(listed)
