"""Feeding gensim: a corpus as a file of numbers, cut so that not a word of it is lost.

gensim's ``corpus_file`` mode reads lines of words with C++ and trains without the GIL. What it does
with them has edges (gensim 4.4, ``word2vec_corpusfile.pyx``), found by reading and by counting:

- It gathers lines until they hold more than 10,000 words, and forgets what comes after the word
  that makes 10,000. So no line has so many words, and behind each group of lines that fit together
  stands a filler: words that nobody knows, which make the group longer without adding to it.
- A thread starts anywhere in the file, perhaps within a word, and stops after its share of the
  words, wherever the next thread began. So the work is handed out in chunks of whole groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gai import kernels
from gai.counts.store import naming_the_folder
from gai.kernels import reference
from gai.terms import Terms
from gai.vectors.corpus import Corpus

LIMIT = 9_999
"""Words of a group of lines at most: one less than where gensim (MAX_SENTENCE_LEN) stops."""

GROUP = 10_001
"""Words of a group with its filler: one more than where gensim stops to gather."""

CHUNK = 5
"""Groups that a thread takes at once, at most: fractions of a second."""

CHUNKS = 16
"""Chunks that even a small corpus has, so that several threads find work."""

SMALL = 100_000
"""Tokens up to which the twin of the kernel writes the file."""

FILLER = b" -"


@dataclass(frozen=True)
class Chunk:
    """A part of the file: ``groups`` groups from byte ``offset`` on, ``tokens`` words of the corpus
    after ``before`` others."""

    offset: int
    groups: int
    tokens: int
    before: int


@dataclass(frozen=True)
class Feed:
    """The file and its chunks; word i of the vocabulary is spelled as the number i."""

    path: str
    chunks: tuple[Chunk, ...]


@contextmanager
def feed(corpus: Corpus) -> Iterator[Feed]:
    """The corpus as a file that is there while the block runs."""
    with naming_the_folder():
        file: Any = NamedTemporaryFile(prefix="gai-", suffix=".ids")  # noqa: SIM115
    with file:
        yield Feed(file.name, tuple(_write(corpus, file)))


def _write(corpus: Corpus, file: BinaryIO) -> list[Chunk]:
    ops: Any = reference if corpus.tokens <= SMALL else kernels.load()
    numbers = Terms.of(map(str, range(len(corpus.words))))
    lines = short_lines(corpus.bounds)
    groups = grouped(lines)
    step = max(1, min(CHUNK, (len(groups) - 1) // CHUNKS))
    chunks, offset = [], 0
    for first in range(0, len(groups) - 1, step):
        mine = groups[first : first + step + 1]
        text = spelled(corpus.ids, lines, mine, numbers, ops)
        start, end = int(lines[mine[0]]), int(lines[mine[-1]])
        chunks.append(Chunk(offset, len(mine) - 1, end - start, start))
        with naming_the_folder():
            file.write(text)
        offset += len(text)
    with naming_the_folder():
        file.flush()
    return chunks


def short_lines(bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bounds of sentences, those of more than ``LIMIT`` words cut into pieces."""
    pieces = -(-np.diff(bounds) // LIMIT)
    starts = np.repeat(bounds[:-1], pieces)
    firsts = np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.append(starts + LIMIT * (np.arange(len(starts)) - firsts), bounds[-1:])


def grouped(lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bounds of groups of lines, as many lines in each as hold ``LIMIT`` words at most."""
    found, last = [0], len(lines) - 1
    while found[-1] < last:
        reached = int(lines.searchsorted(lines[found[-1]] + LIMIT, "right")) - 1
        found.append(reached)
    return np.array(found, np.int64)


def spelled(
    ids: NDArray[np.int32],
    lines: NDArray[np.int64],
    groups: NDArray[np.int64],
    numbers: Terms,
    ops: Any,
) -> bytes:
    """The lines of some groups as text, a filler at the end of each group."""
    mine = lines[groups[0] : groups[-1] + 1]
    tokens = np.ascontiguousarray(ids[mine[0] : mine[-1]])
    widest = int(numbers.lengths().max(initial=0))
    out = np.empty(len(tokens) * (widest + 1) + len(mine) + 64, np.uint8)
    places = np.zeros(len(mine), np.int64)
    space, newline = np.frombuffer(b" ", np.uint8), np.frombuffer(b"\n", np.uint8)
    arena = np.concatenate([numbers.arena, np.zeros(8, np.uint8)])
    ops.join_terms(tokens, mine - mine[0], arena, numbers.offsets, space, newline, out, places)
    pieces = []
    for first, last in zip(groups[:-1] - groups[0], groups[1:] - groups[0], strict=True):
        text = out[places[first] : places[last] - 1].tobytes()
        pieces += [text, FILLER * (GROUP - int(mine[last] - mine[first])), b"\n"]
    return b"".join(pieces)
