"""What gai nn inspect --attend shows: maps of attention."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gai.cli import terminal
from gai.cli.nn_inspect import say
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.heatmaps import Heatmap
    from gai.nn.net.attending import Looked


def show_attention(
    network: Any, encoding: Any, text: str, output: str | None, *, as_json: bool
) -> None:
    """Shows where the network looks in a text: the last layer, the mean over its heads; with
    ``output`` writes all layers and heads as SVG, as JSON all weights."""
    from gai.nn.net.attending import attention

    found = attention(network, encoding, text)
    if output is not None:
        write(found, output)
    elif as_json:
        print(json.dumps([as_dict(one) for one in found]))
    else:
        from gai.nn.heatmaps import lines_of

        for line in lines_of(averaged(found[-1])):
            say(terminal.escape(line))


def write(found: Sequence[Looked], output: str) -> None:
    """Writes a picture of all heads of all layers."""
    from gai.cli import writing
    from gai.nn.heatmaps import picture

    if not output.endswith(".svg"):
        raise UsageError(f"attention cannot be written to {output}", "as FILE.svg")
    maps = [head for one in found for head in heads(one)]
    writing.write([picture(maps, across=max(len(found[-1].weights), 1))], output)


def averaged(found: Looked) -> Heatmap:
    """The mean over the heads of a layer."""
    from gai.nn.heatmaps import Heatmap

    many = len(found.weights)
    title = found.layer if many == 1 else f"{found.layer}, mean of {many} heads"
    return Heatmap(title, found.rows, found.columns, found.weights.mean(0))


def heads(found: Looked) -> list[Heatmap]:
    """A map for each head."""
    from gai.nn.heatmaps import Heatmap

    one = len(found.weights) == 1
    return [
        Heatmap(found.layer if one else f"{found.layer}, {k}", found.rows, found.columns, values)
        for k, values in enumerate(found.weights, 1)
    ]


def as_dict(found: Looked) -> dict[str, Any]:
    """For JSON, weights with six digits."""
    return {**found._asdict(), "weights": found.weights.astype("d").round(6).tolist()}
