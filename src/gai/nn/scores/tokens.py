"""Scores of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, nan
from typing import Any

import numpy as np

from gai.nn.scores.shares import plain


@dataclass(frozen=True)
class Language:
    """How well a text was foreseen: -log(probability) in all (``nats``), of so many tokens,
    characters and bytes.

    Bits per character and per byte do not depend on how the text was cut into tokens: they compare
    models of characters, words and pieces.
    """

    nats: float
    tokens: int
    characters: int
    bytes: int

    @property
    def loss(self) -> float:
        """Nats a token; NaN without tokens."""
        return _per(self.nats, self.tokens)

    @property
    def perplexity(self) -> float:
        """exp(loss): among so many equally likely tokens a guess would be as hard."""
        with np.errstate(over="ignore"):
            return float(np.exp(self.loss))

    @property
    def bits_per_character(self) -> float:
        return _per(self.nats / log(2), self.characters)

    @property
    def bits_per_byte(self) -> float:
        return _per(self.nats / log(2), self.bytes)

    def summary(self) -> dict[str, float]:
        """The scores that are one number, by name, always in this order."""
        return {
            "loss": self.loss,
            "perplexity": self.perplexity,
            "bits_per_character": self.bits_per_character,
            "bits_per_byte": self.bits_per_byte,
        }

    def as_dict(self) -> dict[str, Any]:
        """All that is known, for JSON; NaN is None."""
        sizes = {"tokens": self.tokens, "characters": self.characters, "bytes": self.bytes}
        return {**plain(self.summary()), **sizes}


def language(total_nats: float, tokens: int, characters: int, bytes: int) -> Language:
    """The scores of a text that a model found this improbable: -log p of all of its tokens."""
    return Language(float(total_nats), int(tokens), int(characters), int(bytes))


def _per(total: float, count: int) -> float:
    return total / count if count else nan
