"""From the flags that a user gave to what the rooms take; flags that contradict are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from gai.cli.options import Columns, Documents, Limits, Model, Tokens, Weights
    from gai.counts import Pruning
    from gai.documents import Reading
    from gai.tokens.analysis import Analysis
    from gai.weights import Weighting

Claim = tuple[str, str, Any]
"""A flag as typed, the name of what it decides, and the value that it demands."""


def settle(claims: Iterable[Claim]) -> dict[str, Any]:
    """The values on which all claims agree; a UsageError names two flags that do not."""
    settled: dict[str, tuple[str, Any]] = {}
    for flag, name, value in claims:
        earlier, agreed = settled.setdefault(name, (flag, value))
        if agreed != value:
            hint = f"{earlier} means {name.replace('_', '-')} {spelt(agreed)}"
            raise UsageError(f"{flag} contradicts {earlier}", hint if len(hint) < 100 else "")
    return {name: value for name, (_, value) in settled.items()}


def given(group: Any, *names: str) -> Iterator[Claim]:
    """A claim for each option of the group that was given; of ``names`` where there are any."""
    for field in fields(group):
        value = getattr(group, field.name)
        wanted = not names or field.name in names
        if wanted and value is not None and value is not False:
            yield typed(field.name, value), field.name, value


def typed(name: str, value: Any) -> str:
    """An option about as the user typed it: ``--min-df 2``."""
    flag = f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {spelt(value)}"


def spelt(value: Any) -> str:
    """A value as a user would write it: ``1,2``, ``yes``, ``none``."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return {"None": "none", "True": "yes", "False": "no"}.get(str(value), str(value))


def exclude(one: str, others: Iterable[Claim], why: str) -> None:
    """Raises a UsageError where any of the other flags was given beside ``one``."""
    for other, _, _ in others:
        raise UsageError(f"{other} contradicts {one}", why)


ROOMY = 1 << 30
"""Memory from which on batches are as large as is quickest."""


def reading(documents: Documents, analysis: Analysis, memory: int | None = None) -> Reading:
    """What is read, and how; large documents in parts, where the analysis allows for it."""
    from gai.documents import BLOCK_SIZE, Reading

    names = [field.name for field in fields(documents) if field.name != "files"]
    chosen = {name: value for _, name, value in given(documents, *names)}
    paths = documents.files or ([] if names_input(documents) else ["-"])
    size = BLOCK_SIZE // 4 if memory is not None and memory < ROOMY else BLOCK_SIZE
    return Reading(tuple(paths), split_documents=analysis.splittable, block_size=size, **chosen)


def names_input(documents: Documents) -> bool:
    """Whether the user said what to read; otherwise it is standard input."""
    return bool(documents.files or documents.files_from or documents.files0_from)


def analysis(documents: Documents, terms: Tokens, decided: Iterable[Claim] = ()) -> Analysis:
    """How text becomes terms; ``decided`` is what --like, --apply or the command say about it."""
    from gai.tokens.analysis import Analysis

    check_characters(terms)
    said = [*decided, *term_claims(documents, terms)]
    chosen = with_language(settle(said), terms)
    if terms.stop_words is not None:
        words, name = dropped(terms.stop_words, chosen)
        chosen |= {"stop_words_name": name} | settle([*said, words])
    tokenizer = chosen.get("tokenizer", "unicode")
    if tokenizer == "regex" and chosen.get("token_pattern") is None:
        raise UsageError("--tokenizer regex needs --token-pattern")
    if tokenizer in ("bpe", "unigram") and not chosen.get("model"):
        hint = "gai subword train FILES -o tokens.json makes one"
        raise UsageError(f"--tokenizer {tokenizer} needs --model FILE", hint)
    if terms.min_length and tokenizer != "word":
        raise UsageError(
            f"--min-length works with --tokenizer word, not with {tokenizer}",
            "add --tokenizer word",
        )
    if tokenizer in ("bpe", "unigram"):
        chosen["lowercase"] = False  # the model decides, and its pieces are no words
    return Analysis(**chosen)


def with_language(chosen: dict[str, Any], terms: Tokens) -> dict[str, Any]:
    """The same with the language, where something wants one, and the package behind the form.

    Raises a UsageError for a language or a model that nothing would look at.
    """
    from gai.tokens.analysis import ANALYSED, LIBRARIES, Analysis

    tokenizer, form = chosen.get("tokenizer", "unicode"), chosen.get("form", "")
    if form in ANALYSED and tokenizer not in ("unicode", "pretokenized"):
        raise UsageError(f"--tokenizer {tokenizer} contradicts {form[6:]}", "it has its own tokens")
    if terms.lang is not None and not (form or tokenizer in ("spacy", "punkt")):
        raise UsageError(f"--lang {terms.lang} changes nothing here", "stems and lemmas have one")
    if terms.model is not None and not (form == "lemma:spacy" or tokenizer in MODELS):
        raise UsageError(f"--model {terms.model} changes nothing here", "see --tokenizer, --lemma")
    if chosen.get("context") and form != "lemma:simplemma":
        raise UsageError("--context needs --lemma simplemma", "other engines look at it anyway")
    if form and form not in ANALYSED:
        from gai.forms.choosing import former

        made = former(Analysis(**chosen))
        return chosen | {"lang": made.lang, "package": made.package}
    if (form or tokenizer in ("spacy", "punkt")) and not chosen.get("model"):
        chosen.setdefault("lang", "en")
    if tokenizer in LIBRARIES:
        from gai.tokens.tokenizers import library

        chosen.setdefault("package", library(tokenizer))
    return chosen


MODELS = ("spacy", "bpe", "unigram")
"""Tokenizers that may have a model."""


def dropped(named: str, chosen: dict[str, Any]) -> tuple[Claim, str]:
    """What --stop-words says about the words, which go through the same steps as the text; and
    their name."""
    from gai.forms.stop_words import stop_words
    from gai.terms.plain import word_former
    from gai.tokens.analysis import Analysis

    names = ("lowercase", "strip_accents", "normalize", "form", "lang", "model")
    alike = Analysis(**{name: chosen[name] for name in names if name in chosen})
    words, name = stop_words(named, word_former(alike))
    return (f"--stop-words {named}", "stop_words", words), name


def term_claims(documents: Documents, terms: Tokens) -> Iterator[Claim]:
    """What the flags say about each field of an Analysis."""
    if documents.pretokenized:
        yield "--pretokenized", "tokenizer", "pretokenized"
    if terms.token_pattern is not None:
        yield f"--token-pattern {terms.token_pattern}", "tokenizer", "regex"
    if terms.keep_case:
        yield "--keep-case", "lowercase", False
    plain = ("tokenizer", "token_pattern", "min_length", "strip_accents", "normalize")
    yield from given(terms, *plain, "lang", "model", "ngrams", "analyzer", "context")
    for kind in ("stem", "lemma"):
        for flag, _, name in given(terms, kind):
            yield flag, "form", f"{kind}:{name}"


def check_characters(terms: Tokens) -> None:
    """Raises a UsageError where a flag about tokens comes with n-grams of characters."""
    analyzer = getattr(terms, "analyzer", None)
    if analyzer in ("char", "char_wb"):
        about_tokens = ("tokenizer", "token_pattern", "min_length", "stop_words", "stem", "lemma")
        why = "n-grams of characters are made without tokens"
        exclude(f"--analyzer {analyzer}", given(terms, *about_tokens), why)


def pruning(columns: Columns | Limits) -> Pruning:
    """Which terms become columns."""
    from gai.counts import Pruning

    low, high = columns.min_df, columns.max_df
    if low is not None and high is not None and type(low) is type(high) and low > high:
        raise UsageError(f"--min-df {low} is above --max-df {high}", "no term could meet both")
    chosen = {name: value for _, name, value in given(columns) if name != "binary"}
    if (path := chosen.get("vocabulary")) is not None:
        others = given(columns, "min_df", "max_df", "max_features", "order")
        exclude(f"--vocabulary {path}", others, "the columns are exactly those of the file")
        chosen["vocabulary"] = vocabulary(path)
    return Pruning(**chosen)


def weighting(weights: Weights, decided: Iterable[Claim] = ()) -> Weighting:
    """How counts become weights; ``decided`` is what --like and --apply say about it."""
    from gai.weights import Weighting

    whole = list(given(weights, "smart", "bm25"))
    parts = list(given(weights, "tf", "idf", "norm"))
    for flag, _, _ in whole[:1]:
        exclude(flag, [*whole[1:], *parts], f"{flag} decides all of the weighting")
    for flag, _, _ in () if weights.bm25 else given(weights, "k1", "b"):
        raise UsageError(f"{flag} needs --bm25")
    return Weighting(**settle([*decided, *parts, *whole_claims(weights)]))


def whole_claims(weights: Weights) -> Iterator[Claim]:
    """What --smart and --bm25 say about each field of a Weighting."""
    from gai.weights import Weighting

    if weights.smart is not None:
        yield from claims(f"--smart {weights.smart}", Weighting.smart(weights.smart).describe())
    if weights.bm25:
        yield from claims("--bm25", {"tf": "bm25", "idf": "bm25", "norm": "none"})
        yield from given(weights, "k1", "b")


def claims(flag: str, values: dict[str, Any]) -> Iterator[Claim]:
    """One claim of ``flag`` for each of the values."""
    for name, value in values.items():
        yield flag, name, value


def like_terms(model: Model) -> Iterator[Claim]:
    """What --like says about terms: the scanner of scikit-learn's vectorizers."""
    if model.like == "sklearn":
        yield from claims("--like sklearn", {"tokenizer": "word", "min_length": 2})
        yield "--like sklearn", "lowercase", True


def like_weights(model: Model) -> Iterator[Claim]:
    """What --like says about weights: those of scikit-learn's TfidfVectorizer."""
    from gai.weights import Weighting

    if model.like == "sklearn":
        yield from claims("--like sklearn", Weighting.like_sklearn().describe())


def vocabulary(path: str) -> list[str]:
    """The terms in a file, one a line (what follows a TAB is left out), or those of an npz.

    Escapes are those of TSV files. Raises GaiError where the file cannot be read, holds nothing,
    or holds a term twice.
    """
    from gai.output.tsv import unescape

    if path.endswith(".npz"):
        from gai.output import load

        return list(load(path).terms)
    seen: dict[str, int] = {}
    for number, line in enumerate(lines_of(path), 1):
        term = unescape(line.partition("\t")[0])
        if term and (first := seen.setdefault(term, number)) != number:
            raise GaiError(f"{path}, line {number}: {term} is there already, in line {first}")
    if not seen:
        raise GaiError(f"{path}: no terms in this vocabulary", "one term a line")
    return list(seen)


def lines_of(path: str) -> list[str]:
    """The lines of a UTF-8 text file, without their ends."""
    try:
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            lines = file.read().split("\n")
    except OSError as error:
        raise GaiError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise GaiError(f"{path}: byte {error.start} is no UTF-8", "one term a line") from error
    return [line.removesuffix("\r") for line in lines]
