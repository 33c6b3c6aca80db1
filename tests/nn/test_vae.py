"""Variational autoencoders against torch's distributions, and bounds against true likelihoods."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.distributions import Bernoulli, Normal, kl_divergence

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding, Scale
from gai.nn.data.labels import Labels
from gai.nn.data.raw import Raw
from gai.nn.net import sampling
from gai.nn.net.batches import taker
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.learning import variational
from gai.nn.net.learning.variational import Bound, parts
from gai.nn.net.models import Model, build
from gai.nn.net.models.vae import VAE, Posterior

CPU = torch.device("cpu")
IMAGES = Config(model="vae", task="reconstruct", input="images", loss="bce", width=16, code=3)
NUMBERS = IMAGES.with_(input="numbers", loss="mse")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def pixels(count: int = 20) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((count, 1, 4, 3)).astype(np.float32)


def network_for(config: Config, *size: int) -> VAE:
    torch.manual_seed(0)
    kind: Any = config.input
    made = build(config, Shape(kind, size, math.prod(size))).eval()
    assert isinstance(made, VAE)
    return made


def encoding_for(config: Config, *size: int, **more: Any) -> Encoding:
    return Encoding(config.input, size, config, **more)


def inputs_of(array: NDArray[np.float32]) -> Inputs:
    data = Dataset(array, None, [""] * len(array))
    return taker(data, CPU)(np.arange(len(array))).inputs


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 99))
def test_the_divergence_is_that_of_torch_s_distributions(rows: int, width: int, seed: int) -> None:
    torch.manual_seed(seed)
    mean, log_variance = torch.randn(2, rows, width)
    posterior = Normal(mean, torch.exp(0.5 * log_variance))
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(Posterior(mean, log_variance).kl(), expected, atol=1e-5)


def test_codes_are_drawn_as_torch_draws_them_and_pass_gradients() -> None:
    mean = torch.tensor([[1.0, -2.0]], requires_grad=True)
    log_variance = torch.tensor([[0.0, 2.0]], requires_grad=True)
    noise = torch.tensor([[0.5, -1.0]])
    drawn = Posterior(mean, log_variance).drawn(noise)
    assert drawn.tolist() == [[1.5, pytest.approx(-2.0 - math.e)]]
    drawn.sum().backward()
    assert mean.grad is not None
    assert mean.grad.tolist() == [[1.0, 1.0]]
    assert log_variance.grad is not None
    assert log_variance.grad.tolist() == [[0.25, pytest.approx(-math.e / 2)]]


def test_the_surprise_at_pixels_is_torch_s_bernoulli() -> None:
    network = network_for(IMAGES, 1, 4, 3)
    outputs, right = torch.randn(5, 12), torch.rand(5, 12)
    expected = -Bernoulli(logits=outputs, validate_args=False).log_prob(right).sum(1)
    assert torch.allclose(network.surprise(outputs, right), expected, atol=1e-5)


def test_the_surprise_at_numbers_is_torch_s_normal_with_one_deviation() -> None:
    network = network_for(NUMBERS, 4)
    assert network.log_deviation is not None
    with torch.no_grad():
        network.log_deviation.fill_(-0.7)
    outputs, right = torch.randn(2, 5, 4)
    expected = -Normal(outputs, math.exp(-0.7)).log_prob(right).sum(1)
    assert torch.allclose(network.surprise(outputs, right), expected, atol=1e-5)


def test_the_network_has_the_layers_of_the_tutorial_by_default() -> None:
    from gai.nn.config import resolved

    config = resolved({"model": "vae", "task": "reconstruct", "input": "images", "loss": "bce"})
    network = network_for(config, 1, 28, 28)
    sizes = [784 * 400 + 400, 2 * (400 * 20 + 20), 20 * 400 + 400, 400 * 784 + 784]
    assert sum(p.numel() for p in network.parameters()) == sum(sizes)


def test_the_loss_is_the_bound_with_its_parts_and_beta() -> None:
    network, batch = network_for(IMAGES, 1, 4, 3), taker(data_of(pixels()), CPU)(np.arange(20))
    lost = []
    for beta in (1.0, 4.0):
        torch.manual_seed(5)
        lost.append(Bound(beta, 3)(network, batch, 0))
    one, four = lost
    rec, kl = one.parts["reconstruction"].item(), one.parts["kl"].item()
    assert one.loss.item() == pytest.approx(rec + kl)
    assert four.loss.item() == pytest.approx(rec + 4 * kl, rel=1e-5)
    generator = torch.Generator().manual_seed(5)
    surprise, divergence = parts(network, batch.inputs, 3, generator)
    assert surprise.shape == divergence.shape == (20,)
    assert divergence.mean().item() == pytest.approx(kl, rel=1e-5)


def data_of(array: NDArray[np.float32]) -> Dataset:
    return Dataset(array, None, [str(row) for row in range(len(array))])


def test_an_evaluation_is_the_same_each_time_and_in_nats_per_example() -> None:
    network = network_for(IMAGES, 1, 4, 3)
    judge = variational.Judge(encoding_for(IMAGES, 1, 4, 3), data_of(pixels(40)), 2.0)
    found = judge.scores(network)
    assert found == judge.scores(network)
    assert found["loss"] == pytest.approx(found["reconstruction"] + 2 * found["kl"])
    assert found["elbo"] == pytest.approx(-found["reconstruction"] - found["kl"])
    inputs = inputs_of(pixels(40))
    kl = network.posterior(inputs).kl().mean().item()
    assert found["kl"] == pytest.approx(kl, rel=1e-5)
    seen = network.seen(network(inputs))
    error = (seen - inputs.values.flatten(1)).square().mean().item()
    assert found["error"] == pytest.approx(error, rel=1e-5)
    assert judge.judged(network).summary == found


def test_the_bound_is_below_the_likelihood_and_touches_it_where_codes_are_exact() -> None:
    """A linear decoder of one number is a normal distribution: p(x) = N(b, w^2 + deviation^2), and
    the true posterior of its code is normal, too."""
    network = network_for(NUMBERS.with_(layers=0, code=1), 1)
    w, b, deviation = 1.5, 0.4, 0.8
    x = torch.tensor([[-1.0], [0.3], [2.0]])
    shrunk = w / (w * w + deviation**2)
    with torch.no_grad():
        network.output.weight.fill_(w)
        network.output.bias.fill_(b)
        assert network.log_deviation is not None
        network.log_deviation.fill_(math.log(deviation))
        network.code.weight.copy_(torch.tensor([[shrunk], [0.0]]))  # type: ignore[operator]
        variance = deviation**2 / (w * w + deviation**2)
        network.code.bias.copy_(torch.tensor([-shrunk * b, math.log(variance)]))  # type: ignore[operator]
    likelihood = Normal(b, math.hypot(w, deviation)).log_prob(x)[:, 0]
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(mean_bound(network, x, generator), likelihood, atol=0.01)
    with torch.no_grad():
        network.code.bias[1] += 1.0  # type: ignore[operator]
    assert (mean_bound(network, x, generator) < likelihood - 0.05).all()


def mean_bound(network: VAE, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The bound of each example, mean over many codes."""
    many = Inputs(x.repeat(40_000, 1))
    surprise, kl = parts(network, many, 1, generator)
    return -(surprise + kl).detach().view(40_000, len(x)).mean(0)


def test_samples_are_the_same_for_the_same_seed() -> None:
    network, encoding = network_for(IMAGES, 1, 4, 3), encoding_for(IMAGES, 1, 4, 3)
    first = sampling.sampled(network, encoding, 7, seed=3)
    assert first.values.shape == (7, 1, 4, 3)
    assert first.labels is None
    assert np.array_equal(first.values, sampling.sampled(network, encoding, 7, seed=3).values)
    assert not np.array_equal(first.values, sampling.sampled(network, encoding, 7, seed=4).values)
    assert 0 <= first.values.min() <= first.values.max() <= 1
    many = sampling.sampled(network, encoding, 600, seed=3)  # more than go at once
    assert many.values.shape == (600, 1, 4, 3)


def test_samples_of_numbers_vary_as_the_data_and_are_in_its_units() -> None:
    network = network_for(NUMBERS.with_(layers=0, code=1), 2)
    with torch.no_grad():
        network.output.weight.copy_(torch.tensor([[0.6], [-0.6]]))
        network.output.bias.zero_()
        assert network.log_deviation is not None
        network.log_deviation.fill_(math.log(0.8))
    scale = Scale(np.array([10.0, -5.0]), np.array([2.0, 3.0]))
    found = sampling.sampled(network, encoding_for(NUMBERS, 2, scale=scale), 20_000, 1).values
    assert found.mean(0) == pytest.approx([10, -5], abs=0.1)
    assert found.std(0) == pytest.approx([2, 3], rel=0.03)
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(-0.36, abs=0.03)


def test_the_way_between_two_examples_ends_at_their_reconstructions() -> None:
    network, encoding = network_for(IMAGES, 1, 4, 3), encoding_for(IMAGES, 1, 4, 3)
    ends = Raw(["a", "b"], array=pixels(2))
    found = sampling.between(network, encoding, ends, 5).values
    assert found.shape == (5, 1, 4, 3)
    made = network.seen(network(inputs_of(pixels(2)))).detach().numpy().reshape(2, 1, 4, 3)
    assert np.allclose(found[[0, 4]], made, atol=1e-6)
    code = network.encode(inputs_of(pixels(2))).mean(0, keepdim=True)
    middle = network.seen(network.decode(code)).detach().numpy().reshape(1, 4, 3)
    assert np.allclose(found[2], middle, atol=1e-6)


class Labelled(Model):
    """Draws the number of its label."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def sample(self, count: int, generator: torch.Generator, labels: Any = None) -> torch.Tensor:
        assert len(labels) == count
        found: torch.Tensor = labels[:, None].float()
        return found


def test_a_model_with_labels_makes_each_in_turn_or_one() -> None:
    encoding = encoding_for(NUMBERS, 1, labels=Labels(("x", "y", "z"), False))
    found = sampling.sampled(Labelled(), encoding, 700, 1)
    assert found.labels is not None
    assert found.labels[:4] == ["x", "y", "z", "x"]
    assert found.values[:, 0].tolist() == [row % 3 for row in range(700)]
    one = sampling.sampled(Labelled(), encoding, 2, 1, label="z")
    assert (one.labels, one.values.tolist()) == (["z", "z"], [[2.0], [2.0]])
    with pytest.raises(UsageError, match="--label q: the model has no such label"):
        sampling.sampled(Labelled(), encoding, 2, 1, label="q")
    with pytest.raises(UsageError, match="--label x: this model was trained without labels"):
        sampling.sampled(network_for(NUMBERS, 2), encoding_for(NUMBERS, 2), 2, 1, label="x")


def test_a_model_that_draws_nothing_says_so() -> None:
    config = Config(model="mlp", task="classify", input="numbers")
    network = build(config, Shape("numbers", (2,), 2))
    with pytest.raises(GaiError, match="mlp draws no new examples"):
        sampling.sampled(network, encoding_for(config, 2), 2, 1)
    with pytest.raises(GaiError, match="mlp has no code to go through"):
        sampling.between(network, encoding_for(config, 2), Raw(["a", "b"], array=pixels(2)), 3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (IMAGES.with_(loss="mae"), "--loss mae does not fit a vae"),
        (IMAGES.with_(class_weights="balanced"), "--class-weights"),
    ],
)
def test_losses_that_do_not_fit_are_errors(config: Config, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        variational.objective(encoding_for(config, 1, 4, 3), None)


def test_options_of_others_and_texts_are_errors() -> None:
    for option in ("denoise", "sparsity"):
        with pytest.raises(UsageError, match=f"--{option} is for autoencoder"):
            network_for(IMAGES.with_(**{option: 0.5}), 1, 4, 3)
    with pytest.raises(UsageError, match="vae does not take rows of tfidf or bow"):
        build(IMAGES.with_(input="tfidf"), Shape("rows", (9,), 9))


@pytest.mark.slow
def test_the_bound_on_mnist_is_no_worse_than_that_of_the_tutorials(
    data: Path, tmp_path: Path
) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent.parent))
    from benchmarks import nn_generative as bench

    images = data / "images" / "mnist" / bench.MNIST
    words = ("--epochs", 10, "--valid", "0", "--test", "0.1", "--seed", 1)
    report = bench.train("vae", images, tmp_path / "run", *words)
    found = report["scores"]["test"]["network"]["elbo"]
    assert found >= bench.tutorial(images, 1)
