"""Interner: the arrays in which the kernels keep the terms that they have seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.kernels.state import (
    ARENA,
    DOCUMENT,
    FILLED,
    LENGTH,
    MORE_TERMS,
    POSITION,
    ROW,
    STATE,
    TERMS,
)
from gai.terms import Terms

HIGH = 0x8080808080808080
"""What the kernels take for "lower case"; 0 keeps the case."""


class Interner:
    """A table of terms, the arena of their bytes, and where a kernel stands in its batch.

    Room grows when a kernel says that it lacks some; a slot takes 32 bytes, and at most half of
    the slots are in use.
    """

    def __init__(self, kernels: Any, slots: int = 1 << 15, arena: int = 1 << 18) -> None:
        self.kernels = kernels
        self.table = aligned(4 * slots)
        self.offsets = np.zeros(slots // 2 + 1, np.int64)
        self.arena = np.zeros(arena, np.uint8)
        self.state = np.zeros(STATE, np.int64)

    def __len__(self) -> int:
        return int(self.state[TERMS])

    def begin(self) -> None:
        """Make ready for the first token of a new batch."""
        self.state[[FILLED, DOCUMENT, POSITION, ROW, LENGTH]] = 0, 0, -1, 0, 0

    def grow(self, lack: int, longest: int) -> None:
        """Make room for what the kernel lacks; ``longest`` is the longest possible term."""
        if lack == MORE_TERMS:
            table = aligned(2 * len(self.table))
            self.kernels.rehash(self.table, table)
            self.table = table
            self.offsets = longer(self.offsets, len(table) // 8 + 1)
        else:
            need = int(self.state[ARENA]) + 3 * longest + 64
            self.arena = longer(self.arena, max(2 * len(self.arena), need))

    def enter(self, terms: Terms) -> None:
        """Intern terms that are all different and new."""
        while len(terms) > len(self.table) // 8 - 1:
            self.grow(MORE_TERMS, 0)
        self.arena = longer(self.arena, len(self.arena) + len(terms.arena) + 64)
        self.kernels.enter(
            terms.arena, terms.offsets, self.table, self.arena, self.offsets, self.state
        )

    def terms(self) -> Terms:
        """All terms so far, in the order of their ids; not a copy."""
        return Terms(self.arena[: self.state[ARENA]], self.offsets[: len(self) + 1])


def aligned(size: int) -> NDArray[np.uint64]:
    """Zeros that start at a cache line, so that no slot lies across two."""
    raw = np.zeros(size + 8, np.uint64)
    skip = -raw.ctypes.data // 8 % 8
    return raw[skip : skip + size]


def longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """A copy of the array with zeros behind it, ``size`` numbers in all."""
    longer = np.zeros(size, array.dtype)
    longer[: len(array)] = array
    return longer
