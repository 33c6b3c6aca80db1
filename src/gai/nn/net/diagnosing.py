"""What ails a network: gradients, units and steps while it trains, its losses, and the remedy."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from torch import Tensor, nn

from gai.nn import fitting
from gai.nn.config import Config
from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.fitting import Verdict
from gai.nn.net import experiment, inspecting
from gai.nn.net.batches import Batch, Rows
from gai.nn.net.gradients import Finding, judge, layer_of
from gai.nn.net.inspecting import Flow
from gai.nn.net.keeping import Memory
from gai.nn.net.learning import BY_MODEL
from gai.nn.net.loop import Diverged, Listener, Position, Record, Training
from gai.nn.net.units import Census, State
from gai.nn.net.watching import Call, watched
from gai.nn.remedies import on_losses, remedies

STEPS, LOOKS = 100, 8
"""Steps of a training that is only to be looked at, and how often it is."""

EXAMPLES, FOLLOWED = 512, 32
"""Examples that the units of a trained network are looked at on, and those whose gradients are
followed back."""

FAINT = 1e-4
"""Of the largest layer's gradient: what is below hardly learns beside it. A warning during training
waits until it is ``VANISHED``."""

DEAD, SATURATED = 0.4, 0.5
"""Shares of units that are 0 for all examples, and of outputs on flat ground, that are too many."""

SHORT, USUAL, LONG = 1e-4, 1e-3, 0.1
"""How far a step moves weights, as a share of themselves: too little, usual, too much."""

LOOKED = ("classify", "regress", "forecast", "tag", "lm")
"""Tasks whose networks are looked at on examples."""


@dataclass(frozen=True)
class Look:
    """A network at one step: what its layers gave, the gradients of its weights by layer, and how
    far the step moved the weights of each layer, as a share of their size."""

    step: int
    loss: float
    states: list[State]
    gradients: dict[str, float]
    moves: dict[str, float]


@dataclass
class Watch:
    """Looks at a training at some of its steps; ``inner`` hears all that is told of it."""

    inner: Listener
    training: Training | None = None
    looks: list[Look] = field(default_factory=list)
    due: set[int] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    before: dict[str, Tensor] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)
    total: float = 0.0

    def begin(self, total_steps: int, done: int) -> None:
        """Chooses the steps, closer to each other at first."""
        self.due = set(spread(total_steps, LOOKS))
        self.inner.begin(total_steps, done)

    def attach(self, training: Training) -> None:
        """Watches this training: from where a step takes its batch to where it is told of, so that
        evaluations are not seen."""
        self.training, take = training, training.take

        def taking(rows: Rows) -> Batch:
            self._arm(training.position.step + 1)
            return take(rows)

        training.take = taking

    def advance(self, position: Position) -> None:
        """Writes down what was seen of the step."""
        assert self.training is not None
        if position.step in self.due:
            self.looks.append(self._look(position))
        self.stack.close()
        self.total = position.loss
        self.inner.advance(position)

    def record(self, record: Record) -> None:
        """Begins the sum of losses anew, as the loop does."""
        self.total = 0.0
        self.inner.record(record)

    def warn(self, message: str) -> None:
        """Passes it on, but for what the findings say better."""
        if not message.startswith("gradients "):
            self.inner.warn(message)

    def _arm(self, step: int) -> None:
        """Watches the layers in a step, where it is one to be looked at."""
        if step in self.due:
            assert self.training is not None
            network = self.training.network
            self.calls = self.stack.enter_context(watched(network))
            self.before = {name: w.detach().clone() for name, w in weights_of(network)}

    def _look(self, position: Position) -> Look:
        assert self.training is not None
        census, gradients = Census(), self.training.gradients
        census.count(self.calls)
        norms = dict(zip(gradients.layers, gradients.last.tolist(), strict=True))
        moves = moved(self.training.network, self.before)
        loss = position.loss - self.total
        return Look(position.step, loss, census.states(), norms, moves)


def spread(total: int, count: int) -> list[int]:
    """About ``count`` steps from the first to the last, each farther away by the same factor."""
    powers = (total ** (place / (count - 1)) for place in range(count))
    return sorted({min(max(round(power), 1), total) for power in powers})


def weights_of(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The matrices that learn, with their names."""
    for name, weight in network.named_parameters():
        if weight.requires_grad and weight.dim() > 1:
            yield name, weight


def moved(network: nn.Module, before: Mapping[str, Tensor]) -> dict[str, float]:
    """How far the weights of each layer have moved, as a share of their size."""
    shifts: dict[str, list[float]] = {}
    for name, weight in weights_of(network):
        old = before[name]
        pair = [float((weight.detach() - old).norm()), float(old.norm())]
        found = shifts.setdefault(layer_of(name), [0.0, 0.0])
        shifts[layer_of(name)] = [math.hypot(a, b) for a, b in zip(found, pair, strict=True)]
    return {layer: shift / size if size else 0.0 for layer, (shift, size) in shifts.items()}


@dataclass(frozen=True)
class Diagnosis:
    """All that was seen, and what is to be said about it; ``verdict`` is on the losses, None where
    the training was too short for one."""

    config: Config
    records: Sequence[Mapping[str, Any]]
    looks: Sequence[Look]
    states: Sequence[State]
    flow: Flow | None
    verdict: Verdict | None
    findings: Sequence[Finding]


def of_training(parts: Parts, listener: Listener, *, whole: bool) -> Diagnosis:
    """What a training shows; a ``whole`` one is as long as was asked for, and its losses count.

    Nothing is kept of it. One that diverges is not an error here but a finding.
    """
    parts.config = replace(parts.config, compile=False)
    parts.encoding = replace(parts.encoding, config=parts.config)
    watch, memory, found = Watch(listener), Memory(), list[Finding]()
    training = experiment.fresh(parts, watch, memory)
    watch.attach(training)
    config = training.config
    try:
        training.run()
    except Diverged as error:
        found.append(Finding("diverging", error.message, remedies("diverging", config)))
    finally:
        watch.stack.close()
    diverged = bool(found)
    records = [record.as_dict() for record in memory.records]
    verdict = None
    if whole and not diverged:
        verdict, hint = on_losses(records, config, labels_of(parts.encoding))
        found += [Finding(verdict.kind, verdict.why, hint)] if hint else []
    if not diverged:
        found += [*on_gradients(watch.looks, config), *on_steps(watch.looks, config)]
    states = [state for look in watch.looks[-1:] for state in look.states]
    if is_looked_at(config) and not diverged:
        states = inspecting.states(training.network, parts.encoding, parts.raw["train"], EXAMPLES)
    found += on_units(states, config)
    return Diagnosis(config, records, watch.looks, states, None, verdict, found)


def of_run(
    records: Sequence[Mapping[str, Any]],
    network: nn.Module,
    encoding: Encoding,
    raw: Raw | None,
    report: Mapping[str, Any],
    most: int = EXAMPLES,
) -> Diagnosis:
    """What the records of a run show, and the trained network on examples where there are any."""
    config = encoding.config
    verdict, hint = on_losses(records, config, labels_of(encoding))
    beside = beside_baseline(report, encoding.main_score)
    why = f"{verdict.why}{beside}" if verdict.kind == "underfitting" else verdict.why
    found = [Finding(verdict.kind, why, hint)] if hint else []
    layers = {layer_of(name) for name, _ in weights_of(network)}
    norms = (record.get("gradients") or {} for record in records)
    found += on_norms([of_matrices(one, layers) for one in norms], config)
    flow, states = None, list[State]()
    if raw is not None and is_looked_at(config):
        states = inspecting.states(network, encoding, raw, most)
        flow = inspecting.flow(network, encoding, raw, min(most, FOLLOWED))
        found += [*on_units(states, config), *on_time(flow, config)]
    return Diagnosis(config, records, [], states, flow, verdict, found)


def beside_baseline(report: Mapping[str, Any], score: str) -> str:
    """The main score and the baseline's, for who wonders whether more can be learned."""
    for part in report.get("scores", {}).values():
        for name, values in (part.get("baselines") or {}).items():
            mine, other = part["network"].get(score), values.get(score)
            if mine is not None and other is not None:
                called = score.replace("_", " ")
                return f"; its {called} is {mine:.3f}, that of {name} {other:.3f}"
    return ""


def labels_of(encoding: Encoding) -> int:
    """How many labels a network tells apart, 0 where it has none."""
    return 0 if encoding.labels is None else len(encoding.labels.names)


def is_looked_at(config: Config) -> bool:
    """Whether a network answers examples, layer by layer."""
    return config.task in LOOKED and config.model not in BY_MODEL


def on_gradients(looks: Sequence[Look], config: Config) -> list[Finding]:
    """Gradients that vanish or explode in the steps that were looked at."""
    return on_norms([of_matrices(look.gradients, look.moves) for look in looks], config)


def of_matrices(norms: Mapping[str, Any], layers: Container[str]) -> dict[str, float]:
    """The norms of layers that have matrices: scales and shifts of a normalisation may be small
    beside them, and learn."""
    return {name: fitting.number(norm) for name, norm in norms.items() if name in layers}


def on_norms(norms: Sequence[Mapping[str, float]], config: Config) -> list[Finding]:
    """The same for the norms of each layer at each time; those that vanish do so at most times."""
    if not norms:
        return []
    layers = list(norms[0])
    typical = {layer: median(one.get(layer, 0.0) for one in norms) for layer in layers}
    largest = {layer: max(one.get(layer, 0.0) for one in norms) for layer in layers}
    found = judge(typical, largest, FAINT)
    return [replace(one, hint=remedies(one.kind, config)) for one in found]


def on_steps(looks: Sequence[Look], config: Config) -> Iterator[Finding]:
    """Steps that are far too short or too long for the weights, and the rate that would do."""
    moves = [median(look.moves.values()) for look in looks if look.moves]
    typical = median(moves) if moves else 0.0
    if not typical or SHORT <= typical <= LONG:
        return
    said = f"a step moves weights by {typical:.1e} of their size, where {USUAL:g} is usual"
    power = round(math.log10(USUAL / typical))
    hint = f"--lr {config.lr * 10.0 ** max(min(power, 3), -3):g}"
    yield Finding("short steps" if typical < SHORT else "long steps", said, hint)


def on_units(states: Sequence[State], config: Config) -> Iterator[Finding]:
    """Units that are 0 for all examples, and activations on flat ground."""
    dead = {s.layer: s.dead for s in states if s.dead is not None and s.dead > DEAD}
    if dead:
        said = f"{share(max(dead.values()))} of the units of {worst(dead)} are 0 for all examples"
        yield Finding("dead", said, remedies("dead", config))
    flat = {
        s.layer: s.saturated for s in states if s.saturated is not None and s.saturated > SATURATED
    }
    if flat:
        said = f"{share(max(flat.values()))} of the outputs of {worst(flat)} are on flat ground"
        yield Finding("saturated", said, remedies("saturated", config))


def on_time(flow: Flow, config: Config) -> Iterator[Finding]:
    """Recurrent layers through which the loss does not reach back.

    Where each token has an answer, it mostly needs the tokens just before, and a layer with gates
    that forgets the others need not ail.
    """
    gates = config.model != "rnn" and config.task in ("lm", "tag")
    for reach in flow.reaches:
        if reach.verdict == "vanishes" and not gates:
            far = reach.distances[-1]
            said = f"{reach.layer} forgets: at distance {far} the gradient is {reach.share:.1e}"
            yield Finding("forget", f"{said} of the last", remedies("forget", config))
        elif reach.verdict == "explodes":
            said = f"gradients explode back through time in {reach.layer}"
            yield Finding("explode", said, remedies("explode", config))


def share(value: float) -> str:
    """A share as a percentage."""
    return f"{100 * value:.0f} %"


def worst(found: Mapping[str, float]) -> str:
    """The layer with the largest share, and how many there are beside it."""
    layer = max(found, key=lambda name: found[name])
    return f"{layer} (and {len(found) - 1} more layers)" if len(found) > 1 else layer
