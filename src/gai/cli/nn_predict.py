"""gai nn predict, and what the commands that ask a trained model share."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import terminal, values
from gai.cli.nn_options import Examples
from gai.cli.nn_ready import require_input, require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.config import Config
    from gai.output.atomic import Sink

PIECE = 8192
"""Examples that are read, asked about and written together."""

RUN = typer.Argument(metavar="RUN", help="The folder that gai nn train wrote.")
OUTPUT = option("-o", "--output", metavar="FILE", help="Write here.", default="-")
DEVICE = option("--device", metavar="auto|cpu|cuda", help="Where to compute.", default="auto")
THREADS = option(
    "--threads", metavar="N", parse=values.whole(1), help="Threads of the CPU.", default="all"
)


def nn_predict(
    *,
    run: Annotated[str | None, RUN] = None,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Examples without labels; - is standard input, which is also read without FILES.",
        ),
    ] = None,
    proba: Annotated[
        bool, option("--proba", help="The probability of each label, a line each.")
    ] = False,
    beam: Annotated[
        int | None,
        option(
            "--beam",
            metavar="N",
            parse=values.whole(1),
            help="Of a model that writes: texts that are kept at every token.",
            default="1",
        ),
    ] = None,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice("tsv", "jsonl"),
            help="tsv: id, label, probability. jsonl: an object an example.",
            default="by extension, else tsv",
        ),
    ] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Labels, numbers or tags of new examples.

    Text is a line each, or records with --input-format; any length of input, for it streams.

      gai nn predict run questions.txt
      zcat reviews.jsonl.gz | gai nn predict run - --input-format jsonl --format jsonl
    """
    require_torch("gai nn predict")
    paths = require_input(files)
    from gai.nn.data.raw import stream
    from gai.nn.net import ensembles
    from gai.nn.net.predicting import predicted

    network, encoding = ensembles.asked(opened(run), device or "auto", threads)
    pieces = stream(paths, reading(encoding.config, examples), size=PIECE)
    place = output or "-"
    kind = format or ("jsonl" if place.endswith(".jsonl") else "tsv")
    with written(place) as sink:
        for said in predicted(network, encoding, pieces, proba=proba, beam=beam):
            lines = said.jsonl() if kind == "jsonl" else said.tsv()
            sink.write("".join(lines).encode("utf-8", "surrogateescape"))


def opened(run: str | None) -> Any:
    """The folder of a run; raises UsageError where none was named."""
    if run is None:
        raise UsageError("no RUN: which model?", "a folder that gai nn train wrote")
    from gai.nn.runs import Run

    return Run(run)


def reading(config: "Config", examples: Examples) -> "Config":
    """How examples are read: as in training, but for what the flags say."""
    said = {name: value for name, value in vars(examples).items() if value is not None}
    if "input_format" not in said:
        said["input_format"] = None
    said["group_field"] = None  # it divides training data
    return replace(config, **said)


def require_data(examples: Examples, name: str = "DATA") -> None:
    """Raises UsageError for options about examples where none are named."""
    for field in fields(Examples):
        if getattr(examples, field.name) is not None:
            raise UsageError(
                f"--{field.name.replace('_', '-')} without {name}", f"name {name}, too"
            )


@contextmanager
def written(place: str) -> Iterator["Sink"]:
    """Where lines go: a file that appears whole, or standard output."""
    from gai.output.atomic import staged

    with terminal.guarded(), staged(place) as (sink,):
        yield sink
