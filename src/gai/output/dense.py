"""Dense matrices: a vector for each document, as npz, tsv, csv or jsonl.

Arrays of the npz, none of them a pickle:

vectors (float32)           documents x dimensions; numpy.load opens it
documents_*                 the rows, see DocumentIds.to_arrays
signature (uint8)           JSON
whatever else comes along   what it takes to make further rows (extra)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import signature
from gai.documents.ids import DocumentIds
from gai.errors import GaiError, UsageError
from gai.output import atomic, csv, jsonl, npz, tsv
from gai.output.atomic import Sink, staged
from gai.output.cells import gzipped
from gai.output.crc import combined
from gai.output.stored import DOCUMENTS
from gai.output.storedzip import Layout, MappedArrays

FORMATS = ("npz", "tsv", "csv", "jsonl")
NEEDED = {"vectors", "signature", *DOCUMENTS}
LINES = 1 << 10
"""Rows that are turned into text at once."""

Rows = NDArray[np.float32]
Blocks = Iterator[tuple[int, Rows]]
"""The number of the first row and the rows, one block after the other."""


@dataclass
class Dense:
    """Vectors of documents on their way to a file.

    ``blocks`` begins to compute the rows anew each time it is called: float32 (rows, dim), from
    row 0 to the last one. ``signature`` is fit for JSON, ``extra`` holds further arrays.
    """

    documents: DocumentIds
    dim: int
    blocks: Callable[[], Blocks]
    signature: dict[str, Any]
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Documents and dimensions."""
        return len(self.documents), self.dim


def write_dense(
    dense: Dense, destination: str | os.PathLike[str], format: str | None = None
) -> None:
    """Writes the vectors to a file, all of it or nothing, or to standard output (``-``).

    The format is ``format`` or the one of the extension (tsv on standard output); text formats are
    compressed where the name ends in ``.gz``. Raises what :func:`format_of` raises, and GaiError
    where the disk is full or the place cannot be written.
    """
    path = os.fspath(destination)
    chosen = format_of(path, format)
    with staged(path) as (sink,):
        if chosen == "npz":
            _write_npz(dense, sink)
            return
        pieces = text(dense, chosen)
        for piece in gzipped(pieces) if path.endswith(".gz") else pieces:
            sink.write(piece)


def format_of(destination: str | os.PathLike[str], format: str | None = None) -> str:
    """Which of ``FORMATS`` a file gets; raises UsageError for one that it cannot have."""
    path = os.fspath(destination)
    extension = os.path.splitext(path.removesuffix(".gz"))[1].lower().removeprefix(".")
    chosen = format or ("tsv" if path == "-" else extension)
    if chosen not in FORMATS:
        what = f"unknown format {format!r}" if format else f"cannot tell the format of {path!r}"
        raise UsageError(what, f"name it with --format or the extension: {', '.join(FORMATS)}")
    if chosen == "npz" and path.endswith(".gz"):
        raise UsageError("npz is not compressed with gzip", f"leave out .gz: {path[:-3]}")
    return chosen


def check(destination: str | os.PathLike[str], format: str | None = None) -> None:
    """Raises what :func:`write_dense` would raise, before the work, as far as that can be told."""
    path = os.fspath(destination)
    format_of(path, format)
    if path != "-" and not atomic.special(path):
        atomic.check(path)


def _write_npz(dense: Dense, sink: Sink) -> None:
    """Writes the rows to their places; a stream gets a copy of a temporary file."""
    if sink.seekable():
        _write_members(dense, sink)
        return
    import shutil
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        _write_members(dense, Sink(f"a temporary file in {tempfile.gettempdir()}", file))
        file.seek(0)
        shutil.copyfileobj(file, sink, npz.PIECE)


def _write_members(dense: Dense, sink: Sink) -> None:
    packed = signature.packed(dense.signature)
    small = {"signature": packed, **dense.documents.to_arrays(), **dense.extra}
    layout = Layout()
    whole = [(layout.add(name, array.dtype, array.shape), array) for name, array in small.items()]
    vectors = layout.add("vectors", np.dtype(np.float32), dense.shape)
    sink.allocate(layout.size)
    for member, array in whole:
        member.crc = combined([npz.header_check(member), *npz.put(sink, member.data, array)])
    checks = [npz.header_check(vectors)]
    for first, rows in dense.blocks():
        checks += npz.put(sink, vectors.data + 4 * dense.dim * first, rows)
    if sum(size for _, size in checks) != vectors.size:
        raise RuntimeError(f"the blocks do not make {dense.shape[0]} rows")
    vectors.crc = combined(checks)
    for place, header in layout.headers():
        sink.write_at(place, header)


def text(dense: Dense, format: str) -> Iterator[bytes]:
    """The file in pieces: the id and the numbers of a document on each line.

    A number is the shortest text that reads back as the same float32.
    """
    if format == "csv":
        yield (",".join(["document", *map(str, range(1, dense.dim + 1))]) + "\n").encode()
    spell = {"tsv": _as_tsv, "csv": _as_csv, "jsonl": _as_jsonl}[format]
    # Bytes of file names that are no UTF-8 pass as they are; JSON has an escape for them.
    errors = "backslashreplace" if format == "jsonl" else "surrogateescape"
    for first, rows in _small(dense.blocks()):
        names = dense.documents[first : first + len(rows)]
        lines = map(spell, names, rows + np.float32(0))  # minus zero becomes zero
        yield "".join(lines).encode("utf-8", errors)


def _small(blocks: Blocks) -> Blocks:
    for first, rows in blocks:
        for start in range(0, len(rows), LINES):
            yield first + start, rows[start : start + LINES]


def _as_tsv(name: str, row: Rows) -> str:
    return "\t".join(chain([tsv.escape(name)], map(str, row))) + "\n"


def _as_csv(name: str, row: Rows) -> str:
    return ",".join(chain([csv.quoted(name)], map(str, row))) + "\n"


def _as_jsonl(name: str, row: Rows) -> str:
    return f'{{"id":{jsonl.quoted(name)},"vector":[{",".join(map(str, row))}]}}\n'


class StoredDense:
    """Vectors of documents that were written to an npz file.

    Arrays are mapped from the file: what is not used is not read.
    """

    def __init__(self, arrays: MappedArrays) -> None:
        self.path = arrays.path
        self._arrays = arrays

    @property
    def shape(self) -> tuple[int, int]:
        """Documents and dimensions."""
        rows, dim = self.vectors.shape
        return int(rows), int(dim)

    @cached_property
    def vectors(self) -> Rows:
        """One row a document: float32 (documents, dim)."""
        found = self._arrays["vectors"]
        fits = found.ndim == 2 and found.dtype == np.float32
        if not (fits and len(found) == len(self.documents)):
            raise GaiError(f"{self.path} is damaged: its vectors do not fit its documents")
        return found

    @cached_property
    def documents(self) -> DocumentIds:
        """The rows."""
        return DocumentIds.from_arrays({name: self._arrays[name] for name in DOCUMENTS})

    @cached_property
    def signature(self) -> dict[str, Any]:
        """Everything that changed a number: see gai.signature."""
        try:
            return signature.unpacked(self._arrays["signature"])
        except ValueError as error:
            raise GaiError(f"{self.path} is damaged: its signature is no JSON") from error

    @cached_property
    def extra(self) -> dict[str, NDArray[Any]]:
        """Further arrays by name."""
        return {name: self._arrays[name] for name in self._arrays if name not in NEEDED}


def load_dense(path: str | os.PathLike[str]) -> StoredDense:
    """The vectors of documents in an npz file; its parts are read when they are asked for.

    Raises GaiError for a file that is missing, is no npz, is cut short, or holds something else.
    """
    arrays = MappedArrays(os.fspath(path))
    if not is_dense(arrays):
        raise GaiError(
            f"{arrays.path} holds no vectors of documents",
            "gai vectors documents VECTORS FILES -o FILE.npz makes them",
        )
    return StoredDense(arrays)


def is_dense(arrays: Mapping[str, Any]) -> bool:
    """Whether an npz holds vectors of documents, and not a matrix of terms or vectors of words."""
    return arrays.keys() >= NEEDED
