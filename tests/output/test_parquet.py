"""Parquet, read by pyarrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from matrices import as_result, contents, large

from gai.errors import MissingExtraError
from gai.output import check, parquet, write


@settings(max_examples=30)
@given(contents())
def test_pyarrow_reads_a_row_for_each_cell(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    terms, documents, rows, dtype = content
    path = tmp_path_factory.mktemp("parquet") / "x.parquet"
    write(as_result(terms, documents, rows, dtype), path)
    table = pq.read_table(path)
    assert table.schema.types == [pa.string(), pa.string(), pa.from_numpy_dtype(dtype)]
    back = [tuple(row.values()) for row in table.to_pylist()]
    named = zip(documents, rows, strict=True)
    wanted = [
        (document, term, row[term]) for document, row in named for term in terms if term in row
    ]
    assert back == wanted
    assert json.loads(table.schema.metadata[b"gai"])["documents"] == len(rows)


@pytest.mark.parametrize("jobs", [1, 2])
def test_bytes_do_not_depend_on_jobs_and_tasks(
    tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP", 10_000)
    write(large(tasks=1), tmp_path / "one.parquet")
    write(large(tasks=40), tmp_path / "many.parquet", jobs=jobs)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "many.parquet").read_bytes()
    file = pq.ParquetFile(tmp_path / "one.parquet")
    sizes = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
    assert set(sizes[:-1]) == {10_000}
    assert sum(sizes) == large().nnz


def test_an_id_that_is_no_utf8_becomes_text(tmp_path: Path) -> None:
    write(as_result(["a"], ["caf\udce9"], [{"a": 1}], np.int64), tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet")["document"].to_pylist() == ["caf?"]


def test_without_pyarrow_the_pip_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        check("x.parquet")
    assert caught.value.hint == "pip install 'gai[parquet]'"
