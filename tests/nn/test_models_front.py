"""What bodies begin and end with: real tokens, pooling, normalisation over tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gai.nn.net.inputs import Inputs
from gai.nn.net.models.front import BatchNorm, pool, real

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def there(lengths: list[int]) -> torch.Tensor:
    found = real(Inputs(torch.zeros(len(lengths), 6), torch.tensor(lengths)))
    assert found is not None
    return found


def test_of_no_tokens_the_first_counts() -> None:
    assert there([0, 1, 3]).int().tolist() == [[1, 0, 0, 0, 0, 0]] * 2 + [[1, 1, 1, 0, 0, 0]]


def test_without_lengths_all_is_real() -> None:
    assert real(Inputs(torch.zeros(2, 3))) is None


@given(LENGTHS, st.integers(0, 1000))
def test_pools_are_over_real_tokens(lengths: list[int], seed: int) -> None:
    x = torch.randn(len(lengths), 6, 2, generator=torch.Generator().manual_seed(seed))
    largest, mean = pool(x, there(lengths), "max"), pool(x, there(lengths), "avg")
    for row, length in enumerate(lengths):
        torch.testing.assert_close(largest[row], x[row, :length].max(0).values)
        torch.testing.assert_close(mean[row], x[row, :length].mean(0))


def test_pools_without_lengths_are_over_all() -> None:
    x = torch.tensor([[[1.0], [4.0], [-2.0]]])
    assert pool(x, None, "max").tolist() == [[4.0]]
    assert pool(x, None, "avg").tolist() == [[1.0]]


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation_counts_no_padding(training: bool) -> None:
    torch.manual_seed(1)
    ours, plain = BatchNorm(3).train(training), nn.BatchNorm1d(3).train(training)
    mask = there([2, 6, 1])
    x = torch.randn(3, 6, 3) * 4 + 2
    x[~mask] = 1e6
    for _ in range(2):
        found, expected = ours(x, mask), plain(x[mask])
    torch.testing.assert_close(found[mask], expected)
    torch.testing.assert_close(ours.running_mean, plain.running_mean)
    torch.testing.assert_close(ours.running_var, plain.running_var)


def test_batch_normalisation_of_one_example_uses_what_was_seen_before() -> None:
    norm = BatchNorm(2)
    norm.running_mean.copy_(torch.tensor([1.0, 2.0]))  # type: ignore[union-attr, operator]
    norm.running_var.copy_(torch.tensor([4.0, 9.0]))  # type: ignore[union-attr, operator]
    found = norm(torch.tensor([[3.0, -4.0]]))
    torch.testing.assert_close(found, torch.tensor([[1.0, -2.0]]), rtol=1e-4, atol=1e-4)
    assert found.requires_grad
