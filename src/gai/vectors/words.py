"""Words as places among vectors; of an unknown word, what it may have been meant to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.terms import Terms

CHUNK = 1 << 16
"""Words that are looked through at once."""

NEAR = 3
"""Spellings that are suggested at most, and unknown words that an error names."""

FAR = 100
"""An edit distance that is too large in any case."""

NOTHING = np.uint32(0xFFFFFFFF)
"""What stands behind the end of a word: no letter."""

Places = NDArray[np.int64]
Rows = NDArray[np.float32]
Letters = NDArray[np.uint32]
Distances = NDArray[np.uint8]


def known(vectors: Vectors, words: Sequence[str]) -> Places:
    """The place of each word: int64 (words,).

    Raises GaiError where there is no vector for one, with spellings near it.
    """
    places = vectors.find(words)
    if (missing := np.flatnonzero(places < 0)).size:
        raise unknown(vectors, [words[place] for place in missing.tolist()])
    return places


def query_vectors(vectors: Vectors, words: Sequence[str]) -> Rows:
    """The vector of each word, float32 (words, dim): its own, or for a word that has none what the
    vectors make of its parts, where they know parts of words.

    Raises GaiError where there is neither, with spellings near it.
    """
    rows, there = vectors.lookup(words)
    if not there.all():
        raise unknown(vectors, [words[place] for place in np.flatnonzero(~there).tolist()])
    return rows


def unknown(vectors: Vectors, words: Sequence[str]) -> GaiError:
    """The error for words that have no vector; its hint names what they may have been meant to
    be."""
    asked = list(dict.fromkeys(words))
    named = ", ".join(f"'{word}'" for word in asked[:NEAR])
    more = f" and {len(asked) - NEAR} more" if len(asked) > NEAR else ""
    hints = [(word, hint) for word in asked[:NEAR] if (hint := suggestion(vectors, word))]
    lines = [hint if len(asked) == 1 else f"{word}: {hint}" for word, hint in hints]
    return GaiError(
        f"the vectors have no word{'s' if len(asked) > 1 else ''} {named}{more}", "\n".join(lines)
    )


def suggestion(vectors: Vectors, word: str) -> str:
    """What to ask instead of a word that is not there; empty where nothing is like it."""
    if other := next((other for other in otherwise(word) if vectors.find([other])[0] >= 0), ""):
        return f"did you mean {other}?"
    near = spellings(vectors.words, word)
    return f"near it: {', '.join(near)}" if near else ""


def otherwise(word: str) -> Iterator[str]:
    """The same word in the other case, or with what joins the words of a phrase."""
    yield from dict.fromkeys([word.lower(), word.capitalize(), word.title(), word.upper()])
    for joint in "_- ":
        if (joined := word.translate(dict.fromkeys(map(ord, "_- "), joint))) != word:
            yield joined
            yield joined.lower()


def spellings(terms: Terms, word: str, count: int = NEAR) -> list[str]:
    """The terms whose spelling is nearest to ``word``, in whichever case, nearest first and then
    in their order.

    At most two edits (one for up to three letters): a letter more, less or another, or two letters
    side by side exchanged. The optimal string alignment distance, on a vocabulary of two million
    words in about a quarter of a second.
    """
    wanted = [points(text) for text in dict.fromkeys([word, word.lower()]) if text]
    places, distances = np.empty(0, np.int64), np.empty(0, np.uint8)
    for first in range(0, len(terms) if wanted else 0, CHUNK):
        chunk = terms[first : first + CHUNK]
        letters, bounds = chunk_points(chunk)
        for target in wanted:
            found, far = near(target, letters, bounds)
            places = np.concatenate([places, found + first])
            distances = np.concatenate([distances, far])
    order = np.lexsort((places, distances))
    best = list(dict.fromkeys(places[order].tolist()))[:count]
    return [terms[place] for place in best]


def points(text: str) -> Letters:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def chunk_points(terms: Terms) -> tuple[Letters, Places]:
    """The code points of all terms, and where those of each begin and end: int64 (terms + 1,)."""
    arena = np.asarray(terms.arena)
    if not len(arena) or arena.max() < 0x80:
        return arena.astype(np.uint32), terms.offsets
    letters = points(arena.tobytes().decode("utf-8", "surrogateescape"))
    leads = np.concatenate([[0], np.cumsum((arena & 0xC0) != 0x80)])
    if leads[-1] == len(letters):
        return letters, leads[terms.offsets]
    spelt = list(terms)  # some are no UTF-8
    return points("".join(spelt)), np.cumsum([0, *map(len, spelt)])


def near(target: Letters, letters: Letters, bounds: Places) -> tuple[Places, Distances]:
    """The terms within the distance that suits ``target``, and how far each is.

    The letters that occur in a word, as bits of a number, spare most terms a closer look: an edit
    changes two of them at most.
    """
    most = 1 if len(target) <= 3 else 2
    lengths = np.diff(bounds)
    found = np.flatnonzero((np.abs(lengths - len(target)) <= most) & (lengths > 0))
    if not len(found):
        return found, np.empty(0, np.uint8)
    common = np.bitwise_or.reduceat(bits(letters), bounds[:-1][lengths > 0])
    sets = common[np.cumsum(lengths > 0)[found] - 1]
    wanted = np.bitwise_or.reduce(bits(target))
    found = found[np.bitwise_count(sets ^ wanted) <= 2 * most]
    far = distances(target, spread(letters, bounds, found), lengths[found], most)
    return found[far <= most], far[far <= most]


def bits(letters: Letters) -> NDArray[np.uint64]:
    """A number with one bit set for each letter; some letters share one."""
    return np.left_shift(np.uint64(1), letters.astype(np.uint64) % 64)


def spread(letters: Letters, bounds: Places, terms: Places) -> Letters:
    """The letters of some terms: uint32 (the longest, terms), a term a column, ``NOTHING`` behind
    its end."""
    starts, ends = bounds[terms], bounds[terms + 1]
    places = starts + np.arange(int((ends - starts).max(initial=0)))[:, None]
    return np.where(places < ends, letters[np.minimum(places, len(letters) - 1)], NOTHING)


def distances(target: Letters, terms: Letters, lengths: Places, most: int) -> Distances:
    """The optimal string alignment distance of each term to ``target``: uint8 (terms,); what is
    above ``most`` is only right in that it is.

    The usual table, but each cell holds the distances of all terms, and only the ``most`` cells
    beside the diagonal are filled. ``terms`` as :func:`spread` gives them.
    """
    n, width = len(target), len(terms)
    far = np.full(terms.shape[1], FAR, np.uint8)
    rows = [[far] * (width + 1) for _ in range(3)]
    now = [far * 0 + min(j, FAR) for j in range(width + 1)]
    for i in range(1, n + 1):
        rows = [*rows[1:], now]
        now = [far] * (width + 1)
        if i <= most:
            now[0] = far * 0 + i
        for j in range(max(1, i - most), min(width, i + most) + 1):
            now[j] = cell(target, terms, i, j, rows[-2], rows[-1], now)
    found: Distances = np.stack(now)[lengths, np.arange(len(lengths))]
    return found


def cell(
    target: Letters,
    terms: Letters,
    i: int,
    j: int,
    before: list[Distances],
    last: list[Distances],
    now: list[Distances],
) -> Distances:
    """The distances between the first ``i`` letters of the target and ``j`` of the terms."""
    one = np.uint8(1)
    other = terms[j - 1] != target[i - 1]
    best: Distances = np.minimum(np.minimum(last[j], now[j - 1]) + one, last[j - 1] + other)
    if i > 1 and j > 1:
        exchanged = (terms[j - 1] == target[i - 2]) & (terms[j - 2] == target[i - 1])
        best = np.where(exchanged, np.minimum(best, before[j - 2] + one), best)
    return best
