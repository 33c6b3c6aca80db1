"""Kernels for phrases: counting which words stand side by side, and joining those that belong.

A pair is two words with nothing but connector words (``of``, ``the``) between them. It is known by
its prefix and its last word, each 32 bits, as in ``gai.kernels.ngrams``: the prefix is the number
of the first word, or, where connectors stand between, ``CHAIN`` and the number of a chain, which
is itself a prefix and one more connector.

The tables are open addressing with linear probing, a slot two uint64: key, and a value that is 0
only where the slot is empty.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64, uint64

from gai.kernels.build import exported, kernel, step
from gai.kernels.count import SHIFT as HALF
from gai.kernels.reference import phrases as reference
from gai.kernels.reference.phrases import (
    CHAINS,
    MORE_CHAINS,
    MORE_PAIRS,
    PAIRS,
    PLACE,
    PREFIX,
    SEGMENT,
)
from gai.kernels.scan import MIX
from gai.kernels.state import DONE

CHAIN = uint64(reference.CHAIN)
LAST = uint64(0xFFFFFFFF)
NOTHING = int64(-1)


@step
def slot_of(table, shift, key):
    """The slot of a key, empty where the key is new; ``shift`` is that of the table."""
    h = key * MIX
    slot = int64(((h ^ (h >> HALF)) * MIX) >> shift)
    mask = (table.size >> 1) - 1
    while table[2 * slot + 1] != 0 and table[2 * slot] != key:
        slot = (slot + 1) & mask
    return slot


@step
def shift_of(table):
    """How far a hash is shifted to give a slot.

    The high bits of a hash are taken, so that a table keeps its order when it grows: from slot s
    everything moves to about slot 2 s, which is quicker by far than to anywhere.
    """
    shift = uint64(64)
    size = table.size >> 1
    while size > 1:
        size >>= 1
        shift -= uint64(1)
    return shift


@exported("i4* i8* u1* u8* u8* i8* i8*")
@kernel
def count_pairs(tokens, segments, connectors, table, chains, totals, state):
    """A status, after adding the words of all segments to ``totals`` and their pairs to the table.

    Segment s is the tokens from ``segments[s]`` to ``segments[s + 1]``; word t is a connector where
    ``connectors[t]`` is 1. The value of a pair is how often it occurs. The slot of a key that ends
    in a connector is that of a chain, its value the chain's number and 1; ``chains`` holds
    the keys of the chains by number.
    """
    shift = shift_of(table)
    limit = table.size >> 2
    while state[SEGMENT] < segments.size - 1:
        segment = state[SEGMENT]
        first = state[PLACE]
        prefix = state[PREFIX]
        if first < 0:
            first = segments[segment]
            prefix = NOTHING
        for k in range(first, segments[segment + 1]):
            token = int64(tokens[k])
            connector = connectors[token] != 0
            if prefix != NOTHING:
                key = uint64(prefix) << HALF | uint64(token)
                slot = slot_of(table, shift, key)
                value = table[2 * slot + 1]
                lack = DONE
                if value == 0:
                    if state[PAIRS] >= limit:
                        lack = MORE_PAIRS
                    elif connector and state[CHAINS] >= chains.size:
                        lack = MORE_CHAINS
                if lack != DONE:
                    state[PLACE] = k
                    state[PREFIX] = prefix
                    return lack
                if value == 0:
                    state[PAIRS] += 1
                    table[2 * slot] = key
                    if connector:
                        chains[state[CHAINS]] = key
                        state[CHAINS] += 1
                        value = uint64(state[CHAINS])
                        table[2 * slot + 1] = value
                if connector:
                    prefix = int64(CHAIN | (value - uint64(1)))
                else:
                    table[2 * slot + 1] = value + uint64(1)
            totals[token] += 1
            if not connector:
                prefix = token
        state[SEGMENT] = segment + 1
        state[PLACE] = -1
    return DONE


@exported("u8* u8*")
@kernel
def rehash_counts(old, new):
    """0, after entering everything in a table into a larger, empty one."""
    shift = shift_of(new)
    for at in range(0, old.size, 2):
        if old[at + 1] != 0:
            slot = slot_of(new, shift, old[at])
            new[2 * slot] = old[at]
            new[2 * slot + 1] = old[at + 1]
    return 0


@exported("u8* u8* u1* i4* u8* u8* i8* i4*")
@kernel
def merge_counts(table, chains, connectors, words, new, new_chains, state, numbers):
    """0, after adding the pairs of a table to another one, where word t is number ``words[t]``.

    ``chains`` are those of the table, ``numbers`` gets their numbers in the other one.
    ``connectors`` belong to the table. ``state`` belongs to the other one, which has room.
    """
    shift = shift_of(new)
    for chain in range(chains.size):
        key = renumbered(chains[chain], words, numbers)
        slot = slot_of(new, shift, key)
        if new[2 * slot + 1] == 0:
            new_chains[state[CHAINS]] = key
            state[CHAINS] += 1
            state[PAIRS] += 1
            new[2 * slot] = key
            new[2 * slot + 1] = uint64(state[CHAINS])
        numbers[chain] = int64(new[2 * slot + 1]) - 1
    for at in range(0, table.size, 2):
        if table[at + 1] == 0 or connectors[table[at] & LAST] != 0:
            continue
        key = renumbered(table[at], words, numbers)
        slot = slot_of(new, shift, key)
        if new[2 * slot + 1] == 0:
            state[PAIRS] += 1
            new[2 * slot] = key
        new[2 * slot + 1] += table[at + 1]
    return 0


@step
def renumbered(key, words, numbers):
    """The key with other numbers for its words and its chain."""
    prefix = key >> HALF
    last = uint64(words[key & LAST])
    if prefix >= CHAIN:
        return (CHAIN | uint64(numbers[prefix & ~CHAIN])) << HALF | last
    return uint64(words[prefix]) << HALF | last


@exported("i4* i8* i4* i4* u8* i8* i8* i4* i8*")
@kernel
def join_phrases(tokens, segments, heads, tails, table, starts, ends, found, bounds):
    """The number of units, after writing where each begins and ends in ``tokens``.

    ``heads[t]`` is the node at which a phrase that begins with word t stands then, -1 where none
    does, ``-2 - c`` for connector c; ``tails[t]`` the number of word t as the last one of a
    phrase, or -1. The table leads from a node and a tail to a phrase, and from a node and ``CHAIN |
    c`` to the next node; its values are one more. ``found`` gets the phrase of each unit, -1 for a
    single word; ``bounds`` where the units of each segment begin. Phrases are taken from the left,
    as soon as one is whole; all arrays have room for as many units as there are tokens.
    """
    shift = shift_of(table)
    unit = int64(0)
    bounds[0] = 0
    for segment in range(segments.size - 1):
        begin = int64(-1)
        node = int64(-1)
        for k in range(segments[segment], segments[segment + 1]):
            head = int64(heads[tokens[k]])
            if head < -1:
                if begin < 0:
                    unit = alone(k, k + 1, starts, ends, found, unit)
                elif node >= 0:
                    node = following(table, shift, node, CHAIN | uint64(-2 - head))
                continue
            phrase = int64(-1)
            if node >= 0 and tails[tokens[k]] >= 0:
                phrase = following(table, shift, node, uint64(tails[tokens[k]]))
            if phrase >= 0:
                starts[unit] = begin
                ends[unit] = k + 1
                found[unit] = phrase
                unit += 1
                begin = -1
                node = -1
                continue
            if begin >= 0:
                unit = alone(begin, k, starts, ends, found, unit)
            begin = k
            node = head
        if begin >= 0:
            unit = alone(begin, segments[segment + 1], starts, ends, found, unit)
        bounds[segment + 1] = unit
    return unit


@step
def following(table, shift, node, mark):
    """Where the table leads from a node by a mark; -1 where it knows no way."""
    slot = slot_of(table, shift, uint64(node) << HALF | mark)
    return int64(table[2 * slot + 1]) - 1


@step
def alone(first, last, starts, ends, found, unit):
    """The number of units after each of these tokens has become one."""
    for k in range(first, last):
        starts[unit] = k
        ends[unit] = k + 1
        found[unit] = -1
        unit += 1
    return unit
