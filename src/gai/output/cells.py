"""Cells of a matrix as text: what the text formats share."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.matrix import Result, RowBlock, cut

Texts = NDArray[np.object_]


def texts(words: Iterable[str]) -> Texts:
    """The strings as an array of objects, which can be indexed by an array."""
    return np.array([*words, None], object)[:-1]


def values(data: NDArray[Any], spell: Callable[[float], str], end: str = "") -> Texts:
    """The text of each number, followed by ``end``; ``spell`` sees each distinct number once.

    Numbers repeat a lot (a count and a document frequency give the same weight throughout a
    document) and the shortest digits of a float take a microsecond. Minus zero becomes zero.
    """
    distinct, places = np.unique(data + data.dtype.type(0), return_inverse=True)
    words = texts(spell(number) + end for number in distinct.tolist())
    return words.take(places)


def blocks(result: Result, jobs: int) -> Iterator[RowBlock]:
    """The rows in order, in blocks that are small enough to become text."""
    return chain.from_iterable(map(cut, result.rows(jobs)))


def long(
    result: Result, row: Callable[[int, str], str], columns: Texts, jobs: int
) -> Iterator[bytes]:
    """Pieces of text with a line a cell: the row's text, the column's text, the number.

    ``row`` makes the text of a row from its number and the document's id.
    """
    for block in blocks(result, jobs):
        names = names_of(result, block)
        rows = texts(row(block.first + number, name) for number, name in enumerate(names))
        lines = woven(
            rows.repeat(np.diff(block.indptr)),
            columns.take(block.indices),
            values(block.data, repr, "\n"),
        )
        yield "".join(lines).encode("utf-8", "surrogateescape")


def woven(*parts: Texts) -> list[str]:
    """The first text of each part, then the second of each, and so on.

    Joining one such list takes half the time of adding or zipping the parts.
    """
    flat = [""] * (len(parts) * len(parts[0]))
    for place, part in enumerate(parts):
        flat[place :: len(parts)] = part.tolist()
    return flat


def by_row(columns: Texts, numbers: Texts, block: RowBlock) -> list[str]:
    """For each row the text of its cells: column, number, column, number, ..."""
    flat = woven(columns.take(block.indices), numbers)
    bounds = pairwise((2 * block.indptr).tolist())
    return ["".join(flat[first:last]) for first, last in bounds]


def names_of(result: Result, block: RowBlock) -> list[str]:
    """The document ids of a block."""
    return list(result.documents[block.first : block.first + len(block.indptr) - 1])


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces compressed as gzip, with neither a time nor a name in the header."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in evened(pieces, 1 << 18):
        yield packer.compress(piece)
    yield packer.flush()


def evened(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of ``size`` bytes, so that what follows cannot tell them apart."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    yield bytes(held)
