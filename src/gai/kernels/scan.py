"""The scanners: from a place in a document to its next token.

A scanner is ``scan(data, begin, i, end, props, lower, fold, min_length, arena, free)`` and gives
back ``(start, stop, first, second, length)``: the token is ``data[start:stop]``, normalised it is
``length`` bytes long. ``length`` is 0 where no token is left, -1 where the arena lacks room. No
token begins between ``begin``, where a token or the document before ended, and ``i``.

``first`` and ``second`` are the key of the token: its first eight bytes and the next eight, filled
up with zeros. Of a token longer than 16 bytes ``second`` is a hash of all but the first eight, and
its bytes stand in the arena from ``free`` on, where they need room but are not yet kept.

``data`` is well-formed UTF-8 with padding behind it. ``fold`` is ``HIGH`` for lower case, else 0.
ASCII is read eight bytes at a time; everything else goes character by character through tables.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64, uint64

from gai.kernels import classes
from gai.kernels.build import kernel, step
from gai.kernels.utf8 import decode, encode
from gai.kernels.word_break import attached, segment_end
from gai.kernels.words8 import (
    HIGH,
    below,
    bytes_equal,
    classify64,
    first_byte,
    load8,
    lowered,
    store8,
    trailing_zeros,
    word_bytes,
)

ALL = uint64(0xFFFFFFFFFFFFFFFF)
MIX = uint64(0x9E3779B97F4A7C15)
WORD, SPACE = classes.WORD, classes.SPACE


@step
def scan_word(data, begin, i, end, props, lower, fold, min_length, arena, free):
    r"""The next maximal run of ``\w`` of at least ``min_length`` characters."""
    while i < end:
        x, high = ascii_part(data, i)
        words = word_bytes(x)
        if words == 0:
            if high == 0:
                i += 8
                continue
            i += first_byte(high)
            if i >= end:
                break
            code, width = decode(data, i, lower, fold)
            if props[code] & WORD == 0:
                i += width
                continue
            stop, length, characters = copy_word(data, i, end, props, lower, fold, arena, free)
        else:
            i += first_byte(words)
            if i >= end:
                break
            stop, first, second, length = short_ascii(data, i, end, fold)
            if length > 0:
                if length >= min_length:
                    return i, stop, first, second, length
                i = stop
                continue
            stop, length, characters = copy_word(data, i, end, props, lower, fold, arena, free)
        if length < 0:
            return i, i, uint64(0), uint64(0), int64(-1)
        if characters >= min_length:
            first, second = key_of(arena, free, length)
            return i, stop, first, second, length
        i = stop
    return end, end, uint64(0), uint64(0), int64(0)


@step
def scan_unicode(data, begin, i, end, props, lower, fold, min_length, arena, free):
    """The next segment between Unicode word boundaries that holds a letter or a digit.

    ``min_length`` is 1. Runs of Thai, Lao, Khmer and Myanmar letters stay together.
    """
    while i < end:
        x, high = ascii_part(data, i)
        words = word_bytes(x)
        if words == 0:
            if high == 0:
                i += 8
                continue
            i += first_byte(high)
            if i >= end:
                break
            i = attached(data, begin, i, props)
        else:
            i += first_byte(words)
            if i >= end:
                break
            stop, first, second, length = short_ascii(data, i, end, fold)
            if length > 0 and stands_alone(data, i, stop, end):
                return i, stop, first, second, length
        stop, keep = segment_end(data, i, end, props, lower, fold, True)
        if keep:
            length = copy_segment(data, i, stop, lower, fold, arena, free)
            if length < 0:
                return i, i, uint64(0), uint64(0), int64(-1)
            first, second = key_of(arena, free, length)
            return i, stop, first, second, length
        i = stop
        begin = i
    return end, end, uint64(0), uint64(0), int64(0)


@step
def scan_pretokenized(data, begin, i, end, props, lower, fold, min_length, arena, free):
    """What stands between spaces, U+0020 and nothing else; ``min_length`` is 1."""
    while i < end and data[i] == 0x20:
        i += 1
    if i >= end:
        return end, end, uint64(0), uint64(0), int64(0)
    stop = i
    high = uint64(0)
    while stop < end:
        x = load8(data, stop)
        high |= x & HIGH
        spaces = bytes_equal(x, 0x20)
        if spaces != 0:
            stop += first_byte(spaces)
            break
        stop += 8
    stop = min(stop, end)
    if high == 0 and stop - i <= 16:
        first, second = ascii_key(data, i, stop - i, fold)
        return i, stop, first, second, stop - i
    length = copy_segment(data, i, stop, lower, fold, arena, free)
    if length < 0:
        return i, i, uint64(0), uint64(0), int64(-1)
    first, second = key_of(arena, free, length)
    return i, stop, first, second, length


@step
def scan_whitespace(data, begin, i, end, props, lower, fold, min_length, arena, free):
    """What stands between white space, as ``str.split`` has it; ``min_length`` is 1."""
    while i < end:
        width = space_width(data, i, props, lower)
        if width == 0:
            break
        i += width
    if i >= end:
        return end, end, uint64(0), uint64(0), int64(0)
    stop = i
    ascii_only = True
    while stop < end:
        byte = data[stop]
        if byte < 0x80:
            if is_ascii_space(byte):
                break
            stop += 1
            continue
        code, width = decode(data, stop, lower, uint64(0))
        if props[code] & SPACE != 0:
            break
        ascii_only = False
        stop += width
    if ascii_only and stop - i <= 16:
        first, second = ascii_key(data, i, stop - i, fold)
        return i, stop, first, second, stop - i
    length = copy_segment(data, i, stop, lower, fold, arena, free)
    if length < 0:
        return i, i, uint64(0), uint64(0), int64(-1)
    first, second = key_of(arena, free, length)
    return i, stop, first, second, length


@step
def is_ascii_space(byte):
    """Whether an ASCII byte is white space: TAB to CR, the four separators, the space."""
    return byte == 0x20 or 0x09 <= byte <= 0x0D or 0x1C <= byte <= 0x1F


@step
def space_width(data, i, props, lower):
    """The length of the white space character at ``i``, 0 where there is none."""
    if data[i] < 0x80:
        return int64(1) if is_ascii_space(data[i]) else int64(0)
    code, width = decode(data, i, lower, uint64(0))
    return int64(width) if props[code] & SPACE != 0 else int64(0)


@step
def ascii_part(data, i):
    """Eight bytes with everything from the first non-ASCII byte on as zeros, and the high bits."""
    x = load8(data, i)
    high = x & HIGH
    if high != 0:
        x &= below(first_byte(high))
    return x, high


@step
def short_ascii(data, i, end, fold):
    r"""Stop, key and length of the ASCII run of ``\w`` at ``i``.

    The length is 0 where the run is longer than 15 bytes or touches a non-ASCII character.
    """
    x, high = ascii_part(data, i)
    length = first_byte(~word_bytes(x) & HIGH)
    second = uint64(0)
    if length < 8:
        if length > end - i:
            length = end - i
        elif high != 0 and first_byte(high) == length:
            length = 0
        first = lowered(x, fold) & below(length)
        return i + length, first, second, length
    first = lowered(x, fold)
    x, high = ascii_part(data, i + 8)
    more = first_byte(~word_bytes(x) & HIGH)
    length = 8 + more
    if length > end - i:
        length = end - i
        if length < 8:
            return i + length, first & below(length), second, length
    elif more == 8 or (high != 0 and first_byte(high) == more):
        return i, first, second, int64(0)
    second = lowered(x, fold) & below(length - 8)
    return i + length, first, second, length


@step
def is_word(data, start, stop, end):
    r"""Whether an ASCII run of ``\w`` is a token of ``scan_word``: always."""
    return True


@step
def is_none(data, start, stop, end):
    """Whether an ASCII run is a token for a scanner that has other rules: never."""
    return False


@step
def stands_alone(data, start, stop, end):
    """Whether an ASCII run of letters, digits and underscores is surely a token of its own.

    Not where one of ``' . : , ;`` and another letter or digit follow, nor where a character that is
    not ASCII comes after such a mark, nor where the run begins with an underscore: the long way
    then decides.
    """
    if data[start] == 0x5F:
        return False
    if stop + 1 >= end:
        return True
    mark = data[stop]
    if mark != 0x27 and mark != 0x2E and mark != 0x3A and mark != 0x2C and mark != 0x3B:
        return True
    after = data[stop + 1]
    return after < 0x80 and not (0x61 <= after | 0x20 <= 0x7A or 0x30 <= after <= 0x39)


@step
def ascii_block(data, i, end):
    r"""The mask of ``\w`` in the ASCII bytes from ``i`` on, at most 64, and how many these are."""
    words, high = classify64(data, i)
    reach = min(trailing_zeros(high), end - i)
    if reach < 64:
        words &= (uint64(1) << uint64(reach)) - uint64(1)
    return words, reach


@step
def ascii_key(data, i, length, fold):
    """The key of the ASCII token of up to 16 bytes at ``i``."""
    first = lowered(load8(data, i), fold)
    if length <= 8:
        return first & (ALL >> uint64(64 - (length << 3))), uint64(0)
    second = lowered(load8(data, i + 8), fold)
    return first, second & (ALL >> uint64(128 - (length << 3)))


@kernel
def copy_word(data, i, end, props, lower, fold, arena, free):
    r"""Stop, length in bytes and in characters of the run of ``\w`` at ``i``, copied to the arena.

    The length is -1 where the arena lacks room.
    """
    place = free
    characters = 0
    while i < end:
        code, width = decode(data, i, lower, fold)
        if props[code] & WORD == 0:
            break
        if place + 24 > arena.size:
            return i, int64(-1), characters
        place += encode(arena, place, code)
        characters += 1
        i += width
    pad(arena, place)
    return i, place - free, characters


@kernel
def copy_segment(data, i, stop, lower, fold, arena, free):
    """The length of ``data[i:stop]``, normalised and copied to the arena; -1 without room."""
    place = free
    while i < stop:
        code, width = decode(data, i, lower, fold)
        if place + 24 > arena.size:
            return int64(-1)
        place += encode(arena, place, code)
        i += width
    pad(arena, place)
    return place - free


@step
def pad(arena, place):
    """Write sixteen zero bytes, so that keys may be loaded."""
    store8(arena, place, uint64(0))
    store8(arena, place + 8, uint64(0))


@step
def key_of(arena, free, length):
    """The key of the term at ``free``, behind which zeros stand."""
    first = load8(arena, free)
    if length <= 8:
        return first, uint64(0)
    second = load8(arena, free + 8)
    if length > 16:
        place = free + 16
        while place < free + length:
            second = (second ^ (second >> uint64(29))) * MIX + load8(arena, place)
            place += 8
    return first, second
