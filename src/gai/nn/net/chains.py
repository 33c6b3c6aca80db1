"""The chain rule for one weight, factor by factor, with the numbers of one example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gai.nn.config import Config
from gai.nn.data.encoding import Encoding
from gai.nn.net.batches import Batch
from gai.nn.net.differences import difference, largest, relative
from gai.nn.net.losses import Loss
from gai.nn.net.models.front import Unchanged
from gai.nn.net.models.mlp import MLP, Hidden, SparseLinear
from gai.nn.net.watching import Call

TERMS = 6
"""Terms of a sum that are written out."""


class Factor(NamedTuple):
    """A line of the chain rule: ``formula = numbers = value``."""

    formula: str
    numbers: str
    value: float


class Chain(NamedTuple):
    """The gradient of one weight, entry ``at`` of ``weights``: by the chain rule, as the last of
    ``factors`` gives it, by autograd and by a finite difference."""

    weights: str
    at: list[int]
    factors: list[Factor]
    gradient: float
    difference: float
    error: float

    @property
    def place(self) -> tuple[int, ...]:
        """Where the weight is, as torch takes it."""
        return tuple(self.at)

    @property
    def label(self) -> str:
        """The weight by name: ``head.weight[2, 17]``."""
        return f"{self.weights}[{', '.join(map(str, self.at))}]"


def chained(
    network: nn.Module, encoding: Encoding, calls: list[Call], batch: Batch, loss: Loss
) -> Iterator[Chain]:
    """The chain rule for a weight of the head, and of an MLP one of the last hidden layer: of each
    that with the largest gradient."""
    found = {call.name: call for call in calls}
    factors = {"head.weight": head_chain(encoding, calls, batch)}
    if isinstance(network.body, MLP) and len(network.body.layers):
        name = f"body.layers.{len(network.body.layers) - 1}"
        layer = network.get_submodule(name)
        assert isinstance(layer, Hidden)
        if isinstance(layer.norm, Unchanged) and not isinstance(layer.activation, nn.Softmax):
            chain = hidden_chain(layer, found[f"{name}.linear"], found["head"])
            factors[f"{name}.linear.weight"] = chain
    for name, lines in factors.items():
        weight = network.get_parameter(name)
        assert weight.grad is not None
        at = largest(weight.grad)
        gradient, other = float(weight.grad[at]), difference(network, loss, batch, weight, at)
        yield Chain(name, list(at), lines, gradient, other, relative(gradient, other))


def head_chain(encoding: Encoding, calls: list[Call], batch: Batch) -> list[Factor]:
    """dL/dW[k, j] = dL/do[k] h[j], with o the outputs and h the features; over tokens the sum."""
    head = next(call for call in calls if call.name == "head")
    weight, outputs = head.module.weight, head.output
    assert isinstance(weight, Tensor)
    assert weight.grad is not None
    assert outputs.grad is not None
    assert batch.targets is not None
    k, j = largest(weight.grad)
    features, slopes = head.given.detach()[0], outputs.grad[0]
    if outputs.dim() == 2:
        first = slope_of(encoding, outputs.detach()[0], batch.targets[0], float(slopes[k]), k, 1)
        h = Factor(f"h[{j}]", "", float(features[j]))
        product = first.value * h.value
        line = f"{write(first.value)} * {write(h.value)}"
        made = [first, h, Factor(f"dL/dW[{k}, {j}] = dL/do[{k}] * h[{j}]", line, product)]
    else:
        made = token_factors(
            encoding, outputs.detach()[0], batch.targets[0], slopes, features, k, j
        )
    shared = [call for call in calls if getattr(call.module, "weight", None) is weight][:1]
    if shared and shared[0].name != "head" and shared[0].output.grad is not None:
        made += shared_factors(shared[0], k, j, made[-1].value)
    return made


def token_factors(
    encoding: Encoding,
    outputs: Tensor,
    targets: Tensor,
    slopes: Tensor,
    features: Tensor,
    k: int,
    j: int,
) -> list[Factor]:
    """The same over tokens: the factors of that which adds most, and the sum of all."""
    terms = slopes[:, k] * features[:, j]
    t = int(terms.abs().argmax())
    counted = max(int((targets >= 0).sum()), 1)
    first = slope_of(encoding, outputs[t], targets[t], float(slopes[t, k]), k, counted, f"{t}, ")
    h = Factor(f"h[{t}, {j}]", "", float(features[t, j]))
    order = [t, *(i for i in range(len(terms)) if i != t)]
    formula = f"dL/dW[{k}, {j}] = the sum over tokens of dL/do[t, {k}] * h[t, {j}]"
    return [first, h, Factor(formula, added(terms[order]), float(terms.sum()))]


def shared_factors(call: Call, k: int, j: int, product: float) -> list[Factor]:
    """What comes to a weight of the head by way of the embedding, whose weight it is too."""
    assert call.output.grad is not None
    used = call.output.grad[0][call.given[0] == k][:, j]
    through = Factor(
        f"through the embedding, the sum of dL/de[t, {j}] where token t has id {k}",
        added(used),
        float(used.sum()),
    )
    whole = Factor("both", f"{write(product)} + {write(through.value)}", product + through.value)
    return [through, whole]


def hidden_chain(layer: Hidden, linear: Call, head: Call) -> list[Factor]:
    """dL/dw[j, i] = dL/dh[j] dh/dz[j] x[i], with z = w x + b and h = activation(z)."""
    weight, z = layer.linear.weight, linear.output.detach()[0]
    assert weight.grad is not None
    assert head.output.grad is not None
    sparse = isinstance(layer.linear, SparseLinear)
    place = largest(weight.grad)
    j, i = reversed(place) if sparse else place
    to = head.module.weight.detach()  # type: ignore[operator]
    terms = head.output.grad[0] * to[:, j]
    spelt = (
        f"{write(float(g))} * {write(float(w))}"
        for g, w in zip(head.output.grad[0], to[:, j], strict=True)
    )
    dh = Factor(
        f"dL/dh[{j}] = the sum over outputs of dL/do[k] * W[k, {j}]",
        added(terms, list(spelt)),
        float(terms.sum()),
    )
    slope = slope_at(layer.activation, z[j])
    name = type(layer.activation).__name__
    dz = Factor(f"dh/dz[{j}] = {name}'(z[{j}])", f"{name}'({write(float(z[j]))})", slope)
    x = Factor(f"dz/dw = x[{i}]", "", given_at(linear, i))
    product = dh.value * dz.value * x.value
    line = " * ".join(write(factor.value) for factor in (dh, dz, x))
    at = ", ".join(map(str, place))
    whole = Factor(f"dL/dw[{at}] = dL/dh[{j}] * dh/dz[{j}] * dz/dw", line, product)
    return [dh, dz, x, whole]


def slope_at(activation: nn.Module, z: Tensor) -> float:
    """The derivative of an activation at one place."""
    z = z.clone().requires_grad_()
    return float(torch.autograd.grad(activation(z), z)[0])


def given_at(linear: Call, i: int) -> float:
    """Input ``i`` of a layer."""
    if isinstance(linear.module, SparseLinear):
        return float(linear.given.weights[linear.given.values == i].sum())
    return float(linear.given.detach()[0, i])


def slope_of(
    encoding: Encoding,
    outputs: Tensor,
    target: Tensor,
    gradient: float,
    k: int,
    tokens: int,
    before: str = "",
) -> Factor:
    """dL/do[k], written as the loss has it: p - y for cross-entropy; of other losses as it is.

    ``outputs`` [K] are those of one example, or of one of ``tokens`` tokens.
    """
    config, at = encoding.config, f"{before}{k}"
    size = len(outputs)
    several = encoding.labels is not None and encoding.labels.several
    o, by = float(outputs[k]), tokens
    if config.loss in ("mse", "mae", "huber") and encoding.targets is not None:
        y, by = float(target[k]), size
        formula, value, line = distance_slope(config, o, y, at)
    elif config.loss == "bce" or (config.loss in ("cross-entropy", "kl") and not several):
        y = float(target[k]) if target.dim() else float(target == k)
        s, share = config.label_smoothing, 2 if config.loss == "bce" else size
        y = y * (1 - s) + s / share
        p = float(outputs.sigmoid()[k] if config.loss == "bce" else outputs.softmax(0)[k])
        by = tokens * (size if config.loss == "bce" else 1)
        formula, value, line = f"p[{at}] - y[{at}]", p - y, f"{write(p)} - {write(y)}"
    else:
        return Factor(f"dL/do[{at}], the slope of {config.loss}", "", gradient)
    if by > 1:
        formula, line = f"({formula}) / {by}", f"({line}) / {by}"
    return Factor(f"dL/do[{at}] = {formula}", line, value / by)


def distance_slope(config: Config, o: float, y: float, at: str) -> tuple[str, float, str]:
    """The slope of a distance between output and target: formula, value, and the numbers of it."""
    between, line = f"o[{at}] - y[{at}]", f"{write(o)} - {write(y)}"
    if config.loss == "mse":
        return f"2 ({between})", 2 * (o - y), f"2 ({line})"
    if config.loss == "mae":
        return f"sign({between})", float(np.sign(o - y)), f"sign({line})"
    delta = config.huber_delta
    bounds = f"-{delta:g}, {delta:g}"
    value = float(np.clip(o - y, -delta, delta))
    return f"clip({between}, {bounds})", value, f"clip({line}, {bounds})"


def added(terms: Tensor, spelt: list[str] | None = None) -> str:
    """A sum, written out as far as it is short."""
    said = spelt or [write(float(term)) for term in terms]
    if len(said) <= TERMS:
        return " + ".join(said)
    rest = write(float(terms[TERMS:].sum()))
    return " + ".join([*said[:TERMS], f"{rest} of {len(said) - TERMS:,} more"])


def write(value: float) -> str:
    """A number for a formula, in brackets where it has a sign."""
    return f"({value:.6g})" if value < 0 else f"{value:.6g}"
