"""Options that word2vec, fasttext and glove share."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gai.cli import values
from gai.cli.options import Output, option

VECTOR_FORMATS = ("npz", "safetensors", "fasttext", "word2vec", "word2vec-text", "glove")


@dataclass(eq=False, repr=False)
class Vocabulary:
    """Which words are learned."""

    panel: ClassVar[str] = "Words"
    sentences: Annotated[
        bool,
        option("--sentences", help="Find the sentences of each document; else a line is one."),
    ] = False
    min_count: Annotated[
        int | None,
        option(
            "--min-count",
            metavar="N",
            parse=values.whole(1),
            help="Leave out words that occur less often.",
            default="5",
        ),
    ] = None
    max_vocab: Annotated[
        int | None,
        option(
            "--max-vocab",
            metavar="N",
            parse=values.whole(1),
            help="Only the N most frequent words.",
            default="all",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Training:
    """How long and from where."""

    panel: ClassVar[str] = "Training"
    dim: Annotated[
        int | None,
        option(
            "--dim",
            metavar="N",
            parse=values.whole(1),
            help="How many numbers a vector has.",
            default="100",
        ),
    ] = None
    epochs: Annotated[
        int | None,
        option(
            "--epochs",
            metavar="N",
            parse=values.whole(1),
            help="How often to go through the text.",
            default="5, glove 15",
        ),
    ] = None
    seed: Annotated[
        int | None,
        option("--seed", metavar="N", parse=values.whole(0), help="Of all chance.", default="1"),
    ] = None
    deterministic: Annotated[
        bool,
        option(
            "--deterministic",
            help="The same bits for any -j: word2vec and fasttext train on one core, glove always "
            "gives them.",
        ),
    ] = False
    eval: Annotated[
        list[str] | None,
        option(
            "--eval",
            metavar="NAME|FILE",
            help="Score this similarity or analogy set after each epoch: wordsim353, simlex999, "
            "google or a file. May be given again.",
        ),
    ] = None
    patience: Annotated[
        int | None,
        option(
            "--patience",
            metavar="N",
            parse=values.whole(1),
            help="Stop after N epochs without a better score (the first --eval, else the loss), "
            "and keep the best.",
        ),
    ] = None
    init: Annotated[
        str | None,
        option("--init", metavar="VECTORS", help="Start from these vectors where words agree."),
    ] = None
    resume: Annotated[
        str | None,
        option(
            "--resume",
            metavar="FILE",
            help="Go on from an earlier run with the same text and options, up to --epochs.",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class VectorOutput(Output):
    """Where vectors go."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*VECTOR_FORMATS),
            help="Write this format. npz and safetensors keep everything, --resume included.",
            default="by extension: .npz, .safetensors, .vec, .txt (GloVe), .bin",
        ),
    ] = None
