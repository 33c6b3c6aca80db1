"""Store: the cells of all parts, in memory or, where that is short, in a temporary file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.counts.part import Part

HEADROOM = 0.9
"""Share of the memory that may be in use before cells go to disk."""


class Store:
    """All parts in order; ``memory`` is what the whole process may take, in bytes, or None.

    Where the process nears that limit the cells of all parts so far go to a file without a name,
    which the operating system removes when the process ends, however it ends.
    """

    def __init__(self, memory: int | None) -> None:
        self.memory = memory
        self.parts: list[Part] = []
        self._places: dict[int, int] = {}
        self._in_memory: list[int] = []
        self._file: Any = None

    def __len__(self) -> int:
        return len(self.parts)

    def append(self, part: Part) -> None:
        """Keep one more part."""
        self._in_memory.append(len(self.parts))
        self.parts.append(part)
        if self.memory is not None and resident() > HEADROOM * self.memory:
            self._spill()

    def __iter__(self) -> Iterator[Part]:
        return map(self.__getitem__, range(len(self.parts)))

    def __getitem__(self, index: int) -> Part:
        """A part with its cells in memory."""
        part = self.parts[index]
        place = self._places.get(index)
        if place is None:
            return part
        cells = int(part.indptr[-1])
        ids = self._read(place, np.dtype(np.int32), cells)
        counts = self._read(place + ids.nbytes, part.counts.dtype, cells)
        return replace(part, ids=ids, counts=counts)

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="gai-")  # noqa: SIM115
        for index in self._in_memory:
            part = self.parts[index]
            self._places[index] = self._file.tell()
            self._file.write(part.ids.data)
            self._file.write(part.counts.data)
            nothing = np.zeros(0, np.int32)
            self.parts[index] = replace(part, ids=nothing, counts=part.counts[:0].copy())
        self._in_memory.clear()
        self._file.flush()

    def _read(self, place: int, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
        found = np.empty(count, dtype)
        view = found.data.cast("B")
        read = os.preadv(self._file.fileno(), [view], place) if count else 0
        while 0 < read < len(view):
            read += os.preadv(self._file.fileno(), [view[read:]], place + read)
        return found


def resident() -> int:
    """Bytes of memory that this process takes now; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
