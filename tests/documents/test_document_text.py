"""Plain text: documents and ids are those of a plain reading, whatever the size of the blocks."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gai.documents import Reader, Reading, Unit, blocks, padded, read
from gai.errors import GaiError

Documents = list[tuple[str, bytes]]
Read = Callable[[Reading], Documents]

BOM = b"\xef\xbb\xbf"
PIECES = [b"\n", b"\n\n", b"\r\n", b"\r", b" ", b"\t", b"a", b"word 7", "é".encode(), BOM, b"\0"]
CONTENT = st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join)
BLOCK_SIZE = st.integers(1, 40)


def written(folder: Path, contents: list[bytes]) -> tuple[str, ...]:
    """The paths of new files with these contents."""
    paths = [folder / f"{number}.txt" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return tuple(map(str, paths))


def plain_lines(content: bytes) -> list[bytes]:
    """The lines, their LF kept, of a text without its byte order mark."""
    lines = content.removeprefix(BOM).split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


def without_end(text: bytes) -> bytes:
    return text.removesuffix(b"\n").removesuffix(b"\r") if text.endswith(b"\n") else text


def by_line(path: str, content: bytes) -> Documents:
    lines = enumerate(plain_lines(content), start=1)
    return [(f"{path}:{number}", without_end(line)) for number, line in lines]


def by_paragraph(path: str, content: bytes) -> Documents:
    found: Documents = []
    blank_before = True
    for number, line in enumerate(plain_lines(content), start=1):
        blank = not line.strip(b" \t\r\n")
        if not blank and blank_before:
            found.append((f"{path}:{number}", line))
        elif not blank:
            found[-1] = (found[-1][0], found[-1][1] + line)
        blank_before = blank
    return [(id, without_end(text)) for id, text in found]


def by_file(path: str, content: bytes) -> Documents:
    return [(path, content.removeprefix(BOM))]


@pytest.mark.parametrize(
    ("per", "plain"), [("line", by_line), ("paragraph", by_paragraph), ("file", by_file)]
)
@given(contents=st.lists(CONTENT, min_size=1, max_size=4), block_size=BLOCK_SIZE)
@example(contents=[b""], block_size=8)
@example(contents=[BOM], block_size=1)
@example(contents=[b"a\n\nb\n"], block_size=1)
@example(contents=[b"a\n", BOM + b"\n\nb\r\n\r\nc\r"], block_size=2)
def test_any_block_size_gives_the_documents_of_a_plain_reading(
    documents: Read,
    folder: Path,
    per: Unit,
    plain: Callable[[str, bytes], Documents],
    contents: list[bytes],
    block_size: int,
) -> None:
    paths = written(folder, contents)
    reading = Reading(paths=paths, per=per, text=True, block_size=block_size)
    expected = [document for pair in zip(paths, contents, strict=True) for document in plain(*pair)]
    assert documents(reading) == expected


@given(contents=st.lists(CONTENT, min_size=1, max_size=3), block_size=BLOCK_SIZE)
@example(contents=[BOM + b"a b c d e f g"], block_size=1)
def test_split_files_come_back_in_pieces_cut_where_tokens_end(
    documents: Read, folder: Path, contents: list[bytes], block_size: int
) -> None:
    paths = written(folder, contents)
    reading = Reading(paths=paths, text=True, block_size=block_size, split_documents=True)
    assert documents(reading) == [
        (p, c.removeprefix(BOM)) for p, c in zip(paths, contents, strict=True)
    ]
    batches = list(Reader(reading))
    for before, after in pairwise(batches):
        if after.continued:
            end = before.data[: before.size].tobytes()[-1:]
            start = after.data[: after.size].tobytes()[:1]
            assert end == b"\n" or (end == b" " and start.isalnum() and start.isascii())
            assert after.offset == before.offset + before.size


def test_a_large_file_is_split_about_every_block(folder: Path, documents: Read) -> None:
    (path,) = written(folder, [b"some words in a row " * 500])
    reading = Reading(paths=(path,), block_size=1000, split_documents=True)
    sizes = [batch.size for batch in Reader(reading)]
    assert len(sizes) >= 10
    assert max(sizes) <= 2000
    assert len(list(Reader(Reading(paths=(path,), block_size=1000)))) == 1


def test_a_block_is_not_cut_in_its_first_half(folder: Path) -> None:
    (path,) = written(folder, [b"a\nb c" + b"x" * 5000])
    batches = list(Reader(Reading(paths=(path,), block_size=1000, split_documents=True)))
    assert len(batches) == 1


def test_many_small_files_share_batches(folder: Path) -> None:
    paths = written(folder, [b"a small file\n"] * 300)
    batches = list(Reader(Reading(paths=paths, block_size=1000)))
    assert len(batches) <= 6
    assert sum(len(batch.ids) for batch in batches) == 300


def test_lines_come_uncut_in_blocks_that_end_at_lf(folder: Path) -> None:
    (path,) = written(folder, [b"one line\n" * 1000 + b"end"])
    batches = list(read(Reading(paths=(path,), per="line", block_size=500)))
    assert len(batches) > 15
    assert all(batch.starts is None and batch.ids == path for batch in batches)
    assert [batch.restart for batch in batches] == [True] + [False] * (len(batches) - 1)
    assert all(batch.data[batch.size - 1] == 0x0A for batch in batches[:-1])
    assert [batch.offset for batch in batches] == [
        sum(batch.size for batch in batches[:number]) for number in range(len(batches))
    ]


def test_a_line_longer_than_many_blocks_stays_whole(folder: Path, documents: Read) -> None:
    long = b"long " * 400_000
    (path,) = written(folder, [b"a\n" + long + b"\nb"])
    found = documents(Reading(paths=(path,), per="line", block_size=100))
    assert found == [(f"{path}:1", b"a"), (f"{path}:2", long), (f"{path}:3", b"b")]


@pytest.mark.parametrize(("block_size", "batches"), [(1000, 3), (250_000, 2), (1 << 20, 1)])
def test_long_paragraphs_are_found_far_from_the_ends_of_blocks(
    folder: Path, documents: Read, block_size: int, batches: int
) -> None:
    content = b" \r\n".join([b"a line of words\n" * count for count in (1, 9000, 20_000, 3)])
    (path,) = written(folder, [content])
    reading = Reading(paths=(path,), per="paragraph", block_size=block_size)
    assert documents(reading) == by_paragraph(path, content)
    assert len(list(Reader(reading))) == batches


@given(content=CONTENT, low=st.integers(0, 60))
def test_the_last_blank_line_is_found_from_any_window(content: bytes, low: int) -> None:
    lines = content.split(b"\n")[:-1]
    ends = list(accumulate(len(line) + 1 for line in lines))
    blank = [end for end, line in zip(ends, lines, strict=True) if not line.strip(b" \t\r")]
    low = min(low, len(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SMALLEST", 2)
        found = blocks.after_blank_line(padded(content), low, len(content))
    assert found == max((end for end in blank if end > low), default=0)


def test_an_empty_file_has_no_line_but_is_a_document(folder: Path, documents: Read) -> None:
    (path,) = written(folder, [b""])
    assert documents(Reading(paths=(path,))) == [(path, b"")]
    assert documents(Reading(paths=(path,), per="line")) == []
    assert documents(Reading(paths=(path,), per="paragraph")) == []


def test_only_lf_ends_a_line(folder: Path, documents: Read) -> None:
    content = "a\rb\x0bc\x0cd\x85e\u2028f\u2029g\x1ch\r\ni".encode()
    (path,) = written(folder, [content])
    found = documents(Reading(paths=(path,), per="line"))
    assert [text for _, text in found] == content.split(b"\r\n")


def test_standard_input_is_a_document_a_line(
    documents: Read, stdin: Callable[[bytes], None]
) -> None:
    stdin(BOM + b"a\n\nb\r\nc")
    assert documents(Reading(paths=("-",))) == [
        ("-:1", b"a"),
        ("-:2", b""),
        ("-:3", b"b"),
        ("-:4", b"c"),
    ]
    stdin(b"a\nb")
    assert documents(Reading(paths=("-",), per="file")) == [("-", b"a\nb")]


def test_pretokenized_files_are_a_document_a_line(folder: Path, documents: Read) -> None:
    (path,) = written(folder, [b"a b\nc\n"])
    found = documents(Reading(paths=(path,), pretokenized=True))
    assert found == [(f"{path}:1", b"a b"), (f"{path}:2", b"c")]
    assert documents(Reading(paths=(path,), pretokenized=True, per="file")) == [(path, b"a b\nc\n")]


@given(contents=st.lists(CONTENT, min_size=1, max_size=3), block_size=BLOCK_SIZE)
def test_the_digest_is_that_of_all_bytes_and_lengths(
    folder: Path, contents: list[bytes], block_size: int
) -> None:
    paths = written(folder, contents)
    expected = hashlib.sha256(
        b"".join(content + len(content).to_bytes(8, "little") for content in contents)
    ).hexdigest()
    for per in ("file", "line", "paragraph"):
        reader = Reader(Reading(paths=paths, per=per, text=True, block_size=block_size))
        for _ in range(2):  # a second iteration starts anew
            list(reader)
            assert reader.digest() == expected
            assert reader.bytes_read == reader.total_bytes() == sum(map(len, contents))
            assert reader.bytes_stored == reader.total_stored() == sum(map(len, contents))


def test_the_digest_tells_where_one_input_ends(folder: Path) -> None:
    digests = set()
    for contents in ([b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"abc", b""], [b"", b"abc"]):
        reader = Reader(Reading(paths=written(folder, contents)))
        list(reader)
        digests.add(reader.digest())
    assert len(digests) == 5


@pytest.mark.parametrize("per", ["file", "line", "paragraph"])
@pytest.mark.parametrize("block_size", [1, 100, 1 << 20])
def test_a_nul_in_the_first_8_kib_tells_a_binary_file(
    folder: Path, per: Unit, block_size: int
) -> None:
    (path,) = written(folder, [BOM + b"word\n" * 1000 + b"\0"])
    with pytest.raises(GaiError) as caught:
        list(Reader(Reading(paths=(path,), per=per, block_size=block_size)))
    assert caught.value.message == f"{path}: looks binary (NUL at byte 5003)"
    assert "--text" in caught.value.hint


def test_a_nul_further_on_or_with_text_is_a_character(folder: Path, documents: Read) -> None:
    late, early = b"words   " * 1024 + b"\0", b"a\0b"
    paths = written(folder, [late, early])
    for block_size in (1000, 1 << 20):
        reading = Reading(paths=paths[:1], block_size=block_size, split_documents=True)
        assert documents(reading) == [(paths[0], late)]
    assert documents(Reading(paths=paths[1:], text=True)) == [(paths[1], early)]


def test_utf16_is_recognised_as_such(folder: Path) -> None:
    (path,) = written(folder, ["text".encode("utf-16")])
    with pytest.raises(GaiError, match="looks binary") as caught:
        list(Reader(Reading(paths=(path,))))
    assert "UTF-16" in caught.value.hint


def test_a_pipe_is_read_to_its_end_however_it_trickles(tmp_path: Path, documents: Read) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for byte in b"a\nbc\nd":
                file.write(bytes([byte]))

    writer = threading.Thread(target=write)
    reading = Reading(paths=(str(path),), per="line", block_size=3)
    assert Reader(reading).total_bytes() is None
    assert Reader(reading).files == []
    writer.start()
    assert [text for _, text in documents(reading)] == [b"a", b"bc", b"d"]
    writer.join()


def test_batches_of_one_iteration_share_no_memory(folder: Path) -> None:
    (path,) = written(folder, [b"abc\n" * 100])
    batches = list(Reader(Reading(paths=(path,), per="line", block_size=40)))
    for before, after in pairwise(batches):
        assert not np.shares_memory(before.data, after.data)
