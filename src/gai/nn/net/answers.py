"""What a trained network says about examples: outputs, probabilities, features and scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gai.nn import scores
from gai.nn.data.arrays import IGNORED, Dataset, Ragged
from gai.nn.data.encoding import Encoding
from gai.nn.net.batches import Batch, Rows, in_turn, predictable, taker, windows

CELLS = 1 << 14
"""Tokens of a batch that is only asked, padding among them."""

WHOLE = 512
"""Examples without tokens in such a batch."""

LOGITS = 1 << 25
"""Answers of a language model in such a batch: 128 MiB."""


def outputs(
    network: nn.Module, dataset: Dataset, *, features: bool = False
) -> Iterator[tuple[Rows, Batch, Tensor]]:
    """The numbers of some examples, their batch and what the network says of them, batch by batch.

    With ``features`` it is the last hidden layer.
    """
    ask: Any = network.features if features else network
    for rows, batch in asked(network, dataset):
        yield rows, batch, ask(batch.inputs)


def asked(network: nn.Module, dataset: Dataset) -> Iterator[tuple[Rows, Batch]]:
    """The numbers of some examples and their batch, batch by batch, where the network is; it
    answers now, and does not learn."""
    take = taker(dataset, next(network.parameters()).device)
    network.eval()
    with torch.inference_mode():
        for rows in in_turn(dataset, WHOLE, CELLS):
            yield rows, take(rows)


def answers(network: nn.Module, dataset: Dataset) -> Tensor:
    """What the network says of each example, float32 [n, K] on the CPU; of a network that answers
    for each token, of each token, one example after the other."""
    made: Tensor | None = None
    for rows, batch, said in outputs(network, dataset):
        if dataset.per_token:
            rows, said = tokens_of(dataset, rows, batch, said)
        if made is None:
            whole = np.arange(len(dataset))
            size = len(dataset.tokens_of(whole)) if dataset.per_token else len(dataset)
            made = torch.empty(size, said.shape[-1])
        made[torch.from_numpy(rows)] = said.float().cpu()
    return torch.zeros(0, 0) if made is None else made


def tokens_of(dataset: Dataset, rows: Rows, batch: Batch, said: Tensor) -> tuple[Rows, Tensor]:
    """The numbers of all tokens of a batch, and what the network says of each."""
    assert batch.inputs.lengths is not None
    there = torch.arange(said.shape[1], device=said.device) < batch.inputs.lengths[:, None]
    return dataset.tokens_of(rows), said[there]


def features(
    network: nn.Module, dataset: Dataset, longest: int | None = None
) -> NDArray[np.float32]:
    """The last hidden layer of each example, float32 [n, width]; the mean over its tokens where
    there is one for each. No more than ``longest`` tokens are seen at once."""
    if longest is not None:
        assert isinstance(dataset.inputs, Ragged)
        windows, owners = in_windows(dataset.inputs, longest)
        parts = features(network, Dataset(windows, None, [""] * windows.rows, per_token=True))
        return weighted_means(parts, owners, windows.lengths, len(dataset))
    made: NDArray[np.float32] | None = None
    for rows, batch, found in outputs(network, dataset, features=True):
        if found.ndim == 3:
            found = mean_over_tokens(found, batch.inputs.lengths)
        if made is None:
            made = np.empty((len(dataset), found.shape[-1]), np.float32)
        made[rows] = found.float().cpu().numpy()
    return np.zeros((0, 0), np.float32) if made is None else made


def in_windows(rows: Ragged, longest: int) -> tuple[Ragged, Rows]:
    """The rows in pieces of at most ``longest`` values, and the row that each piece is of."""
    counts = np.maximum(-(-rows.lengths // longest), 1)
    owners = np.repeat(np.arange(rows.rows), counts)
    before = np.cumsum(counts) - counts
    starts = rows.offsets[owners] + longest * (np.arange(len(owners)) - before[owners])
    return Ragged(rows.values, np.append(starts, rows.offsets[-1])), owners


def weighted_means(
    parts: NDArray[np.float32], owners: Rows, lengths: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    """The means of the parts of each owner, weighted by their lengths; float32 [size, width]."""
    shares = np.maximum(lengths, 1).astype(np.float64)
    sums = np.zeros((size, parts.shape[1]))
    np.add.at(sums, owners, parts * shares[:, None])
    return (sums / np.bincount(owners, shares, size)[:, None]).astype(np.float32)


def mean_over_tokens(found: Tensor, lengths: Tensor | None) -> Tensor:
    """The mean of [B, T, H] over the tokens that are there: [B, H]."""
    if lengths is None:
        return found.mean(1)
    there = torch.arange(found.shape[1], device=found.device) < lengths[:, None]
    return (found * there[..., None]).sum(1) / lengths.clamp(min=1)[:, None]


def probabilities(said: Tensor, several: bool = False) -> NDArray[np.float32]:
    """The probability of each label, float32 [n, K].

    Of one label they add up to 1; of several each stands on its own.
    """
    found = torch.sigmoid(said) if several else torch.softmax(said, -1)
    return np.asarray(found.numpy(), np.float32)


def numbers(said: Tensor, encoding: Encoding) -> NDArray[np.float64]:
    """The numbers that the network predicts, in the units of the labels, float64 [n, K]."""
    assert encoding.targets is not None
    return encoding.targets.undo(said.numpy())


def language_loss(
    network: nn.Module, stream: NDArray[np.int32], context: int, cells: int = CELLS
) -> float:
    """The mean surprise of the tokens of a stream, in nats, window after window.

    The first token is given; every other is predicted once, from those before it in its window.
    About ``cells`` of them are predicted at once.
    """
    found = surprises(network, stream, context, cells)
    return sum(float(piece.sum()) for piece in found) / (len(stream) - 1)


def surprises(
    network: nn.Module, stream: NDArray[np.int32], context: int, cells: int = CELLS
) -> Iterator[Tensor]:
    """The surprise of each token but the first in nats, in their order, some at a time [n]."""
    device = next(network.parameters()).device
    network.eval()
    count = predictable(stream)
    whole = count // context
    starts, size = np.arange(whole) * context, max(cells // context, 1)
    take = windows(stream, context, device)
    with torch.inference_mode():
        for first in range(0, whole, size):
            batch = take(starts[first : first + size])
            yield _surprise(network(batch.inputs), batch.targets)
        if rest := count - whole * context:
            batch = windows(stream, rest, device)(np.array([whole * context]))
            yield _surprise(network(batch.inputs), batch.targets)


def _surprise(said: Tensor, targets: Tensor | None) -> Tensor:
    assert targets is not None
    flat = said.float().reshape(-1, said.shape[-1])
    loss = nn.functional.cross_entropy(
        flat, targets.reshape(-1), reduction="none", ignore_index=IGNORED
    )
    return loss.double().cpu()


class Judged(NamedTuple):
    """The scores of a network on some examples, by name, ``loss`` first; the bootstrap intervals of
    some of them; and all that is known, for JSON."""

    summary: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    details: dict[str, Any]


@dataclass(frozen=True)
class Judge:
    """Scores a network on a part of the data; ``loss`` is the loss that it is trained with."""

    encoding: Encoding
    dataset: Dataset
    loss: Any
    texts: list[str] | None = None

    @property
    def task(self) -> str:
        """What the network has learned."""
        return self.encoding.config.task

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of an evaluation during training; ``loss`` is among them."""
        loss, found = self._found(network)
        return {"loss": loss, **found.summary()}

    def judged(self, network: nn.Module) -> Judged:
        """The same with intervals and details."""
        loss, found = self._found(network)
        intervals = {} if self.task == "lm" else found.intervals()
        return Judged({"loss": loss, **found.summary()}, intervals, found.as_dict())

    def _found(self, network: nn.Module) -> tuple[float, Any]:
        """The mean loss, and the scores as ``gai.nn.scores`` has them."""
        if self.task == "lm":
            found = self._language(network)
            return found.loss, found
        said, targets = answers(network, self.dataset), self.dataset.targets
        assert targets is not None
        return self._mean_loss(said, torch.from_numpy(targets)), self._scored(said, targets)

    def _mean_loss(self, said: Tensor, targets: Tensor) -> float:
        """The mean loss where training has seen the label; NaN where it has seen none."""
        if targets.ndim == 1:
            known = targets >= 0
            said, targets = said[known], targets[known]
        if not len(targets):
            return float("nan")
        if self.task == "tag":
            said, targets = said[None], targets[None]
        return float(self.loss(said, targets))

    def _scored(self, said: Tensor, targets: NDArray[Any]) -> Any:
        labels, scale = self.encoding.labels, self.encoding.targets
        if scale is not None:
            return scores.regression(scale.undo(targets), numbers(said, self.encoding))
        assert labels is not None
        if self.task == "tag":
            best = said.argmax(-1).numpy()
            return scores.tagging(targets, best, labels.names, self.dataset.lengths)
        found = probabilities(said, labels.several)
        judge = scores.multilabel if labels.several else scores.classification
        return judge(targets, found, labels.names)

    def _language(self, network: nn.Module) -> Any:
        assert isinstance(self.dataset.inputs, Ragged)
        assert self.texts is not None
        stream, context = self.dataset.inputs.values, self.encoding.config.context
        cells = min(CELLS, LOGITS // self.encoding.outputs)
        nats = language_loss(network, stream, context, cells) * (len(stream) - 1)
        characters = sum(map(len, self.texts))
        size = sum(len(text.encode("utf-8", "surrogatepass")) for text in self.texts)
        return scores.language(nats, len(stream) - 1, characters, size)
