"""Training on growing parts of the data: the parts, and what their scores say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gai.cli.nn_display import Silent
from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.preparing import gathered
from gai.nn.data.raw import Raw
from gai.nn.net.growing import Grown, grown, more_helps, part_of, size_of


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_a_part_keeps_the_shares_of_the_classes() -> None:
    labels = ["a"] * 80 + ["b"] * 20
    raw = Raw([str(k) for k in range(100)], array=np.zeros((100, 2), np.float32), labels=labels)
    part = part_of(raw, 0.25, Config())
    assert sorted(part.labels) == ["a"] * 20 + ["b"] * 5  # type: ignore[arg-type]
    assert part_of(raw, 1.0, Config()) is raw


def test_of_a_text_and_of_a_series_the_end_is_taken() -> None:
    text = Raw(["t"], texts=["abcdefghij"])
    part = part_of(text, 0.3, Config(task="lm"))
    assert part.texts == ["hij"]
    assert size_of(part, Config(task="lm")) == 3
    two = Raw(["a", "b"], texts=["abc", "de"])
    assert size_of(two, Config(task="lm")) == 5
    windows = Raw([str(k) for k in range(10)], array=np.arange(10.0).reshape(10, 1, 1))
    assert part_of(windows, 0.2, Config(task="forecast")).ids == ["8", "9"]


def test_one_example_counts_as_one() -> None:
    numbers = Raw(["a"], array=np.zeros((1, 2), np.float32))
    assert size_of(numbers, Config(task="regress")) == 1
    assert size_of(Raw(["a"], texts=["many letters"]), Config(task="classify")) == 1


class Counting(Silent):
    """Keeps how many steps trainings have."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def begin(self, total_steps: int, done: int) -> None:
        self.steps.append(total_steps)


def said(**choices: Any) -> dict[str, Any]:
    return {"model": "mlp", "width": 8, "seed": 1, "threads": 1, "dropout": 0.0, **choices}


def test_all_parts_make_as_many_steps_and_are_judged_on_the_same_examples() -> None:
    choices = said(data=("@iris",), epochs=4, lr=0.02, valid="0.3")
    listener = Counting()
    found = grown(choices, gathered(choices), listener, (0.2, 1.0))
    assert listener.steps == [16, 16]  # 4 epochs of 4 batches of all
    assert [point.examples for point in found.points] == [21, 105]
    assert found.score == "accuracy"
    for point in found.points:
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.score <= point.high
        assert point.baseline is not None
        assert point.score * 45 == pytest.approx(round(point.score * 45))


def test_nothing_can_be_compared_where_nothing_validates() -> None:
    choices = said(data=("@iris",), valid="0")
    with pytest.raises(GaiError, match="nothing validates"):
        grown(choices, gathered(choices), Silent())


def test_a_text_grows_too(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("to be or not to be that is the question\n" * 30)
    choices = said(model="gru", data=(str(path),), context=8, steps=4, embedding=4, task="lm")
    found = grown(choices, gathered(choices), Silent(), (0.5, 1.0))
    assert found.score == "perplexity"
    assert found.points[1].examples == 2 * found.points[0].examples
    assert found.points[0].low is None


def points(errors: list[float], score: str = "accuracy", spread: float = 0.001) -> list[Grown]:
    shares = (0.1, 0.25, 0.5, 1.0)
    found = []
    for share, error in zip(shares, errors, strict=True):
        value = 1 - error if score == "accuracy" else float(np.exp(error))
        ends = (value - spread, value + spread) if score == "accuracy" else (None, None)
        found.append(Grown(share, round(1000 * share), error, error, value, *ends, None))
    return found


def test_errors_that_fall_as_a_power_of_the_data_are_foretold() -> None:
    falling = points([0.4 * (0.1 / share) ** 0.5 for share in (0.1, 0.25, 0.5, 1.0)])
    helps, why = more_helps(falling, "accuracy")
    assert helps is True
    assert f"about {0.4 * 0.1**0.5 / 2**0.5:.3g}" in why
    loss = points([2.0, 1.7, 1.5, 1.3], "perplexity")
    assert more_helps(loss, "perplexity")[0] is True


def test_a_flat_curve_needs_no_more_data() -> None:
    assert more_helps(points([0.2, 0.101, 0.1, 0.1]), "accuracy")[0] is False
    assert more_helps(points([0.2, 0.1, 0.01, 0.0]), "accuracy")[0] is False


def test_what_lies_within_the_interval_is_not_clear() -> None:
    helps, why = more_helps(points([0.3, 0.25, 0.2, 0.16], spread=0.1), "accuracy")
    assert helps is None
    assert "interval" in why
    assert more_helps(points([0.2, 0.2, 0.2, float("nan")]), "accuracy")[0] is None
