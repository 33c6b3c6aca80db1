"""Units: what a text is split into, with the places of the pieces in the text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from gai.kernels.reference.scanners import unicode_spans
from gai.terms.plain import text_normaliser
from gai.tokens.alignment import aligned
from gai.tokens.analysis import LIBRARIES, Analysis
from gai.tokens.normalise import Step
from gai.tokens.tables import tables
from gai.tokens.tokenizers import Spans

if TYPE_CHECKING:
    from gai.forms.lemmas import Analyser


Split = Callable[[Sequence[str]], Iterable[Spans]]
Span = tuple[int, int]
Find = Callable[[str], Iterable[Span]]


def tokens_with_places(analysis: Analysis) -> Split:
    """A function from texts to the tokens of each but stop words, with their places."""
    split, stops = all_tokens(analysis), frozenset(analysis.stop_words)
    if not stops:
        return split
    return lambda texts: (without(stops, spans) for spans in split(texts))


def all_tokens(analysis: Analysis) -> Split:
    """The same with stop words."""
    if analysis.tokenizer in LIBRARIES:
        return library(analysis)
    return in_normalised(analysis, finder(analysis))


def in_normalised(analysis: Analysis, find: Find) -> Split:
    """The pieces that ``find`` finds in a text once it is normalised, with their places in it as
    it was."""
    normalise = text_normaliser(analysis)
    lowers_only = analysis.strip_accents is None and analysis.normalize is None

    def split(texts: Sequence[str]) -> Iterator[Spans]:
        for text in texts:
            found = aligned(text, normalise, lowers_only)
            spans = list(find(found.normalised))
            yield Spans(
                [found.normalised[start:end] for start, end in spans],
                [int(found.starts[start]) for start, _ in spans],
                [int(found.ends[end - 1]) if end > start else 0 for start, end in spans],
            )

    return split


def library(analysis: Analysis) -> Split:
    """The tokens of another package, normalised one by one."""
    from gai.tokens.tokenizers import tokenizer

    normalise = text_normaliser(analysis)
    split = tokenizer(analysis.tokenizer, lang=analysis.lang or "en", model=analysis.model or None)
    return lambda texts: (finished(spans, normalise) for spans in split(texts))


PATTERNS = {"whitespace": re.compile(r"\S+"), "pretokenized": re.compile("[^ ]+")}


def finder(analysis: Analysis) -> Find:
    """A function from a normalised text to where its tokens stand."""
    if analysis.tokenizer == "unicode":
        props = tables().props
        return lambda text: unicode_spans(text, props)
    if analysis.tokenizer == "word":
        return matches(re.compile(rf"\w{{{analysis.min_length},}}"))
    return matches(PATTERNS.get(analysis.tokenizer) or analysis.pattern)


def matches(pattern: re.Pattern[str]) -> Find:
    """Where a pattern matches, or its group where it has one."""
    group = pattern.groups

    def spans(text: str) -> Iterator[Span]:
        for found in pattern.finditer(text):
            if found[group]:
                yield found.span(group)

    return spans


def whole(find: Find, normalise: Step) -> Split:
    """Spans such as sentences, found in the text as it is and normalised afterwards."""

    def split(texts: Sequence[str]) -> Iterator[Spans]:
        for text in texts:
            spans = list(find(text))
            starts, ends = [start for start, _ in spans], [end for _, end in spans]
            yield Spans([normalise(text[start:end]) for start, end in spans], starts, ends)

    return split


def characters(analysis: Analysis) -> Split:
    """Every character but white space."""
    return in_normalised(analysis, matches(re.compile(r"\S")))


def one_line(normalise: Step) -> Step:
    """A step that also makes one space of any white space, so that a unit fits on a line."""
    return lambda text: " ".join(normalise(text).split())


def typed_words(analysis: Analysis, kinds: Container[str]) -> Split:
    """Words of these types, found in the text as it is: a URL, a mention or an emoji is one."""
    from gai.tokens.patterns import typed_spans

    normalise, stops = text_normaliser(analysis), frozenset(analysis.stop_words)

    def split(texts: Sequence[str]) -> Iterator[Spans]:
        # Many short texts are quicker together, and nothing reaches over a line feed.
        spans, found = typed_spans("\n".join(texts))
        wanted = selected(finished(spans, normalise), [kind in kinds for kind in found])
        kept = without(stops, wanted)
        first = begin = 0
        for text in texts:
            last = bisect_left(kept.starts, begin + len(text) + 1, first)
            yield Spans(
                kept.tokens[first:last],
                [start - begin for start in kept.starts[first:last]],
                [end - begin for end in kept.ends[first:last]],
            )
            first, begin = last, begin + len(text) + 1

    return split


def of_kinds(split: Split, kinds: Container[str]) -> Split:
    """The tokens of ``split`` that are of these types."""
    from gai.tokens.patterns import kind

    return lambda texts: (
        selected(spans, [kind(token) in kinds for token in spans.tokens]) for spans in split(texts)
    )


def finished(spans: Spans, finish: Step) -> Spans:
    """The same tokens, with a step taken on each."""
    return Spans([finish(token) for token in spans.tokens], spans.starts, spans.ends)


def without(stops: Container[str], spans: Spans) -> Spans:
    """The tokens that are not among ``stops``."""
    return selected(spans, [token not in stops for token in spans.tokens])


def selected(spans: Spans, wanted: Sequence[bool]) -> Spans:
    """Those of the tokens that are wanted."""
    return Spans(
        list(compress(spans.tokens, wanted)),
        list(compress(spans.starts, wanted)),
        list(compress(spans.ends, wanted)),
    )


def ngrams(split: Split, low: int, high: int) -> Split:
    """The n-grams of the tokens of ``split``, from ``low`` to ``high`` words."""

    def grams(texts: Sequence[str]) -> Iterator[Spans]:
        for words in split(texts):
            count = len(words.tokens)
            spans = [(i, i + n) for n in range(low, high + 1) for i in range(count - n + 1)]
            yield grouped(words, spans, " ")

    return grams


def grouped(words: Spans, spans: Sequence[Span], separator: str) -> Spans:
    """A piece for each span of words."""
    return Spans(
        [separator.join(words.tokens[first:last]) for first, last in spans],
        [words.starts[first] for first, _ in spans],
        [words.ends[last - 1] for _, last in spans],
    )


def lemmas(engine: Analyser, analysis: Analysis, tagged: bool) -> Split:
    """The lemmas of an engine that reads whole sentences, as ``lemma/TAG`` where ``tagged``.

    Of plain text the tokens without a letter or a digit are left out; of text that is tokens
    already every token has its lemma.
    """
    normalise = text_normaliser(analysis)
    given = analysis.tokenizer == "pretokenized"

    stops = frozenset(analysis.stop_words)

    def wanted(token: str, lemma: str) -> bool:
        return (given or any(map(str.isalnum, token))) and normalise(lemma) not in stops

    def spelled(lemma: str, tag: str) -> str:
        return f"{normalise(lemma)}/{tag}" if tagged else normalise(lemma)

    def split(texts: Sequence[str]) -> Iterator[Spans]:
        sentences = [[token for token in text.split(" ") if token] for text in texts]
        for one in engine.sentences(sentences) if given else engine.texts(texts):
            pairs = zip(one.lemmas, one.tags, strict=True)
            spans = Spans([spelled(*pair) for pair in pairs], one.starts, one.ends)
            yield selected(
                spans, [wanted(*pair) for pair in zip(one.tokens, one.lemmas, strict=True)]
            )

    return split
