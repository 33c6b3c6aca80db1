"""Equal error rate, one-shot accuracy and similarities, against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

from gai.nn.scores import matching as scores
from gai.nn.scores.matching import matching

PAIRS = st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=2, max_size=60)


@given(PAIRS)
def test_the_equal_error_rate_is_where_sklearns_roc_curve_meets_the_diagonal(
    pairs: list[tuple[int, bool]],
) -> None:
    values = np.array([value / 10 for value, _ in pairs])
    alike = np.array([same for _, same in pairs])
    found = scores.equal_error(values, alike)
    if alike.all() or not alike.any():
        assert np.isnan(found.rate)
        assert np.isnan(found.threshold)
        return
    accepted, right, _ = roc_curve(alike, values, drop_intermediate=False)
    curve = interp1d(accepted, right)
    # Where the curve is vertical at 0 the line through it has no function; there the rate is 0.
    expected = brentq(lambda x: 1 - x - curve(x), 0, 1) if right[accepted == 0].max() < 1 else 0.0
    assert found.rate == pytest.approx(expected, abs=1e-9)


@given(PAIRS)
def test_the_threshold_makes_errors_as_equal_as_any_does(pairs: list[tuple[int, bool]]) -> None:
    values = np.array([value / 10 for value, _ in pairs])
    alike = np.array([same for _, same in pairs])
    if alike.all() or not alike.any():
        return

    def apart(threshold: float) -> float:
        yes = values >= threshold
        return abs(float(yes[~alike].mean() - (~yes[alike]).mean()))

    found = scores.equal_error(values, alike)
    assert apart(found.threshold) == pytest.approx(min(map(apart, values)), abs=1e-12)


def test_a_threshold_between_what_is_alike_and_what_differs_leaves_room_on_both_sides() -> None:
    found = scores.equal_error(
        np.array([0.2, 0.9, 0.8, -0.4]), np.array([False, True, True, False])
    )
    assert found == (0.0, pytest.approx(0.5))


def test_a_worked_example_of_three_pairs_that_are_alike_and_two_that_are_not() -> None:
    # In falling order: + - + - +. After two pairs 1/2 of the others is accepted and 2/3 of the
    # alike rejected; after three 1/2 and 1/3. They meet at 1/2.
    found = scores.equal_error(
        np.array([0.9, 0.7, 0.5, 0.3, 0.1]), np.array([True, False, True, False, True])
    )
    assert found.rate == pytest.approx(0.5)
    assert found.threshold in (pytest.approx(0.6), pytest.approx(0.4))


def test_episodes_are_of_distinct_classes_with_two_distinct_examples_of_each() -> None:
    classes = np.array([3, 1, 1, 0, 3, 3, 2, 0, 5, 2])  # 5 has one example
    found = scores.episodes(classes, ways=3, count=200, seed=4)
    assert found.shown.shape == found.asked.shape == (200, 3)
    for shown, asked in zip(found.shown, found.asked, strict=True):
        assert (classes[shown] == classes[asked]).all()
        assert (shown != asked).all()
        assert len(set(classes[shown])) == 3
    assert set(classes[found.shown].ravel()) == {0, 1, 2, 3}
    assert set(found.shown.ravel()) == set(found.asked.ravel()) == set(range(10)) - {8}


def test_episodes_are_the_same_for_the_same_seed_alone() -> None:
    classes = np.repeat(np.arange(5), 7)
    one, again, other = (scores.episodes(classes, seed=seed) for seed in (1, 1, 2))
    assert (one.shown == again.shown).all()
    assert (one.asked == again.asked).all()
    assert (one.shown != other.shown).any()


def test_one_shot_answers_are_those_of_plain_loops() -> None:
    rng = np.random.default_rng(3)
    classes = rng.integers(6, size=50)
    points = rng.standard_normal((50, 4)) + classes[:, None] * 0.7
    near = scores.nearness(points, points)
    asked = scores.episodes(classes, ways=4, count=40, seed=0)
    right = []
    for shown, queries in zip(asked.shown, asked.asked, strict=True):
        hits = 0
        for place, query in enumerate(queries):
            apart = [np.linalg.norm(points[query] - points[one]) for one in shown]
            hits += int(np.argmin(apart)) == place
        right.append(hits / 4)
    assert scores.one_shot(near, asked) == pytest.approx(right)


def test_separate_classes_have_no_errors_and_their_report_counts_them() -> None:
    classes = np.repeat(np.arange(4), 3)
    points = np.eye(4)[classes] + np.random.default_rng(0).normal(0, 0.01, (12, 4))
    found = matching(scores.cosines(points, points), classes)
    assert found.summary() == {
        "eer": 0.0, "threshold": pytest.approx(0.5, abs=0.1), "one_shot": 1.0, "chance": 0.25,
    }  # fmt: skip
    said = found.as_dict()
    assert (said["examples"], said["classes"], said["ways"]) == (12, 4, 4)
    assert said["pairs"] == {"alike": 4 * 3, "different": 12 * 11 // 2 - 12}
    assert found.intervals() == {"eer": (0.0, 0.0), "one_shot": (1.0, 1.0)}


def test_similarities_without_any_sense_are_at_chance() -> None:
    classes = np.repeat(np.arange(10), 20)
    points = np.random.default_rng(5).standard_normal((200, 6))
    found = matching(scores.cosines(points, points), classes)
    assert found.eer == pytest.approx(0.5, abs=0.03)
    assert found.one_shot == pytest.approx(0.1, abs=0.03)


def test_nothing_to_compare_is_nan_and_not_an_error() -> None:
    for classes in (np.zeros(3, np.int64), np.arange(3)):
        found = matching(np.eye(3), classes)
        assert all(np.isnan(found.summary()[name]) for name in ("eer", "threshold", "one_shot"))
        assert all(np.isnan(end) for ends in found.intervals().values() for end in ends)


def test_the_interval_of_the_rate_covers_that_of_other_examples_of_the_same_kind() -> None:
    rng = np.random.default_rng(7)

    def drawn(n: int) -> scores.Matching:
        classes = rng.integers(4, size=n)
        points = rng.standard_normal((n, 3)) + 1.5 * np.eye(4)[classes][:, :3]
        return matching(scores.nearness(points, points), classes)

    truth = np.mean([drawn(200).eer for _ in range(10)])
    inside = 0
    for _ in range(10):
        low, high = drawn(200).intervals(draws=60)["eer"]
        inside += low <= truth <= high
        assert 0.01 < high - low < 0.15
    assert inside >= 7


def test_an_interval_of_a_lower_level_lies_within_that_of_a_higher() -> None:
    classes = np.arange(40) % 8
    points = np.eye(8)[classes] + np.random.default_rng(0).standard_normal((40, 8)) / 2
    found = scores.matching(scores.cosines(points, points), classes)
    wide, narrow = (found.intervals(draws=40, level=level) for level in (0.95, 0.5))
    for name in ("eer", "one_shot"):
        assert wide[name][0] < narrow[name][0] < narrow[name][1] < wide[name][1]


def test_cosines_and_nearness_are_sklearns() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))
    assert scores.cosines(x, y) == pytest.approx(cosine_similarity(x, y))
    assert scores.nearness(x, y) == pytest.approx(1 / (1 + euclidean_distances(x, y)))
    assert np.diag(scores.cosines(x, x)) == pytest.approx(1.0, abs=1e-15)
    assert np.diag(scores.nearness(x, x)) == pytest.approx(1.0)
    assert (scores.cosines(np.zeros((1, 3)), y) == 0).all()


def test_labels_are_numbered_whether_training_saw_them_or_not() -> None:
    assert scores.numbered(["b", "a", "b", "1"]).tolist() == [2, 1, 2, 0]


def test_of_many_examples_the_same_ones_are_looked_at_in_their_order() -> None:
    rows = scores.chosen(50, most=20)
    assert len(rows) == 20
    assert (np.diff(rows) > 0).all()
    assert (rows == scores.chosen(50, most=20)).all()
    assert scores.chosen(7).tolist() == list(range(7))
