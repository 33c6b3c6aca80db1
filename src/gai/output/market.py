"""Matrix Market coordinate format, with the names of the rows and columns in files beside it.

``x.mtx`` counts rows and columns from 1; line N of ``x.docs`` is row N, line N of ``x.terms``
column N, escaped as in TSV. ``scipy.io.mmread`` and R's ``Matrix::readMM`` read it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gai import signature
from gai.matrix import Result
from gai.output.cells import long, texts


def pieces(result: Result, jobs: int = 1) -> Iterator[bytes]:
    """The file in pieces, while the rows are computed."""
    yield header(result).encode("ascii", "backslashreplace")
    columns = texts(f"{column} " for column in range(1, len(result.terms) + 1))
    yield from long(result, lambda row, _: f"{row + 1} ", columns, jobs)


def header(result: Result) -> str:
    """The banner, the signature as a comment, and the sizes."""
    rows, columns = result.shape
    kind = "integer" if result.dtype.kind == "i" else "real"
    return (
        f"%%MatrixMarket matrix coordinate {kind} general\n"
        f"% gai {signature.line(result.signature)}\n"
        f"{rows} {columns} {result.nnz}\n"
    )
