"""gai nn train."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import choices, nn_display, terminal, writing
from gai.cli.nn_options import Architecture, Descent, Machine, Parts, Restraint
from gai.cli.nn_ready import require_torch
from gai.cli.options import Talk, Terms, option
from gai.errors import UsageError
from gai.nn import names, processes

if TYPE_CHECKING:
    from gai.nn.data.preparing import Parts as Prepared
    from gai.nn.runs import Run


def nn_train(
    *,
    architecture: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help=f"{', '.join(names.MODELS)}; see gai nn list."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA",
            help="jsonl, csv, tsv, .conllu, .txt (language models), .npz, MNIST's idx, folders "
            "with one folder a class, - for standard input, @digits, @iris, @diabetes, @copy.",
        ),
    ] = None,
    output: Annotated[
        str | None, option("-o", "--output", metavar="RUN", help="The folder that is made.")
    ] = None,
    resume: Annotated[bool, option("--resume", help="Go on with the run in RUN.")] = False,
    force: Annotated[bool, option("--force", help="Replace the run in RUN.")] = False,
    deps: Annotated[
        str | None,
        option("--deps", metavar="FILE", help="Also write a Make rule for RUN/report.json."),
    ] = None,
    config: Annotated[
        str | None,
        option("--config", metavar="FILE", help="Take choices from this config.toml; flags win."),
    ] = None,
    parts: Parts,
    terms: Terms,
    network: Architecture,
    descent: Descent,
    restraint: Restraint,
    machine: Machine,
    talk: Talk,
) -> None:
    """Train a neural model.

    RUN is a folder with the network, its choices, its scores and what is needed to go on. Beside
    the network's score stands that of a linear model or an n-gram model on the same split. Ctrl-C
    saves; --resume goes on, bit for bit as if nothing had happened.

      gai nn train cnn train.csv --label-field category --test test.csv -o run
      gai nn train transformer book.txt --steps 2000 -o shakespeare
      gai nn train lstm --resume -o run --epochs 20
    """
    require_torch("gai nn train")
    if output is None:
        raise UsageError("training needs a folder to write: -o RUN")
    from gai.nn.runs import Run

    run = Run(output)
    if resume and (force or config):
        other = "--force, which begins anew" if force else f"--config {config}"
        raise UsageError(f"--resume and {other}", "a run goes on with its own choices")
    if not resume and processes.rank() == 0:
        run.require_free(force=force)  # before the data is read
    groups = (parts, terms, network, descent, restraint, machine)
    if resume:
        said = resumed(run, typed(architecture, data, *groups))
    else:
        said = chosen(architecture, data, config, *groups)
    if deps is not None:
        writing.check_place(deps)
    train(run, said, machine, talk, resume=resume, force=force, deps=deps)


def chosen(
    architecture: str | None, data: list[str] | None, config: str | None, *groups: Any
) -> dict[str, Any]:
    """The choices of a new training: those of the command line over those of a file.

    ``groups`` are the option groups Parts, Terms, Architecture, Descent, Restraint and Machine.
    Raises UsageError where no model is named.
    """
    said = typed(architecture, data, *groups)
    if config is not None:
        from gai.nn.config import read

        said = {**read(config), **said}
    if not said.get("model"):
        raise UsageError("no MODEL", f"one of {', '.join(names.MODELS)}")
    return said


def typed(architecture: str | None, data: list[str] | None, *groups: Any) -> dict[str, Any]:
    """What the command line says, by the names of the configuration."""
    if architecture is not None and architecture not in names.MODELS:
        raise UsageError(f"no model is called {architecture!r}", values_hint(architecture))
    said = flags(*groups)
    said |= {"model": architecture} if architecture else {}
    return said | ({"data": tuple(data)} if data else {})


def values_hint(name: str) -> str:
    """What a name that no model has may have meant."""
    from gai.cli.values import Choice

    try:
        return Choice(tuple(names.MODELS))(name)
    except ValueError as error:
        return str(error)


def flags(*groups: Any) -> dict[str, Any]:
    """The choices that flags made, by the names of the configuration."""
    said: dict[str, Any] = {}
    for group in groups:
        if isinstance(group, Terms):
            continue
        for name, value in vars(group).items():
            if value is not None and name != "pretokenized":
                said[name] = value
    if "context_size" in said:
        said["context"] = said.pop("context_size")
    return said | text_choices(groups[0], groups[1])


def text_choices(parts: Parts, terms: Terms) -> dict[str, Any]:
    """What flags say about the way from text to terms."""
    claimed = {name for _, name, _ in choices.term_claims(parts, terms)}  # type: ignore[arg-type]
    if not claimed and not terms.stop_words:
        return {}
    analysis = choices.analysis(parts, terms)  # type: ignore[arg-type]
    if terms.stop_words:
        claimed |= {"stop_words", "stop_words_name"}
    claimed |= {name for name in ("lang", "package") if getattr(analysis, name)}
    if analysis.tokenizer in ("bpe", "unigram"):
        claimed |= {"lowercase"}
    renamed = {"lang": "language", "model": "tokenizer_model", "context": "lemma_context"}
    return {renamed.get(name, name): getattr(analysis, name) for name in sorted(claimed)}


FLAGS = {"context": "context_size", "language": "lang", "tokenizer_model": "model"}
"""The options of choices that have another name."""

GOING_ON = ("epochs", "steps", "early_stopping", "eval_every")
"""What may be another in a run that goes on."""

OPTIONS_GOING_ON = ", ".join(f"--{name.replace('_', '-')}" for name in GOING_ON)

ENDING = ("cosine", "one-cycle")
"""Schedules whose every rate depends on how long the run is."""


def resumed(run: "Run", said: dict[str, Any]) -> dict[str, Any]:
    """The choices of the run that goes on; raises UsageError where flags want others."""
    from gai.nn.config import read
    from gai.nn.runs import CONFIG

    before = run.config()
    run.require_going_on()
    for name, value in said.items():
        if name not in GOING_ON and getattr(before, name) != value:
            raise UsageError(
                f"{choices.typed(FLAGS.get(name, name), value)}: the run in {run.path} has "
                f"{choices.spelt(getattr(before, name))}",
                f"with --resume only {OPTIONS_GOING_ON} may change; -o OTHER begins anew",
            )
        longer = name in ("epochs", "steps") and getattr(before, name) != value
        if longer and before.schedule in ENDING:
            raise UsageError(
                f"{choices.typed(name, value)}: --schedule {before.schedule} ends with the run",
                "with --resume it ends where it was to end; -o OTHER begins anew",
            )
    own = {} if before.pretrained is None else {"pretrained": before.pretrained}
    return {**read(run.file(CONFIG)), **own, **{k: v for k, v in said.items() if k in GOING_ON}}


def write_deps(parts: "Prepared", run: "Run", path: str) -> None:
    """Writes a Make rule: the report depends on all files that the run has read."""
    from gai import output
    from gai.nn.runs import REPORT

    config = parts.config
    beside = [config.vectors, config.tokenizer_model or None]
    read = [file for raw in parts.raw.values() for file in raw.sources]
    output.write_deps(path, run.file(REPORT), [*read, *filter(None, beside)])


def train(
    run: "Run",
    said: dict[str, Any],
    machine: Machine,
    talk: Talk,
    *,
    resume: bool,
    force: bool,
    deps: str | None = None,
) -> None:
    """Reads, trains, judges and reports."""
    from gai.nn.data.preparing import prepare
    from gai.nn.net import experiment, finishing
    from gai.nn.net.loop import out_of_memory
    from gai.nn.net.team import joined

    if processes.size() > 1 and "-" in said.get("data", ()):
        raise UsageError("standard input for several processes: each needs all of it", "a file")
    talk.quiet = talk.quiet or processes.rank() > 0
    # A run that went on from another has its terms by now, wherever the other is.
    before = run.encoding(run.config()) if resume and said.get("parent") else None
    parts = prepare(said, before)
    with joined(), out_of_memory(parts.config), nn_display.listener(parts, talk) as shown:
        if resume:
            training = experiment.resume(parts, run, shown)
        else:
            probe = machine.seed is None and not parts.config.threads
            training = experiment.begin(parts, run, shown, probe=probe, force=force)
        try:
            report = finishing.carried_out(parts, training, run)
        except KeyboardInterrupt:
            if not talk.quiet and training.position.best:
                where = terminal.escape(run.path)
                terminal.say(f"gai: interrupted; gai nn train --resume -o {where} goes on")
            raise
    if processes.rank() > 0:
        return
    if deps is not None:
        write_deps(parts, run, deps)
    nn_display.show(report, talk)
    if talk.verbose and not talk.quiet:
        terminal.say(f"gai: {run.path} has the network of step {training.position.best_step:,}")
