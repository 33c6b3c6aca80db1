"""A search: trial after trial on the same data, each a training, and the run of the best kept."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from gai.errors import GaiError, UsageError
from gai.nn import advice, runs, spaces, studies
from gai.nn import config as configs
from gai.nn.config import Config
from gai.nn.data.preparing import Parts
from gai.nn.fitting import Verdict, chance_loss, fit
from gai.nn.net import experiment, finishing
from gai.nn.net.keeping import Memory
from gai.nn.net.learning import GOALS
from gai.nn.net.loop import Diverged, Goal, Listener, Position, Record, out_of_memory
from gai.nn.runs import Run
from gai.nn.spaces import Space
from gai.nn.studies import About, Study, Trial

BETWEEN = {
    "r2": Goal("r2", True),
    "perplexity": Goal("perplexity", False),
}
"""What compares trials by main score, where it is not what decides within a training."""

APART = ("data", "threads", "device", "precision", "compile")
"""Choices in which trials of one study may differ, for the scores do not: files are known by what
is in them."""

OF_LOSSES = ("loss", "label_smoothing", "class_weights", "huber_delta", "focal_gamma", "beta")
"""Choices by which a loss becomes another, which compares with nothing."""

SHARES = ("accuracy", "micro_f1", "exact")
"""Scores of which 1 is the best that there is."""

HOPELESS = 3
"""Trials that fail before any ends well, after which a search ends."""


class Watcher(Listener, Protocol):
    """Who is told how a search goes, and how each of its trainings does."""

    def ended(self, trial: Trial, best: bool) -> None:
        """A trial has ended, the best so far perhaps."""


class Proposal(NamedTuple):
    """Optuna's trial, the choices to be tried in it, and why."""

    trial: Any
    choices: dict[str, Any]
    why: str = ""


Propose = Callable[[Study], Proposal | None]
"""What is to be tried next in a study; None where nothing is left to try."""


class Pruned(Exception):
    """A trial does worse than others did."""


def goal_of(parts: Parts) -> Goal:
    """The score that compares trials."""
    main = parts.encoding.main_score
    return BETWEEN.get(main, GOALS[main])


def about(parts: Parts, space: Space | None) -> About:
    """What a study of these parts is about; of no space, advice decides.

    Raises UsageError where nothing validates, and for a space whose scores would not compare.
    """
    if parts.valid is None:
        raise UsageError("--valid 0: a search needs a part that validates", "--valid 0.1")
    goal = goal_of(parts)
    described = {studies.AUTO: True} if space is None else spaces.described(space)
    if "context" in described and parts.config.task != "lm":
        raise UsageError("context cannot be searched: texts are cut to it once for all trials")
    for name in OF_LOSSES:
        if goal.name == "loss" and name in described:
            message = f"{name} cannot be searched: losses of two kinds do not compare"
            raise UsageError(message, f"a search for each {name}")
    named = [f.name for f in fields(Config) if f.name not in (*APART, *described)]
    shared = {name: getattr(parts.config, name) for name in named}
    return About(parts.digest, goal.name, goal.higher, described, shared)


def sampled(space: Space, how: str, seed: int) -> Propose:
    """Draws from a space, at random or as TPE does."""

    def propose(study: Study) -> Proposal:
        trial = study.ask(studies.sampler_of(how, seed, len(study.counted())))
        return Proposal(trial, spaces.suggest(trial, space))

    return propose


def in_grid(space: Mapping[str, spaces.Choices], seed: int) -> Propose:
    """Goes through all points of a grid."""
    points = spaces.points(space, seed)

    def propose(study: Study) -> Proposal | None:
        turn = len(study.counted())
        if turn >= len(points):
            return None
        trial = study.ask_for(points[turn])
        return Proposal(trial, spaces.suggest(trial, space))

    return propose


def advised(setting: advice.Setting, say: Callable[[str], None]) -> Propose:
    """Changes one thing after the other, as advice has it; ``say`` is told why it ends."""

    def propose(study: Study) -> Proposal | None:
        steps = steps_of(study)
        found = advice.following(setting, steps) if steps else advice.first(setting)
        if isinstance(found, advice.Stop):
            say(found.why)
            return None
        return Proposal(study.ask_for({}), found.choices, found.why)

    return propose


def steps_of(study: Study) -> list[advice.Step]:
    """The trials of a study as advice looks at them."""
    steps: list[advice.Step] = []
    before: list[Trial] = []
    for trial in study.counted():
        best = studies.best_of([*before, trial], study.about.higher)
        choices = {name: value_of(value) for name, value in trial.choices.items()}
        perfect = study.about.score in SHARES and trial.value == 1.0
        steps.append(advice.Step(choices, best is trial, trial.verdict, perfect))
        before.append(trial)
    return steps


def value_of(stored: Any) -> Any:
    """A value as its field has it, which JSON has no tuples for."""
    return tuple(stored) if isinstance(stored, list) else stored


def with_choices(parts: Parts, choices: Mapping[str, Any]) -> Parts:
    """The same parts for other choices; raises UsageError for what cannot be."""
    config = parts.config.with_(**{name: value_of(value) for name, value in choices.items()})
    configs.check(config)
    encoding = replace(parts.encoding, config=config)
    return replace(parts, config=config, encoding=encoding, notes=list(parts.notes))


def with_threads(parts: Parts, listener: Listener, *, probe: bool) -> Parts:
    """The same parts with a number of threads that all trials share."""
    if parts.config.threads:
        return parts
    found = experiment.fresh(with_choices(parts, {}), listener, Memory(), probe=probe)
    return with_choices(parts, {"threads": found.config.threads})


def search(
    parts: Parts,
    study: Study,
    propose: Propose,
    watcher: Watcher,
    *,
    trials: float = math.inf,
    seconds: float = math.inf,
) -> None:
    """Makes trials until there are so many, or the time is over, or nothing is left to try.

    Raises GaiError where none of the first three ends well.
    """
    started = perf_counter()
    while len(study.counted()) < trials and perf_counter() - started < seconds:
        require_hope(study)
        proposal = propose(study)
        if proposal is None:
            return
        try:
            tried(parts, study, proposal, watcher)
        finally:
            study.clear()
            study.write()


def require_hope(study: Study) -> None:
    """Raises GaiError where one trial after the other has failed."""
    counted = study.counted()
    if len(counted) >= HOPELESS and all(trial.state == "failed" for trial in counted):
        raise GaiError(f"no trial ends well: {counted[-1].why}", "gai nn train shows it alone")


def tried(parts: Parts, study: Study, proposal: Proposal, watcher: Watcher) -> None:
    """Trains with the choices of a proposal, and writes down how it ends.

    The run is kept where it is the best so far. Ctrl-C ends the trial as interrupted, and passes.
    """
    trial, run = proposal.trial, Run(study.file(studies.RUNNING))
    trial.set_user_attr("choices", stored(proposal.choices))
    started, before = perf_counter(), study.best()
    try:
        found = outcome(parts, study, proposal, run, watcher)
    except BaseException:
        study.end(trial, "interrupted", seconds=perf_counter() - started)
        raise
    ended = Trial(trial.number + 1, found.state, found.value, {}, loss=found.loss)
    known = [ended] if before is None else [before, ended]
    best = studies.best_of(known, study.about.higher) is ended
    fit = list(fitted(parts, proposal.choices, run, found.state))
    if best:
        study.keep()
    facts = {"loss": found.loss, "why": found.why, "fit": fit, "seconds": perf_counter() - started}
    study.end(trial, found.state, found.value, **facts)
    watcher.ended(study.trials()[-1], best)


class Outcome(NamedTuple):
    """How a training ended: its state, its score and loss where it is complete, and why."""

    state: str
    value: float | None
    loss: float | None
    why: str


def outcome(parts: Parts, study: Study, proposal: Proposal, run: Run, watcher: Watcher) -> Outcome:
    """How a training with the choices of a proposal ends, in the folder of a run."""
    why = proposal.why
    try:
        value, loss = trained(parts, study, proposal, run, watcher)
    except Pruned:
        return Outcome("pruned", None, None, why)
    except GaiError as error:
        if isinstance(error.__cause__, OSError):
            raise  # a full disk is not the fault of the choices: this trial is made again
        state = "diverged" if isinstance(error, Diverged) else "failed"
        return Outcome(state, None, None, f"{why}: {error.message}" if why else error.message)
    if not math.isfinite(value):
        return Outcome("failed", None, None, f"{study.about.score} is {value}")
    return Outcome("complete", value, loss if math.isfinite(loss) else None, why)


def stored(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Choices as JSON gives them back."""
    return dict(json.loads(json.dumps(choices)))


def trained(
    parts: Parts, study: Study, proposal: Proposal, run: Run, watcher: Watcher
) -> tuple[float, float]:
    """The score and the loss of the best evaluation of a training, in the folder of a run."""
    own = with_choices(parts, proposal.choices)
    watched = Watched(watcher, study, proposal.trial)
    with out_of_memory(own.config):
        training = experiment.begin(own, run, watched, probe=False, force=True)
        at = training.run()
    return float(at.best[study.about.score]), float(at.best["loss"])


def fitted(parts: Parts, choices: Mapping[str, Any], run: Run, state: str) -> Verdict:
    """How the network of a trial fits its data."""
    if state in ("failed", "diverged"):
        return Verdict("diverging", "it has diverged" if state == "diverged" else "it failed")
    config, labels = parts.config, parts.encoding.labels
    classes = 0 if labels is None else len(labels.names)
    loss = choices.get("loss", config.loss)
    return fit(run.records(), chance_loss(config.task, loss, classes))


@dataclass
class Watched:
    """Tells the watcher how a trial goes, and ends it where Optuna finds it hopeless."""

    watcher: Watcher
    study: Study
    trial: Any
    evaluations: int = 0

    def begin(self, total_steps: int, done: int) -> None:
        """The training begins."""
        self.watcher.begin(total_steps, done)

    def advance(self, position: Position) -> None:
        """A step has been made."""
        self.watcher.advance(position)

    def warn(self, message: str) -> None:
        """Something that a person should know."""
        self.watcher.warn(message)

    def record(self, record: Record) -> None:
        """Reports the score of an evaluation; raises Pruned where the trial is to end."""
        self.watcher.record(record)
        self.evaluations += 1
        value = record.scores[self.study.about.score]
        if not math.isfinite(value):
            return
        with studies.answering(self.study.path):
            self.trial.report(value, self.evaluations)
            hopeless = self.trial.should_prune()
        if hopeless:
            raise Pruned


def finished(parts: Parts, study: Study, watcher: Watcher) -> dict[str, Any]:
    """The report of the best run, which is judged beside the baseline, and on the test part, if
    that has not been done.

    It is trained again where its folder is not what the study says. Raises GaiError where no trial
    has ended well.
    """
    best, run = study.best(), Run(study.file(studies.BEST))
    if best is None:
        ended = [trial.why for trial in study.counted() if trial.why]
        why = f": {ended[-1]}" if ended else ""
        raise GaiError(f"{study.path}: no trial has ended well{why}", "--trials N tries more")
    own = with_choices(parts, best.choices)
    if not studies.holds(run, best.choices):
        again(own, study, watcher)
    if os.path.exists(run.file(runs.REPORT)):
        return run.json(runs.REPORT)
    made = run.config()
    own = with_choices(own, {"threads": made.threads, "precision": made.precision})
    return finishing.finish(own, experiment.resume(own, run, watcher), run)


def again(parts: Parts, study: Study, watcher: Watcher) -> None:
    """Trains the best once more, where its run was lost."""
    study.clear()
    run = Run(study.file(studies.RUNNING))
    with out_of_memory(parts.config):
        experiment.begin(parts, run, watcher, probe=False, force=True).run()
    study.keep()
