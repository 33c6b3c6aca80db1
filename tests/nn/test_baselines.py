"""Baselines against scikit-learn's own pipelines, worked examples, and data that is hard to fit."""

from __future__ import annotations

import warnings
from math import isnan, log

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from gai.nn import baselines, linear, scores
from gai.nn.baselines import (
    linear_numbers,
    linear_text,
    most_frequent_tag,
    naive_forecast,
    ngram,
)
from gai.nn.data.arrays import IGNORED

LABELS = ("fruit", "metal")
FRUIT = ["apple pie", "ripe apple", "plum jam", "ripe plum", "plum pie"]
METAL = ["iron nail", "copper wire", "iron wire", "copper nail", "old iron"]
TEXTS = FRUIT + METAL
TARGETS = np.array([0] * 5 + [1] * 5)
KEYS = ["accuracy", "macro_f1", "log_loss", "calibration_error", "majority"]


def test_words_tell_what_a_text_is_about() -> None:
    found = linear_text(TEXTS, TARGETS, ["apple jam", "copper, iron"], np.array([0, 1]), LABELS)
    assert found.name == "logistic regression on TF-IDF"
    assert found.scores["accuracy"] == 1
    assert list(found.scores) == KEYS


def some_texts(n: int, seed: int) -> tuple[list[str], NDArray[np.int64]]:
    """Texts of three classes, each with words of its own among those of all."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(3, size=n)
    words = [
        f"w{w}" if rng.random() < 0.6 else f"c{w}_{target}"
        for target in targets.repeat(6)
        for w in rng.integers(40, size=1)
    ]
    return [" ".join(words[6 * i : 6 * i + 6]) for i in range(n)], targets


def test_the_scores_are_those_of_scikit_learn_s_own_pipeline() -> None:
    (texts, targets), (others, right) = some_texts(300, 0), some_texts(200, 1)
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]"
    )
    model = LogisticRegression(C=10, max_iter=200).fit(vectorizer.fit_transform(texts), targets)
    probabilities = model.predict_proba(vectorizer.transform(others))
    expected = scores.classification(right, probabilities, "abc").summary()
    found = linear_text(texts, targets, others, right, "abc").scores
    assert 0.5 < expected["accuracy"] < 1
    assert found == pytest.approx(expected, abs=1e-6)


def test_characters_of_languages_without_spaces_count_as_words() -> None:
    texts = ["我喜欢吃苹果", "苹果很好吃", "今天去银行", "银行在哪里"]
    found = linear_text(
        texts, np.array([0, 0, 1, 1]), ["这个苹果", "银行卡"], np.array([0, 1]), "ab"
    )
    assert found.scores["accuracy"] == 1


def test_unseen_labels_are_wrong_and_cannot_be_learned() -> None:
    train = np.append(TARGETS, -1)
    found = linear_text([*TEXTS, "a quark"], train, ["apple", "quark"], np.array([0, -1]), LABELS)
    assert found.scores["accuracy"] == 0.5
    assert found.name.endswith("(10 of 11 texts)")


def test_a_class_without_a_training_example_is_never_the_answer() -> None:
    tested = np.array([0, 1, 2])
    found = linear_text(TEXTS, TARGETS, ["plum", "wire", "ghost"], tested, (*LABELS, "spirit"))
    assert found.scores["accuracy"] == pytest.approx(2 / 3)


def test_one_class_is_always_the_answer() -> None:
    found = linear_text(FRUIT, TARGETS[:5], ["plum", "wire"], np.array([0, 1]), LABELS)
    assert found.scores["accuracy"] == 0.5


@pytest.mark.parametrize("texts", [["", " ", ""], []])
def test_without_words_the_commonest_label_is_the_answer(texts: list[str]) -> None:
    targets = np.array([1, 1, 0])[: len(texts)]
    found = linear_text(texts, targets, ["", "x"], np.array([1, 0]), LABELS)
    assert found.name == "commonest labels"
    assert found.scores["accuracy"] == 0.5
    if texts:
        expected = -(log(2 / 3) + log(1 / 3)) / 2
        assert found.scores["log_loss"] == pytest.approx(expected)


def test_several_labels_each_have_a_regression() -> None:
    targets = np.stack([TARGETS == 0, TARGETS == 1, np.zeros(10)], axis=1).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = linear_text(
            TEXTS,
            targets,
            ["plum pie with apple", "wire of copper"],
            np.array([[1, 0, 0], [0, 1, 0]]),
            (*LABELS, "none"),
        )
    assert found.scores == {"subset_accuracy": 1, "micro_f1": 1, "macro_f1": 1}


def test_numbers_are_foreseen_from_words() -> None:
    words, others = some_texts(300, 0), some_texts(200, 1)
    found = linear_text(words[0], words[1] + 0.5, others[0], others[1] + 0.5, None)
    assert found.name == "ridge regression on TF-IDF"
    assert list(found.scores) == ["mse", "mae", "rmse", "r2"]
    assert found.scores["r2"] > 0.5


def test_of_much_text_a_part_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, targets = some_texts(400, 0)
    monkeypatch.setattr(baselines, "CHARACTERS", sum(map(len, texts)) / 4)
    found = linear_text(texts, targets, *some_texts(100, 1), "abc")
    assert found.name == "logistic regression on TF-IDF (100 of 400 texts)"
    assert found == linear_text(texts, targets, *some_texts(100, 1), "abc")


def halves(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    order = np.random.default_rng(0).permutation(len(x))
    first, second = order[::2], order[1::2]
    return x[first], y[first], x[second], y[second]


def test_irises_by_their_measures() -> None:
    found = linear_numbers(*halves(*load_iris(return_X_y=True)), ("a", "b", "c"))
    assert found.name == "logistic regression"
    assert found.scores["accuracy"] > 0.94


def test_diabetes_by_ridge_regression() -> None:
    x, y = load_diabetes(return_X_y=True)
    found = linear_numbers(*halves(x, y), None)
    assert found.name == "ridge regression"
    assert found.scores["r2"] > 0.45
    wider = linear_numbers(*halves(x, np.stack([y, 2 * y], axis=1)), None)
    assert wider.scores["r2"] == pytest.approx(found.scores["r2"])


def test_the_unit_of_a_column_does_not_matter() -> None:
    x, y = load_iris(return_X_y=True)
    expected = linear_numbers(*halves(x, y), ("a", "b", "c")).scores
    found = linear_numbers(*halves(x * [1e-6, 1, 1e6, 1], y), ("a", "b", "c")).scores
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_penalty_is_high_for_noise_and_low_for_signal() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 30))
    noise, signal = rng.normal(size=60), x @ rng.normal(size=30)
    method = linear.standardised(linear.method(None, False))
    assert linear.best_penalty(method, x, noise, 0) >= 1000
    assert linear.best_penalty(method, x, signal, 0) <= 0.1
    method = linear.standardised(linear.method("ab", False))
    assert linear.best_penalty(method, x, (noise > 0).astype(int), 2) == 100


@pytest.mark.parametrize("n", [1, 2, 3])
def test_hardly_any_examples_are_enough(n: int) -> None:
    x, y = np.arange(n)[:, None] + 0.0, np.arange(n) % 2
    assert 0 <= linear_numbers(x, y, x, y, LABELS).scores["accuracy"] <= 1
    assert linear_numbers(x, y + 0.0, x, y + 0.0, None).scores["mse"] >= 0


def test_of_many_numbers_a_part_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "CELLS", 300)
    x, y, *tested = halves(*load_iris(return_X_y=True))
    found = linear_numbers(np.tile(x, (2, 1)), np.tile(y, 2), *tested, ("a", "b", "c"))
    assert found.name == "logistic regression (75 of 150 examples)"


def windows(series: NDArray[np.float64], horizon: int) -> tuple[NDArray[np.float64], ...]:
    """Training and later windows of 8 values, and what follows them."""
    views = np.lib.stride_tricks.sliding_window_view(series, 8 + horizon)
    half = len(views) // 2
    first, second = views[:half], views[half + 8 :]
    return first[:, :8], first[:, 8:], second[:, :8], second[:, 8:]


def test_a_wave_goes_on_by_autoregression() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, size=400)
    found = naive_forecast(*windows(np.sin(np.arange(400) / 3) + noise, 2))
    assert found.name == "linear autoregression"
    assert found.scores["r2"] > 0.95
    assert list(found.scores) == ["mse", "mae", "rmse", "r2"]


def test_a_drunkard_stays_where_he_is() -> None:
    steps = np.random.default_rng(4).normal(size=120)
    x, y, later, right = windows(np.cumsum(steps), 1)
    found = naive_forecast(x, y, later, right)
    assert found.name == "last value"
    assert found.scores["mse"] == pytest.approx(((later[:, -1:] - right) ** 2).mean())


def test_the_last_values_of_the_columns_that_are_foreseen() -> None:
    window = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    targets = np.array([[6.0, 4.0, 7.0, 4.0]])  # two steps of columns 2 and 0
    found = naive_forecast(window, targets, window, targets, columns=[2, 0])
    assert found.scores["mae"] == pytest.approx(1 / 4)
    every = naive_forecast(window, np.zeros((1, 3)), window, np.zeros((1, 3)))
    assert every.scores["mae"] == pytest.approx(5)


def test_words_ends_and_the_commonest_tag() -> None:
    words = ["the", "cat", "runs", "the", "run", "runs", "runs", "a", "running", "singing", "?"]
    tags = [0, 1, 2, 0, 1, 1, 1, 0, 2, 2, IGNORED]
    asked = ["the", "runs", "sitting", "zebra", "?", "cat", "cat"]
    right = [0, 1, 2, 1, 1, IGNORED, -1]  # unknown: "sitting" by "ing", "zebra" and "?" by all
    found = most_frequent_tag(words, np.array(tags), asked, np.array(right), ("D", "N", "V"))
    assert found.scores["accuracy"] == pytest.approx(5 / 6)
    assert list(found.scores) == ["accuracy", "macro_f1", "majority"]


def test_tags_without_training_words() -> None:
    none = np.zeros(0, np.int64)
    assert most_frequent_tag([], none, ["a", "b"], np.array([0, 1]), "DN").scores["accuracy"] == 0.5
    assert isnan(most_frequent_tag([], none, [], none, "DN").scores["accuracy"])


def test_n_grams_of_what_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    text = np.tile([0, 1, 2, 1, 3], 100)
    found = ngram(text, text[:50], 4, characters=50, bytes=100)
    assert found.name == "3-grams, Kneser-Ney"
    assert found.scores["loss"] < 0.1
    assert found.scores["bits_per_character"] == pytest.approx(found.scores["loss"] / log(2))
    assert found.scores["bits_per_byte"] == pytest.approx(found.scores["loss"] / log(2) / 2)
    assert list(found.scores) == ["loss", "perplexity", "bits_per_character", "bits_per_byte"]
    monkeypatch.setattr(baselines, "NGRAM_TOKENS", 200)
    part = ngram(text, text[:50], 4, characters=50, bytes=100, orders=(2,))
    assert part.name == "2-grams, Kneser-Ney (last 200 of 500 tokens)"
