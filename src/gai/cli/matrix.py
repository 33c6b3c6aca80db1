"""What bow and tfidf share, from the flags to the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gai.cli import display, heaviest, terminal, writing
from gai.cli.counting import Counted, check_deps, counted, report, write_deps
from gai.cli.explain import explain
from gai.cli.options import Columns, Documents, Model, Output, Run, Terms, Weights
from gai.cli.plan import plan
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output import Result


@dataclass(frozen=True)
class Task:
    """What the user asked for. ``weights`` is None for counts."""

    documents: Documents
    terms: Terms
    columns: Columns
    model: Model
    output: Output
    run: Run
    weights: Weights | None = None
    top: int | None = None
    explain: tuple[str, str] | None = None


def run(task: Task) -> None:
    """Reads, counts, weighs and writes; what can be refused is refused before the work."""
    check_output(task)
    planned = plan(task.documents, task.terms, task.columns, task.model, task.weights)
    found = counted(task.documents, planned.analysis, task.run)
    counts = planned.counts(found)
    if task.explain:
        explain(task.explain, planned, counts)
        return
    result = planned.weighted(counts)
    beside = (task.columns.vocabulary, task.model.apply, task.terms.stop_words)
    write_deps(task.output, found.reader.files, beside)
    deliver(task, result, found)
    size = display.size(result.shape, result.nnz)
    report(task.output, task.run, lambda: size | found.speed())


def check_output(task: Task) -> None:
    """Raises where the output cannot be written as asked."""
    from gai import output

    place, format = task.output.place, task.output.format
    check_deps(task.output)
    if task.explain and (task.top or task.output.output or format):
        raise UsageError("--explain prints a few numbers", "leave out --top, -o and --format")
    if task.top:
        writing.check(place, format)
    elif not (task.explain or task.output.to_table()):
        output.check(place, format)


def deliver(task: Task, result: Result, found: Counted) -> None:
    """Puts the matrix, or what was asked for of it, where it was asked for."""
    from gai import output

    jobs, place, format = task.run.threads, task.output.place, task.output.format
    if task.output.to_table():
        facts = display.size(result.shape, result.nnz) | found.speed()
        display.matrix(result, task.top, facts, jobs)
    elif task.top:
        ranked = heaviest.heaviest(result, task.top, jobs)
        writing.write(heaviest.pieces(ranked, writing.text_format(place, format)), place)
    else:
        with terminal.guarded():
            output.write(result, place, format, jobs=jobs)
