"""A plot as it is described, whatever draws it: ``gai.nn.svg`` in a file, ``gai.cli.charts`` in a
terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

STEPS = (1.0, 2.0, 5.0, 10.0)
"""Distances between ticks, times a power of ten."""


@dataclass(frozen=True)
class Series:
    """Points that belong together; a y that is no finite number is a gap.

    ``bars`` stand on 0, around their x, as wide as the least distance between two of them.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Literal["line", "points", "bars"] = "line"


class Mark(NamedTuple):
    """A vertical line, and what it says."""

    x: float
    name: str


@dataclass(frozen=True)
class Plot:
    """Series over two axes, which may be logarithmic; ``x_span`` and ``y_span`` fix their ends."""

    title: str
    series: Sequence[Series]
    x: str = ""
    y: str = ""
    x_log: bool = False
    y_log: bool = False
    x_span: tuple[float, float] | None = None
    y_span: tuple[float, float] | None = None
    marks: Sequence[Mark] = ()
    diagonal: bool = False
    about: str = ""

    def x_axis(self, count: int = 5) -> Axis:
        """Where the values of x lie, with about ``count`` ticks."""
        values = [value for one in self.series for value in one.x]
        values += [end for one in self.series if one.kind == "bars" for end in ends_of(one.x)]
        return Axis.of(values, log=self.x_log, span=self.x_span, tight=True, count=count)

    def y_axis(self, count: int = 5) -> Axis:
        """Where the values of y lie, with about ``count`` ticks."""
        values = [value for one in self.series for value in one.y]
        values += [0.0 for one in self.series if one.kind == "bars"]
        return Axis.of(values, log=self.y_log, span=self.y_span, count=count)


@dataclass(frozen=True)
class Axis:
    """What is shown from ``low`` to ``high``, with ticks between."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    @classmethod
    def of(
        cls,
        values: Iterable[float],
        *,
        log: bool = False,
        span: tuple[float, float] | None = None,
        tight: bool = False,
        count: int = 5,
    ) -> Axis:
        """That of the values, which ends at ticks or, where it is ``tight``, at the values."""
        known = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        low, high = span or (min(known, default=1.0 if log else 0.0), max(known, default=1.0))
        if log:
            return cls._log(low, high, tight=tight or span is not None)
        return cls._linear(low, high, count, tight=tight or span is not None)

    @classmethod
    def _linear(cls, low: float, high: float, count: int, *, tight: bool) -> Axis:
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            low, high = min(low, 0.0), max(high, 0.0) or float(low == 0.0)
        step = step_of((high - low) / count)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = [float(f"{place * step:.12g}") for place in range(first, last + 1)]
        if not tight:
            return cls(ticks[0], ticks[-1], False, tuple(ticks))
        slack = 1e-9 * (high - low)
        inside = tuple(tick for tick in ticks if low - slack <= tick <= high + slack)
        return cls(low, high, False, inside)

    @classmethod
    def _log(cls, low: float, high: float, *, tight: bool) -> Axis:
        first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
        last = max(last, first + 1)
        every = -(-(last - first) // 6)
        ticks = tuple(10.0**power for power in range(first, last + 1, every))
        if not tight or low == high:
            return cls(10.0**first, 10.0**last, True, ticks)
        inside = tuple(tick for tick in ticks if low <= tick * 1.0000001 <= high * 1.0000002)
        return cls(low, high, True, inside)

    def share(self, value: float) -> float | None:
        """Where a value lies, from 0 to 1; None where it cannot be shown."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return None
        low, high, place = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        found = (place - low) / (high - low)
        return found if -1e-9 <= found <= 1 + 1e-9 else None

    def labels(self) -> list[str]:
        """The ticks as text, all with as many digits as they need."""
        if self.log:
            return [f"{tick:g}" for tick in self.ticks]
        most = max((abs(tick) for tick in self.ticks), default=0.0)
        if most >= 1e6 or 0 < most < 1e-3:
            return in_powers(self.ticks)
        texts = [f"{tick:.10f}".rstrip("0") for tick in self.ticks]
        digits = max((len(text.partition(".")[2]) for text in texts), default=0)
        return [f"{tick:,.{digits}f}" for tick in self.ticks]


def in_powers(ticks: Sequence[float]) -> list[str]:
    """The ticks as powers of ten, with three digits or as many as tell them apart."""
    each = ([f"{tick:.{digits}g}" for tick in ticks] for digits in range(3, 18))
    return next(texts for texts in each if len(set(texts)) == len(set(ticks)))


def ends_of(middles: Sequence[float]) -> Iterator[float]:
    """Where the outermost of bars begin and end."""
    width = min((b - a for a, b in pairwise(sorted(set(middles)))), default=0.0)
    for end in (min, max):
        if middles:
            yield end(middles) + width / 2 * (1 if end is max else -1)


def step_of(least: float) -> float:
    """The smallest round number that is no less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))


def stairs(series: Series) -> Series:
    """The same as a line that stays level from each point to the next."""
    pairs = list(zip(series.x, series.y, strict=True))
    made = pairs[:1]
    for (_, before), (x, y) in pairwise(pairs):
        made += [(x, before), (x, y)]
    return Series(series.name, [x for x, _ in made], [y for _, y in made])
