"""fastText's parts of words: which rows of a table they are, and the mean of such rows."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import float32, int32, int64, types, uint32
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from gai.kernels.build import exported, kernel, step

OFFSET_BASIS, PRIME = 2166136261, 16777619
"""FNV-1a, 32 bits."""


@intrinsic
def load_float(typing: Any, array: Any, i: Any) -> Any:
    """The float32 that begins at byte ``i`` of a uint8 array; it needs no alignment."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), ir.FloatType().as_pointer())
        value = builder.load(place)
        value.align = 1
        return value

    return types.float32(array, types.int64), code


@step
def bracketed(arena, start, end, k):
    """Byte ``k`` of the word ``arena[start:end]`` with < before it and > behind it."""
    if k == 0:
        return 0x3C
    return 0x3E if k > end - start else int64(arena[start + k - 1])


@exported("u1* i8* i8 i8 i8 i8* i4*")
@kernel
def subword_ids(arena, offsets, min_n, max_n, bucket, bounds, ids):
    """The number of ids, after writing those of the parts of each word: its n-grams of ``min_n``
    to ``max_n`` UTF-8 characters, < and > counted, but neither of these two alone.

    Word w is ``arena[offsets[w]:offsets[w + 1]]``, its ids are ``ids[bounds[w]:bounds[w + 1]]``,
    in fastText's order: by where they begin, then by length. An id is FNV-1a over the bytes as
    signed numbers, modulo ``bucket``, which is positive.
    """
    count = 0
    bounds[0] = 0
    for word in range(offsets.size - 1):
        start, end = offsets[word], offsets[word + 1]
        size = end - start + 2
        for first in range(size):
            if bracketed(arena, start, end, first) & 0xC0 == 0x80:
                continue
            digest = uint32(OFFSET_BASIS)
            k = first
            n = 1
            while k < size and n <= max_n:
                following = True
                while following:
                    byte = bracketed(arena, start, end, k)
                    signed = byte - 256 if byte >= 128 else byte
                    digest = uint32((digest ^ uint32(signed)) * uint32(PRIME))
                    k += 1
                    following = k < size and bracketed(arena, start, end, k) & 0xC0 == 0x80
                if n >= min_n and not (n == 1 and (first == 0 or k == size)):
                    ids[count] = int32(int64(digest) % bucket)
                    count += 1
                n += 1
        bounds[word + 1] = count
    return count


@exported("u1* u1* i8* i8* i4* i8 f4*")
@kernel
def mean_rows(words, parts, places, bounds, ids, dim, out):
    """Nothing of interest, after writing the mean of several rows to each row of ``out``.

    Row r is the mean of row ``places[r]`` of ``words``, unless that is negative, and of the rows
    ``ids[bounds[r]:bounds[r + 1]]`` of ``parts``; of no row at all it is 0. Both tables are the
    bytes of float32 rows of ``dim``, at any address.
    """
    for row in range(places.size):
        begin = row * dim
        count = bounds[row + 1] - bounds[row]
        for k in range(dim):
            out[begin + k] = float32(0.0)
        if places[row] >= 0:
            count += 1
            source = places[row] * dim * 4
            for k in range(dim):
                out[begin + k] = load_float(words, source + 4 * k)
        for part in range(bounds[row], bounds[row + 1]):
            source = int64(ids[part]) * dim * 4
            for k in range(dim):
                out[begin + k] += load_float(parts, source + 4 * k)
        share = float32(1.0 / max(count, 1))
        for k in range(dim):
            out[begin + k] *= share
    return 0
