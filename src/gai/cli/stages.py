"""What the commands that write text have in common: from documents to lines or records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from gai.backends import resolve
from gai.cli import choices, display, terminal, writing
from gai.cli.counting import announce_compiling, check_deps, report, require_input, write_deps
from gai.cli.options import FORMATS, STAGE_FORMATS, Documents, Layout, Run, StageOutput
from gai.cli.progress import progress
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.documents import Batch, Reader
    from gai.phrases.model import Phrases
    from gai.texts.stages import Stage
    from gai.texts.units import Split
    from gai.tokens.analysis import Analysis

Pieces = Callable[["Stage"], Iterator[bytes]]


def check(output: StageOutput, layout: Layout) -> None:
    """Raises a UsageError where the flags about the output contradict, before any work."""
    check_deps(output)
    writing.check_place(output.place)
    rows = output.kind == "tsv"
    extension = output.place.removesuffix(".gz").rpartition(".")[2].lower()
    if extension in ("xz", "bz2", "zst"):
        raise UsageError(f"this cannot be compressed as {extension}", "but as gz: -o FILE.gz")
    if output.format is None and extension in (*FORMATS, "json") and extension not in STAGE_FORMATS:
        hint = "but as text, jsonl or tsv: --format text, or another extension"
        raise UsageError(f"this cannot be written as {extension}", hint)
    if layout.offsets and not (layout.one_per_line and output.kind != "text"):
        hint = "add --one-per-line --format jsonl (or tsv)"
        raise UsageError("--offsets is about places, which are not written here", hint)
    if rows and not layout.one_per_line:
        raise UsageError("tsv is a line for each token", "add --one-per-line")
    if layout.separator is not None and (layout.one_per_line or output.kind == "jsonl"):
        raise UsageError("--sep stands between tokens in one line of text")


def separator(layout: Layout) -> bytes:
    """What stands between two tokens; ``\\t`` and ``\\n`` may be spelled so."""
    text = " " if layout.separator is None else layout.separator
    return text.replace("\\t", "\t").replace("\\n", "\n").encode("utf-8", "surrogateescape")


def token_pieces(
    output: StageOutput,
    layout: Layout,
    kind: Callable[[str], str] | None = None,
    word: Callable[[str], str] = str,
) -> tuple[Pieces, bool]:
    """What the output is made of, and whether the places of tokens are needed for it.

    ``kind`` is the type of a token, where it is not that of its characters, and ``word`` how it is
    written beside its type.
    """
    from gai.texts import places, rendering

    if layout.one_per_line and output.kind == "text":
        return rendering.one_a_line, False
    if layout.one_per_line:
        format = places.OBJECTS if output.kind == "jsonl" else places.ROWS
        in_bytes = layout.offsets == "bytes"
        named = kind or resolve("gai.tokens.patterns:kind")
        return lambda stage: places.places(stage, format, named, in_bytes, word), True
    between = separator(layout)
    if output.kind == "jsonl":
        return lambda stage: rendering.records(stage, rendering.spaced, " "), False
    return lambda stage: rendering.lines(stage, between), False


def kept_pieces(output: StageOutput, documents: Documents) -> Pieces:
    """The same for the text as it was, with its tokens replaced."""
    from gai.texts import rendering

    if output.kind == "jsonl":
        return lambda stage: rendering.records(stage, rendering.replaced, "")
    gap = b"\n\n" if documents.per == "paragraph" else b"\n"
    return lambda stage: rendering.kept(stage, gap)


def run_stage(
    documents: Documents,
    analysis: Analysis,
    pieces: Pieces,
    output: StageOutput,
    run: Run,
    *,
    split: Split | None = None,
    places: bool = False,
    phrases: Phrases | None = None,
    whole: bool = False,
    beside: Iterable[str | None] = (),
    watch: Callable[[Iterator[Batch]], Iterator[Batch]] | None = None,
) -> None:
    """Reads the documents, and writes what ``pieces`` makes of their tokens.

    ``split`` finds the tokens where the analysis alone does not say how; ``phrases`` become one
    token each; ``whole`` says that these look across lines, so that no document may come in parts;
    ``watch`` may look at every batch as it is read; ``beside`` are files that options name.
    """
    from gai.texts.stages import Stage

    started = perf_counter()
    require_input(documents)
    reader = opened(documents, analysis, run, whole=whole, small=places or split is not None)
    announce_compiling(run)
    batches = watch(iter(reader)) if watch else reader
    errors = reader.reading.errors
    stage = Stage(batches, analysis, split, places, run.threads, errors=errors, phrases=phrases)
    write_deps(output, reader.files, beside)
    with progress(reader, run.quiet):
        writing.write(pieces(stage), output.place)
    if reader.skipped and not run.quiet:
        records = "record" if reader.skipped == 1 else "records"
        terminal.say(f"gai: left out {reader.skipped:,} broken {records}")
    report(output, run, lambda: display.speed(reader.bytes_read, perf_counter() - started))


def opened(documents: Documents, analysis: Analysis, run: Run, whole: bool, small: bool) -> Reader:
    """The documents; ``whole`` where none may come in parts, ``small`` where a batch becomes many
    times its size."""
    from gai.documents import BLOCK_SIZE, Reader

    reading = choices.reading(documents, analysis, run.memory)
    size = min(reading.block_size, BLOCK_SIZE // 4) if small else reading.block_size
    cut = reading.split_documents and not whole
    return Reader(replace(reading, split_documents=cut, block_size=size))


def check_kept(layout: Layout, output: StageOutput) -> None:
    """Raises a UsageError for flags about tokens where the text stays as it is around them."""
    if layout.one_per_line or layout.separator is not None:
        flag = "--one-per-line" if layout.one_per_line else "--sep"
        raise UsageError(f"{flag} contradicts --layout keep", "the text stays as it is")


def exactly_one(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches; raises a GaiError at a token that is empty."""
    from gai.texts.pretokenized import checked

    return checked(batches)
