"""Weights and training states as safetensors files: whole or not at all, and never a pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gai import __version__
from gai.errors import GaiError
from gai.output.atomic import staged

FORMAT = "gai nn 1"

Tensors = Mapping[str, Tensor]


class Stored(NamedTuple):
    """The tensors of a file, and the JSON beside them."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """All weights and buffers by name; weights that are shared stand there once."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


def write(path: str, tensors: Tensors, facts: Mapping[str, Any]) -> None:
    """Writes a file beside its place and renames it; raises GaiError where the disk is full."""
    from safetensors.torch import save

    # Of several entries safetensors would write now this first, now that.
    about = {"gai": json.dumps({"format": FORMAT, "version": __version__, "facts": facts})}
    content = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with staged(path) as (sink,):
        sink.write(save(content, about))


def read(path: str) -> Stored:
    """What stands in a file; raises GaiError where it is damaged, or of another kind."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("gai", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise GaiError(f"{path}: no such file", "an interrupted run may lack it") from None
    except (OSError, ValueError, SafetensorError) as error:
        hint = "copy it again from where it is whole, or train it again"
        raise GaiError(f"{path}: not a safetensors file, or cut short: {error}", hint) from error
    if about.get("format") != FORMAT:
        found = about.get("format") or "no format"
        raise GaiError(f"{path}: written as {found!r}, this version reads {FORMAT!r}")
    return Stored(tensors, about["facts"])


def restore(network: nn.Module, tensors: Tensors, path: str) -> None:
    """Copies weights into a network; raises GaiError where they are not those of its layers."""
    wanted = tensors_of(network)
    hint = "config.toml and input.json must be those that were written with the weights"
    for name in sorted(wanted.keys() ^ tensors.keys()):
        which = "lacks" if name in wanted else "has, and config.toml does not, the weights"
        raise GaiError(f"{os.fspath(path)} {which} {name}", hint)
    for name, tensor in wanted.items():
        found = tensors[name]
        if found.shape != tensor.shape:
            raise GaiError(
                f"{path}: {name} is {_by(found)}, but config.toml describes {_by(tensor)}", hint
            )
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(tensors[name])


def _by(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    """The state of an optimiser as named tensors; what is no tensor becomes one."""
    for place, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            if value is not None:
                yield f"{place}.{name}", torch.as_tensor(value)


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Tensors, groups: list[dict[str, Any]]
) -> None:
    """Puts the state of an optimiser back. ``groups`` are its hyperparameters, fit for JSON.

    Raises GaiError where they are those of another optimiser.
    """
    whole = optimizer.state_dict()["param_groups"]
    if [one.keys() - {"params"} for one in whole] != [one.keys() - {"params"} for one in groups]:
        raise GaiError(
            "the training went on with another optimizer or schedule than config.toml names",
            "config.toml must be the one that was written with last/; --force begins anew",
        )
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        place, _, name = key.partition(".")
        state.setdefault(int(place), {})[name] = tensor
    merged = [{**now, **_tuples(then)} for now, then in zip(whole, groups, strict=True)]
    optimizer.load_state_dict({"state": state, "param_groups": merged})


def groups_of(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """The hyperparameters of each group, without its weights."""
    groups = optimizer.state_dict()["param_groups"]
    return [{name: value for name, value in one.items() if name != "params"} for one in groups]


def _tuples(group: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where torch has tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in group.items()}
