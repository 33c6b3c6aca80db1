"""gai vectors plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from gai.cli import choices, terminal, values, writing
from gai.cli.counting import check_deps, report, write_deps
from gai.cli.options import Output, option
from gai.cli.vector_files import loaded
from gai.cli.vector_options import Source, Work
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors
    from gai.vectors.drawing import Drawn
    from gai.vectors.plotting import Picture

FORMATS = ("png", "svg", "html")
TOP = 200
"""Words of a picture for which nobody named any."""

HINTS = 8
"""Neighbours that a page tells of each word."""

NAMED = 5
"""Characters that a message names at most."""


def pixels(text: str) -> tuple[int, int]:
    """A size such as ``1600x1200``."""
    width, _, height = text.partition("x")
    if not (values.is_digits(width) and values.is_digits(height)):
        raise ValueError("expected a size such as 1600x1200")
    if not all(LEAST <= int(side) <= MOST for side in (width, height)):
        raise ValueError(f"expected {LEAST} to {MOST} pixels on each side")
    return int(width), int(height)


LEAST, MOST = 200, 20000


@dataclass(eq=False, repr=False)
class Drawing:
    """What the picture shows, and how."""

    panel: ClassVar[str] = "Picture"
    method: Annotated[
        str | None,
        option(
            "--method",
            parse=values.choice("pca", "tsne"),
            help="pca keeps large distances, tsne keeps neighbours together.",
            default="pca",
        ),
    ] = None
    neighbours: Annotated[
        int | None,
        option(
            "--neighbours",
            metavar="K",
            parse=values.whole(1),
            help="Add the K nearest words of each of WORDS, in one colour with it.",
        ),
    ] = None
    top: Annotated[
        int | None,
        option(
            "--top",
            metavar="N",
            parse=values.whole(1),
            help="Add the N most frequent words.",
            default=f"{TOP} without WORDS, else none",
        ),
    ] = None
    title: Annotated[str | None, option("--title", metavar="TEXT", help="A line above it.")] = None
    size: Annotated[
        tuple[int, int] | None,
        option(
            "--size",
            metavar="WxH",
            parse=pixels,
            help="Pixels; letters keep their size, so that more of them find room.",
            default="1600x1200; a page fills its window",
        ),
    ] = None
    seed: Annotated[
        int | None,
        option(
            "--seed",
            metavar="N",
            parse=values.whole(0),
            help="Where tsne, and clusters that share a colour, begin.",
            default="1",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class PictureOutput(Output):
    """Where the picture goes."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*FORMATS),
            help="png and svg need the extra plot; html is a page to zoom and search.",
            default="by extension",
        ),
    ] = None

    @property
    def kind(self) -> str:
        """The format; raises a UsageError where nobody named one, or it would go to a terminal."""
        import sys

        named = self.format or self.place.removesuffix(".gz").rpartition(".")[2].lower()
        hint = "-o words.png, words.svg or words.html"
        if self.place == "-" and (self.format is None or terminal.is_terminal(sys.stdout)):
            raise UsageError("a picture needs a file: -o FILE", hint)
        if named not in FORMATS:
            raise UsageError(f"a picture cannot be written to {self.place}", hint)
        return named


def vectors_plot(
    source: Source,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="What to draw.")
    ] = None,
    *,
    drawing: Drawing,
    output: PictureOutput,
    work: Work,
) -> None:
    """A picture of words.

    Words that are used alike stand near each other, as far as two dimensions can show it. Colours
    are the neighbours of each word or, without --neighbours, clusters. html is one page that works
    offline: the wheel zooms, pointing at a word shows its neighbours.

      gai vectors plot vectors.bin -o words.png
      gai vectors plot vectors.bin king ship happy --neighbours 10 -o words.html
    """
    path, kind = source.path, check(words, drawing, output)

    hints = HINTS if kind == "html" else 0
    picture = pictured(loaded(path, work), words or [], drawing, hints, work)
    written, notes = rendered(picture, kind, drawing)
    write_deps(output, [path])
    writing.write([written], output.place)
    for note in () if work.quiet else notes:
        terminal.say(f"gai: {note}")
    report(output, work, lambda: {"words": f"{len(picture.words):,}"})


def check(words: list[str] | None, drawing: Drawing, output: PictureOutput) -> str:
    """The format to write; raises what can be refused before the work."""
    from gai.backends import available
    from gai.errors import MissingExtraError

    if drawing.neighbours and not words:
        raise UsageError(f"--neighbours {drawing.neighbours} needs WORDS", "whose neighbours?")
    check_deps(output)
    kind = output.kind
    if kind == "html" and drawing.size:
        width, height = drawing.size
        raise UsageError(f"--size {width}x{height} contradicts html", "a page fills its window")
    if kind != "html" and not available("plot"):
        raise MissingExtraError(f"a picture as {kind}", "plot")
    writing.check_place(output.place)
    return kind


def pictured(
    vectors: Vectors, words: list[str], drawing: Drawing, hints: int, work: Work
) -> Picture:
    """The picture that was asked for."""
    from gai.vectors.plotting import Choice, picture

    top = drawing.top or (0 if words else TOP)
    given = {name: value for _, name, value in choices.given(drawing, "method", "seed", "title")}
    choice = Choice(words, drawing.neighbours or 0, top)
    return picture(vectors, choice, hints=hints, jobs=work.threads, **given)


def rendered(picture: Picture, kind: str, drawing: Drawing) -> tuple[bytes, list[str]]:
    """The file, and what is to be said about it."""
    if kind == "html":
        from gai.vectors.page import page

        return page(picture), []
    from gai.vectors.drawing import SIZE, draw

    drawn = draw(picture, kind, drawing.size or SIZE)
    return drawn.data, list(notes_on(drawn, len(picture.words)))


def notes_on(drawn: Drawn, words: int) -> list[str]:
    """What the picture lacks."""
    notes = []
    if drawn.hidden:
        notes.append(f"{drawn.hidden:,} of {words:,} labels have no room: a larger --size has more")
    if drawn.lacking:
        some = terminal.escape(" ".join(drawn.lacking[:NAMED]))
        more = " ..." if len(drawn.lacking) > NAMED else ""
        notes.append(f"no font here has {some}{more}: -o words.html leaves it to the browser")
    return notes
