"""gai nn finetune."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated

import typer

from gai.cli import nn_train
from gai.cli.nn_options import Descent, Machine, Parts, Restraint, Tuning
from gai.cli.nn_predict import opened
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, Terms, option
from gai.errors import UsageError


def nn_finetune(
    *,
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="The trained model to begin with.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATA", help="What is learned now, as gai nn train takes it."),
    ] = None,
    output: Annotated[
        str | None, option("-o", "--output", metavar="OTHER", help="The folder that is made.")
    ] = None,
    force: Annotated[bool, option("--force", help="Replace the run in OTHER.")] = False,
    parts: Parts,
    tuning: Tuning,
    descent: Descent,
    restraint: Restraint,
    machine: Machine,
    talk: Talk,
) -> None:
    """Train on from a trained model: another task, another domain.

    The network, its terms and its scales are those of RUN; the vocabulary grows by terms that RUN
    did not know, and the head begins anew where the answers are others. A language model of the
    texts of a domain is a good beginning for a classifier with few labels:

      gai nn train lstm domain.txt --unit words -o lm
      gai nn finetune lm few.csv --unfreeze-every 1 --layer-decay 0.7 -o classifier

    --freeze counts stages from the inputs on: embeddings are one, then each layer.
    """
    require_torch("gai nn finetune")
    before = opened(run)
    if output is None:
        raise UsageError("training needs a folder to write: -o OTHER")
    from gai.nn.data.inheriting import inherited, require_same
    from gai.nn.runs import Run

    made = Run(output)
    made.require_free(force=force)
    config = before.config()
    said = nn_train.flags(parts, Terms(), tuning, descent, restraint, machine)
    require_same(said, config)
    said = {**inherited(config), **said, "parent": before.path, "data": tuple(data or ())}
    nn_train.train(made, said, machine, talk, resume=False, force=force)
