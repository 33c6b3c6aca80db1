"""Losses by name, against torch's counterparts, finite differences, and by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.names import SUPERVISED, default_loss
from gai.nn.net.losses import FITTING, SEVERAL, SMOOTHED, WEIGHTED, Loss, loss

WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64)

CLASSES = torch.tensor([2, 0, 3, 2, 1])
NUMBERS = ("regress", "forecast")


def logits(*shape: int) -> Tensor:
    made = torch.randn(*(shape or (5, 4)), dtype=torch.float64, generator=chance()) * 2
    return made.requires_grad_()


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def labels() -> Tensor:
    return torch.tensor(
        [[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=torch.float64
    )


def of(name: str, task: str = "classify", several: bool = False, **options: Any) -> Loss:
    weights = options.pop("weights", None)
    config = Config(loss=name, task=task, **options)
    return loss(config, task=task, several_labels=several, class_weights=weights)


def one_hot() -> Tensor:
    return F.one_hot(CLASSES, 4).double()


SEVERAL_LABELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": lambda o, t: nn.MSELoss()(o.sigmoid(), t),
    "mae": lambda o, t: nn.L1Loss()(o.sigmoid(), t),
    "huber": lambda o, t: nn.HuberLoss(delta=0.3)(o.sigmoid(), t),
    "bce": lambda o, t: nn.BCELoss()(o.sigmoid(), t),
    # Torch's hinge of an embedding at target -1 is max(0, 1 - x).
    "hinge": lambda o, t: nn.HingeEmbeddingLoss()((2 * t - 1) * o, -torch.ones_like(t)),
    "focal": lambda o, t: (
        F.binary_cross_entropy(o.sigmoid(), t, reduction="none")
        * (1 - (o.sigmoid() * t + (1 - o.sigmoid()) * (1 - t))) ** 1.5
    ).mean(),
}

ONE_LABEL: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": lambda o, t: nn.MSELoss()(o.softmax(1), F.one_hot(t, 4).double()),
    "mae": lambda o, t: nn.L1Loss()(o.softmax(1), F.one_hot(t, 4).double()),
    "huber": lambda o, t: nn.HuberLoss(delta=0.3)(o.softmax(1), F.one_hot(t, 4).double()),
    "bce": lambda o, t: nn.BCELoss()(o.sigmoid(), F.one_hot(t, 4).double()),
    "cross-entropy": lambda o, t: nn.NLLLoss()(o.log_softmax(1), t),
    "hinge": lambda o, t: nn.MultiMarginLoss()(o, t),
    "kl": lambda o, t: nn.CrossEntropyLoss()(o, t),  # a certain answer has no entropy
    "focal": lambda o, t: (
        (1 - o.softmax(1).gather(1, t[:, None])) ** 1.5 * -o.log_softmax(1).gather(1, t[:, None])
    ).mean(),
}


@pytest.mark.parametrize("name", ONE_LABEL)
def test_a_loss_of_one_label_is_torchs(name: str) -> None:
    outputs = logits()
    found = of(name, huber_delta=0.3, focal_gamma=1.5)(outputs, CLASSES)
    torch.testing.assert_close(found, ONE_LABEL[name](outputs, CLASSES))


@pytest.mark.parametrize("name", SEVERAL_LABELS)
def test_a_loss_of_several_labels_is_torchs(name: str) -> None:
    outputs = logits()
    found = of(name, several=True, huber_delta=0.3, focal_gamma=1.5)(outputs, labels())
    torch.testing.assert_close(found, SEVERAL_LABELS[name](outputs, labels()))


@pytest.mark.parametrize("task", NUMBERS)
def test_losses_of_numbers_are_torchs(task: str) -> None:
    outputs, targets = logits(5, 2), torch.arange(10.0).view(5, 2).double()
    for name, torchs in (("mse", nn.MSELoss()), ("mae", nn.L1Loss()), ("huber", nn.HuberLoss())):
        torch.testing.assert_close(of(name, task)(outputs, targets), torchs(outputs, targets))


@pytest.mark.parametrize("name", FITTING["tag"])
def test_tokens_without_a_target_do_not_count(name: str) -> None:
    outputs = logits(2, 4, 4)
    targets = torch.tensor([[2, 0, 3, -100], [2, 1, -100, -100]])
    kept = targets.flatten() != -100
    flat, wanted = outputs.flatten(0, 1)[kept], targets.flatten()[kept]
    torch.testing.assert_close(of(name, "tag")(outputs, targets), of(name)(flat, wanted))


@pytest.mark.parametrize("name", FITTING["tag"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_batch_without_any_target_teaches_nothing(name: str, weights: Tensor | None) -> None:
    outputs, targets = logits(2, 3, 4), torch.full((2, 3), -100)
    found = of(name, "tag", weights=weights if name in WEIGHTED else None)(outputs, targets)
    found.backward()
    assert found.item() == 0.0
    assert outputs.grad is not None
    assert not outputs.grad.any()


@pytest.mark.parametrize("name", FITTING["lm"])
def test_the_loss_of_a_language_model_is_the_mean_over_all_places(name: str) -> None:
    outputs, targets = logits(2, 3, 4), torch.tensor([[0, 1, 2], [3, 3, 0]])
    expected = of(name)(outputs.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(of(name, "lm")(outputs, targets), expected)


def variants() -> list[tuple[str, str, bool, float, bool]]:
    """Every loss of every task, smoothed and weighted where it can be."""
    rows = [(task, name, False) for task, names in FITTING.items() for name in names]
    rows += [("classify", name, True) for name in SEVERAL]
    return [
        (task, name, several, smoothing, weighted)
        for (task, name, several), smoothing, weighted in product(rows, (0.0, 0.2), (False, True))
        if (name in SMOOTHED or not smoothing) and (name in WEIGHTED or not weighted)
    ]


@pytest.mark.parametrize(("task", "name", "several", "smoothing", "weighted"), variants())
def test_gradients_agree_with_finite_differences(
    task: str, name: str, several: bool, smoothing: float, weighted: bool
) -> None:
    judge = of(
        name,
        task,
        several,
        label_smoothing=smoothing,
        weights=WEIGHTS if weighted else None,
        focal_gamma=1.7,
        huber_delta=0.7,
    )
    outputs, targets = logits(), CLASSES
    if several or task in NUMBERS:
        targets = labels()
    elif task in ("tag", "lm"):
        outputs, targets = logits(2, 3, 4), torch.tensor([[2, 0, -100], [3, -100, 1]])
    elif task == "algorithm":  # bits, NaN where none is due
        outputs, targets = logits(2, 3, 4), torch.ones(2, 3, 4, dtype=torch.float64)
        targets[0, 1:], targets[1, 0, 2] = math.nan, 0.0
    assert torch.autograd.gradcheck(lambda o: judge(o, targets), (outputs,))


# Worked by hand: two classes, logits that give probabilities 0.8 and 0.2.
FIRST = torch.tensor([[math.log(4.0), 0.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", (0.2**2 + 0.2**2) / 2),
        ("mae", 0.2),
        ("huber", (0.1 * (0.2 - 0.05) * 2) / 2),
        ("cross-entropy", -math.log(0.8)),
        ("kl", -math.log(0.8)),
        ("focal", 0.2**2 * -math.log(0.8)),
        ("hinge", 0.0),  # 1 - log 4 is below 0
        ("bce", (-math.log(4 / 5) - math.log(1 / 2)) / 2),
    ],
)
def test_by_hand_where_the_right_class_has_four_fifths(name: str, expected: float) -> None:
    found = of(name, huber_delta=0.1)(FIRST, torch.tensor([0]))
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", 0.8**2),
        ("cross-entropy", -math.log(0.2)),
        ("focal", 0.8**2 * -math.log(0.2)),
        ("hinge", (1 + math.log(4)) / 2),
    ],
)
def test_by_hand_where_the_right_class_has_one_fifth(name: str, expected: float) -> None:
    assert of(name)(FIRST, torch.tensor([1])).item() == pytest.approx(expected)


def test_hinge_of_several_labels_by_hand() -> None:
    outputs = torch.tensor([[0.25, -2.0], [3.0, 0.5]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert of("hinge", several=True)(outputs, targets).item() == (0.75 + 0 + 0 + 1.5) / 4
    weighted = of("hinge", several=True, weights=torch.tensor([4.0, 8.0]))
    assert weighted(outputs, targets).item() == (4 * 0.75 + 1.5) / 4


@pytest.mark.parametrize("name", [n for n in FITTING["classify"] if n != "bce"])
def test_the_loss_of_a_perfect_answer_is_zero(name: str) -> None:
    assert of(name)(one_hot() * 100, CLASSES).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_loss_of_perfect_labels_is_zero(name: str) -> None:
    perfect = (labels() * 2 - 1) * 100
    assert of(name, several=True)(perfect, labels()).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("as_rows", [False, True])
def test_focal_without_gamma_is_torchs_cross_entropy(
    smoothing: float, weights: Tensor | None, as_rows: bool
) -> None:
    outputs, targets = logits(), one_hot() if as_rows else CLASSES
    options = {"label_smoothing": smoothing, "weights": weights}
    expected = nn.CrossEntropyLoss(weights, label_smoothing=smoothing)(outputs, targets)
    for name in ("focal", "cross-entropy"):
        found = of(name, focal_gamma=0.0, **options)(outputs, targets)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_focal_of_labels_without_gamma_is_torchs_bce(weights: Tensor | None) -> None:
    outputs = logits()
    expected = nn.BCEWithLogitsLoss(pos_weight=weights)(outputs, labels() * 0.8 + 0.1)
    for name in ("focal", "bce"):
        judge = of(name, several=True, focal_gamma=0.0, label_smoothing=0.2, weights=weights)
        torch.testing.assert_close(judge(outputs, labels()), expected)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
def test_focal_at_certainty_has_no_gradient_that_is_nan(gamma: float) -> None:
    for several, targets in ((False, torch.tensor([0])), (True, torch.tensor([[1.0, 0.0]]))):
        outputs = torch.tensor([[200.0, -200.0]], requires_grad=True)
        of("focal", several=several, focal_gamma=gamma)(outputs, targets).backward()
        assert outputs.grad is not None
        assert outputs.grad.isfinite().all()


def test_focal_looks_less_at_easy_examples() -> None:
    easy, hard = torch.tensor([[3.0, 0.0]]), torch.tensor([[-1.0, 0.0]])
    right = torch.tensor([0])
    ratios = [of("focal", focal_gamma=g)(hard, right) / of("focal", focal_gamma=g)(easy, right)
              for g in (0.0, 2.0)]  # fmt: skip
    assert ratios[1] > 100 * ratios[0]


def test_shares_of_classes_may_be_targets() -> None:
    outputs, mixed = logits(), one_hot() * 0.7 + 0.3 / 4
    expected = nn.CrossEntropyLoss()(outputs, mixed)
    torch.testing.assert_close(of("cross-entropy")(outputs, mixed), expected)
    entropy = -(mixed * mixed.log()).sum(1).mean()
    torch.testing.assert_close(of("kl")(outputs, mixed), expected - entropy)


def test_kl_against_smoothed_targets_is_zero_at_best() -> None:
    best = (one_hot() * 0.8 + 0.05).log()
    assert of("kl", label_smoothing=0.2)(best, CLASSES).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["cross-entropy", "focal"])
def test_whole_class_weights_are_repeated_examples(name: str) -> None:
    outputs, weights = logits(), torch.tensor([1.0, 2.0, 3.0, 1.0], dtype=torch.float64)
    times = weights[CLASSES].long()
    repeated = of(name)(outputs.repeat_interleave(times, 0), CLASSES.repeat_interleave(times))
    torch.testing.assert_close(of(name, weights=weights)(outputs, CLASSES), repeated)


@pytest.mark.parametrize("name", ["bce", "hinge", "focal"])
def test_a_labels_weight_counts_where_it_is_there(name: str) -> None:
    weights = torch.tensor([1.0, 1.0, 3.0, 1.0], dtype=torch.float64)
    weighted, plain = of(name, several=True, weights=weights), of(name, several=True)
    outputs, absent = logits(1, 4), torch.tensor([[1.0, 0.0, 0.0, 0.0]]).double()
    there = torch.tensor([[0.0, 0.0, 1.0, 0.0]]).double()
    assert weighted(outputs, absent) == plain(outputs, absent)
    label = plain(outputs[:, 2:3], there[:, 2:3]) / 4
    torch.testing.assert_close(weighted(outputs, there), plain(outputs, there) + 2 * label)


def test_hinge_with_class_weights_is_torchs() -> None:
    outputs = logits()
    expected = nn.MultiMarginLoss(weight=WEIGHTS)(outputs, CLASSES)
    torch.testing.assert_close(of("hinge", weights=WEIGHTS)(outputs, CLASSES), expected)


@pytest.mark.parametrize(
    ("name", "task", "several", "message", "hint"),
    [
        ("cross-entropy", "classify", True, "does not fit several labels", "bce"),
        ("kl", "classify", True, "does not fit several labels", "hinge"),
        ("cross-entropy", "regress", False, "does not fit --task regress", "mse, mae, huber"),
        ("bce", "forecast", False, "does not fit --task forecast", "huber"),
        ("mse", "lm", False, "does not fit --task lm", "cross-entropy"),
    ],
)
def test_a_loss_that_does_not_fit_says_which_do(
    name: str, task: str, several: bool, message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        of(name, task, several)
    assert hint in caught.value.hint
    assert name not in caught.value.hint


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mse", {"label_smoothing": 0.1}, "mse has no label smoothing"),
        ("kl", {"weights": WEIGHTS}, "kl has no class weights"),
        ("huber", {"huber_delta": 0.0}, "--huber-delta"),
        ("focal", {"focal_gamma": -1.0}, "--focal-gamma"),
        ("math:fsum", {"weights": WEIGHTS}, "math:fsum has no class weights"),
    ],
)
def test_an_option_that_would_do_nothing_is_an_error(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        of(name, **options)


def test_the_default_of_every_task_fits_it() -> None:
    for task in FITTING:
        assert default_loss(task, False) in FITTING[task]
    assert default_loss("classify", True) in SEVERAL


def test_every_loss_of_the_list_is_one_of_classes() -> None:
    assert set(FITTING["classify"]) == set(SUPERVISED) == set(ONE_LABEL)


def test_a_loss_of_a_module() -> None:
    outputs = logits()
    found = of("torch.nn.functional:cross_entropy")(outputs, CLASSES)
    assert found == of("cross-entropy")(outputs, CLASSES)


OWN = """
import torch

def cubed(outputs, targets):
    return (outputs - targets).abs().pow(3).mean()

def row(outputs, targets):
    return outputs.mean(1)

def number(outputs, targets):
    return 3.0

def blind(outputs, targets):
    return (outputs.detach() - targets).mean()

def whole(outputs, targets):
    return (outputs > 0).sum()

def broken(outputs, targets):
    return outputs @ targets[0][0]

constant = 3
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(OWN)
    return f"{tmp_path}/own.py"


def test_a_loss_of_a_file(own: str) -> None:
    outputs = logits()
    found = of(f"{own}:cubed", "regress")(outputs, labels())
    torch.testing.assert_close(found, (outputs - labels()).abs().pow(3).mean())


def test_a_loss_of_ones_own_sees_tokens_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "shapes.py"
    path.write_text("def f(o, t): return o.sum() * 0 + o.dim() * 10 + t.dim()")
    assert of(f"{path}:f", "lm")(logits(2, 3, 4), torch.zeros(2, 3).long()).item() == 32


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("row", r"gave float64 \[5\], not one float"),
        ("number", "gave a float, no tensor"),
        ("blind", "gave a number without a gradient"),
        ("whole", r"gave int64 \[\], not one float"),
        ("broken", r"failed: \w+: "),
        ("constant", "not a function"),
        ("missing", "own.py has no missing"),
        ("", "own.py has no "),
    ],
)
def test_a_loss_of_ones_own_that_is_none(own: str, name: str, message: str) -> None:
    with pytest.raises(GaiError, match=message):
        of(f"{own}:{name}", "regress")(logits(), labels())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:f", "No module named 'no_such_module'"),
        ("math:no_such_function", "math has no no_such_function"),
        ("nowhere/own.py:f", "No such file"),
    ],
)
def test_a_loss_that_is_not_there(target: str, message: str) -> None:
    with pytest.raises(GaiError, match=message):
        of(target)


def test_a_file_that_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def f(:")
    with pytest.raises(GaiError, match="SyntaxError"):
        of(f"{tmp_path}/own.py:f")


def test_a_loss_of_ones_own_needs_no_gradient_in_evaluation(own: str) -> None:
    with torch.no_grad():
        assert of(f"{own}:cubed", "regress")(labels(), labels()).item() == 0
