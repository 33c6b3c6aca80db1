"""From the tokens of documents to what is written: lines, records, one token a line, or the text
itself with its tokens replaced.

Each layout has a part that runs in the workers' threads, from ``Encoded`` to something small, and
a part that puts these together in order. A large document may come in several batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.documents import Batch
from gai.kernels import reference
from gai.output.jsonl import quoted
from gai.texts.encoding import Encoded
from gai.texts.stages import Stage
from gai.tokens.prepare import bounds

ROOM = 64
"""Bytes behind a buffer, into which kernels may write."""
LF = 0x0A
DIGITS = 19
LOADED = 20_000
"""Tokens from which on it pays to load a kernel."""


class Rendered(NamedTuple):
    """The text of the documents of a batch: document d is ``text[bounds[d]:bounds[d + 1]]``.

    ``tokens`` says of the first and of the last document whether it holds a token.
    """

    batch: Batch
    text: NDArray[np.uint8]
    bounds: NDArray[np.int64]
    tokens: tuple[bool, bool]


def lines(stage: Stage, separator: bytes) -> Iterator[bytes]:
    """A line a document, its tokens joined by the separator."""
    open_line = spoken = False
    for made in stage.each(partial(joined, separator=separator, ending=b"\n")):
        count = len(made.bounds) - 1
        if not count:
            continue
        if made.batch.continued:
            if spoken and made.tokens[0]:
                yield separator
        elif open_line:
            yield b"\n"
        # The line stays open, for the document may go on in the next batch.
        yield made.text[:-1].tobytes()
        spoken = made.tokens[1] or (made.batch.continued and count == 1 and spoken)
        open_line = True
    if open_line:
        yield b"\n"


def joined(encoded: Encoded, separator: bytes, ending: bytes) -> Rendered:
    """The documents of a batch as their tokens, joined; ``ending`` stands behind each."""
    rows, terms = encoded.rows, encoded.terms
    documents = len(rows.indptr) - 1
    size = int(terms.lengths()[rows.ids].sum()) + len(separator) * len(rows.ids)
    out = np.empty(size + len(ending) * documents + ROOM, np.uint8)
    limits = np.zeros(documents + 1, np.int64)
    size = operations(len(rows.ids)).join_terms(
        rows.ids,
        rows.indptr,
        with_room(terms.arena),
        terms.offsets,
        as_array(separator),
        as_array(ending),
        out,
        limits,
    )
    filled = np.diff(rows.indptr) > 0
    ends = (bool(filled[0]), bool(filled[-1])) if documents else (False, False)
    return Rendered(encoded.batch, out[:size], limits, ends)


def spaced(encoded: Encoded) -> Rendered:
    """The documents of a batch as their tokens, with spaces between."""
    return joined(encoded, b" ", b"")


def operations(tokens: int) -> Any:
    """The kernels, or for few tokens their plain twins."""
    return kernels.load() if tokens > LOADED else reference


def with_room(arena: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bytes, with room behind them in memory."""
    base = arena.base
    if isinstance(base, np.ndarray) and base.dtype == np.uint8 and len(base) >= len(arena) + 8:
        return arena  # the beginning of a larger array
    return np.concatenate([arena, np.zeros(8, np.uint8)])


def as_array(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, np.uint8)


def one_a_line(stage: Stage) -> Iterator[bytes]:
    """Every token on a line of its own."""
    yield from stage.each(column)


def column(encoded: Encoded) -> bytes:
    """The tokens of a batch, each with a line feed behind it."""
    rows = encoded.rows
    one = rows._replace(indptr=np.array([0, len(rows.ids)], np.int64))
    text = joined(encoded._replace(rows=one), b"\n", b"\n").text
    return text.tobytes() if len(rows.ids) else b""


def kept(stage: Stage, gap: bytes) -> Iterator[bytes]:
    """The text of the documents with its tokens replaced, and all else as it was.

    Behind a document that does not end in a line feed stands ``gap``.
    """
    behind = b""
    for made in stage.each(partial(replaced, gap=gap)):
        if not len(made.bounds) - 1:
            continue
        if not made.batch.continued:
            yield behind
        yield made.text.tobytes()
        last = made.text[made.bounds[-2] :]
        behind = b"" if len(last) and last[-1] == LF else gap
    yield behind


def replaced(encoded: Encoded, gap: bytes = b"") -> Rendered:
    """The documents of a batch with their tokens replaced; the ``gap`` counts as their text."""
    batch, rows, terms = encoded
    starts, ends = bounds(batch)
    size = int((ends - starts).sum()) + int(terms.lengths()[rows.ids].sum())
    out = np.empty(size + len(gap) * len(starts) + ROOM, np.uint8)
    limits = np.zeros(len(starts) + 1, np.int64)
    size = operations(len(rows.ids)).replace_spans(
        batch.data,
        starts,
        ends,
        rows.indptr,
        rows.ids,
        rows.begins,
        rows.stops,
        with_room(terms.arena),
        terms.offsets,
        as_array(gap),
        out,
        limits,
    )
    return Rendered(batch, out[:size], limits, (True, True))


def records(stage: Stage, render: Callable[[Encoded], Rendered], separator: str) -> Iterator[bytes]:
    """A JSON object a document: ``{"id": ..., "text": ...}``, which every command reads.

    ``separator`` stands between two parts of a document that came in several batches.
    """
    names, held = Names(), Held("", [])
    for made in stage.each(render):
        texts = texts_of(made)
        for number, (name, text) in enumerate(
            zip(names.of(made.batch, len(texts)), texts, strict=True)
        ):
            if number == 0 and made.batch.continued:
                held.parts.append(text)
                continue
            yield held.record(separator)
            held = Held(name, [text])
    yield held.record(separator)


@dataclass(frozen=True)
class Held:
    """A document of which more may come."""

    name: str
    parts: list[str]

    def record(self, separator: str) -> bytes:
        """The document as a line of JSON; nothing where there is none."""
        if not self.parts:
            return b""
        text = separator.join(part for part in self.parts if part)
        return f'{{"id":{quoted(self.name)},"text":{quoted(text)}}}\n'.encode()


def texts_of(made: Rendered) -> list[str]:
    whole = made.text.tobytes()
    return [whole[start:end].decode() for start, end in pairwise(made.bounds.tolist())]


class Names:
    """The ids of the documents of each batch; those of lines are counted."""

    def __init__(self) -> None:
        self._lines = 0

    def of(self, batch: Batch, count: int) -> Sequence[str]:
        """The ids of the ``count`` documents of the next batch."""
        if not isinstance(batch.ids, str):
            return batch.ids
        first = 0 if batch.restart else self._lines
        self._lines = first + count
        return [f"{batch.ids}:{number}" for number in range(first + 1, self._lines + 1)]
