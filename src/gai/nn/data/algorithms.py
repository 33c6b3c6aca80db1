"""Generated examples, an endless stream: bits to copy, to repeat, to reverse, to sort (Graves,
Wayne and Danihelka 2014).

An example is a sequence of steps. First bits come in, a row each step; then a mark in the channel
behind them; then nothing, while bits are to come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.errors import UsageError
from gai.nn.config import Config
from gai.nn.data.arrayfiles import pieces
from gai.nn.data.raw import Raw
from gai.nn.data.wanted import Input, Wanted
from gai.nn.names import GENERATED

Floats = NDArray[np.float32]

EXAMPLES = 320
"""How many validate, and how many are scored afterwards."""

TRAIN, VALID, FRESH = range(3)
"""Streams of chance: for training, for validation, for whoever asks a trained network."""

REPEATING = "@repeat-copy"
"""The task that looks at ``config.repeats``."""

REPEATS = 10.0
"""What the number of repeats is divided by, to be a number like others."""

MOST = 1 << 28
"""Numbers in all examples at most: a gigabyte."""


class Sequences(NamedTuple):
    """Inputs [B, T, F], and the bits that are to come out [B, T, K], NaN where none is due."""

    inputs: Floats
    targets: Floats


Chance = np.random.Generator


def copy(chance: Chance, count: int, length: int, config: Config) -> Sequences:
    """Bits, a mark; the same bits."""
    bits = drawn(chance, count, length, config.bits)
    return presented(bits, bits)


def reverse(chance: Chance, count: int, length: int, config: Config) -> Sequences:
    """Bits, a mark; the same from the last to the first."""
    bits = drawn(chance, count, length, config.bits)
    return presented(bits, bits[:, ::-1])


def repeat_copy(chance: Chance, count: int, length: int, config: Config) -> Sequences:
    """Bits, a mark, and beside it how often they are to come out; so often they do, and after them
    in a channel of their own a mark, which must not come before."""
    bits = drawn(chance, count, length, config.bits)
    repeats = int(chance.integers(config.repeats[0], config.repeats[1], endpoint=True))
    out = np.zeros((count, length * repeats + 1, config.bits + 1), np.float32)
    out[:, :-1, :-1] = np.tile(bits, (1, repeats, 1))
    out[:, -1, :-1] = np.nan
    out[:, -1, -1] = 1.0
    made = presented(bits, out, more=1)
    made.inputs[:, length, -1] = repeats / REPEATS
    return made


def sort(chance: Chance, count: int, length: int, config: Config) -> Sequences:
    """Bits with a priority from -1 to 1 beside each row, a mark; the rows by falling priority."""
    bits = drawn(chance, count, length, config.bits)
    priority = chance.uniform(-1.0, 1.0, (count, length)).astype(np.float32)
    order = np.argsort(-priority, axis=1, kind="stable")
    made = presented(bits, np.take_along_axis(bits, order[:, :, None], 1), more=1)
    made.inputs[:, :length, -1] = priority
    return made


MAKERS: dict[str, Callable[[Chance, int, int, Config], Sequences]] = {
    **{"@copy": copy, "@repeat-copy": repeat_copy, "@reverse": reverse, "@sort": sort},
}


def drawn(chance: Chance, count: int, length: int, bits: int) -> Floats:
    """Random bits [count, length, bits]."""
    return chance.integers(0, 2, (count, length, bits)).astype(np.float32)


def presented(bits: Floats, out: Floats, more: int = 0) -> Sequences:
    """What comes in, the mark, and what is to come out behind it; with ``more`` channels that are
    0 still."""
    count, length, width = bits.shape
    steps = length + 1 + out.shape[1]
    inputs = np.zeros((count, steps, width + 1 + more), np.float32)
    inputs[:, :length, :width] = bits
    inputs[:, length, width] = 1.0
    targets = np.full((count, steps, out.shape[2]), np.nan, np.float32)
    targets[:, length + 1 :] = out
    return Sequences(inputs, targets)


def batch(name: str, config: Config, number: int, size: int) -> Sequences:
    """Batch ``number`` of the training stream: sequences of one length, the same whenever it is
    asked."""
    chance = np.random.default_rng((config.seed, TRAIN, number))
    length = int(chance.integers(config.lengths[0], config.lengths[1], endpoint=True))
    return MAKERS[name](chance, size, length, config)


def examples(name: str, config: Config, stream: int, count: int = EXAMPLES) -> Raw:
    """``count`` examples whose lengths are spread evenly, 0 and NaN behind the ends of the shorter
    ones; those of one stream are always the same."""
    require_room(name, config, count)
    chance = np.random.default_rng((config.seed, stream))
    low, high = config.lengths
    lengths = (low + np.arange(count) * (high - low + 1) // count).tolist()
    found = [MAKERS[name](chance, 1, length, config) for length in lengths]
    steps = max(one.inputs.shape[1] for one in found)
    inputs = np.concatenate([behind(one.inputs, steps, 0.0) for one in found])
    targets = np.concatenate([behind(one.targets, steps, np.nan) for one in found])
    ids = [f"{name}:{number}" for number in range(1, count + 1)]
    return Raw(ids, array=inputs, labels=targets.astype(np.float64))


def behind(array: Floats, steps: int, value: float) -> Floats:
    """The sequences [B, T, F] made as long as ``steps``."""
    more = ((0, 0), (0, steps - array.shape[1]), (0, 0))
    return np.pad(array, more, constant_values=value)


def require_room(name: str, config: Config, count: int) -> None:
    """Raises UsageError for sequences too long to be held."""
    times = config.repeats[1] if name == REPEATING else 1
    steps = config.lengths[1] * (1 + times) + 2
    if count * steps * (config.bits + 2) > MOST:
        low, high = config.lengths
        message = f"--lengths {low}-{high}, --bits {config.bits}: {count} sequences would not fit"
        raise UsageError(message, "shorter ones")


def generated(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The examples of a task that is named by ``input``, fresh ones: training sees others."""
    name = input.path
    require_task(name, wanted.config)
    found = examples(name, wanted.config, FRESH)
    assert isinstance(found.labels, np.ndarray)
    for part in (found.array, found.labels):
        wanted.tally.sha256.update(part.tobytes())  # type: ignore[union-attr]
    labels = found.labels if wanted.labelled else None
    yield from pieces(Raw(found.ids, array=found.array, labels=labels), size)


def require_task(name: str, config: Config) -> None:
    """Raises UsageError for a file where examples are generated, the other way around, and for
    repeats where there are none."""
    if name not in GENERATED:
        hint = f"one of {', '.join(GENERATED)}"
        raise UsageError(f"{name}: an algorithm is learned from generated examples", hint)
    if config.task != "algorithm":
        message = f"{name} is not for --task {config.task}"
        raise UsageError(message, "--task algorithm, or leave it out")
    if name != REPEATING and config.repeats != Config.repeats:
        raise UsageError(f"--repeats: {name} repeats nothing", f"{REPEATING}, or leave it out")


def parts(whole: Raw, config: Config) -> dict[str, Raw]:
    """The examples that validate, and as the training part what training examples are like: it
    makes its own. Raises UsageError for choices that divide data."""
    name = config.data[0]
    if config.valid not in (None, "0") or config.test is not None or config.fold is not None:
        hint = f"gai nn train without --valid and --test; gai nn evaluate RUN {name} makes others"
        raise UsageError(f"{name} is made as it is needed, there is nothing to divide", hint)
    if config.valid == "0":
        return {"train": whole}
    return {"train": whole, "valid": examples(name, config, VALID)}
