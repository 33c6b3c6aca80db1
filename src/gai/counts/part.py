"""Part: the rows of one batch, with the term ids of the worker that counted it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Part:
    """The rows of one batch, with the term ids of the worker that counted it.

    Row d is the cells from ``indptr[d]`` to ``indptr[d + 1]`` of ``ids`` (int32) and ``counts``
    (uint8 where all fit, else int32). ``lengths`` are tokens, ``sizes`` bytes of each document.
    ``ids_of_rows`` and ``restart`` are the batch's. ``continued``: the first row goes on where the
    last one of the part before ended.
    """

    worker: int
    indptr: NDArray[np.int64]
    ids: NDArray[np.int32]
    counts: NDArray[np.uint8] | NDArray[np.int32]
    lengths: NDArray[np.int64]
    sizes: NDArray[np.int64]
    names: list[str] | str
    restart: bool
    continued: bool


def compact(counts: NDArray[np.int32]) -> NDArray[np.uint8] | NDArray[np.int32]:
    """A copy of the counts in as few bytes as hold them: memory costs more than the conversion."""
    if len(counts) == 0 or counts.max() < 256:
        return counts.astype(np.uint8)
    return counts.copy()
