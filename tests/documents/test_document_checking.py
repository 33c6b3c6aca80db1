"""Undecodable bytes, and the plain twins of the kernels that find them and cut lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gai.documents import Batch, Reading, Unit, check, cut, from_texts, padded
from gai.documents.reading import Errors
from gai.errors import GaiError
from gai.kernels.reference import text as kernels

Documents = list[tuple[str, bytes]]
Read = Callable[[Reading], Documents]

PIECES = [b"\n", b"\r\n", b"a", b" b", "é€".encode(), b"\xef\xbb\xbf"]
BROKEN = [b"\xff", b"\xc3", b"\xa9", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80"]
CONTENT = st.lists(st.sampled_from(PIECES + BROKEN), max_size=12).map(b"".join)
BOM = b"\xef\xbb\xbf"


def written(folder: Path, contents: list[bytes]) -> tuple[str, ...]:
    paths = [folder / f"{number}.txt" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return tuple(map(str, paths))


def first_invalid(content: bytes) -> int:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return -1


@pytest.mark.parametrize("errors", ["replace", "ignore"])
@given(contents=st.lists(CONTENT, min_size=1, max_size=3), block_size=st.integers(1, 40))
@example(contents=[b"a\xc3", b"\xa9b"], block_size=40)
def test_replace_and_ignore_are_those_of_python(
    checked: Read, folder: Path, errors: Errors, contents: list[bytes], block_size: int
) -> None:
    paths = written(folder, contents)
    texts = [content.removeprefix(BOM).decode("utf-8", errors).encode() for content in contents]
    expected = list(zip(paths, texts, strict=True))
    reading = Reading(paths=paths, errors=errors, block_size=block_size)
    assert checked(reading) == expected
    split = Reading(paths=paths, errors=errors, block_size=block_size, split_documents=True)
    assert checked(split) == expected


@given(contents=st.lists(CONTENT, min_size=1, max_size=3), block_size=st.integers(1, 40))
def test_lines_are_cut_as_if_the_file_had_been_decoded_first(
    checked: Read, folder: Path, contents: list[bytes], block_size: int
) -> None:
    paths = written(folder, contents)
    clean = [content.removeprefix(BOM).decode("utf-8", "ignore").encode() for content in contents]
    expected = [text.split(b"\n") for text in clean]
    reading = Reading(paths=paths, errors="ignore", per="line", block_size=block_size)
    found = [text for _, text in checked(reading)]
    assert found == [
        line.removesuffix(b"\r") if number < len(lines) - 1 else line
        for lines in expected
        for number, line in enumerate(lines)
        if number < len(lines) - 1 or line
    ]


@pytest.mark.parametrize("per", ["file", "line", "paragraph"])
@given(
    contents=st.lists(CONTENT, min_size=1, max_size=3),
    block_size=st.integers(1, 40),
    split=st.booleans(),
)
@example(contents=[b"a\xc3", b"\xa9b"], block_size=40, split=False)
@example(contents=[BOM + b"a", BOM + b"b\xff"], block_size=40, split=False)
def test_strict_names_the_first_bad_byte_of_its_file(
    checked: Read, folder: Path, per: Unit, contents: list[bytes], block_size: int, split: bool
) -> None:
    paths = written(folder, contents)
    reading = Reading(paths=paths, per=per, block_size=block_size, split_documents=split)
    bad = [(path, first_invalid(text)) for path, text in zip(paths, contents, strict=True)]
    bad = [(path, position) for path, position in bad if position >= 0]
    if not bad:
        checked(reading)
        return
    with pytest.raises(GaiError) as caught:
        checked(reading)
    path, position = bad[0]
    byte = Path(path).read_bytes()[position]
    message = f"{path}: undecodable byte 0x{byte:02x} at byte {position}: not UTF-8"
    assert caught.value.message == message
    assert "--errors" in caught.value.hint


def test_strict_names_standard_input(checked: Read, stdin: Callable[[bytes], None]) -> None:
    for per in ("file", "line"):
        stdin(b"a\n\xff")
        with pytest.raises(GaiError, match="standard input: undecodable byte 0xff at byte 2"):
            checked(Reading(paths=("-",), per=per))


def test_a_batch_without_fault_is_given_back_as_it_is() -> None:
    batch = from_texts(["a", "é"], ["1", "2"])
    assert check(batch, "strict", kernels.first_invalid) is batch
    assert cut(batch, kernels) is batch


def test_cut_keeps_what_the_batch_says_of_itself() -> None:
    batch = Batch(padded(b"a\nb"), 3, None, None, "p", restart=True, source="p", offset=9)
    after = cut(batch, kernels)
    assert after.starts is not None
    assert after.starts.tolist() == [0, 2]
    assert (after.ids, after.restart, after.source, after.offset) == ("p", True, "p", 9)
    assert after.data is batch.data


@given(st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\0"]), max_size=12).map(b"".join))
def test_the_twin_of_cut_lines(content: bytes) -> None:
    data = padded(content)
    data[len(content) :] = 0x0A  # what lies behind the text must not matter
    room = kernels.count_lines(data, len(content))
    starts, ends = np.full(room, -1), np.full(room, -1)
    count = kernels.cut_lines(data, len(content), starts, ends)
    *lines, last = content.split(b"\n")
    expected = [line.removesuffix(b"\r") for line in lines] + [last] * bool(last)
    assert [content[s:e] for s, e in zip(starts[:count], ends[:count], strict=True)] == expected
    assert room == count == len(expected)


@given(CONTENT | st.text().map(str.encode))
@example("\u0130".encode())
@example("aΣ".encode())
@example(b"\xff" + "Σ".encode())
def test_the_twin_of_inspect_text(content: bytes) -> None:
    facts = np.zeros(1, np.int64)
    position = kernels.inspect_text(padded(content), len(content), facts)
    assert (
        position == first_invalid(content) == kernels.first_invalid(padded(content), len(content))
    )
    text = content[: position if position >= 0 else len(content)].decode()
    special = "\u0130" in text or "\u03a3" in text
    assert facts[0] == (0 if text.isascii() else kernels.NON_ASCII) + special * kernels.SPECIAL
