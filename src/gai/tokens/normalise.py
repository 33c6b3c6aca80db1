"""Makes the text of a document alike before it is cut into tokens."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import filterfalse
from typing import Literal, cast

from gai.errors import UsageError

Step = Callable[[str], str]


def normaliser(lowercase: bool, strip_accents: str | None, normalize: str | None) -> Step:
    """A function from the whole text of a document to its normalised text.

    First comes ``unicodedata.normalize`` ("nfc" or "nfkc"), then ``str.lower()``, which sees the
    neighbours of a final sigma, then the accents go ("ascii" or "unicode") as scikit-learn strips
    them. Raises UsageError for any other name.
    """
    steps: list[Step] = []
    if normalize is not None:
        steps.append(normalization(normalize))
    if lowercase:
        steps.append(str.lower)
    if strip_accents is not None:
        steps.append(stripping(strip_accents))

    def normalise(text: str) -> str:
        # The other steps leave ASCII as it is.
        if text.isascii():
            return text.lower() if lowercase else text
        for step in steps:
            text = step(text)
        return text

    return normalise


def normalization(name: str) -> Step:
    """The step that brings a text into the Unicode normal form ``name``."""
    if name not in ("nfc", "nfkc"):
        raise UsageError(f"unknown normal form {name!r}", "choose nfc or nfkc")
    form = cast(Literal["NFC", "NFKC"], name.upper())
    return lambda text: unicodedata.normalize(form, text)


def stripping(name: str) -> Step:
    """The step that strips accents as scikit-learn's ``strip_accents=name`` does."""
    match name:
        case "ascii":
            return strip_to_ascii
        case "unicode":
            return strip_marks
    raise UsageError(f"unknown way to strip accents {name!r}", "choose ascii or unicode")


def strip_to_ascii(text: str) -> str:
    """``text`` in compatibility decomposition, without what is not ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def strip_marks(text: str) -> str:
    """``text`` in compatibility decomposition, without its combining characters.

    A text that is all ASCII stays as it is.
    """
    return "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text)))
