"""Paice's measures: by hand, and against counting every pair."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.texts.paice import Paice, paice

# Two groups of words, as a lemmatizer would make them, and what a stemmer makes of the words.
DIVIDE = {"divide": "divid", "dividing": "divid", "divided": "divid", "division": "divis"}
DIVINE = {"divine": "divin", "divines": "divin", "divinity": "divin", "divers": "diver"}
DIVE = {"dive": "dive", "diver": "diver"}


def test_an_example_by_hand() -> None:
    words = [
        (name, stem)
        for name, group in [("divide", DIVIDE), ("divine", DIVINE), ("dive", DIVE)]
        for stem in group.values()
    ]
    # Desired merges: 4*3/2 + 4*3/2 + 2*1/2 = 13. Unmade: (3*1 + 1*3)/2 twice, (1*1 + 1*1)/2 once.
    # Desired non-merges: (4*6 + 4*6 + 2*8)/2 = 32. Wrong: divers and diver, (1*1 + 1*1)/2.
    found = paice(words)
    assert found == Paice(gdmt=13, gumt=3 + 3 + 1, gdnt=32, gwmt=1)
    assert found.ui == 7 / 13
    assert found.oi == 1 / 32
    assert found.sw == pytest.approx((1 / 32) / (7 / 13))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=25))
def test_it_is_a_count_of_pairs(words: list[tuple[int, int]]) -> None:
    pairs = list(combinations(words, 2))
    same = [(a[0] == b[0], a[1] == b[1]) for a, b in pairs]
    found = paice(words)
    assert found.gdmt == sum(group for group, _ in same)
    assert found.gumt == sum(group and not stem for group, stem in same)
    assert found.gdnt == sum(not group for group, _ in same)
    assert found.gwmt == sum(stem and not group for group, stem in same)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=25))
def test_it_is_the_sums_of_the_article(words: list[tuple[int, int]]) -> None:
    groups, stems = {group for group, _ in words}, {stem for _, stem in words}
    of_group = {g: sum(group == g for group, _ in words) for g in groups}
    of_stem = {s: sum(stem == s for _, stem in words) for s in stems}
    both = {(g, s): words.count((g, s)) for g in groups for s in stems}
    found = paice(words)
    assert 2 * found.gdmt == sum(n * (n - 1) for n in of_group.values())
    assert 2 * found.gdnt == sum(n * (len(words) - n) for n in of_group.values())
    assert 2 * found.gumt == sum(n * (of_group[g] - n) for (g, _), n in both.items())
    assert 2 * found.gwmt == sum(n * (of_stem[s] - n) for (_, s), n in both.items())


def test_no_stemming_is_all_understemming_and_one_stem_all_overstemming() -> None:
    words = ["a1", "a2", "b1", "b2", "b3"]
    nothing = paice((word[0], word) for word in words)
    assert (nothing.ui, nothing.oi, nothing.sw) == (1, 0, 0)
    everything = paice((word[0], "") for word in words)
    assert (everything.ui, everything.oi, everything.sw) == (0, 1, None)


def test_what_cannot_be_measured_is_none() -> None:
    assert paice([]) == Paice(0, 0, 0, 0)
    assert (paice([]).ui, paice([]).oi, paice([]).sw) == (None, None, None)
    assert paice([("a", "x"), ("a", "y")]).oi is None
    assert paice([("a", "x"), ("a", "y")]).sw is None
    assert paice([("a", "x"), ("b", "y")]).ui is None
