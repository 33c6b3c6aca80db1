"""One character at a time: from UTF-8 to code points and back."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64

from gai.kernels.build import step


@step
def decode(data, i, lower, fold):
    """The code point at ``i``, in lower case where ``fold`` is set, and its width in bytes."""
    b = int64(data[i])
    if b < 0x80:
        code, width = b, int64(1)
    elif b < 0xE0:
        code, width = (b & 0x1F) << 6 | int64(data[i + 1]) & 0x3F, int64(2)
    elif b < 0xF0:
        code = (b & 0x0F) << 12 | (int64(data[i + 1]) & 0x3F) << 6 | int64(data[i + 2]) & 0x3F
        width = int64(3)
    else:
        code = (b & 0x07) << 18 | (int64(data[i + 1]) & 0x3F) << 12
        code |= (int64(data[i + 2]) & 0x3F) << 6 | int64(data[i + 3]) & 0x3F
        width = int64(4)
    if fold != 0:
        code = int64(lower[code])
    return code, width


@step
def encode(arena, place, code):
    """The number of bytes of a code point, written to the arena as UTF-8."""
    if code < 0x80:
        arena[place] = code
        return 1
    if code < 0x800:
        arena[place] = 0xC0 | code >> 6
        arena[place + 1] = 0x80 | code & 0x3F
        return 2
    if code < 0x10000:
        arena[place] = 0xE0 | code >> 12
        arena[place + 1] = 0x80 | (code >> 6) & 0x3F
        arena[place + 2] = 0x80 | code & 0x3F
        return 3
    arena[place] = 0xF0 | code >> 18
    arena[place + 1] = 0x80 | (code >> 12) & 0x3F
    arena[place + 2] = 0x80 | (code >> 6) & 0x3F
    arena[place + 3] = 0x80 | code & 0x3F
    return 4
