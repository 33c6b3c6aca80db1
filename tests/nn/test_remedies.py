"""Remedies: options that exist, that change something, and that a network can be built with."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from gai.cli.commands import load
from gai.nn.config import Config, resolved
from gai.nn.net.augmenting import augmenter
from gai.nn.net.inputs import Shape
from gai.nn.net.models import build
from gai.nn.remedies import BY_KIND, remedies

OPTIONS = {opt: param for param in load("nn train").params for opt in param.opts}
MODELS = ("mlp", "cnn", "rnn", "lstm", "gru", "transformer")
KINDS = (*BY_KIND, "underfitting")

SHAPES = {
    "ids": Shape("ids", (20,), 3),
    "images": Shape("images", (1, 8, 8), 3),
    "numbers": Shape("numbers", (4,), 3),
}


def tried(config: Config, hint: str) -> list[dict[str, Any]]:
    """The choices that each way of a hint makes, converted as the command line does."""
    known = {f.name: f for f in fields(Config)}
    found = []
    for way in hint.replace(", or ", ", ").split(", "):
        words = shlex.split(way.partition(" (")[0])
        if not words or not words[0].startswith("--"):
            continue  # a word to a person: "more data"
        choices: dict[str, Any] = {}
        for place, word in enumerate(words):
            if word.startswith("--"):
                assert word in OPTIONS, word
                name = word.removeprefix("--").replace("-", "_")
                assert name in known
                value = words[place + 1] if place + 1 < len(words) else "--"
                choices[name] = True if value.startswith("--") else converted(name, value)
        found.append(choices)
    return found


def converted(name: str, text: str) -> Any:
    kind = type(getattr(Config(), name))
    if kind is tuple:
        return tuple(text.split(","))
    if kind is type(None):
        return float(text) if name == "clip_norm" else int(text)
    return kind(text) if kind is not str else text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", MODELS)
def test_what_is_advised_exists_and_makes_a_network(kind: str, model: str) -> None:
    inputs = {"mlp": ("ids", "numbers"), "cnn": ("ids", "images")}.get(model, ("ids",))
    for input in inputs:
        for more in ({}, {"layers": 6}, {"layer_norm": model != "transformer"}, {"dropout": 0.0}):
            small = {"width": 40, "filters": 4, "embedding": 8}
            said = {"model": model, "task": "classify", "input": input}
            config = resolved({**said, **small, **more})
            ways = tried(config, remedies(kind, config, 0.95))
            assert ways or kind == "forget" or model in ("transformer", "gru", "lstm", "rnn")
            for choices in ways:
                changed = config.with_(**choices)
                assert changed != config, (kind, choices)
                if not {"augment", "epochs", "steps"} & set(choices):
                    build(changed, SHAPES[input])


def test_a_sigmoid_is_advised_another_activation_and_a_relu_is_not() -> None:
    plain = resolved({"model": "mlp", "layers": 4})
    assert remedies("vanish", plain.with_(activation="sigmoid")).startswith("--activation relu")
    assert "--activation" not in remedies("vanish", plain)


def test_where_nothing_was_learned_the_rate_comes_first() -> None:
    config = resolved({"model": "mlp", "lr": 1e-5})
    assert remedies("underfitting", config, 0.99).startswith("--lr 0.0001")
    assert remedies("underfitting", config, 0.5).startswith("--dropout")


def test_what_is_well_needs_nothing() -> None:
    assert remedies("fine", Config()) == remedies("unclear", Config()) == ""


WHOLE = {
    "autoencoder": {"task": "reconstruct", "input": "numbers"},
    "vae": {"task": "reconstruct", "input": "numbers"},
    "gan": {"task": "generate", "input": "numbers"},
    "capsnet": {"task": "classify", "input": "images"},
    "siamese": {"task": "match", "input": "images", "encoder": "cnn"},
    "cnn": {"task": "classify", "input": "ids"},
    "mlp": {"task": "classify", "input": "numbers"},
    "lstm": {"task": "tag", "input": "ids"},
}


@pytest.mark.parametrize("kind", ["overfitting", "underfitting"])
@pytest.mark.parametrize("model", WHOLE)
def test_a_size_that_is_advised_changes_the_network(kind: str, model: str) -> None:
    small = {"width": 40, "filters": 16, "embedding": 8, "layers": 1}
    config = resolved({"model": model, **WHOLE[model], **small})
    shape = replace(SHAPES[config.input], per_token=config.task == "tag")
    ways = [w for w in tried(config, remedies(kind, config, 0.5)) if w.keys() & SIZES]
    assert ways
    for choices in ways:
        assert sizes(config.with_(**choices), shape) != sizes(config, shape), choices


SIZES = {"width", "layers", "filters", "capsules"}


def sizes(config: Config, shape: Shape) -> list[torch.Size]:
    """The shapes of all weights."""
    return [weight.shape for weight in build(config, shape).parameters()]


@pytest.mark.parametrize("model", ["ntm", "pretrained"])
def test_no_layer_is_advised_where_there_is_none_to_add(model: str) -> None:
    assert "--layers" not in remedies("underfitting", resolved({"model": model}))


KINDS_OF_INPUT = {"tfidf": "rows", "bow": "rows"}


@pytest.mark.parametrize("input", ["ids", "tfidf", "bow", "numbers", "sequences", "images"])
@pytest.mark.parametrize("task", ["classify", "regress", "tag", "match", "reconstruct", "lm"])
def test_only_augmentations_that_fit_are_advised(input: str, task: str) -> None:
    config = resolved({"task": task, "input": input})
    for choices in tried(config, remedies("overfitting", config).replace("shift,rotate", "shift")):
        if "augment" in choices:
            changed = config.with_(**choices)
            assert augmenter(changed, KINDS_OF_INPUT.get(input, input), ["", "?", "a"]) is not None
