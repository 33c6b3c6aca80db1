"""Learning: from documents to phrases."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from gai import kernels
from gai.counts.counting import READING
from gai.counts.ngrams import Sequences
from gai.counts.sequences import Aside, Words, words_of
from gai.documents import Batch, Errors, Reader
from gai.errors import UsageError
from gai.kernels import reference
from gai.phrases.applying import Joiner
from gai.phrases.model import Learning, Phrases
from gai.phrases.pairs import Found, PairTable, merged
from gai.phrases.scoring import phrases
from gai.signature import as_dict, signature
from gai.terms import Terms
from gai.terms.jobs import small_job
from gai.threads import by_workers, in_order
from gai.tokens.analysis import Analysis

KERNELS = ("count_pairs", "rehash_counts", "join_phrases")


def learn(
    batches: Iterable[Batch],
    analysis: Analysis,
    learning: Learning,
    *,
    jobs: int = 1,
    engine: str = "auto",
) -> Phrases:
    """The phrases of all documents; no phrase goes across two of them.

    They are exactly those that gensim's ``Phrases(...).export_phrases()`` finds in the same tokens,
    with the same scores, where no token holds the delimiter; where one does, those that gensim
    finds with another delimiter. Nothing is forgotten on the way (gensim's ``max_vocab_size``).
    ``jobs`` is the number of threads. ``engine`` is "kernels", "reference" (plain Python) or
    "auto". Neither changes the result. No document may come in parts.
    """
    if analysis.analyzer != "word" or analysis.ngrams != (1, 1):
        raise UsageError("phrases are learned from single tokens, not from n-grams")
    errors: Errors = batches.reading.errors if isinstance(batches, Reader) else "strict"
    stream, small = iter(batches), engine == "reference"
    if engine == "auto":
        scan = [f"encode_{analysis.tokenizer}"] if analysis.scanned else []
        stream, small = small_job(stream, [*scan, *KERNELS])
    workers = _workers(analysis, learning, errors, jobs, plain=small)
    # The twins take long to begin, so they get everything at once.
    items = [list(stream)] if small else ([batch] for batch in stream)
    documents = sum(by_workers(Worker.read, items, workers))
    learned = Phrases(learning, (phrases(merged([one.found() for one in workers]), learning),))
    for _ in range(1, learning.passes):
        for _ in in_order(partial(Worker.read_again, learned=learned), workers, jobs):
            pass
        found = phrases(merged([one.found() for one in workers]), learning)
        learned = Phrases(learning, (*learned.passes, found))
    return Phrases(learning, learned.passes, _signature(batches, analysis, learned, documents))


class Worker:
    """One thread's share of the work: batches in, counts of words and pairs, with ids of its own.

    Where there is a second pass the ids are put aside, so that standard input is read only once.
    """

    def __init__(self, words: Words, ops: Any, learning: Learning) -> None:
        self.words, self.ops = words, ops
        self.connectors = frozenset(learning.connectors)
        self.terms, self.flags = Terms.of([]), np.zeros(0, np.uint8)
        self.table = PairTable(ops)
        self.aside = Aside() if learning.passes > 1 else None

    def read(self, batches: list[Batch]) -> int:
        """The number of documents of a few batches, which have been counted."""
        found = concatenated([self.words.read(batch) for batch in batches])
        self.terms = self.words.terms()
        self._flag(self.terms[len(self.flags) :])
        self.table.add(found.tokens, found.segments, self.flags)
        if self.aside is not None:
            self.aside.append(found.tokens, found.segments)
        return len(found.segments) - 1

    def read_again(self, learned: Phrases) -> None:
        """Counts once more, with the phrases so far as words."""
        joiner, words = Joiner(learned, self.ops), list(self.words.terms())
        joiner.extend(words)
        numbers: dict[str, int] = {}  # a token may look like a phrase
        same = [numbers.setdefault(word, len(numbers)) for word in chain(joiner.units, words)]
        ids = np.array(same, np.int32)
        self.terms = Terms.of(numbers)
        self.flags, self.table = np.zeros(0, np.uint8), PairTable(self.ops)
        self._flag(self.terms)
        for tokens, segments in self.aside or ():
            units, bounds, _, _ = joiner.units_of(tokens, segments)
            self.table.add(ids[units], bounds, self.flags)

    def _flag(self, new: Terms) -> None:
        flags = np.zeros(len(new), np.uint8)
        if self.connectors:
            flags[:] = [word in self.connectors for word in new]
        self.flags = np.concatenate([self.flags, flags])

    def found(self) -> Found:
        """What has been found."""
        return Found(self.terms, self.flags, self.table)


def concatenated(parts: list[Sequences]) -> Sequences:
    """The documents of all parts, each of which has one segment a document."""
    if len(parts) == 1:
        return parts[0]
    lengths = [np.diff(part.segments) for part in parts]
    segments = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
    tokens = np.concatenate([np.zeros(0, np.int32), *(part.tokens for part in parts)])
    return Sequences(tokens, segments, np.arange(len(segments)))


def _workers(
    analysis: Analysis, learning: Learning, errors: Errors, jobs: int, *, plain: bool
) -> list[Worker]:
    ops: Any = reference if plain else kernels.load()
    return [Worker(words, ops, learning) for words in words_of(analysis, errors, jobs, plain=plain)]


def _signature(
    batches: Iterable[Batch], analysis: Analysis, learned: Phrases, documents: int
) -> dict[str, Any]:
    """Everything that changes a phrase or a score, fit for JSON."""
    reading, digest = None, ""
    if isinstance(batches, Reader):
        reading = {name: getattr(batches.reading, name) for name in READING}
        digest = batches.digest()
    made = signature(
        "phrases",
        as_dict(analysis),
        documents=documents,
        terms=len(learned),
        reading=reading,
        input_digest=digest,
    )
    plain: dict[str, Any] = json.loads(json.dumps(made | {"learning": as_dict(learned.learning)}))
    return plain
