"""One example through networks: every gradient beside a finite difference, and one by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
import torch

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.encoding import Encoding, Scale
from gai.nn.data.labels import Labels
from gai.nn.data.raw import Raw
from gai.nn.data.text import Vocabulary
from gai.nn.net import experiment
from gai.nn.net.showing import chosen
from gai.nn.net.tracing import Trace, trace
from gai.nn.net.watching import exact

WORDS = Vocabulary(["<pad>", "<unk>", *"abcdefgh"], np.ones(10, np.int64))
SMALL: dict[str, Any] = {
    **{"width": 6, "embedding": 5, "filters": 3, "kernels": (2, 3), "heads": 2, "context": 7},
    **{"tokenizer": "whitespace", "dropout": 0.5, "input_dropout": 0.2},
}


def encoding_of(source: str, **choices: Any) -> Encoding:
    """For sources of text over ten terms; of numbers three columns, sequences 4 x 2, images 8 x 8.

    Three labels, or where numbers are learned two of them."""
    task = choices.get("task", "classify")
    made: dict[str, Any] = {"labels": Labels(("x", "y", "z"), choices.pop("several", False))}
    if task in ("regress", "lm"):
        made = {"targets": Scale(np.array([1.0, 2.0]), np.array([2.0, 1.0]))}
        made = {} if task == "lm" else made
    size = {"numbers": (3,), "sequences": (4, 2), "images": (1, 8, 8)}.get(source, (10,))
    texts = source not in ("numbers", "sequences", "images")
    config = Config(**{**SMALL, **choices})
    return Encoding(
        source,
        size,
        config,
        vocabulary=WORDS if texts else None,
        scale=None if texts or source == "images" else Scale(np.zeros(size[-1]), np.ones(size[-1])),
        documents=5,
        **made,
    )


def example_of(encoding: Encoding) -> Raw:
    """Two examples that fit; a long enough text for a language model."""
    chance = np.random.default_rng(3)
    made: dict[str, Any] = {"ids": ["one", "two"], "labels": ["x", "z"]}
    if encoding.labels is not None and encoding.labels.several:
        made["labels"] = [("x", "z"), ()]
    if encoding.targets is not None:
        made["labels"] = np.array([[0.5, 3.0], [2.0, 1.0]])
    if encoding.config.task == "tag":
        made |= {"tokens": [["a", "B"], ["c", "aa", "d"]], "labels": [["x", ""], ["z", "y", "x"]]}
    elif encoding.config.task == "lm":
        made |= {"ids": ["one"], "texts": ["a b c d e f g h a b c d e f g h a b"]}
    elif encoding.vocabulary is not None:
        made["texts"] = ["a b", "c d a unheard e c"]
    else:
        made["array"] = chance.normal(size=(2, *encoding.size)).astype(np.float32)
    return Raw(**made)


RECURRENT = {"activation": "tanh", "layers": 2}
EVERY: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp on numbers": ("numbers", {"input": "numbers", "layers": 2, "activation": "gelu"}),
    "mlp on rows": ("rows", {"input": "tfidf", "activation": "tanh", "layer_norm": True}),
    "mlp on ids": ("terms", {"pool": "avg", "activation": "prelu", "batch_norm": True}),
    "mlp without layers": ("numbers", {"input": "numbers", "layers": 0}),
    "residual mlp": ("numbers", {"input": "numbers", "layers": 2, "residual": True}),
    "cnn": ("terms", {"model": "cnn", "layers": 2}),
    "cnn on images": ("images", {"model": "cnn", "input": "images", "residual": True}),
    "cnn on sequences": ("sequences", {"model": "cnn", "input": "sequences"}),
    "rnn": ("terms", {"model": "rnn", **RECURRENT}),
    "lstm": ("terms", {"model": "lstm", **RECURRENT, "bidirectional": True}),
    "gru": ("terms", {"model": "gru", **RECURRENT, "attention": True, "layer_norm": True}),
    "gru on sequences": ("sequences", {"model": "gru", "input": "sequences", **RECURRENT}),
    "transformer": ("terms", {"model": "transformer", "layers": 2, "activation": "swish"}),
    "lm transformer": ("terms", {"model": "transformer", "task": "lm", "activation": "gelu"}),
    "lm lstm": ("terms", {"model": "lstm", "task": "lm", **RECURRENT}),
    "lm cnn": ("terms", {"model": "cnn", "task": "lm", "activation": "sigmoid"}),
    "tag lstm": ("features", {"model": "lstm", "task": "tag", **RECURRENT, "bidirectional": True}),
    "tag cnn": ("features", {"model": "cnn", "task": "tag"}),
    "several labels": ("rows", {"input": "bow", "loss": "bce", "several": True}),
    **{
        f"{loss} of numbers": ("numbers", {"input": "numbers", "task": "regress", "loss": loss})
        for loss in ("mse", "mae", "huber")
    },
    **{
        f"{loss} of classes": ("numbers", {"input": "numbers", "loss": loss})
        for loss in ("mse", "bce", "hinge", "kl", "focal")
    },
    "smoothed": ("numbers", {"input": "numbers", "label_smoothing": 0.1}),
    "smoothed bce": (
        "numbers",
        {"input": "numbers", "loss": "bce", "label_smoothing": 0.2, "several": True},
    ),
    "smoothed tags": ("features", {"model": "cnn", "task": "tag", "label_smoothing": 0.1}),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are slower on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def traced(name: str, row: int = 2) -> Trace:
    return traced_anew(name, row)


def traced_anew(name: str, row: int = 2) -> Trace:
    source, said = EVERY[name]
    encoding = encoding_of(source, **said)
    torch.manual_seed(5)
    network = experiment.network_of(encoding)
    row = row if encoding.config.task != "lm" else 1
    return trace(network, encoding, chosen(encoding, example_of(encoding), row))


@pytest.mark.parametrize("name", EVERY)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    found = traced(name)
    errors = {weight.weights: weight.error for weight in found.weights if weight.error is not None}
    assert max(errors.values()) < 1e-4, errors
    assert any(weight.gradient for weight in found.weights)
    for chain in found.chains:
        assert chain.error < 1e-4


@pytest.mark.parametrize("name", EVERY)
def test_the_factors_of_the_chain_rule_multiply_to_the_gradient(name: str) -> None:
    for chain in traced(name).chains:
        assert chain.factors[-1].value == pytest.approx(chain.gradient, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", EVERY)
def test_the_loss_falls_after_a_step(name: str) -> None:
    step = traced(name).step
    assert step.descended < step.before
    assert step.optimized < step.before


@pytest.mark.parametrize("name", EVERY)
def test_a_trace_is_the_same_each_time_and_says_what_it_went_through(name: str) -> None:
    first, again = traced(name).as_dict(), traced_anew(name).as_dict()
    assert first == again
    assert first["forward"][-1]["layer"] == first["backward"][0]["layer"] == "head"
    assert first["input"]
    assert first["answers"]


def test_the_chain_of_an_mlp_goes_through_its_last_hidden_layer() -> None:
    assert [chain.weights for chain in traced("mlp on numbers").chains] == [
        "head.weight",
        "body.layers.1.linear.weight",
    ]
    # What is normalised depends on all units: no product of single numbers.
    assert [chain.weights for chain in traced("mlp on ids").chains] == ["head.weight"]
    assert [chain.weights for chain in traced("mlp without layers").chains] == ["head.weight"]


def test_a_language_model_whose_head_is_its_embedding_adds_both_ways_up() -> None:
    (chain,) = traced("lm transformer").chains
    head, embedding, both = (factor.value for factor in chain.factors[-3:])
    assert both == pytest.approx(head + embedding)
    assert embedding != 0.0
    assert [factor.formula for factor in traced("lm lstm").chains[0].factors][-1].startswith(
        "dL/dW"
    )


def by_hand(lr: float, **choices: Any) -> Trace:
    """Two inputs, two hidden units, one output: the example (1, 2), whose target is 1.5."""
    config = Config(input="numbers", task="regress", loss="mse", width=2, lr=lr, **choices)
    one, two = (Scale(np.zeros(n), np.ones(n)) for n in (1, 2))
    encoding = Encoding("numbers", (2,), config, scale=two, targets=one)
    network = experiment.network_of(encoding)
    weights = {
        "body.layers.0.linear.weight": [[0.5, -0.25], [0.25, 0.5]],
        "body.layers.0.linear.bias": [0.5, -0.25],
        "head.weight": [[2.0, -1.0]],
        "head.bias": [0.5],
    }
    network.load_state_dict({name: torch.tensor(values) for name, values in weights.items()})
    raw = Raw(["1"], array=np.array([[1.0, 2.0]], np.float32), labels=np.array([[1.5]]))
    return trace(network, encoding, chosen(encoding, raw, 1))


def test_a_network_worked_by_hand() -> None:
    # z = (0.5 - 0.5 + 0.5, 0.25 + 1 - 0.25) = (0.5, 1), h = z, o = 1 - 1 + 0.5 = 0.5
    # L = (0.5 - 1.5)^2 = 1, dL/do = -2, dL/dW = -2 h, dL/dh = -2 W = (-4, 2), dL/dw = dL/dh x
    found = by_hand(lr=0.01, optimizer="sgd")
    assert [row.first for row in found.forward] == [[0.5, 1.0], [0.5, 1.0], [0.5]]
    assert found.value == 1.0
    assert found.answers == [{"said": 0.5, "true": 1.5, "output": 0.5, "target": 1.5}]
    assert {row.layer: (row.norm, row.largest, row.at) for row in found.backward} == {
        "head": (2.0, -2.0, [0]),
        "body.layers.0.activation": (sqrt(20), -4.0, [0]),
        "body.layers.0.linear": (sqrt(20), -4.0, [0]),
    }
    assert {row.weights: (row.gradient, row.at) for row in found.weights} == {
        "head.weight": (-2.0, [0, 1]),
        "head.bias": (-2.0, [0]),
        "body.layers.0.linear.weight": (-8.0, [0, 1]),
        "body.layers.0.linear.bias": (-4.0, [0]),
    }
    norms = {row.weights: row.norm for row in found.weights}
    assert norms["body.layers.0.linear.weight"] == pytest.approx(10.0)  # -4, -8, 2, 4


def test_a_chain_worked_by_hand() -> None:
    head, hidden = by_hand(lr=0.01).chains
    assert [factor.value for factor in head.factors] == [-2.0, 1.0, -2.0]
    assert head.factors[0].formula == "dL/do[0] = 2 (o[0] - y[0])"
    assert head.factors[0].numbers == "2 (0.5 - 1.5)"
    assert head.label == "head.weight[0, 1]"
    assert [factor.value for factor in hidden.factors] == [-4.0, 1.0, 2.0, -8.0]
    assert hidden.factors[0].numbers == "(-2) * 2"
    assert hidden.factors[1].numbers == "ReLU'(0.5)"
    assert hidden.factors[3].numbers == "(-4) * 1 * 2"


def test_a_step_worked_by_hand() -> None:
    # W = (2.01, -0.98), b = 0.52, w = ((0.54, -0.17), (0.23, 0.46)), (0.54, -0.27):
    # h = (0.74, 0.88), o = 1.4874 - 0.8624 + 0.52 = 1.145
    step = by_hand(lr=0.01, optimizer="sgd").step
    assert step.before == 1.0
    assert step.descended == step.optimized == pytest.approx((1.145 - 1.5) ** 2)
    head, hidden = step.weights
    assert (head.old, head.descended) == (-1.0, pytest.approx(-0.98))
    assert (hidden.old, hidden.descended) == (-0.25, pytest.approx(-0.17))


def test_a_step_that_is_too_long_is_told_as_it_is() -> None:
    # W = (2.1, -0.8), b = 0.7, z = (2.9, -0.2), o = 2.1 * 2.9 + 0.7 = 6.79
    step = by_hand(lr=0.1, optimizer="sgd").step
    assert step.descended == pytest.approx((6.79 - 1.5) ** 2)


RULES: dict[str, Callable[[float, float], float]] = {
    "sgd": lambda w, g: w - 0.01 * g,
    "momentum": lambda w, g: w - 0.01 * g,
    "nesterov": lambda w, g: w - 0.01 * (g + 0.9 * g),
    "adagrad": lambda w, g: w - 0.01 * g / (abs(g) + 1e-10),
    "rmsprop": lambda w, g: w - 0.01 * g / (sqrt(0.01 * g * g) + 1e-8),
    "adam": lambda w, g: w - 0.01 * g / (abs(g) + 1e-8),
    "adamw": lambda w, g: (1 - 0.01 * 0.1) * w - 0.01 * g / (abs(g) + 1e-8),
}


@pytest.mark.parametrize("name", RULES)
def test_the_first_step_of_an_optimiser_is_as_its_rule_says(name: str) -> None:
    decay = 0.1 if name == "adamw" else 0.0
    for moved in by_hand(lr=0.01, optimizer=name, weight_decay=decay).step.weights:
        assert moved.optimized == pytest.approx(RULES[name](moved.old, moved.gradient), rel=1e-12)
        assert moved.descended == pytest.approx(moved.old - 0.01 * moved.gradient, rel=1e-12)


def test_the_optimiser_sees_penalties_and_clipping() -> None:
    (head, _) = by_hand(lr=0.01, optimizer="sgd", l2=0.5).step.weights
    assert head.optimized == pytest.approx(-1.0 - 0.01 * (-2.0 + 2 * 0.5 * -1.0))
    (head, _) = by_hand(lr=0.01, optimizer="sgd", clip_value=0.25).step.weights
    assert head.optimized == pytest.approx(-1.0 + 0.01 * 0.25)


def test_cross_entropy_is_minus_the_log_of_the_probability_of_what_is_true() -> None:
    found = traced("mlp on numbers")
    outputs = [row["output"] for row in found.answers]
    shares = [exp(o) / sum(map(exp, outputs)) for o in outputs]
    assert [row["probability"] for row in found.answers] == pytest.approx(shares)
    assert [row["target"] for row in found.answers] == [0, 0, 1]
    assert found.value == pytest.approx(-log(shares[2]))


def test_answers_about_tokens_name_them() -> None:
    found = traced("tag cnn", row=1)
    assert [(row["token"], row["true"]) for row in found.answers] == [("a", "x"), ("B", "")]
    assert found.answers[1]["probability"] is None
    assert found.value == pytest.approx(-log(found.answers[0]["probability"]))
    words = traced("lm lstm").answers
    assert [(row["token"], row["true"]) for row in words[:2]] == [("a", "b"), ("b", "c")]


def test_what_is_read_of_an_example_is_shown() -> None:
    assert [row["token"] for row in traced("cnn").input] == ["c", "d", "a", "<unk>", "e", "c"]
    terms = traced("several labels", row=2).input
    assert (terms[0]["term"], terms[0]["weight"]) == ("c", pytest.approx(log(3)))
    assert sorted(row["term"] for row in terms) == ["a", "c", "d", "e"]
    numbers = traced("mlp on numbers").input
    assert [row["number"] for row in numbers] == ["0", "1", "2"]
    assert [row["value"] for row in numbers] == [row["scaled"] for row in numbers]
    assert len(traced("gru on sequences").input) == 4
    assert len(traced("cnn on images").input) == 8


def test_a_text_without_terms_has_a_trace_too() -> None:
    encoding = encoding_of("terms", model="lstm", activation="tanh")
    raw = Raw(["1"], texts=[""], labels=["x"])
    found = trace(experiment.network_of(encoding), encoding, chosen(encoding, raw, 1))
    assert found.input == []
    embedding = next(row for row in found.weights if row.weights == "body.embedding.weight")
    assert (embedding.norm, embedding.difference) == (0.0, None)


def test_windows_of_a_language_model_lie_one_behind_the_other() -> None:
    encoding = encoding_of("terms", model="lstm", task="lm", activation="tanh")
    found = chosen(encoding, example_of(encoding), 2)
    assert found.name == "window 2 of 2"
    assert found.batch.inputs.values.tolist() == [[9, 2, 3, 4, 5, 6, 7]]
    with pytest.raises(UsageError, match="no example 3: the data has 2 windows of 7 tokens"):
        chosen(encoding, example_of(encoding), 3)


def test_a_text_shorter_than_the_context_is_one_window() -> None:
    encoding = encoding_of("terms", model="lstm", task="lm", activation="tanh")
    found = chosen(encoding, Raw(["1"], texts=["a b c"]), 1)
    assert found.batch.inputs.values.tolist() == [[2, 3]]
    with pytest.raises(GaiError, match="fewer than two tokens"):
        chosen(encoding, Raw(["1"], texts=["a"]), 1)


def test_an_example_that_is_not_there_or_has_an_unknown_label_is_an_error() -> None:
    encoding = encoding_of("terms", model="cnn")
    with pytest.raises(UsageError, match="no example 3: the data has 2 examples"):
        chosen(encoding, example_of(encoding), 3)
    with pytest.raises(GaiError, match="training never saw the label '\\?'") as caught:
        chosen(encoding, Raw(["1"], texts=["a"], labels=["?"]), 1)
    assert caught.value.hint == "it knows x, y, z"


def test_the_network_is_as_it_was_after_a_trace() -> None:
    encoding = encoding_of("terms", model="gru", activation="tanh")
    network = experiment.network_of(encoding).train()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    trace(network, encoding, chosen(encoding, example_of(encoding), 1))
    assert all(torch.equal(before[name], w) for name, w in network.state_dict().items())
    assert network.training
    assert all(weight.grad is None for weight in network.parameters())
    assert next(exact(network).parameters()).dtype == torch.float64
