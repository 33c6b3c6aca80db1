"""Under- or overfitting, as the losses of a run tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

FEWEST = 3
"""Evaluations that it takes to see where losses go."""

FALLING = 0.03
"""Share of itself by which a loss falls from one window of evaluations to the next, where training
longer still pays."""

GAP, RISE, HIGH, LEFT = 0.1, 0.02, 0.3, 0.01
"""Shares of the loss of who knows nothing: what lies between training and validation where a
network learns by heart, what validation has risen by where it has turned, what is left to be
learned where a network is too small, and how far a loss falls where that matters."""

TURNED = 0.1
"""Share of its least by which a validation loss has risen where it has turned."""


class Verdict(NamedTuple):
    """How a network fits its data, in a word, and why, in a line.

    ``kind`` is "diverging", "overfitting", "falling", "underfitting", "fine", or "unclear" where
    there is too little to tell.
    """

    kind: str
    why: str


class Losses(NamedTuple):
    """The losses of a run's evaluations; ``valid`` is None where nothing validates."""

    train: list[float]
    valid: list[float] | None

    @property
    def judged(self) -> list[float]:
        """Those that count: on the validation part, where there is one."""
        return self.train if self.valid is None else self.valid


def fit(records: Sequence[Mapping[str, Any]], chance: float | None = None) -> Verdict:
    """How a network fits its data, by the lines of metrics.jsonl.

    ``chance`` is the loss of who knows nothing, as ``chance_loss`` gives it; by default the
    first loss that judges the run. Windows are the last quarter of the evaluations and the one
    before. A validation loss that still falls is "falling" whatever the training loss does; one far
    above the training loss, or well above its own least, is "overfitting"; where neither falls and
    both are high, it is "underfitting".
    """
    losses = losses_of(records)
    known = [value for value in losses.judged if math.isfinite(value)]
    if len(known) < FEWEST:
        return Verdict("unclear", f"{counted(len(known))}, and it takes {FEWEST} to tell")
    whole = chance or abs(known[0])
    window = max(len(losses.train) // 4, 1)
    train, judged = fmean(losses.train[-window:]), fmean(losses.judged[-window:])
    before = fmean(losses.judged[-2 * window : -window])
    for verdict in (
        diverging(losses, train, whole),
        unknown(judged),
        falling(losses, judged, before, whole),
        by_heart(losses, train, judged, whole),
        turned(losses, judged, whole),
        too_small(losses, train, judged, whole),
    ):
        if verdict is not None:
            return verdict
    return Verdict("fine", f"{against(losses, train, judged)}, and no longer falling")


def losses_of(records: Sequence[Mapping[str, Any]]) -> Losses:
    """The losses of the records; what is no number is NaN."""
    train = [number(record.get("train_loss")) for record in records]
    valid = [number(record.get("scores", {}).get("loss")) for record in records]
    # Where nothing validates, the loop writes the training loss down as the score.
    same = all(a == b or (a != a and b != b) for a, b in zip(train, valid, strict=True))
    return Losses(train, None if same else valid)


def number(value: Any) -> float:
    """The value, NaN where JSON has none."""
    return float(value) if isinstance(value, int | float) else math.nan


def counted(size: int) -> str:
    """A number of evaluations in words."""
    return "1 evaluation" if size == 1 else f"{size} evaluations"


def chance_loss(task: str, loss: str, labels: int) -> float | None:
    """The loss of who knows nothing but the means; None where that is not known.

    Of K labels ln K; of labels of which each stands for itself ln 2; of numbers in units of their
    deviation 1.
    """
    if loss in ("cross-entropy", "kl"):
        return math.log(labels) if task in ("classify", "tag") and labels > 1 else None
    return {"bce": math.log(2), "mse": 1.0, "huber": 0.5, "mae": 0.8, "hinge": 1.0}.get(loss)


def against(losses: Losses, train: float, judged: float) -> str:
    """Both losses in words."""
    if losses.valid is None:
        return f"training loss {train:.3g}"
    return f"validation loss {judged:.3g} against {train:.3g} in training"


def diverging(losses: Losses, train: float, whole: float) -> Verdict | None:
    """Where the training loss itself rises, or is no number."""
    if not math.isfinite(train):
        return Verdict("diverging", "the training loss is no number")
    least = min(value for value in losses.train if math.isfinite(value))
    if train - least > max(0.5 * least, GAP * whole):
        return Verdict("diverging", f"training loss {train:.3g} after {least:.3g}: it rises")
    return None


def unknown(judged: float) -> Verdict | None:
    """Where the loss that counts is no number, as where training has seen none of its labels."""
    return None if math.isfinite(judged) else Verdict("unclear", "the validation loss is unknown")


def falling(losses: Losses, judged: float, before: float, whole: float) -> Verdict | None:
    """Where the loss that counts still falls."""
    if not before - judged > max(FALLING * abs(before), LEFT * whole):
        return None
    name = "training" if losses.valid is None else "validation"
    return Verdict("falling", f"{name} loss {judged:.3g} after {before:.3g}: it still falls")


def by_heart(losses: Losses, train: float, judged: float, whole: float) -> Verdict | None:
    """Where validation is far above training."""
    if not judged - train > GAP * whole:
        return None
    return Verdict("overfitting", f"{against(losses, train, judged)}: it learns by heart")


def turned(losses: Losses, judged: float, whole: float) -> Verdict | None:
    """Where the validation loss has risen since it was least."""
    least = min(value for value in losses.judged if math.isfinite(value))
    if losses.valid is None or not judged - least > max(TURNED * least, RISE * whole):
        return None
    return Verdict("overfitting", f"validation loss {judged:.3g} after {least:.3g}: it has turned")


def too_small(losses: Losses, train: float, judged: float, whole: float) -> Verdict | None:
    """Where much is left to be learned, and nothing is learned any more."""
    if not min(train, judged) > HIGH * whole:
        return None
    said = against(losses, train, judged)
    return Verdict("underfitting", f"{said}, both high and no longer falling: it learns too little")
