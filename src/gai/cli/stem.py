"""gai stem."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gai.cli import choices, stages, values
from gai.cli.options import STEMMERS, Documents, Layout, Run, StageOutput, Tokens, option
from gai.errors import UsageError


@dataclass(eq=False, repr=False)
class Stems:
    """How words become stems."""

    panel: ClassVar[str] = "Stems"
    algorithm: Annotated[
        str | None,
        option(
            "--algorithm",
            parse=values.choice(*STEMMERS),
            help="The stemmer. snowball knows more than 30 languages, isri and arlstem Arabic, "
            "rslp Portuguese, cistem German, the others English.",
            default="snowball",
        ),
    ] = None
    mode: Annotated[
        str | None,
        option(
            "--mode",
            parse=values.choice("nltk", "martin", "original"),
            help="Which porter: with NLTK's extensions, the author's own, or as published.",
            default="nltk",
        ),
    ] = None
    strip: Annotated[
        str | None,
        option(
            "--strip",
            metavar="REGEX",
            help="What --algorithm regexp takes away: 'er$|ing$', '^un'.",
        ),
    ] = None
    layout: Annotated[
        str | None,
        option(
            "--layout",
            parse=values.choice("tokens", "keep"),
            help="tokens: only these. keep: the text as it is, each token replaced.",
            default="tokens",
        ),
    ] = None


def stem(
    documents: Documents,
    stems: Stems,
    tokens: Tokens,
    layout: Layout,
    output: StageOutput,
    run: Run,
) -> None:
    """Text with each word as its stem.

    A line a document, its stems separated by spaces; --layout keep leaves everything between the
    words as it was. Each algorithm runs once for every distinct word.

      gai stem book.txt
      gai stem --lang de --layout keep brief.txt
      gai stem --algorithm regexp --strip 'er$|ing$' words.txt
    """
    claim = ("--algorithm", "form", form(stems))
    stages.check(output, layout)
    analysis = choices.analysis(documents, tokens, [claim])
    if stems.layout == "keep":
        stages.check_kept(layout, output)
        pieces, places = stages.kept_pieces(output, documents), True
    else:
        pieces, places = stages.token_pieces(output, layout)
    stages.run_stage(
        documents, analysis, pieces, output, run, places=places, beside=[tokens.stop_words]
    )


def form(stems: Stems) -> str:
    """The name of what was asked for: ``stem:porter:martin``."""
    algorithm = stems.algorithm or ("regexp" if stems.strip is not None else "snowball")
    if stems.mode and algorithm != "porter":
        raise UsageError(f"--mode works with --algorithm porter, not with {algorithm}")
    if (stems.strip is not None) != (algorithm == "regexp"):
        raise UsageError("--algorithm regexp and --strip REGEX need each other", "--strip 'ing$'")
    option = stems.strip or stems.mode
    return f"stem:{algorithm}:{option}" if option else f"stem:{algorithm}"
