"""gai cooccur."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from gai.cli import choices, display, terminal, training, values, writing
from gai.cli.counting import check_deps, report, write_deps
from gai.cli.options import Documents, Forms, Output, Run, option
from gai.cli.training_options import Vocabulary
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output import Result
    from gai.vectors.association import Association
    from gai.vectors.cooccurrence import Cooccurrence

SHOWN = 20
"""Pairs that a terminal shows where nobody says how many."""

Row = tuple[str, str, float]
"""A word, its context, and the number in their cell."""


@dataclass(eq=False, repr=False)
class Neighbours:
    """What stands near what."""

    panel: ClassVar[str] = "Neighbours"
    window: Annotated[
        int | None,
        option(
            "--window",
            metavar="N",
            parse=values.whole(1),
            help="Words within this distance are neighbours; sentences end it.",
            default="10",
        ),
    ] = None
    asymmetric: Annotated[
        bool,
        option(
            "--asymmetric",
            help="Count only what stands behind a word: its row has the words that follow it.",
        ),
    ] = False
    flat: Annotated[bool, option("--flat", help="Each neighbour counts 1; else 1 / distance.")] = (
        False
    )


@dataclass(eq=False, repr=False)
class Weights:
    """How counts become weights."""

    panel: ClassVar[str] = "Weights"
    weight: Annotated[
        str | None,
        option(
            "--weight",
            parse=values.choice("count", "pmi", "ppmi"),
            help="count; pmi: ln(p(word, context) / (p(word) p(context))); ppmi: pmi where it is "
            "above 0.",
            default="count",
        ),
    ] = None
    shift: Annotated[
        float | None,
        option(
            "--shift",
            metavar="K",
            parse=values.number(0.0),
            help="Subtract ln(K) from each pmi, as K negative examples would.",
            default="1",
        ),
    ] = None
    alpha: Annotated[
        float | None,
        option(
            "--alpha",
            metavar="X",
            parse=values.number(0.0, 1.0),
            help="Raise the counts of contexts to this power for pmi; 0.75 holds rare ones back.",
            default="1",
        ),
    ] = None
    min_cell: Annotated[
        float | None,
        option(
            "--min-cell",
            metavar="X",
            parse=values.number(0.0),
            help="Leave out cells with a smaller count.",
            default="0",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Heaviest:
    """The heaviest pairs instead of the whole matrix."""

    panel: ClassVar[str] = "Output"
    top: Annotated[
        int | None,
        option(
            "-k",
            "--top",
            metavar="K",
            parse=values.whole(1),
            help="Only the K heaviest pairs, heaviest first, each once where order does not count.",
        ),
    ] = None


def cooccur(
    documents: Documents,
    terms: Forms,
    vocabulary: Vocabulary,
    neighbours: Neighbours,
    weights: Weights,
    heaviest: Heaviest,
    output: Output,
    run: Run,
) -> None:
    """Which words stand near which: counts, PMI or PPMI.

    One row a word, one column a context, most frequent words first. A neighbour at distance d
    counts 1/d, as for GloVe, and sums are exact. A sentence is a line, or with --sentences what
    the rules of gai sentences find. A terminal shows the heaviest pairs, a pipe gets a line
    word<TAB>context<TAB>number for each cell, and -o writes the matrix to a file.

      gai cooccur books/*.txt -o counts.npz
      gai cooccur --weight ppmi --shift 5 --alpha 0.75 corpus.txt -o ppmi.npz
      gai cooccur --flat --window 2 corpus.txt -k 50
    """
    started = perf_counter()
    check(output, heaviest)
    chosen = association(weights)
    corpus, reader = training.corpus_of(documents, terms, vocabulary, run)
    found = counted(corpus, neighbours, run)
    result = weighted(found, chosen, run)
    write_deps(output, reader.files, [terms.stop_words, terms.model])
    once = found.symmetric and chosen.alpha == 1.0
    facts = size(found, result)
    if output.to_table():
        facts |= display.speed(reader.bytes_read, perf_counter() - started)
        show(result, pairs(result, heaviest.top or SHOWN, once, run), facts)
    elif heaviest.top:
        rows = pairs(result, heaviest.top, once, run)
        format = writing.text_format(output.place, output.format)
        writing.write(pieces(rows, format), output.place)
    else:
        deliver(result, output, run)
    speed = display.speed(reader.bytes_read, perf_counter() - started)
    report(output, run, lambda: facts | speed)


def check(output: Output, heaviest: Heaviest) -> None:
    """Raises what can be refused before the work."""
    from gai import output as writers

    check_deps(output)
    if heaviest.top:
        writing.check(output.place, output.format)
    elif not output.to_table():
        writers.check(output.place, output.format)


def association(weights: Weights) -> "Association":
    """How counts become weights; raises a UsageError for options that nothing would look at."""
    from gai.vectors.association import Association

    chosen = {name: value for _, name, value in choices.given(weights)}
    if chosen.get("weight", "count") == "count":
        for flag, _, _ in choices.given(weights, "shift", "alpha"):
            raise UsageError(f"{flag} changes nothing here", "it goes with --weight pmi or ppmi")
    return Association(**chosen)


def counted(corpus: Any, neighbours: Neighbours, run: Run) -> "Cooccurrence":
    """The counts of a corpus."""
    from gai.vectors.cooccurrence import cooccurrences

    return cooccurrences(
        corpus,
        neighbours.window or 10,
        symmetric=not neighbours.asymmetric,
        weighting="flat" if neighbours.flat else "inverse",
        jobs=run.threads,
        memory=run.memory,
    )


def weighted(found: "Cooccurrence", chosen: "Association", run: Run) -> "Result":
    """The matrix to write."""
    from gai.vectors.association import associations

    return associations(found, chosen, jobs=run.threads)


def deliver(result: "Result", output: Output, run: Run) -> None:
    """Puts the matrix where it was asked for."""
    from gai import output as writers

    with terminal.guarded():
        writers.write(result, output.place, output.format, jobs=run.threads)


def size(found: "Cooccurrence", result: "Result") -> display.Facts:
    """How much was counted, and what is left of it."""
    return {
        "tokens": f"{found.tokens:,}",
        "words": f"{len(found):,}",
        "non-zeros": f"{result.nnz:,}",
        "density": f"{100 * result.nnz / max(len(found) ** 2, 1):.3g} %",
    }


def pairs(result: "Result", top: int, once: bool, run: Run) -> list[Row]:
    """The heaviest pairs as words."""
    from gai.vectors.association import heaviest

    words = result.terms
    found = heaviest(result, top, once=once, jobs=run.threads)
    return [(words[row], words[column], value) for row, column, value in found]


def pieces(rows: list[Row], format: str) -> Iterator[bytes]:
    """The heaviest pairs as text."""
    if format == "csv":
        yield b"word,context,value\n"
    spell = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_jsonl}[format]
    yield "".join(spell(rows)).encode()


def as_tsv(rows: list[Row]) -> Iterator[str]:
    from gai.output.tsv import escape

    return (f"{escape(word)}\t{escape(context)}\t{value!r}\n" for word, context, value in rows)


def as_csv(rows: list[Row]) -> Iterator[str]:
    from gai.output.csv import quoted

    return (f"{quoted(word)},{quoted(context)},{value!r}\n" for word, context, value in rows)


def as_jsonl(rows: list[Row]) -> Iterator[str]:
    from gai.output.jsonl import quoted

    for word, context, value in rows:
        yield f'{{"word":{quoted(word)},"context":{quoted(context)},"value":{value!r}}}\n'


def show(result: "Result", rows: list[Row], facts: display.Facts) -> None:
    """Prints the facts and the heaviest pairs for a person."""
    console = terminal.console()
    console.print(display.facts_table(facts))
    if not rows:
        return
    console.print()
    console.print(table(rows))
    if result.nnz > len(rows):
        console.print("... and more pairs: -k shows more, a pipe or -o FILE gets all cells")


def table(rows: list[Row]) -> Any:
    """A row for each pair."""
    made = display.plain_table()
    made.add_column("word", style="bold", no_wrap=True, overflow="ellipsis")
    made.add_column("context", style="bold", no_wrap=True, overflow="ellipsis")
    made.add_column("value", justify="right")
    for word, context, value in rows:
        shown = f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"
        made.add_row(terminal.escape(word), terminal.escape(context), shown)
    return made
