"""The training loop: batches, steps, evaluations, what is kept, and where a run can go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.net import checkpoints, regularising
from gai.nn.net.batches import Batch, Order, Take
from gai.nn.net.gradients import Gradients
from gai.nn.net.interrupts import Interrupts, noticed
from gai.nn.net.schedules import Schedule
from gai.nn.net.team import Team


class Lost(NamedTuple):
    """A loss that is to fall, and for the log what it is made of, by name."""

    loss: Tensor
    parts: Mapping[str, Tensor] = {}


Objective = Callable[[Any, Batch, int], Lost]
"""What is to fall: of a network (compiled, perhaps), a batch, and how many steps came before."""

Augment = Callable[[Batch, np.random.Generator], Batch]


class Diverged(GaiError):
    """The loss of a training is no number any more."""


class Goal(NamedTuple):
    """Which score decides what is best, and whether higher is better."""

    name: str
    higher: bool

    def better(self, scores: Mapping[str, float], best: Mapping[str, float]) -> bool:
        """Whether ``scores`` beat the best so far; ties go to the lower loss."""
        new, old = scores[self.name], best.get(self.name, math.nan)
        if math.isnan(old):
            return True
        if new == old:
            return scores["loss"] < best["loss"]
        return new > old if self.higher else new < old


@dataclass
class Position:
    """Where a run is: all that a step or an evaluation changes, but for tensors."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    loss: float = 0.0  # sums since the last record
    parts: dict[str, float] = field(default_factory=dict)
    norm: float = 0.0
    counted: int = 0
    samples: int = 0
    busy: float = 0.0
    best: dict[str, float] = field(default_factory=dict)
    best_step: int = 0
    since: int = 0  # evaluations without a better one


@dataclass(frozen=True)
class Record:
    """What is known after an evaluation. ``epoch`` counts passes over the data, parts included."""

    epoch: float
    step: int
    train_loss: float
    scores: Mapping[str, float]
    lr: float
    gradient_norm: float
    samples_per_second: float
    seconds: float
    seconds_left: float
    best: bool
    gradients: Mapping[str, float]
    parts: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The record as a line of metrics.jsonl."""
        found = asdict(self)
        return found if self.parts else {k: v for k, v in found.items() if k != "parts"}


class Listener(Protocol):
    """Who is told how a run goes."""

    def begin(self, total_steps: int, done: int) -> None:
        """Training begins, or goes on after ``done`` steps."""

    def advance(self, position: Position) -> None:
        """A step has been made."""

    def record(self, record: Record) -> None:
        """An evaluation has been made."""

    def warn(self, message: str) -> None:
        """Something that a person should know."""


class Keeper(Protocol):
    """Where weights and states are kept."""

    def best(self, network: nn.Module, record: Record) -> None:
        """Keeps the weights of the best evaluation so far."""

    def record(self, record: Record) -> None:
        """Adds an evaluation to the log."""

    def state(self, tensors: checkpoints.Tensors, facts: Mapping[str, Any]) -> None:
        """Keeps what a run needs to go on."""


@dataclass
class Training:
    """A run that can be begun, interrupted and resumed; ``take`` and ``order`` give its batches.

    ``evaluate`` gives the scores on the validation part, "loss" among them, or nothing where there
    is none. ``generator`` is where augmentation takes its chance from; ``thaw`` says before each
    epoch which weights learn.
    """

    config: Config
    network: nn.Module
    objective: Objective
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    order: Order
    take: Take
    evaluate: Callable[[], Mapping[str, float]] | None
    goal: Goal
    keeper: Keeper
    listener: Listener
    generator: np.random.Generator
    augment: Augment | None = None
    team: Team = field(default_factory=Team)
    thaw: Callable[[int], None] = lambda epoch: None
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        self.gradients = Gradients(self.network)
        self.thaw(self.position.epoch)
        self.device = next(self.network.parameters()).device
        self.interrupts = Interrupts()
        self.stop = False
        shared = self.team.wrapped(self.network)
        self.forward: Any = torch.compile(shared) if self.config.compile else shared

    @property
    def total_steps(self) -> int:
        """How many steps the whole run has."""
        return self.config.steps or self.config.epochs * self.order.batches

    def run(self) -> Position:
        """Trains to the end; afterwards the network has the weights of the last step.

        A run ends with an evaluation, which has kept its state. Ctrl-C saves it after the step
        that runs, then passes. Raises Diverged where the loss is no number any more.
        """
        self.listener.begin(self.total_steps, self.position.step)
        with noticed() as self.interrupts:
            while self.position.step < self.total_steps and not self.exhausted:
                self._epoch()
        return self.position

    @property
    def exhausted(self) -> bool:
        """Whether there were too many evaluations without a better one."""
        patience = self.config.early_stopping
        return patience is not None and self.position.since >= patience

    def _epoch(self) -> None:
        """The rest of an epoch, from the batch where the position is."""
        at, batches = self.position, self.order.epoch(self.position.epoch)
        self.thaw(at.epoch)
        while at.batch < len(batches):
            self.step(batches[at.batch])
            at.batch += 1
            ended = at.batch == len(batches) or at.step == self.total_steps
            if self._due(ended):
                self._evaluated(at.epoch + at.batch / len(batches))
            if self.stop or (self.team.size == 1 and self.interrupts.asked is not None):
                self.save()
                self.interrupts.raise_again()
            if at.step == self.total_steps or self.exhausted:
                return
        at.epoch, at.batch = at.epoch + 1, 0

    def _due(self, ended: bool) -> bool:
        every = self.config.eval_every
        if every is None:
            return ended
        return self.position.step % every == 0 or self.position.step == self.total_steps

    def step(self, rows: Any) -> None:
        """One step of gradient descent, on the examples ``rows``."""
        started, at = perf_counter(), self.position
        share = self.team.share(rows)
        batch = self.take(share.rows)
        if self.augment is not None:
            batch = self.augment(batch, self.generator)
        self.network.train()
        with self._precision():
            loss, parts = self.objective(self.forward, batch, at.step)
        config, asked = self.config, self.interrupts.asked is not None
        agreed = self.team.agree(loss, parts, batch, share.counts, asked)
        whole = loss * agreed.weight if self.team.size > 1 else loss
        whole = whole + regularising.penalty(self.network, config.l1, config.l2)
        self.optimizer.zero_grad(set_to_none=True)
        whole.backward()  # type: ignore[no-untyped-call]
        norm = self.gradients.clip(config.clip_norm, config.clip_value)
        if not (math.isfinite(agreed.loss) and math.isfinite(norm)):
            raise self._diverged(agreed.loss)
        self.optimizer.step()
        if config.max_norm is not None:
            regularising.limit_norms(self.network, config.max_norm)
        self.schedule.after_step()
        at.step += 1
        at.loss += agreed.loss
        for name, part in agreed.parts.items():
            at.parts[name] = at.parts.get(name, 0.0) + part
        at.norm += norm
        at.counted += 1
        at.samples += agreed.size
        self.stop = self.team.size > 1 and agreed.asked
        at.busy += perf_counter() - started
        self.listener.advance(at)

    def _precision(self) -> AbstractContextManager[Any]:
        if self.config.precision == "bfloat16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    def _diverged(self, loss: float) -> Diverged:
        at, config = self.position, self.config
        layer = self.gradients.worst()
        clip = "" if config.clip_norm else ", --clip-norm 1"
        return Diverged(
            f"the loss is {loss:g} and the gradient of {layer} too large at step {at.step + 1} "
            f"(epoch {at.epoch + 1}): training has diverged",
            f"--lr {config.lr / 10:g}{clip}, or look for NaN and huge numbers in the data; "
            "last/ has the state of the last evaluation",
        )

    def _evaluated(self, epoch: float) -> None:
        """Scores the network, keeps it where it is the best, and writes down how it goes."""
        at = self.position
        started = perf_counter()
        train_loss, norm = at.loss / at.counted, at.norm / at.counted
        scores = self.team.same(self.evaluate() if self.evaluate else {"loss": train_loss})
        goal = self.goal if self.evaluate else Goal("loss", False)
        best = not self.evaluate or goal.better(scores, at.best)
        at.seconds += at.busy + perf_counter() - started
        record = Record(
            epoch=epoch,
            step=at.step,
            train_loss=train_loss,
            scores=scores,
            lr=self.schedule.lr,
            gradient_norm=norm,
            samples_per_second=at.samples / max(at.busy, 1e-9),
            seconds=at.seconds,
            seconds_left=at.seconds / at.step * (self.total_steps - at.step),
            best=best,
            gradients=self.gradients.means(),
            parts={name: part / at.counted for name, part in at.parts.items()},
        )
        at.since = 0 if best else at.since + 1
        if best:
            at.best, at.best_step = scores, at.step
            self.keeper.best(self.network, record)
        at.loss = at.norm = at.busy = 0.0
        at.parts = {}
        at.counted = at.samples = 0
        self.schedule.after_evaluation(scores["loss"])
        # Where nothing is lost, as margins allow, nothing is to be learned, and gradients are 0.
        for message in self.gradients.complaints() if train_loss else ():
            self.listener.warn(message)
        self.gradients.reset()
        self.keeper.record(record)
        self.save()
        self.listener.record(record)  # last: what has been told is kept

    def save(self) -> None:
        """Keeps what is needed to go on from here, bit for bit."""
        tensors = {f"model.{k}": v for k, v in checkpoints.tensors_of(self.network).items()}
        tensors |= {f"optimizer.{k}": v for k, v in checkpoints.optimizer_tensors(self.optimizer)}
        tensors |= {f"gradients.{k}": v for k, v in self.gradients.state().items()}
        tensors["chance.torch"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["chance.cuda"] = torch.cuda.get_rng_state(self.device)
        self.keeper.state(
            tensors,
            {
                "position": asdict(self.position),
                "groups": checkpoints.groups_of(self.optimizer),
                "schedule": self.schedule.state(),
                "chance": self.generator.bit_generator.state,
                "threads": torch.get_num_threads(),
            },
        )

    def restore(self, stored: checkpoints.Stored, path: str) -> None:
        """Goes to where an earlier run was; raises GaiError where that was another network."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): tensor
                for name, tensor in stored.tensors.items()
                if name.startswith(prefix)
            }

        facts = stored.facts
        checkpoints.restore(self.network, under("model."), path)
        checkpoints.restore_optimizer(self.optimizer, under("optimizer."), facts["groups"])
        self.gradients.restore(under("gradients."))
        self.schedule.restore(facts["schedule"])
        self.generator.bit_generator.state = facts["chance"]
        self.position = Position(**facts["position"])
        if not self.team.first:  # the chance that was kept is the first one's
            torch.manual_seed(self.team.seed(self.config.seed, self.position.step) or 0)
            return
        torch.set_rng_state(stored.tensors["chance.torch"])
        if self.device.type == "cuda" and "chance.cuda" in stored.tensors:
            torch.cuda.set_rng_state(stored.tensors["chance.cuda"], self.device)


@contextmanager
def out_of_memory(config: Config) -> Iterator[None]:
    """Turns an allocation that fails in the block into an error that says what lowers the need."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacking(error):
            raise
        size = config.batch_size
        smaller = f"--batch-size {max(size // 2, 1)}" if size else "--batch-size 32"
        raise GaiError(
            "not enough memory to train this network",
            f"{smaller} and --max-length lower what a step needs; --width, --layers, --embedding "
            "and --max-vocab the size of the network",
        ) from error


def lacking(error: BaseException) -> bool:
    """Whether it was memory that was lacking; on the CPU torch says so in words alone."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in LACKING)


LACKING = ("not enough memory", "can't allocate memory", "Storage size calculation overflowed")
