"""gai compare."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from gai.cli import choices, compared, display, terminal, values, writing
from gai.cli.counting import check_deps, counted, report, write_deps
from gai.cli.options import LEMMATIZERS, STEMMERS, Documents, Output, Run, Tokens, option
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.texts.comparing import Maker, Row
    from gai.texts.measuring import Corpus, Method

TELLING, LARGEST = 20, 5
"""Disagreements, and groups of each method, that are shown where nobody says how many."""


@dataclass(eq=False, repr=False)
class Subject(Documents):
    """What is compared: words, a text, or a corpus."""

    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS",
            help="Words; with --context text, with --corpus files, folders or URLs. - is standard "
            "input, which is also read without WORDS.",
        ),
    ] = None
    words: Annotated[
        str | None,
        option("--words", metavar="FILE", help="Words, one a line, or with --context the text."),
    ] = None
    context: Annotated[
        bool,
        option("--context", help="Text: lemmas that depend on neighbours see whole sentences."),
    ] = False
    corpus: Annotated[
        bool, option("--corpus", help="Measure the methods on all words of the files WORDS.")
    ] = False
    gold: Annotated[
        str | None,
        option(
            "--gold",
            metavar="FILE",
            help="Group words by the lemmas in this CoNLL-U file, which without --corpus is the "
            "corpus as well.",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Methods:
    """What stems, and what finds lemmas."""

    panel: ClassVar[str] = "Methods"
    algorithm: Annotated[
        tuple[str, ...] | None,
        option(
            "--algorithm",
            metavar="NAME[,NAME]",
            parse=values.several(*STEMMERS),
            help=f"Stemmers: {', '.join(STEMMERS)}.",
            default="porter,snowball,lancaster; in other languages those that suit",
        ),
    ] = None
    strip: Annotated[
        str | None,
        option(
            "--strip",
            metavar="REGEX",
            help="Compare regexp as well, which takes this away: 'er$|ing$', '^un'.",
        ),
    ] = None
    engine: Annotated[
        tuple[str, ...] | None,
        option(
            "--engine",
            metavar="NAME[,NAME]",
            parse=values.several(*LEMMATIZERS),
            help="Lemmatizers: simplemma, spacy (an installed --model), wordnet.",
            default="simplemma",
        ),
    ] = None
    lang: Annotated[
        str | None,
        option(
            "--lang",
            metavar="CODE[,CODE]",
            help="Language; several are for simplemma.",
            default="en",
        ),
    ] = None
    model: Annotated[
        str | None,
        option("--model", metavar="NAME", help="spaCy's model, by name or folder."),
    ] = None
    tokenizer: Annotated[
        str | None,
        option(
            "--tokenizer",
            parse=values.choice("unicode", "word"),
            help="How --corpus finds words.",
            default="unicode",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Report(Output):
    """Where results go, and how many."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice("tsv", "json"),
            help="Write this format.",
            default="by extension; tables on a terminal, tsv in a pipe",
        ),
    ] = None
    top: Annotated[
        int | None,
        option(
            "-k",
            "--top",
            metavar="K",
            parse=values.whole(0),
            help="The K most telling disagreements, of a corpus.",
            default=str(TELLING),
        ),
    ] = None
    groups: Annotated[
        int | None,
        option(
            "--groups",
            metavar="N",
            parse=values.whole(0),
            help="The N largest groups of each method, of a corpus.",
            default=str(LARGEST),
        ),
    ] = None
    no_speed: Annotated[
        bool,
        option("--no-speed", help="Leave out words per second, the only number that varies."),
    ] = False

    @property
    def chosen(self) -> str:
        """The format of what is not a table."""
        return self.format or ("json" if self.place.lower().endswith(".json") else "tsv")


def compare(subject: Subject, methods: Methods, output: Report, run: Run) -> None:
    """Stems and lemmas side by side, for words or for a corpus.

    Of each word its stems and its lemma; forms that differ from the lemma stand out. Of a corpus
    (--corpus, --gold) what each method makes of all words: how many distinct forms are left, how
    many tokens change, understemming (UI), overstemming (OI) and stemming weight (SW) after Paice,
    words per second, the largest groups, and where stemming and lemmas disagree most.

      gai compare running better mice --strip 'er$'
      gai compare --context 'She left the better half of the leaves.'
      gai compare --corpus novels/*.txt
      gai compare --gold en_ewt-ud-dev.conllu --engine simplemma,spacy
    """
    check(subject, methods, output)
    if subject.corpus or subject.gold:
        compare_corpus(subject, methods, output, run)
    else:
        compare_words(subject, methods, output)


def check(subject: Subject, methods: Methods, output: Report) -> None:
    """Raises a UsageError for flags that contradict each other or would do nothing."""
    of_corpus = [*choices.given(subject, "corpus"), *choices.given(subject, "gold")]
    of_words = [*choices.given(subject, "context"), *choices.given(subject, "words")]
    for flag, _, _ in of_corpus:
        choices.exclude(flag, of_words, "a corpus is compared, or words, or a text")
    if subject.gold and subject.files and not subject.corpus:
        raise UsageError("--gold FILE is the whole corpus", "--corpus compares other files as well")
    reading = [field.name for field in fields(Documents) if field.name != "files"]
    for flag, _, _ in () if subject.corpus else choices.given(subject, *reading):
        raise UsageError(f"{flag} needs --corpus", "it is about files")
    if methods.tokenizer and not subject.corpus:
        raise UsageError("--tokenizer needs --corpus", "these words are found already")
    spacy = "spacy" in (methods.engine or ())
    if methods.model and not spacy:
        raise UsageError("--model needs --engine spacy")
    if spacy and subject.corpus:
        hint = "--gold FILE.conllu alone, or --context for a text"
        raise UsageError("spacy reads sentences, --corpus compares word by word", hint)
    for flag, _, _ in () if of_corpus else choices.given(output, "top", "groups", "no_speed"):
        raise UsageError(f"{flag} needs --corpus or --gold")
    check_deps(output)
    writing.check_place(output.place)


def makers(methods: Methods, sentences: bool) -> list[Maker]:
    """Stemmers, then lemmatizers; ``sentences`` says that these will be given whole ones."""
    from gai.texts.comparing import lemmatizers, stemmers

    lang, engines = methods.lang or "en", methods.engine or ("simplemma",)
    single = methods.lang and first_of(lang)
    stems = stemmers(methods.algorithm, lang=single, strip=methods.strip)
    lemmas = lemmatizers(engines, lang=lang, model=methods.model, sentences=sentences)
    return [*stems, *lemmas]


def first_of(lang: str) -> str:
    """The first of several languages, which only lemmatizers take."""
    return lang.partition(",")[0]


def compare_words(subject: Subject, methods: Methods, output: Report) -> None:
    """A row for each word, of a list or of a text."""
    from gai.texts.comparing import sentences_table, words_table

    texts = [text for text in given_texts(subject) if text.strip()]
    made = makers(methods, sentences=subject.context)
    if subject.context:
        table = sentences_table(sentences_of(texts, methods.lang or "en"), made)
    else:
        table = words_table(texts, made)
    if not table:
        raise GaiError("no words to compare", "the input is empty, or holds no letters and digits")
    write_deps(output, [], [subject.words])
    if output.to_table():
        show_words(made, table)
    else:
        spell = {"tsv": compared.words_tsv, "json": compared.words_json}[output.chosen]
        writing.write(spell(made, table), output.place)


def show_words(made: Sequence[Maker], table: Sequence[Row]) -> None:
    """Prints the rows for a person."""
    console = terminal.console()
    console.print(compared.words_table(made, table[: display.MOST]))
    if (more := len(table) - display.MOST) > 0:
        console.print(f"... and {more:,} more: a pipe or -o FILE gets all")


def given_texts(subject: Subject) -> list[str]:
    """The words, or with --context the texts, from the command line, a file or standard input."""
    if not (subject.files or subject.words):
        if sys.stdin is None or sys.stdin.closed or terminal.is_terminal(sys.stdin):
            raise UsageError("no words", "gai compare running better, or --words FILE")
        return read_texts("-", subject.context)
    found: list[str] = []
    for word in subject.files or ():
        typed = word != "-"
        found += [checked(word, subject.context)] if typed else read_texts("-", subject.context)
    return found + (read_texts(subject.words, subject.context) if subject.words else [])


def checked(word: str, context: bool) -> str:
    """A word as it was typed; a UsageError where it is a file, or no text."""
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{word}: this word is no UTF-8") from None
    if not context and ("/" in word or "." in word) and os.path.exists(word):
        hint = f"gai compare --corpus {word} reads it, --words {word} if it is a list of words"
        raise UsageError(f"{word} is a file, not a word", hint)
    return word


def read_texts(path: str, context: bool) -> list[str]:
    """The lines of a file or of standard input that hold something, or with ``context`` all."""
    name = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise GaiError(f"{name}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise GaiError(f"{name}: byte {error.start} is no UTF-8", "convert it first") from error
    return [text] if context else [line for line in map(str.strip, text.split("\n")) if line]


def sentences_of(texts: Sequence[str], lang: str) -> list[str]:
    """The sentences of the texts, one text after the other."""
    from gai.tokens.sentences import sentence_spans

    lang = first_of(lang)
    return [text[start:end] for text in texts for start, end in sentence_spans(text, lang=lang)]


def compare_corpus(subject: Subject, methods: Methods, output: Report, run: Run) -> None:
    """The measures of each method on all words of a corpus."""
    from gai.documents import conllu
    from gai.texts import measuring

    made = makers(methods, sentences=bool(subject.gold and not subject.corpus))
    started = perf_counter()
    annotated = conllu.read(subject.gold) if subject.gold else []
    if subject.corpus:
        corpus, facts, files = counted_corpus(subject, methods, run)
    else:
        corpus, files = measuring.annotated(annotated), []
        read = display.speed(os.path.getsize(str(subject.gold)), perf_counter() - started)
        facts = {"sentences": f"{len(annotated):,}", **read}
    done = [measuring.method(maker, corpus) for maker in made]
    reference = measuring.gold(annotated) if subject.gold else reference_of(done)
    found = compared.corpus(
        corpus,
        done,
        reference,
        LARGEST if output.groups is None else output.groups,
        TELLING if output.top is None else output.top,
        speed=not output.no_speed,
    )
    write_deps(output, files, [subject.gold])
    if output.to_table():
        compared.show(found, facts)
    else:
        spell = {"tsv": compared.corpus_tsv, "json": compared.corpus_json}[output.chosen]
        writing.write(spell(found), output.place)
    report(output, run, lambda: compared.size(found) | facts)


def reference_of(methods: Sequence[Method]) -> Method | None:
    """The first lemmatizer."""
    return next((method for method in methods if method.kind == "lemma"), None)


def counted_corpus(
    subject: Subject, methods: Methods, run: Run
) -> tuple[Corpus, display.Facts, Sequence[str]]:
    """The words of files, how much was read, and which files these are."""
    from gai.texts.measuring import Corpus

    documents = Documents(**{f.name: getattr(subject, f.name) for f in fields(Documents)})
    tokens = Tokens(tokenizer=methods.tokenizer, keep_case=True)
    found = counted(documents, choices.analysis(documents, tokens), run, rows=False)
    words = Counter(dict(zip(found.counts.terms, found.counts.tf.tolist(), strict=True)))
    facts = {"documents": f"{len(found.counts.documents):,}", **found.speed()}
    return Corpus(words), facts, list(found.reader.files)
