"""gai nn match."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gai.cli import terminal, values
from gai.cli.nn_inspect import show_table
from gai.cli.nn_options import Examples, whole
from gai.cli.nn_predict import DEVICE, OUTPUT, PIECE, RUN, THREADS, written
from gai.cli.nn_ready import require_input, require_torch
from gai.cli.nn_similar import FILES, THRESHOLD, Asked, asked_of, example_of, least_of, yes_or_no
from gai.cli.options import Talk, option
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.nn.data.raw import Raw

FOUND = 10
"""Examples that are found where nobody says how many."""

BEGINNING = 60
"""Characters of a text that a table shows."""


def nn_match(
    *,
    run: Annotated[str | None, RUN] = None,
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="QUERY",
            help="A text; or the name of an image or row: a file, or FILE:N for its N-th example.",
        ),
    ] = None,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE", help="The examples among which is looked; - is standard input."
        ),
    ] = None,
    top: Annotated[int | None, whole("--top", help="The N most similar.", default="10")] = None,
    threshold: Annotated[float | str | None, THRESHOLD] = None,
    files: Annotated[bool, FILES] = False,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice("tsv", "jsonl"),
            help="tsv: rank, similarity, alike, id, label. jsonl: an object an example.",
            default="by extension, else tsv",
        ),
    ] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Examples most like another, by a siamese network.

    A line rank<TAB>similarity<TAB>id for each, the most similar first. With --threshold a field yes
    or no comes before the id: is it of the same class? With --label-field a field with the label
    comes after it, so that the first line is the answer of a classifier that has seen FILE alone.

      gai nn match run "I lost my card" questions.txt --top 5
      gai nn match run @digits:1 @digits --threshold eer
      gai nn match run "my card is gone" one-of-each.csv --label-field category --top 1
    """
    require_torch("gai nn match")
    if query is None:
        raise UsageError("no QUERY: what is looked for?", "gai nn match RUN QUERY FILE")
    among = require_input(paths)
    asked = asked_of(run, reading_as=examples, device=device, threads=threads)
    least = least_of(threshold, asked.run)
    wanted = asked.embedded(example_of(asked, query, files))
    labelled = examples.label_field is not None
    found = ranked(asked, wanted, pieces(asked, among, labelled), top or FOUND)
    if output is None and terminal.is_terminal(sys.stdout):
        show(found, least)
        return
    place = output or "-"
    kind = format or ("jsonl" if place.endswith(".jsonl") else "tsv")
    with written(place) as sink:
        for line in as_jsonl(found, least) if kind == "jsonl" else as_tsv(found, least):
            sink.write(line.encode("utf-8", "surrogateescape"))


class Hit(NamedTuple):
    """An example that was found."""

    similarity: float
    id: str
    label: str | None
    text: str


def pieces(asked: Asked, paths: tuple[str, ...], labelled: bool) -> Iterator["Raw"]:
    """The examples, piece by piece; or all of them with their labels."""
    from gai.nn.data.raw import read, stream

    if labelled:
        return iter([read(paths, asked.config, labelled=True)])
    return stream(paths, asked.config, size=PIECE)


def ranked(asked: Asked, wanted: Any, pieces: Iterator["Raw"], top: int) -> list[Hit]:
    """The most similar examples; of equal ones the first."""
    from gai.nn.net.learning.matching import similarity

    similar = similarity(asked.encoding.config)
    found: list[Hit] = []
    count = 0
    for raw in pieces:
        count += len(raw)
        values = similar(wanted, asked.embedded(raw))[0]
        best = (-values).argsort(kind="stable")[:top]
        found += [hit(raw, int(row), float(values[row])) for row in best]
        found = sorted(found, key=lambda one: -one.similarity)[:top]
    if not count:
        raise GaiError("no examples in the data", "the input is empty")
    return found


def hit(raw: "Raw", row: int, value: float) -> Hit:
    """An example with its label, where labels were read, and how its text begins."""
    label = raw.labels[row] if isinstance(raw.labels, list) else None
    text = " ".join(raw.texts[row].split()) if raw.texts is not None else ""
    return Hit(value, raw.ids[row], label if isinstance(label, str) else None, text)


def as_tsv(found: list[Hit], least: float | None) -> Iterator[str]:
    """A line for each, with rank and similarity first."""
    from gai.output.tsv import escape

    for rank, one in enumerate(found, start=1):
        cells = [str(rank), f"{one.similarity:.6f}", *alike(one, least), escape(one.id)]
        yield "\t".join([*cells, *([] if one.label is None else [escape(one.label)])]) + "\n"


def as_jsonl(found: list[Hit], least: float | None) -> Iterator[str]:
    """An object for each."""
    for rank, one in enumerate(found, start=1):
        made: dict[str, Any] = {"rank": rank, "similarity": round(one.similarity, 6), "id": one.id}
        if least is not None:
            made["alike"] = one.similarity >= least
        if one.label is not None:
            made["label"] = one.label
        yield json.dumps(made, ensure_ascii=False) + "\n"


def alike(one: Hit, least: float | None) -> tuple[str, ...]:
    """Whether it is similar enough, where that was asked."""
    return () if least is None else (yes_or_no(one.similarity, least),)


def show(found: list[Hit], least: float | None) -> None:
    """A table for a person, with the beginnings of texts."""
    labels, texts = any(one.label is not None for one in found), any(one.text for one in found)
    heads = ["rank", "similarity", *(["alike"] if least is not None else []), "example"]
    heads += (["label"] if labels else []) + (["text"] if texts else [])
    rows = []
    for rank, one in enumerate(found, start=1):
        cells = [str(rank), f"{one.similarity:.4f}", *alike(one, least), one.id]
        cells += ([one.label or ""] if labels else []) + ([one.text[:BEGINNING]] if texts else [])
        rows.append(cells)
    show_table(heads, rows, left=range(2, len(heads)))
