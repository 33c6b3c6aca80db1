"""gai glove."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from gai.cli import choices, training, values
from gai.cli.cooccur import Neighbours, counted
from gai.cli.options import Documents, Forms, Run, option
from gai.cli.training_options import Training, VectorOutput, Vocabulary

if TYPE_CHECKING:
    from gai.documents import Reader
    from gai.vectors.cooccurrence import Cooccurrence

EPOCHS = 15
"""How often the pairs are gone through where nobody says."""


@dataclass(eq=False, repr=False)
class Model:
    """How counts are weighted and how fast is learned."""

    panel: ClassVar[str] = "Model"
    x_max: Annotated[
        float | None,
        option(
            "--x-max",
            metavar="X",
            parse=values.number(0.0),
            help="Pairs that are counted so often or more weigh 1.",
            default="100",
        ),
    ] = None
    alpha: Annotated[
        float | None,
        option(
            "--alpha",
            metavar="X",
            parse=values.number(0.0),
            help="Others weigh (count / x-max) to this power; not the learning rate.",
            default="0.75",
        ),
    ] = None
    learning_rate: Annotated[
        float | None,
        option(
            "--learning-rate",
            metavar="X",
            parse=values.number(0.0),
            help="Learning rate of AdaGrad at the start.",
            default="0.05",
        ),
    ] = None


def glove(
    documents: Documents,
    terms: Forms,
    vocabulary: Vocabulary,
    neighbours: Neighbours,
    model: Model,
    asked: Training,
    output: VectorOutput,
    run: Run,
) -> None:
    """Train word vectors from co-occurrence counts.

    GloVe: what stands near what is counted once, as gai cooccur does it, and the logarithms of the
    counts are what the vectors learn. A sentence is a line, or with --sentences what the rules of
    gai sentences find. Any -j gives the same bytes. Ctrl-C keeps the last finished epoch.

      gai glove books/*.txt -o vectors.txt
      gai glove --x-max 10 --dim 50 small.txt -o vectors.safetensors
      gai glove --resume vectors.safetensors --epochs 30 --x-max 10 --dim 50 small.txt -o more.bin
    """
    from gai.vectors.glove import Choices, GloveTrainer

    ready = training.ready(asked, output, run)
    said = [*choices.given(model), *choices.given(asked, "dim", "seed")]
    given = {name: value for _, name, value in said}
    if ready.init is not None:
        given.setdefault("dim", ready.init.dim)
    chosen, epochs = Choices(**given), asked.epochs or EPOCHS
    ready.check("glove", chosen, epochs)
    cells, reader = cells_of(documents, terms, vocabulary, neighbours, output, run)
    trainer = GloveTrainer(
        cells,
        chosen,
        jobs=run.threads,
        memory=run.memory,
        init=ready.init,
        resume=ready.resume,
    )
    del cells  # the trainer has made its own of them
    training.run_training(trainer, epochs, ready, reader.files, [terms.stop_words, terms.model])


def cells_of(
    documents: Documents,
    terms: Forms,
    vocabulary: Vocabulary,
    neighbours: Neighbours,
    output: VectorOutput,
    run: Run,
) -> "tuple[Cooccurrence, Reader]":
    """What stands near what, and what has read it; the corpus itself is let go of."""
    corpus, reader = training.corpus_of(documents, terms, vocabulary, run)
    training.require_words(corpus, output)
    return counted(corpus, neighbours, run), reader
