"""Counting: batches to workers, their rows to the store, their terms to one vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gai import kernels
from gai.counts.merging import merged
from gai.counts.part import Part
from gai.counts.result import Counts, Origin
from gai.counts.store import Store
from gai.counts.workers import KernelWorker, NgramWorker, PlainWorker, Worker
from gai.documents import Batch, DocumentIds, Errors, Reader
from gai.terms.forming import forming
from gai.terms.jobs import small_job
from gai.threads import by_workers
from gai.tokens.analysis import Analysis

READING = ("per", "input_format", "text_field", "errors", "skip_bad", "pretokenized")
"""The choices about reading that can change a number."""


def count(
    batches: Iterable[Batch],
    analysis: Analysis,
    *,
    jobs: int = 1,
    memory: int | None = None,
    rows: bool = True,
    engine: str = "auto",
) -> Counts:
    """The counts of all terms in all documents.

    ``jobs`` is the number of threads, ``memory`` how much the process may take (bytes) before rows
    go to a temporary file. Without ``rows`` only the totals are kept. ``engine`` is "kernels",
    "reference" (plain Python) or "auto". Neither changes the result.
    """
    errors: Errors = batches.reading.errors if isinstance(batches, Reader) else "strict"
    stream, small = iter(batches), False
    if engine == "auto":
        stream, small = small_job(stream, _needed(analysis))
    workers = _workers(analysis, errors, jobs, plain=engine == "reference" or small)
    store, documents = Store(memory), DocumentIds()
    for part in _parts(stream, workers):
        _append_ids(documents, part)
        store.append(part if rows else _totals_only(part))
    return merged(store, workers, documents, analysis, _origin(batches))


def _origin(batches: Iterable[Batch]) -> Origin:
    if not isinstance(batches, Reader):
        return Origin()
    reading = {name: getattr(batches.reading, name) for name in READING}
    return Origin(reading, batches.digest())


def _workers(analysis: Analysis, errors: Errors, jobs: int, plain: bool) -> Sequence[Worker]:
    made, numbers = forming(analysis), range(max(jobs, 1))
    if plain or not (analysis.scanned or analysis.analyzer != "word"):
        return [PlainWorker(0, analysis, errors, made)]
    if analysis.scanned and analysis.ngrams == (1, 1) and made is None:
        return [KernelWorker(number, analysis, errors, kernels.load()) for number in numbers]
    return [NgramWorker(number, analysis, errors, kernels.load(), made) for number in numbers]


def _needed(analysis: Analysis) -> list[str]:
    """The kernels that most of the time goes into."""
    one = analysis.analyzer == "word" and analysis.ngrams == (1, 1) and not analysis.form
    return [f"count_{analysis.tokenizer}" if one else "count_ngrams", "finish_rows"]


def _parts(batches: Iterable[Batch], workers: Sequence[Worker]) -> Iterator[Part]:
    """The rows of all batches in order; each batch goes to a worker that is free."""
    return by_workers(lambda worker, item: worker.rows(*item), enumerate(batches), workers)


def _append_ids(documents: DocumentIds, part: Part) -> None:
    if isinstance(part.names, str):
        documents.append_lines(part.names, part.rows, part.restart)
    else:
        documents.append_names(part.names[1:] if part.continued else part.names)
    part.names = ""


def _totals_only(part: Part) -> Part:
    """The part with the cells of those rows alone that another part may share."""
    kept = np.zeros(part.rows, np.bool_)
    kept[-1:] = True
    kept[:1] |= part.continued
    cells = np.repeat(kept, np.diff(part.indptr))
    indptr = np.concatenate([[0], np.cumsum(np.diff(part.indptr) * kept)])
    ids = part.ids[cells]
    return replace(part, cells=len(ids), indptr=indptr, ids=ids, counts=part.counts[cells])
