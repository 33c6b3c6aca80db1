"""Plots as SVG: light or dark as the reader's screen is, and the same bytes for the same plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gai.nn.markup import Html, joined, tag
from gai.nn.plots import Axis, Mark, Plot, Series

LETTER = 6.1
"""Mean width of a letter of the small text, in pixels."""

SIZE = (440, 280)
"""Width and height of a plot."""

LONGEST = 60
"""Letters of a name beside an interval: the rest of the width is for the intervals."""

GAP = 28
"""Between the plots of a sheet."""

DOTTED = 40
"""Points of a line up to which each of them is marked."""

COLOURS = ("#0068ac", "#c44f00", "#00805c", "#a8408a", "#8d6400", "#5b6b7b")
NIGHT = ("#5cb3f5", "#ff9d5c", "#3ecfa3", "#e590ce", "#dcb44a", "#a9b6c4")
"""Those of Okabe and Ito, which colour-blind people tell apart, darker by day and lighter by night;
lines are told apart by their dashes, too."""

DASHES = ("none", "6 3.5", "2 3", "9 3 2 3", "12 4", "4 2")

MINUS = "\u2212"

DAY = {
    "paper": "#ffffff",
    "ink": "#1d2228",
    "pale": "#68727d",
    "grid": "#e4e7ea",
    "axis": "#a9b1b9",
}
DARK = {
    "paper": "#15181c",
    "ink": "#e6e9ec",
    "pale": "#98a2ad",
    "grid": "#2a2f35",
    "axis": "#59626c",
}


def style() -> str:
    """The style sheet that all plots share."""
    fixed = (
        "svg.plot{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
        "svg.plot text{font-variant-numeric:tabular-nums}"
        ".t{font-weight:600;font-size:13px}.u,.k{font-size:11px}.e{text-anchor:end}"
        ".c{text-anchor:middle}.l{fill:none;stroke-width:1.8;stroke-linejoin:round}"
        ".g,.x,.v,.d{fill:none;stroke-width:1}.v,.d{stroke-dasharray:3 3}.p{fill-opacity:.55}"
        ".b{fill-opacity:.8}"
    )
    dashes = "".join(f".l.s{k}{{stroke-dasharray:{d}}}" for k, d in enumerate(DASHES))
    dark = f"@media(prefers-color-scheme:dark){{{_colours(DARK, NIGHT)}}}"
    return f"{fixed}{dashes}{_colours(DAY, COLOURS)}{dark}"


def _colours(plain: dict[str, str], series: Sequence[str]) -> str:
    rules = (
        f".w{{fill:{plain['paper']}}}.t,.k{{fill:{plain['ink']}}}.u{{fill:{plain['pale']}}}"
        f".g{{stroke:{plain['grid']}}}.x,.v{{stroke:{plain['axis']}}}.d{{stroke:{plain['ink']}}}"
    )
    each = (f".l.s{k}{{stroke:{c}}}.f{k}{{fill:{c}}}" for k, c in enumerate(series))
    return rules + "".join(each)


def sheet(plots: Sequence[Plot], columns: int = 2, size: tuple[int, int] = SIZE) -> bytes:
    """A file of SVG with all plots, row by row, on paper of their own."""
    columns = max(min(columns, len(plots)), 1)
    rows = -(-len(plots) // columns)
    wide = columns * (size[0] + GAP) + GAP
    high = rows * (size[1] + GAP) + GAP
    placed = (
        tag(
            "g",
            inside(plot, size),
            transform=f"translate({GAP + k % columns * (size[0] + GAP)} "
            f"{GAP + k // columns * (size[1] + GAP)})",
        )
        for k, plot in enumerate(plots)
    )
    paper = tag("rect", class_="w", width=wide, height=high)
    made = tag(
        "svg",
        tag("style", Html(style())),
        paper,
        *placed,
        xmlns="http://www.w3.org/2000/svg",
        class_="plot",
        width=wide,
        height=high,
        viewBox=f"0 0 {wide} {high}",
    )
    return f"{made}\n".encode("utf-8", "replace")


def picture(plot: Plot, size: tuple[int, int] = SIZE) -> Html:
    """The plot as an element of a page that has the ``style``."""
    box = f"0 0 {size[0]} {size[1]}"
    said = plot.title or plot.y
    return tag("svg", inside(plot, size), class_="plot", viewBox=box, role="img", aria_label=said)


class Interval(NamedTuple):
    """A value with the ends that it lies between, or alone."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def intervals(title: str, rows: Sequence[Interval], wide: int = 640) -> Html:
    """A dot for each value, with its interval, above one axis."""
    rows = [row._replace(name=shortened(row.name)) for row in rows]
    known = [value for row in rows for value in row[1:] if value is not None]
    axis = Axis.of(known)
    left, bottom = 24 + LETTER * max(len(row.name) for row in rows), 34 + 26 * len(rows)
    frame = Frame(left, 24, wide - 20, bottom, axis, Axis.of([0, 1]))
    parts = [tag("text", title, class_="t", x=0, y=14), *ruler(frame)]
    for place, row in enumerate(rows):
        parts += interval(row, frame, 44 + 26 * place)
    box = f"0 0 {wide} {bottom + 24}"
    return tag("svg", *parts, class_="plot", viewBox=box, role="img", aria_label=title)


def shortened(name: str) -> str:
    """The name, or its beginning where it is long."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def ruler(frame: Frame) -> Iterator[Html]:
    """Upright lines, with their values below."""
    for tick, label in zip(frame.across.ticks, frame.across.labels(), strict=True):
        spot = frame.place(tick, 0.0)
        assert spot is not None
        yield path([Place(spot.x, frame.top + 4), spot], "g")
        at = {"x": number(spot.x), "y": number(spot.y + 17)}
        yield tag("text", minus(label), class_="u c", **at)


def interval(row: Interval, frame: Frame, y: float) -> Iterator[Html]:
    """A row: its name, a bar where it has an interval, its dot."""
    yield tag("text", row.name, class_="k e", x=number(frame.left - 14), y=number(y + 4))
    value, low, high = (
        None if one is None else frame.place(one, 0.0) for one in (row.value, row.low, row.high)
    )
    colour = 1 if low is None else 0
    if low is not None and high is not None:
        at = {"x": number(low.x), "width": number(high.x - low.x)}
        yield tag("rect", class_="b f0", y=number(y - 2), height=4, rx=2, **at)
    if value is not None:
        yield circle(Place(value.x, y), 4.5, f"f{colour}")


class Place(NamedTuple):
    """A point in pixels, from the top left corner."""

    x: float
    y: float


@dataclass(frozen=True)
class Frame:
    """The field between the axes, in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    across: Axis
    up: Axis

    @classmethod
    def of(cls, plot: Plot, size: tuple[int, int]) -> Frame:
        """What the labels around it leave."""
        across, up = plot.x_axis(), plot.y_axis()
        left = 10 + LETTER * max((len(minus(label)) for label in up.labels()), default=0)
        top = 2 + 20 * bool(plot.title) + 16 * bool(plot.about) + 20 * bool(plot.y)
        top += 10 * (not plot.y)
        named = [one.name for one in plot.series if labelled(plot)]
        right = size[0] - 14 - LETTER * max(map(len, named), default=0) * 1.06
        return cls(left, top, right, size[1] - 22 - 18 * bool(plot.x), across, up)

    def place(self, x: float, y: float) -> Place | None:
        """Where a point lies; None where it cannot be shown."""
        across, up = self.across.share(x), self.up.share(y)
        if across is None or up is None:
            return None
        return Place(
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )


def labelled(plot: Plot) -> bool:
    """Whether the series need their names beside them."""
    return len(plot.series) > 1


def inside(plot: Plot, size: tuple[int, int]) -> Html:
    """All that a plot is made of."""
    frame = Frame.of(plot, size)
    parts = [*heading(plot), *grid(plot, frame, size), *(mark(m, frame) for m in plot.marks)]
    for place, series in enumerate(plot.series):
        draw = {"line": line, "points": points, "bars": bars}[series.kind]
        parts += draw(series, frame, place % len(COLOURS))
    if plot.diagonal:
        parts.append(diagonal(frame))
    if labelled(plot):
        parts += names(plot, frame)
    return joined(parts)


def heading(plot: Plot) -> Iterator[Html]:
    """The title, the line below it, and what the vertical axis is."""
    top = 14
    if plot.title:
        yield tag("text", plot.title, class_="t", x=0, y=top)
        top += 18
    if plot.about:
        yield tag("text", plot.about, class_="u", x=0, y=top)
        top += 16
    if plot.y:
        yield tag("text", plot.y, class_="u", x=0, y=top)


def grid(plot: Plot, frame: Frame, size: tuple[int, int]) -> Iterator[Html]:
    """Level lines with their values, and the values below."""
    for tick, label in zip(frame.up.ticks, frame.up.labels(), strict=True):
        if (spot := frame.place(frame.across.low, tick)) is not None:
            kind = "x" if tick == 0 and frame.up.low < 0 else "g"
            yield path([spot, Place(frame.right, spot.y)], kind)
            at = {"x": number(frame.left - 8), "y": number(spot.y + 4)}
            yield tag("text", minus(label), class_="u e", **at)
    for tick, label in zip(frame.across.ticks, frame.across.labels(), strict=True):
        if (spot := frame.place(tick, frame.up.low)) is not None:
            yield path([spot, Place(spot.x, spot.y + 4)], "x")
            at = {"x": number(spot.x), "y": number(spot.y + 17)}
            yield tag("text", minus(label), class_="u c", **at)
    yield path([Place(frame.left, frame.bottom), Place(frame.right, frame.bottom)], "x")
    if plot.x:
        middle = number((frame.left + frame.right) / 2)
        yield tag("text", plot.x, class_="u c", x=middle, y=size[1] - 4)


def mark(found: Mark, frame: Frame) -> Html:
    """A vertical line with its name above."""
    spot = frame.place(found.x, frame.up.low)
    if spot is None:
        return Html("")
    at = {"x": number(spot.x), "y": number(frame.top - 5)}
    name = tag("text", found.name, class_="u c", **at)
    return joined([path([Place(spot.x, frame.top), spot], "v"), name])


def diagonal(frame: Frame) -> Html:
    """The line on which both axes say the same."""
    low = max(frame.across.low, frame.up.low)
    high = min(frame.across.high, frame.up.high)
    ends = [spot for value in (low, high) if (spot := frame.place(value, value)) is not None]
    return path(ends, "d") if len(ends) == 2 else Html("")


def line(series: Series, frame: Frame, colour: int) -> Iterator[Html]:
    """The line through the points, broken where one cannot be shown."""
    for piece in pieces(series, frame):
        if len(piece) > 1:
            yield path(piece, f"l s{colour}")
    spots = [spot for piece in pieces(series, frame) for spot in piece]
    if len(spots) <= DOTTED:
        for spot in spots:
            yield circle(spot, 2.4, f"f{colour}")


def pieces(series: Series, frame: Frame) -> list[list[Place]]:
    """The points that belong to one stroke each."""
    found: list[list[Place]] = [[]]
    for x, y in zip(series.x, series.y, strict=True):
        spot = frame.place(x, y)
        if spot is not None:
            found[-1].append(spot)
        elif found[-1]:
            found.append([])
    return [piece for piece in found if piece]


def points(series: Series, frame: Frame, colour: int) -> Iterator[Html]:
    """A dot for each point."""
    for x, y in zip(series.x, series.y, strict=True):
        if (spot := frame.place(x, y)) is not None:
            yield circle(spot, 2.6, f"p f{colour}")


def bars(series: Series, frame: Frame, colour: int) -> Iterator[Html]:
    """A bar for each point, from 0 on."""
    across = [frame.across.share(x) for x in series.x]
    known = sorted(share for share in across if share is not None)
    gaps = [b - a for a, b in pairwise(known) if b > a]
    width = (frame.right - frame.left) * min(gaps, default=0.2)
    for x, y in zip(series.x, series.y, strict=True):
        top, base = frame.place(x, y), frame.place(x, 0.0)
        if top is not None and base is not None:
            at = {
                "x": number(top.x - width * 0.45),
                "y": number(min(top.y, base.y)),
                "width": number(width * 0.9),
                "height": number(abs(base.y - top.y)),
            }
            yield tag("rect", class_=f"b f{colour}", **at)


def names(plot: Plot, frame: Frame) -> Iterator[Html]:
    """The name of each series at its right end, none upon another."""
    ends = []
    for colour, series in enumerate(plot.series):
        spots = [spot for piece in pieces(series, frame) for spot in piece]
        if spots:
            ends.append((spots[-1].y, colour, series.name))
    ends.sort()
    heights = spread([y for y, _, _ in ends], 14.0, frame.top, frame.bottom)
    for height, (_, colour, name) in zip(heights, ends, strict=True):
        at = {"x": number(frame.right + 8), "y": number(height + 4)}
        yield tag("text", name, class_=f"f{colour % len(COLOURS)}", style="font-size:11px", **at)


def spread(heights: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Ascending heights moved apart to at least ``least``, between low and high where they fit."""
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + least) if found else max(height, low))
    limit = high
    for place in range(len(found) - 1, -1, -1):
        found[place] = min(found[place], limit)
        limit = found[place] - least
    return found


def path(spots: Sequence[Place], kind: str) -> Html:
    """A line from point to point."""
    steps = "L".join(f"{number(spot.x)} {number(spot.y)}" for spot in spots)
    return tag("path", class_=kind, d=f"M{steps}")


def circle(spot: Place, radius: float, kind: str) -> Html:
    """A dot."""
    return tag("circle", class_=kind, cx=number(spot.x), cy=number(spot.y), r=radius)


def number(value: float) -> str:
    """A length with at most two digits behind the point."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def minus(label: str) -> str:
    """The label as it is set in print: a minus as long as a plus, 10⁻⁶ in place of 1e-06."""
    digits, _, power = label.partition("e")
    times = "" if digits == "1" else f"{digits.replace('-', MINUS)}·"
    return f"{times}10{str(int(power)).translate(RAISED)}" if power else label.replace("-", MINUS)
