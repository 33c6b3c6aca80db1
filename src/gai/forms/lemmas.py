"""Lemmas: simplemma looks at a word alone, spaCy and WordNet look at the sentence around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from typing import Protocol

from gai.errors import GaiError, UsageError
from gai.forms.former import Former

ENGINES = {
    "simplemma": "word by word, more than 50 languages",
    "spacy": "an installed model of spaCy, which looks at the sentence",
    "wordnet": "WordNet with the tags of NLTK's tagger, English",
}
"""One line about each engine, by its name."""

NAMES = {
    "ar": "Arabic",
    "ast": "Asturian",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "enm": "Middle English",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gd": "Scottish Gaelic",
    "gl": "Galician",
    "grc": "Ancient Greek",
    "gv": "Manx",
    "hbs": "Serbo-Croatian",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ka": "Georgian",
    "la": "Latin",
    "lb": "Luxembourgish",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mk": "Macedonian",
    "ml": "Malayalam",
    "ms": "Malay",
    "nb": "Norwegian",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "se": "Northern Sami",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sv": "Swedish",
    "sw": "Swahili",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
}
"""The English name of each language that simplemma 2.0 knows."""

MEANT = {
    "no": "nb",
    "bs": "hbs",
    "hr": "hbs",
    "sh": "hbs",
    "sr": "hbs",
    "bosnian": "hbs",
    "croatian": "hbs",
    "serbian": "hbs",
    "bokmål": "nb",
}
"""What a code or a name stands for that simplemma has under another one."""


@dataclass(slots=True)
class Analysed:
    """The tokens of one text or sentence, each with its lemma and its tag.

    Token i stands at the characters ``text[starts[i]:ends[i]]``; of tokens that were given, the
    text is these tokens with a space between. A lemma has the case that the engine gives it and
    is never empty. A tag is a universal part of speech (``NOUN``), "" where it is unknown.
    """

    tokens: list[str]
    starts: list[int]
    ends: list[int]
    lemmas: list[str]
    tags: list[str]


class Analyser(Protocol):
    """What makes lemmas of words in their sentence; ``package`` names all that decides them."""

    @property
    def package(self) -> str:
        """The library, its data and their versions, for signatures."""
        ...

    def texts(self, texts: Sequence[str]) -> Iterator[Analysed]:
        """The tokens of each text, in order, as the engine finds them; white space is none."""
        ...

    def sentences(self, sentences: Sequence[Sequence[str]]) -> Iterator[Analysed]:
        """The given tokens of each sentence, in order: none is split, joined or left out."""
        ...


def lemmatizer(engine: str = "simplemma", *, lang: str = "en") -> Former:
    """What makes the lemma of a word that stands alone.

    ``simplemma`` gives what its own ``lemmatize(word, lang)`` gives, letter for letter; ``lang``
    may hold several codes in order ("de,en"), the first dictionary that knows a word decides.
    ``wordnet`` takes every word for a noun, as NLTK does where nobody says otherwise; it is there
    to be compared with. Raises UsageError where the engine needs a sentence or does not exist,
    GaiError where it does not know the language or lacks its data.
    """
    if engine == "simplemma":
        return simplemma(languages(lang))
    if engine == "wordnet":
        from gai.forms.wordnet import nouns

        only_english(lang)
        return nouns()
    if engine in ENGINES:
        raise UsageError(f"{engine} makes lemmas of sentences, not of single words")
    raise unknown_engine(engine)


def analyser(
    engine: str,
    *,
    lang: str = "en",
    model: str | None = None,
    exclude: Sequence[str] | None = None,
    jobs: int = 1,
) -> Analyser:
    """What makes lemmas and tags of words in their sentence.

    Parameters
    ----------
    engine
        ``spacy`` or ``wordnet``.
    lang
        A language code. Of spaCy it finds the model where none is named; WordNet is English.
    model
        Of spaCy: the name of an installed model, or the folder of one. None is the only model
        that is installed for the language.
    exclude
        Of spaCy: components that are neither loaded nor run; None is ``gai.forms.with_spacy``'s
        ``EXCLUDED``.
    jobs
        Of spaCy: processes, where there is enough text for them. The results do not depend on it.

    Raises
    ------
    UsageError
        Where the engine does not exist, or an option contradicts it.
    GaiError
        Where a model or data is missing or does not fit; the hint says how to get it.
    """
    if engine == "spacy":
        from gai.forms.with_spacy import spacy

        return spacy(lang, model, exclude, jobs)
    if engine == "wordnet":
        from gai.forms.wordnet import tagged

        only_english(lang)
        if model is not None or exclude is not None:
            raise UsageError("wordnet has neither models nor components", "use --engine spacy")
        return tagged()
    if engine in ENGINES:
        raise UsageError(f"{engine} makes lemmas word by word, and looks at no sentence")
    raise unknown_engine(engine)


def only_english(lang: str) -> None:
    """Raises a UsageError for a language that WordNet is not in."""
    if lang != "en":
        hint = f"--engine simplemma --lang {lang}, or leave --lang out"
        raise UsageError(f"wordnet is English, not {lang!r}", hint)


def unknown_engine(name: str) -> UsageError:
    """The error for a name that is no engine."""
    near = get_close_matches(name.lower(), ENGINES, 1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(ENGINES)}"
    return UsageError(f"no such lemmatizer: {name}", hint)


def simplemma(codes: tuple[str, ...]) -> Former:
    """simplemma's dictionaries and rules for languages, as a function of one word."""
    from simplemma import Lemmatizer

    lemma = Lemmatizer(cache_max_size=0).lemmatize  # no cache: each word comes only once

    def forms(words: Sequence[str]) -> list[str]:
        return [lemma(word, codes) for word in words]

    package = f"simplemma {version('simplemma')}"
    return Former("simplemma", ",".join(codes), package, cased=True, forms=forms)


def languages(lang: str) -> tuple[str, ...]:
    """The codes in "de,en", each of which simplemma knows; a GaiError says what it knows.

    >>> languages("de, en")
    ('de', 'en')
    """
    known = known_languages()
    codes = tuple(code.strip() for code in lang.split(","))
    for code in codes:
        if not code:
            raise UsageError(f"an empty language code in {lang!r}", "write it like de,en")
        if code not in known:
            raise unknown_language(code, known)
    return codes


def known_languages() -> tuple[str, ...]:
    """The codes of the languages that simplemma has a dictionary of, sorted."""
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return tuple(sorted(SUPPORTED_LANGUAGES))


def unknown_language(code: str, known: Sequence[str]) -> GaiError:
    """The error for a language without a dictionary: what may be meant, and all there are."""
    names = {NAMES.get(one, one).lower(): one for one in known}
    base = re.split("[-_]", code.lower())[0]  # en-US, EN
    meant = MEANT.get(base, base)
    near = [meant] if meant in known else []
    near = near or [names[name] for name in get_close_matches(code.lower(), names, 2, 0.75)]
    suggestions = " or ".join(f"{one} ({NAMES.get(one, one)})" for one in near)
    listing = f"it has {' '.join(known)}"
    return GaiError(
        f"simplemma has no dictionary for the language {code!r}",
        f"did you mean {suggestions}?\n{listing}" if near else listing,
    )
