"""The end of a run: the best network judged beside the baseline, and what is written about it."""

from __future__ import annotations

import json
from typing import Any

import torch

from gai.nn import reports, runs
from gai.nn.comparing import baseline
from gai.nn.data.preparing import Parts
from gai.nn.net import checkpoints
from gai.nn.net.learning import learning
from gai.nn.net.loop import Training
from gai.nn.runs import Run


def carried_out(parts: Parts, training: Training, run: Run) -> dict[str, Any]:
    """The report of a training, which is made from where it is to its end, in a folder; nothing
    from any but the first process of a team."""
    for note in parts.notes:
        training.listener.warn(note)
    training.run()
    if not training.team.first:
        return {}
    return finish(parts, training, run)


def finish(parts: Parts, training: Training, run: Run) -> dict[str, Any]:
    """The report of a run, which is also written: report.json, card.md and curves.svg.

    The test part, where there is one, is looked at here and nowhere else.
    """
    path = run.file(runs.MODEL)
    checkpoints.restore(training.network, checkpoints.read(path).tensors, path)
    report = judged(parts, training)
    run.write(runs.REPORT, json.dumps(report, indent=1) + "\n")
    run.write(runs.CARD, reports.card(report, training.config))
    if records := run.records():
        run.write(runs.CURVES, reports.curves(records, parts.encoding.main_score).decode())
    return report


def judged(parts: Parts, training: Training) -> dict[str, Any]:
    """The report of a network as it is: its scores, and beside them those of the baseline."""
    names = [name for name in ("valid", "test") if getattr(parts, name) is not None]
    scores = {name: _scored(parts, training, name) for name in names}
    if names:
        simple = baseline(parts, names[-1])
        if simple is not None:
            scores[names[-1]]["baselines"] = {simple.name: simple.scores}
    found: dict[str, Any] = runs.strict(_report(parts, training, scores))
    return found


def _scored(parts: Parts, training: Training, name: str) -> dict[str, Any]:
    """The scores of the network on a part, with intervals."""
    how = learning(training.config)
    dataset, raw = getattr(parts, name), parts.raw[name]
    judge = how.judge(parts.encoding, dataset, raw, training.objective)
    summary, intervals, details = judge.judged(training.network)
    return {"network": summary, "intervals": intervals, "details": details}


def _report(parts: Parts, training: Training, scores: dict[str, Any]) -> dict[str, Any]:
    config, at, labels = training.config, training.position, parts.encoding.labels
    examples = {
        name: len(getattr(parts, name))
        for name in ("train", "valid", "test")
        if getattr(parts, name) is not None
    }
    if config.task == "algorithm":
        examples["train"] = at.step * config.batch_size  # made on the way, none twice
    return {
        "model": config.model,
        "task": config.task,
        "data": {
            "files": list(config.data),
            "digest": parts.digest,
            "examples": examples,
            "labels": None if labels is None else list(labels.names),
        },
        "network": {
            "parameters": sum(p.numel() for p in training.network.parameters()),
            "size": list(parts.encoding.size),
        },
        "versions": {"torch": torch.__version__},
        "seed": config.seed,
        "threads": config.threads,
        "steps": at.step,
        "best_step": at.best_step,
        "seconds": at.seconds,
        "scores": scores,
        "notes": parts.notes,
    }
