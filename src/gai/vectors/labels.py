"""Where names of points are written so that none hides another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""A row left, bottom, right, top for each box."""

SIDES = ((1, 0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 0), (-1, 1), (-1, -1))
"""The directions from a point to its label, best first."""

RINGS = (0.0, 1.2, 2.6, 4.2)
"""How far away a label may stand, in heights of the label; 0: beside its point."""

GAP = 4.0
"""Pixels between a point and its label."""

CROWDED = 6.0
"""What it costs to cover a point; a ring more costs 1, a side further down the list 0.05."""


@dataclass(frozen=True)
class Labels:
    """Where each label stands: ``boxes`` float64 (n, 4). ``kept`` (bool) says which have room,
    ``linked`` which stand so far off that a line should join them to their point."""

    boxes: Boxes
    kept: NDArray[np.bool_]
    linked: NDArray[np.bool_]


@dataclass
class Taken:
    """Boxes that are no longer free: the first ``count`` rows."""

    boxes: Boxes
    count: int = field(default=0)

    def add(self, box: NDArray[np.float64]) -> None:
        """Takes one more."""
        self.boxes[self.count] = box
        self.count += 1

    def hits(self, boxes: Boxes) -> NDArray[np.int64]:
        """How many of those taken each of the boxes touches."""
        return overlaps(boxes, self.boxes[: self.count])


def place(
    points: NDArray[np.float64],
    sizes: NDArray[np.float64],
    frame: tuple[float, float, float, float],
    radius: float,
) -> Labels:
    """A place for the label of each point, one after the other, so that the first get the best.

    ``points`` (n, 2) and ``sizes`` (n, 2: width, height) are in pixels, as are ``frame`` (left,
    bottom, right, top), which no label leaves, and the ``radius`` of a point. No two labels kept
    touch; of the places that are free a label takes the cheapest (``CROWDED``).
    """
    count = len(points)
    disks = np.hstack([points - radius, points + radius])
    labels = Labels(np.zeros((count, 4)), np.zeros(count, np.bool_), np.zeros(count, np.bool_))
    taken = Taken(np.zeros((count, 4)))
    for one in range(count):
        boxes, costs = candidates(points[one], sizes[one], radius)
        costs = costs + CROWDED * (overlaps(boxes, disks) - overlaps(boxes, disks[one : one + 1]))
        costs[~inside(boxes, frame) | (taken.hits(boxes) > 0)] = np.inf
        best = int(costs.argmin())
        if costs[best] < 2 * CROWDED:
            taken.add(boxes[best])
            labels.boxes[one], labels.kept[one] = boxes[best], True
            labels.linked[one] = best >= len(SIDES)
    return labels


def candidates(
    point: NDArray[np.float64], size: NDArray[np.float64], radius: float
) -> tuple[Boxes, NDArray[np.float64]]:
    """The boxes in which a label may stand, ring after ring, and what each costs."""
    sides = np.array(SIDES, np.float64)
    boxes, costs = [], []
    for number, ring in enumerate(RINGS):
        away = sides * (radius + GAP + ring * size[1])
        # On a diagonal the corner of the box is what must keep its distance.
        away[np.abs(sides).sum(1) == 2] *= 0.75
        corner = point + away + (sides - 1) / 2 * size
        boxes.append(np.hstack([corner, corner + size]))
        costs.append(number + 0.05 * np.arange(len(sides)))
    return np.vstack(boxes), np.concatenate(costs)


def overlaps(boxes: Boxes, others: Boxes) -> NDArray[np.int64]:
    """How many of ``others`` each box touches: int64 (boxes,)."""
    low = (boxes[:, None, :2] < others[None, :, 2:]).all(-1)
    high = (boxes[:, None, 2:] > others[None, :, :2]).all(-1)
    return np.asarray(np.count_nonzero(low & high, axis=1), np.int64)


def inside(boxes: Boxes, frame: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Which boxes lie wholly in the frame."""
    left, bottom, right, top = frame
    low = (boxes[:, 0] >= left) & (boxes[:, 1] >= bottom)
    return low & (boxes[:, 2] <= right) & (boxes[:, 3] <= top)
