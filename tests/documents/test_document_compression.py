"""Compressed input: recognised by its first bytes, whatever its name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gai.documents import Reader, Reading
from gai.errors import GaiError, MissingExtraError

Read = Callable[[Reading], list[tuple[str, bytes]]]
Compress = Callable[[bytes], bytes]

COMPRESSORS: dict[str, Compress] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}
TEXT = b"".join(b"line %d of the text\n" % number for number in range(2000))

every_kind = pytest.mark.parametrize("kind", COMPRESSORS)


@every_kind
@pytest.mark.parametrize("block_size", [1, 1000, 1 << 20])
def test_the_content_says_that_it_is_compressed(
    tmp_path: Path, documents: Read, kind: str, block_size: int
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(COMPRESSORS[kind](TEXT))
    reading = Reading(paths=(str(path),), block_size=block_size)
    assert documents(reading) == [(str(path), TEXT)]
    reader = Reader(reading)
    list(reader)
    assert reader.bytes_read == len(TEXT)
    assert reader.bytes_stored == reader.total_stored() == path.stat().st_size
    assert reader.total_bytes() is None


@every_kind
def test_standard_input_may_be_compressed(
    documents: Read, stdin: Callable[[bytes], None], kind: str
) -> None:
    stdin(COMPRESSORS[kind](b"\xef\xbb\xbfa\r\nb"))
    assert documents(Reading(paths=("-",))) == [("-:1", b"a"), ("-:2", b"b")]


@given(texts=st.lists(st.binary(max_size=50), min_size=1, max_size=4), padding=st.integers(0, 9))
@every_kind
def test_members_one_after_another_are_one_text(
    documents: Read, folder: Path, kind: str, texts: list[bytes], padding: int
) -> None:
    path = folder / "members"
    path.write_bytes(b"".join(COMPRESSORS[kind](text) + b"\0" * padding for text in texts))
    expected = b"".join(texts).removeprefix(b"\xef\xbb\xbf")
    reading = Reading(paths=(str(path),), text=True, block_size=7)
    assert documents(reading) == [(str(path), expected)]


@every_kind
def test_a_truncated_file_is_an_error_wherever_it_was_cut(tmp_path: Path, kind: str) -> None:
    whole = COMPRESSORS[kind](TEXT)
    path = tmp_path / "a"
    for length in (10, 11, 20, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(GaiError) as caught:
            list(Reader(Reading(paths=(str(path),), per="line")))
        assert caught.value.message == f"{path}: truncated {kind} data"


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_damaged_file_is_an_error(tmp_path: Path, kind: str) -> None:
    damaged = bytearray(COMPRESSORS[kind](TEXT))
    damaged[len(damaged) // 2] ^= 0x55
    path = tmp_path / "a"
    path.write_bytes(damaged)
    with pytest.raises(GaiError) as caught:
        list(Reader(Reading(paths=(str(path),), text=True)))
    assert caught.value.message.startswith(f"{path}: damaged {kind} data (")


def test_a_damaged_frame_is_an_error(tmp_path: Path) -> None:
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    damaged = bytearray(compressor.compress(TEXT))
    damaged[-1] ^= 0x55
    path = tmp_path / "a"
    path.write_bytes(damaged)
    with pytest.raises(GaiError, match="damaged zst data"):
        list(Reader(Reading(paths=(str(path),))))


@every_kind
def test_something_else_behind_the_data_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(COMPRESSORS[kind](TEXT) + b"plain text behind")
    with pytest.raises(GaiError, match="something else follows"):
        list(Reader(Reading(paths=(str(path),))))


def test_frames_to_be_skipped_are_skipped(tmp_path: Path, documents: Read) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (7).to_bytes(4, "little") + b"ignored"
    path = tmp_path / "a"
    path.write_bytes(skippable + zstandard.compress(b"a") + skippable + zstandard.compress(b"b"))
    assert documents(Reading(paths=(str(path),))) == [(str(path), b"ab")]


@pytest.mark.parametrize("text", [b"BZh9", b"BZh91AY text", b"PK", b"\x1f\x8b", b"P*M"])
def test_text_that_begins_almost_like_compressed_data_is_text(
    tmp_path: Path, documents: Read, text: bytes
) -> None:
    path = tmp_path / "a"
    path.write_bytes(text)
    assert documents(Reading(paths=(str(path),))) == [(str(path), text)]


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_memory_is_bounded_however_much_comes_out(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(COMPRESSORS[kind](b"a\n" * 10_000_000))
    tracemalloc.start()
    try:
        reading = Reading(paths=(str(path),), per="line", block_size=100_000)
        size = sum(batch.size for batch in Reader(reading))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 20_000_000
    assert peak < 10_000_000  # xz itself keeps 8 MiB


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python itself reads zst from 3.14 on")
def test_zst_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt.zst"
    path.write_bytes(zstandard.compress(b"a"))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError) as caught:
        list(Reader(Reading(paths=(str(path),))))
    assert "gai[zst]" in caught.value.hint
