"""Batch: many documents as one UTF-8 buffer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PADDING = 64
"""Zero bytes behind the text in every buffer, so that kernels may load 64 bytes anywhere."""


@dataclass(slots=True)
class Batch:
    """Many documents as one UTF-8 buffer.

    ``data`` holds ``size`` bytes of text and then at least ``PADDING`` zero bytes. Document ``d``
    is ``data[starts[d]:ends[d]]``. Where ``starts`` and ``ends`` are None every line is a document
    and has not been cut yet: a worker cuts, so that this runs in parallel; ``ids`` is then the
    prefix of the line ids. ``continued`` says that the first document goes on where the last one
    of the batch before ended, ``restart`` that the numbers of the lines start again at 1.
    ``source`` and ``offset`` (of ``data[0]``, after decompression) are for error messages.
    """

    data: NDArray[np.uint8]
    size: int
    starts: NDArray[np.int64] | None
    ends: NDArray[np.int64] | None
    ids: list[str] | str
    continued: bool = False
    restart: bool = False
    source: str = ""
    offset: int = 0


def from_texts(texts: list[str], ids: list[str]) -> Batch:
    """A batch with one document a text.

    Raises UnicodeEncodeError where a text holds a lone surrogate.
    """
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    starts = np.zeros(len(encoded), np.int64)
    starts[1:] = ends[:-1]
    joined = b"".join(encoded)
    return Batch(padded(joined), len(joined), starts, ends, ids)


def padded(text: bytes) -> NDArray[np.uint8]:
    """A writable copy of ``text`` followed by ``PADDING`` zero bytes."""
    data = np.zeros(len(text) + PADDING, np.uint8)
    data[: len(text)] = np.frombuffer(text, np.uint8)
    return data
