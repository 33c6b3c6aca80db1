"""The page of a run: how it was trained, how good it is, where it is wrong, what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from gai import __version__
from gai.nn import config as configs
from gai.nn import names, pictures, svg
from gai.nn.config import Config
from gai.nn.markup import Html, html, joined, tag
from gai.nn.pages import seen, tables
from gai.nn.pages.facts import Facts
from gai.nn.remedies import on_losses

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""No script runs in the page and nothing is loaded, whatever stands in the data."""


class Section(NamedTuple):
    """A part of the page, and the anchor that the list of parts has."""

    title: str
    parts: Sequence[Html]

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-")


def page(facts: Facts) -> bytes:
    """The page as UTF-8; it stands for itself, and is the same for the same facts."""
    found = [section for make in SECTIONS for section in make(facts)]
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{facts.run} · gai nn report"),
        tag("link", rel="icon", href="data:,"),
        tag("style", style()),
    ]
    body = [header(facts, found), tag("main", *map(shown, found)), footer(facts)]
    whole = tag("html", tag("head", *head), tag("body", *body), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n".encode("utf-8", "replace")


def style() -> Html:
    """The style sheet: colours of day and night, the page, the plots."""
    day, night = (colours(*pair) for pair in ((svg.DAY, svg.COLOURS), (svg.DARK, svg.NIGHT)))
    sheet = files("gai.nn.pages").joinpath("style.css").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{night}--on:#101214}}}}"
    return Html(f":root{{{day}--on:#fff}}{dark}\n{sheet}{svg.style()}")


def colours(plain: Mapping[str, str], series: Sequence[str]) -> str:
    """The colours as variables of the style sheet."""
    named = {**plain, **{f"s{k}": colour for k, colour in enumerate(series)}, "warm": series[1]}
    named["cell"] = plain["grid"] + "80"
    triples = {"cool-rgb": series[0], "warm-rgb": series[1]}
    values = {name: " ".join(channels(colour)) for name, colour in triples.items()}
    return "".join(f"--{name}:{value};" for name, value in (named | values).items())


def channels(colour: str) -> Iterator[str]:
    """Red, green and blue of ``#rrggbb``, from 0 to 255."""
    return (str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))


def shown(section: Section) -> Html:
    """A part of the page."""
    return tag("section", tag("h2", section.title), *section.parts, id=section.anchor)


def header(facts: Facts, found: Sequence[Section]) -> Html:
    """What it is, the list of parts, the figures that are looked at first."""
    config = facts.config
    what = names.MODELS.get(config.model, "").rstrip(".")
    task = names.TASKS.get(config.task, "").rstrip(".").lower()
    lead = f"{config.model}: {what[:1].lower()}{what[1:]}. Task: {task or config.task}."
    links = [tag("a", section.title, href=f"#{section.anchor}") for section in found]
    parts = [tag("h1", facts.run), tag("p", lead, class_="lead"), tag("nav", *links)]
    parts.append(tag("div", *tiles(facts), class_="tiles"))
    if notes := facts.report.get("notes"):
        lines = (tag("p", f"{pictures.capital(note)}.") for note in notes)
        parts.append(tag("div", *lines, class_="note"))
    return tag("header", *parts)


def tiles(facts: Facts) -> Iterator[Html]:
    """The figures that are looked at first."""
    parts = scored(facts)
    if parts:
        where, scores = parts[0]
        yield from score_tile(facts, where, scores)
    report = facts.report
    examples = report.get("data", {}).get("examples")
    if examples and facts.config.task != "lm":
        rest = ", ".join(f"{n:,} to {ROLES.get(part, part)}" for part, n in examples.items())
        yield tile(f"{sum(examples.values()):,}", "examples", rest)
    if parameters := report.get("network", {}).get("parameters"):
        yield tile(f"{parameters:,}", "weights", f"{len(facts.layers)} layers" * bool(facts.layers))
    if facts.records:
        last = facts.records[-1]
        best = pictures.best_step(facts.records)
        said = f"the best after step {best:,}; " if best else ""
        yield tile(f"{last['step']:,}", "steps", f"{said}{clock(last.get('seconds', 0.0))}")


ROLES = {"train": "train on", "valid": "validate", "test": "test"}


def score_tile(facts: Facts, where: str, scores: Mapping[str, Any]) -> Iterator[Html]:
    """The main score, with its interval and the baseline's."""
    name = facts.main_score if facts.main_score in scores["network"] else "loss"
    value = scores["network"].get(name)
    if value is None:
        return
    low, high = (scores.get("intervals") or {}).get(name) or (None, None)
    lines = [] if low is None else [f"95 %: {low:.4f}–{high:.4f}"]
    for baseline, found in (scores.get("baselines") or {}).items():
        if found.get(name) is not None:
            lines.append(f"{baseline}: {found[name]:.4f}")
    yield tile(f"{value:.4f}", f"{pictures.spaced(name)} on {where}", *lines)


def tile(figure: str, what: str, *lines: str) -> Html:
    """A figure, and what it is."""
    small = (tag("small", line) for line in lines if line)
    return tag("div", tag("b", figure), tag("span", what), *small, class_="tile")


def clock(seconds: float) -> str:
    """A duration in words."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def scored(facts: Facts) -> list[tuple[str, Mapping[str, Any]]]:
    """What there are scores on, and these: the examples that were looked at, then the test part.

    Where they are the same examples, and so have the same scores, they are told once.
    """
    parts = facts.report.get("scores", {})
    found = [(f"the {ADJECTIVES.get(name, name)} part", parts[name]) for name in parts]
    found.reverse()
    if facts.examined is None:
        return found
    mine = facts.examined.scores
    same = [part for part in found if part[1]["network"] == mine["network"]]
    others = [part for part in found if part not in same]
    name = facts.examined.name
    for where, scores in same[:1]:
        name, mine = f"{name}, {where}", {**mine, "baselines": scores.get("baselines")}
    return [(name, mine), *others]


ADJECTIVES = {"valid": "validation"}


def scores(facts: Facts) -> Iterator[Section]:
    """All scores, with intervals and the baseline's."""
    parts = scored(facts)
    if not parts:
        return
    made = [tables.scores(parts)]
    said = " ".join(explanations([found for _, found in parts]))
    looked = facts.examined
    if looked is not None and looked.digest == facts.report.get("data", {}).get("digest"):
        said += f" {looked.name} is what the network was trained on: scores on it are too good."
    if said:
        made.insert(0, tag("p", said, class_="say"))
    if rows := list(intervals(parts, facts.main_score)):
        title = pictures.spaced(facts.main_score)
        made.append(tag("div", svg.intervals(pictures.capital(title), rows), class_="intervals"))
    yield Section("Scores", made)


def explanations(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What a reader may not know about the table of scores."""
    if any(found.get("intervals") for found in parts):
        yield (
            "Intervals are 95 % bootstrap intervals: how far a score would move on other examples "
            "of the same kind."
        )
    if any(found.get("baselines") for found in parts):
        yield "The baseline was trained and scored on the same split."


def intervals(parts: Sequence[tuple[str, Mapping[str, Any]]], score: str) -> Iterator[svg.Interval]:
    """The main score of each part with its interval, and those of the baselines."""
    for where, found in parts:
        low, high = (found.get("intervals") or {}).get(score) or (None, None)
        if low is None or high is None:
            continue
        yield svg.Interval(f"on {where}", found["network"][score], low, high)
        for baseline, values in (found.get("baselines") or {}).items():
            if values.get(score) is not None:
                yield svg.Interval(baseline, values[score])


def curves(facts: Facts) -> Iterator[Section]:
    """How the training went."""
    if not facts.records:
        return
    drawn = [svg.picture(plot) for plot in pictures.plots(facts.records, facts.main_score)]
    said = tag("p", *fit(facts), class_="say")
    yield Section("Curves", [said, tag("div", *drawn, class_="plots")])


def fit(facts: Facts) -> Iterator[Html]:
    """Under- or overfitting, and what helps."""
    labels = facts.report.get("data", {}).get("labels") or ()
    verdict, hint = on_losses(facts.records, facts.config, len(labels))
    kind = "still falling" if verdict.kind == "falling" else verdict.kind
    yield tag("b", f"{pictures.capital(kind)}:")
    yield html(f" {verdict.why}.")
    if hint:
        yield joined([html(" Try "), tag("code", hint), html(".")])


def classes(facts: Facts) -> Iterator[Section]:
    """How well each class is found."""
    where, details = detailed(facts)
    if rows := details.get("labels"):
        weakest = "The weakest first" if len(rows) > 2 else "By class"
        said = f"{weakest}, on {where}. Precision: how many of those that were called so are; "
        said += "recall: how many of those that are were called so; F1: between the two."
        yield Section("Classes", [tag("p", said, class_="say"), *tables.classes(rows)])


def detailed(facts: Facts) -> tuple[str, Mapping[str, Any]]:
    """The part whose details are shown, and these."""
    for where, found in scored(facts):
        if found.get("details"):
            return where, found["details"]
    return "", {}


def confusions(facts: Facts) -> Iterator[Section]:
    """What is taken for what."""
    where, details = detailed(facts)
    if matrix := details.get("confusion"):
        labels = [row["label"] for row in details["labels"]]
        said = f"On {where}. Rows are what is true, columns what the network says; colours are "
        said += "shares of a row."
        parts = tables.confusions(matrix, labels)
        yield Section("Confusions", [tag("p", said, class_="say"), *parts])


def wrongs(facts: Facts) -> Iterator[Section]:
    """The examples with the highest loss."""
    if facts.examined is not None and facts.examined.worst:
        title = "Most surprising" if facts.config.task == "lm" else "Most wrong"
        yield Section(title, list(seen.wrongs(facts.examined)))


def calibration(facts: Facts) -> Iterator[Section]:
    """Whether probabilities hold."""
    if facts.examined is not None and facts.examined.calibration is not None:
        yield Section("Calibration", list(seen.calibration(facts.examined.calibration)))


def predictions(facts: Facts) -> Iterator[Section]:
    """Predicted numbers against true ones."""
    if facts.examined is not None and facts.examined.pairs is not None:
        yield Section("Predictions", list(seen.predictions(facts.examined.pairs)))


def network(facts: Facts) -> Iterator[Section]:
    """The layers."""
    if facts.layers:
        yield Section("Network", [tables.layers(facts.layers)])


def configuration(facts: Facts) -> Iterator[Section]:
    """The choices: those that a run of this model and task need not have had, then all."""
    config = facts.config
    chosen = list(choices(config))
    text = tag("pre", joined(configs.write(config).rstrip("\n").split("\n"), Html("\n")))
    every = tag("details", tag("summary", "All choices, as config.toml"), text)
    said = "What differs from the defaults of this model and task."
    parts = [tag("p", said, class_="say"), tables.choices(chosen)] if chosen else []
    yield Section("Configuration", [*parts, every])


def choices(config: Config) -> Iterator[tuple[str, str]]:
    """The choices that are not the defaults of model and task, as config.toml spells them."""
    plain = configs.resolved({"model": config.model, "task": config.task})
    for name, value in vars(config).items():
        if value != getattr(plain, name) and name not in ("model", "task"):
            yield name, "off" if value is None else configs.spelt(value)


def footer(facts: Facts) -> Html:
    """Where it all comes from."""
    report = facts.report
    lines = [f"gai {__version__}"]
    if version := report.get("versions", {}).get("torch"):
        lines.append(f"trained with torch {version}")
    lines.append(f"seed {facts.config.seed}, threads {facts.config.threads}")
    if digest := report.get("data", {}).get("digest"):
        lines.append(f"digest of the data {digest[:16]}")
    return tag("footer", joined(map(html, lines), " · "))


SECTIONS: tuple[Callable[[Facts], Iterator[Section]], ...] = (
    scores,
    curves,
    predictions,
    classes,
    confusions,
    wrongs,
    calibration,
    network,
    configuration,
)
"""The parts of the page in their order; each is there where there is something to say."""
