"""Training and asking vectors, each in a process: ``python -m benchmarks.vector_peers NAME ...``.

Whoever is told to print something prints JSON. Both sides get the same settings: those below.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import cores

DIM = 100
WINDOW = 5
MIN_COUNT = 5
GLOVE_WINDOW = 10
QUERIES = 20
"""Words whose neighbours are asked for, one after the other."""

K = 10


def settings(kind: str, epochs: int, seed: int) -> dict[str, Any]:
    """What gensim is told; all else are its defaults, which are gai's too."""
    plain = {"vector_size": DIM, "window": WINDOW, "min_count": MIN_COUNT, "sg": 1}
    return {**plain, "epochs": epochs, "seed": seed, "workers": cores()}


def model_of(kind: str) -> Any:
    """gensim's class."""
    from gensim.models import FastText, Word2Vec

    return FastText if kind == "fasttext" else Word2Vec


def train_with_gensim(
    kind: str, how: str, tokens: str, output: str, epochs: str, seed: str
) -> None:
    """gensim as its users write it: ``how`` is file (``corpus_file``) or lines (an iterable)."""
    from gensim.models.word2vec import LineSentence

    fed = {"corpus_file": tokens} if how == "file" else {"sentences": LineSentence(tokens)}
    model = model_of(kind)(**fed, **settings(kind, int(epochs), int(seed)))
    model.wv.save_word2vec_format(output, binary=True)


def throughput(kind: str, tokens: str, rounds: str) -> None:
    """Prints the seconds of an epoch of each, in turn, with vocabulary and file ready before."""
    corpus = corpus_of(tokens)
    theirs = model_of(kind)(**settings(kind, 1, 1))
    theirs.build_vocab(corpus_file=tokens)
    seen: dict[str, list[float]] = {"gai": [], "gensim": []}
    with our_trainer(kind, corpus) as ours:
        for number in range(int(rounds) + 1):
            begin = time.perf_counter()
            ours.epoch(0, lambda units: None)
            middle = time.perf_counter()
            theirs.train(corpus_file=tokens, total_words=corpus.read, epochs=1)
            end = time.perf_counter()
            if number:  # the first round warms up
                seen["gai"].append(middle - begin)
                seen["gensim"].append(end - middle)
    print(json.dumps({**seen, "words": corpus.tokens}))


def corpus_of(tokens: str) -> Any:
    """The lines of tokens as a corpus."""
    from gai.documents import Reader, Reading
    from gai.tokens.analysis import Analysis
    from gai.vectors.corpus import read_corpus

    reading = Reading(paths=(tokens,), per="line", pretokenized=True)
    analysis = Analysis(tokenizer="pretokenized", lowercase=False)
    return read_corpus(Reader(reading), analysis, min_count=MIN_COUNT, jobs=cores())


@contextmanager
def our_trainer(kind: str, corpus: Any) -> Iterator[Any]:
    """gai's trainer, ready to train an epoch."""
    from gai.vectors.feeding import feed
    from gai.vectors.with_gensim import Choices, GensimTrainer, NgramBuckets

    subwords = NgramBuckets() if kind == "fasttext" else None
    choices = Choices(dim=DIM, window=WINDOW, epochs=1, subwords=subwords)
    with feed(corpus) as fed:
        yield GensimTrainer(corpus, choices, fed, jobs=cores())


def scores(path: str) -> None:
    """Prints Spearman's correlations and the accuracy of analogies, and how much they cover."""
    from gai.output.vectors import load
    from gai.vectors import testsets
    from gai.vectors.evaluation import Asking, evaluate

    names = ("simlex999", "wordsim353", "google")
    found = evaluate(load(path), [testsets.load(name) for name in names], Asking(jobs=cores()))
    whole: list[Any] = [getattr(score, "overall", score) for score in found]
    totals = [score.total for score in whole]
    facts = zip(names, found, totals, strict=True)
    print(json.dumps({name: [score.value, score.found, total] for name, score, total in facts}))


def glove(tokens: str, output: str, iterations: str) -> None:
    """Prints the seconds that gai's GloVe takes to read, to count, and for each iteration, and the
    loss after each; writes the vectors."""
    from gai.output.vectors import save
    from gai.vectors.cooccurrence import cooccurrences
    from gai.vectors.glove import Choices, GloveTrainer

    begin = time.perf_counter()
    corpus = corpus_of(tokens)
    read = time.perf_counter()
    pairs = cooccurrences(corpus, GLOVE_WINDOW, jobs=cores())
    counted = time.perf_counter()
    trainer = GloveTrainer(pairs, Choices(dim=DIM), jobs=cores())
    facts: dict[str, Any] = {"read": read - begin, "count": counted - read, "pairs": pairs.nnz}
    del pairs  # the trainer has its own
    ready = time.perf_counter()
    seconds, losses = [], []
    for number in range(int(iterations)):
        start = time.perf_counter()
        losses.append(trainer.epoch(number, lambda units: None))
        seconds.append(time.perf_counter() - start)
    save(trainer.vectors(int(iterations)), output)
    facts |= {"prepare": ready - counted, "iterations": seconds, "losses": losses}
    print(json.dumps(facts))


def make_vectors(words: str, dim: str, *outputs: str) -> None:
    """Writes random vectors of so many words, in the format of each name; .kv is gensim's own."""
    from gai.output.vectors import Vectors, save
    from gai.terms import Terms

    rng = np.random.default_rng(1)
    rows = rng.standard_normal((int(words), int(dim)), np.float32)
    names = [f"word{number}" for number in range(int(words))]
    for output in outputs:
        if output.endswith(".kv"):
            from gensim.models import KeyedVectors

            kept = KeyedVectors(int(dim))
            kept.add_vectors(names, rows)
            kept.save(output)
        else:
            save(Vectors(Terms.of(names), rows), output)


def ask(tool: str, path: str, words: str) -> None:
    """Prints the seconds to load vectors, for the first word asked and for each of more, and the
    neighbours found."""
    begin = time.perf_counter()
    nearest = {"gai": asked_of_gai, "gensim": asked_of_gensim}[tool](path)
    loaded = time.perf_counter()
    step = int(words) // QUERIES
    seconds, found = [], []
    for number in range(QUERIES):
        start = time.perf_counter()
        found.append(nearest(f"word{number * step}"))
        seconds.append(time.perf_counter() - start)
    facts = {"load": loaded - begin, "first": seconds[0], "more": seconds[1:], "found": found}
    print(json.dumps(facts))


def asked_of_gai(path: str) -> Callable[[str], list[str]]:
    """A function from a word to its neighbours: gai, with all cores."""
    from gai.output.vectors import load
    from gai.vectors.neighbours import nearest

    vectors = load(path)

    def found(word: str) -> list[str]:
        place = vectors.find([word])
        near, _ = nearest(vectors, vectors.take(place), K, place[:, None], jobs=cores())
        return [vectors.words[other] for other in near[0].tolist()]

    return found


def asked_of_gensim(path: str) -> Callable[[str], list[str]]:
    """The same of gensim's KeyedVectors; its own format is mapped."""
    from gensim.models import KeyedVectors

    mapped = Path(path).suffix == ".kv"
    vectors: Any = (
        KeyedVectors.load(path, mmap="r")
        if mapped
        else KeyedVectors.load_word2vec_format(path, binary=True)
    )
    return lambda word: [other for other, _ in vectors.most_similar(word, topn=K)]


WORK: dict[str, Callable[..., None]] = {
    "gensim": train_with_gensim,
    "throughput": throughput,
    "scores": scores,
    "glove": glove,
    "make-vectors": make_vectors,
    "ask": ask,
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])
