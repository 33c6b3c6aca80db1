"""Stemming against lemmatization on a corpus: sizes, speed, Paice's measures, disagreements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from gai.documents.conllu import Annotated
from gai.errors import UsageError
from gai.forms.former import Former
from gai.texts.comparing import Kind, Maker, Sentences
from gai.texts.paice import Paice, paice

if TYPE_CHECKING:
    from gai.forms.lemmas import Analyser


@dataclass(frozen=True)
class Corpus:
    """The words of a corpus as they are spelt, with their counts, and its sentences, if any."""

    words: Counter[str]
    sentences: Sentences = ()

    @cached_property
    def frequency(self) -> Counter[str]:
        """How often each word occurs, in lower case."""
        found = Counter[str]()
        for word, number in self.words.items():
            found[word.lower()] += number
        return found


def annotated(sentences: Sequence[Annotated]) -> Corpus:
    """The corpus that annotated sentences are."""
    words = [one.words for one in sentences]
    return Corpus(Counter(word for one in words for word in one), words)


@dataclass(frozen=True)
class Method:
    """What a maker made of a corpus, everything in lower case.

    ``made`` is how many tokens with this word got this form; ``rate`` words per second: distinct
    ones where a word is all it looks at, else all of them; None where nothing was measured.
    """

    name: str
    kind: Kind
    package: str
    made: Counter[tuple[str, str]]
    rate: float | None = None

    @cached_property
    def forms(self) -> dict[str, str]:
        """The form that each word has most often, of equal ones the first as strings."""
        usual: dict[str, str] = {}
        for (word, form), _ in sorted(self.made.items(), key=lambda item: (-item[1], item[0])):
            usual.setdefault(word, form)
        return usual

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The words of each form, sorted."""
        found = defaultdict(list)
        for word in sorted(self.forms):
            found[self.forms[word]].append(word)
        return dict(found)


def gold(sentences: Iterable[Annotated]) -> Method:
    """The lemmas that people gave, as a method beside the others."""
    pairs = (pair for one in sentences for pair in zip(one.words, one.lemmas, strict=True))
    return Method("gold", "gold", "", lowered(pairs))


def lowered(pairs: Iterable[tuple[str, str]]) -> Counter[tuple[str, str]]:
    return Counter((word.lower(), form.lower()) for word, form in pairs)


def method(maker: Maker, corpus: Corpus) -> Method:
    """What a maker makes of a corpus, and how fast; raises UsageError where it needs sentences."""
    if maker.former is not None:
        made, rate = by_words(maker.former, corpus.words)
    elif maker.analyser is not None and corpus.sentences:
        made, rate = by_sentences(maker.analyser, corpus.sentences)
    else:
        hint = "compare it on --gold FILE.conllu, or on a text with --context"
        raise UsageError(f"{maker.name} reads sentences, a corpus is compared word by word", hint)
    return Method(maker.name, maker.kind, maker.package, made, rate)


def by_words(former: Former, words: Counter[str]) -> tuple[Counter[tuple[str, str]], float]:
    """The forms of the distinct words, and how many of them a second takes."""
    former.forms(["word"])  # tables that are loaded once are no matter of speed
    given = list(words if former.cased else dict.fromkeys(word.lower() for word in words))
    started = perf_counter()
    made = former.forms(given)
    rate = len(given) / max(perf_counter() - started, 1e-9)
    form_of = {word: form.lower() for word, form in zip(given, made, strict=True)}
    found = Counter[tuple[str, str]]()
    for word, number in words.items():
        lower = word.lower()
        found[lower, form_of[word if former.cased else lower]] += number
    return found, rate


def by_sentences(
    analyser: Analyser, sentences: Sentences
) -> tuple[Counter[tuple[str, str]], float]:
    """The lemmas of the words in their sentences, and how many words a second takes."""
    started = perf_counter()
    read = list(analyser.sentences(sentences))
    seconds = max(perf_counter() - started, 1e-9)
    pairs = [
        pair
        for words, one in zip(sentences, read, strict=True)
        for pair in zip(words, one.lemmas, strict=True)
    ]
    return lowered(pairs), len(pairs) / seconds


@dataclass(frozen=True)
class Measures:
    """What a method does to a corpus.

    ``before`` and ``after`` are distinct words and distinct forms, ``changed`` how many of the
    ``tokens`` are no longer what they were. ``paice`` is None for the reference itself.
    """

    method: Method
    before: int
    after: int
    tokens: int
    changed: int
    paice: Paice | None

    @property
    def compression(self) -> float:
        """The share of distinct words that is gone: (before - after) / before."""
        return (self.before - self.after) / self.before if self.before else 0.0


def measures(method: Method, reference: Method | None) -> Measures:
    """The measures of a method; its words are grouped by their form in ``reference``."""
    changed = sum(number for (word, form), number in method.made.items() if word != form)
    after = len({form for _, form in method.made})
    found = None
    if reference is not None and reference.name != method.name:
        shared = (word for word in method.forms if word in reference.forms)
        found = paice((reference.forms[word], method.forms[word]) for word in shared)
    return Measures(method, len(method.forms), after, method.made.total(), changed, found)


@dataclass(frozen=True)
class Group:
    """Words that became one form, most frequent first, and how many tokens they are."""

    method: str
    form: str
    words: tuple[str, ...]
    tokens: int


def largest(method: Method, frequency: Counter[str], k: int) -> list[Group]:
    """The ``k`` groups with most words, among equals those with most tokens."""
    found = [
        Group(method.name, form, by_frequency(words, frequency), tokens_of(words, frequency))
        for form, words in method.groups.items()
    ]
    return sorted(found, key=lambda group: (-len(group.words), -group.tokens, group.form))[:k]


def tokens_of(words: Iterable[str], frequency: Counter[str]) -> int:
    """How often the words occur together."""
    return sum(frequency[word] for word in words)


def by_frequency(words: Iterable[str], frequency: Counter[str]) -> tuple[str, ...]:
    """The words, most frequent first, equal ones as strings."""
    return tuple(sorted(words, key=lambda word: (-frequency[word], word)))


@dataclass(frozen=True)
class Disagreement:
    """Two words that stemmers ``by`` and the reference put together differently.

    ``joined``: stemming gives them one form, the reference two; ``split``: the other way. ``one``
    is the more frequent word. Each of the two stands for all words that go with it; ``tokens`` is
    how often the words on the rarer side occur (the largest number that a stemmer gives), and
    ``weight`` the sum of that over the stemmers.
    """

    kind: Literal["joined", "split"]
    one: str
    other: str
    tokens: int
    weight: int
    by: tuple[str, ...]


def disagreements(
    stems: Sequence[Method], reference: Method, frequency: Counter[str], k: int
) -> list[Disagreement]:
    """The ``k`` most telling disagreements, half of them joined and half split, heaviest first.

    A group of one side (all words with one stem, or with one lemma) falls into several on the
    other. Its largest part, in tokens, stands against each of its other parts: that is one
    disagreement, and its weight is the number of tokens that would have to change sides, added up
    over all stemmers. So what is frequent and what all stemmers do comes first. No word is shown
    twice among the joined, nor among the split. Where one kind has too few, the other fills up.
    """
    joined = list(told(dissents("joined", stems, reference, frequency), frequency))
    split = list(told(dissents("split", stems, reference, frequency), frequency))
    first = max(k - k // 2, k - len(split))
    return joined[:first] + split[: k - min(first, len(joined))]


Parts = dict[tuple[str, str], dict[str, int]]
"""For two words, how many tokens each stemmer sets apart, or takes together, with them."""


def dissents(
    kind: Literal["joined", "split"],
    stems: Sequence[Method],
    reference: Method,
    frequency: Counter[str],
) -> list[Disagreement]:
    """All disagreements of one kind."""
    found: Parts = defaultdict(dict)
    for method in stems:
        whole, parts = (method, reference) if kind == "joined" else (reference, method)
        for words in whole.groups.values():
            for pair, tokens in parted(words, parts.forms, frequency):
                found[pair][method.name] = tokens
    return [
        Disagreement(kind, *pair, max(by.values()), sum(by.values()), tuple(by))
        for pair, by in found.items()
    ]


def parted(
    words: Iterable[str], form_of: Mapping[str, str], frequency: Counter[str]
) -> Iterator[tuple[tuple[str, str], int]]:
    """The first words of a group's largest part and of each other part, and the latter's tokens."""
    parts = defaultdict(list)
    for word in by_frequency(words, frequency):
        if word in form_of:
            parts[form_of[word]].append(word)
    if len(parts) < 2:
        return
    sizes = {part[0]: tokens_of(part, frequency) for part in parts.values()}
    largest, *others = sorted(sizes, key=lambda word: (-sizes[word], word))
    for other in others:
        one, two = by_frequency([largest, other], frequency)
        yield (one, two), sizes[other]


def told(found: Iterable[Disagreement], frequency: Counter[str]) -> Iterator[Disagreement]:
    """The disagreements, heaviest first, without those of which a word was shown before."""
    shown: set[str] = set()
    for one in sorted(found, key=lambda one: (-one.weight, one.one, one.other)):
        if not shown & {one.one, one.other}:
            shown |= {one.one, one.other}
            yield one
