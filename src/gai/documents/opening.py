"""Streams: the uncompressed bytes of one source, counted and digested as they pass."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gai.documents.compression import HEAD, Expanded, kind_of
from gai.documents.sources import STDIN, Source, standard_input, unreadable
from gai.errors import GaiError


@dataclass
class Tally:
    """What has been read so far."""

    bytes_read: int = 0  # after decompression
    bytes_stored: int = 0  # before
    skipped: int = 0  # bad records
    sha256: Any = field(default_factory=hashlib.sha256)


class Stored:
    """The bytes of a source as they are stored; the first ones can be looked at in advance."""

    def __init__(self, source: Source, file: Any, tally: Tally) -> None:
        self._source = source
        self._file = file
        self._tally = tally
        self._head = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end; they stay to be read."""
        buffer = memoryview(bytearray(size))
        filled = 0
        while filled < size and (count := self._read(buffer[filled:])):
            filled += count
        self._head = bytes(buffer[:filled])
        return self._head

    def read(self, size: int) -> bytes:
        """At least one of the next ``size`` bytes; none only at the end."""
        buffer = memoryview(bytearray(size))
        return bytes(buffer[: self.readinto(buffer)])

    def readinto(self, view: memoryview) -> int:
        """The number of bytes written into ``view``; 0 only at the end."""
        if not self._head:
            return self._read(view)
        taken = self._head[: len(view)]
        view[: len(taken)] = taken
        self._head = self._head[len(taken) :]
        return len(taken)

    def _read(self, view: memoryview) -> int:
        try:
            count: int = self._file.readinto(view) or 0
        except OSError as error:
            raise unreadable(self._source.path, error) from error
        self._tally.bytes_stored += count
        return count


@dataclass
class Stream:
    """The uncompressed bytes of one source.

    ``size`` is how many there are, where that is known in advance; ``offset`` how many are read.
    """

    source: Source
    tally: Tally
    content: Stored | Expanded
    size: int | None
    offset: int = 0

    def fill(self, view: memoryview) -> int:
        """The number of bytes written into ``view``, less than its length only at the end."""
        filled = 0
        while filled < len(view) and (count := self.content.readinto(view[filled:])):
            filled += count
        self.tally.sha256.update(view[:filled])
        self.tally.bytes_read += filled
        self.offset += filled
        return filled

    def finish(self) -> None:
        """Close the digest of this source; its length behind it keeps the bytes of two apart."""
        self.tally.sha256.update(self.offset.to_bytes(8, "little"))


@contextmanager
def opened(source: Source, tally: Tally) -> Iterator[Stream]:
    """The stream of a source, closed at the end; raises GaiError where it cannot be read."""
    file = _open(source)
    try:
        stored = Stored(source, file, tally)
        kind = kind_of(stored.peek(HEAD))
        size = None if kind else _size(source, file)
        text = Expanded(stored, kind, source.name) if kind else stored
        stream = Stream(source, tally, text, size)
        yield stream
        stream.finish()
    finally:
        if source.path != STDIN:
            file.close()


def _open(source: Source) -> Any:
    if source.path == STDIN:
        return standard_input()
    if source.remote:
        return Remote(source.path)
    try:
        return open(source.path, "rb", buffering=0)
    except OSError as error:
        raise unreadable(source.path, error) from error


class Remote:
    """The file behind a URL; whatever fails is an OSError."""

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self._file = fsspec.open(url, "rb").open()
        except ImportError as error:
            raise GaiError(f"{url}: {error}", "pip install 'gai[url]'") from error
        except Exception as error:
            raise unreadable(url, _as_oserror(error)) from error

    def readinto(self, view: memoryview) -> int:
        """The number of bytes written into ``view``; 0 only at the end."""
        try:
            return int(self._file.readinto(view))
        except Exception as error:
            raise _as_oserror(error) from error

    def close(self) -> None:
        self._file.close()


def _as_oserror(error: Exception) -> OSError:
    """An OSError for what a package behind fsspec raised: each has errors of its own."""
    if isinstance(error, OSError):
        return error
    return OSError(" ".join(str(error).split()) or type(error).__name__)


def _size(source: Source, file: Any) -> int | None:
    return os.fstat(file.fileno()).st_size if source.regular else None


def total_bytes(sources: list[Source]) -> int | None:
    """The bytes in all sources after decompression, None where that is not known in advance."""
    total = 0
    for source in sources:
        if not source.regular:
            return None
        with opened(source, Tally()) as stream:
            if stream.size is None:
                return None
            total += stream.size
    return total


def total_stored(sources: list[Source]) -> int | None:
    """The bytes in all files as they are stored, None where one has no size."""
    if not all(source.regular for source in sources):
        return None
    return sum(os.path.getsize(source.path) for source in sources)
