"""Arrays in files: .npz, and MNIST's idx."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.documents.records import listing
from gai.documents.sources import Source, expand
from gai.errors import GaiError, UsageError
from gai.nn.data.raw import Raw, RawLabels
from gai.nn.data.wanted import Input, Wanted
from gai.nn.names import OF_CLASSES, UNLABELLED

INPUTS = ("X", "x", "data", "inputs")
LABELS = ("y", "labels", "targets")
"""What the arrays in .npz files may be called."""

Arrays = Mapping[str, NDArray[Any]]


def npz(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The examples in .npz files: inputs [n, ...] as float32, and their labels [n] or [n, K].

    To classify, one label is a number or a string, and K columns of 0 and 1 are several labels,
    called "0", "1" and so on.
    """
    _require_task(input, wanted)
    for source in input.sources:
        arrays = loaded(wanted.content(source), source.name)
        name, found = _named(arrays, INPUTS, source.name)
        array = numeric(found, f"{source.name}: {name}")
        if array.ndim < 2:
            array = array.reshape(-1, 1)
        labels = _labels(arrays, len(array), source.name, wanted) if wanted.labelled else None
        yield from pieces(Raw(_ids(source, len(array)), array=array, labels=labels), size)


def _require_task(input: Input, wanted: Wanted) -> None:
    task = wanted.config.task
    if task not in ("regress", *OF_CLASSES, *UNLABELLED):
        raise UsageError(f"{input.path}: --task {task} takes no arrays", "text, or token lists")


def _ids(source: Source, count: int) -> list[str]:
    return [f"{source.path}:{number}" for number in range(1, count + 1)]


def pieces(raw: Raw, size: int | None) -> Iterator[Raw]:
    """The examples, at most ``size`` at a time."""
    for first in range(0, len(raw), size or max(len(raw), 1)):
        if size is None:
            yield raw
        else:
            yield raw.take(np.arange(first, min(first + size, len(raw))))


def loaded(content: bytes, name: str) -> Arrays:
    """The arrays in an .npz file by name; none of them may be a pickle."""
    from tokenize import TokenError  # what numpy raises for a head that is no Python

    try:
        if not zipfile.is_zipfile(io.BytesIO(content)):
            raise GaiError(f"{name}: not an .npz file", "numpy.savez writes one")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {member: file[member] for member in file.files}
    except (
        *(OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError),
        *(
            MemoryError,
            zipfile.BadZipFile,
            zlib.error,
            SyntaxError,
            TypeError,
            OverflowError,
            TokenError,
        ),
    ) as error:
        reason = str(error).partition("\n")[0]
        raise GaiError(f"{name}: not an .npz file that can be read: {reason}") from error


def _named(arrays: Arrays, names: tuple[str, ...], place: str) -> tuple[str, NDArray[Any]]:
    for name in names:
        if name in arrays:
            return name, np.asarray(arrays[name])
    wanted = ", ".join(names)
    raise GaiError(f"{place}: no array {wanted} (arrays: {listing(arrays)})", f"one of {wanted}")


def numeric(found: NDArray[Any], place: str) -> NDArray[np.float32]:
    """The numbers as float32; raises GaiError for what is none, and for NaN and infinity."""
    if found.dtype.kind not in "biuf" or found.ndim == 0:
        kind = found.dtype if found.ndim else "a single value"
        raise GaiError(f"{place} is {kind}, not an array of numbers")
    array = finite(found, place)
    return np.ascontiguousarray(array, np.float32)


def finite(found: NDArray[Any], place: str) -> NDArray[Any]:
    """The array; raises GaiError where a number in it is none that float32 can hold."""
    if found.dtype.kind == "f":
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(found.astype(np.float32))
        if wrong.any():
            where = tuple(np.argwhere(wrong)[0].tolist())
            cell = ", ".join(map(str, where))
            message = f"{place}[{cell}] is {found[where]}, not a finite number of 32 bits"
            raise GaiError(message, "fill it in, or leave the row out")
    return found


def _labels(arrays: Arrays, count: int, place: str, wanted: Wanted) -> RawLabels:
    name, found = _named(arrays, LABELS, place)
    if found.ndim == 0 or len(found) != count:
        size = len(found) if found.ndim else 1
        raise GaiError(f"{place}: {count} inputs, but {size} labels in {name}")
    if wanted.config.task == "regress":
        numbers = numeric(found, f"{place}: {name}").astype(np.float64)
        return numbers.reshape(count, -1)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    return classes(found, f"{place}: {name}")


def classes(found: NDArray[Any], place: str) -> list[str] | list[tuple[str, ...]]:
    """The labels in an array [n], or several of each from an array [n, K] of 0 and 1."""
    if found.dtype.kind in "biuf":
        finite(found, place)
    elif found.dtype.kind not in "US":
        raise GaiError(f"{place} is {found.dtype}, neither numbers nor strings")
    if found.ndim == 1:
        return [_spelled(value) for value in found.tolist()]
    if found.ndim == 2 and found.dtype.kind in "biuf" and np.isin(found, (0, 1)).all():
        return [tuple(map(str, np.flatnonzero(row).tolist())) for row in found]
    shape = " x ".join(map(str, found.shape))
    message = f"{place} is {shape}: neither one label an example nor columns of 0 and 1"
    raise GaiError(message, "--task regress learns numbers")


def _spelled(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value)


def idx(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The images of MNIST's files, float32 [n, 1, H, W] from 0 to 1; labels from the file beside.

    http://yann.lecun.com/exdb/mnist: two zero bytes, the type (8: unsigned bytes), the number of
    dimensions, each dimension as a big-endian int32, the bytes.
    """
    _require_task(input, wanted)
    for source in input.sources:
        pixels = unpacked(wanted.content(source), 3, source.name)
        labels = _idx_labels(source, len(pixels), wanted) if wanted.labelled else None
        array = pixels[:, None].astype(np.float32) / np.float32(255)
        yield from pieces(Raw(_ids(source, len(array)), array=array, labels=labels), size)


def unpacked(content: bytes, dimensions: int, name: str) -> NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes with so many dimensions."""
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < start:
        raise GaiError(f"{name}: not an idx file of unsigned bytes in {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = int(np.prod(shape, dtype=object))
    if len(content) != start + expected:
        raise GaiError(f"{name}: {len(content) - start} bytes, its head says {expected}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _idx_labels(images: Source, count: int, wanted: Wanted) -> list[str]:
    source = _labels_beside(images, wanted)
    wanted.files.append(source.path)
    found = unpacked(wanted.content(source), 1, source.name)
    if len(found) != count:
        raise GaiError(f"{images.name}: {count} images, but {source.name}: {len(found)} labels")
    return [str(label) for label in found.tolist()]


def _labels_beside(images: Source, wanted: Wanted) -> Source:
    """The file of labels: ``train-images-idx3-ubyte.gz`` has ``train-labels-idx1-ubyte.gz``."""
    folder, name = os.path.split(images.path)
    name = re.sub(r"image(s?)([-._])idx\d", r"label\1\2idx1", name)
    plain = os.path.join(folder, name.removesuffix(".gz"))
    for path in (os.path.join(folder, name), plain, f"{plain}.gz"):
        if os.path.exists(path):
            return expand(replace(wanted.reading, paths=(path,)))[0]
    raise GaiError(f"{images.name}: no labels beside it", f"they are looked for in {plain}")
