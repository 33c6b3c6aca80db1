"""What a network takes: ragged ids, sparse rows or dense arrays, and the targets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Kind = Literal["ids", "rows", "numbers", "sequences", "images"]
"""ids: Ragged; rows: Sparse; numbers: float32 [n, D]; sequences: float32 [n, T, F]; images: float32
[n, C, H, W]."""

PAD, UNKNOWN = 0, 1
"""The ids of padding and of terms that the vocabulary lacks."""

IGNORED = -100
"""The target of a token that has none."""


class Ragged(NamedTuple):
    """Rows of different lengths: row i is ``values[offsets[i]:offsets[i + 1]]``.

    ``values`` are int32 ids [N], or [N, C] where a token has C features; ``offsets`` are int64.
    """

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    def take(self, rows: NDArray[np.int64]) -> Ragged:
        """These rows, in this order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return Ragged(self.values[places(self.offsets[:-1][rows], lengths)], offsets)

    def padded(self, rows: NDArray[np.int64], shortest: int = 1) -> NDArray[np.int32]:
        """These rows as one array [rows, longest] or [rows, longest, C], ``PAD`` behind their
        ends."""
        lengths = self.lengths[rows]
        width = max(int(lengths.max(initial=0)), shortest)
        made = np.full((len(rows), width, *self.values.shape[1:]), PAD, self.values.dtype)
        made[np.arange(width) < lengths[:, None]] = self.values[
            places(self.offsets[:-1][rows], lengths)
        ]
        return made


class Sparse(NamedTuple):
    """Rows of a matrix in CSR form with ``width`` columns; ``data`` is float32."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float32]
    width: int

    @property
    def rows(self) -> int:
        return len(self.indptr) - 1

    def take(self, rows: NDArray[np.int64]) -> Sparse:
        """These rows, in this order."""
        lengths = np.diff(self.indptr)[rows]
        cells = places(self.indptr[:-1][rows], lengths)
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return Sparse(indptr, self.indices[cells], self.data[cells], self.width)


class Several(NamedTuple):
    """The same examples as each of several networks takes them."""

    parts: tuple[Inputs, ...]

    @property
    def rows(self) -> int:
        return rows_of(self.parts[0])

    def take(self, rows: NDArray[np.int64]) -> Several:
        """These examples, in this order."""
        return Several(tuple(take(part, rows) for part in self.parts))


Inputs = Ragged | Sparse | NDArray[np.float32] | Several


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples as a network takes them.

    ``targets``: classes int64 [n]; several labels float32 [n, K]; numbers float32 [n, K]; tags
    int64, one for each value of the ragged inputs; None where there are none. ``ids`` are the
    names of the examples. A language model has one row of ids, and no targets; ``answers`` are the
    ids that are to be written, each with its end mark.
    """

    inputs: Inputs
    targets: NDArray[Any] | None
    ids: Sequence[str]
    per_token: bool = False
    answers: Ragged | None = None

    def __len__(self) -> int:
        return rows_of(self.inputs)

    @property
    def lengths(self) -> NDArray[np.int64] | None:
        """How long each example is, where they differ."""
        found = [part.lengths for part in parts_of(self.inputs) if isinstance(part, Ragged)]
        return np.max(found, axis=0) if found else None

    def take(self, rows: NDArray[np.int64]) -> Dataset:
        """These examples, in this order."""
        targets = None if self.targets is None else self.targets_of(rows)
        ids = [self.ids[row] for row in rows.tolist()]
        answers = None if self.answers is None else self.answers.take(rows)
        inputs = take(self.inputs, rows)
        return replace(self, inputs=inputs, targets=targets, ids=ids, answers=answers)

    def targets_of(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The targets of these examples; of tags, those of one example after the other."""
        assert self.targets is not None
        return self.targets[self.tokens_of(rows) if self.per_token else rows]

    def tokens_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the tokens of these examples, among those of all."""
        tokens = parts_of(self.inputs)[0]
        assert isinstance(tokens, Ragged)
        return places(tokens.offsets[:-1][rows], tokens.lengths[rows])


def parts_of(inputs: Inputs) -> tuple[Inputs, ...]:
    """What each of several networks takes; of one network just that."""
    if isinstance(inputs, Several):
        return tuple(inner for part in inputs.parts for inner in parts_of(part))
    return (inputs,)


def rows_of(inputs: Inputs) -> int:
    """How many examples there are."""
    return len(inputs) if isinstance(inputs, np.ndarray) else inputs.rows


def take(inputs: Inputs, rows: NDArray[np.int64]) -> Inputs:
    """These examples, in this order."""
    return inputs[rows] if isinstance(inputs, np.ndarray) else inputs.take(rows)


def places(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from ``starts[i]`` on, ``lengths[i]`` of them, for one i after the other."""
    ends = np.cumsum(lengths)
    shifts = starts - (ends - lengths)
    total = int(ends[-1]) if len(ends) else 0
    found: NDArray[np.int64] = np.arange(total) + np.repeat(shifts, lengths)
    return found
