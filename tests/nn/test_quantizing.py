"""Weights of 8 bits: what they are rounded to, what layers make of them, how they are stored."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gai.errors import GaiError, UsageError
from gai.nn.config import resolved
from gai.nn.net import checkpoints, integers, quantizing
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.integers import Integers, Rounded, product, rounded
from gai.nn.net.models import build
from gai.nn.net.models.mlp import SparseLinear


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)


def drawn(*shape: int) -> Any:
    """Rows of very different sizes, one of them 0."""
    made = torch.randn(shape) * torch.logspace(-6, 6, shape[0]).view(-1, *[1] * (len(shape) - 1))
    made[0] = 0
    return made


@pytest.mark.parametrize("shape", [(7, 5), (1, 1), (4, 3, 2), (2, 3, 4, 5)])
def test_rounding_is_off_by_at_most_half_a_step_of_its_row(shape: tuple[int, ...]) -> None:
    values = drawn(*shape)
    found = rounded(values)
    assert found.whole.dtype == torch.int8
    assert found.whole.shape == values.shape
    errors = (found.values() - values).abs().flatten(1).amax(1)
    largest = values.abs().flatten(1).amax(1)
    assert (errors <= largest / 127 * 0.5001).all()
    assert found.values()[0].count_nonzero() == 0


@given(
    n=st.integers(0, 40), inner=st.integers(1, 40), out=st.integers(1, 20), seed=st.integers(0, 99)
)
@settings(max_examples=60)
def test_products_are_those_of_whole_numbers_done_by_numpy(
    n: int, inner: int, out: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.standard_normal((n, inner)).astype(np.float32))
    weights = rounded(torch.from_numpy(rng.standard_normal((out, inner)).astype(np.float32)))
    entering = rounded(x) if n else Rounded(torch.zeros(0, inner, dtype=torch.int8), torch.ones(0))
    sums = entering.whole.numpy().astype(np.int64) @ weights.whole.numpy().astype(np.int64).T
    wanted = sums * entering.steps.numpy()[:, None] * weights.steps.numpy()
    np.testing.assert_allclose(product(x, weights).numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_the_largest_whole_numbers_do_not_overflow_with_or_without_the_fast_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = torch.full((3, 4000), 127, dtype=torch.int8)
    a[1] = -127
    wanted = a.double() @ a.double().T
    assert torch.equal(integers.sums(a, a).double(), wanted)
    monkeypatch.setattr(integers, "multiplies", lambda: False)
    assert torch.allclose(integers.sums(a, a).double(), wanted, rtol=1e-6)


def test_a_cpu_without_the_instructions_gets_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integers, "known", lambda name: False)
    assert not integers.multiplies.__wrapped__()
    monkeypatch.setattr(integers, "known", lambda name: True)
    monkeypatch.setattr(torch, "_int_mm", lambda a, b: (a.int() @ b.int()).clamp(max=1 << 15))
    assert not integers.multiplies.__wrapped__()


def test_what_is_said_of_an_example_does_not_depend_on_its_batch() -> None:
    layer = nn.Linear(30, 9)
    small = integers.Linear(layer, {"weight": rounded(layer.weight)})
    x = drawn(1030, 30)
    alone = torch.cat([small(row[None]) for row in x[:20]])
    assert torch.equal(small(x)[:20], alone)


RECURRENT = [
    (nn.LSTM, {}),
    (nn.GRU, {}),
    (nn.RNN, {"nonlinearity": "tanh"}),
    (nn.RNN, {"nonlinearity": "relu"}),
]


@pytest.mark.parametrize(("kind", "more"), RECURRENT)
def test_recurrent_layers_are_torchs_but_for_rounding(kind: Any, more: dict[str, Any]) -> None:
    layer = kind(6, 5, batch_first=True, **more)
    own = {k: rounded(w) for k, w in layer.named_parameters() if w.dim() > 1}
    small = integers.Recurrent(layer, own)
    x = torch.randn(3, 4, 6)
    wanted, after = layer(x)
    found, state = small(x)
    assert torch.allclose(found, wanted, atol=0.03)
    assert not torch.equal(found, wanted)
    # In two pieces as in one, with the state that torch's layer would have passed on.
    first, between = small(x[:, :2])
    second, last = small(x[:, 2:], between)
    assert torch.equal(torch.cat([first, second], 1), found)
    flat = lambda state: torch.cat(state) if isinstance(state, tuple) else state  # noqa: E731
    assert torch.equal(flat(last), flat(state))
    assert flat(last).shape == flat(after).shape
    twin = small.plain()
    assert torch.allclose(twin(x)[0], found, atol=0.02)
    assert twin.mode == layer.mode


def test_sparse_rows_are_those_of_the_rounded_weights() -> None:
    layer = SparseLinear(50, 4)
    small = integers.Sparse(layer, {"weight": rounded(layer.weight)})
    with torch.no_grad():
        layer.weight.copy_(small.weight)
    cells = torch.tensor([3, 7, 7, 49])
    rows = Inputs(cells, torch.tensor([0, 2, 2]), torch.randn(4))
    many = Inputs(cells.repeat(20), torch.arange(20) * 4, torch.randn(80))
    nothing = Inputs(cells[:0], torch.tensor([0, 0]), torch.zeros(0))
    for inputs in (rows, many, nothing):
        assert torch.allclose(small(inputs), layer(inputs), atol=1e-6)


NETWORKS: dict[str, tuple[dict[str, Any], Shape]] = {
    "rows": ({"model": "mlp", "input": "tfidf"}, Shape("rows", (40,), 3)),
    "images": ({"model": "cnn", "layers": 2}, Shape("images", (1, 6, 6), 3)),
    "text": ({"model": "cnn", "batch_norm": True}, Shape("ids", (40,), 3)),
    "lstm": (
        {"model": "lstm", "bidirectional": True, "attention": True},
        Shape("ids", (40,), 3),
    ),
    "lm": (
        {"model": "transformer", "task": "lm", "context": 8},
        Shape("ids", (40,), 40, per_token=True, causal=True),
    ),
}


def network(name: str) -> Any:
    said, shape = NETWORKS[name]
    torch.manual_seed(5)
    return build(resolved({"width": 16, "embedding": 12, **said}), shape).eval()


def batch(name: str) -> Inputs:
    kind = NETWORKS[name][1].kind
    if kind == "rows":
        return Inputs(torch.tensor([3, 9, 4]), torch.tensor([0, 2]), torch.rand(3))
    if kind == "images":
        return Inputs(torch.rand(2, 1, 6, 6))
    return Inputs(torch.randint(1, 40, (2, 5)), torch.tensor([5, 3]))


def restored(name: str) -> tuple[Any, Any]:
    """A network, and the same with weights of 8 bits."""
    whole, small = network(name), network(name)
    with torch.no_grad():
        for weight in small.parameters():
            weight.zero_()
    quantizing.restore(small, quantizing.quantized(whole), "a file")
    return whole, small.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_with_whole_numbers_and_says_about_the_same(name: str) -> None:
    whole, small = restored(name)
    inputs = batch(name)
    with torch.inference_mode():
        wanted, found = whole(inputs), small(inputs)
        plain = quantizing.plain(copy.deepcopy(small))(inputs)
    spread = (wanted - wanted.mean()).abs().mean()
    assert (found - wanted).abs().mean() < 0.1 * spread
    assert (plain - found).abs().mean() < 0.1 * spread
    assert not torch.equal(found, wanted)
    sizes = [
        sum(t.numel() * t.element_size() for t in [*one.parameters(), *one.buffers()])
        for one in (whole, small)
    ]
    assert sizes[1] < sizes[0]
    assert sum(p.numel() for p in small.parameters()) == sum(p.numel() for p in whole.parameters())
    assert not any(weight.requires_grad for weight in small.parameters())


def test_weights_that_two_layers_share_are_still_shared() -> None:
    _, small = restored("lm")
    assert small.head.whole is small.body.embedding.whole
    stored = quantizing.quantized(network("lm"))
    assert "head.weight.int8" not in stored
    plain = quantizing.plain(copy.deepcopy(small))
    assert plain.head.weight is plain.body.embedding.weight


def test_text_goes_on_from_a_state_as_from_the_beginning() -> None:
    _, small = restored("lm")
    ids = torch.randint(2, 40, (1, 6))
    whole, _ = small.step(ids)
    _, state = small.step(ids[:, :4])
    found, _ = small.step(ids[:, 4:], state)
    assert torch.allclose(found, whole, atol=1e-4)


def test_the_file_has_int8_and_steps_and_no_pickle(tmp_path: Path) -> None:
    path = str(tmp_path / "model.safetensors")
    checkpoints.write(path, quantizing.quantized(network("text")), {})
    found = checkpoints.read(path).tensors
    weight, steps = found["body.embedding.weight.int8"], found["body.embedding.weight.steps"]
    assert (weight.dtype, steps.dtype) == (torch.int8, torch.float32)
    assert (weight.shape, steps.shape) == ((40, 12), (40,))
    wanted = network("text").body.embedding.weight
    assert torch.allclose(weight * steps[:, None], wanted, atol=float(steps.max()) * 0.51)
    assert found["head.bias"].dtype == torch.float32
    assert "body.layers.0.norm.running_mean" in found


def test_broken_files_are_errors() -> None:
    tensors = quantizing.quantized(network("text"))
    without = {k: v for k, v in tensors.items() if k != "head.weight.steps"}
    with pytest.raises(GaiError, match=r"head\.weight\.int8 has not a step for each row"):
        quantizing.restore(network("text"), without, "a file")
    other = {k: v for k, v in tensors.items() if not k.startswith("head.weight")}
    with pytest.raises(GaiError, match=r"lacks head\.weight"):
        quantizing.restore(network("text"), other, "a file")
    longer = tensors | {"head.weight.steps": torch.ones(7)}
    with pytest.raises(GaiError, match="a step for each row"):
        quantizing.restore(network("text"), longer, "a file")


def test_whole_numbers_do_not_train() -> None:
    whole, small = restored("images")
    quantizing.require_trainable(whole)
    with pytest.raises(UsageError, match="do not learn"):
        quantizing.require_trainable(small)


def test_layers_that_gai_does_not_know_keep_rounded_weights() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.deep = nn.LSTM(4, 3, num_layers=2, batch_first=True)
            self.table = nn.Parameter(torch.randn(5, 2, 2))
            self.out = nn.Linear(3, 2)

        def forward(self, x: Any) -> Any:
            return self.out(self.deep(x)[0]) + self.table.sum()

    whole, small = Own(), Own()
    quantizing.restore(small, quantizing.quantized(whole), "a file")
    x = torch.randn(2, 3, 4)
    assert [type(m) for m in small.modules() if isinstance(m, Integers)] == [integers.Linear]
    assert torch.allclose(small(x), whole(x), atol=0.2)
    assert torch.equal(small.table, rounded(whole.table).values())
