"""gai nn compare."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import display, values
from gai.cli.nn_display import clock, rounded
from gai.cli.nn_ensemble import told_apart
from gai.cli.nn_inspect import JSON, say, show_table, wants_json
from gai.cli.nn_options import Examples, whole
from gai.cli.nn_predict import DEVICE, THREADS, reading, require_data
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.data.raw import Raw
    from gai.nn.net.pairing import Side

DRAWS = 2000


def nn_compare(
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN... [DATA]",
            help="Trained runs or ensembles; labelled examples, else what all of them held out.",
        ),
    ] = None,
    part: Annotated[
        str | None,
        option(
            "--part",
            parse=values.choice("test", "valid"),
            help="What the runs held out, where no DATA is named.",
            default="test, else valid",
        ),
    ] = None,
    draws: Annotated[
        int | None, whole("--draws", least=100, help="Resamples of the examples.", default="2000")
    ] = None,
    seed: Annotated[
        int | None, whole("--seed", least=0, help="Of the resamples.", default="0")
    ] = None,
    as_json: Annotated[bool | None, JSON] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """Scores of several runs side by side, and whether they differ.

    Each run is compared with the first by a paired bootstrap test: the same resamples of the
    examples for all, the difference with its 95 % interval, and p, how often chance alone makes as
    much of it (two-sided). For classifiers also McNemar's test: what only one of two gets right.
    Without DATA the runs are scored on what they held out, where this is the same for all.

      gai nn compare run1 run2 test.csv --label-field category
      gai nn compare mlp cnn ensemble
    """
    require_torch("gai nn compare")
    paths, data = told_apart(words or [])
    if len(paths) < 2:
        what = f"{data[0]} is no run" if len(words or []) > len(paths) > 0 else "nothing to compare"
        raise UsageError(what, "gai nn compare RUN RUN [DATA]")
    from gai.nn.net import pairing
    from gai.nn.runs import strict

    sides = [pairing.Side.of(path, device or "auto", threads) for path in paths]
    pairing.require_comparable(sides)
    name: str | None = None
    if data:
        if part is not None:
            raise UsageError(f"--part {part} and {data[0]}", "DATA, or what the runs held out")
        parts = as_each_reads(sides, data, examples)
        pairing.require_same_examples(sides, parts)
    else:
        require_data(examples)
        name, raw = pairing.shared_part(sides, part)
        parts = [raw] * len(sides)
    made = {"data": data or None, "part": name}
    made |= pairing.compared(sides, parts, draws=draws or DRAWS, seed=seed or 0)
    if wants_json(as_json):
        print(json.dumps(strict(rounded(made)), indent=1))
    else:
        show(made)


def as_each_reads(sides: "Sequence[Side]", data: Sequence[str], examples: Examples) -> "list[Raw]":
    """The examples as each run reads them: once for all that read the same."""
    from gai.nn.data.preparing import numbered
    from gai.nn.data.raw import read

    found: dict[Any, Raw] = {}
    made = []
    for side in sides:
        config = reading(side.encoding.config, examples)
        key = tuple(getattr(config, f.name) for f in fields(config) if of_data(f))
        if key not in found:
            found[key] = numbered(read(tuple(data), config), config)
        made.append(found[key])
    return made


OWN = ("data", "valid", "test", "fold", "split_seed", "bootstrap", "class_weights", "augment")
"""Choices about data that a run was trained on, and not about how data is read."""


def of_data(field: Any) -> bool:
    """Whether a choice says how examples are read."""
    return field.metadata["section"] == "data" and field.name not in OWN


def show(made: dict[str, Any]) -> None:
    """Tables of the scores, the differences, and what only one of two gets right."""
    from gai.nn import tables

    where = "the data" if made["part"] is None else f"the {made['part']} part"
    count = made["examples"]
    say(f"On {'1 example' if count == 1 else f'{count:,} examples'} of {where}\n")
    show_table(*tables.side_by_side(made, display.amount, clock), left=(0,))
    for run in made["differences"]:
        say("")
        show_table(*tables.apart(run, made["against"]), left=(0,))
    if made.get("mcnemar"):
        say("\nExamples that both, one or none gets right (McNemar)\n")
        show_table(*tables.right_or_wrong(made), left=(0,))
