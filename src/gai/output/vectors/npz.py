"""Vectors as npz: the arrays of :mod:`gai.output.vectors.arrays`, which numpy.load opens.

None of them is a pickle; they are not compressed and begin at multiples of 64 bytes, so that
loading is mapping.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile

from gai.errors import GaiError
from gai.output.atomic import Sink
from gai.output.crc import combined
from gai.output.npz import PIECE, header_check, put
from gai.output.storedzip import Layout, MappedArrays
from gai.output.vectors.arrays import Arrays, arrays_of, from_arrays
from gai.output.vectors.content import Content
from gai.output.vectors.model import Vectors


def read(content: Content) -> Vectors:
    """The vectors in an npz file that gai wrote, mapped."""
    names(content)
    from tokenize import TokenError

    arrays = MappedArrays(content.path)
    arrays.path = content.name
    try:
        return from_arrays(content, {name: arrays[name] for name in arrays})
    # What zipfile says of compression that it lacks, and numpy of headers that are no Python.
    except (RuntimeError, SyntaxError, TypeError, OverflowError, TokenError) as error:
        raise content.damaged(str(error)) from error


def names(content: Content) -> set[str]:
    """The names of the arrays; raises GaiError for a zip file of something else, or cut short."""
    try:
        with zipfile.ZipFile(content.path) as file:
            members = file.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError) as error:
        raise GaiError(f"{content.name} is cut short or damaged", "make it again") from error
    if any(name.endswith("data.pkl") for name in members):
        raise GaiError(
            f"{content.name} is a file of PyTorch, with a pickle in it, which gai does not open",
            "in Python: KeyedVectors(dim).add_vectors(words, vectors) of gensim, "
            "then save_word2vec_format",
        )
    if other := [name for name in members if not name.endswith(".npy")]:
        inside = other[0]
        unpack = f"unpack it: unzip {content.name}"
        raise GaiError(f"{content.name} is a zip file, with {inside} in it", unpack)
    return {name.removesuffix(".npy") for name in members}


def write(vectors: Vectors, sink: Sink) -> None:
    """Writes the file; a stream gets a copy of a temporary one."""
    if sink.seekable():
        return _write(arrays_of(vectors), sink)
    with tempfile.TemporaryFile(buffering=0) as file:
        _write(arrays_of(vectors), Sink(f"a temporary file in {tempfile.gettempdir()}", file))
        file.seek(0)
        shutil.copyfileobj(file, sink, PIECE)


def _write(arrays: Arrays, sink: Sink) -> None:
    layout = Layout()
    members = [layout.add(name, array.dtype, array.shape) for name, array in arrays.items()]
    sink.allocate(layout.size)
    for member, array in zip(members, arrays.values(), strict=True):
        member.crc = combined([header_check(member), *put(sink, member.data, array)])
    for place, header in layout.headers():
        sink.write_at(place, header)
