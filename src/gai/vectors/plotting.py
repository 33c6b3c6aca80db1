"""What a picture of words shows: which words, where they stand, and which have one colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.vectors.neighbours import nearest, unit
from gai.vectors.words import query_vectors

Method = Literal["pca", "tsne"]
Points = NDArray[np.float64]
Rows = NDArray[np.float32]
Places = NDArray[np.int64]

FEWEST = 5
"""Words below which t-SNE has nothing to arrange."""

PERPLEXITY = 30.0
BEGINNING = 1e-4
"""Standard deviation of the first axis when t-SNE begins, as scikit-learn has it."""

CLUSTERS = 7
"""Colours that people tell apart, colour-blind ones too."""

TRIES = 10
ROUNDS = 100
"""Rounds after which clusters are taken as they are."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Words as points: ``points`` is float64 (words, 2).

    ``groups`` (int64) is the group of each word, a place in ``names``; -1 is none. The first
    ``named`` words are those that somebody asked for. ``near`` holds the nearest words of each,
    with their cosines. Words come in the order in which labels should find room.
    """

    words: Sequence[str]
    points: Points
    groups: NDArray[np.int64]
    names: Sequence[str]
    near: Sequence[Sequence[tuple[str, float]]]
    named: int = 0
    title: str = ""


@dataclass(frozen=True)
class Choice:
    """Which words a picture shows: those in ``words``, with as many ``neighbours`` of each, and
    the ``top`` most frequent ones."""

    words: Sequence[str] = ()
    neighbours: int = 0
    top: int = 0


@dataclass(frozen=True, eq=False)
class Chosen:
    """Words with their places in the vectors (-1: only its parts are known), their vectors, and
    groups as in a Picture."""

    words: list[str]
    places: Places
    rows: Rows
    groups: NDArray[np.int64]


def picture(
    vectors: Vectors,
    choice: Choice,
    method: Method = "pca",
    *,
    seed: int = 1,
    title: str = "",
    hints: int = 0,
    jobs: int = 1,
) -> Picture:
    """The picture of the words chosen; ``hints`` is how many neighbours are told of each word.

    A named word and its neighbours are a group; without neighbours groups are clusters. Raises
    GaiError where a word is unknown, where there is none, and where there are too few for t-SNE.
    """
    named = list(dict.fromkeys(choice.words))
    chosen = gathered(vectors, named, choice, jobs)
    if not chosen.words:
        raise GaiError("there are no words to draw")
    groups = chosen.groups if choice.neighbours else clusters(chosen.rows, seed)
    points = positions(chosen.rows, method, seed)
    near = told(vectors, chosen, hints, jobs)
    names = named if choice.neighbours else []
    return Picture(chosen.words, points, groups, names, near, len(named), title)


def gathered(vectors: Vectors, named: list[str], choice: Choice, jobs: int) -> Chosen:
    """All words of a picture: named ones, their neighbours, frequent ones; none twice."""
    rows, places = query_vectors(vectors, named), vectors.find(named)
    near, group = neighbours_of(vectors, rows, places, choice.neighbours, jobs)
    frequent = most_frequent(vectors, choice.top)
    others = np.concatenate([near, frequent])
    groups = np.concatenate([group, np.full(len(frequent), -1)])
    _, first = np.unique(np.concatenate([places, others]), return_index=True)
    kept = np.sort(first[first >= len(places)]) - len(places)
    others, groups = others[kept], groups[kept]
    return Chosen(
        [*named, *vectors.words.take(others)],
        np.concatenate([places, others]),
        np.concatenate([rows, vectors.take(others)]),
        np.concatenate([np.arange(len(named)), groups]),
    )


def neighbours_of(
    vectors: Vectors, rows: Rows, places: Places, k: int, jobs: int
) -> tuple[Places, NDArray[np.int64]]:
    """The ``k`` nearest words of each row and the row each belongs to, nearest pairs first: what
    is near two of them belongs to the nearer one."""
    found, cosines = nearest(vectors, rows, k, places[:, None], jobs=jobs)
    group = np.arange(len(rows)).repeat(found.shape[1])
    order = np.argsort(-cosines.ravel(), kind="stable")
    order = order[found.ravel()[order] >= 0]
    return found.ravel()[order], group[order]


def told(vectors: Vectors, chosen: Chosen, hints: int, jobs: int) -> list[list[tuple[str, float]]]:
    """The nearest words of each word chosen, with their cosines."""
    if not hints:
        return [[] for _ in chosen.words]
    places, cosines = nearest(vectors, chosen.rows, hints, chosen.places[:, None], jobs=jobs)
    return [
        [(vectors.words[place], cosine) for place, cosine in zip(*row, strict=True) if place >= 0]
        for row in zip(places.tolist(), cosines.tolist(), strict=True)
    ]


def most_frequent(vectors: Vectors, top: int) -> Places:
    """The places of the ``top`` most frequent words; the first ones where counts are unknown."""
    if vectors.counts is None:
        return np.arange(min(top, len(vectors)))
    return np.argsort(-vectors.counts, kind="stable")[:top]


def positions(rows: Rows, method: Method = "pca", seed: int = 1) -> Points:
    """Where each vector stands in the plane: float64 (rows, 2).

    Directions count and lengths do not, as in every other question about words: rows are first
    brought to length 1. The same rows and ``seed`` give the same numbers. Raises GaiError where
    there are too few words for t-SNE.
    """
    return tsne(unit(rows), seed) if method == "tsne" else pca(unit(rows))


def pca(rows: Points) -> Points:
    """The rows on their first two principal components: float64 (rows, 2).

    Signs are such that the largest weight of a component is positive. Components that are not
    there, as those of a single word, are 0.
    """
    centred = rows - rows.mean(0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((len(rows), 2))
    for column in range(min(2, len(sizes))):
        sign = np.sign(right[column, np.abs(right[column]).argmax()]) or 1.0
        found[:, column] = sign * left[:, column] * sizes[column]
    return found


def tsne(rows: Points, seed: int) -> Points:
    """The rows arranged by scikit-learn's t-SNE: float64 (rows, 2).

    It begins with the principal components, a little moved, so that another ``seed`` shows what is
    chance in the picture. The perplexity is 30, and with few words a third of their number. One
    thread does it, since sums of several come out differently each time.
    """
    if len(rows) < FEWEST:
        words = "1 word is" if len(rows) == 1 else f"{len(rows)} words are"
        raise GaiError(f"{words} too few for t-SNE", f"name {FEWEST} or more, or use --method pca")
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    begin = pca(rows)
    if not (spread := begin[:, 0].std()):
        return begin
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    moved = np.random.default_rng(seed).normal(size=begin.shape)
    begin = (BEGINNING * (begin / spread + 0.1 * moved)).astype(np.float32)
    with threadpool_limits(1):
        made = TSNE(perplexity=perplexity, init=begin, random_state=seed).fit_transform(rows)
    return np.asarray(made, np.float64)


def clusters(rows: Rows, seed: int = 1) -> NDArray[np.int64]:
    """Words that are alike: the cluster of each row, int64 (rows,).

    k-means of directions, the best of several that begin as k-means++ does. Clusters are numbered
    by their first word; few words make few of them.
    """
    units, rng = unit(rows), np.random.default_rng(seed)
    count = int(np.clip(np.sqrt(len(units) / 2), 1, CLUSTERS))
    tries = [settled(units, far_apart(units, count, rng)) for _ in range(TRIES)]
    return in_order(min(tries, key=lambda tried: tried[1])[0])


def settled(units: Points, centres: Points) -> tuple[NDArray[np.int64], float]:
    """The clusters that k-means reaches from these centres, and their sum of squares."""
    groups = np.full(len(units), -1)
    squares = (units**2).sum()
    for _ in range(ROUNDS):
        costs = (centres**2).sum(1) - 2 * units @ centres.T
        before, groups = groups, costs.argmin(1)
        if np.array_equal(before, groups):
            break
        for group in np.unique(groups):
            centres[group] = units[groups == group].mean(0)
    return groups, float(squares + costs.min(1).sum())


def far_apart(units: Points, count: int, rng: np.random.Generator) -> Points:
    """``count`` of the rows, far from each other: each drawn by its squared distance from those
    before (Arthur and Vassilvitskii 2007)."""
    chosen = [int(rng.integers(len(units)))]
    apart = np.full(len(units), np.inf)
    while len(chosen) < count:
        apart = np.minimum(apart, ((units - units[chosen[-1]]) ** 2).sum(1))
        if not apart.sum() > 0:
            break
        chosen.append(int(rng.choice(len(units), p=apart / apart.sum())))
    return units[chosen]


def in_order(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered as they first occur."""
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]
