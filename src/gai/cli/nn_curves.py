"""What gai nn activations and gai nn losses share: functions as pictures, tables and lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gai.cli import terminal, values
from gai.cli.nn_inspect import say, show_table
from gai.cli.options import option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.net.curves import Curve
    from gai.nn.plots import Plot

FORMATS = ("tsv", "jsonl", "svg")
AT = (-2.0, 0.0, 2.0)
"""Where the table has values and slopes."""

HEIGHT = 11
OUTPUT = option(
    "-o", "--output", metavar="FILE", help="Write here; .svg is a picture.", default="-"
)
FORMAT = option(
    "--format",
    parse=values.choice(*FORMATS),
    help="tsv: name, x, value, derivative. jsonl: an object a point.",
    default="by extension; a terminal gets pictures, a pipe tsv",
)


def chosen(names: Sequence[str] | None, known: Sequence[str], what: str) -> list[str]:
    """The names that were asked for, or all; raises UsageError for what nothing is called."""
    for name in names or ():
        if name not in known:
            try:
                values.Choice(tuple(known))(name)
            except ValueError as error:
                raise UsageError(f"no {what} is called {name!r}", str(error)) from None
    return list(dict.fromkeys(names or known))


def format_of(place: str, format: str | None) -> str | None:
    """The format to write, None for a person at a terminal; UsageError for one that there is not,
    and for a picture that would go to a terminal."""
    named = format or ("" if place == "-" else place.removesuffix(".gz").rpartition(".")[2])
    if not named:
        return None if terminal.is_terminal(sys.stdout) else "tsv"
    if named not in FORMATS:
        raise UsageError(f"curves cannot be written to {place}", f"as {', '.join(FORMATS)}")
    if named == "svg" and place == "-" and terminal.is_terminal(sys.stdout):
        raise UsageError("a picture needs a file: -o FILE.svg")
    return named


def give(curves: Sequence[Curve], lines: Mapping[str, str], place: str, format: str | None) -> None:
    """Writes the curves, or shows them; ``lines`` say what each is."""
    if format is None:
        show(curves, lines)
        return
    from gai.cli import writing

    if format == "svg":
        from gai.nn import svg

        writing.write([svg.sheet([plotted(c, lines[c.name]) for c in curves], 3)], place)
    else:
        make = rows if format == "tsv" else objects
        writing.write((line.encode() for curve in curves for line in make(curve)), place)


def rows(curve: Curve) -> Iterator[str]:
    """A line a point."""
    for x, value, slope in points(curve):
        yield f"{curve.name}\t{x:g}\t{value:.6g}\t{slope:.6g}\n"


def objects(curve: Curve) -> Iterator[str]:
    """An object a point."""
    for x, value, slope in points(curve):
        found = {"name": curve.name, "x": x, "value": value, "derivative": slope}
        yield f"{json.dumps(found)}\n"


def points(curve: Curve) -> Iterator[tuple[float, float, float]]:
    columns = (curve.x, curve.values, curve.slopes)
    return zip(*(column.tolist() for column in columns), strict=True)


def plotted(curve: Curve, about: str = "") -> Plot:
    """The curve and its derivative in one picture."""
    from gai.nn.plots import Plot, Series

    x = curve.x.tolist()
    value = Series("value", x, curve.values.tolist())
    slope = Series("derivative", x, curve.slopes.tolist())
    return Plot(curve.name, [value, slope], x=curve.about, about=about)


def show(curves: Sequence[Curve], lines: Mapping[str, str]) -> None:
    """Pictures, and a table below."""
    from gai.cli import charts

    charts.show([plotted(curve) for curve in curves], HEIGHT)
    heads = [
        "",
        *(f"f({x:g})" for x in AT),
        *(f"f'({x:g})" for x in AT),
        "flat below",
        "flat above",
    ]
    show_table(heads, map(cells, curves), left=(0,))
    say("\nflat: slopes below 0.05 to the end of the picture; little is learned there")


def cells(curve: Curve) -> list[str]:
    """A row of the table."""
    places = [int(abs(curve.x - x).argmin()) for x in AT]
    found = [f"{column[place]:.3g}" for column in (curve.values, curve.slopes) for place in places]
    low, high = curve.flat()
    return [curve.name, *found, *("" if end is None else f"{end:.2g}" for end in (low, high))]
