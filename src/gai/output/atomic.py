"""Files that appear complete or not at all, and whose every failure says which file it was."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, cast

from gai.errors import GaiError

FULL = (errno.ENOSPC, errno.EDQUOT)
NOT_ALLOCATED = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV, errno.ENOSYS)


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turns the failures of the block into errors that name the file; a broken pipe passes."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise GaiError(f"disk full while writing {name}") from error
        raise GaiError(f"cannot write {name}: {error.strerror or error}") from error


class File(Protocol):
    """An open file without a buffer, or what stands for standard output in a test."""

    def write(self, piece: memoryview, /) -> int | None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


@dataclass
class Sink:
    """One place that bytes go to: a file beside its later place, a special file or a stream."""

    name: str
    file: File
    temporary: str = ""
    target: str = ""
    keep_open: bool = False

    def write(self, piece: bytes | memoryview) -> int:
        """The size of ``piece``, all of which has been written."""
        left = memoryview(piece)
        with naming(self.name):
            while left:
                written = self.file.write(left)
                if written is None:
                    raise BlockingIOError(errno.EAGAIN, "it takes no more bytes")
                left = left[written:]
        return len(piece)

    def write_at(self, place: int, piece: bytes | memoryview) -> None:
        """Writes ``piece`` at byte ``place``; any number of threads may do so."""
        left = memoryview(piece).cast("B")
        with naming(self.name):
            while left:
                written = os.pwrite(self.file.fileno(), left, place)
                place, left = place + written, left[written:]

    def allocate(self, size: int) -> None:
        """Makes the file ``size`` bytes long, with room on the disk for all of them.

        Asking for the room at once makes writing several times as fast as growing the file, and a
        full disk shows before the work begins.
        """
        with naming(self.name):
            try:
                os.posix_fallocate(self.file.fileno(), 0, size)
            except (AttributeError, OSError) as error:
                if getattr(error, "errno", errno.ENOSYS) not in NOT_ALLOCATED:
                    raise
                os.ftruncate(self.file.fileno(), size)

    def seekable(self) -> bool:
        """Whether bytes can go to any place of it: a new file, not a stream."""
        return bool(self.temporary)

    def publish(self) -> None:
        """Puts a closed file in its place."""
        if self.temporary:
            with naming(self.name):
                os.replace(self.temporary, self.target)

    def close(self) -> None:
        """Closes the file, but never standard output."""
        if not self.keep_open:
            with naming(self.name):
                self.file.close()

    def discard(self) -> None:
        """Closes the file and leaves nothing of it."""
        with suppress(GaiError, OSError):
            self.close()
        if self.temporary:
            with suppress(OSError):
                os.unlink(self.temporary)


@contextmanager
def staged(*paths: str) -> Iterator[list[Sink]]:
    """One sink a path; the files take their places together when the block ends without an error.

    ``-`` is standard output. Standard output and special files (pipes, devices) take the bytes at
    once. Any other file is written beside its place under a hidden name, which is removed where
    the block fails. Raises GaiError for a path that cannot be written and for a full disk.
    """
    sinks: list[Sink] = []
    try:
        for path in paths:
            sinks.append(opened(path))
        yield sinks
        for sink in sinks:
            sink.close()
        for sink in sinks:
            sink.publish()
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise


def opened(path: str) -> Sink:
    """A sink for one path; raises GaiError where it cannot be written."""
    if path == "-":
        return Sink("standard output", flushed_stdout(), keep_open=True)
    if special(path):
        with naming(path):
            return Sink(path, open(path, "wb", buffering=0))
    check(path)
    target = os.path.realpath(path)
    temporary = beside(target)
    with naming(path):
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        return Sink(path, open(handle, "w+b", buffering=0), temporary, target)


def flushed_stdout() -> File:
    """Standard output without its buffer, after what was already in it."""
    if sys.stdout is None:
        raise GaiError("standard output is closed")
    with naming("standard output"):
        sys.stdout.flush()
    return _stdout_file()


def _stdout_file() -> File:
    buffer = sys.stdout.buffer
    return cast(File, getattr(buffer, "raw", buffer))


def special(path: str) -> bool:
    """Whether ``path`` is a pipe, a device or one of the system's names for open files."""
    if os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/")):
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check(path: str) -> None:
    """Raises GaiError where a file cannot be made at ``path``; writes nothing."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path) or path.endswith("/"):
        raise GaiError(f"cannot write {path}: it is a folder", "name a file in it")
    if not os.path.isdir(folder):
        shown = os.path.dirname(path) or folder
        raise GaiError(f"cannot write {path}: there is no folder {shown}", f"mkdir -p {shown}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise GaiError(f"cannot write {path}: no permission to add a file to its folder")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise GaiError(f"cannot write {path}: the file is there and write-protected")


def beside(target: str) -> str:
    """A hidden name in the folder of ``target`` that no other file has."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name[:50]}.{os.urandom(6).hex()}.tmp")
