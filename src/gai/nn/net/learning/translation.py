"""Learning to write one text from another: the surprise at the next token of the right answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from gai.nn import scores
from gai.nn.data.arrays import IGNORED, Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net.answers import Judged, asked
from gai.nn.net.learning import Learning, supervised
from gai.nn.net.loop import Objective
from gai.nn.net.translating import translated

WRITTEN = 500
"""Examples of the validation part that are written out at each evaluation: the first ones."""


@dataclass(frozen=True)
class Judge:
    """Scores a translator: its loss on all examples, given the right beginning of each answer, and
    what it writes by itself."""

    encoding: Encoding
    dataset: Dataset
    raw: Raw
    objective: Any

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The loss, and the scores of the first answers."""
        first = min(len(self.dataset), WRITTEN)
        return {"loss": self.loss(network), **self.written(network, first).summary()}

    def judged(self, network: nn.Module) -> Judged:
        """The same of all answers, with intervals."""
        found = self.written(network, len(self.dataset))
        summary = {"loss": self.loss(network), **found.summary()}
        return Judged(summary, found.intervals(), found.as_dict())

    def written(self, network: nn.Module, count: int) -> Any:
        """The scores of what it writes for the first examples, the likeliest token each time."""
        rows = np.arange(count)
        assert isinstance(self.raw.labels, list)
        right = [str(label) for label in self.raw.labels[:count]]
        said = translated(network, self.encoding, self.dataset.take(rows))
        return scores.texts(right, [text for text, _ in said])

    def loss(self, network: nn.Module) -> float:
        """The mean over all tokens of all answers."""
        total, count = 0.0, 0
        for _, batch in asked(network, self.dataset):
            assert batch.targets is not None
            tokens = int((batch.targets != IGNORED).sum())
            total += float(self.objective(network, batch, 0).loss) * tokens
            count += tokens
        return total / max(count, 1)


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> Judge:
    """Scores by the right answers."""
    return Judge(encoding, dataset, raw, objective)


LEARNING = Learning(supervised.objective, judge, supervised.batches)
