"""New examples from a generative model, and the way from one example to another.

A model that can be sampled has a method ``sample(count, generator, labels)``: [count, D] or
[count, C, H, W], numbers as the encoding makes them; ``labels`` are int64 [count], or None where
the model was trained without labels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gai.errors import GaiError, UsageError
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net.answers import WHOLE
from gai.nn.net.batches import taker
from gai.nn.net.models import Model

Floats = NDArray[np.float32]


class Samples(NamedTuple):
    """New examples in the units of the data, images [n, C, H, W] or rows [n, D]; and the label that
    each was made for, of a model that knows labels."""

    values: Floats
    labels: list[str] | None = None


def sampled(
    network: Model, encoding: Encoding, count: int, seed: int, label: str | None = None
) -> Samples:
    """``count`` new examples, the same for the same seed on one kind of device.

    Those of a model with labels have each of them in turn, or all ``label``. Raises GaiError for a
    model that has nothing to sample from.
    """
    draw: Any = getattr(network, "sample", None)
    if draw is None:
        model = encoding.config.model
        writes = encoding.config.task == "lm"
        hint = "gai nn generate writes text" if writes else "gai nn train vae DATA -o RUN, or gan"
        raise GaiError(f"{model} draws no new examples", hint)
    device = next(network.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    numbers = labels_of(encoding, count, label)
    classes = None if numbers is None else torch.from_numpy(numbers).to(device)
    blocks: list[Tensor] = []
    network.eval()
    with torch.inference_mode():
        for first in range(0, count, WHOLE):
            asked = None if classes is None else classes[first : first + WHOLE]
            found: Tensor = draw(min(WHOLE, count - first), generator, asked)
            blocks.append(found.float().cpu().flatten(1))
    known = None if encoding.labels is None else encoding.labels.names
    made = None if numbers is None or known is None else [known[number] for number in numbers]
    return Samples(in_units(torch.cat(blocks), encoding), made)


def labels_of(encoding: Encoding, count: int, label: str | None) -> NDArray[np.int64] | None:
    """The number of the label of each new example; None where the model knows none."""
    if encoding.labels is None:
        if label is not None:
            raise UsageError(f"--label {label}: this model was trained without labels")
        return None
    names = list(encoding.labels.names)
    if label is None:
        return np.arange(count) % len(names)
    if label not in names:
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise UsageError(f"--label {label}: the model has no such label", f"one of {shown}")
    return np.full(count, names.index(label))


def between(network: Any, encoding: Encoding, ends: Raw, steps: int) -> Samples:
    """``steps`` examples on the straight line between the codes of two, which are its ends."""
    if encoding.config.task != "reconstruct":
        hint = "gai nn train vae DATA -o RUN"
        raise GaiError(f"{encoding.config.model} has no code to go through", hint)
    dataset = encoding.dataset(ends, labelled=False)
    take = taker(dataset, next(network.parameters()).device)
    network.eval()
    with torch.inference_mode():
        first, last = network.encode(take(np.arange(2)).inputs)
        shares = torch.linspace(0, 1, steps, device=first.device)[:, None]
        found = network.seen(network.decode(first + shares * (last - first)))
    return Samples(in_units(found.float().cpu(), encoding))


def in_units(values: Tensor, encoding: Encoding) -> Floats:
    """Numbers of a network [n, D] as the data has them: [n, C, H, W] or [n, D]."""
    found = values.numpy().reshape(len(values), *encoding.size)
    return found if encoding.scale is None else encoding.scale.undo(found).astype(np.float32)
