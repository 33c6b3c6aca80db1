"""Tables of what several runs say: folds, comparisons, members of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Table(NamedTuple):
    """Names of columns, and rows of cells as they are shown; the first column is a name."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The same for a page."""
        line = f"|---|{'--:|' * (len(self.heads) - 1)}"
        rows = [f"| {' | '.join(map(_plain, row))} |" for row in (self.heads, *self.rows)]
        return "\n".join([rows[0], line, *rows[1:]]) + "\n"


def _plain(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def digits(value: float | None) -> str:
    """A score with four digits behind the point, or large with five in all."""
    if value is None:
        return ""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.5g}"


def signed(value: float | None) -> str:
    """The same of a difference, with its sign."""
    return "" if value is None else f"{'+' if value > 0 else ''}{digits(value)}"


def named(score: str) -> str:
    """A score as people call it."""
    return score.replace("_", " ")


LEFT_OUT = ("majority", "calibration_error")
"""Scores that say little of a single fold."""


def chance(p: float) -> str:
    """A probability; nothing for NaN."""
    if p != p:
        return ""
    return f"{p:.4f}" if p >= 0.0001 else f"{p:.0e}"


def by_fold(crossed: Mapping[str, Any]) -> Table:
    """A row for each fold: its size, the main score beside the baseline's, and other scores."""
    main, simple = crossed["main_score"], crossed.get("baseline", {}).get("name")
    others = [score for score in crossed["network"] if score not in (main, *LEFT_OUT)]
    heads = ["fold", "train", "test", named(main), *(["baseline"] if simple else [])]
    rows = []
    for fold in crossed["folds"]:
        sizes = [f"{fold['examples'][part]:,}" for part in ("train", "test")]
        known = fold["network"]
        base = [digits(fold["baseline"].get(main))] if simple else []
        cells = [digits(known.get(score)) for score in (main, *others)]
        rows.append([fold["fold"], *sizes, cells[0], *base, *cells[1:]])
    return Table([*heads, *map(named, others)], rows)


def means(crossed: Mapping[str, Any]) -> Table:
    """A row for each score: mean, deviation and interval of the network, the same of the baseline,
    and the former less the latter."""
    simple, apart = crossed.get("baseline", {}), crossed.get("difference", {})
    heads = ["score", "network", "sd", "± 95 %"]
    heads += ["baseline", "sd", "difference", "± 95 %"] if simple else []
    rows = []
    for score, found in crossed["network"].items():
        row = [named(score), digits(found["mean"]), digits(found["deviation"]), _reach(found)]
        if simple:
            base, less = simple.get(score, {}), apart.get(score, {})
            row += [digits(base.get("mean")), digits(base.get("deviation"))]
            row += [signed(less.get("mean")), _reach(less)]
        rows.append(row)
    return Table(heads, rows)


def _reach(spread: Mapping[str, float]) -> str:
    """How far an interval reaches to both sides of its middle."""
    return digits((spread["high"] - spread["low"]) / 2) if spread else ""


def folds_in_words(crossed: Mapping[str, Any]) -> str:
    """What was divided how, and what the baseline is."""
    count = crossed["data"]["examples"]
    examples = "one text" if count == 1 else f"{count:,} examples"
    line = f"{crossed['k']} folds of {examples}: {crossed['how']}"
    simple = crossed.get("baseline", {}).get("name")
    return f"{line}; baseline: {simple}" if simple else line


def crossed_card(crossed: Mapping[str, Any]) -> str:
    """A page about a cross-validation."""
    lines = [
        f"# {crossed['model']}, cross-validated",
        f"- Data: {', '.join(crossed['data']['files'])}. Seed {crossed['seed']}.\n"
        f"- {folds_in_words(crossed)}.",
        means(crossed).markdown().rstrip(),
        "Each fold tests a network that was trained on the others. sd is the deviation between "
        "folds;\nthe interval is that of the mean, and allows for the training data that the "
        "networks share\n(Nadeau and Bengio 2003).",
        by_fold(crossed).markdown().rstrip(),
    ]
    return "\n\n".join(lines) + "\n"


def by_member(report: Mapping[str, Any], part: str) -> Table:
    """A row for each member of an ensemble, their mean, and the ensemble: its scores on a part."""
    found = report["scores"][part]
    main = report["main_score"]
    scores = [main, *(name for name in found["network"] if name not in (main, "majority"))]
    weights = report["weights"]
    rows = [
        [one["run"], f"{weight:.3g}", *(digits(one["scores"].get(score)) for score in scores)]
        for one, weight in zip(found["members"], weights, strict=True)
    ]
    members = [one["scores"] for one in found["members"]]
    means = [digits(mean_of([one.get(score) for one in members])) for score in scores]
    ensemble = [digits(found["network"].get(score)) for score in scores]
    rows += [["mean member", "", *means], ["ensemble", "", *ensemble]]
    return Table([f"{part} part", "weight", *map(named, scores)], rows)


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean; None where one is missing."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


MADE = {
    "average": "the mean of the members' answers",
    "vote": "what most members say",
    "bag": "the mean of members trained on resamples",
    "boost": "a weighted vote of members, each trained on what those before it did badly on",
    "stack": "a linear model of the members' answers",
}


def ensemble_card(report: Mapping[str, Any]) -> str:
    """A page about an ensemble."""
    count = len(report["members"])
    facts = [
        f"- {MADE[report['made']][0].upper()}{MADE[report['made']][1:]}.",
        f"- Members: {', '.join(report['sources'])}.",
        f"- Weights: {report['network']['parameters']:,} numbers.",
        *(f"- {note[0].upper()}{note[1:]}." for note in report["notes"]),
    ]
    tables = [by_member(report, part).markdown().rstrip() for part in report["scores"]]
    use = "## Use\n\n    gai nn predict RUN FILE\n    gai nn evaluate RUN FILE"
    lines = [f"# An ensemble of {count}", "\n".join(facts), *tables, use]
    return "\n\n".join(lines) + "\n"


def side_by_side(
    compared: Mapping[str, Any], size: Callable[[float], str], clock: Callable[[float], str]
) -> Table:
    """A column for each run: its scores, and how large it is."""
    found = compared["runs"]
    rows = [
        [named(score), *(digits(run["scores"].get(score)) for run in found)]
        for score in found[0]["scores"]
    ]
    rows.append(["parameters", *(f"{run['parameters']:,}" for run in found)])
    rows.append(["weights", *(size(run["bytes"]) for run in found)])
    times = ["" if run["seconds"] is None else clock(run["seconds"]) for run in found]
    rows.append(["training", *times])
    return Table(["", *(run["run"] for run in found)], rows)


def apart(run: Mapping[str, Any], against: str) -> Table:
    """A row for each score: by how much a run differs from the first, and whether by chance."""
    rows = []
    for score, found in run["scores"].items():
        low, high = found["low"], found["high"]
        between = f"{signed(low)} to {signed(high)}" if low == low else ""
        rows.append([named(score), signed(found["value"]), between, chance(found["p"])])
    return Table([f"{run['run']} less {against}", "difference", "95 %", "p"], rows)


def right_or_wrong(compared: Mapping[str, Any]) -> Table:
    """A row for each run but the first: how many examples both, one or none gets right."""
    heads = ["", "both", f"only {compared['against']}", "only it", "neither", "p"]
    rows = [
        [one["run"], *(f"{one[n]:,}" for n in COUNTS), chance(one["p"])]
        for one in compared["mcnemar"]
    ]
    return Table(heads, rows)


COUNTS = ("both", "only_first", "only_second", "neither")
