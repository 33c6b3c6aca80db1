"""N-grams from ids: no string is made of an n-gram until somebody wants to read it.

An n-gram is the pair of the n-gram without its last token, and that token. Interning pairs is
therefore exact for every n, and each step looks at eight bytes:

    key (prefix << 32 | token), id + 1, document stamp << 32 | position in the row, unused

is a slot of the table, four uint64, as in ``gai.kernels.count``. The prefix of a single token is
``NOTHING``.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import int64, uint64

from gai.kernels import classes
from gai.kernels.build import exported, kernel, step
from gai.kernels.count import COLUMN, SHIFT
from gai.kernels.scan import MIX
from gai.kernels.state import DONE
from gai.kernels.utf8 import decode

NOTHING = uint64(0xFFFFFFFF)
PAIRS, FILLED, DOCUMENT, STAMP = 0, 1, 2, 3
"""Places in the state: n-grams interned, cells written, next document, documents seen."""

MORE_PAIRS, MORE_CELLS = 1, 2
"""What a call lacks room for, beside ``DONE``; it goes on at the start of a document."""

SPACE = classes.SPACE


@step
def slot_of(table, mask, key):
    """The slot of a pair, empty where the pair is new."""
    h = key * MIX
    slot = int64((h ^ (h >> SHIFT)) & uint64(mask))
    while table[4 * slot + 1] != 0 and table[4 * slot] != key:
        slot = (slot + 1) & mask
    return slot


@exported("i4* i8* i8* i8 i8 i8 u8* i4* i4* i8* i4* i8* i4* i4* i8*")
@kernel
def count_ngrams(
    tokens,
    segments,
    documents,
    low,
    high,
    whole,
    table,
    prefixes,
    lasts,
    state,
    chain,
    indptr,
    ids,
    counts,
    lengths,
):
    """A status, after counting the n-grams of ``low`` to ``high`` tokens inside segments.

    Document d is the segments from ``documents[d]`` to ``documents[d + 1]``, segment s the tokens
    from ``segments[s]`` to ``segments[s + 1]``. With ``whole`` a segment shorter than ``low``
    counts once as it is. N-gram g is ``prefixes[g]`` (-1 for none) followed by ``lasts[g]``; one
    shorter than ``low`` is interned but not counted. ``chain`` has room for the longest segment.
    """
    mask = (table.size >> 2) - 1
    limit = min(table.size >> 3, prefixes.size)
    while state[DOCUMENT] < documents.size - 1:
        document = state[DOCUMENT]
        first, last = documents[document], documents[document + 1]
        if state[FILLED] + (segments[last] - segments[first]) * (high - low + 1) > ids.size:
            return MORE_CELLS
        state[STAMP] += 1
        stamp = uint64(state[STAMP]) << SHIFT
        row = state[FILLED]
        filled = row
        length = int64(0)
        for segment in range(first, last):
            begin = segments[segment]
            size = segments[segment + 1] - begin
            least = size if whole and size < low else low
            for n in range(1, min(high, size) + 1):
                for k in range(size - n + 1):
                    prefix = NOTHING if n == 1 else uint64(chain[k])
                    key = prefix << SHIFT | uint64(tokens[begin + k + n - 1])
                    slot = slot_of(table, mask, key)
                    gram = int64(table[4 * slot + 1]) - 1
                    if gram < 0:
                        gram = state[PAIRS]
                        if gram >= limit:
                            return MORE_PAIRS
                        table[4 * slot] = key
                        table[4 * slot + 1] = uint64(gram + 1)
                        table[4 * slot + 2] = 0
                        prefixes[gram] = -1 if n == 1 else chain[k]
                        lasts[gram] = tokens[begin + k + n - 1]
                        state[PAIRS] = gram + 1
                    chain[k] = gram
                    if n < least:
                        continue
                    length += 1
                    seen = table[4 * slot + 2]
                    if (seen ^ stamp) >> SHIFT == 0:
                        counts[row + int64(seen & COLUMN)] += 1
                    else:
                        table[4 * slot + 2] = stamp | uint64(filled - row)
                        ids[filled] = gram
                        counts[filled] = 1
                        filled += 1
        state[FILLED] = filled
        state[DOCUMENT] = document + 1
        indptr[document + 1] = filled
        lengths[document] = length
    return DONE


@exported("u8* u8*")
@kernel
def rehash_pairs(old, new):
    """0, after entering every n-gram of a table into a larger, empty one."""
    mask = (new.size >> 2) - 1
    for at in range(0, old.size, 4):
        if old[at + 1] != 0:
            slot = slot_of(new, mask, old[at])
            for k in range(3):
                new[4 * slot + k] = old[at + k]
    return 0


@exported("u1* i8* i8* u1* i4* u8 i8 i4* i8* i8*")
@kernel
def read_characters(data, starts, ends, props, lower, fold, padded, tokens, segments, documents):
    r"""The number of segments, after writing the code points of all documents as tokens.

    A document is one segment in which runs of two or more ``\s`` have become one space; where
    ``padded``, each of its words is one, with a space before and behind it.
    """
    at = int64(0)
    segment = int64(0)
    documents[0] = 0
    segments[0] = 0
    for document in range(starts.size):
        i, end = starts[document], ends[document]
        spaces = int64(0)
        inside = False
        while i < end:
            code, width = decode(data, i, lower, fold)
            i += width
            if props[code] & SPACE != 0:
                spaces += 1
                if padded and inside:
                    tokens[at] = 0x20
                    at += 1
                    segment += 1
                    segments[segment] = at
                    inside = False
                elif not padded:
                    if spaces == 1:
                        tokens[at] = code
                        at += 1
                    else:
                        tokens[at - 1] = 0x20
                continue
            spaces = 0
            if padded and not inside:
                tokens[at] = 0x20
                at += 1
                inside = True
            tokens[at] = code
            at += 1
        if padded and inside:
            tokens[at] = 0x20
            at += 1
            segment += 1
            segments[segment] = at
        if not padded:
            segment += 1
            segments[segment] = at
        documents[document + 1] = segment
    return segment


@exported("i4* i4* i8 u1* i8* i8*")
@kernel
def spelled_lengths(prefixes, lasts, separator, arena, bounds, offsets):
    """0, after writing where each n-gram ends once it is spelled out; see ``spell``."""
    offsets[0] = 0
    for gram in range(prefixes.size):
        length = bounds[lasts[gram] + 1] - bounds[lasts[gram]]
        if prefixes[gram] >= 0:
            before = prefixes[gram]
            length += offsets[before + 1] - offsets[before] + separator
        offsets[gram + 1] = offsets[gram] + length
    return 0


@exported("i4* i4* i8 u1* i8* i8* u1*")
@kernel
def spell(prefixes, lasts, separator, arena, bounds, offsets, spelled):
    """0, after writing each n-gram: its prefix, ``separator`` spaces (0 or 1), its last token.

    A prefix has a smaller number than what it begins, so that it has been spelled before.
    """
    for gram in range(prefixes.size):
        place = offsets[gram]
        if prefixes[gram] >= 0:
            before = prefixes[gram]
            for k in range(offsets[before], offsets[before + 1]):
                spelled[place] = spelled[k]
                place += 1
            for _ in range(separator):
                spelled[place] = 0x20
                place += 1
        for k in range(bounds[lasts[gram]], bounds[lasts[gram] + 1]):
            spelled[place] = arena[k]
            place += 1
    return 0
