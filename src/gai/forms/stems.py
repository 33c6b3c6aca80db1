"""Stems: words cut down to what their inflections share, by PyStemmer, NLTK or a pattern."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

from gai.backends import alone
from gai.errors import GaiError, UsageError
from gai.forms.former import Former

LONGEST = 1000
"""Characters of a word from which on NLTK's stemmers and patterns leave it as it is.

Some versions of some of them take a time that grows with the square of the length: minutes for a
megabyte. No word is that long; Lancaster in NLTK stops at the same length.
"""


@dataclass(frozen=True)
class Algorithm:
    """What there is to know about a stemmer; ``lang`` is "" where it knows several or none."""

    line: str
    lang: str = ""
    source: str = ""  # "module:class" below nltk.stem


ALGORITHMS = {
    "snowball": Algorithm("the Snowball stemmers of more than 30 languages (PyStemmer)"),
    "porter": Algorithm("Porter 1980, with later extensions", "en", "porter:PorterStemmer"),
    "lancaster": Algorithm("Paice and Husk 1990, cuts most", "en", "lancaster:LancasterStemmer"),
    "isri": Algorithm("roots without a dictionary, Taghva 2005", "ar", "isri:ISRIStemmer"),
    "rslp": Algorithm("Orengo and Huyck 2001, needs NLTK's data", "pt", "rslp:RSLPStemmer"),
    "cistem": Algorithm("Weissweiler and Fraser 2017, minds capitals", "de", "cistem:Cistem"),
    "arlstem": Algorithm("light stemming, Abainia 2016", "ar", "arlstem:ARLSTem"),
    "arlstem2": Algorithm("its second version, 2021", "ar", "arlstem2:ARLSTem2"),
    "regexp": Algorithm("removes what a regular expression finds"),
}

MODES = {
    "nltk": "NLTK_EXTENSIONS",
    "martin": "MARTIN_EXTENSIONS",
    "original": "ORIGINAL_ALGORITHM",
}
"""The versions of Porter's stemmer: NLTK's, the author's own, and that of the article."""

NAMES = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""Snowball's name for each language code; which of them there are depends on PyStemmer."""

CODES = {name: code for code, name in NAMES.items()}


def algorithms() -> dict[str, str]:
    """One line about each algorithm, by its name."""
    return {name: algorithm.line for name, algorithm in ALGORITHMS.items()}


def languages(algorithm: str) -> tuple[str, ...]:
    """The language codes that an algorithm knows, sorted; none where language means nothing to it.

    >>> languages("cistem")
    ('de',)
    """
    if algorithm == "snowball":
        import Stemmer

        known = set(Stemmer.algorithms())
        return tuple(code for code, name in NAMES.items() if name in known)
    lang = described(algorithm).lang
    return (lang,) if lang else ()


def stemmer(
    algorithm: str = "snowball",
    *,
    lang: str | None = None,
    mode: str | None = None,
    strip: str | None = None,
    strip_prefix: str | None = None,
    min_length: int = 0,
) -> Former:
    r"""The stemmer of that name as a function of one word.

    It gives what its library gives, word for word, with these exceptions: where NLTK raises an
    IndexError (an empty word, in some versions digits) or gives None, and where a word is longer
    than ``LONGEST`` characters and the algorithm is not snowball, the word stays as it is. A stem
    can be empty: ``regexp`` may remove all there is.

    Parameters
    ----------
    algorithm
        One of ``algorithms()``.
    lang
        A language code ("de") or its English name ("german"); None is the algorithm's own
        language, English for snowball. Snowball's other algorithms go by their names ("porter",
        "dutch_porter").
    mode
        Of porter: "nltk" (the default), "martin" or "original".
    strip, strip_prefix
        Of regexp: all that ``strip`` matches anywhere in the word is removed ("er$|ing$" for
        endings), after what ``strip_prefix`` matches at its beginning.
    min_length
        Of regexp: shorter words stay as they are.

    Raises
    ------
    UsageError
        Where no algorithm has this name, or an option contradicts it.
    GaiError
        Where snowball does not know the language, or rslp lacks its data.
    """
    known = described(algorithm)
    refuse(algorithm, "porter", mode=mode)
    refuse(algorithm, "regexp", strip=strip, strip_prefix=strip_prefix, min_length=min_length)
    if algorithm == "regexp":
        return regexp(strip, strip_prefix, min_length)
    if algorithm == "snowball":
        return snowball(lang or "en")
    if lang and CODES.get(lang.lower(), lang.lower()) != known.lang:
        hint = f"--algorithm snowball --lang {lang}, or leave --lang out"
        raise UsageError(f"{algorithm} is made for {known.lang}, not for {lang}", hint)
    return of_nltk(algorithm, mode)


def described(algorithm: str) -> Algorithm:
    """What there is to know about an algorithm; a UsageError suggests another name."""
    if algorithm in ALGORITHMS:
        return ALGORITHMS[algorithm]
    near = get_close_matches(algorithm.lower(), ALGORITHMS, 1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(ALGORITHMS)}"
    raise UsageError(f"no such stemmer: {algorithm}", hint)


def refuse(algorithm: str, owner: str, **options: str | int | None) -> None:
    """Raises a UsageError where an option was given that only the stemmer ``owner`` has."""
    for name, value in options.items():
        if value and algorithm != owner:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} is for {owner}, not for {algorithm}", f"use {owner}")


def snowball(lang: str) -> Former:
    """The Snowball stemmer of a language; a GaiError lists the languages where it is unknown."""
    import Stemmer

    name = NAMES.get(lang.lower(), lang.lower())
    if name not in Stemmer.algorithms():
        raise unknown(lang)
    made = Stemmer.Stemmer(name, 0)  # no cache: each word comes only once

    def forms(words: Sequence[str]) -> list[str]:
        stems: list[str] = made.stemWords(words)
        return stems

    package = f"PyStemmer {version('PyStemmer')}"
    return Former("snowball", CODES.get(name, name), package, cased=False, forms=forms)


def unknown(lang: str) -> GaiError:
    """The error for a language that snowball lacks: what may be meant, and all there are."""
    codes = languages("snowball")
    names = [NAMES[code] for code in codes]
    base = NAMES.get(re.split("[-_]", lang.lower())[0])  # en-US
    near = [base] if base in names else get_close_matches(lang.lower(), names, 2, 0.75)
    suggestions = " or ".join(f"{CODES[name]} ({name.title()})" for name in near)
    listing = f"it has {' '.join(codes)}"
    return GaiError(
        f"snowball has no stemmer for the language {lang}",
        f"did you mean {suggestions}?\n{listing}" if near else listing,
    )


def of_nltk(algorithm: str, mode: str | None) -> Former:
    """One of NLTK's stemmers."""
    module, _, attribute = ALGORITHMS[algorithm].source.partition(":")
    package, lang = f"nltk {version('nltk')}", ALGORITHMS[algorithm].lang
    if algorithm == "rslp":
        forms = one_by_one(rslp().stem)
    elif algorithm == "porter":
        forms = one_by_one(alone(f"nltk.stem.{module}").PorterStemmer(porter_mode(mode)).stem)
    else:
        forms = one_by_one(getattr(alone(f"nltk.stem.{module}"), attribute)().stem)
    return Former(algorithm, lang, package, cased=algorithm == "cistem", forms=forms)


def porter_mode(mode: str | None) -> str:
    """NLTK's name for a mode; a UsageError lists ours."""
    chosen = MODES.get((mode or "nltk").lower(), mode)
    if chosen not in MODES.values():
        raise UsageError(f"porter has no mode {mode}", f"choose from {', '.join(MODES)}")
    return str(chosen)


def rslp() -> Any:
    """NLTK's RSLP stemmer, whose rules are not in the package but among NLTK's data."""
    from nltk.stem.rslp import RSLPStemmer

    try:
        return RSLPStemmer()
    except LookupError as error:
        raise GaiError(
            "rslp needs its rules, NLTK's data rslp", "gai download nltk rslp"
        ) from error


def regexp(strip: str | None, strip_prefix: str | None, min_length: int = 0) -> Former:
    """What patterns leave of a word, as NLTK's RegexpStemmer does; raises UsageError."""
    if strip is None and strip_prefix is None:
        hint = "--strip 'er$|ing$' removes endings, --strip-prefix 'un|re' beginnings"
        raise UsageError("regexp needs a pattern", hint)
    endings, beginnings = compiled("--strip", strip), compiled("--strip-prefix", strip_prefix)

    def stem(word: str) -> str:
        if len(word) < min_length:
            return word
        found = beginnings.match(word) if beginnings else None
        rest = word[found.end() :] if found else word
        return endings.sub("", rest) if endings else rest

    package = f"Python {platform.python_version()}"
    return Former("regexp", "", package, cased=False, forms=one_by_one(stem))


def compiled(flag: str, pattern: str | None) -> re.Pattern[str] | None:
    """The compiled pattern; a UsageError says what is wrong with it."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{flag} {pattern!r}: {error}") from error


def one_by_one(stem: Callable[[str], str | None]) -> Callable[[Sequence[str]], list[str]]:
    """A function of many words from one of a single word that may fail."""

    def form(word: str) -> str:
        if len(word) > LONGEST:
            return word
        try:
            found = stem(word)
        except IndexError:
            return word
        return word if found is None else found

    return lambda words: [form(word) for word in words]
