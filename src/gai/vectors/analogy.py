"""Analogies: sums of words, by 3CosAdd and 3CosMul (Levy and Goldberg 2014, CoNLL, 171-180)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.output.vectors import Vectors
from gai.vectors.neighbours import (
    QUERIES,
    Places,
    Rows,
    Scores,
    cosine,
    margin,
    nearest,
    search,
    unit,
)
from gai.vectors.words import query_vectors

METHODS = ("3cosadd", "3cosmul")

EPSILON = 1e-6
"""What 3CosMul adds to the denominator, as gensim does."""

SIGNS = {"+": 1, "-": -1}
PLUS, MINUS = 1, -1


@dataclass(frozen=True)
class Expression:
    """Words, each added (1) or taken away (-1)."""

    words: tuple[str, ...]
    signs: tuple[int, ...]

    def __str__(self) -> str:
        spelt = [
            f"{'+' if s > 0 else '-'} {w}" for s, w in zip(self.signs, self.words, strict=True)
        ]
        return " ".join(spelt).removeprefix("+ ")

    def signed(self, sign: int) -> list[str]:
        """The words that have this sign."""
        return [word for word, own in zip(self.words, self.signs, strict=True) if own == sign]


@dataclass(eq=False)
class Product:
    """Words scored by 3CosMul: the product of their cosines with the words that are added, divided
    by that with those taken away plus ``EPSILON``, all cosines shifted to [0, 1].

    ``rows`` is float32 (words, dim); ``plus`` (n, added) and ``minus`` (n, taken away) hold places
    in it for each of n queries.
    """

    rows: Rows
    plus: Places
    minus: Places

    @cached_property
    def units(self) -> NDArray[np.float64]:
        return unit(self.rows)

    @cached_property
    def probes(self) -> Rows:
        return self.units.astype(np.float32)

    @property
    def count(self) -> int:
        return len(self.plus)

    def upper(self, cosines: Rows) -> Rows:
        # A shift by the margin bounds the cosines; the last factor is for rounding after that.
        one, error = np.float32(1), margin(self.rows.shape[1])
        high: Rows = cosines + (one + error)
        high /= 2
        low = np.maximum(cosines + (one - error), 0, out=cosines)
        low /= 2
        found = high[self.plus[:, 0]]
        for places in self.plus.T[1:]:
            found *= high[places]
        below = np.ones((1, 1), np.float32)
        for places in self.minus.T:
            below = below * low[places]
        found /= below + np.float32(EPSILON)
        found *= one + np.float32((self.plus.shape[1] + self.minus.shape[1] + 4) * 2.0**-23)
        return found

    def exact(self, queries: Places, rows: Rows) -> Scores:
        above = self.shifted(self.plus[queries], rows)
        return (above / (self.shifted(self.minus[queries], rows) + EPSILON)).astype(np.float32)

    def shifted(self, probes: Places, rows: Rows) -> NDArray[np.float64]:
        """The product of the shifted cosines of each row with some probes: float64 (rows,)."""
        product = np.ones(len(rows))
        for places in probes.T:
            product *= (1 + cosine(self.units[places], rows)) / 2
        return product


def solve(
    vectors: Vectors,
    expressions: Sequence[Expression],
    k: int,
    method: str = "3cosadd",
    *,
    limit: int | None = None,
    jobs: int = 1,
) -> tuple[Places, Scores]:
    """The ``k`` best words for each expression and their scores, as
    :func:`gai.vectors.neighbours.nearest` gives them; words of the expression are left out.

    3CosAdd scores by the cosine with the sum of the unit vectors. Raises GaiError for an unknown
    word, and UsageError where 3CosMul has nothing to add.
    """
    words = list(dict.fromkeys(word for expression in expressions for word in expression.words))
    rows = vectors_of(vectors, words)
    places, numbers = vectors.find(words), {word: number for number, word in enumerate(words)}
    exclude = padded([[int(places[numbers[w]]) for w in e.words] for e in expressions])
    if method == "3cosmul":
        return products(vectors, expressions, rows, numbers, k, exclude, limit, jobs)
    units = unit(rows)
    sums = np.zeros((len(expressions), vectors.dim))
    for total, expression in zip(sums, expressions, strict=True):
        for word, sign in zip(expression.words, expression.signs, strict=True):
            total += sign * units[numbers[word]]
    return nearest(vectors, sums.astype(np.float32), k, exclude, limit=limit, jobs=jobs)


def products(
    vectors: Vectors,
    expressions: Sequence[Expression],
    rows: Rows,
    numbers: dict[str, int],
    k: int,
    exclude: Places,
    limit: int | None,
    jobs: int,
) -> tuple[Places, Scores]:
    """What :func:`solve` gives, by 3CosMul: expressions of one shape together."""
    shapes: dict[tuple[int, int], list[int]] = {}
    for place, expression in enumerate(expressions):
        shape = len(expression.signed(PLUS)), len(expression.signed(MINUS))
        shapes.setdefault(shape, []).append(place)
        if not shape[0]:
            raise UsageError(f"{expression}: 3cosmul needs a word with a +", "or --method 3cosadd")
    k = min(k, len(vectors) if limit is None else min(limit, len(vectors)))
    places = np.empty((len(expressions), k), np.int64)
    scores = np.empty((len(expressions), k), np.float32)
    for shape, which in shapes.items():
        chosen = [expressions[place] for place in which]
        plus, minus = (
            np.array([[numbers[w] for w in e.signed(sign)] for e in chosen], np.int64)
            for sign in (PLUS, MINUS)
        )
        minus = minus.reshape(len(chosen), shape[1])
        places[which], scores[which] = multiplied(
            vectors, rows, plus, minus, k, exclude[which], limit=limit, jobs=jobs
        )
    return places, scores


def multiplied(
    vectors: Vectors,
    rows: Rows,
    plus: Places,
    minus: Places,
    k: int,
    exclude: Places,
    *,
    limit: int | None,
    jobs: int,
) -> tuple[Places, Scores]:
    """The ``k`` best words by 3CosMul for queries as :class:`Product` takes them."""
    found = []
    for first in range(0, len(plus), QUERIES):
        part = slice(first, first + QUERIES)
        # Only the words of these queries: the cosines of each are computed but once.
        asked, which = np.unique(np.hstack([plus[part], minus[part]]), return_inverse=True)
        which = which.reshape(-1, plus.shape[1] + minus.shape[1])
        added, taken = which[:, : plus.shape[1]], which[:, plus.shape[1] :]
        scoring = Product(rows[asked], added, taken)
        found.append(search(vectors, scoring, k, exclude[part], limit=limit, jobs=jobs))
    return np.concatenate([places for places, _ in found]), np.concatenate([s for _, s in found])


def padded(lists: Sequence[Sequence[int]]) -> Places:
    """The lists as rows of one array, with -1 behind the shorter ones."""
    width = max(map(len, lists), default=0)
    rows = [[*row, *[-1] * (width - len(row))] for row in lists]
    return np.array(rows, np.int64).reshape(len(lists), width)


def parse(tokens: Sequence[str], known: Container[str]) -> Expression:
    """The expression that the tokens spell: words, with + or - between them.

    A sign may stand in a token of its own or at the beginning of a word, unless the token as it is
    is ``known``. Raises UsageError where a word or a sign is missing.
    """
    words: list[str] = []
    signs: list[int] = []
    sign = ""
    for part in (part for token in tokens for part in parts(token, known)):
        if part in SIGNS:
            if sign:
                raise UsageError(f"{' '.join(tokens)}: a word is missing between {sign} and {part}")
            sign = part
        elif words and not sign:
            hint = "king - man + woman"
            raise UsageError(f"{' '.join(tokens)}: no + or - between {words[-1]} and {part}", hint)
        else:
            words.append(part)
            signs.append(SIGNS[sign or "+"])
            sign = ""
    if sign or not words:
        raise UsageError(f"{' '.join(tokens)}: a word is missing at the end", "king - man + woman")
    return checked(Expression(tuple(words), tuple(signs)))


def parts(token: str, known: Container[str]) -> tuple[str, ...]:
    """The sign that a token begins with, and the word behind it; a known word is left whole."""
    if len(token) > 1 and token[0] in SIGNS and token not in known:
        return token[0], token[1:]
    return (token,)


def checked(expression: Expression) -> Expression:
    """The same; raises UsageError where each word that is added is taken away again."""
    if sorted(expression.signed(PLUS)) == sorted(expression.signed(MINUS)):
        raise UsageError(f"{expression}: nothing is left of this", "king - man + woman")
    return expression


def vocabulary(vectors: Vectors, tokens: Iterable[str]) -> set[str]:
    """The tokens that are words with a vector of their own: what :func:`parse` wants to know."""
    signed = list(dict.fromkeys(token for token in tokens if token[:1] in SIGNS and token[1:]))
    places = vectors.find(signed)
    return {token for token, place in zip(signed, places.tolist(), strict=True) if place >= 0}


def vectors_of(vectors: Vectors, words: Sequence[str]) -> Rows:
    """The vectors of the words; of an unknown one the error says if it is an expression itself."""
    try:
        return query_vectors(vectors, words)
    except GaiError as error:
        for word in words:
            found = re.split("([+-])", word)
            if len(found) > 1 and all(found) and (vectors.find(found[::2]) >= 0).all():
                hint = f"put spaces around + and -: {' '.join(found)}"
                raise GaiError(error.message, hint) from None
        raise
