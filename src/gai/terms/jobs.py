"""Which jobs are small enough for plain Python: machine code takes time to load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from gai import kernels
from gai.documents import Batch

SMALL = 400_000
"""Bytes up to which plain Python is done before the kernels are loaded."""

SMALL_UNCOMPILED = 2_000_000
"""The same where kernels would have to be compiled first."""


def small_job(batches: Iterable[Batch], needed: Iterable[str]) -> tuple[Iterator[Batch], bool]:
    """All batches, and whether they are few bytes beside loading the kernels ``needed``."""
    limit = SMALL if kernels.ready(needed) else SMALL_UNCOMPILED
    stream = iter(batches)
    seen: list[Batch] = []
    size = 0
    for batch in stream:
        seen.append(batch)
        size += batch.size
        if size > limit:
            return chain(seen, stream), False
    return iter(seen), True
