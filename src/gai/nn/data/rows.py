"""Texts as rows of counts or TF-IDF weights, with gai's own counting and weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gai.counts import Counts, Pruning, count
from gai.documents import from_texts
from gai.nn.config import Config
from gai.nn.data.arrays import Sparse
from gai.nn.data.text import SPECIAL, Vocabulary
from gai.tokens.analysis import Analysis
from gai.weights import Statistics, Weighting, weighted

TFIDF = Weighting("log", "smooth", "l2")
"""1 + ln(count), idf as scikit-learn smooths it, rows of length 1."""


def columns_of(texts: Sequence[str], config: Config) -> Vocabulary:
    """The terms that become columns, with the number of documents that each is in."""
    least = config.min_count
    bounds = Pruning(min_df=least, max_df=max(least, len(texts)), max_features=config.max_vocab)
    made = _counts(texts, config).result(bounds)
    df = np.asarray(made.extra["df"], np.int64)
    return Vocabulary([*SPECIAL, *made.terms], np.concatenate([np.zeros(2, np.int64), df]))


def weighted_rows(
    texts: Sequence[str], vocabulary: Vocabulary, documents: int, config: Config
) -> Sparse:
    """One row a text: TF-IDF weights, or with ``--input bow`` ln(1 + count).

    ``documents`` is the number of training texts. Columns are numbered as the vocabulary is, so
    that the first two are empty.
    """
    counts = _counts(texts, config).result(Pruning(vocabulary=vocabulary.terms[2:]))
    if config.input == "bow":
        indptr, indices, data = counts.csr()
        values = np.log1p(data)
    else:
        known = Statistics(documents, vocabulary.counts[2:], 1.0)
        indptr, indices, values = weighted(counts, TFIDF, known).csr()
    return Sparse(indptr, indices + np.int32(2), values.astype(np.float32), len(vocabulary))


def _counts(texts: Sequence[str], config: Config) -> Counts:
    names = [""] * len(texts)
    return count([from_texts(list(texts), names)], Analysis(**config.analysis()))
