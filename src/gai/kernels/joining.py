"""From the ids of tokens back to text: joined by a separator, or put in their places.

Terms, replacements and output have at least eight bytes of room behind them, because bytes are
copied eight at a time.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from gai.kernels.build import exported, kernel, step
from gai.kernels.words8 import load8, store8


@step
def copied(source, start, end, out, place):
    """Where the copy of ``source[start:end]`` ends that now stands in ``out`` from ``place`` on."""
    k = start
    while k < end:
        store8(out, place + k - start, load8(source, k))
        k += 8
    return place + end - start


@exported("i4* i8* u1* i8* u1* u1* u1* i8*")
@kernel
def join_terms(ids, indptr, arena, offsets, separator, ending, out, bounds):
    """The number of bytes, after writing the terms of each document with ``separator`` between
    them and ``ending`` behind the last.

    Document d is ``ids[indptr[d]:indptr[d + 1]]`` and becomes ``out[bounds[d]:bounds[d + 1]]``.
    Term i is ``arena[offsets[i]:offsets[i + 1]]``; tokens with a negative id are left out.
    """
    place = 0
    bounds[0] = 0
    for document in range(indptr.size - 1):
        begun = False
        for k in range(indptr[document], indptr[document + 1]):
            term = ids[k]
            if term < 0:
                continue
            if begun:
                for i in range(separator.size):
                    out[place + i] = separator[i]
                place += separator.size
            begun = True
            place = copied(arena, offsets[term], offsets[term + 1], out, place)
        for i in range(ending.size):
            out[place + i] = ending[i]
        place += ending.size
        bounds[document + 1] = place
    return place


@exported("u1* i8* i8* i8* i4* i8* i8* u1* i8* u1* u1* i8*")
@kernel
def replace_spans(data, starts, ends, indptr, ids, begins, stops, arena, offsets, gap, out, bounds):
    """The number of bytes, after writing each document with its tokens replaced, and ``gap``
    behind all but the last that do not end in a line feed.

    Document d is ``data[starts[d]:ends[d]]`` with tokens ``indptr[d]`` to ``indptr[d + 1]``; token
    k is ``data[begins[k]:stops[k]]`` and becomes term ``ids[k]``, nothing where that is negative.
    Of two tokens at one place the second has nothing between it and the first.
    """
    place = 0
    bounds[0] = 0
    for document in range(starts.size):
        done = starts[document]
        for k in range(indptr[document], indptr[document + 1]):
            if begins[k] > done:
                place = copied(data, done, begins[k], out, place)
            term = ids[k]
            if term >= 0:
                place = copied(arena, offsets[term], offsets[term + 1], out, place)
            done = max(done, stops[k])
        if ends[document] > done:
            place = copied(data, done, ends[document], out, place)
        open_end = place == bounds[document] or out[place - 1] != 0x0A
        if open_end and document < starts.size - 1:
            for i in range(gap.size):
                out[place + i] = gap[i]
            place += gap.size
        bounds[document + 1] = place
    return place


@step
def numbered(number, out, place):
    """Where the decimal digits of a number end, which is not negative, written from ``place``."""
    digits = 1
    limit = 10
    while digits < 19 and number >= limit:
        digits += 1
        limit *= 10
    for k in range(digits):
        out[place + digits - 1 - k] = 0x30 + number % 10
        number //= 10
    return place + digits


@exported("i4* i8* i8* i8* u1* i8* u1* i8* u1* u1* i8* u1*")
@kernel
def write_places(
    ids,
    indptr,
    begins,
    stops,
    heads,
    head_offsets,
    terms,
    offsets,
    middle,
    tails,
    tail_offsets,
    out,
):
    """The number of bytes, after writing a line for each token: the head of its document, its
    term, where it begins, ``middle``, where it ends, the tail of its term."""
    place = 0
    for document in range(indptr.size - 1):
        for k in range(indptr[document], indptr[document + 1]):
            term = ids[k]
            place = copied(heads, head_offsets[document], head_offsets[document + 1], out, place)
            place = copied(terms, offsets[term], offsets[term + 1], out, place)
            place = numbered(begins[k], out, place)
            for i in range(middle.size):
                out[place + i] = middle[i]
            place = numbered(stops[k], out, place + middle.size)
            place = copied(tails, tail_offsets[term], tail_offsets[term + 1], out, place)
    return place
