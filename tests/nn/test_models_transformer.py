"""The transformer against torch's own layers; its cache; what its weights begin with."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.config import resolved
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import Network, build
from gai.nn.net.models.transformer import Transformer

IDS = Shape("ids", (15,), 3)
TAGS = Shape("ids", (15,), 3, per_token=True)
LM = Shape("ids", (15,), 15, per_token=True, causal=True)
LENGTHS = torch.tensor([3, 6, 1])


def network(shape: Shape, **options: Any) -> Network:
    torch.manual_seed(10)
    small = {"width": 8, "heads": 2, "context": 6, "dropout": 0.0, "layers": 2}
    return build(resolved({"model": "transformer", **small, **options}), shape)


def inputs() -> Inputs:
    torch.manual_seed(11)
    values = torch.randint(1, 15, (3, 6))
    return Inputs(values * (torch.arange(6) < LENGTHS[:, None]), LENGTHS)


def torchs(net: Network, given: Inputs, **masks: Any) -> Tensor:
    """What torch's layers make of the embeddings with the weights of ``net``, [B, T, width]."""
    weight = net.get_parameter
    x = weight("body.embedding.weight")[given.values] + weight("body.places.weight")[:6]
    names = {
        "self_attn.in_proj_weight": "attention.qkv.weight",
        "self_attn.out_proj.weight": "attention.out.weight",
        "linear1.weight": "up.weight",
        "linear2.weight": "down.weight",
        "norm1.weight": "attention_norm.weight",
        "norm2.weight": "dense_norm.weight",
    }
    for place in range(2):
        layer = nn.TransformerEncoderLayer(
            8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True, bias=False
        )
        own = {theirs: weight(f"body.layers.{place}.{ours}") for theirs, ours in names.items()}
        assert own.keys() == dict(layer.named_parameters()).keys()
        layer.load_state_dict({name: value.detach() for name, value in own.items()})
        x = layer(x, **masks)
    return nn.functional.layer_norm(x, (8,), weight("body.norm.weight"))


def larger(net: Network) -> Network:
    """The same with weights that matter: the first ones hardly change what passes by."""
    for name, weight in net.named_parameters():
        nn.init.normal_(weight, 1.0 if "norm" in name else 0.0, 0.4)
    return net


def test_blocks_are_torchs() -> None:
    net, given = larger(network(TAGS)), inputs()
    real = torch.arange(6) < LENGTHS[:, None]
    expected = torchs(net, given, src_key_padding_mask=~real)
    torch.testing.assert_close(net.features(given)[real], expected[real], rtol=1e-5, atol=1e-5)
    pooled = larger(network(IDS, pool="max")).features(given)
    torch.testing.assert_close(pooled[0], expected[0, :3].amax(0), rtol=1e-5, atol=1e-5)


def test_causal_blocks_are_torchs() -> None:
    net, given = larger(network(LM)), Inputs(torch.randint(1, 15, (3, 6)), torch.full((3,), 6))
    later = torch.ones(6, 6, dtype=torch.bool).triu(1)
    expected = torchs(net, given, src_mask=later, is_causal=True)
    torch.testing.assert_close(net.features(given), expected, rtol=1e-5, atol=1e-5)


def test_sequences_are_projected() -> None:
    net = network(Shape("sequences", (6, 2), 3), pool="avg")
    x = torch.randn(3, 6, 2)
    entered: list[Tensor] = []
    net.get_submodule("body.layers.0").register_forward_pre_hook(
        lambda module, given: entered.append(given[0])
    )
    net(Inputs(x))
    places = net.get_parameter("body.places.weight")
    torch.testing.assert_close(entered[0], net.get_submodule("body.projection")(x) + places)


def test_the_head_of_a_language_model_is_its_embedding() -> None:
    net = network(LM)
    assert net.head.weight is net.get_parameter("body.embedding.weight")
    assert net.head.bias is None
    assert "head.weight" not in dict(net.named_parameters())
    assert build_with(torch.randn(15, 8)).head.weight.shape == (15, 8)


def test_a_head_of_its_own_where_the_embedding_is_of_another_width_or_frozen() -> None:
    net = build_with(torch.randn(15, 5))
    assert net.get_parameter("body.embedding.weight").shape == (15, 5)
    assert net.head.weight.shape == (15, 8)
    assert net.head.bias is not None
    frozen = network(LM, freeze_vectors=True)
    assert frozen.head.weight is not frozen.get_parameter("body.embedding.weight")
    assert frozen.head.weight.requires_grad


def build_with(vectors: Tensor) -> Network:
    options = {"model": "transformer", "width": 8, "heads": 2, "context": 6}
    return build(resolved(options), LM, vectors)


def test_first_weights_are_those_of_gpt_2() -> None:
    net = network(Shape("ids", (500,), 500, True, True), width=128, heads=4, layers=3)
    for name, weight in net.named_parameters():
        if "norm" in name:
            assert weight.eq(1.0).all()
            continue
        scale = math.sqrt(6) if name.endswith(("out.weight", "down.weight")) else 1.0
        assert float(weight.detach().std()) == pytest.approx(0.02 / scale, rel=0.1), name
    assert net.get_parameter("body.embedding.weight")[:2].eq(0).all()
    other = network(IDS, weights_init="xavier").get_parameter("body.layers.0.up.weight")
    assert float(other.detach().std()) > 0.1


def test_more_tokens_than_the_context_are_an_error() -> None:
    net = network(IDS)
    with pytest.raises(GaiError, match="7 tokens are more than the 6") as error:
        net(Inputs(torch.ones(1, 7, dtype=torch.long), torch.tensor([7])))
    assert error.value.hint == "--context-size 7 at training, or --max-length 6"


def test_beyond_its_context_a_language_model_sees_the_last_tokens() -> None:
    net = larger(network(LM)).eval()
    ids = torch.randint(1, 15, (2, 14))
    said, state = net.step(ids[:, :4])
    for end in range(5, 14):
        said, state = net.step(ids[:, end - 1 : end], state)
        window = ids[:, max(end - 6, 0) : end]
        expected = net(Inputs(window, torch.tensor([window.shape[1]] * 2)))[:, -1]
        torch.testing.assert_close(said, expected, rtol=1e-5, atol=1e-5)
    said, _ = net.step(ids)
    expected = net(Inputs(ids[:, -6:], torch.tensor([6, 6])))[:, -1]
    torch.testing.assert_close(said, expected, rtol=1e-5, atol=1e-5)


def test_a_context_may_slide_by_several_tokens() -> None:
    net = larger(network(LM)).eval()
    assert isinstance(net.body, Transformer)
    net.body.slide = 3
    ids = torch.randint(1, 15, (1, 12))
    said, state = net.step(ids[:, :6])
    lengths = []
    for end in range(7, 12):
        said, state = net.step(ids[:, end - 1 : end], state)
        lengths.append(state[0].shape[1])
        window = ids[:, end - lengths[-1] : end]
        expected = net(Inputs(window, torch.tensor([window.shape[1]])))[:, -1]
        torch.testing.assert_close(said, expected, rtol=1e-5, atol=1e-5)
    assert lengths == [4, 5, 6, 4, 5]


@pytest.mark.parametrize("shape", [IDS, LM])
def test_watching_shows_attention_and_changes_nothing(shape: Shape) -> None:
    net, given = larger(network(shape)).eval(), inputs()
    before = net(given)
    with net.watch() as seen:
        torch.testing.assert_close(net(given), before)
    assert list(seen) == ["body.layers.0.attention", "body.layers.1.attention"]
    weights = seen["body.layers.0.attention"]
    assert weights.shape == (3, 2, 6, 6)
    torch.testing.assert_close(weights.sum(3), torch.ones(3, 2, 6))
    unseen = weights[:, :, 0, 1:] if shape.causal else weights[0, :, :, 3:]
    assert unseen.eq(0).all()
    assert net.get_submodule("body.layers.0.attention").watcher is None


def test_dropout_works_in_training_only() -> None:
    net, given = network(IDS, dropout=0.5), inputs()
    assert not torch.equal(net(given), net(given))
    net.eval()
    assert torch.equal(net(given), net(given))
