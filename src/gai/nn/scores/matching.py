"""How well similarities tell which examples are alike: equal error rate, and one-shot accuracy.

Two examples are *alike* where they are of one class. Classes may be ones that training never saw:
only the similarities of examples are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.intervals import Interval, between, interval
from gai.nn.scores.shares import Floats, plain

MOST = 1000
"""Examples whose pairs are looked at, half a million of them."""

WAYS = 20
"""Classes among which one is to be found, at most (Lake 2015)."""

EPISODES = 1000

BINS = 1000
"""Similarities that a drawn equal error rate distinguishes."""

Rows = NDArray[np.int64]


class EqualError(NamedTuple):
    """Where as many pairs that differ are accepted as pairs that are alike are rejected: the share
    of both, and the least similarity of a pair that is accepted."""

    rate: float
    threshold: float


class Episodes(NamedTuple):
    """Questions of which class an example is, each class shown by one example.

    ``shown`` and ``asked`` [E, N] are rows of examples; in an episode column k of both is of one
    class.
    """

    shown: Rows
    asked: Rows


@dataclass(frozen=True, eq=False)
class Matching:
    """How well similarities tell which examples are alike.

    ``eer`` is the equal error rate of all pairs, reached with ``threshold``; ``one_shot`` is the
    share of examples that are most similar to the one example that is shown of their class, among
    those of ``ways`` classes, and ``right`` [E] that of each episode.
    """

    eer: float
    threshold: float
    ways: int
    right: Floats = field(repr=False)
    similarities: Floats = field(repr=False)
    classes: Rows = field(repr=False)

    @property
    def one_shot(self) -> float:
        """The mean over episodes."""
        return float(self.right.mean()) if len(self.right) else nan

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        chance = 1 / self.ways if self.ways else nan
        return {
            "eer": self.eer,
            "threshold": self.threshold,
            "one_shot": self.one_shot,
            "chance": chance,
        }

    def as_dict(self) -> dict[str, Any]:
        """All that is known, for JSON; NaN is None."""
        alike = self.classes[:, None] == self.classes
        same = int(np.triu(alike, 1).sum())
        n = len(self.classes)
        return {
            **plain(self.summary()),
            "examples": n,
            "classes": len(np.unique(self.classes)),
            "ways": self.ways,
            "episodes": len(self.right),
            "pairs": {"alike": same, "different": n * (n - 1) // 2 - same},
        }

    def intervals(
        self, *, draws: int = 200, level: float = 0.95, seed: int = 0
    ) -> dict[str, Interval]:
        """Bootstrap intervals: of the equal error rate by drawing examples, ``draws`` times, of
        one-shot accuracy by drawing episodes, which is quick."""
        rates = drawn_rates(self.similarities, self.classes, draws, seed)
        asked = interval(self.right, level=level, seed=seed)
        return {"eer": between(rates, level), "one_shot": asked}


def matching(
    similarities: NDArray[Any], classes: Rows, *, ways: int = WAYS, seed: int = 0
) -> Matching:
    """The scores of similarities [n, n] of examples of these classes [n].

    NaN where there are no two classes, or no two examples of one.
    """
    found = np.asarray(similarities, np.float64)
    first, second = np.triu_indices(len(classes), 1)
    error = equal_error(found[first, second], classes[first] == classes[second])
    asked = episodes(classes, ways=ways, seed=seed)
    return Matching(*error, asked.shown.shape[1], one_shot(found, asked), found, classes)


def chosen(n: int, most: int = MOST, seed: int = 0) -> Rows:
    """The rows that are looked at of n examples: all, or a random part of them, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def numbered(labels: Sequence[str]) -> Rows:
    """Labels as numbers, int64 [n], whether training saw them or not."""
    return np.unique(np.asarray(labels, object), return_inverse=True)[1].astype(np.int64)


def equal_error(similarities: NDArray[Any], alike: NDArray[np.bool_]) -> EqualError:
    """The equal error rate of pairs [m], the similar ones of which are accepted.

    The curve of the two error rates is linear between the points that thresholds reach; the
    threshold lies midway between two similarities. NaN without pairs of both kinds.
    """
    order = np.argsort(-similarities, kind="stable")
    values, same = similarities[order], alike[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    if not (0 < same.sum() < len(same)):
        return EqualError(nan, nan)
    counts = np.cumsum(same)[last]
    accepted = np.append(0.0, (last + 1 - counts) / (~same).sum())
    rejected = np.append(1.0, 1 - counts / same.sum())
    rate, point = crossing(accepted, rejected)
    least = values[last[point - 1]]
    below = values[last[point]] if point < len(last) else least
    return EqualError(rate, float(least + below) / 2)


def crossing(accepted: Floats, rejected: Floats) -> tuple[float, int]:
    """The rate where a curve that rises from 0 and one that falls to 0 are equal, and which of the
    two points around it, from 1 on, is nearer to that."""
    after = int(np.argmax(accepted >= rejected))
    before, behind = rejected[after - 1] - accepted[after - 1], accepted[after] - rejected[after]
    share = before / (before + behind)
    rate = accepted[after - 1] + share * (accepted[after] - accepted[after - 1])
    return float(rate), after if behind <= before else max(after - 1, 1)


def episodes(classes: Rows, *, ways: int = WAYS, count: int = EPISODES, seed: int = 0) -> Episodes:
    """Episodes of ``ways`` random classes, or of all where there are fewer; the same for the same
    seed. Classes with one example are left out; without two others there are no episodes."""
    found, sizes = np.unique(classes, return_counts=True)
    found, sizes = found[sizes > 1], sizes[sizes > 1]
    if len(found) < 2:
        return Episodes(np.zeros((0, 0), np.int64), np.zeros((0, 0), np.int64))
    rows = np.argsort(classes, kind="stable")
    begins = np.searchsorted(classes[rows], found)
    rng = np.random.default_rng(seed)
    picked = np.argsort(rng.random((count, len(found))), 1)[:, :ways]
    shown = (rng.random(picked.shape) * sizes[picked]).astype(np.int64)
    asked = (rng.random(picked.shape) * (sizes[picked] - 1)).astype(np.int64)
    asked += asked >= shown  # another than the one that is shown
    return Episodes(rows[begins[picked] + shown], rows[begins[picked] + asked])


def one_shot(similarities: NDArray[Any], episodes: Episodes) -> Floats:
    """The share of right answers of each episode [E], by the nearest of the examples shown."""
    if not len(episodes.shown):
        return np.zeros(0)
    found = similarities[episodes.asked[:, :, None], episodes.shown[:, None]]
    right: Floats = (found.argmax(2) == np.arange(found.shape[1])).mean(1)
    return right


def drawn_rates(similarities: Floats, classes: Rows, draws: int, seed: int) -> Floats:
    """The equal error rates of examples drawn with replacement [draws], with similarities in
    ``BINS`` steps; an example and itself make no pair."""
    n = len(classes)
    first, second = np.triu_indices(n, 1)
    values = similarities[first, second]
    if not len(values):
        return np.full(draws, nan)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = len(edges) - np.searchsorted(edges, values)  # the most similar in bin 0
    same = classes[first] == classes[second]
    rng = np.random.default_rng(seed)
    found = np.full(draws, nan)
    for draw in range(draws):
        times = np.bincount(rng.integers(n, size=n), minlength=n)
        pairs = (times[first] * times[second]).astype(np.float64)
        alike = np.bincount(bins, pairs * same, len(edges) + 1).astype(np.float64)
        other = np.bincount(bins, pairs * ~same, len(edges) + 1).astype(np.float64)
        found[draw] = rate_of(alike, other)
    return found


def rate_of(alike: Floats, different: Floats) -> float:
    """The equal error rate of so many pairs in each bin, from the most similar on."""
    if not (alike.any() and different.any()):
        return nan
    accepted = np.append(0.0, np.cumsum(different) / different.sum())
    rejected = np.append(1.0, 1 - np.cumsum(alike) / alike.sum())
    return crossing(accepted, rejected)[0]


def cosines(x: NDArray[Any], y: NDArray[Any]) -> Floats:
    """The cosines of the rows of x and of y, [n, m]; 0 where a row is 0."""
    found: Floats = np.clip(directions(x) @ directions(y).T, -1.0, 1.0)
    return found


def directions(x: NDArray[Any]) -> Floats:
    """The rows with length 1, but for those that are 0."""
    rows = np.asarray(x, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Floats = rows / np.where(lengths > 0, lengths, 1.0)
    return found


def nearness(x: NDArray[Any], y: NDArray[Any]) -> Floats:
    """1 / (1 + d) for the distances d of the rows of x and of y, [n, m]: 1 where they are equal."""
    found: Floats = 1.0 / (1.0 + distances(x, y))
    return found


def distances(x: NDArray[Any], y: NDArray[Any]) -> Floats:
    """The Euclidean distances of the rows of x and of y, [n, m]."""
    from scipy.spatial.distance import cdist

    found: Floats = cdist(np.asarray(x, np.float64), np.asarray(y, np.float64))
    return found
