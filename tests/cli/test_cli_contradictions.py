"""Flags that contradict each other are named, both of them, with exit code 2, before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gai.cli import choices
from gai.errors import UsageError


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("tfidf --smart ltc --tf raw", ("--smart ltc", "--tf raw")),
        ("tfidf --smart ltc --bm25", ("--smart ltc", "--bm25")),
        ("tfidf --bm25 --idf plain", ("--bm25", "--idf plain")),
        ("tfidf --bm25 --norm l2", ("--bm25", "--norm l2")),
        ("tfidf --k1 1.5", ("--k1 1.5", "--bm25")),
        ("tfidf --b 0.5 --tf raw", ("--b 0.5", "--bm25")),
        ("tfidf --like sklearn --tokenizer unicode", ("--like sklearn", "--tokenizer unicode")),
        ("tfidf --like sklearn --norm l1", ("--like sklearn", "--norm l1")),
        ("tfidf --like sklearn --bm25", ("--like sklearn", "--bm25")),
        ("tfidf --like sklearn --smart ltc", ("--like sklearn", "--smart ltc")),
        ("bow --like sklearn --min-length 3", ("--like sklearn", "--min-length 3")),
        ("bow --like sklearn --keep-case", ("--like sklearn", "--keep-case")),
        ("bow --like sklearn --token-pattern x", ("--like sklearn", "--token-pattern x")),
        ("bow --like sklearn --pretokenized", ("--like sklearn", "--pretokenized")),
        ("bow --min-df 3 --max-df 2", ("--min-df 3", "--max-df 2")),
        ("bow --min-df 0.5 --max-df 0.4", ("--min-df 0.5", "--max-df 0.4")),
        ("freq --min-df 3 --max-df 2", ("--min-df 3", "--max-df 2")),
        ("bow --tokenizer regex", ("--tokenizer regex", "--token-pattern")),
        ("bow --tokenizer word --token-pattern x", ("--tokenizer word", "--token-pattern x")),
        ("bow --pretokenized --tokenizer word", ("--pretokenized", "--tokenizer word")),
        ("bow --min-length 2", ("--min-length", "--tokenizer word")),
        ("bow --analyzer char --tokenizer word", ("--analyzer char", "--tokenizer word")),
        ("bow --analyzer char_wb --stop-words de", ("--analyzer char_wb", "--stop-words de")),
        ("bow --vocabulary v.txt --min-df 2", ("--vocabulary v.txt", "--min-df 2")),
        ("bow --vocabulary v.txt --order freq", ("--vocabulary v.txt", "--order freq")),
        ("bow --deps x.d", ("--deps", "-o")),
        ("tfidf --explain a b --top 3", ("--explain", "--top")),
        ("bow --top 3 --format npz", ("npz", "tsv")),
        ("bow --top 3 -o x.mtx", ("mtx", "tsv")),
        ("bow -o x.unknown", ("x.unknown", "--format")),
        ("top", ("FILE",)),
    ],
)
def test_both_flags_are_named(words: str, named: tuple[str, ...], call: Any, two: Path) -> None:
    ended = call(*words.split(), *([] if words == "top" else [two]))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("gai: error: ")
    for flag in named:
        assert flag in ended.err


@pytest.mark.parametrize(
    "words",
    [
        "--min-df x",
        "--max-df 1.5",
        "--ngrams 2,1",
        "--order last",
        "--jobs 0",
        "--memory lots",
        "--top 0",
        "--tokenizer word2",
        "--output",
    ],
)
def test_a_bad_value_is_named_with_its_option(words: str, call: Any) -> None:
    ended = call("bow", *words.split())
    assert (ended.code, ended.out) == (2, "")
    assert words.split()[0] in ended.err
    assert len(ended.err.splitlines()) <= 2


def test_claims_that_agree_are_settled_together() -> None:
    claims = [("--one", "tokenizer", "word"), ("--other", "tokenizer", "word"), ("--x", "tf", 1)]
    assert choices.settle(claims) == {"tokenizer": "word", "tf": 1}


def test_a_claim_that_disagrees_names_the_first() -> None:
    with pytest.raises(UsageError, match="--other contradicts --one"):
        choices.settle([("--one", "tf", "raw"), ("--other", "tf", "log")])


@pytest.mark.parametrize(
    ("value", "text"), [((1, 2), "ngrams 1,2"), (None, "ngrams none"), (True, "ngrams yes")]
)
def test_a_hint_spells_values_as_users_do(value: object, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        choices.settle([("--one", "ngrams", value), ("--other", "ngrams", 7)])
    assert raised.value.hint == f"--one means {text}"


def test_a_flag_of_like_sklearn_may_be_repeated(call: Callable[..., Any], two: Path) -> None:
    ended = call("bow", "--like", "sklearn", "--tokenizer", "word", "--min-length", "2", two)
    assert ended.code == 0
