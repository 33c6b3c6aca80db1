"""Sentences with a tag for each token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.documents import conllu
from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import Raw, read, stream

TAG = Config(task="tag")
WORD = st.text(st.sampled_from("ab#é1_ "), min_size=1, max_size=4).filter(str.strip)
SENTENCE = st.lists(st.tuples(WORD, WORD), min_size=1, max_size=4)

CONLLU = (
    "# text = du x\n"
    "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tde\tde\tADP\t_\t_\t_\t_\t_\t_\n"
    "2\tle\tle\t_\t_\t_\t_\t_\t_\t_\n"
    "\n"
    "1\tMice\tmouse\tNOUN\t_\t_\t_\t_\t_\t_\n"
)


def written(path: Path, content: str) -> str:
    path.write_bytes(content.encode())
    return str(path)


def failure(path: str, config: Config = TAG, **options: Any) -> str:
    with pytest.raises(GaiError) as caught:
        read((path,), config, **options)
    return caught.value.message.removeprefix(path)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the examples of a property share."""
    return tmp_path_factory.mktemp("tagged")


def test_conllu_gives_words_and_universal_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", CONLLU)
    raw = read((path,), TAG)
    assert raw.tokens == [["de", "le"], ["Mice"]]
    assert raw.labels == [["ADP", ""], ["NOUN"]]
    assert list(raw.ids) == [f"{path}:2", f"{path}:6"]
    assert (raw.texts, raw.array) == (None, None)


def test_conllu_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", CONLLU + "2\tran\n")
    assert failure(path) == ", line 7: 2 columns, but CoNLL-U has 10"


@given(sentences=st.lists(SENTENCE, min_size=1, max_size=4), blanks=st.integers(1, 3))
def test_two_columns_come_back(
    folder: Path, sentences: list[list[tuple[str, str]]], blanks: int
) -> None:
    blocks = ["".join(f"{token}\t{tag}\n" for token, tag in pairs) for pairs in sentences]
    path = written(folder / "a.tsv", "\n" * (blanks - 1) + ("\n" * blanks).join(blocks))
    raw = read((path,), TAG)
    assert raw.tokens == [[token for token, _ in pairs] for pairs in sentences]
    assert raw.labels == [[tag for _, tag in pairs] for pairs in sentences]
    again = list(stream((path,), TAG, size=1))
    assert [piece.tokens for piece in again] == [[tokens] for tokens in raw.tokens or []]
    assert [id for piece in again for id in piece.ids] == list(raw.ids)


def test_a_sentence_is_called_by_its_first_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "\na\tX\nb\tY\n\n\nc\tX\n")
    assert list(read((path,), TAG).ids) == [f"{path}:2", f"{path}:6"]


@pytest.mark.parametrize("line", ["b", "b\t", "\tX", "b\tX\tY"])
def test_a_line_without_token_and_tag_is_named(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "a.txt", f"a\tX\n{line}\n")
    assert failure(path) == ":2: not a token, a TAB and its tag"


def test_plain_lines_have_no_tags_to_learn(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "Mice ran\n")
    assert failure(path) == ":1: not a token, a TAB and its tag"


@pytest.mark.parametrize("content", ["Mice ran .\n\nThey did\n", "# Mice ran\n"])
def test_where_no_tags_are_wanted_a_line_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "a.txt", content)
    raw = read((path,), TAG, labelled=False)
    assert raw.tokens == [line.split() for line in content.splitlines()]
    assert raw.labels is None


def test_where_no_tags_are_wanted_columns_may_be_without_them(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "a\tX\nb\n\nc\tX\n")
    assert read((path,), TAG, labelled=False).tokens == [["a", "b"], ["c"]]


def test_json_lines_have_two_lists(tmp_path: Path) -> None:
    records = [{"tokens": ["a", "b"], "tags": ["X", "Y"]}, {"tokens": [], "tags": []}]
    content = "".join(json.dumps(record) + "\n" for record in records)
    raw = read((written(tmp_path / "a.jsonl", content),), TAG)
    assert (raw.tokens, raw.labels) == ([["a", "b"], []], [["X", "Y"], []])
    content = content.replace("tokens", "words").replace("tags", "ner")
    config = TAG.with_(text_field="words", label_field=("ner",))
    assert read((written(tmp_path / "b.jsonl", content),), config).labels == raw.labels


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"tokens": ["a"], "tags": []}, ":1: 1 tokens, but 0 tags"),
        ({"tokens": "a b", "tags": []}, ":1: field 'tokens' is a string, not of strings"),
        ({"tokens": ["a"], "tags": [1]}, ":1: field 'tags' is a list of other things, not of"),
        ({"tokens": ["a"]}, ":1: no field 'tags' (fields: tokens)"),
    ],
)
def test_bad_json_lines_are_named(tmp_path: Path, record: Any, message: str) -> None:
    assert failure(written(tmp_path / "a.jsonl", json.dumps(record))).startswith(message)


def test_one_field_holds_the_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "a\tX\n")
    with pytest.raises(UsageError, match="--label-field names 2 fields"):
        read((path,), TAG.with_(label_field=("a", "b")))


@pytest.mark.slow
def test_a_treebank_is_read_as_gai_compare_reads_it(data: Path) -> None:
    path = str(data / "gold" / "en_ewt-ud-dev.conllu")
    raw: Raw = read((path,), TAG)
    gold = conllu.read(path)
    assert raw.tokens == [sentence.words for sentence in gold]
    assert raw.labels == [sentence.tags for sentence in gold]
    assert len(raw) == 2001
