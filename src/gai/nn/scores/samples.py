"""How near samples of a generative model are to data, and whether they differ as data does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.intervals import Interval
from gai.nn.scores.shares import Floats, plain

Labels = NDArray[np.int64]

SCORES = ("distance", "told", "diversity")


@dataclass(frozen=True)
class Likeness:
    """How like data samples are.

    ``distance``: the energy distance, 0 where samples are drawn as the data is, 1 where all are far
    from it. ``told``: the share of samples and examples, as many of the ones as of the others,
    whose nearest neighbour is of their own side: 0.5 where nobody can tell them apart, 1 where
    everybody can, below 0.5 where examples are copied (Lopez-Paz and Oquab 2017, "Revisiting
    classifier two-sample tests"). ``diversity``: the mean distance between two samples over that
    between two examples, 0 where all samples are alike.

    Of samples that were made for labels, each is the mean over the labels, by the number of their
    examples; ``labels`` has a row for each.
    """

    distance: float
    told: float
    diversity: float
    labels: list[dict[str, Any]]

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        return {name: getattr(self, name) for name in SCORES}

    def as_dict(self) -> dict[str, Any]:
        """All that is known, for JSON; NaN is None."""
        return {**plain(self.summary()), "likeness": self.labels}

    def intervals(self) -> dict[str, Interval]:
        """None: distances between pairs of examples are no means over examples."""
        return {}


def likeness(
    samples: NDArray[Any],
    data: NDArray[Any],
    of_samples: Labels | None = None,
    of_data: Labels | None = None,
    names: Sequence[str] = (),
) -> Likeness:
    """How like data [m, D] samples [n, D] are; ``of_samples`` [n] and ``of_data`` [m] are the
    numbers of their labels, ``names`` what they are called. NaN where two are too many to ask."""
    x, y = np.asarray(samples, np.float64), np.asarray(data, np.float64)
    if of_samples is None or of_data is None:
        return Likeness(**compared(x, y), labels=[])
    sizes = np.bincount(of_data, minlength=len(names))
    found = [compared(x[of_samples == k], y[of_data == k]) for k in range(len(sizes))]
    rows = [
        {"label": name, **one, "examples": size}
        for name, one, size in zip(names, found, sizes.tolist(), strict=False)
    ]
    return Likeness(
        **{name: weighted([one[name] for one in found], sizes) for name in SCORES}, labels=rows
    )


def weighted(values: Sequence[float], sizes: Labels) -> float:
    """The mean of the values that are known, weighted by sizes."""
    known = ~np.isnan(values)
    if not sizes[known].any():
        return nan
    return float(np.average(np.array(values)[known], weights=sizes[known]))


def compared(x: Floats, y: Floats) -> dict[str, float]:
    """The scores of samples x against examples y, whatever their labels."""
    if len(x) < 2 or len(y) < 2:
        return dict.fromkeys(SCORES, nan)
    made, across, real = distances(x, x), distances(x, y), distances(y, y)
    few = slice(min(len(x), len(y)))
    own, unit = spread(made), spread(real)
    return {
        "distance": energy(own, float(across.mean()), unit),
        "told": told(made[few, few], across[few, few], real[few, few]),
        "diversity": own / unit if unit else nan,
    }


def energy(own: float, across: float, other: float) -> float:
    """1 - (E|x - x'| + E|y - y'|) / (2 E|x - y|), which is 0 where x and y are drawn alike (Szekely
    and Rizzo 2013, "Energy statistics").

    The means are over pairs of different rows, so that it does not depend on how many there are; by
    chance it may fall a little below 0.
    """
    return 1.0 - (own + other) / (2.0 * across) if across else 0.0


def spread(distances: Floats) -> float:
    """The mean distance between two different rows."""
    n = len(distances)
    return float(distances.sum(where=~np.eye(n, dtype=bool))) / (n * (n - 1))


def distances(x: Floats, y: Floats) -> Floats:
    """The Euclidean distances between the rows of x and those of y, [n, m]; infinite between a row
    and itself, where x is y."""
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2.0 * (x @ y.T)
    found: Floats = np.sqrt(np.maximum(squares, 0.0))
    if x is y:
        np.fill_diagonal(found, np.inf)
    return found


def told(made: Floats, across: Floats, real: Floats) -> float:
    """The share of samples and examples whose nearest neighbour is of their own side; where it is
    of both they count half. All distances are [m, m]."""
    own = np.concatenate([made.min(1), real.min(1)])
    other = np.concatenate([across.min(1), across.min(0)])
    return float((own < other).mean() + (own == other).mean() / 2)
