"""The paired bootstrap test and McNemar's counts: against plain loops, and where the answer is
known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest
from sklearn.metrics import accuracy_score, f1_score, log_loss, r2_score

from gai.nn import scores
from gai.nn.data.arrays import IGNORED
from gai.nn.scores import paired
from gai.nn.scores.intervals import difference, drawn_together
from gai.nn.scores.paired import Sums

DRAWS = 100


def answers(seed: int, n: int = 60, k: int = 3, skill: float = 1.0) -> tuple[Any, Any]:
    """Labels, and probabilities that are right more often than not."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, k, n)
    said = random.normal(size=(n, k)) + skill * np.eye(k)[targets]
    shares = np.exp(said) / np.exp(said).sum(1, keepdims=True)
    return targets, shares.astype(np.float32)


def looped(
    score: Callable[[Any, Any], float], targets: Any, one: Any, other: Any, seed: int
) -> Any:
    """The differences of a score in the same draws, one draw after the other."""
    rows = np.random.default_rng(seed).integers(len(targets), size=(DRAWS, len(targets)))
    return np.array([score(targets[r], other[r]) - score(targets[r], one[r]) for r in rows])


def macro(targets: Any, shares: Any) -> float:
    """Macro F1 of the labels that occur in the targets or in the answers."""
    return float(f1_score(targets, shares.argmax(1), average="macro"))


def whole(shares: Any) -> Any:
    """Probabilities whose sum is 1 in 64 bits, too."""
    wide = shares.astype(np.float64)
    return wide / wide.sum(1, keepdims=True)


SCORES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": lambda y, p: float(accuracy_score(y, p.argmax(1))),
    "macro_f1": macro,
    "log_loss": lambda y, p: float(log_loss(y, whole(p), labels=[0, 1, 2])),
}


@pytest.mark.parametrize("name", SCORES)
def test_draws_are_those_of_a_plain_loop(name: str) -> None:
    targets, one = answers(1)
    other = answers(2)[1] * 0.5 + one * 0.5
    models = [paired.of_labels(targets, p) for p in (one, other)]
    sums = drawn_together([model.rows for model in models], draws=DRAWS, seed=5)
    first, second = (m.scores_of(s)[name] for m, s in zip(models, sums, strict=True))
    assert second - first == pytest.approx(looped(SCORES[name], targets, one, other, 5), abs=1e-6)
    (found,) = paired.differences(models, draws=DRAWS, seed=5)
    wanted = SCORES[name](targets, other) - SCORES[name](targets, one)
    assert found[name].value == pytest.approx(wanted, abs=1e-6)


def test_the_p_value_is_counted_over_the_draws() -> None:
    drawn = np.array([0.1, 0.2, 0.3, 0.45, -0.1])
    found = difference(0.2, drawn)
    assert found.p == (1 + 2) / 6  # 0.45 and -0.1 are 0.2 or more away from 0.2
    assert found[1:3] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist())
    assert difference(0.0, drawn).p == 1.0
    assert np.isnan(difference(float("nan"), drawn).p)
    assert np.isnan(difference(0.1, np.array([np.nan])).low)


def test_a_model_does_not_differ_from_itself() -> None:
    targets, shares = answers(3)
    sums = paired.of_labels(targets, shares)
    (found,) = paired.differences([sums, sums], draws=200)
    assert all((d.value, d.low, d.high, d.p) == (0, 0, 0, 1) for d in found.values())


def test_a_planted_difference_is_found() -> None:
    targets, weak = answers(4, n=400, skill=0.5)
    _, strong = targets, answers(4, n=400, skill=3.0)[1]
    (found,) = paired.differences([paired.of_labels(targets, p) for p in (weak, strong)])
    assert found["accuracy"].p < 0.01
    assert found["accuracy"].low > 0
    assert found["log_loss"].high < 0


def test_p_is_spread_evenly_where_models_are_equally_good() -> None:
    """Of two models that err independently and equally often p is below x in a share x of tests."""
    random = np.random.default_rng(6)
    found = []
    for trial in range(150):
        y = random.normal(size=(80, 1))
        one, other = (y + random.normal(size=y.shape) for _ in range(2))
        models = [paired.of_numbers(y, p) for p in (one, other)]
        (apart,) = paired.differences(models, draws=200, seed=trial)
        found.append(apart["mse"].p)
    assert kstest(found, "uniform").pvalue > 0.01
    assert 0.01 <= np.mean(np.array(found) < 0.05) <= 0.11


def test_all_models_are_drawn_alike_in_whatever_company() -> None:
    targets, one = answers(7)
    models = [paired.of_labels(targets, p) for p in (one, answers(8)[1], answers(9)[1])]
    pair = paired.differences(models[:2], draws=100, seed=1)
    three = paired.differences(models, draws=100, seed=1)
    assert three[0] == pair[0]


def test_numbers_have_the_scores_of_a_regression() -> None:
    random = np.random.default_rng(1)
    y, p = random.normal(size=(50, 2)), random.normal(size=(50, 2))
    found = paired.of_numbers(y, p).scores()
    assert found == pytest.approx(scores.regression(y, p).summary())
    rows = np.random.default_rng(3).integers(50, size=(DRAWS, 50))
    sums = drawn_together([paired.of_numbers(y, p).rows], draws=DRAWS, seed=3)[0]
    drawn = paired.of_numbers(y, p).scores_of(sums)
    assert drawn["r2"][:20] == pytest.approx([r2_score(y[r], p[r]) for r in rows[:20]])


def test_labels_that_training_never_saw_are_wrong_and_have_no_log_loss() -> None:
    targets, shares = answers(1)
    targets = np.where(np.arange(60) < 10, -1, targets)
    found = paired.of_labels(targets, shares)
    wanted = scores.classification(targets, shares, list("abc")).summary()
    assert found.scores() == pytest.approx({name: wanted[name] for name in found.scores()})
    assert found.right is not None
    assert not found.right[:10].any()


def test_several_labels_have_their_scores() -> None:
    random = np.random.default_rng(2)
    targets, shares = random.integers(0, 2, (40, 4)), random.random((40, 4))
    found = paired.of_several(targets, shares)
    assert found.scores() == pytest.approx(scores.multilabel(targets, shares, "abcd").summary())
    assert found.right is not None
    assert found.right.mean() == pytest.approx(found.scores()["subset_accuracy"])


def test_tags_are_drawn_by_sentence() -> None:
    random = np.random.default_rng(3)
    lengths = np.array([3, 0, 5, 2])
    targets, given = random.integers(0, 3, 10), random.integers(0, 3, 10)
    targets[4] = IGNORED
    found = paired.of_tags(targets, given, lengths, 3)
    wanted = scores.tagging(targets, given, list("abc"), lengths).summary()
    assert found.rows.shape[0] == 4
    assert found.scores() == pytest.approx({name: wanted[name] for name in found.scores()})


def test_pieces_of_a_text_make_the_scores_of_a_language_model() -> None:
    nats, tokens = np.array([10.0, 3.5]), np.array([6.0, 2.0])
    found = paired.of_texts(nats, tokens, np.array([30, 11]), np.array([33, 11])).scores()
    assert found == pytest.approx(scores.language(13.5, 8, 41, 44).summary())


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_mcnemar_counts_the_four_cases(pairs: list[tuple[bool, bool]]) -> None:
    one, other = (np.array([pair[k] for pair in pairs], bool) for k in (0, 1))
    found = paired.mcnemar(one, other)
    assert found[:4] == tuple(
        pairs.count(case) for case in ((True, True), (True, False), (False, True), (False, False))
    )
    n = found.only_first + found.only_second
    if n:
        assert found.p == pytest.approx(binomtest(found.only_first, n).pvalue)
    else:
        assert found.p == 1.0


def test_dense_and_sparse_rows_are_drawn_alike() -> None:
    from scipy.sparse import csr_array

    rows = np.random.default_rng(0).integers(0, 3, (30, 2)).astype(float)
    dense = Sums(rows, lambda sums: {"mean": sums[:, 0] / 30})
    mixed = drawn_together([dense.rows, csr_array(rows)], draws=20, seed=2)
    plain = drawn_together([dense.rows, rows], draws=20, seed=2)
    assert np.array_equal(mixed[0], plain[0])
    assert np.array_equal(mixed[1], plain[1])
