"""CRC-32 of pieces that are put together later.

A CRC is the remainder of a polynomial over GF(2) by P. Text followed by n more bytes is that text
times x^(8n), so the CRC of two pieces in a row is ``crc(A) * x^(8 len(B)) mod P`` plus ``crc(B)``,
and nobody has to read the bytes again. Bits are reflected: the highest bit stands for x^0.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

POLYNOMIAL = 0xEDB88320
ONE = 0x80000000
X_TO_THE_8 = 0x00800000


def combine(first: int, second: int, length: int) -> int:
    """The CRC-32 of two pieces in a row, from that of each and the length of the second."""
    return multiplied(first, power(length)) ^ second


def combined(pieces: Iterable[tuple[int, int]]) -> int:
    """The CRC-32 of pieces in a row, from the CRC-32 and the length of each."""
    total = 0
    for crc, length in pieces:
        total = combine(total, crc, length)
    return total


def multiplied(a: int, b: int) -> int:
    """The product of two polynomials modulo P."""
    product = 0
    while a:
        if a & ONE:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (POLYNOMIAL if b & 1 else 0)
    return product


@cache
def power(length: int) -> int:
    """x^(8 length) modulo P."""
    if length == 0:
        return ONE
    half = power(length // 2)
    square = multiplied(half, half)
    return multiplied(square, X_TO_THE_8) if length % 2 else square
