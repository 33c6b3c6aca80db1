"""Files of vectors: what is written is read, in every format, and nothing is half read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.output.vectors import FORMATS, Subwords, Vectors, check, load, save, text
from gai.output.vectors import words as spelling
from gai.terms import Terms

NAMES = {
    "npz": "x.npz",
    "safetensors": "x.safetensors",
    "word2vec": "x.bin",
    "word2vec-text": "x.vec",
    "glove": "x.txt",
    "fasttext": "x.bin",
}
SOME = ["the", "of", "naïve", "日本語", "7", "1e5", "nan", "a\u00a0b", "</s>"]
SIGNATURE = {"kind": "word2vec", "training": {"dim": 3, "window": 9, "trained": 4}, "ä": "é"}


def vectors(words: list[str] = SOME, dim: int = 3, **more: Any) -> Vectors:
    numbers = np.random.default_rng(len(words)).normal(size=(len(words), dim))
    return Vectors(Terms.of(words), numbers.astype(np.float32), **more)


def with_parts(words: list[str] = SOME, dim: int = 3) -> Vectors:
    random = np.random.default_rng(5)
    own, parts = (random.normal(size=(n, dim)).astype(np.float32) for n in (len(words), 50))
    output = random.normal(size=(len(words), dim)).astype(np.float32)
    return Vectors(
        Terms.of(words), None, subwords=Subwords(own, parts, 2, 4), state={"output": output}
    )


def bare(words: list[bytes], dim: int = 2) -> Vectors:
    """Words that need not be UTF-8."""
    offsets = np.cumsum([0, *map(len, words)])
    matrix = np.arange(len(words) * dim, dtype=np.float32).reshape(-1, dim)
    return Vectors(Terms(np.frombuffer(b"".join(words), np.uint8), offsets), matrix)


def assert_same(found: Vectors, wanted: Vectors) -> None:
    assert np.array_equal(found.words.arena, wanted.words.arena)
    assert np.array_equal(found.words.offsets, wanted.words.offsets)
    assert found.block(0, len(found)).tobytes() == wanted.block(0, len(wanted)).tobytes()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("words", "dim"), [(SOME, 3), (["one"], 1), (SOME, 1), (SOME, 300)])
def test_what_is_written_is_read(tmp_path: Path, format: str, words: list[str], dim: int) -> None:
    path, wanted = tmp_path / "some file", vectors(words, dim)
    save(wanted, path, format)
    found = load(path)
    assert_same(found, wanted)
    assert (found.format, found.dim, found.notes) == (format, dim, [])


@pytest.mark.parametrize("format", FORMATS)
def test_signature_and_counts_travel_along(tmp_path: Path, format: str) -> None:
    counts = np.arange(len(SOME), 0, -1) * 10**10
    path = tmp_path / NAMES[format]
    save(vectors(counts=counts, signature=SIGNATURE), path, format)
    found = load(path)
    assert found.signature == SIGNATURE
    assert found.counts is not None
    assert found.counts.tolist() == counts.tolist()


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_everything_that_training_needs_travels_along(tmp_path: Path, format: str) -> None:
    wanted = with_parts()
    wanted.state["gradient sums"] = np.arange(6.0).reshape(2, 3)
    wanted.state["epoch"] = np.array(7)
    save(wanted, tmp_path / "x", format)
    found = load(tmp_path / "x")
    assert found.state.keys() == wanted.state.keys()
    for name, array in wanted.state.items():
        assert found.state[name].dtype == array.dtype
        assert np.array_equal(found.state[name], array)
    assert found.subwords is not None
    assert wanted.subwords is not None
    assert np.array_equal(found.subwords.buckets, wanted.subwords.buckets)
    assert np.array_equal(found.subwords.words, wanted.subwords.words)
    assert np.array_equal(found.lookup(["unseen"])[0], wanted.lookup(["unseen"])[0])
    assert_same(found, wanted)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_vectors_make_the_same_bytes(tmp_path: Path, format: str) -> None:
    for name in ("a", "b"):
        save(vectors(signature=SIGNATURE), tmp_path / name, format)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("format", ["npz", "safetensors"])
@pytest.mark.parametrize(
    "words", [[b""], [b"new york"], [b"a\nb"], [b"\0", b"a\0b"], [b"\xff\xe4", b"a\xc3", b"\xa9"]]
)
def test_npz_and_safetensors_hold_any_word(tmp_path: Path, format: str, words: list[bytes]) -> None:
    save(bare(words), tmp_path / "x", format)
    found = load(tmp_path / "x")
    assert [found.words.as_bytes(place) for place in range(len(words))] == words
    assert found.find(list(found.words)).tolist() == list(range(len(words)))
    assert found.vector(words[-1].decode("utf-8", "surrogateescape")) is not None


@pytest.mark.parametrize(
    ("format", "word", "why"),
    [
        *((format, b"new york", "a space") for format in ("word2vec",)),
        *((format, b"a\nb", "white space") for format in ("word2vec-text", "glove")),
        *((format, b"a\tb", "white space") for format in ("word2vec-text", "glove")),
        *((format, b"a\rb", "white space") for format in ("word2vec-text", "glove")),
        *((format, b"", "empty") for format in ("word2vec-text", "glove")),
        *((format, b"\xff", "no UTF-8") for format in ("word2vec-text", "glove", "word2vec")),
        ("word2vec", b"a\nb", "line feed"),
        ("fasttext", b"a\0b", "a NUL"),
    ],
)
def test_words_that_a_format_cannot_hold_are_refused(
    tmp_path: Path, format: str, word: bytes, why: str
) -> None:
    with pytest.raises(GaiError, match=why) as caught:
        save(bare([b"fine", word, b"too"]), tmp_path / "x", format)
    assert repr(word.decode("utf-8", "surrogateescape")) in caught.value.message
    assert "npz" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_glove_refuses_a_byte_order_mark_only_before_the_first_word(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match="byte order mark"):
        save(vectors(["\ufeffa", "c"]), tmp_path / "x.txt")
    for words in (["c", "\ufeffa"], ["\ufeff", "c"]):
        save(vectors(words), tmp_path / "x.txt")
        assert list(load(tmp_path / "x.txt").words) == words


def test_glove_refuses_white_space_only_in_the_first_word(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match="comes first"):
        save(vectors(["a\u2003b", "c"]), tmp_path / "x.txt")
    save(vectors(["c", "a\u2003b"]), tmp_path / "x.txt")
    assert list(load(tmp_path / "x.txt").words) == ["c", "a\u2003b"]


@pytest.mark.parametrize("format", FORMATS)
def test_the_vocabulary_is_never_taken_for_a_header(tmp_path: Path, format: str) -> None:
    """A GloVe file whose first line is ``3 1.0`` has words that look like numbers."""
    wanted = Vectors(Terms.of(["3", "1", "2"]), np.array([[1], [2], [3]], np.float32))
    save(wanted, tmp_path / "x", format)
    assert_same(load(tmp_path / "x"), wanted)


def test_a_glove_file_of_whole_numbers_is_told_from_a_header(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"3 5\n4 6\n7 8\n")
    found = load(tmp_path / "x")
    assert list(found.words) == ["3", "4", "7"]
    assert found.matrix.tolist() == [[5], [6], [8]]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, unique=True),
    st.sampled_from(FORMATS),
    st.integers(1, 3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_words_come_back_or_are_refused(
    tmp_path: Path, words: list[str], format: str, dim: int
) -> None:
    wanted = vectors(words, dim)
    refused = ""
    try:
        save(wanted, tmp_path / "x", format)
    except GaiError as error:
        refused = error.message
    assert not refused or ("cannot be written as" in refused and "npz" not in format)
    if not refused:
        assert_same(load(tmp_path / "x"), wanted)


@pytest.mark.parametrize("format", ["npz", "safetensors"])
@pytest.mark.parametrize("numbers", ["float16", "int8"])
def test_small_numbers_stay_small(tmp_path: Path, format: str, numbers: str) -> None:
    matrix = np.array([[1, -127, 3], [4, 5, 126]], numbers)
    scales = np.array([0.5, 0.25], np.float32) if numbers == "int8" else None
    wanted = Vectors(Terms.of(["a", "b"]), matrix, scales=scales)
    save(wanted, tmp_path / "x", format)
    found = load(tmp_path / "x")
    assert found.matrix.dtype == numbers
    assert found.matrix.tolist() == matrix.tolist()
    assert_same(found, wanted)
    save(found, tmp_path / "y.vec")
    assert np.array_equal(load(tmp_path / "y.vec").matrix, wanted.block(0, 2))


@pytest.mark.parametrize("format", ["npz", "safetensors", "fasttext"])
def test_large_matrices_are_mapped_not_read(tmp_path: Path, format: str) -> None:
    wanted = with_parts() if format == "fasttext" else vectors()
    save(wanted, tmp_path / "x", format)
    found = load(tmp_path / "x")
    matrix = found.subwords.buckets if found.subwords is not None else found.matrix
    base: Any = matrix
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    assert not isinstance(base, np.ndarray)
    if format == "npz":
        assert matrix.ctypes.data % 64 == 0


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("format", FORMATS)
def test_compressed_files_are_read(tmp_path: Path, format: str, pack: Any) -> None:
    wanted = vectors(signature=SIGNATURE)
    save(wanted, tmp_path / "x", format)
    (tmp_path / "y").write_bytes(pack((tmp_path / "x").read_bytes()))
    assert_same(load(tmp_path / "y"), wanted)


@pytest.mark.parametrize("name", ["x.vec.gz", "x.txt.gz"])
def test_text_is_compressed_where_the_name_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save(vectors(signature=SIGNATURE), path)
    assert gzip.decompress(path.read_bytes()).count(b"\n") == len(SOME) + (".vec" in name)
    assert_same(load(path), vectors())
    assert load(path).signature == SIGNATURE


@pytest.mark.parametrize("format", FORMATS)
def test_pipes_are_read(tmp_path: Path, format: str) -> None:
    wanted = vectors()
    save(wanted, tmp_path / "x", format)
    reading, writing = os.pipe()
    os.write(writing, (tmp_path / "x").read_bytes())
    os.close(writing)
    try:
        assert_same(load(f"/dev/fd/{reading}"), wanted)
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("x.npz", "npz"),
        ("x.safetensors", "safetensors"),
        ("x.vec", "word2vec-text"),
        ("x.w2v.txt", "word2vec-text"),
        ("x.TXT", "glove"),
        ("x.bin", "word2vec"),
    ],
)
def test_the_extension_names_the_format(tmp_path: Path, name: str, format: str) -> None:
    save(vectors(), tmp_path / name)
    assert load(tmp_path / name).format == format


def test_bin_is_word2vec_where_fasttext_was_trained_without_parts(tmp_path: Path) -> None:
    save(vectors(), tmp_path / "x.bin", "fasttext")
    save(load(tmp_path / "x.bin"), tmp_path / "y.bin")
    assert load(tmp_path / "y.bin").format == "word2vec"


@pytest.mark.parametrize(
    "more",
    [
        {"training": 5, "vocabulary": 3},
        {"training": {"window": "x", "epochs": [], "negative": None, "sample": "a"}},
        {"training": {"window": 10**10, "epochs": -1, "sample": float("nan"), "trained": "9"}},
        {"vocabulary": {"tokens": "many", "min_count": {}}},
        {"vocabulary": {"tokens": 10**20, "min_count": 10**20}},
    ],
)
def test_fasttext_is_written_whatever_the_signature_looks_like(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    wanted = vectors(signature=more)
    save(wanted, tmp_path / "x", "fasttext")
    assert_same(load(tmp_path / "x"), wanted)


def test_bin_is_fasttext_where_words_have_parts(tmp_path: Path) -> None:
    save(with_parts(), tmp_path / "x.bin")
    assert load(tmp_path / "x.bin").format == "fasttext"


@pytest.mark.parametrize(
    ("name", "format"), [("x", None), ("x.pkl", None), ("x.npz.gz", None), ("x.vec", "pickle")]
)
def test_formats_that_there_are_not(tmp_path: Path, name: str, format: str | None) -> None:
    with pytest.raises(UsageError):
        save(vectors(), tmp_path / name, format)
    assert list(tmp_path.iterdir()) == []


# Sidecars


def test_a_plain_file_without_facts_has_no_sidecar(tmp_path: Path) -> None:
    save(vectors(), tmp_path / "x.vec")
    assert [path.name for path in tmp_path.iterdir()] == ["x.vec"]


def test_an_old_sidecar_is_replaced(tmp_path: Path) -> None:
    save(vectors(signature=SIGNATURE), tmp_path / "x.vec")
    save(vectors(), tmp_path / "x.vec")
    assert load(tmp_path / "x.vec").signature == {}
    assert load(tmp_path / "x.vec").notes == []


@pytest.mark.parametrize("change", ["number", "word", "longer"])
def test_a_sidecar_of_another_file_is_not_used(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x.vec"
    save(vectors(signature=SIGNATURE, counts=np.arange(9)), path)
    content = path.read_bytes()
    changed = {
        "number": content.replace(b"1", b"2", 1).replace(b"0.", b"1.", 1),
        "word": content.replace(b"the ", b"thy "),
        "longer": content.replace(b"9 3", b"10 3", 1) + b"new 1 2 3\n",
    }[change]
    path.write_bytes(b"9 3\n" + changed.partition(b"\n")[2] if change == "number" else changed)
    found = load(path)
    assert (found.signature, found.counts) == ({}, None)
    assert "belongs to another" in found.notes[0]


@pytest.mark.parametrize("counts", [[1, 2], "many", [1.5] * 9, [10**30] * 9, None])
def test_a_damaged_sidecar_is_not_used(tmp_path: Path, counts: Any) -> None:
    path = tmp_path / "x.vec"
    save(vectors(signature=SIGNATURE, counts=np.arange(9)), path)
    beside = tmp_path / "x.vec.json"
    stored = json.loads(beside.read_bytes())
    beside.write_text(json.dumps(stored | {"counts": counts} if counts else stored)[: -10 or None])
    if counts:
        beside.write_text(json.dumps(stored | {"counts": counts}))
    found = load(path)
    assert found.counts is None
    assert "damaged" in found.notes[0]


def test_a_strangers_json_is_left_alone(tmp_path: Path) -> None:
    save(vectors(), tmp_path / "x.vec")
    (tmp_path / "x.vec.json").write_text('{"mine": 1}')
    assert load(tmp_path / "x.vec").notes == []


def test_a_strangers_json_is_never_overwritten(tmp_path: Path) -> None:
    beside = tmp_path / "x.vec.json"
    beside.write_text('{"mine": 1}')
    with pytest.raises(GaiError, match=r"x\.vec\.json is there, and no sidecar"):
        check(tmp_path / "x.vec")
    with pytest.raises(GaiError, match=r"x\.vec\.json is there, and no sidecar"):
        save(vectors(), tmp_path / "x.vec")
    assert [path.name for path in tmp_path.iterdir()] == [beside.name]
    assert beside.read_text() == '{"mine": 1}'
    check(tmp_path / "x.npz")


@pytest.mark.parametrize("format", ["glove", "word2vec-text"])
def test_a_sidecar_that_says_more_than_is_there_is_an_error(tmp_path: Path, format: str) -> None:
    path = tmp_path / "x"
    save(vectors(signature=SIGNATURE), path, format)
    content = path.read_bytes()
    cut = content[: content.rindex(b"\n", 0, -1) + 1].replace(b"9 3\n", b"8 3\n")
    path.write_bytes(cut)
    with pytest.raises(GaiError, match=r"cut short: .*x\.json says 9 words, 8 are there"):
        load(path)
    path.write_bytes(content.replace(b".", b"", 1))
    with pytest.raises(GaiError, match=rf"says {len(content)} bytes, {len(content) - 1} are there"):
        load(path)


# Bad input


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_what_is_cut_short_is_an_error(tmp_path: Path, format: str, kept: float) -> None:
    wanted = with_parts() if format == "fasttext" else vectors(signature=SIGNATURE)
    save(wanted, tmp_path / "x", format)
    content = (tmp_path / "x").read_bytes()
    short = content[: int(len(content) * kept)]
    (tmp_path / "y").write_bytes(short)
    with pytest.raises(GaiError) as caught:
        load(tmp_path / "y").norms  # noqa: B018
    assert str(tmp_path / "y") in caught.value.message


@pytest.mark.parametrize("format", FORMATS)
def test_no_cut_goes_unseen(tmp_path: Path, format: str) -> None:
    save(vectors(["a", "b"], 2), tmp_path / "x", format)
    content = (tmp_path / "x").read_bytes()
    end = len(content) - (format == "word2vec")  # its last line feed is nothing to miss
    for size in range(1 + content.index(b"\n") if "word2vec" in format else 1, end):
        if format == "glove" and content[:size].endswith(b"\n"):
            continue  # only a sidecar could tell
        (tmp_path / "y").write_bytes(content[:size])
        with pytest.raises(GaiError):
            load(tmp_path / "y")


@given(st.binary(min_size=1, max_size=20), st.integers(0, 10**6), st.sampled_from(FORMATS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_damage_is_an_error_or_other_numbers_never_a_crash(
    tmp_path: Path, noise: bytes, place: int, format: str
) -> None:
    save(with_parts() if format == "fasttext" else vectors(), tmp_path / "x", format)
    content = bytearray((tmp_path / "x").read_bytes())
    at = place % len(content)
    content[at : at + len(noise)] = noise
    (tmp_path / "y").write_bytes(content)
    try:
        found = load(tmp_path / "y")
        assert len(found.norms) == len(found)
        assert len(list(found.words)) == len(found)
    except GaiError:
        pass


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"the quick brown fox\n", "no file of vectors"),
        (b"word\n", "no file of vectors"),
        (b"a 1 2\nb 3\n", "line 2: 1 number, not 2"),
        (b"2 2\na 1 2\nb 3 x\n", "line 3: 'x' is no number"),
        (b"a 1 2\n\nb nan 3\n", r"line 3: the vector of 'b' holds NaN"),
        (b"a 1 2\nb 1e39 3\n", r"line 2: the vector of 'b' holds NaN or infinity"),
        (b"3 2\na 1.00 2.00\nb 3.00 4.00\n", "promises 3 words, 2 are there"),
        (b"1 2\na 1 2\nb 3 4\n", "line 3: .*promises 1 words, and here is one more"),
        (b"999999999999 300\na 1 2\n", "promises 999,999,999,999 words of 300 numbers"),
        (b"99999999999999999999 1\na 1\n", "promises"),
        (b"1 99999999999\na 1 2\n", "promises"),
        (b"5 0\n", "5 words without numbers"),
        (b"2 2\nalpha \0\0\0\0\0\0\0\0b \0\0\0\0", "byte 18: word 2 of 2 is cut short"),
        (b"9 2\na \0\0\0\0\0\0\0\0b \0\0\0\0", "promises 9 words of 2 numbers"),
        (b"2 2\na 1 2\nb 3 4", "byte 15: ends within line 3: it is cut short"),
        (b"a 1 2\nb 3 4", "byte 11: ends within line 2: it is cut short"),
        (b"the 1 2\nof 1 2 3\n", "line 2: 3 numbers, not 2"),
        (b"2 2\nthe 1 2\nof\t1 2 3 4\n", "line 3: 4 numbers, not 2"),
        (b"1 1\na \0\0\0\0b \0\0\0\0", "byte 10: .*more follows"),
        (b"1 1\na \0\0\xc0\x7f", "byte 6: the vector of 'a' holds NaN"),
        (pickle.dumps({"a": 1}), "pickle"),
        (b"PK\3\4 is no zip file", "is cut short or damaged"),
        (b"\x93NUMPY\1\0", "array without words"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b'\x10\0\0\0\0\0\0\0{"a":', "its header has 16 bytes, 5 are there"),
        (b'\x06\0\0\0\0\0\0\0{"a":}', "byte 8: its header is no JSON"),
        (b'\x08\0\0\0\0\0\0\0{"a": 1}', "does not say where 'a' is"),
        (b"\x02\0\0\0\0\0\0\0{}", "it has no vectors|no vectors of words"),
        (struct.pack("<2i", 793712314, 13) + bytes(100), "version 13"),
        (struct.pack("<2i", 793712314, 12) + bytes(10), "byte 8: ends within its arguments"),
    ],
)
def test_bad_input_is_one_error_with_the_place(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(GaiError, match=what) as caught:
        load(tmp_path / "x")
    assert str(tmp_path / "x") in caught.value.message
    assert "\n" not in caught.value.message


def test_words_with_spaces_that_real_files_have_are_read(tmp_path: Path) -> None:
    words = [". . .", "at name@domain.com", "7 Up", "8", "a\u00a01"]
    (tmp_path / "x").write_text("".join(f"{word} 0.5 1\n" for word in ["the", *words]))
    assert list(load(tmp_path / "x").words) == ["the", *words]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("\ufeffthe 1 2\nof 1 3\n", ["the", "of"]),
        ("\ufeff2 2\nthe 1 2\nof 1 3\n", ["the", "of"]),
        ("\ufeff3 5\n4 6\n", ["3", "4"]),
        ("the 1 2\n\ufeffof 1 3\n", ["the", "\ufeffof"]),
        ("\ufeff 1 2\nof 1 3\n", ["\ufeff", "of"]),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_word(
    tmp_path: Path, content: str, words: list[str]
) -> None:
    (tmp_path / "x").write_text(content)
    assert list(load(tmp_path / "x").words) == words


@pytest.mark.parametrize("small", [0, 10**9], ids=["kernels", "twins"])
def test_errors_beyond_the_first_block_have_the_right_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(text, "BLOCK", 100)
    for name in ("SMALL", "SMALL_UNCOMPILED"):
        monkeypatch.setattr(text, name, small)
    # 16777217 lies halfway between two float32: the kernel leaves it to its twin.
    lines = [b"word%d 1 16777217\n" % number for number in range(50)]
    (tmp_path / "x").write_bytes(b"".join(lines))
    assert list(load(tmp_path / "x").words) == [f"word{number}" for number in range(50)]
    several = (b"w 1\n", "1 number"), (b"w 1 2 3\n", "3 numbers")
    for bad, what in (*several, (b"w 1 inf\n", "'w'"), (b"w 1 x\n", "'x'")):
        (tmp_path / "x").write_bytes(b"".join([*lines[:40], bad, *lines[40:]]))
        with pytest.raises(GaiError, match=f"line 41: .*{what}"):
            load(tmp_path / "x")


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_nan_in_a_mapped_file_is_found_when_it_is_looked_at(tmp_path: Path, format: str) -> None:
    wanted = Vectors(Terms.of(["a", "b"]), np.array([[1, 2], [3, 12345]], np.float32))
    save(wanted, tmp_path / "x", format)
    content = (tmp_path / "x").read_bytes()
    number = np.float32(12345).tobytes()
    (tmp_path / "y").write_bytes(content.replace(number, np.float32(np.nan).tobytes()))
    found = load(tmp_path / "y")
    assert found.vector("a") is not None
    for look in (lambda: found.norms, lambda: found.vector("b")):
        with pytest.raises(GaiError, match="'b' holds NaN"):
            look()


def test_nan_in_a_part_of_an_unseen_word_is_found() -> None:
    found = with_parts()
    assert found.subwords is not None
    ids = [
        set(found.subwords.ids(Terms.of(words))[1].tolist()) for words in (["7", "un"], ["other"])
    ]
    found.subwords.buckets[min(ids[1] - ids[0])] = np.nan
    assert found.lookup(["7", "un"])[1].all()
    for words in (["other"], ["7", "un", "other"]):
        with pytest.raises(GaiError, match="'other' holds NaN or infinity"):
            found.lookup(words)


@pytest.mark.parametrize("format", FORMATS)
def test_nan_is_never_written(tmp_path: Path, format: str) -> None:
    bad = Vectors(Terms.of(["a", "b"]), np.array([[1, 2], [np.nan, 1]], np.float32))
    with pytest.raises(GaiError, match="'b' holds NaN"):
        save(bad, tmp_path / "x", format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_word_is_written_once(tmp_path: Path, format: str) -> None:
    with pytest.raises(GaiError, match="'a' is there twice"):
        save(bare([b"a", b"b", b"a"]), tmp_path / "x", format)


@pytest.mark.parametrize(
    "content", [b"3 1\na 1\nb 2\na 3\n", b"a 1.0\nb 2\na 3\n", b"3 1\na \0\0\x80?b \0\0\0@a AAAA"]
)
def test_of_a_word_that_is_there_twice_the_first_counts(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    found = load(tmp_path / "x")
    assert (list(found.words), found.matrix.tolist()) == (["a", "b"], [[1], [2]])
    assert found.notes == ["one word is there twice, and counts where it comes first: 'a'"]


def test_of_a_word_that_is_twice_in_fasttexts_file_the_first_counts(tmp_path: Path) -> None:
    wanted = with_parts(["aa", "bb"])
    save(wanted, tmp_path / "x.bin")
    content = (tmp_path / "x.bin").read_bytes()
    (tmp_path / "x.bin").write_bytes(content.replace(b"bb\0", b"aa\0"))
    found = load(tmp_path / "x.bin")
    assert list(found.words) == ["aa"]
    assert found.vector("aa").tolist() == wanted.vector("aa").tolist()  # type: ignore[union-attr]
    assert found.notes == ["one word is there twice, and counts where it comes first: 'aa'"]
    save(found, tmp_path / "y.bin")


def test_a_word_that_is_twice_in_a_mapped_file_has_a_hint_that_works(tmp_path: Path) -> None:
    save(vectors(["aa", "bb"]), tmp_path / "x.safetensors")
    content = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").write_bytes(content.replace(b"aabb", b"aaaa"))
    with pytest.raises(GaiError, match="the word 'aa' has two vectors") as caught:
        load(tmp_path / "x.safetensors").find(["aa"] * 100)
    assert "convert" not in caught.value.hint


@pytest.mark.parametrize("pickled", [{"a": 1}, Terms.of(["a"])])
def test_other_pickles_get_no_line_of_gensims(tmp_path: Path, pickled: Any) -> None:
    (tmp_path / "x").write_bytes(pickle.dumps(pickled))
    with pytest.raises(GaiError, match="pickle") as caught:
        load(tmp_path / "x")
    assert "KeyedVectors" not in caught.value.hint
    assert "as text" in caught.value.hint


@pytest.mark.parametrize(("flag", "what"), [(7, r"byte \d+: .*is 7, not 0 or 1"), (1, "quantised")])
def test_a_flag_of_fasttext_that_is_no_flag_is_damage(tmp_path: Path, flag: int, what: str) -> None:
    save(with_parts(["a"]), tmp_path / "x.bin")
    content = bytearray((tmp_path / "x.bin").read_bytes())
    shape = struct.pack("<2q", 51, 3)
    content[content.index(shape) - 1] = flag
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(GaiError, match=what):
        load(tmp_path / "x.bin")


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("Word2Vec", "from gensim.models import Word2Vec; Word2Vec.load("),
        ("FastText", "save_facebook_model(FastText.load("),
        ("KeyedVectors", "KeyedVectors.load("),
    ],
)
def test_gensims_pickles_are_refused_with_the_line_that_converts_them(
    tmp_path: Path, module: str, line: str
) -> None:
    from gensim import models

    path = tmp_path / "model"
    texts = [["a", "b", "c"]] * 3
    if module == "KeyedVectors":
        kept = models.KeyedVectors(2)
        kept.add_vectors(["a", "b"], np.eye(2, dtype=np.float32))
        kept.save(str(path))
    else:
        made = {"Word2Vec": models.Word2Vec, "FastText": models.FastText}[module]
        more = {"bucket": 10} if module == "FastText" else {}
        made(texts, vector_size=2, min_count=1, epochs=1, **more).save(str(path))
    with pytest.raises(GaiError, match="pickle") as caught:
        load(path)
    assert line in caught.value.hint
    where = Path.cwd()
    os.chdir(tmp_path)
    try:
        exec(caught.value.hint.removeprefix("in Python: "), {})
    finally:
        os.chdir(where)
    converted = load(tmp_path / "model.bin")
    assert sorted(converted.words) == (["a", "b"] if module == "KeyedVectors" else ["a", "b", "c"])


def test_other_zip_files_and_arrays_are_named_for_what_they_are(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("glove.6B.50d.txt", "a 1 2\n")
    with pytest.raises(GaiError, match=r"zip file, with glove\.6B\.50d\.txt in it"):
        load(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", "")
    with pytest.raises(GaiError, match="PyTorch"):
        load(path)
    np.savez(path, format=1, indptr=np.zeros(1), terms_arena=np.zeros(1))
    (tmp_path / "x.zip.npz").rename(path)
    with pytest.raises(GaiError, match="matrix of documents and terms"):
        load(path)
    np.savez(path, weights=np.zeros(3))
    (tmp_path / "x.zip.npz").rename(path)
    with pytest.raises(GaiError, match="no vectors of words") as caught:
        load(path)
    assert "words_arena" in caught.value.hint


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(GaiError, match="no such file"):
        load(tmp_path / "missing.bin")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("words_offsets", np.array([0, 5, 2, 31])),
        ("words_offsets", np.array([0, 1, 2])),
        ("words_arena", np.zeros(5, np.uint8)),
        ("vectors", np.zeros((3, 2), np.float64)),
        ("vectors", np.zeros((4, 2), np.float32)),
        ("vectors", np.zeros(3, np.float32)),
        ("counts", np.zeros(2, np.int64)),
        ("signature", np.frombuffer(b"{no", np.uint8)),
        ("vectors", np.zeros((3, 2), np.int8)),
    ],
)
def test_arrays_that_do_not_fit_together(tmp_path: Path, name: str, array: np.ndarray) -> None:
    save(vectors(["a", "b", "c"], counts=np.arange(3)), tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as stored:
        arrays = dict(stored)
    stream = io.BytesIO()
    np.savez(stream, **(arrays | {name: array}))
    (tmp_path / "y.npz").write_bytes(stream.getvalue())
    with pytest.raises(GaiError, match=r"y\.npz: "):
        load(tmp_path / "y.npz")


def test_a_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    path = tmp_path / "x.vec"
    save(vectors(signature=SIGNATURE), path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    with pytest.raises(GaiError):
        save(bare([b"a", b"b c"]), path)
    assert before == {one.name: one.read_bytes() for one in tmp_path.iterdir()}


# The words themselves


def test_words_that_come_again_are_found() -> None:
    random = np.random.default_rng(0)
    words = ["".join(map(chr, random.integers(97, 100, n))) for n in random.integers(0, 6, 2_000)]
    seen: set[str] = set()
    again = [n for n, word in enumerate(words) if word in seen or seen.add(word)]
    assert spelling.repeated(Terms.of(words)).tolist() == again
    assert spelling.repeated(Terms.of([])).tolist() == []


def test_words_are_found_by_the_bytes_they_hold() -> None:
    words = Terms.of(["", "ab", "", "c d", "e"])
    assert spelling.holding(words, b" ") == 3
    assert spelling.holding(words, b"ea") == 1
    assert spelling.holding(words, b"\n") == -1


def test_terms_that_are_no_utf8_when_put_apart_are_found() -> None:
    words = Terms(np.frombuffer("é".encode(), np.uint8), np.array([0, 1, 2]))
    assert spelling.broken(words) == [0, 1]
    assert spelling.broken(Terms.of(["é", ""])) == []


@pytest.mark.slow
def test_a_hundred_thousand_words_of_text_take_a_few_seconds(tmp_path: Path) -> None:
    from time import perf_counter

    words, started = [f"word{number}" for number in range(100_000)], perf_counter()
    wanted = vectors(words, 100)
    save(wanted, tmp_path / "x.vec")
    assert_same(load(tmp_path / "x.vec"), wanted)
    assert perf_counter() - started < 20, sys.version  # 3 s on a machine with nothing else to do


def test_gloves_own_header_leaves_out_the_last_row(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("2 3\nthe 1 2 3\nof 4 5 6\n<unk> 7 8 9\n")
    assert list(load(path).words) == ["the", "of", "<unk>"]
    path.write_text("2 3\nthe 1 2 3\nof 4 5 6\nto 7 8 9\n")
    with pytest.raises(GaiError):
        load(path)


def test_numbers_that_no_format_keeps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match="no format keeps float64"):
        save(Vectors(Terms.of(["a"]), np.ones((1, 2))), tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())
