"""gai phrases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from gai.cli import choices, display, terminal, values, writing
from gai.cli.counting import announce_compiling, check_deps, report, require_input, write_deps
from gai.cli.options import TEXT_FORMATS, Documents, Forms, Output, Run, option
from gai.cli.progress import progress
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.documents import Reader
    from gai.phrases import Learning, Phrase, Phrases
    from gai.tokens.analysis import Analysis

PIECE = 1 << 14
"""Phrases that are turned into text at once."""

SHOWN = 20
"""Phrases that a terminal shows where nobody says how many."""

MODEL = "json"
"""The format of a file that keeps everything."""

Row = tuple[str, "Phrase"]
"""A phrase as one word, and what is known about it."""


@dataclass(eq=False, repr=False)
class Collocations:
    """Which words belong together."""

    panel: ClassVar[str] = "Phrases"
    scoring: Annotated[
        str | None,
        option(
            "--scoring",
            parse=values.choice("default", "npmi"),
            help="default: (count - min-count) / (count of each word) * size of the vocabulary. "
            "npmi: normalised pointwise mutual information, from -1 to 1.",
            default="default",
        ),
    ] = None
    min_count: Annotated[
        int | None,
        option(
            "--min-count",
            metavar="N",
            parse=values.whole(1),
            help="Two words must stand side by side more often than this (npmi: so often).",
            default="5",
        ),
    ] = None
    threshold: Annotated[
        float | None,
        option(
            "--threshold",
            metavar="X",
            parse=values.number(-1.0),
            help="Their score must be above this.",
            default="10, with npmi 0.5",
        ),
    ] = None
    connectors: Annotated[
        str | None,
        option(
            "--connectors",
            metavar="english|none|FILE",
            help="Words that may stand between the two, as in bank_of_america; a file's lines.",
            default="none",
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        option(
            "--delimiter",
            metavar="TEXT",
            help="What joins the words of a phrase.",
            default="_",
        ),
    ] = None
    passes: Annotated[
        int | None,
        option(
            "--passes",
            metavar="N",
            parse=values.whole(1),
            help="Join the phrases found and look again: 2 finds phrases of phrases.",
            default="1",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class PhraseOutput(Output):
    """Where phrases go."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*TEXT_FORMATS, MODEL),
            help="Write this format; json keeps everything, for gai tokenize --phrases.",
            default="by extension; a table on a terminal, tsv in a pipe",
        ),
    ] = None
    top: Annotated[
        int | None,
        option("-k", "--top", metavar="K", parse=values.whole(1), help="Only the K best phrases."),
    ] = None

    @property
    def kind(self) -> str:
        """The format to write; raises a UsageError where the place names none of them."""
        named = self.place.removesuffix(".gz").endswith(f".{MODEL}")
        if self.format == MODEL or (self.format is None and named):
            return MODEL
        return writing.text_format(self.place, self.format)


def phrases(
    documents: Documents,
    terms: Forms,
    collocations: Collocations,
    output: PhraseOutput,
    run: Run,
) -> None:
    """Words that belong together: collocations with their scores.

    A line phrase<TAB>score<TAB>count for each, best first, ties sorted by phrase. They are learned
    as gensim's Phrases does it, within documents: --per line or --per paragraph keeps what stands
    in different sentences apart. -o FILE.json keeps them for gai tokenize --unit phrase.

      gai phrases --per paragraph --connectors english books/*.txt -k 20
      gai phrases --per line corpus.txt -o phrases.json
      gai tokenize --unit phrase --phrases phrases.json corpus.txt
    """
    check(output)
    analysis = choices.analysis(documents, terms)
    chosen = learning(collocations, analysis)
    started = perf_counter()
    found, reader = learned(documents, analysis, chosen, run)
    write_deps(output, reader.files, [terms.stop_words, collocations.connectors])
    facts = size(found) | display.speed(reader.bytes_read, perf_counter() - started)
    if output.to_table():
        show(found, output.top or SHOWN, facts)
    else:
        writing.write(pieces(found, output.kind, output.top), output.place)
    report(output, run, lambda: facts)


def check(output: PhraseOutput) -> None:
    """Raises what can be refused before the work."""
    check_deps(output)
    if output.kind == MODEL and output.top:
        raise UsageError(f"-k {output.top} contradicts {MODEL}", "the file keeps all phrases")
    writing.check_place(output.place)


def learning(collocations: Collocations, analysis: Analysis) -> Learning:
    """How phrases are to be learned."""
    from gai.phrases import Learning
    from gai.phrases.connectors import connectors
    from gai.terms.plain import word_former

    chosen = {name: value for _, name, value in choices.given(collocations)}
    if (named := chosen.pop("connectors", None)) is not None:
        words, name = connectors(named, word_former(analysis))
        chosen |= {"connectors": words, "connectors_name": name}
    return Learning(**chosen)


def learned(
    documents: Documents, analysis: Analysis, chosen: Learning, run: Run
) -> tuple[Phrases, Reader]:
    """The phrases of the documents, and what has read these.

    Raises UsageError where there is no input, and GaiError where it holds no document.
    """
    from gai.documents import Reader
    from gai.phrases import learn

    require_input(documents)
    reading = choices.reading(documents, analysis, run.memory)
    reader = Reader(replace(reading, split_documents=False))
    announce_compiling(run)
    with progress(reader, run.quiet):
        found = learn(reader, analysis, chosen, jobs=run.threads)
    if not found.signature["documents"]:
        names = ", ".join(source.name for source in reader.sources[:3])
        raise GaiError(f"no documents in {names}", "the input is empty")
    if reader.skipped and not run.quiet:
        records = "record" if reader.skipped == 1 else "records"
        terminal.say(f"gai: left out {reader.skipped:,} broken {records}")
    return found, reader


def pieces(found: Phrases, format: str, top: int | None) -> Iterator[bytes]:
    """The phrases as text."""
    from gai.phrases import storing

    if format == MODEL:
        yield from storing.pieces(found)
        return
    if format == "csv":
        yield b"phrase,score,count\n"
    spell = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_jsonl}[format]
    ranked = iter(found.ranked()[:top])
    while rows := list(islice(ranked, PIECE)):
        yield "".join(spell(rows)).encode()


def as_tsv(rows: Iterable[Row]) -> Iterator[str]:
    from gai.output.tsv import escape

    return (f"{escape(name)}\t{one.score!r}\t{one.count}\n" for name, one in rows)


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    from gai.output.csv import quoted

    return (f"{quoted(name)},{one.score!r},{one.count}\n" for name, one in rows)


def as_jsonl(rows: Iterable[Row]) -> Iterator[str]:
    from gai.output.jsonl import quoted

    for name, one in rows:
        words = ",".join(map(quoted, one.words))
        numbers = f'"score":{one.score!r},"count":{one.count}'
        yield f'{{"phrase":{quoted(name)},"words":[{words}],{numbers}}}\n'


def size(found: Phrases) -> display.Facts:
    """How much was looked at, and how much was found."""
    return {
        "documents": f"{found.signature['documents']:,}",
        "phrases": f"{len(found.ranked()):,}",
    }


def show(found: Phrases, top: int, facts: display.Facts) -> None:
    """Prints the facts and the best phrases for a person."""
    ranked = found.ranked()
    console = terminal.console()
    console.print(display.facts_table(facts))
    console.print()
    console.print(table(ranked[:top]))
    if (more := len(ranked) - top) > 0:
        console.print(f"... and {more:,} more phrases: -k shows more, a pipe or -o FILE gets all")


def table(shown: Sequence[Row]) -> Any:
    """A row for each phrase."""
    made = display.plain_table()
    made.add_column("phrase", style="bold", no_wrap=True, overflow="ellipsis")
    made.add_column("score", justify="right")
    made.add_column("count", justify="right")
    for name, one in shown:
        made.add_row(terminal.escape(name), f"{one.score:,.4g}", f"{one.count:,}")
    return made
