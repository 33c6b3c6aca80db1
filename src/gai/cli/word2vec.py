"""gai word2vec, and what gai fasttext shares with it."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from gai.cli import choices, training, values
from gai.cli.options import Documents, Forms, Run, option
from gai.cli.training_options import Training, VectorOutput, Vocabulary
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.vectors.with_gensim import NgramBuckets


@dataclass(eq=False, repr=False)
class Model:
    """What is predicted from what."""

    panel: ClassVar[str] = "Model"
    cbow: Annotated[
        bool, option("--cbow", help="Predict a word from its window; else skip-gram.")
    ] = False
    window: Annotated[
        int | None,
        option(
            "--window",
            metavar="N",
            parse=values.whole(1),
            help="Words to each side, at most; nearer ones are seen more often.",
            default="5",
        ),
    ] = None
    negative: Annotated[
        int | None,
        option(
            "--negative",
            metavar="N",
            parse=values.whole(1),
            help="Negative examples for each pair.",
            default="5",
        ),
    ] = None
    hs: Annotated[
        bool, option("--hs", help="Hierarchical softmax in place of negative examples.")
    ] = False
    sample: Annotated[
        float | None,
        option(
            "--sample",
            metavar="X",
            parse=values.number(0.0, 1.0),
            help="Thin out words that are a larger share of the text than this; 0 keeps all.",
            default="0.001",
        ),
    ] = None
    alpha: Annotated[
        float | None,
        option(
            "--alpha",
            metavar="X",
            parse=values.number(0.0),
            help="Learning rate at the start; it falls to --min-alpha.",
            default="0.025",
        ),
    ] = None
    min_alpha: Annotated[
        float | None,
        option(
            "--min-alpha",
            metavar="X",
            parse=values.number(0.0),
            help="Learning rate at the end.",
            default="0.0001",
        ),
    ] = None


def word2vec(
    documents: Documents,
    terms: Forms,
    vocabulary: Vocabulary,
    model: Model,
    training: Training,
    output: VectorOutput,
    run: Run,
) -> None:
    """Train word vectors: skip-gram or CBOW.

    A sentence is a line, or with --sentences what the rules of gai sentences find. gensim trains,
    on words that gai has counted and numbered. Ctrl-C keeps the last finished epoch.

      gai word2vec books/*.txt -o vectors.bin
      zcat dump.txt.gz | gai word2vec -o vectors.safetensors --dim 200 --epochs 10
    """
    learn(documents, terms, vocabulary, model, training, output, run)


def learn(
    documents: Documents,
    terms: Forms,
    vocabulary: Vocabulary,
    model: Model,
    asked: Training,
    output: VectorOutput,
    run: Run,
    subwords: "NgramBuckets | None" = None,
) -> None:
    """Trains word2vec, or with ``subwords`` FastText, and writes the vectors."""
    from gai.vectors.feeding import feed
    from gai.vectors.with_gensim import Choices, GensimTrainer

    if model.hs and model.negative:
        raise UsageError(f"--negative {model.negative} contradicts --hs")
    ready = training.ready(asked, output, run)
    said = [*choices.given(model), *choices.given(asked, "dim", "epochs", "seed")]
    chosen = Choices(subwords=subwords, **{name: value for _, name, value in said})
    if ready.init is not None and asked.dim is None:
        chosen = replace(chosen, dim=ready.init.dim)
    ready.check("fasttext" if subwords else "word2vec", chosen, chosen.epochs)
    with training.importing("gensim.models.fasttext"):
        corpus, reader = training.corpus_of(documents, terms, vocabulary, run)
    training.require_words(corpus, output)
    jobs = 1 if asked.deterministic else run.threads
    with feed(corpus) as fed:
        trainer = GensimTrainer(
            corpus, chosen, fed, jobs=jobs, init=ready.init, resume=ready.resume
        )
        beside = [terms.stop_words, terms.model]
        training.run_training(trainer, chosen.epochs, ready, reader.files, beside)
