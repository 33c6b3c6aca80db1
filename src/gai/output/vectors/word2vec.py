"""word2vec's binary format: a line ``words dim``, then each word, a space and its float32 numbers.

The C program writes a line feed behind each vector, gensim does not; both are read.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gai.output.vectors import words as spelling
from gai.output.vectors.content import Content
from gai.output.vectors.model import Vectors
from gai.output.vectors.subwords import Rows, not_finite
from gai.output.vectors.text import allocated, broken_promise, header
from gai.terms import Terms

LINE_FEED, SPACE = 10, 32
STEP = 1 << 14
"""Rows that are copied at once."""


def read(content: Content) -> Vectors:
    """The vectors in a binary file, copied, as words of any length lie between them."""
    promised = header(content)
    assert promised, "recognised by its header"
    rows, dim, start = promised
    if dim == 0 or rows * (4 * dim + 1) > len(content) - start:
        raise broken_promise(content, rows, dim, start)
    starts, ends = _places(content, rows, dim, start)
    words = spelling.cut_from(content.array, *_without_feeds(content, starts, ends))
    matrix = allocated(content, rows, dim)
    width = 4 * dim
    if rows:
        numbers = np.ndarray((len(content) - width + 1,), f"V{width}", content.array, strides=(1,))
        places = ends + 1
        copies = matrix.view(f"V{width}")[:, 0]
        for first in range(0, rows, STEP):
            part = slice(first, min(rows, first + STEP))
            copies[part] = numbers[places[part]]
            _check(content, matrix[part], places[part], words[part])
    return Vectors(words, matrix)


def _without_feeds(
    content: Content, starts: spelling.Places, ends: spelling.Places
) -> tuple[spelling.Places, spelling.Places]:
    """The same words without the line feeds before them."""
    first = starts.copy()
    while np.any(feeds := (first < ends) & (content.array[np.minimum(first, ends)] == LINE_FEED)):
        first[feeds] += 1
    return first, ends


def _places(
    content: Content, rows: int, dim: int, start: int
) -> tuple[spelling.Places, spelling.Places]:
    """Where each word begins, line feeds before it included, and where it ends."""
    find, width, size = content.map.find, 4 * dim + 1, len(content)
    starts, ends = np.empty(rows, np.int64), np.empty(rows, np.int64)
    place = start
    for row in range(rows):
        end = find(b" ", place)
        if end < 0 or end + width > size:
            what = f"byte {place:,}: word {row + 1:,} of {rows:,} is cut short"
            raise content.damaged(what)
        starts[row], ends[row] = place, end
        place = end + width
    if content.map[place:].strip(b"\n"):
        what = f"byte {place:,}: its first line promises {rows:,} words, and more follows"
        raise content.damaged(what)
    return starts, ends


def _check(content: Content, rows: Rows, places: spelling.Places, words: Terms) -> None:
    if (bad := not_finite(rows)) >= 0:
        word = spelling.shown([words.as_bytes(bad)])
        what = f"byte {int(places[bad]):,}: the vector of {word} holds NaN or infinity"
        raise content.damaged(what)


def pieces(vectors: Vectors) -> Iterator[bytes | memoryview]:
    """The bytes of all vectors."""
    yield b"%d %d\n" % (len(vectors), vectors.dim)
    for start, rows in vectors.blocks():
        terms = vectors.words[start : start + len(rows)]
        yield _woven(terms, np.ascontiguousarray(rows, "<f4")).data


def _woven(words: Terms, rows: Rows) -> NDArray[np.uint8]:
    """The bytes of some words and their numbers."""
    width, lengths = 4 * rows.shape[1], words.lengths()
    ends = np.cumsum(lengths + width + 2)
    spaces = ends - width - 2
    out = np.empty(int(ends[-1]), np.uint8)
    moved = np.repeat(spaces - words.offsets[1:], lengths)
    out[moved + np.arange(len(moved)) + words.offsets[0]] = words.arena
    out[spaces], out[ends - 1] = SPACE, LINE_FEED
    numbers = np.ndarray((len(out) - width + 1,), f"V{width}", out, strides=(1,))
    numbers[spaces + 1] = rows.view(f"V{width}")[:, 0]
    return out
