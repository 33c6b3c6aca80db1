"""What stands on the page of a run: known from its folder, and seen on examples."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.nn.config import Config
from gai.nn.scores.calibration import Bins


class Token(NamedTuple):
    """A token as it is shown: ``note`` stands below it, ``weight`` from 0 to 1 shades it."""

    text: str
    note: str = ""
    weight: float = 0.0


@dataclass(frozen=True, eq=False)
class Wrong:
    """An example that a network is far from right about.

    ``loss`` is -ln of the probability of what is true, or of numbers the mean squared error in
    deviations. ``sure`` is the probability of what was said. What was read of it is one of
    ``text``, ``tokens`` and ``array``: an image uint8 [H, W] or [H, W, 3], a series [T, F], or
    numbers [D].
    """

    id: str
    loss: float
    true: str = ""
    said: str = ""
    sure: float | None = None
    text: str | None = None
    tokens: Sequence[Token] = ()
    array: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Numbers as they are and as they were predicted: [n, K] each, and the names of the K."""

    true: NDArray[np.float64]
    said: NDArray[np.float64]
    names: Sequence[str]


@dataclass(frozen=True, eq=False)
class Examined:
    """What a network makes of examples: its scores as report.json has them, how many examples it is
    wrong about and the worst of them, whether its probabilities hold, its numbers."""

    data: Sequence[str]
    examples: int
    scores: Mapping[str, Any]
    wrongs: int = 0
    worst: Sequence[Wrong] = ()
    calibration: Bins | None = None
    pairs: Pairs | None = None
    columns: Sequence[str] = ()
    digest: str = ""

    @property
    def name(self) -> str:
        """The names of the files, without their folders."""
        return ", ".join(os.path.basename(path.rstrip("/")) or path for path in self.data)


class Layer(NamedTuple):
    """A row of the table of layers, as text."""

    name: str
    kind: str
    output: str
    parameters: int
    operations: int


@dataclass(frozen=True, eq=False)
class Facts:
    """All that is known of a run; ``report`` is empty where it has not ended."""

    run: str
    config: Config
    report: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]]
    main_score: str
    layers: Sequence[Layer] = ()
    examined: Examined | None = None
