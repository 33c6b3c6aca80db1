"""Labels: the names of classes, learned from the training part, and labels as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.nn.data.arrays import IGNORED
from gai.nn.data.raw import RawLabels

NEVER = -1
"""The number of a label that training never saw."""


@dataclass(frozen=True)
class Labels:
    """The names of classes, sorted; a class is its place among them.

    ``several``: an example may have none, one or more.
    """

    names: tuple[str, ...]
    several: bool = False

    @classmethod
    def of(cls, labels: RawLabels) -> Labels:
        """Those of the training part; raises GaiError where there is nothing to tell apart."""
        if isinstance(labels, np.ndarray):
            raise GaiError("the labels are numbers, not names of classes", "--task regress")
        several = bool(labels) and isinstance(labels[0], tuple)
        names = tuple(sorted(counted(labels)))
        if len(names) < (1 if several else 2):
            found = f"has only {names[0]!r}" if names else "has none"
            hint = "--label-field names the field that holds the label"
            raise GaiError(f"training needs at least two classes, the data {found}", hint)
        return cls(names, several)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def encode(self, labels: RawLabels) -> NDArray[Any]:
        """Labels as targets.

        One an example: int64 [n], the class. One a token: int64, those of one example after the
        other, ``IGNORED`` for a token without a tag (""). A label that training never saw is
        ``NEVER``. Several an example: float32 [n, K], 1 where it has the label; labels that
        training never saw are left out.
        """
        if isinstance(labels, np.ndarray):
            raise GaiError("the labels are numbers, and the model was trained on names")
        if self.several:
            return self._rows([(x,) if isinstance(x, str) else x for x in labels])
        if labels and isinstance(labels[0], tuple):
            raise GaiError("the data has several labels an example, the model was trained on one")
        places = {**self._places, "": IGNORED}
        if labels and not isinstance(labels[0], str):
            return _numbers(places.get(tag, NEVER) for tags in labels for tag in tags)
        return _numbers(places.get(label, NEVER) for label in cast(list[str], labels))

    def _rows(self, labels: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        made = np.zeros((len(labels), len(self.names)), np.float32)
        for row, found in zip(made, labels, strict=True):
            row[[self._places[label] for label in found if label in self._places]] = 1
        return made

    def never_seen(self, labels: RawLabels) -> dict[str, int]:
        """The labels that training never saw, sorted, and how often each occurs."""
        counts = counted(labels)
        return {label: counts[label] for label in sorted(counts) if label not in self._places}


def _numbers(found: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(found, np.int64)


def counted(labels: RawLabels) -> Counter[str]:
    """How often each label occurs; tokens without a tag ("") do not count."""
    counts: Counter[str] = Counter()
    for found in labels:
        counts.update((found,) if isinstance(found, str) else found)
    counts.pop("", None)
    return counts
