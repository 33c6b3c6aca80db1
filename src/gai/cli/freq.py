"""gai freq."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from gai.cli import choices, display, terminal, writing
from gai.cli.counting import check_deps, counted, report, write_deps
from gai.cli.options import Documents, Limits, Most, Run, Terms, TextOutput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gai.counts import Counts, Pruning

PIECE = 1 << 14
"""Rows that are turned into text at once."""

SHOWN = 20
"""Terms that a terminal shows where nobody says how many."""

Row = tuple[str, int, int]
"""A term, how often it occurs, and in how many documents."""


def freq(
    documents: Documents, terms: Terms, limits: Limits, most: Most, output: TextOutput, run: Run
) -> None:
    """Term and document frequencies, most frequent first.

    A line term<TAB>tf<TAB>df for each term: how often it occurs, and in how many documents. Ties
    are sorted by term. It replaces tr | sort | uniq -c | sort -rn.

      gai freq book.txt -k 20
      gai freq --per line --stop-words english docs/*.txt > vocabulary.tsv
    """
    check_deps(output)
    writing.check(output.place, output.format)
    analysis, pruning = choices.analysis(documents, terms), choices.pruning(limits)
    found = counted(documents, analysis, run, rows=False)
    order = most_frequent(found.counts, pruning)
    facts = size(found.counts, order) | found.speed()
    write_deps(output, found.reader.files, [terms.stop_words, terms.model])
    if output.to_table():
        show(found.counts, order, most.top or SHOWN, facts)
    else:
        format = writing.text_format(output.place, output.format)
        writing.write(pieces(rows(found.counts, order[: most.top]), format), output.place)
    report(output, run, lambda: facts)


def most_frequent(counts: Counts, pruning: Pruning) -> NDArray[np.int64]:
    """The terms within the limits, most frequent first, ties by term: their numbers."""
    by_frequency = replace(pruning, order="freq")
    return by_frequency.chosen(len(counts.documents), counts.tf, counts.df, counts.first)


def rows(counts: Counts, order: NDArray[np.int64]) -> Iterator[Row]:
    """The rows of the table, in this order."""
    terms = counts.terms.take(order)
    return zip(terms, counts.tf[order].tolist(), counts.df[order].tolist(), strict=True)


def pieces(table: Iterator[Row], format: str) -> Iterator[bytes]:
    """The table as text."""
    if format == "csv":
        yield b"term,tf,df\n"
    spell = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_jsonl}[format]
    while rows := list(islice(table, PIECE)):
        yield "".join(spell(rows)).encode()


def as_tsv(rows: list[Row]) -> Iterator[str]:
    from gai.output.tsv import escape

    return (f"{escape(term)}\t{tf}\t{df}\n" for term, tf, df in rows)


def as_csv(rows: list[Row]) -> Iterator[str]:
    from gai.output.csv import quoted

    return (f"{quoted(term)},{tf},{df}\n" for term, tf, df in rows)


def as_jsonl(rows: list[Row]) -> Iterator[str]:
    from gai.output.jsonl import quoted

    return (f'{{"term":{quoted(term)},"tf":{tf},"df":{df}}}\n' for term, tf, df in rows)


def size(counts: Counts, order: NDArray[np.int64]) -> display.Facts:
    """How much was counted."""
    return {
        "documents": f"{len(counts.documents):,}",
        "terms": f"{len(order):,}",
        "tokens": f"{int(counts.lengths.sum()):,}",
    }


def show(counts: Counts, order: NDArray[np.int64], top: int, facts: display.Facts) -> None:
    """Prints the facts and the most frequent terms for a person."""
    console = terminal.console()
    console.print(display.facts_table(facts))
    console.print()
    console.print(table(rows(counts, order[:top])))
    if (more := len(order) - top) > 0:
        console.print(f"... and {more:,} more terms: -k shows more, a pipe or -o FILE gets all")


def table(shown: Iterator[Row]) -> Any:
    """A row for each term."""
    made = display.plain_table()
    made.add_column("term", style="bold", no_wrap=True, overflow="ellipsis")
    made.add_column("tf", justify="right")
    made.add_column("df", justify="right")
    for term, tf, df in shown:
        made.add_row(terminal.escape(term), f"{tf:,}", f"{df:,}")
    return made
