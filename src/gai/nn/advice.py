"""What to change next about a network, and why, by how those before it learned: it begins small,
grows where it learns too little, and is held back where it learns by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gai.nn.config import Config
from gai.nn.fitting import Verdict

TRIES = 2
"""Changes in a row that did not help, after which it ends."""

WIDTHS = {"cnn": ("filters", 32), "capsnet": ("capsules", 4)}
"""What says how wide a network is, and where that begins, where it is not ``WIDTH``."""

WIDTH = ("width", 64)

DEEP = ("mlp", "cnn", "rnn", "lstm", "gru", "transformer", "autoencoder", "vae", "gan")
"""Models that have layers to choose."""

RIGID = ("pretrained",)
"""Models of a size that is given."""

MOST = {
    **{"width": 1024, "filters": 512, "capsules": 32, "layers": 4},
    **{"epochs": 200, "steps": 100_000, "lr": 0.1},
}
"""How far a choice may grow."""

DROPOUTS = (0.0, 0.2, 0.4, 0.6)
DECAYS = {"adamw": (0.0, 0.01, 0.1, 1.0)}
"""The steps of weight decay by optimiser, where they are not ``DECAY``."""

DECAY = (0.0, 1e-4, 1e-3, 1e-2)
AUGMENTED: dict[str, tuple[str, ...]] = {
    "ids": ("drop",),
    "numbers": ("noise",),
    "sequences": ("noise",),
    "images": ("shift", "rotate"),
}
"""How examples are changed, by what a network takes."""

LEAST_LR = 1e-5
PATIENCE = 5
"""Evaluations without a better one, after which a network that learns by heart stops."""


@dataclass(frozen=True)
class Setting:
    """What a network is for: the choices that all share, what it takes, and the names of choices
    that are to stay as they are."""

    config: Config
    kind: str
    fixed: frozenset[str] = field(default_factory=frozenset)


class Step(NamedTuple):
    """What was tried: the choices, whether they were better than all before, how it learned, and
    whether nothing can be better."""

    choices: Mapping[str, Any]
    better: bool
    verdict: Verdict
    perfect: bool = False


class Change(NamedTuple):
    """The choices to try next, and why."""

    choices: dict[str, Any]
    why: str


class Stop(NamedTuple):
    """That nothing is to be tried, and why."""

    why: str


def first(setting: Setting) -> Change:
    """The small network to begin with."""
    body = setting.config.body
    layers = {"layers": 1} if body in DEEP else {}
    width = {} if body in RIGID else dict([WIDTHS.get(body, WIDTH)])
    small = {**layers, **width, "dropout": 0.0}
    choices = {name: value for name, value in small.items() if name not in setting.fixed}
    return Change(choices, f"it begins small{': ' if choices else ''}{shown(choices)}")


def following(setting: Setting, steps: Sequence[Step]) -> Change | Stop:
    """What to try after ``steps``, the first of which began: one change to the best so far.

    The verdict on the best decides what is tried; no change that did not help is tried again, and
    nothing twice.
    """
    best, failed, refused = replayed(steps)
    if best.perfect:
        return Stop("it makes no mistake, and nothing can be better")
    if failed >= TRIES:
        return Stop(f"{TRIES} changes in a row did not help")
    config = setting.config.with_(**best.choices)
    known = [setting.config.with_(**step.choices) for step in steps]
    for name, value in remedies(best.verdict.kind, config, setting):
        if name in setting.fixed or (name, value) in refused:
            continue
        found = changed(setting, best, config, name, value)
        if setting.config.with_(**found.choices) not in known:
            return found
    return Stop(f"{best.verdict.why}; there is nothing left to try")


def replayed(steps: Sequence[Step]) -> tuple[Step, int, set[tuple[str, Any]]]:
    """The best step, how many did not help since, and all changes that did not help."""
    best, failed = steps[0], 0
    refused: set[tuple[str, Any]] = set()
    for step in steps[1:]:
        if step.better:
            best, failed = step, 0
            continue
        failed += 1
        for name, value in step.choices.items():
            if name not in best.choices or best.choices[name] != value:
                refused.add((name, value))
    return best, failed, refused


def changed(setting: Setting, best: Step, config: Config, name: str, value: Any) -> Change:
    """The choices of the best with one of them changed."""
    before = getattr(config, name)
    choices = {**best.choices, name: value}
    why = f"{best.verdict.why}; {called(name)} {spelt(before)} -> {spelt(value)}"
    if best.verdict.kind == "overfitting" and stoppable(setting, config):
        choices["early_stopping"] = PATIENCE
        why += f", early stopping {PATIENCE}"
    return Change(choices, why)


def stoppable(setting: Setting, config: Config) -> bool:
    """Whether early stopping is for us to decide, and not decided."""
    return config.early_stopping is None and "early_stopping" not in setting.fixed


def remedies(kind: str, config: Config, setting: Setting) -> Iterator[tuple[str, Any]]:
    """Changes that may help, the likeliest first."""
    for remedy in REMEDIES.get(kind, ()):
        found = remedy(config, setting)
        if found is not None:
            yield found


Remedy = Callable[[Config, Setting], tuple[str, Any] | None]


def more_dropout(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """The next higher share of units left out."""
    return _next("dropout", DROPOUTS, config.dropout)


def less_dropout(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """The next lower share of units left out."""
    lower = [share for share in DROPOUTS if share < config.dropout]
    return ("dropout", lower[-1]) if lower else None


def more_decay(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """The next higher weight decay of the optimiser."""
    return _next("weight_decay", DECAYS.get(config.optimizer, DECAY), config.weight_decay)


def less_decay(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """No weight decay, where there is some."""
    return ("weight_decay", 0.0) if config.weight_decay else None


def augmented(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """Examples changed at random, where they can be and are not."""
    fitting = AUGMENTED.get(setting.kind)
    supervised = config.task in ("classify", "regress")
    return ("augment", fitting) if fitting and supervised and not config.augment else None


def wider(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """Twice as many units, or filters."""
    name = width_of(config)
    return None if config.model in RIGID else _grown(name, 2 * getattr(config, name))


def narrower(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """Half as many units, or filters."""
    name = width_of(config)
    half = getattr(config, name) // 2
    return (name, half) if half >= 8 and config.model not in RIGID else None


def deeper(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """A layer more."""
    return _grown("layers", config.layers + 1) if config.body in DEEP else None


def longer(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """Twice as many epochs, or steps."""
    name = "epochs" if config.steps is None else "steps"
    return _grown(name, 2 * getattr(config, name))


def faster(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """Three times the learning rate."""
    return _grown("lr", float(f"{3 * config.lr:.2g}"))


def slower(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """A third of the learning rate."""
    rate = float(f"{config.lr / 3:.2g}")
    return ("lr", rate) if rate >= LEAST_LR else None


def clipped(config: Config, setting: Setting) -> tuple[str, Any] | None:
    """Gradients of a norm of 1 at most, where they have no bound."""
    return ("clip_norm", 1.0) if config.clip_norm is None else None


REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "overfitting": (more_dropout, more_decay, augmented, narrower),
    "underfitting": (less_dropout, wider, deeper, faster, less_decay, longer),
    "falling": (faster, longer, wider),
    "diverging": (slower, clipped),
    "fine": (wider, deeper, more_dropout, slower, faster),
    "unclear": (longer, wider),
}
"""What may help, by how a network fits its data."""


def width_of(config: Config) -> str:
    """The choice that says how wide a network is."""
    return WIDTHS.get(config.body, WIDTH)[0]


def _next(name: str, levels: Sequence[float], now: float) -> tuple[str, Any] | None:
    higher = [level for level in levels if level > now]
    return (name, higher[0]) if higher else None


def _grown(name: str, value: Any) -> tuple[str, Any] | None:
    return (name, value) if value <= MOST[name] else None


def shown(choices: Mapping[str, Any]) -> str:
    """Choices in words: ``layers 1, width 64``."""
    return ", ".join(f"{called(name)} {spelt(value)}" for name, value in choices.items())


def called(name: str) -> str:
    """The name of a choice in words."""
    return name.replace("_", " ")


def spelt(value: Any) -> str:
    """A value in words."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.3g}"
    return {"None": "none", "True": "yes", "False": "no"}.get(str(value), str(value))
