"""What happens to a batch before its tokens are scanned: checked, cut, normalised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch, Errors, check, cut, padded
from gai.kernels.reference.text import NON_ASCII, SPECIAL, SPECIAL_LETTERS
from gai.tokens.analysis import Analysis
from gai.tokens.normalise import normaliser

Bounds = tuple[NDArray[np.int64], NDArray[np.int64]]


class Prepared(NamedTuple):
    """A batch ready for the kernels, whether they must fold its case, and the size of each
    document before, in bytes."""

    batch: Batch
    fold: bool
    sizes: NDArray[np.int64]


def prepared(batch: Batch, ops: Any, errors: Errors, analysis: Analysis) -> Prepared:
    """The batch ready for the kernels."""
    batch, facts = checked(batch, ops, errors)
    starts, ends = bounds(batch)
    return Prepared(*normalised(batch, facts, analysis), ends - starts)


def checked(batch: Batch, ops: Any, errors: Errors) -> tuple[Batch, int]:
    """The batch as UTF-8, cut into documents, and what its text holds (flags)."""
    facts = np.zeros(1, np.int64)
    invalid = ops.inspect_text(batch.data, batch.size, facts)
    if invalid >= 0:
        batch = check(batch, errors, lambda data, size: invalid)
        facts[0] |= NON_ASCII | SPECIAL
    return cut(batch, ops), int(facts[0])


def bounds(batch: Batch) -> Bounds:
    """Starts and ends of the documents of a batch that has been cut."""
    assert batch.starts is not None
    assert batch.ends is not None
    return batch.starts, batch.ends


def normalised(batch: Batch, facts: int, analysis: Analysis) -> tuple[Batch, bool]:
    """The batch with those documents normalised that the scanners could not lower themselves, and
    whether they must lower the rest.

    These are the documents with characters outside ASCII where the analysis strips accents or asks
    for a normal form; else those with a capital sigma or a dotted capital I, of which only the
    lines with such a letter change. The new text stands behind all others. Stripping can bring
    capitals back, so then everything is lowered here.
    """
    fold = analysis.lowercase
    whole = analysis.strip_accents is not None or analysis.normalize is not None
    if not (facts & NON_ASCII and (whole or (fold and facts & SPECIAL))):
        return batch, fold
    text = batch.data[: batch.size].tobytes()
    if not whole:
        return _rewritten(batch, text, _special_places(text), _lower_special_lines), fold
    normalise = normaliser(fold, analysis.strip_accents, analysis.normalize)
    places = np.flatnonzero(batch.data >= 0x80)
    lower_all = fold and analysis.strip_accents is not None
    others = text.lower() if lower_all else text
    changed = _rewritten(batch, others, places, lambda text: normalise(text.decode()).encode())
    return changed, fold and not lower_all


def _rewritten(
    batch: Batch, others: bytes, places: NDArray[np.intp], change: Callable[[bytes], bytes]
) -> Batch:
    """The batch with the documents at these places changed; ``others`` is the text else."""
    starts, ends = (bound.copy() for bound in bounds(batch))
    found = np.unique(np.searchsorted(ends, places, side="right"))
    pieces, size = [others], batch.size
    for document in found[found < len(ends)].tolist():
        before = batch.data[starts[document] : ends[document]].tobytes()
        pieces.append(change(before))
        starts[document], size = size, size + len(pieces[-1])
        ends[document] = size
    return replace(batch, data=padded(b"".join(pieces)), size=size, starts=starts, ends=ends)


def _lower_special_lines(text: bytes) -> bytes:
    """The text with those lines in lower case that hold U+0130 or U+03A3.

    What a capital sigma becomes depends on its neighbours, but never across a line feed.
    """
    pieces, done = [], 0
    for place in _special_places(text).tolist():
        if place < done:
            continue
        start = text.rfind(b"\n", done, place) + 1 or done
        end = text.find(b"\n", place)
        end = len(text) if end < 0 else end
        pieces += [text[done:start], text[start:end].decode().lower().encode()]
        done = end
    return b"".join([*pieces, text[done:]])


def _special_places(text: bytes) -> NDArray[np.int64]:
    """Where U+0130 and U+03A3 begin, in order."""
    places = []
    for letter in SPECIAL_LETTERS:
        place = text.find(letter)
        while place >= 0:
            places.append(place)
            place = text.find(letter, place + 2)
    return np.sort(np.array(places, np.int64))


def pieces(batch: Batch) -> list[bytes]:
    """The bytes of each document."""
    text = batch.data[: batch.size].tobytes()
    starts, ends = bounds(batch)
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
