"""The tokenizers of NLTK, with the places of their tokens.

NLTK gives tokens without places, or with wrong ones where it changes the text. What it changes is
known, so that places follow from the tokens in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from gai.backends import alone
from gai.errors import GaiError, UsageError
from gai.tokens.tokenizers import Spans, Tokenizer, each, first_line

PUNKT_LANGUAGES = {
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "ml": "malayalam",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "sl": "slovene",
    "sv": "swedish",
    "tr": "turkish",
}
"""The folder of punkt_tab for each language code."""

Place = tuple[int, int]
Origin = Callable[[str, str, int], Place]
"""Where a token comes from: text, token, and the place where the token before ended."""

SPACE = re.compile(r"\s*")
SURROGATE = re.compile("[\ud800-\udfff]")


def treebank() -> Tokenizer:
    """NLTK's TreebankWordTokenizer."""
    words = alone("nltk.tokenize.treebank").TreebankWordTokenizer().tokenize
    return each(partial(quoted, words))


def toktok() -> Tokenizer:
    """NLTK's ToktokTokenizer."""
    words = alone("nltk.tokenize.toktok").ToktokTokenizer().tokenize
    return each(lambda text: located(text, patiently(words, text), toktok_origin))


def punkt(lang: str = "en") -> Tokenizer:
    """NLTK's word_tokenize: sentences by the Punkt model of the language, and words in each.

    Raises GaiError where the model is not there, UsageError where there is none for the language.
    """
    from nltk.tokenize.destructive import NLTKWordTokenizer

    model, words = punkt_model(lang), NLTKWordTokenizer().tokenize

    def split(text: str) -> Spans:
        found = Spans([], [], [])
        for start, end in patiently(model.span_tokenize, text):
            sentence = quoted(words, text[start:end])
            found.tokens += sentence.tokens
            found.starts += [start + place for place in sentence.starts]
            found.ends += [start + place for place in sentence.ends]
        return found

    return each(split)


def tweet() -> Tokenizer:
    """NLTK's TweetTokenizer, as it is without options.

    Half a surrogate pair that an HTML entity spells becomes U+FFFD, for no text can hold it.
    """
    nltk = alone("nltk.tokenize.casual")
    pattern = nltk.TweetTokenizer().PHONE_WORD_RE

    def entity(found: Any) -> str:
        return SURROGATE.sub("\ufffd", nltk._replace_html_entities(found[0]))

    def split(text: str) -> Spans:
        without_entities = rewritten(text, nltk.ENT_RE.finditer(text), entity)
        changed = without_entities.text
        safe = rewritten(changed, nltk.HANG_RE.finditer(changed), lambda found: 3 * found[1])
        spans = [found.span(1) for found in patiently(pattern.finditer, safe.text)]
        tokens = [safe.text[start:end] for start, end in spans]
        for step in (safe, without_entities):
            spans = step.before(spans)
        return Spans(tokens, [start for start, _ in spans], [end for _, end in spans])

    return each(split)


def patiently(function: Callable[[str], Any], text: str) -> list[Any]:
    """What a function of NLTK gives for a text; NLTK stops looking after some seconds."""
    try:
        return list(function(text))
    except TimeoutError as error:
        raise GaiError(
            f"NLTK gave up on a document of {len(text):,} characters: {first_line(error)}",
            "make the documents smaller (--per line), or take --tokenizer unicode",
        ) from error


def located(text: str, tokens: list[str], origin: Origin) -> Spans:
    """The tokens with the places where they come from."""
    starts, ends, end = [], [], 0
    for token in tokens:
        start, end = origin(text, token, end)
        starts.append(start)
        ends.append(end)
    return Spans(tokens, starts, ends)


def quoted(words: Callable[[str], list[str]], text: str) -> Spans:
    """The words of a text by a tokenizer that makes two characters of a quotation mark."""
    return located(text, patiently(words, text), treebank_origin)


def treebank_origin(text: str, token: str, place: int) -> Place:
    """Where a token of the Treebank tokenizers comes from.

    They add spaces, and make ``` `` ``` or ``''`` of ``"``, and nothing else of more or fewer
    characters. Both are always tokens of their own.
    """
    if token in ("``", "''"):
        start = after_space(text, place)
        return start, start + (1 if text[start] == '"' else 2)
    return unchanged(text, token, place)


def toktok_origin(text: str, token: str, place: int) -> Place:
    """Where a token of Toktok comes from.

    It separates each semicolon, so that one at the end of a longer token was made by it. And it
    makes a slash of ``://``, any character, and a slash.
    """
    if token == "&#9;":
        return unchanged(text, "\t", place)
    if token == "&#124;":
        return unchanged(text, "|", place)
    if token.endswith("&amp;"):
        return unchanged(text, token.removesuffix("amp;"), place)
    if token == "/":
        start = after_space(text, place)
        return start, start + (1 if text[start] == "/" else len("://x/"))
    return unchanged(text, token, place)


def unchanged(text: str, token: str, place: int) -> Place:
    """Where the next token stands that is as it was: only white space lies before it."""
    start = text.index(token, place)
    return start, start + len(token)


def after_space(text: str, place: int) -> int:
    """The first place that is not white space."""
    found = SPACE.match(text, place)
    assert found is not None
    return found.end()


class Rewritten(NamedTuple):
    """A text after substitutions; its character i comes from ``[starts[i], ends[i])`` before.

    No lists: nothing was substituted.
    """

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def before(self, spans: list[Place]) -> list[Place]:
        """The spans as they were before the substitutions; none of them is empty."""
        if self.starts is None or self.ends is None:
            return spans
        return [(self.starts[start], self.ends[end - 1]) for start, end in spans]


def rewritten(text: str, matches: Iterator[Any], replace: Callable[[Any], str]) -> Rewritten:
    """The text with each match replaced by something that is not longer.

    The last character of a replacement stands for all that is left of the match.
    """
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for found in matches:
        first, last = found.span()
        new = replace(found)
        pieces += [text[done:first], new]
        kept = first + len(new)
        starts += range(done, kept)
        ends += [*range(done + 1, kept), last] if new else range(done + 1, first + 1)
        done = last
    if not done:
        return Rewritten(text, None, None)
    pieces.append(text[done:])
    starts += range(done, len(text))
    ends += range(done + 1, len(text) + 1)
    return Rewritten("".join(pieces), starts, ends)


def punkt_model(lang: str) -> Any:
    """NLTK's PunktTokenizer for a language code.

    Only the package punkt_tab is used, whose files are plain tables. Raises UsageError where Punkt
    does not know the language, GaiError where its data is missing, holds pickles or cannot be read.
    """
    name = PUNKT_LANGUAGES.get(lang)
    if name is None:
        raise UsageError(
            f"punkt has no language {lang!r}", f"language codes: {' '.join(PUNKT_LANGUAGES)}"
        )
    import nltk
    from nltk.tokenize.punkt import PunktTokenizer

    try:
        refuse_pickles(str(nltk.data.find(f"tokenizers/punkt_tab/{name}/")))
        return PunktTokenizer(name)
    except LookupError as error:
        raise GaiError(missing(name), "gai download nltk punkt_tab") from error
    except (OSError, ValueError) as error:
        hint = "remove its folder, then: gai download nltk punkt_tab"
        raise GaiError(f"NLTK cannot read punkt_tab: {first_line(error)}", hint) from error


def refuse_pickles(folder: str) -> None:
    """Raises GaiError where a folder of tables holds a pickle; NLTK reads a zip file by names."""
    files = sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []
    for path in files:
        if path.suffix in (".pickle", ".pkl"):
            raise GaiError(
                f"{path} is a pickle, which can run any code when it is loaded",
                "remove the folder, then: gai download nltk punkt_tab",
            )


def missing(name: str) -> str:
    """The error for a Punkt model that is not there; pickles in its place are named."""
    from nltk.data import path

    for folder in path:
        for old in ("punkt", "punkt.zip"):
            if (found := Path(str(folder), "tokenizers", old)).exists():
                return f"{found} holds pickles, which are refused because they can run any code"
    return f"NLTK's data punkt_tab ({name}) is not there"
