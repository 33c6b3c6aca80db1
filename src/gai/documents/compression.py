"""Compressed input: recognised by its first bytes, expanded piece by piece."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gai.errors import GaiError, MissingExtraError

HEAD = 10
"""So many bytes tell what a stream is."""

CHUNK = 64 << 10
ZSTD_CHUNK = 4 << 10  # zstandard takes no limit: these grow to 128 MiB at the very worst
ZSTD_WINDOW_LOG = 31  # as `zstd --long=31` makes them


def kind_of(head: bytes) -> str | None:
    """gz, bz2, xz or zst where the first bytes of a stream say so, else None."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gz"
    if head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bz2"
    if head.startswith(b"\xfd7zXZ\0"):
        return "xz"
    skippable = head[1:4] == b"*M\x18" and 0x50 <= head[0] <= 0x5F
    return "zst" if head.startswith(b"\x28\xb5\x2f\xfd") or skippable else None


class Raw(Protocol):
    """Where compressed bytes come from."""

    def read(self, size: int) -> bytes: ...


@dataclass(frozen=True)
class Expansion:
    """How one kind of compressed data is expanded.

    ``member`` makes a decompressor for one stream with the interface of ``bz2.BZ2Decompressor``.
    """

    member: Callable[[], Any]
    failures: tuple[type[Exception], ...] = (OSError, EOFError)
    chunk: int = CHUNK


class Expanded:
    """The uncompressed bytes of a stream, in memory bounded by what is asked for.

    Members one after another count as one text, zero bytes after one are padding. ``readinto``
    raises GaiError where the data is damaged, cut off, or followed by something else.
    """

    def __init__(self, raw: Raw, kind: str, name: str) -> None:
        self._raw = raw
        self._kind = kind
        self._name = name
        self._expansion = _expansion(kind, name)
        self._member = self._expansion.member()
        self._pending = b""

    def readinto(self, view: memoryview) -> int:
        """The number of bytes written into ``view``; 0 only at the end."""
        while not self._member.eof or self._next_member():
            data = self._input() if self._member.needs_input else b""
            text = self._decompress(data, len(view))
            if text:
                view[: len(text)] = text
                return len(text)
        return 0

    def _input(self) -> bytes:
        data = self._pending or self._raw.read(self._expansion.chunk)
        self._pending = b""
        if not data:
            raise GaiError(f"{self._name}: truncated {self._kind} data")
        return data

    def _decompress(self, data: bytes, room: int) -> bytes:
        try:
            text: bytes = self._member.decompress(data, room)
        except self._expansion.failures as error:
            raise GaiError(f"{self._name}: damaged {self._kind} data ({error})") from error
        return text

    def _next_member(self) -> bool:
        """Whether another member follows."""
        rest = self._member.unused_data.lstrip(b"\0")
        while len(rest) < HEAD and (more := self._raw.read(self._expansion.chunk)):
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            return False
        if kind_of(rest) != self._kind:
            raise GaiError(f"{self._name}: damaged {self._kind} data (something else follows it)")
        self._pending = rest
        self._member = self._expansion.member()
        return True


def _expansion(kind: str, name: str) -> Expansion:
    if kind == "gz":
        import zlib

        return Expansion(Gzip, (zlib.error,))
    if kind == "bz2":
        import bz2

        return Expansion(bz2.BZ2Decompressor)
    if kind == "xz":
        import lzma

        return Expansion(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), (lzma.LZMAError,))
    return _zstd(name)


def _zstd(name: str) -> Expansion:
    if sys.version_info >= (3, 14):
        from compression import zstd

        options = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
        return Expansion(lambda: zstd.ZstdDecompressor(options=options), (zstd.ZstdError,))
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError(f"reading {name} (zst)", "zst") from error
    return Expansion(Zstandard, (zstandard.ZstdError,), ZSTD_CHUNK)


class Gzip:
    """One gz member behind the interface of ``bz2.BZ2Decompressor``; checks length and CRC."""

    def __init__(self) -> None:
        import zlib

        self._inner = zlib.decompressobj(wbits=31)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class Zstandard:
    """One zst frame behind the interface of ``bz2.BZ2Decompressor``."""

    def __init__(self) -> None:
        import zstandard

        window = 1 << ZSTD_WINDOW_LOG
        self._inner = zstandard.ZstdDecompressor(max_window_size=window).decompressobj()
        self._text = memoryview(b"")

    @property
    def needs_input(self) -> bool:
        return not self._text

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._text

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._text = memoryview(self._inner.decompress(data))
        text, self._text = self._text[:max_length], self._text[max_length:]
        return bytes(text)
