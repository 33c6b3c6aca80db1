"""Records with labels: jsonl, csv, tsv, parquet, and fastText's lines."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.documents import Reader, Reading
from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import Raw, read, stream

CELL = st.text(st.sampled_from('a",\n\r\t é\u2028'), max_size=8)


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def lines_of(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def failure(path: str, config: Config | None = None, **options: Any) -> str:
    """The message of the error that reading raises."""
    with pytest.raises(GaiError) as caught:
        read((path,), config or Config(), **options)
    assert "\n" not in caught.value.message
    assert "skip-bad" not in caught.value.hint
    return caught.value.message.removeprefix(path)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the examples of a property share."""
    return tmp_path_factory.mktemp("records")


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """A function that puts bytes on standard input."""

    def put(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    return put


def test_banking77_is_read_as_the_csv_module_reads_it(corpora: Path) -> None:
    path = corpora / "banking77" / "train.csv"
    raw = read((str(path),), Config(label_field=("category",)))
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert raw.texts == [row["text"] for row in rows]
    assert raw.labels == [row["category"] for row in rows]
    assert len(set(raw.labels)) == 77
    assert raw.ids[9] == f"{path}:10"
    assert raw.sources == (str(path),)


def test_the_digest_is_that_of_documents(corpora: Path) -> None:
    path = str(corpora / "banking77" / "test.csv")
    reader = Reader(Reading(paths=(path,)))
    list(reader)
    assert read((path,), Config(label_field=("category",))).digest == reader.digest()


def test_compressed_records_are_the_same_and_have_the_same_digest(tmp_path: Path) -> None:
    content = lines_of({"text": "a", "label": "x"}, {"text": "b", "label": "y"})
    plain = read((written(tmp_path / "a.jsonl", content),), Config())
    packed = written(tmp_path / "b.jsonl.gz", gzip.compress(content.encode()))
    raw = read((packed,), Config())
    assert (raw.texts, raw.labels, raw.digest) == (plain.texts, plain.labels, plain.digest)
    assert list(raw.ids) == [f"{packed}:1", f"{packed}:2"]


def test_labels_of_json_are_spelled_as_json_spells_them(tmp_path: Path) -> None:
    labels = ["x", 1, 2.5, True, False, -3]
    records = [{"text": "a", "label": label} for label in labels]
    raw = read((written(tmp_path / "a.jsonl", lines_of(*records)),), Config())
    assert raw.labels == ["x", "1", "2.5", "true", "false", "-3"]


def test_a_list_is_several_labels_and_then_one_is_several_too(tmp_path: Path) -> None:
    labels: list[Any] = ["x", ["y", "x", "y"], [], [1]]
    records = [{"text": "a", "label": label} for label in labels]
    one = written(tmp_path / "a.jsonl", lines_of(*records))
    assert read((one,), Config()).labels == [("x",), ("y", "x"), (), ("1",)]
    plain = written(tmp_path / "b.jsonl", lines_of({"text": "b", "label": "z"}))
    assert read((plain, one), Config()).labels == [("z",), ("x",), ("y", "x"), (), ("1",)]


def test_a_separator_makes_several_labels_of_one_cell(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\na,x; y\nb,\nc,y\n")
    assert read((path,), Config(label_sep=";")).labels == [("x", "y"), (), ("y",)]


def test_the_fields_of_an_id_name_the_examples(tmp_path: Path) -> None:
    records = [{"text": "a", "label": "x", "id": 7}, {"text": "b", "label": "y"}]
    path = written(tmp_path / "a.jsonl", lines_of(*records))
    assert list(read((path,), Config()).ids) == ["7", f"{path}:2"]
    path = written(tmp_path / "a.csv", 'label,id,text\nx,k,a\ny,,"b\nb"\nz,,c\n')
    assert list(read((path,), Config()).ids) == ["k", f"{path}:2", f"{path}:3"]


def test_a_header_names_the_columns_of_a_file_without_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", '"3","a title","a text"\n"1","b title","b text"\n')
    config = Config(header=("label", "title", "text"), text_field="title+text")
    raw = read((path,), config)
    assert raw.texts == ["a title a text", "b title b text"]
    assert raw.labels == ["3", "1"]


def test_a_field_whose_name_holds_a_plus_is_one_field(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines_of({"c+c": "x", "c": "y", "label": "l"}))
    assert read((path,), Config(text_field="c+c")).texts == ["x"]
    assert read((path,), Config(text_field="c+c+c")).texts == ["y y y"]


def test_of_two_columns_with_one_name_the_first_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,text,label\na,b,x\n")
    assert read((path,), Config()).texts == ["a"]


@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), tab=st.booleans())
def test_any_cells_come_back(folder: Path, rows: list[tuple[str, str]], tab: bool) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter="\t" if tab else ",", quoting=csv.QUOTE_ALL).writerows(
        [("label", "text"), *[("x" + label, text) for label, text in rows]]
    )
    path = written(folder / ("a.tsv" if tab else "a.csv"), file.getvalue())
    raw = read((path,), Config())
    assert raw.texts == [text for _, text in rows]
    assert raw.labels == ["x" + label for label, _ in rows]


@given(
    texts=st.lists(st.text(max_size=5), min_size=1, max_size=9),
    size=st.integers(1, 4),
    format=st.sampled_from(["jsonl", "txt"]),
)
def test_pieces_of_a_stream_are_the_whole(
    folder: Path, texts: list[str], size: int, format: str
) -> None:
    if format == "txt":
        texts = [text.replace("\n", " ").replace("\r", " ").replace("\0", "") for text in texts]
    content = "".join(
        text + "\n" if format == "txt" else json.dumps({"text": text}) + "\n" for text in texts
    )
    path = written(folder / f"stream.{format}", content)
    pieces = list(stream((path,), Config(), size=size))
    assert [len(piece) for piece in pieces[:-1]] == [size] * (len(pieces) - 1)
    assert [text for piece in pieces for text in piece.texts or []] == texts
    assert [id for piece in pieces for id in piece.ids] == [
        f"{path}:{number}" for number in range(1, len(texts) + 1)
    ]
    whole = read((path,), Config(), labelled=False)
    assert whole.texts == texts
    assert whole.labels is None


def test_a_stream_reads_no_further_than_it_must(stdin: Callable[[bytes], None]) -> None:
    stdin((b"a line\n" * 1_000_000) + b"\xff\n")
    pieces = stream(("-",), Config(), size=1000)
    assert next(pieces).texts == ["a line"] * 1000


def test_lines_are_counted_on_from_block_to_block(stdin: Callable[[bytes], None]) -> None:
    stdin(b"a long line of text " * 40 + b"\n" + b"a" * 5_000_000 + b"\nb\nc")
    raw = read(("-",), Config(), labelled=False)
    assert list(raw.ids) == ["-:1", "-:2", "-:3", "-:4"]
    assert raw.texts is not None
    assert [len(text) for text in raw.texts] == [800, 5_000_000, 1, 1]


def test_an_empty_stream_has_no_pieces(stdin: Callable[[bytes], None]) -> None:
    stdin(b"")
    assert list(stream(("-",), Config())) == []


def test_json_lines_on_standard_input_need_their_name(stdin: Callable[[bytes], None]) -> None:
    content = lines_of({"text": "a"}, {"text": "b"}).encode()
    stdin(content)
    with pytest.raises(UsageError, match="standard input looks like JSON lines"):
        list(stream(("-",), Config()))
    stdin(content)
    (piece,) = stream(("-",), Config(input_format="jsonl"))
    assert piece.texts == ["a", "b"]
    stdin(content)
    (piece,) = stream(("-",), Config(input_format="text"))
    assert piece.texts == ['{"text": "a"}', '{"text": "b"}']
    stdin(b"{a line} in braces\n")
    assert next(stream(("-",), Config())).texts == ["{a line} in braces"]


def test_standard_input_is_read_once(stdin: Callable[[bytes], None]) -> None:
    stdin(b"a\n")
    with pytest.raises(UsageError, match="more than once"):
        read(("-", "-"), Config(), labelled=False)


def test_an_empty_text_is_an_example(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\n,x\nb,y\n")
    assert read((path,), Config()).texts == ["", "b"]
    path = written(tmp_path / "a.txt", "a\r\n\r\nb")
    assert read((path,), Config(), labelled=False).texts == ["a", "", "b"]


def test_labels_are_not_looked_for_where_none_are_wanted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", lines_of({"text": "a", "label": None}, {"text": "b"}))
    raw = read((path,), Config(), labelled=False)
    assert (raw.texts, raw.labels) == (["a", "b"], None)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "a", "tag": "x"}, ":2: no field 'label' (fields: text, tag)"),
        ({"label": "x", "body": "a"}, ":2: no field 'text' (fields: label, body)"),
        ({"text": 5, "label": "x"}, ":2: field 'text' is a number, not a string"),
        ({"text": "a", "label": None}, ":2: field 'label' is null, not a label"),
        ({"text": "a", "label": {}}, ":2: field 'label' is an object, not a label"),
        ({"text": "a", "label": ["x", None]}, ":2: field 'label' is null, not a label"),
        ({"text": "a", "label": ["x", ["y"]]}, ":2: field 'label' is a list, not a label"),
        ({"text": "a", "label": math.nan}, ":2: field 'label' is NaN, not a label"),
        ({"text": "a", "label": ""}, ":2: the label is empty (field 'label')"),
        ([1], ":2: a list, not an object"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, record: Any, message: str) -> None:
    good = {"text": "a", "label": "x"}
    assert failure(written(tmp_path / "a.jsonl", lines_of(good, record))) == message


def test_a_column_that_is_not_there_is_named_with_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b,label\n1,2,x\n")
    assert failure(path) == ":2: no field 'text' (fields: a, b, label)"
    path = written(tmp_path / "b.csv", 'text,label\n"a\nb",x\nc\n')
    assert failure(path) == ":4: no field 'label' (fields: text)"


def test_undecodable_bytes_are_named_replaced_or_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b"text,label\na\xffb,x\n")
    assert failure(path) == ":2: undecodable byte 0xff at byte 12: not UTF-8"
    assert read((path,), Config(errors="replace")).texts == ["a\ufffdb"]
    assert read((path,), Config(errors="ignore")).texts == ["ab"]


@pytest.mark.parametrize("field", ["text", "label"])
def test_lone_surrogates_go_no_further(tmp_path: Path, field: str) -> None:
    record = {"text": "a", "label": "x", field: "a\ud800b"}
    path = written(tmp_path / "a.jsonl", lines_of(record))
    assert failure(path) == r":1: lone surrogate \ud800 in the text"
    raw = read((path,), Config(errors="replace"))
    assert "a\ufffdb" in [*(raw.texts or []), *(raw.labels or [])]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt"])
def test_a_file_without_examples_is_an_error(tmp_path: Path, name: str) -> None:
    assert failure(written(tmp_path / name, "")) == ": no examples in there"


def test_a_missing_file_is_named_before_anything_is_read(tmp_path: Path) -> None:
    bad = written(tmp_path / "a.jsonl", "no JSON")
    with pytest.raises(GaiError, match=r"nowhere\.csv: no such file"):
        read((bad, str(tmp_path / "nowhere.csv")), Config())


def test_several_files_come_one_after_the_other(tmp_path: Path) -> None:
    a = written(tmp_path / "a.csv", "text,label\na,x\n")
    b = written(tmp_path / "b.jsonl", lines_of({"text": "b", "label": "y"}))
    raw = read((b, a), Config())
    assert (raw.texts, raw.labels) == (["b", "a"], ["y", "x"])
    assert list(raw.ids) == [f"{b}:1", f"{a}:1"]
    assert raw.sources == (b, a)
    assert raw.digest != read((a, b), Config()).digest


def test_files_of_different_kinds_are_not_mixed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\na,x\n")
    with pytest.raises(GaiError, match=r"@iris:1: rows of 4 numbers, but .*a.csv:1: texts"):
        read((path, "@iris"), Config())


def test_numbers_are_read_by_their_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b,c,label\n1,x,-2.5,p\n3e2,y, 4 ,q\n")
    raw = read((path,), Config(columns=("c", "a")))
    assert raw.array is not None
    assert raw.array.dtype == np.float32
    assert raw.array.tolist() == [[-2.5, 1.0], [4.0, 300.0]]
    assert (raw.labels, raw.columns, raw.texts) == (["p", "q"], ("c", "a"), None)


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_of_32_bits_come_back_exactly(folder: Path, values: list[float]) -> None:
    records = [{"a": value, "label": value} for value in values]
    path = written(folder / "numbers.jsonl", lines_of(*records))
    raw = read((path,), Config(columns=("a",), task="regress"))
    assert raw.array is not None
    assert raw.array[:, 0].tolist() == values
    assert isinstance(raw.labels, np.ndarray)
    assert raw.labels.dtype == np.float64
    assert raw.labels.tolist() == [[value] for value in values]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("", "empty, not a number"),
        (" ", "empty, not a number"),
        ("abc", "'abc', not a number"),
        ("nan", "'nan', not a finite number of 32 bits"),
        ("-inf", "'-inf', not a finite number of 32 bits"),
        ("1e39", "'1e39', not a finite number of 32 bits"),
    ],
)
@pytest.mark.parametrize("field", ["b", "label"])
def test_what_is_no_number_is_named_by_line_and_column(
    tmp_path: Path, cell: str, shown: str, field: str
) -> None:
    cells = {"a": "1", "b": "2", "label": "3", field: cell}
    path = written(tmp_path / "a.csv", "a,b,label\n0,0,0\n" + ",".join(cells.values()) + "\n")
    config = Config(columns=("a", "b"), task="regress")
    assert failure(path, config) == f":3: column {field!r} is {shown}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null, not a number"),
        ([1], "a list, not a number"),
        (math.nan, "nan, not a finite number of 32 bits"),
        (10**400, "not a number"),
    ],
)
def test_what_is_no_number_in_json_is_named(tmp_path: Path, value: Any, shown: str) -> None:
    path = written(tmp_path / "a.jsonl", lines_of({"a": value, "label": "x"}))
    assert failure(path, Config(columns=("a",))).endswith(shown)


def test_several_targets_are_numbers_together(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,y,z\na,1,2\nb,3,4\n")
    for task in ("regress", "classify"):  # the task is decided when the labels are known
        raw = read((path,), Config(task=task, label_field=("z", "y")))
        assert isinstance(raw.labels, np.ndarray)
        assert raw.labels.tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_a_stream_of_numbers_needs_no_labels(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b\n1,2\n3,4\n5,6\n")
    pieces = list(stream((path,), Config(columns=("a", "b"), task="regress"), size=2))
    assert [piece.array.tolist() for piece in pieces if piece.array is not None] == [
        [[1, 2], [3, 4]],
        [[5, 6]],
    ]


def test_parquet_has_the_same_fields(tmp_path: Path) -> None:
    table = {"text": ["a", "b"], "label": ["x", "y"], "n": [1.5, 2.0], "id": ["i", None]}
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table(table), path)
    raw = read((path,), Config())
    assert (raw.texts, raw.labels) == (["a", "b"], ["x", "y"])
    assert list(raw.ids) == ["i", f"{path}:2"]
    assert (
        raw.digest
        == hashlib.sha256(
            Path(path).read_bytes() + Path(path).stat().st_size.to_bytes(8, "little")
        ).hexdigest()
    )
    numbers = read((path,), Config(columns=("n",)))
    assert numbers.array is not None
    assert numbers.array.tolist() == [[1.5], [2.0]]


def test_lines_of_fasttext_have_labels_in_front(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "__label__x a b\r\n\n__label__y\tc  d\n__label__x\n")
    raw = read((path,), Config())
    assert (raw.texts, raw.labels) == (["a b", "c  d", ""], ["x", "y", "x"])
    assert list(raw.ids) == [f"{path}:1", f"{path}:3", f"{path}:4"]
    path = written(tmp_path / "b.txt", "__label__x __label__y a\n__label__z b\n")
    assert read((path,), Config()).labels == [("x", "y"), ("z",)]
    assert read((path,), Config(), labelled=False).texts == ["a", "b"]


def test_text_without_labels_is_no_training_data(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "__label__x a\nb\n")
    assert failure(path) == ":2: a line without a label"


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.bin", b"a\0b\n")
    for task in ("classify", "lm"):
        message = failure(path, Config(task=task), labelled=False)
        assert message == ": looks binary (NUL among its first bytes)"


def test_a_language_model_reads_whole_files(tmp_path: Path) -> None:
    a = written(tmp_path / "a.txt", "\ufeffa\r\n\nb")
    b = written(tmp_path / "b.txt", "c\n")
    raw = read((a, b), Config(task="lm"))
    assert (raw.texts, raw.labels, list(raw.ids)) == (["a\r\n\nb", "c\n"], None, [a, b])
    records = written(tmp_path / "a.jsonl", lines_of({"text": "x"}, {"text": "y"}))
    assert read((records,), Config(task="lm")).texts == ["x", "y"]


def test_examples_are_taken_in_any_order(corpora: Path) -> None:
    raw = read((str(corpora / "banking77" / "test.csv"),), Config(label_field=("category",)))
    assert raw.texts is not None
    assert isinstance(raw.labels, list)
    rows = np.array([5, 0, 5])
    taken = raw.take(rows)
    assert isinstance(taken, Raw)
    assert taken.texts == [raw.texts[5], raw.texts[0], raw.texts[5]]
    assert taken.labels == [raw.labels[5], raw.labels[0], raw.labels[5]]
    assert taken.ids == [raw.ids[5], raw.ids[0], raw.ids[5]]
    assert (len(taken), taken.digest) == (3, raw.digest)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "config", "count", "classes"),
    [
        ("ag_news/test.csv", {"header": ("label", "title", "text")}, 7600, 4),
        ("ag_news_alps/dev.tsv", {"header": ("text", "label")}, 10001, 4),
        ("sst2_glue/dev.tsv", {"text_field": "sentence"}, 6735, 2),
        ("banking77/train.csv", {"label_field": ("category",)}, 10003, 77),
    ],
)
def test_known_sets_have_as_many_examples_and_classes_as_they_say(
    data: Path, name: str, config: dict[str, Any], count: int, classes: int
) -> None:
    raw = read((str(data / "labelled" / name),), Config(**config))
    assert len(raw) == count
    assert isinstance(raw.labels, list)
    assert len(Counter(raw.labels)) == classes
