"""Pictures of words as PNG and SVG, drawn by matplotlib; the same picture gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.backends import resolve
from gai.vectors import labels
from gai.vectors.plotting import Picture, Points

FEATURE = "a picture as png or svg"
DPI = 160
"""Pixels to an inch: letters stay the same size, and a larger picture has room for more."""

SIZE = (1600, 1200)
RADIUS = 4.5
"""Of a point, in pixels."""

LETTERS = 8.5
"""Height of letters in points."""

TITLE = 1.4 * LETTERS
MARGIN = 18.0
FONT = "DejaVu Sans"
MOST_FONTS = 4
"""Fonts that are taken at most for letters that the first one lacks."""

COLOURS = ("#0072b2", "#c44f00", "#00835f", "#b0478c", "#a87000", "#2f8fc7", "#5f5f5f")
"""The colours of Okabe and Ito, which colour-blind people tell apart, darker where letters could
not be read otherwise."""

MARKERS = "os^Dv*P"
"""Shapes of points: another one each time that the colours begin anew."""

GREY = "#8c8c8c"
INK = "#222222"
SETTINGS = {"svg.hashsalt": "gai", "svg.fonttype": "path", "path.simplify": False}

Frame = tuple[float, float, float, float]
"""Left, bottom, right and top in pixels."""


@dataclass(frozen=True)
class Drawn:
    """A picture as the bytes of a file, the characters that no font here has, and how many labels
    found no room."""

    data: bytes
    lacking: Sequence[str]
    hidden: int


def draw(picture: Picture, format: str, size: tuple[int, int] = SIZE) -> Drawn:
    """The picture as a file of ``format`` (png or svg), ``size`` pixels wide and high.

    Raises MissingExtraError without matplotlib.
    """
    families, lacking = fonts("".join([*picture.words, picture.title, *picture.names]))
    with settings(families):
        sheet = Sheet.of(size)
        frame = heading(sheet, picture)
        pixels = fitted(picture.points, frame)
        found = placed(sheet, picture, pixels, frame)
        draw_points(sheet, picture, pixels)
        draw_labels(sheet, picture, pixels, found)
        return Drawn(sheet.saved(format), lacking, int((~found.kept).sum()))


@contextmanager
def settings(families: Sequence[str]) -> Iterator[None]:
    """matplotlib as it comes, whatever its user's settings are, with these fonts."""
    import logging
    import warnings

    matplotlib = resolve("matplotlib", FEATURE, "plot")
    plain = {name: v for name, v in matplotlib.rcParamsDefault.items() if name != "backend"}
    ours = {**plain, **SETTINGS, "font.family": list(families)}
    # What fonts lack is said once, by the caller.
    finding = logging.getLogger("matplotlib.font_manager")
    before = finding.level
    finding.setLevel(logging.ERROR)
    try:
        with matplotlib.rc_context(ours), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            yield
    finally:
        finding.setLevel(before)


def fonts(text: str) -> tuple[list[str], list[str]]:
    """The fonts to write a text with, and the characters of it that none of them has.

    The first comes with matplotlib; others of this machine join it where they have more of the
    characters.
    """
    manager = resolve("matplotlib.font_manager:fontManager", FEATURE, "plot")
    families, lacking = [FONT], set(shown(text))
    lacking -= letters_of(manager.findfont(FONT))
    fonts = manager.ttflist if lacking else []
    # matplotlib's font of last resort has a box for everything.
    others = sorted({(font.name, font.fname) for font in fonts if "Last" not in font.name})
    having = [(name, lacking & letters_of(path)) for name, path in others]
    while having and len(families) <= MOST_FONTS:
        name, has = max(having, key=lambda font: len(font[1] & lacking))
        if not has & lacking:
            break
        families.append(name)
        lacking -= has
    return families, sorted(lacking)


def letters_of(path: str) -> set[str]:
    """The characters that a font file has; none where it cannot be read."""
    font_of = resolve("matplotlib.ft2font:FT2Font", FEATURE, "plot")
    try:
        return set(map(chr, font_of(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return set()


def shown(text: str) -> str:
    """A text as it is written: on one line, a box for each character that cannot be printed."""
    return "".join(letter if letter.isprintable() else "\u25a1" for letter in text)


@dataclass
class Sheet:
    """What is drawn on. All places are in pixels, from the bottom left corner."""

    size: tuple[int, int]
    figure: Any
    renderer: Any
    height: float
    """Of a line of text."""
    descent: float

    @classmethod
    def of(cls, size: tuple[int, int]) -> Sheet:
        """An empty one."""
        figure = resolve("matplotlib.figure:Figure", FEATURE, "plot")
        renderer = resolve("matplotlib.backends.backend_agg:RendererAgg", FEATURE, "plot")
        width, height = size
        paper = figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        sheet = cls(size, paper, renderer(width, height, DPI), 0.0, 0.0)
        _, sheet.height, sheet.descent = sheet.measured("Ágp")
        return sheet

    def measured(
        self, text: str, weight: str = "normal", size: float = LETTERS
    ) -> tuple[float, float, float]:
        """Width, height and descent of a text."""
        properties = resolve("matplotlib.font_manager:FontProperties", FEATURE, "plot")
        font = properties(weight=weight, size=size)
        width, height, descent = self.renderer.get_text_width_height_descent(text, font, False)
        return float(width), float(height), float(descent)

    def write(self, x: float, y: float, text: str, colour: str, **more: Any) -> None:
        """Writes a text whose baseline begins at (x, y)."""
        more = {"fontsize": LETTERS, "zorder": 3, **more}
        where = self.figure.dpi_scale_trans
        # A word such as $x$ is no formula.
        self.figure.text(
            *(x / DPI, y / DPI, text), color=colour, transform=where, parse_math=False, **more
        )

    def line(self, xs: Any, ys: Any, **more: Any) -> None:
        """Draws a line, or marks points."""
        line = resolve("matplotlib.lines:Line2D", FEATURE, "plot")
        xs, ys = np.asarray(xs) / DPI, np.asarray(ys) / DPI
        self.figure.add_artist(line(xs, ys, transform=self.figure.dpi_scale_trans, **more))

    def saved(self, format: str) -> bytes:
        """The file, without dates and versions."""
        held = BytesIO()
        nameless = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[format]
        self.figure.savefig(held, format=format, dpi=DPI, metadata=nameless)
        return held.getvalue()


def heading(sheet: Sheet, picture: Picture) -> Frame:
    """Writes title and legend; the frame that they leave for the words."""
    width, top = sheet.size[0], sheet.size[1] - MARGIN
    if picture.title:
        title = shown(picture.title)
        top -= sheet.measured(title, size=TITLE)[1]
        sheet.write(MARGIN, top, title, INK, fontsize=TITLE)
        top -= 0.6 * sheet.height
    if any(picture.names):
        top = legend(sheet, picture, top) - 0.6 * sheet.height
    return MARGIN, MARGIN, width - MARGIN, top


def legend(sheet: Sheet, picture: Picture, top: float) -> float:
    """Writes what each colour means, in as many lines as that takes; where the last one ends."""
    x, y, gap = MARGIN, top - sheet.height, sheet.height
    for group, name in enumerate(picture.names):
        width = sheet.measured(shown(name))[0] + gap
        if x > MARGIN and x + width > sheet.size[0] - MARGIN:
            x, y = MARGIN, y - 1.4 * sheet.height
        sheet.line([x + RADIUS], [y + 0.5 * (sheet.height - sheet.descent)], **mark(group))
        sheet.write(x + 4 * RADIUS, y + sheet.descent, shown(name), INK)
        x += width + gap
    return y


def mark(group: int) -> dict[str, Any]:
    """How points of a group look; -1 is none."""
    marker = MARKERS[group // len(COLOURS) % len(MARKERS)] if group >= 0 else "o"
    size = 2 * RADIUS * 72 / DPI
    return {"ls": "", "marker": marker, "ms": size, "mew": 0, "color": colour(group), "zorder": 2}


def colour(group: int) -> str:
    """The colour of a group; -1 is none."""
    return COLOURS[group % len(COLOURS)] if group >= 0 else GREY


def fitted(points: Points, frame: Frame) -> Points:
    """The points in pixels, the same scale both ways, in the middle of the frame."""
    low, high = np.array(frame[:2]), np.array(frame[2:])
    # A word that stands on the rim still needs room for its label.
    room = np.maximum((high - low) * (0.92, 0.95), 1.0)
    span = np.ptp(points, axis=0)
    scale = min((room[one] / span[one] for one in (0, 1) if span[one] > 0), default=0.0)
    middle = (points.max(0) + points.min(0)) / 2
    return np.asarray((points - middle) * scale + (low + high) / 2)


def weight(picture: Picture, word: int) -> str:
    """Bold where somebody asked for the word, and others are there."""
    return "bold" if word < picture.named < len(picture.words) else "normal"


def placed(sheet: Sheet, picture: Picture, pixels: Points, frame: Frame) -> labels.Labels:
    """Where the label of each word stands."""
    texts = [(shown(word), weight(picture, one)) for one, word in enumerate(picture.words)]
    widths = [sheet.measured(*text)[0] for text in texts]
    sizes = np.column_stack([widths, np.full(len(widths), sheet.height)])
    return labels.place(pixels, sizes, frame, RADIUS)


def draw_points(sheet: Sheet, picture: Picture, pixels: Points) -> None:
    """Marks all words, those that were asked for on top of the others."""
    for group in np.unique(picture.groups).tolist():
        chosen = pixels[picture.groups == group]
        sheet.line(chosen[:, 0], chosen[:, 1], **mark(group))


def draw_labels(sheet: Sheet, picture: Picture, pixels: Points, found: labels.Labels) -> None:
    """Writes the words that have room, with a thin line to points that are farther off."""
    for one in np.flatnonzero(found.kept).tolist():
        box, group = found.boxes[one], int(picture.groups[one])
        if found.linked[one]:
            end = nearest_on(box, pixels[one])
            xs, ys = np.array([pixels[one], end]).T
            sheet.line(xs, ys, color=colour(group), lw=0.5, alpha=0.6, zorder=1)
        text, bold = shown(picture.words[one]), weight(picture, one)
        sheet.write(box[0], box[1] + sheet.descent, text, colour(group), fontweight=bold)


def nearest_on(box: NDArray[np.float64], point: Points) -> Points:
    """The place of a box that is nearest to a point outside of it."""
    return np.asarray(np.clip(point, box[:2], box[2:]))
