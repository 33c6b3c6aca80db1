"""Training and validation parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import Raw, RawLabels, read
from gai.nn.data.series import windows
from gai.nn.data.splits import shares, split, split_texts

FRACTION = st.floats(0.05, 0.9)


def raw_of(labels: RawLabels | None, count: int | None = None) -> Raw:
    number = count if labels is None else len(labels)
    assert number is not None
    ids = [str(k) for k in range(number)]
    return Raw(ids, texts=ids, labels=labels)


@given(
    labels=st.lists(st.sampled_from("aaaabbbcd"), min_size=2, max_size=60).filter(
        lambda labels: max(Counter(labels).values()) > 1
    ),
    fraction=FRACTION,
    seed=st.integers(0, 5),
)
def test_every_row_is_in_one_part_and_every_class_in_training(
    labels: list[str], fraction: float, seed: int
) -> None:
    train, valid = split(raw_of(labels), fraction, seed)
    assert sorted([*train.tolist(), *valid.tolist()]) == list(range(len(labels)))
    assert train.tolist() == sorted(train.tolist())
    assert valid.tolist() == sorted(valid.tolist())
    assert {labels[row] for row in train} == set(labels)
    held = Counter(labels[row] for row in valid)
    for label, count in Counter(labels).items():
        assert abs(held[label] - count * fraction) < 1 or held[label] == count - 1
    assert len(valid) <= max(round(len(labels) * fraction), 1)


@given(sizes=st.lists(st.integers(20, 50), min_size=1, max_size=9), fraction=st.floats(0.05, 0.5))
def test_the_validation_part_has_the_size_that_was_asked_for(
    sizes: list[int], fraction: float
) -> None:
    assert sum(shares(sizes, fraction)) == round(sum(sizes) * fraction)


def test_one_of_each_class_stays_even_where_rounding_would_take_it() -> None:
    sizes = list(range(1, 50))
    assert shares(sizes, 1 - 2**-53) == [size - 1 for size in sizes]


@given(
    sizes=st.lists(st.integers(10, 60), min_size=2, max_size=6),
    fraction=st.sampled_from([0.1, 0.2, 0.25, 0.5]),
)
def test_shares_are_those_of_scikit_learn_to_one(sizes: list[int], fraction: float) -> None:
    from sklearn.model_selection import StratifiedShuffleSplit

    labels = [str(k) for k, size in enumerate(sizes) for _ in range(size)]
    theirs = StratifiedShuffleSplit(1, test_size=fraction, random_state=0)
    _, held = next(theirs.split(np.zeros(len(labels)), labels))
    counts = Counter(labels[row] for row in held)
    expected = [counts[str(k)] for k in range(len(sizes))]
    assert np.abs(np.array(shares(sizes, fraction)) - expected).max() <= 1


def test_banking77_keeps_its_proportions(corpora: Path) -> None:
    path = str(corpora / "banking77" / "train.csv")
    raw = read((path,), Config(label_field=("category",)))
    assert isinstance(raw.labels, list)
    train, valid = split(raw, 0.2, seed=1)
    assert len(valid) == round(0.2 * len(raw))
    held = Counter(raw.take(valid).labels or [])
    for label, count in Counter(raw.labels).items():
        assert abs(held[label] - 0.2 * count) < 1
    assert not set(train.tolist()) & set(valid.tolist())


def test_a_seed_draws_the_same_rows_on_every_machine() -> None:
    labels = ["a", "b"] * 10
    train, valid = split(raw_of(labels), 0.3, seed=1)
    again = split(raw_of(labels), 0.3, seed=1)
    assert (train.tolist(), valid.tolist()) == (again[0].tolist(), again[1].tolist())
    assert valid.tolist() == FIXED
    assert split(raw_of(labels), 0.3, seed=2)[1].tolist() != FIXED


FIXED = [1, 3, 8, 14, 16, 17]
"""Written down once: another numpy must not give another split."""


def test_classes_whose_names_end_in_nul_are_two() -> None:
    train, _ = split(raw_of(["a", "a\0", "a", "a"]), 0.5, seed=1)
    assert 1 in train


@pytest.mark.parametrize(
    "labels",
    [None, [("a",)] * 10, [["X"]] * 10, np.zeros((10, 1))],
    ids=["none", "several", "tags", "numbers"],
)
def test_other_labels_are_drawn_from_all(labels: RawLabels | None) -> None:
    raw = raw_of(labels, 10)
    train, valid = split(raw, 0.2, seed=3)
    assert (len(train), len(valid)) == (8, 2)
    assert split(raw, 0.2, seed=4)[1].tolist() != valid.tolist()


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_series_is_split_by_time_and_no_target_is_in_both_parts(horizon: int) -> None:
    series = np.arange(40, dtype=np.float32)[:, None]
    inputs, targets = windows(series, 5, horizon)
    raw = Raw([str(k) for k in range(len(inputs))], array=inputs, labels=targets)
    train, valid = split(raw, 0.25, seed=1, by_time=True)
    assert valid.tolist() == list(range(len(raw) - round(len(raw) * 0.25), len(raw)))
    assert train.tolist() == list(range(valid[0] - horizon + 1))
    learned = set(targets[train].ravel().tolist())
    assert not learned & set(targets[valid].ravel().tolist())
    assert max(learned) + 1 == targets[valid].min()


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5])
def test_a_fraction_lies_between_0_and_1(fraction: float) -> None:
    with pytest.raises(UsageError, match="not between 0 and 1"):
        split(raw_of(["a", "b"]), fraction, 1)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (raw_of(["a"]), "1 example cannot be split"),
        (raw_of(["a", "b"]), "2 examples, one of each class, cannot be split"),
        (raw_of(None, 1), "1 example cannot be split"),
    ],
)
def test_too_few_examples_cannot_be_split(raw: Raw, message: str) -> None:
    with pytest.raises(GaiError, match=message):
        split(raw, 0.5, 1)


def test_too_short_a_series_cannot_be_split() -> None:
    inputs, targets = windows(np.zeros((7, 1), np.float32), 2, 4)
    raw = Raw(["1", "2"], array=inputs, labels=targets)
    with pytest.raises(GaiError, match="2 examples cannot be split"):
        split(raw, 0.5, 1, by_time=True)


@given(texts=st.lists(st.text(max_size=8), min_size=1, max_size=6), fraction=FRACTION)
def test_the_end_of_the_text_is_held_out(texts: list[str], fraction: float) -> None:
    raw = Raw([str(k) for k in range(len(texts))], texts=texts)
    whole = "".join(texts)
    cut = min(int(len(whole) * (1.0 - fraction)), len(whole) - 1)
    if cut < 1:
        with pytest.raises(GaiError, match="too short"):
            split_texts(raw, fraction)
        return
    first, last = split_texts(raw, fraction)
    assert "".join(first.texts or []) == whole[:cut]
    assert "".join(last.texts or []) == whole[cut:]
    for part in (first, last):
        for id, text in zip(part.ids, part.texts or [], strict=True):
            assert text
            assert text in texts[int(id)]


def test_tiny_shakespeare_is_split_as_nanogpt_splits_it(corpora: Path) -> None:
    path = str(corpora / "shakespeare" / "tinyshakespeare.txt")
    first, last = split_texts(read((path,), Config(task="lm")), 0.1)
    assert first.texts is not None
    assert last.texts is not None
    # nanoGPT's data/shakespeare_char/prepare.py prints these numbers
    assert (len(first.texts[0]), len(last.texts[0])) == (1_003_854, 111_540)
