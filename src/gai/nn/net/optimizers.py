"""Optimisers by name, as ``gai.nn.names.OPTIMIZERS`` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import nn, optim

from gai.nn.config import Config
from gai.nn.net.stages import stages

KINDS: dict[str, Callable[..., optim.Optimizer]] = {
    "sgd": optim.SGD,
    "momentum": optim.SGD,
    "nesterov": optim.SGD,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}

FUSED: dict[str, tuple[Callable[..., optim.Optimizer], ...]] = {
    "cpu": (optim.SGD, optim.Adagrad, optim.Adam, optim.AdamW),
    "cuda": (optim.SGD, optim.Adam, optim.AdamW),
}
"""What torch has one kernel for. On a CPU, Adam and Adagrad take a third to a fifth of the time of
the others by it, for 20 thousand weights as for 3 million, momentum a half; and it gives the same
bits with 1 and 2 threads."""


def optimizer(config: Config, model: nn.Module) -> optim.Optimizer:
    """The optimiser that a config names, of all weights that learn.

    Weight decay is only for weights of two and more dimensions: biases and the scales of
    normalisation say where activations lie, and shrinking them guards against nothing.
    """
    kind = KINDS[config.optimizer]
    groups = [group for group in _groups(config, model) if group["params"]]
    if config.layer_decay < 1.0:
        groups = [part for group in groups for part in _slowed(group, config, model)]
    return kind(groups, lr=config.lr, **_options(config), **_kernel(kind, model))


def _groups(config: Config, model: nn.Module) -> list[dict[str, Any]]:
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    if not config.weight_decay:
        return [{"params": learning}]  # one call of the kernel in place of two
    return [
        {"params": [w for w in learning if w.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [w for w in learning if w.dim() < 2], "weight_decay": 0.0},
    ]


def _slowed(group: dict[str, Any], config: Config, model: nn.Module) -> Iterator[dict[str, Any]]:
    """The group by stages, the head first, each with ``layer_decay`` times the rate of the stage
    above (Howard and Ruder 2018)."""
    wanted = {id(weight) for weight in group["params"]}
    for depth, stage in enumerate(reversed(stages(model))):
        if weights := [weight for weight in stage.weights if id(weight) in wanted]:
            yield {**group, "params": weights, "lr": config.lr * config.layer_decay**depth}


def _options(config: Config) -> dict[str, Any]:
    """What the optimiser is called with; what is not here is torch's default."""
    if config.optimizer in ("momentum", "nesterov"):
        nesterov = config.optimizer == "nesterov" and config.momentum > 0
        return {"momentum": config.momentum, "nesterov": nesterov}
    if config.optimizer in ("adam", "adamw"):
        # AdamW decays by 0.01 where it is not told otherwise.
        return {"betas": (config.beta1, config.beta2), "weight_decay": 0.0}
    return {}


def _kernel(kind: Callable[..., optim.Optimizer], model: nn.Module) -> dict[str, bool]:
    devices = {weight.device.type for weight in model.parameters()}
    fused = all(kind in FUSED.get(device, ()) for device in devices)
    return {"fused": True} if fused else {"foreach": True}
