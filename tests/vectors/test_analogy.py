"""Analogies: gensim and formulas by hand as oracles; expressions as people type them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.output.vectors import Vectors
from gai.terms import Terms
from gai.vectors import neighbours
from gai.vectors.analogy import EPSILON, Expression, parse, solve, vocabulary

WORDS = [f"w{place}" for place in range(300)]


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(Terms.of(WORDS), normal(1, 300, 20) * np.arange(1, 301)[:, None].astype("f4"))


@pytest.fixture(scope="module")
def peer(vectors: Vectors) -> KeyedVectors:
    made = KeyedVectors(20)
    made.add_vectors(WORDS, vectors.matrix)
    return made


def spelt(vectors: Vectors, places: np.ndarray) -> list[str]:
    return [vectors.words[place] for place in places.tolist()]


EXPRESSIONS = [
    "w1 - w2 + w3",
    "w9 - w8",
    "w5",
    "- w5 + w7 + w8 - w9 + w10",
    "w1 + w1 - w2",
    "w4 - w5 + w6",
]


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
@pytest.mark.parametrize("restrict", [None, 100])
@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_gensim_solves_them_the_same_way(
    vectors: Vectors, peer: KeyedVectors, method: str, restrict: int | None
) -> None:
    expressions = [parse(text.split(), ()) for text in EXPRESSIONS]
    places, scores = solve(vectors, expressions, 8, method, limit=restrict)
    for number, one in enumerate(expressions):
        given = {"positive": one.signed(1), "negative": one.signed(-1)}
        if method == "3cosadd":
            expected = peer.most_similar(**given, topn=8, restrict_vocab=restrict)
        else:
            # gensim's 3CosMul cannot be restricted.
            every = peer.most_similar_cosmul(**given, topn=300)
            expected = [pair for pair in every if pair[0] in WORDS[:restrict]][:8]
        assert spelt(vectors, places[number]) == [word for word, _ in expected]
        assert scores[number] == pytest.approx([s for _, s in expected], rel=1e-4, abs=1e-6)


def by_hand(rows: np.ndarray, plus: list[int], minus: list[int]) -> np.ndarray:
    units = neighbours.unit(rows)
    shifted = (1 + np.clip(units @ units.T, -1, 1)) / 2
    scores: np.ndarray = shifted[plus].prod(axis=0) / (shifted[minus].prod(axis=0) + EPSILON)
    return scores


@given(st.data())
def test_products_of_cosines_near_zero_and_far_apart(data: Any) -> None:
    # Whole numbers make opposite vectors, whose shifted cosine is 0: scores from 0 to a million.
    row = st.lists(st.integers(-2, 2).map(float), min_size=3, max_size=3)
    rows = np.array(data.draw(st.lists(row, min_size=4, max_size=150)), np.float32)
    words = WORDS[: len(rows)]
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=4))
    one = Expression(tuple(words[c] for c in chosen), (1, *[-1] * (len(chosen) - 1)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "BLOCK", 1)
        patched.setattr(neighbours, "CROWD", 1)
        places, scores = solve(Vectors(Terms.of(words), rows), [one], 5, "3cosmul")
    expected = by_hand(rows, chosen[:1], chosen[1:])
    left = sorted(set(range(len(rows))) - set(chosen), key=lambda place: -expected[place])
    found = places[0][places[0] >= 0]
    assert scores[0, : len(found)] == pytest.approx(expected[left[:5]], rel=1e-6, abs=1e-9)
    assert expected[found] == pytest.approx(expected[left[:5]], rel=1e-6, abs=1e-9)
    assert not set(found.tolist()) & set(chosen)


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_many_at_once_are_solved_as_one_by_one(vectors: Vectors, method: str) -> None:
    drawn = np.random.default_rng(5).integers(0, 300, (600, 3)).tolist()
    asked = [Expression(tuple(WORDS[p] for p in row), (1, -1, 1)) for row in drawn]
    places, scores = solve(vectors, asked, 3, method, jobs=2)
    for number in range(0, 600, 41):
        alone = solve(vectors, asked[number : number + 1], 3, method)
        assert np.array_equal(alone[0][0], places[number])
        assert alone[1][0].tobytes() == scores[number].tobytes()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("king - man + woman", "king - man + woman"),
        ("king -man +woman", "king - man + woman"),
        ("- man + king", "- man + king"),
        ("-man king", None),
        ("+ king - well-known", "king - well-known"),
        ("king", "king"),
        ("king + -man-", "king + -man-"),
        ("king -f", "king - f"),
        ("king man", None),
        ("king - + man", None),
        ("king -", None),
        ("-", None),
        ("", None),
        ("king - king", None),
        ("king - king + man", "king - king + man"),
    ],
)
def test_expressions(typed: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(UsageError):
            parse(typed.split(), {"-man-"})
    else:
        assert str(parse(typed.split(), {"-man-"})) == meant


def test_a_sign_belongs_to_a_word_that_is_known_with_it() -> None:
    vectors = Vectors(Terms.of(["a", "-a", "+"]), normal(1, 3, 2))
    assert vocabulary(vectors, ["-a", "-b", "+", "a"]) == {"-a"}


def test_an_unknown_word_that_is_an_expression_without_spaces(vectors: Vectors) -> None:
    with pytest.raises(GaiError, match="w1-w2") as caught:
        solve(vectors, [parse(["w1-w2"], ())], 1)
    assert caught.value.hint == "put spaces around + and -: w1 - w2"
    with pytest.raises(GaiError) as caught:
        solve(vectors, [parse(["w1-xyz"], ())], 1)
    assert "spaces" not in caught.value.hint


def test_three_cos_mul_needs_something_to_add(vectors: Vectors) -> None:
    with pytest.raises(UsageError, match="needs a word"):
        solve(vectors, [Expression(("w1",), (-1,))], 1, "3cosmul")
    places, _ = solve(vectors, [Expression(("w1",), (-1,))], 1)
    assert places.shape == (1, 1)
