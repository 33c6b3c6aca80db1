"""Terms against Python's own strings, sorted() and dict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gai.terms import Terms

# Few letters, so that terms share prefixes; NUL, because zero padding looks like it.
NASTY = st.text(alphabet="ab\0\x01é中\U0001f600", max_size=24)
LONG = st.builds(lambda stem, times, end: stem * times + end, NASTY, st.integers(1, 12), NASTY)
WORDS = st.lists(st.one_of(NASTY, LONG, st.text(max_size=6)), max_size=30)
PADDED = ["a", "a\0", "a" + 15 * "\0", "a" + 16 * "\0", "", "\0", "a" + 15 * "\0" + "b"]
DEEP = ["x" * 64, "x" * 65, "x" * 64 + "\0", "x" * 80 + "b", "x" * 80 + "a", "x" * 64, "x" * 48]


@given(WORDS)
def test_is_the_sequence_it_was_made_of(words: list[str]) -> None:
    terms = Terms.of(iter(words))
    assert len(terms) == len(words)
    assert list(terms) == words
    assert [terms[place] for place in range(-len(words), len(words))] == words + words
    assert terms.lengths().tolist() == [len(word.encode()) for word in words]
    assert terms == Terms.of(words)


@given(WORDS, st.data())
def test_slices_and_takes_like_a_list(words: list[str], data: st.DataObject) -> None:
    terms = Terms.of(words)
    cut = data.draw(st.slices(len(words)))
    assert list(terms[cut]) == words[cut]
    places = st.lists(st.integers(0, len(words) - 1), max_size=40) if words else st.just([])
    order = data.draw(places)
    assert list(terms.take(np.array(order, np.int64))) == [words[place] for place in order]


def test_a_slice_may_step_further_than_numbers_of_64_bits_reach() -> None:
    assert list(Terms.of([])[:: 1 << 63]) == []
    assert list(Terms.of(["a", "b"])[:: 1 << 63]) == ["a"]


@given(WORDS)
@example(PADDED + PADDED[::-1])
@example(DEEP + DEEP[::-1])
def test_sorts_as_python_does_and_keeps_the_order_of_equal_terms(words: list[str]) -> None:
    order = Terms.of(words).argsort()
    assert order.dtype == np.int64
    assert order.tolist() == sorted(range(len(words)), key=words.__getitem__)


@given(WORDS)
@example(PADDED + PADDED)
@example(DEEP + DEEP)
def test_groups_equal_terms_by_rank(words: list[str]) -> None:
    order, ranks = Terms.of(words).group()
    ranked = {word: rank for rank, word in enumerate(sorted(set(words)))}
    assert order.tolist() == sorted(range(len(words)), key=words.__getitem__)
    assert ranks.tolist() == [ranked[word] for word in words]


@given(st.lists(WORDS, max_size=4))
def test_concatenates(parts: list[list[str]]) -> None:
    joined = Terms.concatenate([Terms.of(part) for part in parts])
    assert list(joined) == [word for part in parts for word in part]
    assert joined.offsets.dtype == np.int64
    assert joined.arena.dtype == np.uint8


def test_takes_more_than_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gai.terms.arena.PIECE", 7)
    words = ["", "abc", "a much longer term", "", "é", "12345678", ""] * 3
    order = np.random.default_rng(1).permutation(len(words))
    assert list(Terms.of(words).take(order)) == [words[place] for place in order]


def test_iterates_over_more_than_one_piece() -> None:
    words = [f"tërm{number}" for number in range(70_000)]
    assert list(Terms.of(words)) == words


def test_refuses_lone_surrogates() -> None:
    with pytest.raises(UnicodeEncodeError):
        Terms.of(["fine", "\udc80"])


@pytest.mark.parametrize("place", [3, -4])
def test_has_no_term_outside(place: int) -> None:
    with pytest.raises(IndexError, match="of 3"):
        Terms.of(["a", "b", "c"])[place]


def test_says_what_it_holds() -> None:
    assert repr(Terms.of("abc")) == "<3 terms: 'a', 'b', 'c'>"
    assert repr(Terms.of("abcdefg")).endswith("'e', ...>")
    assert Terms.of("ab") != Terms.of("ba")
    assert Terms.of("ab") != ["a", "b"]
