"""Phrases: words that belong together, learned from counts, and joined in text."""

from gai.phrases.applying import Joiner, join
from gai.phrases.learning import learn
from gai.phrases.model import Learning, Phrase, Phrases
from gai.phrases.storing import load, pieces

__all__ = ["Joiner", "Learning", "Phrase", "Phrases", "join", "learn", "load", "pieces"]
