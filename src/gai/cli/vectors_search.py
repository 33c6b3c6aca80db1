"""gai vectors search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from gai.cli import choices, display, terminal, values, writing
from gai.cli.counting import check_deps, counted, report, write_deps
from gai.cli.options import Documents, Forms, Run, TextOutput, option
from gai.cli.vector_files import loaded
from gai.cli.vectors_documents import Composing, said, say_empty, scheme_of
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.documents import DocumentIds, Reader
    from gai.output.vectors import Vectors
    from gai.vectors.search import Query

FOUND = 10
"""Documents that are found where nobody says how many."""

BEGINNING = 400
"""Bytes of each document that are read for a person; a terminal shows what there is room for."""

Row = tuple[int, float, str]
"""Rank, from 1; score, a float32; id of the document."""


@dataclass(eq=False, repr=False)
class Searching:
    """Where is searched, and how much is found."""

    panel: ClassVar[str] = "Search"
    index: Annotated[
        str | None,
        option(
            "--index",
            metavar="DOCS.npz",
            help="Search what gai vectors documents wrote, made with these vectors, not FILES.",
        ),
    ] = None
    top: Annotated[
        int | None,
        option(
            "-k",
            "--top",
            metavar="K",
            parse=values.whole(1),
            help="The K nearest documents.",
            default=str(FOUND),
        ),
    ] = None


@dataclass(frozen=True)
class Asked:
    """What the user wants to know."""

    path: str
    vectors: Vectors
    text: str
    documents: Documents
    terms: Forms
    composing: Composing
    searching: Searching
    run: Run

    @property
    def k(self) -> int:
        """How many documents are found."""
        return self.searching.top or FOUND


@dataclass(frozen=True)
class Hits:
    """The documents that were found, from the nearest on.

    ``reader`` reads their texts, where these were read. ``facts`` say how much was searched, and
    ``files`` are the local files among it.
    """

    places: Sequence[int]
    scores: Sequence[float]
    documents: DocumentIds
    reader: Reader | None
    facts: display.Facts
    files: Sequence[str]

    def rows(self) -> Iterator[Row]:
        """A row for each."""
        for rank, (place, score) in enumerate(zip(self.places, self.scores, strict=True), 1):
            yield rank, score, self.documents[place]


def vectors_search(
    *,
    vectors: Annotated[
        str | None,
        typer.Argument(metavar="VECTORS", help="Vectors of words, in any format that gai reads."),
    ] = None,
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="A text: what the documents are about.")
    ] = None,
    searching: Searching,
    documents: Documents,
    terms: Forms,
    composing: Composing,
    output: TextOutput,
    run: Run,
) -> None:
    """The documents nearest to a query.

    Those whose vectors have the highest cosine with that of the query, which is made the same way:
    see gai vectors documents. A line rank<TAB>score<TAB>document for each, nearest first; equal
    ones stay in their order, and documents without any word that has a vector are not found.

      gai vectors search vectors.bin "ships and the sea" books/ --per paragraph
      gai vectors documents vectors.bin --per line --weights sif reviews.txt -o reviews.npz
      gai vectors search vectors.bin "too expensive" --index reviews.npz -k 20
    """
    check_deps(output)
    writing.check(output.place, output.format)
    if vectors is None or query is None:
        missing = "which vectors?" if vectors is None else "what is to be found?"
        raise UsageError(f"no query: {missing}", 'gai vectors search VECTORS "QUERY" FILES')
    if not query.strip():
        raise UsageError("the query is empty")
    found = loaded(vectors, run)
    asked = Asked(vectors, found, query, documents, terms, composing, searching, run)
    hits = from_files(asked) if searching.index is None else from_index(asked, searching.index)
    beside = [vectors, terms.stop_words, searching.index]
    write_deps(output, hits.files, beside)
    if output.to_table():
        show(hits)
    else:
        format = writing.text_format(output.place, output.format)
        writing.write(pieces(hits.rows(), format), output.place)
    report(output, run, lambda: hits.facts)


def from_files(asked: Asked) -> Hits:
    """The nearest of the documents in files."""
    from gai.vectors.documents import composed
    from gai.vectors.search import best, query

    scheme, run = scheme_of(asked.composing), asked.run
    scheme.parts(asked.vectors)
    known = said(asked.path, asked.vectors.signature)
    analysis = choices.analysis(asked.documents, asked.terms, known)
    counts = counted(asked.documents, analysis, run)
    made = composed(counts.counts, asked.vectors, scheme, run.threads)
    wanted = query(asked.text, analysis, asked.vectors, made.learned)
    say_missing(wanted, run)
    places, scores = best(made.blocks(run.threads), wanted.vector, asked.k)
    say_empty(made, run)
    facts = {"documents": f"{len(made.counts.documents):,}"} | counts.speed()
    documents, reader = made.counts.documents, counts.reader
    return Hits(places.tolist(), [*scores], documents, reader, facts, reader.files)


def from_index(asked: Asked, path: str) -> Hits:
    """The nearest of the documents in a file of their vectors."""
    from gai.output.dense import load_dense
    from gai.vectors.documents import Learned
    from gai.vectors.search import best, check_index, query, rows_of

    started = perf_counter()
    check_flags(asked, path)
    index = load_dense(path)
    check_index(index, asked.vectors, asked.path)
    analysis = choices.analysis(asked.documents, asked.terms, said_of_index(path, index.signature))
    wanted = query(asked.text, analysis, asked.vectors, Learned.of(index))
    say_missing(wanted, asked.run)
    places, scores = best(rows_of(index), wanted.vector, asked.k)
    facts = {"documents": f"{len(index.documents):,}"}
    facts |= display.speed(index.vectors.nbytes, perf_counter() - started)
    return Hits(places.tolist(), [*scores], index.documents, None, facts, [path])


def check_flags(asked: Asked, path: str) -> None:
    """Raises a UsageError for flags that contradict --index."""
    flag, why = f"--index {path}", "the documents are those of the file"
    if asked.documents.files:
        raise UsageError(f"{asked.documents.files[0]} contradicts {flag}", why)
    names = [field.name for field in fields(asked.documents) if field.name != "pretokenized"]
    choices.exclude(flag, choices.given(asked.documents, *names), why)
    choices.exclude(flag, choices.given(asked.composing), "the file says how it was made")


def said_of_index(path: str, signature: dict[str, Any]) -> Iterator[choices.Claim]:
    """What the signature of vectors of documents says of the text behind them."""
    from gai.signature import analysis_options

    try:
        known = analysis_options(signature)
    except KeyError as error:
        raise GaiError(f"{path} does not say how it was made", "make it again") from error
    yield from choices.claims(f"--index {path}", known)


def say_missing(query: Query, run: Run) -> None:
    """Says which words of the query have no vector."""
    if query.missing and not run.quiet:
        words = terminal.escape(", ".join(query.missing))
        terminal.say(f"gai: no vector for {words}: searching for the other words")


def pieces(rows: Iterator[Row], format: str) -> Iterator[bytes]:
    """The rows as text; a score has the shortest digits that are the same float32."""
    if format == "csv":
        yield b"rank,score,document\n"
    spell = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_jsonl}[format]
    # Bytes of file names that are no UTF-8 pass as they are; JSON has an escape for them.
    errors = "backslashreplace" if format == "jsonl" else "surrogateescape"
    yield "".join(spell(*row) for row in rows).encode("utf-8", errors)


def as_tsv(rank: int, score: float, document: str) -> str:
    from gai.output.tsv import escape

    return f"{rank}\t{score!s}\t{escape(document)}\n"


def as_csv(rank: int, score: float, document: str) -> str:
    from gai.output.csv import quoted

    return f"{rank},{score!s},{quoted(document)}\n"


def as_jsonl(rank: int, score: float, document: str) -> str:
    from gai.output.jsonl import quoted

    return f'{{"rank":{rank},"score":{score!s},"id":{quoted(document)}}}\n'


def show(hits: Hits) -> None:
    """Prints what was found for a person, with the beginning of each text where it can be read."""
    texts = beginnings(hits)
    console = terminal.console()
    made = display.plain_table()
    made.add_column("rank", justify="right", no_wrap=True)
    made.add_column("score", justify="right", no_wrap=True)
    made.add_column("document", style="bold", no_wrap=True)
    if texts:
        made.add_column("text", no_wrap=True, overflow="ellipsis")
    for place, (rank, score, document) in zip(hits.places, hits.rows(), strict=True):
        name = display.end_of(terminal.escape(document), min(display.NAME, console.width // 3))
        more = [terminal.escape(" ".join(texts.get(place, "").split()))] if texts else []
        made.add_row(str(rank), f"{score:.4f}", name, *more)
    console.print(made)


def beginnings(hits: Hits) -> dict[int, str]:
    """How the documents begin that were found; nothing where they cannot be read again."""
    from gai.vectors.search import beginnings

    if hits.reader is None or hits.reader.total_stored() is None:
        return {}
    return beginnings(hits.reader, hits.places, BEGINNING)
