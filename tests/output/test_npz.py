"""Matrices in npz files, against SciPy, NumPy, zipfile and unzip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import Rows, as_result, contents, large, sentences

from gai.errors import GaiError
from gai.output import Result, RowBlock, load, npz, write
from gai.output.atomic import Sink, staged


def dense(terms: list[str], rows: Rows, dtype: Any) -> Any:
    return np.array([[row.get(term, 0) for term in terms] for row in rows], dtype).reshape(
        len(rows), len(terms)
    )


@settings(max_examples=60)
@given(contents(), st.sets(st.integers(0, 5)), st.integers(1, 3))
def test_scipy_and_gai_read_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, content: Any, cuts: set[int], jobs: int
) -> None:
    terms, documents, rows, dtype = content
    path = tmp_path_factory.mktemp("npz") / "x.npz"
    inside = [cut for cut in cuts if cut < len(rows)]
    write(as_result(terms, documents, rows, dtype, inside), path, jobs=jobs)
    expected = dense(terms, rows, dtype)
    matrix = sp.load_npz(path)
    assert matrix.format == "csr"
    assert matrix.dtype == dtype
    np.testing.assert_array_equal(matrix.toarray(), expected)
    stored = load(path)
    np.testing.assert_array_equal(stored.matrix.toarray(), expected)
    assert stored.shape == expected.shape
    assert list(stored.terms) == terms
    assert list(stored.documents) == documents
    assert stored.signature["documents"] == len(rows)
    assert stored.extra["df"].tolist() == [sum(term in row for row in rows) for term in terms]
    with np.load(path, allow_pickle=False) as arrays:
        assert {name: arrays[name].dtype.kind for name in arrays}["signature"] == "u"
        assert arrays["indptr"].dtype == np.int64
        assert arrays["indices"].dtype == np.int32
        assert arrays["terms_arena"].tobytes() == "".join(terms).encode()
        assert json.loads(arrays["signature"].tobytes()) == stored.signature


def test_other_zip_readers_accept_it(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    write(large(), path, jobs=2)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(member.compress_type == zipfile.ZIP_STORED for member in file.infolist())
    if (unzip := shutil.which("unzip")) is None:
        pytest.skip("no unzip on this machine; zipfile has accepted the file")
    done = subprocess.run([unzip, "-t", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors detected" in done.stdout


def test_arrays_lie_at_multiples_of_64(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    write(large(), path)
    stored = load(path)
    for array in (stored.indptr, stored.indices, stored.data, stored.terms.arena):
        assert array.ctypes.data % 64 == 0
        assert array.base is not None


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_bytes_do_not_depend_on_jobs_and_tasks(tmp_path: Path, jobs: int) -> None:
    write(large(tasks=1), tmp_path / "one.npz")
    write(large(tasks=57), tmp_path / "many.npz", jobs=jobs)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "many.npz").read_bytes()


def test_pieces_of_an_array_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "PIECE", 1000)
    write(large(), tmp_path / "x.npz", jobs=2)
    with zipfile.ZipFile(tmp_path / "x.npz") as file:
        assert file.testzip() is None


def test_a_changed_array_changes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    write(sentences(), path)
    before = path.read_bytes()
    stored = load(path)
    stored.matrix.data *= 2
    assert stored.matrix.sum() == 24
    assert path.read_bytes() == before


def test_stored_rows_are_those_of_the_result(tmp_path: Path) -> None:
    result = large()
    write(result, tmp_path / "x.npz")
    stored = load(tmp_path / "x.npz")
    blocks = list(stored.rows())
    assert [block.first for block in blocks] == sorted({block.first for block in blocks})
    _, indices, data = result.csr()
    np.testing.assert_array_equal(np.concatenate([block.indices for block in blocks]), indices)
    np.testing.assert_array_equal(np.concatenate([block.data for block in blocks]), data)
    assert "3000 documents, 500 terms" in repr(stored)


@pytest.mark.parametrize("drop", [0, 1, -1])
def test_missing_or_wrong_rows_are_noticed_and_leave_no_file(tmp_path: Path, drop: int) -> None:
    result = sentences()
    result.tasks = [task for place, task in enumerate(result.tasks) if place != drop % 3]
    if drop == -1:
        result.tasks = [result.tasks[0], result.tasks[0], result.tasks[1]]
    with pytest.raises(RuntimeError, match=r"cells? "):
        write(result, tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_stream_gets_the_same_bytes(tmp_path: Path) -> None:
    write(large(), tmp_path / "x.npz")
    pipe, chunks = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = Thread(target=lambda: chunks.append(pipe.read_bytes()))
    reader.start()
    with staged(str(pipe)) as (sink,):
        npz.write(large(), sink, jobs=2)
    reader.join()
    assert chunks == [(tmp_path / "x.npz").read_bytes()]
    assert pipe.is_fifo()


class Recorder(Sink):
    """A sink that keeps where bytes would have gone."""

    def allocate(self, size: int) -> None:
        self.stretches = [(size, 0)]

    def write_at(self, place: int, piece: bytes | memoryview) -> None:
        self.stretches.append((place, len(piece)))


def test_more_than_two_to_the_31_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, width = 41, 54_000_001
    indices, data = np.zeros(width, np.int32), np.zeros(width, np.int64)
    result = sentences()
    result.indptr = np.arange(rows + 1, dtype=np.int64) * width
    result.tasks = [
        lambda row=row: RowBlock(row, np.array([0, width]), indices, data) for row in range(rows)
    ]
    assert result.nnz > 1 << 31
    monkeypatch.setattr(npz.zlib, "crc32", lambda piece: 0)
    sink = Recorder("x", None, "temporary")  # type: ignore[arg-type]
    npz.write(result, sink)
    (end, _), *stretches = sorted(sink.stretches, reverse=True)
    for place, length in stretches:
        assert place + length == end, "there is a hole, or bytes were written twice"
        end = place
    assert end == 0
    assert 12 * result.nnz < sink.stretches[0][0] < 12 * result.nnz + 10_000


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "x.npz"
    write(sentences(), path)
    return path


def test_load_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match=r"cannot read .*none\.npz: No such file"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize("size", [4, 100, -1, -30])
def test_load_says_that_a_file_is_cut_short(written: Path, size: int) -> None:
    written.write_bytes(written.read_bytes()[:size])
    with pytest.raises(GaiError, match="cut short or damaged"):
        load(written)


@pytest.mark.parametrize("content", [b"", b"no npz at all" * 10, b"PK"])
def test_load_says_that_a_file_is_no_npz(written: Path, content: bytes) -> None:
    written.write_bytes(content)
    with pytest.raises(GaiError, match="is not an npz file"):
        load(written)


def test_load_refuses_the_npz_of_others(tmp_path: Path) -> None:
    sp.save_npz(tmp_path / "x.npz", sp.eye(3, format="csr"))
    with pytest.raises(GaiError, match="was not written by gai") as caught:
        load(tmp_path / "x.npz")
    assert "load_npz" in caught.value.hint


def test_load_reads_a_file_that_was_compressed_since(written: Path, tmp_path: Path) -> None:
    with np.load(written) as arrays:
        np.savez_compressed(tmp_path / "small.npz", **arrays)
    stored = load(tmp_path / "small.npz")
    assert (stored.matrix != sp.load_npz(written)).nnz == 0
    assert stored.terms[7] == "the"


def test_load_never_unpickles(written: Path, tmp_path: Path) -> None:
    with np.load(written) as arrays:
        content = {**arrays, "data": np.array([{"a": 1}], object)}
    np.savez(tmp_path / "evil.npz", **content)
    with pytest.raises(GaiError, match="damaged at data"):
        _ = load(tmp_path / "evil.npz").matrix


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("indptr", np.array([0, 5])),
        ("indptr", np.array([0, 5, 9, 99])),
        ("data", np.ones(3)),
        ("shape", np.array([3, 8, 1])),
        ("signature", np.frombuffer(b"[1, 2", np.uint8)),
        ("signature", np.frombuffer(b"[1, 2]", np.uint8)),
        ("terms_offsets", np.array([0, 5])),
        ("documents_runs", np.array([[9, 9, 9, 9]])),
    ],
)
def test_arrays_that_do_not_fit_are_noticed(written: Path, name: str, array: Any) -> None:
    with np.load(written) as arrays:
        content = {**arrays, name: array}
    np.savez(written, **content)
    stored = load(written)
    with pytest.raises(GaiError, match="damaged"):
        _ = stored.matrix, stored.signature, stored.terms, stored.documents


def test_a_result_gives_its_whole_matrix() -> None:
    result = sentences()
    indptr, indices, data = result.csr(jobs=2)
    matrix = sp.csr_matrix((data, indices, indptr), result.shape)
    assert matrix.toarray()[1].tolist() == [1, 1, 1, 1, 0, 0, 0, 2]
    assert isinstance(result, Result)
