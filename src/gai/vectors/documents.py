"""Document vectors: what the words of a document have in common, as one vector.

Count ``c`` says how often a word stands in the document, ``v`` is its vector; only words with a
vector count. With sums over the words of the document its vector is

========= ==========================================================================
average   sum c v / sum c
tfidf     sum c idf v / sum c idf, idf = ln((1 + N) / (1 + df)) + 1 (gai.weights: smooth)
sif       sum c a / (a + p) v / sum c, without its share of what all documents share
========= ==========================================================================

N is the number of documents, df how many of them hold the word, p how probable the word is: its
share of all words that the vectors were trained on where the vectors know that, else its share of
all words of the documents. What all documents share is the first right singular vector ``u`` of the
matrix of all of them, not centred: ``d`` becomes ``d - (d u) u``. Source: Arora, Liang and Ma, "A
simple but tough-to-beat baseline for sentence embeddings", 2017.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.counts import Counts, Pruning
from gai.errors import GaiError, UsageError
from gai.matrix import Result, RowBlock
from gai.output.dense import Blocks, Dense, StoredDense
from gai.output.vectors import Vectors
from gai.signature import as_dict, signature
from gai.terms import Terms
from gai.threads import in_order
from gai.vectors.blocks import bounds, evenly
from gai.vectors.directions import gram, strongest, without
from gai.vectors.neighbours import one_blas_thread
from gai.weights import Statistics, Weighting, idf

WEIGHTS = ("average", "tfidf", "sif")
SMOOTH = Weighting("raw", "smooth", "none")
"""Under plain idf a word of all documents has no weight, and one document alone would be zero."""

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Scheme:
    """How words make the vector of a document.

    ``weights`` is one of ``WEIGHTS`` and ``a`` belongs to sif. ``remove`` is the number of shared
    directions that are taken away; None means one for sif, else none. ``subwords`` gives words
    without a row a vector made of their parts; None means where the vectors can. Raises UsageError
    for what is none of these.
    """

    weights: str = "average"
    a: float = 1e-3
    remove: int | None = None
    subwords: bool | None = None

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            raise UsageError(f"unknown weights {self.weights!r}", f"one of {', '.join(WEIGHTS)}")
        if not 0 < self.a < np.inf:
            raise UsageError(f"a is {self.a}, but must be a number above 0")
        if self.remove is not None and self.remove < 0:
            raise UsageError(f"remove is {self.remove}, but must be 0 or more")

    @property
    def removed(self) -> int:
        """How many directions are taken away."""
        return int(self.weights == "sif") if self.remove is None else self.remove

    def parts(self, vectors: Vectors) -> bool:
        """Whether words without a row get a vector made of their parts.

        Raises UsageError where that was asked for and the vectors cannot do it.
        """
        if self.subwords and not vectors.knows_parts:
            hint = "those of fastText do, in its own .bin format or as gai keeps them"
            raise UsageError("these vectors know no parts of words", hint)
        return self.subwords is not False and vectors.knows_parts

    def shares(self, words: Floats) -> Floats:
        """The weights ``a / (a + p)`` of words with the probabilities ``p``."""
        weights: Floats = self.a / (self.a + words)
        return weights

    def describe(self, vectors: Vectors) -> dict[str, Any]:
        """Everything that changes a number with these vectors, ready for JSON."""
        made = {"weights": self.weights, "remove": self.removed, "subwords": self.parts(vectors)}
        if self.weights == "tfidf":
            made["idf"] = SMOOTH.idf
        if self.weights == "sif":
            made |= {"a": self.a, "p": "documents" if vectors.counts is None else "vectors"}
        return made


@dataclass(frozen=True, eq=False)
class Known:
    """The words of documents that have a vector, sorted.

    ``numbers`` are their places among all terms of the documents, ``places`` those in ``vectors``
    (-1 for a word whose vector is made of its parts), ``table`` their vectors.
    """

    vectors: Vectors
    terms: Terms
    numbers: Places
    places: Places
    table: Rows

    def shares(self) -> Floats:
        """The share that each word has of all words that the vectors were trained on."""
        counts = self.vectors.counts
        if counts is None:
            raise GaiError(
                "these vectors do not know how often their words occurred, but the vectors of the "
                "documents were made from that",
                "use the same file, or make the vectors of the documents again",
            )
        return np.where(self.places >= 0, counts[self.places], 0) / max(float(counts.sum()), 1.0)


def known(terms: Terms, vectors: Vectors, parts: bool = False) -> Known:
    """Those of ``terms`` that have a vector; ``parts`` asks for vectors made of the parts of a word
    as well."""
    places = vectors.find(terms)
    numbers = np.flatnonzero(places >= 0)
    table = vectors.take(places[numbers])
    if parts:
        more, new = made_of_parts(terms, np.flatnonzero(places < 0), vectors)
        numbers, table = np.concatenate([numbers, more]), np.concatenate([table, new])
        order = np.argsort(numbers)
        numbers, table = numbers[order], table[order]
    return Known(vectors, terms.take(numbers), numbers, places[numbers], table)


def made_of_parts(terms: Terms, numbers: Places, vectors: Vectors) -> tuple[Places, Rows]:
    """Those of the ``numbers`` whose terms have a vector after all, and these vectors."""
    rows, there = vectors.lookup(list(terms.take(numbers)))
    return numbers[there], rows[there]


@dataclass(frozen=True, eq=False)
class Learned:
    """What a scheme has learned from documents, so that others get their vectors the same way.

    ``terms`` (sorted) have the weights ``weights``, any other word has ``rest``; where ``terms`` is
    None, weights need nothing but the vectors. ``shared`` (any number, dim) are the directions that
    are taken away: orthonormal, float64.
    """

    scheme: Scheme
    terms: Terms | None
    weights: Floats
    rest: float
    shared: Floats

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The same as arrays, for a file."""
        made: dict[str, NDArray[Any]] = {"shared": self.shared, "rest": np.array(self.rest)}
        if self.terms is not None:
            made |= {"terms_arena": self.terms.arena, "terms_offsets": self.terms.offsets}
            made["term_weights"] = self.weights
        return made

    @classmethod
    def of(cls, stored: StoredDense) -> Learned:
        """What stands in a file of document vectors; raises GaiError where it is damaged."""
        try:
            found, said = stored.extra, stored.signature["weighting"]
            scheme = Scheme(**{name: said[name] for name in as_dict(Scheme()) if name in said})
            rest, shared = float(found["rest"]), np.asarray(found["shared"], np.float64)
        except (KeyError, TypeError) as error:
            raise GaiError(
                f"{stored.path} does not say how it was made", "make it again"
            ) from error
        if "term_weights" not in found:
            return cls(scheme, None, np.zeros(0), rest, shared)
        terms = Terms(found["terms_arena"], found["terms_offsets"])
        return cls(scheme, terms, found["term_weights"], rest, shared)

    def weights_of(self, words: Known) -> Floats:
        """The weight of each of the words: float64 (words,)."""
        if self.scheme.weights == "average":
            return np.ones(len(words.terms))
        if self.terms is None:
            return self.scheme.shares(words.shares())
        return np.array([self._weight(word, self.terms) for word in words.terms])

    def _weight(self, word: str, terms: Terms) -> float:
        place = bisect_left(terms, word)
        found = place < len(terms) and terms[place] == word
        return float(self.weights[place]) if found else self.rest


@dataclass(frozen=True, eq=False)
class DocumentVectors:
    """The vectors of documents, computed when they are asked for.

    ``words`` have vectors; ``weights`` says what each weighs, and ``counts`` has a column for each.
    """

    learned: Learned
    words: Known
    weights: Floats
    counts: Result
    signature: dict[str, Any]

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self.words.vectors.dim

    @property
    def empty(self) -> int:
        """How many documents hold no word that has a vector; theirs is zero."""
        return int(np.count_nonzero(np.diff(self.counts.indptr) == 0))

    def blocks(self, jobs: int = 1) -> Blocks:
        """All vectors in order: the number of the first document, and float32 (documents, dim).

        Blocks, and so the last bits of sums, do not depend on ``jobs`` nor on how the documents
        were cut into batches.
        """
        return in_order(lambda one: (one.first, self.averages(one)), self._even(jobs), jobs)

    def array(self, jobs: int = 1) -> Rows:
        """All vectors: float32 (documents, dim)."""
        rows = [rows for _, rows in self.blocks(jobs)]
        return np.concatenate([np.zeros((0, self.dim), np.float32), *rows])

    def gram(self, jobs: int = 1) -> Floats:
        """The sum of all ``x x'`` over the vectors ``x`` of the documents: float64 (dim, dim)."""
        total = np.zeros((self.dim, self.dim))
        with one_blas_thread():
            for part in in_order(lambda one: gram(self.averages(one)), self._even(jobs), jobs):
                total += part
        return total

    def dense(self, jobs: int = 1) -> Dense:
        """The same for a writer, with what it takes to make the vector of a query."""
        arrays = self.learned.arrays()
        documents = self.counts.documents
        return Dense(documents, self.dim, lambda: self.blocks(jobs), self.signature, arrays)

    def averages(self, block: RowBlock) -> Rows:
        """The vectors of a block of documents: float32 (documents, dim)."""
        from scipy.sparse import csr_matrix

        lengths, counts = np.diff(block.indptr), block.data.astype(np.float64)
        cells = counts * self.weights[block.indices]
        divided = counts if self.learned.scheme.weights == "sif" else cells
        sums = np.bincount(np.repeat(np.arange(len(lengths)), lengths), divided, len(lengths))
        cells /= np.repeat(sums, lengths)
        parts = cells.astype(np.float32), block.indices, block.indptr
        rows: Rows = csr_matrix(parts, (len(lengths), len(self.weights))) @ self.words.table
        return without(rows, self.learned.shared)

    def _even(self, jobs: int) -> Any:
        return evenly(self.counts.rows(jobs), list(bounds(self.counts.indptr)))


def composed(
    counts: Counts, vectors: Vectors, scheme: Scheme | None = None, jobs: int = 1
) -> DocumentVectors:
    """The vectors of documents; how words weigh is learned from these documents.

    ``jobs`` threads compute what has to be known of all documents before. Raises GaiError where no
    document holds a word that has a vector, and where there are no more such documents than
    directions to take away.
    """
    scheme = scheme or Scheme()
    words = known(counts.terms, vectors, scheme.parts(vectors))
    if not len(words.terms):
        hint = "are case and language those of the text that the vectors were trained on?"
        raise GaiError("no word of the documents has a vector", hint)
    learned = learned_from(counts, words, scheme)
    weights = learned.weights_of(words) if learned.terms is None else learned.weights
    made = finished(counts, words, learned, weights)
    if not scheme.removed:
        return made
    check_rank(len(counts.documents) - made.empty, vectors.dim, scheme.removed)
    shared, _ = strongest(made.gram(jobs), scheme.removed)
    return replace(made, learned=replace(learned, shared=shared))


def applied(counts: Counts, vectors: Vectors, learned: Learned) -> DocumentVectors:
    """The vectors of documents made just as those were from which ``learned`` comes."""
    words = known(counts.terms, vectors, learned.scheme.parts(vectors))
    return finished(counts, words, learned, learned.weights_of(words))


def learned_from(counts: Counts, words: Known, scheme: Scheme) -> Learned:
    """How words weigh; what all documents share is not known yet."""
    nothing = np.zeros((0, words.vectors.dim))
    if scheme.weights == "tfidf":
        # The number behind the last is that of a word that no document holds.
        df = np.append(counts.df[words.numbers], 0)
        weights = idf(SMOOTH, Statistics(len(counts.documents), df, 0.0))
        return Learned(scheme, words.terms, weights[:-1], float(weights[-1]), nothing)
    if scheme.weights == "sif" and words.vectors.counts is None:
        shares = counts.tf[words.numbers] / float(counts.tf.sum())
        return Learned(scheme, words.terms, scheme.shares(shares), 1.0, nothing)
    return Learned(scheme, None, np.zeros(0), 1.0, nothing)


def check_rank(documents: int, dim: int, removed: int) -> None:
    """Raises GaiError where nothing would be left of the documents."""
    if removed >= dim:
        raise GaiError(f"the vectors have {dim} dimensions: {removed} cannot be taken away")
    if documents <= removed:
        said = f"{removed} shared direction{'s' * (removed > 1)} taken away from {documents}"
        hint = "take more documents (--per line or paragraph cuts files), or --weights average"
        raise GaiError(f"{said} document{'s' * (documents > 1)} would leave nothing", hint)


def finished(counts: Counts, words: Known, learned: Learned, weights: Floats) -> DocumentVectors:
    """The vectors of documents with all that is known now."""
    said = signature(
        "documents",
        as_dict(counts.analysis),
        documents=len(counts.documents),
        terms=len(words.terms),
        weighting=learned.scheme.describe(words.vectors),
        reading=counts.origin.reading,
        input_digest=counts.origin.digest,
    )
    said |= {"vectors": of_vectors(words.vectors)}
    result = counts.result(Pruning(vocabulary=words.terms))
    return DocumentVectors(learned, words, weights, result, said)


def of_vectors(vectors: Vectors) -> dict[str, Any]:
    """What a signature says of the vectors behind it."""
    size = {"words": len(vectors), "dim": vectors.dim}
    return {"fingerprint": vectors.fingerprint(), **size, "signature": vectors.signature}
