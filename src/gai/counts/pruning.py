"""Pruning: which terms become columns, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError


@dataclass(frozen=True)
class Pruning:
    """Which terms become columns, and in which order.

    Attributes
    ----------
    min_df, max_df
        Bounds of the number of documents that hold a term; a float is a fraction of all documents.
    max_features
        Keep the most frequent in the corpus, ties by term.
    vocabulary
        Fixed columns in this order, whatever the corpus holds.
    order
        ``term`` (by code point), ``first`` (appearance in the corpus) or ``freq``.
    """

    min_df: int | float = 1
    max_df: int | float = 1.0
    max_features: int | None = None
    vocabulary: Sequence[str] | None = None
    order: str = "term"

    def __post_init__(self) -> None:
        if self.order not in ("term", "first", "freq"):
            raise UsageError(f"unknown order {self.order}", "term, first or freq")
        if self.max_features is not None and self.max_features < 1:
            raise UsageError(f"max_features is {self.max_features}: it must be at least 1")
        for name in ("min_df", "max_df"):
            bound = getattr(self, name)
            if bound < 0 or (isinstance(bound, float) and bound > 1):
                raise UsageError(f"{name} is {bound}", "a count, or a fraction from 0.0 to 1.0")
        if self.vocabulary is not None:
            _refuse_duplicates(self.vocabulary)

    def limits(self, documents: int) -> tuple[float, float]:
        """The smallest and the largest df that a column may have among so many documents.

        Raises UsageError where the first is above the second.
        """
        low = self.min_df * documents if isinstance(self.min_df, float) else self.min_df
        high = self.max_df * documents if isinstance(self.max_df, float) else self.max_df
        if low > high:
            raise UsageError(
                f"--min-df {self.min_df} is above --max-df {self.max_df}",
                f"of {documents} documents they mean {low:g} and {high:g}",
            )
        return low, high

    def chosen(
        self,
        documents: int,
        tf: NDArray[np.int64],
        df: NDArray[np.int64],
        first: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """The columns as numbers of terms, which are sorted, in the order of the columns.

        ``first`` says where each term appears first. A fixed vocabulary is not looked at here.
        """
        low, high = self.limits(documents)
        kept = np.flatnonzero((df >= low) & (df <= high))
        if self.max_features is not None and len(kept) > self.max_features:
            kept = np.sort(kept[np.argsort(-tf[kept], kind="stable")[: self.max_features]])
        if self.order == "freq":
            return kept[np.argsort(-tf[kept], kind="stable")]
        if self.order == "first":
            return kept[np.argsort(first[kept], kind="stable")]
        return kept


def _refuse_duplicates(vocabulary: Sequence[str]) -> None:
    if len(set(vocabulary)) < len(vocabulary):
        term, times = Counter(vocabulary).most_common(1)[0]
        raise GaiError(f"the vocabulary holds {term!r} {times} times", "each term once")
