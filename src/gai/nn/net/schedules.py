"""Learning rates by name, as ``gai.nn.names.SCHEDULES`` lists them: torch's schedulers behind one
face.

With t the steps done, e the whole epochs done, T all steps, L ``--lr`` and m ``--min-lr``, the rate
of the next step is

============ ====================================================================================
constant     L
step         L gamma^floor(e / every)
exponential  L gamma^e
cosine       m + (L - m) (1 + cos(pi (t - warmup) / (T - warmup))) / 2
warm-up      L
cyclical     from m up to L and down to m again, in lines, once in ``every`` epochs
one-cycle    from L / 25 up to L in the first 0.3 T, down to m (or L / 250,000) in the rest, along
             half cosines
plateau      gamma times the rate before, down to m, after ``every`` evaluations in a row whose loss
             was not 0.01 % below the best
============ ====================================================================================

In the first ``--warmup`` steps it is (t + 1) / (warmup + 1) times that, of cosine times L; cyclical
and one-cycle have none. ``every`` is ``--schedule-every``, gamma ``--schedule-gamma``. Epochs end
after so many steps whether warm-up is over or not. Momentum stays what it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedules

from gai.errors import UsageError
from gai.nn.config import Config


class Schedule:
    """The learning rate of an optimiser, step by step.

    ``scheduler`` (none: the rate stays) moves with every step until ``steps`` of them, ``plateau``
    with every evaluation. Made before the optimiser's own state is loaded, and restored after it.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        scheduler: torch_schedules.LRScheduler | None = None,
        plateau: torch_schedules.ReduceLROnPlateau | None = None,
        steps: float = math.inf,
    ) -> None:
        self.optimizer, self.scheduler, self.plateau = optimizer, scheduler, plateau
        self.done, self.steps = 0, steps

    @property
    def lr(self) -> float:
        """The rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def after_step(self) -> None:
        """Moves on, after the optimiser has made a step."""
        self.done += 1
        if self.scheduler is not None and self.done <= self.steps:
            self.scheduler.step()

    def after_evaluation(self, loss: float) -> None:
        """Takes note of a validation loss; only plateau cares."""
        if self.plateau is not None:
            self.plateau.step(loss)

    def state(self) -> dict[str, Any]:
        """Where it stands, fit for JSON: floats come back from there bit for bit."""
        return {
            "done": self.done,
            "rates": [float(group["lr"]) for group in self.optimizer.param_groups],
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "plateau": None if self.plateau is None else _plateau_state(self.plateau),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of the same schedule."""
        self.done = state["done"]
        if self.scheduler is not None:
            self.scheduler.load_state_dict(dict(state["scheduler"]))
        if self.plateau is not None:
            best = state["plateau"]["best"]
            known = {**state["plateau"], "best": math.inf if best is None else best}
            self.plateau.load_state_dict(known)
        for group, rate in zip(self.optimizer.param_groups, state["rates"], strict=True):
            group["lr"] = rate


def _plateau_state(plateau: torch_schedules.ReduceLROnPlateau) -> dict[str, Any]:
    """What changes in it; JSON has no infinity, which is the best loss before the first."""
    best = float(plateau.best)
    counts = {name: getattr(plateau, name) for name in ("last_epoch", "num_bad_epochs")}
    return {**counts, "best": best if math.isfinite(best) else None}


def schedule(
    config: Config, optimizer: Optimizer, *, steps_per_epoch: int, total_steps: int
) -> Schedule:
    """The schedule that a config names, at its first step.

    Raises UsageError for warm-up steps where there can be none or must be some, and for numbers out
    of their range.
    """
    _check(config)
    match config.schedule:
        case "step":
            return _in_steps(config, optimizer, config.schedule_every * steps_per_epoch)
        case "exponential":
            return _in_steps(config, optimizer, steps_per_epoch)
        case "cosine":
            return _cosine(config, optimizer, total_steps)
        case "cyclical":
            return _cyclical(config, optimizer, config.schedule_every * steps_per_epoch)
        case "one-cycle":
            return _one_cycle(config, optimizer, total_steps)
        case "plateau":
            return Schedule(optimizer, _warm_up(config, optimizer), _plateau(config, optimizer))
        case _:
            return Schedule(optimizer, _warm_up(config, optimizer))


def _check(config: Config) -> None:
    name = config.schedule
    if name in ("cyclical", "one-cycle") and config.warmup:
        hint = "it begins with a low rate anyway: leave --warmup out"
        raise UsageError(f"--schedule {name} has no warm-up", hint)
    if name == "warm-up" and not config.warmup:
        raise UsageError("--schedule warm-up needs the number of its steps", "--warmup 500, say")
    if config.warmup < 0:
        raise UsageError("--warmup must be at least 0")
    if config.schedule_every < 1:
        raise UsageError("--schedule-every must be at least 1")
    if name in ("step", "exponential", "plateau") and not 0 < config.schedule_gamma < 1:
        raise UsageError("--schedule-gamma must be above 0 and below 1")
    if not 0 <= config.min_lr <= config.lr:
        raise UsageError(f"--min-lr must be from 0 to --lr, {config.lr:g}")


def _warm_up(config: Config, optimizer: Optimizer) -> torch_schedules.LRScheduler | None:
    """Up in a line, so that the step after the last of ``warmup`` has the whole rate."""
    if not config.warmup:
        return None
    first = 1 / (config.warmup + 1)
    return torch_schedules.LinearLR(optimizer, first, total_iters=config.warmup)


def _in_steps(config: Config, optimizer: Optimizer, size: int) -> Schedule:
    """Times gamma every ``size`` steps, those of the warm-up counted."""
    down = torch_schedules.StepLR(optimizer, size, config.schedule_gamma)
    up = _warm_up(config, optimizer)
    return Schedule(optimizer, torch_schedules.ChainedScheduler([up, down]) if up else down)


def rates(optimizer: Optimizer) -> list[float]:
    """The rate of each group of weights: ``--lr``, or less of lower layers."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def _cosine(config: Config, optimizer: Optimizer, total: int) -> Schedule:
    up = _warm_up(config, optimizer)
    rest = max(total - config.warmup, 1)
    down: torch_schedules.LRScheduler
    down = torch_schedules.CosineAnnealingLR(optimizer, rest, config.min_lr)
    if up:
        down = torch_schedules.SequentialLR(optimizer, [up, down], [config.warmup])
    return Schedule(optimizer, down, steps=config.warmup + rest)


def _cyclical(config: Config, optimizer: Optimizer, size: int) -> Schedule:
    half: Any = size / 2  # torch takes halves too, but its types do not say so
    highest = rates(optimizer)
    lowest = [config.min_lr * rate / config.lr for rate in highest]
    cycle = torch_schedules.CyclicLR(optimizer, lowest, highest, half, cycle_momentum=False)
    return Schedule(optimizer, cycle)


def _one_cycle(config: Config, optimizer: Optimizer, total: int) -> Schedule:
    last = config.min_lr or config.lr / 250_000
    cycle = torch_schedules.OneCycleLR(
        optimizer,
        rates(optimizer),
        total,
        cycle_momentum=False,
        div_factor=25,
        final_div_factor=config.lr / 25 / last,
    )
    return Schedule(optimizer, cycle, steps=total - 1)


def _plateau(config: Config, optimizer: Optimizer) -> torch_schedules.ReduceLROnPlateau:
    return torch_schedules.ReduceLROnPlateau(
        optimizer,
        factor=config.schedule_gamma,
        patience=config.schedule_every - 1,
        min_lr=config.min_lr,
        eps=0,
    )
