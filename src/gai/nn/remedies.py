"""What helps against what ails a network, as options that can be typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gai.nn import fitting
from gai.nn.advice import AUGMENTED, DEEP, RIGID, width_of
from gai.nn.config import Config
from gai.nn.fitting import Verdict

RECURRENT = ("rnn", "lstm", "gru")

FLAT = ("sigmoid", "tanh", "softmax")
"""Activations whose slope goes to 0 on both sides."""

NARROWEST = 8
"""Units, or filters, of which no network is advised to have fewer."""

DONE = 0.02
"""Share of the loss of who knows nothing, below which there is little left to be learned."""

LITTLE = 0.9
"""Share of the loss of who knows nothing, above which nothing to speak of was learned."""


def on_losses(
    records: Sequence[Mapping[str, Any]], config: Config, labels: int
) -> tuple[Verdict, str]:
    """How a network with so many labels fits its data, by its records, and what helps.

    A loss that falls, but has little left to fall, is fine.
    """
    chance = fitting.chance_loss(config.task, config.loss, labels)
    verdict, losses = fitting.fit(records, chance), fitting.losses_of(records)
    if not losses.train:
        return verdict, ""
    whole = chance or losses.train[0]
    if verdict.kind == "falling" and losses.judged[-1] < DONE * whole:
        return Verdict("fine", f"{losses.judged[-1]:.2g} is left of the loss"), ""
    return verdict, remedies(verdict.kind, config, losses.train[-1] / whole if whole > 0 else 0.0)


def remedies(kind: str, config: Config, left: float = 0.0) -> str:
    """What to try, the most promising first, and nothing that the choices have already.

    ``kind`` is that of a finding, or of a verdict on the losses; ``left`` is the training loss as a
    share of that of who knows nothing.
    """
    if kind == "underfitting":
        return ", ".join(enlarging(config, left))
    return ", or ".join(BY_KIND[kind](config)) if kind in BY_KIND else ""


def through(config: Config) -> Iterator[str]:
    """What lets gradients through many layers.

    Normalisation over the batch does it where that over the units does not: a sigmoid gives nearly
    the same to all examples, and only their differences within a batch are made large again.
    """
    plain = config.model not in (*RECURRENT, "transformer")
    if plain and config.activation in FLAT:
        yield "--activation relu --weights-init he"
    elif config.weights_init == "default" and config.model != "transformer":
        yield f"--weights-init {'he' if plain else 'orthogonal'}"
    if plain and not (config.batch_norm or config.layer_norm):
        yield "--batch-norm"
    if not plain and config.model in RECURRENT and not config.layer_norm:
        yield "--layer-norm"
    if config.layers > 1 and config.model != "transformer" and not config.residual:
        yield "--residual"
    if config.layers > 2:
        yield f"--layers {config.layers // 2}"


def back_in_time(config: Config) -> Iterator[str]:
    """What remembers for longer."""
    if config.model == "rnn":
        yield "lstm or gru in place of rnn"
    if config.model in RECURRENT and config.task not in ("lm", "tag") and not config.attention:
        yield "--attention"
    if config.task not in ("lm", "tag") and config.input == "ids":
        yield "--max-length 50"


def bounding(config: Config) -> Iterator[str]:
    """What keeps steps from being too long."""
    if config.clip_norm is None or config.clip_norm > 1:
        yield "--clip-norm 1"
    yield slower(config)
    if not (config.batch_norm or config.layer_norm) and config.model != "transformer":
        yield "--layer-norm"


def reviving(config: Config) -> Iterator[str]:
    """What keeps units from being 0 for good."""
    yield slower(config)
    if config.model not in RECURRENT:
        yield "--activation leaky-relu"
    if config.weights_init != "he":
        yield "--weights-init he"
    if not (config.batch_norm or config.layer_norm):
        yield "--batch-norm" if config.model in ("mlp", "cnn") else "--layer-norm"


def loosening(config: Config) -> Iterator[str]:
    """What keeps units where they are steep."""
    if config.weights_init != "xavier":
        yield "--weights-init xavier"
    yield slower(config)
    if not (config.batch_norm or config.layer_norm):
        yield "--batch-norm" if config.model in ("mlp", "cnn") else "--layer-norm"
    if config.model not in RECURRENT:
        yield "--activation relu --weights-init he"


def restraining(config: Config) -> Iterator[str]:
    """What keeps a network from learning by heart."""
    if config.early_stopping is None:
        yield "--early-stopping 3"
    if config.dropout < 0.5:
        yield f"--dropout {0.5 if config.dropout >= 0.3 else 0.3}"
    if config.weight_decay < 0.01:
        yield "--weight-decay 0.01"
    if not config.augment and config.task in ("classify", "regress") and config.input in AUGMENTED:
        yield f"--augment {','.join(AUGMENTED[config.input])}"
    if config.model not in RIGID and (half := getattr(config, width_of(config)) // 2) >= NARROWEST:
        yield f"--{width_of(config)} {half}"
    yield "more data (--data-curve says whether it helps)"


def enlarging(config: Config, left: float) -> Iterator[str]:
    """What lets a network learn more; where it learned next to nothing, longer steps first."""
    if left > LITTLE:
        yield faster(config)
    if config.dropout > 0:
        yield f"--dropout {'0' if config.dropout <= 0.1 else f'{config.dropout / 2:g}'}"
    if config.model not in RIGID:
        yield f"--{width_of(config)} {2 * getattr(config, width_of(config))}"
    if config.body in DEEP:
        yield f"--layers {config.layers + 1}"
    if left <= LITTLE:
        yield f"--lr {config.lr * 3:g}"
    yield longer(config)


def going_on(config: Config) -> Iterator[str]:
    """What makes use of a loss that still falls."""
    yield f"{longer(config)} (with gai nn train --resume it goes on)"
    yield f"--lr {config.lr * 3:g}"


def longer(config: Config) -> str:
    """Twice as much training."""
    return f"--steps {config.steps * 2}" if config.steps else f"--epochs {config.epochs * 2}"


def slower(config: Config) -> str:
    """A tenth of the rate."""
    return f"--lr {config.lr / 10:g}"


def faster(config: Config) -> str:
    """Ten times the rate."""
    return f"--lr {config.lr * 10:g}"


BY_KIND = {
    "vanish": through,
    "forget": back_in_time,
    "explode": bounding,
    "diverging": bounding,
    "dead": reviving,
    "saturated": loosening,
    "overfitting": restraining,
    "falling": going_on,
}
"""What gives the remedies of each kind."""
