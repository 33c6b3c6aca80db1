"""Help pages as plain text: rich's formatter would double the time until they show."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from gai.cli import terminal

NAMES = 26
"""Columns for the names of options; a longer name has a line of its own."""

Row = tuple[str, str]


def command(command: Any, ctx: Any) -> str:
    """The help page of one command: usage, what it does, its options by panel."""
    parts = [usage(ctx), prose(command.help or "")]
    parts += [section(title, rows) for title, rows in panels(command.get_params(ctx)).items()]
    return "\n\n".join(parts) + "\n"


def group(group: Any, ctx: Any) -> str:
    """The help page of the tool: usage, what it is, commands, options."""
    commands = [(name, group.commands[name].help or "") for name in group.list_commands(ctx)]
    parts = [usage(ctx), prose(group.help or ""), section("Commands", commands)]
    parts += [section(title, rows) for title, rows in panels(group.get_params(ctx)).items()]
    return "\n\n".join(parts) + "\n"


def usage(ctx: Any) -> str:
    """The line that shows what goes where."""
    pieces = " ".join(ctx.command.collect_usage_pieces(ctx))
    return f"{terminal.bold('Usage:')} {ctx.command_path} {pieces}"


def prose(text: str) -> str:
    """Paragraphs wrapped anew; indented ones, which are examples, as they are."""
    blocks = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(block if block.startswith(" ") else wrapped(block) for block in blocks)


def wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), width(), break_on_hyphens=False)


def panels(params: Iterable[Any]) -> dict[str, list[Row]]:
    """Names and help of the visible options, by panel, in the order of declaration."""
    rows: dict[str, list[Row]] = {}
    for param in params:
        if not param.hidden and (param.help or param.param_type_name == "option"):
            rows.setdefault(panel(param), []).append(row(param))
    return rows


def panel(param: Any) -> str:
    """The heading under which an option stands."""
    return getattr(param, "rich_help_panel", None) or "Options"


def row(param: Any) -> Row:
    """What the user types, and what it does."""
    names = ""
    if param.param_type_name == "option":
        names = ", ".join(sorted([*param.opts, *param.secondary_opts], key=len))
    default = f" [{param.show_default}]" if isinstance(param.show_default, str) else ""
    return f"{names} {param.metavar or ''}".strip(), f"{param.help or ''}{default}"


def section(title: str, rows: list[Row]) -> str:
    """A heading and its rows."""
    return "\n".join([terminal.bold(title), *(line for row in rows for line in entry(*row))])


def entry(name: str, text: str) -> Iterator[str]:
    """The lines of one row: the name, and the text wrapped beside it."""
    lines = textwrap.wrap(text, width() - NAMES - 4, break_on_hyphens=False)
    if len(name) > NAMES:
        yield f"  {name}"
        name = ""
    for line in lines or [""]:
        yield f"  {name:<{NAMES}}  {line}".rstrip()
        name = ""


def width() -> int:
    return max(50, min(shutil.get_terminal_size().columns, 100))
