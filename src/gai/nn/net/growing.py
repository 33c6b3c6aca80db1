"""How a network fares on growing parts of its data, and whether more of it would help."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.preparing import Gathered, assembled
from gai.nn.data.raw import Raw
from gai.nn.data.splits import split, split_texts
from gai.nn.net import crossing
from gai.nn.net.keeping import Memory
from gai.nn.net.learning import learning
from gai.nn.net.loop import Listener, Record

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Parts of the training data."""

PAYS = 0.05
"""Share of the error that twice the data must take away to be worth it."""

UP_TO_ONE = ("accuracy", "micro_f1", "r2")
"""Scores whose error is 1 less the score; of others the loss is the error."""


class Grown(NamedTuple):
    """A network that was trained on a ``share`` of the data: how many examples (of a text:
    characters) that is, its loss on them and on the validation part, its score, the ends of its
    95 % interval, and the score of the baseline on as much data."""

    share: float
    examples: int
    train_loss: float
    valid_loss: float
    score: float
    low: float | None
    high: float | None
    baseline: float | None


@dataclass(frozen=True)
class Growth:
    """All of them; ``helps`` says whether more data would, None where that is not clear."""

    score: str
    points: Sequence[Grown]
    helps: bool | None
    why: str


def grown(
    said: Mapping[str, Any],
    gathered: Gathered,
    listener: Listener,
    shares: Sequence[float] = SHARES,
) -> Growth:
    """Trains on growing parts of the training data, each time anew, with the same validation part.

    All make as many steps as a run on the whole would, and evaluate as often, so that small parts
    are not behind for want of steps; the best evaluation of each counts. Raises GaiError where
    nothing validates.
    """
    if "valid" not in gathered.raw:
        raise GaiError("nothing validates, so nothing can be compared", "--valid 0.1")
    raw = {name: part for name, part in gathered.raw.items() if name != "test"}
    whole, points, score = gathered._replace(raw=raw), list[Grown](), ""
    steps = steps_of(said, whole)
    for share in shares:
        train = part_of(raw["train"], share, gathered.config)
        config = gathered.config.with_(**steps)
        given = whole._replace(config=config, raw=raw | {"train": train})
        parts = assembled({**said, **steps}, given)
        training, report = crossing.carried_out(parts, listener, None)
        assert isinstance(training.keeper, Memory)
        score, size = parts.encoding.main_score, size_of(train, config)
        points.append(point(share, size, report, training.keeper.records, score))
    return Growth(score, points, *more_helps(points, score))


def steps_of(said: Mapping[str, Any], gathered: Gathered) -> dict[str, Any]:
    """How many steps all trainings make, and how often they evaluate."""
    parts = assembled(said, gathered)
    config = parts.config
    order, _ = learning(config).batches(parts, config, torch.device("cpu"))
    total = config.steps or config.epochs * order.batches
    return {"steps": total, "eval_every": config.eval_every or order.batches}


def part_of(raw: Raw, share: float, config: Config) -> Raw:
    """A share of the training part, each class with its own; of a text or a series the end."""
    if share >= 1.0:
        return raw
    if config.task == "lm":
        return split_texts(raw, share)[1]
    if config.task == "forecast":
        return raw.take(np.arange(len(raw) - max(round(share * len(raw)), 1), len(raw)))
    return raw.take(split(raw, 1.0 - share, config.seed)[0])


def size_of(raw: Raw, config: Config) -> int:
    """How much a part is: examples, or for a language model the characters of its text."""
    return sum(map(len, raw.texts or [])) if config.task == "lm" else len(raw)


def point(
    share: float, examples: int, report: Mapping[str, Any], records: Sequence[Record], score: str
) -> Grown:
    """What came of one training."""
    found = report["scores"]["valid"]
    best = [record for record in records if record.best][-1]
    low, high = found["intervals"].get(score) or (None, None)
    simple: Mapping[str, Any] = next(iter((found.get("baselines") or {}).values()), {})
    return Grown(
        share,
        examples,
        best.train_loss,
        number(found["network"]["loss"]),
        number(found["network"][score]),
        low,
        high,
        simple.get(score),
    )


def number(value: float | None) -> float:
    """The value, NaN for None."""
    return math.nan if value is None else value


def error_of(found: Grown, score: str) -> float:
    """What is wrong: 1 less the score, or the loss."""
    return 1.0 - found.score if score in UP_TO_ONE else found.valid_loss


def more_helps(points: Sequence[Grown], score: str) -> tuple[bool | None, str]:
    """Whether twice the data would help, and why.

    Errors fall about as a power of the amount of data (Hestness and others 2017, Deep learning
    scaling is predictable, empirically): a line through the last three points on logarithmic axes.
    """
    errors = [error_of(found, score) for found in points]
    known = [(f.examples, e) for f, e in zip(points, errors, strict=True) if e > 0][-3:]
    if len(points) < 2 or not all(map(math.isfinite, errors)) or len(known) == 1:
        return None, "too few points to tell"
    if not errors[-1] > 0:
        return False, "on all of the data nothing is wrong any more"
    sizes, values = np.log([size for size, _ in known]), np.log([error for _, error in known])
    power = float(np.polyfit(sizes, values, 1)[0]) if np.ptp(sizes) > 0 else 0.0
    now, then = known[-1][1], known[-1][1] * 2.0**power
    what = f"1 - {score.replace('_', ' ')}" if score in UP_TO_ONE else "the loss"
    said = f"{what} is {now:.3g}, and on twice the data about {then:.3g}"
    if then > (1.0 - PAYS) * now:
        return False, f"{said}: the curve is flat"
    last, before = points[-1], points[-2]
    if score in UP_TO_ONE and last.low is not None and before.score >= last.low:
        return None, f"{said}, but the last step is within the interval of the score"
    return True, f"{said}: it still falls"
