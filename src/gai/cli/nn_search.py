"""gai nn search."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai import backends
from gai.cli import choices, nn_display, nn_trials, terminal
from gai.cli.nn_options import Architecture, Descent, Machine, Parts, Restraint, one_of, real, whole
from gai.cli.nn_ready import require_torch
from gai.cli.nn_train import FLAGS, chosen, typed
from gai.cli.options import Talk, Terms, option
from gai.errors import MissingExtraError, UsageError
from gai.nn import names

if TYPE_CHECKING:
    from gai.nn.data.preparing import Parts as Prepared
    from gai.nn.net.searching import Propose, Watcher
    from gai.nn.spaces import Space
    from gai.nn.studies import Study

TRIALS = 20
"""Trials where nobody says how many, but for a grid, which is gone through."""

WAYS = ("grid", "random", "tpe", "auto")


def nn_search(
    *,
    architecture: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help=f"{', '.join(names.MODELS)}; see gai nn list."),
    ] = None,
    data: Annotated[
        list[str] | None, typer.Argument(metavar="DATA", help="As of gai nn train.")
    ] = None,
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="STUDY", help="The folder that is made, or goes on."),
    ] = None,
    space: Annotated[
        str | None,
        option(
            "--space",
            metavar="FILE",
            help="TOML: for each choice a list, or a table of low, high, log, step.",
            default="size, activation, optimizer, lr, dropout, batch size, weight decay",
        ),
    ] = None,
    over: Annotated[
        list[str] | None,
        option(
            "--over",
            metavar="NAME=A,B|LOW..HIGH",
            help="A choice to search, in place of a FILE or beside it; as often as there are.",
        ),
    ] = None,
    tpe: Annotated[
        bool, option("--tpe", help="Choose by what did well (Bergstra 2011); the default.")
    ] = False,
    random: Annotated[bool, option("--random", help="Choose at random.")] = False,
    grid: Annotated[bool, option("--grid", help="Try all combinations.")] = False,
    auto: Annotated[
        bool, option("--auto", help="Begin small; grow or restrain it, and say why.")
    ] = False,
    trials: Annotated[
        int | None,
        whole("--trials", help="How many in all.", default="20; of a grid all"),
    ] = None,
    time: Annotated[
        float | None, real("--time", help="Begin no trial after so many seconds.")
    ] = None,
    pruner: Annotated[
        str | None,
        one_of("--pruner", names.PRUNERS, "Which trials end early.", "median"),
    ] = None,
    force: Annotated[bool, option("--force", help="Replace the study in STUDY.")] = False,
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
    """Search for the best choices: layers, width, rates and the like.

    STUDY is a folder with all trials (study.db, trials.tsv, trials.svg), and in best/ the run of
    the best by the validation part; only that sees the test part, at the end. What is typed stays
    as it is in all trials. The same command goes on where it was cut off, or with more --trials.

      gai nn search mlp @digits --trials 30 -o study
      gai nn search cnn train.csv --over lr=1e-4..0.1 --over filters=50,100,200 -o study
      gai nn search gru train.csv --auto -o study
    """
    require_torch("gai nn search")
    if not backends.available("search"):
        raise MissingExtraError("gai nn search", "search")
    if output is None:
        raise UsageError("a search needs a folder to write: -o STUDY")
    from gai.nn import studies

    ways = {"grid": grid, "random": random, "tpe": tpe, "auto": auto}
    how = way(ways, space, over, pruner)
    studies.require_free(output, force=force)
    groups = (parts, terms, network, descent, restraint, machine)
    said, fixed = chosen(architecture, data, config, *groups), typed(architecture, data, *groups)
    found = None if how == "auto" else space_of(said["model"], fixed, space, over, how)
    wanted = Wanted(how, found, frozenset(fixed), trials, time, pruner, force)
    search(output, said, wanted, machine, talk)


def way(
    ways: dict[str, bool], space: str | None, over: list[str] | None, pruner: str | None
) -> str:
    """How choices are made; raises UsageError for two ways, and a space or a pruner that nobody
    looks at."""
    asked = [name for name, wanted in ways.items() if wanted]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} contradicts --{asked[1]}", "one way to choose")
    if asked == ["auto"] and (space or over):
        option = f"--space {space}" if space else f"--over {(over or [''])[0]}"
        raise UsageError(f"--auto contradicts {option}", "it makes its own changes")
    if asked == ["auto"] and pruner not in (None, "none"):
        raise UsageError(f"--auto contradicts --pruner {pruner}", "it looks at whole trainings")
    return asked[0] if asked else "tpe"


def space_of(
    model: str, fixed: dict[str, Any], file: str | None, over: list[str] | None, how: str
) -> "Space":
    """The space that is searched; raises UsageError for a choice that is typed too."""
    from gai.nn import spaces

    if file or over:
        space = {**(spaces.read(file) if file else {}), **dict(map(spaces.typed, over or ()))}
        for name in sorted(space.keys() & fixed.keys()):
            option = choices.typed(FLAGS.get(name, name), fixed[name])
            raise UsageError(f"{option} contradicts the space, which has {name}", "one of both")
    else:
        whole = spaces.coarse(model) if how == "grid" else spaces.default(model)
        space = {name: found for name, found in whole.items() if name not in fixed}
        if not space:
            raise UsageError("an empty search space: all of it is typed", "--over NAME=A,B")
    return spaces.finite(space) if how == "grid" else space


@dataclass
class Wanted:
    """What a search is asked for: how choices are made, of which space, which are typed, when it
    ends. ``ended`` says afterwards why --auto did."""

    how: str
    space: "Space | None"
    fixed: frozenset[str]
    trials: int | None
    time: float | None
    pruner: str | None
    force: bool
    ended: list[str] = field(default_factory=list)

    @property
    def most(self) -> float:
        """How many trials there are to be in all."""
        return self.trials or (math.inf if self.how == "grid" else TRIALS)

    @property
    def pruned(self) -> str:
        """Which trials end early; advice looks at whole trainings."""
        return "none" if self.how == "auto" else self.pruner or "median"


def search(place: str, said: dict[str, Any], wanted: Wanted, machine: Machine, talk: Talk) -> None:
    """Reads, searches, judges the best and reports."""
    from gai.nn import studies
    from gai.nn.data.preparing import prepare
    from gai.nn.net import searching

    parts = prepare(said)
    about = searching.about(parts, wanted.space)
    probe = machine.seed is None and not machine.threads
    auto = wanted.how == "auto"
    with studies.opened(place, about, wanted.pruned, force=wanted.force) as study:
        with nn_trials.watcher(parts, about.score, talk, auto=auto) as shown:
            for note in parts.notes:
                shown.warn(note)
            parts = searching.with_threads(parts, nn_display.Silent(), probe=probe)
            report = searched(parts, study, wanted, shown)
        for why in [] if talk.quiet else wanted.ended:
            terminal.say(f"gai: it ends: {why}")
        nn_trials.show_best(study, talk)
    nn_display.show(report, talk)


def searched(parts: "Prepared", study: "Study", wanted: Wanted, shown: "Watcher") -> dict[str, Any]:
    """The report of the best run, after as many trials as were asked for."""
    from gai.nn.net import searching

    if len(study.counted()) >= wanted.most:
        more = f"--trials {2 * len(study.counted())}"
        shown.warn(f"{study.path} has its {len(study.counted())} trials; {more} makes more")
    try:
        propose = proposing(parts, wanted)
        seconds = math.inf if wanted.time is None else wanted.time
        searching.search(parts, study, propose, shown, trials=wanted.most, seconds=seconds)
        return searching.finished(parts, study, shown)
    except KeyboardInterrupt:
        terminal.say(f"gai: {terminal.escape(study.path)} keeps its trials; the same goes on")
        raise


def proposing(parts: "Prepared", wanted: Wanted) -> "Propose":
    """What makes the choices of each trial."""
    from gai.nn import advice
    from gai.nn.net import searching

    seed = parts.config.seed
    if wanted.space is None:
        setting = advice.Setting(parts.config, parts.encoding.kind, wanted.fixed)
        return searching.advised(setting, wanted.ended.append)
    if wanted.how == "grid":
        return searching.in_grid(wanted.space, seed)  # type: ignore[arg-type]
    return searching.sampled(wanted.space, wanted.how, seed)
