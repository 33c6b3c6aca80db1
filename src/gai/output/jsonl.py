"""JSON lines: ``{"id": ..., "terms": {term: value, ...}}``, one document a line.

Made for jq: ``jq .terms.cat`` is a value, ``jq -r '.terms | to_entries[] | [.key, .value] | @tsv'``
a table. A document without terms has ``"terms":{}``. Text is UTF-8, not ASCII with escapes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite

from gai.matrix import Result
from gai.output.cells import blocks, by_row, names_of, texts, values


def pieces(result: Result, jobs: int = 1) -> Iterator[bytes]:
    """The file in pieces, while the rows are computed."""
    columns = texts(f"{quoted(term)}:" for term in result.terms)
    for block in blocks(result, jobs):
        cells = by_row(columns, values(block.data, number, ","), block)
        rows = zip(names_of(result, block), cells, strict=True)
        lines = [f'{{"id":{quoted(name)},"terms":{{{row[:-1]}}}}}\n' for name, row in rows]
        # A lone surrogate (bytes of a file name) becomes \udc80, which is JSON's own escape.
        yield "".join(lines).encode("utf-8", "backslashreplace")


def quoted(text: str) -> str:
    """The text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def number(value: float) -> str:
    """The number in JSON, which knows neither infinity nor NaN: these become null."""
    return repr(value) if isfinite(value) else "null"
