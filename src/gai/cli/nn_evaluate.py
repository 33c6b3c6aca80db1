"""gai nn evaluate."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gai.cli import display, terminal
from gai.cli.nn_options import Examples
from gai.cli.nn_predict import DEVICE, RUN, THREADS, opened, reading
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

CONFUSED = 12
"""Classes up to which a confusion matrix fits a screen."""


def nn_evaluate(
    *,
    run: Annotated[str | None, RUN] = None,
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATA", help="Labelled examples, as gai nn train takes them."),
    ] = None,
    as_json: Annotated[
        bool, option("--json", help="Everything as one JSON object; also what a pipe gets.")
    ] = False,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Scores of a trained model on labelled examples.

    Accuracy, macro F1, calibration error, a row for each class and the confusion matrix; mean
    squared and absolute error and R2 of numbers; perplexity and bits per character of a language
    model; equal error rate and one-shot accuracy of a siamese network; with 95 % bootstrap
    intervals.

      gai nn evaluate run test.csv --label-field category
    """
    require_torch("gai nn evaluate")
    if not data:
        raise UsageError("no DATA to evaluate on", "gai nn evaluate RUN DATA")
    from gai.nn.data.preparing import known, numbered, unseen
    from gai.nn.data.raw import read
    from gai.nn.net import ensembles, experiment
    from gai.nn.runs import strict

    folder = opened(run)
    network, encoding = ensembles.asked(folder, device or "auto", threads)
    config = reading(encoding.config, examples)
    raw = numbered(read(tuple(data), config), config)
    judge = experiment.judge_of(encoding, raw)
    if encoding.labels is not None and raw.labels is not None:
        told = known if config.task == "match" else unseen
        for line in () if talk.quiet else told(encoding.labels, raw.labels, "the data"):
            terminal.say(f"gai: {terminal.escape(line)}")
    found = judge.judged(network)
    if as_json or not terminal.is_terminal(sys.stdout):
        said = {"run": folder.path, "data": list(data), **found._asdict()}
        print(json.dumps(strict(said), indent=1))
        return
    show(found)


def show(found: Any) -> None:
    """The scores as tables."""
    console = terminal.console()
    scores = display.plain_table()
    for name in ("score", "", "95 %"):
        scores.add_column(name, justify="left" if name == "score" else "right")
    for name, value in found.summary.items():
        low, high = found.intervals.get(name, (None, None))
        between = "" if low is None else f"{low:.4f} to {high:.4f}"
        scores.add_row(name.replace("_", " "), f"{value:.4f}", between)
    console.print(scores)
    for table in class_tables(found.details):
        console.print()
        console.print(table)


def class_tables(details: dict[str, Any]) -> Iterator[Any]:
    """A table of the classes, and where there are few the confusion matrix."""
    classes = details.get("labels") or details.get("likeness") or []
    if classes:
        table = display.plain_table()
        for name in classes[0]:
            table.add_column(name, justify="left" if name == "label" else "right")
        for row in classes:
            table.add_row(*(cell(value) for value in row.values()))
        yield table
    matrix = details.get("confusion") or []
    if matrix and len(matrix) <= CONFUSED:
        yield confusion(matrix, [row["label"] for row in classes])


def confusion(matrix: list[list[int]], labels: list[str]) -> Any:
    """Rows are what is true, columns what the network says."""
    table = display.plain_table()
    table.add_column("true \\ said")
    for label in labels:
        table.add_column(terminal.escape(label), justify="right")
    for label, row in zip(labels, matrix, strict=True):
        table.add_row(terminal.escape(label), *(f"{count:,}" for count in row))
    return table


def cell(value: Any) -> str:
    """A value of a table."""
    if isinstance(value, float):
        return f"{value:.4f}"
    return terminal.escape(value) if isinstance(value, str) else f"{value:,}"
