"""The plain twins of ``gai.kernels.subwords``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

OFFSET_BASIS, PRIME = 2166136261, 16777619

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def subword_ids(
    arena: Bytes,
    offsets: Ints,
    min_n: int,
    max_n: int,
    bucket: int,
    bounds: Ints,
    ids: NDArray[np.int32],
) -> int:
    """The number of ids, after writing those of the parts of each word."""
    text, count = arena.tobytes(), 0
    bounds[0] = 0
    for word, (start, end) in enumerate(pairwise(offsets.tolist())):
        for part in parts(text[start:end], min_n, max_n):
            ids[count] = fnv1a(part) % bucket
            count += 1
        bounds[word + 1] = count
    return count


def parts(word: bytes, min_n: int, max_n: int) -> Iterator[bytes]:
    """The n-grams of characters of ``<word>``, but for < and > alone, in fastText's order."""
    whole = b"<" + word + b">"
    cuts = [place for place, byte in enumerate(whole) if byte & 0xC0 != 0x80] + [len(whole)]
    characters = len(cuts) - 1
    for first in range(characters):
        for n in range(min_n, min(max_n, characters - first) + 1):
            if n > 1 or 0 < first < characters - 1:
                yield whole[cuts[first] : cuts[first + n]]


def fnv1a(part: bytes) -> int:
    """FNV-1a of 32 bits, with bytes taken as signed numbers, as C++ has them on most machines."""
    digest = OFFSET_BASIS
    for byte in part:
        signed = byte | 0xFFFFFF00 if byte >= 128 else byte
        digest = (digest ^ signed) * PRIME & 0xFFFFFFFF
    return digest


def mean_rows(
    words: Bytes,
    parts: Bytes,
    places: Ints,
    bounds: Ints,
    ids: NDArray[np.int32],
    dim: int,
    out: NDArray[np.float32],
) -> int:
    """Nothing of interest, after writing the mean of several rows to each row of ``out``."""
    known, table = (rows.view(np.float32).reshape(-1, dim) for rows in (words, parts))
    for row, (place, (first, last)) in enumerate(
        zip(places.tolist(), pairwise(bounds.tolist()), strict=True)
    ):
        rows = [known[place]] if place >= 0 else []
        rows += list(table[ids[first:last]])
        total = np.zeros(dim, np.float32)
        for one in rows:
            total = total + one
        out[row * dim : (row + 1) * dim] = total * np.float32(1.0 / max(len(rows), 1))
    return 0
