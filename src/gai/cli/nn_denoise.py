"""gai nn denoise."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import TYPE_CHECKING, Annotated

import typer

from gai.cli.nn_options import Examples, real, whole
from gai.cli.nn_predict import DEVICE, OUTPUT, RUN, THREADS, opened, reading
from gai.cli.nn_ready import require_input, require_torch
from gai.cli.nn_sample import COLUMNS, FORMAT, format_of, give, require_grid
from gai.cli.options import Talk
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.net.reconstructing import Cleaned
    from gai.nn.net.sampling import Samples

ACROSS = 16
"""Images beside each other in a picture."""


def nn_denoise(
    *,
    run: Annotated[str | None, RUN] = None,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES", help="Examples; - is standard input."),
    ] = None,
    noise: Annotated[
        float | None,
        real(
            "--noise", help="First put noise of this deviation on, to see what stays.", default="0"
        ),
    ] = None,
    seed: Annotated[int | None, whole("--seed", least=0, help="Of the noise.", default="1")] = None,
    number: Annotated[
        int | None, whole("-n", "--number", help="Only the first N examples.", default="all")
    ] = None,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[str | None, FORMAT] = None,
    grid: Annotated[int | None, COLUMNS] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Examples as an autoencoder makes them: without what it has not learned.

    A picture has rows of the examples as they came, each with a row below of what became of them;
    npz and tsv have only the latter. gai nn train autoencoder --denoise trains for it.

      gai nn denoise run scans/ -o cleaned.npz
      gai nn denoise run @digits -n 32 --noise 0.3 -o before-and-after.png
    """
    require_torch("gai nn denoise")
    paths = require_input(files)
    place = output or "-"
    kind = format_of(place, format)
    require_grid(grid, kind)
    import numpy as np

    from gai.nn.data.raw import read
    from gai.nn.net import experiment
    from gai.nn.net.reconstructing import cleaned, require_reconstructs
    from gai.nn.net.sampling import Samples

    network, encoding = experiment.load(opened(run), device or "auto", threads)
    require_reconstructs(encoding.config, "denoise")
    if encoding.kind == "rows":
        hint = "gai nn anomalies ranks texts, gai nn encode gives their codes"
        raise UsageError(
            "gai nn denoise is for images and numbers, and this model reads text", hint
        )
    raw = read(paths, reading(encoding.config, examples), labelled=False)
    raw = raw.take(np.arange(min(number or len(raw), len(raw))))
    found = cleaned(network, encoding, raw, noise or 0.0, 1 if seed is None else seed)
    if kind in ("png", "") and found.made.ndim == 4:
        across = grid or min(ACROSS if kind else 4, len(raw))
        give(interleaved(found, across), place, kind, raw.ids, across)
        return
    give(Samples(found.made), place, kind, raw.ids)


def interleaved(found: "Cleaned", columns: int) -> "Samples":
    """Rows of images as they came, each with a row of what became of them below."""
    import numpy as np

    from gai.nn.net.sampling import Samples

    count = len(found.given)
    padded = -(-count // columns) * columns
    blank = np.zeros((padded, *found.given.shape[1:]), np.float32)
    pairs = []
    for images in (found.given, found.made):
        filled = blank.copy()
        filled[:count] = images
        pairs.append(filled.reshape(-1, columns, *images.shape[1:]))
    return Samples(np.stack(pairs, 1).reshape(2 * padded, *blank.shape[1:]))
