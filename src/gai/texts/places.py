"""Tokens with their places in the text: a line each, or each a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch
from gai.output.jsonl import quoted
from gai.output.tsv import escape
from gai.terms import Terms
from gai.texts.encoding import Encoded
from gai.texts.rendering import ROOM, Names, as_array, operations, with_room
from gai.texts.stages import Stage
from gai.tokens.prepare import bounds

DIGITS = 19
"""Digits of the largest place."""


class Located(NamedTuple):
    """The tokens of a batch: which, where in their document, and in which document.

    ``begins`` and ``stops`` count characters or bytes of the document, or of that part of it that
    is in the batch; ``sizes`` are the lengths of these in the same unit. Token k is
    ``terms[ids[k]]``.
    """

    batch: Batch
    terms: list[str]
    ids: NDArray[np.int32]
    begins: NDArray[np.int64]
    stops: NDArray[np.int64]
    indptr: NDArray[np.int64]
    sizes: list[int]


def located(encoded: Encoded, in_bytes: bool) -> Located:
    """The tokens of a batch with their places, in bytes or in characters."""
    batch, rows, terms = encoded
    starts, ends = bounds(batch)
    begins, stops = rows.begins, rows.stops
    if not in_bytes:
        before = characters_before(batch)
        starts, ends, begins, stops = (before[x] for x in (starts, ends, begins, stops))
    start_of = np.repeat(starts, np.diff(rows.indptr))
    used = np.zeros(len(terms), np.int32)
    used[rows.ids] = 1
    ids = (np.cumsum(used, dtype=np.int32) - np.int32(1))[rows.ids]
    tokens = list(terms.take(np.flatnonzero(used)))
    places = (begins - start_of, stops - start_of)
    return Located(batch, tokens, ids, *places, rows.indptr, (ends - starts).tolist())


def characters_before(batch: Batch) -> NDArray[np.int64]:
    """How many characters begin before each byte of a batch, and before its end."""
    begins = (batch.data[: batch.size] & 0xC0) != 0x80
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(begins)])


@dataclass(frozen=True)
class Format:
    """How a line about a token is written: around its document, its place and its type."""

    quote: Callable[[str], str]
    document: str
    start: str
    end: str
    kind: str


OBJECTS = Format(quoted, '{{"document":{},"token":', ',"start":', ',"end":', ',"type":"{}"}}\n')
ROWS = Format(escape, "{}\t", "\t", "\t", "\t{}\n")


def places(
    stage: Stage,
    format: Format,
    kind: Callable[[str], str],
    in_bytes: bool,
    word: Callable[[str], str] = str,
) -> Iterator[bytes]:
    """A line a token, with its document, its place there and its type, which ``kind`` gives.

    Places count the characters of the document, or its bytes. ``word`` is how a token is written.
    """
    names, name, base = Names(), "", 0
    for found in stage.each(partial(located, in_bytes=in_bytes)):
        named = [
            format.document.format(format.quote(n)) for n in names.of(found.batch, len(found.sizes))
        ]
        bases = np.zeros(len(named), np.int64)
        if found.batch.continued and named:
            named[0], bases[0] = name, base
        if named:
            name, base = named[-1], found.sizes[-1] + int(bases[-1])
        yield spelled_places(found, named, bases, format, kind, word)


def spelled_places(
    found: Located,
    named: list[str],
    bases: NDArray[np.int64],
    format: Format,
    kind: Callable[[str], str],
    word: Callable[[str], str],
) -> bytes:
    """The lines about the tokens of a batch."""
    counts = np.diff(found.indptr)
    heads = encoded_terms(named)
    terms = encoded_terms([format.quote(word(term)) + format.start for term in found.terms])
    tails = encoded_terms([format.kind.format(kind(term)) for term in found.terms])
    shift = np.repeat(bases, counts)
    size = (heads.lengths() * counts).sum() + (terms.lengths() + tails.lengths())[found.ids].sum()
    out = np.empty(size + len(found.ids) * (2 * DIGITS + len(format.end)) + ROOM, np.uint8)
    written = operations(len(found.ids)).write_places(
        found.ids,
        found.indptr,
        found.begins + shift,
        found.stops + shift,
        with_room(heads.arena),
        heads.offsets,
        with_room(terms.arena),
        terms.offsets,
        as_array(format.end.encode()),
        with_room(tails.arena),
        tails.offsets,
        out,
    )
    return out[:written].tobytes()


def encoded_terms(texts: list[str]) -> Terms:
    """The texts as terms; a byte of a file name that is no UTF-8 becomes an escape."""
    return Terms.of(text.encode("utf-8", "backslashreplace").decode() for text in texts)


def documents(stage: Stage, in_bytes: bool) -> Iterator[bytes]:
    """A document a piece, with an id of its own, the one that it is from, and its place there.

    ``{"id":"name#1","text":...,"document":"name","start":...,"end":...}``
    """
    names = Names()
    for found in stage.each(partial(located, in_bytes=in_bytes)):
        ids = names.of(found.batch, len(found.sizes))
        texts = [quoted(term) for term in found.terms]
        lines = []
        for name, (first, last) in zip(ids, pairwise(found.indptr.tolist()), strict=True):
            for number, k in enumerate(range(first, last), 1):
                start, end = found.begins[k], found.stops[k]
                lines.append(
                    f'{{"id":{quoted(f"{name}#{number}")},"text":{texts[found.ids[k]]},'
                    f'"document":{quoted(name)},"start":{start},"end":{end}}}\n'
                )
        yield "".join(lines).encode("utf-8", "backslashreplace")
