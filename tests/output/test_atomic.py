"""Files that appear complete or not at all; failures that say which file and why."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from matrices import as_result, large, sentences

from gai.errors import GaiError
from gai.output import RowBlock, atomic, check, write
from gai.output.atomic import Sink, staged


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(b"old")
    with staged(str(path)) as (sink,):
        sink.write(b"new ")
        sink.write(memoryview(b"bytes"))
        assert path.read_bytes() == b"old"
        (temporary,) = [name for name in names(tmp_path) if name != "x.tsv"]
        assert temporary.startswith(".x.tsv.")
        assert temporary.endswith(".tmp")
    assert names(tmp_path) == ["x.tsv"]
    assert path.read_bytes() == b"new bytes"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_nothing_is_left_of_a_failed_write(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "x.mtx").write_bytes(b"old")
    paths = [str(tmp_path / name) for name in ("x.mtx", "x.terms", "x.docs")]

    def fail() -> None:
        with staged(*paths) as sinks:
            for sink in sinks:
                sink.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == ["x.mtx"]
    assert (tmp_path / "x.mtx").read_bytes() == b"old"


@pytest.mark.parametrize("format", ["tsv", "npz", "mtx", "parquet", "tsv.gz"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_nothing_is_left_when_a_task_fails(tmp_path: Path, format: str, jobs: int) -> None:
    result = large(tasks=9)

    def interrupted() -> RowBlock:
        raise KeyboardInterrupt

    result.tasks = [*result.tasks[:5], interrupted, *result.tasks[6:]]
    with pytest.raises(KeyboardInterrupt):
        write(result, tmp_path / f"x.{format}", jobs=jobs)
    assert names(tmp_path) == []


def test_tasks_after_a_failed_one_are_not_begun(tmp_path: Path) -> None:
    result, begun = large(tasks=200), []

    def fail() -> RowBlock:
        raise ValueError("spilled file is gone")

    def counted(task: object) -> RowBlock:
        begun.append(task)
        return task()  # type: ignore[operator]

    later = [lambda task=task: counted(task) for task in result.tasks]
    result.tasks = [fail, *later]
    with pytest.raises(ValueError, match="spilled file"):
        write(result, tmp_path / "x.npz", jobs=2)
    assert len(begun) < 10


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(sentences(), tmp_path / "x.npz")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.npz").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "x.tsv").symlink_to("there/y.tsv")
    write(sentences(), tmp_path / "x.tsv")
    assert (tmp_path / "x.tsv").is_symlink()
    assert (tmp_path / "there" / "y.tsv").read_bytes().startswith(b"a.txt\t")
    assert names(tmp_path / "there") == ["y.tsv"]


def test_a_long_name_has_room_for_a_temporary_one(tmp_path: Path) -> None:
    name = "é" * 125 + ".tsv"
    write(sentences(), tmp_path / name)
    assert names(tmp_path) == [name]


def test_special_files_take_the_bytes_at_once(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(sentences(), pipe, "tsv")
    reader.join()
    assert got[0].startswith(b"a.txt\tcat\t1\n")
    assert pipe.is_fifo()
    for format in ("tsv", "npz", "mtx", "parquet"):
        write(sentences(), "/dev/null", format)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
@pytest.mark.parametrize("format", ["tsv", "npz", "parquet", "jsonl"])
def test_a_full_device_is_an_error(format: str) -> None:
    with pytest.raises(GaiError, match="disk full while writing /dev/full"):
        write(sentences(), "/dev/full", format)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; /dev/full is tested everywhere")
    options = [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path]
    if subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets nobody mount a small disk; /dev/full is tested everywhere")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("format", ["npz", "tsv", "tsv.gz", "mtx", "parquet"])
def test_a_full_disk_is_an_error_and_keeps_the_old_file(small_disk: Path, format: str) -> None:
    path = small_disk / f"x.{format}"
    write(sentences(), path)
    before = {name: (small_disk / name).read_bytes() for name in names(small_disk)}
    with pytest.raises(GaiError, match=r"^disk full while writing .*x\."):
        write(large(), path, jobs=2)
    assert {name: (small_disk / name).read_bytes() for name in names(small_disk)} == before


class Failing:
    """A file that fails when it is closed, as network file systems may."""

    def __init__(self, number: int) -> None:
        self.number = number

    def write(self, piece: memoryview) -> int:
        return min(3, len(piece))

    def close(self) -> None:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.EDQUOT, "disk full while writing x"), (errno.EIO, "cannot write x: Input/output")],
)
def test_a_failure_on_closing_counts(number: int, message: str) -> None:
    sink = Sink("x", Failing(number))
    assert sink.write(b"ten bytes.") == 10
    with pytest.raises(GaiError, match=message):
        sink.close()


def test_a_stream_that_takes_no_more_is_an_error() -> None:
    class Stuck(Failing):
        def write(self, piece: memoryview) -> None:
            return None

    with pytest.raises(GaiError, match="it takes no more bytes"):
        Sink("x", Stuck(0)).write(b"text")


def test_a_broken_pipe_is_not_an_error_of_gai() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb", buffering=0) as file, pytest.raises(BrokenPipeError):
        Sink("x", file).write(b"text")


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    for writes in (check, lambda path: write(sentences(), path)):
        with pytest.raises(GaiError, match="there is no folder") as caught:
            writes(tmp_path / "none" / "x.tsv")
        assert caught.value.hint.startswith("mkdir -p ")
        (tmp_path / "dir.tsv").mkdir(exist_ok=True)
        with pytest.raises(GaiError, match="it is a folder"):
            writes(tmp_path / "dir.tsv")
    assert names(tmp_path) == ["dir.tsv"]


def test_permissions_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.tsv").write_bytes(b"kept")
    monkeypatch.setattr(os, "access", lambda path, mode: os.path.isdir(path))
    with pytest.raises(GaiError, match="write-protected"):
        check(tmp_path / "x.tsv")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(GaiError, match="no permission"):
        write(sentences(), tmp_path / "y.tsv")
    assert names(tmp_path) == ["x.tsv"]


def test_check_writes_nothing(tmp_path: Path) -> None:
    check(tmp_path / "x.mtx")
    check("-")
    check("/dev/null", "tsv")
    assert names(tmp_path) == []


def test_writing_needs_no_fallocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(large(), tmp_path / "x.npz")

    def refuse(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    write(large(), tmp_path / "y.npz")
    monkeypatch.delattr(os, "posix_fallocate")
    write(large(), tmp_path / "z.npz")
    contents = {(tmp_path / name).read_bytes() for name in names(tmp_path)}
    assert len(contents) == 1


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from matrices import sentences
from gai.errors import GaiError
from gai.output import write
for line in {before!r}:
    print(line)
try:
    write(sentences(), "-", {format!r})
except GaiError as error:
    print(error, file=sys.stderr)
    sys.exit(error.code)
print("after")
"""


def piped(
    format: str, before: tuple[str, ...] = ("before",), **options: object
) -> subprocess.CompletedProcess[bytes]:
    path = [str(Path(__file__).parent), *sys.path]
    script = SCRIPT.format(path=path, format=format, before=before)
    return subprocess.run([sys.executable, "-c", script], check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_standard_output_keeps_its_order() -> None:
    done = piped("tsv", capture_output=True)
    assert done.stderr == b""
    assert done.stdout.startswith(b"before\na.txt\tcat\t1\n")
    assert done.stdout.endswith(b"b.txt\tthe\t2\nafter\n")


def test_npz_may_go_through_a_pipe(tmp_path: Path) -> None:
    done = piped("npz", capture_output=True)
    write(sentences(), tmp_path / "x.npz")
    assert done.stdout == b"before\n" + (tmp_path / "x.npz").read_bytes() + b"after\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_behind_standard_output() -> None:
    with open("/dev/full", "wb") as full:
        done = piped("tsv", before=(), stdout=full, stderr=subprocess.PIPE)
    assert done.stderr.startswith(b"disk full while writing standard output")


def test_closed_standard_output_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(GaiError, match="standard output is closed"):
        write(sentences(), "-")


def test_captured_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write(as_result(["a"], ["d"], [{"a": 0.5}], np.float64), "-")
    assert capsysbinary.readouterr().out == b"d\ta\t0.5\n"


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/null"])
def test_names_of_open_files_are_special(path: str) -> None:
    assert atomic.special(path)
