"""What goes into a network, and the shape that it is built for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from gai.nn.data.arrays import Kind


class Inputs(NamedTuple):
    """A batch of examples.

    ids: ``values`` int64 [B, T], or [B, T, C] where a token has C features, 0 behind the ends, and
    ``lengths`` int64 [B]. rows: ``values``
    int64 [cells], the columns of all cells, ``lengths`` int64 [B], where each row begins among
    them, and ``weights`` float [cells]. numbers: ``values`` float [B, D]. sequences: float
    [B, T, F]. images: float [B, C, H, W]. ``parts`` are the same examples as each of several
    networks takes them; the rest is then that of the first. ``before`` int64 [B, S] is what a
    network that writes has before each token of its answer: the end mark, then the answer.
    """

    values: Tensor
    lengths: Tensor | None = None
    weights: Tensor | None = None
    parts: tuple[Any, ...] = ()
    before: Tensor | None = None


@dataclass(frozen=True)
class Shape:
    """What a network is built for.

    ``size`` is (terms,) for ids, (columns,) for rows, (D,) for numbers, (T, F) for sequences,
    (C, H, W) for images. ``outputs`` is the number of classes, of values, or of terms. A network
    ``per_token`` answers for each token; a ``causal`` one looks at no later token; one that
    ``writes`` makes one sequence of another.
    """

    kind: Kind
    size: tuple[int, ...]
    outputs: int
    per_token: bool = False
    causal: bool = False
    writes: bool = False
