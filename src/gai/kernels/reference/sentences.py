"""The plain twin of sentence boundaries: the rules of UAX #29 as they stand, without a tailoring.

``classes`` holds one letter for each code point, its Sentence_Break property as ``CLASSES`` spells
it. Positions count characters. Rule numbers are those of UAX #29 for Unicode 15.0,
https://www.unicode.org/reports/tr29/tr29-41.html#Sentence_Boundary_Rules.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

CLASSES = {
    "Other": b".",
    "CR": b"r",
    "LF": b"n",
    "Sep": b"p",
    "Extend": b"e",
    "Format": b"f",
    "Sp": b"_",
    "Lower": b"l",
    "Upper": b"U",
    "OLetter": b"o",
    "Numeric": b"9",
    "ATerm": b"A",
    "STerm": b"S",
    "Close": b"c",
    "SContinue": b",",
}
"""The letter of each class of SentenceBreakProperty.txt."""

Classes = NDArray[np.uint8]

LINE = rb"(?: rn | [rnp] )"  # SB3: CR and LF stay together

BOUNDARY = re.compile(
    rb"""
      LINE                                           # SB4
    | S c*+ _*+ LINE?+ (?! [,AS] )                   # SB8a, SB9 to SB11
    | (?: (?P<cased> [Ul] ) | (?<! [Ul] ) ) A
      (?! 9 ) (?(cased) (?! U ) )                    # SB6, SB7
      c*+ _*+
      (?: LINE
        | (?! [,AS] ) (?! [^oUlrnpAS]*+ l ) )        # SB8, SB8a
    """.replace(b"LINE", LINE),
    re.VERBOSE,
)
"""Ends where a sentence ends, in a text of classes without those that SB5 skips."""


def boundaries(text: str, classes: Classes) -> list[int]:
    """The sentence boundaries, first and last position included; none in an empty text."""
    if not text:
        return []
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    seen = classes[codes]
    kept = np.flatnonzero(~attached(seen))
    ends = [match.end() for match in BOUNDARY.finditer(seen[kept].tobytes())]
    places = np.append(kept, len(text))[ends]
    return sorted({0, len(text), *places.tolist()})


def attached(seen: Classes) -> NDArray[np.bool_]:
    """The characters that all other rules skip (SB5): none begins a text or a line."""
    flags = np.isin(seen, np.frombuffer(b"ef", np.uint8))
    flags[0] = False
    flags[1:] &= ~np.isin(seen[:-1], np.frombuffer(b"rnp", np.uint8))
    return flags
