"""The plots of a training: losses, scores, rates and gradients over its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gai.nn.fitting import losses_of, number
from gai.nn.plots import Mark, Plot, Series, stairs

if TYPE_CHECKING:
    from gai.nn.net.diagnosing import Diagnosis, Look
    from gai.nn.net.growing import Growth

Records = Sequence[Mapping[str, Any]]
"""Lines of metrics.jsonl."""

MOST_LINES = 6
"""Layers that are drawn in one plot, and parts of a loss."""


def plots(records: Records, main_score: str) -> Iterator[Plot]:
    """All plots of a training, the loss first."""
    if not records:
        return
    marks = best_mark(records)
    yield losses(records, marks)
    yield from scores(records, main_score, marks)
    if parts := of_parts(records):
        yield parts
    yield rate(records)
    if found := gradients(steps_of(records), [r.get("gradients") or {} for r in records]):
        yield found


def best_step(records: Records) -> int:
    """The step whose weights were kept, 0 where it is not known."""
    best = [record["step"] for record in records if record.get("best")]
    return best[-1] if best else 0


def best_mark(records: Records) -> list[Mark]:
    """A mark at the best step, where it is not the last."""
    best = best_step(records)
    return [Mark(best, "best")] if 0 < best < records[-1]["step"] else []


def steps_of(records: Records) -> list[int]:
    """The steps of the evaluations."""
    return [record["step"] for record in records]


def losses(records: Records, marks: Sequence[Mark] = ()) -> Plot:
    """The loss on the training part and, where there is one, on the validation part."""
    steps, (train, valid) = steps_of(records), losses_of(records)
    series = [Series("training", steps, train)]
    if valid is not None:
        series.append(Series("validation", steps, valid))
    return Plot("Loss", series, x="step", marks=marks)


def scores(records: Records, main_score: str, marks: Sequence[Mark] = ()) -> Iterator[Plot]:
    """The main score; of tasks without one, the first that were written down."""
    known = [name for name in records[-1]["scores"] if name != "loss"]
    chosen = [main_score] if main_score in known else known[:4]
    for name in chosen:
        values = [number(record["scores"].get(name)) for record in records]
        title = capital(spaced(name))
        yield Plot(title, [Series(title, steps_of(records), values)], x="step", marks=marks)


def of_parts(records: Records) -> Plot | None:
    """What the loss is made of, where it was written down."""
    names = list(records[-1].get("parts") or ())[:MOST_LINES]
    steps = steps_of(records)
    found = [
        Series(spaced(name), steps, [number((r.get("parts") or {}).get(name)) for r in records])
        for name in names
    ]
    return Plot("Parts of the loss", found, x="step") if found else None


def rate(records: Records) -> Plot:
    """The learning rate, which changes at once."""
    rates = [number(record.get("lr")) for record in records]
    return Plot("Learning rate", [stairs(Series("rate", steps_of(records), rates))], x="step")


def gradients(
    steps: Sequence[int], norms: Sequence[Mapping[str, Any]], *, x_log: bool = False
) -> Plot | None:
    """The gradients by layer, of ``norms`` at each of the steps."""
    return by_layer("Gradients by layer", steps, norms, x_log=x_log, y_log=True)


def by_layer(
    title: str,
    steps: Sequence[int],
    values: Sequence[Mapping[str, Any]],
    *,
    x_log: bool = False,
    y_log: bool = False,
) -> Plot | None:
    """A line for each layer; of many layers the first, the last and some between."""
    layers = list(dict.fromkeys(layer for found in values for layer in found))
    series = [
        Series(short(layer), steps, [number(found.get(layer)) for found in values])
        for layer in spread(layers, MOST_LINES)
    ]
    return Plot(title, series, x="step", x_log=x_log, y_log=y_log) if series else None


def diagnosis(found: Diagnosis, main_score: str) -> Iterator[Plot]:
    """What was seen of a network: its losses, and by layer gradients, outputs and steps."""
    if len(found.records) > 1:
        yield losses(found.records, best_mark(found.records))
    if found.looks:
        yield from looks(found.looks)
    elif found.records:
        norms = [record.get("gradients") or {} for record in found.records]
        if plot := gradients(steps_of(found.records), norms):
            yield plot


def looks(found: Sequence[Look]) -> Iterator[Plot]:
    """The steps of a training that were looked at, on a logarithmic axis."""
    steps = [look.step for look in found]
    flat = [{s.layer: s.saturated for s in k.states if s.saturated is not None} for k in found]
    dead = [{s.layer: s.dead for s in k.states if s.dead is not None} for k in found]
    weighty = set(found[0].moves)
    spreads = [{s.layer: s.deviation for s in k.states if s.layer in weighty} for k in found]
    drawn = (
        gradients(steps, [look.gradients for look in found], x_log=True),
        by_layer("Share of outputs on flat ground", steps, flat, x_log=True),
        by_layer("Share of dead units", steps, dead, x_log=True),
        by_layer("Deviation of outputs", steps, spreads, x_log=True, y_log=True),
        by_layer("Step, as a share of the weights", steps, [k.moves for k in found], x_log=True,
                 y_log=True),
    )  # fmt: skip
    yield from (plot for plot in drawn if plot is not None and says(plot))


def says(plot: Plot) -> bool:
    """Whether anything in the plot is not 0."""
    return any(value > 0 for series in plot.series for value in series.y)


def growth(found: Growth) -> Plot:
    """The score over the amount of data, beside the baseline's."""
    sizes = [point.examples for point in found.points]
    series = [Series("network", sizes, [point.score for point in found.points])]
    simple = [point.baseline for point in found.points]
    if any(value is not None for value in simple):
        series.append(Series("baseline", sizes, [number(value) for value in simple]))
    title = f"{capital(spaced(found.score))} by amount of training data"
    return Plot(title, series, x="examples", x_log=True)


def spread(names: Sequence[str], most: int) -> list[str]:
    """All names, or of many the first, the last and some between."""
    if len(names) <= most:
        return list(names)
    return [names[round(place * (len(names) - 1) / (most - 1))] for place in range(most)]


def short(layer: str, most: int = 16) -> str:
    """The name of a layer, without what all begin with."""
    found = layer.removeprefix("body.").removeprefix("layers.")
    return found if len(found) <= most else f"…{found[1 - most :]}"


def spaced(name: str) -> str:
    """A name of a score as words."""
    return name.replace("_", " ").replace(" f1", " F1").replace("r2", "R²")


def capital(text: str) -> str:
    """The text with a large first letter."""
    return text[:1].upper() + text[1:]
