"""Weights from one network into another that is to learn something else."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn import runs
from gai.nn.data.encoding import Encoding
from gai.nn.net import checkpoints
from gai.nn.runs import Run

HEADS = {
    "capsnet": ("routing.", "decoder."),
    "gan": ("generator.layers.0.", "mean.module.layers.0.", "discriminator.directions."),
}
"""What the names of weights begin with that are made for the labels; of other models the head."""


def transplant(network: nn.Module, before: Encoding, after: Encoding, run: Run) -> list[str]:
    """Copies the weights of a run into a network, and gives back the names of those that begin
    anew.

    The head begins anew unless it gives the same answers. Where the vocabulary has grown, the
    weights of new terms stay what they were drawn as. Raises GaiError where a weight has another
    shape.
    """
    path = run.file(runs.MODEL)
    found = checkpoints.read(path).tensors
    wanted = checkpoints.tensors_of(network)
    heads = () if same_answers(before, after) else HEADS.get(after.config.model, ("head.",))
    fresh = []
    with torch.no_grad():
        for name, tensor in wanted.items():
            if name.startswith(heads):
                fresh.append(name)
            elif name not in found:
                raise GaiError(f"{path} lacks {name}", "it was trained as another model")
            else:
                place(tensor, found[name], before, after, f"{path}: {name}")
    return fresh


def same_answers(before: Encoding, after: Encoding) -> bool:
    """Whether the answers of both mean the same; embeddings do, whatever classes they are for."""
    if before.config.task != after.config.task:
        return False
    if before.config.task == "match":
        return True
    if before.labels is not None and after.labels is not None:
        return before.labels == after.labels
    return before.labels is after.labels and before.config.task != "regress"


def place(tensor: Tensor, found: Tensor, before: Encoding, after: Encoding, name: str) -> None:
    """Copies a weight, or its rows for the terms of before."""
    if tensor.shape == found.shape:
        tensor.copy_(found)
    elif (
        tensor.shape[1:] == found.shape[1:]
        and (len(found), len(tensor)) == (before.size[0], after.size[0])
        and before.vocabulary is not None
    ):
        tensor[: len(found)] = found
    else:
        sizes = f"{shown(found)}, and this network needs {shown(tensor)}"
        raise GaiError(f"{name} is {sizes}", "the data must be of the shape that it was trained on")


def shown(tensor: Tensor) -> str:
    """The shape of a weight."""
    return " x ".join(map(str, tensor.shape)) or "a number"


def noted(fresh: list[str], before: Encoding, after: Encoding) -> Iterator[str]:
    """What a person should know of the weights."""
    if fresh:
        yield "the head begins anew: its answers are others than before"
    if before.vocabulary is not None and after.vocabulary is not None:
        knew, knows = len(before.vocabulary.ids), len(after.vocabulary.ids)
        if knows > knew:
            yield f"{knows - knew:,} terms are new, beside {knew:,} that it knew"
