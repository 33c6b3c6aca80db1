"""Normalisation against scikit-learn and unicodedata."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import UsageError
from gai.tokens.normalise import normaliser

# Neighbours matter where marks are put in order and where a sigma ends a word: so no sorted blocks
# alone, and some characters after each other.
EVERYTHING = [
    "".join(map(chr, range(start, start + 64))) + "\u0301a" for start in range(0, 0x110000, 64)
]
texts = st.text(max_size=30) | st.text(
    st.sampled_from("aΣσİIıßKﬁé\u0301\u0307\u0323\u200d\ud800中½")
)


def by_scikit_learn(lowercase: bool, strip_accents: str | None) -> Callable[[str], str]:
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(lowercase=lowercase, strip_accents=strip_accents)
    preprocess: Callable[[str], str] = vectorizer.build_preprocessor()
    return preprocess


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", ["ascii", "unicode", None])
def test_every_character_is_normalised_as_by_scikit_learn(
    lowercase: bool, strip_accents: str | None
) -> None:
    normalise = normaliser(lowercase, strip_accents, None)
    oracle = by_scikit_learn(lowercase, strip_accents)
    assert [text for text in EVERYTHING if normalise(text) != oracle(text)] == []


@given(texts, st.booleans(), st.sampled_from(["ascii", "unicode", None]))
def test_texts_are_normalised_as_by_scikit_learn(
    text: str, lowercase: bool, strip_accents: str | None
) -> None:
    oracle = by_scikit_learn(lowercase, strip_accents)
    assert normaliser(lowercase, strip_accents, None)(text) == oracle(text)


@given(texts, st.sampled_from(["nfc", "nfkc"]))
def test_normal_forms(text: str, form: str) -> None:
    normalise = normaliser(False, None, form)
    assert normalise(text) == unicodedata.normalize(form.upper(), text)
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("lowercase", "strip_accents", "normalize", "text", "result"),
    [
        (True, None, "nfkc", "ℌ", "h"),  # the form comes before the lower case
        (True, "unicode", None, "ℌ", "H"),  # the lower case before the accents
        (True, None, None, "ΟΔΟΣ ΣΑΣ", "οδος σας"),
        (True, None, None, "İ", "i\u0307"),
        (True, "unicode", None, "İstanbul", "istanbul"),
        (False, "ascii", None, "Ünïcode 中", "Unicode "),
        (True, None, None, "ABC", "abc"),
        (False, None, None, "ABC é", "ABC é"),
    ],
)
def test_order_of_the_steps(
    lowercase: bool, strip_accents: str | None, normalize: str | None, text: str, result: str
) -> None:
    assert normaliser(lowercase, strip_accents, normalize)(text) == result


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="'nfd'"):
        normaliser(True, None, "nfd")
    with pytest.raises(UsageError, match="'latin'"):
        normaliser(True, "latin", None)
