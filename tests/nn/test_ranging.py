"""The range test: rates that rise, losses that are recorded, and a suggestion that always is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gai.cli.nn_display import Silent
from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.net.batches import Batch
from gai.nn.net.inputs import Inputs
from gai.nn.net.keeping import Memory
from gai.nn.net.loop import Goal, Lost, Training
from gai.nn.net.ranging import (
    Curve,
    Rising,
    has_diverged,
    ranged,
    smoothed,
    suggestion,
    typed,
)
from gai.nn.net.schedules import Schedule


class Bowl(nn.Module):
    """Weights that begin at 1; how curved the bowl is along each is the objective's matter."""

    def __init__(self, size: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))


class Again:
    """An order with the same batch, twice an epoch."""

    batches = 2

    def epoch(self, number: int) -> Any:
        return [np.array([0]), np.array([1])]


def take(rows: Any) -> Batch:
    return Batch(Inputs(torch.zeros(len(rows), 1)), None, len(rows))


def training(objective: Any, config: Config | None = None, size: int = 1) -> Training:
    """Plain gradient descent on an objective of the weights of a bowl."""
    torch.manual_seed(0)
    network = Bowl(size)
    made = torch.optim.SGD(network.parameters(), 1.0)
    return Training(
        config=config or Config(optimizer="sgd"),
        network=network,
        objective=objective,
        optimizer=made,
        schedule=Schedule(made),
        order=Again(),
        take=take,
        evaluate=None,
        goal=Goal("loss", False),
        keeper=Memory(),
        listener=Silent(),
        generator=np.random.default_rng(1),
    )


def bowl(*curvatures: float) -> Any:
    """The loss L w^2 / 2 along each weight: best rate 1 / L, and above 2 / L it diverges."""
    known = torch.tensor(curvatures)

    def objective(network: Any, batch: Batch, step: int) -> Lost:
        return Lost((known * network.weight.square()).sum() / 2)

    return objective


@pytest.mark.parametrize("curvature", [0.5, 1.0, 30.0, 1000.0])
def test_the_suggestion_for_a_bowl_is_below_the_best_rate_and_not_far(curvature: float) -> None:
    curve = ranged(training(bowl(curvature)), 1e-7, 10.0, 100)
    found = suggestion(curve, default=123.0)
    assert 0.02 / curvature < found.rate <= 1.0 / curvature


@pytest.mark.slow
def test_digits_are_learned_better_by_it_than_by_a_tenth_or_ten_times_of_it() -> None:
    from gai.nn.data.preparing import prepare
    from gai.nn.net import experiment

    torch.set_num_threads(1)
    for optimizer in ("adam", "nesterov"):
        said = {"model": "mlp", "data": ("@digits",), "epochs": 5, "optimizer": optimizer}

        def fresh(lr: float) -> Training:
            parts = prepare({**said, "threads": 1, "lr": lr})  # noqa: B023
            return experiment.fresh(parts, Silent(), Memory())

        rate = suggestion(ranged(fresh(0.001), 1e-7, 10.0, 100), 0.001).rate
        low, found, high = (fresh(by * rate).run().best["loss"] for by in (0.1, 1.0, 10.0))
        assert found < low
        assert found < high


def test_of_two_curvatures_the_steeper_bounds_the_rate() -> None:
    curve = ranged(training(bowl(1.0, 100.0), size=2), 1e-7, 10.0, 100)
    assert suggestion(curve, 1.0).rate < 2 / 100


def test_a_test_diverges_where_descent_does() -> None:
    curve = ranged(training(bowl(10.0)), 1e-7, 100.0, 200)
    assert curve.diverged
    assert 2 / 10 < curve.rates[-1] < 100.0
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) < 200


def test_rates_grow_by_the_same_factor_from_the_first_to_the_last() -> None:
    curve = ranged(training(bowl(1e-9)), 1e-4, 1e-2, 21)
    assert curve.rates == pytest.approx([1e-4 * 10 ** (k / 10) for k in range(21)])
    assert not curve.diverged


def test_the_losses_are_those_of_plain_gradient_descent() -> None:
    curve = ranged(training(bowl(3.0)), 1e-3, 1e-1, 10)
    weight, expected = 1.0, []
    for rate in curve.rates:
        expected.append(1.5 * weight**2)
        weight -= rate * 3.0 * weight
    assert curve.losses == pytest.approx(expected, rel=1e-5)


def test_groups_of_weights_keep_their_shares_of_the_rate() -> None:
    one, other = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    groups: list[dict[str, Any]] = [{"params": [one], "lr": 0.5}, {"params": [other], "lr": 0.05}]
    rising = Rising(torch.optim.SGD(groups, 1.0), 1e-3, 1e-1, 3)
    seen = []
    for _ in range(3):
        seen.append([group["lr"] for group in rising.optimizer.param_groups])
        rising.after_step()
    assert np.allclose(seen, [[1e-3, 1e-4], [1e-2, 1e-3], [1e-1, 1e-2]])


def test_a_loss_that_is_no_number_ends_the_test_without_an_error() -> None:
    def objective(network: Any, batch: Batch, step: int) -> Lost:
        return Lost(network.weight.sum() * (math.nan if step == 5 else 1.0))

    curve = ranged(training(objective), 1e-4, 1e-1, 50)
    assert curve.diverged
    assert len(curve.losses) == 6
    assert math.isnan(curve.losses[-1])
    assert suggestion(curve, 1e-3).rate > 0


def test_a_loss_that_refuses_weights_that_are_no_numbers_ends_the_test() -> None:
    def objective(network: Any, batch: Batch, step: int) -> Lost:
        if step == 4:
            with torch.no_grad():
                network.weight.fill_(math.inf)
            raise ValueError("expected real numbers")
        return Lost(network.weight.square().sum())

    assert ranged(training(objective), 1e-4, 1e-1, 50).diverged


def test_any_other_error_passes() -> None:
    def objective(network: Any, batch: Batch, step: int) -> Lost:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        ranged(training(objective), 1e-4, 1e-1, 50)

    def refusing(network: Any, batch: Batch, step: int) -> Lost:
        raise GaiError("the loss function says no")

    with pytest.raises(GaiError, match="says no"):
        ranged(training(refusing), 1e-4, 1e-1, 50)


def test_a_mean_of_equal_losses_is_that_loss_and_an_old_loss_is_forgotten() -> None:
    assert smoothed([3.0] * 5, 100) == pytest.approx([3.0] * 5)
    means = smoothed([100.0] + [1.0] * 99, 100)
    assert means[0] == 100.0
    assert means[1] > 40
    assert means[-1] == pytest.approx(1.0, abs=0.01)


def test_a_test_of_few_steps_takes_each_loss_as_it_is() -> None:
    assert smoothed([5.0, 1.0, 2.0], 10) == [5.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("means", "ended"),
    [
        ([1.0, 0.5, 1.9], False),
        ([1.0, 0.4, 1.7], True),  # above four times the least, and above the first
        ([9.0, 0.1, 0.5], False),  # five times the least, and yet most has been learned
        ([1.0, -2.0, 3.0], False),
        ([1.0, -2.0, 4.5], True),  # a loss below 0: three times its size above it
        ([1.0, math.nan], True),
        ([1.0, math.inf], True),
    ],
)
def test_when_a_test_has_diverged(means: list[float], ended: bool) -> None:
    assert has_diverged(means) is ended


def curve(losses: list[float], diverged: bool = False) -> Curve:
    rates = np.geomspace(1e-7, 10.0, max(len(losses), 2)).tolist()[: len(losses)]
    return Curve(rates, losses, losses, diverged)


def test_a_flat_curve_suggests_the_default() -> None:
    found = suggestion(curve([1.0] * 100), 0.002)
    assert found.rate == 0.002
    assert "no rate changes" in found.why


def test_a_curve_that_only_rises_suggests_a_tenth_of_where_it_does() -> None:
    flat_then_up = [1.0] * 50 + [2.0] * 3
    found = suggestion(curve(flat_then_up, diverged=True), 1.0)
    assert found.rate == pytest.approx(curve(flat_then_up).rates[50] / 10)


def test_a_curve_that_is_no_number_at_once_suggests_less_than_its_lowest_rate() -> None:
    assert suggestion(Curve([1e-7], [math.nan], [math.nan], True), 1e-3).rate == 1e-8
    assert suggestion(Curve([], [], [], True), 1e-3).rate == 1e-4


def test_noise_at_the_beginning_is_not_the_steepest_fall() -> None:
    noisy = [1.5, 1.02, 1.0, 1.01] + [1.0] * 40 + np.linspace(1.0, 0.2, 20).tolist()
    found = suggestion(curve(noisy), 1e-3)
    assert found.steepest is not None
    assert found.steepest > curve(noisy).rates[40]


NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(st.lists(NUMBERS, max_size=30), st.floats(1e-12, 1e3), st.booleans())
def test_there_is_always_a_suggestion_that_can_be_typed(
    losses: list[float], default: float, diverged: bool
) -> None:
    found = suggestion(curve(losses, diverged), default)
    assert 0.0 < found.rate < math.inf
    flag, value = typed(found.rate).split()
    assert flag == "--lr"
    assert float(value) == pytest.approx(found.rate, rel=0.06)


@given(st.integers(-20, 20), st.integers(3, 60))
def test_the_suggestion_does_not_depend_on_the_unit_of_the_loss(power: int, steps: int) -> None:
    rng = np.random.default_rng(steps)
    losses = np.linspace(2.0, 0.5, steps) + 0.1 * rng.random(steps)
    one, other = (suggestion(curve((losses * by).tolist()), 1e-3) for by in (1.0, 2.0**power))
    assert one == other
