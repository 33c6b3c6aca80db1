"""gai nn list."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import sys
from typing import Annotated

import typer

from gai.cli import display, terminal, values
from gai.cli.options import Talk
from gai.nn import names


def nn_list(
    *,
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help=f"Only these: {', '.join(names.LISTS)}.",
            parser=values.choice(*names.LISTS),
        ),
    ] = None,
    talk: Talk,
) -> None:
    """Models, activations, losses, optimisers and whatever else has a name.

    A pipe gets lines kind<TAB>name<TAB>what it is. It needs no torch.

      gai nn list losses
    """
    shown = {name: known for name, known in names.LISTS.items() if kind in (None, name)}
    if not terminal.is_terminal(sys.stdout):
        for name, known in shown.items():
            for one, line in known.items():
                print(f"{name}\t{one}\t{line}")
        return
    console = terminal.console()
    for name, known in shown.items():
        table = display.plain_table()
        table.add_column(name, no_wrap=True, min_width=14, style="bold")
        table.add_column("")
        for one, line in known.items():
            table.add_row(one, line)
        console.print(table)
        console.print()
