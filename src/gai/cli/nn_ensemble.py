"""gai nn ensemble."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import choices, nn_several, nn_train, terminal, values
from gai.cli.nn_display import rounded
from gai.cli.nn_inspect import JSON, say, show_table, wants_json
from gai.cli.nn_options import Architecture, Descent, Examples, Machine, Parts, Restraint, whole
from gai.cli.nn_predict import reading
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, Terms, option
from gai.errors import UsageError
from gai.nn import names

if TYPE_CHECKING:
    from gai.nn.net.assembling import Loaded
    from gai.nn.shelves import Shelf

WAYS = ("average", "vote", "bag", "boost", "stack")
TRAINING, WEIGHING = ("bag", "boost"), ("average", "vote")
MEMBERS = {"bag": 5, "boost": 10}


def weights(text: str) -> tuple[float, ...] | str:
    """``valid``, or numbers with commas between."""
    if text == "valid":
        return text
    return tuple(values.number(0.0)(part.strip()) for part in text.split(","))


def nn_ensemble(
    *,
    way: Annotated[
        str | None,
        typer.Argument(metavar="|".join(WAYS), help="How several networks become one."),
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN...|MODEL DATA",
            help="Trained runs for average, vote and stack; what to train for bag and boost.",
        ),
    ] = None,
    output: Annotated[
        str | None, option("-o", "--output", metavar="OUT", help="The folder that is made.")
    ] = None,
    force: Annotated[bool, option("--force", help="Replace the ensemble in OUT.")] = False,
    members: Annotated[
        int | None,
        whole("-n", "--members", help="Networks of bag and boost.", default="bag 5, boost 10"),
    ] = None,
    weigh: Annotated[
        tuple[float, ...] | str | None,
        option(
            "--weights",
            metavar="valid|W,W",
            parse=weights,
            help="Of average and vote: by validation score, or these.",
            default="equal",
        ),
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
    """Several networks that answer as one.

    average: the mean of the runs' probabilities or numbers. vote: the label that most give, the
    number in the middle. stack: a linear model of their answers, fitted to the validation part that
    the runs share, or to DATA but for what they were trained on. bag: members trained on resamples
    (--no-bootstrap: with other seeds alone). boost: small networks, each trained on what those
    before it did badly on. OUT has copies of its members; gai nn predict, evaluate, encode and
    compare take it like a run.

      gai nn ensemble average run1 run2 run3 -o ensemble
      gai nn ensemble stack mlp cnn gru -o stack
      gai nn ensemble boost mlp train.csv --width 4 --epochs 3 -n 20 -o boosted
    """
    require_torch("gai nn ensemble")
    if way not in WAYS:
        what = "no way to one of several networks" if way is None else f"no ensemble is made {way}"
        raise UsageError(what, f"gai nn ensemble {'|'.join(WAYS)} ... -o OUT")
    if output is None:
        raise UsageError("an ensemble needs a folder to write: -o OUT")
    require_fitting(way, members, weigh, config)
    from gai.nn.shelves import ENSEMBLE, Shelf

    shelf, groups = Shelf(output, ENSEMBLE), (parts, terms, network, descent, restraint, machine)
    shelf.require_free(force=force)  # before the work
    if way in TRAINING:
        said = chosen(words or [], config, groups)
        report = trained(way, said, members or MEMBERS[way], shelf, talk)
    else:
        asked = way == "stack" and told_apart(words or [])[1]
        require_no_training(way, nn_train.flags(*groups), reads=bool(asked))
        report = joined(way, words or [], weigh, parts, machine, shelf, force, talk)
    if not talk.quiet:
        show(report, as_json)


def require_fitting(
    way: str, members: int | None, weigh: Sequence[float] | str | None, config: str | None
) -> None:
    """Raises UsageError for options of another way."""
    training, weighing = way in TRAINING, way in WEIGHING
    options = (
        ("--weights", weigh, weighing),
        ("--members", members, training),
        ("--config", config, training),
    )
    for flag, value, fitting in options:
        if value is not None and not fitting:
            raise UsageError(f"{flag} changes nothing in {way}", "leave it out")


def chosen(words: Sequence[str], config: str | None, groups: Sequence[Any]) -> dict[str, Any]:
    """What is trained: the first word is the model, unless a file names it."""
    named = bool(words) and (words[0] in names.MODELS or config is None)
    model, data = (words[0], words[1:]) if named else (None, words)
    return nn_train.chosen(model, list(data), config, *groups)


def require_no_training(way: str, said: Mapping[str, Any], *, reads: bool) -> None:
    """Raises UsageError for options of training, which is over, and for those about examples where
    none are read."""
    read = {field.name for field in fields(Examples)} if reads else set()
    for name, value in said.items():
        if name not in read | {"threads", "device"}:
            hint = f"{way} takes trained runs; bag and boost train"
            option = choices.typed(nn_train.FLAGS.get(name, name), value)
            raise UsageError(f"{option} changes nothing in {way}", hint)


def trained(
    way: str, said: dict[str, Any], count: int, shelf: "Shelf", talk: Talk
) -> dict[str, Any]:
    """The report of an ensemble whose members are trained first."""
    from gai.nn.data import preparing
    from gai.nn.net import assembling
    from gai.nn.net.loop import out_of_memory

    found = preparing.whole(said)
    make = assembling.bagged if way == "bag" else assembling.boosted
    with nn_several.counting("member", count, talk) as shown, out_of_memory(found.config):
        return assembling.written(make(said, found, count, shelf, shown), shelf)


def joined(
    way: str,
    words: Sequence[str],
    weigh: Sequence[float] | str | None,
    parts: Parts,
    machine: Machine,
    shelf: "Shelf",
    force: bool,
    talk: Talk,
) -> dict[str, Any]:
    """The report of an ensemble of runs that are there."""
    from gai.nn.net import assembling

    paths, data = told_apart(words)
    if data and way != "stack":
        hint = "a folder that gai nn train or gai nn ensemble wrote"
        raise UsageError(f"{data[0]} is no run", hint)
    if len(paths) < 2:
        what = "no runs" if not paths else f"only one run, {paths[0]}"
        raise UsageError(
            f"{what}: of what is the ensemble?", f"gai nn ensemble {way} RUN RUN -o OUT"
        )
    require_outside(paths, shelf.path)
    members = assembling.loaded(paths, machine.device or "auto", machine.threads)
    if way == "stack":
        recipe = assembling.of_stack(members, data_of(members, data, parts))
    else:
        recipe = assembling.of_runs(way, members, weights_of(paths, weigh))
    for note in recipe.notes:
        if not talk.quiet:
            terminal.say(f"gai: {terminal.escape(note)}")
    shelf.begin(force=force)
    assembling.copied(recipe, shelf)
    return assembling.written(recipe, shelf)


def told_apart(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that are folders of runs, or of ensembles, and those that are data."""
    paths = [word for word in words if holds_run(word)]
    return paths, [word for word in words if not holds_run(word)]


def holds_run(path: str) -> bool:
    """Whether a folder is there that can be asked like a run."""
    from gai.nn.runs import CONFIG
    from gai.nn.shelves import ENSEMBLE

    return any(os.path.isfile(os.path.join(path, name)) for name in (CONFIG, ENSEMBLE))


def require_outside(paths: Sequence[str], out: str) -> None:
    """Raises UsageError for runs in the folder that is to be replaced."""
    place = os.path.realpath(out)
    for path in paths:
        if os.path.commonpath([place, os.path.realpath(path)]) == place:
            raise UsageError(f"{path} lies in {out}, which is made anew", "name another folder")


def data_of(members: "Loaded", data: Sequence[str], parts: Parts) -> Any:
    """The labelled examples that a stack is fitted to; None where none were named."""
    if not data:
        return None
    from gai.nn.data.preparing import numbered
    from gai.nn.data.raw import read

    examples = Examples(**{field.name: getattr(parts, field.name) for field in fields(Examples)})
    config = reading(members.members[0][1].config, examples)
    return numbered(read(tuple(data), config), config)


def weights_of(paths: Sequence[str], weigh: Sequence[float] | str | None) -> list[float] | None:
    """The weights of runs; None where they are equal."""
    if weigh is None:
        return None
    if weigh == "valid":
        from gai.nn.net import assembling

        return assembling.scored_weights(paths)
    if len(weigh) != len(paths) or not sum(map(float, weigh)):
        hint = f"a number for each of {len(paths)} runs, not all of them 0"
        raise UsageError(f"--weights {','.join(f'{float(w):g}' for w in weigh)}", hint)
    return [float(weight) for weight in weigh]


def show(report: dict[str, Any], as_json: bool | None) -> None:
    """The members and the ensemble on each part; a pipe gets one JSON object."""
    from gai.nn import tables

    if wants_json(as_json):
        print(json.dumps(rounded(report), indent=1))
        return
    for number, part in enumerate(report["scores"]):
        if number:
            say("")
        show_table(*tables.by_member(report, part), left=(0,))
