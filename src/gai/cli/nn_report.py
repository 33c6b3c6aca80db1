"""gai nn report."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import terminal, writing
from gai.cli.nn_options import Examples, whole
from gai.cli.nn_predict import DEVICE, RUN, THREADS, opened, reading, require_data
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.data.encoding import Encoding
    from gai.nn.pages.facts import Examined, Layer

IMAGES, OTHERS = 24, 12
"""Wrong examples that are shown."""


def nn_report(
    *,
    run: Annotated[str | None, RUN] = None,
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA", help="Labelled examples: where is it wrong, do probabilities hold?"
        ),
    ] = None,
    output: Annotated[
        str | None, option("-o", "--output", metavar="FILE", help="Write here; - is the pipe.")
    ] = None,
    wrong: Annotated[
        int | None,
        whole("--wrong", help="Show the N most wrong examples of DATA.", default="12; images 24"),
    ] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """A page about a run, in one file that is read in any browser, offline.

    Curves, scores beside the baseline, classes, confusions, layers and choices; with DATA also the
    most wrong examples, calibration, and of numbers what was predicted against what is true.

      gai nn report run -o report.html
      gai nn report run test.csv -o report.html
    """
    require_torch("gai nn report")
    if output is None:
        raise UsageError("a page needs a file: -o FILE", "-o report.html")
    if wrong is not None and not data:
        raise UsageError(f"--wrong {wrong} without DATA", "the examples that it may be wrong about")
    if not data:
        require_data(examples)
    writing.check_place(output)
    from gai.nn.net import experiment
    from gai.nn.pages.facts import Facts
    from gai.nn.pages.report import page

    folder = opened(run)
    network, encoding = experiment.load(folder, device or "auto", threads)
    seen = None
    if data:
        seen = looked_at(network, encoding, data, examples, wrong)
    facts = Facts(
        folder.path,
        folder.config(),
        report_of(folder),
        folder.records(),
        encoding.main_score,
        layers_of(network, encoding),
        seen,
    )
    writing.write([page(facts)], output)
    if talk.verbose and not talk.quiet:
        terminal.say(f"gai: {output} is written")


def looked_at(
    network: Any, encoding: "Encoding", data: Sequence[str], examples: Examples, most: int | None
) -> "Examined":
    """What the network makes of the examples in files."""
    from dataclasses import replace

    from gai.nn.data.preparing import numbered
    from gai.nn.data.raw import read
    from gai.nn.net.examining import examined

    config = reading(encoding.config, examples)
    raw = numbered(read(tuple(data), config), config)
    pictures = raw.array is not None and raw.array.ndim > 2 and encoding.kind != "sequences"
    most = most or (IMAGES if pictures else OTHERS)
    return replace(examined(network, encoding, raw, most), data=tuple(data))


def report_of(folder: Any) -> Any:
    """report.json; nothing where the run has not ended."""
    import os

    from gai.nn.runs import REPORT

    return folder.json(REPORT) if os.path.exists(folder.file(REPORT)) else {}


def layers_of(network: Any, encoding: "Encoding") -> list["Layer"]:
    """The layers as rows of text."""
    from gai.nn.net.inspecting import anatomy
    from gai.nn.pages.facts import Layer

    return [
        Layer(
            row.name,
            row.kind,
            "" if row.output is None else " × ".join(map(str, row.output)),
            row.parameters,
            row.operations,
        )
        for row in anatomy(network, encoding).layers
    ]
