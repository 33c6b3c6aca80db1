"""What stands in RUN for people: card.md and curves.svg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gai.nn import names, pictures, svg
from gai.nn.config import Config
from gai.nn.markup import visible

Report = Mapping[str, Any]


def card(report: Report, config: Config) -> str:
    """A model card: what was trained on what, how well it does, and how to use it."""
    data, network = report["data"], report["network"]
    lines = [
        f"# {config.model}, {names.TASKS[config.task].rstrip('.').lower()}",
        "",
        names.MODELS[config.model],
        "",
        f"- Data: {', '.join(map(visible, config.data))}; {_counts(data['examples'])}.",
        f"- Input: {names.INPUTS[config.input].rstrip('.').lower()}.",
        f"- Weights: {network['parameters']:,} numbers; best after step {report['best_step']:,} "
        f"of {report['steps']:,}.",
        f"- Loss {config.loss}, optimiser {config.optimizer}, learning rate {config.lr:g}, "
        f"schedule {config.schedule}, seed {config.seed}, threads {config.threads}.",
    ]
    if data.get("labels"):
        lines.append(f"- Labels: {_listed(data['labels'])}.")
    lines += [f"- {note}." for note in report["notes"]]
    for part, found in report["scores"].items():
        lines += ["", f"## Scores on the {part} part", "", *table(found)]
    lines += [
        "",
        "The baseline was trained and scored on the same split. Intervals are 95 % bootstrap "
        "intervals.",
        "",
        "## Use",
        "",
        *(f"    gai nn {command} RUN FILE" for command in _commands(config.task)),
        "    gai nn evaluate RUN FILE",
        "    gai nn train --config RUN/config.toml -o OTHER",
    ]
    return "\n".join(lines) + "\n"


def _commands(task: str) -> Sequence[str]:
    """What asks a model of a task."""
    return {"reconstruct": ("encode", "anomalies"), "match": ("encode",)}.get(task, ("predict",))


def _counts(examples: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {part}" for part, count in examples.items())


def _listed(labels: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(map(visible, labels[:most]))
    return shown if len(labels) <= most else f"{shown} and {len(labels) - most} more"


def table(found: Mapping[str, Any]) -> list[str]:
    """The scores of the network and of the baselines as a table in Markdown."""
    baselines: Mapping[str, Any] = found.get("baselines", {})
    intervals: Mapping[str, Any] = found.get("intervals", {})
    heads = ["score", "network", "95 %", *baselines]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for score, value in found["network"].items():
        low, high = intervals.get(score, (None, None))
        between = "" if low is None else f"{low:.4f} to {high:.4f}"
        others = [_spelt(scores.get(score)) for scores in baselines.values()]
        cells = [score.replace("_", " "), _spelt(value), between, *others]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _spelt(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def curves(records: Sequence[Mapping[str, Any]], score: str) -> bytes:
    """Loss, score, rate and gradients over the steps, as SVG; the same bytes for the same records,
    and what is no number left out."""
    first, *others = pictures.plots(records, score)
    epochs = f"{records[-1]['epoch']:.4g}"
    about = "1 epoch" if epochs == "1" else f"{epochs} epochs"
    return svg.sheet([replace(first, about=about), *others])
