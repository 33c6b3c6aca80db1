"""The options that several commands share: each defined once, in a group that they take whole.

A command names the groups it wants: ``def bow(documents: Documents, output: Output) -> None``. An
option that was not given is None (a flag False), so that a command can tell a choice from a
default; the help text names the default.
"""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
# The groups are neither frozen nor comparable, which saves a tenth of the time to show a help page.
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from gai.cli import terminal, values

TOKENIZERS = (
    *("unicode", "word", "whitespace", "regex"),
    *("spacy", "treebank", "tweet", "toktok", "punkt", "bpe", "unigram"),
)
STEMMERS = ("snowball", "porter", "lancaster", "isri", "rslp", "cistem", "arlstem", "regexp")
LEMMATIZERS = ("simplemma", "spacy", "wordnet")
STAGE_FORMATS = ("text", "jsonl", "tsv")
TEXT_FORMATS = ("tsv", "jsonl", "csv")
FORMATS = (*TEXT_FORMATS, "npz", "mtx", "svm", "parquet")


def option(
    *names: str,
    help: str,
    metavar: str = "",
    parse: Callable[[str], Any] | None = None,
    default: str = "",
) -> Any:
    """A typer option; ``parse`` makes its value, ``default`` is what the help shows."""
    if isinstance(parse, values.Choice):
        metavar = metavar or "|".join(parse.names)
    return typer.Option(
        *names, help=help, metavar=metavar or None, parser=parse, show_default=default or False
    )


@dataclass(eq=False, repr=False)
class Documents:
    """Which documents are read, and how."""

    panel: ClassVar[str] = "Documents"
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Files, folders or URLs; - is standard input, which is also read without FILES.",
        ),
    ] = None
    glob: Annotated[
        str | None,
        option("--glob", metavar="PATTERN", help="Take these files from folders.", default="*"),
    ] = None
    files_from: Annotated[
        str | None,
        option("--files-from", metavar="FILE", help="Read more FILES from FILE, one a line."),
    ] = None
    files0_from: Annotated[
        str | None,
        option("--files0-from", metavar="FILE", help="The same, separated by NUL (find -print0)."),
    ] = None
    input_format: Annotated[
        str | None,
        option(
            "--input-format",
            parse=values.choice("text", "jsonl", "csv", "tsv", "parquet"),
            help="What the inputs are.",
            default="by extension, else text",
        ),
    ] = None
    text_field: Annotated[
        str | None,
        option(
            "--text-field",
            metavar="NAME",
            help="Field or column that holds the text.",
            default="text",
        ),
    ] = None
    id_field: Annotated[
        str | None,
        option(
            "--id-field",
            metavar="NAME",
            help="Field or column that holds the id of the document.",
            default="id where there is one, else file:number",
        ),
    ] = None
    per: Annotated[
        str | None,
        option(
            "--per",
            parse=values.choice("file", "line", "paragraph"),
            help="What one document is.",
            default="file for named text files, line for standard input",
        ),
    ] = None
    errors: Annotated[
        str | None,
        option(
            "--errors",
            parse=values.choice("strict", "replace", "ignore"),
            help="What happens at bytes that are no UTF-8.",
            default="strict",
        ),
    ] = None
    text: Annotated[bool, option("--text", help="Read files that look binary as text.")] = False
    skip_bad: Annotated[
        bool, option("--skip-bad", help="Leave out broken records, and say how many.")
    ] = False
    pretokenized: Annotated[
        bool,
        option(
            "--pretokenized",
            help="The text is tokens already, separated by single spaces, one document a line.",
        ),
    ] = False


@dataclass(eq=False, repr=False)
class Tokens:
    """How text becomes tokens."""

    panel: ClassVar[str] = "Tokens"
    tokenizer: Annotated[
        str | None,
        option(
            "--tokenizer",
            metavar="NAME",
            parse=values.choice(*TOKENIZERS),
            help="unicode: Unicode's word boundaries (UAX #29). word: runs of letters, digits "
            "and _. whitespace. regex: --token-pattern. NLTK's treebank, tweet, toktok, punkt. "
            "spacy: that of --lang or --model. bpe, unigram: of a --model FILE.",
            default="unicode",
        ),
    ] = None
    token_pattern: Annotated[
        str | None,
        option(
            "--token-pattern",
            metavar="REGEX",
            help="Tokens are the matches of this Python regular expression (slower).",
        ),
    ] = None
    min_length: Annotated[
        int | None,
        option(
            "--min-length",
            metavar="N",
            parse=values.whole(1),
            help="Drop tokens of fewer characters, with --tokenizer word.",
            default="1",
        ),
    ] = None
    keep_case: Annotated[bool, option("--keep-case", help="Do not lower-case.")] = False
    strip_accents: Annotated[
        str | None,
        option(
            "--strip-accents",
            parse=values.choice("ascii", "unicode"),
            help="Remove accents as scikit-learn does.",
        ),
    ] = None
    normalize: Annotated[
        str | None,
        option(
            "--normalize",
            parse=values.choice("nfc", "nfkc"),
            help="Bring the text into this Unicode normal form first.",
        ),
    ] = None
    stop_words: Annotated[
        str | None,
        option(
            "--stop-words",
            metavar="english|LANG|FILE",
            help="Drop these: scikit-learn's list, spaCy's of a language (de), or a file's lines.",
        ),
    ] = None
    lang: Annotated[
        str | None,
        option(
            "--lang",
            metavar="CODE[,CODE]",
            help="Language of the tokenizer, the stems or the lemmas.",
            default="en",
        ),
    ] = None
    model: Annotated[
        str | None,
        option(
            "--model",
            metavar="NAME|FILE",
            help="spaCy's model, by name or folder; the file of a bpe or unigram tokenizer.",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Forms(Tokens):
    """How text becomes tokens, and these stems or lemmas."""

    stem: Annotated[
        str | None,
        option(
            "--stem",
            metavar="ALGORITHM",
            help=f"Terms are stems: {', '.join(STEMMERS[:-1])} or regexp:PATTERN; see gai stem.",
        ),
    ] = None
    lemma: Annotated[
        str | None,
        option(
            "--lemma",
            parse=values.choice(*LEMMATIZERS),
            help="Terms are lemmas; see gai lemmatize.",
        ),
    ] = None
    context: Annotated[
        bool, option("--context", help="Let neighbours decide between lemmas (simplemma, en).")
    ] = False


@dataclass(eq=False, repr=False)
class Terms(Forms):
    """How text becomes terms."""

    panel: ClassVar[str] = "Terms"
    ngrams: Annotated[
        tuple[int, int] | None,
        option(
            "--ngrams",
            metavar="N[,M]",
            parse=values.span,
            help="Terms are N-grams, or all n-grams from N to M.",
            default="1",
        ),
    ] = None
    analyzer: Annotated[
        str | None,
        option(
            "--analyzer",
            parse=values.choice("word", "char", "char_wb"),
            help="What the n-grams are made of; char_wb stays within words.",
            default="word",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Limits:
    """Which terms count at all."""

    panel: ClassVar[str] = "Columns"
    min_df: Annotated[
        int | float | None,
        option(
            "--min-df",
            metavar="N|FRACTION",
            parse=values.documents,
            help="Drop terms that are in fewer documents: 2 is a count, 0.1 and 1.0 are fractions.",
            default="1",
        ),
    ] = None
    max_df: Annotated[
        int | float | None,
        option(
            "--max-df",
            metavar="N|FRACTION",
            parse=values.documents,
            help="Drop terms that are in more documents.",
            default="1.0",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Columns(Limits):
    """Which terms become columns, and in which order."""

    max_features: Annotated[
        int | None,
        option(
            "--max-features",
            metavar="N",
            parse=values.whole(1),
            help="Keep the N most frequent terms.",
        ),
    ] = None
    vocabulary: Annotated[
        str | None,
        option(
            "--vocabulary",
            metavar="FILE",
            help="Exactly these columns, in this order: one term a line, or the terms of an .npz.",
        ),
    ] = None
    order: Annotated[
        str | None,
        option(
            "--order",
            parse=values.choice("term", "first", "freq"),
            help="Order of the columns: by term, by first appearance, most frequent first.",
            default="term",
        ),
    ] = None
    binary: Annotated[bool, option("--binary", help="Count a term once a document.")] = False


@dataclass(eq=False, repr=False)
class Weights:
    """How counts become weights."""

    panel: ClassVar[str] = "Weights"
    tf: Annotated[
        str | None,
        option(
            "--tf",
            parse=values.choice("raw", "relative", "log", "binary", "augmented"),
            help="Weight of a term within its document.",
            default="relative: count / length",
        ),
    ] = None
    idf: Annotated[
        str | None,
        option(
            "--idf",
            parse=values.choice("plain", "smooth", "probabilistic", "none"),
            help="Weight of a term in the whole corpus.",
            default="plain: ln(N / df)",
        ),
    ] = None
    norm: Annotated[
        str | None,
        option(
            "--norm",
            parse=values.choice("l1", "l2", "none"),
            help="Length of each row after weighting.",
            default="none",
        ),
    ] = None
    smart: Annotated[
        str | None,
        option("--smart", metavar="CODE", help="All three as a SMART code, such as ltc."),
    ] = None
    bm25: Annotated[bool, option("--bm25", help="BM25 weights, as Lucene computes them.")] = False
    k1: Annotated[
        float | None,
        option(
            "--k1",
            metavar="X",
            parse=values.number(0.0),
            help="How soon more of a term stops to count, with --bm25.",
            default="1.2",
        ),
    ] = None
    b: Annotated[
        float | None,
        option(
            "--b",
            metavar="X",
            parse=values.number(0.0, 1.0),
            help="How much long documents are held back, with --bm25.",
            default="0.75",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Model:
    """Where all choices come from at once."""

    panel: ClassVar[str] = "All at once"
    like: Annotated[
        str | None,
        option(
            "--like",
            parse=values.choice("sklearn"),
            help="Scanner and weights of scikit-learn's defaults: the same matrix.",
        ),
    ] = None
    apply: Annotated[
        str | None,
        option(
            "--apply",
            metavar="TRAIN.npz",
            help="Terms, columns and weights of a stored matrix, for new documents.",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Output:
    """Where results go."""

    panel: ClassVar[str] = "Output"
    output: Annotated[
        str | None,
        option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write here; the extension names the format. - is standard output.",
            default="-",
        ),
    ] = None
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*FORMATS),
            help="Write this format.",
            default="by extension; a table on a terminal, tsv in a pipe",
        ),
    ] = None
    deps: Annotated[
        str | None,
        option("--deps", metavar="FILE", help="Also write a Make dependency file for the output."),
    ] = None

    @property
    def place(self) -> str:
        """Where results go; ``-`` is standard output."""
        return self.output or "-"

    def to_table(self) -> bool:
        """Whether a person looks, and asked for no format."""
        return self.output is None and self.format is None and terminal.is_terminal(sys.stdout)


@dataclass(eq=False, repr=False)
class TextOutput(Output):
    """Where results go that are text."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*TEXT_FORMATS),
            help="Write this format.",
            default="by extension; a table on a terminal, tsv in a pipe",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class StageOutput(Output):
    """Where text goes, for another command or for a person."""

    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*STAGE_FORMATS),
            help="text; jsonl keeps the ids of documents through a pipe; tsv is a line a token.",
            default="by extension, else text",
        ),
    ] = None

    @property
    def kind(self) -> str:
        """The format: that which was asked for, or that of the extension."""
        extension = self.place.removesuffix(".gz").rpartition(".")[2].lower()
        return self.format or (extension if extension in STAGE_FORMATS else "text")


@dataclass(eq=False, repr=False)
class Layout:
    """How tokens stand in the output."""

    panel: ClassVar[str] = "Output"
    separator: Annotated[
        str | None,
        option("--sep", metavar="TEXT", help="What stands between tokens.", default="a space"),
    ] = None
    one_per_line: Annotated[
        bool,
        option(
            "--one-per-line",
            help="One token a line; as jsonl or tsv with its document, place and type.",
        ),
    ] = False
    offsets: Annotated[
        str | None,
        option(
            "--offsets",
            parse=values.choice("characters", "bytes"),
            help="What places count, from the start of the document.",
            default="characters",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Talk:
    """How much is said about the work."""

    panel: ClassVar[str] = "Run"
    quiet: Annotated[bool, option("-q", "--quiet", help="Say nothing but errors.")] = False
    verbose: Annotated[bool, option("-v", "--verbose", help="Say what was done.")] = False
    debug: Annotated[bool, option("--debug", help="Show the traceback of an error.")] = False


@dataclass(eq=False, repr=False)
class Run(Talk):
    """How the work is done; none of these changes a number."""

    jobs: Annotated[
        int | None,
        option("-j", "--jobs", metavar="N", parse=values.whole(1), help="Cores.", default="all"),
    ] = None
    memory: Annotated[
        int | None,
        option(
            "--memory",
            metavar="SIZE",
            parse=values.size,
            help="Stay below this much memory (300M, 2G) by using temporary files.",
        ),
    ] = None

    @property
    def threads(self) -> int:
        """How many cores this run may use."""
        return self.jobs or cores()


def cores() -> int:
    """How many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@dataclass(eq=False, repr=False)
class Top:
    """The heaviest terms instead of the whole matrix."""

    panel: ClassVar[str] = "Output"
    top: Annotated[
        int | None,
        option(
            "-k",
            "--top",
            metavar="K",
            parse=values.whole(1),
            help="Only the K heaviest terms of each document, heaviest first, ties by term.",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Most:
    """How many terms of a list."""

    panel: ClassVar[str] = "Output"
    top: Annotated[
        int | None,
        option("-k", "--top", metavar="K", parse=values.whole(1), help="Only the first K terms."),
    ] = None


@dataclass(eq=False, repr=False)
class Explain:
    """Where a weight comes from, instead of the matrix."""

    panel: ClassVar[str] = "Output"
    explain: Annotated[
        tuple[str, str] | None,
        option(
            "--explain",
            metavar="DOC TERM",
            help="Only the numbers behind one weight: count, tf, df, idf.",
        ),
    ] = None
