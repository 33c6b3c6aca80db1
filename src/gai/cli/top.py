"""gai top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import display, heaviest, writing
from gai.cli.counting import check_deps, write_deps
from gai.cli.options import Talk, TextOutput, Top
from gai.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gai.documents import DocumentIds
    from gai.output import RowBlock, Stored
    from gai.terms import Terms

TERMS = 10
ROWS = 1 << 14
"""Rows that are ranked at once."""


def top(
    *,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A matrix that gai wrote, an .npz file.")
    ] = None,
    top: Top,
    output: TextOutput,
    talk: Talk,
) -> None:
    """The heaviest terms of each document of a stored matrix.

    Ten of them without -k. A terminal shows a table, a pipe gets a line
    document<TAB>term<TAB>value for each term.

      gai top counts.npz -k 5
      gai top weights.npz --format jsonl
    """
    from gai.output import load

    if file is None:
        raise UsageError("no file: which matrix?", "gai top FILE.npz")
    check_deps(output)
    writing.check(output.place, output.format)
    matrix = StoredRows(load(file))
    if output.to_table():
        facts = display.size(matrix.shape, int(matrix.indptr[-1]))
        display.matrix(matrix, top.top or TERMS, facts)
        return
    ranked = heaviest.heaviest(matrix, top.top or TERMS)
    format = writing.text_format(output.place, output.format)
    write_deps(output, [file])
    writing.write(heaviest.pieces(ranked, format), output.place)


@dataclass(frozen=True)
class StoredRows:
    """A stored matrix whose rows come in blocks."""

    stored: Stored

    @property
    def terms(self) -> Terms:
        return self.stored.terms

    @property
    def documents(self) -> DocumentIds:
        return self.stored.documents

    @property
    def indptr(self) -> NDArray[Any]:
        return self.stored.indptr

    @property
    def shape(self) -> tuple[int, int]:
        return self.stored.shape

    def rows(self, jobs: int = 1) -> Iterator[RowBlock]:
        """The rows in order; they are there already, so that threads would not help."""
        from gai.output import RowBlock

        for first in range(0, self.shape[0], ROWS):
            indptr = self.indptr[first : first + ROWS + 1]
            cells = slice(int(indptr[0]), int(indptr[-1]))
            stored = self.stored
            yield RowBlock(first, indptr - indptr[0], stored.indices[cells], stored.data[cells])
