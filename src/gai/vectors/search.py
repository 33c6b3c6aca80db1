"""Search: the documents whose vectors have the highest cosine with that of a query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gai.counts import count
from gai.documents import Batch, cut, from_texts
from gai.errors import GaiError
from gai.kernels import reference
from gai.output.dense import Blocks, StoredDense
from gai.output.vectors import Vectors
from gai.tokens.analysis import Analysis
from gai.vectors.documents import Learned, applied
from gai.vectors.neighbours import cosine, cosines, margin, unit
from gai.vectors.words import unknown

STEP = 1 << 14
"""Rows of a file that are scored at once."""

Rows = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Query:
    """The vector of a query, float32 (dim,), and those of its words that have none."""

    vector: Rows
    missing: Sequence[str]


def query(text: str, analysis: Analysis, vectors: Vectors, learned: Learned) -> Query:
    """The vector of a text, made as those of the documents were.

    Raises GaiError where no word of it has a vector, with words spelt like its own.
    """
    counts = count([one_document(text)], analysis)
    if not len(counts.terms):
        raise GaiError("there is no word in the query")
    made = applied(counts, vectors, learned)
    missing = np.delete(np.arange(len(counts.terms)), made.words.numbers)
    missing = missing[np.argsort(counts.first[missing])]
    names = list(counts.terms.take(missing))
    if made.empty:
        raise unknown(vectors, names)
    vector = made.array()[0]
    if not vector.any():
        raise GaiError("the vector of the query is zero", "ask for something else")
    return Query(vector, names)


def one_document(text: str) -> Batch:
    """A batch of one document; raises GaiError for what is no text."""
    try:
        return from_texts([text], ["query"])
    except UnicodeEncodeError as error:
        raise GaiError("the query is no UTF-8", "which encoding has the terminal?") from error


def best(blocks: Blocks, query: Rows, k: int) -> tuple[Places, Rows]:
    """The numbers of the ``k`` rows with the highest cosine with ``query``, float32 (dim,), and
    these cosines, float32: best first, equal ones in their order.

    Rows of zeros are not found, so that there may be fewer than ``k``. The cosines are those of
    float64: float32 only says which rows are worth it, see gai.vectors.neighbours.
    """
    wide = unit(query[None])
    narrow = wide[0].astype(np.float32)
    places, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for first, rows in blocks:
        near = hopeful(rows, narrow, k, float(scores[-1]) if len(scores) == k else -np.inf)
        found = cosine(np.broadcast_to(wide, (len(near), len(query))), rows[near])
        places = np.concatenate([places, near + first])
        scores = np.concatenate([scores, found.astype(np.float32)])
        order = np.lexsort((places, -scores))[:k]
        places, scores = places[order], scores[order]
    return places, scores


def hopeful(rows: Rows, unit: Rows, k: int, floor: float) -> Places:
    """The rows whose cosine may be among the ``k`` highest, and ``floor`` or more."""
    rough = cosines(unit[None], rows)[0]
    at_zero = np.flatnonzero(rough == 0)
    rough[at_zero[~rows[at_zero].any(axis=1)]] = -np.inf
    slack = 2 * float(margin(len(unit)))
    if len(rough) > k:
        floor = max(floor, float(np.partition(rough, -k)[-k]) - slack)
    return np.flatnonzero((rough >= floor - slack) & (rough > -np.inf))


def rows_of(index: StoredDense) -> Iterator[tuple[int, Rows]]:
    """The vectors of a file of documents in blocks."""
    for first in range(0, index.shape[0], STEP):
        yield first, index.vectors[first : first + STEP]


def check_index(index: StoredDense, vectors: Vectors, path: str) -> None:
    """Raises GaiError where the documents of ``index`` were not made with these vectors, of the
    file ``path``."""
    hint = f"gai vectors documents {path} FILES -o {index.path} makes them anew"
    if index.shape[1] != vectors.dim:
        dims = f"{index.path} has {index.shape[1]} dimensions, {path} has {vectors.dim}"
        raise GaiError(f"{dims}: the documents were made with other vectors", hint)
    if index.signature.get("vectors", {}).get("fingerprint") != vectors.fingerprint():
        raise GaiError(f"{index.path} was made with other vectors than {path}", hint)


def beginnings(batches: Iterable[Batch], wanted: Iterable[int], size: int) -> dict[int, str]:
    """The first ``size`` bytes or so of the text of each wanted document, by its number."""
    left, found = sorted(set(wanted)), dict[int, str]()
    done = 0
    for batch in batches:
        if not left:
            break
        done -= batch.continued
        count = documents_in(batch)
        here = [number for number in left if done <= number < done + count]
        if here:
            found |= starts_of(batch, here, done, size)
            left = left[len(here) :]
        done += count
    return found


def documents_in(batch: Batch) -> int:
    """How many documents, or parts of documents, a batch holds."""
    if batch.starts is not None:
        return len(batch.starts)
    return reference.count_lines(batch.data, batch.size)


def starts_of(batch: Batch, numbers: Sequence[int], done: int, size: int) -> dict[int, str]:
    """The beginnings of some documents of a batch, of which the first has the number ``done``."""
    lines = cut(batch, reference)
    assert lines.starts is not None
    assert lines.ends is not None
    found = {}
    for number in numbers:
        start, end = int(lines.starts[number - done]), int(lines.ends[number - done])
        text = lines.data[start : min(end, start + size)].tobytes()
        found[number] = text.decode("utf-8", "ignore")
    return found
