"""gai nn diagnose."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import nn_several, nn_train, terminal, writing
from gai.cli.nn_inspect import JSON, named, say, share, show_reach, show_table, wants_json
from gai.cli.nn_options import Architecture, Descent, Machine, Parts, Restraint, whole
from gai.cli.nn_predict import opened, reading
from gai.cli.nn_ready import require_torch
from gai.cli.nn_report import report_of
from gai.cli.nn_trace import labelled, learned_from
from gai.cli.options import Talk, Terms, option
from gai.errors import GaiError, UsageError
from gai.nn import names

if TYPE_CHECKING:
    from gai.nn.data.raw import Raw
    from gai.nn.net.diagnosing import Diagnosis
    from gai.nn.net.growing import Growth
    from gai.nn.plots import Plot
    from gai.nn.runs import Run

HEIGHT = 12
"""Rows of a plot."""

KINDS = {
    "vanish": "vanishing",
    "explode": "exploding",
    "forget": "forgetting",
    "falling": "still falling",
    "dead": "dead units",
}
"""Findings as they stand in the margin."""

MODEL = "mlp"
"""What is trained where only DATA is named."""


def nn_diagnose(
    *,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN|[MODEL] DATA",
            help="A folder that gai nn train wrote; or what gai nn train takes, which is trained "
            f"for a moment, an {MODEL} where no MODEL is named.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        option(
            "--data",
            metavar="DATA",
            help="Look at the network in RUN on these examples.",
            default="what it was trained on",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        whole("--rows", help="Look at the network in RUN on N examples.", default="512"),
    ] = None,
    data_curve: Annotated[
        bool,
        option("--data-curve", help="Train on 10, 25, 50 and 100 % too: would more data help?"),
    ] = False,
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="FILE.svg", help="Write the pictures here as well."),
    ] = None,
    config: Annotated[
        str | None,
        option("--config", metavar="FILE", help="Take choices from this config.toml; flags win."),
    ] = None,
    as_json: Annotated[bool | None, JSON] = None,
    parts: Parts,
    terms: Terms,
    network: Architecture,
    descent: Descent,
    restraint: Restraint,
    machine: Machine,
    talk: Talk,
) -> None:
    """What ails a network, and what helps: options to try.

    Of a RUN: under- or overfitting, gradients by layer in the course of the training, and of the
    network on examples outputs, dead and saturated units. Of DATA: a training of 100 steps, or as
    long as --steps or --epochs say, that is looked at while it runs and not kept.

      gai nn diagnose run
      gai nn diagnose mlp train.csv --layers 8 --activation sigmoid -o why.svg
      gai nn diagnose run --data-curve
    """
    require_torch("gai nn diagnose")
    if not what:
        raise UsageError("no RUN and no DATA", "gai nn diagnose RUN, or gai nn diagnose MODEL DATA")
    if output is not None:
        if not output.endswith(".svg"):
            raise UsageError(f"pictures cannot be written to {output}", "-o FILE.svg")
        writing.check_place(output)
    groups = (parts, terms, network, descent, restraint, machine)
    if is_run(what):
        folder = opened(what[0])
        require_plain(folder, config, groups)
        found, score, said = examined(folder, data, rows, parts, talk)
    else:
        if data is not None or rows is not None:
            flag = f"--data {data}" if data is not None else f"--rows {rows}"
            raise UsageError(f"{flag} without a RUN", "DATA is what is trained on")
        model, paths = model_and_data(what, config)
        said = nn_train.chosen(model, paths, config, *groups)
        found, score = tried(said, talk)
    growth = grown(said, talk) if data_curve else None
    plots = list(drawn(found, growth, score))
    if output is not None:
        from gai.nn import svg

        writing.write([svg.sheet(plots)], output)
    if wants_json(as_json):
        print(json.dumps(as_object(what, found, growth), indent=1))
    else:
        show(found, growth, plots)


def is_run(what: Sequence[str]) -> bool:
    """Whether a run was named, and not data."""
    from gai.nn.runs import CONFIG

    return len(what) == 1 and os.path.isfile(os.path.join(what[0], CONFIG))


def require_plain(folder: "Run", config: str | None, groups: Sequence[Any]) -> None:
    """Raises UsageError for options of a training where a run is looked at."""
    from gai.cli.nn_options import Examples

    reads = set(vars(Examples()))
    said = {name for name in nn_train.flags(*groups) if name not in reads}
    if config is not None or said:
        name = "config" if config is not None else nn_train.FLAGS.get(min(said), min(said))
        flag = f"--{name.replace('_', '-')}"
        hint = "gai nn diagnose MODEL DATA tries other choices"
        raise UsageError(f"{flag}: {folder.path} has choices of its own", hint)


def model_and_data(what: Sequence[str], config: str | None) -> tuple[str | None, list[str]]:
    """The model, where one is named or none stands in a file, and the data."""
    first, *others = what
    if first in names.MODELS:
        if not others and config is None:
            raise UsageError("no DATA", "gai nn diagnose MODEL DATA")
        return first, others
    if not others and not os.path.exists(first) and not first.startswith("@") and first != "-":
        hint = "gai nn diagnose RUN, or gai nn diagnose MODEL DATA"
        raise UsageError(f"{first}: no such run, model or file", hint)
    return None if config is not None else MODEL, list(what)


def examined(
    folder: "Run", data: str | None, rows: int | None, parts: Parts, talk: Talk
) -> tuple["Diagnosis", str, dict[str, Any]]:
    """A run, its main score, and its choices."""
    from gai.nn.config import read
    from gai.nn.net import experiment
    from gai.nn.net.diagnosing import EXAMPLES, of_run
    from gai.nn.runs import CONFIG

    network, encoding = experiment.load(folder, "cpu", 1)
    raw = raw_of(folder, encoding, data, parts, talk)
    report = report_of(folder)
    found = of_run(folder.records(), network, encoding, raw, report, rows or EXAMPLES)
    return found, encoding.main_score, read(folder.file(CONFIG))


def raw_of(
    folder: "Run", encoding: Any, data: str | None, parts: Parts, talk: Talk
) -> "Raw | None":
    """The examples to look at a network on; None, with a word about it, where there are none."""
    if data is not None:
        return labelled((data,), reading(encoding.config, only_reading(parts)))
    try:
        return learned_from(folder, encoding, talk)
    except GaiError as error:
        if not talk.quiet:
            terminal.say(f"gai: {error.message}: only the records of the run are looked at")
        return None


def only_reading(parts: Parts) -> Any:
    """The options that say how examples are read."""
    from gai.cli.nn_options import Examples

    return Examples(**{name: getattr(parts, name) for name in vars(Examples())})


def tried(said: dict[str, Any], talk: Talk) -> tuple["Diagnosis", str]:
    """A training that is looked at, and its main score."""
    from gai.nn.data.preparing import prepare
    from gai.nn.net.diagnosing import STEPS, of_training
    from gai.nn.net.loop import out_of_memory

    whole = "steps" in said or "epochs" in said
    if not whole:
        said = {**said, "steps": STEPS, "eval_every": STEPS // 5}
    parts = prepare(said)
    with nn_several.counting("training", 1, talk) as shown, out_of_memory(parts.config):
        for note in parts.notes:
            shown.warn(note)
        return of_training(parts, shown, whole=whole), parts.encoding.main_score


def grown(said: dict[str, Any], talk: Talk) -> "Growth":
    """The trainings on parts of the data."""
    from gai.nn.data.preparing import gathered
    from gai.nn.net.growing import SHARES, grown
    from gai.nn.net.loop import out_of_memory

    found = gathered(said)
    with nn_several.counting("part", len(SHARES), talk) as shown, out_of_memory(found.config):
        return grown(said, found, shown)


def drawn(found: "Diagnosis", growth: "Growth | None", score: str) -> Iterator["Plot"]:
    """The pictures."""
    from gai.nn import pictures

    yield from pictures.diagnosis(found, score)
    if growth is not None:
        yield pictures.growth(growth)


def as_object(
    what: Sequence[str], found: "Diagnosis", growth: "Growth | None"
) -> Mapping[str, Any]:
    """Everything for a program."""
    from gai.nn.runs import strict

    said = {
        "what": list(what),
        "findings": [asdict(finding) for finding in found.findings],
        "fit": found.verdict and found.verdict._asdict(),
        "states": [state._asdict() for state in found.states],
        "looks": [named(asdict(look)) for look in found.looks],
        "flow": found.flow and named(asdict(found.flow)),
        "records": list(found.records),
        "growth": growth and named(asdict(growth)),
    }
    made: Mapping[str, Any] = strict(said)
    return made


def show(found: "Diagnosis", growth: "Growth | None", plots: Sequence["Plot"]) -> None:
    """What was found, and below it what it was found in."""
    from gai.cli import charts

    show_findings(found, growth)
    if found.looks:
        show_looks(found)
    elif found.states:
        show_states(found)
    if growth is not None:
        show_growth(growth)
    say("")
    charts.show(plots, HEIGHT)


def show_findings(found: "Diagnosis", growth: "Growth | None") -> None:
    """A paragraph for each finding: what, and what helps."""
    for finding in found.findings:
        paragraph(KINDS.get(finding.kind, finding.kind), finding.message, finding.hint)
    if not found.findings:
        paragraph("well", "nothing ails the network that can be seen from here", "")
    if found.verdict is not None and found.verdict.kind in ("fine", "unclear"):
        paragraph(found.verdict.kind, f"the losses: {found.verdict.why}", "")
    if growth is not None:
        answer = {True: "more data", False: "enough data", None: "unclear"}[growth.helps]
        paragraph(answer, growth.why, "")


def paragraph(kind: str, message: str, hint: str) -> None:
    """A finding, its kind in the margin."""
    width = min(terminal.console().width, 100) - 14
    lines = textwrap.wrap(terminal.escape(message), max(width, 30))
    lines += textwrap.wrap(f"try {hint}", max(width, 30), break_on_hyphens=False) if hint else []
    for place, line in enumerate(lines):
        say(f"{kind if place == 0 else '':<14}{line}")


def show_looks(found: "Diagnosis") -> None:
    """The layers at the first and at the last step that was looked at."""
    first, last = found.looks[0], found.looks[-1]
    say(f"\nLayers, first at step {first.step:,} and last at step {last.step:,}")
    early = {state.layer: state for state in first.states}
    columns: dict[str, list[str]] = {
        **{name: [] for name in ("layer", "", "sd first", "sd last", "flat", "dead")},
        **{name: [] for name in ("gradient first", "last", "step")},
    }
    for state in last.states:
        before, after = (look.gradients.get(state.layer) for look in (first, last))
        cells = (
            state.layer,
            state.kind,
            short(early.get(state.layer, state).deviation),
            short(state.deviation),
            share(state.saturated),
            share(state.dead),
            short(before),
            short(after),
            short(last.moves.get(state.layer)),
        )
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
    show_columns(columns)
    say("sd: of its outputs; flat: outputs where the slope is below 0.05; dead: units that are 0")
    say("for all examples; step: how far it moved the weights, as a share of them")


def short(value: float | None) -> str:
    """A number with two digits."""
    return "" if value is None else f"{value:.2g}"


def show_columns(columns: Mapping[str, list[str]]) -> None:
    """A table of those columns that have something in them."""
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    show_table(list(kept), zip(*kept.values(), strict=True), left=(0, 1))


def show_states(found: "Diagnosis") -> None:
    """The layers of a trained network on examples."""
    states, flow = found.states, found.flow
    norms = {} if flow is None else {strength.layer: strength.norm for strength in flow.layers}
    say("\nLayers on examples")
    show_columns(
        {
            "layer": [state.layer for state in states],
            "": [state.kind for state in states],
            "mean": [short(state.mean) for state in states],
            "sd": [short(state.deviation) for state in states],
            "flat": [share(state.saturated) for state in states],
            "dead": [share(state.dead) for state in states],
            "gradient": [short(norms.get(state.layer)) for state in states],
        }
    )
    for reach in () if flow is None else flow.reaches:
        show_reach(reach)


def show_growth(growth: "Growth") -> None:
    """A row for each part of the data."""
    say("\nOn growing parts of the training data, all as many steps, with one validation part")
    rows = [
        [
            f"{100 * point.share:.0f} %",
            f"{point.examples:,}",
            f"{point.train_loss:.4f}",
            f"{point.valid_loss:.4f}",
            f"{point.score:.4f}",
            "" if point.low is None else f"{point.low:.4f} to {point.high:.4f}",
            "" if point.baseline is None else f"{point.baseline:.4f}",
        ]
        for point in growth.points
    ]
    name = growth.score.replace("_", " ")
    heads = ("part", "examples", "train loss", "valid loss", name, "95 %", "baseline")
    show_table(heads, rows)
