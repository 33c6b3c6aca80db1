"""Comma-separated values: a header, then a line ``document,term,value`` for each cell.

Quoted as Python's csv module does with QUOTE_MINIMAL, and where a CR stands in the text; lines end
at LF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gai.matrix import Result
from gai.output.cells import long, texts

_NEEDS_QUOTES = re.compile('[,"\r\n]')


def pieces(result: Result, jobs: int = 1) -> Iterator[bytes]:
    """The file in pieces, while the rows are computed."""
    yield b"document,term,value\n"
    columns = texts(f",{quoted(term)}," for term in result.terms)
    yield from long(result, lambda _, name: quoted(name), columns, jobs)


def quoted(text: str) -> str:
    """The text as one field."""
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
