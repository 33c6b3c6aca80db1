"""gai nn similar, and what the commands share that ask a siamese network."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gai.cli import terminal, values
from gai.cli.nn_inspect import show_table
from gai.cli.nn_options import Examples
from gai.cli.nn_predict import DEVICE, OUTPUT, RUN, THREADS, opened, reading, written
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.nn.config import Config
    from gai.nn.data.encoding import Encoding
    from gai.nn.data.raw import Raw
    from gai.nn.net.models import Model
    from gai.nn.runs import Run

PAIR = tuple[str, str]

EER = "eer"
"""As a threshold: the one of the run's own equal error rate."""


def threshold(text: str) -> float | str:
    """A least similarity, or the name of the run's own."""
    return EER if text == EER else values.number(-1.0, 1.0)(text)


THRESHOLD = option(
    "--threshold",
    metavar="X|eer",
    parse=threshold,
    help="Also say yes or no: alike from this similarity on. eer: where the run's held-out "
    "examples had equal error rates.",
)
FILES = option(
    "--files",
    help="Texts are named as images and rows are, by the file they are in: FILE or FILE:N.",
)


def nn_similar(
    *,
    run: Annotated[str | None, RUN] = None,
    examples_named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="A B",
            help="Two texts; or the names of images and rows: a file, or FILE:N for its N-th "
            "example (@digits:3). Without them pairs come on standard input, a line A<TAB>B each.",
        ),
    ] = None,
    threshold: Annotated[float | str | None, THRESHOLD] = None,
    files: Annotated[bool, FILES] = False,
    output: Annotated[str | None, OUTPUT] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """How alike two examples are, by a siamese network.

    A line A<TAB>B<TAB>similarity<TAB>distance, with --threshold also yes or no. The similarity is
    the cosine of the two embeddings, from -1 to 1; where they have no unit norm 1 / (1 + distance).
    The distance is Euclidean.

      gai nn similar run "I lost my card" "my card is gone"
      gai nn similar faces anna.png unknown.png --threshold eer
    """
    require_torch("gai nn similar")
    pairs = pairs_of(examples_named or [])
    asked = asked_of(run, reading_as=examples, device=device, threads=threads)
    least = least_of(threshold, asked.run)
    rows = list(compared(asked, pairs, files, least))
    if output is None and terminal.is_terminal(sys.stdout):
        heads = ("", "", "similarity", "distance", "alike")
        show_table(heads if least is not None else heads[:4], rows, left=(0, 1, 4))
        return
    from gai.output.tsv import escape

    with written(output or "-") as sink:
        for row in rows:
            sink.write(("\t".join(map(escape, row)) + "\n").encode("utf-8", "surrogateescape"))


def pairs_of(given: Sequence[str]) -> list[PAIR]:
    """The two examples that were named, or the pairs on standard input; UsageError for others."""
    hint = "gai nn similar RUN A B, or lines A<TAB>B from a pipe"
    if not given and not terminal.is_terminal(sys.stdin):
        from gai.output.tsv import unescape

        lines = [line.rstrip("\r\n").split("\t") for line in sys.stdin]
        for number, line in enumerate(lines, start=1):
            if len(line) != 2:
                raise UsageError(f"-:{number}: not two fields with a TAB between", hint)
        return [(unescape(one), unescape(other)) for one, other in lines]
    if len(given) != 2:
        raise UsageError(f"two examples are compared, not {len(given)}", hint)
    return [(given[0], given[1])]


class Asked(NamedTuple):
    """A siamese network, how examples become arrays for it, and how they are read."""

    run: "Run"
    network: "Model"
    encoding: "Encoding"
    config: "Config"

    def embedded(self, raw: "Raw") -> Any:
        """The embeddings of examples, float32 [n, code]."""
        from gai.nn.net.answers import features

        return features(self.network, self.encoding.dataset(raw, labelled=False))


def asked_of(
    run: str | None, *, reading_as: Examples, device: str | None, threads: int | None
) -> Asked:
    """The siamese network of a run; raises GaiError where it is of another kind."""
    from gai.nn.net import experiment

    folder = opened(run)
    config = folder.config()
    if config.task != "match":
        message = f"{run} is a model {config.model} for --task {config.task}, no siamese network"
        raise GaiError(message, "gai nn train siamese DATA -o RUN trains one")
    network, encoding = experiment.load(folder, device or "auto", threads)
    return Asked(folder, network, encoding, reading(encoding.config, reading_as))


def least_of(threshold: float | str | None, run: "Run") -> float | None:
    """The least similarity of what is alike; raises GaiError where the run knows none."""
    if not isinstance(threshold, str):
        return threshold
    from gai.nn.runs import REPORT

    if os.path.exists(run.file(REPORT)):
        scores = run.json(REPORT)["scores"]
        for part in ("valid", "test"):
            if (found := scores.get(part, {}).get("network", {}).get("threshold")) is not None:
                return float(found)
    hint = "--threshold X, or train with examples that validate"
    raise GaiError(f"--threshold {EER}: {run.path} has no equal error rate", hint)


def example_of(asked: Asked, said: str, files: bool) -> "Raw":
    """An example that the user typed: a text, or the name of one in a file."""
    from gai.nn.data.one import named
    from gai.nn.data.raw import Raw

    if asked.encoding.vocabulary is None or files:
        return named(said, asked.config)
    return Raw(ids=[said], texts=[said])


def compared(
    asked: Asked, pairs: Sequence[PAIR], files: bool, least: float | None
) -> Iterator[tuple[str, ...]]:
    """A row for each pair: both, their similarity and distance, and whether they are alike."""
    from gai.nn.net.learning.matching import similarity
    from gai.nn.scores.matching import distances

    similar = similarity(asked.encoding.config)
    embedding = cache(lambda said: asked.embedded(example_of(asked, said, files)))
    for one, other in pairs:
        x, y = embedding(one), embedding(other)
        found, apart = float(similar(x, y)[0, 0]), float(distances(x, y)[0, 0])
        alike = () if least is None else (yes_or_no(found, least),)
        yield one, other, f"{found:.6f}", f"{apart:.6f}", *alike


def yes_or_no(found: float, least: float) -> str:
    """Whether a similarity is high enough, in a word."""
    return "yes" if found >= least else "no"
