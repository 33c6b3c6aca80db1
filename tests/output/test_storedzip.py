"""The arithmetic of large zip files, on sparse files that hold almost nothing."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from gai.output import crc
from gai.output.storedzip import Layout, MappedArrays

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def zeros_check(size: int) -> int:
    """The checksum of that many zero bytes, without reading them."""
    whole, check, length = 0, zlib.crc32(b"\0"), 1
    while size:
        if size & 1:
            whole = crc.combine(whole, check, length)
        check, length, size = crc.combine(check, check, length), 2 * length, size >> 1
    return whole


def make(path: Path, shapes: dict[str, tuple[int, ...]], dtype: np.dtype = INT32) -> Layout:
    """A zip file of zeros that takes no room on the disk."""
    layout = Layout()
    with path.open("wb") as file:
        for name, shape in shapes.items():
            member = layout.add(name, dtype, shape)
            size = int(np.prod(shape, dtype=object)) * dtype.itemsize
            checks = [(zlib.crc32(member.npy_header), len(member.npy_header))]
            member.crc = crc.combined([*checks, (zeros_check(size), size)])
        file.truncate(layout.size)
        for place, header in layout.headers():
            os.pwrite(file.fileno(), header, place)
    return layout


def test_more_than_two_to_the_31_cells(tmp_path: Path) -> None:
    cells = (1 << 31) + 5
    layout = make(tmp_path / "x.npz", {"indices": (cells,), "data": (cells,), "last": (3,)})
    assert layout.size > 4 * cells * 2
    with zipfile.ZipFile(tmp_path / "x.npz") as file:
        sizes = {one.filename: one.file_size for one in file.infolist()}
        assert sizes["data.npy"] == 4 * cells + len(layout.members[1].npy_header)
        assert [one.header_offset for one in file.infolist()][2] > 1 << 33
        assert file.read("last.npy").endswith(bytes(12))
    arrays = MappedArrays(str(tmp_path / "x.npz"))
    assert arrays["indices"].shape == arrays["data"].shape == (cells,)
    assert arrays["data"][-1] == 0
    assert arrays["last"].tolist() == [0, 0, 0]


# The sizes at which a number no longer fits, of the member (with its npy header of 128 bytes) and
# of the place of what follows.
@pytest.mark.parametrize("size", [0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, 0xFFFFFE00, 0xFFFFFF40])
def test_sizes_around_four_gibibytes(tmp_path: Path, size: int) -> None:
    shapes = {"first": (size - 128,), "second": (7,)}
    layout = make(tmp_path / "x.npz", shapes, np.dtype(np.uint8))
    assert layout.members[0].size == size
    with zipfile.ZipFile(tmp_path / "x.npz") as file:
        assert file.namelist() == ["first.npy", "second.npy"]
        assert file.getinfo("first.npy").file_size == size
        assert file.read("second.npy").endswith(bytes(7))
        with file.open("first.npy") as stream:
            assert stream.read(6) == b"\x93NUMPY"
    assert MappedArrays(str(tmp_path / "x.npz"))["second"].tolist() == [0] * 7


def test_checksums_of_large_members(tmp_path: Path) -> None:
    make(tmp_path / "x.npz", {"zeros": (1 << 22, 3)}, INT64)
    with zipfile.ZipFile(tmp_path / "x.npz") as file:
        assert file.testzip() is None


def test_every_array_is_aligned_whatever_its_name() -> None:
    layout = Layout()
    for length in range(1, 80):
        member = layout.add("n" * length, np.dtype(np.uint8), (length,))
        assert member.data % 64 == 0
        assert member.header_place + len(layout.local(member)) == member.data
