"""From paths as typed to inputs: folders, lists of files, URLs, and what cannot be read."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest

from gai.documents import Reader, Reading
from gai.errors import GaiError, MissingExtraError, UsageError

Read = Callable[[Reading], list[tuple[str, bytes]]]


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def paths_of(reading: Reading) -> list[str]:
    return [source.path for source in Reader(reading).sources]


@contextmanager
def powerless() -> Iterator[None]:
    """As a user whom permissions bind, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_is_walked_in_the_order_of_code_points(tmp_path: Path) -> None:
    names = ["b", "a/z", "a/B/c", "a.txt", "Z", "é", "a0"]
    tree(tmp_path, *names, ".hidden", ".git/config", "a/.hidden")
    found = paths_of(Reading(paths=(str(tmp_path),)))
    assert found == [f"{tmp_path}/{name}" for name in sorted(names)]


def test_paths_stay_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, "docs/a.txt")
    monkeypatch.chdir(tmp_path)
    typed = ("docs", "docs/", "./docs", "docs/a.txt", "./docs//a.txt")
    assert paths_of(Reading(paths=typed)) == [
        "docs/a.txt",
        "docs/a.txt",
        "./docs/a.txt",
        "docs/a.txt",
        "./docs//a.txt",
    ]


def test_glob_chooses_by_name_inside_folders_only(tmp_path: Path) -> None:
    tree(tmp_path, "docs/a.txt", "docs/b.md", "docs/deep/c.txt", "docs/D.TXT", "d.md")
    found = paths_of(Reading(paths=(f"{tmp_path}/docs", f"{tmp_path}/d.md"), glob="*.txt"))
    assert [path.removeprefix(f"{tmp_path}/") for path in found] == [
        "docs/a.txt",
        "docs/deep/c.txt",
        "d.md",
    ]


def test_links_to_files_are_read_and_links_to_folders_left_alone(tmp_path: Path) -> None:
    tree(tmp_path, "docs/a.txt", "far/b.txt")
    (tmp_path / "docs/link.txt").symlink_to("../far/b.txt")
    (tmp_path / "docs/loop").symlink_to(".")
    os.mkfifo(tmp_path / "docs/pipe")
    found = paths_of(Reading(paths=(f"{tmp_path}/docs",)))
    assert [os.path.basename(path) for path in found] == ["a.txt", "link.txt"]


def test_a_link_to_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("nothing")
    with pytest.raises(GaiError, match=r"link\.txt: no such file"):
        Reader(Reading(paths=(str(tmp_path),)))


def test_a_folder_without_matches_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match="no files in this folder"):
        Reader(Reading(paths=(str(tmp_path),)))
    tree(tmp_path, "a.md")
    with pytest.raises(GaiError, match=r"match \*\.txt"):
        Reader(Reading(paths=(str(tmp_path),), glob="*.txt"))


def test_a_missing_file_is_an_error_before_any_work(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt")
    missing = f"{tmp_path}/b.txt"
    with pytest.raises(GaiError) as caught:
        Reader(Reading(paths=(f"{tmp_path}/a.txt", missing)))
    assert caught.value.message == f"{missing}: no such file"


def test_a_pattern_that_the_shell_left_alone_is_explained() -> None:
    with pytest.raises(GaiError) as caught:
        Reader(Reading(paths=("nothing/*.txt",)))
    assert "pattern" in caught.value.hint


@pytest.mark.parametrize("path", ["a.txt/b", "a\0b", "x" * 300])
def test_paths_that_cannot_be_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    tree(tmp_path, "a.txt")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GaiError):
        Reader(Reading(paths=(path,)))


def test_an_unreadable_file_is_an_error_before_any_work() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        tree(folder, "a.txt", "deep/b.txt")
        (folder / "a.txt").chmod(0)
        with powerless(), pytest.raises(GaiError) as caught:
            Reader(Reading(paths=(f"{folder}/a.txt",)))
        assert caught.value.message == f"{folder}/a.txt: permission denied"
        (folder / "a.txt").chmod(0o644)
        (folder / "deep").chmod(0)
        with powerless(), pytest.raises(GaiError) as caught:
            Reader(Reading(paths=(str(folder),)))
        assert caught.value.message == f"{folder}/deep: permission denied"
        (folder / "deep").chmod(0o755)


def test_a_file_that_vanishes_after_all_is_an_error(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt")
    reader = Reader(Reading(paths=(f"{tmp_path}/a.txt",)))
    (tmp_path / "a.txt").unlink()
    with pytest.raises(GaiError, match="no such file"):
        list(reader)
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(GaiError, match="is a directory"):
        list(reader)


def test_lists_of_files_come_after_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "a.txt", "b c.txt", "d/e.txt", "f\ng.txt")
    monkeypatch.chdir(tmp_path)
    Path("lines").write_bytes(b"\xef\xbb\xbfb c.txt\r\n\nd\n")
    Path("nuls").write_bytes(b"f\ng.txt\0a.txt\0")
    reading = Reading(paths=("a.txt",), files_from="lines", files0_from="nuls")
    assert paths_of(reading) == ["a.txt", "b c.txt", "d/e.txt", "f\ng.txt", "a.txt"]
    assert Reader(reading).files == ["lines", "nuls", *paths_of(reading)]


def test_a_list_of_files_on_standard_input(
    tmp_path: Path, stdin: Callable[[bytes], None], documents: Read
) -> None:
    tree(tmp_path, "a.txt")
    stdin(f"{tmp_path}/a.txt".encode())
    assert documents(Reading(files_from="-")) == [(f"{tmp_path}/a.txt", b"a.txt")]


def test_an_empty_list_or_a_missing_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n\n")
    with pytest.raises(GaiError, match="names no files"):
        Reader(Reading(files_from=f"{tmp_path}/empty"))
    with pytest.raises(GaiError, match="no such file"):
        Reader(Reading(files_from=f"{tmp_path}/missing"))
    with pytest.raises(GaiError, match="is a directory"):
        Reader(Reading(files0_from=str(tmp_path)))


def test_standard_input_can_be_named_only_once(stdin: Callable[[bytes], None]) -> None:
    stdin(b"-")
    with pytest.raises(UsageError):
        Reader(Reading(paths=("-", "-")))
    with pytest.raises(UsageError):
        Reader(Reading(paths=("-",), files_from="-"))
    with pytest.raises(UsageError):
        Reader(Reading(files_from="-"))


def test_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(GaiError, match="standard input: closed"):
        list(Reader(Reading(paths=("-",))))


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.txt", "text"),
        ("a", "text"),
        ("a.JSONL", "jsonl"),
        ("a.ndjson.gz", "jsonl"),
        ("a.csv", "csv"),
        ("a.tsv.zst", "tsv"),
        ("a.parquet", "parquet"),
        ("a.gz", "text"),
        ("csv", "text"),
    ],
)
def test_the_extension_says_the_format(tmp_path: Path, name: str, format: str) -> None:
    tree(tmp_path, name)
    path = f"{tmp_path}/{name}"
    (source,) = Reader(Reading(paths=(path,))).sources
    assert (source.format, source.per) == (format, "file" if format == "text" else "record")
    (source,) = Reader(Reading(paths=(path,), input_format="tsv")).sources
    assert (source.format, source.per) == ("tsv", "record")


def test_a_unit_other_than_the_record_contradicts_a_format_of_records(tmp_path: Path) -> None:
    tree(tmp_path, "a.csv")
    path = f"{tmp_path}/a.csv"
    with pytest.raises(UsageError, match=r"a\.csv is csv"):
        Reader(Reading(paths=(path,), per="file"))
    Reader(Reading(paths=(path,), per="line"))
    Reader(Reading(paths=(path,), per="file", input_format="text"))


def test_options_that_cannot_be_are_usage_errors() -> None:
    for wrong in ({"per": "word"}, {"input_format": "xml"}, {"errors": "x"}, {"block_size": 0}):
        with pytest.raises(UsageError):
            Reading(**wrong)


@pytest.fixture
def remote() -> Iterator[fsspec.AbstractFileSystem]:
    memory = fsspec.filesystem("memory")
    yield memory
    memory.store.clear()


def test_urls_are_read_through_fsspec(remote: fsspec.AbstractFileSystem, documents: Read) -> None:
    remote.pipe("/docs/a.txt", b"some text\n" * 1000)
    remote.pipe("/docs/b.csv", b"text\nx\n")
    urls = ("memory://docs/a.txt", "memory://docs/b.csv?version=1")
    remote.pipe("/docs/b.csv?version=1", b"text\nx\n")
    reading = Reading(paths=urls, block_size=100)
    assert documents(reading) == [(urls[0], b"some text\n" * 1000), (f"{urls[1]}:1", b"x")]
    reader = Reader(reading)
    assert reader.files == []
    assert reader.total_bytes() is None
    assert reader.total_stored() is None


def test_a_url_without_a_file_is_an_error() -> None:
    with pytest.raises(GaiError, match="memory://nothing: no such file"):
        list(Reader(Reading(paths=("memory://nothing",))))


def test_an_unknown_protocol_is_an_error() -> None:
    with pytest.raises(GaiError, match="zz9://a: protocol not known"):
        list(Reader(Reading(paths=("zz9://a",))))


def test_a_url_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError) as caught:
        Reader(Reading(paths=("https://example.org/a.txt",)))
    assert "gai[url]" in caught.value.hint
