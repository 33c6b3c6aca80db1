"""Questions to vectors, from the command line or a line each from standard input, and answers."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gai.cli import display, terminal, writing
from gai.cli.counting import check_deps, write_deps
from gai.cli.options import Talk, TextOutput
from gai.cli.vector_files import loaded
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors
    from gai.vectors.neighbours import Places, Scores

READ = 1 << 16
"""Bytes that are read from standard input at most before they are answered."""

HINTED = 10
"""Lines for which an error says what may have been meant; looking for it takes its time."""

Question = TypeVar("Question")
Row = tuple[Any, ...]
"""What stands in one line of the output: texts, a tuple of words, or a float32."""


@dataclass(frozen=True)
class Command(Generic[Question]):
    """What one command asks.

    ``columns`` names what is in a row of the output. ``reader`` makes, for the lines of a batch, a
    function from a line to a question, which raises a GaiError for one that it cannot read.
    ``words`` are the words of a question, and ``answers`` the rows for several of them.
    """

    columns: Sequence[str]
    reader: Callable[[Sequence[str]], Callable[[str], Question]]
    words: Callable[[Question], Sequence[str]]
    answers: Callable[[Sequence[Question]], Iterable[Row]]


@dataclass
class Count:
    """How many questions there were, how many of them have no answer, and since when."""

    asked: int = 0
    failed: int = 0
    started: float = field(default_factory=perf_counter)

    def fail(self, number: int, error: GaiError) -> None:
        """Says what is wrong with a line of standard input."""
        self.failed += 1
        hint = f" ({error.hint})".replace("\n", "; ") if error.hint else ""
        terminal.say(f"gai: line {number}: {terminal.escape(error.message + hint)}")


def asked(path: str, output: TextOutput, talk: Talk) -> Vectors:
    """The vectors in a file, once it is sure that the answers can be written."""
    check_deps(output)
    writing.check(output.place, output.format)
    return loaded(path, talk)


def from_stdin(given: Sequence[str], usage: str) -> bool:
    """Whether questions come from standard input; a UsageError where nobody would write any."""
    if not given and (sys.stdin is None or terminal.is_terminal(sys.stdin)):
        raise UsageError("nothing is asked", f"{usage}; - reads what you type, a line each")
    return list(given) in ([], ["-"])


def answer(
    command: Command[Question],
    vectors: Vectors,
    asked: Sequence[Question] | None,
    path: str,
    output: TextOutput,
    talk: Talk,
) -> None:
    """Writes the answers to what is asked, or with None to the lines of standard input.

    A line without an answer is reported on standard error, and once all others are answered, a
    GaiError is raised.
    """
    count = Count()
    write_deps(output, [path])
    write(command, answered(command, vectors, asked, count), output)
    if talk.verbose and not talk.quiet:
        seconds = perf_counter() - count.started
        facts = f"{count.asked - count.failed:,} answered from {len(vectors):,} words"
        terminal.say(f"gai: {facts} in {seconds:.2f} s")
    if count.failed:
        lines = "line" if count.asked == 1 else "lines"
        raise GaiError(f"{count.failed:,} of {count.asked:,} {lines} not answered")
    if not count.asked:
        raise GaiError("nothing is asked: standard input is empty", "a question a line")


def ranked(vectors: Vectors, asked: Sequence[str], places: Places, scores: Scores) -> Iterator[Row]:
    """A row for each word found: what was asked, the word, its score."""
    for text, found, values in zip(asked, places.tolist(), scores, strict=True):
        for place, score in zip(found, values, strict=True):
            if place >= 0:
                yield text, vectors.words[place], score


def answered(
    command: Command[Question], vectors: Vectors, asked: Sequence[Question] | None, count: Count
) -> Iterator[list[Row]]:
    """The rows for all questions, or for those on standard input as soon as they are there."""
    if asked is not None:
        count.asked = len(asked)
        yield list(command.answers(asked))
        return
    for batch in batches():
        count.asked += len(batch)
        if questions := readable(command, vectors, batch, count):
            yield list(command.answers(questions))


def readable(
    command: Command[Question], vectors: Vectors, batch: Sequence[tuple[int, str]], count: Count
) -> list[Question]:
    """The questions of a batch that can be answered; the others are reported."""
    read = command.reader([line for _, line in batch])
    found: list[tuple[int, Question | GaiError]] = []
    for number, line in batch:
        try:
            found.append((number, read(line)))
        except GaiError as error:
            found.append((number, error))
    asked = (command.words(one) for _, one in found if not isinstance(one, GaiError))
    missing = lacking(vectors, {word for words in asked for word in words})
    good: list[Question] = []
    for number, one in found:
        if isinstance(one, GaiError):
            count.fail(number, one)
        elif unknown := [word for word in command.words(one) if word in missing]:
            count.fail(number, why(vectors, unknown, count.failed < HINTED))
        else:
            good.append(one)
    return good


def lacking(vectors: Vectors, words: Iterable[str]) -> set[str]:
    """Those words of which the vectors know nothing, not even parts."""
    listed = list(words)
    _, there = vectors.lookup(listed)
    return {word for word, known in zip(listed, there.tolist(), strict=True) if not known}


def why(vectors: Vectors, words: Sequence[str], hinted: bool) -> GaiError:
    """The error for unknown words; ``hinted`` says whether to look for what was meant."""
    from gai.vectors.words import unknown

    return unknown(vectors, words) if hinted else GaiError(f"no word {', '.join(words)}")


def batches() -> Iterator[list[tuple[int, str]]]:
    """The lines of standard input that are not blank, with their numbers, as they arrive.

    Raises GaiError for bytes that are no UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    number, rest = 0, ""
    while True:
        piece = sys.stdin.buffer.read1(READ)  # type: ignore[union-attr]
        try:
            lines = (rest + decoder.decode(piece, final=not piece)).split("\n")
        except UnicodeDecodeError as error:
            line = number + 1 + error.object[: error.start].count(b"\n")
            message = f"standard input, line {line}: this is no UTF-8"
            raise GaiError(message, "convert it first") from error
        rest = lines.pop() if piece else ""
        numbered = [(number + at, line.strip()) for at, line in enumerate(lines, 1)]
        number += len(lines)
        if batch := [(at, line) for at, line in numbered if line]:
            yield batch
        if not piece:
            return


def write(command: Command[Any], rows: Iterator[list[Row]], output: TextOutput) -> None:
    """Writes the answers, each batch as soon as it is known where nobody waits for a whole file."""
    from gai.output.atomic import staged

    if output.to_table():
        for batch in rows:
            terminal.console().print(table(command.columns, batch))
        return
    text = pieces(command.columns, rows, writing.text_format(output.place, output.format))
    if output.place != "-":
        writing.write(text, output.place)
        return
    with terminal.guarded(), staged("-") as (sink,):
        for piece in text:
            sink.write(piece)


def pieces(columns: Sequence[str], rows: Iterator[list[Row]], format: str) -> Iterator[bytes]:
    """The answers as text."""
    if format == "csv":
        yield f"{','.join(columns)}\n".encode()
    line = {"tsv": as_tsv, "csv": as_csv, "jsonl": as_json}[format]
    # Bytes that are no UTF-8 pass as they are, but JSON has an escape for them.
    odd = "backslashreplace" if format == "jsonl" else "surrogateescape"
    for batch in rows:
        yield "".join(line(columns, row) for row in batch).encode("utf-8", odd)


def as_tsv(columns: Sequence[str], row: Row) -> str:
    from gai.output.tsv import escape

    return "\t".join(escape(plain(cell)) for cell in row) + "\n"


def as_csv(columns: Sequence[str], row: Row) -> str:
    from gai.output.csv import quoted

    return ",".join(quoted(plain(cell)) for cell in row) + "\n"


def as_json(columns: Sequence[str], row: Row) -> str:
    from gai.output.jsonl import quoted

    cells = zip(columns, row, strict=True)
    return f"{{{','.join(f'{quoted(name)}:{as_value(cell)}' for name, cell in cells)}}}\n"


def as_value(cell: Any) -> str:
    """A cell in JSON."""
    from gai.output.jsonl import quoted

    if isinstance(cell, tuple):
        return f"[{','.join(map(quoted, cell))}]"
    return quoted(cell) if isinstance(cell, str) else plain(cell)


def plain(cell: Any) -> str:
    """A cell as text: words with spaces between, and the shortest digits that are the same
    float32."""
    if isinstance(cell, tuple):
        return " ".join(cell)
    return cell if isinstance(cell, str) else str(cell + 0)


def table(columns: Sequence[str], rows: Sequence[Row]) -> Any:
    """The answers for a person; what is asked stands in the first line of its answers only."""
    made = display.plain_table()
    for name in columns:
        number = name == "score"
        style = "bold" if name == columns[-2] else None
        made.add_column(name, justify="right" if number else "left", style=style)
    last: Any = None
    for row in rows:
        cells = [terminal.escape(as_shown(cell)) for cell in row]
        made.add_row("" if row[0] == last else cells[0], *cells[1:])
        last = row[0]
    return made


def as_shown(cell: Any) -> str:
    """A cell as a person likes to read it."""
    return plain(cell) if isinstance(cell, str | tuple) else f"{cell + 0:.4f}"
