"""Defaults: what models, tasks and losses have where it is not what ``Config`` says.

A loss wins over the task, the task over the model. The command line reads this for its help, so it
imports nothing.
"""

from __future__ import annotations

from typing import Any

Table = dict[str, dict[str, Any]]

BY_MODEL: Table = {
    "mlp": {"width": 256, "dropout": 0.5, "pool": "avg"},
    "cnn": {"dropout": 0.5},
    "autoencoder": {"width": 256, "lr": 0.002, "epochs": 40},
    "vae": {"width": 400, "code": 20, "batch_size": 64, "epochs": 40},
    "gan": {
        **{"layers": 2, "width": 256, "activation": "leaky-relu", "negative_slope": 0.2},
        **{"dropout": 0.3, "batch_size": 64, "epochs": 100, "lr": 0.002, "beta1": 0.5},
    },
    "capsnet": {"filters": 32, "kernels": (7,), "batch_size": 64, "lr": 0.003},
    "siamese": {"width": 256, "code": 64, "dropout": 0.0, "batch_size": 64},
    "ntm": {"activation": "tanh", "width": 100, "heads": 1},
    "rnn": {"activation": "tanh", "clip_norm": 1.0, "dropout": 0.3},
    "lstm": {"activation": "tanh", "clip_norm": 1.0, "dropout": 0.3},
    "gru": {"activation": "tanh", "clip_norm": 1.0, "dropout": 0.3},
    "transformer": {
        **{"layers": 2, "activation": "gelu", "pool": "avg", "clip_norm": 1.0},
        **{"optimizer": "adamw", "weight_decay": 0.01, "dropout": 0.1},
    },
}
"""What a model has by default."""

BY_TASK: Table = {
    "lm": {"eval_every": 250},
    "regress": {"loss": "mse"},
    "forecast": {"loss": "mse"},
    "reconstruct": {"loss": "mse"},
    "generate": {"loss": "non-saturating"},
    "match": {"loss": "triplet"},
    "algorithm": {"loss": "bce", "lr": 3e-3, "batch_size": 16, "dropout": 0.0, "clip_norm": 1.0},
}
"""What a task has."""

BY_LOSS: Table = {
    "contrastive": {"margin": 1.0},
    "wasserstein": {"beta1": 0.0, "beta2": 0.9, "critic_steps": 5, "dropout": 0.0},
}
"""What a loss has that is named."""


def of(encoder: str | None, model: str, task: str, loss: str | None) -> dict[str, Any]:
    """What a run has by default; a siamese network first what its encoder has."""
    by_model = {**BY_MODEL.get(encoder or "", {}), **BY_MODEL.get(model, {})}
    return by_model | {**BY_TASK.get(task, {}), **BY_LOSS.get(loss or "", {})}


def spelled(name: str, usual: str) -> str:
    """The default of an option for its help: ``128; ntm 100; autoencoder, gan, mlp 256``."""
    others: dict[str, list[str]] = {}
    for who, choices in (BY_MODEL | BY_TASK | BY_LOSS).items():
        if name not in choices:
            continue
        value = text(choices[name])
        if value != usual or who not in BY_MODEL:  # what wins over a model may take its back
            others.setdefault(value, []).append(who)
    return "; ".join([usual, *(f"{', '.join(who)} {value}" for value, who in others.items())])


def text(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, tuple):
        return ",".join(map(text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
