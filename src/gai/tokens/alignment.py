"""Where the characters of a normalised text come from."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]

DOTTED_I = "\u0130"
"""The one character that ``str.lower`` makes two of."""


class Aligned(NamedTuple):
    """A normalised text; its character i comes from ``text[starts[i]:ends[i]]``."""

    normalised: str
    starts: Positions
    ends: Positions


def aligned(text: str, normalise: Callable[[str], str], plain_lower: bool) -> Aligned:
    """The normalised text and where each of its characters comes from in ``text``.

    ``plain_lower`` says that ``normalise`` is no more than ``str.lower``. What else it does is
    looked at piece by piece, a piece being a character and what may combine with it; all
    characters that a piece becomes come from the whole of it.
    """
    normalised = normalise(text)
    if text.isascii() or (plain_lower and DOTTED_I not in text):
        places = np.arange(len(text) + 1)
        return Aligned(normalised, places[:-1], places[1:])
    pieces = list(text) if plain_lower else combined(text)
    before = np.cumsum([0, *map(len, pieces)])
    counts = [len(normalise(piece)) for piece in pieces]
    if sum(counts) != len(normalised):
        # Pieces that change each other: none is known, but a wrong place would be worse than a
        # coarse one.
        whole = np.ones(len(normalised), np.int64)
        return Aligned(normalised, 0 * whole, len(text) * whole)
    return Aligned(normalised, np.repeat(before[:-1], counts), np.repeat(before[1:], counts))


def combined(text: str) -> list[str]:
    """``text`` in pieces that normal forms treat apart: a character and what combines with it."""
    pieces: list[str] = []
    for character in text:
        if pieces and not character.isascii() and combines(pieces[-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def combines(piece: str, character: str) -> bool:
    """Whether any normal form sees more in a piece and a character than in the two apart."""
    if unicodedata.combining(unicodedata.normalize("NFKD", character)[0]):
        return True
    apart = unicodedata.normalize("NFKC", piece) + unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFKC", piece + character) != apart


def byte_positions(text: str) -> Positions:
    """Where each character of ``text`` begins in its UTF-8, and where the last one ends."""
    if text.isascii():
        return np.arange(len(text) + 1)
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
    widths = 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
    return np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
