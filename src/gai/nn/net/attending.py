"""Where a trained network looks: its weights of attention for one text, token by token."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gai.errors import GaiError
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.data.text import END
from gai.nn.net.batches import taker
from gai.nn.net.models.translator import Translator
from gai.nn.net.translating import searched


class Looked(NamedTuple):
    """The weights of a layer, [heads, rows, columns]: of each token of ``rows`` over those of
    ``columns``; a row sums up to 1."""

    layer: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    weights: NDArray[np.float32]


def attention(network: Any, encoding: Encoding, text: str) -> list[Looked]:
    """The weights of all layers that have some, for one text; what a translator attends to while it
    writes comes last.

    Raises GaiError for a network without attention, and for a text without a token.
    """
    if encoding.kind != "ids" or encoding.source == "features":
        raise GaiError("attention is shown for text that is read as ids")
    raw = Raw(["text"], texts=[text])
    dataset = encoding.dataset(raw, labelled=False)
    read = tokens_of(encoding, dataset)
    if not read:
        raise GaiError("no token of this text is looked at")
    inputs = taker(dataset, torch.device("cpu"))(np.array([0])).inputs
    network.eval()
    with torch.inference_mode():
        if isinstance(network, Translator):
            return written(network, encoding, inputs, read)
        with network.watch() as found:
            network(inputs)
    if not found:
        raise GaiError("this model has no attention", "transformer, or --attention, has")
    return [looked(name, weights, read, read) for name, weights in found.items()]


def tokens_of(encoding: Encoding, dataset: Dataset) -> tuple[str, ...]:
    """The tokens of the only example, as the network knows them."""
    assert encoding.vocabulary is not None
    terms = encoding.vocabulary.terms
    return tuple(shown(terms[id]) for id in dataset.inputs.values.tolist())  # type: ignore[union-attr]


SHOWN = {" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", END: "end"}
"""What stands for tokens that would not be seen."""


def shown(term: str) -> str:
    """A token as it is seen beside a map."""
    return SHOWN.get(term, term)


def written(
    network: Translator, encoding: Encoding, inputs: Any, read: tuple[str, ...]
) -> list[Looked]:
    """The weights while the network writes; its own are those of each token over what is before."""
    assert encoding.vocabulary is not None
    end = encoding.vocabulary.ids[END]
    (ids,), _ = searched(network, network.read(inputs), 1, end, 1)
    said = tuple(shown(encoding.vocabulary.terms[id]) for id in [*ids, end])[: network.context]
    before = torch.tensor([[end, *ids]])[:, : network.context]
    with network.watch() as found:
        network(inputs._replace(before=before))
    own = ("start", *said[:-1])
    made = []
    for name, weights in found.items():
        rows = read if name.startswith("encoder") else said
        columns = own if name.endswith("own") else read
        made.append(looked(name, weights, rows, columns))
    return sorted(made, key=lambda one: one.layer.endswith("across"))


def looked(name: str, weights: Tensor, rows: tuple[str, ...], columns: tuple[str, ...]) -> Looked:
    """The weights of one layer: those of pooling [B, T] are one row of one head."""
    values = weights[0].float().numpy()
    if values.ndim == 1:
        return Looked(name, ("all",), columns, values[None, None])
    return Looked(name, rows, columns, values)
