"""From texts to terms in plain Python: every tokenizer, forms, n-grams of tokens and characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np

from gai.kernels.reference.scanners import unicode_words_of_each, words
from gai.terms import arena
from gai.terms.forming import Forming, FormTable, before_forms, forming
from gai.terms.scanner import Rows
from gai.tokens.analysis import ANALYSED, LIBRARIES, Analysis
from gai.tokens.normalise import Step, normaliser
from gai.tokens.tables import tables

Texts = Sequence[str]
Terms = list[str]
Tokenize = Callable[[Texts], Iterable[Terms]]


def terms_of_each(analysis: Analysis, forming: Forming | None) -> Tokenize:
    """A function from texts to the terms of each; ``forming`` is what becomes of a token."""
    low, high = analysis.ngrams
    if analysis.analyzer != "word":
        grams = character_ngrams if analysis.analyzer == "char" else padded_ngrams
        normalise = text_normaliser(analysis)
        return lambda texts: (list(grams(normalise(text), low, high)) for text in texts)
    tokens_of, stops = forms_of_each(analysis, forming), frozenset(analysis.stop_words)

    def terms(texts: Texts) -> Iterator[Terms]:
        for tokens in tokens_of(texts):
            kept = [token for token in tokens if token not in stops] if stops else tokens
            yield kept if high == 1 else list(ngrams(kept, low, high))

    return terms


def forms_of_each(analysis: Analysis, forming: Forming | None) -> Tokenize:
    """A function from texts to the tokens of each, as stems or lemmas where these are asked for."""
    if analysis.form in ANALYSED:
        return lemmas_of_each(analysis)
    if forming is None:
        return tokens_of_each(analysis)
    return formed_of_each(tokens_of_each(before_forms(analysis)), forming)


def word_former(analysis: Analysis) -> Step:
    """A function from one word to the term that it becomes, as the words of a text do; "" where
    nothing is left of it."""
    made = forms_of_each(replace(analysis, tokenizer="pretokenized"), forming(analysis))
    # A word of a list has no neighbours, and may hold a space.
    return lambda word: " ".join(next(iter(made([word])), []))


def formed_of_each(tokens_of: Tokenize, forming: Forming) -> Tokenize:
    """The same as ``tokens_of``, with the form of each token in its place."""
    table, numbers = FormTable(forming), dict[str, int]()

    def forms(texts: Texts) -> Iterator[Terms]:
        documents = [list(tokens) for tokens in tokens_of(texts)]
        flat = chain.from_iterable(documents)
        ids = np.array([numbers.setdefault(t, len(numbers)) for t in flat], np.int32)
        indptr = np.cumsum([0, *map(len, documents)], dtype=np.int64)
        rows = Rows(indptr, ids, ids[:0], np.diff(indptr))
        made = table.formed(rows, arena.Terms.of(numbers))
        spelled = list(table.numbers)
        tokens = [spelled[number] for number in made.ids.tolist()]
        return (tokens[start:end] for start, end in pairwise(made.indptr.tolist()))

    return forms


def lemmas_of_each(analysis: Analysis) -> Tokenize:
    """A function from texts to the lemmas of each, by an engine that reads whole sentences."""
    from gai.forms.choosing import analysed

    normalise = text_normaliser(analysis)
    engine = analysed(analysis)
    return lambda texts: ([normalise(lemma) for lemma in found] for found in engine(texts))


def tokens_of_each(analysis: Analysis) -> Tokenize:
    """A function from texts to the tokens of each, normalised."""
    normalise = text_normaliser(analysis)
    if analysis.tokenizer in LIBRARIES:
        return library_tokens(analysis, normalise)
    find = found_in(analysis)
    return lambda texts: find([normalise(text) for text in texts])


def text_normaliser(analysis: Analysis) -> Step:
    return normaliser(analysis.lowercase, analysis.strip_accents, analysis.normalize)


def library_tokens(analysis: Analysis, normalise: Step) -> Tokenize:
    """Tokens of another package, which sees the text as it was written."""
    from gai.tokens.tokenizers import tokenizer

    split = tokenizer(analysis.tokenizer, lang=analysis.lang or "en", model=analysis.model or None)
    return lambda texts: ([normalise(token) for token in spans.tokens] for spans in split(texts))


def found_in(analysis: Analysis) -> Tokenize:
    """A function from normalised texts to the tokens of each."""
    if analysis.tokenizer == "unicode":
        props = tables().props
        return lambda texts: unicode_words_of_each(texts, props)
    if analysis.tokenizer == "word":
        return lambda texts: (words(text, analysis.min_length) for text in texts)
    if analysis.tokenizer == "whitespace":
        return lambda texts: map(str.split, texts)
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
