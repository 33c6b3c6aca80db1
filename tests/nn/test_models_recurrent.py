"""Recurrent networks against torch's own with packed sequences."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gai.nn.config import resolved
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import Network, build
from gai.nn.net.models.recurrent import Additive, turn, turns

MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
LENGTHS = torch.tensor([3, 7, 1, 5])


def network(model: str, per_token: bool = False, **options: Any) -> Network:
    torch.manual_seed(8)
    small = {"width": 5, "dropout": 0.0, "layers": 2}
    shape = Shape("sequences", (7, 3), 2, per_token=per_token)
    return build(resolved({"model": model, **small, **options}), shape)


def inputs() -> Inputs:
    torch.manual_seed(9)
    values = torch.randn(4, 7, 3)
    values[torch.arange(7) >= LENGTHS[:, None]] = 99.0
    return Inputs(values, LENGTHS)


def torchs(net: Network, model: str, bidirectional: bool) -> tuple[Tensor, Tensor]:
    """Outputs and last hidden states of torch's two layers with the weights of ``net``."""
    whole = MODULES[model](3, 5, 2, batch_first=True, bidirectional=bidirectional)
    for name, weight in whole.named_parameters():
        place = name.partition("_l")[2][0]
        part = "back" if name.endswith("_reverse") else "ahead"
        source = name.replace("_reverse", "").replace(f"_l{place}", "_l0")
        with torch.no_grad():
            weight.copy_(net.get_parameter(f"body.layers.{place}.{part}.{source}"))
    x = pack_padded_sequence(inputs().values, LENGTHS, batch_first=True, enforce_sorted=False)
    packed, last = whole(x)
    last = last[0] if model == "lstm" else last
    return pad_packed_sequence(packed, batch_first=True, total_length=7)[0], last


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("model", ["rnn", "lstm", "gru"])
def test_outputs_and_last_states_are_torchs(model: str, bidirectional: bool) -> None:
    net = network(model, bidirectional=bidirectional)
    outputs, last = torchs(net, model, bidirectional)
    expected = torch.cat([last[2], last[3]], 1) if bidirectional else last[1]
    torch.testing.assert_close(net.features(inputs()), expected)
    tokens = network(model, per_token=True, bidirectional=bidirectional)
    found = tokens.features(inputs())
    real = torch.arange(7) < LENGTHS[:, None]
    torch.testing.assert_close(found[real], outputs[real])


def test_without_lengths_the_last_is_the_last() -> None:
    net = network("gru", bidirectional=True)
    values = inputs().values
    whole = net(Inputs(values, torch.full((4,), 7)))
    torch.testing.assert_close(net(Inputs(values)), whole)


def test_turning_twice_changes_nothing() -> None:
    there = torch.arange(7) < LENGTHS[:, None]
    x, places = inputs().values, turns(there)
    once = turn(x, places)
    assert once[0, :3].tolist() == x[0, :3].flip(0).tolist()
    assert torch.equal(once[~there], x[~there])
    assert torch.equal(turn(once, places), x)
    assert torch.equal(turn(x, None), x.flip(1))


def test_attention_is_a_mean_weighted_by_a_softmax_of_scores() -> None:
    layer = Additive(3)
    x = inputs().values
    found = layer(x, torch.arange(7) < LENGTHS[:, None])
    for row, length in enumerate(LENGTHS.tolist()):
        real = x[row, :length]
        scores = torch.tanh(real @ layer.hidden.weight.T + layer.hidden.bias)
        weights = torch.softmax(scores @ layer.score.weight[0], 0)
        torch.testing.assert_close(found[row], weights @ real)
    nn.init.zeros_(layer.score.weight)
    torch.testing.assert_close(layer(x, None), x.mean(1))


def test_attention_stands_between_the_layers_and_the_head() -> None:
    net = network("lstm", attention=True, bidirectional=True)
    tokens = network("lstm", per_token=True, bidirectional=True)
    attention = net.get_submodule("body.attention")
    there = torch.arange(7) < LENGTHS[:, None]
    expected = attention(tokens.features(inputs()), there)
    torch.testing.assert_close(net.features(inputs()), expected)


def test_a_residual_layer_adds_its_input_where_it_is_as_wide() -> None:
    plain = network("gru", per_token=True, layers=1).features(inputs())
    net = network("gru", per_token=True, residual=True)
    second = net.get_submodule("body.layers.1.ahead")
    torch.testing.assert_close(net.features(inputs()), plain + second(plain)[0])


def test_the_plain_network_can_have_relu() -> None:
    layer = network("rnn", activation="relu").get_submodule("body.layers.1.ahead")
    assert isinstance(layer, nn.RNN)
    assert layer.nonlinearity == "relu"
