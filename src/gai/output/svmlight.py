"""The format of SVMlight, LIBSVM and LIBLINEAR: a line ``0 column:value ...`` for each document.

Columns count from 1, as these programs want it; ``sklearn.datasets.load_svmlight_file`` finds that
out by itself (pass ``n_features``, for the last columns may be empty). The label is 0 throughout.
The names of rows and columns stand in ``.docs`` and ``.terms`` beside the file, as with ``.mtx``.
"""

from __future__ import annotations

from collections.abc import Iterator

from gai.matrix import Result
from gai.output.cells import blocks, by_row, texts, values


def pieces(result: Result, jobs: int = 1) -> Iterator[bytes]:
    """The file in pieces, while the rows are computed."""
    columns = texts(f" {column}:" for column in range(1, len(result.terms) + 1))
    for block in blocks(result, jobs):
        cells = by_row(columns, values(block.data, repr), block)
        yield "".join([f"0{row}\n" for row in cells]).encode("ascii")
