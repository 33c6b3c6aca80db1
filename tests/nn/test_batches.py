"""Which examples a batch has, in which order they come, and how they are laid out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gai.nn.data.arrays import IGNORED, PAD, Dataset, Ragged, Sparse
from gai.nn.net.batches import POOLED, Shuffled, Windows, in_turn, taker, windows
from gai.nn.net.models.mlp import SparseLinear

CPU = torch.device("cpu")

sizes = st.integers(1, 60)
seeds = st.integers(0, 2**40)


def ragged(rows: Sequence[Sequence[int]], features: int = 0) -> Ragged:
    shape = (-1, features) if features else (-1,)
    values = np.array([value for row in rows for value in row], np.int32).reshape(shape)
    return Ragged(values, np.cumsum([0, *map(len, rows)], dtype=np.int64))


def lengths_of(rows: Sequence[int]) -> Dataset:
    """Examples of these lengths."""
    return Dataset(ragged([[2] * length for length in rows]), None, [""] * len(rows))


def ids(count: int) -> list[str]:
    return [str(number) for number in range(count)]


@given(sizes, st.integers(0, 70), seeds, st.integers(0, 3), st.booleans())
def test_each_example_comes_once_an_epoch(
    size: int, batch_size: int, seed: int, epoch: int, bucketed: bool
) -> None:
    lengths = np.arange(size) * 7 % 11 if bucketed else None
    order = Shuffled(size, batch_size, seed, lengths)
    batches = order.epoch(epoch)
    assert np.sort(np.concatenate(batches)).tolist() == list(range(size))
    assert len(batches) == order.batches
    counts = sorted(map(len, batches))
    assert counts[-1] == min(batch_size or size, size)
    assert all(count == counts[-1] for count in counts[1:])  # one alone may be smaller


def test_an_order_is_that_of_its_seed_and_its_epoch_and_of_nothing_else() -> None:
    def orders(seed: int, lengths: NDArray[np.int64] | None) -> list[list[int]]:
        order = Shuffled(50, 8, seed, lengths)
        return [np.concatenate(order.epoch(number)).tolist() for number in (1, 0, 1)]

    for lengths in (None, np.arange(50) % 5):
        later, first, again = orders(1, lengths)
        assert later == again != first
        assert [later, first, again] == orders(1, lengths)
        assert first != orders(2, lengths)[1]


def test_texts_of_like_length_come_together_and_batches_in_any_order() -> None:
    lengths = np.random.default_rng(1).integers(1, 200, 2000)
    order = Shuffled(2000, 10, 1, lengths)
    batches = order.epoch(0)
    padded = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
    assert padded < 1.05 * lengths.sum()  # without buckets nearly twice as much
    means = [lengths[rows].mean() for rows in batches[:POOLED]]
    assert means != sorted(means)


@given(sizes, st.integers(1, 9), st.integers(0, 9), seeds, st.integers(0, 3))
def test_windows_lie_within_the_text_and_do_not_overlap(
    more: int, context: int, batch_size: int, seed: int, epoch: int
) -> None:
    size = context + 1 + more  # what `require` of preparing asks for
    order = Windows(size, context, batch_size, seed)
    batches = order.epoch(epoch)
    starts = np.concatenate(batches)
    assert starts.min() >= 0
    assert starts.max() + context <= size - 1  # the last target is there
    assert (np.diff(np.sort(starts)) >= context).all()
    assert len(batches) == order.batches >= 1
    assert len({len(rows) for rows in batches}) == 1


def test_windows_cover_nearly_all_of_the_text_and_begin_anywhere() -> None:
    order = Windows(1000, 10, 4, 1)
    assert sum(map(len, order.epoch(0))) * 10 >= 1000 - 10 - 4 * 10
    first = {min(int(rows.min()) for rows in order.epoch(number)) for number in range(60)}
    assert len(first) > 5
    assert order.epoch(3)[0].tolist() == Windows(1000, 10, 4, 1).epoch(3)[0].tolist()
    full = Windows(1000, 10, 0, 1)
    assert [len(rows) for rows in full.epoch(0)] == [99]


def test_a_window_has_the_ids_that_follow_as_targets() -> None:
    batch = windows(np.arange(100, 120, dtype=np.int32), 4, CPU)(np.array([0, 15]))
    assert batch.inputs.values.tolist() == [[100, 101, 102, 103], [115, 116, 117, 118]]
    assert batch.targets is not None
    assert batch.targets.tolist() == [[101, 102, 103, 104], [116, 117, 118, 119]]
    assert batch.inputs.lengths is not None
    assert batch.inputs.lengths.tolist() == [4, 4]
    assert batch.inputs.values.dtype == batch.targets.dtype == torch.int64


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 60))
def test_in_turn_each_example_comes_once_and_no_batch_is_too_large(
    lengths: list[int], cells: int
) -> None:
    batches = list(in_turn(lengths_of(lengths), 7, cells))
    rows = [row for batch in batches for row in batch.tolist()]
    assert sorted(rows) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert len(batch) * longest <= cells or len(batch) == 1


def test_one_long_text_does_not_make_all_others_as_long() -> None:
    data = lengths_of([3] * 1000 + [5000])
    batches = list(in_turn(data, 7, 6000))
    assert max(len(rows) * int(data.lengths[rows].max()) for rows in batches) <= 6000  # type: ignore[index]
    assert len(batches) == 2


def test_what_has_no_length_comes_in_turn_as_it_is() -> None:
    data = Dataset(np.zeros((5, 2), np.float32), None, ids(5))
    assert [rows.tolist() for rows in in_turn(data, 2, 1)] == [[0, 1], [2, 3], [4]]


def test_ids_are_padded_behind_their_ends() -> None:
    data = Dataset(ragged([[5, 6, 7], [], [8]]), np.array([2, 0, 1]), ids(3))
    batch = taker(data, CPU)(np.array([2, 0, 1]))
    assert batch.inputs.values.tolist() == [[8, PAD, PAD], [5, 6, 7], [PAD, PAD, PAD]]
    assert batch.inputs.lengths is not None
    assert batch.inputs.lengths.tolist() == [1, 3, 0]
    assert batch.targets is not None
    assert batch.targets.tolist() == [1, 2, 0]
    assert batch.size == 3


def test_texts_without_a_token_have_one_place() -> None:
    batch = taker(Dataset(ragged([[], []]), None, ids(2)), CPU)(np.array([0, 1]))
    assert batch.inputs.values.tolist() == [[PAD], [PAD]]
    assert batch.targets is None


def test_tags_are_padded_with_what_the_loss_ignores() -> None:
    tokens = ragged([[1, 2], [3, 4], [5, 6]], features=2)._replace(offsets=np.array([0, 1, 3]))
    data = Dataset(tokens, np.array([7, 8, 9]), ids(2), per_token=True)
    batch = taker(data, CPU)(np.array([1, 0]))
    assert batch.inputs.values.tolist() == [[[3, 4], [5, 6]], [[1, 2], [PAD, PAD]]]
    assert batch.targets is not None
    assert batch.targets.tolist() == [[8, 9], [7, IGNORED]]


rows_of_cells = st.lists(st.dictionaries(st.integers(0, 5), st.floats(-9, 9, width=16)), max_size=6)


@given(rows_of_cells, st.data())
def test_a_sparse_batch_is_the_dense_one(rows: list[dict[int, float]], data: st.DataObject) -> None:
    which = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    cells = [(column, value) for row in rows for column, value in sorted(row.items())]
    sparse = Sparse(
        np.cumsum([0, *map(len, rows)], dtype=np.int64),
        np.array([column for column, _ in cells], np.int32),
        np.array([value for _, value in cells], np.float32),
        6,
    )
    dense = torch.zeros(len(rows), 6)
    for place, row in enumerate(rows):
        for column, value in row.items():
            dense[place, column] = value
    batch = taker(Dataset(sparse, None, ids(len(rows))), CPU)(np.array(which, np.int64))
    layer = SparseLinear(6, 3)
    expected = dense[which] @ layer.weight + layer.bias
    assert torch.allclose(layer(batch.inputs), expected, atol=1e-5)


def test_numbers_and_their_targets_are_taken_by_row() -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)[::-1]  # not contiguous
    targets = np.arange(4, dtype=np.float32)[:, None]
    batch = taker(Dataset(values, targets, ids(4)), CPU)(np.array([3, 0]))
    assert batch.inputs.values.tolist() == [[0, 1, 2], [9, 10, 11]]
    assert batch.inputs.lengths is None
    assert batch.targets is not None
    assert batch.targets.tolist() == [[3], [0]]
    assert batch.size == 2
