"""Weights and training states in files: exact, whole or refused, and never a pickle."""

from __future__ import annotations

import json
import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.names import OPTIMIZERS
from gai.nn.net import checkpoints
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import build
from gai.nn.net.optimizers import optimizer

NUMBERS = Shape("numbers", (3,), 2)
SPECIAL = [0.0, -0.0, torch.pi, torch.inf, -torch.inf, 1e-45, 3.4e38]


def network(config: Config = Config(width=4, batch_norm=True), shape: Shape = NUMBERS) -> nn.Module:  # noqa: B008
    return build(config, shape)


def same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether both have the same names, types and bits."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and torch.equal(bits(a[name]), bits(b[name])) for name in a
    )


def bits(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().reshape(-1).contiguous().view(torch.uint8)


def test_tensors_and_facts_come_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = {
        "floats": torch.tensor(SPECIAL),
        "doubles": torch.tensor(SPECIAL, dtype=torch.float64),
        "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        "bytes": torch.get_rng_state(),
        "number": torch.tensor(7),
        "turned": torch.arange(6).view(2, 3).T,  # not contiguous
        "none": torch.zeros(0, 3),
    }
    facts = {"chance": 2**127 + 1, "loss": 1 / 3, "text": "Ümlaut\n", "none": None, "a": [1, {}]}
    path = str(tmp_path / "x.safetensors")
    checkpoints.write(path, tensors, facts)
    found = checkpoints.read(path)
    assert same(found.tensors, tensors)
    assert found.facts == facts
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    tensors = checkpoints.tensors_of(network())
    checkpoints.write(str(tmp_path / "a"), tensors, {"step": 1})
    content = (tmp_path / "a").read_bytes()
    for _ in range(5):
        checkpoints.write(str(tmp_path / "b"), dict(reversed(tensors.items())), {"step": 1})
        assert content == (tmp_path / "b").read_bytes()
    with pytest.raises(ValueError, match=r"opcode|exhausted|pickle"):
        list(pickletools.genops(content))


def test_a_network_gets_all_of_its_weights_and_buffers_back(tmp_path: Path) -> None:
    torch.manual_seed(1)
    one, other = network(), network()
    one(Inputs(torch.randn(8, 3)))  # moves the running means
    path = str(tmp_path / "x")
    checkpoints.write(path, checkpoints.tensors_of(one), {})
    checkpoints.restore(other, checkpoints.read(path).tensors, path)
    assert same(one.state_dict(), other.state_dict())
    assert any("running_mean" in name for name in checkpoints.tensors_of(one))


def test_weights_that_two_layers_share_stand_there_once(tmp_path: Path) -> None:
    config = Config(model="transformer", width=8, heads=2, context=4)
    shape = Shape("ids", (5,), 5, per_token=True, causal=True)
    one, other = network(config, shape), network(config, shape)
    tensors = checkpoints.tensors_of(one)
    assert len({id(tensor) for tensor in tensors.values()}) == len(tensors)
    assert {"body.embedding.weight", "head.weight"} & tensors.keys() == {"body.embedding.weight"}
    path = str(tmp_path / "x")
    checkpoints.write(path, tensors, {})
    checkpoints.restore(other, checkpoints.read(path).tensors, path)
    ids = Inputs(torch.tensor([[1, 2, 3]]), torch.tensor([3]))
    assert torch.equal(one.eval()(ids), other.eval()(ids))


@pytest.mark.parametrize("cut", [0, 7, 60, 100, 1000, -1])
def test_a_file_that_was_cut_short_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    checkpoints.write(str(path), checkpoints.tensors_of(network(Config(width=200))), {})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(GaiError, match=r"x\.safetensors: not a safetensors file, or cut short"):
        checkpoints.read(str(path))


@pytest.mark.parametrize("content", [b"hello, this is text", b"\x80\x04\x95", b"PK\x03\x04" * 9])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(GaiError, match="not a safetensors file"):
        checkpoints.read(str(path))


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match="nothing: no such file"):
        checkpoints.read(str(tmp_path / "nothing"))
    with pytest.raises(GaiError, match="not a safetensors file"):
        checkpoints.read(str(tmp_path))


@pytest.mark.parametrize("about", [None, {"format": "pt"}, {"gai": '{"format": "gai nn 2"}'}])
def test_weights_that_another_program_or_version_wrote(
    about: dict[str, str] | None, tmp_path: Path
) -> None:
    path = str(tmp_path / "x")
    save_file({"a": torch.zeros(1)}, path, about)
    written = "gai nn 2" if about and "gai" in about else "no format"
    with pytest.raises(GaiError, match=f"written as '{written}', this version reads 'gai nn 1'"):
        checkpoints.read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("head.bias"), "x lacks head.bias"),
        (
            lambda t: t.update(more=torch.zeros(1)),
            "x has, and config.toml does not, the weights more",
        ),
        (
            lambda t: t.update({"head.weight": torch.zeros(2, 5)}),
            "x: head.weight is 2 x 5, but config.toml describes 2 x 4",
        ),
        (lambda t: t.update({"head.bias": torch.zeros(())}), "head.bias is a number, but .* 2"),
    ],
)
def test_weights_of_another_network_are_refused_and_change_nothing(
    change: Any, message: str
) -> None:
    made = network()
    before = {name: tensor.clone() for name, tensor in checkpoints.tensors_of(made).items()}
    tensors = {name: torch.full_like(tensor, 9) for name, tensor in before.items()}
    change(tensors)
    with pytest.raises(GaiError, match=message) as found:
        checkpoints.restore(made, tensors, "x")
    assert "config.toml" in found.value.hint
    assert same(checkpoints.tensors_of(made), before)


def trained(config: Config, steps: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A network after some steps, and its optimiser."""
    torch.manual_seed(3)
    made = network()
    found = optimizer(config, made)
    for _ in range(steps):
        step(made, found)
    return made, found


def step(made: nn.Module, found: torch.optim.Optimizer) -> None:
    found.zero_grad()
    made(Inputs(torch.randn(8, 3))).square().mean().backward()
    found.step()


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_goes_on_bit_for_bit(name: str, decay: float, tmp_path: Path) -> None:
    config = Config(optimizer=name, lr=0.05, weight_decay=decay)
    one, first = trained(config, 3)
    path = str(tmp_path / "x")
    tensors = dict(checkpoints.optimizer_tensors(first))
    checkpoints.write(path, tensors, {"groups": checkpoints.groups_of(first)})
    stored = checkpoints.read(path)
    other, second = trained(config, 0)
    other.load_state_dict(one.state_dict())
    checkpoints.restore_optimizer(second, stored.tensors, stored.facts["groups"])
    for made, found in ((one, first), (other, second)):
        torch.manual_seed(4)
        for _ in range(3):
            step(made, found)
    assert same(one.state_dict(), other.state_dict())
    assert same(
        dict(checkpoints.optimizer_tensors(second)), dict(checkpoints.optimizer_tensors(first))
    )
    assert checkpoints.groups_of(second) == checkpoints.groups_of(first)


def test_the_state_of_an_optimiser_before_its_first_step_is_empty() -> None:
    _, found = trained(Config(), 0)
    assert dict(checkpoints.optimizer_tensors(found)) == {}
    checkpoints.restore_optimizer(found, {}, checkpoints.groups_of(found))


def test_hyperparameters_are_fit_for_json() -> None:
    for name in OPTIMIZERS:
        _, found = trained(Config(optimizer=name), 1)
        groups = json.loads(json.dumps(checkpoints.groups_of(found)))
        checkpoints.restore_optimizer(found, dict(checkpoints.optimizer_tensors(found)), groups)
        again = found.state_dict()["param_groups"]
        assert all("params" in group for group in again)
        assert [type(group.get("betas", ())) for group in again] == [tuple] * len(again)


@pytest.mark.parametrize("other", [Config(optimizer="sgd"), Config(weight_decay=0.1)])
def test_the_state_of_another_optimiser_is_refused(other: Config) -> None:
    _, found = trained(Config(), 1)
    _, wanted = trained(other, 0)
    with pytest.raises(GaiError, match="another optimizer"):
        checkpoints.restore_optimizer(
            wanted, dict(checkpoints.optimizer_tensors(found)), checkpoints.groups_of(found)
        )
