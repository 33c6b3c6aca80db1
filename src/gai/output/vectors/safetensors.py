"""safetensors: eight bytes with the length of a JSON header, the header, then the arrays.

The arrays are those of npz by the same names; the signature is JSON in ``__metadata__``. They
begin at 64 bytes and follow one another without a gap, those of large items first, so that each
begins where its items may, and all of them are mapped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors.arrays import Arrays, arrays_of, from_arrays
from gai.output.vectors.content import Content
from gai.output.vectors.model import Vectors

ALIGNMENT = 64
LONGEST = 100_000_000
"""Bytes that a header has at most, as the package safetensors has it."""

KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}
NAMES = {np.dtype(code): name for name, code in KINDS.items()}
METADATA = "__metadata__"
SIGNATURE = "signature"


def recognised(start: bytes, size: int) -> bool:
    """Whether a file of ``size`` bytes that begins so is safetensors."""
    length = int.from_bytes(start[:8], "little")
    return len(start) > 8 and start[8:9] == b"{" and 2 <= length <= LONGEST


def read(content: Content) -> Vectors:
    """The vectors in a safetensors file that gai wrote, mapped."""
    header, begin = _header(content)
    metadata = header.pop(METADATA, {})
    arrays = {name: _array(content, name, entry, begin) for name, entry in header.items()}
    signature = metadata.get(SIGNATURE) if isinstance(metadata, dict) else None
    if signature is not None:
        arrays[SIGNATURE] = np.frombuffer(str(signature).encode(), np.uint8)
    return from_arrays(content, arrays)


def _header(content: Content) -> tuple[dict[str, Any], int]:
    """What the header says, and where the arrays begin."""
    length = int.from_bytes(content.map[:8], "little")
    if 8 + length > len(content):
        raise content.damaged(f"its header has {length:,} bytes, {len(content) - 8:,} are there")
    try:
        header = json.loads(content.map[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise content.damaged(f"byte 8: its header is no JSON ({error})") from error
    if not isinstance(header, dict):
        raise content.damaged("byte 8: its header is no JSON object")
    return header, 8 + length


def _array(content: Content, name: str, entry: Any, begin: int) -> NDArray[Any]:
    """One array, mapped."""
    try:
        kind, shape, (first, last) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, first, last]
    except (KeyError, TypeError, ValueError) as error:
        raise content.damaged(f"its header does not say where {name!r} is") from error
    if kind not in KINDS:
        raise GaiError(f"{content.name}: {name!r} holds numbers of kind {kind}, unknown to gai")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise content.damaged(f"its header does not say where {name!r} is")
    dtype = np.dtype(KINDS[kind])
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    if last - first != size:
        raise content.damaged(f"{name!r} should take {size:,} bytes, and has {last - first:,}")
    if begin + last > len(content):
        what = f"{name!r} ends at byte {begin + last:,}, the file at {len(content):,}"
        raise content.damaged(what)
    items = np.frombuffer(content.map, dtype, size // dtype.itemsize, begin + first)
    return items.reshape(shape)


def pieces(vectors: Vectors) -> Iterator[bytes | memoryview]:
    """The bytes of the file."""
    arrays = arrays_of(vectors)
    signature = arrays.pop(SIGNATURE).tobytes().decode()
    ordered = dict(sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize))
    text = json.dumps(_described(ordered, signature), separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    yield len(text).to_bytes(8, "little") + text
    for array in ordered.values():
        yield from _bytes(array)


def _described(arrays: Arrays, signature: str) -> Mapping[str, Any]:
    """The header."""
    header: dict[str, Any] = {METADATA: {"format": "gai vectors 1", SIGNATURE: signature}}
    place = 0
    for name, array in arrays.items():
        little = array.dtype.newbyteorder("<")
        if little not in NAMES:
            raise GaiError(f"safetensors holds no numbers of type {array.dtype} ({name})")
        offsets = [place, place + array.nbytes]
        shape = list(array.shape)
        header[name] = {"dtype": NAMES[little], "shape": shape, "data_offsets": offsets}
        place += array.nbytes
    return header


def _bytes(array: NDArray[Any]) -> Iterator[memoryview]:
    """An array in pieces, which may be mapped and need not be copied whole."""
    flat = array.reshape(-1)
    step = (1 << 22) // array.dtype.itemsize
    for first in range(0, len(flat), step):
        piece = np.ascontiguousarray(flat[first : first + step], array.dtype.newbyteorder("<"))
        yield piece.view(np.uint8).data
