"""gai nn finetune."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated, Any

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
    source: Annotated[
        str | None,
        option(
            "--from",
            metavar="DIR",
            help="In place of RUN a folder with a transformer or ResNet of Hugging Face: "
            "config.json, model.safetensors, tokenizer.json.",
        ),
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

      gai nn finetune --from bert-folder few.csv --epochs 3 --lr 2e-5 -o classifier

    --freeze counts stages from the inputs on: embeddings are one, then each layer.
    """
    require_torch("gai nn finetune")
    if output is None:
        raise UsageError("training needs a folder to write: -o OTHER")
    from gai.nn.runs import Run

    made = Run(output)
    made.require_free(force=force)
    said = nn_train.flags(parts, Terms(), tuning, descent, restraint, machine)
    if source is not None:
        # What stands first is data then.
        said |= {"data": tuple(([run] if run else []) + (data or []))} | founded(source, said)
    else:
        said |= {"data": tuple(data or ())} | going_on(opened(run), said)
    nn_train.train(made, said, machine, talk, resume=False, force=force)


def going_on(before: Any, said: dict[str, Any]) -> dict[str, Any]:
    """What is taken over from a run; raises UsageError for options that its weights do not fit."""
    from gai.nn.data.inheriting import inherited, require_same

    config = before.config()
    before.require_trainable()
    require_same(said, config)
    return {"parent": before.path} | {k: v for k, v in inherited(config).items() if k not in said}


def founded(source: str, said: dict[str, Any]) -> dict[str, Any]:
    """The choices for a model from a folder; raises GaiError where that lacks something."""
    from gai.nn.data.foundation import Foundation
    from gai.nn.net.models.pretrained import library

    library()  # whoever lacks it reads so before anything else
    folder = Foundation(source)
    folder.require()
    found: dict[str, Any] = {"model": "pretrained", "pretrained": source, "pool": "avg"}
    if folder.images:
        return found | {"input": "images"}
    longest = min(said.get("max_length", folder.longest), folder.longest)
    return found | {"input": "ids", "max_length": longest}
