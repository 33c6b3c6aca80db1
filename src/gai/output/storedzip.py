"""Zip files of arrays, uncompressed: written to places known beforehand, read by mapping.

All sizes are known before the first byte is computed, so the whole layout is arithmetic: any thread
can write any part of any array. Arrays begin at multiples of 64 bytes. Members and files above
4 GiB use the zip64 records (APPNOTE.TXT 6.3, sections 4.3 and 4.5.3).
"""

from __future__ import annotations

import io
import mmap
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gai.errors import GaiError

if TYPE_CHECKING:
    from zipfile import ZipInfo

ALIGNMENT = 64
LIMIT = 0xFFFFFFFF
"""From this size on a number stands in a zip64 record, and this one in its place."""

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR = struct.Struct("<4sIQI")
NEW_YEAR_1980 = (0, 1 << 5 | 1)
"""Time and date of every member: the earliest that the format has."""

UNIX = 3 << 8
READABLE = 0o100644 << 16
ZIP64 = 1
PADDING = 0xD935
"""The kind of extra field that zipalign uses to align the data: two bytes of alignment, zeros."""


@dataclass
class Member:
    """One array: ``size`` bytes (npy header included) that begin at ``place`` of the file."""

    name: bytes
    size: int
    header_place: int
    place: int
    npy_header: bytes
    crc: int = 0

    @property
    def data(self) -> int:
        """Where the array's first element lies."""
        return self.place + len(self.npy_header)


@dataclass
class Layout:
    """Where everything lies in a zip file of arrays (fewer than 65,535), from 0 to ``end``."""

    members: list[Member] = field(default_factory=list)
    end: int = 0

    def add(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Member:
        """The member that comes next, for an array in C order."""
        header = npy_header(dtype, shape)
        size = len(header) + dtype.itemsize * int(np.prod(shape, dtype=object))
        encoded = f"{name}.npy".encode("ascii")
        before = self.end + LOCAL.size + len(encoded) + len(_zip64_local(size))
        place = before + _padding(before)
        member = Member(encoded, size, self.end, place, header)
        self.members.append(member)
        self.end = place + size
        return member

    def local(self, member: Member) -> bytes:
        """The header that stands before a member, from ``header_place`` to its data."""
        extra = _zip64_local(member.size)
        before = member.header_place + LOCAL.size + len(member.name) + len(extra)
        extra += _padding_field(member.place - before)
        shown = min(member.size, LIMIT)
        version = 45 if member.size >= LIMIT else 20
        fields = (version, 0, 0, *NEW_YEAR_1980, member.crc, shown, shown)
        start = LOCAL.pack(b"PK\3\4", *fields, len(member.name), len(extra))
        return start + member.name + extra + member.npy_header

    def directory(self) -> bytes:
        """What stands after the last member."""
        entries = b"".join(map(_entry, self.members))
        size, count = len(entries), len(self.members)
        end = b""
        if self.end >= LIMIT:
            counts = (count, count, size, self.end)
            end += END64.pack(b"PK\6\6", END64.size - 12, UNIX | 45, 45, 0, 0, *counts)
            end += LOCATOR.pack(b"PK\6\7", 0, self.end + size, 1)
        shown = min(self.end, LIMIT)
        return entries + end + END.pack(b"PK\5\6", 0, 0, count, count, size, shown, 0)

    @property
    def size(self) -> int:
        """The size of the whole file."""
        return self.end + len(self.directory())

    def headers(self) -> Iterator[tuple[int, bytes]]:
        """Everything but the arrays, with its place; the checksums must be there."""
        for member in self.members:
            yield member.header_place, self.local(member)
        yield self.end, self.directory()


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What stands before the elements in an npy file."""
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, header)
    return stream.getvalue()


def _zip64_local(size: int) -> bytes:
    return struct.pack("<2H2Q", ZIP64, 16, size, size) if size >= LIMIT else b""


def _padding(before: int) -> int:
    """Bytes from ``before`` to aligned data; the field that fills them takes at least 6."""
    gap = -before % ALIGNMENT
    return gap if gap == 0 or gap >= 6 else gap + ALIGNMENT


def _padding_field(size: int) -> bytes:
    if size == 0:
        return b""
    return struct.pack("<3H", PADDING, size - 4, ALIGNMENT).ljust(size, b"\0")


def _entry(member: Member) -> bytes:
    """A member's line in the directory."""
    large = b""
    if member.size >= LIMIT:
        large += struct.pack("<2Q", member.size, member.size)
    if member.header_place >= LIMIT:
        large += struct.pack("<Q", member.header_place)
    extra = struct.pack("<2H", ZIP64, len(large)) + large if large else b""
    version = 45 if large else 20
    shown, place = min(member.size, LIMIT), min(member.header_place, LIMIT)
    fields = (UNIX | version, version, 0, 0, *NEW_YEAR_1980, member.crc, shown, shown)
    lengths = (len(member.name), len(extra), 0, 0, 0)
    return CENTRAL.pack(b"PK\1\2", *fields, *lengths, READABLE, place) + member.name + extra


class MappedArrays(Mapping[str, NDArray[Any]]):
    """The arrays in an npz file, mapped into memory where they are not compressed.

    Changes to the arrays stay in memory. Raises GaiError for a file that cannot be read, is no npz
    or is cut short.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                self._begin(file)
        except OSError as error:
            raise GaiError(f"cannot read {path}: {error.strerror or error}") from error

    def _begin(self, file: io.BufferedReader) -> None:
        import zipfile

        start = file.read(4)
        try:
            with zipfile.ZipFile(file) as directory:
                found = directory.infolist()
        except (zipfile.BadZipFile, ValueError, struct.error) as error:
            raise _unreadable(self.path, start) from error
        self._members = {one.filename.removesuffix(".npy"): one for one in found}
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, name: str) -> NDArray[Any]:
        from zipfile import ZIP_STORED, BadZipFile

        member = self._members[name]
        read = self._mapped if member.compress_type == ZIP_STORED else self._unpacked
        try:
            return read(member)
        except (OSError, ValueError, struct.error, BadZipFile, zlib.error) as error:
            raise GaiError(f"{self.path} is damaged at {name}: {error}") from error

    def _unpacked(self, member: ZipInfo) -> NDArray[Any]:
        from zipfile import ZipFile

        with ZipFile(self.path) as file, file.open(member) as stream:
            return np.asarray(npy.read_array(stream, allow_pickle=False))

    def _mapped(self, member: ZipInfo) -> NDArray[Any]:
        start = member.header_offset
        *_, name, extra = LOCAL.unpack_from(self._map, start)
        place = start + LOCAL.size + name + extra
        stream = io.BytesIO(self._map[place : place + min(member.file_size, 1 << 12)])
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        count = int(np.prod(shape, dtype=object))
        if stream.tell() + count * dtype.itemsize != member.file_size or dtype.hasobject:
            raise ValueError("its size does not fit its header")
        array = np.frombuffer(self._map, dtype, count, place + stream.tell())
        return array.reshape(shape, order="F" if fortran else "C")


def _unreadable(path: str, start: bytes) -> GaiError:
    if start == b"PK\3\4":
        return GaiError(f"{path} is cut short or damaged", "make it again")
    return GaiError(f"{path} is not an npz file", "gai bow and gai tfidf -o FILE.npz make them")
