"""Blocks: a stream in large pieces, cut where a document may be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gai.documents.batch import PADDING
from gai.documents.opening import Stream
from gai.errors import GaiError

BOM = b"\xef\xbb\xbf"
LOOKED_AT = 8192
"""A NUL among the first bytes tells a binary file."""

SMALLEST = 64 << 10
WINDOW = 4096

Cut = Callable[[NDArray[np.uint8], int, int], int]
"""(data, low, high) -> where to cut data[:high], 0 where it cannot be cut. What lies below low
was looked at before, in vain."""


@dataclass(slots=True)
class Block:
    """``size`` bytes of a stream, then ``PADDING`` zeros; ``offset`` is the place of the first.

    A byte order mark at the start of a stream lies before the first block.
    """

    data: NDArray[np.uint8]
    size: int
    offset: int
    first: bool
    last: bool

    @property
    def whole(self) -> bool:
        """Whether it is the whole stream."""
        return self.first and self.last


def blocks(stream: Stream, size: int, cut: Cut | None, text: bool = True) -> Iterator[Block]:
    """The blocks of a stream: about ``size`` bytes each, more where ``cut`` finds no place.

    The last block comes always, be it empty. Without ``cut`` there is just one. Raises GaiError
    where a NUL lies among the first bytes, unless ``text`` says that this is no matter.
    """
    for block in _raw_blocks(stream, _room(stream, size, cut), cut or never):
        if not text:
            _refuse_binary(block, stream.source.name)
        yield _without_bom(block) if block.first else block


def _room(stream: Stream, size: int, cut: Cut | None) -> int:
    """How many bytes to ask for: one more than there are shows the end at once."""
    if stream.size is None:
        return size
    if cut is None:
        return max(stream.size + 1, SMALLEST)
    return min(size, max(stream.size + 1, SMALLEST))


def _raw_blocks(stream: Stream, room: int, cut: Cut) -> Iterator[Block]:
    carry = np.zeros(0, np.uint8)
    offset = 0
    ended = False
    while not ended:
        data, filled, end = _next_block(stream, carry, room, cut)
        ended = end < 0
        size = filled if ended else end
        carry = data[size:filled].copy()
        data[size : size + PADDING] = 0
        yield Block(data[: size + PADDING], size, offset, offset == 0, ended)
        offset += size


def _next_block(
    stream: Stream, carry: NDArray[np.uint8], room: int, cut: Cut
) -> tuple[NDArray[np.uint8], int, int]:
    """A buffer, how far it is filled, and where to cut it: -1 at the end of the stream."""
    data = np.empty(len(carry) + room + PADDING, np.uint8)
    data[: len(carry)] = carry
    low = len(carry)
    while True:
        high = len(data) - PADDING
        filled = low + stream.fill(data[low:high].data)
        if filled < high:
            return data, filled, -1
        if end := cut(data, low, filled):
            return data, filled, end
        low = filled
        data = _doubled(data, filled)


def _doubled(data: NDArray[np.uint8], filled: int) -> NDArray[np.uint8]:
    larger = np.empty(2 * filled + PADDING, np.uint8)
    larger[:filled] = data[:filled]
    return larger


def _without_bom(block: Block) -> Block:
    if block.data[:3].tobytes() != BOM:
        return block
    return Block(block.data[3:], block.size - 3, 3, True, block.last)


def _refuse_binary(block: Block, name: str) -> None:
    looked_at = min(block.size, max(LOOKED_AT - block.offset, 0))
    start = block.data[:looked_at].tobytes()
    found = start.find(0)
    if found < 0:
        return
    utf16 = block.first and start[:2] in (b"\xff\xfe", b"\xfe\xff")
    raise GaiError(
        f"{name}: looks binary (NUL at byte {block.offset + found})",
        "it may be UTF-16: convert it with iconv -t UTF-8" if utf16 else "--text reads it as text",
    )


def never(data: NDArray[np.uint8], low: int, high: int) -> int:
    """0: the whole stream is one block."""
    return 0


def after_line(data: NDArray[np.uint8], low: int, high: int) -> int:
    """The place after the last LF at or above ``low``."""
    window = WINDOW
    while high > low:
        start = max(low, high - window)
        found = data[start:high].tobytes().rfind(b"\n")
        if found >= 0:
            return start + found + 1
        high, window = start, 2 * window
    return 0


def after_blank_line(data: NDArray[np.uint8], low: int, high: int) -> int:
    """The place after the last blank line that ends at or above ``low``."""
    first = after_line(data, 0, low)  # the line that low lies in begins here
    end = after_line(data, first, high)
    window, start = SMALLEST, end
    while start > first:
        start = max(first, after_line(data, first, end - window))
        line_starts, _, solid = lines_of(data[start:end])
        blank = np.flatnonzero(~solid)
        if len(blank):
            following = int(blank[-1]) + 1
            return end if following == len(solid) else start + int(line_starts[following])
        window *= 2
    return 0


def inside_document(data: NDArray[np.uint8], low: int, high: int) -> int:
    """A place in the second half where no token goes across: after LF, or before a word."""
    middle = high // 2
    return after_line(data, middle, high) or _before_word(data, middle, high)


def _before_word(data: NDArray[np.uint8], low: int, high: int) -> int:
    """The place after the last space that an ASCII letter or digit follows."""
    spaces = data[low : high - 1] == 0x20
    places = np.flatnonzero(spaces & looked_up(_WORD, data[low + 1 : high]))
    return low + int(places[-1]) + 1 if len(places) else 0


def lines_of(
    data: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Where each line starts, where it ends (at its LF), and whether it holds more than blanks."""
    feeds = np.flatnonzero(data == 0x0A)
    starts = np.concatenate([np.zeros(1, np.int64), feeds + 1])
    ends = np.append(feeds, len(data))
    if starts[-1] == len(data):
        starts, ends = starts[:-1], ends[:-1]
    if len(starts) == 0:
        return starts, ends, np.zeros(0, np.bool_)
    return starts, ends, np.logical_or.reduceat(looked_up(_SOLID, data), starts)


def looked_up(table: bytes, data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The table's answer for each byte; several times faster than indexing an array."""
    return np.frombuffer(data.tobytes().translate(table), np.bool_)


_WORD = bytes(chr(byte).isalnum() and byte < 128 for byte in range(256))
_SOLID = bytes(byte not in b" \t\r\n" for byte in range(256))
