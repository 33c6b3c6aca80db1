"""STUDY: the folder of a search.

    study.db      every trial with its choices and its scores on the way: Optuna's own file, SQLite
    trials.tsv    a line a trial
    trials.svg    the score over the trials, and by each choice
    best/         the run of the best trial, as gai nn train would have made it

``gai nn search`` with the same words goes on with it. One process at a time does so.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gai import __version__
from gai.errors import GaiError, UsageError
from gai.nn import advice, spaces
from gai.nn.fitting import Verdict
from gai.nn.plots import Mark, Plot, Series, stairs
from gai.nn.runs import CONFIG, Run
from gai.output.atomic import naming, staged
from gai.output.tsv import escape

FORMAT = 1
"""The version of the layout, and of what stands in study.db."""

DB, TABLE, PICTURE, BEST, RUNNING = "study.db", "trials.tsv", "trials.svg", "best", ".trial"
NAME = "gai"
LOG = 8
"""How many times its least the greatest of a choice is where its axis is logarithmic."""

FAR = 100
"""The same for the axis of scores, which are not to look alike because one is a hundred times
worse."""

NAMED, SHORT = 7, 5
"""Values of a choice that a plot names, at most, and letters of a number for that."""

AUTO = "auto"
"""What a space is named by where advice makes the choices."""

STARTUP, WARMUP = 4, 2
"""Trials before the first that is pruned, and evaluations of each."""


@dataclass(frozen=True)
class Trial:
    """What was tried, and how it ended.

    ``number`` counts from 1. ``state`` is complete, pruned, diverged, failed or interrupted;
    ``why`` is what was to be gained by it, or went wrong.
    """

    number: int
    state: str
    value: float | None
    choices: Mapping[str, Any]
    seconds: float = 0.0
    why: str = ""
    loss: float | None = None
    verdict: Verdict = field(default_factory=lambda: Verdict("unclear", ""))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "trial": self.number,
            "state": self.state,
            "value": self.value,
            "choices": dict(self.choices),
            "fit": self.verdict.kind,
            "seconds": self.seconds,
            "why": self.why,
        }


@dataclass(frozen=True)
class About:
    """What a study is about: trials compare only where all of it is the same.

    ``space`` is described for JSON, ``choices`` are those that all trials share.
    """

    digest: str
    score: str
    higher: bool
    space: Mapping[str, Any]
    choices: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = vars(self) | {"format": FORMAT, "gai": __version__}
        return dict(json.loads(json.dumps(found)))


@dataclass
class Study:
    """The folder of a search, opened; ``inner`` is Optuna's study."""

    path: str
    inner: Any
    about: About
    lock: int = -1

    def file(self, name: str) -> str:
        """The path of a file in it."""
        return os.path.join(self.path, name)

    def trials(self) -> list[Trial]:
        """All that have ended, in their order."""
        with answering(self.path):
            found = self.inner.get_trials(deepcopy=False)
        return [trial_of(one) for one in found if one.state.is_finished()]

    def counted(self) -> list[Trial]:
        """Those that count: not the interrupted, in whose place others come."""
        return [trial for trial in self.trials() if trial.state != "interrupted"]

    def best(self) -> Trial | None:
        """The trial with the best score; of equal ones that with the lower loss."""
        return best_of(self.trials(), self.about.higher)

    def ask(self, sampler: Any) -> Any:
        """An Optuna trial, whose choices the sampler will make."""
        with answering(self.path):
            self.inner.sampler = sampler
            return self.inner.ask()

    def ask_for(self, choices: Mapping[str, Any]) -> Any:
        """An Optuna trial that will make these choices."""
        with answering(self.path):
            self.inner.enqueue_trial({name: spaces.label(v) for name, v in choices.items()})
            return self.inner.ask()

    def end(self, trial: Any, state: str, value: float | None = None, **facts: Any) -> None:
        """Writes down how a trial ended, and what is known of it."""
        from optuna.trial import TrialState

        known = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
        known["diverged"] = TrialState.PRUNED
        with answering(self.path):
            trial.set_user_attr("ended", {"state": state, **facts})
            values = [value] if state == "complete" else None
            self.inner.tell(trial, values, known.get(state, TrialState.FAIL))

    def write(self) -> None:
        """Writes the table and the plots of the trials."""
        trials = self.trials()
        with staged(self.file(TABLE), self.file(PICTURE)) as (table, picture):
            table.write(tsv(trials).encode("utf-8", "surrogateescape"))
            picture.write(drawn(trials, self.about))

    def keep(self) -> None:
        """Puts the run of the trial that has just ended in the place of the best."""
        with naming(self.file(BEST)):
            shutil.rmtree(self.file(BEST), ignore_errors=True)
            os.rename(self.file(RUNNING), self.file(BEST))

    def clear(self) -> None:
        """Takes away what a trial has left."""
        shutil.rmtree(self.file(RUNNING), ignore_errors=True)

    def close(self) -> None:
        """Lets other processes have it."""
        os.close(self.lock)


def require_free(path: str, *, force: bool = False) -> None:
    """Raises UsageError where the folder holds something else than a study."""
    if os.path.exists(path) and not os.path.isdir(path):
        raise UsageError(f"{path} is a file", "a study is a folder: name another")
    if not os.path.isdir(path) or os.path.exists(os.path.join(path, DB)):
        return
    if os.path.exists(os.path.join(path, CONFIG)):
        raise UsageError(f"{path} holds a run", "a study is a folder of its own: name another")
    held = set(os.listdir(path))
    if held - {TABLE, PICTURE, BEST, RUNNING}:
        raise UsageError(f"{path} is a folder, and holds no study", "name another")
    if BEST in held and not force:
        hint = "-o OTHER begins a new study, --force one in its place"
        raise UsageError(f"{path} has the best run of a study that has lost its {DB}", hint)


@contextmanager
def opened(path: str, about: About, pruner: str = "median", *, force: bool) -> Iterator[Study]:
    """The study in a folder, which is made where there is none; one process at a time has it.

    Trials that a killed process has left become interrupted. Raises UsageError and GaiError for
    a folder of something else, a study of other data, choices or versions, and one in use.
    """
    require_free(path, force=force)
    with naming(path):
        os.makedirs(path, exist_ok=True)
    study = Study(path, None, about, locked(path))
    try:
        if force:
            emptied(study)
        study.inner = stored(study, pruner)
        require_same(study)
        interrupted(study)
        yield study
    finally:
        study.clear()
        study.close()


def locked(path: str) -> int:
    """A descriptor of the folder that keeps other processes out; raises GaiError where one is in
    it."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise GaiError(
            f"{path}: another search is at work in it", "wait, or name another"
        ) from None
    except OSError:
        pass  # a file system without locks
    return handle


def emptied(study: Study) -> None:
    """Takes away what an earlier search has left."""
    with naming(study.path):
        for name in (DB, TABLE, PICTURE):
            if os.path.exists(study.file(name)):
                os.unlink(study.file(name))
        for name in (BEST, RUNNING):
            shutil.rmtree(study.file(name), ignore_errors=True)


@contextmanager
def answering(path: str) -> Iterator[None]:
    """Turns what Optuna and its database say into an error that names the study."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (optuna.exceptions.OptunaError, SQLAlchemyError, RuntimeError) as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        message = f"{os.path.join(path, DB)} cannot be used: {said}"
        raise GaiError(message, "-o OTHER begins a new study, --force one in its place") from error


def stored(study: Study, pruner: str) -> Any:
    """Optuna's study in study.db, which is made where there is none."""
    import optuna
    from sqlalchemy.pool import NullPool

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    place = os.path.abspath(study.file(DB))

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(place, timeout=60.0, check_same_thread=False)

    with answering(study.path):
        # By a connection of our own, for a path may hold what means something in an address.
        kwargs = {"creator": connect, "poolclass": NullPool}
        storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=kwargs)
        return optuna.create_study(
            storage=storage,
            study_name=NAME,
            load_if_exists=True,
            direction="maximize" if study.about.higher else "minimize",
            pruner=pruner_of(pruner),
        )


def pruner_of(name: str) -> Any:
    """What ends trials early."""
    from optuna import pruners

    if name == "none":
        return pruners.NopPruner()
    if name == "halving":
        return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    return pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=WARMUP)


def sampler_of(how: str, seed: int, turn: int) -> Any:
    """What makes the choices of the trial whose ``turn`` it is, from 0 on: random, or tpe.

    Each trial has a sampler with a seed of its own, so that a search that was cut off chooses what
    it would have chosen.
    """
    from optuna import samplers

    own = int(np.random.default_rng((seed, 3, turn)).integers(2**31))
    return samplers.RandomSampler(own) if how == "random" else samplers.TPESampler(seed=own)


def require_same(study: Study) -> None:
    """Raises GaiError where the study is about something else; a new one is told what it is."""
    with answering(study.path):
        then, now = study.inner.user_attrs.get("about"), study.about.as_dict()
        if then is None and not study.inner.get_trials(deepcopy=False):
            study.inner.set_user_attr("about", now)
            return
    then = then if isinstance(then, dict) else {}
    hint = "-o OTHER begins a new study, --force one in its place"
    if then.get("format") != FORMAT:
        raise GaiError(
            f"{study.path} was made by gai {then.get('gai', '?')}, in format "
            f"{then.get('format')!r}; this is gai {__version__}, which goes on with {FORMAT}",
            hint,
        )
    for found in differences(then, now):
        raise GaiError(f"{study.path} cannot go on: {found}", hint)


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it was, a line each."""
    if then["choices"].get("model") != now["choices"].get("model"):
        yield f"it searched a {then['choices'].get('model')}, not a {now['choices'].get('model')}"
    if then["digest"] != now["digest"]:
        yield "it was made with other data"
    if (AUTO in then["space"]) != (AUTO in now["space"]):
        yield f"it was made {'with' if AUTO in then['space'] else 'without'} --auto"
    for what, of in (("space", "its space had"), ("choices", "its trials had")):
        for name in sorted(then[what].keys() | now[what].keys()):
            if then[what].get(name) != now[what].get(name):
                yield f"{of} {_said(name, then[what])}, and now it has {_said(name, now[what])}"
    if (then["score"], then["higher"]) != (now["score"], now["higher"]):
        yield f"its score was {then['score']}, not {now['score']}"


def _said(name: str, found: Mapping[str, Any]) -> str:
    return f"{name} {json.dumps(found[name])}" if name in found else f"no {name}"


def interrupted(study: Study) -> None:
    """Ends the trials that a killed process has left."""
    from optuna.trial import TrialState

    with answering(study.path):
        for one in study.inner.get_trials(deepcopy=False):
            if one.state == TrialState.WAITING:
                study.inner.ask()  # which makes it one that runs
            if not one.state.is_finished():
                study.inner.tell(one.number, state=TrialState.FAIL)


STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "interrupted"}


def trial_of(found: Any) -> Trial:
    """A trial as Optuna has stored it."""
    facts = found.user_attrs.get("ended", {})
    value = found.value
    if value is None and found.intermediate_values:
        value = found.intermediate_values[max(found.intermediate_values)]
    return Trial(
        number=found.number + 1,
        state=facts.get("state", STATES.get(found.state.name, "failed")),
        value=value if value is None or math.isfinite(value) else None,
        choices=found.user_attrs.get("choices", found.params),
        seconds=facts.get("seconds", 0.0),
        why=facts.get("why", ""),
        loss=facts.get("loss"),
        verdict=Verdict(*facts.get("fit", ("unclear", ""))),
    )


def best_of(trials: Sequence[Trial], higher: bool) -> Trial | None:
    """The complete trial with the best value, then the lower loss, then the earlier one."""
    ended = [t for t in trials if t.state == "complete" and t.value is not None]
    return min(ended, key=lambda trial: rank(trial, higher), default=None)


def rank(trial: Trial, higher: bool) -> tuple[float, float]:
    """What is the less the better a trial is."""
    assert trial.value is not None
    loss = math.inf if trial.loss is None else trial.loss
    return (-trial.value if higher else trial.value, loss)


def names_of(trials: Sequence[Trial]) -> list[str]:
    """The names of all choices of the trials, in the order in which they first appear."""
    return list(dict.fromkeys(name for trial in trials for name in trial.choices))


def tsv(trials: Sequence[Trial]) -> str:
    """A line a trial, a column a choice."""
    names = names_of(trials)
    heads = ["trial", "state", "value", "loss", "seconds", "fit", *names, "why"]
    lines = ["\t".join(map(escape, heads))]
    for trial in trials:
        facts = [str(trial.number), trial.state, _number(trial.value), _number(trial.loss)]
        cells = [_cell(trial.choices[n]) if n in trial.choices else "" for n in names]
        row = [*facts, f"{trial.seconds:.1f}", trial.verdict.kind, *cells, trial.why]
        lines.append("\t".join(map(escape, row)))
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else advice.spelt(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def drawn(trials: Sequence[Trial], about: About) -> bytes:
    """The plots of the trials as SVG."""
    from gai.nn import svg

    return svg.sheet(plots(trials, about))


def plots(trials: Sequence[Trial], about: About) -> list[Plot]:
    """The score over the trials with the best so far, and by each choice that was not the same."""
    shown = [trial for trial in trials if trial.value is not None]
    return [over_time(shown, about), *by_choice(shown, about)]


def over_time(trials: Sequence[Trial], about: About) -> Plot:
    """The score of each trial, and the best so far."""
    ended = [t for t in trials if t.state == "complete"]
    cut = [t for t in trials if t.state != "complete"]
    best = [best_of(ended[: k + 1], about.higher) for k in range(len(ended))]
    line = Series("best", [t.number for t in ended], [t.value for t in best if t is not None])  # type: ignore[misc]
    found = [
        stairs(line),
        *(_points(name, part) for name, part in (("trial", ended), ("pruned", cut)) if part),
    ]
    values = [t.value for t in trials if t.value is not None]
    log = bool(values) and min(values) > 0 and max(values) > FAR * min(values)
    return Plot("Trials", found, x="trial", y=advice.called(about.score), y_log=log)


def _points(name: str, trials: Sequence[Trial]) -> Series:
    values = [math.nan if t.value is None else t.value for t in trials]
    return Series(name, [t.number for t in trials], values, "points")


def by_choice(trials: Sequence[Trial], about: About) -> Iterator[Plot]:
    """The score by each choice of which there is more than one value."""
    ended = [trial for trial in trials if trial.state == "complete"]
    for name in names_of(ended):
        pairs = [(_plain(t.choices[name]), t.value) for t in ended if name in t.choices]
        if len({value for value, _ in pairs}) > 1:
            yield against(name, [v for v, _ in pairs], [float(s or 0) for _, s in pairs], about)


def _plain(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def against(name: str, values: Sequence[Any], scores: Sequence[float], about: About) -> Plot:
    """The score by the values of a choice; few values are named, and names stand side by side."""
    known = sorted(set(values), key=lambda value: (isinstance(value, str), str(value), value))
    places = {value: float(place) for place, value in enumerate(known)}
    numbers = all(type(value) in (int, float) for value in known)
    if numbers:
        places = {value: float(value) for value in known}
    least, most = min(places.values()), max(places.values())
    log = numbers and least > 0 and most >= LOG * least
    room = (most / least) ** 0.1 if log else 0.1 * (most - least)
    marks = [Mark(places[value], advice.spelt(value)) for value in known]
    short = not numbers or all(len(mark.name) <= SHORT for mark in marks)
    return Plot(
        f"{advice.called(about.score)} by {advice.called(name)}",
        [Series(name, [places[value] for value in values], scores, "points")],
        x_log=log,
        x_span=(least / room, most * room) if log else (least - room, most + room),
        marks=marks if short and len(known) <= NAMED else (),
    )


def holds(run: Run, choices: Mapping[str, Any]) -> bool:
    """Whether the folder holds a run with these choices."""
    if not os.path.exists(run.file(CONFIG)):
        return False
    config = run.config()
    return all(_plain(getattr(config, name)) == _plain(value) for name, value in choices.items())
