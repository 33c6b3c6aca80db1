"""fastText's native format, ``.bin``: words with their counts, and the rows before they are made
into vectors of words.

Magic number and version, the arguments of the training, the dictionary, the input matrix (a row a
word, then a row a bucket of n-grams) and the output matrix, each after a flag that says whether it
is quantised. Files from before 2017 have no magic number and no flags. Numbers are little-endian;
rows are float32. Both matrices are mapped, and vectors are made of their rows when somebody asks
for them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors import words as spelling
from gai.output.vectors.content import Content
from gai.output.vectors.model import Vectors
from gai.output.vectors.subwords import END_OF_SENTENCE, Subwords
from gai.terms import Terms

MAGIC = 793712314
VERSIONS = (11, 12)

START = struct.Struct("<2i")
FLAG = struct.Struct("<B")
ARGUMENTS = struct.Struct("<12id")
NAMES = (
    *("dim", "window", "epochs", "min_count", "negative", "word_ngrams", "loss", "model"),
    *("bucket", "min_n", "max_n", "update_rate", "sample"),
)
DICTIONARY = struct.Struct("<3iq")
PRUNED = struct.Struct("<q")
SHAPE = struct.Struct("<2q")
ENTRY = np.dtype([("count", "<i8"), ("kind", "i1")])
"""What follows a word and the NUL behind it."""

CBOW, SKIP_GRAM, SUPERVISED = 1, 2, 3
SOFTMAX_TREE, NEGATIVE_SAMPLING = 1, 2
UPDATE_RATE = 100
"""fastText's own default of a number that only its progress bar shows."""

HINT = "it is cut short or damaged: make it again"


class _Cursor:
    """A place in the file that moves on as numbers are read."""

    def __init__(self, content: Content) -> None:
        self.content, self.place = content, 0
        self.old = not recognised(content.map[:4])

    def take(self, layout: struct.Struct, what: str) -> tuple[Any, ...]:
        """The next numbers."""
        if self.place + layout.size > len(self.content):
            self.fail(f"ends within {what}")
        found = layout.unpack_from(self.content.map, self.place)
        self.place += layout.size
        return found

    def matrix(self, what: str) -> NDArray[np.float32]:
        """The next matrix, mapped."""
        flag = 0 if self.old else self.take(FLAG, what)[0]
        if flag > 1:
            self.place -= FLAG.size
            self.fail(f"the flag of {what} is {flag}, not 0 or 1")
        if flag:
            raise GaiError(
                f"{self.content.name} is a quantised fastText model (.ftz), which gai cannot read",
                "take the .bin it was made from",
            )
        rows, dim = self.take(SHAPE, what)
        room = (len(self.content) - self.place) // 4
        if rows < 0 or dim < 0 or rows * dim > room:
            self.fail(f"{what} should have {rows:,} rows of {dim} numbers, {room:,} numbers follow")
        found = np.frombuffer(self.content.map, "<f4", rows * dim, self.place)
        self.place += found.nbytes
        return found.reshape(rows, dim)

    def fail(self, what: str) -> NoReturn:
        raise self.content.damaged(f"byte {self.place:,}: {what}")


def recognised(start: bytes) -> bool:
    """Whether a file that begins with these bytes is fastText's."""
    return len(start) >= 4 and struct.unpack("<i", start[:4])[0] == MAGIC


def looks_old(start: bytes) -> bool:
    """Whether a file may be fastText's from before it had a magic number: its arguments make
    sense."""
    if len(start) < ARGUMENTS.size:
        return False
    found = dict(zip(NAMES, ARGUMENTS.unpack_from(start), strict=True))
    limits = {"dim": 10_000, "window": 1000, "epochs": 10_000, "word_ngrams": 100}
    limits |= {"loss": 3, "model": 3}
    sane = all(0 < found[name] <= limit for name, limit in limits.items())
    return sane and min(found["min_n"], found["max_n"], found["bucket"]) >= 0


def read(content: Content) -> Vectors:
    """The vectors in a fastText model, both matrices mapped."""
    cursor = _Cursor(content)
    version = VERSIONS[0] if cursor.old else cursor.take(START, "its head")[1]
    if version not in VERSIONS:
        raise GaiError(f"{content.name}: version {version} of fastText's format is not known")
    arguments = dict(zip(NAMES, cursor.take(ARGUMENTS, "its arguments"), strict=True))
    words, counts, labels, tokens = _dictionary(cursor)
    inputs = cursor.matrix("the input matrix")
    outputs = cursor.matrix("the output matrix")
    if cursor.place != len(content):
        cursor.fail(f"{len(content) - cursor.place:,} bytes too many")
    bucket = len(inputs) - len(words)
    if inputs.shape[1] != arguments["dim"] or bucket not in (0, arguments["bucket"]):
        rows, dim = len(words) + arguments["bucket"], arguments["dim"]
        what = f"the input matrix is {inputs.shape[0]:,} x {inputs.shape[1]}"
        raise content.damaged(f"{what}, not {rows:,} x {dim}")
    arguments["tokens"] = tokens
    own, parts = inputs[: len(words)], inputs[len(words) :]
    alone = None if cursor.old else END_OF_SENTENCE
    subwords = Subwords(own, parts, arguments["min_n"], arguments["max_n"], alone)
    vectors = Vectors(
        words,
        None,
        counts=counts,
        signature=_signature(arguments),
        state={"output": outputs} if outputs.shape == own.shape and _trained(outputs) else {},
        subwords=subwords,
    )
    if labels:
        vectors.notes.append(f"a classifier: its {labels:,} labels are left out")
    return vectors


def _trained(outputs: NDArray[np.float32]) -> bool:
    """Whether the output matrix is more than the zeros that stand for one nobody knows."""
    return bool(outputs[:1000].any())


def _dictionary(cursor: _Cursor) -> tuple[Terms, NDArray[np.int64], int, int]:
    """The words, how often each occurred, the number of labels beside them, and of all tokens."""
    size, words, labels, tokens = cursor.take(DICTIONARY, "its dictionary")
    pruned = -1 if cursor.old else cursor.take(PRUNED, "its dictionary")[0]
    room = len(cursor.content) - cursor.place
    if min(words, labels) < 0 or size != words + labels or size * (ENTRY.itemsize + 1) > room:
        cursor.fail(f"a dictionary of {words:,} words and {labels:,} labels: {room:,} bytes follow")
    if pruned > 0:
        raise GaiError(f"{cursor.content.name} is a pruned fastText model, which gai cannot read")
    starts, ends = _places(cursor, size)
    data = cursor.content.array
    items = np.lib.stride_tricks.as_strided(
        data[: ENTRY.itemsize].view(ENTRY), (len(data) - ENTRY.itemsize + 1,), (1,)
    )
    entries = items[ends + 1]
    if np.count_nonzero(entries["kind"]) != labels or (size and entries["count"].min() < 0):
        cursor.fail("its dictionary holds something else than words and labels")
    kept = entries["kind"] == 0
    terms = spelling.cut_from(data, starts[kept], ends[kept])
    return terms, entries["count"][kept].astype(np.int64), labels, tokens


def _places(cursor: _Cursor, size: int) -> tuple[spelling.Places, spelling.Places]:
    """Where each word of the dictionary begins and ends."""
    find, place, last = cursor.content.map.find, cursor.place, len(cursor.content)
    starts, ends = np.empty(size, np.int64), np.empty(size, np.int64)
    for number in range(size):
        end = find(b"\0", place)
        if end < 0 or end + 1 + ENTRY.itemsize > last:
            cursor.place = place
            cursor.fail(f"word {number + 1:,} of {size:,} is cut short")
        starts[number], ends[number] = place, end
        place = end + 1 + ENTRY.itemsize
    cursor.place = place
    return starts, ends


def _signature(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the arguments say, by the names that training has for them."""
    parts = {name: arguments[name] for name in ("min_n", "max_n", "bucket")}
    training = {
        **{name: arguments[name] for name in ("dim", "window", "epochs", "negative", "sample")},
        "cbow": arguments["model"] == CBOW,
        "hs": arguments["loss"] == SOFTMAX_TREE,
        "subwords": parts if parts["max_n"] > 0 and parts["bucket"] > 0 else None,
        "trained": arguments["epochs"],
    }
    vocabulary = {name: arguments[name] for name in ("min_count", "tokens")}
    return {"kind": "fasttext", "training": training, "vocabulary": vocabulary}


def pieces(vectors: Vectors) -> Iterator[bytes | memoryview]:
    """The bytes of a model; without parts of words one that was trained without them."""
    yield START.pack(MAGIC, VERSIONS[-1])
    yield ARGUMENTS.pack(*_arguments(vectors).values())
    counts = np.arange(len(vectors), 0, -1) if vectors.counts is None else vectors.counts
    size = len(vectors)
    vocabulary = _section(vectors, "vocabulary")
    tokens = int(_number(vocabulary, "tokens", 0, most=1 << 63) or counts.sum())
    yield DICTIONARY.pack(size, size, 0, tokens) + PRUNED.pack(-1)
    for first in range(0, size, 1 << 16):
        part = range(first, min(size, first + (1 << 16)))
        yield b"".join(
            b"%b\0%b\0" % (vectors.words.as_bytes(place), count.to_bytes(8, "little"))
            for place, count in zip(part, counts[part.start : part.stop].tolist(), strict=True)
        )
    parts = vectors.subwords
    yield FLAG.pack(False) + SHAPE.pack(size + (parts.bucket if parts else 0), vectors.dim)
    if parts is None:
        yield from (_bytes(rows) for _, rows in vectors.blocks())
    else:
        yield from _rows(parts.words)
        yield from _rows(parts.buckets)
    yield from _output(vectors)


def _arguments(vectors: Vectors) -> dict[str, Any]:
    """The arguments of fastText's training, in the order of the file."""
    training = _section(vectors, "training")
    least = 1 if vectors.counts is None else int(vectors.counts.min(initial=1 << 30))
    asked = _number(_section(vectors, "vocabulary"), "min_count", 0) or 1
    parts, hs = vectors.subwords, bool(training.get("hs"))
    return {
        "dim": vectors.dim,
        "window": int(_number(training, "window", 0) or 5),
        "epochs": int(_number(training, "trained", 0) or _number(training, "epochs", 0) or 5),
        "min_count": min(least, int(asked)),
        "negative": 0 if hs else int(_number(training, "negative", 5)),
        "word_ngrams": 1,
        "loss": SOFTMAX_TREE if hs else NEGATIVE_SAMPLING,
        "model": CBOW if training.get("cbow") else SKIP_GRAM,
        "bucket": parts.bucket if parts else 0,
        "min_n": parts.min_n if parts else 0,
        "max_n": parts.max_n if parts else 0,
        "update_rate": UPDATE_RATE,
        "sample": float(_number(training, "sample", 1e-4)),
    }


def _section(vectors: Vectors, name: str) -> Mapping[str, Any]:
    """A part of the signature, which a file may have of any shape: empty where it has no names."""
    found = vectors.signature.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(section: Mapping[str, Any], name: str, missing: float, most: int = 1 << 31) -> float:
    """A number from 0 to below ``most``; ``missing`` where there is none that the format holds."""
    found = section.get(name)
    return found if isinstance(found, int | float) and 0 <= found < most else missing


def _output(vectors: Vectors) -> Iterator[bytes | memoryview]:
    """The output matrix; zeros where nobody knows it, for the format cannot do without."""
    shape = (len(vectors), vectors.dim)
    yield FLAG.pack(False) + SHAPE.pack(*shape)
    output = vectors.state.get("output")
    if output is not None and output.shape == shape:
        yield from _rows(output)
        return
    step = max(1, (1 << 20) // max(1, vectors.dim))
    for first in range(0, len(vectors), step):
        yield bytes(4 * vectors.dim * (min(first + step, len(vectors)) - first))


def _rows(matrix: NDArray[Any]) -> Iterator[memoryview]:
    step = max(1, (1 << 20) // max(1, matrix.shape[1]))
    for first in range(0, len(matrix), step):
        yield _bytes(matrix[first : first + step])


def _bytes(rows: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(rows, "<f4").reshape(-1).view(np.uint8).data
