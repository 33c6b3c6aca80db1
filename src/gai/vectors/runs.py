"""Runs: cells of rows that are counted bit by bit, in memory or in temporary files."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.counts.store import naming_the_folder

Ints = NDArray[np.int64]

FIRST_ROOM = 1 << 16
"""Numbers that a growing array has room for at first."""


class Rows(NamedTuple):
    """The cells of consecutive rows, from row ``first`` on: row ``first + r`` ends at ``ends[r]``
    of ``columns`` (int32, sorted within each row) and ``values``."""

    first: int
    ends: Ints
    columns: NDArray[np.int32]
    values: NDArray[Any]


class Growing:
    """An array that grows at its end, in memory."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._room = np.empty(FIRST_ROOM, dtype)
        self.size = 0

    def append(self, values: NDArray[Any]) -> None:
        """Adds numbers of the array's own type."""
        end = self.size + len(values)
        if end > len(self._room):
            # The system moves pages of memory, not bytes, where the array is large.
            self._room.resize(max(end, len(self._room) * 3 // 2), refcheck=False)
        self._room[self.size : end] = values
        self.size = end

    def whole(self) -> NDArray[Any]:
        """The array; nothing may be added any more."""
        self._room.resize(self.size, refcheck=False)
        return self._room


class OnDisk:
    """The same in a temporary file without a name, which goes when the process ends."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self.dtype = np.dtype(dtype)
        self.size = 0
        with naming_the_folder():
            self._file: BinaryIO = tempfile.TemporaryFile(prefix="gai-", buffering=0)  # noqa: SIM115

    def append(self, values: NDArray[Any]) -> None:
        """Adds numbers of the array's own type."""
        left = memoryview(np.ascontiguousarray(values, self.dtype).view(np.uint8).data)
        with naming_the_folder():
            while len(left):
                left = left[self._file.write(left) :]
        self.size += len(values)

    def part(self, start: int, stop: int) -> NDArray[Any]:
        """A copy of ``array[start:stop]``, read from the file."""
        found = np.empty(stop - start, self.dtype)
        left, offset = found.view(np.uint8).data, start * self.dtype.itemsize
        while len(left):
            read = os.preadv(self._file.fileno(), [left], offset)
            if read == 0:
                raise OSError("the temporary file is shorter than what was written to it")
            left, offset = left[read:], offset + read
        return found

    def whole(self) -> NDArray[Any]:
        """The array, mapped from the file, to be read only."""
        if not self.size:
            return np.zeros(0, self.dtype)
        with naming_the_folder():
            mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, self.dtype)


def dropped(array: NDArray[Any]) -> None:
    """Lets go of the memory of an array that is mapped from a file to be read only: what is wanted
    again is read again. Of others nothing is let go of."""
    owner: Any = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if not isinstance(owner, mmap.mmap) or array.flags.writeable or not array.size:
        return
    start = array.ctypes.data - np.frombuffer(owner, np.uint8).ctypes.data
    first = start - start % mmap.PAGESIZE
    if hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED, first, start + array.nbytes - first)


class Runs:
    """The same rows several times, each time with other cells, on disk.

    ``cells`` (int64, one a row) is how many each row has in all runs together.
    """

    def __init__(self, rows: int) -> None:
        self.count = 0
        self.cells = np.zeros(rows, np.int64)
        self._ends, self._columns, self._units = (
            OnDisk(dtype) for dtype in (np.int64, np.int32, np.uint64)
        )

    def add(self, rows: Iterator[Rows]) -> None:
        """Writes one more run: all rows, in order."""
        self._ends.append(np.array([self._columns.size]))
        for part in rows:
            self._ends.append(part.ends + self._columns.size)
            self._columns.append(part.columns)
            self._units.append(part.values)
            self.cells[part.first : part.first + len(part.ends)] += np.diff(part.ends, prepend=0)
        self.count += 1

    def groups(self, first: int, last: int, most: int) -> Iterator[list[Ints]]:
        """Where rows ``first`` to ``last`` lie, as their bounds in each run; a few runs at a time,
        with at most ``most`` cells, or one run."""
        group: list[Ints] = []
        size = 0
        for run in range(self.count):
            start = run * (len(self.cells) + 1)
            bounds = self._ends.part(start + first, start + last + 1)
            cells = int(bounds[-1] - bounds[0])
            if group and size + cells > most:
                yield group
                group, size = [], 0
            group.append(bounds)
            size += cells
        yield group

    def read(self, group: list[Ints]) -> tuple[Ints, NDArray[np.int32], NDArray[np.uint64]]:
        """The bounds of the rows of a group, run after run, in the arrays that follow: columns and
        units."""
        parts = [(int(bounds[0]), int(bounds[-1])) for bounds in group]
        shifts = np.cumsum([0, *(stop - start for start, stop in parts)])
        starts = [
            bounds - bounds[0] + shift for bounds, shift in zip(group, shifts[:-1], strict=True)
        ]
        columns = np.concatenate([self._columns.part(*part) for part in parts])
        units = np.concatenate([self._units.part(*part) for part in parts])
        return np.concatenate(starts), columns, units
