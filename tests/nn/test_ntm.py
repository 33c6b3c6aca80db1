"""The neural Turing machine against the paper's formulas, written out place by place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.func import functional_call

from gai.errors import UsageError
from gai.nn.config import Config, resolved
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import build
from gai.nn.net.models.ntm import (
    CONTENT,
    NTM,
    addressed,
    ordered,
    read,
    sharpened,
    shifted,
    similar,
    sizes,
    written,
)

B, H, N, M = 3, 2, 5, 4
Floats = NDArray[np.float64]


def drawn(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def shares(*shape: int, seed: int = 1) -> Floats:
    found = np.exp(drawn(*shape, seed=seed))
    return np.asarray(found / found.sum(-1, keepdims=True))


def tensor(array: Floats) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def config(**choices: Any) -> Config:
    said = {"model": "ntm", "task": "algorithm", "width": 6, "memory": (N, M), "heads": H}
    return resolved({**said, **choices})


def machine(**choices: Any) -> Any:
    torch.manual_seed(0)
    shape = Shape("sequences", (7, 3), 2, per_token=True)
    return build(config(**choices), shape).double()


def cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / (math.sqrt(one @ one) * math.sqrt(other @ other)))


def test_content_is_a_softmax_of_strength_times_cosine() -> None:
    memory, keys, strengths = drawn(B, M, N), drawn(B, 2 * H, M), np.abs(drawn(B, 2 * H))
    found = similar(tensor(memory), tensor(keys), tensor(strengths)).numpy()
    for b in range(B):
        for h in range(2 * H):
            raw = [
                math.exp(strengths[b, h] * cosine(keys[b, h], memory[b, :, i])) for i in range(N)
            ]
            np.testing.assert_allclose(found[b, h], np.array(raw) / sum(raw), rtol=1e-9)


def test_shifts_are_a_convolution_around_a_circle() -> None:
    weights, moves = shares(B, 2 * H, N), shares(B, 2 * H, 3)
    found = shifted(tensor(weights), tensor(moves)).numpy()
    for b in range(B):
        for h in range(2 * H):
            s = {1 % N: moves[b, h, 0], 0: moves[b, h, 1], -1 % N: moves[b, h, 2]}
            for i in range(N):
                expected = sum(weights[b, h, j] * s.get((i - j) % N, 0.0) for j in range(N))
                assert math.isclose(found[b, h, i], expected, rel_tol=1e-12)


@pytest.mark.parametrize(("move", "place"), [(0, 1), (1, 0), (2, N - 1)])
def test_a_head_moves_ahead_or_stays_or_goes_back(move: int, place: int) -> None:
    weights, moves = torch.zeros(1, 1, N), torch.zeros(1, 1, 3)
    weights[..., 0], moves[..., move] = 1.0, 1.0
    assert int(shifted(weights, moves).argmax()) == place


def test_sharpening_is_a_power_in_shares() -> None:
    weights, powers = shares(B, 2 * H, N), 1 + np.abs(drawn(B, 2 * H, 1))
    found = sharpened(tensor(weights), tensor(powers)).numpy()
    expected = weights**powers
    np.testing.assert_allclose(found, expected / expected.sum(-1, keepdims=True), rtol=1e-9)


def test_a_weight_of_nothing_stays_nothing() -> None:
    weights = torch.zeros(1, 1, N).index_fill(2, torch.tensor([2]), 1.0).requires_grad_()
    powers = torch.full((1, 1, 1), 3.0).requires_grad_()
    found = sharpened(weights, powers)
    assert torch.equal(found, weights)
    found[0, 0, 2].backward()  # type: ignore[no-untyped-call]
    assert powers.grad is not None
    assert bool(powers.grad.isfinite().all())


def test_what_is_read_is_a_mean_over_places() -> None:
    memory, weights = drawn(B, M, N), shares(B, H, N)
    found = read(tensor(memory), tensor(weights)).numpy()
    for b in range(B):
        for h in range(H):
            expected = sum(weights[b, h, i] * memory[b, :, i] for i in range(N))
            np.testing.assert_allclose(found[b, h], expected, rtol=1e-9)


def test_all_heads_erase_before_one_adds() -> None:
    memory, weights = drawn(B, M, N), shares(B, H, N)
    erase, add = 1 / (1 + np.exp(drawn(B, H, M))), drawn(B, H, M, seed=5)
    found = written(tensor(memory), tensor(weights), tensor(erase), tensor(add)).numpy()
    for b in range(B):
        for i in range(N):
            content = memory[b, :, i].copy()
            for h in range(H):
                content = content * (1 - weights[b, h, i] * erase[b, h])
            for h in range(H):
                content = content + weights[b, h, i] * add[b, h]
            np.testing.assert_allclose(found[b, :, i], content, rtol=1e-9)


def test_what_is_written_with_all_weight_can_be_read_again() -> None:
    memory, weights = tensor(drawn(1, M, N)), torch.zeros(1, 1, N, dtype=torch.float64)
    weights[..., 3] = 1.0
    content = tensor(drawn(1, 1, M, seed=9))
    after = written(memory, weights, torch.ones_like(content), content)
    torch.testing.assert_close(read(after, weights), content)
    rest = [0, 1, 2, 4]
    torch.testing.assert_close(after[..., rest], memory[..., rest])


def test_addressing_is_content_gate_shift_and_sharpening_in_this_order() -> None:
    memory, before = tensor(drawn(B, M, N)), tensor(shares(B, 2 * H, N))
    orders = ordered(tensor(drawn(B, sum(sizes(H, M)))), H, M)
    content = similar(memory, orders.keys, orders.strengths)
    gated = orders.gates * content + (1 - orders.gates) * before
    expected = sharpened(shifted(gated, orders.shifts), orders.powers)
    torch.testing.assert_close(addressed(before, memory, orders), expected)


@given(st.integers(1, 3), st.integers(1, 9), st.integers(0, 99), st.floats(0.1, 1e6))
@settings(max_examples=30, deadline=None)
def test_orders_are_in_their_ranges(heads: int, numbers: int, seed: int, scale: float) -> None:
    raw = tensor(scale * drawn(2, sum(sizes(heads, numbers)), seed=seed))
    found = ordered(raw, heads, numbers)
    assert found.keys.shape == (2, 2 * heads, numbers)
    assert found.erase.shape == found.add.shape == (2, heads, numbers)
    assert found.shifts.shape == (2, 2 * heads, 3)
    torch.testing.assert_close(found.shifts.sum(2), torch.ones(2, 2 * heads, dtype=raw.dtype))
    assert bool((found.keys.abs() <= 1).all())
    assert bool((found.add.abs() <= 1).all())
    for share in (found.gates, found.erase):
        assert bool(((share >= 0) & (share <= 1)).all())
    assert bool((found.strengths >= 0).all())
    assert bool((found.powers >= 1).all())


@pytest.mark.parametrize("controller", ["feedforward", "lstm"])
def test_gradients_agree_with_finite_differences(controller: str) -> None:
    network = machine(controller=controller, width=4)
    weights = {n: p.detach().requires_grad_() for n, p in network.named_parameters()}
    values = tensor(drawn(2, 4, 3)).requires_grad_()

    def outputs(*given: torch.Tensor) -> torch.Tensor:
        named = dict(zip(weights, given[1:], strict=True))
        found: torch.Tensor = functional_call(network, named, (Inputs(given[0]),))
        return found

    given = (values, *weights.values())
    assert torch.autograd.gradcheck(outputs, given, rtol=1e-3, atol=1e-7, fast_mode=True)


@pytest.mark.parametrize("controller", ["feedforward", "lstm"])
def test_a_step_sees_what_was_before_it_and_no_other_example(controller: str) -> None:
    network, values = machine(controller=controller), tensor(drawn(B, 7, 3))
    whole = network(Inputs(values))
    assert whole.shape == (B, 7, 2)
    torch.testing.assert_close(network(Inputs(values[:, :4])), whole[:, :4])
    torch.testing.assert_close(network(Inputs(values[1:2])), whole[1:2])


def test_longer_sequences_than_the_memory_has_places_come_out_as_numbers() -> None:
    found = machine()(Inputs(tensor(drawn(1, 40 * N, 3))))
    assert found.shape == (1, 40 * N, 2)
    assert bool(found.isfinite().all())


def test_whoever_watches_sees_the_weights_of_all_heads() -> None:
    network = machine()
    with network.watch() as found:
        network(Inputs(tensor(drawn(B, 7, 3))))
    (weights,) = found.values()
    assert weights.shape == (B, 2 * H, 7, N)
    torch.testing.assert_close(weights.sum(3), torch.ones(B, 2 * H, 7, dtype=weights.dtype))


def test_a_whole_step_follows_the_paper() -> None:
    network = machine(heads=1)
    body = network.body
    assert isinstance(body, NTM)
    given = drawn(1, 1, 3)
    with torch.no_grad():
        body.first_read.add_(tensor(drawn(M)))
        x = torch.cat([tensor(given)[:, 0], body.first_read[None]], 1)
        hidden = body.controller(x)
        orders = ordered(body.orders(hidden), 1, M)
    before = np.zeros((2, N))
    before[:, 0] = 1.0
    looks = []
    for h in range(2):
        # All places hold the same: content says nothing.
        gate = float(orders.gates[0, h, 0])
        gated = gate / N + (1 - gate) * before[h]
        ahead, stay, back = orders.shifts[0, h].tolist()
        moved = ahead * np.roll(gated, 1) + stay * gated + back * np.roll(gated, -1)
        power = moved ** float(orders.powers[0, h, 0])
        looks.append(power / power.sum())
    found = np.full(M, CONTENT)  # read before anything is written
    with torch.no_grad():
        out = network.head(torch.cat([hidden, tensor(found)[None]], 1))
        with network.watch() as watched:
            said = network(Inputs(tensor(given)))
    torch.testing.assert_close(said[:, 0], out)
    np.testing.assert_allclose(watched["body"][0, :, 0].numpy(), np.array(looks), atol=1e-9)


def test_a_feedforward_controller_has_no_state_of_its_own() -> None:
    sizes_of = {
        name: sum(p.numel() for p in machine(controller=name, heads=1).parameters())
        for name in ("feedforward", "lstm")
    }
    inner, orders, head = 3 + M, 2 * (M + 6) + 2 * M, 6 + M
    shared = M + (6 * orders + orders) + (head * 2 + 2)
    assert orders == sum(sizes(1, M))
    assert sizes_of["feedforward"] == shared + 6 * inner + 6
    assert sizes_of["lstm"] == shared + 4 * 6 * (inner + 6) + 8 * 6


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"layers": 2}, "--layers 2: the controller of an ntm is one layer"),
        ({"batch_norm": True}, "ntm has no --batch-norm"),
        ({"residual": True}, "ntm has no --residual"),
        ({"controller": "lstm", "activation": "relu"}, "--controller lstm has no activation relu"),
        ({"heads": 0}, "--heads must be at least 1"),
    ],
)
def test_choices_that_an_ntm_does_not_have_are_refused(
    choices: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        machine(**choices)


def test_a_memory_is_for_an_ntm_alone() -> None:
    said = resolved({"model": "lstm", "task": "algorithm", "memory": (4, 4)})
    with pytest.raises(UsageError, match="--memory is for ntm"):
        build(said, Shape("sequences", (7, 3), 2, per_token=True))
