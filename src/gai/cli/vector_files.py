"""Files of vectors as commands read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gai.cli import terminal
from gai.cli.options import Talk

if TYPE_CHECKING:
    from gai.output.vectors import Vectors


def loaded(path: str, talk: Talk) -> Vectors:
    """The vectors in a file; says what a person should know about how they were read."""
    from gai.output.vectors import load

    vectors = load(path)
    if not talk.quiet:
        for note in vectors.notes:
            terminal.say(f"gai: {terminal.escape(note)}")
    return vectors
