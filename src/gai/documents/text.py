"""Plain text: a document a line, a paragraph or a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gai.documents.batch import Batch, padded
from gai.documents.blocks import (
    BOM,
    Block,
    after_blank_line,
    after_line,
    blocks,
    inside_document,
    lines_of,
)
from gai.documents.opening import Stream, Tally, opened
from gai.documents.reading import Reading
from gai.documents.sources import Source

LF = 0x0A
CR = 0x0D


def lines(stream: Stream, reading: Reading) -> Iterator[Batch]:
    """Batches of whole lines, not cut yet; an empty file has no line."""
    restart = True
    for block in blocks(stream, reading.block_size, after_line, reading.text):
        if block.size:
            yield Batch(
                block.data,
                block.size,
                None,
                None,
                stream.source.path,
                restart=restart,
                source=stream.source.name,
                offset=block.offset,
            )
            restart = False


def paragraphs(stream: Stream, reading: Reading) -> Iterator[Batch]:
    """Batches of paragraphs; the id is ``path:N``, N the number of the paragraph's first line."""
    above = 0
    for block in blocks(stream, reading.block_size, after_blank_line, reading.text):
        starts, ends, numbers = cut_paragraphs(block.data, block.size)
        ids = [f"{stream.source.path}:{above + number}" for number in numbers.tolist()]
        above += int(np.count_nonzero(block.data[: block.size] == LF))
        if ids:
            yield _batch(block, starts, ends, ids, stream.source)


def cut_paragraphs(
    data: NDArray[np.uint8], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where each paragraph starts and ends, and the number of its first line, from 1.

    Blank lines (nothing but spaces, TAB and CR) lie between paragraphs; the last LF of a
    paragraph and a CR before it lie outside.
    """
    starts, ends, solid = lines_of(data[:size])
    first = solid & ~np.concatenate([[False], solid[:-1]])
    last = solid & ~np.concatenate([solid[1:], [False]])
    ends = ends[last]
    ends -= (data[ends - 1] == CR) & (ends < size)
    return starts[first], ends, np.flatnonzero(first) + 1


def _batch(
    block: Block,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    ids: list[str],
    source: Source,
) -> Batch:
    return Batch(block.data, block.size, starts, ends, ids, source=source.name, offset=block.offset)


def files(sources: list[Source], reading: Reading, tally: Tally) -> Iterator[Batch]:
    """Batches of whole files: small ones gathered, large ones alone or, if asked, in pieces."""
    gathered = Gathered(reading.block_size)
    for source, block in _file_blocks(sources, reading, tally):
        small = block.whole and block.size < reading.block_size
        if gathered.ids and not (small and gathered.takes(block)):
            yield gathered.batch()
            gathered = Gathered(reading.block_size)
        if small:
            gathered.add(block, source)
        elif block.size:
            yield _piece(block, source)
    if gathered.ids:
        yield gathered.batch()


def _file_blocks(
    sources: list[Source], reading: Reading, tally: Tally
) -> Iterator[tuple[Source, Block]]:
    cut = inside_document if reading.split_documents else None
    for source in sources:
        with opened(source, tally) as stream:
            for block in blocks(stream, reading.block_size, cut, reading.text):
                yield source, block


def _piece(block: Block, source: Source) -> Batch:
    batch = _batch(
        block,
        np.zeros(1, np.int64),
        np.array([block.size], np.int64),
        [source.path],
        source,
    )
    batch.continued = not block.first
    return batch


@dataclass
class Gathered:
    """Whole small files on their way into one batch.

    An LF lies between two of them, so that half a character at the end of one stays one; and a
    byte order mark keeps its place, so that positions in the batch tell positions in the file.
    """

    limit: int
    parts: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def takes(self, block: Block) -> bool:
        used = self.ends[-1] if self.ends else 0
        return used + block.size < self.limit

    def add(self, block: Block, source: Source) -> None:
        start = self.ends[-1] + 1 if self.ends else 0
        self.parts.append(BOM[: block.offset] + block.data[: block.size].tobytes())
        self.starts.append(start + block.offset)
        self.ends.append(start + block.offset + block.size)
        self.ids.append(source.path)

    def batch(self) -> Batch:
        text = b"\n".join(self.parts)
        starts, ends = np.array(self.starts, np.int64), np.array(self.ends, np.int64)
        return Batch(padded(text), len(text), starts, ends, self.ids)
