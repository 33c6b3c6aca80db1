"""What a run takes over from the run that it goes on from: choices, terms, scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from gai.errors import UsageError
from gai.nn.config import Config
from gai.nn.data import encoding as encodings
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.data.text import Vocabulary, characters_in, counted

KEPT = ("input", "unit", "window", "min_count", "max_length")
"""Choices about the data that go with the input side of a network."""

FREE = ("dropout", "input_dropout", "freeze_vectors", "vectors", "weights_init")
"""Choices about the network that are no matter of its weights' shapes."""


def inherited(before: Config) -> dict[str, Any]:
    """The choices that a network has brought along: its architecture, and how text becomes ids."""
    kept = {
        f.name: getattr(before, f.name)
        for f in fields(Config)
        if (f.metadata["section"] in ("model", "text") and f.name not in FREE) or f.name in KEPT
    }
    return kept | {"causal": before.causal or before.task == "lm"}


def require_same(said: Mapping[str, Any], before: Config) -> None:
    """Raises UsageError for a choice that the weights do not fit."""
    for name, value in inherited(before).items():
        if name in said and name != "max_length" and said[name] != value:
            option = name.replace("_", "-")
            message = f"--{option} {said[name]}: the weights are those of {option} {value}"
            raise UsageError(message, "leave it out, or train a new model with it")


def refit(before: Encoding, raw: Raw, config: Config) -> Encoding:
    """The encoding of a network that learns on: its input as it was, its answers those of ``raw``.

    A vocabulary of ids grows by the terms that it lacked. Raises GaiError or UsageError where the
    network cannot read the examples.
    """
    require_readable(before, config)
    before = replace(before, config=config, ready={})
    vocabulary = before.vocabulary
    if before.source in ("terms", "characters") and vocabulary is not None:
        vocabulary = grown(vocabulary, before.source, raw, config)
        before = replace(before, vocabulary=vocabulary, size=(len(vocabulary),))
    return replace(before, **encodings.answers_of(raw, config))


def require_readable(before: Encoding, config: Config) -> None:
    """Raises UsageError for a task that reads other inputs than the network has learned from, or
    has another network."""
    if config.task != before.config.task and "seq2seq" in (config.task, before.config.task):
        message = f"--task {config.task}: the model was trained for --task {before.config.task}"
        raise UsageError(message, "a network that writes goes on as one, and no other becomes one")
    tags = config.task == "tag"
    if tags != (before.source == "features") and before.kind == "ids":
        reads = "features of words" if before.source == "features" else before.source
        message = f"--task {config.task}: the model reads {reads}"
        raise UsageError(message, "tags go on from tags, other tasks from other tasks")


def grown(before: Vocabulary, source: str, raw: Raw, config: Config) -> Vocabulary:
    """The terms of before, and behind them those of the examples that are frequent enough."""
    texts = encodings.texts_of(raw)
    found = characters_in(texts) if source == "characters" else encodings.terms_of(texts, config)
    counts = counted(found)
    fresh = [place for place, term in enumerate(found.terms) if term not in before.ids]
    added = Vocabulary.of(
        [found.terms[place] for place in fresh], counts[fresh], config.min_count, config.max_vocab
    )
    special = len(added) - len(added.ids)
    return Vocabulary(
        [*before.terms, *added.terms[special:]],
        np.concatenate([before.counts, added.counts[special:]]),
    )
