"""Scores of vectors: how they rank pairs of words as people do, and which analogies they solve.

Words are found as gensim's ``evaluate_word_pairs`` and ``evaluate_word_analogies`` find them: among
the first 300,000, whatever their case, the first of several that differ in case alone. Pairs and
questions with a word that is not there are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import atanh, nan, sqrt, tanh
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gai.output.vectors import Vectors
from gai.vectors import testsets
from gai.vectors.questions import answers
from gai.vectors.testsets import Analogies, Pairs, TestSet

TOP_WORDS = 300_000
"""Words that are looked at, the most frequent ones where a file has these first."""

SYNTACTIC = "gram"
"""How the names of sections about grammar begin."""

QUANTILE = NormalDist().inv_cdf(0.975)
"""1.96: an interval of this many standard errors to both sides covers 95 %."""

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class SimilarityScore:
    """How the similarities of pairs agree with what people said.

    ``spearman`` with the ends of its 95 % interval and its standard error, ``pearson``; NaN where
    too few pairs were found or all are alike. ``found`` of ``total`` pairs have both words, and
    ``missing`` are the words, as the set spells them, that the vectors lack.
    """

    name: str
    spearman: float
    low: float
    high: float
    standard_error: float
    pearson: float
    found: int
    total: int
    missing: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The one number that stands for all."""
        return self.spearman


@dataclass(frozen=True)
class Section:
    """How many questions a section has, how many of them have only known words, and how many of
    these were solved."""

    name: str
    correct: int
    found: int
    total: int

    @property
    def accuracy(self) -> float:
        """The part of those found that was solved; NaN where none was found."""
        return self.correct / self.found if self.found else nan

    @property
    def standard_error(self) -> float:
        """That of the accuracy, sqrt(p (1 - p) / n), as if questions had nothing in common."""
        p = self.accuracy
        return sqrt(p * (1 - p) / self.found) if self.found else nan


@dataclass(frozen=True)
class AnalogyScore:
    """How many analogies were solved, by section; ``missing`` are words that the vectors lack."""

    name: str
    method: str
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = ()

    @cached_property
    def overall(self) -> Section:
        """All sections together."""
        return together("total", self.sections)

    @cached_property
    def parts(self) -> tuple[Section, ...]:
        """The semantic and the syntactic sections (named gram...) together, where both exist."""
        syntactic = [one for one in self.sections if one.name.startswith(SYNTACTIC)]
        semantic = [one for one in self.sections if not one.name.startswith(SYNTACTIC)]
        if not (semantic and syntactic):
            return ()
        return together("semantic", semantic), together("syntactic", syntactic)

    @property
    def found(self) -> int:
        """Questions that have only known words."""
        return self.overall.found

    @property
    def value(self) -> float:
        """The one number that stands for all."""
        return self.overall.accuracy


Score = SimilarityScore | AnalogyScore


@dataclass(frozen=True, eq=False)
class Asking:
    """How vectors are asked; see :func:`evaluate`."""

    method: str = "3cosadd"
    top_words: int = TOP_WORDS
    subwords: bool = False
    limit: int | None = None
    jobs: int = 1


@dataclass(frozen=True, eq=False)
class Known:
    """The words that may be asked for: the first ``top_words`` of the vectors.

    ``places`` gives the first word that is the same but for its case; ``same`` says for every word
    which one that is: int64 (words,).
    """

    places: dict[str, int]
    same: Places

    @classmethod
    def of(cls, vectors: Vectors, top_words: int) -> Known:
        """The first ``top_words`` words of the vectors."""
        upper = [word.upper() for word in vectors.words[:top_words]]
        places = {word: len(upper) - 1 - back for back, word in enumerate(reversed(upper))}
        if len(places) == len(upper):
            return cls(places, np.arange(len(upper)))
        return cls(places, np.array([places[word] for word in upper], np.int64))

    def find(self, words: Iterable[str]) -> Places:
        """The place of each word, -1 where there is none."""
        return np.array([self.places.get(word.upper(), -1) for word in words], np.int64)


def evaluator(
    names: Sequence[str], asking: Asking | None = None
) -> Callable[[Vectors], dict[str, float]]:
    """A function that scores vectors: Spearman or accuracy for each name, as the name was given.

    ``names`` are those of ``testsets.load``, which is called now, once, so that its GaiError comes
    before any work. A score is NaN where the vectors know no pair or question of a set.
    """
    sets = {name: testsets.load(name) for name in names}

    def scores(vectors: Vectors) -> dict[str, float]:
        found = evaluate(vectors, list(sets.values()), asking)
        return dict(zip(sets, (score.value for score in found), strict=True))

    return scores


def evaluate(
    vectors: Vectors, sets: Sequence[TestSet], asking: Asking | None = None
) -> list[Score]:
    """The scores of the vectors on each of the sets."""
    asking = asking or Asking()
    known = Known.of(vectors, asking.top_words)
    return [
        similarity_of(vectors, known, one, asking.subwords)
        if isinstance(one, Pairs)
        else analogies_of(vectors, known, one, asking)
        for one in sets
    ]


def similarity(
    vectors: Vectors, pairs: Pairs, *, top_words: int = TOP_WORDS, subwords: bool = False
) -> SimilarityScore:
    """How the cosines of pairs agree with what people said.

    With ``subwords`` vectors that know parts of words answer for unseen words as well; without,
    these count as missing, as they do where gensim evaluates FastText.
    """
    return similarity_of(vectors, Known.of(vectors, top_words), pairs, subwords)


def analogies(
    vectors: Vectors,
    questions: Analogies,
    method: str = "3cosadd",
    *,
    limit: int | None = None,
    top_words: int = TOP_WORDS,
    jobs: int = 1,
) -> AnalogyScore:
    """How many of the questions (the first ``limit`` of them) are solved: a is to b as c is to?

    The answer is the word nearest to b - a + c that is none of the three, in whatever case
    (``3cosadd``), or that with the largest cos(b) cos(c) / cos(a) (``3cosmul``; Levy and Goldberg
    2014, Linguistic regularities in sparse and explicit word representations).
    """
    asking = Asking(method, top_words, limit=limit, jobs=jobs)
    return analogies_of(vectors, Known.of(vectors, top_words), questions, asking)


def similarity_of(vectors: Vectors, known: Known, pairs: Pairs, subwords: bool) -> SimilarityScore:
    """The score on pairs of which the words are looked for among the known ones."""
    words = list(dict.fromkeys([*pairs.first, *pairs.second]))
    there, rows = rows_of(vectors, known, words, subwords)
    numbers = {word: number for number, word in enumerate(words)}
    first = np.array([numbers[word] for word in pairs.first])
    second = np.array([numbers[word] for word in pairs.second])
    kept = there[first] & there[second]
    cosines = np.einsum("ij,ij->i", rows[first[kept]], rows[second[kept]])
    r = spearman(pairs.scores[kept], cosines)
    found = int(kept.sum())
    return SimilarityScore(
        pairs.name,
        r,
        *interval(r, found),
        standard_error(r, found),
        pearson(pairs.scores[kept], cosines),
        found,
        len(kept),
        tuple(word for word, is_there in zip(words, there, strict=True) if not is_there),
    )


def rows_of(
    vectors: Vectors, known: Known, words: Sequence[str], subwords: bool
) -> tuple[NDArray[np.bool_], Floats]:
    """Which of the words have a vector, and their unit vectors: float64 (words, dim), else 0."""
    places = known.find(words)
    there = places >= 0
    rows = np.zeros((len(words), vectors.dim))
    rows[there] = vectors.take(places[there])
    if subwords:
        unseen = np.flatnonzero(~there)
        asked = [words[number] for number in unseen.tolist()]
        lower = not has_upper(vectors)
        rows[unseen], there[unseen] = vectors.lookup([w.lower() if lower else w for w in asked])
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return there, rows / np.where(norms > 0, norms, 1)[:, None]


def has_upper(vectors: Vectors) -> bool:
    """Whether one of the words has a capital letter, A to Z."""
    arena = vectors.words.arena
    return bool(np.any((arena >= ord("A")) & (arena <= ord("Z"))))


def analogies_of(vectors: Vectors, known: Known, test: Analogies, asking: Asking) -> AnalogyScore:
    """The score on questions of which the words are looked for among the known ones."""
    questions, sections = test.questions[: asking.limit], test.places[: asking.limit]
    words = list(dict.fromkeys(word for question in questions for word in question))
    found = dict(zip(words, known.find(words).tolist(), strict=True))
    places = np.array([[found[word] for word in question] for question in questions], np.int64)
    asked = np.all(places >= 0, axis=1)
    best = answers(vectors, places[asked, :3], known.same, asking.method, asking.jobs)
    correct = np.zeros(len(asked), bool)
    correct[asked] = (best >= 0) & (known.same[best] == places[asked, 3])
    counts = [
        np.bincount(sections[mask], minlength=len(test.sections)).tolist()
        for mask in (correct, asked, slice(None))
    ]
    return AnalogyScore(
        test.name,
        asking.method,
        tuple(Section(*one) for one in zip(test.sections, *counts, strict=True)),
        tuple(word for word in words if found[word] < 0),
    )


def together(name: str, sections: Iterable[Section]) -> Section:
    """The sections added up."""
    parts = list(sections)
    return Section(
        name,
        sum(one.correct for one in parts),
        sum(one.found for one in parts),
        sum(one.total for one in parts),
    )


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation: Pearson's of the ranks; NaN where that is not defined."""
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return nan
    return pearson(ranks(x), ranks(y))


def pearson(x: Floats, y: Floats) -> float:
    """Pearson's correlation; NaN for fewer than two values, and where a side never varies or is
    not finite."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return nan
    dx, dy = x - x.mean(), y - y.mean()
    return float(np.clip(dx @ dy / np.sqrt((dx @ dx) * (dy @ dy)), -1.0, 1.0))


def ranks(values: Floats) -> Floats:
    """The rank of each value from 1; equal ones share the mean of their ranks."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[number], np.float64)


def interval(r: float, n: int) -> tuple[float, float]:
    """The ends of a 95 % confidence interval of Spearman's ``r`` over ``n`` pairs; NaN below four.

    Fisher's z = atanh(r), plus and minus 1.96 sqrt((1 + r**2 / 2) / (n - 3)), and back by tanh: the
    standard error is that of Bonett and Wright 2000, Sample size requirements for estimating
    Pearson, Kendall and Spearman correlations, Psychometrika 65, 23-28.
    """
    if n < 4 or abs(r) == 1:
        return (r, r) if n >= 4 else (nan, nan)
    z, width = atanh(r), QUANTILE * sqrt((1 + r * r / 2) / (n - 3))
    return tanh(z - width), tanh(z + width)


def standard_error(r: float, n: int) -> float:
    """That of Spearman's ``r``: the one of z (see :func:`interval`) times dr/dz = 1 - r**2."""
    return (1 - r * r) * sqrt((1 + r * r / 2) / (n - 3)) if n >= 4 else nan
