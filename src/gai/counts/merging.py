"""Merging: the terms of all workers become one vocabulary, split documents become one row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gai.counts.part import Part
from gai.counts.result import Chunk, Counts, Origin
from gai.counts.store import Store
from gai.counts.workers import Worker
from gai.documents import DocumentIds
from gai.errors import GaiError
from gai.terms import Terms
from gai.tokens.analysis import Analysis

Ints = NDArray[np.int64]


def merged(
    store: Store,
    workers: Sequence[Worker],
    documents: DocumentIds,
    analysis: Analysis,
    origin: Origin,
) -> Counts:
    """The counts of all parts, with one sorted vocabulary for all workers.

    Which worker took which batch leaves no trace: terms are sorted by their bytes, and where each
    appeared first follows from the number of the batch and the order inside the batch.
    """
    vocabularies = [worker.terms() for worker in workers]
    everything = Terms.concatenate(vocabularies)
    order, ranks = everything.group()
    begins = np.flatnonzero(np.diff(ranks[order], prepend=-1))
    tf, df = np.zeros(len(begins), np.int64), np.zeros(len(begins), np.int64)
    maps = np.split(ranks, np.cumsum([len(terms) for terms in vocabularies])[:-1])
    for worker, numbers in zip(workers, maps, strict=True):
        tf[numbers] += _filled(worker.totals.tf, len(numbers))
        df[numbers] += _filled(worker.totals.df, len(numbers))
    firsts = np.concatenate([_firsts(w, len(m)) for w, m in zip(workers, maps, strict=True)])
    first = np.minimum.reduceat(firsts[order], begins) if len(begins) else firsts
    kept = np.flatnonzero(df)
    new = np.full(len(df), -1, np.int32)
    new[kept] = np.arange(len(kept), dtype=np.int32)
    counts = Counts(
        terms=everything.take(order[begins[kept]]),
        documents=documents,
        tf=tf[kept],
        df=df[kept],
        first=first[kept],
        store=store,
        numbers=[new[numbers] for numbers in maps],
        analysis=analysis,
        origin=origin,
    )
    join(counts)
    return counts


def _filled(totals: Ints, size: int) -> Ints:
    filled = np.zeros(size, np.int64)
    filled[: len(totals[:size])] = totals[:size]
    return filled


def _firsts(worker: Worker, size: int) -> Ints:
    """Where each term of a worker appeared first: the number of the batch, then its own number."""
    known = [known for _, known in worker.begun]
    batches = np.array([number for number, _ in worker.begun], np.int64)
    firsts = np.zeros(size, np.int64)
    firsts[: known[0] if known else size] = -1
    if known:
        firsts[known[0] :] = np.repeat(batches, np.diff([*known, size]))
    return (firsts << 32) + np.arange(size)


def join(counts: Counts) -> None:
    """Set the chunks of ``counts``, with one row for each split document.

    The df of the terms of a split document is put right: each of its parts counted as one.
    """
    store, row = counts.store, 0
    for index, part in enumerate(store.parts):
        rows = part.rows
        goes_on = index + 1 < len(store) and store.parts[index + 1].continued
        start, stop = int(part.continued), rows - int(goes_on)
        if start < stop:
            counts.chunks.append(Chunk(row, index, start, stop))
            row += stop - start
        begins = goes_on and not (part.continued and rows == 1)
        if begins:
            counts.chunks.append(Chunk(row, _joined_row(counts, index), 0, 1))
            row += 1


def _joined_row(counts: Counts, index: int) -> Part:
    """The row of the document that begins as the last one of part ``index``."""
    pieces = [_row(counts, index, -1)]
    last = index + 1
    while last < len(counts.store) and counts.store.parts[last].continued:
        pieces.append(_row(counts, last, 0))
        if counts.store.parts[last].rows > 1:
            break
        last += 1
    ids = np.concatenate([ids for ids, _, _, _ in pieces])
    distinct, places = np.unique(ids, return_inverse=True)
    totals = np.zeros(len(distinct), np.int64)
    np.add.at(totals, places, np.concatenate([found for _, found, _, _ in pieces]))
    if totals.max(initial=0) > np.iinfo(np.int32).max:
        raise GaiError("a document holds a term more than 2,147,483,647 times")
    np.subtract.at(counts.df, ids, 1)
    counts.df[distinct] += 1
    return Part(
        worker=-1,
        rows=1,
        cells=len(distinct),
        indptr=np.array([0, len(distinct)], np.int64),
        ids=distinct.astype(np.int32),
        counts=totals.astype(np.int32),
        lengths=np.array([sum(length for _, _, length, _ in pieces)], np.int64),
        sizes=np.array([sum(size for _, _, _, size in pieces)], np.int64),
        names="",
        restart=False,
        continued=False,
    )


def _row(counts: Counts, index: int, row: int) -> tuple[NDArray[np.int32], Ints, int, int]:
    """Ids in the common vocabulary, counts, length and size of one row of a part."""
    part = counts.store[index]
    row %= part.rows
    cells = slice(int(part.indptr[row]), int(part.indptr[row + 1]))
    ids = counts.numbers[part.worker][part.ids[cells]]
    found = part.counts[cells].astype(np.int64)
    return ids, found, int(part.lengths[row]), int(part.sizes[row])
