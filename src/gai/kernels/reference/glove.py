"""Plain twins of the kernels for GloVe: the same steps with numpy, a pair at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint32]
Floats = NDArray[np.float32]

PLACE_BITS = 16
"""Bits of the place of a word within its part; above them a code has the part, and the place of a
pair its row."""


def count_parts(members: Ids, indptr: Ints, indices: Ids, codes: Codes, counts: Ints) -> int:
    """The number of cells in the rows of ``members``, after adding those of each part of columns
    to ``counts``."""
    cells = 0
    for word in members.tolist():
        columns = indices[indptr[word] : indptr[word + 1]]
        counts += np.bincount(codes[columns] >> PLACE_BITS, minlength=len(counts))
        cells += len(columns)
    return cells


def deal_pairs(
    members: Ids,
    indptr: Ints,
    indices: Ids,
    data: NDArray[np.float64],
    codes: Codes,
    x_max: float,
    alpha: float,
    ends: Ints,
    places: Codes,
    numbers: Floats,
) -> int:
    """The number of pairs, after dealing the rows of ``members`` to the blocks of their part."""
    dealt = 0
    for row, word in enumerate(members.tolist()):
        start, end = int(indptr[word]), int(indptr[word + 1])
        order = start + np.arange(end - start) * stride(end - start) % max(end - start, 1)
        columns, values = codes[indices[order]], data[order]
        pairs = row << PLACE_BITS | (columns & ((1 << PLACE_BITS) - 1))
        logs = np.log(values)
        weights = np.where(values < x_max, (values / x_max) ** alpha, 1.0)
        for block in np.unique(columns >> PLACE_BITS).tolist():
            mine = columns >> PLACE_BITS == block
            at = np.arange(ends[block], ends[block] + np.count_nonzero(mine))
            places[at] = pairs[mine]
            numbers[2 * at], numbers[2 * at + 1] = logs[mine], weights[mine]
            ends[block] += len(at)
        dealt += end - start
    return dealt


def stride(size: int) -> int:
    """A step that visits ``size`` places in a circle, each once, and spreads them evenly: near the
    golden section of it."""
    found = max(1, int(size * 0.618033988749895))
    while math.gcd(found, size) > 1:
        found += 1
    return found


def train_pairs(
    words: Floats,
    contexts: Floats,
    width: int,
    places: Codes,
    numbers: Floats,
    losses: NDArray[np.float64],
    block: int,
) -> int:
    """0, after a step of AdaGrad for each pair in turn, with the sum of their squared errors, each
    times its weight, in ``losses[block]``."""
    rows, columns = (array.reshape(-1, 2, width) for array in (words, contexts))
    loss = 0.0
    with np.errstate(all="ignore"):  # a run that diverges is told from its loss
        for pair, log, weight in zip(places.tolist(), numbers[::2], numbers[1::2], strict=True):
            word, word_sums = rows[pair >> PLACE_BITS]
            context, context_sums = columns[pair & ((1 << PLACE_BITS) - 1)]
            error = np.float32(word @ context - log)
            pull = weight * error
            loss += float(pull) * float(error)
            to_word, to_context = pull * context, pull * word
            word -= to_word / np.sqrt(word_sums)
            context -= to_context / np.sqrt(context_sums)
            word_sums += to_word * to_word
            context_sums += to_context * to_context
    losses[block] = loss
    return 0
