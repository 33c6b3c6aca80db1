"""gai nn prune."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import TYPE_CHECKING, Annotated, Any

from gai.cli import nn_display, nn_sizes
from gai.cli.nn_options import Examples, real, whole
from gai.cli.nn_predict import DEVICE, RUN, THREADS, opened, require_data
from gai.cli.nn_quantize import DATA, OTHER
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.nn.config import Config
    from gai.nn.data.preparing import Gathered
    from gai.nn.runs import Run

AMOUNT = 0.5


def share(text: str) -> float:
    """A share of weights that can go: above 0, below 1."""
    from gai.cli.values import number

    value = number(0.0, 1.0)(text)
    if not 0.0 < value < 1.0:
        raise ValueError("expected a share above 0 and below 1")
    return value


def nn_prune(
    *,
    run: Annotated[str | None, RUN] = None,
    output: Annotated[str | None, OTHER] = None,
    amount: Annotated[
        float | None,
        option("--amount", metavar="X", parse=share, help="The share that goes.", default="0.5"),
    ] = None,
    together: Annotated[
        bool,
        option("--global", help="The smallest weights of all, not of each matrix."),
    ] = False,
    structured: Annotated[
        bool,
        option("--structured", help="Whole units and filters: the network gets smaller."),
    ] = False,
    epochs: Annotated[
        int | None, whole("--epochs", help="Train on for N epochs after.", default="not at all")
    ] = None,
    steps: Annotated[int | None, whole("--steps", help="Train on for N steps after.")] = None,
    lr: Annotated[
        float | None, real("--lr", help="Learning rate of that.", default="that of RUN")
    ] = None,
    data: Annotated[str | None, DATA] = None,
    force: Annotated[bool, option("--force", help="Replace the run in OTHER.")] = False,
    device: Annotated[str | None, DEVICE] = None,
    threads: Annotated[int | None, THREADS] = None,
    examples: Examples,
    talk: Talk,
) -> None:
    """A smaller network: weights or whole units that matter least go.

    Weights of the smallest magnitude become 0, which compresses well. With --structured the units
    of mlp, rnn, lstm and gru and the filters of cnn are taken out, and what is left is a smaller
    network that runs faster; of a transformer units become 0 and stay. With --epochs or --steps
    training goes on, while what is 0 stays 0. OTHER is a run as others are.

      gai nn prune run -o half --amount 0.5 --epochs 2
      gai nn prune run -o narrow --structured --epochs 2
    """
    require_torch("gai nn prune")
    folder = opened(run)
    require_choices(output, together, structured, epochs, steps, lr)
    if data is None:
        require_data(examples, "--data")
    from gai.nn.net import deriving, experiment
    from gai.nn.runs import Run

    other, config = Run(output or ""), folder.config()
    folder.require_trainable()
    deriving.require_other(folder, other, force=force)
    trains = epochs is not None or steps is not None
    network, encoding = experiment.load(folder, device or "auto", threads)
    parts = None
    if trains or data is None:
        parts = nn_sizes.parts_or_word(folder, talk, needed=trains)
    if data is None:
        bench = nn_sizes.own_examples(parts, encoding)
    else:
        bench = nn_sizes.named_examples(encoding, data, examples)
    stages = {"before": deriving.measured(network, folder, bench)}
    how = "structured" if structured else "global" if together else "by matrix"
    config = pruned(folder, other, network, config, how, amount or AMOUNT)
    small, _ = experiment.load(other, device or "auto", threads)
    stages["after"] = deriving.measured(small, other, bench)
    note = f"pruned by gai nn prune, {how}, {amount or AMOUNT:g} of it"
    if trains:
        assert parts is not None
        trained_on(other, parts, settings(config, epochs, steps, lr, device), note, talk)
        small, _ = experiment.load(other, device or "auto", threads)
        stages["trained on"] = deriving.measured(small, other, bench)
    else:
        own = stages["after"] if data is None else deriving.measured(small, other, None)
        deriving.write_report(folder, other, config, own, note)
    nn_sizes.show(folder.path, other.path, stages, bench, talk)


def require_choices(
    output: str | None,
    together: bool,
    structured: bool,
    epochs: int | None,
    steps: int | None,
    lr: float | None,
) -> None:
    """Raises UsageError for choices that contradict each other."""
    if output is None:
        raise UsageError("no folder to write: -o OTHER")
    if together and structured:
        hint = "one of them: norms of units of different layers do not compare"
        raise UsageError("--global and --structured", hint)
    if epochs is not None and steps is not None:
        raise UsageError(f"--epochs {epochs} and --steps {steps}", "one of them")
    if lr is not None and epochs is None and steps is None:
        raise UsageError(f"--lr {lr:g} without training", "--epochs 3")
    if lr == 0:
        raise UsageError("--lr 0: a rate above 0", "--lr 0.001")


def pruned(
    run: "Run", other: "Run", network: Any, config: "Config", how: str, amount: float
) -> "Config":
    """The choices of the network in the new folder, which is written."""
    from gai.nn.net import checkpoints, deriving, pruning

    if how == "structured":
        config, tensors = pruning.prune_units(network, config, amount)
    else:
        pruning.prune_weights(network, amount, together=how == "global")
        tensors = checkpoints.tensors_of(network)
    said = {"amount": amount, "how": how}
    deriving.write(run, other, config, run.encoding(config), tensors, pruned=said)
    return config


def settings(
    config: "Config", epochs: int | None, steps: int | None, lr: float | None, device: str | None
) -> "Config":
    """The choices of the training after: as before, at an even rate, to its end."""
    more = {"epochs": epochs or 1, "steps": steps, "lr": lr or config.lr}
    even = {"schedule": "constant", "warmup": 0, "early_stopping": None, "eval_every": None}
    return config.with_(**more, **even, compile=False, device=device or config.device)


def trained_on(other: "Run", found: "Gathered", config: "Config", note: str, talk: Talk) -> None:
    """Trains the network in the folder on, and writes about it as about other trainings."""
    from gai.nn.net import deriving, finishing
    from gai.nn.net.loop import out_of_memory

    parts = deriving.parts_of(other, found, config)
    with out_of_memory(config), nn_display.listener(parts, talk) as shown:
        training = deriving.training_on(parts, other, shown)
        training.run()
    parts.notes.append(note)
    finishing.finish(parts, training, other)
