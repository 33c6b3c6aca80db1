"""Groups of examples that stay together where data is divided: all of a user, a patient, a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gai.nn.data.raw import Raw

Rows = NDArray[np.int64]


def dealt(raw: Raw, shares: Sequence[float], random: np.random.Generator) -> Rows:
    """The part of each example, int64 [n]: no group in two parts, each class near its share.

    The largest groups go first, each to the part where all classes then stand nearest to the shares
    (as scikit-learn's StratifiedGroupKFold does it; groups of equal size in a random order). No
    part stays empty where there are groups enough.
    """
    assert raw.groups is not None
    group = numbers_of(raw.groups)
    counts = counts_of(group, class_of(raw))
    order = random.permutation(len(counts))
    order = order[np.argsort(-(counts[order] ** 2).sum(1), kind="stable")]
    goal = np.outer(shares, counts.sum(0))
    filled, part = np.zeros(goal.shape), np.zeros(len(counts), np.int64)
    for done, place in enumerate(order.tolist()):
        fuller = filled + counts[place]
        further = (distance(fuller, goal) - distance(filled, goal)).round(9)
        full = filled.sum(1) > 0
        if len(order) - done <= (~full).sum():
            further[full] = np.inf  # the last groups go where there is none yet
        part[place] = np.lexsort((filled.sum(1) / goal.sum(1), further))[0]
        filled[part[place]] = fuller[part[place]]
    return part[group]


def distance(filled: NDArray[np.float64], goal: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each part is from its goal, both [parts, classes]: 0 where it is reached."""
    shares: NDArray[np.float64] = goal.sum(1) / goal.sum()
    found: NDArray[np.float64] = shares * ((filled / goal - 1) ** 2).sum(1)
    return found


def numbers_of(names: Sequence[str]) -> Rows:
    """The names as numbers from 0 on, in the order in which they come."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)


def class_of(raw: Raw) -> Rows:
    """The number of each example's class; 0 for all where an example has not just one label."""
    labels = raw.labels
    if isinstance(labels, list) and labels and isinstance(labels[0], str):
        return numbers_of([str(label) for label in labels])
    return np.zeros(len(raw), np.int64)


def counts_of(group: Rows, kind: Rows) -> NDArray[np.float64]:
    """How many examples of each class are in each group: [groups, classes]."""
    counts = np.zeros((int(group.max(initial=-1)) + 1, int(kind.max(initial=-1)) + 1))
    np.add.at(counts, (group, kind), 1)
    return counts
