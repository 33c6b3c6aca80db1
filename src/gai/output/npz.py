"""npz: what ``scipy.sparse.load_npz`` opens, and the terms, documents and signature beside it.

Members, all plain arrays, none of them a pickle:

format, shape, indptr (int64), indices (int32), data    the matrix, as SciPy wants it
terms_arena (uint8), terms_offsets (int64)              the columns, see gai.terms.Terms
documents_*                                             the rows, see DocumentIds.to_arrays
signature (uint8)                                       JSON
df, tf, lengths, idf                                    what the result holds beside (extra)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import signature
from gai.matrix import Result, RowBlock
from gai.output.atomic import Sink
from gai.output.crc import combined
from gai.output.storedzip import Layout, Member
from gai.threads import in_order

PIECE = 1 << 22
"""Bytes whose checksum is computed while they are still in the cache."""

Checks = list[tuple[int, int]]


def write(result: Result, sink: Sink, jobs: int = 1) -> None:
    """Writes the matrix; ``jobs`` threads compute the rows and write them to their places.

    The bytes do not depend on ``jobs`` nor on how the rows are cut into tasks. A stream gets a
    copy of a temporary file.
    """
    if sink.seekable():
        return _write(result, sink, jobs)
    import shutil
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        _write(result, Sink(f"a temporary file in {tempfile.gettempdir()}", file), jobs)
        file.seek(0)
        shutil.copyfileobj(file, sink, PIECE)


def _write(result: Result, sink: Sink, jobs: int) -> None:
    layout = Layout()
    whole = {
        name: (layout.add(name, array.dtype, array.shape), array)
        for name, array in small(result).items()
    }
    indices = layout.add("indices", np.dtype(np.int32), (result.nnz,))
    data = layout.add("data", result.dtype, (result.nnz,))
    sink.allocate(layout.size)
    for member, array in whole.values():
        member.crc = combined([header_check(member), *put(sink, member.data, array)])
    indices.crc, data.crc = _write_rows(result, sink, indices, data, jobs)
    for place, header in layout.headers():
        sink.write_at(place, header)


def small(result: Result) -> dict[str, NDArray[Any]]:
    """Every array but ``indices`` and ``data``."""
    return {
        "format": np.array(b"csr"),
        "shape": np.array(result.shape, np.int64),
        "signature": signature.packed(result.signature),
        "terms_arena": result.terms.arena,
        "terms_offsets": result.terms.offsets,
        **result.documents.to_arrays(),
        **result.extra,
        "indptr": result.indptr,
    }


def _write_rows(
    result: Result, sink: Sink, indices: Member, data: Member, jobs: int
) -> tuple[int, int]:
    """The checksums of ``indices`` and ``data``, after every block has been written."""

    def place(task: Callable[[], RowBlock]) -> tuple[int, Checks, Checks]:
        block = task()
        first = int(result.indptr[block.first])
        columns = np.ascontiguousarray(block.indices, np.int32)
        values = np.ascontiguousarray(block.data, result.dtype)
        columns_check = put(sink, indices.data + 4 * first, columns)
        return first, columns_check, put(sink, data.data + result.dtype.itemsize * first, values)

    columns_checks, values_checks, done = [header_check(indices)], [header_check(data)], 0
    with closing(in_order(place, result.tasks, jobs)) as blocks:
        for first, columns, values in blocks:
            if first != done:
                raise RuntimeError(f"a block of rows begins at cell {first}, not {done}")
            columns_checks += columns
            values_checks += values
            done += sum(length for _, length in columns) // 4
    if done != result.nnz:
        raise RuntimeError(f"{done} cells of {result.nnz} were computed")
    return combined(columns_checks), combined(values_checks)


def header_check(member: Member) -> tuple[int, int]:
    return zlib.crc32(member.npy_header), len(member.npy_header)


def put(sink: Sink, place: int, array: NDArray[Any]) -> Checks:
    """The checksums and sizes of the pieces of an array, which now lies at ``place``."""
    left = memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    checks = []
    for first in range(0, len(left), PIECE):
        piece = left[first : first + PIECE]
        checks.append((zlib.crc32(piece), len(piece)))
        sink.write_at(place + first, piece)
    return checks
