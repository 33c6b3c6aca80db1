"""gai vectors documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from gai.cli import choices, display, terminal, values
from gai.cli.counting import check_deps, counted, report, write_deps
from gai.cli.options import Documents, Forms, Output, Run, option
from gai.cli.vector_files import loaded
from gai.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gai.vectors.documents import DocumentVectors, Scheme

FORMATS = ("npz", "tsv", "csv", "jsonl")

SHOWN = 20
"""Documents that a terminal shows."""

FILTERS = ("stop_words", "stop_words_name")
"""What may differ between the text of the vectors and that of the documents: words left out."""


@dataclass(eq=False, repr=False)
class Composing:
    """How words make the vector of a document."""

    panel: ClassVar[str] = "Document vectors"
    weights: Annotated[
        str | None,
        option(
            "--weights",
            parse=values.choice("average", "tfidf", "sif"),
            help="What a word weighs: average: 1. tfidf: ln((1 + N) / (1 + df)) + 1. sif: "
            "a / (a + its share of all words), and what all documents share is taken away.",
            default="average",
        ),
    ] = None
    sif_a: Annotated[
        float | None,
        option(
            "--sif-a",
            metavar="X",
            parse=values.number(0.0),
            help="The a of sif: smaller holds frequent words back more.",
            default="0.001",
        ),
    ] = None
    remove_top: Annotated[
        int | None,
        option(
            "--remove-top",
            metavar="K",
            parse=values.whole(0),
            help="Take away the K strongest directions that all documents share.",
            default="1 with sif, else 0",
        ),
    ] = None
    oov: Annotated[
        str | None,
        option(
            "--oov",
            parse=values.choice("subwords", "skip"),
            help="What becomes of words without a vector: made of their parts, or left out.",
            default="subwords where the vectors know them, else skip",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class DenseOutput(Output):
    """Where vectors of documents go."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*FORMATS),
            help="Write this format.",
            default="by extension; a table on a terminal, tsv in a pipe",
        ),
    ] = None


def vectors_documents(
    *,
    vectors: Annotated[
        str | None,
        typer.Argument(metavar="VECTORS", help="Vectors of words, in any format that gai reads."),
    ] = None,
    documents: Documents,
    terms: Forms,
    composing: Composing,
    output: DenseOutput,
    run: Run,
) -> None:
    """A vector for each document: average, TF-IDF-weighted or SIF.

    The weighted mean of the vectors of its words, a word as often as it stands there. Text becomes
    words as it did where the vectors were trained, as far as their file says. A document without
    any word that has a vector is zero. -o FILE.npz is for numpy.load and gai vectors search
    --index; a pipe gets a line document<TAB>number<TAB>number... for each.

      gai vectors documents vectors.bin docs/*.txt -o docs.npz
      gai vectors documents vectors.bin --per line --weights sif reviews.txt -o reviews.npz
    """
    from gai.output import dense
    from gai.vectors.documents import composed

    check_deps(output)
    if not output.to_table():
        dense.check(output.place, output.format)
    if vectors is None:
        raise UsageError("no file: which vectors?", "gai vectors documents VECTORS FILES")
    scheme, found = scheme_of(composing), loaded(vectors, run)
    scheme.parts(found)
    analysis = choices.analysis(documents, terms, said(vectors, found.signature))
    counts = counted(documents, analysis, run)
    made = composed(counts.counts, found, scheme, run.threads)
    write_deps(output, [*counts.reader.files, vectors], [terms.stop_words])
    if output.to_table():
        show(made, facts(made) | counts.speed())
    else:
        with terminal.guarded():
            dense.write_dense(made.dense(run.threads), output.place, output.format)
    say_empty(made, run)
    report(output, run, lambda: facts(made) | counts.speed())


def scheme_of(composing: Composing) -> Scheme:
    """How words make the vector of a document."""
    from gai.vectors.documents import Scheme

    if composing.sif_a is not None and composing.weights != "sif":
        raise UsageError(f"--sif-a {composing.sif_a} needs --weights sif")
    names = {"weights": "weights", "sif_a": "a", "remove_top": "remove", "oov": "subwords"}
    said = {names[name]: value for _, name, value in choices.given(composing)}
    if composing.oov is not None:
        said["subwords"] = composing.oov == "subwords"
    return Scheme(**said)


def said(path: str, signature: Mapping[str, Any]) -> Iterator[choices.Claim]:
    """What the signature of vectors of words, in the file ``path``, says of the text behind them.

    Not which words were left out, for the others mean the same; and not that the text came as
    tokens, for who made them is not known.
    """
    from gai.signature import analysis_options

    if not signature.get("analysis"):
        return
    known = analysis_options(signature)
    if known.get("tokenizer") == "pretokenized":
        known.pop("tokenizer")
    for flag, name, value in choices.claims(path, known):
        if name not in FILTERS:
            yield flag, name, value


def facts(made: DocumentVectors) -> display.Facts:
    """How much was made, of what."""
    return {
        "documents": f"{len(made.counts.documents):,}",
        "dimensions": f"{made.dim:,}",
        "words": f"{len(made.words.terms):,}",
    }


def say_empty(made: DocumentVectors, run: Run) -> None:
    """Says how many documents have no vector to speak of."""
    if made.empty and not run.quiet:
        of = f"{made.empty:,} of {len(made.counts.documents):,} documents"
        terminal.say(f"gai: no word with a vector in {of}: zeros")


def show(made: DocumentVectors, facts: display.Facts) -> None:
    """Prints the facts and the first numbers of the first documents for a person."""
    console = terminal.console()
    console.print(display.facts_table(facts))
    console.print()
    console.print(table(made, console.width))
    if (more := len(made.counts.documents) - SHOWN) > 0:
        console.print(f"... and {more:,} more documents: -o FILE keeps everything")


def table(made: DocumentVectors, width: int) -> Any:
    """A row for each of the first documents: its name, its length, and the first numbers."""
    _, rows = next(made.blocks())
    names = [terminal.escape(name) for name in made.counts.documents[:SHOWN]]
    names = [display.end_of(name, min(display.NAME, width // 3)) for name in names]
    room = max(1, (width - max(map(display.wide, names)) - 12) // 8)
    shown = display.plain_table()
    shown.add_column("document", no_wrap=True)
    shown.add_column("length", justify="right", no_wrap=True)
    shown.add_column("vector", no_wrap=True)
    for name, row in zip(names, rows[:SHOWN].astype(float), strict=True):
        numbers = " ".join(f"{number:7.3f}" for number in row[:room].tolist())
        shown.add_row(name, f"{(row @ row) ** 0.5:.4g}", numbers)
    return shown
