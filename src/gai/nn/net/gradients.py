"""How large the gradients are, layer by layer: clipped, averaged over steps, and judged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

VANISHED = 1e-6
"""Of the largest layer's gradient: what is below does not learn beside it."""

EXPLODED = 1e4
"""A gradient's norm, before clipping, that throws weights away."""


class Gradients:
    """The gradient norms of the layers of a network, before clipping, over some steps.

    A layer is a module with weights of its own; norms are Euclidean, over all of its weights that
    learn.
    """

    def __init__(self, network: nn.Module) -> None:
        named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        self.names = [name for name, _ in named]
        self.weights = [weight for _, weight in named]
        self.layers = list(dict.fromkeys(layer_of(name) for name, _ in named))
        places = {layer: place for place, layer in enumerate(self.layers)}
        device = self.weights[0].device
        self.place = torch.tensor([places[layer_of(name)] for name, _ in named], device=device)
        self.last = torch.zeros(len(self.layers), device=device)
        self.said: set[str] = set()
        self.reset()

    def reset(self) -> None:
        """Forgets the steps so far."""
        self.sums, self.largest = torch.zeros_like(self.last), torch.zeros_like(self.last)
        self.steps = 0

    def clip(self, clip_norm: float | None, clip_value: float | None) -> float:
        """The norm of all gradients together, before they are clipped in place.

        First to the norm, then each to ``clip_value``: both bounds hold afterwards. NaN and
        infinity come back as they are, for the caller to stop at.
        """
        given = [weight.grad is not None for weight in self.weights]
        found = [weight.grad for weight in self.weights if weight.grad is not None]
        if not found:
            return 0.0
        norms = torch.stack(torch._foreach_norm(found))
        place = self.place if all(given) else self.place[torch.tensor(given).to(self.place.device)]
        self.last = torch.zeros_like(self.last).index_add_(0, place, norms.float().square()).sqrt()
        self.sums += self.last
        self.largest = self.largest.maximum(self.last)
        self.steps += 1
        total = torch.linalg.vector_norm(norms)
        norm = float(total)
        if clip_norm is not None and norm > clip_norm:
            # Only then, because it goes through all gradients once more.
            nn.utils.clip_grads_with_norm_(self.weights, clip_norm, total)
        if clip_value is not None:
            nn.utils.clip_grad_value_(self.weights, clip_value)
        return norm

    def means(self) -> dict[str, float]:
        """The mean norm of each layer since the last reset."""
        means = (self.sums / max(self.steps, 1)).tolist()
        return dict(zip(self.layers, means, strict=True))

    def worst(self) -> str:
        """The layer with the largest gradient, or the first that is no number, in the last step."""
        values = self.last.tolist()
        for layer, value in zip(self.layers, values, strict=True):
            if not math.isfinite(value):
                return layer
        return self.layers[values.index(max(values))]

    def complaints(self) -> Iterator[str]:
        """What is wrong with the gradients since the last reset, each kind once in a run."""
        largest = dict(zip(self.layers, self.largest.tolist(), strict=True))
        learning = {layer_of(name) for name in self.learning()}
        means = {layer: mean for layer, mean in self.means().items() if layer in learning}
        for finding in judge(means, largest):
            if finding.kind not in self.said:
                self.said.add(finding.kind)
                yield f"{finding.message}: {finding.hint}"

    def learning(self) -> Iterator[str]:
        """The weights that are not frozen, by name."""
        return (n for n, w in zip(self.names, self.weights, strict=True) if w.requires_grad)

    def state(self) -> Mapping[str, Tensor]:
        """What a resumed run needs."""
        return {
            "sums": self.sums,
            "largest": self.largest,
            "steps": torch.tensor(self.steps),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from an earlier state."""
        self.sums = state["sums"].to(self.last.device)
        self.largest = state["largest"].to(self.last.device)
        self.steps = int(state["steps"])


RECURRENT = re.compile(r"(?:weight|bias)_\w+?_(l\d+)(?:_reverse)?")


def layer_of(weight: str) -> str:
    """The layer that a weight belongs to; of a model that is one layer, the weight's own name."""
    module, _, name = weight.rpartition(".")
    found = RECURRENT.fullmatch(name)
    return ".".join(part for part in (module, found[1] if found else "") if part) or name


@dataclass(frozen=True)
class Finding:
    """What is wrong with the gradients of some layers, in a line, and what may help.

    ``kind`` is "vanish" or "explode".
    """

    kind: str
    message: str
    hint: str


def judge(
    mean: Mapping[str, float], largest: Mapping[str, float], share: float = VANISHED
) -> list[Finding]:
    """What is to be said of the gradients of some steps: one finding for those that vanish, one
    for those that explode, none where all is well.

    ``mean`` and ``largest`` have the mean and the largest norm of each layer. A layer's gradient
    vanishes where its mean is below ``share`` of that of the largest layer, or 0, and explodes
    where one is above 10,000 or no number.
    """
    exploded = {layer: _finite(norm) for layer, norm in largest.items() if not norm <= EXPLODED}
    learning = {layer: norm for layer, norm in mean.items() if layer not in exploded}
    top = max(learning, key=lambda layer: learning[layer], default="")
    vanished = {layer: n for layer, n in learning.items() if n <= share * learning[top]}
    return [*_vanishing(vanished, top, mean), *_exploding(exploded)]


def _finite(norm: float) -> float:
    """The norm, infinite where it is NaN."""
    return math.inf if math.isnan(norm) else norm


def _vanishing(found: Mapping[str, float], top: str, mean: Mapping[str, float]) -> list[Finding]:
    if not found:
        return []
    worst = sorted(found, key=lambda layer: found[layer])
    against = f", against {mean[top]:.2g} in {top}" if mean[top] > 0 else ""
    return [
        Finding(
            "vanish",
            f"gradients vanish in {_names(worst)}: {found[worst[0]]:.2g}{against}",
            "--activation relu, --weights-init he, --residual or --layer-norm let them through; "
            "over long sequences lstm or gru",
        )
    ]


def _exploding(found: Mapping[str, float]) -> list[Finding]:
    if not found:
        return []
    worst = sorted(found, key=lambda layer: -found[layer])
    return [
        Finding(
            "explode",
            f"gradients explode in {_names(worst)}: {found[worst[0]]:.2g}",
            "--clip-norm 1 bounds them; a lower --lr, or numbers of a smaller scale, may help",
        )
    ]


def _names(layers: Sequence[str]) -> str:
    """The first layer, and how many there are beside it."""
    return f"{layers[0]} and {len(layers) - 1} more" if len(layers) > 1 else layers[0]
