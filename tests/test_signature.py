"""Signatures: complete, fit for JSON, and the same for the same work."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import numpy as np
import pytest

import gai
from gai import signature as signing
from gai.signature import analysis_options, line, packed, signature, unpacked

ANALYSIS: dict[str, Any] = {
    "tokenizer": "unicode",
    "token_pattern": None,
    "min_length": 1,
    "lowercase": True,
    "strip_accents": None,
    "normalize": None,
    "analyzer": "word",
    "ngrams": (1, 1),
    "stop_words": (),
    "stop_words_name": "",
}
WEIGHTING = {"tf": "relative", "idf": "plain", "norm": "none"}
PRUNING = {"min_df": 1, "max_df": 1.0, "max_features": None, "vocabulary": None, "order": "term"}


def made(analysis: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    given = {"weighting": WEIGHTING, "pruning": PRUNING, "documents": 2, "terms": 8, **options}
    return signature("tfidf", ANALYSIS | (analysis or {}), **given)


def test_everything_that_changes_a_number_is_in_it() -> None:
    assert made(input_digest="sha256:12ab") == {
        "gai": gai.__version__,
        "kind": "tfidf",
        "analysis": {
            **ANALYSIS,
            "ngrams": [1, 1],
            "stop_words": [],
            "stop_words_digest": "",
        },
        "weighting": WEIGHTING,
        "pruning": PRUNING,
        "reading": None,
        "binary": False,
        "unicode": {"tables": "15.0", "python": unicodedata.unidata_version},
        "input": "sha256:12ab",
        "documents": 2,
        "terms": 8,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"analysis": {"stop_words": ("the",)}},
        {"analysis": {"ngrams": (1, 2)}},
        {"analysis": {"lowercase": False}},
        {"pruning": {**PRUNING, "min_df": 2}},
        {"pruning": {**PRUNING, "vocabulary": ["cat"]}},
        {"weighting": {**WEIGHTING, "norm": "l2"}},
        {"binary": True},
        {"input_digest": "sha256:0"},
        {"tables": "16.0"},
    ],
)
def test_a_change_shows_in_the_signature_and_in_its_line(changed: dict[str, Any]) -> None:
    assert made(**changed) != made()
    assert line(made(**changed)) != line(made())


def test_the_analysis_comes_back_as_it_was() -> None:
    analysis = ANALYSIS | {"stop_words": ("a", "the"), "stop_words_name": "en", "ngrams": (1, 2)}
    stored = unpacked(packed(made(analysis)))
    assert stored == made(analysis)
    assert analysis_options(stored) == analysis


def test_paths_on_this_machine_stay_out() -> None:
    signed = made({"stop_words": ("a",), "stop_words_name": "/home/me/lists/stop.txt"})
    assert signed["analysis"]["stop_words_name"] == "stop.txt"
    assert "/home" not in json.dumps(signed)


def test_the_line_is_one_word() -> None:
    expected = f"kind:tfidf|tokenizer:unicode|case:lower|tf:relative|idf:plain|norm:none|unicode:15.0+{unicodedata.unidata_version}|version:{gai.__version__}"  # noqa: E501
    assert line(made()) == expected
    nasty = line(made({"token_pattern": "a|b c\n%", "tokenizer": "regex"}))
    assert "|pattern:a%7cb%20c%0a%25|" in nasty
    assert len(nasty.split()) == 1


def test_the_line_is_the_same_once_stored() -> None:
    weighting = {"tf": "bm25", "idf": "bm25", "norm": "none", "k1": 1.2, "b": 0.75}
    signed = made(weighting=weighting, pruning={**PRUNING, "order": "first", "max_features": 9})
    assert line(unpacked(packed(signed))) == line(signed)


def test_the_line_shows_what_is_not_the_default() -> None:
    stop = {"stop_words": ("a", "the"), "stop_words_name": "english"}
    more = {"ngrams": (1, 2), "min_length": 2, "lowercase": False, "strip_accents": "unicode"}
    text = line(made({**stop, **more}, pruning={**PRUNING, "min_df": 0.5}, binary=True))
    assert "|min_length:2|case:keep|accents:unicode|ngrams:1-2|stop:english-" in text
    assert "|binary:yes|" in text
    assert "|min_df:0.5|" in text


def test_numbers_of_numpy_are_numbers() -> None:
    signed = made(documents=np.int64(7), pruning={**PRUNING, "max_df": np.float64(0.5)})
    assert signed["documents"] == 7
    plain = made(documents=7, pruning={**PRUNING, "max_df": 0.5})
    assert packed(signed).tobytes() == packed(plain).tobytes()
    with pytest.raises(TypeError, match="set in a signature"):
        made(pruning={"vocabulary": None, "order": {1}})


def test_the_digest_tells_words_apart() -> None:
    digests = [signing.digest(words) for words in ([], [""], ["ab"], ["a", "b"], ["b", "a"])]
    assert len(set(digests)) == 5
    assert signing.digest(["a", "b"]) == signing.digest(iter(("a", "b")))


def test_it_may_hold_names_that_are_no_utf8() -> None:
    signed = made(reading={"glob": "caf\udce9"})
    assert unpacked(packed(signed)) == signed


def test_the_line_of_vectors_names_how_they_were_trained() -> None:
    training = {"dim": 50, "cbow": False, "hs": True, "subwords": {"min_n": 3}, "window": None}
    said = line(made() | {"kind": "fasttext", "training": training})
    assert said.startswith("kind:fasttext|tokenizer:unicode|")
    assert "|dim:50|hs:yes|min_n:3|unicode:" in said
