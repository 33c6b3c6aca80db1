"""Scan, intern and count in one loop: from a batch of documents to their rows.

**The table** is open addressing with linear probing, four uint64 a slot, so that two slots fill a
cache line and a term of up to 16 bytes is found, counted and done with in one of them:

    key first, key second, length << 32 | (id + 1), document stamp << 32 | position in the row

A slot whose third number is 0 is empty. The last number is how counting works without a
dictionary: where the stamp is this document's, the position says which count to raise.

**The state** is an int64 array that the caller keeps between calls; its places are named in
``gai.kernels.state``.
Kernels never grow an array: they stop at the start of a token, say what lacks room, and go on from
there when they are called again.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from numba import int64, uint64

from gai.kernels.build import exported, kernel, step
from gai.kernels.scan import (
    MIX,
    ascii_block,
    ascii_key,
    is_none,
    is_word,
    key_of,
    pad,
    scan_pretokenized,
    scan_unicode,
    scan_whitespace,
    scan_word,
    stands_alone,
)
from gai.kernels.state import (
    ARENA,
    DOCUMENT,
    DONE,
    FILLED,
    LENGTH,
    MORE_ARENA,
    MORE_TERMS,
    POSITION,
    ROW,
    STAMP,
    STOPS,
    TERMS,
)
from gai.kernels.words8 import store8, trailing_zeros

COLUMN = uint64(0xFFFFFFFF)
SHIFT = uint64(32)
ARGUMENTS = "u1* i8* i8* u1* i4* u8 i8 u8* u1* i8* i8* i8* i4* i4* i8* i8* i8*"


@step
def place_of(table, mask, first, second, length, arena, free, offsets):
    """The slot of a term, empty where the term is new."""
    h = (first ^ (second * MIX)) * MIX
    slot = int64((h ^ (h >> SHIFT)) & uint64(mask))
    while True:
        entry = table[4 * slot + 2]
        if entry == 0:
            return slot
        if (
            table[4 * slot] == first
            and table[4 * slot + 1] == second
            and int64(entry >> SHIFT) == length
        ):
            term = int64(entry & COLUMN) - 1
            if length <= 16 or same_bytes(arena, offsets[term], free, length):
                return slot
        slot = (slot + 1) & mask


@kernel
def same_bytes(arena, a, b, length):
    """Whether two stretches of the arena hold the same bytes."""
    for k in range(length):
        if arena[a + k] != arena[b + k]:
            return False
    return True


@step
def add_term(table, slot, first, second, length, arena, offsets, state):
    """The id of a new term, entered at an empty slot."""
    term = state[TERMS]
    free = state[ARENA]
    if length <= 16:
        store8(arena, free, first)
        store8(arena, free + 8, second)
    table[4 * slot] = first
    table[4 * slot + 1] = second
    table[4 * slot + 2] = uint64(length) << SHIFT | uint64(term + 1)
    table[4 * slot + 3] = 0
    offsets[term + 1] = free + length
    state[TERMS] = term + 1
    state[ARENA] = free + length
    return term


def counter(scan, accepts, rows, spans=False):
    """The counting kernel of a scanner; without ``rows``, one that writes each token's id, and
    with ``spans`` where each token begins and ends in ``data`` (``begins`` and ``stops``) as well.

    Runs of ASCII letters, digits and underscores are found 64 bytes at a time; those that
    ``accepts`` takes are tokens, everything else is left to ``scan``. With ``is_none`` that is all.

    Documents are ``data[starts[d]:ends[d]]``. Row d is the cells from ``indptr[d]`` to
    ``indptr[d + 1]`` of ``ids`` and ``counts``, in order of first appearance; ``lengths[d]`` is its
    number of tokens without stop words. ``ids`` and ``counts`` have room for every token that the
    batch may hold, which is half its bytes plus one a document.
    """

    blocks = accepts is not is_none

    def count(
        data,
        starts,
        ends,
        props,
        lower,
        fold,
        min_length,
        table,
        arena,
        offsets,
        state,
        indptr,
        ids,
        counts,
        lengths,
        begins,
        stops,
    ):
        mask = (table.size >> 2) - 1
        limit = min(table.size >> 3, offsets.size - 1)
        filled = state[FILLED]
        document = state[DOCUMENT]
        position = state[POSITION]
        row = state[ROW]
        tokens = state[LENGTH]
        passed = state[STOPS]
        status = DONE
        while document < starts.size:
            if position < 0:
                position = starts[document]
                row = filled
                tokens = 0
                state[STAMP] += 1
            stamp = uint64(state[STAMP]) << SHIFT
            end = ends[document]
            begin = position
            words = uint64(0)
            base = reach = int64(0)
            while True:
                if blocks and words == 0:
                    if position >= end:
                        break
                    base = position
                    words, reach = ascii_block(data, base, end)
                    position = base + reach
                    if words == 0 and reach > 0:
                        continue
                length = int64(0)
                free = state[ARENA]
                if blocks and words != 0:
                    at = base + trailing_zeros(words)
                    behind = words + (words & (~words + uint64(1)))
                    stop = base + trailing_zeros(behind)
                    words &= behind
                    if stop == base + reach and stop < end:
                        # It may go on behind the block, so the next block begins with it.
                        words = uint64(0)
                        position = at
                        if at > base:
                            continue
                    elif stop - at <= 16 and accepts(data, at, stop, end):
                        begin = stop
                        length = stop - at
                        if length < min_length:
                            continue
                        first, second = ascii_key(data, at, length, fold)
                    else:
                        words = uint64(0)
                        position = at
                if length == 0:
                    at, stop, first, second, length = scan(
                        data, begin, position, end, props, lower, fold, min_length, arena, free
                    )
                    if length <= 0:
                        if length < 0:
                            status = MORE_ARENA
                            position = at
                        break
                    begin = position = stop
                slot = place_of(table, mask, first, second, length, arena, free, offsets)
                entry = table[4 * slot + 2]
                if entry == 0:
                    if state[TERMS] >= limit or free + length + 24 > arena.size:
                        status = MORE_TERMS if state[TERMS] >= limit else MORE_ARENA
                        position = at
                        break
                    term = add_term(table, slot, first, second, length, arena, offsets, state)
                else:
                    term = int64(entry & COLUMN) - 1
                if term < passed:
                    continue
                tokens += 1
                if not rows:
                    ids[filled] = term
                    if spans:
                        begins[filled] = at
                        stops[filled] = stop
                    filled += 1
                    continue
                seen = table[4 * slot + 3]
                if (seen ^ stamp) >> SHIFT == 0:
                    counts[row + int64(seen & COLUMN)] += 1
                else:
                    table[4 * slot + 3] = stamp | uint64(filled - row)
                    ids[filled] = term
                    counts[filled] = 1
                    filled += 1
            if status != DONE:
                break
            document += 1
            position = -1
            indptr[document] = filled
            lengths[document - 1] = tokens
        state[FILLED] = filled
        state[DOCUMENT] = document
        state[POSITION] = position
        state[ROW] = row
        state[LENGTH] = tokens
        return status

    return exported(ARGUMENTS)(kernel(count))


count_word = counter(scan_word, is_word, True)
count_unicode = counter(scan_unicode, stands_alone, True)
count_pretokenized = counter(scan_pretokenized, is_none, True)
encode_word = counter(scan_word, is_word, False)
encode_unicode = counter(scan_unicode, stands_alone, False)
encode_pretokenized = counter(scan_pretokenized, is_none, False)
count_whitespace = counter(scan_whitespace, is_none, True)
encode_whitespace = counter(scan_whitespace, is_none, False)
locate_word = counter(scan_word, is_word, False, True)
locate_unicode = counter(scan_unicode, stands_alone, False, True)
locate_pretokenized = counter(scan_pretokenized, is_none, False, True)
locate_whitespace = counter(scan_whitespace, is_none, False, True)


@exported("u1* i8* u8* u1* i8* i8*")
@kernel
def enter(text, bounds, table, arena, offsets, state):
    """0, after interning given terms, all different and new; the caller has made room."""
    for term in range(bounds.size - 1):
        length = bounds[term + 1] - bounds[term]
        free = state[ARENA]
        for k in range(length):
            arena[free + k] = text[bounds[term] + k]
        pad(arena, free + length)
        first, second = key_of(arena, free, length)
        mask = (table.size >> 2) - 1
        slot = place_of(table, mask, first, second, length, arena, free, offsets)
        add_term(table, slot, first, second, length, arena, offsets, state)
    return 0


@exported("u8* u8*")
@kernel
def rehash(old, new):
    """0, after entering every term of a table into a larger, empty one."""
    mask = (new.size >> 2) - 1
    for at in range(0, old.size, 4):
        if old[at + 2] != 0:
            h = (old[at] ^ (old[at + 1] * MIX)) * MIX
            slot = int64((h ^ (h >> SHIFT)) & uint64(mask))
            while new[4 * slot + 2] != 0:
                slot = (slot + 1) & mask
            for k in range(4):
                new[4 * slot + k] = old[at + k]
    return 0
