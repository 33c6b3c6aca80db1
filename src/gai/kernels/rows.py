"""Kernels over rows of counts: corpus totals, and rows with their final columns in order."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64

from gai.kernels.build import exported, kernel

SHORT = 48
"""Rows of up to this many cells are sorted by insertion, longer ones by radix."""


@exported("i4* i4* i8* i8*")
@kernel
def tally(ids, counts, tf, df):
    """0, after adding rows of counts to the totals of each term and its number of documents."""
    for k in range(ids.size):
        term = ids[k]
        tf[term] += counts[k]
        df[term] += 1
    return 0


@exported("i8* i4* i4* i8*")
@kernel
def kept_cells(indptr, ids, columns, kept):
    """0, after writing how many cells of each row have a column."""
    for row in range(indptr.size - 1):
        kept[row] = 0
        for k in range(indptr[row], indptr[row + 1]):
            kept[row] += columns[ids[k]] >= 0
    return 0


@exported("i8* i4* i4* i4* i8* i4* i4* i8* i8* i8*")
@kernel
def finish_rows(indptr, ids, counts, columns, new_indptr, indices, data, cells, spare, bins):
    """The number of cells kept, after giving each row its final columns, sorted.

    Term t becomes column ``columns[t]``; where that is negative the cell is dropped. ``indices``
    and ``data`` have room for all cells, ``cells`` and ``spare`` for those of the longest
    row, ``bins`` for 256.
    """
    filled = 0
    new_indptr[0] = 0
    for row in range(indptr.size - 1):
        size = 0
        largest = int64(0)
        for k in range(indptr[row], indptr[row + 1]):
            column = int64(columns[ids[k]])
            if column >= 0:
                cells[size] = column << 32 | int64(counts[k])
                size += 1
                largest = max(largest, column)
        if size <= SHORT:
            insertion_sort(cells, size)
        else:
            radix_sort(cells, spare, bins, size, largest)
        for k in range(size):
            indices[filled] = cells[k] >> 32
            data[filled] = cells[k] & 0xFFFFFFFF
            filled += 1
        new_indptr[row + 1] = filled
    return filled


@kernel
def insertion_sort(values, size):
    """Sort the first ``size`` values in place."""
    for k in range(1, size):
        value = values[k]
        at = k
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value


@kernel
def radix_sort(values, spare, bins, size, largest):
    """Sort the first ``size`` cells in place by column, of which ``largest`` is the largest."""
    shift = 32
    while largest > 0:
        radix_pass(values, spare, bins, size, shift)
        radix_pass(spare, values, bins, size, shift + 8)
        shift += 16
        largest >>= 16


@kernel
def radix_pass(source, target, bins, size, shift):
    """Write ``source`` to ``target`` in the order of the eight bits above ``shift``, stably."""
    for k in range(256):
        bins[k] = 0
    for k in range(size):
        bins[(source[k] >> shift) & 255] += 1
    total = int64(0)
    for k in range(256):
        here = bins[k]
        bins[k] = total
        total += here
    for k in range(size):
        digit = (source[k] >> shift) & 255
        target[bins[digit]] = source[k]
        bins[digit] += 1
