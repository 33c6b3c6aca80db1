"""The objective of word2vec and FastText on a fixed sample: a loss that compares across epochs.

gensim's own counter is a float32 sum that its threads overwrite, and FastText has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.vectors.corpus import Corpus

PAIRS = 10_000
"""Pairs in the sample."""

SMOOTHING = 0.75
"""The power of a word's frequency by which it is drawn as a negative example (Mikolov 2013)."""

ATTEMPTS = 16
"""How often pairs are drawn where few are found."""

FAR, FARTHEST = 10, 250
"""Windows to each side in which those words are looked for that thinning out leaves, and words."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """What is predicted from what: (bag of input rows, output word) pairs, always the same.

    Pair p has input words ``inputs[bounds[p]:bounds[p + 1]]`` and output word ``outputs[p]``:
    places in the vocabulary.
    """

    inputs: Ints
    bounds: Ints
    outputs: Ints

    def __len__(self) -> int:
        return len(self.outputs)


def sample(
    corpus: Corpus, window: int, *, cbow: bool, keep: Floats, seed: int, pairs: int = PAIRS
) -> Sample:
    """Pairs drawn much as training draws them: a word, a window of 1 to ``window`` words to each
    side, and one word of the window (skip-gram) or all of them (``cbow``).

    ``keep`` is the probability with which each word is kept when frequent words are thinned out,
    before windows are laid. Fewer pairs where the corpus hardly has any.
    """
    rng = np.random.default_rng([seed, 0x9A125])
    found = [_drawn(corpus, window, cbow, keep, pairs, rng)]
    while sum(map(len, found)) < pairs and len(found) < ATTEMPTS:
        found.append(_drawn(corpus, window, cbow, keep, pairs, rng))
    return joined(found, pairs)


def _drawn(
    corpus: Corpus,
    window: int,
    cbow: bool,
    keep: Floats,
    pairs: int,
    rng: np.random.Generator,
) -> Sample:
    """Some of ``pairs`` pairs; those whose word is thinned out, or alone, are left out."""
    places = np.sort(rng.integers(0, corpus.tokens, pairs))  # a file is read forwards
    reach = rng.integers(1, window + 1, pairs)
    kept = rng.random(pairs) < keep[corpus.ids[places]]
    places, reach = places[kept], reach[kept]
    around, there = _surroundings(corpus, places, window)
    there &= rng.random(there.shape) < keep[around]
    far = there.shape[1] // 2
    there[:, far:] &= np.cumsum(there[:, far:], axis=1) <= reach[:, None]
    there[:, :far] &= np.cumsum(there[:, far - 1 :: -1], axis=1)[:, ::-1] <= reach[:, None]
    if not cbow:
        chosen = np.where(there, rng.random(there.shape), -1.0).argmax(axis=1)
        there &= np.arange(there.shape[1]) == chosen[:, None]
    some = there.any(axis=1)
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(there[some].sum(axis=1))])
    return Sample(around[there], bounds, corpus.ids[places[some]].astype(np.int64))


def _surroundings(corpus: Corpus, places: Ints, window: int) -> tuple[Ints, NDArray[np.bool_]]:
    """The words on both sides of each place, and which of them stand in its sentence: so many that
    thinning out leaves a window."""
    far = max(window, min(FAR * window, FARTHEST))
    beside = np.concatenate([np.arange(-far, 0), np.arange(1, far + 1)])
    sentence = corpus.bounds.searchsorted(places, "right")
    first, last = (corpus.bounds[sentence - before][:, None] for before in (1, 0))
    near = places[:, None] + beside
    there = (near >= first) & (near < last)
    return corpus.ids[np.clip(near, 0, corpus.tokens - 1)].astype(np.int64), there


def joined(samples: Sequence[Sample], pairs: int) -> Sample:
    """The first ``pairs`` pairs of several samples."""
    sizes = [np.diff(one.bounds) for one in samples]
    bounds = np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes]))[: pairs + 1]
    inputs = np.concatenate([one.inputs for one in samples])[: bounds[-1]]
    return Sample(inputs, bounds, np.concatenate([one.outputs for one in samples])[:pairs])


@dataclass(frozen=True, eq=False)
class Bags:
    """The input rows of each pair: words ``words[word_bounds[p]:word_bounds[p + 1]]``, and as many
    rows of parts of words."""

    words: Ints
    word_bounds: Ints
    parts: Ints
    part_bounds: Ints

    def __len__(self) -> int:
        return len(self.word_bounds) - 1

    def part(self, first: int, last: int) -> Bags:
        """The bags of some pairs."""
        words, parts = self.word_bounds[first : last + 1], self.part_bounds[first : last + 1]
        return Bags(
            self.words[words[0] : words[-1]],
            words - words[0],
            self.parts[parts[0] : parts[-1]],
            parts - parts[0],
        )

    def means(
        self, words: NDArray[Any], parts: NDArray[Any] | None, *, of_parts: bool = False
    ) -> Floats:
        """The mean of the rows of each bag: (pairs, dim). No bag is without a word.

        ``of_parts`` divides by the number of parts alone, where there are any: gensim trains
        FastText's skip-gram so, though it takes means over word and parts in the end.
        """
        total = np.add.reduceat(words[self.words].astype(np.float64), self.word_bounds[:-1])
        sizes = np.diff(self.word_bounds)
        if parts is not None:
            have = np.flatnonzero(np.diff(self.part_bounds))
            rows = parts[self.parts].astype(np.float64)
            if len(have):
                total[have] += np.add.reduceat(rows, self.part_bounds[have])
            more = np.diff(self.part_bounds)
            sizes = np.where(more > 0, more, sizes) if of_parts else sizes + more
        return np.asarray(total / sizes[:, None])


def distinct(pairs: Sample) -> tuple[Sample, Ints]:
    """The pairs with their bags once each, where all are single words, and which each pair has."""
    if len(pairs.inputs) > len(pairs):
        return pairs, np.arange(len(pairs))
    words, which = np.unique(pairs.inputs, return_inverse=True)
    return Sample(words, np.arange(len(words) + 1), pairs.outputs[:0]), which


def bags(pairs: Sample, parts: Sequence[Any] | None) -> Bags:
    """The bags of a sample; ``parts`` are the rows of the parts of each word, in FastText."""
    if parts is None:
        none = np.zeros(0, np.int64), np.zeros(len(pairs.bounds), np.int64)
        return Bags(pairs.inputs, pairs.bounds, *none)
    mine = [np.asarray(parts[word], np.int64) for word in pairs.inputs.tolist()]
    ends = np.cumsum([0, *map(len, mine)], dtype=np.int64)
    joined = np.concatenate([np.zeros(0, np.int64), *mine])
    return Bags(pairs.inputs, pairs.bounds, joined, ends[pairs.bounds])


def negatives(counts: NDArray[np.int64], pairs: int, each: int, seed: int) -> Ints:
    """Words drawn by frequency to the power of 0.75, ``each`` for every pair: (pairs, each)."""
    rng = np.random.default_rng([seed, 0x4E6])
    heights = np.cumsum(counts.astype(np.float64) ** SMOOTHING)
    drawn = heights.searchsorted(rng.random((pairs, each)) * heights[-1], "right")
    return np.asarray(np.minimum(drawn, len(counts) - 1), np.int64)


def negative_sampling(inputs: Floats, outputs: Ints, negatives: Ints, rows: NDArray[Any]) -> float:
    """The mean of -log s(u v) - sum over negative examples of log s(-u_k v); s is the logistic
    function.

    ``inputs`` v are (pairs, dim); u are the ``rows`` of ``outputs`` (pairs,), u_k those of
    ``negatives`` (pairs, k), of which those do not count that are the output itself. Mikolov et
    al. 2013, "Distributed Representations of Words and Phrases", formula 4.
    """
    right = np.einsum("pd,pd->p", inputs, rows[outputs].astype(np.float64))
    wrong = np.einsum("pd,pkd->pk", inputs, rows[negatives].astype(np.float64))
    losses = np.logaddexp(0, wrong) * (negatives != outputs[:, None])
    return float(np.mean(np.logaddexp(0, -right) + losses.sum(axis=1)))


def hierarchical_softmax(
    inputs: Floats, outputs: Ints, paths: Sequence[Any], codes: Sequence[Any], nodes: NDArray[Any]
) -> float:
    """The mean of the sum over the inner nodes n on the way to a word of -log s(+-n v).

    ``paths`` and ``codes`` hold for each word the rows of ``nodes`` on the way and the turn taken
    at each: code 0 is +, code 1 is -. The same paper, formula 3.
    """
    total = 0.0
    for vector, word in zip(inputs, outputs.tolist(), strict=True):
        signs = 1.0 - 2.0 * codes[word].astype(np.float64)
        total += float(np.logaddexp(0, -signs * (nodes[paths[word]] @ vector)).sum())
    return total / max(len(outputs), 1)
