"""How similar words are: two of them, or each of several to all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gai.output.vectors import Vectors
from gai.vectors.neighbours import cosine, unit
from gai.vectors.words import query_vectors

Scores = NDArray[np.float32]


def similarities(vectors: Vectors, pairs: Sequence[tuple[str, str]]) -> Scores:
    """The cosine of the vectors of each pair of words: float32 (pairs,).

    Raises GaiError for an unknown word.
    """
    first = query_vectors(vectors, [one for one, _ in pairs])
    second = query_vectors(vectors, [other for _, other in pairs])
    return cosine(unit(first), second).astype(np.float32)


def centralities(vectors: Vectors, words: Sequence[str]) -> Scores:
    """The cosine of each word with the mean of all of them: float32 (words,).

    Each counts alike, whatever the length of its vector; the least is the odd one out. As gensim's
    ``rank_by_centrality``. Raises GaiError for an unknown word.
    """
    rows = query_vectors(vectors, words)
    mean = unit(rows).mean(axis=0, keepdims=True)
    return cosine(unit(mean).repeat(len(rows), axis=0), rows).astype(np.float32)
