"""The loop of every training: epochs, what is said after each, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.terms import Terms

Advance = Callable[[int], None]
"""Called with the number of words (or pairs) that have just been trained on, in one thread."""

Evaluate = Callable[[Vectors], Mapping[str, float]]
"""Scores of vectors by name, higher is better."""


class Trainer(Protocol):
    """What learns vectors, an epoch at a time."""

    name: str
    """What it is called: word2vec, fasttext, glove."""

    unit: str
    """What ``size`` counts: words, pairs."""

    size: int
    """Units an epoch has."""

    def epoch(self, number: int, advance: Advance) -> float:
        """Trains epoch ``number`` (from 0) and returns its loss (float64, a mean a pair).

        A KeyboardInterrupt passes soon; the weights are then between two epochs.
        """

    def weights(self) -> Mapping[str, NDArray[Any]]:
        """The arrays that training changes, by name; not copies."""

    def changed(self) -> Mapping[str, NDArray[np.int64]]:
        """The rows that training changes, of those arrays where they are few."""

    def vectors(self, epochs: int) -> Vectors:
        """What ``epochs`` epochs have taught, with signature, and with the state to go on from."""


@dataclass(frozen=True)
class Epoch:
    """What is known after an epoch; ``number`` counts from 1, ``scores`` are those of --eval."""

    number: int
    loss: float
    seconds: float
    scores: Mapping[str, float] = field(default_factory=dict)

    def better_than(self, other: Epoch) -> bool:
        """Whether the first score is higher, or where there are none the loss lower; a score that
        is NaN, because the vectors know no word of its set, is beaten by any."""
        for name, score in self.scores.items():
            return not score <= other.scores[name] and not math.isnan(score)
        return self.loss < other.loss


@dataclass
class Outcome:
    """The epochs of a run; ``kept`` is the one whose vectors are kept, and ``ended`` why it ended
    early: "interrupted", "patience" or ""."""

    epochs: list[Epoch] = field(default_factory=list)
    kept: Epoch | None = None
    ended: str = ""

    def since(self) -> int:
        """How many epochs there were after the one that is kept."""
        return len(self.epochs) - self.epochs.index(self.kept) - 1 if self.kept else 0


def train(
    trainer: Trainer,
    epochs: int,
    *,
    done: int = 0,
    evaluate: Evaluate | None = None,
    patience: int | None = None,
    advance: Advance = lambda units: None,
    told: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome:
    """Trains epochs ``done`` to ``epochs``; afterwards the trainer has the weights of the epoch
    that is kept: the last that was finished, or under ``patience`` the best.

    With ``patience`` P the run ends after P epochs that were no better than the best before. An
    interrupt (Ctrl-C) ends it at the last finished epoch; before the first one it passes. ``told``
    gets every epoch as it ends. Raises GaiError where the loss is no number any more.
    """
    outcome = Outcome()
    copies: dict[str, NDArray[Any]] = {}
    between = True  # whether the weights are those of the last epoch
    try:
        for number in range(done, epochs):
            between = False
            epoch = _one(trainer, number, evaluate, advance)
            outcome.epochs.append(epoch)
            if patience is None or outcome.kept is None or epoch.better_than(outcome.kept):
                outcome.kept, between = epoch, True
                if number + 1 < epochs:
                    _keep(trainer, copies)
            told(epoch)
            if patience is not None and outcome.since() >= patience:
                outcome.ended = "patience"
                break
    except KeyboardInterrupt:
        if outcome.kept is None:
            raise
        outcome.ended = "interrupted"
    if outcome.kept is not None and not between:
        changed = trainer.changed()
        for name, array in trainer.weights().items():
            array[changed.get(name, ...)] = copies[name]
    return outcome


def _one(trainer: Trainer, number: int, evaluate: Evaluate | None, advance: Advance) -> Epoch:
    started = perf_counter()
    loss = trainer.epoch(number, advance)
    seconds = perf_counter() - started
    if not math.isfinite(loss):
        raise GaiError(
            f"the loss is {loss} after epoch {number + 1}: training has diverged",
            "a smaller learning rate may help",
        )
    scores = dict(evaluate(trainer.vectors(number + 1))) if evaluate else {}
    return Epoch(number + 1, loss, seconds, scores)


def _keep(trainer: Trainer, copies: dict[str, NDArray[Any]]) -> None:
    """Copies the weights, into the same arrays each time."""
    changed = trainer.changed()
    for name, array in trainer.weights().items():
        if name not in copies:
            copies[name] = np.array(array[changed.get(name, ...)])
        elif name in changed:
            np.take(array, changed[name], axis=0, out=copies[name])
        else:
            copies[name][...] = array


def start_from(
    words: Terms, dim: int, init: Vectors
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places in ``words`` of those that ``init`` has too, and their places in ``init``.

    Raises GaiError where the dimensions differ, or no word is in both.
    """
    if init.dim != dim:
        raise GaiError(
            f"the vectors to start from have {init.dim} dimensions, not {dim}", f"--dim {init.dim}"
        )
    places = init.find(list(words))
    shared = np.flatnonzero(places >= 0)
    if not len(shared):
        raise GaiError("the vectors to start from have no word of this text")
    return shared, places[shared]


PIECE = 1 << 14
"""Rows that are looked through at once."""

KEPT = (
    "-o FILE.safetensors or FILE.npz keeps it, and fastText's FILE.bin with FILE.bin.json; "
    "--init starts anew from any vectors"
)

MAY_DIFFER = ("epochs", "init", "trained")
"""What may be another in a run that goes on."""

TEXT = ("input", "analysis", "reading", "vocabulary", "cooccurrence", "documents", "terms")
"""What the signature says about the text, and what was made of it."""


def check_resumed(earlier: Vectors, now: Mapping[str, Any]) -> None:
    """Raises GaiError where ``earlier`` is not the beginning of the run with signature ``now``; of
    this, what is known of it."""
    before = earlier.signature
    if not earlier.state or "trained" not in before.get("training", {}) or "reduction" in before:
        raise GaiError("the vectors to go on from hold no state of a training", KEPT)
    hint = "--resume goes on with the same text and options; --init starts anew from vectors"
    if before["kind"] != now["kind"]:
        raise GaiError(f"the earlier run was {before['kind']}, not {now['kind']}", hint)
    for name, value in now["training"].items():
        if name not in MAY_DIFFER and before["training"].get(name) != value:
            old = before["training"].get(name)
            raise GaiError(f"the earlier run had {name} {old}, not {value}", hint)
    for name in TEXT:
        if name in now and before.get(name) != now[name]:
            raise GaiError(f"the earlier run read another text, or in another way: {name}", hint)


def take_over(
    found: Mapping[str, NDArray[Any] | None], weights: Mapping[str, NDArray[Any]]
) -> None:
    """Copies the state of an earlier run into the weights of this one.

    Raises GaiError, and copies nothing, where an array is missing, of another shape, or holds NaN.
    """
    for name, array in weights.items():
        earlier = found.get(name)
        if earlier is None or earlier.shape != array.shape or earlier.dtype != array.dtype:
            raise GaiError(f"the state of the earlier run has no {name} that fit", KEPT)
        if not all(np.isfinite(earlier[k : k + PIECE]).all() for k in range(0, len(array), PIECE)):
            raise GaiError(f"the state of the earlier run holds NaN or infinity in its {name}")
    for name, array in weights.items():
        array[...] = found[name]
