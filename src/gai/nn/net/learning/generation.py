"""Learning to make examples: a generator against a discriminator, both in each step.

One objective holds the losses of both, and one optimiser moves both at once (simultaneous gradient
descent). What the generator makes is cut off from it where the discriminator learns, and the
discriminator's weights are held constant where the generator does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from gai.errors import GaiError, UsageError
from gai.nn import scores
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net.answers import Judged
from gai.nn.net.batches import Batch, Order, Take, taker
from gai.nn.net.learning import Learning, supervised
from gai.nn.net.learning.reconstruction import beyond_shares
from gai.nn.net.loop import Lost, Objective
from gai.nn.scores.samples import Likeness

FITTING = ("non-saturating", "wasserstein")

SAMPLES = 1000
"""Samples that an evaluation draws, and examples of the held-out part that it looks at, at most."""

SEED = 0
"""Of these samples: every evaluation makes them of the same noise."""

ALIKE, DIVERSE = 0.25, 0.5
"""Shares of the diversity of data: below the first samples are alike, above the second not."""

PATIENCE = 10
"""Evaluations that the samples of a generator may be alike, and become no more diverse."""


@dataclass(frozen=True)
class Adversarial:
    """The discriminator's loss, and in every ``critic_steps``-th step that of the generator.

    Non-saturating: the discriminator's is -log D(x) - log(1 - D(G(z))), the generator's
    -log D(G(z)), where D is the sigmoid of its score (Goodfellow 2014). Wasserstein: f(G(z)) - f(x)
    and ``penalty`` times (|slope of f| - 1)^2 between them, and -f(G(z)) (Gulrajani 2017,
    "Improved training of Wasserstein GANs").
    """

    loss: str
    penalty: float
    critic_steps: int

    def __call__(self, network: Any, batch: Batch, step: int) -> Lost:
        network.follow()
        real, labels = batch.inputs.values.flatten(1), batch.targets
        made = network.made(batch.size, labels)
        of_real, of_made = told(network.discriminator, real, made.detach(), labels)
        critic = self.telling(of_real, of_made)
        if self.loss == "wasserstein":
            sloped = steepness(network.discriminator, real, made.detach(), labels)
            critic = critic + self.penalty * sloped
        if (step + 1) % self.critic_steps:
            deceived = self.deceiving(of_made).detach()  # for the log alone
        else:
            deceived = self.deceiving(held(network.discriminator, made, labels))
        return Lost(critic + deceived, {"discriminator": critic, "generator": deceived})

    def telling(self, of_real: Tensor, of_made: Tensor) -> Tensor:
        """The discriminator's loss, of the scores [B] of real and of made examples."""
        if self.loss == "wasserstein":
            return of_made.mean() - of_real.mean()
        return F.softplus(-of_real).mean() + F.softplus(of_made).mean()

    def deceiving(self, of_made: Tensor) -> Tensor:
        """The generator's loss, of the scores [B] of what it made."""
        return -of_made.mean() if self.loss == "wasserstein" else F.softplus(-of_made).mean()


def told(
    discriminator: nn.Module, real: Tensor, made: Tensor, labels: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The scores of real and of made examples with the same labels, [B] each, in one go."""
    twice = None if labels is None else torch.cat([labels, labels])
    of_real, of_made = discriminator(torch.cat([real, made]), twice).chunk(2)
    return of_real, of_made


def held(discriminator: nn.Module, made: Tensor, labels: Tensor | None) -> Tensor:
    """The scores of made examples by the discriminator as it is: its weights get no gradient."""
    weights = {name: weight.detach() for name, weight in discriminator.named_parameters()}
    found: Tensor = functional_call(discriminator, weights, (made, labels))
    return found


def steepness(
    discriminator: nn.Module, real: Tensor, made: Tensor, labels: Tensor | None
) -> Tensor:
    """The mean of (|slope| - 1)^2 of the scores, at a random place between each real and each made
    example."""
    share = torch.rand(len(real), 1, device=real.device)
    places = torch.lerp(real, made, share).requires_grad_()
    (slopes,) = torch.autograd.grad(discriminator(places, labels).sum(), places, create_graph=True)
    found: Tensor = (slopes.norm(dim=1) - 1.0).square().mean()
    return found


def objective(encoding: Encoding, weights: Tensor | None) -> Adversarial:
    """The loss that the choices name; raises UsageError for choices that do not fit."""
    config = encoding.config
    require_fitting(config, weights)
    if encoding.labels is not None and encoding.labels.several:
        raise UsageError("--conditional takes one label an example, and the data has several")
    return Adversarial(config.loss, config.gradient_penalty, config.critic_steps)


def require_fitting(config: Config, weights: Tensor | None) -> None:
    """Raises UsageError for choices that a gan has nothing to do with."""
    if config.loss not in FITTING:
        hint = f"one of {', '.join(FITTING)}"
        raise UsageError(f"--loss {config.loss} does not fit --task generate", hint)
    if config.loss != "wasserstein" and config.gradient_penalty != Config.gradient_penalty:
        raise UsageError("--gradient-penalty is for --loss wasserstein", "leave it out")
    if weights is not None:
        raise UsageError("--class-weights: a gan has no classes to weigh", "leave it out")
    if config.label_smoothing:
        raise UsageError("--label-smoothing: a gan predicts no labels", "leave it out")


def batches(parts: Parts, config: Config, device: torch.device) -> tuple[Order, Take]:
    """All examples in a new order each epoch; raises GaiError for pixels that are none."""
    require_pixels(parts.train, config)
    return supervised.batches(parts, config, device)


def require_pixels(dataset: Dataset, config: Config) -> None:
    """Raises GaiError for images whose numbers are not from 0 to 1."""
    if config.input == "images" and (found := beyond_shares(dataset)):
        message = f"a gan makes pixels from 0 to 1, and the data has {found}"
        raise GaiError(message, "divide them by 255, say; or --input numbers")


@dataclass(frozen=True)
class Judge:
    """Scores a generator by the distance of its samples from a part of the data, and how well the
    discriminator tells them apart."""

    encoding: Encoding
    dataset: Dataset
    objective: Adversarial

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of an evaluation during training; ``loss`` is that of both, without a
        penalty, ``auc`` the chance that the discriminator finds the real one of two."""
        return self.found(network)[0]

    def judged(self, network: nn.Module) -> Judged:
        """The same with a row for each label."""
        summary, found = self.found(network)
        return Judged(summary, found.intervals(), found.as_dict())

    def found(self, network: Any) -> tuple[dict[str, float], Likeness]:
        """The scores, and what they are made of."""
        real, labels = self.looked_at(next(network.parameters()).device)
        asked = None if labels is None else labels[torch.arange(SAMPLES) % len(labels)]
        network.eval()
        with torch.inference_mode():
            made = network.sample(SAMPLES, generator_on(real.device), asked)
            of_real = network.discriminator(real, labels)
            of_made = network.discriminator(made, asked)
            loss = self.objective.telling(of_real, of_made) + self.objective.deceiving(of_made)
        likeness = scores.likeness(
            made.cpu().numpy(), real.cpu().numpy(), array(asked), array(labels), self.names
        )
        auc = float((of_real[:, None] > of_made).float().mean())
        return {"loss": loss.item(), **likeness.summary(), "auc": auc}, likeness

    @property
    def names(self) -> tuple[str, ...]:
        """What the labels are called."""
        return () if self.encoding.labels is None else self.encoding.labels.names

    def looked_at(self, device: torch.device) -> tuple[Tensor, Tensor | None]:
        """Examples [n, D] and their labels, evenly from all of the part that have one."""
        rows = np.arange(len(self.dataset))
        if self.dataset.targets is not None:
            rows = rows[self.dataset.targets >= 0]
        if len(rows) < 2:
            hint = "more of it, or --valid 0"
            raise GaiError(f"{len(rows)} examples to compare samples with: too few", hint)
        rows = rows[np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(np.int64)]
        batch = taker(self.dataset, device)(rows)
        return batch.inputs.values.flatten(1), batch.targets


def generator_on(device: torch.device) -> torch.Generator:
    """Where the noise of an evaluation comes from."""
    return torch.Generator(device).manual_seed(SEED)


def array(labels: Tensor | None) -> Any:
    """Labels as numpy has them."""
    return None if labels is None else labels.cpu().numpy()


def judge(encoding: Encoding, dataset: Dataset, raw: Raw, objective: Objective) -> Judge:
    """Scores by samples."""
    assert isinstance(objective, Adversarial)
    return Judge(encoding, dataset, objective)


class Collapse:
    """Looks at the diversity of samples, evaluation after evaluation, and says once when they have
    become alike, or have stayed so."""

    def __init__(self) -> None:
        self.most, self.since, self.said = 0.0, 0, False

    def __call__(self, found: Mapping[str, float]) -> Iterator[str]:
        """What a person should know after this evaluation."""
        diversity = found["diversity"]
        self.since = 0 if diversity > self.most else self.since + 1
        self.most = max(self.most, diversity)
        fallen = self.most > DIVERSE
        if not self.said and diversity < ALIKE and (fallen or self.since >= PATIENCE):
            self.said = True
            how = "have become" if fallen else "stay"
            yield (
                f"the samples {how} alike: their diversity is {diversity:.2f} of that of data "
                f"(auc of the discriminator {found['auc']:.2f}). --loss wasserstein rarely "
                "collapses; else a lower --lr, more --dropout, a wider --code"
            )


LEARNING = Learning(objective, judge, batches, Collapse)
