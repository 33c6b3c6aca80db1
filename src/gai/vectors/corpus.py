"""Corpus: all text of a training run as ids of words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.counts.counting import READING
from gai.counts.sequences import Words, words_of
from gai.counts.store import naming_the_folder
from gai.documents import Batch, Errors, Reader
from gai.errors import GaiError
from gai.kernels import reference
from gai.signature import as_dict, signature
from gai.terms import Terms
from gai.terms.jobs import small_job
from gai.threads import by_workers
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import checked, pieces


class Segmenter(NamedTuple):
    """What finds the sentences of a text, as places in characters; ``name`` says which it is."""

    name: str
    spans: Callable[[str], list[tuple[int, int]]]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Sentences as ids of the words that are frequent enough.

    ``words`` are ordered by falling frequency, ties by their bytes; ``counts`` (int64) says how
    often each occurs. Sentence s is ``ids[bounds[s]:bounds[s + 1]]``: int32 places in ``words``,
    without the words that were left out. Both arrays may be mapped from a temporary file.
    ``read`` is the number of tokens before rare words were left out. ``signature`` is everything
    about text and words that changes a number.
    """

    words: Terms
    counts: NDArray[np.int64]
    ids: NDArray[np.int32]
    bounds: NDArray[np.int64]
    read: int = 0
    signature: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """How many tokens are left."""
        return len(self.ids)


def read_corpus(
    batches: Iterable[Batch],
    analysis: Analysis,
    *,
    min_count: int = 1,
    max_vocab: int | None = None,
    segmenter: Segmenter | None = None,
    jobs: int = 1,
    engine: str = "auto",
) -> Corpus:
    """The documents as sentences of frequent words.

    Words that occur fewer than ``min_count`` times are left out, and all but the ``max_vocab`` most
    frequent. A document is one sentence, or as many as ``segmenter`` finds in it. ``jobs`` is the
    number of threads; ``engine`` is "kernels", "reference" (plain Python) or "auto". Neither
    changes the result. Raises GaiError where no word is left.
    """
    errors: Errors = batches.reading.errors if isinstance(batches, Reader) else "strict"
    stream, plain = iter(batches), engine == "reference"
    if engine == "auto" and analysis.scanned:
        stream, plain = small_job(stream, [f"encode_{analysis.tokenizer}", "join_terms"])
    numbered = [
        _Worker(number, words)
        for number, words in enumerate(words_of(analysis, errors, jobs, plain=plain))
    ]
    if segmenter is not None:
        stream = (in_sentences(batch, segmenter, errors) for batch in stream)
    aside = _Aside()
    documents = 0
    for part in by_workers(_Worker.read, stream, numbered):
        aside.append(part)
        documents += len(part.lengths) - part.continued
    words, counts, places = chosen([(one.words.terms(), one.counts) for one in numbered])
    kept = frequent(words, counts, min_count, max_vocab)
    ids, bounds = aside.renumbered([places_of(kept, one) for one in places])
    return Corpus(
        words.take(kept),
        counts[kept],
        ids,
        bounds,
        int(counts.sum()),
        _signature(
            batches,
            analysis,
            documents=documents,
            words=len(kept),
            vocabulary={
                "min_count": min_count,
                "max_vocab": max_vocab,
                "sentences": segmenter.name if segmenter else None,
            },
        ),
    )


class Part(NamedTuple):
    """The tokens of one batch, as ids of the worker ``worker``, and how many each sentence has."""

    worker: int
    tokens: NDArray[np.int32]
    lengths: NDArray[np.int64]
    continued: bool


class _Worker:
    """One thread's share of the reading."""

    def __init__(self, number: int, words: Words) -> None:
        self.number, self.words = number, words
        self.counts = np.zeros(0, np.int64)

    def read(self, batch: Batch) -> Part:
        found = self.words.read(batch)
        counts = np.bincount(found.tokens, minlength=len(self.counts))
        counts[: len(self.counts)] += self.counts
        self.counts = counts
        return Part(self.number, found.tokens.copy(), np.diff(found.segments), batch.continued)


def in_sentences(batch: Batch, segmenter: Segmenter, errors: Errors) -> Batch:
    """The batch with a document for each sentence of its documents."""
    batch, _ = checked(batch, reference, errors)
    assert batch.starts is not None
    starts: list[int] = []
    ends: list[int] = []
    for piece, start in zip(pieces(batch), batch.starts.tolist(), strict=True):
        text, done, at = piece.decode(), 0, start
        for first, last in segmenter.spans(text):
            at += len(text[done:first].encode())
            starts.append(at)
            at += len(text[first:last].encode())
            ends.append(at)
            done = last
    ids = [""] * len(starts)
    return replace(batch, starts=np.array(starts, np.int64), ends=np.array(ends, np.int64), ids=ids)


def chosen(
    workers: list[tuple[Terms, NDArray[np.int64]]],
) -> tuple[Terms, NDArray[np.int64], list[NDArray[np.int64]]]:
    """All distinct words sorted by their bytes, how often each occurs, and for each worker the
    place of each of its words among them."""
    together = Terms.concatenate([terms for terms, _ in workers])
    order, ranks = together.group()
    distinct = order[np.flatnonzero(np.diff(ranks[order], prepend=-1))]
    counts = np.zeros(len(distinct), np.int64)
    places, first = [], 0
    for terms, found in workers:
        mine = ranks[first : first + len(terms)]
        counts[mine[: len(found)]] += found
        places.append(mine)
        first += len(terms)
    return together.take(distinct), counts, places


def frequent(
    words: Terms, counts: NDArray[np.int64], min_count: int, max_vocab: int | None
) -> NDArray[np.int64]:
    """The places of the words to keep, most frequent first, ties in the order they have.

    Raises GaiError where there is none.
    """
    order = np.argsort(-counts, kind="stable")
    if not len(order) or not counts[order[0]]:
        raise GaiError("there are no words in the input", "training needs text")
    kept = order[counts[order] >= min_count][:max_vocab]
    if not len(kept):
        most = int(counts[order[0]])
        raise GaiError(
            f"no word occurs {min_count} times: the most frequent, {words[int(order[0])]!r}, "
            f"occurs {most} time{'s' * (most > 1)}",
            f"--min-count {most} keeps it; more text would be better",
        )
    return kept


def places_of(kept: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int32]:
    """The place of each of a worker's words among those kept, -1 for the others."""
    rank = np.full(int(max(places.max(initial=0), kept.max(initial=0))) + 1, -1, np.int32)
    rank[kept] = np.arange(len(kept), dtype=np.int32)
    return rank[places]


class _Aside:
    """Ids in a temporary file without a name, which goes when the process ends."""

    def __init__(self) -> None:
        with naming_the_folder():
            self.file: BinaryIO = tempfile.TemporaryFile(prefix="gai-")  # noqa: SIM115
        self.parts: list[Part] = []

    def append(self, part: Part) -> None:
        """Puts the tokens of a part aside, and keeps the rest of it."""
        with naming_the_folder():
            self.file.write(part.tokens.data)
        self.parts.append(part._replace(tokens=part.tokens[:0].copy()))

    def renumbered(
        self, places: list[NDArray[np.int32]]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """All ids with their final numbers, and the bounds of the sentences that have any.

        They are written over what is there, for they are never more.
        """
        bounds, written, read = [np.zeros(1, np.int64)], 0, 0
        goes_on = [*(part.continued for part in self.parts[1:]), False]
        for part, open_ended in zip(self.parts, goes_on, strict=True):
            size = int(part.lengths.sum())
            ids = places[part.worker][self._read(read, size)]
            kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(ids >= 0)])
            ends = written + kept[np.cumsum(part.lengths)]
            bounds.append(ends[:-1] if open_ended else ends)
            self._write(written, ids[ids >= 0])
            written, read = written + int(kept[-1]), read + size
        ends = np.concatenate(bounds)
        return self._mapped(written), ends[np.diff(ends, prepend=-1) > 0]

    def _read(self, place: int, size: int) -> NDArray[np.int32]:
        with naming_the_folder():
            self.file.seek(4 * place)
            return np.fromfile(self.file, np.int32, size)

    def _write(self, place: int, ids: NDArray[np.int32]) -> None:
        with naming_the_folder():
            self.file.seek(4 * place)
            self.file.write(ids.data)

    def _mapped(self, size: int) -> NDArray[np.int32]:
        if not size:
            return np.zeros(0, np.int32)
        with naming_the_folder():
            self.file.truncate(4 * size)
            self.file.flush()
        return np.memmap(self.file, np.int32, "r", shape=(size,))


def _signature(
    batches: Iterable[Batch],
    analysis: Analysis,
    *,
    documents: int,
    words: int,
    vocabulary: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything about text and words that changes a number."""
    reading, digest = None, ""
    if isinstance(batches, Reader):
        reading = {name: getattr(batches.reading, name) for name in READING}
        digest = batches.digest()
    made = signature(
        "corpus",
        as_dict(analysis),
        documents=documents,
        terms=words,
        reading=reading,
        input_digest=digest,
    )
    return made | {"vocabulary": dict(vocabulary)}
