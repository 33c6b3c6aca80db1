"""Plain twins of the kernels over raw text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NON_ASCII = 1
SPECIAL = 2
SPECIAL_LETTERS = ("\u0130".encode(), "\u03a3".encode())


def first_invalid(data: NDArray[np.uint8], size: int) -> int:
    """The position of the first byte that is not UTF-8, or -1."""
    try:
        str(data[:size].data, "utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return -1


def inspect_text(data: NDArray[np.uint8], size: int, facts: NDArray[np.int64]) -> int:
    """The position of the first byte that is not UTF-8, or -1; adds what the text holds to facts.

    ``facts[0]`` gets ``NON_ASCII`` where a byte before that position is not ASCII, and ``SPECIAL``
    where U+0130 or U+03A3, whose lower case depends on more than the character, lies there.
    """
    invalid = first_invalid(data, size)
    text = data[: size if invalid < 0 else invalid].tobytes()
    if not text.isascii():
        facts[0] |= NON_ASCII
    if any(letter in text for letter in SPECIAL_LETTERS):
        facts[0] |= SPECIAL
    return invalid


def count_lines(data: NDArray[np.uint8], size: int) -> int:
    """The number of lines; a last one without LF counts."""
    open_end = size > 0 and data[size - 1] != 0x0A
    return int(np.count_nonzero(data[:size] == 0x0A)) + int(open_end)


def cut_lines(
    data: NDArray[np.uint8],
    size: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> int:
    """The number of lines, after writing their positions; LF and one CR before it lie outside."""
    feeds = np.flatnonzero(data[:size] == 0x0A)
    count = len(feeds)
    starts[:1] = 0
    starts[1 : count + 1] = feeds[: len(starts) - 1] + 1
    ends[:count] = feeds - ((feeds > starts[:count]) & (data[feeds - 1] == 0x0D))
    if size > 0 and data[size - 1] != 0x0A:
        ends[count] = size
        count += 1
    return count
