"""Learning what is alike: examples of one class near each other, those of others farther away.

A batch has several examples of each of several classes, and its loss is that of all pairs of one
class in it, each beside an example of another class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net import answers, losses
from gai.nn.net.answers import Judged
from gai.nn.net.batches import Batch, Order, Rows, Take, taker
from gai.nn.net.learning import Learning
from gai.nn.net.loop import Lost, Objective
from gai.nn.scores import matching as scores
from gai.nn.scores.matching import Matching as Matched

FITTING = ("triplet", "contrastive")

TINY = 1e-12
"""Added to squared distances under a root, whose slope at 0 is infinite."""

QUARTERS = 4
"""Turns by a quarter until an image is what it was."""


class Triplets(NamedTuple):
    """Rows of a batch: examples, others of their class, and others of other classes."""

    anchors: Tensor
    positives: Tensor
    negatives: Tensor


@dataclass(frozen=True)
class Matching:
    """The mean loss of the pairs of a batch."""

    loss: losses.Loss

    def __call__(self, network: nn.Module, batch: Batch, step: int) -> Lost:
        assert batch.targets is not None
        return Lost(self.loss(network(batch.inputs).float(), batch.targets))


def objective(encoding: Encoding, weights: Tensor | None) -> Matching:
    """The loss that the choices name; raises UsageError for one that does not fit."""
    require_fitting(encoding)
    return Matching(loss_of(encoding.config))


def require_fitting(encoding: Encoding) -> None:
    """Raises UsageError for choices that do not fit the task, GaiError for several labels."""
    config, labels = encoding.config, encoding.labels
    if config.loss not in FITTING and ":" not in config.loss:
        hint = f"one of {', '.join(FITTING)}, or module:function"
        raise UsageError(f"--loss {config.loss} does not fit --task match", hint)
    if config.class_weights != "none":
        hint = "leave it out: a batch has as many examples of each class"
        raise UsageError("--class-weights: a siamese network has none", hint)
    if config.label_smoothing:
        raise UsageError("--label-smoothing: a siamese network has none", "leave it out")
    if not config.margin:
        raise UsageError("--margin 0 is reached where all examples are one", "--margin 0.2")
    if labels is not None and labels.several:
        raise GaiError("the data has several labels an example, and --task match needs one")


def loss_of(config: Config) -> losses.Loss:
    """The mean loss of embeddings [B, C] of these classes [B]."""
    if ":" in config.loss:
        return losses.custom(config.loss)
    of = triplet if config.loss == "triplet" else contrastive

    def loss(embeddings: Tensor, classes: Tensor) -> Tensor:
        squares = squared_distances(embeddings)
        return of(squares, mined(squares.detach(), classes, config), config.margin)

    return loss


def squared_distances(embeddings: Tensor) -> Tensor:
    """The squared Euclidean distances of all rows, [B, B]."""
    lengths = embeddings.square().sum(1)
    return (lengths[:, None] + lengths - 2.0 * embeddings @ embeddings.T).clamp(min=0.0)


def mined(squares: Tensor, classes: Tensor, config: Config) -> Triplets:
    """Pairs of one class by ``positives``, each with an example of another class by ``negatives``.

    Both orders of a pair count. Without two classes, or two examples of one, there are none.
    """
    same = classes[:, None] == classes
    others = ~same
    same.fill_diagonal_(False)
    anchors, positives = of_one_class(squares, same & others.any(1, keepdim=True), config.positives)
    allowed, near = others[anchors], squares[anchors, positives]
    return Triplets(
        anchors, positives, of_other_classes(squares[anchors], allowed, near, config.negatives)
    )


def of_one_class(squares: Tensor, same: Tensor, how: str) -> tuple[Tensor, Tensor]:
    """Rows and others of their class: ``all`` of these, the nearest (``easy``) or the farthest
    (``hard``)."""
    if how == "all":
        anchors, positives = torch.nonzero(same, as_tuple=True)
        return anchors, positives
    anchors = torch.nonzero(same.any(1)).flatten()
    if how == "easy":
        return anchors, squares.masked_fill(~same, torch.inf)[anchors].argmin(1)
    return anchors, squares.masked_fill(~same, -torch.inf)[anchors].argmax(1)


def of_other_classes(squares: Tensor, allowed: Tensor, near: Tensor, how: str) -> Tensor:
    """One of the columns [B] that are allowed [N, B] for each row of distances [N, B].

    ``hard`` takes the nearest; ``semi-hard`` the nearest of those that are farther than ``near``
    [N], and where there are none the farthest (Schroff 2015, "FaceNet", section 3.2); ``random``
    any.
    """
    if how == "random":
        draws = torch.rand(allowed.shape, device=allowed.device)
        return draws.masked_fill(~allowed, -1.0).argmax(1)
    if how == "semi-hard":
        beyond = allowed & (squares > near[:, None])
        farthest = squares.masked_fill(~allowed, -torch.inf).argmax(1)
        nearest = squares.masked_fill(~beyond, torch.inf).argmin(1)
        return torch.where(beyond.any(1), nearest, farthest)
    return squares.masked_fill(~allowed, torch.inf).argmin(1)


def triplet(squares: Tensor, chosen: Triplets, margin: float) -> Tensor:
    """The mean of max(0, d(a, p)^2 - d(a, n)^2 + margin) (Schroff 2015)."""
    near, far = of_pairs(squares, chosen)
    return F.relu(near - far + margin).sum() / max(len(near), 1)


def contrastive(squares: Tensor, chosen: Triplets, margin: float) -> Tensor:
    """The mean of d^2 / 2 of pairs of one class and max(0, margin - d)^2 / 2 of as many others
    (Hadsell 2006, "Dimensionality reduction by learning an invariant mapping")."""
    near, far = of_pairs(squares, chosen)
    short = F.relu(margin - (far + TINY).sqrt())
    return (near.sum() + short.square().sum()) / 2 / max(2 * len(near), 1)


def of_pairs(squares: Tensor, chosen: Triplets) -> tuple[Tensor, Tensor]:
    """The squared distances of the pairs of one class, and of their firsts to others."""
    anchors, positives, negatives = chosen
    return squares[anchors, positives], squares[anchors, negatives]


class ByClass:
    """Batches of some classes with K examples of each, both drawn at random (Hermans 2017, "In
    defense of the triplet loss").

    A class with fewer examples has all of them in the batch. An epoch has as many batches as the
    examples would fill, rounded down.
    """

    def __init__(self, classes: NDArray[np.int64], batch_size: int, K: int, seed: int) -> None:
        order = np.argsort(classes, kind="stable")
        starts = np.flatnonzero(np.diff(classes[order], prepend=-1))
        self.rows = np.split(order, starts[1:])
        self.K, self.seed, self.size = K, seed, len(classes)
        wanted = batch_size // K if batch_size else len(self.rows)
        self.P = min(max(wanted, 2), len(self.rows))

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return max(self.size // (self.P * self.K), 1)

    def epoch(self, number: int) -> Sequence[Rows]:
        """The batches of epoch ``number``; the same whenever it is asked."""
        rng = np.random.default_rng((self.seed, number))
        return [self._batch(rng) for _ in range(self.batches)]

    def _batch(self, rng: np.random.Generator) -> Rows:
        classes = rng.choice(len(self.rows), self.P, replace=False)
        return np.concatenate([self._some(self.rows[k], rng) for k in classes.tolist()])

    def _some(self, rows: Rows, rng: np.random.Generator) -> Rows:
        return rows[rng.choice(len(rows), min(self.K, len(rows)), replace=False)]


def batches(parts: Parts, config: Config, device: torch.device) -> tuple[Order, Take]:
    """Several examples of several classes in each batch; those of images turned by quarters are
    classes more, with ``turned_classes``."""
    require_fitting(parts.encoding)
    assert parts.encoding.labels is not None
    require_pairs(parts.train, parts.encoding.labels.names)
    require_room(config)
    data = turned(parts.train) if config.turned_classes else parts.train
    assert data.targets is not None
    order = ByClass(data.targets, config.batch_size, config.per_class, config.seed)
    return order, taker(data, device)


def require_pairs(data: Dataset, names: Sequence[str]) -> None:
    """Raises GaiError where training knows a class by one example only."""
    assert data.targets is not None
    for place, count in enumerate(np.bincount(data.targets, minlength=len(names)).tolist()):
        if count < 2:
            one = data.ids[int(np.flatnonzero(data.targets == place)[0])] if count else "none"
            message = f"the class {names[place]!r} has only one example, {one}: nothing is like it"
            hint = f"a second one, or --without {names[place]}, which leaves it out"
            raise GaiError(message, hint)


def require_room(config: Config) -> None:
    """Raises UsageError where a batch has no room for two classes."""
    size, K = config.batch_size, config.per_class
    if 0 < size < 2 * K:
        message = f"--batch-size {size} has no room for two classes with --per-class {K}"
        raise UsageError(message, f"--batch-size {2 * K} or more")


def turned(data: Dataset) -> Dataset:
    """The examples and, as classes of their own, the same turned by one, two and three quarters
    (Santoro 2016, "Meta-learning with memory-augmented neural networks")."""
    images, targets = data.inputs, data.targets
    assert targets is not None
    if not isinstance(images, np.ndarray) or images.ndim != 4:
        raise UsageError("--turned-classes is for images", "leave it out")
    if images.shape[2] != images.shape[3]:
        height, width = images.shape[2:]
        raise UsageError(f"--turned-classes: images of {width} x {height} are not square")
    classes = int(targets.max(initial=0)) + 1
    found = [np.rot90(images, k, (2, 3)) for k in range(QUARTERS)]
    return replace(
        data,
        inputs=np.ascontiguousarray(np.concatenate(found)),
        targets=np.concatenate([targets + k * classes for k in range(QUARTERS)]),
        ids=list(data.ids) * QUARTERS,
    )


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores a siamese network on a part of the data, of whose classes training need know none.

    The loss is that of the batches of one epoch of these examples.
    """

    encoding: Encoding
    dataset: Dataset
    classes: NDArray[np.int64]
    loss: losses.Loss

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of an evaluation during training; ``loss`` is among them."""
        loss, found = self._found(network)
        return {"loss": loss, **found.summary()}

    def judged(self, network: nn.Module) -> Judged:
        """The same with intervals and details."""
        loss, found = self._found(network)
        return Judged({"loss": loss, **found.summary()}, found.intervals(), found.as_dict())

    def _found(self, network: nn.Module) -> tuple[float, Matched]:
        made = answers.features(network, self.dataset)
        similar = similarity(self.encoding.config)
        return self._mean_loss(made), scores.matching(similar(made, made), self.classes)

    @cached_property
    def _batches(self) -> Sequence[Rows]:
        config = self.encoding.config
        return ByClass(self.classes, config.batch_size, config.per_class, 0).epoch(0)

    def _mean_loss(self, made: NDArray[np.float32]) -> float:
        """The mean over batches; chance is that of a fixed seed, and that of training goes on as
        if nothing had been drawn."""
        embeddings, classes = torch.from_numpy(made), torch.from_numpy(self.classes)
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(0)
            found = [
                float(self.loss(embeddings[b], classes[b]))
                for b in map(torch.from_numpy, self._batches)
            ]
        return float(np.mean(found))


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> Judge:
    """Scores by the labels as they were read; raises GaiError where nothing can be compared."""
    assert isinstance(objective, Matching)
    classes = classes_of(raw)
    counts = np.bincount(classes)
    if len(counts) < 2 or counts.max() < 2:
        lacks = "one class only" if len(counts) < 2 else "no two examples of one class"
        hint = "--valid FILE names other data; --split-by examples holds out some of each class"
        raise GaiError(f"what the network is scored on has {lacks}", hint)
    rows = scores.chosen(len(classes))
    return Judge(encoding, dataset.take(rows), classes[rows], objective.loss)


def classes_of(raw: Raw) -> NDArray[np.int64]:
    """The class of each example as a number; raises GaiError where it has no label, or several."""
    if raw.labels is None:
        raise GaiError("the data has no labels", "--label-field names the field that has them")
    if isinstance(raw.labels, np.ndarray) or not all(isinstance(one, str) for one in raw.labels):
        raise GaiError("--task match needs one label an example, the name of a class")
    return scores.numbered(raw.labels)  # type: ignore[arg-type]


Similarity = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float64]]
"""Of the rows of two arrays of embeddings, [n, m]: 1 where they are equal."""


def similarity(config: Config) -> Similarity:
    """What tells how near embeddings are: the cosine of those of length 1, else 1 / (1 + d)."""
    return scores.cosines if config.unit_norm else scores.nearness


LEARNING = Learning(objective, judge, batches)
