"""Generated examples: what comes in, what is to come out, and how answers are scored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from gai.errors import UsageError
from gai.nn import baselines
from gai.nn.config import Config, resolved
from gai.nn.data import algorithms
from gai.nn.data.algorithms import FRESH, TRAIN, VALID, batch, examples, require_room
from gai.nn.data.arrays import Dataset
from gai.nn.data.preparing import prepare
from gai.nn.names import GENERATED
from gai.nn.net import losses
from gai.nn.net.inputs import Inputs
from gai.nn.net.learning import algorithms as learning
from gai.nn.net.learning.algorithms import Endless, Judge, maker
from gai.nn.net.team import Team

CPU = torch.device("cpu")
NAMES = st.sampled_from(sorted(GENERATED))


def config(**choices: Any) -> Config:
    said = {"model": "ntm", "task": "algorithm", "data": ("@copy",)}
    return resolved({**said, **choices})


def made(name: str, number: int = 0, size: int = 3, **choices: Any) -> tuple[Any, Any]:
    return batch(name, config(**choices), number, size)


def parted(inputs: NDArray[Any], targets: NDArray[Any]) -> tuple[int, Any, Any]:
    """How long an example is, what comes in and what is to come out."""
    length = int(inputs[:, 8].argmax())
    due = ~np.isnan(targets).all(1)
    assert not due[: length + 1].any()
    assert due[length + 1 :].all()
    assert not inputs[length + 1 :].any()
    return length, inputs[:length, :8], targets[length + 1 :]


def test_every_name_has_something_that_makes_it() -> None:
    assert algorithms.MAKERS.keys() == GENERATED.keys()


@given(st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_copies_and_the_other_way_around(number: int) -> None:
    for name, turn in (("@copy", 1), ("@reverse", -1)):
        for inputs, targets in zip(*made(name, number), strict=True):
            length, bits, out = parted(inputs, targets)
            assert 1 <= length <= 20
            assert inputs.shape == (2 * length + 1, 9)
            assert np.array_equal(out, bits[::turn])
            assert set(np.unique(bits)) <= {0.0, 1.0}


@given(st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_sorts_by_falling_priority(number: int) -> None:
    for inputs, targets in zip(*made("@sort", number), strict=True):
        length, bits, out = parted(inputs, targets)
        priority = inputs[:length, 9].tolist()
        assert -1.0 <= min(priority) <= max(priority) <= 1.0
        rows = sorted(zip(priority, bits.tolist(), strict=True), reverse=True)
        assert out.tolist() == [row for _, row in rows]


@given(st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_repeats_as_often_as_it_says_and_marks_the_end(number: int) -> None:
    inputs, targets = made("@repeat-copy", number, lengths=(2, 5), repeats=(2, 7))
    for one, wanted in zip(inputs, targets, strict=True):
        length, bits, out = parted(one, wanted)
        repeats = round(float(one[length, 9]) * 10)
        assert 2 <= repeats <= 7
        assert len(out) == length * repeats + 1
        assert out[:-1, :8].tolist() == bits.tolist() * repeats
        assert out[:, 8].tolist() == [0.0] * (length * repeats) + [1.0]
        assert np.isnan(out[-1, :8]).all()


@given(NAMES, st.integers(0, 10**9), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_a_batch_is_the_same_whenever_it_is_asked(name: str, number: int, seed: int) -> None:
    short = config(lengths=(1, 4), repeats=(1, 3), seed=seed)
    one, other = (batch(name, short, number, 3) for _ in range(2))
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def test_other_numbers_and_other_seeds_give_other_batches() -> None:
    first = made("@copy", 0, lengths=(9, 9))[0]
    assert not np.array_equal(first, made("@copy", 1, lengths=(9, 9))[0])
    assert not np.array_equal(first, made("@copy", 0, lengths=(9, 9), seed=2)[0])
    assert not np.array_equal(first[0], first[1])


def test_lengths_and_bits_are_what_was_asked() -> None:
    lengths = {
        (made("@copy", number, lengths=(3, 5), bits=2)[0].shape[1] - 1) // 2 for number in range(60)
    }
    assert lengths == {3, 4, 5}
    assert made("@copy", bits=2)[0].shape[2] == 3


def test_examples_have_all_lengths_alike_and_nothing_behind_their_ends() -> None:
    found = examples("@copy", config(lengths=(1, 20)), FRESH)
    assert found.array is not None
    assert found.array.shape == (320, 41, 9)
    lengths = found.array[:, :, 8].argmax(1)
    assert np.bincount(lengths).tolist() == [0, *[16] * 20]
    due = ~np.isnan(np.asarray(found.labels, float)).all(2)
    assert due.sum(1).tolist() == lengths.tolist()
    for row, length in zip(found.array, lengths, strict=True):
        assert not row[2 * length + 1 :].any()
    assert found.ids[0] == "@copy:1"


def test_those_that_validate_are_not_those_that_come_afterwards() -> None:
    assert len({TRAIN, VALID, FRESH}) == 3
    one, other = (examples("@copy", config(lengths=(9, 9)), s).array for s in (VALID, FRESH))
    assert one is not None
    assert other is not None
    assert not (one[:, None] == other[None]).all((2, 3)).any()


def test_sequences_that_would_fill_the_memory_are_refused() -> None:
    with pytest.raises(UsageError, match="320 sequences would not fit"):
        examples("@copy", config(lengths=(1, 10**7)), FRESH)
    with pytest.raises(UsageError, match="320 sequences would not fit"):
        examples("@repeat-copy", config(lengths=(1, 8000)), FRESH)
    require_room("@copy", config(lengths=(1, 8000)), 320)  # which repeats nothing


def test_the_parts_of_a_run_are_made() -> None:
    parts = prepare({"model": "lstm", "data": ("@sort",), "lengths": (1, 4)})
    assert parts.config.task == "algorithm"
    assert (parts.config.dropout, parts.config.loss) == (0.0, "bce")
    assert parts.valid is not None
    assert parts.encoding.size == (9, 10)
    assert parts.encoding.outputs == 8
    assert parts.encoding.main_score == "bits"
    assert prepare({"model": "lstm", "data": ("@copy",), "valid": "0"}).valid is None


def test_the_loss_is_a_mean_over_the_bits_that_are_due() -> None:
    loss = losses.loss(config(loss="bce"), task="algorithm", several_labels=False)
    logits, bits = torch.randn(2, 5, 3), torch.rand(2, 5, 3).round()
    bits[0, 3:] = torch.nan
    bits[1, 0, 1] = torch.nan
    due = [
        F.binary_cross_entropy_with_logits(a, b)
        for a, b in zip(logits.flatten(), bits.flatten(), strict=True)
        if not b.isnan()
    ]
    torch.testing.assert_close(loss(logits, bits), torch.stack(due).mean())


def test_label_smoothing_moves_bits_toward_a_half() -> None:
    loss = losses.loss(config(label_smoothing=0.2), task="algorithm", several_labels=False)
    logits, bits = torch.randn(2, 5, 3), torch.rand(2, 5, 3).round()
    wanted = F.binary_cross_entropy_with_logits(logits, bits * 0.8 + 0.1)
    torch.testing.assert_close(loss(logits, bits), wanted)


class Oracle(nn.Module):
    """Says the same of every bit, and right ones with a confidence of its own."""

    def __init__(self, targets: torch.Tensor, confidence: float) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))
        self.said = (targets.nan_to_num() * 2 - 1) * confidence

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return self.said


def dataset(name: str = "@copy", **choices: Any) -> Dataset:
    found = examples(name, config(lengths=(1, 6), **choices), FRESH, count=60)
    assert found.array is not None
    return Dataset(found.array, np.asarray(found.labels, np.float32), found.ids)


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_knowing_nothing_costs_a_bit_for_each_bit(name: str) -> None:
    data = dataset(name, repeats=(1, 3))
    assert data.targets is not None
    chance = baselines.guessed(data.targets).scores
    found = Judge(data).scores(Oracle(torch.from_numpy(data.targets), 0.0))
    assert found["bits"] == pytest.approx(chance["bits"])
    assert found["loss"] == pytest.approx(chance["loss"])
    assert chance["bits"] == pytest.approx((~np.isnan(data.targets)).sum() / len(data))


def test_scores_are_those_of_a_plain_loop() -> None:
    data = dataset()
    assert data.targets is not None
    network = Oracle(torch.from_numpy(data.targets), 3.0)
    flipped = [0, 7, 7]
    for row in flipped:
        network.said[row, int(np.flatnonzero(~np.isnan(data.targets[row, :, 0]))[0]), 2] *= -1
    found = Judge(data).judged(network)
    wrong = {0}  # 7 was flipped there and back
    each = []
    for row, (said, bits) in enumerate(zip(network.said.numpy(), data.targets, strict=True)):
        due = ~np.isnan(bits)
        probability = 1 / (1 + np.exp(-said[due]))
        right = np.where(bits[due] == 1.0, probability, 1 - probability)
        each.append(-np.log2(right).sum())
        assert (right < 0.5).any() == (row in wrong)
    assert found.summary["bits"] == pytest.approx(np.mean(each), rel=1e-5)
    assert found.summary["exact"] == pytest.approx(59 / 60)
    low, high = found.intervals["bits"]
    assert low < found.summary["bits"] < high
    rows = found.details["sequences"]
    assert [row["due"] for row in rows] == [8, 16, 24, 32, 40, 48]
    assert sum(row["examples"] * row["bits"] for row in rows) == pytest.approx(sum(each), rel=1e-5)


def test_epochs_go_on_where_the_last_one_ended() -> None:
    order = Endless(4, batches=3)
    rows = [row for epoch in range(2) for one in order.epoch(epoch) for row in one.tolist()]
    assert rows == list(range(24))


def test_processes_share_a_batch_out() -> None:
    take = maker(config(batch_size=5), CPU)
    rows = Endless(5).epoch(1)[7]
    whole = take(rows)
    assert whole.targets is not None
    parts = [take(Team(rank, 2).share(rows).rows) for rank in range(2)]
    assert [part.size for part in parts] == [3, 2]
    for rank, part in enumerate(parts):
        assert torch.equal(part.inputs.values, whole.inputs.values[rank::2])
        assert part.targets is not None
        assert torch.equal(part.targets.nan_to_num(), whole.targets[rank::2].nan_to_num())


def test_all_examples_at_once_cannot_be() -> None:
    parts = prepare({"model": "lstm", "data": ("@copy",), "batch_size": 0})
    with pytest.raises(UsageError, match="there is no end of examples"):
        learning.batches(parts, parts.config, CPU)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"model": "ntm", "data": ("@iris",)}, "@iris: an algorithm is learned from generated"),
        ({"model": "lstm", "data": ("@copy",), "task": "classify"}, "@copy is not for --task"),
        ({"model": "ntm", "data": ("@copy", "@sort")}, "2 inputs"),
        ({"model": "ntm", "data": ("@copy",), "test": "0.1"}, "there is nothing to divide"),
        ({"model": "ntm", "data": ("@copy",), "valid": "0.2"}, "there is nothing to divide"),
        ({"model": "ntm", "data": ("@copy",), "task": "tag"}, "--task tag: ntm has another"),
        ({"model": "ntm", "data": ("@copy",), "lengths": (5, 2)}, "--lengths 5-2: from 1 on"),
        ({"model": "ntm", "data": ("@copy",), "memory": (0, 3)}, "--memory 0x3: at least 1x1"),
        ({"model": "ntm", "data": ("@copy",), "bits": 0}, "--bits 0 must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prepare(said)
