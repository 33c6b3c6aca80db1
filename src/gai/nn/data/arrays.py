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


Inputs = Ragged | Sparse | NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples as a network takes them.

    ``targets``: classes int64 [n]; several labels float32 [n, K]; numbers float32 [n, K]; tags
    int64, one for each value of the ragged inputs; None where there are none. ``ids`` are the
    names of the examples. A language model has one row of ids, and no targets.
    """

    inputs: Inputs
    targets: NDArray[Any] | None
    ids: Sequence[str]
    per_token: bool = False

    def __len__(self) -> int:
        return rows_of(self.inputs)

    @property
    def lengths(self) -> NDArray[np.int64] | None:
        """How long each example is, where they differ."""
        return self.inputs.lengths if isinstance(self.inputs, Ragged) else None

    def take(self, rows: NDArray[np.int64]) -> Dataset:
        """These examples, in this order."""
        targets = None if self.targets is None else self.targets_of(rows)
        ids = [self.ids[row] for row in rows.tolist()]
        return replace(self, inputs=take(self.inputs, rows), targets=targets, ids=ids)

    def targets_of(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The targets of these examples; of tags, those of one example after the other."""
        assert self.targets is not None
        if self.per_token and isinstance(self.inputs, Ragged):
            return self.targets[places(self.inputs.offsets[:-1][rows], self.inputs.lengths[rows])]
        return self.targets[rows]


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
