"""docs/reference.md: the help pages of all commands as one page.

python -m gai.cli.reference > docs/reference.md
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from gai.cli import app, commands

HEAD = """\
# Reference

The help pages of all commands. Made by `python -m gai.cli.reference`; do not edit."""


def reference() -> str:
    """The whole page, in Markdown; its lines are as wide as ``COLUMNS`` in the environment says."""
    sections = [f"## {name}\n\n```text\n{text.rstrip()}\n```" for name, text in pages()]
    return "\n\n".join([HEAD, *sections]) + "\n"


def pages() -> Iterator[tuple[str, str]]:
    """How the tool and each of its commands are called, and their help pages."""
    yield "gai", page(app.build(), "gai")
    for name in app.COMMANDS:
        yield f"gai {name}", page(commands.load(name), f"gai {name}")


def page(command: Any, name: str) -> str:
    """The help page of one command."""
    with command.make_context(name, [], resilient_parsing=True) as ctx:
        text: str = ctx.get_help()
    return text


if __name__ == "__main__":
    os.environ.update(COLUMNS="100", NO_COLOR="1")
    print(reference(), end="")
