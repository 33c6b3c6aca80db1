"""The loss of word2vec and FastText against the formulas written out in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gai.terms import Terms
from gai.vectors import objective
from gai.vectors.corpus import Corpus
from gai.vectors.feeding import feed
from gai.vectors.with_gensim import Choices, GensimTrainer, NgramBuckets


def corpus(sentences: int = 400, words: int = 30, seed: int = 5) -> Corpus:
    """Sentences in which words near each other by number stand together."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, words, sentences)
    ids = (starts[:, None] + rng.integers(0, 4, (sentences, 8))) % words
    counts = np.bincount(ids.ravel(), minlength=words)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(words, np.int32)
    rank[order] = np.arange(words)
    bounds = np.arange(0, 8 * sentences + 1, 8, dtype=np.int64)
    names = Terms.of(f"word{n}" for n in order)
    return Corpus(names, counts[order], rank[ids.ravel()], bounds, 8 * sentences)


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def by_hand(trainer: GensimTrainer) -> float:
    """The same number in loops over the pairs."""
    pairs, model, subwords = trainer._pairs, trainer.model, trainer.choices.subwords
    words = trainer.weights()["words"].astype(float)
    total = 0.0
    for pair in range(len(pairs)):
        rows = []
        for word in pairs.inputs[pairs.bounds[pair] : pairs.bounds[pair + 1]]:
            rows.append(words[word])
            if subwords:
                rows += list(model.wv.vectors_ngrams[model.wv.buckets_word[word]].astype(float))
        skipgram_parts = subwords and not trainer.choices.cbow and len(rows) > 1
        vector, output = (
            np.sum(rows, axis=0) / (len(rows) - bool(skipgram_parts)),
            pairs.outputs[pair],
        )
        if trainer.choices.hs:
            path, code = (model.wv.expandos[name][output] for name in ("point", "code"))
            for node, turn in zip(path, code, strict=True):
                total -= log_sigmoid((1 - 2 * int(turn)) * float(model.syn1[node] @ vector))
        else:
            total -= log_sigmoid(float(model.syn1neg[output] @ vector))
            for word in trainer._negatives[pair]:
                if word == output:
                    continue
                total -= log_sigmoid(-float(model.syn1neg[word] @ vector))
    return total / len(pairs)


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("hs", [False, True])
@pytest.mark.parametrize("subwords", [None, NgramBuckets(3, 4, 50)])
def test_loss_by_hand(cbow: bool, hs: bool, subwords: NgramBuckets | None) -> None:
    made = corpus()
    choices = Choices(dim=8, window=3, cbow=cbow, hs=hs, subwords=subwords, alpha=0.1, sample=0.02)
    with feed(made) as fed:
        trainer = GensimTrainer(made, choices, fed)
        before = trainer.loss()
        losses = [trainer.epoch(number, lambda _: None) for number in range(5)]
        assert losses[-1] == pytest.approx(by_hand(trainer), rel=1e-6)
    assert losses[-1] < losses[0] < before + 1e-9


def test_untrained_loss_is_known() -> None:
    """Where the output rows are zero, each of 1 + 5 logistic functions is one half."""
    made = corpus()
    with feed(made) as fed:
        trainer = GensimTrainer(made, Choices(dim=8), fed)
        skipped = (trainer._negatives == trainer._pairs.outputs[:, None]).sum(1).mean()
        assert trainer.loss() == pytest.approx((6 - skipped) * math.log(2))


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("subwords", [None, NgramBuckets(3, 4, 50)])
def test_loss_is_that_which_gensim_makes_smaller(cbow: bool, subwords: NgramBuckets | None) -> None:
    """An epoch over two words moves the output rows by the learning rate times the gradient of the
    summed loss, as finite differences find it."""
    ids = np.array([0, 1], np.int32)
    made = Corpus(Terms.of(["abcd", "bcde"]), np.array([1, 1]), ids, np.array([0, 2]), 2)
    rate = 1e-3
    choices = Choices(
        dim=4, window=1, cbow=cbow, negative=1, sample=0, alpha=rate, min_alpha=rate,
        epochs=1, subwords=subwords,
    )  # fmt: skip
    with feed(made) as fed:
        trainer = GensimTrainer(made, choices, fed)
        pairs = objective.Sample(np.array([1, 0]), np.array([0, 1, 2]), np.array([0, 1]))
        trainer._look_at(pairs)
        # Every negative example is word 1, which is passed over where it is the output itself.
        trainer._negatives = np.array([[1], [1]])
        trainer._workers[0].model.cum_table = np.array([0, 2**31 - 1], np.uint32)
        rng = np.random.default_rng(1)
        for array in trainer.weights().values():
            array[...] = rng.normal(0, 0.5, array.shape)
        output = trainer.weights()["output"]
        before, gradient = output.copy(), np.zeros_like(output)
        for place in np.ndindex(output.shape):
            for sign in (1, -1):
                output[place] += sign * 1e-2
                gradient[place] += sign * len(pairs) * trainer.loss() / 2e-2
                output[place] = before[place]
        trainer.epoch(0, lambda _: None)
    step = rate * gradient
    assert before - output == pytest.approx(step, abs=0.02 * float(np.abs(step).max()))


def test_pairs_are_those_of_training() -> None:
    """Sampled pairs occur as often as pairs of the corpus under windows of 1 to 2 words."""
    made = corpus(50, 6)
    found = objective.sample(made, 2, cbow=False, keep=np.ones(6), seed=1, pairs=40_000)
    drawn = np.zeros((6, 6))
    np.add.at(drawn, (found.outputs, found.inputs), 1)
    expected = np.zeros((6, 6))
    for first, last in zip(made.bounds[:-1], made.bounds[1:], strict=True):
        words = made.ids[first:last]
        for place, word in enumerate(words):
            for reach in (1, 2):
                near = [words[k] for k in range(max(0, place - reach), place)]
                near += list(words[place + 1 : place + 1 + reach])
                for other in near:
                    expected[word, other] += 1 / len(near)
    assert np.abs(drawn / drawn.sum() - expected / expected.sum()).max() < 0.01


def test_frequent_words_are_thinned_out() -> None:
    made = corpus(50, 6)
    keep = np.array([0.0, 1, 1, 1, 1, 1])
    found = objective.sample(made, 2, cbow=True, keep=keep, seed=1, pairs=500)
    assert len(found) == 500
    assert 0 not in found.outputs
    assert 0 not in found.inputs


def test_negatives_follow_the_smoothed_frequency() -> None:
    counts = np.array([1000, 100, 10, 1])
    drawn = objective.negatives(counts, 20_000, 2, seed=3)
    share = np.bincount(drawn.ravel(), minlength=4) / drawn.size
    assert share == pytest.approx(counts**0.75 / (counts**0.75).sum(), abs=0.01)


def test_a_word_alone_has_no_pairs() -> None:
    made = Corpus(Terms.of(["a"]), np.array([3]), np.zeros(3, np.int32), np.arange(4))
    assert not len(objective.sample(made, 5, cbow=False, keep=np.ones(1), seed=1))
