"""Results for the tests of writers: small ones made by hypothesis, and a larger one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gai.documents.ids import DocumentIds
from gai.output import Result, RowBlock
from gai.signature import signature
from gai.terms import Terms

Rows = list[dict[str, float]]

LETTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(st.one_of(st.sampled_from('\\\t\n\r",\0 é中\u2028'), LETTERS), max_size=5)
COUNTS = st.integers(1, 2**62)
WEIGHTS = st.floats(allow_nan=False, allow_infinity=False).map(lambda weight: weight + 0.0)


def as_result(
    terms: Sequence[str], documents: Sequence[str], rows: Rows, dtype: Any, cuts: Sequence[int] = ()
) -> Result:
    """The result with these cells; a task begins at row 0 and at each of ``cuts``."""
    column = {term: place for place, term in enumerate(terms)}
    cells = [sorted((column[term], value) for term, value in row.items()) for row in rows]
    indptr = np.cumsum([0, *map(len, cells)], dtype=np.int64)
    flat = [cell for row in cells for cell in row]
    indices = np.array([place for place, _ in flat], np.int32)
    data = np.array([value for _, value in flat], dtype)
    ids = DocumentIds()
    ids.append_names(documents)
    columns = Terms.of(terms)
    extra = {"df": np.bincount(indices, minlength=len(terms)).astype(np.int64)}
    signed = signature("bow", {"tokenizer": "word"}, documents=len(rows), terms=len(terms))
    tasks = blocks(indptr, indices, data, cuts)
    return Result(columns, ids, indptr, np.dtype(dtype), tasks, signed, extra)


def blocks(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], data: NDArray[Any], cuts: Sequence[int]
) -> list[Callable[[], RowBlock]]:
    """A task for each stretch of rows."""
    edges = sorted({0, *cuts, len(indptr) - 1})

    def task(first: int, last: int) -> RowBlock:
        part = slice(indptr[first], indptr[last])
        return RowBlock(first, indptr[first : last + 1] - indptr[first], indices[part], data[part])

    pairs = pairwise(edges)
    return [lambda first=first, last=last: task(first, last) for first, last in pairs]


@st.composite
def contents(draw: st.DrawFn) -> tuple[list[str], list[str], Rows, Any]:
    """Terms, documents, rows and a dtype: the arguments of :func:`as_result`."""
    terms = draw(st.lists(TEXT, max_size=6, unique=True))
    documents = draw(st.lists(TEXT, max_size=6))
    dtype, values = draw(st.sampled_from([(np.int64, COUNTS), (np.float64, WEIGHTS)]))
    row = st.dictionaries(st.sampled_from(terms), values) if terms else st.just({})
    rows = draw(st.lists(row, min_size=len(documents), max_size=len(documents)))
    return terms, documents, rows, dtype


def sentences(dtype: Any = np.int64) -> Result:
    """The two sentences about the cat, and a document without terms."""
    terms = ["at", "barked", "cat", "dog", "mat", "on", "sat", "the"]
    rows: Rows = [
        {"the": 2, "cat": 1, "sat": 1, "on": 1, "mat": 1},
        {"the": 2, "dog": 1, "barked": 1, "at": 1, "cat": 1},
        {},
    ]
    if dtype is np.float64:
        rows = [{term: value / 6 for term, value in row.items()} for row in rows]
    return as_result(terms, ["a.txt", "b.txt", "empty.txt"], rows, dtype, [1, 2])


def large(rows: int = 3000, columns: int = 500, seed: int = 0, tasks: int = 20) -> Result:
    """About a hundred thousand cells in many tasks."""
    import scipy.sparse as sp

    matrix = sp.random(rows, columns, 0.07, "csr", np.float64, rng=seed)
    matrix.sort_indices()
    terms = Terms.of(f"term{column:04}" for column in range(columns))
    ids = DocumentIds()
    ids.append_lines("big.txt", rows, restart=True)
    indptr, indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    cuts = np.random.default_rng(seed).integers(0, rows, tasks - 1).tolist()
    todo = blocks(indptr, indices, matrix.data, cuts)
    return Result(terms, ids, indptr, np.dtype(np.float64), todo, {"gai": "test"})
