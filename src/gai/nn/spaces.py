"""Search spaces: for each choice the values that it may have, from a file, the command line, or by
model."""

from __future__ import annotations

import itertools
import math
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

import numpy as np

from gai.errors import GaiError, UsageError
from gai.nn import config as configs
from gai.nn.config import Config

FREE_DATA = ("class_weights", "augment", "augment_rate", "augment_from", "augment_share")
"""Choices about the data by which no array changes."""

FIXED = (
    *("model", "vectors", "causal", "conditional", "parent"),
    *("seed", "threads", "device", "precision", "compile"),
)
"""Choices that all trials of a study share, for they change the data, or no score."""

SECTIONS = ("model", "data", "text", "training")
OFF = "none"
"""How a space spells a choice that is off."""

DIGITS = 12
"""Behind the point, of values that steps lead to: 0.3, not 0.30000000000000004."""

WIDE = 100
"""How many times its least the greatest of a span is where it is searched by its logarithm."""


@dataclass(frozen=True)
class Choices:
    """Some values, of which one is taken."""

    values: tuple[Any, ...]

    def labels(self) -> dict[Any, Any]:
        """Each value by what Optuna stores for it: numbers and names, text in place of tuples."""
        return {label(value): value for value in self.values}

    def suggest(self, trial: Any, name: str) -> Any:
        """The value that an Optuna trial takes."""
        known = self.labels()
        return known[trial.suggest_categorical(name, list(known))]

    def described(self) -> Any:
        """For JSON."""
        return list(self.labels())

    def finite(self, name: str) -> Choices:
        """Itself."""
        return self


@dataclass(frozen=True)
class Span:
    """Numbers from ``low`` to ``high``, evenly or evenly by their logarithm, or in steps."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    def suggest(self, trial: Any, name: str) -> Any:
        """The value that an Optuna trial takes."""
        if self.whole:
            step = int(self.step or 1)
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log, step=step)
        value = trial.suggest_float(name, self.low, self.high, log=self.log, step=self.step)
        return value if self.step is None else round(value, DIGITS)

    def described(self) -> Any:
        """For JSON."""
        found = {"low": self.low, "high": self.high, "log": self.log, "step": self.step}
        return {name: value for name, value in found.items() if value not in (None, False)}

    def finite(self, name: str) -> Choices:
        """Its values where it has steps; raises UsageError where it has none."""
        step = self.step or (1.0 if self.whole and not self.log else None)
        if step is None:
            raise UsageError(
                f"--grid: {name} goes from {self.low:g} to {self.high:g} without a step",
                f"a list, or a step: {name} = {{low = {self.low:g}, high = {self.high:g}, ...}}",
            )
        count = steps_between(self.low, self.high, step) + 1
        values = [round(self.low + k * step, DIGITS) for k in range(count)]
        return Choices(tuple(int(value) if self.whole else value for value in values))


Space = Mapping[str, Choices | Span]


def label(value: Any) -> Any:
    """What Optuna stores for a value, and a table shows."""
    return ",".join(map(str, value)) or OFF if isinstance(value, tuple) else value


def read(path: str | os.PathLike[str]) -> Space:
    """The space in a file of TOML: for each choice a list, or ``{low, high, log, step}``.

    Sections named as those of config.toml are looked into. Raises GaiError for what is no TOML, for
    choices that there are not or that no search may change, and for values of another type.
    """
    shown = os.fspath(path)
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            found = tomllib.loads(file.read())
    except OSError as error:
        raise GaiError(f"{shown}: {(error.strerror or str(error)).lower()}") from error
    except tomllib.TOMLDecodeError as error:
        raise GaiError(f"{shown}: not TOML: {error}") from error
    space = {name: of(name, value, shown) for name, value in _flat(found)}
    if not space:
        raise GaiError(f"{shown}: no choice to search", "lr = {low = 1e-4, high = 0.1, log = true}")
    return space


def _flat(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if name in SECTIONS and isinstance(value, dict) and not {"low", "high"} & value.keys():
            yield from value.items()
        else:
            yield name, value


def of(name: str, value: Any, where: str) -> Choices | Span:
    """The values of a choice: of a list these, of low and high a span; ``where`` names the file."""
    require_free(name, where)
    if isinstance(value, dict):
        found: Choices | Span = span(name, value, where)
        ends = [found.low, found.high] if isinstance(found, Span) else []
        values = [int(end) for end in ends] if isinstance(found, Span) and found.whole else ends
    elif isinstance(value, list) and value:
        values = [_off(name) if one == OFF else _as(name, one, where) for one in value]
        found = Choices(tuple(dict.fromkeys(values)))
    elif isinstance(value, list):
        raise GaiError(f"{where}: {name} has no values", f"{name} = [ ... ]")
    else:
        raise GaiError(f"{where}: {name} is one value", "a list, or a table of low and high")
    for one in values:
        require_possible(name, one, where)
    return found


def require_free(name: str, where: str) -> None:
    """Raises GaiError for a choice that there is not, and for one that no search may change."""
    sections = {f.name: f.metadata["section"] for f in fields(Config)}
    if name not in sections:
        near = get_close_matches(name, sections, 1)
        hint = f"did you mean {near[0]}?" if near else "the names are those of config.toml"
        raise GaiError(f"{where}: no choice is called {name!r}", hint)
    data = sections[name] in ("data", "text") and name not in FREE_DATA
    if data or name in FIXED:
        why = "the data is read once for all trials" if data else "all trials share it"
        hint = f"a search for each {name}, and gai nn compare for their best runs"
        raise GaiError(f"{where}: {name} cannot be searched: {why}", hint)


def _as(name: str, value: Any, where: str) -> Any:
    """The value as its field has it; raises GaiError where it is of another type."""
    return dict(configs.checked([(name, value)], where))[name]


def _off(name: str) -> Any:
    """What a choice is where it is off; its spelling where it cannot be."""
    default = next(f.default for f in fields(Config) if f.name == name)
    return default if default in (None, ()) else OFF


def span(name: str, value: Mapping[str, Any], where: str) -> Span:
    """A span from its table; raises GaiError for one that cannot be."""
    if unknown := sorted(value.keys() - {"low", "high", "log", "step"}):
        raise GaiError(f"{where}: {name} has {unknown[0]!r}", "a span has low, high, log, step")
    if not {"low", "high"} <= value.keys():
        raise GaiError(f"{where}: {name} needs low and high", f"{name} = {{low = 1, high = 4}}")
    low, high = (_as(name, value[end], where) for end in ("low", "high"))
    log, step = value.get("log", False), value.get("step")
    if type(low) not in (int, float) or not isinstance(log, bool):
        what = f"log is {log!r}" if not isinstance(log, bool) else f"{low!r} is no number"
        raise GaiError(f"{where}: {name}: {what}", f"{name} = [ ... ] for names, log = true")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise GaiError(f"{where}: {name} goes from {low:g} to {high:g}", "low is below high")
    if log and (low <= 0 or step is not None):
        why = "from above 0" if low <= 0 else "without a step"
        raise GaiError(f"{where}: {name}: a logarithmic span goes {why}", "log = false")
    whole = isinstance(low, int)
    if step is not None:
        step = _as(name, step, where)
        if not 0 < step <= high - low:
            raise GaiError(f"{where}: {name}: a step of {step:g} leads from {low:g} nowhere")
        high = round(low + steps_between(low, high, step) * step, DIGITS)
    return Span(float(low), float(high), log, step, whole)


def steps_between(low: float, high: float, step: float) -> int:
    """How many whole steps lead from low to high at most."""
    return math.floor((high - low) / step * (1 + 1e-9))


def require_possible(name: str, value: Any, where: str) -> None:
    """Raises GaiError for a value that the choice cannot have."""
    try:
        configs.check(Config(**{name: value}))
    except UsageError as error:
        raise GaiError(f"{where}: {error.message}", error.hint) from error


def typed(text: str) -> tuple[str, Choices | Span]:
    """A choice and its values as the command line has them: ``layers=1,2,3``, ``lr=1e-4..0.1``.

    A span is searched by its logarithm where it goes up a hundred times or more. Raises GaiError as
    ``read`` does.
    """
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not values.strip():
        raise UsageError(f"--over {text}: expected NAME=A,B,C or NAME=LOW..HIGH", "--over lr=...")
    low, dots, high = values.partition("..")
    if not dots:
        return name, of(name, [value_of(name, one.strip()) for one in values.split(",")], "--over")
    ends = {"low": scalar(low.strip()), "high": scalar(high.strip())}
    numbers = all(type(end) in (int, float) for end in ends.values())
    log = numbers and ends["low"] > 0 and ends["high"] >= WIDE * ends["low"]
    return name, of(name, {**ends, "log": log}, "--over")


def value_of(name: str, text: str) -> Any:
    """A value of a choice as it is typed; those that are several have + between: ``3+4+5``."""
    several = any(f.name == name and isinstance(f.default, tuple) for f in fields(Config))
    return [scalar(one) for one in text.split("+")] if several and text != OFF else scalar(text)


def scalar(text: str) -> Any:
    """A value as it is typed: a number, true or false, else a name."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    "mlp": {"layers": (1, 2, 3), "width": (64, 128, 256, 512)},
    "cnn": {"layers": (1, 2), "filters": (32, 64, 128, 256)},
    **{name: {"layers": (1, 2), "width": (64, 128, 256)} for name in ("rnn", "lstm", "gru")},
    "transformer": {"layers": (1, 2, 4), "width": (64, 128, 256)},
    "capsnet": {"filters": (16, 32, 64), "capsules": (4, 8, 16)},
    "ntm": {"width": (50, 100, 200)},
    "pretrained": {},
}
"""How large a network may be, by model; others are searched as an mlp."""

ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "rnn": ("tanh", "relu"),
    **dict.fromkeys(("lstm", "gru", "gan", "ntm", "pretrained"), ()),
}
"""What hidden units may be where they are not ``HIDDEN``; nothing where they are what they are."""

UNDROPPED = ("autoencoder", "vae", "ntm")
"""Models whose codes or memory suffer where units are left out: the search does not try it."""

RATES = {"pretrained": (1e-6, 1e-3)}
"""The span of the learning rate where it is not that of ``default``."""

HIDDEN = ("relu", "gelu", "elu", "tanh")
DESCENTS = ("adam", "adamw", "nesterov")


def default(model: str) -> Space:
    """The space of a model where nobody says another: size, activation, and how it learns."""
    sizes: dict[str, Choices | Span] = {
        name: Choices(values) for name, values in SIZES.get(model, SIZES["mlp"]).items()
    }
    activations = ACTIVATIONS.get(model, HIDDEN)
    low, high = RATES.get(model, (1e-4, 0.1))
    found: dict[str, Choices | Span] = {
        **sizes,
        "activation": Choices(activations),
        "optimizer": Choices(DESCENTS),
        "lr": Span(low, high, log=True),
        "dropout": Span(0.0, 0.6, step=0.1),
        "batch_size": Choices((16, 32, 64, 128)),
        "weight_decay": Span(1e-6, 1e-2, log=True),
    }
    if model in UNDROPPED:
        found.pop("dropout")
    if not activations:
        found.pop("activation")
    return found


def coarse(model: str) -> Space:
    """The grid of a model where nobody says another: two values of each size, three rates."""
    sizes = SIZES.get(model, SIZES["mlp"]).items()
    small = {name: values[:2] if name == "layers" else values[-3:-1] for name, values in sizes}
    low, _ = RATES.get(model, (1e-4, 0.1))
    rates = tuple(float(f"{low * times:.1g}") for times in (3, 10, 30))
    return {name: Choices(values) for name, values in {**small, "lr": rates}.items()}


def finite(space: Space) -> dict[str, Choices]:
    """The space with each span as its values; raises UsageError where one has no steps."""
    return {name: found.finite(name) for name, found in space.items()}


def points(space: Mapping[str, Choices], seed: int) -> list[dict[str, Any]]:
    """All points of a grid, in an order that the seed decides, so that its beginning is spread
    over all of it."""
    grid = list(itertools.product(*(found.values for found in space.values())))
    order: Sequence[int] = np.random.default_rng((seed, 2)).permutation(len(grid)).tolist()
    return [dict(zip(space, grid[place], strict=True)) for place in order]


def suggest(trial: Any, space: Space) -> dict[str, Any]:
    """The values that an Optuna trial takes of the space."""
    return {name: found.suggest(trial, name) for name, found in space.items()}


def described(space: Space) -> dict[str, Any]:
    """The space for JSON."""
    return {name: found.described() for name, found in space.items()}
