"""The capsule network, against plain loops by the paper's formulas and finite differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import Tensor
from torch.func import functional_call

from gai.errors import UsageError
from gai.nn.config import resolved
from gai.nn.data.encoding import Encoding
from gai.nn.data.labels import Labels
from gai.nn.net.batches import Batch
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.learning import capsules, learning
from gai.nn.net.models import build
from gai.nn.net.models.capsnet import CapsNet, margin, routed, squash


def network(size: tuple[int, ...] = (1, 5, 5), classes: int = 3, **said: Any) -> CapsNet:
    choices = {"kernels": (3,), "filters": 3, "capsules": 2, "capsule_sizes": (2, 3), "width": 4}
    config = resolved({"model": "capsnet", "loss": "margin", "input": "images", **choices, **said})
    torch.manual_seed(0)
    made = build(config, Shape("images", size, classes))
    assert isinstance(made, CapsNet)
    with torch.no_grad():
        made.routing.weight *= 20.0  # so that capsules of a few parts have some length
    return made


def images(count: int = 3, size: tuple[int, ...] = (1, 5, 5)) -> Inputs:
    values = torch.rand(count, *size, generator=torch.Generator().manual_seed(1))
    return Inputs(values.double())


def plain_squash(s: list[float]) -> list[float]:
    """Equation 1 of the paper."""
    length = math.sqrt(sum(x * x for x in s))
    return [length**2 / (1 + length**2) * x / length for x in s]


def plain_routing(votes: Any, rounds: int) -> list[list[float]]:
    """Procedure 1 of the paper for one example: ``votes[i][j]`` is u_j|i."""
    parts, classes, size = len(votes), len(votes[0]), len(votes[0][0])
    b = [[0.0] * classes for _ in range(parts)]
    v: list[list[float]] = []
    for _ in range(rounds):
        c = []
        for row in b:
            powers = [math.exp(x) for x in row]
            c.append([power / sum(powers) for power in powers])
        v = []
        for j in range(classes):
            s = [sum(c[i][j] * votes[i][j][d] for i in range(parts)) for d in range(size)]
            v.append(plain_squash(s))
        for i in range(parts):
            for j in range(classes):
                b[i][j] += sum(x * y for x, y in zip(votes[i][j], v[j], strict=True))
    return v


def test_squash_is_the_formula_and_keeps_the_direction() -> None:
    vectors = torch.randn(4, 5, dtype=torch.float64)
    expected = torch.tensor([plain_squash(row) for row in vectors.tolist()], dtype=torch.float64)
    torch.testing.assert_close(squash(vectors), expected, rtol=1e-6, atol=1e-7)


def test_a_vector_of_zeros_is_squashed_to_zeros_and_has_a_gradient() -> None:
    vector = torch.zeros(3, requires_grad=True)
    squash(vector).sum().backward()
    assert vector.grad is not None
    assert torch.isfinite(vector.grad).all()
    assert not squash(vector).any()


@settings(deadline=None, max_examples=30)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_no_capsule_is_longer_than_one(scale: float, seed: int) -> None:
    votes = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(seed)) * scale
    assert (routed(votes, 3).norm(dim=-1) <= 1.0 + 1e-6).all()


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_routing_is_that_of_plain_loops(rounds: int) -> None:
    votes = torch.randn(2, 3, 5, 4, dtype=torch.float64)  # examples, classes, parts, size
    for example, found in zip(votes, routed(votes, rounds), strict=True):
        expected = plain_routing(example.transpose(0, 1).tolist(), rounds)
        wanted = torch.tensor(expected, dtype=torch.float64)
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_more_rounds_listen_more_to_parts_that_agree() -> None:
    """Two of three parts point the same way for class 0; none do for class 1."""
    agreeing = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-0.5, 1.0]])
    scattered = torch.tensor([[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]])
    votes = torch.stack([agreeing, scattered])[None]
    once, often = (routed(votes, rounds).norm(dim=-1)[0] for rounds in (1, 3))
    assert often[0] > once[0]
    assert often[0] > often[1]


def test_the_capsules_of_classes_are_those_of_the_matrices_of_each_part() -> None:
    net = network().double()
    parts = torch.randn(2, net.routing.weight.shape[0], 2, dtype=torch.float64)
    found = net.routing(parts)
    matrices = net.routing.weight.view(-1, 2, 3, 3)
    for example, capsules_ in zip(parts, found, strict=True):
        pairs = zip(example, matrices, strict=True)
        votes = [[(part @ m[:, j]).tolist() for j in range(3)] for part, m in pairs]
        wanted = torch.tensor(plain_routing(votes, 3), dtype=torch.float64)
        torch.testing.assert_close(capsules_, wanted, rtol=1e-5, atol=1e-6)


def test_with_shared_matrices_a_place_adds_a_vector_to_what_the_matrix_of_the_kind_says() -> None:
    net = network(shared_matrices=True).double()
    places = net.routing.places
    assert places is not None
    assert net.routing.weight.shape[0] == 2
    places.data.normal_()
    parts = torch.randn(2, 2 * len(places), 2, dtype=torch.float64)
    votes = net.routing.votes(parts)
    for kind in range(2):
        for place in range(len(places)):
            said = parts[:, kind * len(places) + place] @ net.routing.weight[kind]
            wanted = said + places[place]
            torch.testing.assert_close(votes[kind * len(places) + place], wanted)


def test_shared_matrices_without_places_are_own_ones_that_are_alike() -> None:
    shared, own = network(shared_matrices=True), network()
    kinds = len(shared.routing.weight)
    many = len(own.routing.weight) // kinds
    own.routing.weight.data = shared.routing.weight.data.repeat_interleave(many, 0)
    parts = torch.randn(2, kinds * many, 2)
    torch.testing.assert_close(shared.routing(parts), own.routing(parts))
    assert shared.routing.operations == own.routing.operations


@pytest.mark.parametrize("capsules", [4, 64])
@pytest.mark.parametrize("shared", [False, True])
def test_capsules_of_classes_begin_about_as_long_as_those_of_parts(
    capsules: int, shared: bool
) -> None:
    """Else the first steps make all classes alike, and nothing is learned from then on."""
    said = {"capsules": capsules, "shared_matrices": shared, "capsule_sizes": (8, 16)}
    config = resolved({"model": "capsnet", "input": "images", "batch_norm": True, **said})
    torch.manual_seed(0)
    net = build(config, Shape("images", (1, 12, 12), 10))
    assert isinstance(net, CapsNet)
    digits = torch.from_numpy(load_digits().images[:64, None] / 16).float()
    with torch.no_grad():
        found = net.capsules(Inputs(torch.nn.functional.pad(digits, (2, 2, 2, 2)))).norm(dim=-1)
    assert 0.05 < found.mean() < 0.5


def test_a_primary_capsule_is_what_the_filters_of_its_kind_say_of_one_place() -> None:
    net = network()
    x = torch.randn(2, 3, 4, 4)
    said = net.primary.filters(x)  # 2 kinds of 2 numbers, over 2 x 2 places
    found = net.primary(x)
    kind, row, column = 1, 0, 1
    wanted = squash(said[:, 2 * kind : 2 * kind + 2, row, column])
    torch.testing.assert_close(found[:, kind * 4 + row * 2 + column], wanted)


def test_the_margin_loss_is_that_worked_out_by_hand() -> None:
    """Lengths 0.8, 0.3, 0.05, the first is right: 0.1^2 + 0.5 * 0.2^2 + 0 = 0.03."""
    answers = torch.logit(torch.tensor([[0.8, 0.3, 0.05], [0.95, 0.1, 0.6]]))
    assert float(margin(answers[:1], torch.tensor([0]))) == pytest.approx(0.03, rel=1e-5)
    # 0 for the right one of the second, 0.5 * 0.5^2 for its third.
    assert float(margin(answers, torch.tensor([0, 0]))) == pytest.approx((0.03 + 0.125) / 2)
    several = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    assert float(margin(answers, several)) == pytest.approx((0.01 + 0.36 + 0.09) / 2, rel=1e-5)
    weights = torch.tensor([2.0, 1.0, 1.0])
    weighed = margin(answers[:1], torch.tensor([0]), weights)
    assert float(weighed) == pytest.approx(0.06, rel=1e-5)


def test_probabilities_are_those_of_one_class_being_there_and_no_other() -> None:
    """p_k times the product of 1 - p of the others, over the sum of these."""
    net = network()
    answers = net.answers(net.capsules(images()._replace(values=images().values.float())))
    p = torch.sigmoid(answers)
    alone = torch.stack(
        [p[:, k] * torch.cat([1 - p[:, :k], 1 - p[:, k + 1 :]], 1).prod(1) for k in range(3)], 1
    )
    torch.testing.assert_close(answers.softmax(1), alone / alone.sum(1, keepdim=True))


def test_answers_are_the_log_odds_of_the_lengths_and_features_are_the_capsules() -> None:
    net = network().double()
    lengths = net.features(images()).view(3, 3, 3).norm(dim=-1)
    torch.testing.assert_close(torch.sigmoid(net(images())), lengths, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    net = network().double()
    targets = torch.tensor([0, 2, 1])
    objective = capsules.Capsules(margin, 0.1)
    batch = Batch(images(), targets, 3)
    names, weights = zip(*net.named_parameters(), strict=True)

    class Bound:
        """The network with other weights."""

        def __init__(self, values: tuple[Tensor, ...]) -> None:
            self.values = dict(zip(names, values, strict=True))

        def __getattr__(self, name: str) -> Any:
            def asked(*given: Any) -> Any:
                return functional_call(Asking(net, name), self.weights(), given)

            return asked

        def weights(self) -> dict[str, Tensor]:
            return {f"inner.{name}": value for name, value in self.values.items()}

    def loss(*values: Tensor) -> Tensor:
        return objective(Bound(values), batch, 0).loss

    assert torch.autograd.gradcheck(loss, weights, fast_mode=True)


class Asking(torch.nn.Module):
    """A method of a network as the forward pass of another."""

    def __init__(self, inner: CapsNet, name: str) -> None:
        super().__init__()
        self.inner, self.name = inner, name

    def forward(self, *given: Any) -> Any:
        return getattr(self.inner, self.name)(*given)


def test_the_image_is_made_of_the_capsule_of_its_class_alone() -> None:
    net = network().double()
    found = net.capsules(images()).detach().requires_grad_()
    shares = torch.eye(3, dtype=torch.float64)
    net.reconstructed(found, shares).square().sum().backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    felt = found.grad.abs().sum(-1) > 0
    assert torch.equal(felt, torch.eye(3, dtype=torch.bool))


def test_the_loss_is_that_of_labels_and_the_squared_error_of_each_image() -> None:
    net = network().double()
    targets = torch.tensor([0, 2, 1])
    lost = capsules.Capsules(margin, 0.25)(net, Batch(images(), targets, 3), 0)
    made = net.reconstructed(net.capsules(images()), torch.eye(3).double()[targets])
    error = ((made - images().values.flatten(1)) ** 2).sum() / 3
    torch.testing.assert_close(lost.parts["reconstruction"], error)
    torch.testing.assert_close(lost.loss, margin(net(images()), targets) + 0.25 * error)


def test_without_reconstruction_there_is_no_decoder() -> None:
    net = network(reconstruction=0.0)
    assert net.decoder is None
    batch = Batch(Inputs(images().values.float()), torch.tensor([0, 1, 2]), 3)
    assert capsules.Capsules(margin, 0.0)(net, batch, 0).parts == {}


@settings(deadline=None, max_examples=25)
@given(side=st.integers(1, 30), other=st.integers(1, 30), kernel=st.integers(1, 9))
def test_any_image_and_any_filter_fit_together(side: int, other: int, kernel: int) -> None:
    size = (2, side, other)
    net = network(size, kernels=(kernel,))
    assert net(Inputs(torch.rand(2, *size))).shape == (2, 3)


def test_routing_takes_the_rounds_that_were_asked_for() -> None:
    outputs = [network(routings=r)(Inputs(torch.ones(1, 1, 5, 5))) for r in (1, 3)]
    assert not torch.allclose(*outputs)


def encoding(several: bool = False, **said: Any) -> Encoding:
    config = resolved({"model": "capsnet", "loss": "margin", "input": "images", **said})
    return Encoding("images", (1, 5, 5), config, labels=Labels(("a", "b", "c"), several))


def test_losses_of_labels_fit_and_others_do_not() -> None:
    answers, targets = torch.randn(2, 3), torch.tensor([0, 2])
    entropy = capsules.objective(encoding(loss="cross-entropy"), None).loss(answers, targets)
    torch.testing.assert_close(entropy, torch.nn.functional.cross_entropy(answers, targets))
    with pytest.raises(UsageError, match="wasserstein does not fit"):
        capsules.objective(encoding(loss="wasserstein"), None)
    with pytest.raises(UsageError, match="no label smoothing"):
        capsules.objective(encoding(label_smoothing=0.1), None)


def test_an_evaluation_scores_by_the_longest_capsule() -> None:
    from gai.nn.data.arrays import Dataset
    from gai.nn.data.raw import Raw

    net, made = network(), encoding()
    values = images(6).values.float()
    best = net(Inputs(values)).argmax(1).numpy()
    dataset = Dataset(values.numpy(), best.astype(np.int64), [""] * 6)
    how = learning(made.config)
    judge = how.judge(made, dataset, Raw([""] * 6), how.objective(made, None))
    scores = judge.scores(net)
    assert scores["accuracy"] == 1.0
    with torch.no_grad():
        wanted = margin(net(Inputs(values)), torch.tensor(best))
    assert scores["loss"] == pytest.approx(float(wanted))
