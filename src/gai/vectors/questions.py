"""Answers to many analogies at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gai.output.vectors import Vectors
from gai.threads import in_order
from gai.vectors.analogy import EPSILON
from gai.vectors.neighbours import one_blas_thread

ROOM = 1 << 23
"""Similarities of asked words to a block of words that are held at once, in each thread."""

NARROW = 256
"""Words that a block has at least, however many are asked."""

GROUP = 64
"""Questions that begin with the same two words and are answered together."""

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
Terms = Callable[[Rows], tuple[Rows, Rows]]


def answers(
    vectors: Vectors, questions: Places, same: Places, method: str = "3cosadd", jobs: int = 1
) -> Places:
    """The place of the best answer to each question (a, b, c): int64 (questions,), -1 if none.

    ``questions`` is (questions, 3), places of words. ``same`` says which words are one: the answer
    is among the first ``len(same)`` words and the same as none of the three.

    Similarity to b - a + c is similarity to b, less that to a, plus that to c. There are far fewer
    words than questions, so each word meets all vectors once, and a question is a sum of rows. The
    logarithm makes such a sum of 3CosMul, too.
    """
    plan = Plan.of(vectors, questions, same, TERMS[method])
    best = np.full(len(questions), -np.inf, np.float32)
    places = np.full(len(questions), -1, np.int64)
    step = max(NARROW, ROOM // max(1, len(plan.words)))
    starts = range(0, len(same), step) if len(questions) else ()
    with one_blas_thread():
        for values, found in in_order(lambda start: plan.block(start, step), starts, jobs):
            better = values > best
            best[better], places[better] = values[better], found[better]
    return places


def added(cosines: Rows) -> tuple[Rows, Rows]:
    """What a word adds to the score of others where it is wanted, and where it is taken away."""
    return cosines, -cosines


def multiplied(cosines: Rows) -> tuple[Rows, Rows]:
    """The same as logarithms of similarities from 0 to 1."""
    halved = np.maximum(0, (1 + cosines) / 2)
    with np.errstate(divide="ignore"):
        return np.log(halved), -np.log(halved + np.float32(EPSILON))


TERMS: dict[str, Terms] = {"3cosadd": added, "3cosmul": multiplied}


@dataclass(frozen=True, eq=False)
class Plan:
    """What all blocks share.

    ``words`` are the unit vectors of the words asked, ``numbers`` the questions as places there,
    ``groups`` the numbers of questions that share a and b. ``own`` are cells that must not win: the
    number of a word, and the place of one that is the same, sorted by place.
    """

    vectors: Vectors
    words: Rows
    numbers: Places
    groups: list[Places]
    own: tuple[Places, Places]
    last: int
    terms: Terms

    @classmethod
    def of(cls, vectors: Vectors, questions: Places, same: Places, terms: Terms) -> Plan:
        """The plan for questions, whose words are places."""
        asked, numbers = np.unique(questions, return_inverse=True)
        numbers = numbers.reshape(questions.shape)
        words, groups = unit(vectors.take(asked)), list(grouped(numbers))
        return cls(vectors, words, numbers, groups, alike(asked, same), len(same), terms)

    def block(self, start: int, step: int) -> tuple[Rows, Places]:
        """The best score of each question among the words from ``start`` on, and whose it is."""
        stop = min(self.last, start + step)
        rows = self.vectors.block(start, stop)
        self.vectors.check(start, rows)
        wanted, unwanted = self.terms(self.words @ unit(rows).T)
        first, end = np.searchsorted(self.own[1], [start, stop])
        own = self.own[0][first:end], self.own[1][first:end] - start
        wanted[own] = unwanted[own] = -np.inf
        values = np.empty(len(self.numbers), np.float32)
        places = np.empty(len(self.numbers), np.int64)
        sums = np.empty((GROUP, stop - start), np.float32)
        for group in self.groups:
            a, b, _ = self.numbers[group[0]]
            part = sums[: len(group)]
            np.take(wanted, self.numbers[group, 2], axis=0, out=part, mode="clip")
            part += wanted[b] + unwanted[a]
            places[group] = found = part.argmax(axis=1)
            values[group] = part[np.arange(len(group)), found]
        return values, places + start


def grouped(numbers: Places) -> Iterator[Places]:
    """The numbers of questions that share a and b, at most ``GROUP`` at a time."""
    order = np.lexsort((numbers[:, 1], numbers[:, 0]))
    ends = np.flatnonzero(np.any(np.diff(numbers[order, :2], axis=0), axis=1)) + 1
    for group in np.split(order, ends):
        for start in range(0, len(group), GROUP):
            yield group[start : start + GROUP]


def alike(asked: Places, same: Places) -> tuple[Places, Places]:
    """Each word asked beside each word that is the same: its number, and the place, by place."""
    number = np.full(len(same), -1, np.int64)
    number[same[asked]] = np.arange(len(asked))
    places = np.flatnonzero(number[same] >= 0)
    return number[same[places]], places


def unit(rows: Rows) -> Rows:
    """The rows with length 1; those of length 0 stay."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.asarray(rows / np.where(norms > 0, norms, 1)[:, None], np.float32)
