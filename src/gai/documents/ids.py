"""DocumentIds: the names of all documents, in little memory."""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError

NAMES, LINES = 0, 1
WIDTH = 4

Arrays = dict[str, NDArray[np.uint8] | NDArray[np.int64]]


class DocumentIds(Sequence[str]):
    """One id a document, in order: a sequence of strings that grows at its end.

    The ids lie in runs of four numbers: kind, string, first number, count. A run of ``LINES`` is
    ``prefix:first``, ``prefix:first + 1``, ...; its string is the prefix, so that a million lines
    cost no more than one. A run of ``NAMES`` is ``count`` strings in a row. All strings lie in one
    arena of bytes. Runs that go on are joined: the arrays tell nothing about how many calls made
    them.
    """

    def __init__(self) -> None:
        self._arena = bytearray()
        self._offsets = array("q", [0])
        self._runs = array("q")
        self._ends = np.zeros(0, np.int64)
        self._count = 0

    def append_names(self, names: Iterable[str]) -> None:
        """Add one explicit id a document.

        Bytes of file names that are no UTF-8 (lone surrogates in Python's strings) survive.
        """
        encoded = [name.encode("utf-8", "surrogateescape") for name in names]
        if not encoded:
            return
        if self._runs[-WIDTH:][:1] != array("q", [NAMES]):
            self._runs.extend((NAMES, len(self._offsets) - 1, 0, 0))
        self._add_strings(encoded)
        self._grow(len(encoded))

    def append_lines(self, prefix: str, count: int, restart: bool) -> None:
        """Add ``count`` ids ``prefix:N``; N goes on from the lines before, or restarts at 1."""
        if count == 0:
            return
        if restart or not self._goes_on(prefix):
            self._runs.extend((LINES, len(self._offsets) - 1, 1, 0))
            self._add_strings([prefix.encode("utf-8", "surrogateescape")])
        self._grow(count)

    def _goes_on(self, prefix: str) -> bool:
        if not self._runs:
            return False
        kind, string, _, _ = self._runs[-WIDTH:]
        return kind == LINES and self._string(string) == prefix

    def _add_strings(self, strings: list[bytes]) -> None:
        lengths = map(len, strings)
        self._offsets.extend(accumulate(lengths, initial=self._offsets.pop()))
        self._arena += b"".join(strings)

    def _grow(self, count: int) -> None:
        self._runs[-1] += count
        self._count += count

    def _string(self, index: int) -> str:
        start, end = self._offsets[index : index + 2]
        return self._arena[start:end].decode("utf-8", "surrogateescape")

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self._slice(range(len(self))[index])
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"document {number} of {len(self)}")
        return self._at(number % len(self))

    def _slice(self, wanted: range) -> list[str]:
        if wanted.step == 1:
            return list(self._between(wanted.start, wanted.stop))
        return [self._at(index) for index in wanted]

    def _at(self, index: int) -> str:
        return next(self._between(index, index + 1))

    def __iter__(self) -> Iterator[str]:
        return self._between(0, len(self))

    def _between(self, start: int, stop: int) -> Iterator[str]:
        ends = self._run_ends()
        run = int(np.searchsorted(ends, start, side="right"))
        while start < stop:
            end = min(int(ends[run]), stop)
            yield from self._of_run(run, start, end)
            start, run = end, run + 1

    def _of_run(self, run: int, start: int, end: int) -> Iterator[str]:
        """The ids of the documents start to end, all of which lie in one run."""
        kind, string, first, count = self._runs[run * WIDTH : (run + 1) * WIDTH]
        skipped = start - (int(self._run_ends()[run]) - count)
        places = range(skipped, skipped + end - start)
        if kind == NAMES:
            return (self._string(string + place) for place in places)
        prefix = self._string(string)
        return (f"{prefix}:{first + place}" for place in places)

    def _run_ends(self) -> NDArray[np.int64]:
        """The number of documents up to the end of each run; made anew after the ids grew."""
        if not len(self._ends) or self._ends[-1] != self._count:
            self._ends = np.cumsum(np.array(self._runs[WIDTH - 1 :: WIDTH], np.int64))
        return self._ends

    def to_arrays(self) -> Arrays:
        """Three plain arrays, to be stored without pickle.

        ``documents_arena`` uint8: all strings; ``documents_offsets`` int64: where each begins and
        ends; ``documents_runs`` int64 [runs, 4]: kind, string, first number, count.
        """
        return {
            "documents_arena": np.frombuffer(bytes(self._arena), np.uint8),
            "documents_offsets": np.array(self._offsets, np.int64),
            "documents_runs": np.array(self._runs, np.int64).reshape(-1, WIDTH),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> DocumentIds:
        """The ids that ``to_arrays`` gave; raises GaiError where the arrays do not fit together."""
        arena = np.asarray(arrays["documents_arena"])
        offsets = np.asarray(arrays["documents_offsets"])
        runs = np.asarray(arrays["documents_runs"])
        if not (_strings_fit(arena, offsets) and _runs_fit(runs, len(offsets) - 1)):
            raise GaiError("the document ids are damaged", "write the file again")
        ids = cls()
        ids._arena = bytearray(arena.tobytes())
        ids._offsets = array("q", offsets.tobytes())
        ids._runs = array("q", runs.tobytes())
        ids._count = int(runs[:, 3].sum())
        return ids


def _strings_fit(arena: NDArray[Any], offsets: NDArray[Any]) -> bool:
    if arena.dtype != np.uint8 or offsets.dtype != np.int64:
        return False
    if arena.ndim != 1 or offsets.ndim != 1 or len(offsets) == 0:
        return False
    edges = int(offsets[0]) == 0 and int(offsets[-1]) == len(arena)
    return edges and bool(np.all(offsets[1:] >= offsets[:-1]))


def _runs_fit(runs: NDArray[Any], strings: int) -> bool:
    if runs.dtype != np.int64 or runs.ndim != 2 or runs.shape[1] != WIDTH:
        return False
    kinds, string, first, count = (np.asarray(column, np.int64) for column in runs.T)
    needed = np.where(kinds == NAMES, count, 1)
    within = (string >= 0) & (count > 0) & (first >= 0) & (needed <= strings - string)
    return bool(np.all(within & np.isin(kinds, (NAMES, LINES))))
