"""gai lemmatize."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from gai.cli import choices, stages, values
from gai.cli.options import LEMMATIZERS, Documents, Layout, Run, StageOutput, Tokens, option
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.texts.units import Split
    from gai.tokens.analysis import Analysis


@dataclass(eq=False, repr=False)
class Lemmas:
    """How words become lemmas."""

    panel: ClassVar[str] = "Lemmas"
    engine: Annotated[
        str | None,
        option(
            "--engine",
            parse=values.choice(*LEMMATIZERS),
            help="simplemma: word by word, 50 languages. spacy: an installed --model, in context. "
            "wordnet: NLTK's, by the tags of its tagger.",
            default="simplemma",
        ),
    ] = None
    context: Annotated[
        bool,
        option("--context", help="Let neighbours decide between lemmas: what English text gets."),
    ] = False
    no_context: Annotated[
        bool, option("--no-context", help="Look at nothing but the word, as simplemma does.")
    ] = False
    exclude: Annotated[
        str | None,
        option(
            "--exclude",
            metavar="NAME[,NAME]",
            help="Parts of spaCy's pipeline that are left out.",
            default="ner",
        ),
    ] = None
    pos: Annotated[
        bool, option("--pos", help="Add the part of speech: dog/NOUN (spacy and wordnet).")
    ] = False
    layout: Annotated[
        str | None,
        option(
            "--layout",
            parse=values.choice("tokens", "keep"),
            help="tokens: only these. keep: the text as it is, each token replaced.",
            default="tokens",
        ),
    ] = None


def lemmatize(
    documents: Documents,
    lemmas: Lemmas,
    tokens: Tokens,
    layout: Layout,
    output: StageOutput,
    run: Run,
) -> None:
    """Text with each word as its lemma.

    A line a document, its lemmas separated by spaces, in lower case without --keep-case. In English
    the neighbours of a word may decide: leave in "she left", left in "the left". With
    --pretokenized the input is one sentence a line, split at spaces and nothing else, and every
    token has exactly one lemma.

      gai lemmatize book.txt
      gai lemmatize --lang de,en --layout keep brief.txt
      gai lemmatize --engine spacy --model en_core_web_sm --pos book.txt
      zcat dump.jsonl.gz | gai lemmatize - --input-format jsonl --format jsonl
    """
    engine = lemmas.engine or "simplemma"
    check(lemmas, tokens, engine)
    if documents.pretokenized:
        changing = choices.given(tokens, "normalize", "strip_accents")
        choices.exclude("--pretokenized", changing, "a token could become several, or none")
    stages.check(output, layout)
    decided: list[choices.Claim] = [(f"--engine {engine}", "form", f"lemma:{engine}")]
    if lemmas.context or (by_neighbours(tokens, engine) and not lemmas.no_context):
        decided.append(("--context", "context", True))
    analysis = choices.analysis(documents, tokens, decided)
    split = analysed(analysis, lemmas, run) if engine != "simplemma" else None
    if split is not None:
        analysis = replace(analysis, form="", stop_words=())
    if lemmas.layout == "keep":
        stages.check_kept(layout, output)
        pieces, places = stages.kept_pieces(output, documents), True
    else:
        parts = (tag, untagged) if lemmas.pos else ()
        pieces, places = stages.token_pieces(output, layout, *parts)
    watch = stages.exactly_one if documents.pretokenized else None
    stages.run_stage(
        documents,
        analysis,
        pieces,
        output,
        run,
        split=split,
        places=places,
        whole=split is not None,
        beside=[tokens.stop_words],
        watch=watch,
    )


def by_neighbours(tokens: Tokens, engine: str) -> bool:
    """Whether neighbours may decide without being asked: they were only looked at in English."""
    return engine == "simplemma" and tokens.lang in (None, "en")


def check(lemmas: Lemmas, tokens: Tokens, engine: str) -> None:
    """Raises a UsageError for flags that do not go with the engine."""
    if lemmas.pos and engine == "simplemma":
        raise UsageError("--pos: simplemma knows no parts of speech", "--engine spacy or wordnet")
    if lemmas.context and lemmas.no_context:
        raise UsageError("--context contradicts --no-context", "one or the other")
    if (lemmas.context or lemmas.no_context) and engine != "simplemma":
        raise UsageError(f"--context is a step behind simplemma, not behind {engine}")
    if lemmas.exclude is not None and engine != "spacy":
        raise UsageError(f"--exclude works with --engine spacy, not with {engine}")
    if tokens.model is not None and engine != "spacy":
        raise UsageError(f"--model {tokens.model} works with --engine spacy", "add --engine spacy")


def analysed(analysis: "Analysis", lemmas: Lemmas, run: Run) -> "Split":
    """What gives the lemmas of a text, by an engine that reads whole sentences."""
    from gai.forms.lemmas import analyser
    from gai.texts import units

    name = str(lemmas.engine)
    parts = {} if lemmas.exclude is None else {"exclude": tuple(lemmas.exclude.split(","))}
    engine = analyser(
        name, lang=analysis.lang or "en", model=analysis.model or None, jobs=run.threads, **parts
    )
    return units.lemmas(engine, analysis, lemmas.pos)


def tag(token: str) -> str:
    """The tag of a lemma that is written ``lemma/TAG``."""
    return token.rpartition("/")[2]


def untagged(token: str) -> str:
    """The lemma in front of the tag."""
    return token.rpartition("/")[0]
