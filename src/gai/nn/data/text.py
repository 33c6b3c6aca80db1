"""Texts as rows of ids: of terms as the scanners find them, of characters, of features of words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.counts.sequences import words_of
from gai.documents import from_texts
from gai.nn.data.arrays import UNKNOWN, Ragged
from gai.terms.jobs import SMALL, SMALL_UNCOMPILED
from gai.tokens.analysis import Analysis

SPECIAL = ("<pad>", "<unk>")
"""What stands first in every vocabulary: ``PAD`` and ``UNKNOWN``."""


class Numbered(NamedTuple):
    """Rows of numbers, and what each number stands for."""

    rows: Ragged
    terms: Sequence[str]


Number = Callable[[Sequence[str]], Numbered]
"""A function that numbers what is in texts; later calls go on with the numbers of earlier ones."""


def terms_in(analysis: Analysis, *, plain: bool) -> Number:
    """What numbers the terms of texts, with the kernels or in ``plain`` Python."""
    words = words_of(analysis, "strict", 1, plain=plain)[0]

    def number(texts: Sequence[str]) -> Numbered:
        made = words.read(from_texts(list(texts), [""] * len(texts)))
        offsets = made.segments[made.documents].astype(np.int64)
        return Numbered(Ragged(made.tokens.copy(), offsets), words.terms())

    return number


def small(characters: int, analysis: Analysis) -> bool:
    """Whether loading the kernels would take longer than doing without."""
    ready = kernels.ready([f"encode_{analysis.tokenizer}"]) if analysis.scanned else False
    return characters <= (SMALL if ready else SMALL_UNCOMPILED)


def characters_in(texts: Sequence[str]) -> Numbered:
    """The characters of texts, numbered in their order."""
    points = code_points(texts)
    distinct, values = np.unique(points, return_inverse=True)
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return Numbered(Ragged(values.astype(np.int32), offsets), list(map(chr, distinct.tolist())))


def code_points(texts: Sequence[str]) -> NDArray[np.uint32]:
    """The characters of all texts as numbers."""
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)


def distinct_in(sentences: Sequence[Sequence[str]]) -> Numbered:
    """The tokens of sentences that come as tokens."""
    numbers: dict[str, int] = {}
    ids = [numbers.setdefault(token, len(numbers)) for token in chain.from_iterable(sentences)]
    offsets = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
    return Numbered(Ragged(np.array(ids, np.int32), offsets), list(numbers))


def features(word: str) -> tuple[str, ...]:
    """What a tagger sees of a word: itself, its lower case, ends, beginning and shape.

    Source: the features of Collobert et al., "Natural language processing (almost) from scratch",
    2011, 6.1 to 6.3. The kinds are kept apart by their first letter.
    """
    lower = word.lower()
    ends = (f"2{lower[-2:]}", f"3{lower[-3:]}", f"4{lower[-4:]}", f"p{lower[:3]}")
    return f"w{word}", f"l{lower}", *ends, f"s{shape(word)}"


def shape(word: str) -> str:
    """The kinds of characters of a word, repeats left out.

    >>> shape("McDonald's"), shape("1990s")
    ('XxXx.x', '0x')
    """
    kinds: list[str] = []
    for letter in word:
        kind = "X" if letter.isupper() else "x" if letter.isalpha() else "."
        kind = "0" if letter.isdigit() else kind
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return "".join(kinds)


END = "\x03"
"""The term that ends a text which is written, and stands before it: a control character that no
tokenizer gives."""


class Vocabulary:
    """The terms that a network knows, by id; ``PAD`` and ``UNKNOWN`` come first.

    ``counts`` says how often each occurred in the training part.
    """

    def __init__(self, terms: Sequence[str], counts: NDArray[np.int64]) -> None:
        self.terms, self.counts = list(terms), counts
        self.ids = {term: id for id, term in enumerate(self.terms) if id > UNKNOWN}

    @classmethod
    def of(
        cls, terms: Sequence[str], counts: NDArray[np.int64], least: int, most: int | None
    ) -> Vocabulary:
        """The terms that occur ``least`` times, the ``most`` most frequent, ties by code points."""
        listed = list(terms)
        order = sorted(range(len(listed)), key=lambda i: (-counts[i], listed[i]))
        kept = [i for i in order if counts[i] >= max(least, 1)][:most]
        places = np.array(kept, np.int64)
        return cls(
            [*SPECIAL, *(listed[i] for i in kept)],
            np.concatenate([np.zeros(2, np.int64), counts[places]]),
        )

    def with_end(self) -> Vocabulary:
        """The same with the end mark as its last term."""
        if END in self.ids:
            return self
        return Vocabulary([*self.terms, END], np.append(self.counts, 0))

    def __len__(self) -> int:
        return len(self.terms)

    def places(self, terms: Iterable[str]) -> NDArray[np.int32]:
        """The id of each term."""
        ids = self.ids
        return np.array([ids.get(term, UNKNOWN) for term in terms], np.int32)


FORGET = 1 << 21
"""Terms that an encoder remembers at most, so that an endless stream does not fill the memory."""


class TermEncoder:
    """Texts in, rows of ids of a vocabulary out; remembers the terms that it has looked up.

    It begins in plain Python, and goes on with the kernels once there was much to do.
    """

    def __init__(self, vocabulary: Vocabulary, analysis: Analysis) -> None:
        self.vocabulary, self.analysis = vocabulary, analysis
        self.seen = 0
        self._begin(plain=True)

    def _begin(self, *, plain: bool) -> None:
        self.plain, self.number = plain, terms_in(self.analysis, plain=plain)
        self.known = np.zeros(0, np.int32)

    def __call__(self, texts: Sequence[str]) -> Ragged:
        """The ids of the terms of each text."""
        self.seen += sum(map(len, texts))
        plain = small(self.seen, self.analysis)
        if plain != self.plain or len(self.known) > FORGET:
            self._begin(plain=plain)
        rows, terms = self.number(texts)
        if len(terms) > len(self.known):
            fresh = self.vocabulary.places(terms[len(self.known) :])
            self.known = np.concatenate([self.known, fresh])
        return Ragged(self.known[rows.values], rows.offsets)


class CharacterEncoder:
    """Texts in, the ids of their characters out."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.table = np.full(sys.maxunicode + 1, UNKNOWN, np.int32)
        for letter, id in vocabulary.ids.items():
            self.table[ord(letter)] = id

    def __call__(self, texts: Sequence[str]) -> Ragged:
        """The ids of the characters of each text."""
        offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return Ragged(self.table[code_points(texts)], offsets)


class FeatureEncoder:
    """Sentences of tokens in, rows of the ids of their features out, int32 [tokens, C]."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, sentences: Sequence[Sequence[str]]) -> Ragged:
        """The ids of the features of each token."""
        rows, words = distinct_in(sentences)
        flat = self.vocabulary.places(chain.from_iterable(map(features, words)))
        table = flat.reshape(len(words), len(features("")))
        return Ragged(table[rows.values], rows.offsets)


def counted(numbered: Numbered) -> NDArray[np.int64]:
    """How often each term occurs."""
    return np.bincount(numbered.rows.values, minlength=len(numbered.terms)).astype(np.int64)


def cut(rows: Ragged, longest: int | None) -> Ragged:
    """The rows without what goes beyond ``longest`` ids."""
    if longest is None or not (rows.lengths > longest).any():
        return rows
    lengths = np.minimum(rows.lengths, longest)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    within = np.arange(len(rows.values)) - np.repeat(rows.offsets[:-1], rows.lengths)
    return Ragged(rows.values[within < longest], offsets)
