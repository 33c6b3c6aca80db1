"""Plots in a terminal, drawn with the dots of Braille letters, and readable without colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gai.cli import terminal
from gai.nn.plots import Axis, Plot, Series

WIDTH, HEIGHT = 72, 12
"""Columns and rows of a plot, its labels among them."""

BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dots of a letter, two in each of four rows."""

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "white")

SOLID = (1, 0)
DASHES = (SOLID, (3, 3), (1, 2), (6, 2), (2, 4), (4, 2))
"""Dots of a line that are drawn, and that are left out, for one series after the other."""


@dataclass
class Field:
    """Cells of two by four dots each; ``owner`` is the series that drew into a cell last."""

    columns: int
    rows: int
    cells: dict[tuple[int, int], int] = field(default_factory=dict)
    owner: dict[tuple[int, int], int] = field(default_factory=dict)

    def dot(self, x: int, y: int, series: int) -> None:
        """Draws a dot, counted from the top left."""
        cell = (y // 4, x // 2)
        self.cells[cell] = self.cells.get(cell, 0) | DOTS[y % 4][x % 2]
        self.owner[cell] = series

    def row(self, number: int) -> Iterator[tuple[str, str]]:
        """The letters of a row with their colours."""
        for column in range(self.columns):
            bits = self.cells.get((number, column), 0)
            owner = self.owner.get((number, column))
            style = "" if owner is None else COLOURS[owner % len(COLOURS)]
            yield (chr(BRAILLE | bits) if bits else " ", style)


def drawn(plot: Plot, width: int = WIDTH, height: int = HEIGHT) -> Any:
    """The plot as text with colours: a title, the field with its axes, labels below."""
    from rich.text import Text

    rows = height - bool(plot.title) - 2 - bool(plot.x)
    lines = [Text(one, "bold") for one in [plot.title] if one]
    lines += field_lines(plot, width, max(rows, 2))
    made = Text("\n").join(lines)
    made.no_wrap, made.overflow = True, "ellipsis"
    return made


def field_lines(plot: Plot, width: int, rows: int) -> list[Any]:
    """The rows of the field, and the axis below it."""
    from rich.text import Text

    up, across = plot.y_axis(max(rows // 2 - 1, 1)), plot.x_axis(max(width // 8, 2))
    ticks = up_labels(up, rows)
    margin = max(map(len, ticks.values()), default=0)
    names = plot.series if len(plot.series) > 1 else []
    room = max((len(one.name) for one in names), default=-1) + 1
    columns = max(width - margin - 2 - room, 10)
    canvas = Field(columns, rows)
    ends = draw(plot, canvas, across, up)
    beside = {row: name for row, name in name_rows(ends, rows) if names}
    lines = []
    for row in range(rows):
        head = (f"{ticks.get(row, ''):>{margin}} {'┤' if row in ticks else '│'}", "dim")
        tail = [(" ", ""), beside[row]] if row in beside else []
        lines.append(Text.assemble(head, *canvas.row(row), *tail))
    return [*lines, *below(plot, across, margin, columns)]


def up_labels(axis: Axis, rows: int) -> dict[int, str]:
    """The rows that have a tick, with its label: not in each row, and the ends first."""
    found: dict[int, str] = {}
    pairs = list(zip(axis.ticks, axis.labels(), strict=True))
    for tick, label in [*pairs[:1], *pairs[-1:], *pairs[1:-1]]:
        share = axis.share(tick)
        if share is not None:
            row = row_of(share, rows)
            if not any(abs(row - other) < 2 for other in found):
                found[row] = label
    return found


def row_of(share: float, rows: int) -> int:
    """The row of a value."""
    return min(round((1 - share) * (4 * rows - 1)), 4 * rows - 1) // 4


def draw(plot: Plot, canvas: Field, across: Axis, up: Axis) -> list[tuple[int, int, str]]:
    """Draws all series; gives the dot where each ends, its number and its name."""
    ends = []
    width, height = 2 * canvas.columns - 1, 4 * canvas.rows - 1
    for number, series in enumerate(plot.series):
        spots = [spot(across, up, x, y, width, height) for x, y in pairs(series)]
        for x, y in dots(spots, series, number, height):
            canvas.dot(x, y, number)
        known = [one for one in spots if one is not None]
        if known:
            ends.append((known[-1][1], number, series.name))
    return ends


def pairs(series: Series) -> Iterator[tuple[float, float]]:
    return zip(series.x, series.y, strict=True)


def spot(
    across: Axis, up: Axis, x: float, y: float, width: int, height: int
) -> tuple[int, int] | None:
    """The dot of a point; None where it cannot be shown."""
    one, other = across.share(x), up.share(y)
    if one is None or other is None:
        return None
    return min(round(one * width), width), min(round((1 - other) * height), height)


def dots(
    spots: Sequence[tuple[int, int] | None], series: Series, number: int, height: int
) -> Iterator[tuple[int, int]]:
    """The dots of a series."""
    if series.kind == "bars":
        for one in filter(None, spots):
            yield from ((one[0], y) for y in range(one[1], height + 1))
    elif series.kind == "points" or sum(one is not None for one in spots) == 1:
        yield from filter(None, spots)
    else:
        yield from dashed(stroke(spots), *DASHES[number % len(DASHES)])


def stroke(spots: Sequence[tuple[int, int] | None]) -> Iterator[tuple[int, int]]:
    """All dots on the way from each point to the next, gaps left out."""
    for before, after in pairwise(spots):
        if before is None or after is None:
            continue
        (x, y), (to_x, to_y) = before, after
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for step in range(steps + 1):
            yield round(x + (to_x - x) * step / steps), round(y + (to_y - y) * step / steps)


def dashed(found: Iterable[tuple[int, int]], shown: int, hidden: int) -> Iterator[tuple[int, int]]:
    """Some of the dots, in their order: ``shown`` of them, then ``hidden`` not."""
    for place, one in enumerate(dict.fromkeys(found)):
        if place % (shown + hidden) < shown:
            yield one


def name_rows(
    ends: Sequence[tuple[int, int, str]], rows: int
) -> Iterator[tuple[int, tuple[str, str]]]:
    """A row for the name of each series beside its end, no two in one."""
    taken: set[int] = set()
    for dot, number, name in sorted(ends):
        free = [row for row in range(rows) if row not in taken]
        if free:
            row = min(free, key=lambda row: (abs(row - dot // 4), -row))
            taken.add(row)
            yield row, (name, COLOURS[number % len(COLOURS)])


def below(plot: Plot, axis: Axis, margin: int, columns: int) -> list[Any]:
    """The axis below the field, its labels, and what it is."""
    from rich.text import Text

    ruler, labels = ["─"] * columns, [" "] * (columns + margin + 8)
    for value, label in zip(axis.ticks, axis.labels(), strict=True):
        share = axis.share(value)
        if share is None:
            continue
        place = round(share * (columns - 1))
        first = max(margin + 2 + place - len(label.lstrip("-")) // 2 - label.startswith("-"), 0)
        span = slice(max(first - 1, 0), first + len(label) + 1)
        if any(letter != " " for letter in labels[span]) or span.stop > len(labels):
            continue
        ruler[place] = "┴"
        labels[first : first + len(label)] = label
    lines = [f"{' ' * margin} └{''.join(ruler)}", "".join(labels).rstrip()]
    if plot.x and len(plot.x) <= columns:
        lines.append(f"{' ' * (margin + 2)}{plot.x:^{columns}}".rstrip())
    elif plot.x:
        lines.append(plot.x)
    return [Text(line, "dim") for line in lines]


def show(plots: Sequence[Plot], height: int = HEIGHT, narrowest: int = 34) -> None:
    """Prints plots, as many beside each other as the terminal has room for, two at most."""
    from rich.table import Table

    console = terminal.console()
    width = min(console.width, 110)
    beside = 2 if len(plots) > 1 and width >= 2 * narrowest + 3 else 1
    each = (width - 3 * (beside - 1)) // beside
    grid = Table.grid(padding=(0, 3, 1, 0), pad_edge=False)
    for first in range(0, len(plots), beside):
        grid.add_row(*(drawn(plot, each, height) for plot in plots[first : first + beside]))
    console.print(grid)
