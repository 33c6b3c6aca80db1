"""A network at work, layer by layer: what each was given, and what it made of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.data.arrays import IGNORED, Ragged
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.names import UNLABELLED
from gai.nn.net.batches import Batch, Rows, Take, predictable, taker, windows
from gai.nn.net.models.cnn import Filters, TextCNN
from gai.nn.net.models.front import Unchanged, real, vectors
from gai.nn.net.models.network import Attention
from gai.nn.net.quantizing import plain

PASSING = (nn.Identity, nn.Dropout, Unchanged, nn.ModuleList)
"""What changes nothing when a network answers."""

CPU = torch.device("cpu")


class Call(NamedTuple):
    """One use of a layer; of what it was given, the first."""

    name: str
    module: nn.Module
    given: Any
    output: Tensor


def layers(network: nn.Module) -> dict[str, nn.Module]:
    """The layers by their names: modules without parts, and attention, whose parts are layers."""
    return {name: module for name, module in network.named_modules() if is_layer(module)}


def is_layer(module: nn.Module) -> bool:
    """Whether a module computes something itself."""
    if isinstance(module, PASSING):
        return False
    return isinstance(module, Attention) or not any(True for _ in module.children())


@contextmanager
def watched(network: nn.Module) -> Iterator[list[Call]]:
    """The calls of layers within the context, in their order; outputs keep their gradients."""
    calls: list[Call] = []

    def listener(name: str) -> Callable[..., None]:
        def listen(module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            made = output[0] if isinstance(output, tuple) else output
            if made.requires_grad:
                made.retain_grad()
            calls.append(Call(name, module, given[0], made))

        return listen

    named = layers(network).items()
    handles = [module.register_forward_hook(listener(name)) for name, module in named]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def exact(network: nn.Module) -> nn.Module:
    """A copy on the CPU in float64, that answers, and by way of its layers alone."""
    made = plain(copy.deepcopy(network)).to(CPU).double().eval()
    if isinstance(getattr(made, "body", None), TextCNN):
        made.body.__class__ = Convolving
    return made


class Convolving(TextCNN):
    """The same by convolutions in place of tables, so that each layer is seen."""

    def _first(self, values: Tensor, there: Tensor | None) -> Tensor:
        first = self.layers[0]
        assert isinstance(first, Filters)
        x: Tensor = first(vectors(self.embedding, values), there)
        return x


class Examples(NamedTuple):
    """What makes batches of examples, and the numbers of those that there are."""

    take: Take
    rows: Rows


def examples(encoding: Encoding, raw: Raw) -> Examples:
    """The labelled examples of ``raw`` one by one, those with labels that training never saw left
    out; of a language model windows of its text, one behind the other."""
    if encoding.config.task in UNLABELLED:
        hint = "gai nn inspect RUN, without --data, shows its layers"
        raise GaiError("this model learns without labels, and errors go back from labels", hint)
    if encoding.config.task == "match":
        hint = "gai nn inspect RUN, without --data, shows its layers"
        raise GaiError("this model learns from pairs, and errors go back from single labels", hint)
    data = encoding.dataset(raw)
    if encoding.config.task == "lm":
        assert isinstance(data.inputs, Ragged)
        return text_windows(data.inputs, encoding.config.context)
    rows = np.arange(len(data))
    if encoding.config.task == "classify" and data.targets is not None and data.targets.ndim == 1:
        rows = rows[data.targets >= 0]
    return Examples(in_doubles(taker(data, CPU)), rows)


def text_windows(text: Ragged, context: int) -> Examples:
    """Windows of ``context`` tokens, or one of all where there are fewer."""
    size = predictable(text.values)
    context = min(context, size)
    take = windows(text.values, context, CPU)
    return Examples(in_doubles(take), np.arange(size // context) * context)


def in_doubles(take: Take) -> Take:
    """The same batches in float64, with no target for a token whose tag training never saw."""

    def taken(rows: Rows) -> Batch:
        batch = take(rows)
        inputs = batch.inputs._replace(
            values=double(batch.inputs.values),
            weights=None if batch.inputs.weights is None else batch.inputs.weights.double(),
        )
        assert batch.targets is not None
        targets = double(batch.targets)
        if not targets.is_floating_point():
            targets = targets.masked_fill(targets < 0, IGNORED)
        return Batch(inputs, targets, batch.size)

    return taken


def double(values: Tensor) -> Tensor:
    """float64 in place of float32; whole numbers stay."""
    return values.double() if values.is_floating_point() else values


def only_last(batch: Batch) -> Batch:
    """A batch in which of all tokens only the last of each example has a target."""
    assert batch.targets is not None
    there = real(batch.inputs)
    ends = torch.full((batch.size,), batch.targets.shape[1] - 1)
    ends = ends if there is None else there.sum(1) - 1
    places = torch.arange(batch.targets.shape[1])
    return batch._replace(targets=batch.targets.masked_fill(places != ends[:, None], IGNORED))
