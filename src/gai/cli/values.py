"""Values of options: each function turns what was typed into a value, or raises ValueError."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True)
class Choice:
    """One of a few names; called with what was typed, it gives back the name or suggests one."""

    names: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if text in self.names:
            return text
        if near := get_close_matches(text.lower(), self.names, 1, 0.5):
            raise ValueError(f"did you mean {near[0]}?")
        raise ValueError(f"choose from {', '.join(self.names)}")


def choice(*names: str) -> Choice:
    """A parser that lets only ``names`` pass."""
    return Choice(names)


def several(*names: str) -> Callable[[str], tuple[str, ...]]:
    """A parser of one or several of ``names``, with commas between."""
    one = Choice(names)

    def parse(text: str) -> tuple[str, ...]:
        return tuple(one(name.strip()) for name in text.split(","))

    return parse


def whole(least: int) -> Callable[[str], int]:
    """A parser of whole numbers that are ``least`` or more."""

    def parse(text: str) -> int:
        if not is_digits(text) or int(text) < least:
            raise ValueError(f"expected a whole number, {least} or more")
        return int(text)

    return parse


def number(least: float, most: float = math.inf) -> Callable[[str], float]:
    """A parser of finite numbers from ``least`` to ``most``."""

    def parse(text: str) -> float:
        value = to_float(text)
        if not least <= value <= most or value == math.inf:
            bounds = f"{least:g} or more" if most == math.inf else f"from {least:g} to {most:g}"
            raise ValueError(f"expected a number, {bounds}")
        return value

    return parse


def documents(text: str) -> int | float:
    """A number of documents: ``"2"`` is a count (int), ``"1.0"`` and ``"0.5"`` are fractions."""
    if is_digits(text):
        return int(text)
    value = to_float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError("expected a count such as 2 or a fraction such as 0.5")
    return value


def span(text: str) -> tuple[int, int]:
    """The lengths of n-grams: ``"1,2"`` is (1, 2), and ``"2"`` is (2, 2)."""
    low, _, high = text.partition(",")
    high = high if "," in text else low
    if not (is_digits(low) and is_digits(high) and 1 <= int(low) <= int(high)):
        raise ValueError("expected a length such as 2, or a shortest and a longest such as 1,2")
    return int(low), int(high)


def size(text: str) -> int:
    """Bytes: ``"300M"`` is 300 * 2**20, ``"2G"`` (or ``2GB``, ``2GiB``) is 2 * 2**30."""
    upper = text.upper()
    bare = upper.removesuffix("IB") if upper.endswith("IB") else upper.removesuffix("B")
    digits = bare.rstrip("KMGT")
    value, unit = to_float(digits), bare[len(digits) :]
    if unit not in UNITS or not 0.0 < value < math.inf:
        raise ValueError("expected a size such as 300M or 2G")
    return int(value * UNITS[unit])


def is_digits(text: str) -> bool:
    """Whether the text is nothing but decimal digits; Python's int() takes more than that."""
    return text.isascii() and text.isdigit()


def to_float(text: str) -> float:
    """The number that the text spells, or NaN."""
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan
