"""Plain twins of the kernels for co-occurrence counts: a dictionary in place of accumulators."""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Units = NDArray[np.uint64]


def index_words(
    ids: Ids,
    bounds: Ints,
    low: int,
    first: int,
    last: int,
    high: int,
    text: Ids,
    starts: Ints,
    places: Ids,
) -> int:
    """The length of ``text``, after writing the tokens from ``low`` to ``high`` into it, with a -1
    at either end of each sentence, and where in it the words of tokens ``first`` to ``last`` are.
    """
    written, found = [-1], list[tuple[int, int]]()
    for begin, end in pairwise(np.clip(bounds, low, high).tolist()):
        for k, word in enumerate(ids[begin:end].tolist(), begin):
            if first <= k < last:
                found.append((word, len(written)))
            written.append(word)
        if begin < end:
            written.append(-1)
    text[: len(written)] = written
    starts[1:] = np.cumsum(np.bincount([word for word, _ in found], minlength=len(starts) - 1))
    places[: len(found)] = [place for _, place in sorted(found)]
    return len(written)


def count_neighbours(
    first: int,
    last: int,
    text: Ids,
    starts: Ints,
    places: Ids,
    weights: Units,
    both: int,
    acc: Units,
    bits: Units,
    top: Units,
    ends: Ints,
    indices: Ids,
    data: Units,
) -> int:
    """The number of cells in the rows of words ``first`` to ``last``, after writing them."""
    words, steps, filled = text.tolist(), weights.tolist(), 0
    window = len(steps) - 1
    for row in range(first, last):
        found: dict[int, int] = {}
        for place in places[starts[row] : starts[row + 1]].tolist():
            sides = [words[place + 1 : place + 1 + window]]
            if both:
                sides.append(words[max(place - window, 0) : place][::-1])
            for side in sides:
                for d, column in enumerate(takewhile(inside, side), 1):
                    found[column] = found.get(column, 0) + steps[d]
        filled = _write(sorted(found.items()), filled, indices, data)
        ends[row - first] = filled
    return filled


def inside(word: int) -> bool:
    """Whether this is a word and not the end of a sentence."""
    return word >= 0


def _write(cells: list[tuple[int, int]], filled: int, indices: Ids, data: Units) -> int:
    end = filled + len(cells)
    if cells:
        indices[filled:end], data[filled:end] = zip(*cells, strict=True)
    return end


def merge_rows(
    rows: int,
    starts: Ints,
    columns: Ids,
    units: Units,
    finish: int,
    acc: Units,
    bits: Units,
    top: Units,
    ends: Ints,
    indices: Ids,
    data: Units,
) -> int:
    """The number of cells in a few rows, after adding up what several runs have of them."""
    filled = 0
    for row in range(rows):
        for begin, end in pairs(starts, row, rows + 1):
            np.add.at(acc, columns[begin:end], units[begin:end])
        if finish:
            cells = [(column, int(acc[column])) for column in np.flatnonzero(acc).tolist()]
            filled = _write(cells, filled, indices, data)
            ends[row] = filled
            acc[:] = 0
    return filled


def pairs(starts: Ints, row: int, step: int) -> list[Any]:
    """Where a row of each run begins and ends."""
    return list(zip(starts[row::step].tolist(), starts[row + 1 :: step].tolist(), strict=True))
