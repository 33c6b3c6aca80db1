r"""The plain twins of the word scanners: texts in, their words or where they stand out.

``props`` is one byte for each code point, as ``gai.kernels.classes`` explains them. Positions count
characters. Rule numbers are those of UAX #29 for Unicode 15.0,
https://www.unicode.org/reports/tr29/tr29-41.html#Word_Boundary_Rules; each is one operation on
whole arrays, which takes about 50 bytes of memory a character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.kernels.classes import (
    ALETTER,
    ALETTER_PICTOGRAPH,
    CLASS,
    COMPLEX,
    CR,
    DOUBLE_QUOTE,
    EXTEND,
    EXTENDNUMLET,
    FORMAT,
    HEBREW_LETTER,
    KATAKANA,
    LETTER_OR_DIGIT,
    LF,
    MIDLETTER,
    MIDNUM,
    MIDNUMLET,
    NEWLINE,
    NUMERIC,
    PICTOGRAPH,
    REGIONAL_INDICATOR,
    SINGLE_QUOTE,
    WSEGSPACE,
    ZWJ,
)

Props = NDArray[np.uint8]
Classes = NDArray[np.integer[Any]]
Positions = NDArray[np.intp]
Flags = NDArray[np.bool_]


def table(*classes: int) -> Flags:
    """A table that is True for the ``classes``."""
    return np.isin(np.arange(CLASS + 1), classes)


def pairs(*rules: tuple[Flags, Flags]) -> Flags:
    """A table of two classes, [left, right], that is True where a rule has both."""
    found: Flags = np.any([np.outer(left, right) for left, right in rules], axis=0)
    return found


NEWLINES = table(CR, LF, NEWLINE)
SKIPPED = table(EXTEND, FORMAT, ZWJ)
PICTOGRAPHS = table(PICTOGRAPH, ALETTER_PICTOGRAPH)
LETTERS = table(ALETTER, ALETTER_PICTOGRAPH, HEBREW_LETTER)
NUMBERS = table(NUMERIC)
HEBREW = table(HEBREW_LETTER)
KATAKANAS = table(KATAKANA)
CONNECTORS = table(EXTENDNUMLET)

JOINED = pairs(
    (table(CR), table(LF)),  # WB3
    (LETTERS | NUMBERS, LETTERS | NUMBERS),  # WB5, WB8, WB9, WB10
    (HEBREW, table(SINGLE_QUOTE)),  # WB7a
    (KATAKANAS, KATAKANAS),  # WB13
    (LETTERS | NUMBERS | KATAKANAS | CONNECTORS, CONNECTORS),  # WB13a
    (CONNECTORS, LETTERS | NUMBERS | KATAKANAS),  # WB13b
)
"""Neighbours that stay together."""

TAILORED = JOINED | pairs((table(COMPLEX), table(COMPLEX)))
"""As Lucene has it: without a dictionary of Thai and its kin a run of their letters stays whole."""

BRIDGES = (
    (LETTERS, table(MIDLETTER, MIDNUMLET, SINGLE_QUOTE)),  # WB6, WB7
    (NUMBERS, table(MIDNUM, MIDNUMLET, SINGLE_QUOTE)),  # WB11, WB12
    (HEBREW, table(DOUBLE_QUOTE)),  # WB7b, WB7c
)
"""What stays together with a sign between."""


def boundaries(text: str, props: Props) -> list[int]:
    """The word boundaries of UAX #29, first and last position included; none in an empty text."""
    found: list[int] = edges(looked_up(text, props) & CLASS, JOINED).tolist()
    return found


def looked_up(text: str, props: Props) -> Props:
    """The entry of each character of ``text``; a lone surrogate is a character too."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    found: Props = props[codes]
    return found


def edges(classes: Classes, joined: Flags) -> Positions:
    """Where segments begin, and the length of the text; nothing for an empty text.

    ``joined`` is the table of neighbours that stay together.
    """
    if not len(classes):
        return np.empty(0, np.intp)
    kept = np.flatnonzero(~attached(classes))
    seen = classes[kept]
    left, right, last = seen[:-1], seen[1:], classes[kept[1:] - 1]
    whole = joined[left, right]
    whole |= (last == ZWJ) & PICTOGRAPHS[right]  # WB3c
    whole |= (last == WSEGSPACE) & (right == WSEGSPACE)  # WB3d
    middles = bridges(seen)
    whole[middles - 1] = whole[middles] = True
    whole[second_indicators(seen) - 1] = True
    return np.concatenate(([0], kept[1:][~whole], [len(classes)]))


def attached(classes: Classes) -> Flags:
    """The characters that all other rules skip (WB4): none begins a text or a line."""
    flags: Flags = SKIPPED[classes]
    flags[0] = False
    flags[1:] &= ~NEWLINES[classes[:-1]]
    return flags


def bridges(seen: Classes) -> Positions:
    """The signs that stay together with both their neighbours."""
    found = []
    for side, sign in BRIDGES:
        middle = np.flatnonzero(sign[seen[1:-1]]) + 1
        found.append(middle[side[seen[middle - 1]] & side[seen[middle + 1]]])
    return np.concatenate(found)


def second_indicators(seen: Classes) -> Positions:
    """Every second regional indicator of a row of them: two make a flag (WB15, WB16)."""
    found = np.flatnonzero(seen == REGIONAL_INDICATOR)
    number = np.arange(len(found))
    begins = np.diff(found, prepend=-2) > 1
    row = np.maximum.accumulate(np.where(begins, number, 0))
    second: Positions = found[(number - row) % 2 == 1]
    return second


def unicode_spans(text: str, props: Props) -> list[tuple[int, int]]:
    """Where the words of the ``unicode`` tokenizer start and end.

    These are the segments that hold a letter or a digit; letters of Thai, Lao, Khmer and Myanmar
    that are neighbours stay together.
    """
    starts, ends = spans(text, props)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def spans(text: str, props: Props) -> tuple[Positions, Positions]:
    """The starts and the ends of the words of ``text``."""
    found = looked_up(text, props)
    if not len(found):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    edge = edges(found & CLASS, TAILORED)
    wanted = np.bitwise_or.reduceat(found & LETTER_OR_DIGIT, edge[:-1]) > 0
    return edge[:-1][wanted], edge[1:][wanted]


ASCII_WORD = re.compile(
    r"""(?: (?<!_) _++ )?+ [A-Za-z0-9] \w*+                  # WB5, WB8-10, WB13a, WB13b
        (?: (?: (?<=[A-Za-z]) [:.'] (?=[A-Za-z])             # WB6, WB7
              | (?<=[0-9]) [,;.'] (?=[0-9]) ) \w++ )*+       # WB11, WB12""",
    re.ASCII | re.VERBOSE,
)
"""The words of a text that is all ASCII; underscores alone are none."""


def unicode_words(text: str, props: Props) -> list[str]:
    """The words of the ``unicode`` tokenizer, in order."""
    return unicode_words_of_each([text], props)[0]


def unicode_words_of_each(texts: Sequence[str], props: Props) -> list[list[str]]:
    """The words of each text.

    Many short texts are quicker together than one by one: nothing reaches over the line feeds that
    are put between them here.
    """
    found = [ASCII_WORD.findall(text) if text.isascii() else [] for text in texts]
    others = [number for number, text in enumerate(texts) if not text.isascii()]
    joined = "\n".join([texts[number] for number in others])
    starts, ends = spans(joined, props)
    tokens = [joined[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    limits = np.cumsum([0] + [len(texts[number]) + 1 for number in others])
    firsts = np.searchsorted(starts, limits).tolist()
    for number, (first, after) in zip(others, pairwise(firsts), strict=True):
        found[number] = tokens[first:after]
    return found


def words(text: str, min_length: int, props: Props | None = None) -> list[str]:
    r"""The words of the ``word`` tokenizer: each whole run of ``\w`` of at least ``min_length``.

    ``min_length`` is 1 or more. ``props`` is not looked at, since ``re`` knows what ``\w`` is; it
    is there to call all scanners alike.
    """
    return re.findall(rf"\w{{{min_length},}}", text)
