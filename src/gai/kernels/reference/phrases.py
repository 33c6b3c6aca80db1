"""Plain twins of the kernels for phrases: a dictionary in place of the open addressing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CHAIN = 1 << 31
"""Prefixes from here on are chains of connectors; ``gai.kernels.phrases`` explains them."""

SEGMENT, PLACE, PREFIX, PAIRS, CHAINS, STATE = range(6)
"""Places in the state: next segment, next token (-1: its first), prefix before it, slots in use,
chains so far; and how many places there are."""

MORE_PAIRS, MORE_CHAINS = 1, 2
"""What counting lacks room for, where it does not return 0; it goes on with the same token."""

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Table = NDArray[np.uint64]


def entries(table: Table) -> dict[int, int]:
    """What a table holds: keys and values."""
    slots = table.reshape(-1, 2)
    keys, values = slots[slots[:, 1] != 0].T.tolist()
    return dict(zip(keys, values, strict=True))


def fill(table: Table, found: dict[int, int]) -> None:
    """Put keys and values into the first slots, which is where nobody looks for a certain key."""
    table[: 2 * len(found)] = np.array(list(found.items()), np.uint64).reshape(-1)


def count_pairs(
    tokens: Ids,
    segments: Ints,
    connectors: NDArray[np.uint8],
    table: Table,
    chains: Table,
    totals: Ints,
    state: Ints,
) -> int:
    """A status, after adding the words of all segments to ``totals`` and their pairs to the table.

    It stops before a segment, where there might not be room for all of it.
    """
    pairs, known = entries(table), chains[: state[CHAINS]].tolist()
    linking, lack, done = connectors.tolist(), 0, int(state[SEGMENT])
    for first, last in pairwise(segments[done:].tolist()):
        if len(pairs) + last - first > table.size >> 2:
            lack = MORE_PAIRS
        elif len(known) + last - first > chains.size:
            lack = MORE_CHAINS
        if lack:
            break
        count_segment(tokens[first:last].tolist(), linking, pairs, known)
        done += 1
    np.add.at(totals, tokens[segments[state[SEGMENT]] : segments[done]], 1)
    fill(table, pairs)
    chains[: len(known)] = known
    state[[SEGMENT, PAIRS, CHAINS]] = done, len(pairs), len(known)
    return lack


def count_segment(
    text: list[int], linking: list[int], pairs: dict[int, int], known: list[int]
) -> None:
    """Add the pairs and the chains of one segment."""
    prefix = -1
    for token in text:
        key = prefix << 32 | token
        if not linking[token]:
            if prefix >= 0:
                pairs[key] = pairs.get(key, 0) + 1
            prefix = token
        elif prefix >= 0:
            if key not in pairs:
                known.append(key)
                pairs[key] = len(known)
            prefix = CHAIN | pairs[key] - 1


def rehash_counts(old: Table, new: Table) -> int:
    """0, after entering everything in a table into a larger, empty one."""
    fill(new, entries(old))
    return 0


def merge_counts(
    table: Table,
    chains: Table,
    connectors: NDArray[np.uint8],
    words: Ids,
    new: Table,
    new_chains: Table,
    state: Ints,
    numbers: Ids,
) -> int:
    """0, after adding the pairs of a table to another one, where word t is number ``words[t]``.

    ``numbers`` gets the numbers that the chains of the table have in the other one.
    """
    pairs, known, common = entries(new), new_chains[: state[CHAINS]].tolist(), words.tolist()

    def renumbered(key: int) -> int:
        prefix, last = key >> 32, key & 0xFFFFFFFF
        before: int = CHAIN | int(numbers[prefix - CHAIN]) if prefix >= CHAIN else common[prefix]
        return before << 32 | int(common[last])

    for chain, key in enumerate(map(renumbered, chains.tolist())):
        if key not in pairs:
            known.append(key)
            pairs[key] = len(known)
        numbers[chain] = pairs[key] - 1
    for key, count in entries(table).items():
        if not connectors[key & 0xFFFFFFFF]:
            pairs[renumbered(key)] = pairs.get(renumbered(key), 0) + count
    fill(new, pairs)
    new_chains[: len(known)] = known
    state[[PAIRS, CHAINS]] = len(pairs), len(known)
    return 0


def join_phrases(
    tokens: Ids,
    segments: Ints,
    heads: Ids,
    tails: Ids,
    table: Table,
    starts: Ints,
    ends: Ints,
    found: Ids,
    bounds: Ints,
) -> int:
    """The number of units, after writing where each begins and ends in ``tokens``."""
    ways, units = entries(table), list[tuple[int, int, int]]()
    bounds[0] = 0
    for segment, (first, last) in enumerate(pairwise(segments.tolist())):
        text = tokens[first:last]
        begin, node = -1, -1
        for k, head, tail in zip(
            range(first, last), heads[text].tolist(), tails[text].tolist(), strict=True
        ):
            if head < -1 and begin < 0:
                units.append((k, k + 1, -1))
            elif head < -1:
                node = ways.get(node << 32 | CHAIN | -2 - head, 0) - 1
            elif phrase := ways.get(node << 32 | tail, 0):
                units.append((begin, k + 1, phrase - 1))
                begin, node = -1, -1
            else:
                units += alone(begin, k)
                begin, node = k, head
        units += alone(begin, last)
        bounds[segment + 1] = len(units)
    if units:
        starts[: len(units)], ends[: len(units)], found[: len(units)] = np.array(units).T
    return len(units)


def alone(first: int, last: int) -> list[tuple[int, int, int]]:
    """A unit for each of these tokens; none where the first is -1."""
    return [(k, k + 1, -1) for k in range(first, last)] if first >= 0 else []
