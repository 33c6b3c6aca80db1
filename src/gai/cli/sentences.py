"""gai sentences."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gai.cli import stages, values
from gai.cli.options import Documents, Layout, Run, StageOutput, option
from gai.errors import UsageError


@dataclass(eq=False, repr=False)
class Segmentation:
    """How sentences are found."""

    panel: ClassVar[str] = "Sentences"
    engine: Annotated[
        str | None,
        option(
            "--engine",
            parse=values.choice("rules", "punkt", "spacy"),
            help="rules: Unicode's boundaries (UAX #29) and abbreviations. punkt: NLTK's. spacy: "
            "its sentencizer, or --model.",
            default="rules",
        ),
    ] = None
    lang: Annotated[
        str | None, option("--lang", metavar="CODE", help="Language of the text.", default="en")
    ] = None
    model: Annotated[
        str | None, option("--model", metavar="NAME", help="An installed model of spaCy.")
    ] = None
    newline: Annotated[
        str | None,
        option(
            "--newline",
            parse=values.choice("space", "always"),
            help="A line feed inside a paragraph is a space, or always ends a sentence.",
            default="space",
        ),
    ] = None
    offsets: Annotated[
        str | None,
        option(
            "--offsets",
            parse=values.choice("characters", "bytes"),
            help="What start and end count in jsonl and tsv.",
            default="characters",
        ),
    ] = None


def sentences(
    documents: Documents, segmentation: Segmentation, output: StageOutput, run: Run
) -> None:
    """Sentences, one a line.

    A line feed inside a paragraph is a space, a blank line ends a sentence. As jsonl every sentence
    is a document with an id of its own, so that the next command of a pipe reads it as one.

      gai sentences book.txt
      gai sentences *.txt --format jsonl | gai lemmatize - --input-format jsonl --format jsonl
    """
    from gai.texts import places, units
    from gai.tokens import Analysis
    from gai.tokens.sentences import segmenter

    if segmentation.model and segmentation.engine != "spacy":
        raise UsageError("--model works with --engine spacy", "add --engine spacy")
    if documents.pretokenized:
        raise UsageError("--pretokenized contradicts sentences", "they are found in plain text")
    layout = Layout(one_per_line=True, offsets=segmentation.offsets)
    stages.check(output, layout)
    find = segmenter(
        segmentation.engine or "rules",
        lang=segmentation.lang or "en",
        model=segmentation.model,
        newline=segmentation.newline or "space",
    )
    as_records = output.kind == "jsonl"
    split = units.whole(find, str if as_records else units.one_line(str))
    pieces, located = stages.token_pieces(output, layout, lambda _: "sentence")
    if as_records:
        in_bytes = layout.offsets == "bytes"
        pieces = lambda stage: places.documents(stage, in_bytes)  # noqa: E731
    analysis = Analysis(lowercase=False)
    stages.run_stage(
        documents, analysis, pieces, output, run, split=split, places=located, whole=True
    )
