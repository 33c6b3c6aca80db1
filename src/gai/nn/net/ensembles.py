"""Ensembles: several trained networks that answer as one, and the folder that holds them.

To all that asks it an ensemble is a network: it takes the examples as each of its members takes
them (``Several``), and gives outputs of which softmax, or sigmoid, makes its probabilities.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn import names
from gai.nn.data.arrays import Inputs as Arrays
from gai.nn.data.arrays import Several
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import experiment
from gai.nn.net.inputs import Inputs
from gai.nn.net.models import Model
from gai.nn.runs import Run
from gai.nn.shelves import ENSEMBLE, Shelf

Member = tuple[Model, Encoding]

TASKS = ("classify", "regress", "forecast", "tag")
"""What ensembles can do."""

HOW = ("average", "vote", "stack")
"""How answers become one: the mean probability or number; the label that most members give, or the
number in the middle; what a linear model makes of all of them."""

LEAST = 1e-30
"""The smallest probability whose logarithm is taken."""

TIE = 1e-6
"""What the mean probability counts beside votes: it decides where as many are for one as for
another."""


@dataclass(frozen=True, eq=False)
class Together(Encoding):
    """How examples become arrays for the members of an ensemble; labels are those of the first."""

    members: tuple[Encoding, ...] = ()

    def inputs(self, raw: Raw) -> Arrays:
        """What each member takes of the examples."""
        return Several(tuple(member.inputs(raw) for member in self.members))


class Ensemble(Model):
    """Members whose answers become one as ``how`` says, with ``weights`` [M] of theirs.

    Those of a stack stand before the members' logarithms of probabilities, or numbers, to which the
    ``bias`` [K] of each label is added; other weights add up to 1.
    """

    def __init__(
        self,
        members: Sequence[Member],
        how: str,
        weights: Sequence[float],
        bias: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(network for network, _ in members)
        self.encodings = [encoding for _, encoding in members]
        self.how = how
        first, shares = self.encodings[0], torch.tensor(weights, dtype=torch.float64)
        self.labelled = first.labels is not None
        self.several = first.labels is not None and first.labels.several
        whole = shares if how == "stack" else shares / shares.sum()
        self.weights = nn.Buffer(whole.float())
        self.bias = nn.Buffer(torch.tensor(bias, dtype=torch.float32))
        if self.labelled:
            self.orders = nn.Buffer(torch.tensor([order(first, e) for e in self.encodings]))
        else:
            self.means = nn.Buffer(scales(self.encodings, "mean"))
            self.deviations = nn.Buffer(scales(self.encodings, "deviation"))

    def each(self, inputs: Inputs) -> Tensor:
        """What each member says, [M, B, K] or [M, B, T, K]: probabilities of the first member's
        labels, or numbers in units of the first member's scale."""
        pairs = zip(self.members, inputs.parts, strict=True)
        said = [member(part) for member, part in pairs]
        if not self.labelled:
            scaled = zip(said, self.means, self.deviations, strict=True)
            values = torch.stack([one * deviation + mean for one, mean, deviation in scaled])
            found: Tensor = (values - self.means[0]) / self.deviations[0]
            return found
        shares = [torch.sigmoid(one) if self.several else torch.softmax(one, -1) for one in said]
        return torch.stack([one[..., o] for one, o in zip(shares, self.orders, strict=True)])

    def forward(self, inputs: Inputs) -> Tensor:
        """The outputs: [B, K], or [B, T, K]."""
        said = self.each(inputs)
        if self.how == "stack":
            return mean(evidence(said, self.labelled, self.several), self.weights) + self.bias
        found = mean(said, self.weights)
        if not self.labelled:
            return median(said, self.weights) if self.how == "vote" else found
        if self.how == "vote":
            found = votes(said, self.weights, found, self.several)
        return logits(found, self.several)

    def features(self, inputs: Inputs) -> Tensor:
        """The last hidden layers of all members, side by side."""
        pairs = zip(self.members, inputs.parts, strict=True)
        return torch.cat([member.features(part) for member, part in pairs], -1)  # type: ignore[operator]

    def folded(self) -> Ensemble:
        """The same of folded members, for answers only."""
        pairs = zip(self.members, self.encodings, strict=True)
        members = [(member.folded(), encoding) for member, encoding in pairs]  # type: ignore[operator]
        made = Ensemble(members, self.how, self.weights.tolist(), self.bias.tolist())
        return made.to(self.weights.device).eval()


def order(first: Encoding, other: Encoding) -> list[int]:
    """Where each label of ``first`` stands among those of ``other``."""
    assert first.labels is not None
    assert other.labels is not None
    places = {name: place for place, name in enumerate(other.labels.names)}
    return [places[name] for name in first.labels.names]


def scales(encodings: Iterable[Encoding], which: str) -> Tensor:
    """The mean or the deviation of each member's targets, [M, K]."""
    found = [getattr(encoding.targets, which).tolist() for encoding in encodings]
    return torch.tensor(found, dtype=torch.float32)


def mean(said: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean over the members."""
    found: Tensor = torch.tensordot(weights, said, 1)
    return found


def votes(said: Tensor, weights: Tensor, means: Tensor, several: bool) -> Tensor:
    """The weight of the members that give each label; where labels have the same, the mean
    probability decides, and where that is the same, too, the label that comes first."""
    if several:
        return (mean((said >= 0.5).float(), weights) + TIE * (means - 0.5)).clamp(0, 1)
    given = nn.functional.one_hot(said.argmax(-1), said.shape[-1]).float()
    return (mean(given, weights) + TIE * means) / (1 + TIE)


def median(said: Tensor, weights: Tensor) -> Tensor:
    """The weighted median over the members: the least number that half of the weight is no more
    than (Drucker 1997)."""
    values, places = said.sort(0)
    shares = weights.double()
    reached = shares[places].cumsum(0) >= (0.5 - TIE) * shares.sum()
    return values.gather(0, reached.float().argmax(0, keepdim=True))[0]


def logits(shares: Tensor, several: bool) -> Tensor:
    """Numbers of which softmax, or sigmoid of several labels, makes these probabilities."""
    if several:
        return torch.log(shares.clamp(min=LEAST)) - torch.log((1 - shares).clamp(min=LEAST))
    return torch.log(shares.clamp(min=LEAST))


FLOOR = 1e-4
"""The smallest probability that a stack sees: one member that is quite sure does not decide all."""


def evidence(said: Tensor, labelled: bool, several: bool) -> Tensor:
    """What a stack weighs of the members' answers [M, ..., K]: of probabilities the logarithms, of
    several labels the log-odds, of numbers these."""
    return logits(said.clamp(FLOOR, 1 - FLOOR), several) if labelled else said


def together(
    members: Sequence[Member],
    how: str,
    weights: Sequence[float] | None = None,
    bias: Sequence[float] = (),
) -> Member:
    """The ensemble of these networks, and how examples become arrays for it."""
    made = Ensemble(members, how, weights or [1.0] * len(members), bias)
    made.to(next(members[0][0].parameters()).device)
    encodings = tuple(encoding for _, encoding in members)
    first = encodings[0]
    # Any network that learns from labels is judged alike; some models judge themselves otherwise.
    config = replace(first.config, model="mlp", loss=loss_of(first))
    same = {name: getattr(first, name) for name in ("source", "size", "labels", "targets")}
    return made.eval(), Together(**same, config=config, members=encodings)


def loss_of(encoding: Encoding) -> str:
    """The loss that ensembles are judged by."""
    several = encoding.labels is not None and encoding.labels.several
    return names.default_loss(encoding.config.task, several)


READ = ("text_field", "columns", "window", "horizon")
"""Choices about what is read of an example."""


def require_alike(paths: Sequence[str], encodings: Sequence[Encoding]) -> None:
    """Raises GaiError for networks that do not answer the same question."""
    for path, other in zip(paths, encodings, strict=True):
        require_task(other.config.task, f"{path} was trained")
        if unlike := differing(encodings[0], other):
            message = f"{paths[0]} and {path} do not belong together: {unlike}"
            raise GaiError(message, "members of an ensemble answer the same question")


def require_task(task: str, who: str) -> None:
    """Raises GaiError for a task whose answers cannot become one."""
    if task not in TASKS:
        raise GaiError(f"{who} for --task {task}", f"ensembles are for {', '.join(TASKS)}")


def differing(one: Encoding, other: Encoding) -> str:
    """What tells two networks apart that are to answer together; nothing where they can."""
    if one.config.task != other.config.task:
        return f"--task {one.config.task} and {other.config.task}"
    if one.labels is None or other.labels is None:
        if one.outputs != other.outputs:
            return f"{one.outputs} numbers and {other.outputs}"
    elif one.labels.several != other.labels.several:
        return "one has one label an example, the other several"
    elif lone := sorted(set(one.labels.names) ^ set(other.labels.names)):
        more = ", ..." if len(lone) > 3 else ""
        return f"labels that only one of them has: {', '.join(map(repr, lone[:3]))}{more}"
    for name in READ:
        a, b = getattr(one.config, name), getattr(other.config, name)
        if a != b and (name not in ("window", "horizon") or one.config.task == "forecast"):
            return f"--{name.replace('_', '-')} {spelt(a)} and {spelt(b)}"
    return ""


def spelt(value: Any) -> str:
    """A choice for a message."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def asked(run: Run, device: str = "auto", threads: int | None = None) -> Member:
    """The network of a run or of an ensemble, and how examples become arrays for it."""
    shelf = Shelf(run.path, ENSEMBLE)
    if not shelf.there:
        return experiment.load(run, device, threads)
    head = shelf.read_head()
    if head["how"] not in HOW or not 0 < len(head["members"]) == len(head["weights"]):
        hint = "a weight for each member, and one of " + ", ".join(HOW)
        raise GaiError(f"{shelf.file(ENSEMBLE)}: broken", hint)
    members = [asked(member_of(shelf, name), device, threads) for name in head["members"]]
    require_alike(head["members"], [encoding for _, encoding in members])
    return together(members, head["how"], head["weights"], head.get("bias", ()))


def member_of(shelf: Shelf, name: str) -> Run:
    """The folder of a member; raises GaiError where it is not there any more."""
    if not os.path.isdir(shelf.file(name)):
        hint = "gai nn ensemble makes it again"
        raise GaiError(f"{shelf.path} has no {name}, which {ENSEMBLE} names", hint)
    return shelf.run(name)
