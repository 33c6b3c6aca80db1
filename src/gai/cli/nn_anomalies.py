"""gai nn anomalies."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import terminal
from gai.cli.nn_inspect import show_table
from gai.cli.nn_options import Examples, names_of, real, whole
from gai.cli.nn_predict import DEVICE, OUTPUT, PIECE, RUN, THREADS, opened, reading, written
from gai.cli.nn_ready import require_input, require_torch
from gai.cli.options import Talk, option
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.nn.anomalies import Known, Ranking
    from gai.nn.data.encoding import Encoding
    from gai.nn.data.raw import Raw
    from gai.nn.runs import Run

SHOWN = 20
"""Examples in a table where nobody says how many."""


def nn_anomalies(
    *,
    run: Annotated[str | None, RUN] = None,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATA", help="Examples; - is standard input."),
    ] = None,
    top: Annotated[
        int | None, whole("--top", help="Only the first N.", default="all; a terminal gets 20")
    ] = None,
    threshold: Annotated[
        float | None, real("--threshold", help="Only those with an error above X.")
    ] = None,
    quantile: Annotated[
        float | None,
        real(
            "--quantile",
            most=1.0,
            help="Only those with an error above that of this share of the held-out examples.",
        ),
    ] = None,
    anomalous: Annotated[
        tuple[str, ...] | None,
        option(
            "--anomalous",
            metavar="NAME[,NAME]",
            parse=names_of,
            help="The labels, in --label-field, that should come first: how well do they?",
        ),
    ] = None,
    as_json: Annotated[bool, option("--json", help="One JSON object with everything.")] = False,
    output: Annotated[str | None, OUTPUT] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Examples that an autoencoder cannot make again, the strangest first.

    Lines of id, error and quantile: the share of the examples that validated in training whose
    error is smaller. The error is the mean squared error per number; of text 1 - the cosine. With
    --anomalous also the label, and on standard error the area under the ROC curve: how probably
    one of these has a larger error than one of the others.

      gai nn anomalies run new.csv --top 10
      gai nn anomalies run test.jsonl --quantile 0.99 -o strange.tsv
      gai nn anomalies run sms.tsv --label-field kind --anomalous spam
    """
    require_torch("gai nn anomalies")
    if threshold is not None and quantile is not None:
        raise UsageError("--threshold and --quantile", "one of them")
    if anomalous is None and examples.label_field is not None:
        raise UsageError("--label-field without --anomalous", "--anomalous NAME says which labels")
    paths = require_input(files)
    from gai.nn import anomalies
    from gai.nn.net import experiment
    from gai.nn.net.reconstructing import require_reconstructs

    folder = opened(run)
    network, encoding = experiment.load(folder, device or "auto", threads)
    require_reconstructs(encoding.config, "anomalies")
    known = ordinary(folder)
    above = threshold if quantile is None else error_of(quantile, known, folder)
    found, labels = measured(network, encoding, pieces(paths, encoding, examples, anomalous))
    scores: dict[str, Any] = {}
    if anomalous is not None:
        scores = anomalies.detection(found.errors, labels, anomalous)
        found = replace(found, labels=anomalies.spelt(labels))
    if known is not None:
        found = replace(found, shares=known.shares(found.errors))
    ranked = found.strangest(above, top)
    if as_json:
        give_json({"run": folder.path, "data": list(paths), **scores}, ranked, output or "-")
        return
    if scores and not talk.quiet:
        terminal.say(sentence(scores, len(found.ids)))
    if output is None and terminal.is_terminal(sys.stdout):
        show(ranked, top or SHOWN)
        return
    with written(output or "-") as sink:
        sink.write("".join(ranked.tsv()).encode("utf-8", "surrogateescape"))


def ordinary(folder: "Run") -> "Known | None":
    """The errors of ordinary examples, as far as the run knows them."""
    from gai.nn.anomalies import Known
    from gai.nn.runs import REPORT

    return Known.of(folder.json(REPORT)) if os.path.exists(folder.file(REPORT)) else None


def error_of(quantile: float, known: "Known | None", folder: "Run") -> float:
    """The error that this share of ordinary examples stays below; GaiError where none are known."""
    if known is None:
        hint = "--threshold X, or train with --valid 0.1"
        raise GaiError(f"--quantile {quantile:g}: {folder.path} has no held-out errors", hint)
    return known.error(quantile)


def pieces(
    paths: tuple[str, ...],
    encoding: "Encoding",
    examples: Examples,
    anomalous: tuple[str, ...] | None,
) -> "Iterator[Raw]":
    """The examples, piece by piece; or all of them with their labels."""
    from gai.nn.data.raw import read, stream

    config = reading(encoding.config, examples)
    if anomalous is None:
        return stream(paths, config, size=PIECE)
    return iter([read(paths, replace(config, task="classify"), labelled=True)])


def measured(
    network: Any, encoding: "Encoding", pieces: "Iterator[Raw]"
) -> tuple["Ranking", list[Any]]:
    """The errors of all examples, in their order, and the labels that were read with them."""
    import numpy as np

    from gai.nn.anomalies import Ranking
    from gai.nn.net.reconstructing import errors

    ids: list[str] = []
    labels: list[Any] = []
    blocks = []
    for raw in pieces:
        ids += raw.ids
        labels += raw.labels if isinstance(raw.labels, list) else []
        blocks.append(errors(network, encoding.dataset(raw, labelled=False), encoding.config))
    if not ids:
        raise GaiError("no examples in the data", "the input is empty")
    return Ranking(ids, np.concatenate(blocks)), labels


def sentence(scores: dict[str, Any], count: int) -> str:
    """How well the errors find what is anomalous."""
    return (
        f"gai: AUROC {scores['auroc']:.4f}, average precision {scores['average_precision']:.4f}: "
        f"{scores['anomalous']:,} of {count:,} examples are anomalous"
    )


def give_json(head: dict[str, Any], ranked: "Ranking", place: str) -> None:
    """Everything as one object."""
    from gai.nn.runs import strict

    said = strict({**head, "examples": list(ranked.rows())})
    with written(place) as sink:
        text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
        sink.write(text.encode("utf-8", "surrogateescape"))


def show(ranked: "Ranking", most: int) -> None:
    """A table of the first examples."""
    heads = ("example", "error", "quantile", *(["label"] if ranked.labels is not None else []))
    rows = [
        tuple("" if value is None else str(value) for value in row.values())
        for row in islice(ranked.rows(), most)
    ]
    show_table(heads, rows, left=(0, 3))
    if (more := len(ranked.ids) - len(rows)) > 0:
        terminal.console().print(f"... and {more:,} more: -o FILE keeps all, --top N shows some")
