"""How ensembles are made: of runs that are there, or of runs that are trained for it."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from gai.errors import GaiError, UsageError
from gai.nn import boosting, runs, tables
from gai.nn.config import Config
from gai.nn.data import held
from gai.nn.data.preparing import Parts, Whole, prepare
from gai.nn.data.raw import Raw
from gai.nn.net import answers, crossing, ensembles, experiment, stacking
from gai.nn.net.ensembles import Ensemble, Member
from gai.nn.net.loop import Listener
from gai.nn.runs import Run
from gai.nn.shelves import Shelf
from gai.output.atomic import naming

Report = dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """What an ensemble is made of, and how: ``made`` is what was asked for, ``how`` what its
    answers become one by; ``sources`` are the members' names as the user knows them, ``parts``
    the examples that none of them was trained on, nor the ensemble fitted to; ``fitted_on`` are
    the names of those that it was fitted to."""

    made: str
    how: str
    members: Sequence[Member]
    sources: Sequence[str]
    weights: Sequence[float]
    bias: Sequence[float] = ()
    fitted_on: Sequence[str] = ()
    parts: Mapping[str, Raw] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def network(self) -> Member:
        """The ensemble as a network."""
        return ensembles.together(self.members, self.how, self.weights, self.bias)


class Loaded(NamedTuple):
    """Trained runs that belong together: their folders and their networks."""

    paths: Sequence[str]
    members: Sequence[Member]


def loaded(paths: Sequence[str], device: str = "cpu", threads: int | None = None) -> Loaded:
    """The runs in these folders; raises GaiError for runs that do not belong together."""
    found = [ensembles.asked(Run(path), device, threads) for path in paths]
    ensembles.require_alike(paths, [encoding for _, encoding in found])
    return Loaded(paths, found)


def of_runs(how: str, runs: Loaded, weights: Sequence[float] | None = None) -> Recipe:
    """An average, or a vote, of trained runs."""
    (paths, members), notes, parts = runs, list[str](), dict[str, Raw]()
    try:
        parts = held.shared([held.parts_of(Run(path)) for path in paths])
        if not parts:
            notes.append("not scored: the runs hold no examples in common")
    except GaiError as error:
        notes.append(f"not scored: {error.message}")
    even = [1.0] * len(paths)
    return Recipe(how, how, members, paths, weights or even, parts=parts, notes=notes)


def of_stack(runs: Loaded, data: Raw | None) -> Recipe:
    """A stack of trained runs, whose second level is fitted to ``data`` but for what a member was
    trained on, or to the validation part that the members share."""
    (paths, members), notes = runs, list[str]()
    folders = [Run(path) for path in paths]
    shared = held.shared([held.parts_of(run) for run in folders])
    if data is None:
        found = shared.get("valid")
        if found is None:
            hint = "train them with one --split-seed or --valid FILE, or name DATA to fit to"
            raise GaiError("the runs hold no validation part in common", hint)
    else:
        found = held.untouched(data, held.trained_on(folders))
        if known := len(data) - len(found):
            all = f"{len(data):,} examples"
            notes.append(f"{known:,} of {all} left out: a member was trained on them")
    overlapping = [name for name, part in shared.items() if held.overlap(part, found)]
    used = ["valid"] if data is None else overlapping
    kept = {name: part for name, part in shared.items() if name not in used}
    network, encoding = ensembles.together(members, "average")
    assert isinstance(network, Ensemble)
    level = stacking.stacked(network, encoding, found)
    weights, bias = level.weights.tolist(), level.bias.tolist()
    return Recipe("stack", "stack", members, paths, weights, bias, used, kept, notes)


def scored_weights(paths: Sequence[str]) -> list[float]:
    """The weight of each run by its validation score: the log-odds of its accuracy (of its micro F1
    with several labels), or one over its mean squared error.

    The former is best for voters that err independently (Nitzan and Paroush 1982).
    """
    return [scored_weight(Run(path)) for path in paths]


def scored_weight(run: Run) -> float:
    """The weight of one run."""
    scores = run.json(runs.REPORT).get("scores", {}).get("valid", {}).get("network", {})
    for name in ("accuracy", "micro_f1"):
        if (value := scores.get(name)) is not None:
            kept = min(max(float(value), 0.501), 0.999)
            return math.log(kept / (1 - kept))
    if not scores.get("mse"):
        hint = "--weights 2,1,1 says them"
        raise GaiError(f"{run.path} has no validation score to weigh it by", hint)
    return 1 / float(scores["mse"])


def bagged(
    said: Mapping[str, Any], found: Whole, count: int, shelf: Shelf, listener: Listener
) -> Recipe:
    """Members trained on resamples of the training part, each with a seed of its own (Breiman 1996,
    Bagging predictors); with ``--no-bootstrap`` they differ by their seeds alone."""
    config = settled(found).with_(bootstrap=said.get("bootstrap", True))
    parts = prepare(said, found=found._replace(config=config))
    ensembles.require_task(parts.config.task, "members are to be trained")  # before the work
    shelf.begin(force=True)
    for number in range(1, count + 1):
        parts = prepare(said, found=found._replace(config=config)) if number > 1 else parts
        training, _ = crossing.carried_out(parts, listener, member(shelf, number))
        config = config.with_(seed=config.seed + 1, threads=training.config.threads)
    return trained("bag", "average", shelf, [1.0] * count, parts)


def settled(found: Whole) -> Config:
    """The choices with a seed of the split, which members of other seeds share."""
    config = found.config
    return config.with_(split_seed=config.seed if config.split_seed is None else config.split_seed)


def boosted(
    said: Mapping[str, Any], found: Whole, count: int, shelf: Shelf, listener: Listener
) -> Recipe:
    """Members trained one after the other, each on examples drawn by how badly those before it did
    on them.

    Raises UsageError for a task that has neither one label an example nor numbers.
    """
    whole = prepare(said, found=found._replace(config=settled(found)))
    require_boostable(whole)
    whole.notes.append("the examples of each member are drawn by the errors of those before it")
    shelf.begin(force=True)
    examples, weights = boosting.even(len(whole.train)), list[float]()
    for number in range(1, count + 1):
        run = member(shelf, number)
        parts = drawn(whole, examples, number)
        training, _ = crossing.carried_out(parts, listener, run)
        whole.config = replace(whole.config, threads=training.config.threads)
        step = step_of(training.network, whole, examples)
        if step.weight <= 0:
            listener.warn(f"member {number} is no better than chance: boosting ends here")
            if weights:
                shutil.rmtree(run.path)
                break
        weights.append(step.weight or 1.0)
        if step.weight <= 0:
            break
        examples = step.examples
    return trained("boost", "vote", shelf, weights, whole)


def require_boostable(parts: Parts) -> None:
    """Raises UsageError where it is unclear what is right and what wrong."""
    labels, task = parts.encoding.labels, parts.config.task
    if task not in ("classify", "regress", "forecast") or (labels is not None and labels.several):
        what = "several labels an example" if task == "classify" else f"--task {task}"
        raise UsageError(f"no boosting of {what}", "bag works for all ensembles")


def drawn(whole: Parts, examples: boosting.Floats, number: int) -> Parts:
    """The parts of a member: a training part drawn by the weights, and a seed of its own."""
    config = replace(whole.config, seed=whole.config.seed + number - 1)
    rows = boosting.drawn(examples, config.seed)
    raw = whole.raw | {"train": whole.raw["train"].take(rows)}
    notes = list(whole.notes)  # a member adds its own
    return replace(whole, config=config, train=whole.train.take(rows), raw=raw, notes=notes)


def step_of(network: Any, whole: Parts, examples: boosting.Floats) -> boosting.Step:
    """How well a member does on the whole training part, and what the next one looks at."""
    targets = whole.train.targets
    assert targets is not None
    said = answers.answers(network, whole.train).numpy()
    if whole.encoding.labels is not None:
        return boosting.samme(said.argmax(1) != targets, examples, len(whole.encoding.labels))
    errors = np.abs(said - targets).mean(1).astype(np.float64)
    return boosting.adaboost_r2(errors, examples)


def member(shelf: Shelf, number: int) -> Run:
    """The folder of a member."""
    return shelf.run(f"member-{number}")


def trained(made: str, how: str, shelf: Shelf, weights: Sequence[float], parts: Parts) -> Recipe:
    """What was trained into the folder, without what resuming a member would need."""
    found = [member(shelf, number + 1) for number in range(len(weights))]
    for run in found:
        shutil.rmtree(os.path.dirname(run.file(runs.LAST)), ignore_errors=True)
    names = [os.path.basename(run.path) for run in found]
    kept = {name: raw for name, raw in parts.raw.items() if name != "train"}
    members = loaded([run.path for run in found], parts.config.device).members
    return Recipe(made, how, members, names, weights, parts=kept)


def copied(recipe: Recipe, shelf: Shelf) -> None:
    """Copies the runs that an ensemble is made of into its folder, without what resuming needs."""
    for number, source in enumerate(recipe.sources, 1):
        target = member(shelf, number).path
        ignore = shutil.ignore_patterns("last", ".*.tmp")
        with naming(target):
            shutil.copytree(source, target, ignore=ignore, copy_function=copied_file)


def copied_file(source: str, target: str) -> str:
    """Copies a file whole or not at all; raises GaiError, where copytree would go on."""
    with naming(target):
        try:
            return shutil.copy2(source, target)
        except OSError:
            with suppress(OSError):
                os.unlink(target)
            raise


def written(recipe: Recipe, shelf: Shelf) -> Report:
    """The report of an ensemble whose members lie in its folder; writes report.json, card.md, and
    ensemble.json, with which the folder is whole."""
    _, encoding = recipe.members[0]
    head: Report = {
        "made": recipe.made,
        "how": recipe.how,
        "task": encoding.config.task,
        "members": [f"member-{number + 1}" for number in range(len(recipe.members))],
        "sources": list(recipe.sources),
        "weights": shares(recipe),
        "bias": list(recipe.bias),
        "fitted_on": list(recipe.fitted_on),
        "labels": None if encoding.labels is None else list(encoding.labels.names),
        "several": encoding.labels is not None and encoding.labels.several,
    }
    report: Report = runs.strict({**head, **measured(recipe, shelf, head["members"])})
    shelf.write(runs.REPORT, json.dumps(report, indent=1) + "\n")
    shelf.write(runs.CARD, tables.ensemble_card(report))
    shelf.write_head(head)
    return report


def shares(recipe: Recipe) -> list[float]:
    """The weights of the members, which add up to 1 but for those of a stack."""
    total = 1.0 if recipe.how == "stack" else sum(recipe.weights)
    return [weight / total for weight in recipe.weights]


def measured(recipe: Recipe, shelf: Shelf, names: Sequence[str]) -> Report:
    """How large an ensemble is, how long its members were trained, and its scores."""
    network, encoding = recipe.network()
    seconds = (shelf.run(name).json(runs.REPORT).get("seconds", 0.0) for name in names)
    return {
        "main_score": encoding.main_score,
        "network": {"parameters": sum(p.numel() for p in network.parameters())},
        "seconds": sum(seconds),
        "scores": {part: scores_on(recipe, raw) for part, raw in recipe.parts.items()},
        "notes": list(recipe.notes),
    }


def scores_on(recipe: Recipe, raw: Raw) -> Report:
    """The scores of an ensemble on some examples, and those of its members."""
    network, encoding = recipe.network()
    summary, intervals, details = experiment.judge_of(encoding, raw).judged(network)
    members = [
        {"run": name, "scores": experiment.judge_of(how, raw).scores(one)}
        for name, (one, how) in zip(recipe.sources, recipe.members, strict=True)
    ]
    return {"network": summary, "intervals": intervals, "details": details, "members": members}
