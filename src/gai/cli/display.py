"""What a terminal shows of a matrix: what was done, and the heaviest terms of each document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from gai.cli import terminal
from gai.cli.heaviest import Matrix, Ranked, heaviest

DOCUMENTS, TERMS = 20, 10
"""How much of a matrix is shown where nobody says how much."""

MOST = 1000
"""Documents in a table at most; longer ones are for a file."""

NAME, NARROWEST = 40, 30
"""Columns for the name of a document at most, and for its terms at least."""

Facts = dict[str, str]


def size(shape: tuple[int, int], cells: int) -> Facts:
    """How large a matrix is."""
    return {
        "documents": f"{shape[0]:,}",
        "terms": f"{shape[1]:,}",
        "non-zeros": f"{cells:,}",
        "density": f"{100 * cells / max(shape[0] * shape[1], 1):.3g} %",
    }


def speed(bytes_read: int, seconds: float) -> Facts:
    """How much was read, and how fast."""
    return {
        "read": amount(bytes_read),
        "time": f"{seconds:.2f} s",
        "speed": f"{amount(bytes_read / max(seconds, 1e-9))}/s",
    }


def amount(size: float) -> str:
    """A number of bytes in the unit that suits it."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.2f} GB"


def sentence(facts: Facts) -> str:
    """The facts in one line."""
    counted = dict(facts)
    read = f"{counted.pop('read')} in {counted.pop('time')}, {counted.pop('speed')}"
    named = [f"{n} {name[:-1] if n == '1' else name}" for name, n in counted.items()]
    return ", ".join([*named, read])


def matrix(matrix: Matrix, top: int | None, facts: Facts, jobs: int = 1) -> None:
    """Prints the facts, and the ``top`` heaviest terms of each document or of the first ones."""
    shown = MOST if top else DOCUMENTS
    ranked = list(islice(heaviest(matrix, top or TERMS, jobs), shown))
    console = terminal.console()
    console.print(facts_table(facts))
    if ranked:
        console.print()
        console.print(ranked_table(ranked, matrix.indptr, console.width, whole=bool(top)))
    if (more := len(matrix.documents) - shown) > 0:
        how = "" if top else "--top K shows them, "
        console.print(f"... and {more:,} more documents: {how}-o FILE keeps everything")


def facts_table(facts: Facts) -> Any:
    """A table with one row."""
    table = plain_table()
    for name in facts:
        table.add_column(name, justify="right", style="bold")
    table.add_row(*facts.values())
    return table


def plain_table() -> Any:
    """A table without lines."""
    from rich.table import Table

    return Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)


def ranked_table(ranked: list[Ranked], indptr: Any, width: int, whole: bool) -> Any:
    """A row for each document: its name, how many terms it has, and the heaviest of them.

    As many terms as fit on a line, or with ``whole`` all of them on as many lines as they need.
    """
    counts = [f"{indptr[row + 1] - indptr[row]:,}" for row in range(len(ranked))]
    names = [terminal.escape(document) for document, _, _ in ranked]
    names = [end_of(name, min(NAME, width // 3)) for name in names]
    taken = max(map(wide, names)) + max(map(len, [*counts, "terms"])) + 4
    table = plain_table()
    table.add_column("document", no_wrap=True)
    table.add_column("terms", justify="right", no_wrap=True)
    table.add_column("heaviest", no_wrap=True)
    for name, count, (_, terms, values) in zip(names, counts, ranked, strict=True):
        lines = list(packed(terms, values, max(width - taken, NARROWEST)))
        table.add_row(name, count, joined(lines if whole else lines[:1]))
    return table


def packed(
    terms: Iterable[str], values: Iterable[float], room: int
) -> Iterator[list[tuple[str, str]]]:
    """Terms and values by line, as many on each as ``room`` columns hold."""
    line: list[tuple[str, str]] = []
    used = 0
    for term, value in zip(map(terminal.escape, terms), values, strict=True):
        pair = (start_of(term, room - 12), f"{value:.3g}")
        needed = wide(pair[0]) + len(pair[1]) + 3
        if line and used + needed - 2 > room:
            yield line
            line, used = [], 0
        line.append(pair)
        used += needed
    yield line


def joined(lines: list[list[tuple[str, str]]]) -> Any:
    """The lines as styled text, which knows no markup."""
    from rich.text import Text

    texts = []
    for line in lines:
        pairs = [Text.assemble((term, "bold"), " ", (value, "dim")) for term, value in line]
        texts.append(Text("  ").join(pairs))
    return Text("\n").join(texts)


def end_of(text: str, room: int) -> str:
    """The text where it fits into ``room`` columns, else its end: paths differ there."""
    if wide(text) <= room:
        return text
    while wide(text) >= room:
        text = text[max(1, (wide(text) - room) // 2) :]
    return f"…{text}"


def start_of(text: str, room: int) -> str:
    """The text where it fits into ``room`` columns, else its beginning."""
    from rich.cells import set_cell_size

    return text if wide(text) <= room else f"{set_cell_size(text, room - 1)}…"


def wide(text: str) -> int:
    """How many columns of a terminal the text takes."""
    from rich.cells import cell_len

    return cell_len(text)
