"""Under- or overfitting by the losses of a run, and what to change next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.nn import advice
from gai.nn.advice import Change, Setting, Step, Stop, first, following
from gai.nn.config import Config, resolved
from gai.nn.fitting import Verdict, chance_loss, fit


def records(train: Sequence[float | None], valid: Sequence[float | None]) -> list[dict[str, Any]]:
    return [
        {"train_loss": a, "scores": {"loss": b, "accuracy": 0.5}}
        for a, b in zip(train, valid, strict=True)
    ]


CURVES: list[tuple[str, list[float], list[float]]] = [
    ("falling", [2.2, 1.8, 1.4, 1.1], [2.1, 1.7, 1.3, 1.0]),
    ("falling", [2.0, 0.5, 0.1, 0.05], [2.0, 1.5, 1.2, 0.9]),  # a gap, and still it falls
    ("overfitting", [1.5, 0.4, 0.1, 0.05, 0.03], [1.5, 0.8, 0.7, 0.69, 0.69]),
    ("overfitting", [1.5, 0.6, 0.5, 0.45, 0.44], [1.4, 0.5, 0.45, 0.5, 0.56]),  # has turned
    ("underfitting", [2.2, 2.0, 1.98, 1.97, 1.97], [2.1, 2.0, 1.98, 1.98, 1.98]),
    ("fine", [1.0, 0.3, 0.1, 0.06, 0.05], [0.9, 0.3, 0.12, 0.1, 0.1]),
    ("fine", [1.0, 0.5, 0.4, 0.35, 0.34], [0.6, 0.1, 0.08, 0.08, 0.08]),  # dropout in training
    ("diverging", [1.0, 0.5, 0.4, 2.5], [1.0, 0.5, 0.4, 3.0]),
    ("unclear", [1.0, 0.5], [1.0, 0.5]),
    ("unclear", [], []),
]


@pytest.mark.parametrize(("kind", "train", "valid"), CURVES)
def test_the_verdict_on_losses(kind: str, train: list[float], valid: list[float]) -> None:
    found = fit(records(train, valid), chance=math.log(10))
    assert found.kind == kind, found
    assert "\n" not in found.why


def test_a_verdict_says_both_losses() -> None:
    found = fit(records([1.5, 0.4, 0.1, 0.05], [1.5, 0.5, 0.42, 0.42]), chance=2.3)
    assert found.why == "validation loss 0.42 against 0.05 in training: it learns by heart"


def test_without_validation_there_is_no_overfitting() -> None:
    same = [2.0, 0.3, 0.05, 0.01, 0.01]
    found = fit(records(same, same), chance=2.3)
    assert (found.kind, found.why[:13]) == ("fine", "training loss")


def test_numbers_that_json_lacks_are_no_losses() -> None:
    assert fit(records([1.0, None, None], [1.0, None, None])).kind == "unclear"
    assert fit(records([1.0, 0.9, 0.8, None], [1.0, 0.9, 0.8, 0.8]), 1.0).kind == "diverging"
    assert fit(records([1.0, 0.9, 0.8, 0.8], [1.0, 0.9, 0.8, None]), 1.0).kind == "unclear"


@given(st.integers(-8, 8), st.sampled_from(CURVES))
def test_a_verdict_does_not_depend_on_the_unit_of_the_loss(power: int, case: Any) -> None:
    kind, train, valid = case
    by = 2.0**power
    scaled = records([by * x for x in train], [by * x for x in valid])
    assert fit(scaled, chance=by * math.log(10)).kind == kind


VALUES = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(st.lists(st.tuples(VALUES, VALUES), max_size=12), st.sampled_from([None, 1.0, 2.3]))
def test_any_losses_have_a_verdict(pairs: list[Any], chance: float | None) -> None:
    assert fit(records([a for a, _ in pairs], [b for _, b in pairs]), chance).kind in KINDS


KINDS = {"diverging", "overfitting", "falling", "underfitting", "fine", "unclear"}


def test_the_loss_of_who_knows_nothing() -> None:
    assert chance_loss("classify", "cross-entropy", 10) == pytest.approx(math.log(10))
    assert chance_loss("classify", "bce", 5) == pytest.approx(math.log(2))
    assert chance_loss("regress", "mse", 0) == 1.0
    assert chance_loss("lm", "cross-entropy", 0) is None
    assert chance_loss("classify", "focal", 10) is None


def setting(model: str = "mlp", kind: str = "numbers", *fixed: str, **choices: Any) -> Setting:
    return Setting(resolved({"model": model, **choices}), kind, frozenset(fixed))


def tried(kind: str, choices: Mapping[str, Any] = {}, better: bool = True) -> Step:
    return Step({"layers": 1, "width": 64, "dropout": 0.0, **choices}, better, Verdict(kind, kind))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("mlp", {"layers": 1, "width": 64, "dropout": 0.0}),
        ("cnn", {"layers": 1, "filters": 32, "dropout": 0.0}),
        ("gru", {"layers": 1, "width": 64, "dropout": 0.0}),
    ],
)
def test_it_begins_small(model: str, expected: dict[str, Any]) -> None:
    assert first(setting(model)).choices == expected
    assert first(setting("siamese", encoder=model)).choices == expected


def test_what_is_typed_stays_from_the_beginning_on() -> None:
    found = first(setting("mlp", "numbers", "width", "dropout", width=500))
    assert found.choices == {"layers": 1}
    assert found.why == "it begins small: layers 1"


@pytest.mark.parametrize(
    ("kind", "choices", "name", "value"),
    [
        ("overfitting", {}, "dropout", 0.2),
        ("overfitting", {"dropout": 0.2}, "dropout", 0.4),
        ("overfitting", {"dropout": 0.5}, "dropout", 0.6),
        ("overfitting", {"dropout": 0.6}, "weight_decay", 0.0001),
        ("overfitting", {"dropout": 0.6, "weight_decay": 0.01}, "augment", ("noise",)),
        ("underfitting", {"dropout": 0.5}, "dropout", 0.4),
        ("underfitting", {"dropout": 0.2}, "dropout", 0.0),
        ("underfitting", {}, "width", 128),
        ("underfitting", {"width": 1024}, "layers", 2),
        ("falling", {}, "lr", 0.003),
        ("falling", {"lr": 0.09}, "epochs", 20),
        ("diverging", {}, "lr", 0.00033),
        ("fine", {}, "width", 128),
        ("unclear", {}, "epochs", 20),
    ],
)
def test_the_verdict_on_the_best_decides_the_change(
    kind: str, choices: dict[str, Any], name: str, value: Any
) -> None:
    step = tried(kind, choices)
    found = following(setting(), [step])
    assert isinstance(found, Change)
    changed = {k: v for k, v in found.choices.items() if step.choices.get(k) != v}
    changed.pop("early_stopping", None)
    assert changed == {name: value}
    assert found.why.startswith(f"{kind}; {name.replace('_', ' ')} ")


def test_a_change_says_why_in_a_line() -> None:
    why = "validation loss 0.42 against 0.05 in training: it learns by heart"
    found = following(setting(), [Step({"dropout": 0.2}, True, Verdict("overfitting", why))])
    assert isinstance(found, Change)
    assert found.why == f"{why}; dropout 0.2 -> 0.4, early stopping 5"
    assert found.choices == {"dropout": 0.4, "early_stopping": 5}


def test_a_cnn_grows_by_its_filters_and_a_fixed_choice_stays() -> None:
    step = tried("underfitting", {"filters": 32})
    found = following(setting("cnn", "ids"), [step])
    assert isinstance(found, Change)
    assert found.choices["filters"] == 64
    found = following(setting("cnn", "ids", "filters"), [step])
    assert isinstance(found, Change)
    assert (found.choices["filters"], found.choices["layers"]) == (32, 2)


def test_adamw_decays_weights_in_steps_of_its_own() -> None:
    step = tried("overfitting", {"dropout": 0.6, "optimizer": "adamw"})
    found = following(setting(), [step])
    assert isinstance(found, Change)
    assert found.choices["weight_decay"] == 0.01


def test_a_change_that_did_not_help_is_taken_back_and_not_tried_again() -> None:
    steps = [tried("overfitting"), tried("overfitting", {"dropout": 0.2}, better=False)]
    found = following(setting(), steps)
    assert isinstance(found, Change)
    assert found.choices["dropout"] == 0.0
    assert found.choices["weight_decay"] == 0.0001
    helped = Step(found.choices, True, Verdict("overfitting", ""))
    found = following(setting(), [*steps, helped])
    assert isinstance(found, Change)
    assert found.choices["dropout"] == 0.0  # 0.2 has been tried
    assert found.choices["weight_decay"] == 0.001


def test_it_ends_after_two_changes_in_a_row_that_did_not_help() -> None:
    worse = [tried("fine", {"width": 128}, False), tried("fine", {"layers": 2}, False)]
    assert isinstance(following(setting(), [tried("fine"), worse[0]]), Change)
    found = following(setting(), [tried("fine"), *worse])
    assert found == Stop("2 changes in a row did not help")
    between = [tried("fine"), worse[0], tried("fine", {"dropout": 0.2}), worse[1]]
    assert isinstance(following(setting(), between), Change)


def test_it_ends_where_nothing_can_be_better_and_where_nothing_is_left() -> None:
    assert isinstance(following(setting(), [tried("falling")._replace(perfect=True)]), Stop)
    all_typed = setting("mlp", "numbers", "lr", "epochs", "width")
    found = following(all_typed, [tried("falling")])
    assert isinstance(found, Stop)
    assert "nothing left to try" in found.why


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.booleans()), max_size=60))
def test_advice_comes_to_an_end_and_each_change_is_possible(script: list[Any]) -> None:
    where = setting()
    steps = [Step(first(where).choices, True, Verdict("falling", ""))]
    seen = [steps[0].choices]
    for kind, better in script:
        found = following(where, steps)
        if isinstance(found, Stop):
            return
        assert found.choices not in seen
        seen.append(found.choices)
        changed = where.config.with_(**found.choices)
        assert isinstance(changed, Config)
        assert changed.lr <= 0.1
        assert changed.layers <= 4
        steps.append(Step(found.choices, better, Verdict(kind, "")))


def test_values_in_words() -> None:
    made = {"batch_size": 32, "lr": 0.00123456, "augment": (), "kernels": [3, 4], "clip": None}
    assert advice.shown(made) == ("batch size 32, lr 0.00123, augment none, kernels 3,4, clip none")
