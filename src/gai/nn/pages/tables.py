"""The tables of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gai.nn.markup import Html, html, joined, tag
from gai.nn.pages.facts import Layer
from gai.nn.pictures import spaced

FEW = 24
"""Classes up to which a confusion matrix has numbers in its cells."""

MANY = 120
"""Classes up to which it is drawn at all."""

FIRST = 20
"""Rows of a long table that are seen at once."""

Row = Sequence[str]


def table(heads: Sequence[str], rows: Sequence[Row], left: Sequence[int] = (0,)) -> Html:
    """A table; the first cell of each row names it, columns of numbers stand to the right."""

    def side(place: int) -> str | None:
        return None if place in left else "n"

    top = (tag("th", head, class_=side(k), scope="col") for k, head in enumerate(heads))
    made = []
    for first, *others in rows:
        cells = (tag("td", cell, class_=side(k)) for k, cell in enumerate(others, 1))
        made.append(tag("tr", tag("th", first, class_=side(0), scope="row"), *cells))
    whole = tag("table", tag("thead", tag("tr", *top)), tag("tbody", *made))
    return tag("div", whole, class_="wide")


def scores(parts: Sequence[tuple[str, Mapping[str, Any]]]) -> Html:
    """A row for each score; of each part the network's, its interval and the baselines'."""
    columns = [column for where, found in parts for column in columns_of(where, found)]
    names = list(dict.fromkeys(name for column in columns for name in column.cells))
    spans = {where: sum(column.part == where for column in columns) for where, _ in parts}
    above = [tag("th", where, colspan=size, scope="colgroup") for where, size in spans.items()]
    heads = [tag("th", column.head, class_=column.side, scope="col") for column in columns]
    rows = []
    for name in names:
        cells = [tag("td", c.cells.get(name, ""), class_=c.side) for c in columns]
        rows.append(tag("tr", tag("th", spaced(name), scope="row"), *cells))
    head = tag("thead", tag("tr", tag("th"), *above), tag("tr", tag("th"), *heads))
    return tag("div", tag("table", head, tag("tbody", *rows), class_="scores"), class_="wide")


class Column(NamedTuple):
    """A column of the table of scores; ``first`` of a part stands apart from the one before."""

    part: str
    head: str
    cells: Mapping[str, str]
    first: bool = False

    @property
    def side(self) -> str:
        """The class of its cells."""
        return "n first" if self.first else "n"


def columns_of(where: str, found: Mapping[str, Any]) -> Iterator[Column]:
    """The columns of a part."""
    yield Column(where, "network", {n: spelt(v) for n, v in found["network"].items()}, True)
    between = {
        name: f"{spelt(ends[0])}–{spelt(ends[1])}"
        for name, ends in (found.get("intervals") or {}).items()
        if ends and ends[0] is not None
    }
    if between:
        yield Column(where, "95 %", between)
    for baseline, values in (found.get("baselines") or {}).items():
        yield Column(where, baseline, {n: spelt(v) for n, v in values.items()})


def spelt(value: float | None) -> str:
    """A score."""
    if value is None:
        return ""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def classes(rows: Sequence[Mapping[str, Any]]) -> Iterator[Html]:
    """A row for each class, the weakest first; the rest of many is folded."""
    ordered = sorted(rows, key=lambda row: (row["f1"], str(row["label"])))
    heads = ["class", "examples", "precision", "recall", "F1"]

    def cells(row: Mapping[str, Any]) -> Row:
        numbers = [f"{row[name]:.3f}" for name in ("precision", "recall")]
        return [row["label"], f"{row['support']:,}", *numbers, share(row["f1"])]

    yield table(heads, [cells(row) for row in ordered[:FIRST]])
    if rest := ordered[FIRST:]:
        summary = tag("summary", f"{len(rest):,} more classes")
        yield tag("details", summary, table(heads, [cells(row) for row in rest]))


def share(value: float) -> Html:
    """A share as a bar and a number."""
    bar = tag("span", tag("i", style=f"width:{100 * value:.1f}%"), class_="bar")
    return joined([bar, html(f"{value:.3f}")])


def confusions(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> Iterator[Html]:
    """The matrix, and where there are many classes what is confused most."""
    if len(labels) <= FEW:
        yield tag("div", matrix_of(matrix, labels), class_="wide")
        return
    if len(labels) <= MANY:
        yield tag("div", small_matrix(matrix, labels), class_="wide")
    if pairs := most_confused(matrix, labels):
        yield tag("h3", "Confused most")
        heads = ["true", "said", "times", "of"]
        yield table(heads, pairs, left=(0, 1))


def matrix_of(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> Html:
    """A coloured cell for each pair of classes, with the number in it."""
    up = "up" if max(map(len, labels)) > 3 else None
    heads = [tag("th", tag("div", label, class_=up), scope="col") for label in labels]
    rows = []
    for place, (label, counts) in enumerate(zip(labels, matrix, strict=True)):
        total = sum(counts) or 1
        cells = (cell(count, count / total, k == place) for k, count in enumerate(counts))
        rows.append(tag("tr", tag("th", label, scope="row", title=label), *cells))
    head = tag("thead", tag("tr", tag("th"), *heads))
    return tag("table", head, tag("tbody", *rows), class_="confusion")


def cell(count: int, share: float, right: bool) -> Html:
    """A count on a colour as strong as its share of the row."""
    if not count:
        return tag("td", "0" if right else "·", class_="z")
    kind = f"{'o' if right else 'x'}{' h' if share > 0.55 else ''}"
    return tag("td", f"{count:,}", class_=kind, style=f"--a:{0.12 + 0.88 * share:.2f}")


def small_matrix(matrix: Sequence[Sequence[int]], labels: Sequence[str], side: int = 9) -> Html:
    """The same for many classes: small squares, whose numbers a pointer shows."""
    squares = []
    for y, counts in enumerate(matrix):
        total = sum(counts) or 1
        for x, count in enumerate(counts):
            if count:
                said = tag("title", f"{labels[y]}, said {labels[x]}: {count:,}")
                at = {"x": x * side, "y": y * side, "width": side - 1, "height": side - 1}
                strength = f"fill-opacity:{0.25 + 0.75 * count / total:.2f}"
                squares.append(
                    tag("rect", said, class_="f0" if x == y else "f1", style=strength, **at)
                )
    size = side * len(labels)
    box = f"0 0 {size} {size}"
    frame = tag("rect", class_="g", x=-0.5, y=-0.5, width=size, height=size)
    return tag(
        "svg",
        frame,
        *squares,
        class_="plot",
        viewBox=box,
        style=f"width:{size}px;max-width:100%",
        role="img",
        aria_label="confusion matrix",
    )


def most_confused(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> list[Row]:
    """The pairs of classes that are confused most often."""
    found = [
        (count, y, x)
        for y, counts in enumerate(matrix)
        for x, count in enumerate(counts)
        if count and x != y
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return [
        [labels[y], labels[x], f"{count:,}", f"{sum(matrix[y]):,}"] for count, y, x in found[:FIRST]
    ]


def layers(rows: Sequence[Layer]) -> Html:
    """The layers, and their sums."""
    heads = ["layer", "what it is", "output", "weights", "operations"]
    made = [
        [
            tag("code", row.name),
            row.kind,
            row.output,
            f"{row.parameters:,}" if row.parameters else "",
            f"{row.operations:,}" if row.operations else "",
        ]
        for row in rows
    ]
    totals = (sum(row.parameters for row in rows), sum(row.operations for row in rows))
    made.append(["", "", "", *(tag("b", f"{total:,}", class_="best") for total in totals)])
    return table(heads, made, left=(0, 1))


def choices(chosen: Sequence[tuple[str, str]]) -> Html:
    """Options and their values."""
    rows = [tag("tr", tag("th", tag("code", n), scope="row"), tag("td", v)) for n, v in chosen]
    return tag("table", tag("tbody", *rows))
