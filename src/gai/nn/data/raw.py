"""Raw: examples as they were read, and the reading of them, whatever they lie in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.backends import resolve
from gai.documents.records import BadRecord
from gai.documents.sources import expand, require_one_stdin
from gai.errors import GaiError, UsageError
from gai.nn.config import Config, require_read
from gai.nn.data.wanted import Input, Wanted
from gai.nn.names import GENERATED, OF_CLASSES, UNLABELLED

RawLabels = list[str] | list[tuple[str, ...]] | list[list[str]] | NDArray[np.float64]
"""One label an example; several; one a token; numbers [n, K]."""


@dataclass(frozen=True, eq=False)
class Raw:
    """Examples as they were read: one of ``texts``, ``tokens`` and ``array`` is there.

    ``ids`` are the names of the examples: the field id, else path:line. ``array`` holds rows of
    numbers [n, D], sequences [n, T, F], or images [n, C, H, W] or [n, H, W]; ``columns`` names the
    numbers; examples of one of the ``groups`` stay together where the data is divided. ``sources``
    are the local files that were read, ``digest`` is the SHA-256 of what was read, as
    ``gai.documents.Reader`` computes it.
    """

    ids: Sequence[str]
    texts: list[str] | None = None
    tokens: list[list[str]] | None = None
    array: NDArray[np.float32] | None = None
    labels: RawLabels | None = None
    columns: tuple[str, ...] = ()
    groups: list[str] | None = None
    sources: tuple[str, ...] = ()
    digest: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.int64]) -> Raw:
        """These examples, in this order."""
        return replace(
            self,
            ids=_taken(self.ids, rows),
            texts=_taken(self.texts, rows),
            tokens=_taken(self.tokens, rows),
            array=None if self.array is None else self.array[rows],
            labels=_taken(self.labels, rows),
            groups=_taken(self.groups, rows),
        )

    def described(self) -> str:
        """What the examples are, for a message."""
        if self.texts is not None:
            return "texts"
        if self.array is None:
            return "tokens"
        sizes = self.array.shape[1:]
        return f"rows of {sizes[0]} numbers" if len(sizes) == 1 else f"arrays {_times(sizes)}"


def _taken(values: Any, rows: NDArray[np.int64]) -> Any:
    if values is None or isinstance(values, np.ndarray):
        return None if values is None else values[rows]
    return [values[row] for row in rows.tolist()]


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def read(paths: Sequence[str], config: Config, *, labelled: bool | None = None) -> Raw:
    """The examples in all of ``paths``, which must be of one kind.

    jsonl, csv, tsv and parquet (compressed ones too) have fields, which the config names. A folder
    whose subfolders hold files has one label a subfolder. Plain text has labels as fastText writes
    them (``__label__x`` first in each line); it is one text a file for a language model, and one a
    line where no labels are needed. ``.npz``, idx files and images hold arrays, ``.conllu`` and
    ``token<TAB>tag`` lines hold tags, ``@digits``, ``@iris`` and ``@diabetes`` are built in.

    Without ``labelled`` labels are not looked for; where it is None, the task says whether. Raises
    GaiError where something is missing or wrong, with its place.
    """
    if labelled is None:
        labelled = config.task not in UNLABELLED or config.conditional
    wanted = Wanted(config, labelled)
    with _errors_without_skipping():
        parts = list(_pieces(_inputs(paths, wanted), wanted, None))
    if not parts:
        raise GaiError(f"{', '.join(paths) or 'nothing'}: no examples in there")
    digest = wanted.tally.sha256.hexdigest()
    return replace(_joined(parts), sources=tuple(wanted.files), digest=digest)


def stream(paths: Sequence[str], config: Config, size: int = 4096) -> Iterator[Raw]:
    """The same examples without their labels, at most ``size`` at a time, in bounded memory.

    Files of arrays are held whole. There is no digest.
    """
    wanted = Wanted(config, labelled=False)
    with _errors_without_skipping():
        for piece in _pieces(_inputs(paths, wanted), wanted, size):
            yield replace(piece, sources=tuple(wanted.files))


@contextmanager
def _errors_without_skipping() -> Iterator[None]:
    """A bad record is just an error here: whoever trains must know all the data."""
    try:
        yield
    except BadRecord as error:
        raise GaiError(error.message) from error


def _inputs(paths: Sequence[str], wanted: Wanted) -> list[Input]:
    """Each path with its files; all of them are there and can be read."""
    require_one_stdin(list(paths))
    require_read(wanted.config)
    if wanted.config.task == "algorithm" and len(paths) > 1:
        raise UsageError(f"{len(paths)} inputs", "one algorithm is learned at a time")
    if wanted.config.task == "forecast" and len(paths) > 1:
        raise UsageError(f"{len(paths)} inputs to forecast from", "a series lies in one file")
    return [_input(path, wanted) for path in paths]


def _input(path: str, wanted: Wanted) -> Input:
    if path.startswith("@"):
        return Input(path, [])
    input = Input(path, expand(replace(wanted.reading, paths=(path,))))
    if wanted.labelled and wanted.config.task in OF_CLASSES and os.path.isdir(path):
        input = _without_files_beside(input)
    wanted.files.extend(source.path for source in input.sources if source.regular)
    return input


def _without_files_beside(input: Input) -> Input:
    """A folder with a subfolder a label, without what lies beside these: a licence, a readme."""
    inside = [source for source in input.sources if input.label(source)]
    if inside and all(source.format == "text" for source in inside):
        return Input(input.path, inside)
    return input


def _pieces(inputs: list[Input], wanted: Wanted, size: int | None) -> Iterator[Raw]:
    for input in inputs:
        yield from resolve(_reader(input, wanted))(input, wanted, size)


IDX = re.compile(r"images?[-._]idx\d[-._]ubyte", re.IGNORECASE)
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def _reader(input: Input, wanted: Wanted) -> str:
    """What reads an input: a function of input, wanted and size, as ``"module:attribute"``."""
    if input.path in GENERATED or wanted.config.task == "algorithm":
        return "gai.nn.data.algorithms:generated"
    if input.path.startswith("@"):
        return "gai.nn.data.builtin:builtin"
    if wanted.config.task == "forecast":
        return "gai.nn.data.series:series"
    if wanted.config.input_format is None:
        names = [source.path.lower() for source in input.sources]
        if all(name.endswith(IMAGES) for name in names):
            return "gai.nn.data.folders:images"
        if names[0].endswith(".npz"):
            return "gai.nn.data.arrayfiles:npz"
        if IDX.search(os.path.basename(names[0])):
            return "gai.nn.data.arrayfiles:idx"
    return "gai.nn.data.records:records"


def _joined(parts: list[Raw]) -> Raw:
    """All of them as one; raises GaiError where they are of different kinds."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts[1:]:
        _require_same(first, part)
    return replace(
        first,
        ids=[id for part in parts for id in part.ids],
        texts=_concatenated([part.texts for part in parts]),
        tokens=_concatenated([part.tokens for part in parts]),
        array=_concatenated([part.array for part in parts]),
        labels=_concatenated(_alike([part.labels for part in parts])),
        groups=_concatenated([part.groups for part in parts]),
    )


def _require_same(first: Raw, other: Raw) -> None:
    if first.described() != other.described():
        raise GaiError(
            f"{other.ids[0]}: {other.described()}, but {first.ids[0]}: {first.described()}",
            "all data of one run must be of one kind",
        )
    a, b = first.labels, other.labels
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape[1] != b.shape[1]:
        raise GaiError(
            f"{other.ids[0]}: {b.shape[1]} numbers to predict, but {first.ids[0]}: {a.shape[1]}"
        )


def _alike(labels: list[Any]) -> list[Any]:
    """One label among several is a list of one."""
    if not any(found and isinstance(found[0], tuple) for found in labels if type(found) is list):
        return labels
    return [[(x,) if isinstance(x, str) else x for x in found] for found in labels]


def _concatenated(values: list[Any]) -> Any:
    if any(value is None for value in values):
        return None
    if isinstance(values[0], np.ndarray):
        return np.concatenate(values)
    return [value for part in values for value in part]
