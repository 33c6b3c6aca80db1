"""The file beside a plain one: signature and counts, as JSON, with what tells the two belong
together."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.output.vectors.content import Content
from gai.output.vectors.model import Vectors

FORMAT = "gai vectors sidecar 1"
LOOKED_AT = 64
"""Bytes in which a sidecar has its format."""

END = 1 << 20
"""Bytes at each end of the file that are compared; the whole file would have to be read."""

Facts = dict[str, Any]


def path_of(path: str) -> str:
    """Where the sidecar of ``path`` stands."""
    return f"{path}.json"


class Seal:
    """What tells one file from another: its size, and the checksums of its ends."""

    def __init__(self) -> None:
        self.size, self.head, self.tail = 0, bytearray(), bytearray()

    def sealed(self, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        """The same pieces, looked at on their way."""
        for piece in pieces:
            self.size += len(piece)
            self.head += piece[: END - len(self.head)]
            self.tail += piece[-END:]
            del self.tail[:-END]
            yield piece

    def facts(self, vectors: Vectors) -> Facts:
        """What the sidecar says about the file."""
        checks = [zlib.crc32(self.head), zlib.crc32(self.tail)]
        return {"words": len(vectors), "dim": vectors.dim, "bytes": self.size, "crc32": checks}


def seal_of(content: Content) -> Seal:
    """The seal of a file that is there."""
    seal = Seal()
    seal.size = len(content)
    seal.head += content.map[:END]
    seal.tail += content.map[max(0, len(content) - END) :]
    return seal


def text(vectors: Vectors, seal: Seal, counts: bool) -> bytes:
    """The content of a sidecar; ``counts`` asks for those of the words."""
    made: Facts = {"format": FORMAT, "file": seal.facts(vectors), "signature": vectors.signature}
    if counts and vectors.counts is not None:
        made["counts"] = vectors.counts.tolist()
    lines = (f' "{name}": {json.dumps(value, sort_keys=True)}' for name, value in made.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def apply(content: Content, vectors: Vectors) -> None:
    """Gives vectors what the sidecar of their file says, if there is one and it belongs to it.

    Raises GaiError where it says more than is there: text that is cut at the end of a line shows
    no other sign.
    """
    if not content.beside:
        return
    try:
        found = _parsed(path_of(content.beside))
        if found is None:
            return
        there = seal_of(content).facts(vectors)
        _require_all(content, found["file"], there)
        if found["file"] != there:
            raise ValueError(f"belongs to another {content.name}")
        signature, counts = dict(found["signature"]), found.get("counts")
        if counts is not None:
            vectors.counts = _counts(counts, len(vectors))
        vectors.signature = signature
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        why = str(error) if str(error).startswith("belongs") else "is damaged"
        vectors.notes.append(f"{path_of(content.name)} {why}: it is not used")


def _require_all(content: Content, said: Facts, there: Facts) -> None:
    beside = path_of(content.name)
    for name in ("words", "bytes"):
        if said[name] > there[name]:
            what = f"cut short: {beside} says {said[name]:,} {name}, {there[name]:,} are there"
            hint = f"make it again; or remove {beside}, if it belongs to another file"
            raise content.damaged(what, hint)


def require_free(path: str) -> None:
    """Raises GaiError where a sidecar would take the place of a file of something else."""
    try:
        with open(path, "rb") as file:
            if FORMAT.encode() in file.read(LOOKED_AT):
                return
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        pass
    raise GaiError(
        f"{path} is there, and no sidecar of gai: signature and counts would overwrite it",
        "move it away, or choose another name, or a name that ends in .npz",
    )


def _parsed(path: str) -> Facts | None:
    """What a sidecar says; None where there is none, and for a file of something else."""
    try:
        with open(path, "rb") as file:
            if FORMAT.encode() not in file.read(LOOKED_AT):
                return None
            file.seek(0)
            found: Facts = json.loads(file.read())
    except OSError:
        return None
    return found


def _counts(listed: list[int], words: int) -> NDArray[np.int64]:
    counts = np.array(listed)
    if counts.dtype != np.int64 or counts.shape != (words,):
        raise ValueError("not a count for each word")
    return counts
