"""What gai nn inspect --data shows of an ntm: where its heads look, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gai import backends
from gai.cli import terminal
from gai.cli.nn_inspect import say
from gai.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from gai.nn.heatmaps import Heatmap
    from gai.nn.net.recalling import Recall

SEEN = 0.2
"""The weight that a place must have at one step at least to be shown."""

EVERY = 5
"""Steps from one number of the axis to the next."""

CELL = 0.12
"""Inches of a place, and of a step, in a picture."""


def show_memory(
    network: Any, encoding: Any, raw: Any, output: str | None, *, as_json: bool
) -> None:
    """Shows where the heads look while the network works at the last example: as shades, with
    ``output`` as a picture, as JSON with all weights."""
    from gai.nn.net.recalling import recall

    kind = "" if output is None else kind_of(output)
    found = recall(network, encoding, raw)
    if output is not None:
        from gai.cli import writing

        writing.write([picture(found, kind)], output)
    elif as_json:
        print(json.dumps(as_dict(found)))
    else:
        show(found, terminal.console().width)


def kind_of(output: str) -> str:
    """The format of a picture by its name; raises UsageError for one that there is not,
    MissingExtraError where nothing can draw."""
    kind = output.rpartition(".")[2]
    if kind not in ("png", "svg"):
        raise UsageError(f"the memory cannot be drawn as {output}", "as FILE.png or FILE.svg")
    if not backends.available("plot"):
        raise MissingExtraError(f"drawing {output}", "plot")
    return kind


def as_dict(found: Recall) -> dict[str, Any]:
    """For JSON, numbers with four digits; null where no bit is due."""
    due = [[None if bit != bit else int(bit) for bit in row] for row in found.targets.tolist()]
    heads = {name: weights.astype("d").round(4).tolist() for name, weights in found.heads.items()}
    said, inputs = (each.astype("d").round(4).tolist() for each in (found.said, found.inputs))
    return {"example": found.name, "inputs": inputs, "targets": due, "said": said, "heads": heads}


def show(found: Recall, width: int) -> None:
    """Prints a map of each head: steps to the right, places down."""
    from gai.nn.heatmaps import lines_of

    say(terminal.escape(summary(found)))
    for name in found.heads:
        for one in maps(found, name, max(width - 8, 10)):
            say("")
            for line in lines_of(one, wide=1):
                say(line)


def summary(found: Recall) -> str:
    """How many bits were due, and how many are wrong."""
    due = found.targets == found.targets
    wrong = int(((found.said > 0.5) != (found.targets > 0.5))[due].sum())
    out = int(due.any(1).argmax())
    steps = f"bits in from step 0, out from step {out}"
    return f"{found.name}: {steps}; {wrong:,} of {int(due.sum()):,} bits wrong"


def maps(found: Recall, name: str, room: int) -> Iterator[Heatmap]:
    """The weights of a head, at most ``room`` steps in one map, and of places only those that it
    looks at."""
    from gai.nn.heatmaps import Heatmap

    weights = found.heads[name]
    places = looked_at(weights)
    left = weights.shape[1] - len(places)
    others = f"; {left:,} of {weights.shape[1]:,} places are never looked at" if left else ""
    for first in range(0, len(weights), room):
        steps = range(first, min(first + room, len(weights)))
        heads = [str(step) if step % EVERY == 0 else "" for step in steps]
        values = weights[first : first + room, places].T.astype("float64")
        yield Heatmap(f"{name}{others}", [str(place) for place in places], heads, values)


def looked_at(weights: Any) -> list[int]:
    """The places that a head looks at, of its weights [T, N]: those with most where it sees all
    of them dimly."""
    most = weights.max(0)
    found: list[int] = (most >= min(SEEN, most.max())).nonzero()[0].tolist()
    return found


def picture(found: Recall, kind: str) -> bytes:
    """A picture of inputs, outputs and all heads below each other, steps to the right."""
    import matplotlib
    from matplotlib.figure import Figure

    rows = list(panels(found))
    heights = [max(CELL * len(values), 0.5) for _, values, _ in rows]
    steps = len(found.inputs)
    style: Any = {"svg.hashsalt": "gai", "svg.fonttype": "none", "font.size": 8}
    with matplotlib.rc_context(style):
        size = (max(CELL * steps, 3.0) + 1.0, sum(heights) + 0.3 * len(rows) + 0.8)
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(summary(found), fontsize=8, wrap=True)
        axes = figure.subplots(len(rows), sharex=True, height_ratios=heights)
        for panel, (name, values, places) in zip(axes, rows, strict=True):
            panel.imshow(
                values, cmap="Greys", aspect="auto", interpolation="nearest", vmin=0.0, vmax=1.0
            )
            panel.set_ylabel(name)
            panel.set_yticks(range(0, len(places), EVERY), places[::EVERY])
        axes[-1].set_xlabel("step")
        axes[-1].set_xticks(range(0, steps, EVERY))
        made = BytesIO()
        about = {"Date": None, "Creator": "gai"} if kind == "svg" else {"Software": "gai"}
        figure.savefig(made, format=kind, dpi=120, metadata=about)
    return made.getvalue()


def panels(found: Recall) -> Iterator[tuple[str, Any, list[int]]]:
    """What is below each other in a picture: its name, its rows, and their numbers."""
    yield "in", found.inputs.T, list(range(found.inputs.shape[1]))
    due = found.targets == found.targets
    yield "out", (found.said * due).T, list(range(found.said.shape[1]))
    for name, weights in found.heads.items():
        places = looked_at(weights)
        yield name, weights[:, places].T, places
