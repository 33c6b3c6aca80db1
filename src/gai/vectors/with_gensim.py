"""word2vec and FastText: trained by gensim's compiled loops, on our own counts and ids."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors import Subwords, Vectors
from gai.threads import as_they_come
from gai.vectors import objective
from gai.vectors.corpus import Corpus
from gai.vectors.feeding import GROUP, Chunk, Feed
from gai.vectors.training import Advance, check_resumed, start_from, take_over

Arrays = Mapping[str, NDArray[Any]]

PIECE = 500
"""Pairs whose input rows are gathered at once."""


@dataclass(frozen=True)
class NgramBuckets:
    """Which parts of words have vectors: n-grams of ``min_n`` to ``max_n`` characters, by their
    hash in one of ``bucket`` rows."""

    min_n: int = 3
    max_n: int = 6
    bucket: int = 2_000_000


@dataclass(frozen=True)
class Choices:
    """How word2vec and FastText learn; the names are gensim's.

    ``cbow`` predicts a word from its window, else skip-gram predicts the window from the word.
    ``hs`` is hierarchical softmax in place of ``negative`` examples. Words more frequent than
    ``sample`` are thinned out. The learning rate falls from ``alpha`` to ``min_alpha``.
    """

    dim: int = 100
    window: int = 5
    cbow: bool = False
    hs: bool = False
    negative: int = 5
    sample: float = 1e-3
    alpha: float = 0.025
    min_alpha: float = 0.0001
    epochs: int = 5
    seed: int = 1
    subwords: NgramBuckets | None = None


@dataclass(eq=False)
class _Worker:
    """What one thread trains with: gensim's model seen through its own learning rate and random
    numbers, and room to compute in. The weights are those of all threads."""

    model: Any
    room: Any

    @classmethod
    def of(cls, model: Any) -> _Worker:
        mine = copy.copy(model)
        mine.workers = mine.epochs = 1
        return cls(mine, mine._get_thread_working_mem())


class GensimTrainer:
    """Trains word2vec, or FastText where the choices have ``subwords``; a ``Trainer``.

    ``jobs`` threads change the same weights without locks (Recht et al. 2011, "Hogwild!"), so that
    only one thread gives the same bits every time. ``init`` are vectors to start from where words
    are in both; ``resume`` those of an earlier run with its state.
    """

    unit = "words"

    def __init__(
        self,
        corpus: Corpus,
        choices: Choices,
        fed: Feed,
        *,
        jobs: int = 1,
        init: Vectors | None = None,
        resume: Vectors | None = None,
    ) -> None:
        self.corpus, self.choices, self.feed = corpus, choices, fed
        self.name = "fasttext" if choices.subwords else "word2vec"
        self.size = corpus.tokens
        self._used: NDArray[np.int64] | None = None
        self.model = untrained(corpus, choices)
        self._known = _numbered(self.model, choices)
        self._workers = [_Worker.of(self.model) for _ in range(max(jobs, 1))]
        self._init: str | None = None
        if init is not None:
            self._start_from(init)
        if resume is not None:
            self._go_on_from(resume)
        keep = kept_share(self.model)
        self._look_at(
            objective.sample(
                corpus, choices.window, cbow=choices.cbow, keep=keep, seed=choices.seed
            )
        )

    def _look_at(self, pairs: objective.Sample) -> None:
        """Measures the loss by these pairs."""
        if not len(pairs):
            raise GaiError(
                "no two words of the vocabulary stand side by side in any sentence",
                "a smaller --min-count keeps more words; --per says what a sentence is",
            )
        choices, self._pairs = self.choices, pairs
        parts = None if choices.subwords is None else self.model.wv.buckets_word
        single, self._which = objective.distinct(pairs)
        self._bags = objective.bags(single, parts)
        each = max(choices.negative, 1)
        self._negatives = objective.negatives(self.corpus.counts, len(pairs), each, choices.seed)

    def epoch(self, number: int, advance: Advance) -> float:
        """Trains epoch ``number`` (from 0) and returns the mean objective of the sample."""
        chunks = enumerate(self.feed.chunks)
        for trained in as_they_come(
            lambda worker, item: self._train(worker, number, *item), chunks, self._workers
        ):
            advance(trained)
        return self.loss()

    def _train(self, worker: _Worker, epoch: int, number: int, chunk: Chunk) -> int:
        """The tokens of a chunk, after training on it."""
        model, choices = worker.model, self.choices
        done = epoch * self.size + chunk.before
        model.alpha = self._rate(done)
        model.min_alpha = self._rate(done + chunk.tokens)
        model.random = np.random.RandomState([choices.seed, epoch, number])
        expected = chunk.groups * GROUP
        _, _, read = model._do_train_epoch(
            self.feed.path,
            0,
            chunk.offset,
            self._known,
            worker.room,
            0,
            total_examples=None,
            total_words=expected - 1,  # reading stops after the first group that goes beyond
        )
        if read != expected:
            raise GaiError(f"gensim read {read:,} words of a piece of {expected:,}")
        return chunk.tokens

    def _rate(self, done: int) -> float:
        """The learning rate after ``done`` tokens of all epochs."""
        choices = self.choices
        progress = done / max(self.size * choices.epochs, 1)
        return choices.alpha - (choices.alpha - choices.min_alpha) * progress

    def loss(self) -> float:
        """The mean objective of the sample: float64, lower is better."""
        pairs = self._pairs
        inputs = self._inputs()
        if self.choices.hs:
            paths, codes = (self.model.wv.expandos[name] for name in ("point", "code"))
            nodes = self.model.syn1
            return objective.hierarchical_softmax(inputs, pairs.outputs, paths, codes, nodes)
        return objective.negative_sampling(
            inputs, pairs.outputs, self._negatives, self.model.syn1neg
        )

    def _inputs(self) -> NDArray[np.float64]:
        """The mean of the input rows of each pair of the sample: (pairs, dim)."""
        weights = self.weights()
        means = np.empty((len(self._bags), self.choices.dim))
        for first in range(0, len(means), PIECE):
            part = self._bags.part(first, first + PIECE)
            means[first : first + PIECE] = part.means(
                weights["words"], weights.get("buckets"), of_parts=not self.choices.cbow
            )
        return means[self._which]

    def weights(self) -> Arrays:
        """The arrays that training changes, by name; not copies."""
        wv, model = self.model.wv, self.model
        output = {"output": model.syn1 if self.choices.hs else model.syn1neg}
        if self.choices.subwords is None:
            return {"words": wv.vectors, **output}
        return {"words": wv.vectors_vocab, "buckets": wv.vectors_ngrams, **output}

    def changed(self) -> Mapping[str, NDArray[np.int64]]:
        """The rows of parts of words that the vocabulary has, of the millions that there are."""
        if self.choices.subwords is None:
            return {}
        if self._used is None:
            parts = [np.zeros(0, np.int64), *self.model.wv.buckets_word]
            self._used = np.unique(np.concatenate(parts)).astype(np.int64)
        return {"buckets": self._used}

    def vectors(self, epochs: int) -> Vectors:
        """What ``epochs`` epochs have taught."""
        weights, subwords = self.weights(), None
        matrix = weights["words"]
        if (chosen := self.choices.subwords) is not None:
            self.model.wv.adjust_vectors()
            matrix = self.model.wv.vectors
            subwords = Subwords(weights["words"], weights["buckets"], chosen.min_n, chosen.max_n)
        return Vectors(
            self.corpus.words,
            matrix,
            counts=self.corpus.counts,
            signature=self.signature(epochs),
            state={"output": weights["output"]},
            subwords=subwords,
        )

    def signature(self, epochs: int) -> dict[str, Any]:
        """Everything that changed a number."""
        training = asdict(self.choices) | {"init": self._init, "trained": epochs}
        return {**self.corpus.signature, "kind": self.name, "training": training}

    def _start_from(self, init: Vectors) -> None:
        """Takes over the words that are in both, and the parts where these are cut alike."""
        self._init = init.fingerprint()
        weights, parts, mine = self.weights(), init.subwords, self.choices.subwords
        shared, places = start_from(self.corpus.words, self.choices.dim, init)
        alike = (
            parts is not None
            and mine is not None
            and ((parts.min_n, parts.max_n, parts.bucket) == (mine.min_n, mine.max_n, mine.bucket))
        )
        if parts is not None and alike:
            weights["words"][shared] = parts.words[places]
            weights["buckets"][...] = parts.buckets
        else:
            weights["words"][shared] = init.take(places)

    def _go_on_from(self, earlier: Vectors) -> None:
        check_resumed(earlier, self.signature(0))
        self._init = earlier.signature["training"].get("init")
        found: dict[str, NDArray[Any] | None] = {**earlier.state}
        if earlier.subwords is not None:
            found |= {"words": earlier.subwords.words, "buckets": earlier.subwords.buckets}
        else:
            found["words"] = earlier.matrix
        take_over(found, self.weights())


def untrained(corpus: Corpus, choices: Choices) -> Any:
    """gensim's model with our vocabulary, its rows in our order."""
    from gensim.models.fasttext import FastText
    from gensim.models.word2vec import Word2Vec

    common = {
        "vector_size": choices.dim,
        "window": choices.window,
        "sg": int(not choices.cbow),
        "hs": int(choices.hs),
        "negative": 0 if choices.hs else choices.negative,
        "sample": choices.sample,
        "alpha": choices.alpha,
        "min_alpha": choices.min_alpha,
        "seed": choices.seed,
        "min_count": 1,
        "sorted_vocab": 0,
        "workers": 1,
    }
    if (parts := choices.subwords) is not None:
        model = FastText(**common, min_n=parts.min_n, max_n=parts.max_n, bucket=parts.bucket)
    else:
        model = Word2Vec(**common)
    frequencies = dict(zip(corpus.words, corpus.counts.tolist(), strict=True))
    model.build_vocab_from_freq(frequencies, corpus_count=len(corpus.bounds) - 1)
    return model


def _numbered(model: Any, choices: Choices) -> Any:
    """gensim's vocabulary for threads, with the number of each word as its spelling."""
    from gensim.models.word2vec_corpusfile import CythonVocab

    wv = model.wv
    view = SimpleNamespace(
        key_to_index={str(place): place for place in range(len(wv))},
        get_index=int,
        expandos=wv.expandos,
        buckets_word=getattr(wv, "buckets_word", None),
    )
    return CythonVocab(view, hs=choices.hs, fasttext=choices.subwords is not None)


def kept_share(model: Any) -> NDArray[np.float64]:
    """The probability with which each word is kept where frequent ones are thinned out."""
    if not model.sample:
        return np.ones(len(model.wv))
    return np.asarray(model.wv.expandos["sample_int"], np.float64) / (2**32 - 1)
