"""Samples of a generative model among the examples of a training part."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.nn import runs
from gai.nn.config import Config
from gai.nn.data.encoding import Encoding, as_kind, spelt
from gai.nn.data.preparing import fraction
from gai.nn.data.raw import Raw
from gai.nn.net import experiment
from gai.nn.net.sampling import Samples, sampled
from gai.nn.runs import Run

HINT = "gai nn train gan DATA --conditional -o RUN"

SPLIT = ("data", "test", "fold")
"""Choices that say, with a seed, which examples are held out to test on; before any validate."""


class Blended(NamedTuple):
    """A training part with samples in it, and what a person should know of them."""

    raw: Raw
    notes: list[str]


def blended(train: Raw, config: Config) -> Blended:
    """The training part and samples of the run ``config.augment_from``, each label as often as the
    others, of which they are a share of ``config.augment_share``; where that is 1, as many samples
    as there were examples, and nothing else.

    Raises UsageError where the run makes no such examples, or none with labels.
    """
    assert config.augment_from is not None
    run = Run(config.augment_from)
    require_one_label(train, config)
    before = run.config()
    require_labels(run, before)
    network, encoding = experiment.load(run, config.device)
    require_alike(train, encoding, run)
    share = config.augment_share
    count = len(train) if share == 1.0 else round(len(train) * share / (1.0 - share))
    made = (
        sampled(network, encoding, count, config.seed)
        if count
        else Samples(np.zeros(0, np.float32), [])
    )
    drawn = as_raw(made, train, run, config)
    return Blended(drawn if share == 1.0 else joined(train, drawn), notes(before, config))


def require_one_label(train: Raw, config: Config) -> None:
    """Raises UsageError for data that samples cannot be among."""
    option = f"--augment-from {config.augment_from}"
    if train.array is None:
        raise UsageError(f"{option}: the data is {train.described()}, and samples are numbers")
    listed = train.labels if isinstance(train.labels, list) else []
    if config.task != "classify" or not listed or not isinstance(listed[0], str):
        raise UsageError(f"{option}: samples have one label each", "--task classify")


def require_labels(run: Run, before: Config) -> None:
    """Raises UsageError for a run that makes no examples with labels."""
    if not before.conditional:
        what = "trained without --conditional" if before.model == "gan" else f"a {before.model}"
        raise UsageError(f"--augment-from {run.path}: it is {what}, and makes no labels", HINT)


def require_alike(train: Raw, encoding: Encoding, run: Run) -> None:
    """Raises UsageError where samples have another shape than the data, or other labels."""
    assert train.array is not None
    assert encoding.labels is not None
    try:
        shape = as_kind(train.array[:1], encoding.kind).shape[1:]
    except GaiError:
        shape = train.array.shape[1:]
    option = f"--augment-from {run.path}"
    if shape != encoding.size:
        message = f"its samples are {spelt(encoding.size)}, the data has {spelt(shape)}"
        raise UsageError(f"{option}: {message}", "a gan that was trained on such data")
    known = {label for label in train.labels or () if isinstance(label, str)}
    if strange := [name for name in encoding.labels.names if name not in known]:
        shown = ", ".join(map(repr, strange[:3])) + (", ..." if len(strange) > 3 else "")
        raise UsageError(f"{option}: the data has no such labels: {shown}", HINT)


def as_raw(made: Samples, train: Raw, run: Run, config: Config) -> Raw:
    """Samples as if they had been read; their digest is that of the network that made them."""
    assert train.array is not None
    with open(run.file(runs.MODEL), "rb") as file:
        network = sha256(file.read()).hexdigest()
    count = len(made.values)
    digest = sha256(f"{train.digest} {network} {count} {config.seed}".encode()).hexdigest()
    return replace(
        train,
        ids=[f"{run.path}:{number}" for number in range(1, count + 1)],
        array=made.values.astype(np.float32).reshape(count, *train.array.shape[1:]),
        labels=made.labels,
        groups=None,
        sources=(*train.sources, run.file(runs.MODEL)),
        digest=digest,
    )


def joined(train: Raw, drawn: Raw) -> Raw:
    """The examples of both."""
    arrays: list[NDArray[np.float32]] = [r.array for r in (train, drawn) if r.array is not None]
    return replace(
        drawn,
        ids=[*train.ids, *drawn.ids],
        array=np.concatenate(arrays),
        labels=[*(train.labels or []), *(drawn.labels or [])],
    )


def notes(before: Config, config: Config) -> list[str]:
    """A line where the run may have learned from what is held out here."""
    validates = config.valid is None or fraction(config.valid, "--valid") != 0.0
    alike = held_out(before) == held_out(config)
    apart = alike and (before.valid == config.valid or not validates)
    if apart or not set(before.data) & set(config.data):
        return []
    return [
        f"{config.augment_from} was trained on another split of the data: its samples may know "
        "what is held out here; the same --valid, --test and --seed for both avoid that"
    ]


def held_out(config: Config) -> tuple[object, ...]:
    """What says which examples are held out to test on."""
    seed = config.seed if config.split_seed is None else config.split_seed
    return (*(getattr(config, name) for name in SPLIT), seed)
