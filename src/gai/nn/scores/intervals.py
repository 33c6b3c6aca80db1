"""Bootstrap confidence intervals: how far a score would move on other examples of the same kind.

n examples are drawn from the n with replacement, again and again; between the 2.5th and the 97.5th
percentile of the scores of these draws lies the 95 % interval (Efron 1979). Where a score follows
from sums over the examples, all draws are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.shares import Counts, Floats

Interval = tuple[float, float]
"""The lower and the upper end."""

BUNDLES = 10_000
"""Examples beyond this many are first added up in so many bundles, which are drawn instead: the
sums of random bundles vary as those of the examples, and the time stays the same."""

BLOCK = 1 << 22
"""Cells of a block of draws."""


def interval(
    score: Callable[[NDArray[np.int64]], float] | NDArray[Any],
    n: int | None = None,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The interval of the mean of the values [n], or of ``score(rows)`` on n examples.

    Values are one of each example: 1 and 0 for right and wrong, squared errors. A function gets
    the numbers of the drawn examples, which is slower: it is called ``draws`` times.
    """
    if callable(score):
        assert n is not None, "how many examples there are"
        rng = np.random.default_rng(seed)
        drawn = [float(score(rng.integers(n, size=n))) for _ in range(draws if n else 0)]
        return between(np.array(drawn), level)
    pairs = np.stack([np.ones(len(score)), np.asarray(score, np.float64)], axis=1)
    sums = sums_of_draws(pairs, draws=draws, seed=seed)
    return between(sums[:, 1] / sums[:, 0], level)


def between(values: Floats, level: float) -> Interval:
    """The ends between which the middle ``level`` of the values lies; NaN among them left out."""
    known = values[~np.isnan(values)]
    if not len(known):
        return nan, nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def sums_of_draws(
    rows: Any, times: Counts | None = None, *, draws: int = 1000, seed: int = 0
) -> Floats:
    """What the rows drawn add up to, a draw a row: float64 [draws, s]; no draws of no rows.

    ``rows`` [n, s], dense or sparse, stand for one example each, or for ``times`` [n] equal ones.
    """
    rng = np.random.default_rng(seed)
    if times is None and rows.shape[0] > BUNDLES:
        rows = bundled(rows, rng)
    n = rows.shape[0]
    if n == 0:
        return np.zeros((0, rows.shape[1]))
    step = max(1, BLOCK // n)
    sizes = [min(step, draws - done) for done in range(0, draws, step)]
    return np.concatenate([weights(n, times, size, rng) @ rows for size in sizes])


def bundled(rows: Any, rng: np.random.Generator) -> Any:
    """The rows added up in ``BUNDLES`` random bundles of (nearly) equal size."""
    from scipy.sparse import csr_array

    n = rows.shape[0]
    bundle = rng.permutation(n) % BUNDLES
    return csr_array((np.ones(n), (bundle, np.arange(n))), shape=(BUNDLES, n)) @ rows


def weights(n: int, times: Counts | None, size: int, rng: np.random.Generator) -> Floats:
    """How often each of n rows is drawn in each of ``size`` draws: float64 [size, n]."""
    if times is not None:
        total = int(times.sum())
        return rng.multinomial(total, times / total, size=size).astype(np.float64)
    places = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
    return np.bincount(places.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


class Difference(NamedTuple):
    """How much higher one score is than another on the same examples; the interval of that, and
    how often chance alone makes at least so much of it (two-sided)."""

    value: float
    low: float
    high: float
    p: float


def drawn_together(rows: Sequence[Any], *, draws: int = 1000, seed: int = 0) -> list[Floats]:
    """What the rows [n, s] of each of several models add up to in the same draws of examples:
    float64 [draws, s] of each."""
    from scipy.sparse import hstack, issparse

    sparse = any(map(issparse, rows))
    whole = hstack(rows, format="csr") if sparse else np.hstack([np.asarray(row) for row in rows])
    sums = sums_of_draws(whole, draws=draws, seed=seed)
    ends = np.cumsum([row.shape[1] for row in rows])
    return [sums[:, end - row.shape[1] : end] for row, end in zip(rows, ends, strict=True)]


def difference(value: float, drawn: Floats, level: float = 0.95) -> Difference:
    """A difference and what paired draws say of it, one of each draw [draws].

    The paired bootstrap test: p = (1 + draws with |drawn - value| >= |value|) / (1 + draws). Drawn
    differences vary around the one that was found as that does around 0 where the models are
    equally good (Efron and Tibshirani 1993, An introduction to the bootstrap, chapter 16; Koehn
    2004, Statistical significance tests for machine translation evaluation).
    """
    known = drawn[~np.isnan(drawn)]
    if not len(known) or np.isnan(value):
        return Difference(value, nan, nan, nan)
    low, high = between(known, level)
    as_far = int((np.abs(known - value) >= abs(value) * (1 - 1e-12)).sum())
    return Difference(value, low, high, (1 + as_far) / (1 + len(known)))
