"""Files of vectors: which format a file has, and what becomes of it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gai.errors import GaiError, UsageError
from gai.output import atomic
from gai.output.atomic import Sink, staged
from gai.output.cells import gzipped
from gai.output.vectors import fasttext, npz, safetensors, sidecar, text, word2vec
from gai.output.vectors import words as spelling
from gai.output.vectors.content import Content, mapped
from gai.output.vectors.model import Vectors
from gai.output.vectors.subwords import Subwords, not_finite
from gai.terms import Terms

FORMATS = ("npz", "safetensors", "word2vec", "word2vec-text", "glove", "fasttext")
TEXT = ("word2vec-text", "glove")
PLAIN = (*TEXT, "word2vec", "fasttext")
"""Formats that have no place for a signature: a sidecar holds it."""

EXTENSIONS = {
    ".npz": "npz",
    ".safetensors": "safetensors",
    ".bin": "word2vec",
    ".vec": "word2vec-text",
    ".w2v.txt": "word2vec-text",
    ".txt": "glove",
}
"""What a name ends in, and its format; .bin is fasttext where words have parts."""

ROWS = 1 << 14
"""Rows that are looked at together."""

SAMPLE = 1 << 12
"""Bytes that are looked at to tell text from binary numbers."""

CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")

NUMBERS = ("float32", "float16", "int8")
"""What vectors may be made of."""

UNFIT: Mapping[str, tuple[bytes, str]] = {
    "word2vec-text": (text.SPACES, "white space"),
    "glove": (text.SPACES, "white space"),
    "word2vec": (b" \n", "a space or a line feed"),
    "fasttext": (b"\0", "a NUL"),
}
"""Bytes that end a word for some reader of a format."""


def load(path: str | os.PathLike[str]) -> Vectors:
    """The vectors in a file of any format: what it is its first bytes say, not its name.

    npz, safetensors and fastText's are mapped, the others copied. The file may be compressed, a
    pipe, a URL or ``-``. Raises GaiError for a file that cannot be read, is damaged, or is
    something else.
    """
    content = mapped(os.fspath(path))
    format = recognised(content)
    vectors = _read(content, format)
    vectors.format = format
    if format in PLAIN:
        sidecar.apply(content, vectors)
    # Looking for them would take longer than mapping does; gai itself writes a word only once.
    if format in PLAIN:
        vectors = first_of_each(vectors)
    return readable(vectors)


def recognised(content: Content) -> str:
    """The format of a file; raises GaiError for one that gai does not read."""
    start = content.map[:SAMPLE]
    if start.startswith(b"PK\3\4"):
        return "npz"
    if fasttext.recognised(start) or fasttext.looks_old(start):
        return "fasttext"
    if safetensors.recognised(start, len(content)):
        return "safetensors"
    _refuse(content, start)
    promised = text.header(content)
    if promised is None:
        return "glove"
    if text.promise(content) is None:
        return "glove"
    return "word2vec-text" if _text_follows(content, promised[1], promised[2]) else "word2vec"


def _text_follows(content: Content, dim: int, start: int) -> bool:
    """Whether the lines behind a header are text.

    Numbers in text tell, or else control characters, which binary numbers are full of.
    """
    room = max(SAMPLE, 32 * dim)
    lines = content.map[start : start + room].split(b"\n")
    fields = lines[0].rsplit(None, dim)
    if len(fields) >= dim and all(text.number_of(field) is not None for field in fields[-dim:]):
        return True
    return not CONTROL.search(content.map[start : start + SAMPLE]) and _is_utf8(lines[0])


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse(content: Content, start: bytes) -> None:
    """Raises GaiError for files that people take for vectors."""
    name = content.name
    if start[:1] == b"\x80" and start[1:2] in b"\1\2\3\4\5":
        what = "a Python pickle, which may run any code when it is opened: gai opens none"
        raise GaiError(f"{name} is {what}", _conversion(name, start))
    if start.startswith(b"\x93NUMPY"):
        raise GaiError(f"{name} is an array without words", "gai writes and reads both as .npz")
    if start.startswith(b"\x89HDF\r\n"):
        raise GaiError(f"{name} is an HDF5 file, which gai does not read")


PICKLED = re.compile(rb"gensim\.models\.[\w.]+[^\w]+(\w+)")


def _conversion(name: str, start: bytes) -> str:
    """The line of Python that makes a file of a pickle that gai can read."""
    found = PICKLED.search(start)
    if not found:
        return "save the vectors as text, word2vec's or GloVe's, in the program that wrote it"
    kind = found[1].decode()
    plain = f"{os.path.splitext(name)[0]}.bin"
    if kind == "FastText":
        return (
            "in Python: from gensim.models.fasttext import FastText, save_facebook_model; "
            f"save_facebook_model(FastText.load({name!r}), {plain!r})"
        )
    if kind in ("Word2Vec", "Doc2Vec"):
        load = f"from gensim.models import {kind}; {kind}.load({name!r}).wv"
    elif kind.endswith("KeyedVectors"):
        load = f"from gensim.models import KeyedVectors; KeyedVectors.load({name!r})"
    else:
        return "its vectors, if it has any, can be saved with gensim's save_word2vec_format"
    return f"in Python: {load}.save_word2vec_format({plain!r}, binary=True)"


def _read(content: Content, format: str) -> Vectors:
    try:
        if format in TEXT:
            return text.read(content)
        modules = {
            "npz": npz,
            "safetensors": safetensors,
            "word2vec": word2vec,
            "fasttext": fasttext,
        }
        vectors: Vectors = modules[format].read(content)
    except MemoryError as error:
        raise GaiError(f"{content.name} needs more memory than there is") from error
    if vectors.dim == 0:
        raise content.damaged("its vectors have no numbers")
    return vectors


def first_of_each(vectors: Vectors) -> Vectors:
    """The vectors without those of words that stand further up already."""
    again = spelling.repeated(vectors.words)
    if not len(again):
        return vectors
    kept = vectors.only(np.delete(np.arange(len(vectors)), again))
    shown = spelling.shown([vectors.words.as_bytes(place) for place in again[:3].tolist()])
    said = "one word is there twice, and counts where it comes first"
    if len(again) > 1:
        said = f"{len(again):,} words are there twice, and count where they come first"
    kept.notes.append(f"{said}: {shown}{', ...' if len(again) > 3 else ''}")
    return kept


def readable(vectors: Vectors) -> Vectors:
    """The same vectors, whose words can be read where they are no UTF-8."""
    if broken := spelling.broken(vectors.words):
        vectors.words = spelling.RawTerms(vectors.words.arena, vectors.words.offsets)
        shown = spelling.shown([vectors.words.as_bytes(place) for place in broken[:3]])
        more = ", ..." if len(broken) > 3 else ""
        words = "one word is" if len(broken) == 1 else f"{len(broken):,} words are"
        vectors.notes.append(f"{words} no UTF-8, and kept as they are: {shown}{more}")
    return vectors


def holds_vectors(path: str) -> bool:
    """Whether a file is one of vectors, as far as its first bytes tell; an npz by its names.

    Raises GaiError where the file cannot be read, or is of a kind that gai never reads.
    """
    content = mapped(path)
    if recognised(content) != "npz":
        return True
    return npz.names(content).isdisjoint({"indptr", "documents_arena"})


@dataclass(frozen=True)
class Destination:
    """Where vectors go: ``format`` is one of ``FORMATS``."""

    path: str
    format: str
    gzip: bool

    @property
    def sidecar(self) -> str:
        """Where signature and counts go; "" where they are in the file, or have no place."""
        streamed = self.path == "-" or atomic.special(self.path)
        return "" if streamed or self.format not in PLAIN else sidecar.path_of(self.path)


def save(vectors: Vectors, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Writes vectors to a file, all of it or nothing, or to standard output (``-``).

    The format is ``format`` or that of the extension. Plain formats get a sidecar ``PATH.json``
    with signature and counts. Raises UsageError for a format that is unknown or does not fit, and
    GaiError for words that the format cannot hold, for NaN, and where the file cannot be written.
    """
    place = resolve(path, format, vectors)
    require_fit(vectors, place.format)
    if place.sidecar:
        sidecar.require_free(place.sidecar)
    beside = [place.sidecar] if place.sidecar and _says_something(vectors, place) else []
    with staged(place.path, *beside) as (main, *named):
        seal = _write(vectors, place, main)
        for sink in named:
            sink.write(sidecar.text(vectors, seal, counts=place.format != "fasttext"))


def _says_something(vectors: Vectors, place: Destination) -> bool:
    """Whether a sidecar is needed, be it to replace one of a file that was here."""
    known = bool(vectors.signature) or vectors.counts is not None
    return known or os.path.exists(place.sidecar)


def _write(vectors: Vectors, place: Destination, sink: Sink) -> sidecar.Seal:
    seal = sidecar.Seal()
    if place.format == "npz":
        npz.write(vectors, sink)
        return seal
    pieces = _pieces(vectors, place.format)
    if place.format in PLAIN:
        pieces = seal.sealed(pieces)
    for piece in gzipped(map(bytes, pieces)) if place.gzip else pieces:
        sink.write(piece)
    return seal


def _pieces(vectors: Vectors, format: str) -> Iterator[bytes | memoryview]:
    if format in TEXT:
        return text.pieces(vectors, first_line=format == "word2vec-text")
    made = {"safetensors": safetensors, "word2vec": word2vec, "fasttext": fasttext}
    pieces: Iterator[bytes | memoryview] = made[format].pieces(vectors)
    return pieces


def check(path: str | os.PathLike[str], format: str | None = None) -> None:
    """Raises what :func:`save` would raise, before the work, as far as that can be told."""
    place = resolve(path, format)
    for one in (place.path, place.sidecar):
        if one and one != "-" and not atomic.special(one):
            atomic.check(one)
    if place.sidecar:
        sidecar.require_free(place.sidecar)


def resolve(
    path: str | os.PathLike[str], format: str | None = None, vectors: Vectors | None = None
) -> Destination:
    """The destination in full; raises UsageError where the format is unknown or does not fit."""
    path = os.fspath(path)
    gzip = path.endswith(".gz")
    chosen = format or format_of(path, vectors)
    if chosen not in FORMATS:
        what = f"unknown format {format!r}" if format else f"cannot tell the format of {path!r}"
        known = f"--format {'|'.join(FORMATS)}, or a name that ends in {', '.join(EXTENSIONS)}"
        raise UsageError(what, known)
    if gzip and chosen not in TEXT:
        raise UsageError(f"{chosen} is not compressed with gzip", f"leave out .gz: {path[:-3]}")
    if path == "-" and chosen not in TEXT and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"{chosen} is no text for a terminal", "-o FILE, or a pipe")
    return Destination(path, chosen, gzip)


def format_of(path: str, vectors: Vectors | None = None) -> str | None:
    """The format that the extension names; None where it names none."""
    plain = path.removesuffix(".gz").lower()
    found = next((format for end, format in EXTENSIONS.items() if plain.endswith(end)), None)
    if found == "word2vec" and vectors is not None and vectors.knows_parts:
        return "fasttext"
    return found


def require_fit(vectors: Vectors, format: str) -> None:
    """Raises GaiError where the vectors cannot be written as ``format`` and read again."""
    if str(vectors.dtype) not in NUMBERS:
        raise GaiError(f"no format keeps {vectors.dtype} vectors", f"but {', '.join(NUMBERS)}")
    require_words(vectors.words, format)
    if format == "fasttext" and vectors.subwords is not None:
        _check_parts(vectors.words, vectors.subwords)
    else:
        for start, rows in vectors.blocks():
            vectors.check(start, rows)


def require_words(words: Terms, format: str) -> None:
    """Raises GaiError where a word cannot be written as ``format`` and read again."""
    if format in UNFIT:
        endings, named = UNFIT[format]
        _refuse_word(words, spelling.holding(words, endings), format, f"it holds {named}")
    if format in TEXT:
        empty = np.flatnonzero(words.lengths() == 0)
        _refuse_word(words, int(empty[0]) if len(empty) else -1, format, "it is empty")
    if format == "glove" and len(words) and any(map(str.isspace, _first(words))):
        # Without a header spaCy takes the first line apart at any white space.
        _refuse_word(words, 0, format, "it comes first, and holds white space")
    if format == "glove" and len(words) and text.BYTE_ORDER_MARK.match(words.as_bytes(0)):
        _refuse_word(words, 0, format, "it comes first, and begins with a byte order mark")
    if format in (*TEXT, "word2vec"):
        _refuse_word(words, next(iter(spelling.broken(words)), -1), format, "it is no UTF-8")
    if len(again := spelling.repeated(words)):
        word = spelling.shown([words.as_bytes(int(again[0]))])
        raise GaiError(f"the word {word} is there twice", "one vector a word")


def _check_parts(words: Terms, subwords: Subwords) -> None:
    """Raises GaiError where a row that vectors are made of is not finite."""
    for matrix, named in ((subwords.words, True), (subwords.buckets, False)):
        for first in range(0, len(matrix), ROWS):
            if (bad := not_finite(matrix[first : first + ROWS])) >= 0:
                word = spelling.shown([words.as_bytes(first + bad)]) if named else ""
                row = f"the row of {word}" if named else f"row {first + bad:,} of the parts"
                raise GaiError(f"{row} holds NaN or infinity", "training has diverged")


def _first(words: Terms) -> str:
    return words.as_bytes(0).decode("utf-8", "replace")


def _refuse_word(words: Terms, place: int, format: str, why: str) -> None:
    if place >= 0:
        word = words.as_bytes(place)
        others = "npz and safetensors" if b"\0" in word else "npz, safetensors and fasttext"
        raise GaiError(
            f"the word {spelling.shown([word])} cannot be written as {format}: {why}",
            f"{others} hold it",
        )
