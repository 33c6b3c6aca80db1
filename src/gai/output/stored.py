"""Stored: a matrix that was written to an npz file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import signature
from gai.documents.ids import DocumentIds
from gai.errors import GaiError
from gai.matrix import RowBlock, cut
from gai.output.storedzip import MappedArrays
from gai.terms import Terms

MATRIX = ("format", "shape", "indptr", "indices", "data")
TERMS = ("terms_arena", "terms_offsets")
DOCUMENTS = ("documents_arena", "documents_offsets", "documents_runs")
NEEDED = {*MATRIX, *TERMS, *DOCUMENTS, "signature"}


def load(path: str | os.PathLike[str]) -> Stored:
    """The matrix in an npz file that gai wrote; its parts are read when they are asked for.

    Raises GaiError for a file that is missing, is no npz, is cut short, or is not gai's.
    """
    arrays = MappedArrays(os.fspath(path))
    if not arrays.keys() >= NEEDED:
        raise GaiError(
            f"{arrays.path} was not written by gai: it holds no signature, terms or documents",
            "scipy.sparse.load_npz or numpy.load may open it",
        )
    return Stored(arrays)


class Stored:
    """A matrix with its rows, columns and signature, each read when first asked for.

    Arrays are mapped from the file: what is not used is not read. They may be changed, in memory
    only.
    """

    def __init__(self, arrays: MappedArrays) -> None:
        self.path = arrays.path
        self._arrays = arrays

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"<{rows} documents, {columns} terms, {len(self.data)} cells from {self.path}>"

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Documents and terms."""
        shape = self._arrays["shape"]
        if shape.shape != (2,):
            raise GaiError(f"{self.path} is damaged: its shape is not that of a matrix")
        return int(shape[0]), int(shape[1])

    @cached_property
    def indptr(self) -> NDArray[np.int64]:
        """Where each row begins and the last one ends: documents + 1."""
        return self._arrays["indptr"]

    @cached_property
    def indices(self) -> NDArray[np.int32]:
        """The column of each cell, sorted within each row."""
        return self._arrays["indices"]

    @cached_property
    def data(self) -> NDArray[Any]:
        """The number in each cell: int32 counts or float64 weights."""
        return self._arrays["data"]

    @cached_property
    def matrix(self) -> Any:
        """The matrix as ``scipy.sparse.csr_matrix``."""
        from scipy.sparse import csr_matrix

        self._check()
        matrix = csr_matrix((self.data, self.indices, self.indptr), self.shape)
        matrix.has_sorted_indices = matrix.has_canonical_format = True
        return matrix

    def _check(self) -> None:
        """Raises GaiError where the arrays of the matrix do not fit together."""
        rows, indptr = self.shape[0], self.indptr
        cells = len(self.indices)
        if not (
            len(indptr) == rows + 1 and indptr[0] == 0 and indptr[-1] == cells == len(self.data)
        ):
            raise GaiError(f"{self.path} is damaged: its arrays do not fit together")

    def rows(self, jobs: int = 1) -> Iterator[RowBlock]:
        """The rows in order, in blocks; there is nothing to compute, so ``jobs`` is not used."""
        self._check()
        return cut(RowBlock(0, self.indptr, self.indices, self.data))

    @cached_property
    def terms(self) -> Terms:
        """The columns."""
        arena, offsets = (self._arrays[name] for name in TERMS)
        if not (
            len(offsets) == self.shape[1] + 1 and offsets[0] == 0 and offsets[-1] == len(arena)
        ):
            raise GaiError(f"{self.path} is damaged: its terms do not fit together")
        return Terms(arena, offsets)

    @cached_property
    def documents(self) -> DocumentIds:
        """The rows."""
        return DocumentIds.from_arrays({name: self._arrays[name] for name in DOCUMENTS})

    @cached_property
    def signature(self) -> dict[str, Any]:
        """Everything that changed a number: see gai.signature."""
        try:
            return signature.unpacked(self._arrays["signature"])
        except ValueError as error:
            raise GaiError(f"{self.path} is damaged: its signature is no JSON") from error

    @cached_property
    def extra(self) -> dict[str, NDArray[Any]]:
        """Further arrays by name: "df", "tf", "idf" by term, "lengths" by document."""
        return {name: self._arrays[name] for name in self._arrays if name not in NEEDED}
