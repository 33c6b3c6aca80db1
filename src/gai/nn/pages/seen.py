"""What a network makes of examples, as parts of a page: wrong ones, calibration, predictions."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gai.nn import svg
from gai.nn.grids import png
from gai.nn.markup import Html, html, joined, tag
from gai.nn.pages.facts import Examined, Pairs, Token, Wrong
from gai.nn.plots import Plot, Series
from gai.nn.scores.calibration import Bins, error_of

LETTERS = 400
"""Letters of a text that are shown."""

NUMBERS = 12
"""Numbers of an example that are shown."""

POINTS = 1500
"""Points of a scatter plot."""


def wrongs(found: Examined) -> Iterator[Html]:
    """The worst examples, with what was read of them."""
    yield tag("p", introduction(found), class_="say")
    if found.worst[0].array is not None and found.worst[0].array.dtype == np.uint8:
        yield tag("div", *map(image, found.worst), class_="images")
    else:
        rows = (article(wrong, found.columns) for wrong in found.worst)
        yield tag("div", *rows, class_="wrongs")


def introduction(found: Examined) -> str:
    """What is shown of how many."""
    if found.pairs is not None:
        return (
            "The largest errors first; the number on the left is the squared error in deviations."
        )
    if not found.wrongs:
        return "Where it is most surprised: the darker a token, the less it was expected."
    size = f"{found.wrongs:,} of {found.examples:,} are wrong"
    most = "" if found.wrongs <= len(found.worst) else f", the worst {len(found.worst)} are shown"
    if found.worst[0].array is not None and found.worst[0].array.dtype == np.uint8:
        return f"{size}{most}, with the probability of what was said."
    return f"{size}{most}. The number on the left is the loss, -ln of the probability of the truth."


def article(wrong: Wrong, columns: Sequence[str]) -> Html:
    """An example with its loss, and below it what is true and what was said."""
    parts = [look(wrong, columns), verdict(wrong)] if wrong.true else [look(wrong, columns)]
    parts.append(tag("span", wrong.id, class_="id"))
    return tag("article", tag("div", f"{wrong.loss:.2f}", class_="l"), tag("div", *parts))


def verdict(wrong: Wrong) -> Html:
    """What is true, and what was said."""
    sure = "" if wrong.sure is None else f" with probability {wrong.sure:.2f}"
    parts = ["is ", tag("b", wrong.true), ", said ", tag("i", wrong.said), sure]
    return tag("p", joined(map(html, parts)), class_="v")


def look(wrong: Wrong, columns: Sequence[str]) -> Html:
    """What was read of an example."""
    if wrong.tokens:
        noted = any(token.note for token in wrong.tokens)
        return words(wrong.tokens) if noted else shades(wrong.tokens)
    if wrong.text is not None:
        text = wrong.text if len(wrong.text) <= LETTERS else f"{wrong.text[:LETTERS]}…"
        return tag("p", text, dir="auto")
    if wrong.array is None:
        return Html("")
    return sparkline(wrong.array) if wrong.array.ndim == 2 else numbers(wrong.array, columns)


def words(tokens: Sequence[Token]) -> Html:
    """Words, the wrong ones with what they are and what was said."""
    made = (
        tag("span", html(t.text), tag("small", t.note), class_="m")
        if t.note
        else tag("span", t.text)
        for t in tokens
    )
    return tag("p", *made, class_="words", dir="auto")


def shades(tokens: Sequence[Token]) -> Html:
    """A text, darker where a token was not expected."""
    made = (
        tag("span", t.text, style=f"--a:{0.75 * t.weight:.2f}") if t.weight > 0.05 else html(t.text)
        for t in tokens
    )
    return tag("p", *made, class_="text", dir="auto")


def numbers(values: NDArray[np.float32], columns: Sequence[str]) -> Html:
    """The first numbers of a row, with their names."""
    flat = values.ravel()[:NUMBERS].tolist()
    named = [*columns, *map(str, range(len(columns) + 1, len(flat) + 1))]
    cells = (
        tag("div", tag("span", f"{name} "), f"{value:.4g}")
        for name, value in zip(named, flat, strict=False)
    )
    more = [tag("span", f"and {values.size - NUMBERS:,} more")] if values.size > NUMBERS else []
    return tag("div", *cells, *more, class_="numbers")


def sparkline(series: NDArray[np.float32]) -> Html:
    """The first features of a series [T, F] as lines."""
    low, high = float(series.min()), float(series.max())
    across = 218 / max(len(series) - 1, 1)
    lines = []
    for feature, values in enumerate(series.T[:3]):
        spots = [
            svg.Place(1 + across * t, 42 - 40 * (value - low) / ((high - low) or 1.0))
            for t, value in enumerate(values.tolist())
        ]
        lines.append(svg.path(spots, f"l s{feature}"))
    return tag("svg", *lines, class_="plot series", viewBox="0 0 220 44", aria_hidden="true")


def image(wrong: Wrong) -> Html:
    """An image with what is true and what was said."""
    assert wrong.array is not None
    sure = "" if wrong.sure is None else f" {wrong.sure:.2f}"
    parts = ["is ", tag("b", wrong.true), ", said ", tag("i", wrong.said), sure]
    caption = tag("figcaption", *map(html, parts), tag("br"), tag("span", wrong.id, class_="id"))
    source = f"data:image/png;base64,{b64encode(png(wrong.array)).decode()}"
    return tag("figure", tag("img", src=source, alt=f"{wrong.true}, said {wrong.said}"), caption)


def calibration(bins: Bins) -> Iterator[Html]:
    """The share of right answers by their probability, and how many there are of each."""
    error, total = error_of(bins), int(bins.counts.sum())
    yield tag("p", sentence(bins, error), class_="say")
    size = len(bins.counts)
    middles = [(place + 0.5) / size for place in range(size)]
    filled = [place for place in range(size) if bins.counts[place]]
    right = Series(
        "right", [middles[k] for k in filled], [float(bins.accuracy[k]) for k in filled], "bars"
    )
    span = (0.0, 1.0)
    reliability = Plot(
        "Reliability",
        [spread(right, middles)],
        x="probability of the answer",
        y="share of right ones",
        x_span=span,
        y_span=span,
        diagonal=True,
    )
    shares = [100 * float(count) / max(total, 1) for count in bins.counts.tolist()]
    counts = Plot(
        "How sure it is",
        [Series("answers", middles, shares, "bars")],
        x="probability of the answer",
        y="% of the answers",
        x_span=span,
    )
    yield tag("div", svg.picture(reliability), svg.picture(counts), class_="plots")


def spread(series: Series, middles: Sequence[float]) -> Series:
    """The same with a bar of height 0 for each bin that is empty, so that all are as wide."""
    known = dict(zip(series.x, series.y, strict=True))
    return Series(series.name, middles, [known.get(x, 0.0) for x in middles], series.kind)


def sentence(bins: Bins, error: float) -> str:
    """What the bins say."""
    total = max(int(bins.counts.sum()), 1)
    sure = float(bins.confidence @ bins.counts) / total
    right = float(bins.accuracy @ bins.counts) / total
    said = (
        f"Expected calibration error {error:.4f}: that far are probabilities from the share of "
        f"right answers. On average {sure:.3f} was claimed and {right:.3f} was right"
    )
    if abs(sure - right) < 0.02:
        return f"{said}."
    if sure > right:
        return f"{said}: too sure of itself. --label-smoothing 0.1 and more dropout help."
    return f"{said}: it knows more than it says. Longer training, or less dropout, helps."


def predictions(pairs: Pairs) -> Iterator[Html]:
    """Predicted against true numbers; on the diagonal they are the same."""
    rows = np.arange(len(pairs.true))
    if len(rows) > POINTS:
        rows = np.unique(np.linspace(0, len(rows) - 1, POINTS).astype(np.int64))
    drawn = []
    for place, name in list(enumerate(pairs.names))[:4]:
        true, said = pairs.true[rows, place].tolist(), pairs.said[rows, place].tolist()
        span = (min(true + said), max(true + said))
        title = f"{name}: predicted against true" if len(pairs.names) > 1 else ""
        drawn.append(
            Plot(title, [Series(name, true, said, "points")], x="true", y="predicted",
                 x_span=span, y_span=span, diagonal=True)
        )  # fmt: skip
        errors = pairs.said[:, place] - pairs.true[:, place]
        low, high = float(errors.min()), float(errors.max())
        if high - low <= 1e-9 * max(abs(low), abs(high)):  # all the same, but for rounding
            low, high = low - 0.5, high + 0.5
        counts, edges = np.histogram(errors, min(max(len(errors) // 8, 5), 30), (low, high))
        middles = ((edges[1:] + edges[:-1]) / 2).tolist()
        title = f"{name}: errors" if len(pairs.names) > 1 else ""
        drawn.append(
            Plot(title, [Series(name, middles, counts.tolist(), "bars")],
                 x="predicted minus true", y="examples")
        )  # fmt: skip
    yield tag("div", *(svg.picture(plot) for plot in drawn), class_="plots")
