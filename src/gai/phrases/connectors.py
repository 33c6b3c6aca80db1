"""Connector words: those that may stand inside a phrase."""

from __future__ import annotations

import os
from collections.abc import Callable

from gai.forms.stop_words import words_of_file

ARTICLES = ("a", "an", "the")
PREPOSITIONS = ("at", "by", "for", "from", "in", "of", "on", "to", "with", "without")
ENGLISH = (*ARTICLES, *PREPOSITIONS, "and", "or")
"""Those that gensim names too."""


def connectors(named: str, normalise: Callable[[str], str]) -> tuple[tuple[str, ...], str]:
    """The connector words, normalised as the text is, sorted, each once; and the list's name.

    ``english``, ``none``, or a file with one word a line, where blank lines and lines that begin
    with ``#`` do not count. Raises GaiError where there is no such file.
    """
    if named == "none":
        return (), ""
    words = ENGLISH if named == "english" else words_of_file(named)
    return tuple(sorted({normalise(word) for word in words} - {""})), os.path.basename(named)
