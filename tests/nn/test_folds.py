"""Folds of the data, and groups that stay together: as scikit-learn's own have their properties."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, TimeSeriesSplit

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data import folds, groups
from gai.nn.data.preparing import Parts, prepare
from gai.nn.data.raw import Raw
from gai.nn.data.series import windows
from gai.nn.data.splits import split

LABELS = st.lists(st.sampled_from("aaaabbbcd"), min_size=2, max_size=80)
SEEDS = st.integers(0, 5)


def raw_of(labels: Any, of: list[str] | None = None) -> Raw:
    """Examples with these labels, in these groups."""
    ids = [str(k) for k in range(len(labels))]
    return Raw(ids, texts=ids, labels=labels, groups=of)


def counted(fold: Any, labels: list[str], count: int) -> Any:
    """How many examples of each label are in each fold: [folds, labels]."""
    names = sorted(set(labels))
    return np.array(
        [
            [sum(f == k and y == name for f, y in zip(fold, labels, strict=True)) for name in names]
            for k in range(count)
        ]
    )


@given(labels=LABELS, count=st.integers(2, 7), seed=SEEDS)
def test_folds_are_even_in_size_and_in_each_class(labels: list[str], count: int, seed: int) -> None:
    fold = folds.assigned(raw_of(labels), count, seed)
    table = counted(fold, labels, count)
    assert table.sum() == len(labels)
    assert (np.ptp(table, axis=0) <= 1).all()
    assert np.ptp(table.sum(1)) <= 1
    again = folds.assigned(raw_of(labels), count, seed)
    assert fold.tolist() == again.tolist()


def test_another_seed_makes_other_folds() -> None:
    raw = raw_of(["a", "b"] * 20)
    first, second = (folds.assigned(raw, 4, seed).tolist() for seed in (1, 2))
    assert first != second


@pytest.mark.parametrize("labels", [None, np.zeros((23, 1)), [("a", "b")] * 23])
def test_without_one_label_an_example_folds_are_random_and_even(labels: Any) -> None:
    ids = [str(k) for k in range(23)]
    fold = folds.assigned(Raw(ids, texts=ids, labels=labels), 5, 1)
    assert sorted(Counter(fold.tolist()).values()) == [4, 4, 5, 5, 5]
    assert fold.tolist() != sorted(fold.tolist())


@given(labels=LABELS, count=st.integers(2, 5), data=st.data(), seed=SEEDS)
def test_no_group_is_in_two_folds_and_no_fold_is_empty(
    labels: list[str], count: int, data: st.DataObject, seed: int
) -> None:
    size = len(labels)
    of = data.draw(st.lists(st.integers(0, 9).map(str), min_size=size, max_size=size))
    fold = folds.assigned(raw_of(labels, of), count, seed)
    assert len(set(zip(of, fold.tolist(), strict=True))) == len(set(of))
    assert len(set(fold.tolist())) == min(count, len(set(of)))


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_dealt_as_evenly_as_scikit_learn_deals_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    of = [str(number) for number in random.zipf(1.7, 600) % 60]
    labels = [str(number) for number in random.integers(0, 4, 600)]
    mine = counted(folds.assigned(raw_of(labels, of), 5, seed), labels, 5)
    peer = np.zeros(600, int)
    for number, (_, held) in enumerate(
        StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(labels, labels, of)
    ):
        peer[held] = number
    assert mine.std(0).mean() <= 1.1 * counted(peer, labels, 5).std(0).mean() + 0.5
    plain = folds.assigned(raw_of(np.zeros((600, 1)), of), 5, seed)
    sizes = sorted(Counter(plain.tolist()).values())
    peers = sorted(len(held) for _, held in GroupKFold(5).split(labels, groups=of))
    assert np.ptp(sizes) <= np.ptp(peers) + 2


@given(labels=LABELS, data=st.data(), fraction=st.floats(0.1, 0.5), seed=SEEDS)
def test_what_is_held_out_shares_no_group_with_the_rest(
    labels: list[str], data: st.DataObject, fraction: float, seed: int
) -> None:
    size = len(labels)
    of = data.draw(st.lists(st.sampled_from("uvwxyz"), min_size=size, max_size=size))
    if len(set(of)) < 2:
        with pytest.raises(GaiError, match="cannot be split"):
            split(raw_of(labels, of), fraction, seed)
        return
    train, held = split(raw_of(labels, of), fraction, seed)
    assert {of[row] for row in train}.isdisjoint(of[row] for row in held)
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(size))


def test_a_share_of_the_groups_is_about_a_share_of_the_examples() -> None:
    of = [str(number // 4) for number in range(400)]
    part = groups.dealt(raw_of(["a", "b"] * 200, of), (0.8, 0.2), np.random.default_rng(0))
    assert abs((part == 1).sum() - 80) <= 4


def series(count: int, horizon: int) -> Raw:
    """Windows over a series that counts up."""
    steps = np.arange(count, dtype=np.float32)[:, None]
    inputs, targets = windows(steps, 5, horizon)
    return Raw([str(k) for k in range(len(inputs))], array=inputs, labels=targets)


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_series_is_foretold_from_what_came_before(horizon: int) -> None:
    raw = series(60, horizon)
    config = Config(task="forecast")
    peers = TimeSeriesSplit(4, gap=horizon - 1).split(np.arange(len(raw)))
    for number, (before, after) in enumerate(peers, 1):
        train, held = folds.held_out(raw, config.with_(fold=f"{number}/4"))
        assert list(held.ids) == [str(row) for row in after]
        assert list(train.ids) == [str(row) for row in before]
        assert isinstance(train.labels, np.ndarray)
        assert isinstance(held.labels, np.ndarray)
        assert train.labels.max() < held.labels.min()  # nothing that is to be foretold is known


@given(
    texts=st.lists(st.text("ab\n", max_size=9), min_size=1, max_size=5),
    count=st.integers(2, 4),
)
def test_the_pieces_of_a_text_are_all_of_it(texts: list[str], count: int) -> None:
    whole, config = "".join(texts), Config(task="lm")
    raw = Raw([str(k) for k in range(len(texts))], texts=texts)
    found = []
    for number in range(1, count + 1):
        one = config.with_(fold=f"{number}/{count}")
        if len(whole) < count:
            with pytest.raises(UsageError, match="folds of a text"):
                folds.held_out(raw, one)
            return
        train, held = folds.held_out(raw, one)
        found.append("".join(held.texts or []))
        place = len("".join(found[:-1]))
        rest = whole[:place] + whole[place + len(found[-1]) :]
        assert "".join(train.texts or []) == rest
        assert len(held.ids) == len(held.texts or [])
    assert "".join(found) == whole
    assert max(map(len, found)) - min(map(len, found)) <= 1


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "1", "a/b", "-1/5", "1/5/2", ""])
def test_a_fold_that_is_none(fold: str) -> None:
    with pytest.raises(UsageError, match="not a fold"):
        folds.numbers_of(fold)


@pytest.mark.parametrize(
    ("labels", "of", "count", "message"),
    [
        (list("aab"), None, 4, "4 folds of 3 examples"),
        (list("aabbcc"), None, 3, "no label has more than 2"),
        (list("aabb"), list("uuvv"), 3, "3 folds of 2 groups"),
    ],
)
def test_more_folds_than_there_can_be(
    labels: list[str], of: list[str] | None, count: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        folds.require(raw_of(labels, of), count)


def test_as_many_windows_as_folds_leave_nothing_to_learn_from() -> None:
    series = Raw(list("abcde"), array=np.zeros((5, 3, 1), np.float32), labels=np.zeros((5, 1)))
    for number in range(1, 6):
        with pytest.raises(UsageError, match="5 windows are too few for 5 folds"):
            folds.by_time(series, number, 5)
    assert [len(folds.by_time(series, number, 4)[1]) for number in range(1, 5)] == [1] * 4


def test_rare_labels_are_named() -> None:
    assert folds.note(raw_of(list("aaabbbc")), 3) == (
        "labels with fewer examples than there are folds: 'c'"
    )
    assert folds.note(raw_of(list("aabb")), 2) is None
    assert folds.note(raw_of(np.zeros((3, 1))), 3) is None


@pytest.fixture
def users(tmp_path: Path) -> str:
    """Sixty texts of twelve users, of whom each has a word of his own."""
    rows = [
        {"text": f"word{n % 5} u{n % 12}", "label": "ab"[n % 2], "user": n % 12} for n in range(60)
    ]
    path = tmp_path / "users.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def prepared(path: str, **said: Any) -> Parts:
    return prepare({"model": "mlp", "data": (path,), **said})


def test_a_fold_tests_and_its_groups_are_nowhere_else(users: str) -> None:
    seen: list[str] = []
    for number in range(1, 5):
        parts = prepared(users, fold=f"{number}/4", group_field="user", valid="0.2")
        of = {name: set(raw.groups or []) for name, raw in parts.raw.items()}
        assert of.keys() == {"train", "valid", "test"}
        assert not of["train"] & of["test"]
        assert not of["train"] & of["valid"]
        assert not of["valid"] & of["test"]
        assert parts.encoding.vocabulary is not None
        terms = set(parts.encoding.vocabulary.terms)
        assert {f"u{user}" for user in of["train"]} == {t for t in terms if t[0] == "u"}  # no leak
        seen += parts.raw["test"].ids
    assert sorted(seen) == sorted(f"{users}:{n}" for n in range(1, 61))


def test_the_seed_of_the_split_alone_decides_what_is_held_out(users: str) -> None:
    one = prepared(users, seed=1, split_seed=7)
    two = prepared(users, seed=2, split_seed=7)
    other = prepared(users, seed=2)
    assert list(one.raw["valid"].ids) == list(two.raw["valid"].ids)
    assert list(one.raw["valid"].ids) != list(other.raw["valid"].ids)
    assert list(other.raw["valid"].ids) == list(
        prepared(users, seed=2, split_seed=2).raw["valid"].ids
    )


def test_a_resample_has_as_many_examples_some_of_them_twice(users: str) -> None:
    plain = prepared(users, split_seed=1)
    again = prepared(users, split_seed=1, bootstrap=True, seed=5)
    ids = list(again.raw["train"].ids)
    assert len(ids) == len(again.train) == len(plain.train)
    assert set(ids) < set(plain.raw["train"].ids)
    assert 0.4 < len(set(ids)) / len(ids) < 0.85
    assert list(again.train.ids) == ids
    assert again.encoding.described() == plain.encoding.described()  # all members read alike
    assert prepared(users, split_seed=1, bootstrap=True, seed=6).raw["train"].ids != ids
    assert list(again.raw["valid"].ids) == list(plain.raw["valid"].ids)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"group_field": "usr"}, "no field 'usr'"),
        ({"group_field": "user", "fold": "1/13"}, "13 folds of 12 groups"),
        ({"fold": "1/5", "test": "0.1"}, "--fold 1/5 and --test 0.1"),
        ({"fold": "9/5"}, "--fold 9/5: not a fold"),
    ],
)
def test_folds_and_groups_that_cannot_be(users: str, said: dict[str, Any], message: str) -> None:
    with pytest.raises(GaiError, match=message):
        prepared(users, **said)


def test_groups_of_what_has_no_fields() -> None:
    with pytest.raises(UsageError, match="the data has no groups"):
        prepared("@iris", group_field="species")


def test_an_empty_group_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("text,label,user\na,x,1\nb,y,\n")
    with pytest.raises(GaiError, match=r"d\.csv:3: the group is empty"):
        prepared(str(path), group_field="user")


def test_language_models_are_not_drawn_from(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("to be or not to be\n" * 40)
    said = {"model": "gru", "data": (str(tmp_path / "t.txt"),), "context": 8}
    with pytest.raises(UsageError, match="--bootstrap"):
        prepare({**said, "bootstrap": True})
    parts = prepare({**said, "fold": "2/3"})
    assert parts.test is not None
