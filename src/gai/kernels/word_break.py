"""Word boundaries: UAX #29 for Unicode 15.0, with one tailoring that may be left out."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64, uint64

from gai.kernels import classes
from gai.kernels.build import exported, kernel, step
from gai.kernels.utf8 import decode

CR, LF, NEWLINE = classes.CR, classes.LF, classes.NEWLINE
EXTEND, ZWJ, FORMAT = classes.EXTEND, classes.ZWJ, classes.FORMAT
REGIONAL_INDICATOR, KATAKANA = classes.REGIONAL_INDICATOR, classes.KATAKANA
HEBREW_LETTER, ALETTER = classes.HEBREW_LETTER, classes.ALETTER
SINGLE_QUOTE, DOUBLE_QUOTE = classes.SINGLE_QUOTE, classes.DOUBLE_QUOTE
MIDNUMLET, MIDLETTER, MIDNUM = classes.MIDNUMLET, classes.MIDLETTER, classes.MIDNUM
NUMERIC, EXTENDNUMLET, WSEGSPACE = classes.NUMERIC, classes.EXTENDNUMLET, classes.WSEGSPACE
PICTOGRAPH, ALETTER_PICTOGRAPH = classes.PICTOGRAPH, classes.ALETTER_PICTOGRAPH
OTHER, COMPLEX, CLASS = classes.OTHER, classes.COMPLEX, classes.CLASS
LETTER_OR_DIGIT = classes.LETTER_OR_DIGIT
TO_LETTER, TO_DIGIT = 32, 33
"""Classes of our own: a mark after which a letter, or a digit, is known to follow."""


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
