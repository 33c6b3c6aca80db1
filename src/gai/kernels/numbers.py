"""Numbers of float32 as text, and back: the lines of vectors in text files."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import float32, float64, int64

from gai.kernels.build import exported, kernel, step
from gai.kernels.joining import copied

LINE_FEED = 0x0A
DIGITS = 18
"""Digits of a number that are looked at: the others weigh less than ``WIDE``."""

WIDE = 1.0 / (1 << 50)
"""More than the relative error of two operations and of the table of powers."""

LEAST, MOST = -4, 9
"""Decimal exponents from which on and up to which numbers have no exponent."""

HAIR = 1e-3
"""Far more than the error of a number with nine digits before the point."""


@step
def is_space(byte):
    """Whether bytes.split() would split here."""
    return byte == 0x20 or 0x09 <= byte <= 0x0D


@step
def parsed(data, start, end, powers, out, place):
    """Whether ``data[start:end]`` is a plain decimal number whose float32 is beyond doubt.

    It goes to ``out[place]``: what the nearest double, rounded to float32, is.
    """
    i = start
    negative = False
    if i < end and (data[i] == 0x2D or data[i] == 0x2B):
        negative = data[i] == 0x2D
        i += 1
    digits = 0
    seen = False
    point = False
    exponent = 0
    number = int64(0)
    while i < end:
        byte = data[i]
        if 0x30 <= byte <= 0x39:
            seen = True
            if digits < DIGITS:
                number = number * 10 + int64(byte - 0x30)
                digits += number > 0
                exponent -= point
            else:
                exponent += not point
        elif byte == 0x2E and not point:
            point = True
        else:
            break
        i += 1
    if not seen:
        return False
    if i < end and (data[i] | 0x20) == 0x65:
        i += 1
        down = False
        if i < end and (data[i] == 0x2D or data[i] == 0x2B):
            down = data[i] == 0x2D
            i += 1
        if i >= end or end - i > 3:
            return False
        power = 0
        while i < end and 0x30 <= data[i] <= 0x39:
            power = power * 10 + int64(data[i] - 0x30)
            i += 1
        exponent += -power if down else power
    if i < end or exponent >= powers.size or -exponent >= powers.size:
        return False
    value = float64(number)
    value = value / powers[-exponent] if exponent < 0 else value * powers[exponent]
    if float32(value * (1.0 - WIDE)) != float32(value * (1.0 + WIDE)):
        return False
    out[place] = float32(-value if negative else value)
    return True


@exported("u1* i8 i8 i8 f8* i8* i8* f4* i8*")
@kernel
def parse_rows(data, first, last, dim, powers, starts, ends, out, state):
    """The number of rows, after reading lines of a word and ``dim`` numbers.

    ``data[first:last]`` are whole lines. The word of row r is ``data[starts[r]:ends[r]]``, its
    numbers are ``out[r * dim:(r + 1) * dim]``. Blank lines are passed over. ``state[0]`` is where
    reading stopped: ``last``, or the beginning of a line that is no row, or whose numbers are no
    plain decimals: the twin decides. ``powers[i]`` is 10 to the power of i.
    """
    row = 0
    line = first
    while line < last:
        end = line
        while end < last and data[end] != LINE_FEED:
            end += 1
        after = end + 1
        while end > line and is_space(data[end - 1]):
            end -= 1
        if end > line:
            number = dim
            stop = end
            while number > 0 and stop > line:
                start = stop
                while start > line and not is_space(data[start - 1]):
                    start -= 1
                if start == line or not parsed(
                    data, start, stop, powers, out, row * dim + number - 1
                ):
                    break
                number -= 1
                stop = start
                while stop > line and is_space(data[stop - 1]):
                    stop -= 1
            if number > 0:
                state[0] = line
                return row
            starts[row] = line
            ends[row] = stop
            row += 1
        line = after
    state[0] = last
    return row


@step
def reads_back(number, shift, value, powers):
    """Whether the decimal ``number * 10 ** -shift`` reads back as the float32 ``value``, beyond
    doubt: halfway between two of them only where all that is exact."""
    read = number / powers[shift] if shift >= 0 else number * powers[-shift]
    low, high = float32(read * (1.0 - WIDE)), float32(read * (1.0 + WIDE))
    if low == high:
        return low == float32(value)
    exact = read * powers[shift] == number if shift >= 0 else True
    return -6 <= shift <= 12 and exact and float32(read) == float32(value)


@step
def rounded(value, unit):
    """The multiple of ``unit`` that is nearest to ``value``, of two the even one."""
    count = int64(value / unit)
    rest = value - float64(count * unit)
    up = 2.0 * rest > unit or (2.0 * rest == unit and count & 1 == 1)
    return (count + int64(up)) * unit


@step
def within(number, low, high, shift, value, powers):
    """Whether ``number`` lies between ``low`` and ``high``; where that is close, by reading it."""
    if low + HAIR < number < high - HAIR:
        return True
    if number < low - HAIR or number > high + HAIR:
        return False
    return reads_back(number, shift, value, powers)


@step
def spelled(number, digits, exponent, out, place):
    """Where the text ends of the decimal ``d.ddd * 10 ** exponent`` with these digits."""
    if exponent < LEAST or exponent >= MOST:
        point = 1
    elif exponent < 0:
        out[place] = 0x30
        out[place + 1] = 0x2E
        place += 2
        for _ in range(-exponent - 1):
            out[place] = 0x30
            place += 1
        point = -1
    else:
        point = exponent + 1
    size = max(digits, point + 1) if LEAST <= exponent < MOST else digits
    for _ in range(size - digits):
        number *= 10
    end = place + size + (1 if point >= 0 and size > point else 0)
    k = end - 1
    for left in range(size, 0, -1):
        out[k] = 0x30 + number % 10
        number //= 10
        k -= 1
        if left - 1 == point:
            out[k] = 0x2E
            k -= 1
    if LEAST <= exponent < MOST:
        return end
    out[end] = 0x65
    out[end + 1] = 0x2D if exponent < 0 else 0x2B
    exponent = abs(exponent)
    out[end + 2] = 0x30 + exponent // 10
    out[end + 3] = 0x30 + exponent % 10
    return end + 4


@step
def written(bits, powers, twos, out, place):
    """Where the text of a float32 ends, given as its bits: the fewest digits that read back as it.

    Nine digits always do. From there on digits are dropped while what is left, rounded, lies
    nearer to this number than to its neighbours.
    """
    if bits >> 31:
        out[place] = 0x2D
        place += 1
    raised = int64((bits >> 23) & 255)
    fraction = int64(bits & 0x7FFFFF)
    if raised == 0 and fraction == 0:
        return spelled(int64(0), 1, 0, out, place)
    fraction += 0x800000 if raised else 0
    power = max(raised, 1)
    value = float64(fraction) * twos[power]
    length = int64(24)
    while fraction >> (length - 1) == 0:
        length -= 1
    exponent = ((power - 150 + length - 1) * 1233) >> 12
    shift = 8 - exponent
    scaled = value * powers[shift] if shift >= 0 else value / powers[-shift]
    if scaled >= 1e9 or scaled < 1e8:
        exponent += 1 if scaled >= 1e9 else -1
        shift = 8 - exponent
        scaled = value * powers[shift] if shift >= 0 else value / powers[-shift]
    half = scaled * (0.5 / float64(fraction))
    at_edge = fraction == 0x800000 and raised > 1
    low, high = scaled - (0.5 * half if at_edge else half), scaled + half
    number, unit, digits = rounded(scaled, int64(1)), int64(1), 9
    while digits > 1:
        coarse = unit * 10
        near = rounded(scaled, coarse)
        if not within(float64(near), low, high, shift, value, powers):
            near += coarse if near < scaled else -coarse
            if not at_edge or not within(float64(near), low, high, shift, value, powers):
                break
        number, unit = near, coarse
        digits -= 1
    number //= unit
    if number == 1000000000 // unit:
        number, digits = int64(1), 1
        exponent += 1
    return spelled(number, digits, exponent, out, place)


@exported("u1* i8* u4* i8 f8* f8* u1*")
@kernel
def write_rows(arena, offsets, bits, dim, powers, twos, out):
    """The number of bytes, after writing a line for each word: the word and ``dim`` numbers.

    The numbers are float32, given as their bits, and finite. Each has the fewest digits that read
    back as it, and a point or an exponent. ``twos[i]`` is 2 to the power of i - 150.
    """
    place = 0
    for row in range(offsets.size - 1):
        place = copied(arena, offsets[row], offsets[row + 1], out, place)
        for k in range(row * dim, (row + 1) * dim):
            out[place] = 0x20
            place = written(bits[k], powers, twos, out, place + 1)
        out[place] = LINE_FEED
        place += 1
    return place
