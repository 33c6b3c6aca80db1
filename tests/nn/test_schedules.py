"""Learning rates by name, against closed formulas, and resumed anywhere."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from math import cos, floor, pi
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from gai.errors import UsageError
from gai.nn.config import Config
from gai.nn.names import OPTIMIZERS, SCHEDULES
from gai.nn.net.optimizers import optimizer
from gai.nn.net.schedules import Schedule, schedule

LR, LOW, GAMMA, EVERY, EPOCH, TOTAL = 0.3, 0.01, 0.7, 2, 5, 23
WARM = 4

CONFIG = Config(lr=LR, min_lr=LOW, schedule_gamma=GAMMA, schedule_every=EVERY, optimizer="momentum")

LOSSES = [3.0, 2.0, 2.5, 2.4, 1.0, 1.0, 1.0]
"""Of the evaluations: the best twice in a row not beaten, twice."""


def warming(t: int, warmup: int) -> float:
    return min(1.0, (t + 1) / (warmup + 1))


def cosine(t: int, warmup: int) -> float:
    if t < warmup:
        return LR * warming(t, warmup)
    done = min(1.0, (t - warmup) / (TOTAL - warmup))
    return LOW + (LR - LOW) * (1 + cos(pi * done)) / 2


def cyclical(t: int, warmup: int) -> float:
    place = t % (EVERY * EPOCH) / (EVERY * EPOCH)
    return LOW + (LR - LOW) * (1 - abs(2 * place - 1))


def one_cycle(t: int, warmup: int) -> float:
    top, last = 0.3 * TOTAL - 1, TOTAL - 1
    if t <= top:
        return LR + (LR / 25 - LR) * (1 + cos(pi * t / top)) / 2
    return LOW + (LR - LOW) * (1 + cos(pi * (min(t, last) - top) / (last - top))) / 2


def plateau(t: int, warmup: int) -> float:
    # Evaluated after 5, 10, 15, .. steps: the fourth and the seventh are second in a row no better.
    return LR * GAMMA ** (int(t >= 4 * EPOCH) + int(t >= 7 * EPOCH)) * warming(t, warmup)


FORMULAS: dict[str, Callable[[int, int], float]] = {
    "constant": lambda t, w: LR * warming(t, w),
    "warm-up": lambda t, w: LR * warming(t, w),
    "step": lambda t, w: LR * GAMMA ** floor(t / EPOCH / EVERY) * warming(t, w),
    "exponential": lambda t, w: LR * GAMMA ** floor(t / EPOCH) * warming(t, w),
    "cosine": cosine,
    "cyclical": cyclical,
    "one-cycle": one_cycle,
    "plateau": plateau,
}

CASES = [
    (name, warmup)
    for name in SCHEDULES
    for warmup in (0, WARM)
    if not (name in ("cyclical", "one-cycle") and warmup) and (name != "warm-up" or warmup)
]


def begun(name: str, warmup: int = 0, **options: Any) -> Schedule:
    config = CONFIG.with_(schedule=name, warmup=warmup, **options)
    steps = optimizer(config, nn.Linear(2, 2))
    return schedule(config, steps, steps_per_epoch=EPOCH, total_steps=TOTAL)


def advance(found: Schedule, begin: int, end: int) -> list[float]:
    """The rates of steps ``begin`` to ``end``."""
    rates = []
    for t in range(begin, end):
        rates.append(found.lr)
        found.optimizer.step()
        found.after_step()
        if (t + 1) % EPOCH == 0:
            found.after_evaluation(LOSSES[(t + 1) // EPOCH - 1])
    return rates


@pytest.mark.parametrize(("name", "warmup"), CASES)
def test_rates_are_the_formula(name: str, warmup: int) -> None:
    # Beyond the end too, where a rate must not rise again.
    rates = advance(begun(name, warmup), 0, TOTAL + 5)
    expected = [FORMULAS[name](t, warmup) for t in range(TOTAL + 5)]
    assert rates == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("name", "warmup"), CASES)
@pytest.mark.parametrize("cut", [0, 1, 3, 4, 5, 6, 15, 20, TOTAL - 1, TOTAL])
@pytest.mark.parametrize("with_optimizer", [False, True])
def test_a_resumed_run_has_the_same_rates(
    name: str, warmup: int, cut: int, with_optimizer: bool
) -> None:
    whole = advance(begun(name, warmup), 0, TOTAL + 5)
    first = begun(name, warmup)
    rates = advance(first, 0, cut)
    saved = json.dumps(first.state(), allow_nan=False)
    second = begun(name, warmup)
    if with_optimizer:
        second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.restore(json.loads(saved))
    assert rates + advance(second, cut, TOTAL + 5) == whole


@pytest.mark.parametrize(("name", "warmup"), CASES)
def test_all_groups_have_the_rate(name: str, warmup: int) -> None:
    found = begun(name, warmup, weight_decay=0.1)
    for _ in range(TOTAL):
        advance(found, 0, 1)
        assert [group["lr"] for group in found.optimizer.param_groups] == [found.lr] * 2


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule_name", ["cyclical", "one-cycle"])
def test_cycles_leave_momentum_alone(name: str, schedule_name: str) -> None:
    found = begun(schedule_name, optimizer=name)
    before = settings_of(found.optimizer)
    advance(found, 0, TOTAL)
    assert settings_of(found.optimizer) == before


def settings_of(steps: Optimizer) -> list[Any]:
    return [(group.get("momentum"), group.get("betas")) for group in steps.param_groups]


def test_one_cycle_without_a_lowest_rate_ends_far_down() -> None:
    assert advance(begun("one-cycle", min_lr=0.0), 0, TOTAL)[-1] == pytest.approx(LR / 250_000)


def test_a_cosine_ends_at_the_lowest_rate() -> None:
    for warmup in (0, WARM):
        found = begun("cosine", warmup)
        advance(found, 0, TOTAL)
        assert found.lr == pytest.approx(LOW)


@pytest.mark.parametrize("warmup", [TOTAL, TOTAL + 5])
def test_a_warm_up_longer_than_the_run_is_cut_short(warmup: int) -> None:
    rates = advance(begun("cosine", warmup), 0, TOTAL)
    assert rates == pytest.approx([LR * (t + 1) / (warmup + 1) for t in range(TOTAL)])


@pytest.mark.parametrize("name", ["cosine", "one-cycle"])
def test_a_run_of_one_step(name: str) -> None:
    steps = optimizer(CONFIG, nn.Linear(2, 2))
    config = CONFIG.with_(schedule=name)
    found = schedule(config, steps, steps_per_epoch=1, total_steps=1)
    advance(found, 0, 3)
    assert 0 <= found.lr <= LR


def test_plateau_goes_no_lower_than_the_lowest_rate() -> None:
    found = begun("plateau", schedule_every=1)
    for _ in range(20):
        found.after_evaluation(1.0)
    assert found.lr == LOW


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_plateau_takes_a_loss_that_is_no_number_as_no_better(loss: float) -> None:
    found = begun("plateau")
    for _ in range(EVERY):
        json.dumps(found.state(), allow_nan=False)
        found.after_evaluation(loss)
    assert found.lr == pytest.approx(LR * GAMMA)


def test_only_plateau_cares_for_evaluations() -> None:
    for name, warmup in CASES:
        found = begun(name, warmup)
        before = found.lr
        for _ in range(10):
            found.after_evaluation(1.0)
        assert (found.lr < before) == (name == "plateau")


@pytest.mark.parametrize(("name", "warmup"), CASES)
def test_no_schedule_warns(name: str, warmup: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        advance(begun(name, warmup), 0, TOTAL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "cyclical", "warmup": 3}, "cyclical has no warm-up"),
        ({"name": "one-cycle", "warmup": 3}, "one-cycle has no warm-up"),
        ({"name": "warm-up"}, "needs the number of its steps"),
        ({"name": "cosine", "warmup": -1}, "--warmup must be at least 0"),
        ({"name": "step", "schedule_every": 0}, "--schedule-every must be at least 1"),
        ({"name": "plateau", "schedule_gamma": 1.0}, "--schedule-gamma must be"),
        ({"name": "step", "schedule_gamma": 0.0}, "--schedule-gamma must be"),
        ({"name": "cosine", "min_lr": 0.5}, "--min-lr must be from 0 to --lr, 0.3"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        begun(**options)


def test_the_rate_is_what_the_next_step_takes() -> None:
    config = CONFIG.with_(schedule="exponential", optimizer="sgd")
    model = nn.Linear(1, 1, bias=False).double()
    steps = optimizer(config, model)
    found = schedule(config, steps, steps_per_epoch=1, total_steps=3)
    for _ in range(3):
        model.weight.grad = torch.ones_like(model.weight)
        before, rate = model.weight.item(), found.lr
        steps.step()
        assert before - model.weight.item() == pytest.approx(rate)
        found.after_step()
