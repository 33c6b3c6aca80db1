"""Kernels for GloVe: dealing the cells of a co-occurrence matrix to blocks, and training on them.

Words are dealt to parts; the code of a word is its part, and in the low 16 bits its place there. A
block is the pairs of the words of one part with the contexts of another. A pair is its place (the
places of word and context within their parts, 16 bits each) and two numbers, log x and f(x).

The weights of a word are one row, ``2 * width`` numbers: what a step changes, then for each of
these the sum of its squared gradients so far. A row of words holds ``vector, bias, 1, 0 ...``, a
row of contexts ``vector, 1, bias, 0 ...``, so that the product of the two is all of the model, and
biases are learned like everything else. The ones stay ones because their sums are huge.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import math

from numba import float32, float64, int64, uint32

from gai.kernels.build import exported, kernel, quick, step
from gai.kernels.reference import glove as reference
from gai.kernels.words8 import prefetch

BITS = uint32(reference.PLACE_BITS)
PLACE = uint32((1 << reference.PLACE_BITS) - 1)

AHEAD = 2
"""Pairs between the one that is trained and the one whose context is fetched; farther is no
better."""

LINE = 16
"""Numbers that a cache line holds."""


@exported("i4* i8* i4* u4* i8*")
@kernel
def count_parts(members, indptr, indices, codes, counts):
    """The number of cells in the rows of ``members``, after adding those of each part of columns
    to ``counts``.

    Row w is ``indices[indptr[w]:indptr[w + 1]]``; ``codes`` has the code of each word.
    """
    cells = 0
    for row in range(members.size):
        word = members[row]
        for k in range(indptr[word], indptr[word + 1]):
            counts[codes[indices[k]] >> BITS] += 1
        cells += indptr[word + 1] - indptr[word]
    return cells


@exported("i4* i8* i4* f8* u4* f8 f8 i8* u4* f4*")
@kernel
def deal_pairs(members, indptr, indices, data, codes, x_max, alpha, ends, places, numbers):
    """The number of pairs, after dealing the rows of ``members`` to the blocks of their part.

    ``members`` are the words of the part by place. ``ends[q]`` is where the next pair of block q
    goes. All pairs of a word in a block stand together, so that its row stays in the cache; their
    contexts are spread, so that frequent ones are not all trained first. f(x) is (x / x_max)^alpha
    below ``x_max``, else 1.
    """
    dealt = 0
    for row in range(members.size):
        start = indptr[members[row]]
        size = indptr[members[row] + 1] - start
        jump = stride(size)
        k = int64(0)
        for _ in range(size):
            x = data[start + k]
            code = codes[indices[start + k]]
            block = code >> BITS
            at = ends[block]
            ends[block] = at + 1
            places[at] = uint32(row) << BITS | (code & PLACE)
            numbers[2 * at] = math.log(x)
            numbers[2 * at + 1] = math.pow(x / x_max, alpha) if x < x_max else 1.0
            k += jump
            if k >= size:
                k -= size
        dealt += size
    return dealt


@step
def stride(size):
    """A step that visits ``size`` places in a circle, each once, and spreads them evenly: near the
    golden section of it."""
    found = max(int64(1), int64(float64(size) * 0.618033988749895))
    while True:
        a = found
        b = size
        while b > 0:
            a, b = b, a % b
        if a <= 1:
            return found
        found += 1


@exported("f4* f4* i8 u4* f4* f8* i8")
@quick
def train_pairs(words, contexts, width, places, numbers, losses, block):
    """0, after a step of AdaGrad for each pair in turn, with the sum of their squared errors, each
    times its weight, in ``losses[block]``.

    ``words`` and ``contexts`` are the rows of one part. No other thread may touch these.
    """
    loss = 0.0
    last = places.size - 1
    for pair in range(places.size):
        coming = 2 * width * int64(places[min(pair + AHEAD, last)] & PLACE)
        for k in range(0, 2 * width, LINE):
            prefetch(contexts, coming + k)
        i = 2 * width * int64(places[pair] >> BITS)
        j = 2 * width * int64(places[pair] & PLACE)
        word = words[i : i + width]
        word_sums = words[i + width : i + 2 * width]
        context = contexts[j : j + width]
        context_sums = contexts[j + width : j + 2 * width]
        error = float32(0.0)
        for k in range(width):
            error += word[k] * context[k]
        error -= numbers[2 * pair]
        pull = numbers[2 * pair + 1] * error
        loss += float64(pull) * float64(error)
        for k in range(width):
            w = word[k]
            c = context[k]
            to_word = pull * c
            to_context = pull * w
            word[k] = w - to_word / math.sqrt(word_sums[k])
            context[k] = c - to_context / math.sqrt(context_sums[k])
            word_sums[k] += to_word * to_word
            context_sums[k] += to_context * to_context
    losses[block] = loss
    return 0
