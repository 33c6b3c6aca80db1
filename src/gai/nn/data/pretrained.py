"""Pre-trained word vectors as the first values of an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.nn.data.arrays import PAD, UNKNOWN


class Embedding(NamedTuple):
    """The vector of each term, float32 [V, dim], and how many were found, in words."""

    values: NDArray[np.float32]
    note: str


def matrix(path: str, terms: Sequence[str], *, seed: int) -> Embedding:
    """Vectors for all terms; those that the file lacks are random with the variance of the others
    (Kim 2014), padding is 0.

    Raises GaiError where no term has a vector.
    """
    from gai.output import vectors

    loaded = vectors.load(path)
    words = list(terms[UNKNOWN + 1 :])
    found, known = loaded.lookup(words)
    if not known.any():
        hint = "are they of the same language, and is --keep-case as it was for them?"
        raise GaiError(f"{path} has a vector for none of the {len(words):,} terms", hint)
    spread = float(found[known].std())
    rng = np.random.default_rng((seed, 2))
    values = rng.normal(0.0, spread, (len(terms), loaded.dim)).astype(np.float32)
    values[UNKNOWN + 1 :][known] = found[known]
    values[PAD] = 0.0
    return Embedding(values, f"{int(known.sum()):,} of {len(words):,} terms have vectors in {path}")
