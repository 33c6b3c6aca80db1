"""Which format goes where."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from gai.errors import UsageError
from gai.matrix import Result
from gai.output import atomic
from gai.output.atomic import staged
from gai.output.cells import gzipped
from gai.output.tsv import listed

TEXT = ("tsv", "csv", "jsonl", "mtx", "svm")
BINARY = ("npz", "parquet")
FORMATS = (*TEXT, *BINARY)
MODULES = {"mtx": "market", "svm": "svmlight"}
"""Modules that are not called as their format. Text formats have a function ``pieces(result,
jobs)``, binary ones ``write(result, sink, jobs)``."""

ALIASES = {"ndjson": "jsonl", "svmlight": "svm", "libsvm": "svm"}
NAMED_BESIDE = ("mtx", "svm")
"""Formats without names for rows and columns: these stand in .docs and .terms beside the file."""


@dataclass(frozen=True)
class Destination:
    """Where a result goes ("-": standard output), in which of ``FORMATS``, and whether in gzip."""

    path: str
    format: str
    gzip: bool = False

    @property
    def beside(self) -> tuple[str, ...]:
        """The files for the names of columns and rows; none where the format holds them."""
        if self.format not in NAMED_BESIDE or self.path == "-" or atomic.special(self.path):
            return ()
        stem = self.path.removesuffix(".gz") if self.gzip else self.path
        stem = os.path.splitext(stem)[0] if _format_of(stem) else stem
        return f"{stem}.terms", f"{stem}.docs"


def write(
    result: Result,
    destination: str | os.PathLike[str],
    format: str | None = None,
    *,
    jobs: int = 1,
) -> None:
    """Writes a result to a file, all of it or nothing, or to standard output (``-``).

    The format is ``format`` or the one of the extension (tsv on standard output); text formats are
    compressed where the name ends in ``.gz``. ``jobs`` threads compute the rows. Raises UsageError
    for an unknown format, GaiError where the disk is full or the place cannot be written.
    """
    place = resolve(destination, format)
    with staged(place.path, *place.beside) as (main, *named):
        if place.format in BINARY:
            module(place.format).write(result, main, jobs)
        else:
            pieces: Iterator[bytes] = module(place.format).pieces(result, jobs)
            for piece in gzipped(pieces) if place.gzip else pieces:
                main.write(piece)
        for sink, names in zip(named, (result.terms, result.documents), strict=False):
            for piece in listed(names):
                sink.write(piece)


def module(format: str) -> Any:
    """The module of a format, loaded when it is needed."""
    return import_module(f"gai.output.{MODULES.get(format, format)}")


def check(destination: str | os.PathLike[str], format: str | None = None) -> None:
    """Raises what :func:`write` would raise, before the work, as far as that can be told."""
    place = resolve(destination, format)
    if place.format == "parquet":
        module("parquet").require()
    for path in (place.path, *place.beside):
        if path != "-" and not atomic.special(path):
            atomic.check(path)


def resolve(destination: str | os.PathLike[str], format: str | None = None) -> Destination:
    """The destination in full; raises UsageError where the format is unknown or does not fit."""
    path = os.fspath(destination)
    gzip = path.endswith(".gz")
    stem = path.removesuffix(".gz")
    chosen = ALIASES.get(format, format) if format else _format_of(stem)
    if path == "-" and chosen is None:
        chosen = "tsv"
    if chosen not in FORMATS:
        what = f"unknown format {format!r}" if format else f"cannot tell the format of {path!r}"
        raise UsageError(what, f"name it with --format or the extension: {', '.join(FORMATS)}")
    if chosen in BINARY:
        _refuse_binary(path, chosen, gzip)
    return Destination(path, chosen, gzip)


def _format_of(path: str) -> str | None:
    """The format that the extension names."""
    extension = os.path.splitext(path)[1].lower().removeprefix(".")
    extension = ALIASES.get(extension, extension)
    return extension if extension in FORMATS else None


def _refuse_binary(path: str, format: str, gzip: bool) -> None:
    if gzip:
        raise UsageError(f"{format} is not compressed with gzip", f"leave out .gz: {path[:-3]}")
    if path == "-" and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"{format} is no text for a terminal", f"-o FILE.{format}, or a pipe")
