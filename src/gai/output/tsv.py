r"""Tab-separated values: a line ``document<TAB>term<TAB>value`` for each cell, without a header.

In documents and terms a backslash, TAB, LF and CR are written as ``\\``, ``\t``, ``\n`` and ``\r``,
so that every line has three fields, whatever the text was. Counts are integers, weights the
shortest digits that read back as the same float64. Bytes of file names that are no UTF-8 pass as
they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from gai.matrix import Result
from gai.output.cells import long, texts

ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TABLE = str.maketrans(ESCAPES)
_PLAIN = {escaped: letter for letter, escaped in ESCAPES.items()}


def pieces(result: Result, jobs: int = 1) -> Iterator[bytes]:
    """The file in pieces, while the rows are computed."""
    columns = texts(f"\t{escape(term)}\t" for term in result.terms)
    return long(result, lambda _, name: escape(name), columns, jobs)


def escape(text: str) -> str:
    """The text on one line, in one field."""
    # Nearly all terms are letters alone, and translate takes ten times as long.
    return text if text.isalnum() else text.translate(_TABLE)


def unescape(text: str) -> str:
    """The text that :func:`escape` escaped."""
    return re.sub(r"\\[\\tnr]", lambda found: _PLAIN[found[0]], text)


def listed(names: Iterable[str]) -> Iterator[bytes]:
    """Pieces with one escaped text a line: what stands in ``.terms`` and ``.docs`` files."""
    lines = (f"{escape(name)}\n" for name in names)
    while text := "".join(islice(lines, 1 << 14)):
        yield text.encode("utf-8", "surrogateescape")
