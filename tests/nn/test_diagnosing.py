"""What ails a network, on networks that are known to ail or to be well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gai.cli.nn_display import Silent
from gai.nn.config import Config, resolved
from gai.nn.data.preparing import prepare
from gai.nn.net import experiment
from gai.nn.net.diagnosing import (
    Diagnosis,
    Look,
    moved,
    of_run,
    of_training,
    on_steps,
    on_units,
    spread,
)
from gai.nn.net.units import Census, State
from gai.nn.net.watching import watched
from gai.nn.remedies import on_losses

DEEP: Mapping[str, Any] = {"model": "mlp", "data": ("@iris",), "dropout": 0.0, "layers": 10}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def tried(steps: int = 20, **said: Any) -> Diagnosis:
    """What a short training shows."""
    choices = {"width": 24, "seed": 1, "threads": 1, "steps": steps, "eval_every": 10, **said}
    return of_training(prepare(choices), Silent(), whole=False)


def kinds(found: Diagnosis) -> dict[str, str]:
    """The findings, with what helps."""
    return {finding.kind: finding.hint for finding in found.findings}


def test_gradients_vanish_in_a_deep_network_of_sigmoids_and_not_with_what_is_advised() -> None:
    found = tried(**DEEP, activation="sigmoid")
    assert set(kinds(found)) == {"vanish"}
    (finding,) = found.findings
    assert finding.message.startswith("gradients vanish in body.layers.0.linear")
    first, *_, last = found.looks[-1].gradients.values()
    assert first < 1e-6 * last
    ways = finding.hint.split(", or ")
    assert ways[:2] == ["--activation relu --weights-init he", "--batch-norm"]
    assert kinds(tried(**DEEP, activation="relu", weights_init="he")) == {}
    assert kinds(tried(**DEEP, activation="sigmoid", batch_norm=True)) == {}
    assert kinds(tried(**DEEP, activation="sigmoid", residual=True)) == {}


def test_a_network_that_diverges_is_a_finding_and_no_error() -> None:
    said = {"model": "mlp", "data": ("@diabetes",), "optimizer": "sgd", "lr": 1e6}
    found = tried(**said)
    assert list(kinds(found)) == ["diverging"]
    assert kinds(found)["diverging"].startswith("--clip-norm 1, or --lr 100000")


def test_steps_that_are_too_short_are_told_with_the_rate_that_would_do() -> None:
    found = kinds(tried(model="mlp", data=("@iris",), lr=1e-7))
    assert list(found) == ["short steps"]
    rate = float(found["short steps"].removeprefix("--lr "))
    assert 1e-5 <= rate <= 1e-3
    look = Look(1, 0.0, [], {}, {"a": 0.5, "b": 0.9, "c": 0.001})
    (finding,) = on_steps([look], Config(lr=0.1))
    assert (finding.kind, finding.hint) == ("long steps", "--lr 0.0001")


def test_a_training_is_looked_at_from_its_first_step_to_its_last() -> None:
    found = tried(100, model="mlp", data=("@iris",), dropout=0.0)
    assert [look.step for look in found.looks] == [1, 2, 4, 7, 14, 27, 52, 100]
    assert found.looks[0].loss == pytest.approx(np.log(3), abs=0.4)
    assert found.looks[-1].loss < found.looks[0].loss
    assert [state.layer for state in found.looks[0].states] == [
        "body.layers.0.linear",
        "body.layers.0.activation",
        "head",
    ]
    assert set(found.looks[0].moves) == {"body.layers.0.linear", "head"}


def test_evaluations_are_not_seen() -> None:
    often, once = (
        tried(8, model="mlp", data=("@iris",), dropout=0.0, eval_every=every) for every in (1, 8)
    )
    assert len(often.records) == 8 * len(once.records)
    assert often.looks == once.looks


def test_looking_changes_nothing_of_a_training() -> None:
    from gai.nn.net.keeping import Memory

    said = {"model": "mlp", "data": ("@iris",), "width": 8, "seed": 1, "threads": 1, "steps": 12}
    plain = Memory()
    experiment.fresh(prepare(said), Silent(), plain).run()
    found = of_training(prepare(said), Silent(), whole=True)
    assert [record["train_loss"] for record in found.records] == [
        record.train_loss for record in plain.records
    ]


@pytest.mark.parametrize("total", [1, 2, 7, 100, 5000])
def test_looks_are_spread_over_the_steps(total: int) -> None:
    steps = spread(total, 8)
    assert (steps[0], steps[-1]) == (1, total)
    assert steps == sorted(set(steps))
    assert len(steps) <= 8


def test_how_far_a_step_moves_weights_is_a_share_of_their_size() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    with torch.no_grad():
        network[0].weight *= 1.25
    assert moved(network, before) == pytest.approx({"0": 0.25, "1": 0.0})


def looked(activation: str, change: Any, **said: Any) -> list[State]:
    """What the layers of a changed network give on iris."""
    from gai.nn.net.inspecting import states

    choices = {"model": "mlp", "data": ("@iris",), "dropout": 0.0, "width": 16, "seed": 1, **said}
    parts = prepare({**choices, "activation": activation})
    network = experiment.network_of(parts.encoding)
    with torch.no_grad():
        change(network.body.layers[0].linear)  # type: ignore[index, union-attr]
    return states(network, parts.encoding, parts.raw["train"], 100)


def test_units_with_huge_negative_biases_are_dead() -> None:
    def lowered(layer: nn.Linear) -> None:
        layer.bias[:12] = -1000.0

    found = looked("relu", lowered)
    assert found[1].dead is not None
    assert found[1].dead >= 12 / 16
    (finding,) = on_units(found, Config(lr=0.01))
    assert finding.kind == "dead"
    assert "of body.layers.0.activation are 0 for all examples" in finding.message
    assert finding.hint.startswith("--lr 0.001, or --activation leaky-relu")
    assert list(on_units(looked("relu", lambda layer: None), Config())) == []


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_weights_times_fifty_put_units_on_flat_ground(activation: str) -> None:
    def grown(layer: nn.Linear) -> None:
        layer.weight *= 50.0

    found = looked(activation, grown)
    assert found[1].saturated is not None
    assert found[1].saturated > 0.8
    (finding,) = on_units(found, Config(activation=activation))
    assert finding.kind == "saturated"
    assert finding.hint.startswith("--weights-init xavier")
    assert list(on_units(looked(activation, lambda layer: None), Config())) == []


def test_means_and_deviations_are_those_of_all_outputs() -> None:
    layer, x = nn.Linear(3, 5), torch.randn(40, 3)
    network, census = nn.Sequential(layer), Census()
    for part in x.split(16):  # type: ignore[no-untyped-call]
        with watched(network) as calls:
            network(part)
        census.count(calls)
    (state,) = census.states()
    outputs = layer(x).detach().double()
    assert state.mean == pytest.approx(float(outputs.mean()))
    assert state.deviation == pytest.approx(float(outputs.std(unbiased=False)))
    assert (state.saturated, state.dead) == (None, None)


def curve(train: list[float], valid: list[float]) -> list[dict[str, Any]]:
    """The records of a run with these losses."""
    pairs = enumerate(zip(train, valid, strict=True), 1)
    return [{"step": k, "train_loss": t, "scores": {"loss": v}} for k, (t, v) in pairs]


MLP = resolved({"model": "mlp", "task": "classify"})


def test_a_run_that_learns_by_heart_is_overfitting() -> None:
    train = [0.69 * 0.8**k for k in range(20)]
    valid = [max(0.69 * 0.8**k, 0.3) + 0.02 * k for k in range(20)]
    verdict, hint = on_losses(curve(train, valid), MLP, 2)
    assert verdict.kind == "overfitting"
    assert "--early-stopping 3" in hint
    assert "--weight-decay 0.01" in hint
    assert (
        "--early-stopping" not in on_losses(curve(train, valid), MLP.with_(early_stopping=2), 2)[1]
    )


def test_a_run_whose_rate_is_too_low_is_underfitting() -> None:
    flat = [0.69 - 0.0001 * k for k in range(20)]
    verdict, hint = on_losses(curve(flat, [*flat[:-1], 0.689]), MLP.with_(lr=1e-6), 2)
    assert verdict.kind == "underfitting"
    assert hint.startswith("--lr 1e-05")


def test_a_run_that_still_falls_is_to_go_on_unless_little_is_left() -> None:
    falling = [0.69 * 0.9**k for k in range(12)]
    above = [value + 0.001 for value in falling]
    assert on_losses(curve(falling, above), MLP, 2)[0].kind == "falling"
    assert "--epochs 20" in on_losses(curve(falling, above), MLP, 2)[1]
    done = [value / 100 for value in falling]
    verdict, hint = on_losses(curve(done, [v + 1e-6 for v in done]), MLP, 2)
    assert (verdict.kind, hint) == ("fine", "")


def test_nothing_is_said_of_a_run_without_evaluations() -> None:
    verdict, hint = on_losses([], MLP, 2)
    assert (verdict.kind, hint) == ("unclear", "")


def run_of(**said: Any) -> Diagnosis:
    """What the trained network of a run shows on its examples, without records."""
    choices = {"seed": 1, "threads": 1, "dropout": 0.0, "valid": "0", **said}
    parts = prepare(choices)
    network = experiment.network_of(parts.encoding)
    return of_run([], network, parts.encoding, parts.raw["train"], {}, 20)


def test_a_plain_recurrent_network_forgets_and_one_with_gates_is_advised(tmp_path: Any) -> None:
    path = tmp_path / "long.csv"
    words = " ".join("abcdefgh" * 12)
    path.write_text("text,label\n" + f"{words} x,1\n{words} y,2\n" * 3)
    said = {"data": (str(path),), "embedding": 4, "width": 8, "task": "classify"}
    found = run_of(model="rnn", pool="max", weights_init="default", **said)
    forgets = kinds(found).get("forget")
    assert forgets is not None
    assert forgets.startswith("lstm or gru in place of rnn")


def test_the_baseline_is_told_beside_a_network_that_learns_too_little() -> None:
    parts = prepare({"model": "mlp", "data": ("@iris",), "seed": 1})
    network = experiment.network_of(parts.encoding)
    scores = {"network": {"accuracy": 0.5}, "baselines": {"logistic regression": {"accuracy": 0.9}}}
    flat = curve([1.09] * 6, [1.1] * 6)
    found = of_run(flat, network, parts.encoding, None, {"scores": {"valid": scores}})
    assert found.findings[0].message.endswith(
        "its accuracy is 0.500, that of logistic regression 0.900"
    )


def test_gradients_in_the_records_of_a_run_are_judged() -> None:
    parts = prepare({"model": "mlp", "data": ("@iris",), "seed": 1})
    network = experiment.network_of(parts.encoding)
    records = curve([1.0, 0.9], [1.0, 0.9])
    for record, first in zip(records, (1e-7, 2e-7), strict=True):
        record["gradients"] = {"body.layers.0.linear": first, "head": 1.0}
    found = of_run(records, network, parts.encoding, None, {})
    assert [finding.kind for finding in found.findings] == ["vanish"]
    records[0]["gradients"]["head"] = None  # infinite, which JSON has not
    found = of_run(records, network, parts.encoding, None, {})
    assert "explode" in kinds(found)
