"""The tool as a group of commands, each imported when it is asked for."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gai.cli import pages, terminal
from gai.cli.commands import SETTINGS, Lazy, passed_through
from gai.cli.nn_ready import require_torch
from gai.errors import UsageError

COMMANDS = {
    "tokenize": "Tokens of each document: words, sentences, characters, n-grams or phrases.",
    "sentences": "Sentences, one a line.",
    "stem": "Text with each word as its stem.",
    "lemmatize": "Text with each word as its lemma.",
    "compare": "Stems and lemmas side by side, for words or for a corpus.",
    "phrases": "Words that belong together: collocations with their scores.",
    "subword train": "Learn a tokenizer of word pieces, BPE or unigram.",
    "stopwords": "A list of stop words, and where it comes from.",
    "freq": "Term and document frequencies, most frequent first.",
    "bow": "Document-term counts: the bag of words.",
    "tfidf": "Document-term weights: TF-IDF or BM25.",
    "cooccur": "Which words stand near which: counts, PMI or PPMI.",
    "word2vec": "Train word vectors: skip-gram or CBOW.",
    "fasttext": "Train word vectors that know parts of words, and so unseen words.",
    "glove": "Train word vectors from co-occurrence counts.",
    "vectors nearest": "The words nearest to a word.",
    "vectors analogy": "What is to woman as king is to man: king - man + woman.",
    "vectors similarity": "How similar two words are.",
    "vectors odd-one-out": "The word that does not fit with the others.",
    "vectors evaluate": "Scores on similarity and analogy test sets.",
    "vectors documents": "A vector for each document: average, TF-IDF-weighted or SIF.",
    "vectors search": "The documents nearest to a query.",
    "vectors plot": "A picture of words.",
    "vectors reduce": "Fewer dimensions or smaller numbers.",
    "vectors convert": "The same vectors in another format.",
    "vectors info": "What a file of vectors holds.",
    "nn train": "Train a neural model.",
    "nn lr-find": "The learning rate to train with, by a short test.",
    "nn search": "Search for the best choices: layers, width, rates and the like.",
    "nn finetune": "Train on from a trained model: another task, another domain.",
    "nn cv": "Cross-validate a model: scores on k folds, their mean and spread.",
    "nn ensemble": "Several networks that answer as one.",
    "nn compare": "Scores of several runs side by side, and whether they differ.",
    "nn predict": "Labels, numbers or tags of new examples.",
    "nn evaluate": "Scores of a trained model on labelled examples.",
    "nn encode": "Examples as the last hidden layer sees them.",
    "nn match": "Examples most like another, by a siamese network.",
    "nn similar": "How alike two examples are, by a siamese network.",
    "nn anomalies": "Examples that an autoencoder cannot make again, the strangest first.",
    "nn denoise": "Examples as an autoencoder makes them: without what it has not learned.",
    "nn sample": "New examples from a generative model.",
    "nn generate": "Text from a language model.",
    "nn inspect": "The layers of a trained model, their shapes, weights and operations.",
    "nn trace": "One example through a network, forward, back, and one step.",
    "nn diagnose": "What ails a network, and what helps: options to try.",
    "nn report": "A page about a run, in one file that is read in any browser, offline.",
    "nn activations": "Activations as curves, with their derivatives.",
    "nn losses": "Losses as curves, with their derivatives.",
    "nn prune": "A smaller network: weights or whole units that matter least go.",
    "nn quantize": "The same network with weights of 8 bits.",
    "nn export": "The network as an ONNX file.",
    "nn list": "Models, activations, losses, optimisers and whatever else has a name.",
    "top": "The heaviest terms of each document of a stored matrix.",
    "info": "What is installed, or what a stored file holds.",
    "download": "Data of NLTK and models of spaCy.",
}
"""The first line of each command's docstring, here so that none needs to be imported."""

GROUPS = {
    "subword": "Tokenizers of word pieces: train one.",
    "vectors": "Word vectors: ask, evaluate, convert, draw.",
    "nn": "Small neural models: train, ask, look into.",
}
"""The same for commands that have commands."""

ClickException: Any = typer.BadParameter.__mro__[2]
"""typer carries its own click in new versions and imports it in old ones."""


class Group(TyperGroup):
    """The tool itself, with our help page."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [passed_through(param) for param in super().get_params(ctx)]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in self.commands and not ctx.resilient_parsing:
            near = get_close_matches(name, self.commands, 1)
            path = ctx.command_path
            hint = f"did you mean {near[0]}?" if near else f"{path} --help lists the commands"
            called = f"{path} {name}".removeprefix("gai ")
            raise UsageError(f"no such command: {called}", hint)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if not args and not ctx.resilient_parsing:
            if self.name == "nn":
                require_torch(ctx.command_path)
            terminal.say(self.get_help(ctx))
            raise typer.Exit(UsageError.code)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(pages.group(self, ctx))


def run(words: list[str]) -> int:
    """The exit code of the command that ``words`` name; a wrong use is raised as a UsageError."""
    group = build()
    if "_GAI_COMPLETE" in os.environ:
        group.main(words, prog_name="gai")
    try:
        if not words:
            return without_command(group)
        with group.make_context("gai", words) as ctx:
            group.invoke(ctx)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except ClickException as error:
        raise usage(error) from None
    return 0


def build() -> Any:
    """The group of all commands."""
    app = typer.Typer(name="gai", cls=Group, rich_markup_mode=None, context_settings=SETTINGS)
    app.callback(help=main.__doc__)(main)
    group = typer.main.get_command(app)
    groups: dict[str, Any] = {
        name: Group(name=name, help=line, context_settings=SETTINGS)
        for name, line in GROUPS.items()
    }
    for name, line in COMMANDS.items():
        above, _, last = name.rpartition(" ")
        command = Lazy(last, help=line)
        command.path = name
        groups.get(above, group).add_command(command)
        if above:
            group.add_command(groups[above])  # type: ignore[attr-defined]
    return group


def show_version(wanted: bool) -> None:
    """Prints the version and ends the run."""
    if wanted:
        from gai import __version__

        print(f"gai {__version__}")
        raise typer.Exit


def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=show_version
        ),
    ] = False,
) -> None:
    """Turn text into numbers: tokens, stems and lemmas, counts and weights of terms, from files or
    standard input.

    gai COMMAND --help explains a command.
    """


def without_command(group: Any) -> int:
    """The exit code of ``gai`` alone, which shows the help page where it disturbs no pipe."""
    with group.make_context("gai", [], resilient_parsing=True) as ctx:
        terminal.say(group.get_help(ctx))
    return UsageError.code


def usage(error: Any) -> UsageError:
    """What typer found wrong, in our words."""
    message = error.format_message().rstrip(".")
    hint = f"see {error.ctx.command_path} --help" if error.ctx else "see gai --help"
    if possible := getattr(error, "possibilities", None):
        message = error.message.rstrip(".")
        hint = f"did you mean {' or '.join(possible)}?"
    return UsageError(message[:1].lower() + message[1:], hint)
