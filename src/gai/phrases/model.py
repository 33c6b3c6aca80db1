"""Phrases: which words belong together, and how that was found out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gai.errors import UsageError

THRESHOLDS = {"default": 10.0, "npmi": 0.5}
"""The score above which two words are a phrase, where nobody says otherwise. 10 is gensim's; it
has none for npmi."""


@dataclass(frozen=True)
class Learning:
    """How phrases are learned; the names are gensim's.

    Attributes
    ----------
    scoring
        ``default``: (count(ab) - min_count) / (count(a) count(b)) times the number of different
        words and pairs (Mikolov and others 2013); ``npmi``: normalised pointwise mutual
        information, ln(p(ab) / (p(a) p(b))) / -ln p(ab), from -1 to 1 (Bouma 2009).
    min_count
        With ``default`` a pair must occur more often than this, with ``npmi`` as often.
    threshold
        The score that a phrase must exceed; ``THRESHOLDS`` without it.
    connectors
        Words that may stand inside a phrase, never at its ends, and do not change its score;
        normalised as the text is. ``connectors_name`` is how the user called them.
    delimiter
        What stands between the words of a phrase where it is spelled.
    passes
        Each further pass joins what the passes before it found, and looks for phrases of phrases.
    """

    scoring: str = "default"
    min_count: int = 5
    threshold: float | None = None
    connectors: tuple[str, ...] = ()
    connectors_name: str = ""
    delimiter: str = "_"
    passes: int = 1

    def __post_init__(self) -> None:
        if self.scoring not in THRESHOLDS:
            raise UsageError(f"unknown scoring {self.scoring}", f"one of {', '.join(THRESHOLDS)}")
        if self.threshold is None:
            object.__setattr__(self, "threshold", THRESHOLDS[self.scoring])
        if self.min_count < 1 or self.passes < 1:
            raise UsageError("min_count and passes are 1 or more")
        if self.scoring == "npmi" and not -1 <= self.least <= 1:
            raise UsageError(f"threshold {self.least:g}: scores of npmi lie between -1 and 1")
        if self.scoring == "default" and not 0 < self.least < float("inf"):
            raise UsageError(f"threshold {self.least:g}: scores above 0 are looked for")
        if not self.delimiter.isprintable() or not self.delimiter:
            raise UsageError("the delimiter must be a printable character, or several")

    @property
    def least(self) -> float:
        """The score that a phrase must exceed."""
        assert self.threshold is not None
        return self.threshold


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that belong together: two, and connectors between them; how much, and how often."""

    words: tuple[str, ...]
    score: float
    count: int


@dataclass(frozen=True, eq=False)
class Phrases:
    """The phrases of each pass, best first, ties by spelling.

    In a later pass a word may be a phrase of an earlier one, spelled with the delimiter.
    ``signature`` says what they were learned from.
    """

    learning: Learning
    passes: tuple[tuple[Phrase, ...], ...]
    signature: dict[str, Any] = field(default_factory=dict)

    def spelled(self, phrase: Phrase) -> str:
        """The phrase as one word."""
        return self.learning.delimiter.join(phrase.words)

    def ranked(self) -> list[tuple[str, Phrase]]:
        """All phrases and their spelling, best first, ties by spelling; each spelling once.

        One that was found in several passes has the score and the count of the first.
        """
        found: dict[str, Phrase] = {}
        for phrase in self:
            found.setdefault(self.spelled(phrase), phrase)
        return sorted(found.items(), key=lambda item: (-item[1].score, item[0]))

    @cached_property
    def spellings(self) -> tuple[dict[tuple[str, ...], str], ...]:
        """For each pass the spelling of each phrase, by its words."""
        return tuple({found.words: self.spelled(found) for found in one} for one in self.passes)

    def __iter__(self) -> Iterator[Phrase]:
        for one in self.passes:
            yield from one

    def __len__(self) -> int:
        return sum(map(len, self.passes))
