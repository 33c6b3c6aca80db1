"""Checksums of pieces, put together, against zlib's of the whole."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from gai.output import crc


@given(st.lists(st.binary(max_size=300)))
def test_pieces_give_the_checksum_of_the_whole(pieces: list[bytes]) -> None:
    checks = ((zlib.crc32(piece), len(piece)) for piece in pieces)
    assert crc.combined(checks) == zlib.crc32(b"".join(pieces))


@given(st.binary(max_size=50), st.integers(0, 1 << 20))
def test_any_number_of_zeros_may_follow(text: bytes, zeros: int) -> None:
    whole = zlib.crc32(bytes(zeros), zlib.crc32(text))
    assert crc.combine(zlib.crc32(text), zlib.crc32(bytes(zeros)), zeros) == whole


def test_lengths_above_32_bits() -> None:
    piece = zlib.crc32(bytes(1 << 20))
    doubled, length = piece, 1 << 20
    while length < 1 << 40:
        doubled, length = crc.combine(doubled, doubled, length), 2 * length
    step = crc.combine(0, 0, 1 << 40)
    assert crc.combine(doubled, doubled, 1 << 40) == crc.combined([(doubled, length)] * 2)
    assert step == 0
    assert crc.power(1 << 40) == crc.multiplied(crc.power((1 << 40) - 7), crc.power(7))
