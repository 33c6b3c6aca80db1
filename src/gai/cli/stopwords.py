"""gai stopwords."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated

import typer

from gai.cli import terminal, writing
from gai.cli.options import Talk


def stopwords(
    *,
    name: Annotated[
        str | None,
        typer.Argument(metavar="LANG", help="english, a language code (de), or a file of words."),
    ] = None,
    talk: Talk,
) -> None:
    """A list of stop words, and where it comes from.

    A word a line, as the list has them; the source is named on standard error. Without LANG, the
    lists that there are.

      gai stopwords de
      gai stopwords english > mine.txt
      gai freq --stop-words ./mine.txt book.txt
    """
    from gai.forms import stop_words

    if name is None:
        writing.write((f"{line}\n".encode() for line in stop_words.lists()), "-")
        return
    words, _ = stop_words.found(name)
    listed = sorted(set(words))
    writing.write((f"{word}\n".encode() for word in listed), "-")
    if not talk.quiet:
        terminal.say(f"gai: {len(listed)} words, {stop_words.source(name)}")
