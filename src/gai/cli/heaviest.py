"""The heaviest terms of each document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gai.documents import DocumentIds
    from gai.output import RowBlock
    from gai.terms import Terms

Ranked = tuple[str, list[str], list[float]]
"""A document's id, its terms from the heaviest on, and their values."""


class Matrix(Protocol):
    """Rows with names on both sides: a Result, or what a file holds."""

    @property
    def terms(self) -> Terms: ...
    @property
    def documents(self) -> DocumentIds: ...
    @property
    def indptr(self) -> NDArray[Any]: ...
    def rows(self, jobs: int = 1) -> Iterator[RowBlock]: ...


def heaviest(matrix: Matrix, k: int, jobs: int = 1) -> Iterator[Ranked]:
    """The ``k`` heaviest terms of each document, equal ones sorted as strings."""
    ranks = term_ranks(matrix.terms)
    for block in matrix.rows(jobs):
        names = matrix.documents[block.first : block.first + len(block.indptr) - 1]
        ends, cells = strongest(block, ranks, k)
        terms = list(matrix.terms.take(block.indices[cells]))
        values = block.data[cells].tolist()
        start = 0
        for name, end in zip(names, ends.tolist(), strict=True):
            yield name, terms[start:end], values[start:end]
            start = end


def term_ranks(terms: Terms) -> NDArray[np.int64]:
    """The place of each term among the sorted terms: int64[n]."""
    import numpy as np

    ranks = np.empty(len(terms), np.int64)
    ranks[terms.argsort()] = np.arange(len(terms))
    return ranks


def strongest(
    block: RowBlock, ranks: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells with the ``k`` largest values of each row, row by row, and where each row ends."""
    import numpy as np

    lengths = np.diff(block.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((ranks[block.indices], -block.data, rows))
    place = np.arange(len(order)) - block.indptr[rows]
    return np.cumsum(np.minimum(lengths, k)), order[place < k]


def pieces(ranked: Iterable[Ranked], format: str) -> Iterator[bytes]:
    """The text of one of ``writing.FORMATS``, laid out as that of a whole matrix."""
    if format == "csv":
        yield b"document,term,value\n"
    spell = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_jsonl}[format]
    for document, terms, values in ranked:
        # Bytes of file names that are no UTF-8 pass as they are; JSON has an escape for them.
        errors = "backslashreplace" if format == "jsonl" else "surrogateescape"
        yield spell(document, terms, values).encode("utf-8", errors)


def as_tsv(document: str, terms: list[str], values: list[float]) -> str:
    from gai.output.tsv import escape

    cells = zip(terms, values, strict=True)
    return "".join(f"{escape(document)}\t{escape(term)}\t{value!r}\n" for term, value in cells)


def as_csv(document: str, terms: list[str], values: list[float]) -> str:
    from gai.output.csv import quoted

    cells = zip(terms, values, strict=True)
    return "".join(f"{quoted(document)},{quoted(term)},{value!r}\n" for term, value in cells)


def as_jsonl(document: str, terms: list[str], values: list[float]) -> str:
    from gai.output.jsonl import number, quoted

    cells = zip(terms, values, strict=True)
    members = ",".join(f"{quoted(term)}:{number(value)}" for term, value in cells)
    return f'{{"id":{quoted(document)},"terms":{{{members}}}}}\n'
