"""Gradients of layers: their norms, their bounds, and the judgement of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gai.nn.net.gradients import Finding, Gradients, judge, layer_of


def network() -> nn.Sequential:
    torch.manual_seed(2)
    layers = (nn.Embedding(6, 3, padding_idx=0), nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    return nn.Sequential(*layers)


def with_gradients(scale: float = 1.0) -> nn.Sequential:
    model = network()
    (model(torch.tensor([1, 2, 5])).square().sum() * scale).backward()
    return model


def gradients(model: nn.Module) -> list[Tensor]:
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """The norm of the gradient of each layer, by its module's name, in the model's order.

    A layer that learns and has no gradient has 0. A stack of recurrent layers in one module is told
    apart: ``lstm.l0``, ``lstm.l1``.
    """
    named = [(layer_of(name), w.grad) for name, w in model.named_parameters() if w.requires_grad]
    norms = [torch.linalg.vector_norm(grad) for _, grad in named if grad is not None]
    # One wait for the device in place of one a layer.
    values = iter(torch.stack(norms).tolist() if norms else ())
    squares: dict[str, float] = {}
    for layer, grad in named:
        squares[layer] = squares.get(layer, 0.0) + (0.0 if grad is None else next(values) ** 2)
    return {layer: math.sqrt(square) for layer, square in squares.items()}


def clip(model: nn.Module, clip_norm: float | None, clip_value: float | None) -> float:
    return Gradients(model).clip(clip_norm, clip_value)


def judged(history: list[dict[str, float]]) -> list[Finding]:
    """The judgement of the norms of some steps."""
    layers = history[0]
    norms = {layer: torch.tensor([step[layer] for step in history]) for layer in layers}
    mean = {layer: found.mean().item() for layer, found in norms.items()}
    return judge(mean, {layer: found.max().item() for layer, found in norms.items()})


@pytest.mark.parametrize("scale", [0.001, 1.0, 1000.0])
def test_clipping_to_a_norm_is_torchs(scale: float) -> None:
    ours, torchs = with_gradients(scale), with_gradients(scale)
    expected = nn.utils.clip_grad_norm_(torchs.parameters(), 0.5)
    assert clip(ours, 0.5, None) == pytest.approx(expected.item())
    for a, b in zip(gradients(ours), gradients(torchs), strict=True):
        torch.testing.assert_close(a, b)


def test_clipping_to_a_value() -> None:
    model = with_gradients()
    before = [grad.clone() for grad in gradients(model)]
    assert clip(model, None, 0.05) == pytest.approx(norm_of(before))
    for old, new in zip(before, gradients(model), strict=True):
        assert torch.equal(new, old.clamp(-0.05, 0.05))


def norm_of(found: list[Tensor]) -> float:
    return torch.cat([grad.flatten() for grad in found]).norm().item()


def test_both_bounds_hold_together() -> None:
    model = with_gradients(100)
    clip(model, 1.0, 0.3)
    assert norm_of(gradients(model)) <= 1.0
    assert max(grad.abs().max().item() for grad in gradients(model)) == pytest.approx(0.3)


def test_without_bounds_only_the_norm_is_told() -> None:
    model = with_gradients()
    before = [grad.clone() for grad in gradients(model)]
    assert clip(model, None, None) == pytest.approx(norm_of(before))
    assert all(map(torch.equal, before, gradients(model)))
    assert clip(network(), 1.0, 1.0) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_no_number_comes_back(bad: float) -> None:
    model = with_gradients()
    gradients(model)[1][0, 0] = bad
    assert not math.isfinite(clip(model, 1.0, None))


def test_gradient_norms_are_those_of_layers() -> None:
    model = with_gradients()
    norms = gradient_norms(model)
    assert list(norms) == ["0", "1", "2", "3"]
    for name, norm in norms.items():
        assert norm == pytest.approx(norm_of(gradients(model.get_submodule(name))))
    total = math.sqrt(sum(norm**2 for norm in norms.values()))
    assert total == pytest.approx(clip(model, None, None))


def test_gradient_norms_tell_the_layers_of_a_stack_apart() -> None:
    model = nn.Sequential(nn.LSTM(3, 4, num_layers=2, bidirectional=True))
    model(torch.randn(5, 3))[0].sum().backward()
    norms = gradient_norms(model)
    assert list(norms) == ["0.l0", "0.l1"]
    second = [w.grad for n, w in model.named_parameters() if "l1" in n and w.grad is not None]
    assert norms["0.l1"] == pytest.approx(norm_of(second))


def test_a_layer_without_a_gradient_has_none_and_one_that_is_frozen_is_left_out() -> None:
    model = network()
    assert set(gradient_norms(model).values()) == {0.0}
    model[0].weight.requires_grad_(False)
    assert list(gradient_norms(model)) == ["1", "2", "3"]
    assert list(gradient_norms(nn.Linear(2, 2))) == ["weight", "bias"]


def test_a_healthy_network_is_left_in_peace() -> None:
    assert judged([gradient_norms(with_gradients())]) == []
    assert judge({}, {}) == []


def deep(activation: Callable[[], nn.Module], layers: int = 12) -> nn.Sequential:
    torch.manual_seed(3)
    stack = [layer for _ in range(layers) for layer in (nn.Linear(8, 8), activation())]
    model = nn.Sequential(*stack, nn.Linear(8, 2))
    model(torch.randn(16, 8)).square().mean().backward()
    return model


def test_vanishing_gradients_name_the_layer_that_is_worst() -> None:
    norms = gradient_norms(deep(nn.Sigmoid))
    (finding,) = judged([norms])
    below = [name for name, norm in norms.items() if norm < 1e-6 * norms["24"]]
    assert finding.message == (
        f"gradients vanish in 0 and {len(below) - 1} more: {norms['0']:.2g}, "
        f"against {norms['24']:.2g} in 24"
    )
    assert "--activation relu" in finding.hint


def test_the_mean_over_an_epoch_decides_what_vanishes() -> None:
    steps = [{"first": 0.0, "second": 1.0}, {"first": 1e-3, "second": 3.0}]
    assert judged(steps) == []
    (finding,) = judged(steps[:1])
    assert finding.message == "gradients vanish in first: 0, against 1 in second"


def test_layers_that_none_reaches_vanish() -> None:
    (finding,) = judged([{"first": 0.0, "second": 0.0}])
    assert finding.message == "gradients vanish in first and 1 more: 0"


@pytest.mark.parametrize(("norm", "shown"), [(3e5, "3e+05"), (math.inf, "inf"), (math.nan, "inf")])
def test_one_explosion_is_enough(norm: float, shown: str) -> None:
    calm = {"first": 0.5, "second": 1.0}
    (finding,) = judged([calm, {"first": norm, "second": 2.0}, calm])
    assert finding.message == f"gradients explode in first: {shown}"
    assert "--clip-norm" in finding.hint


def test_what_explodes_does_not_make_the_rest_vanish() -> None:
    findings = judged([{"first": 0.5, "second": 1.0, "third": 1e9}])
    assert [finding.message for finding in findings] == ["gradients explode in third: 1e+09"]


def test_norms_are_gathered_over_steps() -> None:
    model = network()
    gradients = Gradients(model)
    found = []
    for scale in (1.0, 3.0):
        model.zero_grad()
        (model(torch.tensor([1, 2, 5])).square().sum() * scale).backward()
        found.append(gradient_norms(model))
        gradients.clip(0.1, None)
    for layer, mean in gradients.means().items():
        assert mean == pytest.approx((found[0][layer] + found[1][layer]) / 2)
    again = Gradients(model)
    again.restore(gradients.state())
    assert again.means() == gradients.means()
    gradients.reset()
    assert set(gradients.means().values()) == {0.0}


def test_a_complaint_is_made_once() -> None:
    model = deep(nn.Sigmoid)
    gradients = Gradients(model)
    gradients.clip(None, None)
    assert len(list(gradients.complaints())) == 1
    assert list(gradients.complaints()) == []


def test_the_worst_layer_is_the_one_that_is_no_number() -> None:
    model = with_gradients()
    gradients = Gradients(model)
    gradients.clip(None, None)
    norms = gradient_norms(model)
    assert gradients.worst() == max(norms, key=lambda layer: norms[layer])
    assert model[2].bias.grad is not None
    model[2].bias.grad[0] = math.nan
    gradients.clip(None, None)
    assert gradients.worst() == "2"
