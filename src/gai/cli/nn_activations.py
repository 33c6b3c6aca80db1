"""gai nn activations."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated

import typer

from gai.cli.nn_curves import FORMAT, OUTPUT, chosen, format_of, give
from gai.cli.nn_options import real
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk
from gai.errors import UsageError
from gai.nn import names


def nn_activations(
    *,
    name: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help=f"Only these of {', '.join(names.ACTIVATIONS)}."),
    ] = None,
    negative_slope: Annotated[
        float | None, real("--negative-slope", help="Of leaky-relu.", default="0.01")
    ] = None,
    output: Annotated[str | None, OUTPUT] = None,
    format: Annotated[str | None, FORMAT] = None,
    talk: Talk,
) -> None:
    """Activations as curves, with their derivatives.

    Those are the gradients that training goes by. softmax is the share of one of two units.

      gai nn activations relu gelu swish
      gai nn activations -o activations.svg
      gai nn activations elu | cut -f 2-4 > elu.tsv
    """
    require_torch("gai nn activations")
    wanted = chosen(name, tuple(names.ACTIVATIONS), "activation")
    if negative_slope is not None and "leaky-relu" not in wanted:
        raise UsageError(f"--negative-slope {negative_slope:g} without leaky-relu", "leave it out")
    place = output or "-"
    written_as = format_of(place, format)
    from gai.nn.net.curves import of_activation

    slope = 0.01 if negative_slope is None else negative_slope
    give([of_activation(one, slope) for one in wanted], names.ACTIVATIONS, place, written_as)
