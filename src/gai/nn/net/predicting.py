"""What a trained network says of new examples, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gai import __version__
from gai.documents import DocumentIds
from gai.errors import GaiError, UsageError
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import answers
from gai.nn.net.models import Model
from gai.nn.net.translating import translated
from gai.nn.rendering import Labelled, Measured, Rendered, Tagged, Written
from gai.output.dense import Dense

WITHOUT = {
    "lm": (
        "a language model has no labels to predict",
        "gai nn generate writes text, gai nn evaluate measures its surprise",
    ),
    "reconstruct": (
        "a model that reconstructs has no labels to predict",
        "gai nn encode gives codes, gai nn anomalies ranks, gai nn denoise gives what it makes",
    ),
    "generate": (
        "a gan has no labels to predict",
        "gai nn sample makes examples, gai nn evaluate says how near to data they are",
    ),
    "match": (
        "a siamese network has no labels to predict",
        "gai nn match ranks examples, gai nn similar compares two, gai nn encode gives embeddings",
    ),
    "algorithm": (
        "a model of an algorithm has no labels to predict",
        "gai nn evaluate counts its wrong bits, gai nn inspect --data shows them",
    ),
}
"""Tasks that nothing is predicted in: what to say, and what answers instead."""

MANY = 4096
"""Examples from which on it pays to fold a network."""


def predicted(
    network: Model,
    encoding: Encoding,
    pieces: Iterable[Raw],
    *,
    proba: bool = False,
    beam: int | None = None,
) -> Iterator[Rendered]:
    """Labels, numbers or tags of each piece; raises GaiError for a language model, and for data of
    another kind than the model was trained on."""
    if (task := encoding.config.task) in WITHOUT:
        raise GaiError(*WITHOUT[task])
    if encoding.config.task == "seq2seq":
        if proba:
            raise UsageError("--proba: a text has no labels", "each has its log-probability anyway")
        for raw in pieces:
            dataset = encoding.dataset(raw, labelled=False)
            yield Written(raw.ids, translated(network, encoding, dataset, beam or 1))
        return
    if beam is not None:
        raise UsageError(f"--beam {beam}: this model writes no text", "leave it out")
    asked = network
    for raw in pieces:
        if asked is network and len(raw) >= MANY:
            asked = network.folded()
        yield one(asked, encoding, raw, proba)


def one(network: nn.Module, encoding: Encoding, raw: Raw, proba: bool) -> Rendered:
    """What the network says of the examples of one piece."""
    said = answers.answers(network, encoding.dataset(raw, labelled=False))
    if encoding.targets is not None:
        return Measured(raw.ids, answers.numbers(said, encoding))
    labels = encoding.labels
    assert labels is not None
    if encoding.config.task == "tag":
        tokens = raw.tokens or [text.split() for text in raw.texts or []]
        best = torch.softmax(said, -1).max(-1)
        return Tagged(raw.ids, tokens, labels.names, best.indices.numpy(), best.values.numpy())
    found = answers.probabilities(said, labels.several)
    return Labelled(raw.ids, labels.names, found, labels.several, proba)


def encoded(network: nn.Module, encoding: Encoding, pieces: Iterable[Raw]) -> Dense:
    """The last hidden layer of each example: float32 (examples, width).

    Of a network that answers for each token it is the mean over the tokens; a language model sees
    them in windows as long as those that it was trained on.
    """
    longest = encoding.config.context if encoding.config.task == "lm" else None
    documents, blocks = DocumentIds(), list[NDArray[np.float32]]()
    for raw in pieces:
        dataset = encoding.dataset(raw, labelled=False)
        documents.append_names(raw.ids)
        blocks.append(answers.features(network, dataset, longest))
    starts = np.cumsum([0, *map(len, blocks)]).tolist()
    dim = blocks[0].shape[1] if blocks else 0
    about = {"gai": __version__, "kind": "nn features", "network": encoding.described()["source"]}
    return Dense(documents, dim, lambda: zip(starts, blocks, strict=False), about)
