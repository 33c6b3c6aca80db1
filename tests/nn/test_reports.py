"""What stands in RUN for people: that the curves are those of the records."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

import pytest

from gai.nn import reports
from gai.nn.config import resolved

SVG = "{http://www.w3.org/2000/svg}"
LOSSES = [(0.9, 1.0), (0.5, 0.6), (0.2, 0.8)]


def records(*losses: tuple[float, float | None]) -> list[dict[str, Any]]:
    """Lines of metrics.jsonl, one an epoch of five steps."""
    return [
        {
            **{"epoch": epoch, "step": 5 * epoch, "train_loss": train, "lr": 0.01},
            "scores": {"loss": valid, "accuracy": epoch / 10},
            "gradients": {"body.layers.0.linear": 0.1 / epoch},
        }
        for epoch, (train, valid) in enumerate(losses, start=1)
    ]


def drawn(found: list[dict[str, Any]]) -> list[ElementTree.Element]:
    """The plots of the picture."""
    return ElementTree.fromstring(reports.curves(found, "accuracy")).findall(f"{SVG}g")


def texts(plot: ElementTree.Element) -> list[str | None]:
    return [one.text for one in plot.iter(f"{SVG}text")]


def heights(plot: ElementTree.Element, series: int) -> list[float]:
    """How far down the dots of a series are."""
    dots = [dot for dot in plot.iter(f"{SVG}circle") if dot.get("class") == f"f{series}"]
    return [float(dot.get("cy", "nan")) for dot in dots]


def test_the_curves_go_through_the_losses_and_the_scores() -> None:
    loss, score, rate, gradients = drawn(records(*LOSSES))
    found = heights(loss, 0) + heights(loss, 1)
    said = [train for train, _ in LOSSES] + [valid for _, valid in LOSSES]
    each = (found[0] - found[2]) / (said[0] - said[2])  # pixels of a unit: one scale for both
    assert each < 0  # upwards
    expected = [found[0] + each * (value - said[0]) for value in said]
    assert found == pytest.approx(expected, abs=0.02)
    assert {"Loss", "training", "validation", "3 epochs"} <= set(texts(loss))
    assert texts(score)[0] == "Accuracy"
    assert sorted(heights(score, 0), reverse=True) == heights(score, 0)
    assert (texts(rate)[0], texts(gradients)[0]) == ("Learning rate", "Gradients by layer")


def test_the_same_records_give_the_same_picture() -> None:
    assert reports.curves(records(*LOSSES), "accuracy") == reports.curves(
        records(*LOSSES), "accuracy"
    )


def test_without_validation_there_is_one_line() -> None:
    loss, *_ = drawn(records((0.9, 0.9), (0.5, 0.5)))
    assert "validation" not in texts(loss)
    assert len(heights(loss, 0)) == 2


def test_what_is_no_number_is_left_out_and_one_epoch_is_enough() -> None:
    loss, *_ = drawn(records((0.9, 1.0), (math.nan, None), (0.2, 0.8)))
    assert len(heights(loss, 0)) == len(heights(loss, 1)) == 2
    single, *_ = drawn(records((0.9, 1.0)))
    assert "1 epoch" in texts(single)


def test_names_from_data_stay_in_their_line() -> None:
    found = {
        **{"data": {"examples": {"train": 4}, "labels": ["a\nb", "\x1b[31m"]}},
        **{"network": {"parameters": 5}, "steps": 1, "best_step": 1, "scores": {}},
        "notes": ["all is well"],
    }
    lines = reports.card(found, resolved({"data": ("x\ny.csv",)})).splitlines()
    assert "- Labels: a↵b, \\x1b[31m." in lines
    assert "- Data: x↵y.csv; 4 train." in lines
    assert "- all is well." in lines
