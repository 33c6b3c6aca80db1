"""Plots: where their axes end, and that SVG and Braille letters show the points where they are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.cli import charts
from gai.nn import svg
from gai.nn.plots import Axis, Mark, Plot, Series, stairs

NAMES = {"s": "http://www.w3.org/2000/svg"}
numbers = st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.6g}"))


@given(st.lists(numbers, min_size=1, max_size=20), st.integers(2, 10))
def test_an_axis_holds_all_values_between_round_ticks(values: list[float], count: int) -> None:
    axis = Axis.of(values, count=count)
    slack = 2e-9 * (axis.high - axis.low)
    assert axis.low - slack <= min(values)
    assert axis.high + slack >= max(values)
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert 2 <= len(axis.ticks) <= 2 * count + 3
    steps = [b - a for a, b in pairwise(axis.ticks)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-6)
    digits = f"{steps[0]:.3e}".partition("e")[0].strip("0.")
    assert digits in ("1", "2", "5")
    assert all(axis.share(value) is not None for value in values)


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=20))
def test_a_logarithmic_axis_has_powers_of_ten(values: list[float]) -> None:
    axis = Axis.of([*values, 0.0, -1.0, math.nan], log=True)
    assert all(math.log10(tick) == pytest.approx(round(math.log10(tick))) for tick in axis.ticks)
    assert all(axis.share(value) is not None for value in values)
    assert axis.share(0.0) is None
    assert len(axis.ticks) <= 7


def test_labels_have_as_many_digits_as_they_need() -> None:
    assert Axis.of([0, 1]).labels() == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert Axis.of([0, 2500]).labels() == ["0", "500", "1,000", "1,500", "2,000", "2,500"]
    assert Axis.of([1e-9, 1.0], log=True).labels()[0] == "1e-09"
    assert svg.minus("1e-09") == "10⁻⁹"
    assert svg.minus("-0.5") == "\u22120.5"


@pytest.mark.parametrize("ends", [(1e6, 1.01e6), (1e6, 1e6 + 10), (1e-4, 1.0001e-4), (-2e9, 3e9)])
def test_no_two_ticks_have_one_label(ends: tuple[float, float]) -> None:
    axis = Axis.of(ends)
    assert len(set(axis.labels())) == len(axis.ticks)
    assert [float(label) for label in axis.labels()] == pytest.approx(axis.ticks, rel=1e-12)


def test_values_that_are_all_the_same_have_an_axis_too() -> None:
    assert (Axis.of([3.0, 3.0]).low, Axis.of([3.0]).high) == (0.0, 3.0)
    assert (Axis.of([0.0]).low, Axis.of([]).high) == (0.0, 1.0)
    assert Axis.of([1.0], log=True).share(1.0) is not None


def test_stairs_stay_level_until_the_next_point() -> None:
    made = stairs(Series("rate", [0, 10, 20], [3, 2, 1]))
    assert list(zip(made.x, made.y, strict=True)) == [(0, 3), (10, 3), (10, 2), (20, 2), (20, 1)]


def parsed(*plots: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(svg.sheet(plots))


def spots(root: ElementTree.Element, kind: str) -> list[tuple[float, float]]:
    """The points of the first line of this kind."""
    path = next(p for p in root.iterfind(".//s:path", NAMES) if p.get("class") == kind)
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path.get("d", ""))]


def test_a_line_in_svg_goes_through_its_points() -> None:
    plot = Plot("rise", [Series("a", [0, 1, 2, 4], [0.0, 10.0, 20.0, 40.0])])
    line = spots(parsed(plot), "l s0")
    xs, ys = zip(*line, strict=True)
    assert [x - xs[0] for x in xs] == pytest.approx(
        [0, *((xs[3] - xs[0]) * k for k in (0.25, 0.5, 1.0))], abs=0.02
    )
    # y grows downwards, and the points lie on one straight line
    assert [(y - ys[0]) / (ys[3] - ys[0]) for y in ys] == pytest.approx([0, 0.25, 0.5, 1], abs=1e-3)
    assert ys[3] < ys[0]


def test_a_gap_and_what_cannot_be_shown_break_a_line() -> None:
    plot = Plot("", [Series("a", range(6), [1, 2, math.nan, 3, -1, 4])], y_log=True)
    lines = [p for p in parsed(plot).iterfind(".//s:path", NAMES) if p.get("class") == "l s0"]
    assert len(lines) == 1  # 3 and 4 stand alone, as dots
    circles = parsed(plot).findall(".//s:circle", NAMES)
    assert len(circles) == 4


def test_text_in_a_plot_is_text_whatever_is_in_it() -> None:
    evil = '</text><script>alert("x")</script>\x1b[31m'
    both = [Series(evil, [0, 1], [0, 1]), Series("b", [0, 1], [1, 0])]
    root = parsed(Plot(evil, both, x=evil, y=evil, marks=[Mark(0.5, evil)], about=evil))
    assert root.findall(".//s:script", NAMES) == []
    said = [text.text for text in root.iterfind(".//s:text", NAMES)]
    assert said.count(evil.replace("\x1b", "\\x1b")) == 6


@given(st.text(max_size=8) | st.sampled_from(["\ufffe", "\uffff", "\ud800", "\x0b", "]]>"]))
def test_a_picture_is_xml_whatever_is_in_it(name: str) -> None:
    plot = Plot(name, [Series(name, [0, 1], [0, 1]), Series("b", [0, 1], [1, 0])], x=name)
    assert ElementTree.fromstring(svg.sheet([plot])).tag.endswith("svg")


def test_the_same_plot_gives_the_same_bytes() -> None:
    def made() -> bytes:
        one = Plot("a", [Series("x", range(50), [math.sin(k / 5) for k in range(50)])], y="y")
        bars = Plot("b", [Series("x", [0.1, 0.3, 0.5], [1, 0, 2], "bars")], diagonal=True)
        return svg.sheet([one, bars])

    assert made() == made()
    assert b"http" not in made().replace(b"http://www.w3.org/2000/svg", b"")


def test_bars_stand_on_zero_and_stay_inside() -> None:
    root = parsed(Plot("", [Series("n", [1, 2, 3], [5, 0, 10], "bars")]))
    bars = [r for r in root.iterfind(".//s:rect", NAMES) if (r.get("class") or "").startswith("b")]
    tall = [float(bar.get("height", "")) for bar in bars]
    assert tall == pytest.approx([tall[2] / 2, 0, tall[2]], abs=0.02)
    bottoms = {round(float(b.get("y", "")) + float(b.get("height", "")), 1) for b in bars}
    assert len(bottoms) == 1
    axis = Plot("", [Series("n", [1, 2, 3], [5, 0, 10], "bars")]).x_axis()
    assert (axis.low, axis.high) == (0.5, 3.5)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=12))
def test_names_beside_lines_do_not_lie_upon_each_other(heights: list[float]) -> None:
    found = svg.spread(sorted(heights), 14, 0, 300)
    assert all(b - a >= 14 - 1e-9 for a, b in pairwise(found))
    assert found[-1] <= 300 + 1e-9


def test_an_interval_is_drawn_from_end_to_end() -> None:
    rows = [svg.Interval("network", 0.5, 0.25, 0.75), svg.Interval("baseline", 1.0)]
    root = ElementTree.fromstring(svg.intervals("Accuracy", rows))
    (bar,), (dot, other) = root.findall("rect"), root.findall("circle")
    left, width = float(bar.get("x", "")), float(bar.get("width", ""))
    assert float(dot.get("cx", "")) == pytest.approx(left + width / 2, abs=0.02)
    assert float(other.get("cx", "")) == pytest.approx(left + 1.5 * width, abs=0.02)


def lines(plot: Plot, width: int, height: int) -> list[str]:
    return [line.rstrip() for line in charts.drawn(plot, width, height).plain.split("\n")]


def test_a_long_name_leaves_room_for_its_interval() -> None:
    rows = [svg.Interval("on " + ", ".join(["part.csv"] * 40), 0.5, 0.4, 0.6)]
    made = ElementTree.fromstring(svg.intervals("Accuracy", rows))
    (bar,) = made.iter("rect")
    assert 100 < float(bar.get("width", "nan")) < 640
    assert 0 < float(bar.get("x", "nan")) < 640


def test_a_terminal_draws_dots_where_the_points_are() -> None:
    plot = Plot("", [Series("a", [0, 1], [0.0, 1.0])])
    # 5 columns of 2 dots and 5 rows of 4: the corners, and the diagonal between.
    found = lines(plot, 15, 7)
    assert found[0].startswith("1 ┤")
    assert found[4].startswith("0 ┤")
    cells = [line[3:].ljust(12) for line in found[:5]]
    assert cells[0].rstrip()[-1] in "⠊⠉⠁⠔⠎⠜"
    assert cells[4][0] != " "
    dots = sum(bin(ord(letter) - 0x2800).count("1") for letter in "".join(cells) if letter != " ")
    assert dots == max(2 * 12, 4 * 5)  # one a column or row, whichever there are more of


def test_two_series_differ_without_colours_and_have_their_names() -> None:
    flat = [Series("first", range(40), [1.0] * 40), Series("second", range(40), [0.0] * 40)]
    found = lines(Plot("title", flat), 60, 10)
    assert found[0] == "title"
    one = next(line for line in found if line.endswith(" first"))
    other = next(line for line in found if line.endswith(" second"))
    drawn = one[:-6].split("┤")[1]
    assert " " not in drawn.strip()
    assert " " in other[:-7].split("┤")[1].strip()


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=30),
    st.integers(20, 120),
    st.integers(5, 30),
    st.booleans(),
)
def test_a_plot_in_a_terminal_keeps_to_its_size(
    values: Sequence[float], width: int, height: int, log: bool
) -> None:
    series = [Series("name", range(len(values)), values), Series("other", [0], [1.0])]
    found = charts.drawn(Plot("t", series, x="x", y_log=log), width, height).plain.split("\n")
    assert len(found) == max(height, 6)
    assert max(map(len, found)) <= max(width, 40)
