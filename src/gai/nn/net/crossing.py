"""k-fold cross-validation: a run for each fold, and what their scores are together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gai.nn.data import folds
from gai.nn.data.preparing import Parts, Whole, prepare
from gai.nn.net import checkpoints, experiment, finishing
from gai.nn.net.keeping import Memory
from gai.nn.net.loop import Listener, Training
from gai.nn.runs import Run

Report = dict[str, Any]

LEVEL = 0.95
"""Of the intervals."""


def crossed(
    said: Mapping[str, Any],
    found: Whole,
    count: int,
    listener: Listener,
    place: Callable[[int], Run] | None = None,
    *,
    probe: bool = False,
) -> Report:
    """The scores of a cross-validation: of each fold, their means, deviations and intervals.

    What a fold holds out tests the network of that fold, and nothing else; a share of the rest
    (``--valid``) decides which of its steps was the best. ``place`` says where the run of a fold is
    kept, once its data is ready.
    """
    config, reports, score = found.config, list[Report](), ""
    for number in range(1, count + 1):
        config = config.with_(fold=f"{number}/{count}")
        parts = prepare(said, found=found._replace(config=config))
        run = None if place is None else place(number)
        training, report = carried_out(parts, listener, run, probe=probe and number == 1)
        if not reports and (note := folds.note(found.raw, count)) is not None:
            listener.warn(note)
        config = config.with_(threads=training.config.threads)
        score = parts.encoding.main_score
        reports.append(fold_of(report, f"{number}/{count}"))
    ratio = 1 / (count - 1) if config.task == "lm" else ratio_of(reports)  # pieces of one text
    return {
        **about(found, count),
        "main_score": score,
        "folds": reports,
        **together(reports, ratio),
    }


def carried_out(
    parts: Parts, listener: Listener, run: Run | None, *, probe: bool = False
) -> tuple[Training, Report]:
    """A training at its end, with its best weights, and its report; its run is kept in a folder or
    nowhere."""
    if run is not None:
        training = experiment.begin(parts, run, listener, probe=probe, force=True)
        return training, finishing.carried_out(parts, training, run)
    memory = Memory()
    training = experiment.fresh(parts, listener, memory, probe=probe)
    for note in parts.notes:
        listener.warn(note)
    training.run()
    checkpoints.restore(training.network, memory.weights, "memory")
    return training, finishing.judged(parts, training)


def fold_of(report: Report, fold: str) -> Report:
    """What is told of a fold: its size, and the scores of the network and of the baseline."""
    scores = report["scores"]["test"]
    simple = [{"name": name, **found} for name, found in scores.get("baselines", {}).items()]
    return {
        "fold": fold,
        "examples": report["data"]["examples"],
        "parameters": report["network"]["parameters"],
        "best_step": report["best_step"],
        "steps": report["steps"],
        "seconds": report["seconds"],
        "network": scores["network"],
        "baseline": simple[0] if simple else None,
    }


def about(found: Whole, count: int) -> Report:
    """What was cross-validated, and how."""
    config, raw = found.config, found.raw
    return {
        "model": config.model,
        "task": config.task,
        "data": {"files": list(config.data), "digest": raw.digest, "examples": len(raw)},
        "k": count,
        "how": divided(found),
        "seed": config.seed,
        "level": LEVEL,
    }


def divided(found: Whole) -> str:
    """How the data was divided, in words."""
    config, raw = found.config, found.raw
    if config.task == "lm":
        return "one piece of the text after the other"
    if config.task == "forecast":
        return "by time: each fold is foretold from all that comes before it"
    labelled = bool(folds.class_sizes(raw))
    if config.group_field is not None:
        near = ", classes spread as evenly as groups allow" if labelled else ""
        return f"by {config.group_field}, no value in two folds{near}"
    return "each class spread evenly" if labelled else "at random"


def ratio_of(reports: Sequence[Report]) -> float:
    """How many examples test a network for each that it was trained on."""
    tested, trained = (sum(one["examples"][part] for one in reports) for part in ("test", "train"))
    return float(tested / trained)


def together(reports: Sequence[Report], ratio: float) -> Report:
    """The means and spreads of the scores: of the network, of the baseline, and of the former less
    the latter; by score."""
    networks = [report["network"] for report in reports]
    found: Report = {"network": spreads(networks, ratio)}
    simple = [report["baseline"] for report in reports if report["baseline"] is not None]
    if len(simple) == len(networks):
        called = " / ".join(dict.fromkeys(one["name"] for one in simple))
        scores = [{k: v for k, v in one.items() if k != "name"} for one in simple]
        apart = [less(one, other) for one, other in zip(networks, scores, strict=True)]
        found["baseline"] = {"name": called, **spreads(scores, ratio)}
        found["difference"] = spreads(apart, ratio)
    return found


def less(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The scores that both have, of one less those of the other."""
    both = [name for name in one if None not in (one[name], other.get(name))]
    return {name: one[name] - other[name] for name in both}


def spreads(scores: Sequence[Mapping[str, Any]], ratio: float) -> dict[str, Any]:
    """The spread of each score that all folds have."""
    shared = [name for name in scores[0] if all(one.get(name) is not None for one in scores)]
    return {name: spread([one[name] for one in scores], ratio) for name in shared}


def spread(values: Sequence[float], ratio: float) -> dict[str, float]:
    """Mean and standard deviation of the scores of k folds, and the 95 % interval of the mean.

    mean +- t(k - 1) s sqrt(1 / k + tested / trained): the folds' networks share most of what they
    were trained on, which s alone knows nothing of (Nadeau and Bengio 2003, Inference for the
    generalization error). ``ratio`` is tested / trained.
    """
    from scipy.special import stdtrit

    k = len(values)
    mean = math.fsum(values) / k
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (k - 1))
    reach = float(stdtrit(k - 1, (1 + LEVEL) / 2)) * deviation * math.sqrt(1 / k + ratio)
    return {
        "mean": mean,
        "deviation": deviation,
        "low": mean - reach,
        "high": mean + reach,
    }
