"""Store: the arrays of all parts, in memory or, where that is short, in a temporary file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.counts.part import ARRAYS, Part
from gai.errors import GaiError

HEADROOM = 0.7
"""Share of the memory that may be in use before parts go to disk; the rest is for writing."""

NOTHING = np.zeros(0, np.int32)


class Place(NamedTuple):
    """Where in the file an array lies."""

    offset: int
    dtype: np.dtype[Any]
    size: int


class Store:
    """All parts in order; ``memory`` is what the whole process may take, in bytes, or None.

    Where the process nears that limit the arrays of all parts so far go to a file without a name,
    which the operating system removes when the process ends, however it ends.
    """

    def __init__(self, memory: int | None) -> None:
        self.memory = memory
        self.parts: list[Part] = []
        self._places: dict[tuple[int, str], Place] = {}
        self._kept = 0
        self._file: Any = None

    def __len__(self) -> int:
        return len(self.parts)

    def append(self, part: Part) -> None:
        """Keep one more part."""
        self.parts.append(part)
        if self.memory is not None and resident() > HEADROOM * self.memory:
            self._spill()

    def __iter__(self) -> Iterator[Part]:
        return map(self.__getitem__, range(len(self.parts)))

    def __getitem__(self, index: int) -> Part:
        """A part with all its arrays in memory."""
        arrays: dict[str, Any] = {name: self.array(index, name) for name in ARRAYS}
        return replace(self.parts[index], **arrays)

    def array(self, index: int, name: str) -> NDArray[Any]:
        """One array of a part."""
        place = self._places.get((index, name))
        if place is None:
            found: NDArray[Any] = getattr(self.parts[index], name)
            return found
        return self._read(place)

    def _spill(self) -> None:
        """Write the arrays of all parts that are still in memory."""
        with naming_the_folder():
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="gai-")  # noqa: SIM115
        for index in range(self._kept, len(self.parts)):
            part = self.parts[index]
            for name in ARRAYS:
                array = getattr(part, name)
                self._places[index, name] = Place(self._file.tell(), array.dtype, array.size)
                self._file.write(array.data)
                setattr(part, name, NOTHING)
        self._kept = len(self.parts)
        self._file.flush()

    def _read(self, place: Place) -> NDArray[Any]:
        found = np.empty(place.size, place.dtype)
        left = found.data.cast("B") if place.size else memoryview(b"")
        offset = place.offset
        while len(left):
            read = os.preadv(self._file.fileno(), [left], offset)
            if read == 0:
                raise OSError("the temporary file is shorter than what was written to it")
            left, offset = left[read:], offset + read
        return found


@contextmanager
def naming_the_folder() -> Iterator[None]:
    """Turns what fails in a temporary file into an error that says where such files lie."""
    try:
        yield
    except OSError as error:
        where = f" in {tempfile.tempdir}" if tempfile.tempdir else ""
        raise GaiError(
            f"cannot write a temporary file{where}: {error.strerror or error}",
            "TMPDIR names another folder, and more --memory needs less of it",
        ) from error


def resident() -> int:
    """Bytes of memory that this process takes now; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
