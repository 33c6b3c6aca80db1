"""The CNN against torch's convolutions; its tables; its folding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from gai.nn.config import resolved
from gai.nn.names import ACTIVATIONS
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import Network, build, cnn
from gai.nn.net.models.cnn import Filters, TextCNN

IDS = Shape("ids", (12,), 3)


def network(shape: Shape, **options: Any) -> Network:
    torch.manual_seed(7)
    small = {"embedding": 4, "width": 6, "filters": 5, "kernels": (2, 3, 5), "dropout": 0.0}
    return build(resolved({"model": "cnn", **small, **options}), shape)


def texts(rows: list[list[int]], width: int) -> Inputs:
    values = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return Inputs(values, torch.tensor(list(map(len, rows))))


def first(net: Network) -> Filters:
    found = net.get_submodule("body.layers.0")
    assert isinstance(found, Filters)
    return found


def convolved(net: Network, text: list[int]) -> Tensor:
    """The features of one text by torch's convolution over its embeddings."""
    vectors = net.get_parameter("body.embedding.weight")[text].T[None]
    found = []
    for conv in first(net).kernels:
        k = conv.kernel_size[0]  # type: ignore[index, union-attr]
        found.append(conv(F.pad(vectors, ((k - 1) // 2, k // 2))).relu().amax(2))
    return torch.cat(found, 1)


ROWS = st.lists(st.lists(st.integers(1, 11), min_size=1, max_size=8), min_size=1, max_size=4)


@given(ROWS, st.integers(0, 3))
def test_tables_say_what_convolutions_do(rows: list[list[int]], padding: int) -> None:
    net = network(IDS)
    found = net.features(texts(rows, max(map(len, rows)) + padding))
    expected = torch.cat([convolved(net, row) for row in rows])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    weights = [weight for name, weight in net.named_parameters() if name.startswith("body")]
    ours = torch.autograd.grad(found.square().sum(), weights)
    theirs = torch.autograd.grad(expected.square().sum(), weights)
    for mine, other in zip(ours, theirs, strict=True):
        # That of padding is never looked up by a text alone.
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        *({"activation": name} for name in ACTIVATIONS),
        {"activation": "leaky-relu", "negative_slope": -0.5},
    ],
)
def test_every_activation_comes_before_pooling(options: dict[str, Any]) -> None:
    net, text = network(IDS, **options), [3, 4, 5, 6, 1, 9]
    layer = first(net)
    with torch.no_grad():
        for conv in layer.kernels:
            conv.bias.fill_(-1.0)  # type: ignore[union-attr, operator]
    vectors = net.get_parameter("body.embedding.weight")[text][None]
    expected = layer(vectors, None).amax(1)
    torch.testing.assert_close(net.features(texts([text], 8)), expected, rtol=1e-5, atol=1e-6)


def test_a_filter_finds_its_pair_of_words_wherever_it_is() -> None:
    net = network(Shape("ids", (5,), 2), embedding=3, kernels=(2,), filters=1)
    conv = first(net).kernels[0]
    with torch.no_grad():
        net.get_parameter("body.embedding.weight")[2:] = torch.eye(3)
        conv.weight.copy_(torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]))  # 2, then 3
        conv.bias.fill_(-1.5)
    rows = [[2, 3], [4, 4, 2, 3, 4], [3, 2], [2], [2, 4, 3]]
    assert net.features(texts(rows, 6))[:, 0].tolist() == [0.5, 0.5, 0.0, 0.0, 0.0]


def test_a_window_of_a_causal_network_ends_at_its_token() -> None:
    shape = Shape("ids", (12,), 12, per_token=True, causal=True)
    net = network(shape, kernels=(3,))
    text = [3, 4, 5, 6]
    found = net.features(texts([text], 4))
    vectors = net.get_parameter("body.embedding.weight")[text].T[None]
    expected = first(net).kernels[0](F.pad(vectors, (2, 0))).relu().transpose(1, 2)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"layers": 1},
        {"layers": 2, "residual": True, "layer_norm": True},
        {"layers": 1, "batch_norm": True, "pool": "avg", "activation": "gelu"},
    ],
)
def test_a_folded_network_says_the_same(options: dict[str, Any]) -> None:
    net = network(IDS, **options).eval()
    inputs = texts([[3, 4, 11, 1], [2], [5, 5, 5, 6, 7, 8, 9, 10]], 9)
    with torch.no_grad():
        expected = net(inputs)
        folded = net.folded()
        # It no longer looks anything up in the embedding.
        net.get_parameter("body.embedding.weight").zero_()
        torch.testing.assert_close(folded(inputs), expected, rtol=1e-5, atol=1e-6)
        assert not torch.allclose(net(inputs), expected)
    assert folded.folded().body is folded.body
    assert list(folded.state_dict()) == list(net.state_dict())


def test_what_cannot_be_folded_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(Shape("sequences", (9, 2), 3))
    assert net.folded().body is net.body
    monkeypatch.setattr(cnn, "LARGEST", 100)
    assert network(IDS).folded().body.folded_tables is None


def test_input_dropout_takes_values_of_each_token_for_itself() -> None:
    net = network(IDS, input_dropout=0.5, kernels=(1,), pool="avg", activation="linear")
    with torch.no_grad():
        net.get_parameter("body.embedding.weight")[3] = 1.0
        first(net).kernels[0].weight.fill_(1.0)
        first(net).kernels[0].bias.zero_()
    inputs = texts([[3, 3]] * 3000, 2)
    found = net.body(inputs)[:, 0].detach()
    # The mean over 2 tokens of the sums over 4 values of 0 or 2.
    assert set(found.tolist()) == set(map(float, range(9)))
    assert float(found.mean()) == pytest.approx(4.0, abs=0.1)
    assert net.eval().body(inputs)[:, 0].eq(4.0).all()


def test_a_sequence_is_convolved_over_time() -> None:
    net = network(Shape("sequences", (9, 2), 3), pool="avg")
    x = torch.randn(4, 9, 2)
    found = []
    for conv, margins in zip(first(net).kernels, [(0, 1), (1, 1), (2, 2)], strict=True):
        found.append(conv(F.pad(x.transpose(1, 2), margins)).relu().mean(2))
    torch.testing.assert_close(net.features(Inputs(x)), torch.cat(found, 1))


@pytest.mark.parametrize("pool", ["max", "avg"])
def test_images_go_through_torchs_layers(pool: str) -> None:
    net = network(Shape("images", (2, 8, 9), 3), layers=2, batch_norm=True, pool=pool).eval()
    halve = nn.MaxPool2d(2) if pool == "max" else nn.AvgPool2d(2)
    x = y = torch.randn(3, 2, 8, 9)
    for block in net.get_submodule("body.blocks").children():
        y = halve(block.norm(block.filters(y)).relu())  # type: ignore[operator]
    dense = net.get_submodule("body.dense")
    torch.testing.assert_close(net.features(Inputs(x)), dense(y.flatten(1)).relu())
    assert [tuple(w.shape) for n, w in net.named_parameters() if n.endswith("filters.weight")] == [
        (5, 2, 3, 3),
        (10, 5, 3, 3),
    ]


@pytest.mark.parametrize("sides", [(8, 8), (1, 5), (3, 3), (28, 2)])
def test_small_images_are_not_pooled_away(sides: tuple[int, int]) -> None:
    net = network(Shape("images", (1, *sides), 3), layers=4, residual=True, layer_norm=True)
    assert net(Inputs(torch.randn(2, 1, *sides))).isfinite().all()
    dense = net.get_submodule("body.dense")
    assert isinstance(dense, nn.Linear)
    assert dense.in_features >= 5 * 8 * min(sides[0], 2) * min(sides[1], 2)


def test_the_first_residual_block_adds_what_it_was_given() -> None:
    net = network(Shape("images", (1, 3, 3), 3), residual=True)
    block = net.get_submodule("body.blocks.0")
    with torch.no_grad():
        block.again.weight.zero_()  # type: ignore[union-attr, operator]
        block.again.bias.fill_(-1.0)  # type: ignore[union-attr, operator]
    x = torch.randn(2, 1, 3, 3)
    torch.testing.assert_close(block(x), block.filters(x).relu())  # type: ignore[operator]


def test_the_body_of_text_can_be_told_from_that_of_images() -> None:
    assert isinstance(network(IDS).body, TextCNN)
    assert not isinstance(network(Shape("images", (1, 3, 3), 3)).body, TextCNN)
