"""gai nn quantize."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import Annotated

from gai.cli import nn_sizes
from gai.cli.nn_options import Examples
from gai.cli.nn_predict import RUN, THREADS, opened, require_data
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

DATA = option(
    "--data",
    metavar="DATA",
    help="Labelled examples to score on.",
    default="the validation part of RUN, read again",
)
OTHER = option("-o", "--output", metavar="OTHER", help="The folder that is made.")


def nn_quantize(
    *,
    run: Annotated[str | None, RUN] = None,
    output: Annotated[str | None, OTHER] = None,
    data: Annotated[str | None, DATA] = None,
    force: Annotated[bool, option("--force", help="Replace the run in OTHER.")] = False,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """The same network with weights of 8 bits.

    Every matrix becomes whole numbers from -127 to 127 with a step for each row; Linear, LSTM, GRU
    and RNN layers round what enters them too, and multiply whole numbers. OTHER is a run as others
    are, a quarter of the size, and does not train. Sizes, speed and scores stand side by side.

      gai nn quantize run -o small
    """
    require_torch("gai nn quantize")
    folder = opened(run)
    if output is None:
        raise UsageError("no folder to write: -o OTHER")
    if data is None:
        require_data(examples, "--data")
    from gai.nn.net import deriving, experiment
    from gai.nn.net.quantizing import quantized
    from gai.nn.runs import Run

    other, config = Run(output), folder.config()
    folder.require_trainable()
    deriving.require_other(folder, other, force=force)
    network, encoding = experiment.load(folder, "cpu", threads)
    if data is None:
        parts = nn_sizes.parts_or_word(folder, talk, needed=False)
        bench = nn_sizes.own_examples(parts, encoding)
    else:
        bench = nn_sizes.named_examples(encoding, data, examples)
    stages = {"before": deriving.measured(network, folder, bench)}
    tensors = quantized(network)
    deriving.write(folder, other, config, encoding, tensors, quantized="int8")
    small, _ = experiment.load(other, "cpu", threads)
    stages["after"] = deriving.measured(small, other, bench)
    own = stages["after"] if data is None else deriving.measured(small, other, None)
    note = "weights of 8 bits, made by gai nn quantize"
    deriving.write_report(folder, other, config, own, note)
    nn_sizes.show(folder.path, other.path, stages, bench, talk)
