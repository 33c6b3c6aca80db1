"""What gai nn inspect says, against layers counted by hand and gradients known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.encoding import Encoding, Scale
from gai.nn.data.labels import Labels
from gai.nn.data.raw import Raw
from gai.nn.data.text import Vocabulary
from gai.nn.net import experiment
from gai.nn.net.inspecting import (
    Layer,
    anatomy,
    distances_to,
    flow,
    strengths,
    verdict,
)
from gai.nn.net.watching import exact, examples, watched

PLAIN: dict[str, Any] = {"dropout": 0.0, "layers": 1}
WORDS = Vocabulary(["<pad>", "<unk>", *"abcdefgh"], np.ones(10, np.int64))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are slower on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of_numbers(columns: int, **choices: Any) -> Encoding:
    config = Config(**{**PLAIN, "input": "numbers", **choices})
    return Encoding("numbers", (columns,), config, labels=Labels(("x", "y", "z")))


def of_terms(**choices: Any) -> Encoding:
    config = Config(**{**PLAIN, "tokenizer": "whitespace", **choices})
    labels = None if config.task == "lm" else Labels(("x", "y"))
    return Encoding("terms", (len(WORDS),), config, vocabulary=WORDS, labels=labels)


def of_sequences(steps: int, **choices: Any) -> Encoding:
    base = {**PLAIN, "model": "rnn", "task": "regress", "loss": "mse", "input": "sequences"}
    scale = Scale(np.zeros(1), np.ones(1))
    return Encoding("sequences", (steps, 1), Config(**{**base, **choices}), targets=scale)


def table(encoding: Encoding, tokens: int | None = None) -> dict[str, Layer]:
    found = anatomy(experiment.network_of(encoding), encoding, tokens)
    return {layer.name: layer for layer in found.layers}


def test_an_mlp_is_counted_as_by_hand() -> None:
    encoding = of_numbers(4, width=256)
    found = anatomy(experiment.network_of(encoding), encoding)
    assert found.layers == [
        Layer("body.layers.0.linear", "Linear 4 -> 256", (256,), 4 * 256 + 256, 4 * 256, True),
        Layer("body.layers.0.activation", "ReLU", (256,), 0, 0, None),
        Layer("head", "Linear 256 -> 3", (3,), 256 * 3 + 3, 256 * 3, True),
    ]
    assert found.parameters == found.learning == 1280 + 771
    assert found.operations == 1024 + 768
    assert found.bytes == 4 * found.parameters


def test_a_sparse_layer_counts_the_cells_that_are_there() -> None:
    config = Config(**{**PLAIN, "input": "tfidf", "width": 5})
    encoding = Encoding("rows", (10,), config, vocabulary=WORDS, labels=Labels(("x", "y")))
    layer = table(encoding, tokens=7)["body.layers.0.linear"]
    assert (layer.kind, layer.output, layer.operations) == ("SparseLinear 10 -> 5", (5,), 7 * 5)
    assert table(encoding)["body.layers.0.linear"].operations == 10 * 5  # no more columns


def test_a_cnn_over_text_is_counted_by_its_filters_though_it_answers_by_tables() -> None:
    encoding = of_terms(model="cnn", embedding=8, filters=4, kernels=(2, 3))
    found = table(encoding, tokens=6)
    assert found["body.embedding"].operations == 0
    assert found["body.embedding"].output == (6, 8)
    layer = found["body.layers.0.kernels.1"]
    assert (layer.kind, layer.output) == ("Conv1d 8 -> 4, window 3", (4, 6))
    assert (layer.parameters, layer.operations) == (4 * 8 * 3 + 4, 6 * 4 * 8 * 3)
    assert found["head"].operations == 8 * 2


def test_a_cnn_over_images_is_counted_pixel_by_pixel() -> None:
    config = Config(model="cnn", input="images", filters=3, width=7, dropout=0.0)
    encoding = Encoding("images", (2, 8, 6), config, labels=Labels(("x", "y")))
    found = table(encoding)
    layer = found["body.blocks.0.filters"]
    assert (layer.kind, layer.output) == ("Conv2d 2 -> 3, window 3 x 3", (3, 8, 6))
    assert layer.operations == 3 * 8 * 6 * 2 * 3 * 3
    assert found["body.dense"].operations == 3 * 4 * 3 * 7


@pytest.mark.parametrize(("model", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_layers_are_counted_gate_by_gate(model: str, gates: int) -> None:
    encoding = of_terms(model=model, activation="tanh", embedding=8, width=5, layers=2)
    found = table(encoding, tokens=6)
    first, second = found["body.layers.0.ahead"], found["body.layers.1.ahead"]
    assert first.operations == 6 * gates * 5 * (8 + 5)
    assert second.operations == 6 * gates * 5 * (5 + 5)
    assert first.parameters == gates * 5 * (8 + 5 + 2)
    assert (first.kind, first.output) == (f"{model.upper()} 8 -> 5", (6, 5))


def test_attention_counts_queries_times_keys_and_weights_times_values() -> None:
    encoding = of_terms(model="transformer", width=8, heads=2, context=16)
    layer = table(encoding, tokens=6)["body.layers.0.attention"]
    assert (layer.output, layer.operations, layer.learns) == ((6, 8), 2 * 6 * 6 * 8, None)


def test_attention_over_the_tokens_of_a_recurrent_network_counts_its_mean() -> None:
    encoding = of_terms(model="gru", activation="tanh", embedding=8, width=5, attention=True)
    found = table(encoding, tokens=6)
    assert found["body.attention"].operations == 6 * 5
    assert found["body.attention.hidden"].operations == 6 * 5 * 5


def test_a_weight_that_two_layers_share_is_counted_once() -> None:
    encoding = of_terms(model="transformer", task="lm", width=8, heads=2, context=16)
    found = anatomy(experiment.network_of(encoding), encoding)
    layers = {layer.name: layer for layer in found.layers}
    assert layers["head"].parameters == 0
    assert layers["head"].kind == "Linear 8 -> 10, weights of body.embedding"
    assert sum(layer.parameters for layer in found.layers) == found.parameters
    assert found.example == "a text of 16 tokens"


def test_a_frozen_layer_does_not_learn() -> None:
    network = experiment.network_of(encoding := of_terms(model="cnn", embedding=8))
    network.body.embedding.weight.requires_grad_(False)
    found = anatomy(network, encoding)
    assert [layer.learns for layer in found.layers if layer.name == "body.embedding"] == [False]
    assert found.parameters - found.learning == 80


def test_a_network_is_seen_in_whole_by_its_copy_and_stays_as_it_was() -> None:
    encoding = of_terms(model="cnn", embedding=8, filters=4, layers=2, dropout=0.5)
    network = experiment.network_of(encoding).train()
    batch = examples(encoding, raw_of(["a b c"], ["x"])).take(np.array([0]))
    copied = exact(network)
    with watched(copied) as calls:
        outputs = copied(batch.inputs)
    assert {"body.layers.1.kernels.2", "head"} <= {call.name for call in calls}
    assert outputs.dtype == torch.float64
    assert network.training
    assert torch.allclose(outputs.float(), network.eval()(batch.inputs), atol=1e-6)


def raw_of(texts: list[str], labels: list[str]) -> Raw:
    return Raw([str(i) for i in range(len(texts))], texts=texts, labels=labels)


def counter(weight: float, **choices: Any) -> nn.Module:
    """A network that adds its inputs up, what was there before times ``weight``."""
    network = experiment.network_of(of_sequences(20, width=1, activation="relu", **choices))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(weight if "weight_hh" in name else 1.0 if "weight" in name else 0.0)
    return network


@pytest.mark.parametrize(
    ("weight", "said"), [(0.5, "vanishes"), (1.0, "reaches"), (2.0, "explodes")]
)
@pytest.mark.parametrize("both", [False, True])
def test_the_gradient_through_time_is_the_recurrent_weight_to_the_power_of_the_distance(
    weight: float, said: str, both: bool
) -> None:
    encoding = of_sequences(20, width=1, activation="relu", bidirectional=both)
    network = counter(weight, bidirectional=both)
    values = np.ones((3, 20, 1), np.float32)
    raw = Raw(["1", "2", "3"], array=values, labels=np.zeros((3, 1)))
    reaches = flow(network, encoding, raw, 3).reaches
    assert [reach.layer for reach in reaches] == [
        f"body.layers.0.{direction}" for direction in ("ahead", "back")[: 1 + both]
    ]
    for reach in reaches:
        assert reach.distances == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19]
        shares = [norm / reach.norms[0] for norm in reach.norms]
        assert shares == pytest.approx([weight**d for d in reach.distances])
        assert reach.verdict == said
        assert reach.sentence().endswith(f"{weight:.3g} a step")


def test_distances_count_from_the_end_of_each_text_not_from_its_padding() -> None:
    encoding = of_terms(model="rnn", activation="relu", embedding=1, width=1, bidirectional=True)
    network = experiment.network_of(encoding)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(0.5 if "weight_hh" in name else 1.0 if "weight" in name else 0.0)
        network.head.weight[0] = -1.0
    texts = ["a b c d e f", "a b", "c d e f", "a b c d"]
    for reach in flow(network, encoding, raw_of(texts, ["x"] * 4), 4).reaches:
        assert reach.distances == [0, 1, 2, 3]  # half of the texts are longer
        assert [norm / reach.norms[0] for norm in reach.norms[:2]] == pytest.approx([1, 0.5])


def test_a_network_that_answers_for_each_token_is_asked_for_the_last() -> None:
    encoding = of_terms(model="rnn", activation="tanh", embedding=4, width=4, task="lm", context=8)
    torch.manual_seed(1)
    raw = Raw(["1"], texts=["a b c d e f g h a b c d e f g h a"])
    (reach,) = flow(experiment.network_of(encoding), encoding, raw, 5).reaches
    assert reach.distances[-1] == 7
    assert reach.norms[7] < reach.norms[3] < reach.norms[0]


def test_the_state_of_an_lstm_reaches_where_its_forget_gate_is_open() -> None:
    encoding = of_sequences(50, model="lstm", activation="tanh", width=4)
    network = experiment.network_of(encoding)
    raw = Raw(["1"], array=np.zeros((1, 50, 1), np.float32), labels=np.ones((1, 1)))
    found = {}
    for bias in (-5.0, 20.0):
        with torch.no_grad():
            network.body.layers[0].ahead.bias_ih_l0.chunk(4)[1].fill_(bias)
        found[bias] = flow(network, encoding, raw, 1).reaches[0].verdict
    assert found == {-5.0: "vanishes", 20.0: "reaches"}


def test_units_that_are_flat_or_dead_are_shares() -> None:
    encoding = of_numbers(1, width=4)
    network = experiment.network_of(encoding)
    linear = network.body.layers[0].linear
    with torch.no_grad():
        linear.weight[:, 0] = torch.tensor([1.0, -1.0, 1.0, 1.0])
        linear.bias[:] = torch.tensor([0.0, 0.0, -9.0, 0.0])
    array = np.array([[1.0], [2.0]], np.float32)
    raw = Raw(["1", "2"], array=array, labels=["x", "y"])
    (units,) = flow(network, encoding, raw, 2).units
    assert (units.layer, units.dead, units.saturated) == ("body.layers.0.activation", 0.5, None)
    # tanh' is 0.42 at 1, 0.07 at 2, and as good as 0 at -8 and -7
    other = replace(encoding, config=encoding.config.with_(activation="tanh"))
    bent = experiment.network_of(other)
    bent.load_state_dict(network.state_dict())
    (units,) = flow(bent, other, raw, 2).units
    assert (units.dead, units.saturated) == (None, 0.25)


def test_gradients_by_layer_are_means_over_single_examples() -> None:
    encoding = of_numbers(2, width=3)
    torch.manual_seed(2)
    network = experiment.network_of(encoding)
    array = np.array([[1.0, 2.0], [-3.0, 0.5]], np.float32)
    found = flow(network, encoding, Raw(["1", "2"], array=array, labels=["x", "z"]), 2)
    norms = []
    for row, target in ((0, 0), (1, 2)):
        network.zero_grad()
        outputs = network.head(network.body.layers[0](torch.from_numpy(array[row : row + 1])))
        nn.functional.cross_entropy(outputs, torch.tensor([target])).backward()
        weights = (network.head.weight.grad, network.head.bias.grad)
        norms.append(torch.cat([w.flatten() for w in weights]).norm().item())  # type: ignore[union-attr]
    head = next(layer for layer in found.layers if layer.layer == "head")
    assert head.norm == pytest.approx(np.mean(norms), rel=1e-5)


def test_layers_far_below_the_largest_vanish_and_huge_ones_explode() -> None:
    found = strengths({"a": 1e-8, "b": 1.0, "c": 2e5})
    assert [layer.verdict for layer in found] == ["vanishes", "", "explodes"]
    assert found[1].share == pytest.approx(5e-6)
    assert [layer.verdict for layer in strengths({"a": 0.0, "b": 0.0})] == ["vanishes"] * 2


def test_verdicts() -> None:
    assert [verdict(x) for x in (0.0, 1e-5, 1e-3, 1.0, 1e3, 1e5)] == [
        *("vanishes", "vanishes", "reaches", "reaches", "reaches", "explodes")
    ]


@pytest.mark.parametrize("farthest", [0, 1, 7, 11, 12, 63, 199, 1000, 12345])
def test_a_dozen_distances_lead_to_the_farthest(farthest: int) -> None:
    found = distances_to(farthest)
    assert found[0] == 0
    assert found[-1] == farthest
    assert found == sorted(set(found))
    assert len(found) <= 13
    assert len(found) >= min(farthest + 1, 6)


def test_labels_that_training_never_saw_are_left_out() -> None:
    encoding = of_numbers(1, width=2)
    network = experiment.network_of(encoding)
    array = np.ones((3, 1), np.float32)
    raw = Raw(["1", "2", "3"], array=array, labels=["x", "?", "y"])
    assert flow(network, encoding, raw, 9).examples == 2
    with pytest.raises(GaiError, match="no example with a label"):
        flow(network, encoding, replace(raw, labels=["?", "?", "?"]), 9)
