"""What gai nn prune and gai nn quantize share: the examples, and a network before and after."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from gai.cli import display, terminal
from gai.cli.nn_display import rounded
from gai.cli.nn_inspect import say, show_table
from gai.cli.nn_predict import reading
from gai.cli.options import Talk
from gai.errors import GaiError

if TYPE_CHECKING:
    from gai.cli.nn_options import Examples
    from gai.nn.data.encoding import Encoding
    from gai.nn.data.preparing import Gathered
    from gai.nn.net.deriving import Bench, Measured
    from gai.nn.runs import Run

ROWS = {
    "parameters": "parameters",
    "nonzero": "not 0",
    "memory": "in memory",
    "disk": "on disk",
    "compressed": "compressed",
}
"""The sizes of a table, with what they are called there."""

Stages = dict[str, "Measured"]
"""A network before, after, and after training on."""


def named_examples(encoding: Encoding, data: str, examples: Examples) -> Bench:
    """The examples in a file that the user named."""
    from gai.nn.data.preparing import numbered
    from gai.nn.data.raw import read
    from gai.nn.net.deriving import Bench

    config = reading(encoding.config, examples)
    return Bench(encoding, numbered(read((data,), config), config), data)


def own_examples(parts: Gathered | None, encoding: Encoding) -> Bench | None:
    """The validation part of a run; None where it has none."""
    from gai.nn.net.deriving import Bench

    if parts is None or "valid" not in parts.raw:
        return None
    return Bench(encoding, parts.raw["valid"], "the validation part")


def parts_or_word(run: Run, talk: Talk, *, needed: bool) -> Gathered | None:
    """What a run was trained on; where it is not ``needed`` and cannot be read, None and a line
    that says so."""
    from gai.nn.net.deriving import read_again

    try:
        return read_again(run)
    except GaiError as error:
        if needed:
            raise
        if not talk.quiet:
            terminal.say(f"gai: no scores: {terminal.escape(error.message)}; {error.hint}")
        return None


def show(run: str, other: str, stages: Stages, bench: Bench | None, talk: Talk) -> None:
    """A table on a terminal, a JSON line for a pipe, nothing under -q."""
    if talk.quiet:
        return
    if not terminal.is_terminal(sys.stdout):
        said = {"run": run, "output": other, "examples": None if bench is None else bench.said}
        found = {stage: rounded(one.as_dict()) for stage, one in stages.items()}
        print(json.dumps({**said, **found}), flush=True)
        return
    columns = list(stages.values())
    rows = [(name, *map(spelt(field), columns)) for field, name in ROWS.items()]
    if bench is not None:
        rows += scores(bench, columns)
    show_table(("", *stages), rows, left=(0,))
    if bench is not None:
        say(f"\nScores on {terminal.escape(bench.said)}, {len(bench.raw):,} examples")


def spelt(field: str) -> Any:
    """A function that spells one size of a network."""
    if field in ("parameters", "nonzero"):
        return lambda one: f"{getattr(one, field):,}"
    return lambda one: display.amount(getattr(one, field))


def scores(bench: Bench, columns: list[Measured]) -> list[tuple[str, ...]]:
    """The rows of speed and of scores."""
    rows: list[tuple[str, ...]] = []
    if columns[0].speed is not None:
        what = "tokens" if bench.encoding.config.task == "lm" else "examples"
        rows.append((f"{what}/s", *(f"{one.speed:,.0f}" for one in columns)))
    summaries = [one.judged.summary for one in columns if one.judged is not None]
    for name in summaries[0]:
        rows.append((name.replace("_", " "), *(f"{found[name]:.4f}" for found in summaries)))
    return rows
