"""gai tokenize."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from gai.cli import choices, stages, values
from gai.cli.options import Documents, Layout, Run, StageOutput, Tokens, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.phrases.model import Phrases
    from gai.texts.units import Split
    from gai.tokens.analysis import Analysis

UNITS = ("word", "sentence", "paragraph", "char", "ngram", "phrase")
KINDS = ("word", "number", "punct", "emoji", "url", "mention", "hashtag")


@dataclass(eq=False, repr=False)
class Units:
    """What a token is."""

    panel: ClassVar[str] = "Units"
    unit: Annotated[
        str | None,
        option(
            "--unit",
            parse=values.choice(*UNITS),
            help="What the text is cut into; sentences, paragraphs and n-grams come one a line.",
            default="word",
        ),
    ] = None
    ngrams: Annotated[
        tuple[int, int] | None,
        option(
            "--ngrams",
            metavar="N[,M]",
            parse=values.span,
            help="Words of an n-gram, or from N to M, with --unit ngram.",
            default="2",
        ),
    ] = None
    phrases: Annotated[
        str | None,
        option("--phrases", metavar="FILE", help="What gai phrases learned, for --unit phrase."),
    ] = None
    keep: Annotated[
        tuple[str, ...] | None,
        option(
            "--keep",
            metavar="TYPE[,TYPE]",
            parse=values.several(*KINDS),
            help=f"Only tokens of these types: {', '.join(KINDS)}.",
            default="word,number, with URLs and the like in parts",
        ),
    ] = None
    drop: Annotated[
        tuple[str, ...] | None,
        option(
            "--drop",
            metavar="TYPE[,TYPE]",
            parse=values.several(*KINDS),
            help="All tokens but those of these types.",
        ),
    ] = None


def tokenize(
    documents: Documents,
    tokens: Tokens,
    units: Units,
    layout: Layout,
    output: StageOutput,
    run: Run,
) -> None:
    """Tokens of each document: words, sentences, characters, n-grams or phrases.

    A line a document, its tokens separated by spaces. --format jsonl keeps the ids of documents, so
    that the next command of a pipe knows them; with --one-per-line it says where each token stands.

      gai tokenize book.txt
      gai tokenize --one-per-line --format jsonl --keep word,emoji,url posts.jsonl
      gai tokenize notes.jsonl --format jsonl | gai tfidf - --input-format jsonl --pretokenized
    """
    check(tokens, units)
    phrases = learned(units)
    spaced = phrases is not None and any(map(str.isspace, phrases.learning.delimiter))
    if units.unit in ("sentence", "paragraph", "ngram") or spaced:
        layout.one_per_line = True
    stages.check(output, layout)
    language = tokens.lang
    if units.unit == "sentence":
        tokens.lang = None  # that of the sentences: no token looks at it
    analysis = choices.analysis(documents, tokens, decided_by(phrases, units))
    if units.unit == "sentence" and language:
        analysis = replace(analysis, lang=language)
    split = splitter(analysis, units)
    name = units.unit if units.unit in ("sentence", "paragraph", "ngram", "phrase") else None
    pieces, places = stages.token_pieces(output, layout, (lambda _: name) if name else None)
    stages.run_stage(
        documents,
        analysis,
        pieces,
        output,
        run,
        split=split,
        places=places,
        phrases=phrases,
        whole=units.unit not in (None, "word", "char"),
        beside=[tokens.stop_words, tokens.model, units.phrases],
    )


def learned(units: Units) -> "Phrases | None":
    """What gai phrases learned, where it is asked for."""
    from gai.phrases.storing import load

    return load(units.phrases) if units.phrases is not None else None


def decided_by(phrases: "Phrases | None", units: Units) -> Iterable[choices.Claim]:
    """What phrases say about the tokens: they are made of the same as those they came from."""
    from gai.signature import analysis_options

    if phrases is None:
        return ()
    return choices.claims(f"--phrases {units.phrases}", analysis_options(phrases.signature))


def check(tokens: Tokens, units: Units) -> None:
    """Raises a UsageError for flags that do not go with the unit."""
    unit = units.unit or "word"
    if units.keep and units.drop:
        raise UsageError("--keep contradicts --drop", "name the types once")
    if units.ngrams and unit != "ngram":
        raise UsageError(f"--ngrams works with --unit ngram, not with {unit}", "add --unit ngram")
    if (units.phrases is None) != (unit != "phrase"):
        hint = "gai phrases FILES -o phrases.json, then --unit phrase --phrases phrases.json"
        raise UsageError("--unit phrase and --phrases FILE need each other", hint)
    if unit in ("sentence", "paragraph", "char"):
        names = ("tokenizer", "token_pattern", "min_length", "stop_words", "model")
        choices.exclude(f"--unit {unit}", choices.given(tokens, *names), "it has no words")
        choices.exclude(f"--unit {unit}", choices.given(units, "keep", "drop"), "it has no words")


def splitter(analysis: "Analysis", units: Units) -> "Split | None":
    """What cuts a text into the units that were asked for; None where the kernels do."""
    from gai.terms.plain import text_normaliser
    from gai.texts import units as cut
    from gai.tokens.sentences import paragraph_spans, segmenter

    normalise = text_normaliser(analysis)
    match units.unit:
        case "sentence":
            return cut.whole(
                segmenter("rules", lang=analysis.lang or "en"), cut.one_line(normalise)
            )
        case "paragraph":
            return cut.whole(paragraph_spans, cut.one_line(normalise))
        case "char":
            return cut.characters(analysis)
    words = typed(analysis, units)
    if units.unit == "ngram":
        return cut.ngrams(words or cut.tokens_with_places(analysis), *(units.ngrams or (2, 2)))
    return words


def typed(analysis: "Analysis", units: Units) -> "Split | None":
    """The words of the types that were asked for; None where nothing was."""
    from gai.texts import units as cut

    if not (units.keep or units.drop):
        return None
    kept = set(units.keep or KINDS) - set(units.drop or ())
    if analysis.tokenizer == "unicode":
        return cut.typed_words(analysis, kept)
    return cut.of_kinds(cut.tokens_with_places(analysis), kept)
