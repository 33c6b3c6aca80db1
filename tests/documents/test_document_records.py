"""JSON lines, CSV, TSV and Parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.documents import Batch, Reader, Reading
from gai.errors import GaiError, MissingExtraError

Documents = list[tuple[str, bytes]]
Read = Callable[[Reading], Documents]

BLOCK_SIZE = st.integers(1, 40)
TEXT = st.text(st.sampled_from('a",\n\r\t é\0\u2028'), max_size=12)


def written(path: Path, content: bytes | str) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def failure(path: str, **options: Any) -> str:
    """The message of the error that reading a file raises."""
    with pytest.raises(GaiError) as caught:
        list(Reader(Reading(paths=(path,), **options)))
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix(path)


@given(texts=st.lists(st.text(max_size=8), max_size=8), block_size=BLOCK_SIZE, ascii=st.booleans())
def test_json_lines_give_text_and_id(
    documents: Read, folder: Path, texts: list[str], block_size: int, ascii: bool
) -> None:
    lines = [
        json.dumps({"id": f"d{number}", "text": text}, ensure_ascii=ascii) + "\r\n"
        for number, text in enumerate(texts)
    ]
    path = written(folder / "a.jsonl", "\ufeff" + "\n".join(lines))
    reading = Reading(paths=(path,), block_size=block_size)
    assert documents(reading) == [(f"d{n}", text.encode()) for n, text in enumerate(texts)]


def test_the_id_of_a_json_line(tmp_path: Path, documents: Read) -> None:
    records = [
        {"text": "a", "id": 7, "key": "x"},
        {"text": "b", "id": "", "key": "y"},
        {"text": "c", "id": None, "key": -1},
        {"text": "d", "id": True, "key": "z"},
        {"text": "e", "key": "z"},
    ]
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)))
    ids = [id for id, _ in documents(Reading(paths=(path,)))]
    assert ids == ["7", *(f"{path}:{number}" for number in range(2, 6))]
    ids = [id for id, _ in documents(Reading(paths=(path,), id_field="key"))]
    assert ids == ["x", "y", "-1", "z", "z"]


def test_json_lines_from_standard_input(documents: Read, stdin: Callable[[bytes], None]) -> None:
    stdin(b'{"body": "a"}\n\n{"body": "b"}')
    found = documents(Reading(paths=("-",), input_format="jsonl", text_field="body"))
    assert found == [("-:1", b"a"), ("-:3", b"b")]
    stdin(b"[]")
    with pytest.raises(GaiError, match="standard input:1: a list, not an object"):
        list(Reader(Reading(paths=("-",), input_format="jsonl")))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", ":2: not JSON: Expecting property name enclosed in double quotes (column 2)"),
        ('{"text": "a"} x', ":2: not JSON: Extra data (column 15)"),
        ('{"a": 1, "b\\n": 2}', ":2: no field 'text' (fields: a, 'b\\n')"),
        ('{"text": 3}', ":2: field 'text' is a number, not a string"),
        ('{"text": null}', ":2: field 'text' is null, not a string"),
        ('{"text": [1]}', ":2: field 'text' is a list, not a string"),
        ('"text"', ":2: a string, not an object"),
        ("[" * 100_000, ":2: not JSON that can be read: "),
        ("1" * 10_000, ":2: not JSON that can be read: "),
    ],
)
def test_a_bad_json_line_is_named_or_skipped(
    tmp_path: Path, documents: Read, line: str, message: str
) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "a"}\n' + line + '\n{"text": "b"}\n')
    assert failure(path).startswith(message)
    assert failure(path, block_size=1).startswith(message)
    reading = Reading(paths=(path,), skip_bad=True)
    assert documents(reading) == [(f"{path}:1", b"a"), (f"{path}:3", b"b")]
    reader = Reader(reading)
    list(reader)
    assert reader.skipped == 1


def test_a_json_line_without_the_wanted_id_is_bad(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "a", "key": 1.5}\n')
    assert failure(path, id_field="name") == ":1: no field 'name' (fields: text, key)"
    assert failure(path, id_field="key").startswith(":1: field 'key' is a number, not a string")


def test_a_line_with_very_many_fields_is_named_briefly(tmp_path: Path) -> None:
    fields = {f"field{number}": 1 for number in range(1000)}
    path = written(tmp_path / "a.jsonl", json.dumps(fields))
    assert len(failure(path)) < 300


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_undecodable_bytes_in_records(tmp_path: Path, documents: Read, name: str) -> None:
    lines = {
        "a.jsonl": b'\xef\xbb\xbf{"id": 1, "text": "x"}\n{"id": 2, "text": "x\xff\xe2\x82y"}\n',
        "a.csv": b"\xef\xbb\xbfid,text\n1,x\n2,x\xff\xe2\x82y\n",
    }
    path = written(tmp_path / name, lines[name])
    offset, line = lines[name].index(b"\xff"), lines[name][: lines[name].index(b"\xff")].count(10)
    expected = f":{line + 1}: undecodable byte 0xff at byte {offset}: not UTF-8"
    for block_size in (1, 1000):
        assert failure(path, block_size=block_size) == expected
        assert failure(path, block_size=block_size, skip_bad=True) == expected
    replaced = documents(Reading(paths=(path,), errors="replace"))
    assert replaced[1] == ("2", "x\ufffd\ufffdy".encode())
    assert documents(Reading(paths=(path,), errors="ignore"))[1] == ("2", b"xy")


def test_lone_surrogates_that_json_spells(tmp_path: Path, documents: Read) -> None:
    line = r'{"id": "\ud83d\ude00", "text": "a\udc00\ud83d\ude00\ud800b"}'
    path = written(tmp_path / "a.jsonl", line)
    assert failure(path) == r":1: lone surrogate \udc00 in the text"
    id = "\U0001f600"
    assert documents(Reading(paths=(path,), errors="replace")) == [
        (id, "a\ufffd\U0001f600\ufffdb".encode())
    ]
    assert documents(Reading(paths=(path,), errors="ignore")) == [(id, "a\U0001f600b".encode())]


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t")])
@given(
    rows=st.lists(st.tuples(TEXT, TEXT), max_size=6),
    block_size=BLOCK_SIZE,
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    last_end=st.booleans(),
    id_field=st.sampled_from([None, "name"]),
)
def test_csv_gives_the_rows_of_a_plain_csv_reader(
    documents: Read,
    folder: Path,
    name: str,
    delimiter: str,
    rows: list[tuple[str, str]],
    block_size: int,
    end: str,
    last_end: bool,
    id_field: str | None,
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "text"), *rows])
    content = file.getvalue() if last_end else file.getvalue().removesuffix(end)
    path = written(folder / name, "\ufeff" + content)
    plain = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))[1:]
    expected = [
        ((row[0] if id_field else "") or f"{path}:{number}", row[1].encode())
        for number, row in enumerate(plain, start=1)
    ]
    reading = Reading(paths=(path,), block_size=block_size, id_field=id_field)
    assert documents(reading) == expected


def test_quoted_fields_keep_their_newlines(tmp_path: Path, documents: Read) -> None:
    path = written(tmp_path / "a.csv", 'id,text\r\n1,"a\r\nb ""c"", d"\r\n\r\n,e\r\n')
    assert documents(Reading(paths=(path,))) == [("1", b'a\r\nb "c", d'), (f"{path}:2", b"e")]


def test_a_missing_column_is_an_error_that_names_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "name, text\nx,y\n")
    assert failure(path) == ": no column 'text' (columns: name, ' text')"
    assert failure(path, text_field="name", id_field="id").startswith(": no column 'id'")


def test_a_row_too_short_is_named_or_skipped(tmp_path: Path, documents: Read) -> None:
    path = written(tmp_path / "a.csv", 'title,text\n"a\nb",c\nd\ne,f\n')
    assert failure(path) == ":4: record 2 has 1 fields, it needs 2"
    reading = Reading(paths=(path,), skip_bad=True)
    assert documents(reading) == [(f"{path}:1", b"c"), (f"{path}:3", b"f")]
    reader = Reader(reading)
    list(reader)
    assert reader.skipped == 1


@pytest.mark.parametrize("block_size", [1, 1000])
def test_a_quote_that_never_ends_does_not_swallow_the_rest(tmp_path: Path, block_size: int) -> None:
    path = written(tmp_path / "a.csv", 'text\n"a\nb"\n"c\n' + "d\n" * 100)
    message = ":4: this record opens a quote that never ends"
    assert failure(path, block_size=block_size) == message
    assert failure(path, block_size=block_size, skip_bad=True) == message


def test_a_field_larger_than_the_limit_of_the_csv_module(tmp_path: Path, documents: Read) -> None:
    path = written(tmp_path / "a.csv", "text\n" + "a" * 200_000)
    assert documents(Reading(paths=(path,), block_size=1000)) == [(f"{path}:1", b"a" * 200_000)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_records(
    tmp_path: Path, documents: Read, name: str, content: bytes
) -> None:
    path = written(tmp_path / name, content)
    assert documents(Reading(paths=(path,))) == []


def test_records_without_ids_are_numbered_compactly(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text\n" + "a\n" * 100)
    batches = list(Reader(Reading(paths=(path,), block_size=10)))
    assert len(batches) > 5
    assert all(batch.ids == path for batch in batches)
    assert [batch.restart for batch in batches] == [True] + [False] * (len(batches) - 1)


def parquet(path: Path, **columns: Any) -> str:
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return str(path)


@given(texts=st.lists(st.text(max_size=8), max_size=10), block_size=BLOCK_SIZE)
@pytest.mark.parametrize(
    "type",
    [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary()],
    ids=str,
)
def test_parquet_gives_text_and_id(
    documents: Read, folder: Path, type: pa.DataType, texts: list[str], block_size: int
) -> None:
    column = pa.array(texts, pa.binary() if type == pa.binary() else pa.string()).cast(type)
    path = parquet(folder / "a.parquet", key=list(range(len(texts))), text=column)
    reading = Reading(paths=(path,), block_size=block_size)
    expected = [text.encode() for text in texts]
    assert documents(reading) == [(f"{path}:{n}", text) for n, text in enumerate(expected, 1)]
    named = Reading(paths=(path,), block_size=block_size, id_field="key")
    assert documents(named) == [(f"{n}", text) for n, text in enumerate(expected)]
    reader = Reader(reading)
    list(reader)
    assert reader.bytes_read == reader.total_bytes() == Path(path).stat().st_size


def test_parquet_from_standard_input(
    tmp_path: Path, documents: Read, stdin: Callable[[bytes], None]
) -> None:
    path = parquet(tmp_path / "a", id=["x", None], text=["a", "b"])
    stdin(Path(path).read_bytes())
    found = documents(Reading(paths=("-",), input_format="parquet"))
    assert found == [("x", b"a"), ("-:2", b"b")]


def test_bad_rows_in_parquet_are_named_or_skipped(tmp_path: Path, documents: Read) -> None:
    path = parquet(tmp_path / "a.parquet", key=["x", "y", None], text=["a", None, "b"])
    assert failure(path) == ":2: the text is null"
    assert documents(Reading(paths=(path,), skip_bad=True)) == [
        (f"{path}:1", b"a"),
        (f"{path}:3", b"b"),
    ]
    reading = Reading(paths=(path,), skip_bad=True, id_field="key")
    assert documents(reading) == [("x", b"a")]


def test_parquet_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", number=[1, 2], raw=[b"a", b"\xff"])
    assert failure(path) == ": no column 'text' (columns: number, raw)"
    assert failure(path, text_field="number") == ": column 'number' is int64, not text"
    assert failure(path, text_field="raw") == ":2: undecodable byte 0xff at byte 0: not UTF-8"
    whole = Path(path).read_bytes()
    for content in (b"", b"text", whole[:-5], whole[:20] + whole[40:]):
        broken = written(tmp_path / "b.parquet", content)
        assert failure(broken, text_field="raw").startswith(": not a Parquet file")


def test_parquet_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "a.parquet", text=["a"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError) as caught:
        list(Reader(Reading(paths=(path,))))
    assert "gai[parquet]" in caught.value.hint


def test_formats_may_be_mixed_in_order(tmp_path: Path, documents: Read) -> None:
    texts = {"c.txt": "whole\n", "b.csv": "text\nrow\n", "a.txt": "more", "d.txt": "last"}
    paths = tuple(written(tmp_path / name, text) for name, text in texts.items())
    assert documents(Reading(paths=paths)) == [
        (paths[0], b"whole\n"),
        (f"{paths[1]}:1", b"row"),
        (paths[2], b"more"),
        (paths[3], b"last"),
    ]


def test_batches_of_records_name_their_source(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text\na\n")
    batches: list[Batch] = list(Reader(Reading(paths=(path,))))
    assert [batch.source for batch in batches] == [path]
