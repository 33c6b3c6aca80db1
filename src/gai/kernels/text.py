"""Kernels over raw text: is it UTF-8, and where are its lines?"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import uint64

from gai.kernels.build import exported, kernel
from gai.kernels.words8 import HIGH, bytes_equal, first_byte, load8

NON_ASCII = 1
SPECIAL = 2


@exported("u1* i8 i8*")
@kernel
def inspect_text(data, size, facts):
    """The position of the first byte that is not UTF-8, or -1.

    Adds to ``facts[0]``: ``NON_ASCII`` where a byte is not ASCII, ``SPECIAL`` where the text holds
    U+0130 or U+03A3, whose lower case depends on more than the character.
    """
    i = 0
    while i < size:
        high = load8(data, i) & HIGH
        if high == 0:
            i += 8
            continue
        i += first_byte(high)
        if i >= size:
            break
        length = sequence_length(data, i, size)
        if length == 0:
            return i
        facts[0] |= NON_ASCII
        if (data[i] == 0xCE and data[i + 1] == 0xA3) or (data[i] == 0xC4 and data[i + 1] == 0xB0):
            facts[0] |= SPECIAL
        i += length
    return -1


@kernel
def sequence_length(data, i, size):
    """The length of the well-formed sequence that starts with the non-ASCII byte i, or 0.

    Table 3-7 of the Unicode standard: the second byte is what rules out overlong forms,
    surrogates and code points above U+10FFFF.
    """
    b = data[i]
    low, high = 0x80, 0xBF
    if 0xC2 <= b <= 0xDF:
        length = 2
    elif 0xE0 <= b <= 0xEF:
        length = 3
        if b == 0xE0:
            low = 0xA0
        elif b == 0xED:
            high = 0x9F
    elif 0xF0 <= b <= 0xF4:
        length = 4
        if b == 0xF0:
            low = 0x90
        elif b == 0xF4:
            high = 0x8F
    else:
        return 0
    if i + length > size or data[i + 1] < low or data[i + 1] > high:
        return 0
    for k in range(2, length):
        if data[i + k] & 0xC0 != 0x80:
            return 0
    return length


@exported("u1* i8")
@kernel
def count_lines(data, size):
    """The number of lines; a last one without LF counts."""
    lines = 0
    i = 0
    while i < size:
        found = bytes_equal(load8(data, i), 0x0A)
        while found != 0 and i + first_byte(found) < size:
            lines += 1
            found &= found - uint64(1)
        i += 8
    if size > 0 and data[size - 1] != 0x0A:
        lines += 1
    return lines


@exported("u1* i8 i8* i8*")
@kernel
def cut_lines(data, size, starts, ends):
    """The number of lines, after writing their positions; LF and one CR before it lie outside."""
    line = 0
    start = 0
    i = 0
    while i < size:
        found = bytes_equal(load8(data, i), 0x0A)
        while found != 0:
            end = i + first_byte(found)
            if end >= size:
                break
            starts[line] = start
            ends[line] = end - 1 if end > start and data[end - 1] == 0x0D else end
            line += 1
            start = end + 1
            found &= found - uint64(1)
        i += 8
    if start < size:
        starts[line] = start
        ends[line] = size
        line += 1
    return line
