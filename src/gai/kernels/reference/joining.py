"""The plain twins of ``gai.kernels.joining``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]
Bytes = NDArray[np.uint8]


def join_terms(
    ids: Ints,
    indptr: Ints,
    arena: Bytes,
    offsets: Ints,
    separator: Bytes,
    ending: Bytes,
    out: Bytes,
    bounds: Ints,
) -> int:
    """The number of bytes, after writing the terms of each document, joined."""
    text, limits, numbers = arena.tobytes(), offsets.tolist(), ids.tolist()
    between, last = separator.tobytes(), ending.tobytes()
    pieces = []
    for start, end in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True):
        terms = [text[limits[i] : limits[i + 1]] for i in numbers[start:end] if i >= 0]
        pieces.append(between.join(terms) + last)
    return _written(pieces, out, bounds)


def replace_spans(
    data: Bytes,
    starts: Ints,
    ends: Ints,
    indptr: Ints,
    ids: Ints,
    begins: Ints,
    stops: Ints,
    arena: Bytes,
    offsets: Ints,
    gap: Bytes,
    out: Bytes,
    bounds: Ints,
) -> int:
    """The number of bytes, after writing each document with its tokens replaced, and ``gap``
    behind all but the last that do not end in a line feed."""
    text, terms, limits = data.tobytes(), arena.tobytes(), offsets.tolist()
    tokens = list(zip(ids.tolist(), begins.tolist(), stops.tolist(), strict=False))
    pieces = []
    for document, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        made, done = [], start
        for number, begin, stop in tokens[indptr[document] : indptr[document + 1]]:
            made.append(text[done:begin])
            if number >= 0:
                made.append(terms[limits[number] : limits[number + 1]])
            done = max(done, stop)
        made.append(text[done:end])
        whole = b"".join(made)
        pieces.append(whole if whole.endswith(b"\n") else whole + gap.tobytes())
    if pieces:
        pieces[-1] = whole
    return _written(pieces, out, bounds)


def write_places(
    ids: Ints,
    indptr: Ints,
    begins: Ints,
    stops: Ints,
    heads: Bytes,
    head_offsets: Ints,
    terms: Bytes,
    offsets: Ints,
    middle: Bytes,
    tails: Bytes,
    tail_offsets: Ints,
    out: Bytes,
) -> int:
    """The number of bytes, after writing a line for each token."""
    head, term, tail = (
        [text.tobytes()[start:end] for start, end in pairwise(limits.tolist())]
        for text, limits in ((heads, head_offsets), (terms, offsets), (tails, tail_offsets))
    )
    documents = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)).tolist()
    between = middle.tobytes().decode()
    lines = [
        b"%b%b%b%b" % (head[d], term[i], f"{begin}{between}{stop}".encode(), tail[i])
        for d, i, begin, stop in zip(
            documents, ids.tolist(), begins.tolist(), stops.tolist(), strict=True
        )
    ]
    joined = b"".join(lines)
    out[: len(joined)] = np.frombuffer(joined, np.uint8)
    return len(joined)


def _written(pieces: list[bytes], out: Bytes, bounds: Ints) -> int:
    """The number of bytes, after writing the pieces and where each ends."""
    bounds[0] = 0
    np.cumsum([len(piece) for piece in pieces], out=bounds[1:])
    joined = b"".join(pieces)
    out[: len(joined)] = np.frombuffer(joined, np.uint8)
    return len(joined)
