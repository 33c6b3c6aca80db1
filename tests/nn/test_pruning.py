"""Pruning: the smallest weights go and stay away; units that matter nothing go without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gai.errors import GaiError, UsageError
from gai.nn.config import Config, resolved
from gai.nn.data.preparing import prepare
from gai.nn.data.raw import Raw
from gai.nn.net import checkpoints, deriving, experiment, pruning
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import build
from gai.nn.net.optimizers import optimizer

IDS, NUMBERS = Shape("ids", (30,), 3), Shape("numbers", (5,), 3)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)


def made(shape: Shape, **choices: Any) -> tuple[Any, Config]:
    config = resolved({"width": 8, "embedding": 6, "filters": 4, **choices})
    network = build(config, shape).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn_like(weight))
    return network, config


def matrices(network: nn.Module) -> dict[str, Tensor]:
    return {k: w.detach() for k, w in network.named_parameters() if w.dim() > 1}


@pytest.mark.parametrize("amount", [0.1, 0.5, 0.9])
def test_of_each_matrix_the_smallest_weights_go(amount: float) -> None:
    network, _ = made(IDS, model="cnn")
    before = {k: w.clone() for k, w in network.named_parameters()}
    pruning.prune_weights(network, amount, together=False)
    for name, weight in network.named_parameters():
        old, gone = before[name], weight == 0
        if weight.dim() < 2:
            assert torch.equal(weight, old)
            continue
        assert int(gone.sum()) == round(amount * weight.numel())
        assert torch.equal(weight[~gone], old[~gone])
        assert old[gone].abs().max() <= old[~gone].abs().min()


def test_together_the_smallest_of_all_go() -> None:
    network, _ = made(NUMBERS, model="mlp")
    with torch.no_grad():
        network.head.weight.mul_(1000)
    pruning.prune_weights(network, 0.4, together=True)
    weights = matrices(network)
    whole = sum(w.numel() for w in weights.values())
    assert sum(int((w == 0).sum()) for w in weights.values()) == round(0.4 * whole)
    assert network.head.weight.count_nonzero() == network.head.weight.numel()


def test_amounts_are_shares_of_the_result_so_that_pruning_twice_is_pruning_once() -> None:
    network, _ = made(NUMBERS, model="mlp")
    pruning.prune_weights(network, 0.5, together=False)
    once = {k: w.clone() for k, w in matrices(network).items()}
    pruning.prune_weights(network, 0.5, together=False)
    assert all(torch.equal(w, once[k]) for k, w in matrices(network).items())


def test_a_weight_that_the_head_shares_with_the_embedding_goes_once() -> None:
    network, _ = made(
        Shape("ids", (30,), 30, per_token=True, causal=True), model="transformer", task="lm"
    )
    pruning.prune_weights(network, 0.5, together=False)
    assert network.head.weight is network.body.embedding.weight
    assert int((network.head.weight == 0).sum()) == 30 * 8 // 2


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adamw"])
def test_what_is_0_stays_0_in_every_optimiser_and_the_rest_learns(name: str) -> None:
    network, config = made(
        NUMBERS, model="mlp", optimizer=name, weight_decay=0.1, lr=0.05, dropout=0.0
    )
    pruning.prune_weights(network, 0.5, together=False)
    before = {k: w.clone() for k, w in matrices(network).items()}
    pruning.hold(network)
    descent = optimizer(config, network)
    x, y = torch.randn(20, 5), torch.randint(0, 3, (20,))
    for _ in range(4):
        descent.zero_grad()
        loss = nn.functional.cross_entropy(network(Inputs(x)), y)
        (loss + sum(w.abs().sum() for w in network.parameters())).backward()
        descent.step()
    for key, weight in matrices(network).items():
        assert torch.equal(weight == 0, before[key] == 0)
        assert (weight != before[key]).sum() > 0.9 * (before[key] != 0).sum()


def test_what_is_0_stays_0_in_a_layer_that_is_thawed_later() -> None:
    network, _ = made(NUMBERS, model="mlp", dropout=0.0)
    pruning.prune_weights(network, 0.5, together=False)
    network.requires_grad_(False)
    pruning.hold(network)
    assert not any(weight.requires_grad for weight in network.parameters())
    network.requires_grad_()
    network(Inputs(torch.randn(20, 5))).square().sum().backward()
    for weight in matrices(network).values():
        assert weight.count_nonzero() < weight.numel()
    for weight in network.parameters():
        assert weight.grad is not None
        assert weight.grad.count_nonzero() > 0
        assert weight.dim() < 2 or not weight.grad[weight == 0].any()


@pytest.mark.parametrize("text", ["", "a"])
def test_the_speed_on_a_text_that_is_too_short_is_an_error_in_a_line(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.txt"
    path.write_text("to be or not to be\n" * 20)
    said = {"model": "gru", "task": "lm", "data": (str(path),), "context": 8, "width": 4}
    encoding = prepare({**said, "threads": 1}).encoding
    bench = deriving.Bench(encoding, Raw(["x"], texts=[text]), "a text")
    with pytest.raises(GaiError, match="fewer than two tokens"):
        bench.speed(experiment.network_of(encoding))


def examples(shape: Shape, size: int = 4) -> Inputs:
    if shape.kind == "ids":
        return Inputs(torch.randint(1, 30, (size, 7)), torch.tensor([7, 3, 1, 5]))
    if shape.kind == "rows":
        cells = torch.randint(2, 30, (10,))
        return Inputs(cells, torch.tensor([0, 3, 3, 8]), torch.rand(10))
    return Inputs(torch.randn(size, *shape.size))


CASES: dict[str, tuple[Shape, dict[str, Any]]] = {
    "mlp": (NUMBERS, {"model": "mlp", "layers": 2}),
    "mlp, rows": (Shape("rows", (30,), 3), {"model": "mlp", "input": "tfidf", "layers": 2}),
    "mlp, text": (IDS, {"model": "mlp", "batch_norm": True}),
    "mlp, residual": (NUMBERS, {"model": "mlp", "layers": 3, "residual": True}),
    "cnn": (IDS, {"model": "cnn"}),
    "cnn, deep": (IDS, {"model": "cnn", "layers": 2, "batch_norm": True}),
    "cnn, residual": (
        IDS,
        {"model": "cnn", "layers": 3, "residual": True, "kernels": (2, 3), "embedding": 7},
    ),
    "cnn, images": (Shape("images", (1, 9, 8), 3), {"model": "cnn", "layers": 3}),
    "cnn, residual images": (
        Shape("images", (2, 8, 8), 3),
        {"model": "cnn", "layers": 2, "residual": True, "batch_norm": True},
    ),
    "rnn": (IDS, {"model": "rnn"}),
    "lstm": (IDS, {"model": "lstm", "layers": 2}),
    "lstm, two ways": (IDS, {"model": "lstm", "layers": 2, "bidirectional": True}),
    "gru, attention": (
        IDS,
        {"model": "gru", "attention": True, "bidirectional": True, "batch_norm": True},
    ),
    "gru, residual": (
        IDS,
        {"model": "gru", "layers": 3, "residual": True, "bidirectional": True, "embedding": 7},
    ),
    "lstm, sequences": (Shape("sequences", (6, 2), 3), {"model": "lstm"}),
}


def silence(network: Any, config: Config, amount: float) -> dict[str, set[int]]:
    """Takes all that goes out of some units of each group; says which, by the group's first
    weight."""
    tensors = checkpoints.tensors_of(network)
    silent = {}
    for group in pruning.groups_of(network, config):
        stay = pruning.left(group.base, amount) * (group.size // group.base)
        units = torch.randperm(group.size)[: group.size - stay]
        silent[group.into[0].name] = set(units.tolist())
        with torch.no_grad():
            for place in group.out:
                entries = place.entries(units, group.size).flatten()
                tensors[place.name].movedim(place.dim, 0)[entries] = 0
    return silent


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("amount", [0.25, 0.6])
def test_units_whose_answers_nobody_takes_go_without_a_change(name: str, amount: float) -> None:
    shape, choices = CASES[name]
    network, config = made(shape, **choices)
    silent = silence(network, config, amount)
    inputs = examples(shape)
    smaller, tensors = pruning.prune_units(network, config, amount)
    left = build(smaller, shape).eval()
    checkpoints.restore(left, tensors, "a file")
    with torch.inference_mode():
        wanted, found = network(inputs), left(inputs)
    assert torch.allclose(found, wanted, atol=1e-4 * float(wanted.abs().max()))
    assert any(silent.values())
    sizes = [sum(w.numel() for w in one.parameters()) for one in (network, left)]
    assert sizes[1] < sizes[0]


def test_the_units_of_the_largest_weights_stay() -> None:
    network, config = made(NUMBERS, model="mlp")
    with torch.no_grad():
        network.body.layers[0].linear.weight[[2, 5]] *= 100
        network.head.weight[:, 7] *= 1000
    _, tensors = pruning.prune_units(network, config, 5 / 8)
    before = network.body.layers[0].linear.weight
    assert torch.equal(tensors["body.layers.0.linear.weight"], before[[2, 5, 7]])
    assert torch.equal(tensors["head.weight"], network.head.weight[:, [2, 5, 7]])


def test_norms_are_those_into_a_unit_times_those_out_of_it() -> None:
    network, config = made(Shape("images", (2, 4, 4), 3), model="cnn")
    first = pruning.groups_of(network, config)[0]
    weight, bias = network.body.blocks[0].filters.weight, network.body.blocks[0].filters.bias
    into = (weight.square().sum((1, 2, 3)) + bias.square()).detach().numpy()
    out = network.body.dense.weight.detach().view(8, 4, -1).square().sum((0, 2)).numpy()
    found = first.norms(checkpoints.tensors_of(network)).numpy()
    np.testing.assert_allclose(found, np.sqrt(into * out), rtol=1e-5)


def test_of_a_transformer_units_of_the_dense_layers_become_0() -> None:
    network, config = made(IDS, model="transformer", heads=2, context=8)
    same, tensors = pruning.prune_units(network, config, 0.5)
    assert same == config
    for name, weight in matrices(network).items():
        zero = tensors[name] == 0
        if name.endswith("up.weight"):
            assert int(zero.all(1).sum()) == 16
        elif name.endswith("down.weight"):
            assert int(zero.all(0).sum()) == 16
        else:
            assert torch.equal(tensors[name], weight)


def test_at_least_one_unit_stays() -> None:
    network, config = made(NUMBERS, model="mlp")
    smaller, tensors = pruning.prune_units(network, config, 0.999)
    assert (smaller.width, tensors["head.weight"].shape) == (1, (3, 1))


def test_a_first_layer_that_would_be_as_wide_as_its_inputs_is_refused() -> None:
    network, config = made(NUMBERS, model="mlp", residual=True)
    with pytest.raises(UsageError, match="would be as wide as its inputs"):
        pruning.prune_units(network, config, 3 / 8)
    pruning.prune_units(network, config, 4 / 8)
    network, config = made(IDS, model="cnn", residual=True, kernels=(2, 3))
    with pytest.raises(UsageError, match="would be as wide as its inputs"):
        pruning.prune_units(network, config, 1 / 4)


def test_units_that_are_added_to_the_inputs_cannot_go() -> None:
    network, config = made(Shape("numbers", (8,), 3), model="mlp", residual=True)
    with pytest.raises(UsageError, match="the first layer's units are added to its inputs"):
        pruning.prune_units(network, config, 0.5)


def test_models_of_other_making_lose_single_weights_alone() -> None:
    network, config = nn.Sequential(nn.Linear(4, 3)), resolved({"model": "mlp"})
    with pytest.raises(UsageError, match="does not know the units of a model mlp"):
        pruning.prune_units(network, config, 0.5)
    pruning.prune_weights(network, 0.5, together=True)
    assert int((network[0].weight == 0).sum()) == 6
