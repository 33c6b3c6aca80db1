"""Stages: batches to encoders, one a thread, and what becomes of their tokens, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gai import kernels
from gai.documents import Batch, Errors
from gai.phrases.model import Phrases
from gai.terms.forming import before_forms, forming
from gai.terms.jobs import small_job
from gai.texts.encoding import Encoded, Encoder, KernelEncoder, PhraseEncoder, PlainEncoder
from gai.texts.units import Split, tokens_with_places
from gai.threads import by_workers
from gai.tokens.analysis import Analysis

Out = TypeVar("Out")


@dataclass(frozen=True)
class Stage:
    """Documents on their way to text again; ``errors`` says what happens to bytes that are no
    UTF-8.

    ``split`` finds the tokens where the analysis alone does not say how; ``places`` asks where
    each stands; ``phrases`` become one token each. ``jobs`` is the number of threads. ``engine``
    is "kernels", "reference" (plain Python) or "auto"; neither changes the result.
    """

    batches: Iterable[Batch]
    analysis: Analysis
    split: Split | None = None
    places: bool = False
    jobs: int = 1
    engine: str = "auto"
    errors: Errors = "strict"
    phrases: Phrases | None = None

    def each(self, render: Callable[[Encoded], Out]) -> Iterator[Out]:
        """What ``render`` makes of the tokens of each batch, in order; it runs in the threads."""
        batches, encoders = self._ready()
        if self.phrases is not None:
            encoders = [PhraseEncoder(encoder, self.phrases) for encoder in encoders]
        return by_workers(lambda encoder, batch: render(encoder.encode(batch)), batches, encoders)

    def _ready(self) -> tuple[Iterator[Batch], Sequence[Encoder]]:
        analysis, stream = self.analysis, iter(self.batches)
        errors = self.errors
        made = forming(analysis)
        plain = self.engine == "reference" or self.split is not None or not analysis.scanned
        if self.engine == "auto" and not plain:
            task = "locate" if self.places else "encode"
            stream, plain = small_job(stream, [f"{task}_{analysis.tokenizer}", "join_terms"])
        if plain:
            return stream, [
                PlainEncoder(self.split or tokens_with_places(before_forms(analysis)), errors, made)
            ]
        loaded = kernels.load()
        many = range(max(self.jobs, 1))
        return stream, [KernelEncoder(analysis, errors, loaded, made, self.places) for _ in many]
