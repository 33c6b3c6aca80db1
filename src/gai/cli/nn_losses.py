"""gai nn losses."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated

import typer

from gai.cli.nn_curves import FORMAT, OUTPUT, chosen, format_of, give
from gai.cli.nn_options import real
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk
from gai.errors import UsageError
from gai.nn import names

OPTIONS = {"huber_delta": "huber", "focal_gamma": "focal"}
"""The loss that looks at an option."""


def nn_losses(
    *,
    name: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help=f"Only these of {', '.join(names.SUPERVISED)}."),
    ] = None,
    huber_delta: Annotated[
        float | None, real("--huber-delta", help="Where huber becomes linear.", default="1")
    ] = None,
    focal_gamma: Annotated[
        float | None, real("--focal-gamma", help="How much focal spares the easy.", default="2")
    ] = None,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[str | None, FORMAT] = None,
    talk: Talk,
) -> None:
    """Losses as curves, with their derivatives.

    mse, mae and huber by the error; bce by the score of a label that is there; the others of two
    classes, by how far the right one is ahead. kl is that of classes of which one is right in 0.8
    of cases, for otherwise it is cross-entropy.

      gai nn losses
      gai nn losses focal cross-entropy --focal-gamma 5
      gai nn losses -o losses.svg
    """
    require_torch("gai nn losses")
    wanted = chosen(name, names.SUPERVISED, "loss")
    said = {"huber_delta": huber_delta, "focal_gamma": focal_gamma}
    given = {option: value for option, value in said.items() if value is not None}
    for option, value in given.items():
        if OPTIONS[option] not in wanted:
            flag = f"--{option.replace('_', '-')} {value:g}"
            raise UsageError(f"{flag} without {OPTIONS[option]}", "leave it out")
    if huber_delta == 0.0:
        raise UsageError("--huber-delta must be above 0")
    place = output or "-"
    written_as = format_of(place, format)
    from gai.nn.net.curves import of_loss

    give([of_loss(one, **given) for one in wanted], names.LOSSES, place, written_as)
