"""Losses by name, as ``gai.nn.names.LOSSES`` lists them: the mean over a batch.

Outputs and targets, by task:

============== ===================== ==================================================
classify       logits [B, K]         int64 [B], or shares of the classes, float [B, K]
several labels logits [B, K]         float [B, K], 1 where the label is there
regress        [B, K]                float [B, K]
forecast       [B, K]                float [B, K]
tag, lm        logits [B, T, K]      int64 [B, T], ``IGNORED`` where a token has none
algorithm      logits [B, T, K]      float [B, T, K], NaN where no bit is due
============== ===================== ==================================================

Distances (mse, mae, huber) between classes are those between the softmax of the logits (several
labels: the sigmoid) and the row that has 1 at the right class.

Class weights weigh an example by its class, as in torch: the mean of cross-entropy, and of focal,
is the weighted mean; that of hinge divides by the number of examples. With several labels, and for
bce, the weight of a class counts where an example has the label, and not where it lacks it (torch's
``pos_weight``): a weight for both would leave the balance of the two as it was.

Label smoothing S moves targets toward equal shares: of K classes to (1 - S) y + S / K, of a label
that is there or not (bce, several labels) to (1 - S) y + S / 2.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gai.backends import resolve
from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import IGNORED
from gai.nn.names import SUPERVISED

Loss = Callable[[Tensor, Tensor], Tensor]
"""The mean loss of outputs against targets, a scalar."""

DISTANCES = ("mse", "mae", "huber")

PER_TOKEN = ("tag", "lm", "seq2seq")
"""Tasks with an answer for each token."""

SEVERAL = (*DISTANCES, "bce", "hinge", "focal")
"""What fits several labels."""

FITTING: dict[str, tuple[str, ...]] = {
    "classify": SUPERVISED,
    "tag": SUPERVISED,
    "lm": ("cross-entropy", "kl", "focal"),
    "seq2seq": ("cross-entropy", "kl", "focal"),
    "regress": DISTANCES,
    "forecast": DISTANCES,
    "algorithm": ("bce",),
}
"""What fits a task with one label, or with numbers."""

SMOOTHED = ("bce", "cross-entropy", "kl", "focal")
WEIGHTED = ("bce", "cross-entropy", "hinge", "focal")


def loss(
    config: Config, *, task: str, several_labels: bool, class_weights: Tensor | None = None
) -> Loss:
    """The loss that a config names, ``--loss module:function`` too.

    Raises UsageError for a loss that does not fit the task, and for an option that would do
    nothing; GaiError where a function of the user's is not there or gives no scalar.
    """
    _check(config, "several" if several_labels else task, class_weights)
    if ":" in config.loss:
        return custom(config.loss)
    if task in ("regress", "forecast"):
        return distance(config)
    if task == "algorithm":
        return partial(of_bits, smoothing=config.label_smoothing)
    if several_labels:
        return of_several(config, class_weights)
    judge = of_one(config, class_weights)
    if task == "lm" and config.loss == "cross-entropy":
        return of_places(judge)
    return of_tokens(judge, config.loss) if task in PER_TOKEN else judge


def _check(config: Config, kind: str, class_weights: Tensor | None) -> None:
    fitting = SEVERAL if kind == "several" else FITTING[kind]
    if config.loss not in fitting and ":" not in config.loss:
        what = "several labels" if kind == "several" else f"--task {kind}"
        raise UsageError(
            f"--loss {config.loss} does not fit {what}",
            f"one of {', '.join(fitting)}, or module:function",
        )
    if config.label_smoothing and config.loss not in SMOOTHED:
        raise UsageError(f"--loss {config.loss} has no label smoothing", _those(SMOOTHED, fitting))
    if class_weights is not None and config.loss not in WEIGHTED:
        raise UsageError(f"--loss {config.loss} has no class weights", _those(WEIGHTED, fitting))
    if config.huber_delta <= 0:
        raise UsageError("--huber-delta must be above 0")
    if config.focal_gamma < 0:
        raise UsageError("--focal-gamma must be at least 0")


def _those(able: tuple[str, ...], fitting: tuple[str, ...]) -> str:
    found = [name for name in able if name in fitting]
    return f"these have: {', '.join(found)}" if found else "leave it out"


def distance(config: Config) -> Loss:
    """mse, mae or huber."""
    if config.loss == "huber":
        return partial(F.huber_loss, delta=config.huber_delta)
    return F.mse_loss if config.loss == "mse" else F.l1_loss


def of_bits(logits: Tensor, bits: Tensor, smoothing: float = 0.0) -> Tensor:
    """The mean of binary cross-entropies [B, T, K] over the bits that are due: those not NaN."""
    due = ~bits.isnan()
    wanted = bits[due] * (1.0 - smoothing) + smoothing / 2
    return F.binary_cross_entropy_with_logits(logits[due], wanted)


def of_one(config: Config, weights: Tensor | None) -> Loss:
    """The loss of logits [N, K] against classes int64 [N] or shares [N, K]."""
    name, smoothing, gamma = config.loss, config.label_smoothing, config.focal_gamma
    if name in DISTANCES:
        measure = distance(config)
        return lambda outputs, targets: measure(outputs.softmax(-1), shares(targets, outputs))
    return {
        "bce": partial(bce, weights=weights, smoothing=smoothing),
        "cross-entropy": partial(F.cross_entropy, weight=weights, label_smoothing=smoothing),
        "hinge": partial(F.multi_margin_loss, weight=weights),
        "kl": partial(kl, smoothing=smoothing),
        "focal": partial(focal, gamma=gamma, weights=weights, smoothing=smoothing),
    }[name]


def of_several(config: Config, weights: Tensor | None) -> Loss:
    """The loss of logits [N, K] against labels float [N, K], each on its own."""
    name, smoothing, gamma = config.loss, config.label_smoothing, config.focal_gamma
    if name in DISTANCES:
        measure = distance(config)
        return lambda outputs, targets: measure(outputs.sigmoid(), targets)
    return {
        "bce": partial(bce, weights=weights, smoothing=smoothing),
        "hinge": partial(hinge_of_each, weights=weights),
        "focal": partial(focal_of_each, gamma=gamma, weights=weights, smoothing=smoothing),
    }[name]


def of_tokens(judge: Loss, name: str) -> Loss:
    """The loss over the tokens [B, T] that have a target; 0 where none has."""

    def over_tokens(outputs: Tensor, targets: Tensor) -> Tensor:
        flat, wanted = outputs.flatten(0, -2), targets.flatten()
        kept = wanted != IGNORED
        if not kept.any():
            return flat[:0].sum()
        if name == "cross-entropy":
            return judge(flat, wanted)  # torch leaves IGNORED out, without a copy of the rest
        return judge(flat[kept], wanted[kept])

    return over_tokens


def of_places(judge: Loss) -> Loss:
    """The same over places that all have a target, or most: nothing waits for the device."""
    return lambda outputs, targets: judge(outputs.flatten(0, -2), targets.flatten())


def shares(targets: Tensor, outputs: Tensor, smoothing: float = 0.0) -> Tensor:
    """Each class's share of each target [N, K]: one has all of it, or as ``targets`` say."""
    if targets.dim() < outputs.dim():
        targets = F.one_hot(targets, outputs.shape[-1])
    found = targets.to(outputs.dtype)
    return found * (1 - smoothing) + smoothing / outputs.shape[-1] if smoothing else found


def total_weight(targets: Tensor, weights: Tensor | None) -> Tensor | int:
    """What a sum of losses is divided by: the examples, or the weights of their classes."""
    if weights is None or targets.is_floating_point():
        return len(targets)
    return weights[targets].sum()


def bce(outputs: Tensor, targets: Tensor, *, weights: Tensor | None, smoothing: float) -> Tensor:
    """Binary cross-entropy: each class is a question of its own."""
    wanted = _smoothed(shares(targets, outputs), smoothing)
    return F.binary_cross_entropy_with_logits(outputs, wanted, pos_weight=weights)


def _smoothed(labels: Tensor, smoothing: float) -> Tensor:
    return labels * (1 - smoothing) + smoothing / 2 if smoothing else labels


def kl(outputs: Tensor, targets: Tensor, *, smoothing: float) -> Tensor:
    """The divergence of the predicted shares from the wanted ones.

    It is cross-entropy less what no prediction could save: 0 for the best answer there is.
    """
    wanted = shares(targets, outputs, smoothing)
    return F.kl_div(outputs.log_softmax(-1), wanted, reduction="batchmean")


def focal(
    outputs: Tensor, targets: Tensor, *, gamma: float, weights: Tensor | None, smoothing: float
) -> Tensor:
    """(1 - p)^gamma times the cross-entropy of each example (Lin et al. 2017, "Focal loss for
    dense object detection"); gamma 0 is cross-entropy."""
    logs = outputs.log_softmax(-1)
    terms = shares(targets, outputs, smoothing) * fade(logs, gamma) * -logs
    if weights is not None:
        terms = terms * weights
    return terms.sum() / total_weight(targets, weights)


def focal_of_each(
    outputs: Tensor, targets: Tensor, *, gamma: float, weights: Tensor | None, smoothing: float
) -> Tensor:
    """The same for labels that are each there or not; gamma 0 is binary cross-entropy."""
    there, absent = F.logsigmoid(outputs), F.logsigmoid(-outputs)
    wanted = _smoothed(targets, smoothing)
    positive = wanted * fade(there, gamma) * -there
    if weights is not None:
        positive = positive * weights
    return (positive + (1 - wanted) * fade(absent, gamma) * -absent).mean()


def fade(logs: Tensor, gamma: float) -> Tensor:
    """(1 - p)^gamma from log p; never quite 0, where the slope of a root is infinite."""
    return (-torch.expm1(logs)).clamp(min=torch.finfo(logs.dtype).tiny).pow(gamma)


def hinge_of_each(outputs: Tensor, targets: Tensor, *, weights: Tensor | None) -> Tensor:
    """max(0, 1 - s) of the score of a label that is there, max(0, 1 + s) of one that is not: the
    mean over all labels of all examples."""
    missed = (1 - (2 * targets - 1) * outputs).relu()
    if weights is not None:
        missed = missed * torch.where(targets > 0.5, weights, 1.0)
    return missed.mean()


def custom(target: str) -> Loss:
    """A function of the user's, ``module:function`` or ``path/to/file.py:function``.

    It is called with outputs and targets. GaiError where it is not there, fails, or gives what no
    network can learn from.
    """
    function = found_function(target)

    def called(outputs: Tensor, targets: Tensor) -> Tensor:
        try:
            found = function(outputs, targets)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise GaiError(
                f"--loss {target} failed: {type(error).__name__}: {error}",
                f"it got outputs {list(outputs.shape)} and targets {list(targets.shape)}",
            ) from error
        return _scalar(found, outputs, target)

    return called


def found_function(target: str) -> Callable[[Tensor, Tensor], Any]:
    """The function that ``target`` names; GaiError where there is none."""
    module, _, name = target.rpartition(":")
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)  # where a module of the user's own lies
    try:
        found = _in_file(module, name) if module.endswith(".py") else resolve(target)
    except AttributeError as error:
        raise GaiError(f"--loss {target}: {module} has no {name}") from error
    except Exception as error:
        # Whatever the code of another may raise while it is run.
        raise GaiError(
            f"--loss {target}: {type(error).__name__}: {error}",
            "module:function, or path/to/file.py:function for a file of your own",
        ) from error
    if not callable(found):
        raise GaiError(f"--loss {target}: not a function", "module:function(outputs, targets)")
    return found  # type: ignore[no-any-return]


def _in_file(path: str, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None  # a name that ends in .py has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def _scalar(found: Any, outputs: Tensor, target: str) -> Tensor:
    """What a loss of the user's gave, where it is a loss."""
    hint = "a loss is one number made of the outputs by torch's functions: their mean, say"
    if not isinstance(found, Tensor):
        raise GaiError(f"--loss {target} gave a {type(found).__name__}, no tensor", hint)
    if found.dim() or not found.is_floating_point():
        shape = f"{str(found.dtype).removeprefix('torch.')} {list(found.shape)}"
        raise GaiError(f"--loss {target} gave {shape}, not one float", hint)
    if outputs.requires_grad and not found.requires_grad:
        raise GaiError(f"--loss {target} gave a number without a gradient", hint)
    return found
