"""GloVe: word vectors from co-occurrence counts.

Pennington, Socher & Manning (2014), GloVe: Global Vectors for Word Representation. A model of the
count x of word i and context j is ``w_i . c_j + b_i + d_j = log x``. Its weighted squared error

    J = 1/2 sum f(x) (w_i . c_j + b_i + d_j - log x)^2,   f(x) = min(1, (x / x_max)^alpha)

is made smaller by AdaGrad, a pair at a time. The vector of a word is ``w_i + c_i``.

What the authors' program does, to the letter of it: a number with gradients g changes by ``-g /
sqrt(a + sum of all g^2 before)``, where a is 1 / rate^2 for vectors and 1 for biases. (It says so
in other words: it sums the squares of rate * g from 1 on.) It cuts gradients at +-100, which no run
comes near that does not diverge, and which is left out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.counts.store import HEADROOM, resident
from gai.errors import GaiError, UsageError
from gai.kernels import reference
from gai.output.vectors import Vectors
from gai.threads import in_order
from gai.vectors.cooccurrence import Cooccurrence
from gai.vectors.pairs import BYTES, Board, Numbering, Turn, dealt, turns
from gai.vectors.runs import dropped
from gai.vectors.training import Advance, check_resumed, start_from, take_over

SMALL = 2_000
"""Pairs up to which the twins train: the kernels round otherwise, so that no more may decide."""

LANES = 8
"""Rows have a multiple of so many numbers, which processors take at once."""

FIXED = np.float32(1e30)
"""The sum of squared gradients of a number that no step moves."""

PIECE = 1 << 12
"""Rows that get their first values at once."""

NUMBERING, START, ROUNDS = range(3)
"""What chance is for; each has random numbers of its own."""

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Choices:
    """How GloVe learns: ``dim`` numbers a word, the weighting function f by ``x_max`` and
    ``alpha``, AdaGrad by ``learning_rate``, and the ``seed`` of all chance."""

    dim: int = 100
    x_max: float = 100.0
    alpha: float = 0.75
    learning_rate: float = 0.05
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("dim", "x_max", "learning_rate"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name.replace('_', '-')} must be more than 0")


class GloveTrainer:
    """Trains GloVe; a ``Trainer``. Any number of ``jobs`` gives the same bits.

    ``cells`` are the counts, symmetric or not; they are not kept. ``memory`` is what the process
    may take, in bytes: where the pairs (12 bytes each) are too many for it, they lie in a temporary
    file. ``init`` are vectors to start from where words are in both: w and c each get half.
    ``resume`` are those of an earlier run with the same counts and choices, with its state.
    ``engine`` is "kernels", "reference" (plain Python, rounded otherwise) or "auto", by the number
    of pairs. Raises GaiError where no words stand together, or ``init`` or ``resume`` do not fit.
    """

    name = "glove"
    unit = "pairs"

    def __init__(
        self,
        cells: Cooccurrence,
        choices: Choices,
        *,
        jobs: int = 1,
        memory: int | None = None,
        init: Vectors | None = None,
        resume: Vectors | None = None,
        engine: str = "auto",
    ) -> None:
        check(cells)
        self.choices, self.jobs, self.size = choices, jobs, cells.nnz
        self.words, self.counts = cells.words, cells.counts
        self._signature = dict(cells.signature)
        self._counting = dict(self._signature.pop("cooccurrence", {}))
        small = engine == "reference" or (engine == "auto" and self.size <= SMALL)
        self._ops: Any = reference if small else kernels.load()
        self.numbering = Numbering.of(len(cells), self.size, self._chance(NUMBERING))
        self._weights = [self._begun(own) for own in (0, 1)]
        self._init: str | None = None
        if init is not None:
            self._start_from(init)
        if resume is not None:
            self._go_on_from(resume)
        room = None if memory is None else HEADROOM * memory - resident()
        self.pairs = dealt(
            cells,
            self.numbering,
            choices.x_max,
            choices.alpha,
            self._ops,
            jobs=jobs,
            on_disk=room is not None and BYTES * self.size > room,
        )

    def epoch(self, number: int, advance: Advance) -> float:
        """Trains epoch ``number`` (from 0) and returns J / pairs: float64, each pair's error as it
        was before its step. That is the cost which the authors' program prints."""
        parts = self.numbering.parts
        losses, board = np.zeros(parts * parts), Board(parts)
        order = turns(parts, self._chance(ROUNDS, number))
        for trained in in_order(partial(self._train, board, losses), order, self.jobs):
            advance(trained)
        return float(losses.sum()) / 2 / self.size

    def _train(self, board: Board, losses: NDArray[np.float64], turn: Turn) -> int:
        """The number of pairs of a block, after training on them."""
        block = turn.row * self.numbering.parts + turn.column
        places, numbers = self.pairs.block(block)
        words, contexts = self._weights
        width = words.shape[-1]
        with board.taking(turn):
            rows, columns = words[turn.row].reshape(-1), contexts[turn.column].reshape(-1)
            self._ops.train_pairs(rows, columns, width, places, numbers, losses, block)
        for array in (places, numbers):
            dropped(array)
        return len(places)

    def weights(self) -> Mapping[str, Rows]:
        """The arrays that training changes, by name; not copies."""
        return dict(zip(("words", "contexts"), self._weights, strict=True))

    def changed(self) -> Mapping[str, NDArray[np.int64]]:
        """Nothing: training changes all rows."""
        return {}

    def vectors(self, epochs: int) -> Vectors:
        """What ``epochs`` epochs have taught: w + c of each word.

        The state is two arrays (words, 2, dim + 1): vector and bias, and the sums of their squared
        gradients.
        """
        words, contexts = (self._rows(own) for own in (0, 1))
        return Vectors(
            self.words,
            words[:, 0, :-1] + contexts[:, 0, :-1],
            counts=self.counts,
            signature=self.signature(epochs),
            state={"words": words, "contexts": contexts},
        )

    def signature(self, epochs: int) -> dict[str, Any]:
        """Everything that changed a number."""
        training = self._counting | asdict(self.choices) | {"init": self._init, "trained": epochs}
        return {**self._signature, "kind": self.name, "training": training}

    def _chance(self, *what: int) -> np.random.RandomState:
        """Random numbers; numpy promises that these stay the same in all its versions."""
        high, low = divmod(self.choices.seed, 1 << 32)
        return np.random.RandomState([*what, low, high])

    def _begun(self, own: int) -> Rows:
        """Weights before the first epoch, (parts, height, 2, width): vectors and biases between
        -0.5 and 0.5, divided by the dimension. ``own`` is 0 for words and 1 for contexts."""
        dim, numbering = self.choices.dim, self.numbering
        width = -(-(dim + 2) // LANES) * LANES
        made = np.zeros((numbering.parts * numbering.height, 2, width), np.float32)
        random = self._chance(START, own)
        for first in range(0, len(numbering.rows), PIECE):
            rows = numbering.rows[first : first + PIECE]
            values = (random.random_sample((len(rows), dim + 1)) - 0.5) / dim
            made[rows, 0, :dim], made[rows, 0, dim + own] = values[:, :dim], values[:, dim]
        made[:, 0, dim + 1 - own] = 1.0
        made[:, 1] = 1.0
        made[:, 1, :dim] = self.choices.learning_rate**-2.0
        made[:, 1, dim + 1 - own] = FIXED
        return made.reshape(numbering.parts, numbering.height, 2, width)

    def _flat(self, own: int) -> Rows:
        """The weights of words (0) or contexts (1) row by row, not a copy."""
        weights = self._weights[own]
        return weights.reshape(-1, 2, weights.shape[-1])

    def _columns(self, own: int) -> NDArray[np.int64]:
        """Where in a row the vector and its own bias are."""
        return np.append(np.arange(self.choices.dim), self.choices.dim + own)

    def _rows(self, own: int) -> Rows:
        """A copy of vectors, biases and sums, (words, 2, dim + 1), in the order of the words."""
        return self._flat(own)[self.numbering.rows][:, :, self._columns(own)]

    def _start_from(self, init: Vectors) -> None:
        dim = self.choices.dim
        self._init = init.fingerprint()
        shared, places = start_from(self.words, dim, init)
        half = init.take(places) / 2
        for own in (0, 1):
            self._flat(own)[self.numbering.rows[shared], 0, :dim] = half

    def _go_on_from(self, earlier: Vectors) -> None:
        check_resumed(earlier, self.signature(0))
        self._init = earlier.signature["training"].get("init")
        state = {name: self._rows(own) for own, name in enumerate(("words", "contexts"))}
        take_over(earlier.state, state)
        for own, found in enumerate(state.values()):
            rows, columns = self.numbering.rows[:, None], self._columns(own)
            self._flat(own)[rows, :, columns] = np.swapaxes(found, 1, 2)


def check(cells: Cooccurrence) -> None:
    """Raises GaiError for counts that no model fits."""
    if not cells.nnz:
        raise GaiError(
            "no two words stand near each other",
            "a larger --window or a smaller --min-count leaves more",
        )
    if not float(cells.data.min()) > 0:
        raise GaiError("GloVe needs counts above 0, not PMI")
