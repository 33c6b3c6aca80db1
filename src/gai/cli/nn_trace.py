"""gai nn trace."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import terminal, values
from gai.cli.nn_inspect import JSON, say, show_table, wants_json
from gai.cli.nn_options import Examples
from gai.cli.nn_predict import RUN, opened, reading
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.nn.config import Config
    from gai.nn.data.encoding import Encoding
    from gai.nn.data.raw import Raw
    from gai.nn.net.chains import Chain
    from gai.nn.net.tracing import Step, Trace
    from gai.nn.runs import Run

MOST = 12
"""Rows of a table that are shown."""

NUMBERS = 6
"""Numbers of a list that are shown."""


def nn_trace(
    *,
    run: Annotated[str | None, RUN] = None,
    row: Annotated[
        int | None,
        typer.Argument(
            metavar="ROW",
            help="Which example, from 1 on; of a language model, which window of the text.",
            parser=values.whole(1),
        ),
    ] = None,
    data: Annotated[
        str | None,
        option(
            "--data",
            metavar="DATA",
            help="Labelled examples that ROW is one of.",
            default="what the run was trained on",
        ),
    ] = None,
    text: Annotated[
        str | None, option("--text", metavar="TEXT", help="Trace this text, in place of a ROW.")
    ] = None,
    label: Annotated[
        str | None,
        option("--label", metavar="LABEL", help="What is true of --text; tags with spaces."),
    ] = None,
    as_json: Annotated[bool | None, JSON] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """One example through a network, forward, back, and one step.

    What each layer makes of it, the loss, the gradient of each layer, that of one weight by the
    chain rule in full and beside it by a finite difference, and the weights and the loss after one
    step of gradient descent. In float64, without dropout.

      gai nn trace run 3
      gai nn trace run --text "what a film" --label positive
    """
    require_torch("gai nn trace")
    from gai.nn.net import experiment
    from gai.nn.net.showing import chosen
    from gai.nn.net.tracing import trace

    require_one_example(row, data, text, label)
    folder = opened(run)
    network, encoding = experiment.load(folder, "cpu", 1)
    if encoding.config.task == "algorithm":
        hint = "gai nn inspect RUN --data @copy shows an example of an ntm"
        raise GaiError("an algorithm answers at many steps, and one answer is traced", hint)
    if text is not None:
        raw = spoken(text, label, encoding)
    elif data is not None:
        raw = labelled((data,), reading(encoding.config, examples))
    else:
        raw = learned_from(folder, encoding, talk)
    found = trace(network, encoding, chosen(encoding, raw, row or 1))
    if wants_json(as_json):
        print(json.dumps({"run": folder.path, **found.as_dict()}, indent=1))
    else:
        show(found)


def require_one_example(
    row: int | None, data: str | None, text: str | None, label: str | None
) -> None:
    """Raises UsageError where it is not clear what is to be traced."""
    if text is None and row is None:
        raise UsageError("no ROW: which example?", "gai nn trace RUN 1, or --text TEXT")
    if text is None and label is not None:
        raise UsageError("--label without --text", "the examples of DATA have labels")
    if text is not None and (row is not None or data is not None):
        other = f"ROW {row}" if row is not None else f"--data {data}"
        raise UsageError(f"--text and {other}", "one of them")


def labelled(paths: tuple[str, ...], config: "Config") -> "Raw":
    """The examples in files."""
    from gai.nn.data.preparing import numbered
    from gai.nn.data.raw import read

    return numbered(read(paths, config), config)


def learned_from(run: "Run", encoding: "Encoding", talk: Talk) -> "Raw":
    """The examples that a run was trained and validated on, read anew; says where they changed."""
    paths = encoding.config.data
    if "-" in paths:
        raise UsageError(f"{run.path} was trained on standard input", "--data DATA has examples")
    try:
        raw = labelled(paths, encoding.config)
    except GaiError as error:
        hint = "that is what the run was trained on; --data DATA names other examples"
        raise type(error)(error.message, hint) from error
    config = encoding.config
    files = any(map(names_a_file, (config.valid, config.test)))
    alone = not files and config.task != "algorithm"  # whose examples are always fresh ones
    if alone and raw.digest != run.input()["digest"] and not talk.quiet:
        terminal.say(f"gai: {', '.join(paths)}: not as it was when {run.path} was trained")
    return raw


def names_a_file(part: str | None) -> bool:
    """Whether a part of a run is a file of its own, whose digest is mixed with that of the data."""
    from gai.nn.data.preparing import fraction

    return part is not None and fraction(part, "") is None


def spoken(text: str, label: str | None, encoding: "Encoding") -> "Raw":
    """The example that was typed; raises UsageError where it does not fit the model."""
    from gai.nn.data.raw import Raw

    config = encoding.config
    if encoding.vocabulary is None:
        raise UsageError(
            f"--text: this model reads {encoding.source}, no text", "gai nn trace RUN ROW"
        )
    if config.task == "lm":
        if label is not None:
            raise UsageError("--label: a language model has none", "leave it out")
        return Raw(ids=["--text"], texts=[text])
    if label is None:
        raise UsageError("no label, and so no loss", f"--label LABEL; {expected(encoding)}")
    if config.task == "tag":
        words, tags = text.split(), label.split()
        if len(words) != len(tags):
            hint = "--label has a tag for each token, with spaces between"
            raise UsageError(f"{len(words)} tokens and {len(tags)} tags", hint)
        return Raw(ids=["--text"], tokens=[words], labels=[tags])
    return Raw(ids=["--text"], texts=[text], labels=labels_of(label, encoding))


def labels_of(label: str, encoding: "Encoding") -> Any:
    """The label of one text as data has it."""
    import numpy as np

    if encoding.targets is not None:
        try:
            return np.array([[float(value) for value in label.split(",")]])
        except ValueError as error:
            raise UsageError(f"--label {label}: no number", expected(encoding)) from error
    assert encoding.labels is not None
    if not encoding.labels.several:
        return [label]
    parts = label.split(encoding.config.label_sep or ",")
    found = tuple(part.strip() for part in parts if part.strip())
    for name in found:
        if name not in encoding.labels.names:
            raise GaiError(f"training never saw the label {name!r}", expected(encoding))
    return [found]


def expected(encoding: "Encoding") -> str:
    """What a label may be."""
    if encoding.labels is None:
        return "numbers, with commas between"
    names = ", ".join(encoding.labels.names[:8])
    return f"{names}, ..." if len(encoding.labels.names) > 8 else names


def show(found: "Trace") -> None:
    """All of it as a teacher would write it down."""
    say(f"Example: {terminal.escape(found.example)}\n")
    show_rows("Input", found.input)
    title = "\nForward: what each layer makes of it"
    show_rows(title, [row._asdict() for row in found.forward], most=None)
    show_rows("\nAnswer", found.answers)
    say(f"\nLoss, {terminal.escape(found.loss)}: {number(found.value)}")
    title = "\nBackward: the gradient of the loss with respect to what each layer made"
    show_rows(title, [row._asdict() for row in found.backward], most=None)
    title = "\nThe gradients of the weights, and of each the largest by a finite difference"
    show_rows(title, [row._asdict() for row in found.weights], most=None)
    for chain in found.chains:
        show_chain(chain)
    show_step(found.step)


def show_rows(title: str, rows: list[dict[str, Any]], most: int | None = MOST) -> None:
    """A table with a title, of its first rows."""
    say(title)
    if not rows:
        say("nothing")
        return
    left = [place for place, value in enumerate(rows[0].values()) if isinstance(value, str | list)]
    cells = ([spelt(value) for value in row.values()] for row in rows[:most])
    show_table(list(rows[0]), cells, left=left)
    if most is not None and len(rows) > most:
        say(f"... and {len(rows) - most:,} more: --json shows them")


def spelt(value: Any) -> str:
    """A cell of a table."""
    if isinstance(value, list):
        shown = ", ".join(map(spelt, value[:NUMBERS]))
        return f"{shown}, ..." if len(value) > NUMBERS else shown
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and value.isspace():
        return repr(value)
    return "" if value is None else str(value)


def show_chain(chain: "Chain") -> None:
    """The chain rule for one weight, line by line, and its check."""
    say(f"\nThe chain rule for {chain.label}")
    for factor in chain.factors:
        numbers = f" = {factor.numbers}" if factor.numbers else ""
        say(f"  {factor.formula}{numbers} = {number(factor.value)}")
    product, other = chain.factors[-1].value, chain.difference
    say(f"  by the chain rule {product:.9g}, by a finite difference {other:.9g}")
    say(f"  relative error {chain.error:.1e}")


def show_step(step: "Step") -> None:
    """One step: the rule, the weights that were followed, and the loss of the example."""
    say(f"\nOne step of all weights, with the learning rate {step.lr:g}")
    say(f"  gradient descent: w - lr g\n  {step.optimizer}, its first step: {step.rule}")
    heads = ("", "old", "gradient", "gradient descent", step.optimizer)
    rows = [
        (moved.weight, *map(number, (moved.old, moved.gradient, moved.descended, moved.optimized)))
        for moved in step.weights
    ]
    losses = ("loss", number(step.before), "", number(step.descended), number(step.optimized))
    show_table(heads, [*rows, losses], left=(0,))
    if max(step.descended, step.optimized) > step.before:
        say("The loss rises: the step is too long for this example")


def number(value: float) -> str:
    """A number with enough digits to see a step."""
    return f"{value:.6g}"
