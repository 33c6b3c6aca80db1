"""What happens to a batch before its tokens are scanned: checked, cut, normalised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.documents import Batch, Errors, check, cut
from gai.documents.checking import joined
from gai.kernels.reference.text import NON_ASCII, SPECIAL
from gai.tokens.analysis import Analysis
from gai.tokens.normalise import normaliser

Bounds = tuple[NDArray[np.int64], NDArray[np.int64]]


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


def normalised(batch: Batch, facts: int, analysis: Analysis) -> Batch:
    """The batch with those documents normalised that the scanners could not lower themselves.

    These are the documents with characters outside ASCII where the analysis strips accents or asks
    for a normal form; else those of a batch with a capital sigma or a dotted capital I.
    """
    whole = analysis.strip_accents is not None or analysis.normalize is not None
    special = analysis.lowercase and facts & SPECIAL
    if not (facts & NON_ASCII and (whole or special)):
        return batch
    normalise = normaliser(analysis.lowercase, analysis.strip_accents, analysis.normalize)
    return joined(batch, [_rewritten(text, normalise) for text in pieces(batch)])


def pieces(batch: Batch) -> list[bytes]:
    """The bytes of each document."""
    text = batch.data[: batch.size].tobytes()
    starts, ends = bounds(batch)
    return [
        text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _rewritten(text: bytes, normalise: Callable[[str], str]) -> bytes:
    return text if text.isascii() else normalise(text.decode()).encode()
