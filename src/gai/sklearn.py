"""Drop-in CountVectorizer and TfidfVectorizer: scikit-learn's own, with the counting done by gai.

Everything but the counting stays scikit-learn's: parameters, errors, warnings, pruning, the tf-idf
transformer, pickling and cloning.
"""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction import text

from gai import counts
from gai.counts import Pruning
from gai.documents.batch import Batch, from_texts
from gai.matrix import Result
from gai.tokens.analysis import Analysis

try:
    from sklearn.utils import _align_api_if_sparse as as_configured
except ImportError:  # before scikit-learn 1.9 knew sparse arrays beside sparse matrices
    as_configured = sp.csr_matrix

SMALL = 400_000
"""Characters up to which scikit-learn counts by itself: loading the kernels does not pay there."""

PORTION = 4 << 20
"""Characters in a batch, about."""

HOOKS = (
    "build_analyzer",
    "build_preprocessor",
    "build_tokenizer",
    "decode",
    "get_stop_words",
    "_char_ngrams",
    "_char_wb_ngrams",
    "_white_spaces",
    "_word_ngrams",
)
"""What a subclass may have replaced to analyse text in its own way."""

RUNS = re.compile(
    r"(?:\(\?u\))?(?:\\b)?(?P<first>(?:\\w)*)\\w(?:\+|\{(?P<least>[1-9]\d*),\})(?:\\b)?"
)
r"""The patterns that find maximal runs of word characters: ``(?u)\b\w\w+\b``, ``\w+``,
``\b\w{3,}\b``."""


class CountVectorizer(text.CountVectorizer):  # type: ignore[misc]
    r"""scikit-learn's CountVectorizer, many times as fast on much text.

    gai counts where no function of the user's has a say: ``analyzer`` is "word", "char" or
    "char_wb", there is no ``tokenizer``, no ``preprocessor`` and no method replaced in a subclass,
    and ``token_pattern`` asks for runs of word characters, as the default ``(?u)\b\w\w+\b`` does.
    Otherwise, and for a little text, scikit-learn counts as ever. The result is the same.

    >>> vectorizer = CountVectorizer()
    >>> vectorizer.fit_transform(["The cat sat on the mat.", "The dog barked."]).toarray()
    array([[0, 1, 0, 1, 1, 1, 2],
           [1, 0, 1, 0, 0, 0, 1]])
    """

    def _count_vocab(
        self, raw_documents: Iterable[Any], fixed_vocab: bool
    ) -> tuple[dict[str, int], Any]:
        """The vocabulary and the counts (CSR); scikit-learn's fit and transform call this."""
        analysis = _analysis(self)
        if analysis is None:
            return super()._count_vocab(raw_documents, fixed_vocab)  # type: ignore[no-any-return]
        self.build_analyzer()  # for its errors and its warning about stop words
        documents = self._decoded(raw_documents)
        first, exhausted = _start(documents)
        if exhausted:
            return self._count_decoded(first, fixed_vocab)
        vocabulary, matrix = self._count_fast(chain(first, documents), analysis, fixed_vocab)
        if not vocabulary and not fixed_vocab:
            return self._count_decoded([], fixed_vocab)  # for its error
        return vocabulary, as_configured(matrix)

    def _decoded(self, raw_documents: Iterable[Any]) -> Iterator[Any]:
        """The documents as ``decode`` gives them, without the call where it changes nothing."""
        if self.input == "content":
            return (one if type(one) is str else self.decode(one) for one in raw_documents)
        return map(self.decode, raw_documents)

    def _count_decoded(
        self, documents: list[Any], fixed_vocab: bool, vocabulary: dict[str, int] | None = None
    ) -> tuple[dict[str, int], Any]:
        """What scikit-learn counts in documents that have been read and decoded."""
        twin = copy.copy(self)
        twin.input = "content"
        if vocabulary is not None:
            twin.vocabulary_ = vocabulary
        return super(CountVectorizer, twin)._count_vocab(documents, fixed_vocab)  # type: ignore[no-any-return]

    def _count_fast(
        self, documents: Iterator[Any], analysis: Analysis, fixed_vocab: bool
    ) -> tuple[dict[str, int], Any]:
        """What gai counts; the documents that it cannot take are left to scikit-learn."""
        odd: dict[int, Any] = {}
        counted = counts.count(_batches(documents, odd), analysis, jobs=1)
        result = counted.result(Pruning(order="first"))
        if fixed_vocab:
            vocabulary = self.vocabulary_
            columns = np.array([vocabulary.get(term, -1) for term in result.terms], np.int64)
            matrix = _matrix(result, len(vocabulary), self.dtype, columns)
        else:
            vocabulary = {term: column for column, term in enumerate(result.terms)}
            matrix = _matrix(result, len(vocabulary), self.dtype)
        if odd:
            vocabulary = vocabulary if fixed_vocab else _growing(vocabulary)
            _, rows = self._count_decoded(list(odd.values()), True, vocabulary)
            matrix = _insert(rows, list(odd), matrix)
        matrix.sort_indices()
        return vocabulary if fixed_vocab else dict(vocabulary), matrix


class TfidfVectorizer(CountVectorizer, text.TfidfVectorizer):  # type: ignore[misc]
    """scikit-learn's TfidfVectorizer; it counts as :class:`CountVectorizer` here does.

    >>> vectorizer = TfidfVectorizer()
    >>> matrix = vectorizer.fit_transform(["The cat sat on the mat.", "The dog barked."])
    >>> vectorizer.get_feature_names_out().tolist()
    ['barked', 'cat', 'dog', 'mat', 'on', 'sat', 'the']
    """


def _analysis(vectorizer: CountVectorizer) -> Analysis | None:
    """The analysis that gives the vectorizer's features; None where only scikit-learn can."""
    own = vectorizer.preprocessor is not None or vectorizer.tokenizer is not None
    if own or vectorizer.analyzer not in ("word", "char", "char_wb") or _hooked(vectorizer):
        return None
    if (accents := vectorizer.strip_accents or None) not in (None, "ascii", "unicode"):
        return None
    least, most = vectorizer.ngram_range
    shortest = _shortest(vectorizer.token_pattern) if vectorizer.analyzer == "word" else 1
    if shortest is None or not 1 <= least <= most:
        return None
    stop_words = vectorizer.get_stop_words() if vectorizer.analyzer == "word" else None
    return Analysis(
        tokenizer="word",
        min_length=shortest,
        lowercase=bool(vectorizer.lowercase),
        strip_accents=accents,
        analyzer=vectorizer.analyzer,
        ngrams=(int(least), int(most)),
        stop_words=tuple(sorted(filter(_plain, stop_words or ()))),
    )


def _hooked(vectorizer: CountVectorizer) -> bool:
    """Whether a subclass or the instance analyses text in its own way."""
    return any(
        name in vars(vectorizer)
        or getattr(type(vectorizer), name) is not getattr(text.CountVectorizer, name)
        for name in HOOKS
    )


def _shortest(token_pattern: Any) -> int | None:
    """The length of the shortest token, where tokens are maximal runs of word characters."""
    found = RUNS.fullmatch(token_pattern) if isinstance(token_pattern, str) else None
    return found and len(found["first"]) // 2 + int(found["least"] or 1)


def _plain(document: Any) -> bool:
    """Whether this is a string that can be UTF-8 and behaves as strings do."""
    if not isinstance(document, str) or type(document).lower is not str.lower:
        return False
    try:
        document.encode()
    except UnicodeEncodeError:
        return False
    return True


def _start(documents: Iterator[Any]) -> tuple[list[Any], bool]:
    """The documents up to more than SMALL characters, and whether these are all."""
    first, size = [], 0
    for document in documents:
        first.append(document)
        size += len(document) if isinstance(document, str) else 0
        if size > SMALL:
            return first, False
    return first, True


def _batches(documents: Iterator[Any], odd: dict[int, Any]) -> Iterator[Batch]:
    """Portions of the documents; one that is not plain goes to ``odd`` and leaves an empty row."""
    portion: list[Any] = []
    first = size = 0
    for document in documents:
        portion.append(document)
        size += len(document) if isinstance(document, str) else 0
        if size > PORTION:
            yield _batch(portion, first, odd)
            first += len(portion)
            portion, size = [], 0
    if portion:
        yield _batch(portion, first, odd)


def _batch(portion: list[Any], first: int, odd: dict[int, Any]) -> Batch:
    """The documents as a batch, after a look at the types alone: it spares a look at each text."""
    ids = [""] * len(portion)
    if {str, np.str_}.issuperset(map(type, portion)):
        with suppress(UnicodeEncodeError):
            return from_texts(portion, ids)
    odd |= {row: one for row, one in enumerate(portion, first) if not _plain(one)}
    return from_texts([one if _plain(one) else "" for one in portion], ids)


def _matrix(
    result: Result, width: int, dtype: Any, columns: NDArray[np.int64] | None = None
) -> Any:
    """The counts as CSR array; ``columns`` renumbers the terms and leaves those with -1 out."""
    indptr, indices, data = result.csr()
    if columns is not None:
        placed = columns[indices]
        kept = placed >= 0
        indptr = np.concatenate([[0], np.cumsum(kept)])[indptr]
        return _csr(indptr, placed[kept], data[kept], width, dtype)
    return _csr(indptr, indices, data, width, dtype)


def _csr(indptr: Any, indices: Any, data: Any, width: int, dtype: Any) -> Any:
    """A CSR array with the narrowest index type that holds it, as scikit-learn makes it."""
    narrow = np.int32 if indptr[-1] <= np.iinfo(np.int32).max else np.int64
    shape = (len(indptr) - 1, width)
    return sp.csr_array((data, indices.astype(narrow), indptr.astype(narrow)), shape, dtype)


def _growing(vocabulary: dict[str, int]) -> dict[str, int]:
    """A copy in which a new term gets the next number when somebody looks it up."""
    grown: defaultdict[str, int] = defaultdict(None, vocabulary)
    grown.default_factory = grown.__len__
    return grown


def _insert(rows: Any, where: list[int], matrix: Any) -> Any:
    """The matrix with these rows in the place of its empty rows ``where``."""
    sizes = np.zeros(matrix.shape[0], np.int64)
    sizes[where] = np.diff(rows.indptr)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    wide = _csr(matrix.indptr, matrix.indices, matrix.data, rows.shape[1], matrix.dtype)
    return wide + _csr(indptr, rows.indices, rows.data, rows.shape[1], matrix.dtype)
