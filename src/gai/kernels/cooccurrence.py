"""Kernels for co-occurrence counts: which words stand near which, row by row.

A corpus arrives as one array of word ids, -1 between sentences, with the positions of each word. A
row is made by visiting the positions of its word and adding, for each neighbour, a weight into a
dense accumulator of one cell a word. Weights are whole numbers of a common unit, so that no sum
depends on the order in which it was made. Rows depend on nothing but the corpus: any thread may
make any of them.

Which cells were touched stands in two levels of bits, a bit a cell in ``bits``, and a bit for each
of these words in ``top``: so the cells of a row come out in order, without a sort. A row that adds
more often than there are cells sets no bits; its accumulator is read from end to end.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64, uint64

from gai.kernels.build import exported, kernel, step
from gai.kernels.words8 import prefetch, trailing_zeros

AHEAD = 16
"""Positions of a word that lie between what is read and what is asked for; corpora are larger than
the cache, and words stand anywhere in them."""

LINE, FARTHEST = 16, 64
"""Words that a cache line holds, and how far on either side of a position they are asked for."""

ONE = uint64(1)


@exported("i4* i8* i8 i8 i8 i8 i4* i8* i4*")
@kernel
def index_words(ids, bounds, low, first, last, high, text, starts, places):
    """The length of ``text``, after writing the tokens from ``low`` to ``high`` into it, with a -1
    at either end of each sentence, and where in it the words of tokens ``first`` to ``last`` are.

    Sentence s is ``ids[bounds[s]:bounds[s + 1]]``; ``low <= first <= last <= high``. Word w is at
    ``places[starts[w]:starts[w + 1]]``, in order. ``starts`` (words + 1) arrives as zeros; ``text``
    has room for the tokens, the sentences and one more.
    """
    text[0] = -1
    size = 1
    for s in range(bounds.size - 1):
        begin = max(bounds[s], low)
        end = min(bounds[s + 1], high)
        if begin >= end:
            continue
        for k in range(begin, end):
            text[size] = ids[k]
            size += 1
            if first <= k < last:
                starts[ids[k]] += 1
        text[size] = -1
        size += 1
    total = int64(0)
    for word in range(starts.size):
        here = starts[word]
        starts[word] = total
        total += here
    # The same walk again; each start moves to the end of its word, which is the next one's start.
    at = int64(1)
    for s in range(bounds.size - 1):
        begin = max(bounds[s], low)
        end = min(bounds[s + 1], high)
        if begin >= end:
            continue
        for k in range(begin, end):
            if first <= k < last:
                word = ids[k]
                places[starts[word]] = at
                starts[word] += 1
            at += 1
        at += 1
    for word in range(starts.size - 1, 0, -1):
        starts[word] = starts[word - 1]
    starts[0] = 0
    return size


@step
def mark(bits, top, column):
    """Say that the cell of a column has been touched."""
    bits[column >> 6] |= ONE << uint64(column & 63)
    top[column >> 12] |= ONE << uint64((column >> 6) & 63)


@step
def fetch_window(text, place, window, both):
    """Ask for the text around a place, of which a long window is the beginning."""
    reach = min(window, FARTHEST)
    at = place - reach if both else place
    while at < place + reach:
        prefetch(text, at)
        at += LINE
    prefetch(text, place + reach)


@step
def add_side(text, place, way, weights, acc):
    """Add the weights of the neighbours on one side of a place."""
    for d in range(1, weights.size):
        column = int64(text[place + way * d])
        if column < 0:
            break
        acc[column] += weights[d]


@step
def add_and_mark_side(text, place, way, weights, acc, bits, top):
    """The same, and mark their cells."""
    for d in range(1, weights.size):
        column = int64(text[place + way * d])
        if column < 0:
            break
        acc[column] += weights[d]
        mark(bits, top, column)


@step
def take_all(acc, indices, data, filled):
    """The cells filled, after moving all that is not 0 out of the accumulator."""
    for column in range(acc.size):
        if acc[column] != 0:
            indices[filled] = column
            data[filled] = acc[column]
            acc[column] = 0
            filled += 1
    return filled


@step
def take_marked(acc, bits, top, indices, data, filled):
    """The cells filled, after moving those that are marked out of the accumulator."""
    for high in range(top.size):
        words = top[high]
        top[high] = 0
        while words != 0:
            word = (high << 6) + trailing_zeros(words)
            words &= words - ONE
            cells = bits[word]
            bits[word] = 0
            while cells != 0:
                column = (word << 6) + trailing_zeros(cells)
                cells &= cells - ONE
                indices[filled] = column
                data[filled] = acc[column]
                acc[column] = 0
                filled += 1
    return filled


@exported("i8 i8 i4* i8* i4* u8* i8 u8* u8* u8* i8* i4* u8*")
@kernel
def count_neighbours(
    first, last, text, starts, places, weights, both, acc, bits, top, ends, indices, data
):
    """The number of cells in the rows of words ``first`` to ``last``, after writing them.

    ``text``, ``starts`` and ``places`` are those of ``index_words``. A neighbour at distance d, up
    to ``weights.size - 1``, adds ``weights[d]``: behind the word, and before it too where ``both``
    is not 0. ``acc`` (as many as words), ``bits`` and ``top`` are zeros, before and after. Row r
    ends at ``ends[r - first]`` of ``indices`` and ``data``, which have room.
    """
    window = weights.size - 1
    filled = 0
    for row in range(first, last):
        if starts[row] == starts[row + 1]:  # most rows, where a run has few of many words
            ends[row - first] = filled
            continue
        dense = (starts[row + 1] - starts[row]) * window * (1 + both) >= acc.size
        for i in range(starts[row], starts[row + 1]):
            if i + AHEAD < places.size:
                fetch_window(text, int64(places[i + AHEAD]), window, both)
            place = int64(places[i])
            if dense:
                add_side(text, place, 1, weights, acc)
                if both:
                    add_side(text, place, -1, weights, acc)
            else:
                add_and_mark_side(text, place, 1, weights, acc, bits, top)
                if both:
                    add_and_mark_side(text, place, -1, weights, acc, bits, top)
        if dense:
            filled = take_all(acc, indices, data, filled)
        else:
            filled = take_marked(acc, bits, top, indices, data, filled)
        ends[row - first] = filled
    return filled


@exported("i8 i8* i4* u8* i8 u8* u8* u8* i8* i4* u8*")
@kernel
def merge_rows(rows, starts, columns, units, finish, acc, bits, top, ends, indices, data):
    """The number of cells in a few rows, after adding up what several runs have of them.

    Row r of run k is ``columns[starts[j]:starts[j + 1]]`` and the same of ``units``, for j = k *
    (rows + 1) + r. Without ``finish`` there is one row, and it stays in the accumulator, for the
    next call to add to. All else as in ``count_neighbours``.
    """
    filled = 0
    for row in range(rows):
        cells = 0
        for j in range(row, starts.size, rows + 1):
            cells += starts[j + 1] - starts[j]
            for k in range(starts[j], starts[j + 1]):
                column = int64(columns[k])
                acc[column] += units[k]
                mark(bits, top, column)
        if finish:
            if cells or rows == 1:
                filled = take_marked(acc, bits, top, indices, data, filled)
            ends[row] = filled
    return filled
