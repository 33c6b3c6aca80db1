"""From paths as typed to the list of what is read: folders walked, lists of files expanded."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO, Literal

from gai.documents.reading import Format, Reading, Unit
from gai.errors import GaiError, MissingExtraError, UsageError

STDIN = "-"
STDIN_NAME = "standard input"
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}


@dataclass(frozen=True)
class Source:
    """One input: a file, a URL or standard input."""

    path: str  # as typed; "-" is standard input
    format: Format
    per: Unit | Literal["record"]
    regular: bool  # a local file with a size, not a pipe or a device

    @property
    def name(self) -> str:
        """What messages call it."""
        return name_of(self.path)

    @property
    def remote(self) -> bool:
        return is_url(self.path)


def name_of(path: str) -> str:
    """What messages call a path."""
    return STDIN_NAME if path == STDIN else path


def is_url(path: str) -> bool:
    return "://" in path


def expand(reading: Reading) -> list[Source]:
    """Every input in order; raises GaiError where one is missing or cannot be read.

    A folder gives the files below it as ``find folder -type f | LC_ALL=C sort`` orders them;
    names that start with a dot are left out, links to folders are not followed.
    """
    paths = [os.fspath(path) for path in reading.paths]
    lists = [path for path in (reading.files_from, reading.files0_from) if path is not None]
    require_one_stdin(paths + lists)
    paths += _listed(reading.files_from, b"\n") + _listed(reading.files0_from, b"\0")
    require_one_stdin(paths + lists)
    files = [file for path in paths for file in _files(path, reading.glob)]
    return [_source(file, reading, regular) for file, regular in files]


def require_one_stdin(paths: list[str]) -> None:
    """Raises UsageError where standard input is to be read twice."""
    if paths.count(STDIN) > 1:
        raise UsageError("standard input is named more than once", "give - only once")


def local_files(sources: list[Source], reading: Reading) -> list[str]:
    """The paths of all local files that the documents depend on, lists of files included."""
    lists = [path for path in (reading.files_from, reading.files0_from) if path is not None]
    files = [path for path in lists if path != STDIN and os.path.isfile(path)]
    return files + [source.path for source in sources if source.regular]


def _listed(path: str | None, separator: bytes) -> list[str]:
    """The paths in a list of files; empty ones are left out."""
    if path is None:
        return []
    content = _content(path).removeprefix(b"\xef\xbb\xbf")
    lines = content.split(separator)
    if separator == b"\n":
        lines = [line.removesuffix(b"\r") for line in lines]
    paths = [os.fsdecode(line) for line in lines if line]
    if not paths:
        raise GaiError(f"{name_of(path)}: names no files")
    return paths


def _content(path: str) -> bytes:
    try:
        if path == STDIN:
            return standard_input().read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from error


def standard_input() -> BinaryIO:
    if sys.stdin is None:  # the shell's `<&-`
        raise GaiError(f"{STDIN_NAME}: closed")
    return sys.stdin.buffer


def _files(path: str, glob: str | None) -> list[tuple[str, bool]]:
    """The files that a path stands for, checked, and whether each is a regular one."""
    if path == STDIN:
        return [(path, False)]
    if is_url(path):
        _require_fsspec(path)
        return [(path, False)]
    files = _below(path, glob) if os.path.isdir(path) else [path]
    return [(file, _check_readable(file)) for file in files]


def _require_fsspec(url: str) -> None:
    from importlib.util import find_spec

    if find_spec("fsspec") is None:
        raise MissingExtraError(f"reading {url}", "url")


def _below(folder: str, glob: str | None) -> list[str]:
    try:
        files = sorted(_walk(folder, glob or "*"))
    except OSError as error:
        raise unreadable(str(error.filename), error) from error
    if files:
        return files
    if glob is None:
        raise GaiError(f"{folder}: no files in this folder")
    hint = "--glob is compared with the names of files, not with their folders"
    raise GaiError(f"{folder}: no files in this folder match {glob}", hint if "/" in glob else "")


def _walk(folder: str, glob: str) -> Iterator[str]:
    """The regular files below a folder, and links to nothing, which are to be reported."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, glob)
            elif fnmatchcase(entry.name, glob) and (entry.is_file() or _leads_nowhere(entry)):
                yield entry.path


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)


def _check_readable(path: str) -> bool:
    """Whether it is a regular file; raises GaiError where it cannot be read."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:  # a NUL in the path
        raise GaiError(f"{path!r}: no such file") from error
    regular = stat.S_ISREG(mode)
    if regular and not _may_read(path):
        raise GaiError(f"{path}: permission denied")
    return regular


def _may_read(path: str) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.R_OK, effective_ids=effective)


def unreadable(path: str, error: OSError) -> GaiError:
    """The error to raise for an OSError on a path."""
    name = name_of(path)
    if isinstance(error, FileNotFoundError):
        pattern = "no file matches this pattern" if any(c in path for c in "*?[") else ""
        return GaiError(f"{name}: no such file", pattern)
    reason = error.strerror or str(error) or type(error).__name__
    return GaiError(f"{name}: {reason[:1].lower()}{reason[1:]}")


def _source(path: str, reading: Reading, regular: bool) -> Source:
    format = reading.input_format or _format(path)
    return Source(path, format, _unit(path, format, reading), regular)


def _format(path: str) -> Format:
    stem, extension = os.path.splitext(_file_name(path).lower())
    if extension in COMPRESSED:
        extension = os.path.splitext(stem)[1]
    return FORMATS.get(extension, "text")


def _file_name(path: str) -> str:
    """The path, of a URL without the query behind it."""
    if not is_url(path):
        return path
    from urllib.parse import urlsplit

    return urlsplit(path).path


def _unit(path: str, format: Format, reading: Reading) -> Unit | Literal["record"]:
    if format == "text":
        return reading.per or ("line" if path == STDIN or reading.pretokenized else "file")
    if reading.per in ("file", "paragraph"):
        raise UsageError(
            f"{name_of(path)} is {format}, where each record is a document, not each {reading.per}",
            f"leave out --per {reading.per}, or say --input-format text",
        )
    return "record"
