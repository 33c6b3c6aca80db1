"""Text that is tokens already, and must stay so: one sentence a line, one space between tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from gai.documents import Batch, place
from gai.errors import GaiError

SPACE, LF, CR = 0x20, 0x0A, 0x0D


def checked(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The batches as they are; raises GaiError at a space with no token before or behind it."""
    line = 0
    for batch in batches:
        line = 0 if batch.restart or batch.starts is not None else line
        position = empty_token(batch)
        if position >= 0:
            raise GaiError(
                f"{where(batch, position, line)}: an empty token",
                "tokens are separated by one space, and none stands at the end of a line",
            )
        line += int(np.count_nonzero(batch.data[: batch.size] == LF))
        yield batch


def where(batch: Batch, position: int, lines_before: int) -> str:
    """The place of a byte, for a message."""
    if batch.starts is None:
        line = lines_before + 1 + int(np.count_nonzero(batch.data[:position] == LF))
        return f"{batch.source}, line {line}"
    name, offset = place(batch, position)
    return f"{name}, byte {offset}"


def empty_token(batch: Batch) -> int:
    """The position of the first space with an empty token beside it, -1 where there is none."""
    data = batch.data[: batch.size]
    edge = np.ones(batch.size + 2, np.bool_)
    edge[1:-1] = data == LF
    edge[1:-2] |= (data[:-1] == CR) & (data[1:] == LF)
    if batch.starts is not None and batch.ends is not None:
        edge[batch.starts] = True
        inside = batch.ends < batch.size
        edge[batch.ends[inside] + 1] = True
    spaces = np.flatnonzero(data == SPACE)
    blank = np.zeros(batch.size + 2, np.bool_)
    blank[spaces + 1] = True
    wrong = edge[spaces] | edge[spaces + 2] | blank[spaces]
    found = spaces[wrong]
    return int(found[0]) if len(found) else -1
