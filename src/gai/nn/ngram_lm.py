"""An n-gram language model over ids: interpolated Kneser-Ney smoothing, with three discounts.

From Chen and Goodman 1998 (An empirical study of smoothing techniques for language modeling,
section 3, "modified Kneser-Ney"). With h the n - 1 tokens before w, and h' without the first of
them:

    p_n(w | h) = (c(h w) - D(c(h w))) / c(h) + g(h) p_(n-1)(w | h')

where c counts occurrences at the highest order, and below it how many different tokens stand
before h w; c(h) is the sum of c(h w) over w, and g(h) what the discounts took away, so that
everything adds up to 1. Below the first order every token is equally likely.

A k-gram is found by the number of its first k - 1 tokens and its last token, packed into one int64;
its own number is its place among all such keys, sorted. Nothing is hashed, nothing can collide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where there are too few grams to tell; KenLM falls back on the same."""


class Level(NamedTuple):
    """The k-grams of one k.

    ``keys`` int64, sorted: number of the first k - 1 tokens times ``width``, plus the last token.
    ``raw`` is how often each occurs, ``continued`` how many different tokens stand before it.
    """

    keys: Ids
    raw: Ids
    continued: Ids


class Smoothed(NamedTuple):
    """What a level says: of each of its grams ``(c - D) / c(h)``, of each beginning h ``g(h)``.

    Where nothing follows h, g(h) is 1.
    """

    share: Floats
    rest: Floats


@dataclass(frozen=True, eq=False)
class NgramModel:
    """The k-grams of a training text for k from 1 to ``order``."""

    vocabulary_size: int
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        return len(self.levels)

    @property
    def width(self) -> int:
        """How many last tokens a key tells apart: those of the vocabulary, and the start."""
        return self.vocabulary_size + 1

    def nats(self, ids: NDArray[Any], order: int | None = None) -> Floats:
        """-log(probability) of each token, by the at most ``order`` - 1 tokens before it: [N].

        What came before the first token is not known. The order is the model's or a lower one.
        """
        order = self.order if order is None else order
        chance = np.full(len(ids), 1 / self.vocabulary_size)
        begun = 1  # grams one token shorter: there is one of none
        for k, (before, grams) in enumerate(self._numbers(ids, order)):
            level = self.levels[k]
            counts = level.raw if k == order - 1 else level.continued
            share, rest = smoothed(counts, level.keys // self.width, begun)
            chance *= np.append(rest, 1.0)[before]  # the number of an unknown gram is -1
            chance += np.append(share, 0.0)[grams]
            begun = len(level.keys)
        result: Floats = -np.log(chance)
        return result

    def _numbers(self, ids: NDArray[Any], order: int) -> Iterator[tuple[Ids, Ids]]:
        """For k from 1: of each token the numbers of the k - 1 tokens before it and of these k.

        -1 stands for grams that the training text does not have.
        """
        tokens = np.asarray(ids, np.int64)
        before = np.zeros(len(tokens), np.int64)
        for level in self.levels[:order]:
            grams = np.where(before >= 0, found(level.keys, before * self.width + tokens), -1)
            yield before, grams
            before = np.append(np.int64(-1), grams[:-1])[: len(tokens)]


def fit(ids: NDArray[Any], vocabulary_size: int, order: int) -> NgramModel:
    """The model of a text, of ids from 0 to below ``vocabulary_size``.

    The start of the text counts as a token of its own, before which it goes on forever, so that
    every token has something before it.
    """
    width = vocabulary_size + 1
    start = np.int64(vocabulary_size)
    tokens = np.append(start, np.asarray(ids, np.int64))
    levels: list[Level] = []
    before = np.zeros(len(tokens), np.int64)
    below: Ids | None = None  # of each token, the number of the k-gram that ends with it
    for _ in range(order):
        keys, first, grams = np.unique(
            before * width + tokens, return_index=True, return_inverse=True
        )
        raw = np.bincount(grams[1:], minlength=len(keys))
        if below is not None:
            ends = below[first[first > 0]]
            levels[-1] = levels[-1]._replace(
                continued=np.bincount(ends, minlength=len(levels[-1].keys))
            )
        levels.append(Level(keys, raw, raw))
        below, before = grams, np.append(grams[:1], grams[:-1])
    return NgramModel(vocabulary_size, tuple(levels))


def smoothed(counts: Ids, beginnings: Ids, begun: int) -> Smoothed:
    """The shares of grams with these counts; ``beginnings`` are the numbers, below ``begun``, of
    what they begin with."""
    total = np.bincount(beginnings, counts, minlength=begun)
    taken = np.array([0.0, *discounts(counts)])[np.minimum(counts, 3)]
    inverse = np.divide(1.0, total, out=np.zeros(begun), where=total > 0)
    rest = np.bincount(beginnings, taken, minlength=begun) * inverse
    return Smoothed((counts - taken) * inverse[beginnings], np.where(total > 0, rest, 1.0))


def discounts(counts: Ids) -> tuple[float, float, float]:
    """What is taken from counts of 1, of 2, and of more (Chen and Goodman 1998, equation 26).

    With n_r grams that are counted r times and Y = n_1 / (n_1 + 2 n_2): D_r = r - (r + 1) Y
    n_(r+1) / n_r. Where that is no number above 0, all are ``FALLBACK``.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6).tolist()
    if not all(n[1:4]):
        return FALLBACK
    Y = n[1] / (n[1] + 2 * n[2])
    one, two, three = (r - (r + 1) * Y * n[r + 1] / n[r] for r in (1, 2, 3))
    return (one, two, three) if min(one, two, three) > 0 else FALLBACK


def found(keys: Ids, wanted: Ids) -> Ids:
    """The places of these keys among the sorted ones, -1 for those that are not there."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def best_order(
    ids: NDArray[Any], vocabulary_size: int, orders: Sequence[int], share: float = 0.1
) -> int:
    """The order that foresees the last tenth of a text best, from the rest of it.

    The lowest of the orders where there is no text.
    """
    cut = len(ids) - int(len(ids) * share)
    if cut == len(ids):
        return min(orders)
    model = fit(ids[:cut], vocabulary_size, max(orders))
    return min(sorted(orders), key=lambda order: float(model.nats(ids[cut:], order).sum()))
