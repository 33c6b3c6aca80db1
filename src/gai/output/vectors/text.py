"""Vectors as text: word2vec's, with a first line ``words dim``, and GloVe's, without one.

A line is a word, a space and the numbers with a space between. Reading takes the last ``dim``
fields as the numbers, so that words with spaces, which some GloVe files have, are read too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.errors import GaiError
from gai.kernels import reference
from gai.output.vectors import words as spelling
from gai.output.vectors.content import Content
from gai.output.vectors.model import Vectors
from gai.output.vectors.subwords import not_finite
from gai.terms import Terms

BLOCK = 1 << 22
"""Bytes of text that are read or written at once, about."""

SMALL = 200_000
"""Bytes of text up to which plain Python is done before the kernels are loaded."""

SMALL_UNCOMPILED = 4_000_000
"""The same where kernels would have to be compiled first."""

WIDEST = 17
"""Bytes that a float32 takes at most: a space, sign, nine digits, point, exponent."""

TOGETHER = 64
"""Zeros behind what kernels read and write eight bytes at a time."""

LINE_FEED = 10
SPACES = b" \t\n\v\f\r"
LOOKED_AT = 20
"""Lines that tell how many numbers a word has."""

BYTE_ORDER_MARK = re.compile(rb"\xef\xbb\xbf(?=\S)")
"""What some editors put before the first word; standing alone it is a word."""

HEADER = re.compile(rb"(?:\xef\xbb\xbf)?([0-9]+)[ \t]+([0-9]+)[ \t\r]*\n?")
POWERS = np.array([float(f"1e{power}") for power in range(64)])
TWOS = np.array([2.0 ** (power - 150) for power in range(256)])


def header(content: Content) -> tuple[int, int, int] | None:
    """Words, dim and the size of a first line that says so; None where none does."""
    found = HEADER.match(content.map[:64])
    if not found or (found.end() < len(content) and not found[0].endswith(b"\n")):
        return None
    return int(found[1]), int(found[2]), found.end()


UNKNOWN = b"<unk> "
"""How the last line of GloVe's own files begins: the mean vector of rare words."""


def read(content: Content) -> Vectors:
    """The vectors in a text file with a header or without one."""
    promised = promise(content)
    mark = BYTE_ORDER_MARK.match(content.map[:4])
    rows, dim, start = promised or (_lines(content), width(content), mark.end() if mark else 0)
    if promised and (dim == 0 or rows * (2 * dim + 1) > len(content) - start + 1):
        raise broken_promise(content, rows, dim, start)
    _require_whole(content)
    rows += bool(promised) and _unknown_behind(content, rows)
    reader = Reading(content, rows, dim)
    reader.read(start)
    if promised and reader.done != rows:
        raise content.damaged(f"its first line promises {rows:,} words, {reader.done:,} are there")
    return reader.vectors()


def _require_whole(content: Content) -> None:
    """Raises GaiError where the last line has no end: half of a number is a number too."""
    if content.map[-1:] != b"\n":
        where = f"byte {len(content):,}: ends within line {_lines(content):,}"
        hint = "make it again; or, where nothing is missing, end its last line with a line feed"
        raise content.damaged(f"{where}: it is cut short", hint)


def promise(content: Content) -> tuple[int, int, int] | None:
    """The header of a file, where it is one.

    The first line of a GloVe file of one number a word may look like a header; what comes next
    tells.
    """
    promised = header(content)
    if promised is None or promised[1] == 1 or promised[0] == 0:
        return promised
    line, ended, _ = content.map[promised[2] : promised[2] + 256].partition(b"\n")
    fields = line.split()
    alone = ended and len(fields) == 2 and number_of(fields[1]) is not None
    return None if alone else promised


def broken_promise(content: Content, rows: int, dim: int, start: int) -> GaiError:
    """The error for a header that promises more than the file can hold."""
    if dim == 0:
        return content.damaged(f"its first line promises {rows:,} words without numbers")
    follow = f"{len(content) - start:,} bytes follow"
    return content.damaged(f"its first line promises {rows:,} words of {dim} numbers: {follow}")


def _unknown_behind(content: Content, rows: int) -> bool:
    """Whether one row more stands there than a header promises, that of ``<unk>``: the GloVe
    authors' program writes so with ``-write-header 1``."""
    last = content.map.rfind(b"\n", 0, len(content) - 1) + 1
    unknown = content.map[last : last + len(UNKNOWN)] == UNKNOWN
    return unknown and _lines(content) == rows + 2


def _lines(content: Content) -> int:
    """The number of lines; a last one without LF counts."""
    ends = sum(
        content.map[first : first + BLOCK].count(b"\n") for first in range(0, len(content), BLOCK)
    )
    return ends + (content.map[-1:] != b"\n")


def width(content: Content) -> int:
    """The number of numbers behind a word: that with which most of the first lines end.

    Raises GaiError where a line does not end in numbers: this is no file of vectors.
    """
    found: list[int] = []
    place = 0
    while place < len(content) and len(found) < LOOKED_AT:
        end = content.map.find(b"\n", place)
        end = end if end >= 0 else len(content)
        if fields := content.map[place:end].split():
            numbers = _numbers_behind(fields)
            # One number behind several words is a line of some table or prose.
            found.append(numbers if numbers > 1 or len(fields) == 2 else 0)
        place = end + 1
    dim = Counter(found).most_common(1)[0][0] if found else 0
    if dim == 0:
        kinds = "npz, safetensors, word2vec's text or binary, GloVe's text or fastText's .bin"
        raise GaiError(f"{content.name}: this is no file of vectors", f"gai reads {kinds}")
    return dim


def _numbers_behind(fields: list[bytes]) -> int:
    dim = 0
    while dim < len(fields) - 1 and number_of(fields[-1 - dim]) is not None:
        dim += 1
    return dim


def number_of(field: bytes) -> float | None:
    """The number that a field spells, None for any other."""
    try:
        return None if b"_" in field else float(field)
    except ValueError:
        return None


class Reading:
    """The rows of a text file, as they are read."""

    def __init__(self, content: Content, rows: int, dim: int) -> None:
        self.content, self.rows, self.dim, self.done = content, rows, dim, 0
        self.matrix = allocated(content, rows, dim)
        self.parts: list[Terms] = []
        self.ops = operations(len(content), "parse_rows")

    def read(self, start: int) -> None:
        """Reads all lines from byte ``start`` on."""
        content = self.content
        while start < len(content):
            end = self._block_end(start)
            block = np.zeros(end - start + TOGETHER, np.uint8)
            block[: end - start] = content.array[start:end]
            self._parse(block, end - start, start)
            start = end

    def _block_end(self, start: int) -> int:
        """Where a block of whole lines ends that begins at ``start``."""
        size = len(self.content)
        end = min(start + BLOCK, size)
        if end < size:
            cut = self.content.map.rfind(b"\n", start, end)
            cut = cut if cut >= 0 else self.content.map.find(b"\n", end)
            end = cut + 1 if cut >= 0 else size
        return end

    def _parse(self, block: NDArray[np.uint8], size: int, start: int) -> None:
        """Reads the lines in a block that begins at byte ``start``."""
        most = block[:size].tobytes().count(b"\n") + 1
        starts, ends = np.zeros(most, np.int64), np.zeros(most, np.int64)
        out, state = self._room(most), np.zeros(1, np.int64)
        done, place, ops, last = 0, 0, self.ops, size
        while place < size:
            found = (starts[done:], ends[done:], out[done * self.dim :], state)
            done += ops.parse_rows(block, place, last, self.dim, POWERS, *found)
            place = int(state[0])
            if place < last and ops is reference:
                raise self._wrong(block, size, place, start)
            # A line that the kernel leaves alone is for its twin, and the next for the kernel.
            ops = reference if place < last else self.ops
            last = 1 + _line_end(block, place, size) if place < last else size
        self._keep(block, starts[:done], ends[:done], out[: done * self.dim], start)

    def _room(self, most: int) -> NDArray[np.float32]:
        """Where so many rows can go: the matrix itself where they fit."""
        if self.done + most <= self.rows:
            return self.matrix[self.done : self.done + most].reshape(-1)
        return np.empty(most * self.dim, np.float32)

    def _keep(
        self,
        block: NDArray[np.uint8],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        out: NDArray[np.float32],
        start: int,
    ) -> None:
        rows = out.reshape(-1, self.dim)
        self.parts.append(spelling.cut_from(block, starts, ends))
        self._require_words(self.parts[-1], start + starts)
        if (bad := not_finite(rows)) >= 0:
            word = spelling.shown([self.parts[-1].as_bytes(bad)])
            line = self.content.line_of(start + int(starts[bad]))
            raise self.content.damaged(f"line {line}: the vector of {word} holds NaN or infinity")
        if self.done + len(rows) > self.rows:
            line = self.content.line_of(start + int(starts[self.rows - self.done]))
            what = f"line {line}: its first line promises {self.rows:,} words, and here is one more"
            raise self.content.damaged(what, "correct the first line")
        self.matrix[self.done : self.done + len(rows)] = rows
        self.done += len(rows)

    def _require_words(self, words: Terms, places: NDArray[np.int64]) -> None:
        """Raises GaiError where a word ends in what is the first of too many numbers."""
        for row in spelling.all_holding(words, SPACES):
            fields = words.as_bytes(row).split()
            if len(fields) > 1 and (more := _numbers_behind(fields)):
                line = self.content.line_of(int(places[row]))
                what = f"line {line}: {self.dim + more} numbers, not {self.dim}"
                raise self.content.damaged(what)

    def _wrong(self, block: NDArray[np.uint8], size: int, place: int, start: int) -> GaiError:
        """The error for the line at ``place`` of a block."""
        line = block[place:size].tobytes().partition(b"\n")[0]
        numbers = max(len(line.split()) - 1, 0)
        where = f"line {self.content.line_of(start + place)}"
        if numbers < self.dim:
            many = "number" if numbers == 1 else "numbers"
            return self.content.damaged(f"{where}: {numbers} {many}, not {self.dim}")
        wrong = next(
            (field for field in line.rsplit(None, self.dim)[1:] if number_of(field) is None), line
        )
        return self.content.damaged(f"{where}: {spelling.shown([wrong[:40]])} is no number")

    def vectors(self) -> Vectors:
        """What has been read."""
        return Vectors(Terms.concatenate(self.parts), self.matrix[: self.done])


def _line_end(block: NDArray[np.uint8], place: int, size: int) -> int:
    """Where the line feed stands that ends the line at ``place``; the last byte without one."""
    found = np.flatnonzero(block[place:size] == LINE_FEED)
    return place + int(found[0]) if len(found) else size - 1


def allocated(content: Content, rows: int, dim: int) -> NDArray[np.float32]:
    """Room for a matrix; raises GaiError where the memory has none."""
    try:
        return np.empty((rows, dim), np.float32)
    except (MemoryError, ValueError) as error:
        size = f"{4e-9 * rows * dim:,.1f} GB"
        raise GaiError(
            f"{content.name}: {rows:,} words of {dim} numbers need {size} of memory",
            "convert it to .npz on a larger machine: that is mapped, not read",
        ) from error


def pieces(vectors: Vectors, first_line: bool) -> Iterator[bytes | memoryview]:
    """The text of all vectors, with the header or without."""
    if first_line:
        yield b"%d %d\n" % (len(vectors), vectors.dim)
    ops = operations(len(vectors) * vectors.dim * 10, "write_rows")
    step = max(1, BLOCK // (WIDEST * vectors.dim))
    for start in range(0, len(vectors), step):
        stop = min(len(vectors), start + step)
        rows = np.ascontiguousarray(vectors.block(start, stop))
        terms = vectors.words[start:stop]
        arena = np.concatenate([terms.arena, np.zeros(TOGETHER, np.uint8)])
        out = np.empty(len(arena) + rows.size * WIDEST + len(rows), np.uint8)
        offsets, bits = np.ascontiguousarray(terms.offsets), rows.reshape(-1).view(np.uint32)
        used = ops.write_rows(arena, offsets, bits, vectors.dim, POWERS, TWOS, out)
        yield out[:used].data


def operations(size: int, kernel: str) -> Any:
    """The kernels, or for a little text their twins."""
    limit = SMALL if kernels.ready([kernel]) else SMALL_UNCOMPILED
    return reference if size <= limit else kernels.load()
