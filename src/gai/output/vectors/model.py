"""Vectors: words and a row of numbers for each, wherever they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors.subwords import Composed, Rows, Subwords, not_finite
from gai.terms import Terms

SAMPLE = 64
"""Rows that a fingerprint is made of."""

BLOCK = 1 << 24
"""Bytes of float32 rows that are looked at together, so that they stay in the cache."""

FEW = 64
"""Words that are looked for one by one; for more of them a dictionary is made."""

__all__ = ["Subwords", "Vectors"]


class Vectors:
    """The vectors of ``len(self)`` words, ``dim`` numbers each, most frequent words first where
    the file kept that order.

    ``matrix`` is (words, dim), C order, perhaps mapped from a file: float32, float16, or int8
    with ``scales`` (float32, one a row: a vector is ``scale * row``). ``counts`` says how often
    each word occurred, where that is known. ``signature`` is everything that changed a number;
    ``state`` is what training needs to go on, by name. With ``subwords`` words without a row have
    vectors too, and ``matrix`` may be None: it is then made of the parts of words, row by row.

    ``notes`` says what a person should know about how the file was read; ``format`` names it.
    """

    def __init__(
        self,
        words: Terms,
        matrix: NDArray[Any] | None,
        *,
        scales: NDArray[np.float32] | None = None,
        counts: NDArray[np.int64] | None = None,
        signature: Mapping[str, Any] | None = None,
        state: Mapping[str, NDArray[Any]] | None = None,
        subwords: Subwords | None = None,
    ) -> None:
        if matrix is None and subwords is None:
            raise ValueError("neither a matrix nor parts of words")
        self.words, self.scales, self.counts = words, scales, counts
        self.signature = dict(signature or {})
        self.state = dict(state or {})
        self.subwords = subwords
        self.notes: list[str] = []
        self.format = ""
        self._matrix = matrix

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"<{len(self)} words, {self.dim} numbers each>"

    @cached_property
    def _composed(self) -> Composed:
        assert self.subwords is not None
        return Composed(self.words, self.subwords)

    @property
    def matrix(self) -> NDArray[Any]:
        """The numbers of all words (words, dim), all of them made where they are made of parts."""
        return self._composed.block(0, len(self)) if self._matrix is None else self._matrix

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        if self._matrix is None:
            assert self.subwords is not None
            return self.subwords.dim
        return int(self._matrix.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the numbers are stored as."""
        return np.dtype(np.float32) if self._matrix is None else self._matrix.dtype

    @property
    def knows_parts(self) -> bool:
        """Whether words without a row have vectors too, made of their parts."""
        return self.subwords is not None and self.subwords.any

    def block(self, start: int, stop: int) -> Rows:
        """The vectors of words ``start`` to ``stop``: float32 (stop - start, dim), not to be
        changed."""
        if self._matrix is None:
            return self._composed.block(start, stop)
        return self._scaled(self._matrix[start:stop], slice(start, stop))

    def take(self, rows: NDArray[np.integer]) -> Rows:
        """The vectors at the places ``rows``, in that order: a new float32 (rows, dim).

        Raises GaiError where one holds NaN or infinity.
        """
        places = np.asarray(rows, np.int64)
        if self._matrix is None:
            taken = self._composed.take(places)
        else:
            taken = np.array(self._scaled(self._matrix[places], places))
        if (bad := not_finite(taken)) >= 0:
            raise self._not_finite(int(places[bad]))
        return taken

    def blocks(self) -> Iterator[tuple[int, Rows]]:
        """All vectors, as the place of the first and the rows, a few MiB at a time."""
        step = max(1, BLOCK // max(1, 4 * self.dim))
        for start in range(0, len(self), step):
            yield start, self.block(start, min(len(self), start + step))

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits from all words and a few rows: the same for the same
        vectors."""
        places = np.unique(np.linspace(0, max(len(self) - 1, 0), SAMPLE).astype(np.int64))
        rows = self.take(places[: len(self)])
        digest = sha256()
        for array in (self.words.arena, self.words.offsets, rows):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """The Euclidean length of each vector: float32 (words,).

        Raises GaiError where a vector holds NaN or infinity: a mapped file is not looked through
        before.
        """
        found = np.empty(len(self), np.float32)
        for start, rows in self.blocks():
            norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            if not np.isfinite(norms).all():
                self.check(start, rows)
                norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
            found[start : start + len(rows)] = norms
        return found

    def only(self, places: NDArray[np.int64]) -> Vectors:
        """The vectors of the words at ``places``, in that order, without the state of training."""
        subwords = self.subwords
        if subwords is not None:
            subwords = replace(subwords, words=subwords.words[places])
        made = Vectors(
            self.words.take(places),
            None if self._matrix is None else self._matrix[places],
            scales=None if self.scales is None else self.scales[places],
            counts=None if self.counts is None else self.counts[places],
            signature=self.signature,
            subwords=subwords,
        )
        made.notes, made.format = [*self.notes], self.format
        return made

    def check(self, start: int, rows: Rows) -> None:
        """Raises GaiError where one of the ``rows`` from word ``start`` on is not finite."""
        if (bad := not_finite(rows)) >= 0:
            raise self._not_finite(start + bad)

    def _not_finite(self, place: int) -> GaiError:
        return _diverged(self.words.as_bytes(place))

    def find(self, words: Sequence[str]) -> NDArray[np.int64]:
        """The place of each word, -1 for one that has no row: int64 (words,)."""
        if len(words) <= FEW and "_places" not in self.__dict__:
            return np.array([self._search(word) for word in words], np.int64)
        places = self._places
        return np.fromiter((places.get(word, -1) for word in words), np.int64, len(words))

    def vector(self, word: str) -> Rows | None:
        """The vector of a word, float32 (dim,); None where there is none."""
        rows, there = self.lookup([word])
        return rows[0] if there[0] else None

    def lookup(self, words: Sequence[str]) -> tuple[Rows, NDArray[np.bool_]]:
        """The vectors of words, made of their parts where they have no row but ``knows_parts``:
        float32 (words, dim); and for each whether there is one: a row without is 0.

        Raises GaiError where one holds NaN or infinity.
        """
        places = self.find(words)
        rows, there = np.zeros((len(words), self.dim), np.float32), places >= 0
        rows[there] = self.take(places[there])
        if self.knows_parts and not there.all():
            assert self.subwords is not None
            others = np.flatnonzero(~there)
            missing = [words[n].encode("utf-8", "surrogateescape") for n in others.tolist()]
            rows[others], there[others] = self.subwords.unseen(_terms(missing))
            if (bad := not_finite(rows[others])) >= 0:
                raise _diverged(missing[bad])
        return rows, there

    @cached_property
    def _places(self) -> dict[str, int]:
        places = {word: place for place, word in enumerate(self.words)}
        if len(places) != len(self):
            word = next(word for place, word in enumerate(self.words) if places[word] != place)
            raise GaiError(f"the word {word!r} has two vectors", "make the file again with one")
        return places

    def _search(self, word: str) -> int:
        wanted = np.frombuffer(word.encode("utf-8", "surrogateescape"), np.uint8)
        found = np.flatnonzero(self.words.lengths() == len(wanted))
        for at, byte in enumerate(wanted):
            if len(found) <= 1 and at:
                break
            found = found[self.words.arena[self.words.offsets[found] + at] == byte]
        place: int
        for place in found[:1].tolist():
            if self.words.as_bytes(place) == wanted.tobytes():
                return place
        return -1

    def _scaled(self, rows: NDArray[Any], places: Any) -> Rows:
        plain = rows.astype(np.float32, copy=False)
        plain = plain if plain.flags.aligned else plain.copy()
        return plain if self.scales is None else plain * self.scales[places, None]


def _diverged(word: bytes) -> GaiError:
    return GaiError(
        f"the vector of {word.decode('utf-8', 'surrogateescape')!r} holds NaN or infinity",
        "training has diverged, or the file is damaged",
    )


def _terms(words: list[bytes]) -> Terms:
    offsets = np.cumsum([0, *map(len, words)], dtype=np.int64)
    return Terms(np.frombuffer(b"".join(words), np.uint8), offsets)
