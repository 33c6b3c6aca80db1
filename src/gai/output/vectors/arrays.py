"""Vectors as arrays by name, and back: what npz and safetensors have in common.

vectors (words, dim)                        float32, float16, or int8 with scales
scales (float32, words)                     with int8: a vector is scale * row
words_arena (uint8), words_offsets (int64)  the words, see gai.terms.Terms
counts (int64, words)                       how often each word occurred, where that is known
signature (uint8)                           JSON
state_NAME                                  what training needs to go on
subwords_words, subwords_buckets            fastText's rows, see gai.output.vectors.subwords
subwords_lengths (int64, 2)                 characters of the shortest and of the longest part
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import signature
from gai.errors import GaiError
from gai.output.vectors.content import Content
from gai.output.vectors.model import Subwords, Vectors
from gai.terms import Terms

NEEDED = ("vectors", "words_arena", "words_offsets")
STATE = "state_"
NUMBERS = tuple(map(np.dtype, ("float32", "float16", "int8")))
FLOATS = NUMBERS[:2]

Arrays = dict[str, NDArray[Any]]


def arrays_of(vectors: Vectors) -> Arrays:
    """Everything that vectors hold, as arrays by name."""
    parts: Arrays = {}
    if (subwords := vectors.subwords) is not None:
        lengths = np.array([subwords.min_n, subwords.max_n], np.int64)
        parts = {"words": subwords.words, "buckets": subwords.buckets, "lengths": lengths}
    optional = {"scales": vectors.scales, "counts": vectors.counts}
    return {
        "vectors": vectors.matrix,
        "words_arena": vectors.words.arena,
        "words_offsets": vectors.words.offsets,
        **{name: array for name, array in optional.items() if array is not None},
        "signature": signature.packed(vectors.signature),
        **{f"subwords_{name}": array for name, array in parts.items()},
        **{STATE + name: array for name, array in vectors.state.items()},
    }


def from_arrays(content: Content, arrays: Mapping[str, NDArray[Any]]) -> Vectors:
    """The vectors that arrays describe; raises GaiError where they describe none, or do not fit."""
    _check_kind(content, arrays)
    checked = Checked(content, arrays)
    matrix = checked.array("vectors", NUMBERS, (None, None))
    shape = (len(matrix), matrix.shape[1])
    return Vectors(
        _words(checked, shape[0]),
        matrix,
        scales=checked.array("scales", FLOATS[:1], shape[:1]) if matrix.dtype == np.int8 else None,
        counts=checked.optional("counts", (np.dtype(np.int64),), shape[:1]),
        signature=_signature(checked),
        state={name.removeprefix(STATE): arrays[name] for name in arrays if name.startswith(STATE)},
        subwords=_subwords(checked, shape),
    )


def _check_kind(content: Content, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raises GaiError where the arrays are those of something else."""
    if "indptr" in arrays:
        raise GaiError(
            f"{content.name} is a matrix of documents and terms, not vectors of words",
            f"gai info {content.name} shows what it holds",
        )
    if "documents_arena" in arrays:
        raise GaiError(f"{content.name} holds vectors of documents, not of words")
    if missing := [name for name in NEEDED if name not in arrays]:
        raise GaiError(
            f"{content.name} holds no vectors of words as gai writes them",
            f"it has no {', '.join(missing)}",
        )


class Checked:
    """Arrays that are what they should be, or else a GaiError."""

    def __init__(self, content: Content, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.content, self.arrays = content, arrays

    def optional(
        self, name: str, kinds: tuple[np.dtype[Any], ...], shape: tuple[int | None, ...]
    ) -> NDArray[Any] | None:
        """An array that may be missing."""
        return self.array(name, kinds, shape) if name in self.arrays else None

    def array(
        self, name: str, kinds: tuple[np.dtype[Any], ...], shape: tuple[int | None, ...]
    ) -> NDArray[Any]:
        """An array of one of ``kinds``; None in ``shape`` stands for any number."""
        if name not in self.arrays:
            raise self.content.damaged(f"{name} is missing")
        found = self.arrays[name]
        fits = found.ndim == len(shape) and all(
            wanted in (None, there) for wanted, there in zip(shape, found.shape, strict=True)
        )
        if found.dtype not in kinds or not fits:
            size = " x ".join(map(str, found.shape))
            raise self.content.damaged(f"{name} is {found.dtype}, {size}: that does not fit")
        return np.ascontiguousarray(found)


def _words(checked: Checked, count: int) -> Terms:
    arena = checked.array("words_arena", (np.dtype(np.uint8),), (None,))
    offsets = checked.array("words_offsets", (np.dtype(np.int64),), (count + 1,))
    if offsets[0] != 0 or offsets[-1] != len(arena) or np.any(offsets[1:] < offsets[:-1]):
        raise checked.content.damaged("its words do not fit together")
    return Terms(arena, offsets)


def _signature(checked: Checked) -> dict[str, Any]:
    packed = checked.optional("signature", (np.dtype(np.uint8),), (None,))
    try:
        return {} if packed is None else signature.unpacked(packed)
    except ValueError as error:
        raise checked.content.damaged("its signature is no JSON") from error


def _subwords(checked: Checked, shape: tuple[int, int]) -> Subwords | None:
    if "subwords_lengths" not in checked.arrays:
        return None
    shortest, longest = checked.array("subwords_lengths", (np.dtype(np.int64),), (2,)).tolist()
    words = checked.array("subwords_words", FLOATS, shape)
    buckets = checked.array("subwords_buckets", FLOATS, (None, shape[1]))
    return Subwords(words, buckets, shortest, longest)
