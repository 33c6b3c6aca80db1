"""From the flags to vectors: what word2vec, fasttext and glove do alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from gai.cli import choices, terminal
from gai.cli.counting import announce_compiling, check_deps, require_input, write_deps
from gai.cli.options import Documents, Forms, Run
from gai.cli.progress import progress
from gai.cli.training_options import Training, VectorOutput, Vocabulary
from gai.cli.vector_files import loaded
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.documents import Reader
    from gai.output.vectors import Vectors
    from gai.vectors.corpus import Corpus, Segmenter
    from gai.vectors.training import Epoch, Evaluate, Outcome, Trainer


@dataclass(frozen=True)
class Ready:
    """A training run before the text is read: whatever can be refused has been looked at.

    ``init`` and ``resume`` are the vectors of these options, ``evaluate`` is that of --eval.
    """

    asked: Training
    output: VectorOutput
    run: Run
    init: Vectors | None
    resume: Vectors | None
    evaluate: Evaluate | None

    @property
    def done(self) -> int:
        """How many epochs an earlier run has trained."""
        signature = self.resume.signature if self.resume is not None else {}
        return int(signature.get("training", {}).get("trained", 0))

    def check(self, kind: str, choices: Any, epochs: int) -> None:
        """Raises GaiError where the earlier run was of another kind, or is done."""
        from gai.vectors.training import check_resumed

        if self.resume is not None:
            check_resumed(self.resume, {"kind": kind, "training": asdict(choices)})
        if self.done >= epochs:
            raise GaiError(
                f"the earlier run has trained {self.done} epochs already",
                f"--epochs {self.done + 5} goes on to {self.done + 5}",
            )


def ready(asked: Training, output: VectorOutput, run: Run) -> Ready:
    """What the options of all trainings name; raises what can be refused before the work."""
    from gai.output import vectors

    if output.place == "-" and not output.format:
        raise UsageError("training needs a file to write: -o vectors.bin")
    if asked.init and asked.resume:
        raise UsageError("--init contradicts --resume", "one begins anew, the other goes on")
    if asked.seed is not None and asked.seed >> 32:
        raise UsageError(f"--seed {asked.seed}: expected a whole number below 4294967296")
    check_deps(output)
    vectors.check(output.place, output.format)
    init, resume = (loaded(path, run) if path else None for path in (asked.init, asked.resume))
    return Ready(asked, output, run, init, resume, evaluator(asked))


def corpus_of(
    documents: Documents, terms: Forms, vocabulary: Vocabulary, run: Run
) -> tuple[Corpus, Reader]:
    """The text as ids of words, and what has read it.

    Raises UsageError where there is no input, and GaiError where too little is left of it.
    """
    from gai.documents import Reader
    from gai.vectors.corpus import read_corpus

    require_input(documents)
    found = segmenter(terms) if vocabulary.sentences else None
    if found is None:
        documents = replace(documents, per=documents.per or "line")
    analysis = choices.analysis(documents, without_language(terms) if found else terms)
    reading = choices.reading(documents, analysis, run.memory)
    reader = Reader(replace(reading, split_documents=reading.split_documents and not found))
    announce_compiling(run)
    with progress(reader, run.quiet):
        corpus = read_corpus(
            reader,
            analysis,
            min_count=vocabulary.min_count or 5,
            max_vocab=vocabulary.max_vocab,
            segmenter=found,
            jobs=run.threads,
        )
    if reader.skipped and not run.quiet:
        records = "record" if reader.skipped == 1 else "records"
        terminal.say(f"gai: left out {reader.skipped:,} broken {records}")
    if run.verbose and not run.quiet:
        terminal.say(
            f"gai: {len(corpus.words):,} words, {corpus.tokens:,} of {corpus.read:,} tokens, "
            f"{len(corpus.bounds) - 1:,} sentences"
        )
    return corpus, reader


@contextmanager
def importing(module: str) -> Iterator[None]:
    """Imports a module while the block runs, in a thread: gensim takes a second."""
    thread = Thread(target=import_module, args=(module,), daemon=True)
    thread.start()
    try:
        yield
    except KeyboardInterrupt:
        raise  # at once: the process ends without it
    except BaseException:
        thread.join()  # an interpreter that ends would stop it anywhere
        raise
    thread.join()


def require_words(corpus: Corpus, output: VectorOutput) -> None:
    """Raises GaiError where the format cannot hold a word, before the work."""
    from gai.output.vectors import files

    files.require_words(corpus.words, files.resolve(output.place, output.format).format)


def segmenter(terms: Forms) -> Segmenter:
    """What finds the sentences of a text."""
    from gai.tokens.sentences import segmenter
    from gai.vectors.corpus import Segmenter

    lang = terms.lang or "en"
    return Segmenter(f"rules:{lang}", segmenter("rules", lang=lang))


def without_language(terms: Forms) -> Forms:
    """The same where --lang is only that of the sentences."""
    return terms if terms.stem or terms.lemma or terms.tokenizer else replace(terms, lang=None)


def run_training(
    trainer: Trainer, epochs: int, ready: Ready, files: Iterable[str], beside: Iterable[str | None]
) -> None:
    """Trains, says after each epoch how it went, and writes the vectors.

    ``files`` and ``beside`` are what was read, for --deps. Raises KeyboardInterrupt after writing
    where the user has interrupted a later epoch.
    """
    from gai.output.vectors import save
    from gai.vectors.training import train

    asked, output = ready.asked, ready.output
    with bar(trainer, epochs, ready.done, ready.run.quiet) as shown:
        outcome = train(
            trainer,
            epochs,
            done=ready.done,
            evaluate=ready.evaluate,
            patience=asked.patience,
            advance=shown.advance,
            told=shown.told,
        )
    kept = outcome.kept
    assert kept is not None
    write_deps(output, files, [*beside, asked.init, asked.resume, *(asked.eval or ())])
    save(trainer.vectors(kept.number), output.place, output.format)
    say_end(outcome, output, ready.run)
    if outcome.ended == "interrupted":
        raise KeyboardInterrupt


def evaluator(asked: Training) -> Evaluate | None:
    """What scores vectors after each epoch."""
    if not asked.eval:
        return None
    from gai.vectors.evaluation import evaluator

    return evaluator(asked.eval)


def say_end(outcome: Outcome, output: VectorOutput, run: Run) -> None:
    """Says where a run ended that did not go to its end."""
    if run.quiet or not outcome.ended:
        return
    assert outcome.kept is not None
    why = {"interrupted": "interrupted", "patience": "no better since"}[outcome.ended]
    terminal.say(f"gai: {why}: {output.place} has the vectors of epoch {outcome.kept.number}")


class Lines:
    """A line on standard error for every epoch."""

    def __init__(self, trainer: Trainer, epochs: int) -> None:
        self.trainer, self.epochs = trainer, epochs

    def advance(self, units: int) -> None:
        """Nothing: lines come at the end of epochs."""

    def told(self, epoch: Epoch) -> None:
        """Says how the epoch went."""
        terminal.say(line(epoch, self.epochs, self.trainer))


class Silence(Lines):
    """Nothing at all."""

    def told(self, epoch: Epoch) -> None:
        """Nothing."""


def line(epoch: Epoch, epochs: int, trainer: Trainer) -> str:
    """An epoch in one line."""
    scores = "".join(f", {name} {score:.4f}" for name, score in epoch.scores.items())
    speed = count(trainer.size / max(epoch.seconds, 1e-9))
    return (
        f"gai: epoch {epoch.number}/{epochs}: loss {epoch.loss:.5g}{scores}, "
        f"{epoch.seconds:.1f} s, {speed} {trainer.unit}/s"
    )


def count(number: float) -> str:
    """A large number in short: 1.24 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g}"


@contextmanager
def bar(trainer: Trainer, epochs: int, done: int, quiet: bool) -> Iterator[Lines]:
    """What shows the training: a bar for a person, lines for a log, nothing under -q."""
    if quiet:
        yield Silence(trainer, epochs)
    elif not terminal.has_colour(sys.stderr):
        yield Lines(trainer, epochs)
    else:
        from gai.cli.training_bar import TrainingBar

        with TrainingBar(trainer, epochs, done) as shown:
            yield shown
