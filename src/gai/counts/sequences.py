"""Documents as ids of words in order, and room beside memory to put them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.counts.ngrams import Sequences, source
from gai.counts.store import naming_the_folder
from gai.documents import Batch, Errors
from gai.kernels import reference
from gai.terms import Terms
from gai.terms.forming import Forming, before_forms, forming
from gai.terms.plain import terms_of_each
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import checked, pieces, prepared

NO_IDS = np.zeros(0, np.int32)


class Words(NamedTuple):
    """Where ids of words come from: what makes them of a batch, and all words so far, by id."""

    read: Callable[[Batch], Sequences]
    terms: Callable[[], Terms]


def words_of(analysis: Analysis, errors: Errors, jobs: int, *, plain: bool) -> list[Words]:
    """One for each thread that there is work for, each with ids of its own; ``plain`` ones use no
    kernels, and there is one of them."""
    made = forming(analysis)
    if plain or not analysis.scanned:
        return [_plain_words(analysis, made, errors)]
    return [_kernel_words(analysis, made, errors) for _ in range(max(jobs, 1))]


def _kernel_words(analysis: Analysis, made: Forming | None, errors: Errors) -> Words:
    before, ops = before_forms(analysis), kernels.load()
    found = source(before, ops, made)

    def read(batch: Batch) -> Sequences:
        ready = prepared(batch, ops, errors, before)
        return found.sequences(ready.batch, ready.fold)

    return Words(read, lambda: found.spelled(NO_IDS)[0])


def _plain_words(analysis: Analysis, made: Forming | None, errors: Errors) -> Words:
    words_of_each = terms_of_each(analysis, made)
    numbers: dict[str, int] = {}

    def read(batch: Batch) -> Sequences:
        batch, _ = checked(batch, reference, errors)
        texts = list(words_of_each([text.decode() for text in pieces(batch)]))
        ids = [numbers.setdefault(word, len(numbers)) for words in texts for word in words]
        segments = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return Sequences(np.array(ids, np.int32), segments, np.arange(len(segments)))

    return Words(read, lambda: Terms.of(numbers))


class Aside:
    """Token ids in a temporary file without a name, which goes when the process ends."""

    def __init__(self) -> None:
        with naming_the_folder():
            self.file = tempfile.TemporaryFile(prefix="gai-")  # noqa: SIM115
        self.sizes: list[tuple[int, int]] = []

    def append(self, tokens: NDArray[np.int32], segments: NDArray[np.int64]) -> None:
        """Put the tokens of a batch aside."""
        with naming_the_folder():
            self.file.write(tokens.data)
            self.file.write(segments.data)
        self.sizes.append((len(tokens), len(segments)))

    def __iter__(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
        with naming_the_folder():
            self.file.seek(0)
        for tokens, segments in self.sizes:
            yield (
                np.fromfile(self.file, np.int32, tokens),
                np.fromfile(self.file, np.int64, segments),
            )
