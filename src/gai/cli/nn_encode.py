"""gai nn encode."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated

import typer

from gai.cli import terminal, values
from gai.cli.nn_options import Examples
from gai.cli.nn_predict import DEVICE, OUTPUT, PIECE, RUN, THREADS, opened, reading
from gai.cli.nn_ready import require_input, require_torch
from gai.cli.options import Talk, option


def nn_encode(
    *,
    run: Annotated[str | None, RUN] = None,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES", help="Examples; - is standard input."),
    ] = None,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice("npz", "tsv", "csv", "jsonl"),
            help="Write this format.",
            default="by extension, else tsv",
        ),
    ] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Examples as the last hidden layer sees them.

    One row an example, in the formats of gai vectors documents. Of a model that answers for each
    token it is the mean over the tokens; of an autoencoder it is the code.

      gai nn encode run questions.txt -o features.npz
    """
    require_torch("gai nn encode")
    paths = require_input(files)
    from gai.nn.data.raw import stream
    from gai.nn.net import ensembles
    from gai.nn.net.predicting import encoded
    from gai.output import dense

    place = output or "-"
    dense.check(place, format)
    network, encoding = ensembles.asked(opened(run), device or "auto", threads)
    pieces = stream(paths, reading(encoding.config, examples), size=PIECE)
    with terminal.guarded():
        dense.write_dense(encoded(network, encoding, pieces), place, format)
