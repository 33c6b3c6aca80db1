"""Sentences of a text: by gai's own rules, by NLTK's punkt, by spaCy.

Whichever engine: a blank line always ends a sentence, and so does U+2029. A single line feed is
white space, as in text that is wrapped, or ends a sentence where ``newline`` is "always".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gai.errors import GaiError, UsageError
from gai.tokens.sentence_rules import Language, ends, language

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

Span = tuple[int, int]
Spans = list[Span]
Segmenter = Callable[[str], Spans]

ENGINES = ("rules", "punkt", "spacy")
NEWLINES = ("space", "always")
LONGEST = 1_000_000
"""Characters of a paragraph that a trained model takes, which is what spaCy says of its own."""

UNNEEDED = [
    "attribute_ruler",
    "entity_linker",
    "entity_ruler",
    "lemmatizer",
    "morphologizer",
    "ner",
    "span_ruler",
    "spancat",
    "tagger",
    "textcat",
    "textcat_multilabel",
    "trainable_lemmatizer",
]
"""Components of spaCy's that say nothing of sentences."""

ENDS = r"\n\r\x85\u2028\u2029"
LINE = rf"[{ENDS}] (?: (?<= \r ) \n )?+"
GAPS = {
    "space": re.compile(rf"{LINE} (?: (?<= \u2029 ) | [^\S{ENDS}]*+ [{ENDS}] ) \s*+", re.VERBOSE),
    "always": re.compile(rf"[{ENDS}] \s*+", re.VERBOSE),
}
"""What lies between two paragraphs."""


def sentence_spans(text: str, *, lang: str = "en", newline: str = "space") -> Spans:
    """Where each sentence starts and ends, in characters, by gai's own rules.

    The sentences come in order, have no white space around them, and together hold all else.
    Raises UsageError for a language code that is none.

    >>> sentence_spans("Dr. Who came. He left.")
    [(0, 13), (14, 22)]
    """
    return list(by_rules(text, language(lang), checked(newline)))


def paragraph_spans(text: str, *, newline: str = "space") -> Spans:
    """Where each paragraph starts and ends, in characters, without the white space around it.

    >>> paragraph_spans("one\\ntwo\\n\\nthree")
    [(0, 7), (9, 14)]
    """
    return list(paragraphs(text, checked(newline)))


def segmenter(
    engine: str, *, lang: str = "en", model: str | None = None, newline: str = "space"
) -> Segmenter:
    """A function from a text to the spans of its sentences, as ``sentence_spans`` describes them.

    ``rules`` are gai's own. ``punkt`` is NLTK's, with the data that it learned from newspapers;
    ``spacy`` splits at punctuation, or as the installed ``model`` says. Both get one paragraph at a
    time. Raises UsageError for an engine or a language that is not known and GaiError for data or a
    model that is not there.
    """
    checked(newline)
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r} for sentences", f"one of {', '.join(ENGINES)}")
    if model is not None and engine != "spacy":
        raise UsageError(f"the engine {engine} has no models", "--engine spacy takes --model")
    if engine == "punkt":
        return with_punkt(lang, newline)
    if engine == "spacy":
        return with_spacy(pipeline(lang, model), newline)
    known = language(lang)
    return lambda text: list(by_rules(text, known, newline))


def checked(newline: str) -> str:
    """The argument, if it is one of NEWLINES."""
    if newline not in NEWLINES:
        raise UsageError(f"unknown newline {newline!r}", f"one of {', '.join(NEWLINES)}")
    return newline


def paragraphs(text: str, newline: str) -> Iterator[Span]:
    """The spans of the paragraphs, or of the lines where a line feed always ends a sentence."""
    start = 0
    for gap in GAPS[newline].finditer(text):
        yield from stripped(text, start, gap.start())
        start = gap.end()
    yield from stripped(text, start, len(text))


def stripped(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without the white space around it; nothing where there is only that."""
    part = text[start:end]
    if body := part.strip():
        start += len(part) - len(part.lstrip())
        yield start, start + len(body)


def by_rules(text: str, known: Language, newline: str) -> Iterator[Span]:
    """The spans of the sentences by gai's own rules."""
    for start, end in paragraphs(text, newline):
        for stop, following in ends(text, start, end, known):
            yield start, stop
            start = following
        yield start, end


def with_punkt(lang: str, newline: str) -> Segmenter:
    """NLTK's punkt, each paragraph on its own; exactly NLTK's where there is but one."""
    from gai.tokens.with_nltk import punkt_model

    tokenizer = punkt_model(lang)

    def spans(text: str) -> Spans:
        return [
            span
            for begin, end in paragraphs(text, newline)
            for first, last in tokenizer.span_tokenize(text[begin:end])
            for span in stripped(text, begin + first, begin + last)
        ]

    return spans


def with_spacy(nlp: Pipeline, newline: str) -> Segmenter:
    """The sentences of a pipeline, which gets the paragraphs one by one."""

    def spans(text: str) -> Spans:
        where = list(paragraphs(text, newline))
        if long := [end - begin for begin, end in where if end - begin > nlp.max_length]:
            raise GaiError(
                f"a paragraph of {long[0]:,} characters is more than a spaCy model takes "
                f"({nlp.max_length:,})",
                "--engine rules takes any length",
            )
        docs = nlp.pipe(text[begin:end] for begin, end in where)
        return [
            span
            for (begin, _), doc in zip(where, docs, strict=True)
            for sentence in doc.sents
            for span in stripped(text, begin + sentence.start_char, begin + sentence.end_char)
        ]

    return spans


def pipeline(lang: str, model: str | None) -> Pipeline:
    """A spaCy pipeline that finds sentences: of the language, or the installed model."""
    return trained(model) if model is not None else blank(lang)


def blank(lang: str) -> Pipeline:
    """The tokenizer of a language and spaCy's rule: a sentence ends at . ! ? and their kin."""
    import spacy

    try:
        nlp = spacy.blank(lang)
    except ImportError as error:
        if "[E048]" in str(error):
            hint = "two letters of ISO 639-1, xx for any"
            raise UsageError(f"spaCy does not know the language {lang!r}", hint) from None
        raise GaiError(
            f"spaCy needs another package for the language {lang}: {first_line(error)}",
            "or: --engine rules",
        ) from None
    nlp.add_pipe("sentencizer")
    nlp.max_length = 1 << 60
    return nlp


def trained(model: str) -> Pipeline:
    """An installed model, with no more of it than finds sentences."""
    from gai.tokens.with_spacy import load

    nlp: Pipeline = load(model, UNNEEDED)
    if "parser" not in nlp.pipe_names and "senter" in nlp.component_names:
        nlp.enable_pipe("senter")
    if not {"parser", "senter", "sentencizer"} & set(nlp.pipe_names):
        raise GaiError(
            f"the spaCy model {model} finds no sentences: it has neither parser nor senter",
            "--engine rules, or --engine spacy without --model",
        )
    nlp.max_length = LONGEST
    return nlp


def first_line(error: Exception) -> str:
    """The first line of a message of spaCy's, which may have many."""
    return (str(error).splitlines() or [""])[0]
