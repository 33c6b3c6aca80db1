"""What gai vectors evaluate writes: a row for each score, or for each missing word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from gai.cli import display, terminal

if TYPE_CHECKING:
    from gai.vectors.evaluation import AnalogyScore, Score, Section, SimilarityScore

COLUMNS = (
    *("set", "method", "section", "found", "total"),
    *("spearman", "low", "high", "pearson", "correct", "accuracy", "standard_error"),
)
LACKING = ("set", "word")

CORRELATION = ("found", "total", "spearman", "low", "high", "pearson", "standard_error")
COUNTED = ("found", "total", "correct", "accuracy", "standard_error")

Row = dict[str, Any]


def score_rows(scores: Iterable[Score]) -> Iterator[Row]:
    """A row for a set of pairs; for analogies one for each section, each part and the total."""
    from gai.vectors.evaluation import SimilarityScore

    for score in scores:
        if isinstance(score, SimilarityScore):
            yield {"set": score.name, **numbers(score, CORRELATION)}
            continue
        start = {"set": score.name, "method": score.method}
        for one in sections_of(score):
            yield {**start, "section": one.name, **numbers(one, COUNTED)}


def sections_of(score: AnalogyScore) -> list[Section]:
    """The sections, what parts they make together, and the total."""
    return [*score.sections, *score.parts, score.overall]


def numbers(thing: object, names: Iterable[str]) -> Row:
    """The named numbers of a score; None for NaN."""
    found = {name: getattr(thing, name) for name in names}
    return {name: None if isnan(value) else value for name, value in found.items()}


def missing_rows(scores: Iterable[Score]) -> Iterator[Row]:
    """A row for each word of a set that the vectors lack."""
    return ({"set": one.name, "word": word} for one in scores for word in one.missing)


def pieces(rows: Iterable[Row], columns: Sequence[str], format: str) -> Iterator[bytes]:
    """The rows as tsv or csv below a line of names, or as jsonl without the cells that are not."""
    spell = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_jsonl}[format]
    if format != "jsonl":
        yield spell(columns)
    for row in rows:
        yield spell(row if format == "jsonl" else [row.get(name) for name in columns])


def as_tsv(cells: Iterable[object]) -> bytes:
    """A line of a table; None is an empty cell."""
    from gai.output.tsv import escape

    return ("\t".join("" if cell is None else escape(str(cell)) for cell in cells) + "\n").encode()


def as_csv(cells: Iterable[object]) -> bytes:
    """A line of a table; None is an empty cell."""
    from gai.output.csv import quoted

    return (",".join("" if cell is None else quoted(str(cell)) for cell in cells) + "\n").encode()


def as_jsonl(row: Any) -> bytes:
    """The row as an object; None is null."""
    import json

    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def show(scores: Sequence[Score]) -> None:
    """Prints a table of all pairs, and one for each set of analogies."""
    from gai.vectors.evaluation import SimilarityScore

    console = terminal.console()
    pairs = [score for score in scores if isinstance(score, SimilarityScore)]
    tables = [similarities(pairs)] if pairs else []
    tables += [analogies(score) for score in scores if not isinstance(score, SimilarityScore)]
    for number, table in enumerate(tables):
        if number:
            console.print()
        console.print(table)


def similarities(scores: Sequence[SimilarityScore]) -> Any:
    """A row for each set of pairs."""
    table = heading("pairs", "found", "coverage", "Spearman", "95 % interval", "Pearson")
    for one in scores:
        ends = "" if isnan(one.low) else f"{one.low:.4f} to {one.high:.4f}"
        table.add_row(*start_of(one), short(one.spearman), ends, short(one.pearson))
    return table


def analogies(score: AnalogyScore) -> Any:
    """A row for each section."""
    from rich.text import Text

    table = heading(f"{score.name} ({score.method})", "found", "coverage", "solved", "accuracy")
    for one in sections_of(score):
        style = "" if one in score.sections else "bold"
        cells = (*start_of(one), f"{one.correct:,}", short(one.accuracy))
        table.add_row(*(Text(cell, style) for cell in cells))
    return table


def heading(name: str, *others: str) -> Any:
    """A table without lines whose first column is text and whose others are numbers."""
    table = display.plain_table()
    table.add_column(terminal.escape(name))
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table


def start_of(one: SimilarityScore | Section) -> tuple[str, str, str]:
    """The name, and how much of it was found."""
    share = f"{100 * one.found / one.total:.0f} %" if one.total else ""
    return terminal.escape(one.name), f"{one.found:,}/{one.total:,}", share


def short(value: float) -> str:
    """The number for a person."""
    return "" if isnan(value) else f"{value:.4f}"


def show_missing(scores: Sequence[Score]) -> None:
    """Prints the missing words of each set."""
    console = terminal.console()
    for score in scores:
        words = ", ".join(map(terminal.escape, score.missing))
        console.print(f"{terminal.escape(score.name)}: {words or 'no word is missing'}")
