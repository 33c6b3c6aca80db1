"""Penalties, bounds of weights and gradients, and the judgement of gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from gai.nn.net.models.mlp import SparseLinear
from gai.nn.net.regularising import limit_norms, penalty


def network() -> nn.Sequential:
    torch.manual_seed(2)
    layers = (nn.Embedding(6, 3, padding_idx=0), nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    return nn.Sequential(*layers)


def test_a_penalty_by_hand() -> None:
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -2.0], [0.0, 3.0]]))
    assert penalty(model, 0.0, 0.5).item() == pytest.approx(0.5 * (1 + 4 + 9))
    assert penalty(model, 0.1, 0.0).item() == pytest.approx(0.1 * (1 + 2 + 3))
    assert penalty(model, 0.1, 0.5).item() == pytest.approx(7.6)
    assert penalty(model, 0.0, 0.0).item() == 0


def test_a_penalty_pulls_weights_and_no_biases() -> None:
    model = network()
    penalty(model, 0.3, 0.7).backward()
    for weight in model.parameters():
        if weight.dim() < 2:
            assert weight.grad is None
        else:
            torch.testing.assert_close(weight.grad, 0.3 * weight.sign() + 1.4 * weight)
    assert not model[0].weight.grad[0].any()  # padding


def test_a_penalty_agrees_with_finite_differences() -> None:
    model = nn.Linear(3, 2).double()

    def of_weight(weight: Tensor) -> Tensor:
        holder = nn.Linear(3, 2).double()
        del holder.weight
        holder.register_parameter("weight", None)
        holder._parameters["weight"] = weight
        return penalty(holder, 0.2, 0.3)

    assert torch.autograd.gradcheck(of_weight, (model.weight,))


def test_l2_is_weight_decay_of_twice_its_size_to_plain_descent() -> None:
    one, two = network(), network()
    weights = [weight for weight in two.parameters() if weight.dim() >= 2]
    penalty(one, 0.0, 0.25).backward()
    torch.optim.SGD(one.parameters(), lr=0.1).step()
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    torch.optim.SGD(weights, lr=0.1, weight_decay=0.5).step()
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_weights_that_do_not_learn_have_no_penalty() -> None:
    model = network()
    model[0].weight.requires_grad_(False)
    linear = sum(model[i].weight.square().sum() for i in (1, 3))
    torch.testing.assert_close(penalty(model, 0.0, 1.0), linear)


@pytest.mark.parametrize("layer", [nn.Linear(30, 40), nn.Conv1d(6, 40, 5), nn.Conv2d(3, 40, 3)])
def test_norms_of_units_are_limited(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> None:
    with torch.no_grad():
        layer.weight.normal_(std=0.5).mul_(
            torch.linspace(0, 2, 40).view(-1, *[1] * layer.weight[0].dim())
        )
        layer.bias.fill_(100.0)
    before = layer.weight.detach().clone().flatten(1)
    limit_norms(nn.Sequential(layer), 3.0)
    after = layer.weight.detach().flatten(1)
    old = before.norm(dim=1)
    assert (old > 3).any()
    assert torch.equal(after[old <= 3], before[old <= 3])
    torch.testing.assert_close(after[old > 3], before[old > 3] * (3 / old[old > 3])[:, None])
    assert layer.bias.eq(100).all()


def test_units_over_sparse_rows_are_limited() -> None:
    layer = SparseLinear(50, 6)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6) * torch.ones(50, 6))
    limit_norms(nn.Sequential(layer), 10.0)
    norms = layer.weight.detach().norm(dim=0)
    torch.testing.assert_close(norms, torch.tensor([0.0, 50**0.5, 10, 10, 10, 10]))


def test_embeddings_are_not_limited() -> None:
    table, output = nn.Embedding(9, 5), nn.Linear(5, 9)
    output.weight = table.weight
    before = table.weight.detach().clone()
    limit_norms(nn.Sequential(table, output), 0.01)
    assert torch.equal(table.weight, before)


def test_dropout_expects_at_test_time_what_it_gives_on_average() -> None:
    """A linear network's output at test time is the mean over all masks of training: what is kept,
    with probability 1 - p, is divided by 1 - p. Input dropout is the first layer."""
    torch.manual_seed(4)
    model = nn.Sequential(nn.Dropout(0.3), nn.Linear(6, 5), nn.Dropout(0.5), nn.Linear(5, 3))
    x = torch.randn(6)
    with torch.no_grad():
        passes = model.train()(x.expand(200_000, 6))
        expected = model.eval()(x)
    errors = (passes.mean(0) - expected).abs() / (passes.std(0) / math.sqrt(len(passes)))
    assert passes.std(0).min() > 0.1
    assert errors.max() < 4


def test_dropout_keeps_one_minus_p_and_enlarges_it() -> None:
    torch.manual_seed(4)
    kept = nn.Dropout(0.3)(torch.ones(100_000))
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert (kept > 0).float().mean().item() == pytest.approx(0.7, abs=0.01)
