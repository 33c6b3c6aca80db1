"""gai nn export."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import sys
from importlib.util import find_spec
from typing import Annotated

from gai.cli import terminal, writing
from gai.cli.nn_predict import RUN, opened
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import GaiError, MissingExtraError, UsageError

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
"""What the extra ``onnx`` brings."""


def nn_export(
    *,
    run: Annotated[str | None, RUN] = None,
    onnx: Annotated[
        str | None, option("--onnx", metavar="FILE", help="Write here; it appears whole.")
    ] = None,
    talk: Talk,
) -> None:
    """The network as an ONNX file.

    It takes ids, counts of terms, numbers or pixels, as many examples and as long ones as there
    are, and answers as gai nn predict does: probabilities, or numbers in their own units. Before it
    is in its place onnxruntime has run it on random inputs, and answered as torch to 4 digits. Its
    metadata has the labels, the task and where the vocabulary is.

      gai nn export run --onnx model.onnx
    """
    require_torch("gai nn export")
    require_onnx()
    folder = opened(run)
    if onnx is None:
        raise UsageError("no file to write: --onnx FILE", "gai nn export RUN --onnx model.onnx")
    folder.config()  # no run, no place for a file
    if onnx == "-" and terminal.is_terminal(sys.stdout):
        raise UsageError("an ONNX file is nothing for a terminal", "--onnx model.onnx")
    writing.check_place(onnx)
    if folder.input().get("quantized"):
        hint = "export the run that gai nn quantize was given"
        raise GaiError(f"{folder.path} has weights of 8 bits", hint)
    from gai.nn.net import experiment
    from gai.nn.net.exporting import exported

    network, encoding = experiment.load(folder, "cpu", 1)
    writing.write([exported(network, encoding, folder)], onnx)
    if talk.verbose and not talk.quiet:
        terminal.say(f"gai: {onnx} is written")


def require_onnx() -> None:
    """Raises MissingExtraError, with the pip line, where a package of the extra is missing."""
    if any(find_spec(name) is None for name in PACKAGES):
        raise MissingExtraError("gai nn export --onnx", "onnx")
