"""Content: the bytes of a file of vectors, mapped into memory, compressed or not."""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.documents.opening import Stream, Tally, opened
from gai.documents.reading import Reading
from gai.documents.sources import expand, name_of
from gai.errors import GaiError

PIECE = 1 << 22
"""Bytes that are expanded at once."""


@dataclass(frozen=True, eq=False)
class Content:
    """The bytes of a file.

    ``name`` is what messages call it. ``path`` opens the same bytes again; ``beside`` is where
    files that belong to it would stand, "" for standard input and the like.
    """

    name: str
    path: str
    beside: str
    map: mmap.mmap
    file: Any = None

    def __len__(self) -> int:
        return len(self.map)

    @cached_property
    def array(self) -> NDArray[np.uint8]:
        """All bytes: uint8, not to be changed."""
        return np.frombuffer(self.map, np.uint8)

    def line_of(self, place: int) -> int:
        """The number of the line, from 1, that holds byte ``place``."""
        return 1 + sum(
            self.map[first : min(first + PIECE, place)].count(b"\n")
            for first in range(0, place, PIECE)
        )

    def damaged(self, what: str, hint: str = "") -> GaiError:
        """The error to raise where the file is not what it should be."""
        return GaiError(f"{self.name}: {what}", hint or "it is cut short or damaged: make it again")


def mapped(path: str) -> Content:
    """The bytes of ``path``, which may be compressed, a pipe, a URL or ``-``.

    Bytes that cannot be mapped as they lie go to a temporary file without a name. Raises GaiError
    where there are none, or where they cannot be read.
    """
    if os.path.isdir(path):
        raise GaiError(f"{path} is a folder", "name a file of vectors in it")
    source = expand(Reading((path,)))[0]
    name = name_of(path)
    with opened(source, Tally()) as stream:
        if stream.size is None:
            file = _expanded(stream)
            beside = path if source.regular else ""
            return Content(name, f"/dev/fd/{file.fileno()}", beside, _map(file, name), file)
    try:
        with open(path, "rb") as plain:
            return Content(name, path, path, _map(plain, name))
    except OSError as error:
        raise GaiError(f"cannot read {path}: {error.strerror or error}") from error


def _expanded(stream: Stream) -> Any:
    """An open temporary file with all bytes of the stream."""
    buffer = memoryview(bytearray(PIECE))
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the content keeps it open
    try:
        while filled := stream.fill(buffer):
            file.write(buffer[:filled])
    except BaseException:
        file.close()
        raise
    return file


def _map(file: Any, name: str) -> mmap.mmap:
    if os.fstat(file.fileno()).st_size == 0:
        raise GaiError(f"{name} is empty", "it should hold vectors")
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
