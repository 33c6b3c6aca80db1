"""Scores against scikit-learn's, against plain loops, and against worked examples."""

from __future__ import annotations

import json
import warnings
from math import exp, isnan, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn import metrics

from gai.nn.data.arrays import IGNORED
from gai.nn.scores import (
    classification,
    intervals,
    language,
    multilabel,
    regression,
    tagging,
)
from gai.nn.scores.calibration import calibration_error
from gai.nn.scores.intervals import interval

LABELS = ("a", "b", "c", "d")
K = len(LABELS)


def some_probabilities(n: int, rng: np.random.Generator, classes: int = K) -> NDArray[np.float64]:
    return rng.dirichlet(np.full(classes, 0.5), size=n)


def some_answers(n: int, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Targets, a tenth of them unseen, and probabilities that are right more often than not."""
    rng = np.random.default_rng(seed)
    targets = rng.choice(K, size=n, p=[0.5, 0.3, 0.15, 0.05]).astype(np.int64)
    shares = some_probabilities(n, rng) + 0.7 * np.eye(K)[targets]
    targets[rng.random(n) < 0.1] = -1
    return targets, shares / shares.sum(1, keepdims=True)


targets_and_answers = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.int64, n, elements=st.integers(-1, K - 1)),
        hnp.arrays(np.int64, n, elements=st.integers(0, K - 1)),
    )
)


@given(targets_and_answers)
def test_scores_of_labels_are_those_of_scikit_learn(
    drawn: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    targets, answers = drawn
    result = classification(targets, np.eye(K)[answers], LABELS)
    expected = metrics.precision_recall_fscore_support(
        targets, answers, labels=range(K), zero_division=0
    )
    assert result.accuracy == pytest.approx(metrics.accuracy_score(targets, answers))
    assert result.macro_f1 == pytest.approx(metrics.f1_score(targets, answers, average="macro"))
    found = [(row.precision, row.recall, row.f1, row.support) for row in result.rows]
    np.testing.assert_allclose(found, np.transpose(expected))
    # scikit-learn refuses a table none of whose labels occurs, so it gets -1 as well
    table = metrics.confusion_matrix(targets, answers, labels=range(-1, K))[1:, 1:]
    np.testing.assert_array_equal(result.confusion, table)
    assert result.confusion.dtype == np.int64
    assert [row.label for row in result.rows] == list(LABELS)


def test_log_loss_is_that_of_scikit_learn_on_the_examples_whose_label_is_known() -> None:
    targets, probabilities = some_answers(200)
    known = targets >= 0
    expected = metrics.log_loss(targets[known], probabilities[known], labels=range(K))
    assert classification(targets, probabilities, LABELS).log_loss == pytest.approx(expected)


def test_a_probability_of_zero_costs_much_but_not_all() -> None:
    targets, probabilities = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    expected = metrics.log_loss(targets, probabilities)
    assert classification(targets, probabilities, "ab").log_loss == pytest.approx(expected)


def test_a_label_that_training_never_saw_is_wrong_and_counted() -> None:
    targets = np.array([0, -1, 1, -1])
    result = classification(targets, np.eye(2)[[0, 0, 1, 1]], ("a", "b"))
    assert result.accuracy == 0.5
    assert (result.unseen, result.examples, result.majority) == (2, 4, 0.25)
    assert result.missed.tolist() == [1, 1]
    assert result.confusion.tolist() == [[1, 0], [0, 1]]
    assert result.rows[0].precision == 0.5  # one of the two answers "a" was wrong
    assert result.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert result.calibration_error == 0.5  # sure four times, right twice
    assert result.log_loss == 0


def test_the_perfect_answer() -> None:
    targets = np.array([0, 1, 2, 2])
    result = classification(targets, np.eye(3)[targets], ("a", "b", "c"))
    assert result.summary() == {
        "accuracy": 1.0,
        "macro_f1": 1.0,
        "log_loss": 0.0,
        "calibration_error": 0.0,
        "majority": 0.5,
    }


def test_a_label_that_does_not_occur_does_not_lower_macro_f1() -> None:
    targets = np.array([0, 1])
    assert classification(targets, np.eye(3)[targets], "abc").macro_f1 == 1


def calibration_by_loop(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    total = 0.0
    for b in range(15):
        inside = [
            (p, c)
            for p, c in zip(confidence.tolist(), correct.tolist(), strict=True)
            if b / 15 < p <= (b + 1) / 15 or (b == 0 and p == 0)
        ]
        if inside:
            accuracy = sum(c for _, c in inside) / len(inside)
            mean = sum(p for p, _ in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(accuracy - mean)
    return total


@given(
    st.lists(
        st.tuples(st.floats(0, 1) | st.integers(0, 15).map(lambda b: b / 15), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_the_calibration_error_is_that_of_a_plain_loop(drawn: list[tuple[float, bool]]) -> None:
    confidence, correct = np.array([p for p, _ in drawn]), np.array([c for _, c in drawn])
    expected = calibration_by_loop(confidence, correct)
    assert calibration_error(confidence, correct) == pytest.approx(expected, abs=1e-12)


def test_the_calibration_error_of_a_classification_takes_the_probability_of_its_answer() -> None:
    targets, probabilities = some_answers(300)
    expected = calibration_by_loop(probabilities.max(1), probabilities.argmax(1) == targets)
    found = classification(targets, probabilities, LABELS).calibration_error
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_scores_of_several_labels_are_those_of_scikit_learn(threshold: float) -> None:
    rng = np.random.default_rng(1)
    targets = (rng.random((60, K)) < [0.6, 0.3, 0.1, 0.0]).astype(np.float32)
    probabilities = rng.random((60, K)) * [1, 1, 1, 0.1]  # nobody has or gets the last label
    result = multilabel(targets, probabilities, LABELS, threshold)
    y, p = targets.astype(int), (probabilities > threshold).astype(int)
    assert result.subset_accuracy == pytest.approx(metrics.accuracy_score(y, p))
    assert result.micro_f1 == pytest.approx(metrics.f1_score(y, p, average="micro"))
    macro = metrics.f1_score(y, p, average="macro", zero_division=np.nan)
    assert result.macro_f1 == pytest.approx(macro)
    expected = metrics.precision_recall_fscore_support(y, p, zero_division=0)
    found = [(row.precision, row.recall, row.f1, row.support) for row in result.rows]
    np.testing.assert_allclose(found, np.transpose(expected))


def test_several_labels_by_hand() -> None:
    targets = np.array([[1, 0], [1, 1], [0, 0]], np.float32)
    result = multilabel(targets, np.array([[0.9, 0.1], [0.8, 0.4], [0.2, 0.2]]), ("a", "b"))
    assert result.subset_accuracy == pytest.approx(2 / 3)
    assert result.micro_f1 == pytest.approx(4 / 5)
    assert result.macro_f1 == pytest.approx((1 + 0) / 2)


# The mean of equal eighths is exact, so that scikit-learn knows a constant column, too.
numbers = st.integers(-800, 800).map(lambda eighths: eighths / 8)


@given(
    st.tuples(st.integers(2, 12), st.integers(1, 3)).flatmap(
        lambda shape: st.tuples(
            hnp.arrays(np.float64, shape, elements=numbers),
            hnp.arrays(np.float64, shape, elements=numbers),
        )
    )
)
def test_scores_of_numbers_are_those_of_scikit_learn(
    drawn: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    y, p = drawn
    result = regression(y, p)
    assert result.mse == pytest.approx(metrics.mean_squared_error(y, p))
    assert result.mae == pytest.approx(metrics.mean_absolute_error(y, p))
    assert result.rmse == pytest.approx(result.mse**0.5)
    assert result.r2 == pytest.approx(metrics.r2_score(y, p), rel=1e-6)


def test_r2_where_all_targets_are_equal() -> None:
    y = np.full((3, 1), 0.1)
    assert regression(y, y).r2 == 1
    assert regression(y, y + 1).r2 == 0
    assert regression(np.hstack([y, y]), np.hstack([y, y + 1])).r2 == 0.5


def test_one_example_has_errors_but_no_r2() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = regression(np.array([1.0]), np.array([3.0]))
    assert (result.mse, result.mae, result.rmse) == (4, 2, 2)
    assert isnan(result.r2)
    assert result.as_dict()["r2"] is None


def test_predictions_of_one_output_may_be_flat_or_a_column() -> None:
    y = np.array([1.0, 2.0, 4.0], np.float32)
    flat, column = regression(y, y[::-1]), regression(y[:, None], y[::-1])
    assert flat.summary() == column.summary()


def test_a_language_model_that_halves_every_character() -> None:
    result = language(log(2) * 8, tokens=4, characters=8, bytes=16)
    assert result.summary() == pytest.approx(
        {
            "loss": 2 * log(2),
            "perplexity": 4.0,
            "bits_per_character": 1.0,
            "bits_per_byte": 0.5,
        }
    )


def test_a_perplexity_beyond_all_numbers_is_infinite() -> None:
    result = language(1e6, tokens=1, characters=1, bytes=1)
    assert result.perplexity == float("inf")
    assert result.as_dict()["perplexity"] is None


def test_tags_that_are_ignored_do_not_count() -> None:
    targets = np.array([0, IGNORED, 1, -1, 1])
    result = tagging(targets, np.array([0, 0, 1, 1, 0]), ("a", "b"))
    assert (result.examples, result.unseen) == (4, 1)
    assert result.accuracy == 0.5
    assert [row.support for row in result.rows] == [1, 2]
    assert list(result.summary()) == ["accuracy", "macro_f1", "majority"]


def test_tags_and_labels_have_the_same_scores() -> None:
    targets, probabilities = some_answers(100)
    tags = tagging(targets, probabilities.argmax(1), LABELS)
    labels = classification(targets, probabilities, LABELS)
    assert tags.rows == labels.rows
    for name, score in tags.summary().items():
        assert score == labels.summary()[name]


NONE: dict[str, Any] = {
    "classification": lambda: classification(np.zeros(0, np.int64), np.zeros((0, 2)), "ab"),
    "tagging": lambda: tagging(np.zeros(0, np.int64), np.zeros(0, np.int64), "ab"),
    "sequences": lambda: tagging(*[np.zeros(0, np.int64)] * 2, "ab", np.zeros(0, np.int64)),
    "multilabel": lambda: multilabel(np.zeros((0, 2)), np.zeros((0, 2)), "ab"),
    "regression": lambda: regression(np.zeros((0, 2)), np.zeros((0, 2))),
}


@pytest.mark.parametrize("kind", NONE)
def test_no_examples_no_scores(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = NONE[kind]()
        assert all(isnan(score) for score in result.summary().values())
        assert all(isnan(end) for ends in result.intervals().values() for end in ends)
        json.dumps(result.as_dict(), allow_nan=False)


def test_no_tokens_no_scores() -> None:
    scores = language(0.0, 0, 0, 0).as_dict()
    assert (scores["loss"], scores["perplexity"], scores["bits_per_byte"]) == (None, None, None)


def test_all_of_a_classification_as_json() -> None:
    targets, probabilities = some_answers(50)
    result = classification(targets, probabilities, LABELS)
    kept = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert {name: kept[name] for name in result.summary()} == result.summary()
    assert kept["confusion"] == result.confusion.tolist()
    assert kept["labels"][0]["label"] == "a"
    assert kept["labels"][0]["support"] == result.rows[0].support
    assert kept["unseen"] == int((targets == -1).sum())


def near(found: tuple[float, float], expected: tuple[float, float]) -> None:
    """Both intervals come from draws of their own, so their ends agree to a part of the width."""
    width = expected[1] - expected[0]
    assert found[0] == pytest.approx(expected[0], abs=0.12 * width)
    assert found[1] == pytest.approx(expected[1], abs=0.12 * width)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(2).normal(3, 2, size=500)
    error = values.std() / 500**0.5
    near(interval(values, draws=4000), (values.mean() - 1.96 * error, values.mean() + 1.96 * error))
    near(
        interval(values, draws=4000, level=0.8),
        (values.mean() - 1.2816 * error, values.mean() + 1.2816 * error),
    )


def test_values_and_a_function_of_rows_have_the_same_interval() -> None:
    values = np.random.default_rng(3).exponential(size=200)
    by_rows = interval(lambda rows: float(values[rows].mean()), 200, draws=3000, seed=1)
    near(interval(values, draws=3000), by_rows)


def test_intervals_are_the_same_each_time() -> None:
    values = np.random.default_rng(3).exponential(size=200)
    assert interval(values) == interval(values)
    assert interval(values) != interval(values, seed=1)


def test_bundles_have_the_interval_of_their_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).exponential(size=5007)
    expected = interval(values, draws=4000)
    monkeypatch.setattr(intervals, "BUNDLES", 500)
    found = interval(values, draws=4000)
    assert found != expected
    near(found, expected)


def test_95_of_100_intervals_hold_the_true_accuracy() -> None:
    rng = np.random.default_rng(5)
    ends = [interval(rng.random(300) < 0.8, draws=300, seed=seed) for seed in range(400)]
    covered = np.mean([low <= 0.8 <= high for low, high in ends])
    assert 0.92 <= covered <= 0.975


def test_intervals_of_labels_are_those_of_drawn_examples() -> None:
    targets, probabilities = some_answers(150, seed=6)
    found = classification(targets, probabilities, LABELS).intervals(draws=3000)
    answers = probabilities.argmax(1)

    def macro(rows: NDArray[np.int64]) -> float:
        return float(metrics.f1_score(targets[rows], answers[rows], average="macro"))

    near(found["accuracy"], interval(targets == answers, draws=3000))
    near(found["macro_f1"], interval(macro, 150, draws=800))


def test_intervals_of_tags_that_are_sequences_of_their_own_are_those_of_labels() -> None:
    targets, probabilities = some_answers(150, seed=7)
    answers = probabilities.argmax(1)
    alone = tagging(targets, answers, LABELS, np.ones(150, np.int64)).intervals(draws=3000)
    for name, ends in tagging(targets, answers, LABELS).intervals(draws=3000).items():
        near(alone[name], ends)


def test_sequences_whose_tokens_are_alike_have_wider_intervals() -> None:
    right = np.repeat(np.random.default_rng(8).random(40) < 0.7, 9)
    targets = np.zeros(360, np.int64)
    targets[::9] = IGNORED
    answers = np.where(right, 0, 1)
    tokens = tagging(targets, answers, "ab").intervals()["accuracy"]
    sentences = tagging(targets, answers, "ab", np.full(40, 9)).intervals()["accuracy"]
    near(sentences, interval(right[::9], draws=3000))
    assert sentences[1] - sentences[0] > 2 * (tokens[1] - tokens[0])


def test_intervals_of_several_labels_are_those_of_drawn_examples() -> None:
    rng = np.random.default_rng(9)
    y, p = rng.random((120, K)) < 0.3, rng.random((120, K))
    p = np.where(y, p**0.5, p**2)
    found = multilabel(y, p, LABELS).intervals(draws=3000)
    for name in found:
        by_rows = interval(
            lambda rows, name=name: multilabel(y[rows], p[rows], LABELS).summary()[name],
            120,
            draws=1500,
            seed=1,
        )
        near(found[name], by_rows)


def test_intervals_of_numbers_are_those_of_drawn_examples() -> None:
    rng = np.random.default_rng(10)
    y = rng.normal(50, 3, size=(80, 2))
    p = y + rng.normal(0, 1.5, size=(80, 2))
    found = regression(y, p).intervals(draws=3000)
    for name in found:
        by_rows = interval(
            lambda rows, name=name: regression(y[rows], p[rows]).summary()[name],
            80,
            draws=1500,
            seed=1,
        )
        near(found[name], by_rows)


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(0, 100))
def test_every_interval_lies_within_what_scores_can_be(n: int, seed: int) -> None:
    targets, probabilities = some_answers(n, seed)
    result = classification(targets, probabilities, LABELS)
    for low, high in result.intervals(draws=100, seed=seed).values():
        assert 0 <= low <= high <= 1


def test_the_loss_that_equal_probabilities_have() -> None:
    result = classification(np.arange(K), np.full((K, K), 1 / K), LABELS)
    assert exp(result.log_loss) == pytest.approx(K)
