"""What a network says of examples, as lines: TSV for pipes, JSON lines with everything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.output.tsv import escape

THRESHOLD = 0.5
"""From which probability on one of several labels is given."""


@dataclass(frozen=True)
class Labelled:
    """Examples with the probability of each label, float32 [n, K].

    ``proba`` asks for all of them, and not only for the most probable label. Of ``several`` labels
    each stands for itself.
    """

    ids: Sequence[str]
    labels: Sequence[str]
    probabilities: NDArray[np.float32]
    several: bool = False
    proba: bool = False

    def tsv(self) -> Iterator[str]:
        """Lines ``id<TAB>label<TAB>probability``: of the most probable label, or of each."""
        names = [escape(label) for label in self.labels]
        if self.proba or self.several:
            yield from self._long(names)
            return
        best = self.probabilities.argmax(1)
        sure = self.probabilities[np.arange(len(best)), best]
        for id, label, value in zip(self.ids, best.tolist(), sure.tolist(), strict=True):
            yield f"{escape(id)}\t{names[label]}\t{value:.6g}\n"

    def _long(self, names: Sequence[str]) -> Iterator[str]:
        least = 0.0 if self.proba else THRESHOLD
        for id, row in zip(self.ids, self.probabilities.tolist(), strict=True):
            start = escape(id)
            for name, value in zip(names, row, strict=True):
                if value >= least:
                    yield f"{start}\t{name}\t{value:.6g}\n"

    def jsonl(self) -> Iterator[str]:
        """An object an example: id, label (or labels) and probability, with ``proba`` all."""
        for id, row in zip(self.ids, self.probabilities.tolist(), strict=True):
            said: dict[str, Any] = {"id": id}
            if self.several:
                pairs = zip(self.labels, row, strict=True)
                said["labels"] = [label for label, value in pairs if value >= THRESHOLD]
            else:
                best = max(range(len(row)), key=row.__getitem__)
                said |= {"label": self.labels[best], "probability": short(row[best])}
            if self.proba:
                said["probabilities"] = dict(zip(self.labels, map(short, row), strict=True))
            yield f"{json.dumps(said, ensure_ascii=False)}\n"


@dataclass(frozen=True)
class Measured:
    """Examples with the numbers predicted for them, float64 [n, K]."""

    ids: Sequence[str]
    values: NDArray[np.float64]

    def tsv(self) -> Iterator[str]:
        """Lines ``id<TAB>value<TAB>value ...``."""
        for id, row in zip(self.ids, self.values.tolist(), strict=True):
            cells = "\t".join(f"{value:.6g}" for value in row)
            yield f"{escape(id)}\t{cells}\n"

    def jsonl(self) -> Iterator[str]:
        """An object an example: id and value, or values."""
        for id, row in zip(self.ids, self.values.tolist(), strict=True):
            values = [short(value) for value in row]
            said = {"value": values[0]} if len(values) == 1 else {"values": values}
            yield f"{json.dumps({'id': id, **said}, ensure_ascii=False)}\n"


@dataclass(frozen=True)
class Tagged:
    """Sentences with the most probable tag of each token, one sentence after the other."""

    ids: Sequence[str]
    tokens: Sequence[Sequence[str]]
    labels: Sequence[str]
    tags: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    def _each(self) -> Iterator[tuple[str, Sequence[str], list[str], list[float]]]:
        place = 0
        for id, tokens in zip(self.ids, self.tokens, strict=True):
            span = slice(place, place + len(tokens))
            place = span.stop
            tags = [self.labels[tag] for tag in self.tags[span].tolist()]
            yield id, tokens, tags, self.probabilities[span].tolist()

    def tsv(self) -> Iterator[str]:
        """Lines ``id<TAB>token<TAB>tag<TAB>probability``."""
        for id, tokens, tags, sure in self._each():
            for token, tag, value in zip(tokens, tags, sure, strict=True):
                yield f"{escape(id)}\t{escape(token)}\t{escape(tag)}\t{value:.6g}\n"

    def jsonl(self) -> Iterator[str]:
        """An object a sentence: id, tokens, tags and their probabilities."""
        for id, tokens, tags, sure in self._each():
            numbers = [short(value) for value in sure]
            said = {"id": id, "tokens": list(tokens), "tags": tags, "probabilities": numbers}
            yield f"{json.dumps(said, ensure_ascii=False)}\n"


@dataclass(frozen=True)
class Written:
    """Examples with the text that is written for each, and its log-probability."""

    ids: Sequence[str]
    texts: Sequence[tuple[str, float]]

    def tsv(self) -> Iterator[str]:
        """Lines ``id<TAB>text<TAB>log-probability``."""
        for id, (text, log) in zip(self.ids, self.texts, strict=True):
            yield f"{escape(id)}\t{escape(text)}\t{log:.6g}\n"

    def jsonl(self) -> Iterator[str]:
        """An object an example: id, text and log_probability."""
        for id, (text, log) in zip(self.ids, self.texts, strict=True):
            said = {"id": id, "text": text, "log_probability": short(log)}
            yield f"{json.dumps(said, ensure_ascii=False)}\n"


Rendered = Labelled | Measured | Tagged | Written


def short(value: float) -> float:
    """A number with six digits."""
    return float(f"{value:.6g}")
