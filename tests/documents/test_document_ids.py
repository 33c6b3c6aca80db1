from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.documents import DocumentIds
from gai.errors import GaiError

NAMES = st.lists(st.text(max_size=4), max_size=5)
LINES = st.tuples(st.sampled_from(["a", "b", "ä:1"]), st.integers(0, 5))
STEPS = st.lists(st.one_of(NAMES, LINES), max_size=8)


def whole(steps: list[list[str] | tuple[str, int]]) -> tuple[DocumentIds, list[str]]:
    """Every step in one call, and the ids as a plain list."""
    ids, plain = DocumentIds(), []
    for step in steps:
        if isinstance(step, list):
            ids.append_names(step)
            plain += step
        else:
            ids.append_lines(*step, restart=True)
            plain += [f"{step[0]}:{number}" for number in range(1, step[1] + 1)]
    return ids, plain


def one_by_one(steps: list[list[str] | tuple[str, int]]) -> DocumentIds:
    """Every id in a call of its own."""
    ids = DocumentIds()
    for step in steps:
        if isinstance(step, list):
            for name in step:
                ids.append_names([name])
        else:
            for number in range(step[1]):
                ids.append_lines(step[0], 1, restart=number == 0)
    return ids


@given(STEPS)
def test_it_is_the_list_of_the_ids(steps: list[list[str] | tuple[str, int]]) -> None:
    ids, plain = whole(steps)
    assert list(ids) == plain
    assert len(ids) == len(plain)
    assert [ids[index] for index in range(len(ids))] == plain
    assert [ids[index - len(ids)] for index in range(len(ids))] == plain


@given(STEPS, st.slices(20))
def test_slices_are_those_of_a_list(
    steps: list[list[str] | tuple[str, int]], section: slice
) -> None:
    ids, plain = whole(steps)
    assert ids[section] == plain[section]


@given(STEPS)
def test_arrays_do_not_tell_how_the_ids_were_appended(
    steps: list[list[str] | tuple[str, int]],
) -> None:
    arrays, others = whole(steps)[0].to_arrays(), one_by_one(steps).to_arrays()
    assert arrays.keys() == others.keys()
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], others[name])


@given(STEPS)
def test_a_stored_file_gives_the_ids_back(steps: list[list[str] | tuple[str, int]]) -> None:
    ids, plain = whole(steps)
    file = io.BytesIO()
    np.savez(file, **ids.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = DocumentIds.from_arrays(arrays)
    assert list(again) == plain
    again.append_names(["one more"])
    assert again[-1] == "one more"


def test_ids_read_while_they_grow() -> None:
    ids = DocumentIds()
    ids.append_lines("a", 2, restart=True)
    assert ids[1] == "a:2"
    ids.append_lines("a", 2, restart=False)
    assert ids[3] == "a:4"
    assert list(ids) == ["a:1", "a:2", "a:3", "a:4"]


def test_an_index_outside_is_an_error() -> None:
    ids, _ = whole([["x", "y"]])
    with pytest.raises(IndexError):
        ids[2]
    with pytest.raises(IndexError):
        ids[-3]


def test_a_million_lines_cost_no_more_than_one() -> None:
    ids = DocumentIds()
    for _ in range(1000):
        ids.append_lines("reviews.txt", 1000, restart=False)
    assert ids[999_999] == "reviews.txt:1000000"
    assert sum(array.nbytes for array in ids.to_arrays().values()) < 100


def test_file_names_that_are_no_utf8_survive() -> None:
    ids = DocumentIds()
    ids.append_names(["caf\udce9.txt"])
    ids.append_lines("caf\udce9", 1, restart=True)
    assert list(DocumentIds.from_arrays(ids.to_arrays())) == ["caf\udce9.txt", "caf\udce9:1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("documents_arena", np.zeros(3, np.int64)),
        ("documents_arena", np.zeros(3, np.uint8)),
        ("documents_offsets", np.array([0, 9, 2], np.int64)),
        ("documents_offsets", np.zeros(0, np.int64)),
        ("documents_runs", np.array([[0, 0, 0, 3]], np.int64)),
        ("documents_runs", np.array([[0, -1, 0, 1]], np.int64)),
        ("documents_runs", np.array([[1, 2, 1, 5]], np.int64)),
        ("documents_runs", np.array([[2, 0, 0, 1]], np.int64)),
        ("documents_runs", np.array([[1, 0, 1, -5]], np.int64)),
        ("documents_runs", np.array([1, 0, 1, 5], np.int64)),
    ],
)
def test_damaged_arrays_are_refused(name: str, value: np.ndarray) -> None:
    ids, _ = whole([["x", "y"]])
    with pytest.raises(GaiError, match="damaged"):
        DocumentIds.from_arrays({**ids.to_arrays(), name: value})
