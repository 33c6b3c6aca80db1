"""Heat maps: a table of shares as shades, in a terminal or as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gai.nn.grids import SHADES
from gai.nn.markup import Html, joined, tag
from gai.nn.svg import DARK, DAY, LETTER, style

CELL = 16
"""Pixels of a cell of a picture."""


@dataclass(frozen=True)
class Heatmap:
    """``values`` [rows, columns] from 0 to 1, with the names of both, which may be empty."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: NDArray[np.float64]


def lines_of(found: Heatmap, wide: int = 2) -> list[str]:
    """The map as lines of characters, ``wide`` of them a cell; above it the names of the columns,
    from top to bottom."""
    edge = max((len(name) for name in found.rows), default=0)
    heads = list(headings(found.columns, edge, wide))
    shades = np.minimum((found.values * len(SHADES)).astype(np.int64), len(SHADES) - 1)
    body = [
        f"{name:>{edge}} |" + "".join(SHADES[shade] * wide for shade in row) + "|"
        for name, row in zip(found.rows, shades.tolist(), strict=True)
    ]
    return [found.title, *heads, *body]


def headings(columns: Sequence[str], edge: int, wide: int) -> Iterator[str]:
    """The names of columns, upright, their ends at the map."""
    tall = max((len(name) for name in columns), default=0)
    for place in range(tall):
        letters = (name.rjust(tall)[place] for name in columns)
        yield (" " * (edge + 2) + "".join(letter.ljust(wide) for letter in letters)).rstrip()


def picture(maps: Sequence[Heatmap], across: int = 2) -> bytes:
    """A file of SVG with all maps, ``across`` of them beside each other."""
    sizes = [size_of(found) for found in maps]
    wide = max(size[0] for size in sizes)
    tops, made = 0.0, []
    for first in range(0, len(maps), across):
        row = maps[first : first + across]
        for place, found in enumerate(row):
            move = f"translate({place * wide:g} {tops:g})"
            made.append(tag("g", *drawn(found), transform=move))
        tops += max(size[1] for size in sizes[first : first + across])
    width = wide * min(across, len(maps))
    paper = tag("rect", class_="w", width=f"{width:g}", height=f"{tops:g}")
    rules = f"{style()}.h{{fill:{DAY['ink']}}}"
    night = f"@media(prefers-color-scheme:dark){{.h{{fill:{DARK['ink']}}}}}"
    svg = tag(
        "svg",
        tag("style", Html(rules + night)),
        paper,
        joined(made),
        xmlns="http://www.w3.org/2000/svg",
        class_="plot",
        width=f"{width:g}",
        height=f"{tops:g}",
        viewBox=f"0 0 {width:g} {tops:g}",
    )
    return f"{svg}\n".encode("utf-8", "replace")


def edges(found: Heatmap) -> tuple[float, float]:
    """The room for the names, to the left and above, in pixels."""
    left = LETTER * max((len(name) for name in found.rows), default=0)
    above = LETTER * max((len(name) for name in found.columns), default=0)
    return left + 16, above + 30


def size_of(found: Heatmap) -> tuple[float, float]:
    """Width and height of a map with its names, in pixels."""
    left, above = edges(found)
    rows, columns = found.values.shape
    return left + max(
        CELL * columns, LETTER * 1.2 * len(found.title)
    ) + 24, above + CELL * rows + 24


def drawn(found: Heatmap) -> Iterator[Html]:
    """The elements of a map."""
    left, above = edges(found)
    rows, columns = found.values.shape
    yield tag("text", found.title, class_="t", x=f"{left:g}", y=16)
    for place, name in enumerate(found.rows):
        y = above + CELL * place + 12
        yield tag("text", name, class_="u e", x=f"{left - 6:g}", y=f"{y:g}")
    for place, name in enumerate(found.columns):
        x, y = left + CELL * place + 12, above - 6
        turn = f"rotate(-90 {x:g} {y:g})"
        yield tag("text", name, class_="u", x=f"{x:g}", y=f"{y:g}", transform=turn)
    for row, column in np.argwhere(found.values >= 0.005).tolist():
        value = f"{found.values[row, column]:.2f}"
        x, y = left + CELL * column, above + CELL * row
        yield tag(
            "rect", class_="h", x=f"{x:g}", y=f"{y:g}", width=CELL, height=CELL, fill_opacity=value
        )
    yield tag(
        "rect",
        class_="x",
        fill="none",
        x=f"{left:g}",
        y=f"{above:g}",
        width=CELL * columns,
        height=CELL * rows,
    )
