"""From the form that an analysis names to what makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gai.forms.clitics import without_clitics
from gai.forms.former import Former
from gai.tokens.analysis import Analysis

if TYPE_CHECKING:
    from gai.forms.context import Context
    from gai.forms.lemmas import Analysed


def former(analysis: Analysis) -> Former:
    """What makes the stem or the lemma of a word that stands alone.

    In plain English text ``it's`` is one token, whose lemma is that of ``it``.
    """
    made = named(analysis.form, analysis.lang)
    english = made.lang.partition(",")[0] == "en"
    if analysis.form == "lemma:simplemma" and english and analysis.tokenizer != "pretokenized":
        return replace(made, forms=without_clitics(made.forms))
    return made


@lru_cache(maxsize=8)
def named(form: str, lang: str) -> Former:
    """The former of a name such as ``stem:porter:martin``.

    What follows the second colon is the mode of ``porter``, and the ending that ``regexp`` strips.
    Without ``lang`` ("") it is the language of the algorithm, or English.
    """
    kind, _, rest = form.partition(":")
    name, _, option = rest.partition(":")
    if kind == "lemma":
        from gai.forms.lemmas import lemmatizer

        return lemmatizer(name, lang=lang or "en")
    from gai.forms.stems import stemmer

    strip, mode = (option or None, None) if name == "regexp" else (None, option or None)
    return stemmer(name, lang=lang or None, mode=mode, strip=strip)


def context(analysis: Analysis) -> Callable[[], Context]:
    """What makes a step that decides lemmas by their neighbours, one for each worker."""
    from gai.forms.context import Context

    return partial(Context.load, analysis.lang or "en")


def analysed(analysis: Analysis) -> Callable[[Sequence[str]], Iterable[list[str]]]:
    """A function from texts to the lemmas of the words of each; other tokens are left out.

    Of text that is tokens already every token has its lemma.
    """
    from gai.forms.lemmas import analyser

    name = analysis.form.partition(":")[2]
    engine = analyser(name, lang=analysis.lang or "en", model=analysis.model or None)
    if analysis.tokenizer == "pretokenized":
        given = partial(map, tokens_of)
        return lambda texts: (found.lemmas for found in engine.sentences(list(given(texts))))
    return lambda texts: map(words_only, engine.texts(texts))


def tokens_of(text: str) -> list[str]:
    return [token for token in text.split(" ") if token]


def words_only(found: Analysed) -> list[str]:
    """The lemmas of those tokens that hold a letter or a digit."""
    return list(lemmas_of_words(found))


def lemmas_of_words(found: Analysed) -> Iterator[str]:
    for token, lemma in zip(found.tokens, found.lemmas, strict=True):
        if any(map(str.isalnum, token)):
            yield lemma
