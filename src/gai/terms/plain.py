"""From texts to terms in plain Python: every tokenizer, n-grams of tokens and of characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from gai.kernels.reference.scanners import unicode_words_of_each, words
from gai.tokens.analysis import Analysis
from gai.tokens.tables import tables

Texts = Sequence[str]
Terms = list[str]


def terms_of_each(analysis: Analysis) -> Callable[[Texts], Iterable[Terms]]:
    """A function from normalised texts to the terms of each."""
    low, high = analysis.ngrams
    if analysis.analyzer == "char":
        return lambda texts: (list(character_ngrams(text, low, high)) for text in texts)
    if analysis.analyzer == "char_wb":
        return lambda texts: (list(padded_ngrams(text, low, high)) for text in texts)
    tokens_of, stops = tokens_of_each(analysis), frozenset(analysis.stop_words)

    def terms(texts: Texts) -> Iterator[Terms]:
        for tokens in tokens_of(texts):
            kept = [token for token in tokens if token not in stops] if stops else tokens
            yield kept if high == 1 else list(ngrams(kept, low, high))

    return terms


def tokens_of_each(analysis: Analysis) -> Callable[[Texts], Iterable[Terms]]:
    """A function from normalised texts to the tokens of each."""
    if analysis.tokenizer == "unicode":
        props = tables().props
        return lambda texts: unicode_words_of_each(texts, props)
    if analysis.tokenizer == "word":
        return lambda texts: (words(text, analysis.min_length) for text in texts)
    if analysis.tokenizer == "pretokenized":
        return lambda texts: ([token for token in text.split(" ") if token] for text in texts)
    find = analysis.pattern.findall
    return lambda texts: map(find, texts)


def ngrams(tokens: Sequence[str], low: int, high: int) -> Iterator[str]:
    """The n-grams of ``low`` to ``high`` tokens, joined by spaces."""
    for n in range(low, high + 1):
        for i in range(len(tokens) - n + 1):
            yield " ".join(tokens[i : i + n])


SPACES = re.compile(r"\s\s+")


def character_ngrams(text: str, low: int, high: int) -> Iterator[str]:
    """The n-grams of characters, after runs of white space became single spaces."""
    text = SPACES.sub(" ", text)
    for n in range(low, min(high, len(text)) + 1):
        for i in range(len(text) - n + 1):
            yield text[i : i + n]


def padded_ngrams(text: str, low: int, high: int) -> Iterator[str]:
    """The n-grams of characters of each word with a space before and behind it.

    A word shorter than n counts once, whole, however many n lie above its length.
    """
    for word in text.split():
        padded = f" {word} "
        for n in range(low, high + 1):
            yield padded[:n]
            for i in range(1, len(padded) - n + 1):
                yield padded[i : i + n]
            if n >= len(padded):
                break
