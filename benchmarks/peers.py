"""What others do for the same jobs, each in a process: ``python -m benchmarks.peers NAME TEXT``.

Each is written as its users would write it where they care for speed: lines are read lazily, and
nothing is done that the job does not need.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

TOKEN = re.compile(r"(?u)\b\w\w+\b")
"""scikit-learn's pattern, for all peers."""


def sklearn_bow(source: str, target: str) -> None:
    """scikit-learn CountVectorizer over the lines, and its matrix and terms as an npz."""
    from sklearn.feature_extraction.text import CountVectorizer

    _fit_and_write(CountVectorizer(), source, target)


def sklearn_tfidf(source: str, target: str) -> None:
    """scikit-learn TfidfVectorizer over the lines, and its matrix and terms as an npz."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    _fit_and_write(TfidfVectorizer(), source, target)


def _fit_and_write(vectorizer: Any, source: str, target: str) -> None:
    """The arrays as scipy.sparse.save_npz writes them uncompressed, the terms as lines of UTF-8.

    Rows are left as they come, their columns unsorted.
    """
    import numpy as np

    with open(source, encoding="utf-8", newline="\n") as lines:
        matrix = vectorizer.fit_transform(lines)
    terms = "\n".join(vectorizer.get_feature_names_out()).encode()
    np.savez(
        target,
        format=np.array(b"csr"),
        shape=np.array(matrix.shape),
        indptr=matrix.indptr,
        indices=matrix.indices,
        data=matrix.data,
        terms=np.frombuffer(terms, np.uint8),
    )


def gensim_bow(source: str) -> None:
    """gensim Dictionary.doc2bow over the lines, in one pass, rows kept in memory, none written."""
    from gensim.corpora import Dictionary

    dictionary, find = Dictionary(), TOKEN.findall
    with open(source, encoding="utf-8", newline="\n") as lines:
        rows = [dictionary.doc2bow(find(line.lower()), allow_update=True) for line in lines]
    print(len(rows), len(dictionary))


def counter(source: str) -> None:
    """collections.Counter over the lines, and its terms on standard output, most frequent first."""
    counts: Counter[str] = Counter()
    find = TOKEN.findall
    with open(source, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            counts.update(find(line.lower()))
    for term, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(term, count, sep="\t")


PEERS: dict[str, Callable[..., None]] = {
    "sklearn-bow": sklearn_bow,
    "sklearn-tfidf": sklearn_tfidf,
    "gensim-bow": gensim_bow,
    "counter": counter,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]](*sys.argv[2:])
