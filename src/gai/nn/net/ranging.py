"""The learning rate range test (Smith 2015, 2017): one short run in which the rate rises with each
step, the losses on the way, and the rate that they suggest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from gai.nn.net.batches import Order
from gai.nn.net.loop import Diverged, Training
from gai.nn.net.schedules import Schedule, rates

STEPS = 100
FROM, TO = 1e-7, 10.0
"""The steps of a test, and the rates of its first and last, where nobody says others."""

MEMORY = 12
"""The smoothing forgets a loss in about a twelfth of the steps."""

DIVERGED = 4.0
"""Times the least loss, where a test ends."""

FLAT = 0.02
"""Share of itself by which a loss falls where rates tell nothing."""

BEGUN = 0.1
"""Share of the fall that is done where it has begun."""


class Rising(Schedule):
    """A rate that grows by the same factor with each step; groups of weights keep their shares."""

    def __init__(self, optimizer: Optimizer, low: float, high: float, steps: int) -> None:
        super().__init__(optimizer)
        whole = max(rates(optimizer))
        self.shares = [rate / whole for rate in rates(optimizer)]
        self.rises = np.geomspace(low, high, steps).tolist()
        self.lay_down()

    def lay_down(self) -> None:
        """Sets the rate of the next step."""
        self.rate = self.rises[min(self.done, len(self.rises) - 1)]
        for group, share in zip(self.optimizer.param_groups, self.shares, strict=True):
            group["lr"] = self.rate * share

    def after_step(self) -> None:
        """Moves on, after the optimiser has made a step."""
        self.done += 1
        self.lay_down()


class Curve(NamedTuple):
    """The rate of each step, the loss of its batch before it, and the running mean of these.

    ``diverged`` says whether the test ended before its last rate.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    diverged: bool

    def known(self) -> Curve:
        """Its steps with a loss that is a number."""
        places = [k for k, loss in enumerate(self.smoothed) if math.isfinite(loss)]

        def kept(column: Sequence[float]) -> list[float]:
            return [column[place] for place in places]

        return Curve(kept(self.rates), kept(self.losses), kept(self.smoothed), self.diverged)


class Suggestion(NamedTuple):
    """A rate to train with, and why; where the loss falls, also the rate at which it does so most
    steeply, and a tenth of that at which it is least."""

    rate: float
    why: str
    steepest: float | None = None
    tenth: float | None = None


def ranged(training: Training, low: float, high: float, steps: int) -> Curve:
    """The losses of a training while its rate rises from ``low`` to ``high``, in one go.

    It ends early where the mean loss is four times the least, or no number. The network is what
    the steps have made of it: give one that nobody needs.
    """
    schedule = Rising(training.optimizer, low, high, steps)
    training.schedule = schedule
    tried: list[float] = []
    losses: list[float] = []
    means: list[float] = []
    for batch in islice(batches(training.order), steps):
        tried.append(schedule.rate)
        losses.append(loss_of_step(training, batch))
        means = smoothed(losses, steps)
        if has_diverged(means):
            return Curve(tried, losses, means, True)
    return Curve(tried, losses, means, False)


def batches(order: Order) -> Iterator[Any]:
    """The batches of one epoch after the other."""
    for epoch in count():
        yield from order.epoch(epoch)


def loss_of_step(training: Training, batch: Any) -> float:
    """The loss of a batch before the step that is made on it; NaN where it is no number."""
    at = training.position
    before = at.loss
    try:
        at.loss = 0.0
        training.step(batch)
        return at.loss
    except Diverged:
        return math.nan
    except (ArithmeticError, RuntimeError, ValueError):
        # Distributions and losses refuse NaN in words of their own.
        if finite(training.network):
            raise
        return math.nan
    finally:
        at.loss = before


def finite(network: nn.Module) -> bool:
    """Whether all weights are numbers."""
    return all(bool(torch.isfinite(weight).all()) for weight in network.parameters())


def smoothed(losses: Sequence[float], steps: int) -> list[float]:
    """The exponential mean of the losses up to each, without the pull of its beginning.

    m_k = b m_(k-1) + (1 - b) l_k, over 1 - b^k, as Adam corrects its means; b = 1 - 12 / steps.
    """
    keep = max(1.0 - MEMORY / max(steps, 1), 0.0)
    mean, found = 0.0, []
    for k, loss in enumerate(losses, 1):
        mean = keep * mean + (1.0 - keep) * loss
        found.append(mean / (1.0 - keep**k))
    return found


def has_diverged(means: Sequence[float]) -> bool:
    """Whether the last mean is no number, or four times the least and above the first."""
    last = means[-1]
    if not math.isfinite(last):
        return True
    least = min(means)
    return last > max(least + (DIVERGED - 1.0) * abs(least), means[0])


def suggestion(curve: Curve, default: float) -> Suggestion:
    """The lower of two rates: where the mean loss falls most steeply over the logarithm of the
    rate, and a tenth of where it is least.

    There always is a suggestion: where the loss hardly falls, it is ``default``, or less where the
    loss rises early; where it was no number from the start, a tenth of the lowest rate.
    """
    tried, _, means, diverged = curve.known()
    if len(tried) < 2:
        lowest = min([*curve.rates, default])
        return Suggestion(positive(lowest / 10), "the loss is no number from the first step on")
    best = int(np.argmin(means))
    if means[0] - means[best] <= FLAT * abs(means[0]):
        return flat(tried, means, default, diverged)
    steepest, tenth = tried[fall(tried[: best + 1], means[: best + 1])], positive(tried[best] / 10)
    if steepest <= tenth:
        return Suggestion(steepest, "where the loss falls most steeply", steepest, tenth)
    return Suggestion(tenth, "a tenth of where the loss is least", steepest, tenth)


def fall(tried: Sequence[float], means: Sequence[float]) -> int:
    """The step at which the loss falls most steeply on the way to its least, the last.

    The first means are noisy, for they are of few losses: only steps by which a tenth of the fall
    behind the first eighth is done are looked at.
    """
    top = means[len(means) // 8]
    begun = [k for k, mean in enumerate(means) if mean >= top - BEGUN * (top - means[-1])]
    first = min(begun[-1], len(means) - 2)
    with np.errstate(over="ignore"):  # losses may be as large as floats are
        slopes = np.gradient(np.asarray(means), np.log10(tried))
    return first + int(np.argmin(slopes[first:]))


def flat(
    tried: Sequence[float], means: Sequence[float], default: float, diverged: bool
) -> Suggestion:
    """What to train with where no rate made the loss fall."""
    risen = [r for r, m in zip(tried, means, strict=True) if m - means[0] > FLAT * abs(means[0])]
    first = min(risen, default=tried[-1] if diverged else math.inf)
    if first / 10 < default:
        return Suggestion(positive(first / 10), f"the loss only rises, from {first:.2g} on")
    return Suggestion(default, "no rate changes the loss much, so the one to begin with")


def positive(rate: float) -> float:
    """The rate, kept above what no float can hold."""
    return max(rate, 1e-30)


def typed(rate: float) -> str:
    """The option to type, with two digits."""
    return f"--lr {rate:.2g}"
