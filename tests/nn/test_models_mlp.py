"""The MLP against dense products and sums by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from gai.nn.config import resolved
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import Network, build
from gai.nn.net.models.mlp import SparseLinear

ROWS = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.floats(-2, 2, width=32)), max_size=5),
    min_size=1,
    max_size=4,
)


def network(shape: Shape, **options: Any) -> Network:
    torch.manual_seed(5)
    small = {"embedding": 3, "width": 4, "dropout": 0.0, "layers": 1}
    return build(resolved({"model": "mlp", **small, **options}), shape)


def sparse(rows: list[list[tuple[int, float]]]) -> Inputs:
    cells = [cell for row in rows for cell in row]
    starts = torch.tensor([0, *map(len, rows)]).cumsum(0)[:-1]
    columns = torch.tensor([column for column, _ in cells], dtype=torch.long)
    return Inputs(columns, starts, torch.tensor([value for _, value in cells], dtype=torch.float))


def dense(rows: list[list[tuple[int, float]]]) -> Tensor:
    made = torch.zeros(len(rows), 7)
    for number, row in enumerate(rows):
        for column, value in row:
            made[number, column] += value
    return made


@given(ROWS)
def test_sparse_rows_are_multiplied_as_dense_ones(rows: list[list[tuple[int, float]]]) -> None:
    torch.manual_seed(6)
    layer = SparseLinear(7, 4)
    found = layer(sparse(rows))
    expected = nn.functional.linear(dense(rows), layer.weight.T, layer.bias)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    pull = torch.arange(found.numel(), dtype=torch.float).view_as(found)
    first = torch.autograd.grad(found, [layer.weight, layer.bias], pull)
    second = torch.autograd.grad(expected, [layer.weight, layer.bias], pull)
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


def test_a_row_without_cells_has_the_outputs_of_the_biases() -> None:
    net = network(Shape("rows", (7,), 2)).eval()
    alone, beside = net(sparse([[]])), net(sparse([[], [(2, 1.0)], []]))
    assert alone.isfinite().all()
    torch.testing.assert_close(beside[[0, 2]], alone.expand(2, 2))


def test_the_first_layer_of_rows_begins_as_a_dense_one() -> None:
    torch.manual_seed(1)
    layer = SparseLinear(400, 300)
    bound = 1 / 400**0.5
    assert 0.99 * bound < layer.weight.abs().max() <= bound
    assert layer.bias.abs().max() <= bound


def test_dropout_of_rows_takes_single_cells_and_keeps_their_mean() -> None:
    net = network(Shape("rows", (7,), 2), input_dropout=0.25, activation="linear")
    layer = net.get_submodule("body.layers.0.linear")
    assert isinstance(layer, SparseLinear)
    row = [(1, 1.0), (3, 2.0)]
    found = net.features(sparse([row] * 4000)).detach() - layer.bias
    one, two = layer.weight[1] / 0.75, 2 * layer.weight[3] / 0.75
    possible = torch.stack([one * a + two * b for a in (0, 1) for b in (0, 1)])
    distances = (found[:, None] - possible).abs().amax(2)
    counts = distances.argmin(1).bincount(minlength=4) / 4000
    assert distances.min(1).values.max() < 1e-5
    shares = torch.tensor([0.0625, 0.1875, 0.1875, 0.5625])
    torch.testing.assert_close(counts, shares, rtol=0, atol=0.03)
    net.eval()
    at_test = net.features(sparse([row])) - layer.bias
    torch.testing.assert_close(found.mean(0), at_test[0], rtol=0, atol=0.03)


@pytest.mark.parametrize(("pool", "expected"), [("avg", [2.0, 0.0, 5.0]), ("max", [3.0, 4.0, 6.0])])
def test_text_is_the_pool_of_its_embeddings(pool: str, expected: list[float]) -> None:
    net = network(Shape("ids", (4,), 2), layers=0, pool=pool)
    with torch.no_grad():
        net.get_parameter("body.embedding.weight")[2:] = torch.tensor(
            [[1.0, 4.0, 6.0], [3.0, -4.0, 4.0]]
        )
    inputs = Inputs(torch.tensor([[2, 3, 0, 0]]), torch.tensor([2]))
    assert net.features(inputs).tolist() == [expected]


def test_hidden_layers_are_those_of_torch() -> None:
    net = network(Shape("numbers", (6,), 2), layers=2, layer_norm=True, activation="tanh")
    parts: list[nn.Module] = []
    for layer in net.get_submodule("body.layers").children():
        parts += [layer.linear, layer.norm, nn.Tanh()]  # type: ignore[list-item]
    x = torch.randn(5, 6)
    torch.testing.assert_close(net.features(Inputs(x)), nn.Sequential(*parts)(x))
    pixels = network(Shape("images", (1, 2, 3), 2), layers=2, layer_norm=True, activation="tanh")
    torch.testing.assert_close(pixels(Inputs(x.view(5, 1, 2, 3))), net(Inputs(x)))


def test_a_residual_layer_adds_its_input_where_it_is_as_wide() -> None:
    net = network(Shape("numbers", (6,), 2), layers=2, residual=True, activation="relu")
    body = net.body
    x = torch.randn(5, 6)
    first = body.layers[0].linear(x).relu()  # type: ignore[index, union-attr, operator]
    second = first + body.layers[1].linear(first).relu()  # type: ignore[index, union-attr, operator]
    torch.testing.assert_close(net.features(Inputs(x)), second)


def test_a_batch_of_one_trains_with_batch_normalisation() -> None:
    net = network(Shape("numbers", (6,), 2), batch_norm=True)
    assert net(Inputs(torch.randn(1, 6))).isfinite().all()
