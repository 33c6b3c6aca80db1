"""gai nn cv."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gai.cli import nn_several, nn_train, values
from gai.cli.nn_display import rounded
from gai.cli.nn_inspect import JSON, say, show_table, wants_json
from gai.cli.nn_options import Architecture, Descent, Machine, Parts, Restraint
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, Terms, option
from gai.errors import UsageError
from gai.nn import names


def nn_cv(
    *,
    architecture: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help=f"{', '.join(names.MODELS)}; see gai nn list."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATA", help="Labelled examples, as gai nn train takes them."),
    ] = None,
    k: Annotated[
        int | None,
        option("-k", "--folds", metavar="N", parse=values.whole(2), help="Folds.", default="5"),
    ] = None,
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="FOLDER", help="Keep the run of each fold in here."),
    ] = None,
    force: Annotated[bool, option("--force", help="Replace the runs in FOLDER.")] = False,
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
    """Cross-validate a model: scores on k folds, their mean and spread.

    Each fold is held out once, and tests a network that was trained on the others; --valid of
    these, 0.1, decides which of its steps is the best. Classes are spread evenly over the folds,
    --group-field keeps groups together, a forecast is always of what comes after. Vocabulary,
    scales and labels are learned anew for each fold. Beside the network stands the baseline.

      gai nn cv mlp reviews.jsonl -k 5 --group-field author
      gai nn cv cnn @digits -k 10 -o folds --epochs 20
    """
    require_torch("gai nn cv")
    groups = (parts, terms, network, descent, restraint, machine)
    said = nn_train.chosen(architecture, data, config, *groups)
    require_no_parts(said)
    from gai.nn import tables
    from gai.nn.data.preparing import whole
    from gai.nn.net import crossing
    from gai.nn.net.loop import out_of_memory
    from gai.nn.runs import CARD, Run
    from gai.nn.shelves import CROSSED, Shelf

    shelf, count = None if output is None else Shelf(output, CROSSED), k or 5
    if shelf is not None:
        shelf.require_free(force=force)  # before the data is read

    def place(number: int) -> Run:
        assert shelf is not None
        if number == 1:
            shelf.begin(force=force)
        return shelf.run(f"fold-{number}")

    found, kept = whole(said), place if shelf is not None else None
    probe = machine.seed is None and not found.config.threads
    with nn_several.counting("fold", count, talk) as shown, out_of_memory(found.config):
        made = crossing.crossed(said, found, count, shown, kept, probe=probe)
    if shelf is not None:
        shelf.write(CARD, tables.crossed_card(made))
        shelf.write_head(made)
    if shelf is None or not talk.quiet:  # else nobody would ever see them
        show(made, as_json)


def require_no_parts(said: Mapping[str, Any]) -> None:
    """Raises UsageError for a test part, which the folds are."""
    for name in ("test", "fold"):
        if said.get(name) is not None:
            hint = "each fold is the test part of one network"
            raise UsageError(f"--{name} {said[name]}: gai nn cv makes its own folds", hint)


def show(made: dict[str, Any], as_json: bool | None) -> None:
    """The folds and their means; a pipe gets one JSON object."""
    from gai.nn import tables
    from gai.nn.runs import strict

    if wants_json(as_json):
        print(json.dumps(strict(rounded(made)), indent=1))
        return
    show_table(*tables.by_fold(made), left=(0,))
    say(f"\n{tables.folds_in_words(made)}\n")
    show_table(*tables.means(made), left=(0,))
