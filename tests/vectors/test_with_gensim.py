"""word2vec and FastText: what is learned, from where, and the same again when asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.terms import Terms
from gai.vectors.corpus import Corpus
from gai.vectors.feeding import feed
from gai.vectors.training import train
from gai.vectors.with_gensim import Choices, GensimTrainer, NgramBuckets

PARTS = NgramBuckets(2, 3, 300)
MODELS = [
    Choices(dim=12, window=3, sample=0.01, epochs=4, alpha=0.05),
    Choices(dim=12, window=3, sample=0.01, epochs=4, alpha=0.05, cbow=True, hs=True),
    Choices(dim=12, window=3, sample=0.01, epochs=4, alpha=0.05, subwords=PARTS),
]


def corpus(sentences: int = 3_000) -> Corpus:
    """Two topics of twenty words each; a sentence keeps to one."""
    rng = np.random.default_rng(2)
    topics = rng.integers(0, 2, sentences)
    words = 2 * np.minimum(rng.geometric(0.12, (sentences, 10)) - 1, 19) + topics[:, None]
    counts = np.bincount(words.ravel(), minlength=40)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(40, np.int32)
    rank[order] = np.arange(40)
    names = Terms.of(f"{'even' if n % 2 == 0 else 'odd'}{n}" for n in order.tolist())
    bounds = np.arange(0, words.size + 1, 10, dtype=np.int64)
    return Corpus(
        names, counts[order], rank[words.ravel()], bounds, words.size, {"input": "sha256:1"}
    )


def trained(choices: Choices, epochs: int, *, done: int = 0, **more: object) -> Vectors:
    made = corpus()
    with feed(made) as fed:
        trainer = GensimTrainer(made, choices, fed, **more)  # type: ignore[arg-type]
        train(trainer, epochs, done=done)
        return trainer.vectors(epochs)


@pytest.mark.parametrize("choices", MODELS)
@pytest.mark.parametrize("jobs", [1, 3])
def test_words_of_a_topic_are_near_each_other(choices: Choices, jobs: int) -> None:
    vectors = trained(replace(choices, epochs=10), 10, jobs=jobs)
    rows = vectors.block(0, 30) / vectors.norms[:30, None]
    even = np.array([word.startswith("even") for word in vectors.words[:30]])
    cosines = rows @ rows.T - 2 * np.eye(30)
    nearest = cosines.argmax(1)
    assert (even[nearest] == even).mean() > 0.9


@pytest.mark.parametrize("choices", MODELS)
def test_one_thread_gives_the_same_bits(choices: Choices) -> None:
    first, second = trained(choices, 2), trained(choices, 2)
    assert np.array_equal(first.block(0, 40), second.block(0, 40))
    assert first.signature == second.signature
    other = trained(replace(choices, seed=2), 2)
    assert not np.array_equal(first.block(0, 40), other.block(0, 40))


@pytest.mark.parametrize("choices", MODELS)
def test_a_resumed_run_is_the_run_without_a_stop(choices: Choices) -> None:
    half, whole = trained(choices, 2), trained(choices, 4)
    resumed = trained(choices, 4, done=2, resume=half)
    assert np.array_equal(resumed.block(0, 40), whole.block(0, 40))
    assert resumed.signature == whole.signature


def test_other_options_cannot_be_resumed() -> None:
    half = trained(MODELS[0], 2)
    with pytest.raises(GaiError, match="window 3, not 4"):
        trained(replace(MODELS[0], window=4), 4, done=2, resume=half)
    with pytest.raises(GaiError, match="word2vec, not fasttext"):
        trained(MODELS[2], 4, done=2, resume=half)


def test_another_text_cannot_be_resumed() -> None:
    half = trained(MODELS[0], 2)
    half.signature["input"] = "another"
    with pytest.raises(GaiError, match="another text"):
        trained(MODELS[0], 4, done=2, resume=half)


def test_vectors_without_state_cannot_be_resumed() -> None:
    half = trained(MODELS[0], 2)
    half.state.clear()
    with pytest.raises(GaiError, match="hold no state"):
        trained(MODELS[0], 4, done=2, resume=half)


@pytest.mark.parametrize("wrong", ["missing", "shape", "numbers", "nan", "reduced"])
def test_a_state_that_does_not_fit_is_refused(wrong: str) -> None:
    half = trained(MODELS[0], 2)
    output = half.state["output"]
    half.state["output"] = {
        "shape": output[:-1],
        "numbers": output.astype(np.float64),
        "nan": np.full_like(output, np.nan),
    }.get(wrong, output)
    if wrong == "missing":
        half.state["other"] = half.state.pop("output")
    if wrong == "reduced":
        half.signature["reduction"] = {"dim": 5}
    with pytest.raises(GaiError, match="state"):
        trained(MODELS[0], 4, done=2, resume=half)


def test_starting_from_other_vectors() -> None:
    init = Vectors(Terms.of(["odd1", "unheard"]), np.full((2, 12), 7, np.float32))
    made = corpus()
    with feed(made) as fed:
        trainer = GensimTrainer(made, MODELS[0], fed, init=init)
        place = list(made.words).index("odd1")
        assert (trainer.weights()["words"][place] == 7).all()
        assert (np.delete(trainer.weights()["words"], place, 0) < 1).all()


def test_starting_from_vectors_whose_words_are_cut_alike() -> None:
    """FastText takes over what it has learned about parts, too; else the words' vectors."""
    init = trained(MODELS[2], 1)
    assert init.subwords is not None
    made = corpus()
    with feed(made) as fed:
        alike = GensimTrainer(made, MODELS[2], fed, init=init).weights()
        other = replace(MODELS[2], subwords=replace(PARTS, bucket=200))
        apart = GensimTrainer(made, other, fed, init=init).weights()
    assert np.array_equal(alike["buckets"], init.subwords.buckets)
    assert np.array_equal(alike["words"], init.subwords.words)
    assert np.array_equal(apart["words"], init.block(0, len(init)))


def test_what_a_run_starts_from_is_in_its_signature() -> None:
    init = trained(MODELS[0], 1)
    half = trained(MODELS[0], 2, init=init)
    assert half.signature["training"]["init"] == init.fingerprint()
    whole, resumed = trained(MODELS[0], 4, init=init), trained(MODELS[0], 4, done=2, resume=half)
    assert resumed.signature == whole.signature
    assert np.array_equal(resumed.block(0, 40), whole.block(0, 40))


def test_starting_from_other_dimensions() -> None:
    init = Vectors(Terms.of(["odd1"]), np.ones((1, 5), np.float32))
    with pytest.raises(GaiError, match="5 dimensions, not 12") as caught:
        trained(MODELS[0], 1, init=init)
    assert caught.value.hint == "--dim 5"


def test_starting_from_other_words() -> None:
    init = Vectors(Terms.of(["unheard"]), np.ones((1, 12), np.float32))
    with pytest.raises(GaiError, match="no word of this text"):
        trained(MODELS[0], 1, init=init)


def test_words_that_stand_alone_teach_nothing() -> None:
    made = Corpus(Terms.of(["a"]), np.array([3]), np.zeros(3, np.int32), np.arange(4))
    with feed(made) as fed, pytest.raises(GaiError, match="no two words"):
        GensimTrainer(made, MODELS[0], fed)


@pytest.mark.parametrize("choices", MODELS)
def test_the_learning_rate_falls_in_a_straight_line(choices: Choices) -> None:
    made = corpus()
    with feed(made) as fed:
        trainer = GensimTrainer(made, choices, fed)
        rates = [trainer._rate(done) for done in (0, 2 * trainer.size, 4 * trainer.size)]
    middle = (choices.alpha + choices.min_alpha) / 2
    assert rates == pytest.approx([choices.alpha, middle, choices.min_alpha])


def test_unseen_words_have_vectors() -> None:
    vectors = trained(MODELS[2], 2)
    unseen = vectors.vector("odd1even1")
    assert unseen is not None
    assert np.isfinite(unseen).all()
    assert trained(MODELS[0], 1).vector("odd1even1") is None
