"""Whether probabilities are what they say: of answers given at 0.8, 80 % should be right."""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.shares import Floats, divided

BINS = 15
"""Bins of the calibration error, as in Guo and others 2017."""


class Bins(NamedTuple):
    """Answers by their probability, in bins (low, high] of equal width: how many there are, their
    mean probability, and the share of right ones; both are 0 in an empty bin."""

    counts: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats


def bins_of(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> Bins:
    """The bins of answers [n] with these probabilities, of which some are correct."""
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    places = np.searchsorted(edges, confidence)
    counts = np.bincount(places, minlength=bins)
    sums = (np.bincount(places, values, bins) for values in (confidence, correct))
    return Bins(counts, *(divided(total, counts) for total in sums))


def calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> float:
    """The expected calibration error (Guo and others 2017, On calibration of modern networks).

    Sum over bins (low, high] of equal width of n_bin / n |accuracy_bin - mean confidence_bin|.
    """
    return error_of(bins_of(confidence, correct, bins))


def error_of(bins: Bins) -> float:
    """The same from the bins; NaN without answers."""
    if not bins.counts.sum():
        return nan
    gaps = np.abs(bins.accuracy - bins.confidence)
    return float((gaps * bins.counts).sum() / bins.counts.sum())
