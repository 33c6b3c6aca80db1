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
from gai.kernels.build import exported, kernel, step
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
CR, LF, NEWLINE = classes.CR, classes.LF, classes.NEWLINE
EXTEND, ZWJ, FORMAT = classes.EXTEND, classes.ZWJ, classes.FORMAT
REGIONAL_INDICATOR, KATAKANA = classes.REGIONAL_INDICATOR, classes.KATAKANA
HEBREW_LETTER, ALETTER = classes.HEBREW_LETTER, classes.ALETTER
SINGLE_QUOTE, DOUBLE_QUOTE = classes.SINGLE_QUOTE, classes.DOUBLE_QUOTE
MIDNUMLET, MIDLETTER, MIDNUM = classes.MIDNUMLET, classes.MIDLETTER, classes.MIDNUM
NUMERIC, EXTENDNUMLET, WSEGSPACE = classes.NUMERIC, classes.EXTENDNUMLET, classes.WSEGSPACE
PICTOGRAPH, ALETTER_PICTOGRAPH = classes.PICTOGRAPH, classes.ALETTER_PICTOGRAPH
OTHER, COMPLEX, CLASS = classes.OTHER, classes.COMPLEX, classes.CLASS
LETTER_OR_DIGIT, WORD = classes.LETTER_OR_DIGIT, classes.WORD
TO_LETTER, TO_DIGIT = 32, 33
"""Classes of our own: a mark after which a letter, or a digit, is known to follow."""


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


@kernel
def attached(data, begin, i, props):
    """Where the segment of the non-ASCII character at ``i`` begins, not before ``begin``.

    A mark (rule WB4) belongs to the ASCII character before it, and spaces stay together (WB3d).
    What stands before ``i`` is ASCII without letters, digits or underscores, or a boundary.
    """
    code, _ = decode(data, i, props, uint64(0))
    kind = props[code] & CLASS
    mark = kind == EXTEND or kind == FORMAT or kind == ZWJ
    if i == begin or not (mark or kind == WSEGSPACE):
        return i
    before = data[i - 1]
    if before == 0x20:
        while i > begin and data[i - 1] == 0x20:
            i -= 1
        return i
    if mark and not (0x0A <= before <= 0x0D):
        return i - 1
    return i


@step
def is_letter(kind):
    """AHLetter of UAX #29."""
    return kind == ALETTER or kind == HEBREW_LETTER or kind == ALETTER_PICTOGRAPH


@step
def is_mark(kind):
    """What rule WB4 passes over."""
    return kind == EXTEND or kind == FORMAT or kind == ZWJ


@kernel
def segment_end(data, i, end, props, lower, fold, join_complex):
    """The boundary after the one at ``i``, and whether a letter or a digit lies between the two.

    UAX #29, Unicode 15.0, rules WB3 to WB999. ``join_complex`` keeps runs of Complex_Context
    letters together, which is our only tailoring.
    """
    code, width = decode(data, i, lower, fold)
    kind = int64(props[code] & CLASS)
    keep = props[code] & LETTER_OR_DIGIT != 0
    i += width
    if kind == CR:
        return i + 1 if i < end and data[i] == 0x0A else i, False
    if kind == LF or kind == NEWLINE:
        return i, False
    last = int64(OTHER) if is_mark(kind) else kind
    previous = kind
    flags = 1 if kind == REGIONAL_INDICATOR else 0
    while i < end:
        code, width = decode(data, i, lower, fold)
        kind = int64(props[code] & CLASS)
        if is_mark(kind):
            pass
        elif previous == ZWJ and (kind == PICTOGRAPH or kind == ALETTER_PICTOGRAPH):
            last = kind
        elif previous == WSEGSPACE and kind == WSEGSPACE:
            last = kind
        elif joined(last, kind) or (join_complex and last == COMPLEX and kind == COMPLEX):
            last = kind
        elif last == REGIONAL_INDICATOR and kind == REGIONAL_INDICATOR and flags == 1:
            flags = 2
        else:
            last = bridge(last, kind, data, i + width, end, props, lower, fold)
            if last < 0:
                return i, keep
        keep = keep or props[code] & LETTER_OR_DIGIT != 0
        previous = kind
        i += width
    return i, keep


@step
def joined(last, kind):
    """Whether no boundary lies between two neighbours: WB5, WB8 to WB10, WB13 to WB13b.

    Also the second halves of WB7, WB7c and WB12, where ``bridge`` has looked ahead.
    """
    if is_letter(kind):
        return is_letter(last) or last == NUMERIC or last == EXTENDNUMLET or last == TO_LETTER
    if kind == NUMERIC:
        return is_letter(last) or last == NUMERIC or last == EXTENDNUMLET or last == TO_DIGIT
    if kind == KATAKANA:
        return last == KATAKANA or last == EXTENDNUMLET
    if kind == EXTENDNUMLET:
        return is_letter(last) or last == NUMERIC or last == KATAKANA or last == EXTENDNUMLET
    return False


@kernel
def bridge(last, kind, data, i, end, props, lower, fold):
    """What ``last`` becomes where a mark inside a word or number is let pass, else -1.

    ``kind`` is the mark, the first halves of WB6, WB7a, WB7b and WB12; what follows starts at i.
    """
    if is_letter(last):
        if kind == MIDLETTER or kind == MIDNUMLET or kind == SINGLE_QUOTE:
            if is_letter(next_kind(data, i, end, props, lower, fold)):
                return TO_LETTER
            if last == HEBREW_LETTER and kind == SINGLE_QUOTE:
                return OTHER
        elif last == HEBREW_LETTER and kind == DOUBLE_QUOTE:
            if next_kind(data, i, end, props, lower, fold) == HEBREW_LETTER:
                return TO_LETTER
    elif last == NUMERIC and (kind == MIDNUM or kind == MIDNUMLET or kind == SINGLE_QUOTE):
        if next_kind(data, i, end, props, lower, fold) == NUMERIC:
            return TO_DIGIT
    return -1


@kernel
def next_kind(data, i, end, props, lower, fold):
    """The class of the next character that WB4 does not pass over; OTHER at the end."""
    while i < end:
        code, width = decode(data, i, lower, fold)
        kind = int64(props[code] & CLASS)
        if not is_mark(kind):
            return kind
        i += width
    return int64(OTHER)


@exported("u1* i8 u1* i4* i8*")
@kernel
def boundaries(data, size, props, lower, found):
    """The number of word boundaries of UAX #29, untailored, after writing their byte positions."""
    count = 0
    i = int64(0)
    while i < size:
        found[count] = i
        count += 1
        i, _ = segment_end(data, i, size, props, lower, uint64(0), False)
    if size > 0:
        found[count] = size
        count += 1
    return count
