"""Labels as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError
from gai.nn.data.arrays import IGNORED
from gai.nn.data.labels import NEVER, Labels

NAME = st.sampled_from(["a", "b", "B", "é", "10", "9"])


@given(labels=st.lists(NAME, min_size=2).filter(lambda labels: len(set(labels)) > 1))
def test_one_label_is_its_place_among_the_sorted_names(labels: list[str]) -> None:
    from sklearn.preprocessing import LabelEncoder

    found = Labels.of(labels)
    theirs = LabelEncoder()
    expected = theirs.fit_transform(labels)
    assert list(found.names) == theirs.classes_.tolist() == sorted(set(labels))
    assert found.encode(labels).dtype == np.int64
    assert found.encode(labels).tolist() == expected.tolist()
    assert len(found) == len(found.names)
    assert not found.several


@given(labels=st.lists(st.lists(NAME, unique=True).map(tuple), min_size=1).filter(any))
def test_several_labels_are_ones_among_zeros(labels: list[tuple[str, ...]]) -> None:
    from sklearn.preprocessing import MultiLabelBinarizer

    found = Labels.of(labels)
    theirs = MultiLabelBinarizer()
    expected = theirs.fit_transform(labels)
    assert found.several
    assert list(found.names) == theirs.classes_.tolist()
    assert found.encode(labels).dtype == np.float32
    assert found.encode(labels).tolist() == expected.tolist()


def test_tags_come_one_sentence_after_the_other() -> None:
    tags = [["Y", ""], [], ["X", "Y"]]
    found = Labels.of(tags)
    assert (found.names, found.several) == (("X", "Y"), False)
    assert found.encode(tags).tolist() == [1, IGNORED, 0, 1]
    assert found.encode([["Z", "X"]]).tolist() == [NEVER, 0]


def test_labels_that_training_never_saw_are_told_apart() -> None:
    one = Labels.of(["a", "b"])
    assert one.encode(["b", "z", "a", "z", "y"]).tolist() == [1, NEVER, 0, NEVER, NEVER]
    assert one.never_seen(["b", "z", "a", "z", "y"]) == {"y": 1, "z": 2}
    several = Labels.of([("a",), ("b", "c")])
    assert several.encode([("z", "c"), ()]).tolist() == [[0, 0, 1], [0, 0, 0]]
    assert several.never_seen([("z", "c"), ()]) == {"z": 1}
    assert one.never_seen([["a", "", "z"]]) == {"z": 1}


def test_one_label_fits_where_several_were_learned_and_not_the_other_way() -> None:
    assert Labels.of([("a",), ("b", "c")]).encode(["b"]).tolist() == [[0, 1, 0]]
    with pytest.raises(GaiError, match="several labels an example"):
        Labels.of(["a", "b"]).encode([("a", "b")])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["x", "x"], "training needs at least two classes, the data has only 'x'"),
        ([["X", "X"], ["X"]], "training needs at least two classes, the data has only 'X'"),
        ([["", ""]], "training needs at least two classes, the data has none"),
        ([(), ()], "training needs at least two classes, the data has none"),
        (np.zeros((2, 1)), "the labels are numbers, not names of classes"),
    ],
)
def test_what_cannot_be_told_apart_is_an_error(labels: Any, message: str) -> None:
    with pytest.raises(GaiError) as caught:
        Labels.of(labels)
    assert caught.value.message == message


def test_numbers_are_no_classes() -> None:
    with pytest.raises(GaiError, match="the labels are numbers"):
        Labels.of(["a", "b"]).encode(np.zeros((2, 1)))


def test_no_labels_are_no_numbers() -> None:
    assert Labels(("a", "b")).encode([]).shape == (0,)
    assert Labels(("a", "b"), several=True).encode([]).shape == (0, 2)
