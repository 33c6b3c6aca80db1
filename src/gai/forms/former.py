"""Former: a stemmer or a lemmatizer as a pure function of one word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Former:
    """What makes a form of a word, looking at nothing but the word.

    Attributes
    ----------
    name
        The algorithm or engine: ``snowball``, ``simplemma``.
    lang
        The language code, several joined by commas, "" where the algorithm has none.
    package
        The library behind it and its version (``PyStemmer 3.1.0``), for signatures.
    cased
        Whether it wants words in their original case; the caller lower-cases what comes back.
    forms
        The form of each word, in the same order. Called once for each distinct word.
    """

    name: str
    lang: str
    package: str
    cased: bool
    forms: Callable[[Sequence[str]], list[str]]
