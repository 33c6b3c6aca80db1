"""Parquet: a table of document, term and value with a row for each cell (needs pyarrow)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import MissingExtraError
from gai.matrix import Result
from gai.output.atomic import Sink
from gai.output.cells import blocks

GROUP = 1 << 20
"""Cells in a row group: fixed, so that the bytes do not depend on how the rows were cut."""

Cells = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]


class Stream:
    """A sink as the kind of file that pyarrow writes to; the sink's owner closes it."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self.write = sink.write

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def require() -> None:
    """Raises MissingExtraError where pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        raise MissingExtraError("parquet output", "parquet")


def write(result: Result, sink: Sink, jobs: int = 1) -> None:
    """Writes the table; its metadata holds the signature under the key ``gai``."""
    require()
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = json.dumps(result.signature, sort_keys=True)
    value = pa.from_numpy_dtype(result.dtype)
    fields = [("document", pa.large_string()), ("term", pa.large_string()), ("value", value)]
    schema = pa.schema(fields)
    terms = arrow(result.terms.arena, result.terms.offsets)
    with pq.ParquetWriter(Stream(sink), schema, store_schema=False) as writer:
        writer.add_key_value_metadata({"gai": text})
        for rows, columns, data in groups(result, jobs):
            first = int(rows[0])
            names = result.documents[first : int(rows[-1]) + 1]
            documents = pa.array([clean(name) for name in names], pa.large_string())
            taken = [documents.take(pa.array(rows - first)), terms.take(pa.array(columns))]
            writer.write_table(pa.table([*taken, pa.array(data)], schema=schema))


def arrow(arena: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Any:
    """The strings as an Arrow array that shares their memory."""
    import pyarrow as pa

    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(arena)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)


def clean(name: str) -> str:
    """The id without the lone surrogates of a file name that is no UTF-8: they become ``?``."""
    return name.encode("utf-8", "replace").decode()


def groups(result: Result, jobs: int) -> Iterator[Cells]:
    """Row, column and value of ``GROUP`` cells at a time, the last time of what is left."""
    held: list[Cells] = []
    count = 0
    for block in blocks(result, jobs):
        rows = np.arange(block.first, block.first + len(block.indptr) - 1)
        held.append((rows.repeat(np.diff(block.indptr)), block.indices, block.data))
        count += len(block.indices)
        while count >= GROUP:
            rows, columns, data = _joined(held)
            yield rows[:GROUP], columns[:GROUP], data[:GROUP]
            held = [(rows[GROUP:], columns[GROUP:], data[GROUP:])]
            count -= GROUP
    if count:
        yield _joined(held)


def _joined(cells: list[Cells]) -> Cells:
    rows, columns, data = zip(*cells, strict=True)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(data)
