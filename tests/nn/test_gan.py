"""The generative adversarial network: its losses by formula, what each part learns from, and how
samples are judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gai.cli.nn_display import Silent
from gai.errors import GaiError, UsageError
from gai.nn.baselines import normal_samples, normally
from gai.nn.config import resolved
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.labels import Labels
from gai.nn.data.preparing import prepare
from gai.nn.net import experiment
from gai.nn.net.batches import Batch
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.keeping import Memory
from gai.nn.net.learning import generation
from gai.nn.net.learning.generation import Adversarial, Collapse, Judge, steepness
from gai.nn.net.models import build
from gai.nn.net.models.gan import GAN, MEMORY
from gai.nn.net.optimizers import optimizer
from gai.nn.net.sampling import sampled
from gai.nn.scores import likeness

TINY = {"width": 8, "code": 3, "dropout": 0.0}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def config(**said: Any) -> Any:
    named = {"model": "gan", "task": "generate", "loss": "non-saturating", "input": "numbers"}
    return resolved({**named, **TINY, **said})


def network(labels: int = 0, kind: Any = "numbers", **said: Any) -> GAN:
    torch.manual_seed(0)
    size = (1, 2, 3) if kind == "images" else (2,)
    made = build(config(input=kind, **said), Shape(kind, size, labels))
    assert isinstance(made, GAN)
    return made


def batch(labels: Tensor | None = None) -> Batch:
    values = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
    return Batch(Inputs(values), labels, 6)


def gradients(net: GAN, part: str) -> dict[str, Tensor | None]:
    found = getattr(net, part).named_parameters()
    return {name: None if w.grad is None else w.grad.clone() for name, w in found}


def lost(net: GAN, objective: Adversarial, labels: Tensor | None = None, step: int = 0) -> Any:
    """The loss of a batch, always with the same noise, and its gradients in the network."""
    torch.manual_seed(5)
    net.zero_grad(set_to_none=True)
    found = objective(net, batch(labels), step)
    found.loss.backward()
    return found


def test_the_non_saturating_losses_are_those_of_the_paper() -> None:
    real, made = torch.randn(7), torch.randn(7)
    d_real, d_made = torch.sigmoid(real), torch.sigmoid(made)
    objective = Adversarial("non-saturating", 0.0, 1)
    telling = -(d_real.log() + (1 - d_made).log()).mean()
    torch.testing.assert_close(objective.telling(real, made), telling)
    torch.testing.assert_close(objective.deceiving(made), -d_made.log().mean())


def test_the_wasserstein_losses_are_differences_of_means() -> None:
    real, made = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0])
    objective = Adversarial("wasserstein", 10.0, 1)
    assert float(objective.telling(real, made)) == -2.5
    assert float(objective.deceiving(made)) == 0.5


class Linear(nn.Module):
    """A critic whose slope is its weight, everywhere."""

    def __init__(self, weight: list[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, examples: Tensor, labels: Tensor | None) -> Tensor:
        return examples @ self.weight


@settings(deadline=None, max_examples=20)
@given(
    weight=st.lists(st.floats(-3, 3), min_size=2, max_size=2).filter(lambda w: math.hypot(*w) > 0.1)
)
def test_the_penalty_of_a_linear_critic_is_known_and_so_is_its_gradient(
    weight: list[float],
) -> None:
    critic = Linear(weight)
    found = steepness(critic, torch.randn(5, 2), torch.randn(5, 2), None)
    norm = math.hypot(*weight)
    assert float(found.detach()) == pytest.approx((norm - 1) ** 2, rel=1e-3, abs=1e-5)
    found.backward()  # type: ignore[no-untyped-call]
    assert critic.weight.grad is not None
    expected = [2 * (norm - 1) * w / norm for w in weight]
    assert critic.weight.grad.tolist() == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_slopes_are_looked_at_between_a_real_and_a_made_example() -> None:
    class Spying(Linear):
        def forward(self, examples: Tensor, labels: Tensor | None) -> Tensor:
            seen.append(examples.detach())
            return super().forward(examples, labels)

    seen: list[Tensor] = []
    real, made = torch.zeros(50, 2), torch.tensor([[1.0, 2.0]]).expand(50, 2)
    steepness(Spying([1.0, 1.0]), real, made, None)
    (places,) = seen
    torch.testing.assert_close(places[:, 1], 2 * places[:, 0])  # on the line
    assert 0 <= float(places[:, 0].min()) < 0.2 < 0.8 < float(places[:, 0].max()) <= 1


@pytest.mark.parametrize("loss", generation.FITTING)
def test_each_part_learns_from_its_own_loss_alone(loss: str) -> None:
    """The gradients are those of two losses that are taken apart, as with two optimisers."""
    net, objective = network(loss=loss), Adversarial(loss, 10.0, 1)
    lost(net, objective)
    together = {part: gradients(net, part) for part in ("generator", "discriminator")}

    torch.manual_seed(5)
    real, made = batch().inputs.values, net.made(6, None)
    net.zero_grad(set_to_none=True)
    objective.deceiving(net.discriminator(made, None)).backward()  # type: ignore[no-untyped-call]
    same(together["generator"], gradients(net, "generator"))
    net.zero_grad(set_to_none=True)
    made = made.detach()
    critic = objective.telling(net.discriminator(real, None), net.discriminator(made, None))
    if loss == "wasserstein":
        critic = critic + 10.0 * steepness(net.discriminator, real, made, None)
    critic.backward()
    same(together["discriminator"], gradients(net, "discriminator"))


def same(found: Mapping[str, Tensor | None], wanted: Mapping[str, Tensor | None]) -> None:
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


def test_the_generator_learns_in_every_nth_step_and_rests_in_the_others() -> None:
    net, objective = network(loss="wasserstein"), Adversarial("wasserstein", 10.0, 3)
    steps = optimizer(config(), net)
    moved = []
    for step in range(6):
        before = net.generator.output.weight.detach().clone()
        found = lost(net, objective, step=step)
        steps.step()
        moved.append(not torch.equal(before, net.generator.output.weight))
        assert set(found.parts) == {"discriminator", "generator"}
        torch.testing.assert_close(found.loss, sum(found.parts.values()))
    assert moved == [False, False, True, False, False, True]


def test_samples_are_those_of_the_running_mean_of_the_generator() -> None:
    net = network()
    net.follow()
    first = net.generator.output.bias.detach().clone()
    with torch.no_grad():
        net.generator.output.bias += 1.0
    torch.testing.assert_close(net.mean.module.output.bias, first)
    net.follow()
    torch.testing.assert_close(net.mean.module.output.bias, first + (1 - MEMORY))
    assert not any(weight.requires_grad for weight in net.mean.parameters())
    noise = torch.randn(4, 3, generator=torch.Generator().manual_seed(2))
    drawn = net.sample(4, torch.Generator().manual_seed(2))
    torch.testing.assert_close(drawn, net.mean.module(noise, None))


def test_labels_change_what_is_made_and_how_it_is_judged() -> None:
    net = network(labels=3, conditional=True)
    noise, examples = torch.randn(1, 3).expand(3, 3), torch.randn(1, 2).expand(3, 2)
    labels = torch.tensor([0, 1, 2])
    for answers in (net.generator(noise, labels), net.discriminator(examples, labels)[:, None]):
        assert not torch.allclose(answers[0], answers[1])
        assert not torch.allclose(answers[0], answers[2])


def test_the_discriminator_sees_made_examples_under_the_labels_they_were_made_for() -> None:
    """With labels of the batch in another order, the loss is another."""
    net, objective = network(labels=2, conditional=True), Adversarial("non-saturating", 0.0, 1)
    labels = torch.tensor([0, 1, 0, 1, 1, 0])
    torch.manual_seed(5)
    real, made = batch().inputs.values, net.made(6, labels)
    score = net.discriminator
    expected = objective.telling(score(real, labels), score(made, labels))
    torch.testing.assert_close(lost(net, objective, labels).parts["discriminator"], expected)


def test_pixels_are_shares_and_numbers_are_any() -> None:
    generator = torch.Generator().manual_seed(0)
    for kind, bounded in (("images", True), ("numbers", False)):
        net = network(kind=kind)
        with torch.no_grad():
            net.mean.module.output.bias += 7.0
        found = net.sample(5, generator)
        assert found.shape == (5, 6 if bounded else 2)
        assert bool((found < 1.0).all()) == bounded


def test_dropout_is_for_the_discriminator_and_batch_normalisation_for_the_generator() -> None:
    net = network(dropout=0.5, batch_norm=True)
    kinds = {
        part: {type(m).__name__ for m in getattr(net, part).modules()}
        for part in ("generator", "discriminator")
    }
    assert "BatchNorm" in kinds["generator"]
    assert "BatchNorm" not in kinds["discriminator"]
    drops = [m.p for m in net.generator.modules() if isinstance(m, nn.Dropout)]
    assert set(drops) == {0.0}
    assert {m.p for m in net.discriminator.layers.modules() if isinstance(m, nn.Dropout)} == {0.5}


def test_encode_gives_the_last_hidden_layer_of_the_discriminator() -> None:
    net = network()
    inputs = batch().inputs
    features = net.features(inputs)
    assert features.shape == (6, 8)
    torch.testing.assert_close(net(inputs)[:, 0], net.discriminator(inputs.values, None))


def test_defaults_of_adam_are_those_of_the_papers() -> None:
    betas = [
        optimizer(resolved({"model": "gan", "task": "generate", **said}), network()).defaults[
            "betas"
        ]
        for said in ({}, {"loss": "wasserstein"}, {"loss": "wasserstein", "beta1": 0.7})
    ]
    assert betas == [(0.5, 0.999), (0.0, 0.9), (0.7, 0.9)]
    assert resolved({"model": "gan", "loss": "wasserstein"}).critic_steps == 5
    mlp = optimizer(resolved({"model": "mlp"}), network()).defaults["betas"]
    assert mlp == (0.9, 0.999)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"loss": "mse"}, "mse does not fit"),
        ({"gradient_penalty": 3.0}, "is for --loss wasserstein"),
        ({"label_smoothing": 0.1}, "--label-smoothing"),
    ],
)
def test_choices_that_do_nothing_are_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        generation.objective(Encoding("numbers", (2,), config(**said)), None)


def test_several_labels_and_weights_of_classes_are_refused() -> None:
    several = Encoding("numbers", (2,), config(conditional=True), labels=Labels(("a", "b"), True))
    with pytest.raises(UsageError, match="one label an example"):
        generation.objective(several, None)
    with pytest.raises(UsageError, match="--class-weights"):
        generation.objective(Encoding("numbers", (2,), config()), torch.ones(2))


def test_pixels_beyond_one_are_refused() -> None:
    dataset = Dataset(np.full((2, 1, 2, 2), 255, np.float32), None, ["", ""])
    with pytest.raises(GaiError, match="pixels from 0 to 1, and the data has 255 to 255"):
        generation.require_pixels(dataset, config(input="images"))


class Listening(Silent):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def trained(
    folder: Any, data: np.ndarray[Any, Any], **said: Any
) -> tuple[GAN, Encoding, Listening]:
    """A gan after its training on some rows of numbers, with its weights of the best evaluation."""
    np.savez(folder / "data.npz", x=data, **({"y": said.pop("y")} if "y" in said else {}))
    choices = {"model": "gan", "data": (str(folder / "data.npz"),), "seed": 1, "threads": 1, **said}
    parts, keeper, listener = prepare(choices), Memory(), Listening()
    training = experiment.fresh(parts, listener, keeper)
    training.run()
    with torch.no_grad():
        for name, tensor in {
            **dict(training.network.named_parameters()),
            **dict(training.network.named_buffers()),
        }.items():
            tensor.copy_(keeper.weights[name])
    assert isinstance(training.network, GAN)
    return training.network, parts.encoding, listener


POINTS = np.array([[2.0, -1.0], [6.0, 3.0]], np.float32)


@pytest.mark.parametrize(
    "said",
    [
        {"loss": "non-saturating", "lr": 0.003, "epochs": 100},
        pytest.param(
            # As in the paper, a small penalty where there are few dimensions.
            {"loss": "wasserstein", "gradient_penalty": 1.0, "critic_steps": 3, "epochs": 250},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_distribution_on_two_points_is_learned_with_both(
    said: dict[str, Any], tmp_path: Any
) -> None:
    rng = np.random.default_rng(0)
    data = POINTS[rng.integers(2, size=400)] + rng.normal(0, 0.05, (400, 2)).astype(np.float32)
    net, encoding, _ = trained(
        tmp_path, data, width=32, code=4, batch_size=50, eval_every=50, **said
    )
    made = sampled(net, encoding, 200, seed=3).values
    off = np.linalg.norm(made[:, None] - POINTS, axis=2)
    near = off.min(1) < 1.4  # a quarter of the way from one to the other
    assert near.mean() > 0.75
    share = (off.argmin(1)[near] == 0).mean()
    assert 0.2 < share < 0.8


def test_a_gan_that_is_told_labels_makes_examples_of_each(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=400)
    data = POINTS[y] + rng.normal(0, 0.3, (400, 2)).astype(np.float32)
    net, encoding, _ = trained(
        tmp_path, data, y=np.array(["low", "high"])[y], conditional=True, width=32, epochs=30,
        code=4, lr=0.002,
    )  # fmt: skip
    for label, point in zip(("low", "high"), POINTS, strict=True):
        made = sampled(net, encoding, 100, seed=3, label=label)
        assert made.labels == [label] * 100
        assert np.linalg.norm(made.values.mean(0) - point) < 1.0


def scores(diversity: float, auc: float = 0.9) -> dict[str, float]:
    return {"diversity": diversity, "auc": auc}


def test_samples_that_become_alike_are_reported_once() -> None:
    watch = Collapse()
    said = [list(watch(scores(d))) for d in (0.1, 0.4, 0.7, 0.3, 0.2, 0.1, 0.6, 0.2)]
    assert [len(lines) for lines in said] == [0, 0, 0, 0, 1, 0, 0, 0]
    assert "have become alike" in said[4][0]
    assert "0.20" in said[4][0]
    assert "--loss wasserstein" in said[4][0]


def test_samples_that_stay_alike_are_reported_and_those_that_part_slowly_are_not() -> None:
    stuck, slow = Collapse(), Collapse()
    said = [list(stuck(scores(0.1))) for _ in range(generation.PATIENCE + 1)]
    assert [len(lines) for lines in said] == [0] * generation.PATIENCE + [1]
    assert "stay alike" in said[-1][0]
    assert not any(list(slow(scores(0.01 * k))) for k in range(60))


def test_the_listener_of_a_training_hears_of_a_collapse(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "PATIENCE", 1)
    monkeypatch.setattr(generation, "ALIKE", 10.0)
    data = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    _, _, listener = trained(tmp_path, data, lr=1e-12, epochs=4, width=4)
    assert [line for line in listener.warnings if "samples stay alike" in line]


def test_energy_and_diversity_are_those_of_plain_loops() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)) + 1

    def gap(a: Any, b: Any) -> float:
        return float(np.sqrt(((a - b) ** 2).sum()))

    own = [gap(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    other = [gap(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    across = [gap(a, b) for a in x for b in y]
    found = likeness(x, y)
    expected = 1 - (np.mean(own) + np.mean(other)) / (2 * np.mean(across))
    assert found.distance == pytest.approx(expected)
    assert found.diversity == pytest.approx(np.mean(own) / np.mean(other))


def test_told_is_the_accuracy_of_a_nearest_neighbour_that_leaves_itself_out() -> None:
    from sklearn.model_selection import LeaveOneOut, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(20, 3)) + 0.7
    both, sides = np.concatenate([x[:20], y]), np.repeat([0, 1], 20)
    nearest = KNeighborsClassifier(1)
    expected = cross_val_score(nearest, both, sides, cv=LeaveOneOut()).mean()
    assert likeness(x, y).told == pytest.approx(expected)


def test_the_distance_is_near_0_of_the_same_and_1_of_what_is_far_away() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(300, 4)), rng.normal(size=(300, 4))
    assert abs(likeness(x, y).distance) < 0.01
    assert likeness(x + 1000, y).distance > 0.99
    assert likeness(np.zeros((300, 4)), y).diversity == 0.0
    assert likeness(y, y.copy()).told < 0.1


def test_scores_of_labels_are_means_by_the_number_of_their_examples() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    a, b = np.repeat([0, 1], 20), np.repeat([0, 1], [10, 20])
    found = likeness(x, y, a, b, ("few", "many"))
    first, second = likeness(x[:20], y[:10]), likeness(x[20:], y[10:])
    for name in ("distance", "told", "diversity"):
        expected = (getattr(first, name) + 2 * getattr(second, name)) / 3
        assert found.summary()[name] == pytest.approx(expected)
    assert [(row["label"], row["examples"]) for row in found.labels] == [("few", 10), ("many", 20)]
    assert found.labels[1]["told"] == pytest.approx(second.told)


def test_samples_of_the_wrong_label_are_far_from_data() -> None:
    """The same examples, but those of one label are said to be of the other."""
    y = np.concatenate([np.random.default_rng(0).normal(k * 9, 1, (50, 2)) for k in range(2)])
    labels = np.repeat([0, 1], 50)
    assert likeness(y, y, 1 - labels, labels, ("a", "b")).distance > 0.5
    assert abs(likeness(y, y, labels, labels, ("a", "b")).distance) < 0.05


def test_too_few_to_compare_are_nan_and_no_error() -> None:
    one = np.zeros((1, 2))
    assert math.isnan(likeness(one, one).distance)
    found = likeness(
        np.ones((3, 2)), np.ones((3, 2)), np.array([0, 0, 0]), np.array([0, 0, 1]), "ab"
    )
    assert found.distance == 0.0  # of the label that has two
    assert math.isnan(found.labels[1]["distance"])


def test_the_baseline_has_the_mean_and_the_covariance_of_the_data() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)) + 5
    made = normally(x, 20_000, rng)
    np.testing.assert_allclose(made.mean(0), x.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(made.T), np.cov(x.T), rtol=0.1, atol=0.1)
    labels = np.repeat([0, 1], 250)
    shifted = x + labels[:, None] * 50
    assert abs(normal_samples(shifted, labels, shifted, labels).scores["distance"]) < 0.05


def test_an_evaluation_draws_samples_for_the_labels_of_the_held_out_part() -> None:
    """And every evaluation the same, whatever torch has drawn in between."""
    asked: list[Tensor] = []

    class Spying(GAN):
        def sample(self, count: int, generator: Any, labels: Tensor | None = None) -> Tensor:
            assert labels is not None
            asked.append(labels)
            return super().sample(count, generator, labels)

    made = config(conditional=True)
    net = Spying(made, Shape("numbers", (2,), 2))
    held = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    dataset = Dataset(held, np.array([1, 1, -1, 0, 1]), [""] * 5)
    encoding = Encoding("numbers", (2,), made, labels=Labels(("a", "b")))
    judge = Judge(encoding, dataset, Adversarial("non-saturating", 0.0, 1))
    first = judge.scores(net)
    torch.randn(10)
    assert judge.scores(net) == first
    assert len(asked[0]) == generation.SAMPLES
    assert float(asked[0].float().mean()) == pytest.approx(0.75)
    assert list(first) == ["loss", "distance", "told", "diversity", "auc"]


def test_the_auc_is_the_chance_that_a_real_example_scores_higher() -> None:
    class Scores(nn.Module):
        def forward(self, examples: Tensor, labels: Tensor | None) -> Tensor:
            return examples[:, 0]

    def evenly(count: int, generator: Any, labels: Tensor | None = None) -> Tensor:
        return torch.linspace(0, 1, count)[:, None].expand(-1, 2)

    net = network()
    net.discriminator = Scores()  # type: ignore[assignment]
    net.sample = evenly  # type: ignore[method-assign]
    held = np.array([[0.25, 0], [0.75, 0]], np.float32)
    dataset = Dataset(held, None, ["", ""])
    judge = Judge(Encoding("numbers", (2,), config()), dataset, Adversarial("wasserstein", 1, 1))
    assert judge.scores(net)["auc"] == pytest.approx(0.5, abs=0.01)
