"""Tokenizers of other packages: texts in, the tokens of each out, with their places in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from itertools import groupby
from typing import Any

from gai.backends import resolve
from gai.errors import UsageError


@dataclass(slots=True)
class Spans:
    """The tokens of one text.

    Token i stands at the characters ``text[starts[i]:ends[i]]``. It is that text, or what the
    tokenizer made of it: NLTK turns quotation marks into two characters, for example.
    """

    tokens: list[str]
    starts: list[int]
    ends: list[int]


PORTION = 1 << 18

Tokenizer = Callable[[Sequence[str]], Iterator[Spans]]
"""A function from texts to the tokens of each, in order."""


@dataclass(frozen=True)
class Known:
    """Where a tokenizer is made, what it wants to know, and the package and extra behind it."""

    target: str
    takes: tuple[str, ...] = ()
    package: str = ""
    extra: str = ""


TOKENIZERS = {
    "whitespace": Known("gai.tokens.tokenizers:whitespace"),
    "regex": Known("gai.tokens.tokenizers:regex", ("pattern",)),
    "spacy": Known("gai.tokens.with_spacy:tokenizer", ("lang", "model"), "spacy"),
    "treebank": Known("gai.tokens.with_nltk:treebank", (), "nltk"),
    "tweet": Known("gai.tokens.with_nltk:tweet", (), "nltk"),
    "toktok": Known("gai.tokens.with_nltk:toktok", (), "nltk"),
    "punkt": Known("gai.tokens.with_nltk:punkt", ("lang",), "nltk"),
    "bpe": Known("gai.tokens.subword:bpe", ("model",), "tokenizers", "subword"),
    "unigram": Known("gai.tokens.subword:unigram", ("model",), "tokenizers", "subword"),
}
"""The tokenizers by the name that the command line knows."""


def tokenizer(
    name: str,
    *,
    lang: str = "en",
    model: str | None = None,
    pattern: re.Pattern[str] | None = None,
) -> Tokenizer:
    """The tokenizer of that name; packages are imported, and models loaded, here.

    ``lang`` is for ``spacy`` and ``punkt``, ``model`` for ``spacy`` (the name of an installed
    package, or a folder), ``bpe`` and ``unigram`` (a file), ``pattern`` for ``regex``; a tokenizer
    does not look at what is not for it. Raises UsageError for an unknown name and where model or
    pattern is missing, MissingExtraError without the package, GaiError where data is missing or
    broken.

    >>> split = tokenizer("whitespace")
    >>> next(split([" to be"]))
    Spans(tokens=['to', 'be'], starts=[1, 4], ends=[3, 6])
    """
    known = TOKENIZERS.get(name)
    if known is None:
        raise UsageError(f"unknown tokenizer {name}", f"one of {', '.join(TOKENIZERS)}")
    given = {"lang": lang, "model": model, "pattern": pattern}
    make = resolve(known.target, f"--tokenizer {name}", known.extra)
    made: Tokenizer = make(**{option: given[option] for option in known.takes})
    return made


def library(name: str) -> str:
    """The package behind a tokenizer and its version, for signatures; "" where it is gai itself.

    >>> library("whitespace")
    ''
    """
    package = TOKENIZERS[name].package
    try:
        return f"{package} {version_of(package)}" if package else ""
    except PackageNotFoundError:
        return ""


def whitespace() -> Tokenizer:
    r"""What ``str.split()`` gives: what white space separates."""
    return regex(re.compile(r"\S+"))


def regex(pattern: re.Pattern[str] | None) -> Tokenizer:
    """What ``pattern.findall`` gives: the matches, or their group where the pattern has one.

    A match may be empty, and so is the token where the group took no part in the match.
    """
    if pattern is None:
        raise UsageError("--tokenizer regex needs --token-pattern")
    if pattern.groups > 1:
        raise UsageError(
            f"token pattern {pattern.pattern!r} has {pattern.groups} groups",
            "at most one; write (?:...) for the others",
        )
    return lambda texts: (matches(pattern, text) for text in texts)


def matches(pattern: re.Pattern[str], text: str) -> Spans:
    """The matches of a pattern in one text."""
    group = pattern.groups
    places = [taken(found, group) for found in pattern.finditer(text)]
    tokens = [text[start:end] for start, end in places]
    return Spans(tokens, [start for start, _ in places], [end for _, end in places])


def taken(found: re.Match[str], group: int) -> tuple[int, int]:
    """Where a group stands; the start of the match where the group took no part in it."""
    start, end = found.span(group)
    return (start, end) if start >= 0 else (found.start(), found.start())


def each(split: Callable[[str], Spans]) -> Tokenizer:
    """A tokenizer that splits one text after the other."""
    return lambda texts: map(split, texts)


def portions(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in runs of about ``PORTION`` characters, for packages that take many at once."""
    before = 0

    def number(text: str) -> int:
        nonlocal before
        before += len(text)
        return before // PORTION

    return (list(run) for _, run in groupby(texts, number))


def first_line(error: Any) -> str:
    """The first line of what a package says went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
