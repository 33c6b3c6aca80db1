"""gai nn generate."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
import sys
from itertools import chain
from typing import Annotated

from gai.cli import terminal, values
from gai.cli.nn_options import real, whole
from gai.cli.nn_predict import DEVICE, OUTPUT, RUN, opened
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError


def nn_generate(
    *,
    run: Annotated[str | None, RUN] = None,
    prompt: Annotated[
        str | None,
        option("--prompt", metavar="TEXT", help="What the text begins with.", default="nothing"),
    ] = None,
    length: Annotated[
        int | None, whole("-n", "--length", help="Tokens to write.", default="500")
    ] = None,
    temperature: Annotated[
        float | None,
        real("--temperature", help="Below 1 safer, above 1 wilder; 0: the likeliest.", default="1"),
    ] = None,
    top_k: Annotated[
        int | None, whole("--top-k", help="Draw from the K likeliest tokens.", default="all")
    ] = None,
    top_p: Annotated[
        float | None,
        real(
            "--top-p", most=1.0, help="Draw from the likeliest that have this share.", default="1"
        ),
    ] = None,
    seed: Annotated[
        int | None, whole("--seed", least=0, help="Of all chance.", default="1")
    ] = None,
    stream: Annotated[
        bool, option("--stream", help="Show each token at once; a terminal always does.")
    ] = False,
    output: Annotated[str | None, OUTPUT] = None,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[
        int | None,
        option("--threads", metavar="N", parse=values.whole(1), help="Of the CPU.", default="1"),
    ] = None,
    talk: Talk,
) -> None:
    """Text from a language model.

    The prompt and what follows it.

      gai nn generate run --prompt "ROMEO:" --temperature 0.8 --top-k 40
    """
    require_torch("gai nn generate")
    if top_p == 0.0:
        raise UsageError("--top-p 0: a share above 0", "--temperature 0 takes the likeliest")
    from gai.nn.net import experiment
    from gai.nn.net.generating import Sampling, generated
    from gai.output.atomic import staged

    network, encoding = experiment.load(opened(run), device or "auto", threads or 1)
    warm = 1.0 if temperature is None else temperature
    sampling = Sampling(warm, top_k, top_p, 1 if seed is None else seed)
    begun = prompt or ""
    pieces = generated(network, encoding, begun, sampling, length or 500)
    if stream or (output is None and terminal.is_terminal(sys.stdout)):
        with terminal.guarded():
            for piece in chain([begun], pieces):
                print(piece, end="", flush=True)
            print()
        return
    text = begun + "".join(pieces) + "\n"
    with staged(output or "-") as (sink,):
        sink.write(text.encode("utf-8", "surrogateescape"))
