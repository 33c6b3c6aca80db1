"""gai fasttext."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gai.cli import choices, values
from gai.cli.options import Documents, Forms, Run, option
from gai.cli.training_options import Training, VectorOutput, Vocabulary
from gai.cli.word2vec import Model, learn
from gai.errors import UsageError


@dataclass(eq=False, repr=False)
class Parts:
    """Which parts of words have vectors."""

    panel: ClassVar[str] = "Parts of words"
    min_n: Annotated[
        int | None,
        option(
            "--min-n",
            metavar="N",
            parse=values.whole(1),
            help="Characters of the shortest parts.",
            default="3",
        ),
    ] = None
    max_n: Annotated[
        int | None,
        option(
            "--max-n",
            metavar="N",
            parse=values.whole(1),
            help="Characters of the longest parts.",
            default="6",
        ),
    ] = None
    bucket: Annotated[
        int | None,
        option(
            "--bucket",
            metavar="N",
            parse=values.whole(1),
            help="Rows for parts, which share them by their hash.",
            default="2000000",
        ),
    ] = None


def fasttext(
    documents: Documents,
    terms: Forms,
    vocabulary: Vocabulary,
    model: Model,
    parts: Parts,
    training: Training,
    output: VectorOutput,
    run: Run,
) -> None:
    """Train word vectors that know parts of words, and so unseen words.

    As gai word2vec; a word is the mean of its own vector and those of its n-grams of characters.
    -o vectors.bin writes fastText's own format, which keeps them.

      gai fasttext books/*.txt -o vectors.bin
      gai vectors nearest vectors.bin unseenword
    """
    from gai.vectors.with_gensim import NgramBuckets

    chosen = NgramBuckets(**{name: value for _, name, value in choices.given(parts)})
    if chosen.min_n > chosen.max_n:
        raise UsageError(f"--min-n {chosen.min_n} is above --max-n {chosen.max_n}")
    learn(documents, terms, vocabulary, model, training, output, run, chosen)
