"""From the flags to counts: what freq, bow and tfidf do alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from gai.cli import choices, display, terminal, writing
from gai.cli.options import Documents, Output, Run, Talk
from gai.cli.progress import progress
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.counts import Counts
    from gai.documents import Reader
    from gai.tokens.analysis import Analysis


@dataclass(frozen=True)
class Counted:
    """The counts of all documents, where they came from, and since when the work runs."""

    counts: Counts
    reader: Reader
    started: float

    def speed(self) -> display.Facts:
        """How much was read, and how fast, until now."""
        return display.speed(self.reader.bytes_read, perf_counter() - self.started)


def counted(documents: Documents, analysis: Analysis, run: Run, *, rows: bool = True) -> Counted:
    """The counts of the documents; ``rows`` asks for those of each document, not only of all.

    Raises UsageError where there is no input, and GaiError where it holds no document.
    """
    from gai.counts import count
    from gai.documents import Reader

    started = perf_counter()
    require_input(documents)
    reader = Reader(choices.reading(documents, analysis, run.memory))
    announce_compiling(run)
    with progress(reader, run.quiet):
        counts = count(reader, analysis, jobs=run.threads, memory=run.memory, rows=rows)
    if not len(counts.documents):
        names = ", ".join(source.name for source in reader.sources[:3])
        raise GaiError(f"no documents in {names}", "the input is empty")
    if reader.skipped and not run.quiet:
        records = "record" if reader.skipped == 1 else "records"
        terminal.say(f"gai: left out {reader.skipped:,} broken {records}")
    return Counted(counts, reader, started)


def require_input(documents: Documents) -> None:
    """Raises a UsageError where nothing was named and a person sits at the keyboard."""
    if choices.names_input(documents):
        return
    if sys.stdin is None or sys.stdin.closed or terminal.is_terminal(sys.stdin):
        raise UsageError(
            "no input: name files or folders, or pipe text in",
            "- reads what you type, until Ctrl-D",
        )


def announce_compiling(run: Run) -> None:
    """Says on standard error that kernels are compiled, should it come to that."""
    from gai import kernels

    if not run.quiet:
        line = "gai: compiling for this machine, which is done once and takes about half a minute"
        kernels.load(lambda: terminal.say(line))


def report(output: Output, talk: Talk, facts: Callable[[], display.Facts]) -> None:
    """One line on standard error, for a person who gets a file, and for who asked with -v."""
    person = terminal.is_terminal(sys.stderr) and output.place != "-"
    if not talk.quiet and (talk.verbose or person):
        terminal.say(f"gai: {display.sentence(facts())}")


def write_deps(output: Output, files: Iterable[str], beside: Iterable[str | None] = ()) -> None:
    """Writes the Make dependency file, where one was asked for: before the output, so that an
    output never stands without it.

    ``beside`` are files named by options; what is no file there, such as a language, is left out.
    """
    from gai.output import write_deps

    if output.deps:
        found = [path for path in beside if path and os.path.isfile(path)]
        write_deps(output.deps, output.place, [*files, *found])


def check_deps(output: Output) -> None:
    """Raises where there would be nothing to write a rule about, or no place for it."""
    if output.deps and output.place == "-":
        raise UsageError("--deps needs -o FILE", "a rule names the file that is made")
    if output.deps:
        writing.check_place(output.deps)
