"""The plain twins of ``gai.kernels.numbers``."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def parse_rows(
    data: NDArray[np.uint8],
    first: int,
    last: int,
    dim: int,
    powers: NDArray[np.float64],
    starts: Ints,
    ends: Ints,
    out: Floats,
    state: Ints,
) -> int:
    """The number of rows, after reading lines of a word and ``dim`` numbers.

    ``data[first:last]`` are whole lines. The word of row r is ``data[starts[r]:ends[r]]``, its
    numbers are ``out[r * dim:(r + 1) * dim]``. Blank lines are passed over. ``state[0]`` is where
    reading stopped: ``last``, or the beginning of a line that is no row.
    """
    place, row = first, 0
    with np.errstate(over="ignore"):
        for line in data[first:last].tobytes().split(b"\n"):
            fields = line.rsplit(None, dim)
            if fields:
                try:
                    ends[row] = place + _parsed(line, fields, out[row * dim : (row + 1) * dim])
                except ValueError:
                    state[0] = place
                    return row
                starts[row] = place
                row += 1
            place += len(line) + 1
    state[0] = last
    return row


def _parsed(line: bytes, fields: list[bytes], out: Floats) -> int:
    """Where the word of a line ends, after its numbers went to ``out``; a ValueError for others."""
    blank = len(fields) == len(out) and line[:1].isspace()
    numbers = fields if blank else fields[1:]
    if len(numbers) != len(out) or any(b"_" in number for number in numbers):
        raise ValueError("not a word and so many numbers")
    out[:] = list(map(float, numbers))
    return 0 if blank else len(fields[0])


def write_rows(
    arena: NDArray[np.uint8],
    offsets: Ints,
    bits: NDArray[np.uint32],
    dim: int,
    powers: NDArray[np.float64],
    twos: NDArray[np.float64],
    out: NDArray[np.uint8],
) -> int:
    """The number of bytes, after writing a line for each word: the word and ``dim`` numbers.

    The numbers are float32, given as their bits, and finite. Each has the fewest digits that read
    back as it, and a point or an exponent.
    """
    text, limits = arena.tobytes(), offsets.tolist()
    fields = list(map(spelled, bits.view(np.float32)))
    rows = [fields[first : first + dim] for first in range(0, len(fields), dim)]
    lines = [
        b" ".join([text[start:end], *numbers]) + b"\n"
        for (start, end), numbers in zip(pairwise(limits), rows, strict=True)
    ]
    joined = b"".join(lines)
    out[: len(joined)] = np.frombuffer(joined, np.uint8)
    return len(joined)


def spelled(number: np.float32) -> bytes:
    """The shortest digits that read back as a float32, with a point or an exponent."""
    text = np.format_float_scientific(number, trim="-", exp_digits=2)
    mantissa, _, power = text.lstrip("-").partition("e")
    sign, digits, exponent = "-" if text[0] == "-" else "", mantissa.replace(".", ""), int(power)
    if not -4 <= exponent < 9:
        return text.encode()
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}".encode()
    digits = digits.ljust(exponent + 2, "0")
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}".encode()
