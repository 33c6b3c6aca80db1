"""gai nn lr-find."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import nn_display, terminal
from gai.cli.nn_inspect import say
from gai.cli.nn_options import Architecture, Descent, Machine, Parts, Restraint, real
from gai.cli.nn_ready import require_torch
from gai.cli.nn_train import chosen, typed
from gai.cli.options import Talk, Terms, option
from gai.errors import UsageError
from gai.nn import names

if TYPE_CHECKING:
    from gai.nn.net.ranging import Curve, Suggestion
    from gai.nn.plots import Plot

FEWEST = 10
"""Steps that it takes to see where a loss goes."""

HEIGHT = 16


def nn_lr_find(
    *,
    architecture: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help=f"{', '.join(names.MODELS)}; see gai nn list."),
    ] = None,
    data: Annotated[
        list[str] | None, typer.Argument(metavar="DATA", help="As of gai nn train.")
    ] = None,
    low: Annotated[
        float | None, real("--from", help="The rate of the first step.", default="1e-7")
    ] = None,
    high: Annotated[
        float | None, real("--to", help="The rate of the last step.", default="10")
    ] = None,
    run: Annotated[
        str | None,
        option("--run", metavar="RUN", help="Go on from this run, which stays as it is."),
    ] = None,
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="FILE", help="Write here; .svg is a plot, .json numbers."),
    ] = None,
    config: Annotated[
        str | None,
        option("--config", metavar="FILE", help="Take choices from this config.toml; flags win."),
    ] = None,
    parts: Parts,
    terms: Terms,
    network: Architecture,
    descent: Descent,
    restraint: Restraint,
    machine: Machine,
    talk: Talk,
) -> None:
    """The learning rate to train with, by a short test.

    The rate rises with each step (--steps, 100 by default) until the loss is four times its least
    (Smith 2017). Suggested is the lower of the rate at which the loss falls most steeply and a
    tenth of that at which it is least. A terminal gets a plot, a pipe the option alone. Nothing is
    trained: no run is made, and none is changed.

      gai nn lr-find cnn train.csv --label-field category
      gai nn train mlp @digits -o run $(gai nn lr-find mlp @digits -q)
      gai nn lr-find --run run new.csv -o lr.svg
    """
    require_torch("gai nn lr-find")
    from gai.nn.net.ranging import FROM, STEPS, TO

    span, steps = (FROM if low is None else low, TO if high is None else high), descent.steps
    check(*span, steps, output)
    groups = (parts, terms, network, descent, restraint, machine)
    if run is not None:
        if config is not None:
            raise UsageError(f"--run {run} and --config {config}", "a run has its own choices")
        said = going_on(run, architecture, data, groups)
    else:
        said = chosen(architecture, data, config, *groups)
    probe = machine.seed is None and not machine.threads
    curve, found = tested(said, *span, steps or STEPS, probe=probe, quiet=talk.quiet)
    if output is not None:
        write(curve, found, output)
    show(curve, found, talk)


def check(low: float, high: float, steps: int | None, output: str | None) -> None:
    """Raises UsageError for a test that cannot be, and GaiError where nothing can be written."""
    from gai.cli.writing import check_place

    if not 0.0 < low < high:
        raise UsageError(f"--from {low:g} --to {high:g}: rates rise from above 0", "--from 1e-7")
    if steps is not None and steps < FEWEST:
        raise UsageError(f"--steps {steps}: a test takes at least {FEWEST}")
    if output is not None:
        if not output.endswith((".svg", ".json")):
            raise UsageError(f"a test cannot be written to {output}", "as .svg or .json")
        check_place(output)


def going_on(
    run: str, architecture: str | None, data: list[str] | None, groups: tuple[Any, ...]
) -> dict[str, Any]:
    """The choices of a training that goes on from a run; of the run where none are typed."""
    from gai.nn.config import read
    from gai.nn.data.inheriting import require_same
    from gai.nn.runs import CONFIG, Run

    if architecture is not None and architecture not in names.MODELS:
        data, architecture = [architecture, *(data or [])], None
    said = typed(architecture, data, *groups)
    folder = Run(run)
    require_same(said, folder.config())
    folder.require_going_on()
    return {**read(folder.file(CONFIG)), **said, "parent": run}


def tested(
    said: dict[str, Any], low: float, high: float, steps: int, *, probe: bool, quiet: bool
) -> tuple["Curve", "Suggestion"]:
    """What the test shows on the network that the choices describe, and what it suggests."""
    from gai.nn.data.preparing import prepare
    from gai.nn.net import experiment, ranging
    from gai.nn.net.keeping import Memory
    from gai.nn.net.loop import out_of_memory

    parts = prepare(said)
    default = parts.config.lr
    # Else a schedule could refuse choices that the test does not look at.
    parts.config = parts.config.with_(schedule="constant", warmup=0, min_lr=0.0)
    with out_of_memory(parts.config):
        training = experiment.fresh(parts, nn_display.Silent(), Memory(), probe=probe)
        if not quiet:
            for note in parts.notes:
                terminal.say(f"gai: {terminal.escape(note)}")
        curve = ranging.ranged(training, low, high, steps)
    return curve, ranging.suggestion(curve, default)


def plotted(curve: "Curve", found: "Suggestion") -> "Plot":
    """The losses over the rates, cut where they leave the range that they fall through."""
    from gai.nn.plots import Mark, Plot, Series

    known = curve.known()
    low = min([*known.losses, *known.smoothed], default=0.0)
    first = known.smoothed[0] if known.rates else 1.0
    room = max(first - low, 0.02 * abs(first), 1e-9) / 2
    inside = known.rates and known.rates[0] <= found.rate <= known.rates[-1]
    return Plot(
        "Learning rate range test",
        [
            Series("mean", curve.rates, curve.smoothed),
            Series("batch", curve.rates, curve.losses, "points"),
        ],
        x="learning rate",
        y="loss",
        x_log=True,
        y_span=(low - room / 4, first + room),
        marks=[Mark(found.rate, f"{found.rate:.2g}")] if inside else [],
    )


def write(curve: "Curve", found: "Suggestion", place: str) -> None:
    """Writes the plot, or the numbers behind it."""
    from gai.cli import writing

    if place.endswith(".svg"):
        from gai.nn import svg

        writing.write([svg.sheet([plotted(curve, found)], size=(640, 360))], place)
        return
    from gai.nn.runs import strict

    made = {"lr": nn_display.rounded(found._asdict()), **curve._asdict()}
    text = json.dumps(nn_display.rounded(strict(made)), indent=1)
    writing.write([f"{text}\n".encode()], place)


def show(curve: "Curve", found: "Suggestion", talk: Talk) -> None:
    """Prints what to type; for a person also the plot, and why."""
    from gai.nn.net.ranging import typed as option_of

    if talk.quiet or not terminal.is_terminal(sys.stdout):
        print(option_of(found.rate))
        return
    from gai.cli import charts

    if len(curve.known().rates) > 1:
        charts.show([plotted(curve, found)], HEIGHT)
    for name, value in (("steepest fall", found.steepest), ("a tenth of the least", found.tenth)):
        if value is not None:
            say(f"{name:<22}{value:.2g}")
    if curve.diverged:
        say(f"{'diverged':<22}{curve.rates[-1]:.2g}")
    say(f"\n{option_of(found.rate)}  {found.why}")
