"""gai nn inspect."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from gai.cli import display, terminal
from gai.cli.nn_options import Examples, switch, whole
from gai.cli.nn_predict import RUN, opened, reading, require_data
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.net.inspecting import Anatomy, Flow, Reach

ROWS = 32
"""Examples that gradients are looked at for."""

BAR, POWERS = 30, 15
"""Columns of a whole bar, and the powers of ten that it spans."""

JSON = switch("json", "One JSON object, as a pipe gets it; --no-json: tables.")


def nn_inspect(
    *,
    run: Annotated[str | None, RUN] = None,
    data: Annotated[
        str | None,
        option(
            "--data",
            metavar="DATA",
            help="Labelled examples: how do gradients fare? Of an ntm: where its heads look.",
        ),
    ] = None,
    rows: Annotated[
        int | None, whole("--rows", help="Look at the first N examples of DATA.", default="32")
    ] = None,
    tokens: Annotated[
        int | None,
        whole(
            "--tokens",
            help="Length of the text that operations are counted for.",
            default="20; of a language model its context",
        ),
    ] = None,
    attend: Annotated[
        str | None,
        option("--attend", metavar="TEXT", help="A map of where the network looks in TEXT."),
    ] = None,
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="FILE", help="Write the map, as SVG; an ntm's also PNG."),
    ] = None,
    as_json: Annotated[bool | None, JSON] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """The layers of a trained model, their shapes, weights and operations.

    Operations are the multiply-adds of matrices, filters and attention for one example. With --data
    also the size of gradients by layer, units that are saturated or dead, and for recurrent models
    how far back through time the loss reaches: why a plain rnn forgets.

      gai nn inspect run
      gai nn inspect run --data test.jsonl
      gai nn inspect run --attend "the cat sat" -o attention.svg
      gai nn inspect run --data @copy --lengths 10
    """
    require_torch("gai nn inspect")
    if rows is not None and data is None:
        raise UsageError("--rows without --data", "--data DATA has the examples to look at")
    if data is None:
        require_data(examples, "--data")
    if attend is not None:
        require_nothing_else(data=data, tokens=tokens)
    from dataclasses import asdict

    from gai.nn.data.preparing import numbered
    from gai.nn.data.raw import read
    from gai.nn.net import experiment, inspecting

    folder = opened(run)
    network, encoding = experiment.load(folder, "cpu", 1)
    if attend is not None:
        from gai.cli.nn_attention import show_attention

        show_attention(network, encoding, attend, output, as_json=wants_json(as_json))
        return
    if data is not None and encoding.config.model == "ntm":
        from gai.cli.nn_memory import show_memory

        raw = read((data,), reading(encoding.config, examples))
        show_memory(network, encoding, raw, output, as_json=wants_json(as_json))
        return
    if output is not None:
        raise UsageError(f"-o {output}: nothing is drawn", "--attend TEXT, or --data for an ntm")
    if tokens is not None and encoding.kind not in ("ids", "rows"):
        raise UsageError(f"--tokens {tokens}: this model reads {encoding.source}", "leave it out")
    found = inspecting.anatomy(network, encoding, tokens)
    flow = None
    if data is not None:
        config = reading(encoding.config, examples)
        raw = numbered(read((data,), config), config)
        flow = inspecting.flow(network, encoding, raw, rows or ROWS)
    if wants_json(as_json):
        what = {"run": folder.path, "model": encoding.config.model, "task": encoding.config.task}
        made = {**what, **named(asdict(found)), "flow": flow and named(asdict(flow))}
        print(json.dumps(made, indent=1))
        return
    show_layers(found)
    if flow is not None:
        show_flow(flow)


def require_nothing_else(**others: Any) -> None:
    """Raises UsageError for what a map of attention does not look at."""
    for name, value in others.items():
        if value is not None:
            raise UsageError(f"--attend and --{name}", "one of them: a map is of its TEXT alone")


def wants_json(asked: bool | None) -> bool:
    """Whether a program reads: where nobody said so, off a terminal."""
    return not terminal.is_terminal(sys.stdout) if asked is None else asked


def named(found: Any) -> Any:
    """Dictionaries in place of tuples with names, all the way down."""
    if isinstance(found, dict):
        return {name: named(value) for name, value in found.items()}
    if hasattr(found, "_asdict"):
        return named(found._asdict())
    return [named(value) for value in found] if isinstance(found, list | tuple) else found


def show_layers(found: "Anatomy") -> None:
    """The table of layers, and its sums."""
    rows = [
        (
            layer.name,
            layer.kind,
            "" if layer.output is None else " x ".join(map(str, layer.output)),
            f"{layer.parameters:,}" if layer.parameters else "",
            f"{layer.operations:,}" if layer.operations else "",
            {True: "yes", False: "no", None: ""}[layer.learns],
        )
        for layer in found.layers
    ]
    heads = ("layer", "what it is", "output", "parameters", "operations", "learns")
    show_table(heads, rows, left=(0, 1, 5))
    frozen = found.parameters - found.learning
    learn = f"{frozen:,} of them frozen" if frozen else "all learn"
    lines = (
        f"{found.parameters:,} parameters, {learn}; {display.amount(found.bytes)} of weights",
        f"{found.operations:,} operations for {found.example}",
    )
    say("\n".join(["", *lines]))


def show_flow(flow: "Flow") -> None:
    """How gradients fare: by layer, by unit, through time."""
    say(f"\nGradients of the weights by layer, mean norm over {flow.examples:,} examples")
    strengths = [(s.layer, f"{s.norm:.3g}", bar(s.share), s.verdict) for s in flow.layers]
    show_table(("layer", "gradient", "", ""), strengths, left=(0, 2, 3))
    if flow.units:
        say("\nUnits")
        units = [(u.layer, u.kind, share(u.saturated), share(u.dead)) for u in flow.units]
        show_table(("layer", "what it is", "saturated", "dead"), units, left=(0, 1))
    for reach in flow.reaches:
        show_reach(reach)


def show_reach(reach: "Reach") -> None:
    """How the gradient changes on its way back through time; bars are powers of ten."""
    say(f"\nBack through time in {reach.layer}: d loss / d state, by distance from the last token")
    most = max(reach.norms) or 1.0
    rows = [
        (str(distance), f"{norm:.3g}", bar(norm / most))
        for distance, norm in zip(reach.distances, reach.norms, strict=True)
    ]
    show_table(("distance", "gradient", ""), rows, left=(2,))
    say(reach.sentence())


def bar(share: float) -> str:
    """A bar that is full at 1, and shorter by two columns for each power of ten below."""
    if share <= 0.0:
        return ""
    return "#" * max(round(BAR * (1 + math.log10(share) / POWERS)), 0)


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "" if value is None else f"{100 * value:.1f} %"


def show_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = ()
) -> None:
    """A table, columns of numbers to the right."""
    table = display.plain_table()
    for place, head in enumerate(heads):
        side = "left" if place in left else "right"
        table.add_column(head, justify=side, overflow="fold")
    for row in rows:
        table.add_row(*map(terminal.escape, row))
    terminal.console().print(table)


def say(text: str) -> None:
    """Lines on standard output."""
    terminal.console().print(text, soft_wrap=True)
