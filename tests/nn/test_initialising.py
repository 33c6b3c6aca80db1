"""First values of weights: their spread, block by block, and what stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gai.nn.names import INITIALISATIONS
from gai.nn.net.initialising import initialise

NAMED = [name for name in INITIALISATIONS if name != "default"]


def drawn(model: nn.Module, name: str, activation: str = "relu", slope: float = 0.01) -> nn.Module:
    torch.manual_seed(5)
    initialise(model, name, activation=activation, negative_slope=slope)
    return model


def weight_of(model: nn.Module, name: str = "weight") -> Tensor:
    return model.get_parameter(name).detach()


def is_normal(block: Tensor, deviation: float, within: float = 0.05) -> bool:
    flat = block.flatten()
    beyond = (flat.abs() > 2 * deviation).float().mean().item()  # 4.6 % of a normal distribution
    return math.isclose(flat.std().item(), deviation, rel_tol=within) and 0.03 < beyond < 0.06


def is_uniform(block: Tensor, bound: float) -> bool:
    flat = block.flatten().abs()
    whole = 0.97 * bound < flat.max().item() <= bound
    return whole and math.isclose(flat.mean().item(), bound / 2, rel_tol=0.05)


def is_orthogonal(block: Tensor) -> bool:
    small = block if block.shape[0] <= block.shape[1] else block.T
    return torch.allclose(small @ small.T, torch.eye(len(small)), atol=1e-5)


CHECKS: dict[str, Callable[[Tensor, int, int], bool]] = {
    "he": lambda block, fan_in, fan_out: is_normal(block, math.sqrt(2 / fan_in)),
    "xavier": lambda block, fan_in, fan_out: is_uniform(block, math.sqrt(6 / (fan_in + fan_out))),
    "orthogonal": lambda block, fan_in, fan_out: is_orthogonal(block.flatten(1)),
}


@pytest.mark.parametrize("name", NAMED)
def test_linear_and_convolution_layers(name: str) -> None:
    check = CHECKS[name]
    linear = drawn(nn.Linear(150, 90), name)
    assert check(weight_of(linear), 150, 90)
    filters = drawn(nn.Conv1d(40, 60, 5), name)
    assert check(weight_of(filters), 40 * 5, 60 * 5)
    images = drawn(nn.Conv2d(20, 50, 3), name)
    assert check(weight_of(images), 20 * 9, 50 * 9)
    for model in (linear, filters, images):
        assert not weight_of(model, "bias").any()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_every_gate_is_a_matrix_of_its_own(
    name: str, kind: type[nn.RNN] | type[nn.GRU] | type[nn.LSTM], gates: int
) -> None:
    model = drawn(kind(80, 100, num_layers=2, bidirectional=True), name)
    for weight, size in (("weight_ih_l0_reverse", 80), ("weight_ih_l1", 200)):
        for block in weight_of(model, weight).split(100):
            assert CHECKS[name](block, size, 100)
    for weight in ("weight_hh_l0", "weight_hh_l1_reverse"):
        blocks = weight_of(model, weight).split(100)
        assert len(blocks) == gates
        assert all(is_orthogonal(block) for block in blocks)


@pytest.mark.parametrize("name", NAMED)
def test_a_fresh_lstm_remembers(name: str) -> None:
    # Without input, f = sigmoid(1) of the cell is kept and i tanh(0) = 0 is added.
    model = drawn(nn.LSTM(3, 4), name)
    _, (_, cell) = model(torch.zeros(1, 1, 3), (torch.zeros(1, 1, 4), torch.ones(1, 1, 4)))
    torch.testing.assert_close(cell, torch.full((1, 1, 4), 1 / (1 + math.exp(-1))))


@pytest.mark.parametrize("name", NAMED)
def test_the_biases_of_other_recurrent_layers_are_zero(name: str) -> None:
    for model in (drawn(nn.GRU(3, 4), name), drawn(nn.RNN(3, 4), name)):
        assert not any(w.any() for n, w in model.named_parameters() if n.startswith("bias"))


@pytest.mark.parametrize("name", NAMED)
def test_queries_keys_and_values_are_matrices_of_their_own(name: str) -> None:
    model = drawn(nn.MultiheadAttention(120, 4), name)
    for block in weight_of(model, "in_proj_weight").split(120):
        assert CHECKS[name](block, 120, 120)
    assert CHECKS[name](weight_of(model, "out_proj.weight"), 120, 120)
    assert not weight_of(model, "in_proj_bias").any()
    assert not weight_of(model, "out_proj.bias").any()


@pytest.mark.parametrize(
    ("activation", "slope"), [("leaky-relu", 0.5), ("prelu", 0.25), ("relu", 0.0), ("tanh", 0.0)]
)
def test_he_allows_for_what_a_leaky_activation_lets_through(activation: str, slope: float) -> None:
    weight = weight_of(drawn(nn.Linear(1000, 200), "he", activation, 0.5))
    assert is_normal(weight, math.sqrt(2 / (1 + slope**2) / 1000), within=0.01)


def test_he_keeps_the_size_of_activations_through_many_layers() -> None:
    layers = [layer for _ in range(20) for layer in (nn.Linear(256, 256), nn.ReLU())]
    model = drawn(nn.Sequential(*layers), "he")
    torch.manual_seed(1)
    assert 0.3 < model(torch.randn(64, 256)).square().mean().item() < 3


@pytest.mark.parametrize("name", NAMED)
def test_embeddings_are_small_and_their_padding_is_zero(name: str) -> None:
    model = drawn(nn.Embedding(200, 50, padding_idx=0), name)
    assert not weight_of(model)[0].any()
    assert is_normal(weight_of(model)[1:], 0.1)
    assert is_normal(weight_of(drawn(nn.EmbeddingBag(200, 50), name)), 0.1)


@pytest.mark.parametrize("name", NAMED)
def test_an_output_layer_that_shares_the_embedding_is_an_embedding(name: str) -> None:
    for first in (True, False):
        table, linear = nn.Embedding(200, 50), nn.Linear(50, 200)
        linear.weight = table.weight
        drawn(nn.Sequential(*((table, linear) if first else (linear, table))), name)
        assert is_normal(weight_of(table), 0.1)


@pytest.mark.parametrize("name", NAMED)
def test_normalisation_and_slopes_stay_as_they_are(name: str) -> None:
    model = drawn(nn.Sequential(nn.LayerNorm(5), nn.BatchNorm1d(5), nn.PReLU()), name)
    assert weight_of(model, "0.weight").eq(1).all()
    assert weight_of(model, "1.weight").eq(1).all()
    assert weight_of(model, "2.weight").item() == 0.25


@pytest.mark.parametrize("name", NAMED)
def test_weights_that_do_not_learn_stay_as_they_are(name: str) -> None:
    for model in (nn.Embedding(9, 5), nn.Linear(9, 5), nn.LSTM(9, 5)):
        model.requires_grad_(False)
        before = [weight.clone() for weight in model.parameters()]
        drawn(model, name)
        assert all(map(torch.equal, before, model.parameters()))


def test_default_changes_nothing() -> None:
    model = nn.Sequential(nn.Embedding(9, 5), nn.Linear(5, 3), nn.LSTM(3, 4))
    before = [weight.clone() for weight in model.parameters()]
    drawn(model, "default")
    assert all(map(torch.equal, before, model.parameters()))


@pytest.mark.parametrize("name", NAMED)
def test_the_same_seed_draws_the_same_weights(name: str) -> None:
    one, two = (drawn(nn.Sequential(nn.Linear(5, 3), nn.GRU(3, 4)), name) for _ in range(2))
    assert all(map(torch.equal, one.parameters(), two.parameters()))
