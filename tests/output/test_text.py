"""The text formats, against the programs that read them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import Rows, as_result, contents, large, sentences
from sklearn.datasets import load_svmlight_file

from gai.matrix import cut
from gai.output import cells, write
from gai.output.csv import quoted
from gai.output.tsv import escape, listed, unescape
from gai.output.writing import TEXT, module

SURROGATE = b"caf\xe9.txt".decode("utf-8", "surrogateescape")


def text_of(made: Any, format: str, jobs: int = 1) -> bytes:
    return b"".join(module(format).pieces(made, jobs))


def cells_of(documents: list[str], rows: Rows) -> list[tuple[str, str, float]]:
    named = zip(documents, rows, strict=True)
    return [(document, term, value) for document, row in named for term, value in row.items()]


@given(st.text())
def test_escaping_in_tsv_gives_one_field_and_comes_back(text: str) -> None:
    assert not set(escape(text)) & set("\t\n\r")
    assert unescape(escape(text)) == text


def test_escapes_are_the_four_of_the_manual() -> None:
    assert escape("a\\b\tc\nd\re") == r"a\\b\tc\nd\re"
    assert unescape(r"\\t") == r"\t"
    assert b"".join(listed(["a\tb", SURROGATE])) == b"a\\tb\ncaf\xe9.txt\n"


@settings(max_examples=60)
@given(contents(), st.sets(st.integers(1, 5)))
def test_tsv_reads_back(content: Any, cuts: set[int]) -> None:
    terms, documents, rows, dtype = content
    made = as_result(terms, documents, rows, dtype, [cut for cut in cuts if cut < len(rows)])
    lines = text_of(made, "tsv").decode().split("\n")[:-1]
    fields = [line.split("\t") for line in lines]
    back = [(unescape(document), unescape(term), value) for document, term, value in fields]
    wanted = [(document, term, repr(value)) for document, term, value in cells_of(documents, rows)]
    assert sorted(back) == sorted(wanted)


@settings(max_examples=60)
@given(contents())
def test_csv_reads_back(content: Any) -> None:
    terms, documents, rows, dtype = content
    text = text_of(as_result(terms, documents, rows, dtype), "csv").decode()
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header == ["document", "term", "value"]
    wanted = [(document, term, repr(value)) for document, term, value in cells_of(documents, rows)]
    assert sorted(map(tuple, lines)) == sorted(wanted)


@given(st.text(st.characters(exclude_characters="\r")))
def test_csv_quotes_as_python_does(text: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([text, ""])
    assert f"{quoted(text)},\n" == stream.getvalue()


@settings(max_examples=60)
@given(contents())
def test_jsonl_reads_back(content: Any) -> None:
    terms, documents, rows, dtype = content
    text = text_of(as_result(terms, documents, rows, dtype), "jsonl").decode()
    back = [json.loads(line) for line in text.split("\n")[:-1]]
    pairs = zip(documents, rows, strict=True)
    assert back == [{"id": document, "terms": row} for document, row in pairs]


def test_jsonl_is_json_for_numbers_and_names_that_json_has_not() -> None:
    rows: Rows = [{"a": math.inf, "b": math.nan, "c": 1.5}]
    made = as_result(["a", "b", "c"], [SURROGATE], rows, np.float64)
    text = text_of(made, "jsonl")
    assert text == b'{"id":"caf\\udce9.txt","terms":{"a":null,"b":null,"c":1.5}}\n'
    assert json.loads(text)["id"] == SURROGATE


@pytest.mark.parametrize("format", ["tsv", "csv"])
def test_file_names_that_are_no_utf8_pass_as_they_are(format: str) -> None:
    made = as_result(["a"], [SURROGATE], [{"a": 1}], np.int64)
    assert b"caf\xe9.txt" in text_of(made, format)


@settings(max_examples=40)
@given(contents())
def test_scipy_reads_matrix_market(content: Any) -> None:
    terms, documents, rows, dtype = content
    made = as_result(terms, documents, rows, dtype)
    if not terms or not documents:
        assert f"\n{len(documents)} {len(terms)} 0\n".encode() in text_of(made, "mtx")
        return
    matrix = scipy.io.mmread(io.BytesIO(text_of(made, "mtx")))
    assert matrix.shape == made.shape
    assert matrix.dtype == dtype
    expected = [[row.get(term, 0) for term in terms] for row in rows]
    np.testing.assert_array_equal(matrix.toarray(), np.array(expected, dtype))


@settings(max_examples=40)
@given(contents())
def test_scikit_learn_reads_svmlight(content: Any) -> None:
    terms, documents, rows, dtype = content
    text = text_of(as_result(terms, documents, rows, dtype), "svm")
    assert text.count(b"\n") == len(documents)
    if not terms or not documents:
        return
    matrix, labels = load_svmlight_file(io.BytesIO(text), n_features=len(terms))
    expected = [[row.get(term, 0) for term in terms] for row in rows]
    np.testing.assert_array_equal(matrix.toarray(), np.array(expected, np.float64))
    assert labels.tolist() == [0] * len(rows)


def test_the_formats_at_a_glance() -> None:
    made = sentences()
    assert text_of(made, "tsv").startswith(b"a.txt\tcat\t1\na.txt\tmat\t1\n")
    assert text_of(made, "csv").startswith(b"document,term,value\na.txt,cat,1\n")
    lines = text_of(made, "jsonl").splitlines()
    assert lines[0] == b'{"id":"a.txt","terms":{"cat":1,"mat":1,"on":1,"sat":1,"the":2}}'
    assert lines[2] == b'{"id":"empty.txt","terms":{}}'
    assert text_of(made, "svm") == b"0 3:1 5:1 6:1 7:1 8:2\n0 1:1 2:1 3:1 4:1 8:2\n0\n"
    head = text_of(made, "mtx").splitlines()
    assert head[0] == b"%%MatrixMarket matrix coordinate integer general"
    assert head[1].startswith(b"% gai kind:bow|tokenizer:word|")
    assert head[2:4] == [b"3 8 10", b"1 3 1"]
    assert b"coordinate real general" in text_of(sentences(np.float64), "mtx")


def test_many_names_are_listed_in_pieces() -> None:
    names = [f"term{number}" for number in range(40_000)]
    pieces = list(listed(names))
    assert len(pieces) == 3
    assert b"".join(pieces).decode().split("\n")[:-1] == names


def test_weights_are_the_shortest_digits_that_read_back() -> None:
    weights = [1 / 3, 1e-5, 1e16, 5e-324, 0.1 + 0.2, -2.0, 1.7976931348623157e308, 0.0, -0.0]
    assert cells.values(np.array(weights), repr).tolist() == [*map(repr, weights[:-1]), "0.0"]
    assert cells.values(np.array([3, 1, 3]), repr, "\n").tolist() == ["3\n", "1\n", "3\n"]


@pytest.mark.parametrize("format", TEXT)
@pytest.mark.parametrize("jobs", [1, 2])
def test_bytes_do_not_depend_on_jobs_tasks_and_blocks(
    format: str, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = text_of(large(300, 50, tasks=1), format)
    monkeypatch.setattr(cells, "cut", lambda block: cut(block, 7))
    assert text_of(large(300, 50, tasks=13), format, jobs) == whole


@given(st.lists(st.binary(max_size=40)), st.lists(st.binary(max_size=40)))
def test_gzip_tells_nothing_but_the_content(one: list[bytes], more: list[bytes]) -> None:
    pieces = [*one, *more]
    packed = b"".join(cells.gzipped(pieces))
    assert gzip.decompress(packed) == b"".join(pieces)
    assert packed == b"".join(cells.gzipped([b"".join(pieces)]))
    flags, time = packed[3], packed[4:8]
    assert (flags, time) == (0, bytes(4))


@given(st.lists(st.binary(max_size=20)), st.integers(1, 9))
def test_pieces_become_even(pieces: list[bytes], size: int) -> None:
    even = list(cells.evened(pieces, size))
    assert b"".join(even) == b"".join(pieces)
    assert {len(piece) for piece in even[:-1]} <= {size}


@pytest.mark.parametrize("format", TEXT)
def test_gz_in_the_name_compresses(tmp_path: Path, format: str) -> None:
    write(large(300, 50), tmp_path / f"x.{format}.gz", jobs=2)
    write(large(300, 50, tasks=3), tmp_path / f"x.{format}")
    packed = (tmp_path / f"x.{format}.gz").read_bytes()
    assert zlib.decompress(packed, 31) == (tmp_path / f"x.{format}").read_bytes()


@pytest.mark.parametrize(("name", "stem"), [("x.mtx", "x"), ("a.b.svm", "a.b"), ("x.mtx.gz", "x")])
def test_names_stand_beside_a_format_that_has_none(tmp_path: Path, name: str, stem: str) -> None:
    terms = ["a\tb", "é"]
    write(as_result(terms, ["d 1", "d\n2"], [{}, {}], np.int64), tmp_path / name)
    assert (tmp_path / f"{stem}.terms").read_text("utf-8") == "a\\tb\né\n"
    assert (tmp_path / f"{stem}.docs").read_text("utf-8") == "d 1\nd\\n2\n"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_jsonl() -> None:
    text = text_of(sentences(), "jsonl")
    done = subprocess.run(["jq", "-c", ".terms.the"], input=text, capture_output=True, check=True)
    assert done.stdout == b"2\n2\nnull\n"
