"""How well a number tells some examples from the others: ranking, whatever the threshold."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray


def auroc(values: NDArray[Any], wanted: NDArray[np.bool_]) -> float:
    """The area under the ROC curve: how probably a ``wanted`` example has a higher value than one
    of the others, ties counting half (Hanley and McNeil 1982). NaN where one kind is missing."""
    found, wanted = np.asarray(values, np.float64), np.asarray(wanted, bool)
    count, others = int(wanted.sum()), int((~wanted).sum())
    if not count or not others:
        return nan
    _, place, times = np.unique(found, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]  # of ties the mean
    return float((ranks[wanted].sum() - count * (count + 1) / 2) / (count * others))


def average_precision(values: NDArray[Any], wanted: NDArray[np.bool_]) -> float:
    """The mean precision at the ``wanted`` examples, highest value first; those with one value
    count together. NaN where there are none."""
    found, wanted = np.asarray(values, np.float64), np.asarray(wanted, bool)
    if not wanted.any():
        return nan
    order = np.argsort(-found, kind="stable")
    last = np.append(np.diff(found[order]) != 0, True)  # of examples with one value
    hits = np.cumsum(wanted[order])[last]
    precision = hits / (np.flatnonzero(last) + 1)
    return float((np.diff(hits, prepend=0) * precision).sum() / wanted.sum())
