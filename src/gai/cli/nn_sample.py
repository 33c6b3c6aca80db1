"""gai nn sample, and how examples are written: as a picture, as arrays, as lines."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from gai.cli import terminal, values
from gai.cli.nn_options import Examples, whole, wholes
from gai.cli.nn_predict import DEVICE, OUTPUT, RUN, THREADS, opened, reading, require_data, written
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.nn.config import Config
    from gai.nn.data.raw import Raw
    from gai.nn.net.sampling import Samples

FORMATS = ("png", "npz", "tsv")
FORMAT = option(
    "--format",
    parse=values.choice(*FORMATS),
    help="png: a grid of images. npz: x and y, as gai nn train reads them. tsv: id, numbers.",
    default="by extension, else tsv; a terminal gets a drawing",
)
COLUMNS = whole("--columns-of-grid", help="Images beside each other.", default="as high as wide")

STEPS = 8


def nn_sample(
    *,
    run: Annotated[str | None, RUN] = None,
    number: Annotated[int | None, whole("-n", "--number", help="How many.", default="16")] = None,
    seed: Annotated[
        int | None, whole("--seed", least=0, help="Of all chance.", default="1")
    ] = None,
    label: Annotated[
        str | None,
        option("--label", metavar="NAME", help="Of this label, where the model knows labels."),
    ] = None,
    data: Annotated[
        str | None,
        option("--data", metavar="DATA", help="Where the examples of --between are."),
    ] = None,
    between: Annotated[
        tuple[int, ...] | None,
        option(
            "--between",
            metavar="N,N",
            parse=wholes,
            help="The way from one example of DATA to another, counted from 1.",
        ),
    ] = None,
    steps: Annotated[
        int | None, whole("--steps", least=2, help="Examples on this way.", default="8")
    ] = None,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[str | None, FORMAT] = None,
    grid: Annotated[int | None, COLUMNS] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """New examples from a generative model.

    A vae draws a code, a gan noise; of a gan with labels --label N asks for one of them. --between
    goes in straight steps from a vae's code of one example to that of another. Images are drawn in
    the terminal, or become one picture; the same seed gives the same examples.

      gai nn sample run -n 64 -o samples.png
      gai nn sample run -n 1000 -o more.npz
      gai nn sample run --data @digits --between 1,8 --steps 8
    """
    require_torch("gai nn sample")
    require_way(between, data, steps, number, label)
    if data is None:
        require_data(examples, "--data")
    place = output or "-"
    kind = format_of(place, format)
    require_grid(grid, kind)
    from gai.nn.net import experiment, sampling

    network, encoding = experiment.load(opened(run), device or "auto", threads)
    if between is not None and data is not None:
        ends = rows_of(data, between, reading(encoding.config, examples))
        found = sampling.between(network, encoding, ends, steps or STEPS)
        grid = grid or len(found.values)
    else:
        seeded = 1 if seed is None else seed
        found = sampling.sampled(network, encoding, number or 16, seeded, label)
    ids = [f"sample:{number}" for number in range(1, len(found.values) + 1)]
    give(found, place, kind, ids, grid)


def require_way(
    between: tuple[int, ...] | None,
    data: str | None,
    steps: int | None,
    number: int | None,
    label: str | None,
) -> None:
    """Raises UsageError for options of which one needs, or rules out, another."""
    if between is None:
        for flag, value in (("--data", data), ("--steps", steps)):
            if value is not None:
                raise UsageError(f"{flag} without --between", "--between 1,8 names two examples")
        return
    if data is None:
        raise UsageError("--between without --data", "--data DATA has the two examples")
    if len(between) != 2:
        raise UsageError(f"--between names {len(between)} examples, not two", "--between 1,8")
    if number is not None:
        raise UsageError("-n with --between", "--steps says how many")
    if label is not None:
        raise UsageError("--label with --between", "leave it out")


def rows_of(data: str, rows: tuple[int, ...], config: "Config") -> "Raw":
    """These examples of DATA, counted from 1; raises GaiError where there are fewer."""
    import numpy as np

    from gai.nn.data.raw import read

    raw = read((data,), config)
    if max(rows) > len(raw):
        raise GaiError(f"--between {max(rows)}: {data} has {len(raw):,} examples")
    return raw.take(np.array(rows) - 1)


def format_of(place: str, format: str | None) -> str:
    """How examples are written; "" where the terminal decides by what they are."""
    extension = os.path.splitext(place)[1].removeprefix(".")
    if format is None and place != "-" and extension not in FORMATS:
        known = ", ".join(FORMATS)
        raise UsageError(f"-o {place}: no format is called {extension!r}", f"--format {known}")
    if format is None:
        drawn = place == "-" and terminal.is_terminal(sys.stdout)
        return "" if drawn else (extension or "tsv")
    if format != "tsv" and place == "-" and terminal.is_terminal(sys.stdout):
        raise UsageError(f"--format {format} on a terminal", f"-o FILE.{format}")
    return format


def require_grid(columns: int | None, kind: str) -> None:
    """Raises UsageError for the columns of a picture where there is none."""
    if columns is not None and kind in ("npz", "tsv"):
        raise UsageError(f"--columns-of-grid {columns}: {kind} has no grid", "-o FILE.png")


def give(
    found: "Samples", place: str, kind: str, ids: Sequence[str], columns: int | None = None
) -> None:
    """Writes examples, or draws them; only lines have ``ids``."""
    images = found.values.ndim == 4
    if kind == "png" and not images:
        raise UsageError("a picture is of images, and these are rows of numbers", "tsv, npz")
    if not kind and images:
        draw(found, columns)
        return
    with written(place) as sink:
        sink.write(content(found, kind or "tsv", ids, columns))


def content(found: "Samples", kind: str, ids: Sequence[str], columns: int | None) -> bytes:
    """The bytes of a file."""
    if kind == "png":
        from gai.nn import grids

        return grids.png(grids.grid(require_pixels(found.values), columns))
    if kind == "npz":
        return arrays(found)
    return "".join(lines(ids, found)).encode("utf-8", "surrogateescape")


def require_pixels(images: Any) -> Any:
    """The images; raises GaiError where they have neither one channel nor three."""
    if images.shape[1] not in (1, 3):
        hint = "-o FILE.npz keeps all of them"
        raise GaiError(f"images of {images.shape[1]} channels make no picture", hint)
    return images


def arrays(found: "Samples") -> bytes:
    """An .npz file that gai nn train reads."""
    import numpy as np

    made = {"x": found.values}
    if found.labels is not None:
        made["y"] = np.array(found.labels)
    file = io.BytesIO()
    np.savez(file, **made)  # type: ignore[arg-type]
    return file.getvalue()


def lines(ids: Sequence[str], found: "Samples") -> list[str]:
    """Lines ``id<TAB>number<TAB>number ...``, the label behind the id where there are labels."""
    from gai.output.tsv import escape

    heads = [escape(id) for id in ids]
    if found.labels is not None:
        heads = [f"{head}\t{escape(name)}" for head, name in zip(heads, found.labels, strict=True)]
    rows = found.values.reshape(len(heads), -1).tolist()
    return [
        "\t".join([head, *(f"{value:.6g}" for value in row)]) + "\n"
        for head, row in zip(heads, rows, strict=True)
    ]


def draw(found: "Samples", columns: int | None) -> None:
    """Images as shaded characters."""
    from gai.nn import grids

    console = terminal.console()
    for line in grids.shaded(require_pixels(found.values), console.width, columns):
        console.print(line, soft_wrap=True)
