"""Subword models: learned the same each time, lossless, and where each token stands."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.tokens import unigram
from gai.tokens.subword import BYTE, train
from gai.tokens.tokenizers import Spans, Tokenizer, tokenizer

tokenizers = pytest.importorskip("tokenizers")

ALGORITHMS = ("bpe", "unigram")
BYTES_OF_TWO = ["<0xE6>", "<0x97>", "<0xA5>", "<0xC3>", "<0xA9>"]

PIECES = [
    " ",
    "  ",
    "\n",
    "\t",
    "the ",
    "government",
    "é",
    "e\u0301",
    "İ",
    "日本",
    "😀",
    "👩‍👧",
    "▁",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=10).map("".join)


@pytest.fixture(scope="module")
def speeches(corpora: Path) -> list[str]:
    files = sorted(corpora.glob("inaugural/*.txt"))[::10]
    return [path.read_text(encoding="utf-8") for path in files]


@pytest.fixture(scope="module")
def models(speeches: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each algorithm in a file, and one of each that lower-cases."""
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for algorithm in ALGORITHMS:
        for name, lowercase in ((algorithm, False), (f"{algorithm}-lower", True)):
            found[name] = folder / f"{name}.json"
            made = train(speeches, algorithm, 1200, lowercase=lowercase, special_tokens=["[X]"])
            found[name].write_text(made, encoding="utf-8")
    return found


@cache
def loaded(algorithm: str, path: Path) -> Tokenizer:
    return tokenizer(algorithm, model=str(path))


def split(models: dict[str, Path], name: str, text: str) -> Spans:
    (found,) = loaded(name.partition("-")[0], models[name])([text])
    return found


def pieces(text: str, found: Spans) -> list[str]:
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]


@pytest.mark.parametrize("name", ["bpe", "unigram", "bpe-lower", "unigram-lower"])
@given(text=TEXTS)
def test_places_are_in_order_and_cover_the_text(
    name: str, text: str, models: dict[str, Path]
) -> None:
    found = split(models, name, text)
    covered = set[int]()
    before = (0, 0)
    for start, end in zip(found.starts, found.ends, strict=True):
        assert 0 <= start <= end <= len(text)
        assert before[0] <= start
        assert before[1] <= end
        assert text[start:end].strip() in (text[start:end], "")
        covered |= set(range(start, end))
        before = (start, end)
    assert {i for i, character in enumerate(text) if not character.isspace()} <= covered


@given(text=TEXTS)
def test_bpe_loses_nothing(text: str, models: dict[str, Path]) -> None:
    model = tokenizers.Tokenizer.from_file(str(models["bpe"]))
    assert model.decode(model.encode(text).ids) == text


@given(text=TEXTS.map(lambda text: "x" + text.replace("▁", "")))
def test_unigram_loses_nothing_but_the_difference_of_space_and_its_sign(
    text: str, models: dict[str, Path]
) -> None:
    """A space at the start of a text is lost too: one is put there in any case."""
    model = tokenizers.Tokenizer.from_file(str(models["unigram"]))
    assert model.decode(model.encode(text).ids) == text


@given(text=TEXTS)
def test_what_unigram_spells_in_bytes_has_the_places_of_its_characters(
    text: str, models: dict[str, Path]
) -> None:
    found = split(models, "unigram", text)
    spelled = dict[int, bytes]()
    for token, start, end in zip(found.tokens, found.starts, found.ends, strict=True):
        if byte := BYTE.fullmatch(token):
            assert end == start + 1
            spelled[start] = spelled.get(start, b"") + bytes.fromhex(byte[1])
    assert all(text[place] == spelled[place].decode() for place in spelled)


@pytest.mark.parametrize(
    ("name", "text", "tokens", "expected"),
    [
        ("bpe", " the the", ["Ġthe", "Ġthe"], ["the", "the"]),
        ("bpe", "\n\n  ", ["Ċ", "Ċ", "Ġ", "Ġ"], ["\n", "\n", " ", " "]),
        ("bpe", "é a", ["Ã", "©", "Ġa"], ["é", "é", "a"]),
        ("unigram", "the  the", ["▁the", "▁", "▁the"], ["the", " ", "the"]),
        ("unigram", "日é", ["▁", *BYTES_OF_TWO], ["", *"日日日éé"]),
        ("unigram", "\n\n", ["▁", "<0x0A>", "<0x0A>"], ["", "\n", "\n"]),
        ("unigram", " the", ["▁the"], ["the"]),
        ("unigram-lower", "THE", ["▁the"], ["THE"]),
        ("bpe-lower", "THE The", ["the", "Ġthe"], ["THE", "The"]),
    ],
)  # fmt: skip
def test_places_of_some_tokens(
    name: str, text: str, tokens: list[str], expected: list[str], models: dict[str, Path]
) -> None:
    found = split(models, name, text)
    assert found.tokens == tokens
    assert pieces(text, found) == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tokens_are_those_of_the_package(
    algorithm: str, models: dict[str, Path], speeches: list[str]
) -> None:
    model = tokenizers.Tokenizer.from_file(str(models[algorithm]))
    found = list(tokenizer(algorithm, model=str(models[algorithm]))(speeches))
    assert [spans.tokens for spans in found] == [model.encode(text).tokens for text in speeches]


def test_a_file_that_cuts_and_pads_does_neither_here(
    models: dict[str, Path], tmp_path: Path
) -> None:
    model = tokenizers.Tokenizer.from_file(str(models["bpe"]))
    model.enable_truncation(2)
    model.enable_padding(length=50)
    model.save(str(tmp_path / "cutting.json"))
    models = {"bpe": tmp_path / "cutting.json"}
    assert len(split(models, "bpe", " the the the the").tokens) == 4


@pytest.mark.parametrize("name", ["bpe", "unigram"])
def test_a_long_word(name: str, models: dict[str, Path]) -> None:
    """Anything quadratic would run for minutes."""
    word = "aé日" * 50_000
    found = split(models, name, word)
    assert found.ends[-1] == len(word)


SCRIPT = """
import sys
from pathlib import Path
from gai.tokens.subword import train
paths = sorted(Path(sys.argv[1]).glob("inaugural/*.txt"))[::10]
texts = [path.read_text("utf-8") for path in paths]
print(train(texts, sys.argv[2], 1200, special_tokens=["[X]"]), end="")
"""


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("threads", ["1", "3"])
def test_another_process_learns_the_same(
    algorithm: str, threads: str, models: dict[str, Path], corpora: Path, environment: Any
) -> None:
    """Whatever its hash seed and its number of threads."""
    env = environment({"RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": threads})
    words = [sys.executable, "-c", SCRIPT, str(corpora), algorithm]
    done = subprocess.run(words, env=env, capture_output=True, check=True)
    assert done.stdout == models[algorithm].read_bytes()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_vocabulary(algorithm: str, models: dict[str, Path]) -> None:
    model = tokenizers.Tokenizer.from_file(str(models[algorithm]))
    assert model.get_vocab_size() <= 1200
    assert model.get_vocab_size() > 1000
    assert model.token_to_id("[X]") == (algorithm == "unigram")
    assert model.encode("a[X]b").tokens.count("[X]") == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_token_reaches_over_the_end_of_a_line(algorithm: str) -> None:
    text = "to be\nor not\n" * 50
    vocabulary = json.loads(train([text], algorithm, 400))["model"]["vocab"]
    tokens = vocabulary if algorithm == "bpe" else [token for token, _ in vocabulary]
    assert not [token for token in tokens if "Ċ" in token and token != "Ċ"]
    assert not [token for token in tokens if "\n" in token]
    assert train([text], algorithm, 400) == train(text.split("\n"), algorithm, 400)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_too_rare_is_not_learned(algorithm: str) -> None:
    texts = ["common " * 20, "strange " * 4]
    for min_frequency, learned in ((2, True), (10, False)):
        model = tokenizers.Tokenizer.from_str(train(texts, algorithm, 500, min_frequency))
        assert (len(model.encode("x strange").tokens) < 5) == learned


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"algorithm": "wordpiece"}, UsageError, "bpe, unigram"),
        ({"algorithm": "bpe", "vocab_size": 256}, UsageError, "257 or more"),
        ({"algorithm": "unigram", "vocab_size": 257}, UsageError, "258 or more"),
        ({"special_tokens": ["a", "a"]}, UsageError, "twice"),
        ({"special_tokens": [""]}, UsageError, "empty"),
        ({"special_tokens": ["<0x41>"]}, UsageError, "there already"),
        ({"texts": []}, GaiError, "no text"),
        ({"texts": ["", "\n"]}, GaiError, "no text"),
        ({"texts": ["a b c"], "algorithm": "unigram", "min_frequency": 9}, GaiError, "9 times"),
    ],
)
def test_what_cannot_be_learned(options: dict[str, Any], error: type[GaiError], words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        train(**{"texts": ["to be or not to be"], **options})
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no subword model"),
        (b"not json", "no subword model"),
        (b"[1, 2]", "no subword model"),
        (b"[" * 100_000, "no subword model"),
        (b'{"model": 3}', "no subword model"),
        (b'{"model": {"type": "WordPiece"}}', "a model of type WordPiece"),
        (b'{"model": {"type": "Unigram"}}', "--tokenizer unigram"),
        (b'{"model": {"type": "BPE"}}', "broken subword model"),
        (b'{"x": "\xff"}', "byte 7 is no UTF-8"),
    ],
)
def test_a_file_that_is_no_model(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(GaiError) as raised:
        tokenizer("bpe", model=str(tmp_path / "model.json"))
    assert "model.json" in raised.value.message
    assert "\n" not in raised.value.message
    assert words in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.json"):
        with pytest.raises(GaiError, match=path.name):
            tokenizer("unigram", model=str(path))


def spellings(word: str, scores: dict[str, float]) -> Iterator[tuple[list[str], float]]:
    """All ways to spell a word with pieces, and the probability of each."""
    if not word:
        yield [], 1.0
    for end in range(1, len(word) + 1):
        if word[:end] in scores:
            for rest, score in spellings(word[end:], scores):
                yield [word[:end], *rest], scores[word[:end]] * score


WORDS = {"abab": 5, "ab": 7, "bab": 2, "aabb": 3, "ababab": 1}


@pytest.fixture
def small() -> tuple[unigram.Words, unigram.Pieces, dict[str, float]]:
    """A few words, all pieces of them, and a probability for each."""
    words = unigram.words_of(sorted(WORDS.items()), "ab")
    found = unigram.seeds(words, "ab", 50, 2)
    places = zip(found.starts.tolist(), found.lengths.tolist(), strict=True)
    names = [words.text[start : start + length] for start, length in places]
    scores = 1.0 + np.arange(len(names)) % 3
    return words, found, dict(zip(names, (scores / scores.sum()).tolist(), strict=True))


def test_expectation_is_that_of_all_spellings(
    small: tuple[unigram.Words, unigram.Pieces, dict[str, float]],
) -> None:
    words, found, scores = small
    wanted = Counter[str]()
    for word, count in WORDS.items():
        ways = list(spellings(word, scores))
        total = sum(score for _, score in ways)
        for way, score in ways:
            for piece in way:
                wanted[piece] += count * score / total  # type: ignore[assignment]
    steps = list(unigram.steps_through(words.strings, found))
    expected = unigram.expectation(steps, words, np.array(list(scores.values())))
    assert expected.tolist() == pytest.approx([wanted[piece] for piece in scores])


def test_the_best_spelling_without_the_piece_itself(
    small: tuple[unigram.Words, unigram.Pieces, dict[str, float]],
) -> None:
    _, found, scores = small
    longer = np.argsort(-found.lengths, kind="stable")[: len(scores) - found.singles]
    strings = unigram.Strings(found.starts[longer], found.lengths[longer])
    names = [list(scores)[number] for number in longer.tolist()]
    wanted = [max(s for way, s in spellings(name, scores) if len(way) > 1) for name in names]
    best = unigram.spelled(strings, found, np.array(list(scores.values())))
    assert best.tolist() == pytest.approx([math.log(score) for score in wanted])


def test_seeds_are_the_strings_that_are_not_always_part_of_the_same_one() -> None:
    words = unigram.words_of([("xgovernment", 3), ("government", 2), ("go", 1)], "egmnortvx")
    found = unigram.seeds(words, "egmnortvx", 50, 2)
    places = zip(found.starts.tolist(), found.lengths.tolist(), found.counts.tolist(), strict=True)
    longer = {words.text[s : s + n]: count for s, n, count in places if n > 1}
    assert longer == {"xgovernment": 3, "government": 5, "go": 6}


def test_words_are_cut_where_they_are_long_or_hold_other_characters() -> None:
    assert list(unigram.parts("abxba", "ab")) == ["ab", "ba"]
    assert list(unigram.parts("a" * 50, "a")) == ["a" * 24, "a" * 24, "aa"]
    assert list(unigram.parts("xx", "a")) == []


def test_frequent_words_become_pieces() -> None:
    pieces = dict(unigram.learned({"▁the": 100, "▁then": 10, "▁cat": 30, "▁x": 1}, 14))
    assert {"▁the", "▁cat"} <= set(pieces)
    assert len(pieces) <= 14
    assert sum(map(math.exp, pieces.values())) == pytest.approx(1.0, abs=0.05)
