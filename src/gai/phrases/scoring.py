"""Scores: how much two words belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gai.phrases.model import Learning, Phrase
from gai.phrases.pairs import Found

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def phrases(found: Found, learning: Learning) -> tuple[Phrase, ...]:
    """The pairs whose score exceeds the threshold, best first, ties by spelling."""
    prefixes, lasts, counts = found.table.frequent(learning.min_count, found.connectors)
    scores = SCORERS[learning.scoring](found, learning, found.first_words(prefixes), lasts, counts)
    kept = scores > learning.least
    chosen = (column[kept].tolist() for column in (prefixes, lasts, scores, counts))
    made = [Phrase(found.spelled(a, b), score, n) for a, b, score, n in zip(*chosen, strict=True)]
    return tuple(sorted(made, key=lambda one: (-one.score, learning.delimiter.join(one.words))))


def default(found: Found, learning: Learning, firsts: Ints, lasts: Ints, counts: Ints) -> Floats:
    """(count(ab) - min_count) / (count(a) count(b)) times the size of the vocabulary.

    The vocabulary is all words but connectors, and all pairs.
    """
    totals = found.table.totals.astype(np.float64)
    above = (counts - learning.min_count).astype(np.float64)
    scores: Floats = above / (totals[firsts] * totals[lasts]) * float(found.vocabulary())
    return scores


def npmi(found: Found, learning: Learning, firsts: Ints, lasts: Ints, counts: Ints) -> Floats:
    """ln(p(ab) / (p(a) p(b))) / -ln p(ab).

    A probability is a count divided by the number of all words, connectors among them.
    """
    shares = found.table.totals / float(found.table.totals.sum())
    together = counts / float(found.table.totals.sum())
    scores: Floats = np.log(together / (shares[firsts] * shares[lasts])) / -np.log(together)
    return scores


SCORERS = {"default": default, "npmi": npmi}
