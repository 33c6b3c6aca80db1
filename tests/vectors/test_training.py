"""The loop of every training, on a trainer whose weights say which epochs it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.terms import Terms
from gai.vectors.training import Advance, Epoch, train


class Scripted:
    """Losses by script; an epoch adds one to its weight, and half of one where it is cut short."""

    name, unit, size = "scripted", "words", 10

    def __init__(self, losses: list[float], interrupted: int | None = None) -> None:
        self.losses, self.interrupted = losses, interrupted
        self.weight = np.zeros(3)
        self.rows: dict[str, NDArray[np.int64]] = {}

    def epoch(self, number: int, advance: Advance) -> float:
        if number == self.interrupted:
            self.weight += 0.5
            raise KeyboardInterrupt
        self.weight += 1
        advance(self.size)
        return self.losses[number]

    def weights(self) -> Mapping[str, NDArray[Any]]:
        return {"weight": self.weight}

    def changed(self) -> Mapping[str, NDArray[np.int64]]:
        return self.rows

    def vectors(self, epochs: int) -> Vectors:
        return Vectors(Terms.of(["a"]), self.weight[None].astype(np.float32))


def seen(trainer: Scripted) -> float:
    return float(trainer.weight[0])


def test_all_epochs() -> None:
    trainer, told = Scripted([3.0, 2.0, 1.0]), []
    outcome = train(trainer, 3, told=told.append)
    assert [(epoch.number, epoch.loss) for epoch in outcome.epochs] == [(1, 3), (2, 2), (3, 1)]
    assert told == outcome.epochs
    assert (seen(trainer), outcome.ended, outcome.kept) == (3, "", told[2])


def test_an_earlier_run_goes_on() -> None:
    trainer = Scripted([9.0, 9.0, 1.0])
    assert [epoch.number for epoch in train(trainer, 3, done=2).epochs] == [3]


def test_an_interrupt_keeps_the_last_finished_epoch() -> None:
    trainer = Scripted([3.0, 2.0, 1.0], interrupted=2)
    outcome = train(trainer, 3)
    assert (seen(trainer), outcome.ended) == (2, "interrupted")
    assert outcome.kept == outcome.epochs[1]


def test_an_interrupt_in_the_first_epoch_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Scripted([1.0], interrupted=0), 1)


def test_patience_keeps_the_best() -> None:
    trainer = Scripted([3.0, 1.0, 2.0, 1.0, 0.5])
    outcome = train(trainer, 5, patience=2)
    assert [epoch.number for epoch in outcome.epochs] == [1, 2, 3, 4]
    assert (seen(trainer), outcome.ended) == (2, "patience")


def test_patience_that_is_not_needed_keeps_the_last() -> None:
    trainer = Scripted([3.0, 4.0, 2.0])
    outcome = train(trainer, 3, patience=2)
    assert (seen(trainer), outcome.ended) == (3, "")


def test_patience_at_the_end_keeps_the_best() -> None:
    trainer = Scripted([3.0, 1.0, 2.0])
    assert train(trainer, 3, patience=2).kept == Epoch(2, 1.0, pytest.approx(0, abs=1))
    assert seen(trainer) == 2


def test_scores_decide_before_the_loss() -> None:
    trainer, scores = Scripted([3.0, 2.0, 1.0]), iter([0.1, 0.3, 0.2])
    outcome = train(trainer, 3, patience=5, evaluate=lambda vectors: {"simlex999": next(scores)})
    assert (seen(trainer), outcome.kept) == (2, outcome.epochs[1])


def test_an_interrupt_under_patience_keeps_the_best() -> None:
    trainer = Scripted([1.0, 2.0, 3.0], interrupted=2)
    assert train(trainer, 3, patience=5).ended == "interrupted"
    assert seen(trainer) == 1


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_diverged_run_stops(loss: float) -> None:
    with pytest.raises(GaiError, match="after epoch 2: training has diverged"):
        train(Scripted([1.0, loss, 1.0]), 3)


def test_rows_that_never_change_are_not_copied() -> None:
    trainer = Scripted([1.0, 2.0, 3.0, 4.0], interrupted=3)
    trainer.rows = {"weight": np.array([0, 2])}
    train(trainer, 4)
    assert trainer.weight.tolist() == [3, 3.5, 3]
