"""What a worker does to a batch before it reads it: is it UTF-8, and where are its lines?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gai.documents.batch import Batch, padded
from gai.documents.reading import Errors
from gai.documents.records import undecodable
from gai.documents.sources import name_of


class LineKernels(Protocol):
    """The kernels, or their plain twins, that cut lines."""

    def count_lines(self, data: NDArray[np.uint8], size: int) -> int: ...

    def cut_lines(
        self,
        data: NDArray[np.uint8],
        size: int,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> int: ...


def cut(batch: Batch, ops: LineKernels) -> Batch:
    """The batch with its lines as documents; ``ids`` stays the prefix of their ids.

    A line ends at LF; the LF and one CR before it lie outside. A last line without LF counts.
    """
    if batch.starts is not None:
        return batch
    count = ops.count_lines(batch.data, batch.size)
    starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    ops.cut_lines(batch.data, batch.size, starts, ends)
    return replace(batch, starts=starts, ends=ends)


def check(
    batch: Batch, errors: Errors, first_invalid: Callable[[NDArray[np.uint8], int], int]
) -> Batch:
    """The batch, as UTF-8 throughout: replaced or left out as ``bytes.decode`` does it.

    ``first_invalid(data, size)`` is the position of the first byte that is not UTF-8, or -1.
    Raises GaiError with file and byte offset where ``errors`` is strict.
    """
    position = first_invalid(batch.data, batch.size)
    if position < 0:
        return batch
    if errors == "strict":
        name, offset = place(batch, position)
        raise undecodable(name, offset, int(batch.data[position]))
    if batch.starts is None or batch.ends is None:
        text = recoded(batch.data[: batch.size], errors)
        return replace(batch, data=padded(text), size=len(text))
    documents = zip(batch.starts.tolist(), batch.ends.tolist(), strict=True)
    return _joined(batch, [recoded(batch.data[start:end], errors) for start, end in documents])


def recoded(data: NDArray[np.uint8], errors: Errors) -> bytes:
    """The bytes with what is no UTF-8 replaced or left out."""
    return str(data.data, "utf-8", errors).encode()


def _joined(batch: Batch, texts: list[bytes]) -> Batch:
    """The batch with other texts, an LF between each two."""
    lengths = np.array([len(text) for text in texts], np.int64)
    ends = np.cumsum(lengths + 1) - 1
    data = b"\n".join(texts)
    return replace(batch, data=padded(data), size=len(data), starts=ends - lengths, ends=ends)


def place(batch: Batch, position: int) -> tuple[str, int]:
    """The file and the offset in it of a byte of a batch, for messages.

    Where small files were gathered the batch names no source: the file is the document, and one
    byte lies between two files.
    """
    if batch.source or batch.ends is None:
        return batch.source, batch.offset + position
    document = int(np.searchsorted(batch.ends, position, side="right"))
    start = int(batch.ends[document - 1]) + 1 if document else 0
    return name_of(batch.ids[document]), position - start
