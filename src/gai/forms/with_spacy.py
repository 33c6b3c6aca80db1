"""Lemmas and tags by a trained pipeline of spaCy, which looks at the sentence around a word."""

from __future__ import annotations

import re
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib.metadata import entry_points, version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gai.errors import GaiError, UsageError
from gai.forms.lemmas import Analysed
from gai.forms.processes import Processes
from gai.tokens.tokenizers import first_line
from gai.tokens.with_spacy import checked, load

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

EXCLUDED = ("ner",)
"""Components that change neither lemmas nor tags.

The parser does: rules of the English pipelines look at it to tell AUX from VERB, and DET from PRON.
Without it the small one runs 1.3 times as fast, and gives 0.03 % other lemmas and 2 % other tags.
"""

USUAL = {
    *("attribute_ruler", "entity_linker", "entity_ruler", "lemmatizer", "morphologizer", "ner"),
    *("parser", "senter", "sentencizer", "span_ruler", "spancat", "tagger", "textcat"),
    *("textcat_multilabel", "tok2vec", "trainable_lemmatizer", "transformer"),
}
"""What components are called; one of these may be excluded from a model that lacks it."""

TRAINED = {"en": "en_core_web_sm"} | {
    code: f"{code}_core_news_sm"
    for code in (
        *("ca", "da", "de", "el", "es", "fi", "fr", "hr", "it", "ja", "ko", "lt", "mk"),
        *("nb", "nl", "pl", "pt", "ro", "ru", "sl", "sv", "uk"),
    )
}
"""The smallest model with lemmas that spaCy offers for a language; there is none for Chinese."""

LONGEST = 100_000
"""Characters of a text that are read at once; a longer one is cut where a paragraph ends.

spaCy takes 15 kB a token while it works. On 600,000 characters of a novel cutting changed nothing.
"""

GROUP = 16_000
"""Characters of texts that go through the pipeline together: some seconds of work at most."""

WORTH = 100_000
"""Characters from which on processes are worth starting, which takes about three seconds."""

Item = str | Sequence[str]
"""A text, or the tokens of a sentence."""


def spacy(lang: str, model: str | None, exclude: Sequence[str] | None, jobs: int) -> Spacy:
    """The analyser by a model of spaCy; see ``gai.forms.lemmas.analyser``."""
    names = EXCLUDED if exclude is None else tuple(name.strip() for name in exclude)
    return Spacy(model or only_model(lang), tuple(filter(None, names)), jobs)


def only_model(lang: str) -> str:
    """The name of the only model that is installed for a language.

    Raises GaiError where there is none, UsageError where there are several.
    """
    names = [name for name in installed() if name.partition("_")[0] == lang]
    if len(names) == 1:
        return names[0]
    if names:
        hint = " or ".join(f"--model {name}" for name in names)
        raise UsageError(f"several spaCy models are installed for {lang!r}", hint)
    message = f"no spaCy model is installed for the language {lang!r}"
    if lang in TRAINED:
        raise GaiError(message, f"python -m spacy download {TRAINED[lang]}")
    offer = f"spaCy offers models with lemmas for {' '.join(sorted(TRAINED))}"
    raise GaiError(message, f"{offer}\nanother one, or its folder: --model")


def installed() -> list[str]:
    """The names of the installed models, sorted."""
    return sorted({entry.name for entry in entry_points(group="spacy_models")})


class Spacy:
    """Lemmas and tags as those of ``nlp(text)``, for one text after the other.

    Where there is much text, groups of texts go to ``jobs`` processes, each with a pipeline of its
    own; what is a group does not depend on it. spaCy's ``n_process`` counts texts and not their
    characters, waits for all it has handed out, and prints tracebacks at Ctrl-C.
    """

    def __init__(self, model: str, exclude: tuple[str, ...] = EXCLUDED, jobs: int = 1) -> None:
        self.model, self.exclude, self.jobs = model, exclude, jobs
        meta = checked(model)
        check_components(model, meta, exclude)
        check_lemmas(pipeline(model, exclude), model)
        without = [name for name in meta.get("pipeline", ()) if name in exclude]
        self.package = f"spaCy {version('spacy')}, {meta['lang']}_{meta['name']} {meta['version']}"
        self.package += f" without {' and '.join(without)}" if without else ""
        self.characters = 0
        self.processes = Processes(jobs, partial(work, model, exclude))

    def texts(self, texts: Sequence[str]) -> Iterator[Analysed]:
        """The tokens of each text, white space left out."""
        cuts: deque[list[int]] = deque()

        def pieces() -> Iterator[str]:
            for text in texts:
                cuts.append(list(paragraph_ends(text)))
                yield from (text[start:end] for start, end in pairwise(cuts[-1]))

        found = self.analysed(pieces(), sum(map(len, texts)))
        for whole in found:
            for start in cuts.popleft()[1:-1]:
                append(whole, next(found), start)
            yield whole

    def sentences(self, sentences: Sequence[Sequence[str]]) -> Iterator[Analysed]:
        """The given tokens of each sentence."""
        return self.analysed(sentences, sum(map(size, sentences)))

    def analysed(self, items: Iterable[Item], characters: int) -> Iterator[Analysed]:
        """The tokens of each item, in order."""
        self.characters += characters
        if self.jobs > 1 and self.characters >= WORTH:
            return self.processes.in_order(groups(items))
        return (one for group in groups(items) for one in work(self.model, self.exclude, group))


def work(model: str, exclude: tuple[str, ...], group: list[Item]) -> list[Analysed]:
    """What the pipeline finds in the texts or sentences of a group."""
    nlp = pipeline(model, exclude)
    with nlp.memory_zone():  # else spaCy keeps every word that it has seen
        docs = [document(nlp, item) for item in group]
        found = nlp.pipe(docs, batch_size=len(docs))
        return [analysed(doc, item) for item, doc in zip(group, found, strict=True)]


@lru_cache(maxsize=2)
def pipeline(model: str, exclude: tuple[str, ...]) -> Language:
    """The loaded model, which is kept."""
    nlp: Language = load(model, exclude)
    nlp.max_length = sys.maxsize  # texts are cut before they are too long
    return nlp


def check_components(model: str, meta: Mapping[str, Any], exclude: Sequence[str]) -> None:
    """Raises a UsageError for a component that is not in the model, nor usual in others."""
    there = [*meta.get("pipeline", ()), *meta.get("disabled", ())]
    for name in exclude:
        if name in ("tok2vec", "transformer") and name in there:
            hint = "without it they would guess, and the lemmas be wrong"
            raise UsageError(f"the other components of {model} listen to {name}", hint)
        if name not in USUAL and name not in there:
            hint = f"its components: {', '.join(there)}"
            raise UsageError(f"the spaCy model {model} has no component {name}", hint)


def check_lemmas(nlp: Language, model: str) -> None:
    """Raises a GaiError where a pipeline gives no lemmas, or makes them up without tags."""
    hint = f"take a model with a lemmatizer, and all that it needs; this one runs {parts(nlp)}"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", r"\[W108\]")  # no part of speech: only lower case
        try:
            has_lemmas = nlp("Words").has_annotation("LEMMA")
        except (AttributeError, KeyError, UserWarning, ValueError) as error:
            raise GaiError(
                f"the spaCy model {model} makes no lemmas: {first_line(error)}", hint
            ) from error
    if not has_lemmas:
        raise GaiError(f"the spaCy model {model} makes no lemmas", hint)


def parts(nlp: Language) -> str:
    return ", ".join(nlp.pipe_names) or "nothing"


def document(nlp: Language, item: Item) -> Doc:
    """The tokens of a text as the pipeline splits it, or those that are given."""
    if isinstance(item, str):
        return nlp.make_doc(item)
    from spacy.tokens import Doc

    return Doc(nlp.vocab, words=list(item))


def analysed(doc: Doc, item: Item) -> Analysed:
    """What a pipeline has found; in a text white space is no token."""
    tokens = [token for token in doc if not (token.is_space and isinstance(item, str))]
    return Analysed(
        [token.text for token in tokens],
        [token.idx for token in tokens],
        [token.idx + len(token) for token in tokens],
        [token.lemma_ or token.text for token in tokens],
        [token.pos_ for token in tokens],
    )


def append(whole: Analysed, part: Analysed, offset: int) -> None:
    """Adds what was found in a later part of a text, which begins at ``offset``."""
    whole.tokens += part.tokens
    whole.starts += [offset + start for start in part.starts]
    whole.ends += [offset + end for end in part.ends]
    whole.lemmas += part.lemmas
    whole.tags += part.tags


def groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of about ``GROUP`` characters, a longer item alone."""
    group: list[Item] = []
    characters = 0
    for item in items:
        if group and characters + size(item) > GROUP:
            yield group
            group, characters = [], 0
        group.append(item)
        characters += size(item)
    if group:
        yield group


def size(item: Item) -> int:
    """Characters of a text, or of tokens with spaces between; never 0, for an item is some work."""
    return 1 + (len(item) if isinstance(item, str) else sum(map(len, item)) + len(item))


ENDS = [re.compile(end) for end in (r"\n[^\S\n]*\n", r"\n", r"\s")]
"""Behind what a text is cut: best a blank line, else a line, else white space."""
SPACE = re.compile(r"\s*")


def paragraph_ends(text: str) -> Iterator[int]:
    """0, the places where a text longer than ``LONGEST`` is cut, and its length."""
    start = 0
    while len(text) - start > LONGEST:
        yield start
        start = cut(text, start)
    yield start
    if start < len(text) or not text:
        yield len(text)


def cut(text: str, start: int) -> int:
    """The last good place to cut in the next ``LONGEST`` characters; no word is that long."""
    limit = start + LONGEST
    for end in ENDS:
        places = [found.end() for found in end.finditer(text, start, limit)]
        if places:
            found = SPACE.match(text, places[-1])
            return found.end() if found else places[-1]
    return limit
