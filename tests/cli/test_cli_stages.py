"""tokenize, sentences, stem, lemmatize and stopwords as their users type them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Quick = Callable[..., "subprocess.CompletedProcess[bytes]"]

STORY = "The cats were running. Ponies ran, too!\n\nİstanbul'da ΟΔΟΣ\n"


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY, "utf-8")
    return path


def text_of(done: subprocess.CompletedProcess[bytes]) -> str:
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def records_of(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text_of(done).split("\n")[:-1]]


def test_a_line_a_document(quick: Quick, story: Path) -> None:
    words = "the cats were running ponies ran too i̇stanbul'da οδος"
    assert text_of(quick("tokenize", story)) == f"{words}\n"
    assert text_of(quick("tokenize", "--per", "line", story)).split("\n")[1] == ""
    assert text_of(quick("tokenize", "--sep", "\\t", story)) == words.replace(" ", "\t") + "\n"
    assert text_of(quick("tokenize", "--one-per-line", story)) == words.replace(" ", "\n") + "\n"


def test_jsonl_keeps_ids_through_a_pipe(quick: Quick, story: Path) -> None:
    made = quick("stem", "--per", "line", "--format", "jsonl", story)
    assert records_of(made)[0] == {"id": f"{story}:1", "text": "the cat were run poni ran too"}
    piped = quick(
        *("bow", "-", "--input-format", "jsonl", "--pretokenized", "--order", "first"),
        stdin=made.stdout,
    )
    assert text_of(piped).splitlines()[1] == f"{story}:1\tcat\t1"
    whole = quick("bow", "--per", "line", "--stem", "snowball", "--order", "first", story)
    assert piped.stdout == whole.stdout


def test_places_in_characters_and_in_bytes(quick: Quick, story: Path) -> None:
    one = ("tokenize", "--one-per-line", "--keep-case", "--format", "jsonl", story)
    for found in records_of(quick(*one)):
        assert STORY[found["start"] : found["end"]] == found["token"]
        assert (found["document"], found["type"]) == (str(story), "word")
    for found in records_of(quick(*one, "--offsets", "bytes")):
        assert STORY.encode()[found["start"] : found["end"]].decode() == found["token"]
    rows = text_of(quick(*one[:3], "--format", "tsv", story)).splitlines()
    assert rows[0] == f"{story}\tThe\t0\t3\tword"


def test_places_where_bytes_were_replaced(quick: Quick) -> None:
    raw = b"caf\xff bar\xc3\xa9 \xfe baz\n"
    text = raw.decode("utf-8", "replace")
    for engine in ((), ("--stop-words", "english")):
        done = quick(
            *("tokenize", "--one-per-line", "--format", "jsonl", "--errors", "replace", *engine),
            stdin=raw,
        )
        found = records_of(done)
        assert [one["token"] for one in found] == ["caf", "baré", "baz"]
        assert all(text[one["start"] : one["end"]] == one["token"] for one in found)
    done = quick("tokenize", stdin=raw)
    assert done.returncode == 1
    assert b"byte 3" in done.stderr


def test_types_of_tokens(quick: Quick) -> None:
    text = (
        "@ann see https://example.com/a?b=1 #News \U0001f469\u200d\U0001f4bb 42 times!\n".encode()
    )
    rows = quick("tokenize", "--drop", "punct", "--one-per-line", "--format", "tsv", stdin=text)
    found = [line.split("\t") for line in text_of(rows).splitlines()]
    assert [(row[1], row[4]) for row in found] == [
        ("@ann", "mention"),
        ("see", "word"),
        ("https://example.com/a?b=1", "url"),
        ("#news", "hashtag"),
        ("\U0001f469\u200d\U0001f4bb", "emoji"),
        ("42", "number"),
        ("times", "word"),
    ]
    kept = quick("tokenize", "--keep", "word,number", stdin=text)
    assert text_of(kept) == "see 42 times\n"
    assert quick("tokenize", "--keep", "wrod", stdin=text).returncode == 2


def test_units(quick: Quick, story: Path) -> None:
    assert text_of(quick("tokenize", "--unit", "sentence", "--keep-case", story)).splitlines() == [
        "The cats were running.",
        "Ponies ran, too!",
        "İstanbul'da ΟΔΟΣ",
    ]
    assert text_of(quick("tokenize", "--unit", "paragraph", story)).splitlines() == [
        "the cats were running. ponies ran, too!",
        "i̇stanbul'da οδος",
    ]
    assert text_of(quick("tokenize", "--unit", "char", stdin=b"a b\xc3\xa9\n")) == "a b é\n"
    grams = quick("tokenize", "--unit", "ngram", "--ngrams", "1,2", stdin=b"a b c\n")
    assert text_of(grams).splitlines() == ["a", "b", "c", "a b", "b c"]


def test_sentences_know_their_language(quick: Quick) -> None:
    text = b"Am 3. Mai kam er. Gut.\n"
    one = ("tokenize", "--unit", "sentence", "--keep-case")
    assert text_of(quick(*one, "--lang", "de", stdin=text)) == "Am 3. Mai kam er.\nGut.\n"


def test_phrases_with_spaces_come_one_a_line(quick: Quick, tmp_path: Path) -> None:
    path = tmp_path / "phrases.json"
    text = b"new york is big\nnew york is old\nnew ideas\nthe york house\n" * 10
    made = quick("phrases", "--threshold", "0.1", "--delimiter", " ", "-o", path, stdin=text)
    assert made.returncode == 0, made.stderr
    done = quick("tokenize", "--unit", "phrase", "--phrases", path, stdin=b"a new york tale\n")
    assert text_of(done) == "a\nnew york\ntale\n"


def test_phrases_are_learned_and_applied(quick: Quick, tmp_path: Path) -> None:
    text = b"new york is big\nnew york is old\nnew ideas\nthe york house\n" * 10
    path = tmp_path / "phrases.json"
    done = quick("phrases", "--per", "line", "--threshold", "0.1", "-o", path, stdin=text)
    assert done.returncode == 0, done.stderr
    made = quick(
        *("tokenize", "--unit", "phrase", "--phrases", path, "--one-per-line", "--format", "jsonl"),
        stdin=b"New York is  new\n",
    )
    assert [(one["token"], one["start"], one["end"]) for one in records_of(made)] == [
        ("new_york", 0, 8),
        ("is", 9, 11),
        ("new", 13, 16),
    ]


def test_sentences_are_documents_for_the_next_command(quick: Quick, story: Path) -> None:
    made = quick("sentences", story, "--format", "jsonl")
    found = records_of(made)
    assert [one["id"] for one in found] == [f"{story}#{n}" for n in (1, 2, 3)]
    assert all(STORY[one["start"] : one["end"]] == one["text"] for one in found)
    done = quick(
        "lemmatize", "-", "--input-format", "jsonl", "--format", "jsonl", stdin=made.stdout
    )
    assert records_of(done)[1] == {"id": f"{story}#2", "text": "pony run too"}


def test_keep_leaves_everything_between_the_words(quick: Quick, story: Path) -> None:
    expected = "the cat were run. poni ran, too!\n\ni̇stanbul'da οδος\n"
    assert text_of(quick("stem", "--layout", "keep", story)) == expected
    lines = quick("stem", "--layout", "keep", "--per", "line", story)
    assert text_of(lines) == expected
    two = quick("stem", "--layout", "keep", "--format", "jsonl", story)
    assert records_of(two) == [{"id": str(story), "text": expected}]
    assert text_of(quick("stem", "--layout", "keep", stdin=b"  Two  cats\r\n")) == "  two  cat\n"


@pytest.mark.parametrize(
    ("words", "stems"),
    [
        ((), "better run poni"),
        (("--algorithm", "porter"), "better run poni"),
        (("--algorithm", "porter", "--mode", "martin"), "better run poni"),
        (("--algorithm", "lancaster"), "bet run pony"),
        (("--strip", "er$|ing$"), "bett runn ponies"),
    ],
)
def test_stemmers(quick: Quick, words: tuple[str, ...], stems: str) -> None:
    assert text_of(quick("stem", *words, stdin=b"Better running ponies\n")) == f"{stems}\n"


def test_pretokenized_gives_one_lemma_a_token(quick: Quick) -> None:
    text = "The mice\xa0x ’s was\n\n-LRB- 3.14 \x85 …\nΟΔΟΣ\n"
    made = text_of(quick("lemmatize", "--pretokenized", stdin=text.encode()))
    assert made.count("\n") == text.count("\n")
    for before, after in zip(text.split("\n"), made.split("\n"), strict=True):
        assert len(before.split(" ")) == len(after.split(" "))
    assert made.startswith("the ")
    for bad, line in ((b"a  b\n", 1), (b"a\n b\n", 2), (b"a\n\nb \n", 3), (b" ", 1)):
        done = quick("lemmatize", "--pretokenized", stdin=bad)
        assert done.returncode == 1
        assert f"line {line}: an empty token".encode() in done.stderr


def test_lemmas_are_looked_up_in_their_own_case(quick: Quick) -> None:
    text = "Die Häuser der Kinder\n".encode()
    assert text_of(quick("lemmatize", "--lang", "de", stdin=text)) == "der haus der kind\n"
    kept = quick("lemmatize", "--lang", "de", "--keep-case", stdin=text)
    assert text_of(kept).split()[1] == "Haus"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lemmatize", "--lang", "zh"], "zh"),
        (["stem", "--lang", "xx"], "xx"),
        (["stem", "--algorithm", "porter", "--lang", "de"], "porter"),
        (["tokenize", "--tokenizer", "spacy", "--lang", "xqz"], "xqz"),
        (["sentences", "--lang", "qq"], "qq"),
        (["freq", "--lemma", "simplemma", "--lang", "zh"], "zh"),
        (["stopwords", "klingon"], "klingon"),
        (["lemmatize", "--engine", "spacy", "--model", "no_such_model"], "no_such_model"),
        (["tokenize", "--tokenizer", "spacy", "--model", "no_such_model"], "no_such_model"),
    ],
)
def test_a_language_or_model_that_is_not_there(quick: Quick, words: list[str], said: str) -> None:
    done = quick(*words, stdin=b"a\n")
    assert done.returncode in (1, 2)
    assert done.stdout == b""
    first, second = done.stderr.decode().splitlines()[:2]
    assert first.startswith("gai: error: ")
    assert said in first
    assert second.startswith("  ")


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["tokenize", "--offsets", "bytes"], ("--offsets", "--one-per-line")),
        (["tokenize", "--format", "tsv"], ("--one-per-line",)),
        (["tokenize", "--keep", "word", "--drop", "url"], ("--keep", "--drop")),
        (["tokenize", "--ngrams", "2"], ("--ngrams", "--unit ngram")),
        (["tokenize", "--unit", "phrase"], ("--phrases",)),
        (["tokenize", "--unit", "char", "--tokenizer", "word"], ("--unit char", "--tokenizer")),
        (["tokenize", "--tokenizer", "bpe"], ("--model",)),
        (["tokenize", "--lang", "de"], ("--lang de",)),
        (["stem", "--mode", "nltk"], ("--mode", "porter")),
        (["stem", "--algorithm", "regexp"], ("--strip",)),
        (["stem", "--layout", "keep", "--one-per-line"], ("--one-per-line", "--layout keep")),
        (["lemmatize", "--pos"], ("--pos",)),
        (["lemmatize", "--exclude", "ner"], ("--exclude", "spacy")),
        (["freq", "--stem", "porter", "--lemma", "simplemma"], ("--stem", "--lemma")),
        (["freq", "--stem", "porter", "--analyzer", "char"], ("--stem", "--analyzer")),
        (["freq", "--context"], ("--context", "--lemma")),
        (["sentences", "--model", "x"], ("--model", "--engine spacy")),
        (["lemmatize", "--model", "x"], ("--model x", "--engine spacy")),
        (["lemmatize", "--pretokenized", "--normalize", "nfkc"], ("--normalize", "--pretokenized")),
        (["lemmatize", "--context", "--no-context"], ("--context", "--no-context")),
        (["tokenize", "-o", "x.xz"], ("xz",)),
        (["tokenize", "-o", "x.csv"], ("csv",)),
        (["freq", "--stem", "regexp"], ("regexp", "--strip")),
    ],
)
def test_flags_that_contradict_are_named(
    quick: Quick, words: list[str], flags: tuple[str, ...]
) -> None:
    done = quick(*words, stdin=b"a\n")
    assert (done.returncode, done.stdout) == (2, b"")
    for flag in flags:
        assert flag in done.stderr.decode()


def test_empty_input_is_empty_output(quick: Quick, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    for command in ("tokenize", "stem", "lemmatize", "sentences"):
        assert text_of(quick(command, stdin=b"")) == ""
        assert text_of(quick(command, empty)).strip() == ""


def test_what_is_hard_on_stemmers_and_lemmatizers(quick: Quick) -> None:
    word = "a" * 1_000_000
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    text = f"{word} \x1b[31mred\x07 {family} \u0301 naïve\n".encode()
    for words in (["tokenize"], ["stem"], ["lemmatize"], ["stem", "--algorithm", "porter"]):
        made = text_of(quick(*words, stdin=text)).split()
        assert len(made[0]) > 990_000
        assert made[-1][:3] == "naï"
        assert len(quick(*words, "--layout", "keep", stdin=text).stdout) > 1_000_000 or (
            words[0] == "tokenize"
        )


def test_a_terminal_sees_no_raw_control_characters(on_terminal: Any, tmp_path: Path) -> None:
    path = tmp_path / "escape.txt"
    path.write_bytes(b"red \x1b[31m alert\n")
    ended = on_terminal("stem", "--layout", "keep", str(path))
    assert ended.code == 0
    assert "\\x1b[31m" in ended.out
    assert "\x1b" not in ended.out


def test_stop_words_go_through_the_same_forms(quick: Quick) -> None:
    text = b"Running dogs were better than the others\n"
    freq = quick("freq", "--lemma", "simplemma", "--stop-words", "english", stdin=text)
    terms = [line.split("\t")[0] for line in text_of(freq).splitlines()]
    assert sorted(terms) == ["dog", "good", "run"]  # be, than, the, other are in the list


def test_the_form_is_in_the_signature_and_is_applied(quick: Quick, tmp_path: Path) -> None:
    path = tmp_path / "stems.npz"
    quick("bow", "--stem", "porter", "-o", path, stdin=b"running ponies\n")
    shown = text_of(quick("info", path))
    assert "stem:porter" in shown
    assert re.search(r"nltk.\d", shown)
    new = quick("bow", "--apply", path, "--per", "line", stdin=b"He runs a pony\n")
    assert text_of(new).splitlines() == ["-:1\tponi\t1", "-:1\trun\t1"]
    done = quick("bow", "--apply", path, "--stem", "snowball", stdin=b"a\n")
    assert done.returncode == 2


def test_stopwords_say_where_they_come_from(quick: Quick, tmp_path: Path) -> None:
    done = quick("stopwords", "de")
    assert "aber" in text_of(done).split()
    assert b"spaCy" in done.stderr
    assert quick("stopwords", "de", "-q").stderr == b""
    mine = tmp_path / "mine.txt"
    mine.write_text("# these\nfoo\n\nbar\n")
    assert text_of(quick("stopwords", mine)) == "bar\nfoo\n"
    assert "english" in text_of(quick("stopwords")).split()


def test_the_same_bytes_for_any_number_of_threads(gai: Any, corpora: Path) -> None:
    files = [corpora / "gutenberg", corpora / "udhr"]
    for words in (["tokenize"], ["stem", "--layout", "keep"], ["lemmatize", "--format", "jsonl"]):
        one = gai(*words, "-j", "1", *files)
        assert one.returncode == 0, one.stderr
        assert one.stdout == gai(*words, "-j", "3", *files).stdout
        assert len(one.stdout) > 2_000_000


@pytest.mark.parametrize("words", [("--unit", "char"), ("--drop", "punct"), ("--keep", "word")])
def test_a_large_document_comes_in_parts_and_is_one(
    gai: Any, corpora: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A file of several blocks, in which a token stands at each end of a block."""
    text = (corpora / "shakespeare" / "tinyshakespeare.txt").read_text()
    path = tmp_path / "large.txt"
    path.write_text(text)
    one = gai("tokenize", *words, path)
    assert one.returncode == 0, one.stderr
    lines = gai("tokenize", *words, "--per", "line", path)
    assert one.stdout.decode().split() == lines.stdout.decode().split()
    assert one.stdout.count(b"\n") == 1


def test_deps_name_what_the_text_went_through(quick: Quick, story: Path, tmp_path: Path) -> None:
    stops = tmp_path / "stops.txt"
    stops.write_text("the\n")
    out, deps = tmp_path / "out.txt", tmp_path / "out.d"
    done = quick("stem", story, "--stop-words", stops, "-o", out, "--deps", deps)
    assert done.returncode == 0
    assert out.read_text() == "cat were run poni ran too i̇stanbul'da οδος\n"
    rule = deps.read_text()
    assert str(story) in rule
    assert str(stops) in rule
