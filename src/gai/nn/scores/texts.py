"""Scores of texts that were written, against those that are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.intervals import Interval, between, interval, sums_of_draws


@dataclass(frozen=True)
class TextScores:
    """``exact`` [n] says which texts are right; ``edits`` [n] is how far they are from that, in
    characters (Levenshtein 1966), ``lengths`` [n] how long the right ones are."""

    exact: NDArray[np.bool_]
    edits: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def summary(self) -> dict[str, float]:
        """The share that is right, and the edits for each character of the right texts."""
        rate = self.edits.sum() / max(self.lengths.sum(), 1)
        return {"exact": float(self.exact.mean()), "character_error_rate": float(rate)}

    def intervals(self) -> dict[str, Interval]:
        """95 % bootstrap intervals of both."""
        rows = np.stack([self.edits, self.lengths], axis=1).astype(np.float64)
        sums = sums_of_draws(rows)
        rates = sums[:, 0] / np.maximum(sums[:, 1], 1)
        return {"exact": interval(self.exact), "character_error_rate": between(rates, 0.95)}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.summary(), "examples": len(self.exact)}


def texts(right: Sequence[str], said: Sequence[str]) -> TextScores:
    """The scores of what was said, a text for each right one."""
    pairs = list(zip(right, said, strict=True))
    return TextScores(
        np.array([a == b for a, b in pairs], np.bool_),
        np.array([edits(a, b) for a, b in pairs], np.int64),
        np.array([len(a) for a, _ in pairs], np.int64),
    )


def edits(a: str, b: str) -> int:
    """The least number of characters to be put in, left out or replaced that turns a into b.

    >>> edits("kitten", "sitting")
    3
    """
    if a == b:
        return 0
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            best = min(row[j] + 1, row[j - 1] + 1, before + (letter != other))
            before, row[j] = row[j], best
    return row[-1]
