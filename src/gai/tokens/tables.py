"""What the scanners know of each code point: its class, and its lower case.

The classes come from Unicode 15.0 (``word_break-15.0.txt``, made by ``gai.tokens.generate``), the
rest from the running interpreter, so that it always agrees with ``str.lower()`` and ``re``. Making
them takes some tens of milliseconds, so they are kept in the cache folder and mapped from there.
"""

from __future__ import annotations

import mmap
import re
import sys
import unicodedata
import zlib
from functools import cache as remember
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai import cache
from gai.kernels import classes

CODE_POINTS = 0x110000
UNICODE_VERSION = "15.0"
"""The version of the word boundaries, for signatures."""

DATA = Path(__file__).with_name(f"word_break-{UNICODE_VERSION}.txt")
MAGIC = b"gai tables 2\n".ljust(64, b"\0")
"""Stands before and after the arrays in the cache file; its number changes with their meaning."""
SIZE = len(MAGIC) + 5 * CODE_POINTS + len(MAGIC)


class Tables(NamedTuple):
    """One entry for each code point, read-only.

    ``props`` holds the bits of ``gai.kernels.classes``. ``lower`` is the one character that
    ``str.lower()`` gives; U+0130 gives two and stands for itself here.
    """

    props: NDArray[np.uint8]
    lower: NDArray[np.int32]


@remember
def tables() -> Tables:
    """The tables of the running interpreter, from the cache where it has them."""
    data = DATA.read_bytes()
    name = file_name(data)
    content: bytes | mmap.mmap | None = mapped(cache.location() / name)
    if content is None:
        content = packed(make(data.decode("ascii")))
        if folder := cache.folder():
            cache.write(folder / name, content)
    return unpacked(content)


def file_name(data: bytes) -> str:
    """The name of the cache file: all that the tables depend on."""
    python = "-".join(map(str, (sys.implementation.name, *sys.version_info)))
    unicode = unicodedata.unidata_version
    return f"tables-{python}-{unicode}-{sys.byteorder}-{zlib.crc32(data):08x}.bin"


def mapped(path: Path) -> mmap.mmap | None:
    """The cache file in memory, or None where there is none or it is not whole."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    whole = len(content) == SIZE and content[:64] == MAGIC and content[-64:] == MAGIC
    return content if whole else None


def packed(made: Tables) -> bytes:
    """The bytes of the cache file."""
    return MAGIC + made.props.tobytes() + made.lower.tobytes() + MAGIC


def unpacked(content: bytes | mmap.mmap) -> Tables:
    """The arrays in the bytes of a cache file, without a copy."""
    props = np.frombuffer(content, np.uint8, CODE_POINTS, len(MAGIC))
    lower = np.frombuffer(content, np.int32, CODE_POINTS, len(MAGIC) + CODE_POINTS)
    return Tables(props, lower)


def make(data: str) -> Tables:
    """The tables made anew from the text of the data file and the interpreter."""
    codes = np.arange(CODE_POINTS, dtype="<u4")
    everything = codes.tobytes().decode("utf-32-le", "surrogatepass")
    props = break_properties(data)
    for run in re.finditer(r"\w+", everything):
        props[run.start() : run.end()] |= classes.WORD
    for run in re.finditer(r"\s+", everything):
        props[run.start() : run.end()] |= classes.SPACE
    return Tables(props, lower_cases(everything))


def break_properties(data: str) -> NDArray[np.uint8]:
    """The class and the letter-or-digit bit of each code point, from the text of the data file."""
    starts: list[int] = []
    values: list[int] = []
    for line in data.splitlines():
        if not line.startswith("#"):
            start, name, *letter = line.split()
            starts.append(int(start, 16))
            values.append(getattr(classes, name) | (classes.LETTER_OR_DIGIT if letter else 0))
    lengths = np.diff(np.array([*starts, CODE_POINTS]))
    return np.repeat(np.array(values, np.uint8), lengths)


def lower_cases(everything: str) -> NDArray[np.int32]:
    """The single-character lower case of each character of ``everything``.

    U+0130 stays as it is. Capital sigma is lowered on its own: in a text its form depends on its
    neighbours.
    """
    lowered = everything.replace("\u0130", "\0").lower().encode("utf-32-le", "surrogatepass")
    lower = np.frombuffer(lowered, "<i4").astype(np.int32)
    lower[0x0130] = 0x0130
    lower[0x03A3] = ord("\u03a3".lower())
    return lower
