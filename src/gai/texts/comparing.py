"""Stems and lemmas side by side: what makes them, and a row for each word of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Literal

import numpy as np

from gai.forms.former import Former

if TYPE_CHECKING:
    from gai.forms.lemmas import Analysed, Analyser
    from gai.terms.forming import Context

Kind = Literal["stem", "lemma", "gold"]
Sentences = Sequence[Sequence[str]]

READERS = ("spacy", "wordnet")
"""Engines that know more of a word when they see its sentence."""

BY_LANGUAGE = {
    "en": ("porter", "snowball", "lancaster"),
    "de": ("snowball", "cistem"),
    "ar": ("snowball", "isri", "arlstem"),
}
"""The stemmers that are compared where nobody names any; of other languages it is snowball."""


@dataclass(frozen=True)
class Maker:
    """What makes one form of each word: a stemmer or lemmatizer, or one that reads sentences.

    ``context`` corrects the lemmas of ``former`` where the neighbours of a word speak against them.
    """

    name: str
    kind: Kind
    former: Former | None = None
    analyser: Analyser | None = None
    context: Callable[[], Context] | None = None

    @property
    def package(self) -> str:
        """The library behind it, and its version."""
        found = self.former or self.analyser
        return found.package if found else ""


def stemmers(
    names: Sequence[str] | None, *, lang: str | None = None, strip: str | None = None
) -> list[Maker]:
    """The stemmers of these names, or those that suit the language; with ``strip`` regexp too."""
    from gai.forms.stems import stemmer

    chosen = list(dict.fromkeys(suitable(lang or "en") if names is None else names))
    if strip is not None and "regexp" not in chosen:
        chosen.append("regexp")
    return [
        Maker(name, "stem", stemmer(name, lang=lang, strip=strip if name == "regexp" else None))
        for name in chosen
    ]


def suitable(lang: str) -> tuple[str, ...]:
    """The names of stemmers for a language; none where no stemmer knows it."""
    from gai.forms.stems import languages

    return BY_LANGUAGE.get(lang, ("snowball",) if lang in languages("snowball") else ())


def lemmatizers(
    names: Iterable[str], *, lang: str = "en", model: str | None = None, sentences: bool = False
) -> list[Maker]:
    """The lemmatizers of these names; ``sentences`` says that they will be given whole ones."""
    return [lemmatizer(name, lang, model, sentences) for name in dict.fromkeys(names)]


def lemmatizer(name: str, lang: str, model: str | None, sentences: bool) -> Maker:
    from gai.forms import lemmas

    if name == "spacy":
        return Maker(name, "lemma", analyser=lemmas.analyser(name, lang=lang, model=model))
    if sentences and name in READERS:
        return Maker(name, "lemma", analyser=lemmas.analyser(name, lang=lang))
    context = neighbours(lang) if sentences and name == "simplemma" else None
    return Maker(name, "lemma", lemmas.lemmatizer(name, lang=lang), context=context)


def neighbours(lang: str) -> Callable[[], Context] | None:
    """What corrects simplemma's lemmas in a language, where that was learned."""
    if lang != "en":
        return None
    from gai.forms.context import Context

    return partial(Context.load, lang)


@dataclass(frozen=True)
class Row:
    """A word, its part of speech ("" where nobody knows it), and what each maker makes of it.

    ``sentence`` is the number of its sentence, from 1 on, and 0 of a word that stands alone.
    """

    sentence: int
    word: str
    tag: str
    forms: tuple[str, ...]


def words_table(words: Iterable[str], makers: Sequence[Maker]) -> list[Row]:
    """A row for each word, as if each stood alone."""
    alone = rows([[word] for word in words], makers, {})
    return [replace(row, sentence=0) for row in alone]


def sentences_table(texts: Sequence[str], makers: Sequence[Maker]) -> list[Row]:
    """A row for each word of the sentences ``texts``; those without a letter or digit left out.

    The words are the tokens of the first maker that reads sentences, else those of the Unicode
    scanner.
    """
    reader = next((maker for maker in makers if maker.analyser), None)
    if reader is None or reader.analyser is None:
        found = rows(scanned(texts), makers, {})
    else:
        read = list(reader.analyser.texts(texts))
        found = rows([one.tokens for one in read], makers, {reader.name: read})
    return [row for row in found if any(map(str.isalnum, row.word))]


def scanned(texts: Sequence[str]) -> list[list[str]]:
    """The tokens of each text: the words of UAX #29."""
    from gai.kernels.reference.scanners import unicode_words_of_each
    from gai.tokens.tables import tables

    return [list(found) for found in unicode_words_of_each(list(texts), tables().props)]


def rows(
    sentences: Sentences, makers: Sequence[Maker], known: Mapping[str, Sequence[Analysed]]
) -> list[Row]:
    """A row for each word; ``known`` is what has been read already, by the name of the maker."""
    tags = [""] * sum(map(len, sentences))
    columns = []
    for maker in makers:
        if maker.analyser is None:
            columns.append(formed(maker, sentences))
            continue
        read = known.get(maker.name) or list(maker.analyser.sentences(sentences))
        columns.append([lemma for one in read for lemma in one.lemmas])
        theirs = [tag for one in read for tag in one.tags]
        tags = [tag or other for tag, other in zip(tags, theirs, strict=True)]
    places = [(number, word) for number, one in enumerate(sentences, 1) for word in one]
    forms = zip(*columns, strict=True) if columns else (() for _ in places)
    return [
        Row(*place, tag, tuple(made)) for place, tag, made in zip(places, tags, forms, strict=True)
    ]


def formed(maker: Maker, sentences: Sentences) -> list[str]:
    """The form of each word of all sentences, each distinct one looked at once."""
    former = maker.former
    assert former is not None
    words = list(chain.from_iterable(sentences))
    given = words if former.cased else [word.lower() for word in words]
    distinct = list(dict.fromkeys(given))
    form_of = dict(zip(distinct, former.forms(distinct), strict=True))
    forms = [form_of[word] for word in given]
    return corrected(maker.context(), sentences, forms) if maker.context else forms


def corrected(context: Context, sentences: Sentences, lemmas: list[str]) -> list[str]:
    """The lemmas of the words of all sentences, other ones where the neighbours say so."""
    words = list(chain.from_iterable(sentences))
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    context.extend(list(numbers))
    ids = np.array([numbers[word] for word in words], np.int32)
    bounds = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
    places, decided = context.corrections(ids, bounds)
    found = list(lemmas)
    for place, number in zip(places.tolist(), decided.tolist(), strict=True):
        found[place] = context.lemmas[number]
    return found
