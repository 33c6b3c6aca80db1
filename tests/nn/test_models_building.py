"""All networks alike: shapes, what fits together, padding, causality, first weights, gradients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from gai.errors import GaiError, UsageError
from gai.nn.config import Config, resolved
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import Network, build

SMALL = {
    **{"embedding": 6, "width": 8, "heads": 2, "context": 16, "filters": 5, "kernels": (2, 3, 5)},
    **{"dropout": 0.0, "layers": 2},
}

IDS = Shape("ids", (20,), 3)
TAGS = replace(IDS, per_token=True)
LM = Shape("ids", (20,), 20, per_token=True, causal=True)

SHAPES = {
    "ids": IDS,
    "rows": Shape("rows", (20,), 3),
    "numbers": Shape("numbers", (4,), 3),
    "sequences": Shape("sequences", (7, 2), 3),
    "images": Shape("images", (2, 6, 9), 3),
}

FITTING = [
    *(("mlp", kind) for kind in SHAPES),
    *(("cnn", kind) for kind in ("ids", "sequences", "images")),
    *((m, kind) for m in ("rnn", "lstm", "gru", "transformer") for kind in ("ids", "sequences")),
]

OF_IDS: list[tuple[str, dict[str, Any]]] = [
    ("mlp", {"pool": "avg"}),
    ("mlp", {"pool": "max", "layer_norm": True, "residual": True}),
    ("mlp", {"batch_norm": True}),
    ("cnn", {"layers": 1}),
    ("cnn", {"pool": "avg", "activation": "swish", "residual": True}),
    ("cnn", {"layer_norm": True, "activation": "sigmoid"}),
    ("cnn", {"batch_norm": True}),
    ("rnn", {}),
    ("rnn", {"bidirectional": True, "activation": "relu", "residual": True}),
    ("lstm", {"bidirectional": True}),
    ("lstm", {"attention": True, "layer_norm": True}),
    ("gru", {"bidirectional": True, "attention": True}),
    ("gru", {"batch_norm": True, "bidirectional": True}),
    ("transformer", {"pool": "avg"}),
    ("transformer", {"pool": "max"}),
]

OF_TOKENS = [
    ("cnn", {}),
    ("rnn", {}),
    ("lstm", {"bidirectional": True}),
    ("gru", {"bidirectional": True, "residual": True}),
    ("transformer", {}),
]

OF_LANGUAGE = [
    ("cnn", {}),
    ("rnn", {"residual": True}),
    ("lstm", {"layer_norm": True}),
    ("gru", {"layers": 1}),
    ("transformer", {}),
]

TEXTS = [[5, 3, 9, 4, 4, 12], [7], [2, 1], [19, 3, 3, 8, 5, 6, 7, 8, 9]]


def config(model: str, **options: Any) -> Config:
    return resolved({"model": model, **SMALL, **options})


def network(model: str, shape: Shape, **options: Any) -> Network:
    torch.manual_seed(3)
    return build(config(model, **options), shape)


def padded(texts: list[list[int]], width: int | None = None) -> Inputs:
    width = width or max(map(len, texts))
    values = torch.tensor([text + [0] * (width - len(text)) for text in texts])
    return Inputs(values, torch.tensor(list(map(len, texts))))


def batch(shape: Shape) -> Inputs:
    """Two examples."""
    torch.manual_seed(4)
    if shape.kind == "ids":
        return padded([[4, 3, 2], [5]])
    if shape.kind == "rows":
        cells = torch.tensor([3, 7, 7, 1])
        return Inputs(cells, torch.tensor([0, 3]), torch.tensor([0.5, 1.0, 2.0, 3.0]))
    return Inputs(torch.randn(2, *shape.size))


def live(net: Network) -> Network:
    """The same, normalisations somewhere in the middle of a training, to answer."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, 0.0, 0.3)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]
    return net.eval()


@pytest.mark.parametrize(("model", "kind"), FITTING)
def test_every_model_has_features_and_outputs_for_all_it_takes(model: str, kind: str) -> None:
    net, inputs = network(model, SHAPES[kind]), batch(SHAPES[kind])
    features = net.features(inputs)
    assert features.shape == (2, net.body.width)
    assert net(inputs).shape == (2, 3)
    assert torch.equal(net(inputs), net.head(features))


@pytest.mark.parametrize(("model", "options"), OF_TOKENS)
def test_an_answer_for_each_token(model: str, options: dict[str, Any]) -> None:
    net = network(model, TAGS, **options)
    assert net.features(padded(TEXTS)).shape == (4, 9, net.body.width)
    assert net(padded(TEXTS)).shape == (4, 9, 3)


@pytest.mark.parametrize("model", ["mlp", "cnn", "rnn", "lstm", "gru", "transformer"])
def test_tokens_of_several_features(model: str) -> None:
    net = network(model, IDS).eval()
    values = torch.tensor([[[3, 4], [5, 0]], [[7, 8], [0, 0]]])
    together = net(Inputs(values, torch.tensor([2, 1])))
    alone = net(Inputs(values[1:, :1], torch.tensor([1])))
    torch.testing.assert_close(together[1:], alone, rtol=1e-5, atol=1e-6)


BAD: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("rnn", "rows", {}, "rnn does not take rows of tfidf or bow", "mlp does; --input ids"),
    ("transformer", "images", {}, "transformer does not take images", "mlp, cnn does"),
    ("cnn", "numbers", {}, "cnn does not take rows of numbers", "mlp does"),
    ("lstm", "images", {}, "lstm does not take images", "mlp, cnn does"),
    ("mlp", "ids", {"attention": True}, "--attention is for recurrent", "rnn, lstm, gru"),
    ("cnn", "ids", {"bidirectional": True}, "--bidirectional is for recurrent", "rnn"),
    ("gru", "ids", {"activation": "relu"}, "gru has no activation relu", "--activation tanh"),
    ("rnn", "ids", {"activation": "gelu"}, "rnn has no activation gelu", "tanh or relu"),
    ("mlp", "ids", {"batch_norm": True, "layer_norm": True}, "two ways", "one of them"),
    ("transformer", "ids", {"heads": 3}, "--width 8 cannot be shared among 3 heads", "--width 9"),
    ("transformer", "ids", {"batch_norm": True}, "no --batch-norm", "without it"),
    ("cnn", "images", {"activation": "softmax"}, "softmax", "relu"),
    ("cnn", "ids", {"kernels": (3, 0)}, "--kernels", "3,4,5"),
    ("mlp", "rows", {"layers": 0}, "hidden layer", "--layers 1"),
    ("lstm", "ids", {"layers": 0}, "--layers 0", "--layers 1"),
    ("mlp", "ids", {"width": 0}, "--width must be at least 1", "--width 128"),
]


@pytest.mark.parametrize(("model", "kind", "options", "message", "hint"), BAD)
def test_what_cannot_be_says_what_fits(
    model: str, kind: str, options: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        network(model, SHAPES[kind], **options)
    assert hint in (error.value.hint or "")


def test_what_cannot_be_for_each_token() -> None:
    with pytest.raises(UsageError, match="mlp has no answer for each token"):
        network("mlp", TAGS)
    with pytest.raises(UsageError, match="has its own"):
        network("lstm", TAGS, attention=True)
    with pytest.raises(UsageError, match="in one direction"):
        network("lstm", LM, bidirectional=True)


@pytest.mark.parametrize(("model", "options"), OF_IDS)
def test_a_text_has_the_same_outputs_alone_and_in_any_batch(
    model: str, options: dict[str, Any]
) -> None:
    net = live(network(model, IDS, **options))
    together = net(padded(TEXTS, 14))
    for place, text in enumerate(TEXTS):
        alone = net(padded([text]))
        torch.testing.assert_close(together[place], alone[0], rtol=1e-5, atol=1e-6)
        assert alone.isfinite().all()
    whole = net(Inputs(torch.tensor([TEXTS[0]])))
    torch.testing.assert_close(together[0], whole[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("model", "options"), OF_TOKENS)
def test_a_token_has_the_same_outputs_alone_and_in_any_batch(
    model: str, options: dict[str, Any]
) -> None:
    net = live(network(model, TAGS, **options))
    together = net(padded(TEXTS, 14))
    for place, text in enumerate(TEXTS):
        alone = net(padded([text]))[0]
        torch.testing.assert_close(together[place, : len(text)], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("model", "options"), OF_IDS)
def test_padding_changes_no_gradient(model: str, options: dict[str, Any]) -> None:
    net = network(model, IDS, **options).double()
    first = gradients(net, padded(TEXTS))
    second = gradients(net, padded(TEXTS, 16))
    for name, gradient in first.items():
        torch.testing.assert_close(gradient, second[name], msg=name)


def gradients(net: Network, inputs: Inputs) -> dict[str, Tensor]:
    net.zero_grad()
    net(inputs).square().sum().backward()
    return {name: w.grad.clone() for name, w in net.named_parameters() if w.grad is not None}


@pytest.mark.parametrize(("model", "options"), OF_IDS)
def test_a_text_without_tokens_or_of_padding_alone_has_finite_outputs(
    model: str, options: dict[str, Any]
) -> None:
    net = network(model, IDS, **options)
    inputs = Inputs(torch.tensor([[0, 0], [1, 0], [0, 0]]), torch.tensor([0, 1, 1]))
    found = gradients(net, inputs)
    assert all(gradient.isfinite().all() for gradient in found.values())
    outputs = net.eval()(inputs)
    assert outputs.isfinite().all()
    torch.testing.assert_close(outputs[0], outputs[2])


@pytest.mark.parametrize("model", ["cnn", "rnn", "lstm", "gru", "transformer"])
def test_zeros_before_the_end_are_tokens(model: str) -> None:
    """Lengths say what is real, not ids."""
    net = network(model, IDS).eval()
    with torch.no_grad():
        net.get_parameter("body.embedding.weight")[0] = 5.0
    longer = net(padded([[4, 0, 3]]))
    assert not torch.allclose(longer, net(padded([[4, 3]])))
    torch.testing.assert_close(net(padded([[4, 0, 3]], 9)), longer, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("model", "options"), OF_LANGUAGE)
def test_a_later_token_changes_nothing_before_it(model: str, options: dict[str, Any]) -> None:
    net = network(model, LM, **options).eval()
    ids = torch.tensor([[4, 3, 2, 9, 9, 5, 6, 7]])
    lengths = torch.tensor([8])
    other = ids.clone()
    other[0, 5] = 11
    before, after = net(Inputs(ids, lengths)), net(Inputs(other, lengths))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[0, 5:] != after[0, 5:]).any(1).all()


@pytest.mark.parametrize(("model", "options"), OF_LANGUAGE)
def test_step_by_step_says_the_same_as_all_at_once(model: str, options: dict[str, Any]) -> None:
    net = network(model, LM, **options).eval()
    ids = torch.randint(1, 20, (2, 16))
    whole = net(Inputs(ids, torch.tensor([16, 16])))
    said, state = net.step(ids[:, :3])
    for place in range(3, 14):
        torch.testing.assert_close(said, whole[:, place - 1], rtol=1e-5, atol=1e-6)
        said, state = net.step(ids[:, place : place + 1], state)
    said, _ = net.step(ids[:, 14:], state)
    torch.testing.assert_close(said, whole[:, -1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("model", "options"), OF_IDS)
def test_gradients_agree_with_finite_differences(model: str, options: dict[str, Any]) -> None:
    net = network(model, IDS, **options).double()
    assert differentiated(net, padded(TEXTS))


@pytest.mark.parametrize(("model", "options"), OF_LANGUAGE)
def test_gradients_of_language_models_agree_too(model: str, options: dict[str, Any]) -> None:
    net = network(model, LM, **options).double()
    assert differentiated(net, Inputs(torch.randint(1, 20, (2, 6)), torch.tensor([6, 6])))


@pytest.mark.parametrize(("model", "kind"), [one for one in FITTING if one[1] != "ids"])
def test_gradients_of_what_is_no_text_agree_too(model: str, kind: str) -> None:
    activation = "tanh" if model in ("rnn", "lstm", "gru") else "elu"
    net = network(model, SHAPES[kind], activation=activation).double()
    inputs = batch(SHAPES[kind])
    if inputs.weights is not None:
        inputs = inputs._replace(weights=inputs.weights.double())
    else:
        inputs = inputs._replace(values=inputs.values.double())
    assert differentiated(net, inputs)


def differentiated(net: Network, inputs: Inputs) -> bool:
    """Whether the gradients of all weights are those that small steps show."""
    names, weights = zip(*net.named_parameters(), strict=True)

    def outputs(*values: Tensor) -> Tensor:
        named = dict(zip(names, values, strict=True))
        return functional_call(net, named, (inputs,), tie_weights=True)  # type: ignore[no-any-return]

    return torch.autograd.gradcheck(outputs, weights, fast_mode=True)


@pytest.mark.parametrize(("model", "options"), OF_IDS)
def test_the_same_seed_gives_the_same_weights_bit_for_bit(
    model: str, options: dict[str, Any]
) -> None:
    def trained() -> list[Tensor]:
        net = network(model, IDS, **options, **{"input_dropout": 0.2, "weights_init": "xavier"})
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            net(padded(TEXTS)).square().sum().backward()
            optimizer.step()
        return list(net.parameters())

    assert all(map(torch.equal, trained(), trained()))


PRELU = [("mlp", "ids"), ("cnn", "ids"), ("cnn", "images"), ("transformer", "ids")]


@pytest.mark.parametrize(("model", "kind"), PRELU)
def test_slopes_of_prelu_are_learned(model: str, kind: str) -> None:
    net = network(model, SHAPES[kind], activation="prelu")
    found = gradients(net, batch(SHAPES[kind]))
    slopes = [name for name in found if name.endswith("activation.weight")]
    assert len(slopes) >= 2
    assert all(found[name].abs().sum() > 0 for name in slopes)


def test_names_of_layers_can_be_read() -> None:
    names = dict(network("lstm", IDS, bidirectional=True, attention=True).named_parameters())
    assert {name.rpartition(".")[0] for name in names} == {
        "body.embedding",
        "body.layers.0.ahead",
        "body.layers.0.back",
        "body.layers.1.ahead",
        "body.layers.1.back",
        "body.attention.hidden",
        "body.attention.score",
        "head",
    }


@pytest.mark.parametrize("model", ["mlp", "cnn", "gru", "transformer"])
@pytest.mark.parametrize("weights_init", ["default", "he"])
def test_vectors_become_the_embeddings(model: str, weights_init: str) -> None:
    vectors = torch.randn(20, 10)
    net = build(config(model, weights_init=weights_init), IDS, vectors)
    weight = net.get_parameter("body.embedding.weight")
    assert torch.equal(weight[1:], vectors[1:])
    assert weight[0].eq(0).all()
    assert weight.requires_grad
    assert net(padded(TEXTS)).shape == (4, 3)


def test_frozen_vectors_do_not_learn() -> None:
    net = build(config("cnn", freeze_vectors=True), IDS, torch.randn(20, 10))
    assert "body.embedding.weight" not in gradients(net, padded(TEXTS))
    again = build(config("cnn", freeze_vectors=True, embedding=10, vectors="words.vec"), IDS)
    assert not again.get_parameter("body.embedding.weight").requires_grad


def test_vectors_of_another_vocabulary_are_an_error() -> None:
    with pytest.raises(GaiError, match="of 19 terms, the vocabulary has 20"):
        build(config("cnn"), IDS, torch.randn(19, 10))


def test_embeddings_begin_small_those_of_padding_and_unknown_terms_at_zero() -> None:
    weight = network("lstm", Shape("ids", (3000,), 3)).get_parameter("body.embedding.weight")
    assert float(weight.detach().std()) == pytest.approx(0.1, rel=0.05)
    assert weight[:2].eq(0).all()


def test_first_weights_by_name_reach_the_layers() -> None:
    net = network("mlp", SHAPES["numbers"], weights_init="orthogonal", width=4)
    weight = net.get_parameter("body.layers.0.linear.weight")
    torch.testing.assert_close(weight @ weight.T, torch.eye(4))


def test_attention_shows_its_weights_only_to_who_watches() -> None:
    net = network("gru", IDS, attention=True).eval()
    with net.watch() as seen:
        net(padded(TEXTS))
    weights = seen["body.attention"]
    torch.testing.assert_close(weights.sum(1), torch.ones(4))
    assert weights[1].tolist() == [1.0] + [0.0] * 8
    seen.clear()
    net(padded(TEXTS))
    assert not seen
