"""Words with a second one behind an apostrophe."""

from __future__ import annotations

import pytest

from gai.forms.choosing import former
from gai.forms.clitics import first_part
from gai.tokens import Analysis


@pytest.mark.parametrize(
    ("word", "first"),
    [
        *(("it's", "it"), ("It’s", "It"), ("John's", "John"), ("we're", "we"), ("I'm", "I")),
        *(("don't", "do"), ("CAN'T", "can"), ("won’t", "will"), ("shan't", "shall")),
        *(("couldn't", "could"), ("I'd", "I"), ("they've", "they"), ("let's", "let")),
        *(("dogs'", "dogs'"), ("'s", "'s"), ("o'clock", "o'clock"), ("n't", "n't"), ("", "")),
    ],
)
def test_the_first_of_two_words(word: str, first: str) -> None:
    assert first_part(word) == first


def test_plain_english_text_alone_is_cut() -> None:
    words = ["it's", "don't", "dogs"]
    plain = Analysis(form="lemma:simplemma", lang="en")
    assert former(plain).forms(words) == ["it", "do", "dog"]
    given = Analysis(tokenizer="pretokenized", form="lemma:simplemma", lang="en")
    assert former(given).forms(["it's"]) == ["its"]  # simplemma's own answer
    french = Analysis(form="lemma:simplemma", lang="fr")
    assert former(french).forms(["it's"]) == ["it's"]
