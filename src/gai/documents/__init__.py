"""Documents: paths, folders, standard input and URLs, read as batches."""

from __future__ import annotations

from gai.documents.batch import PADDING, Batch, from_texts, padded
from gai.documents.checking import check, cut, place
from gai.documents.ids import DocumentIds
from gai.documents.reader import Reader
from gai.documents.reading import BLOCK_SIZE, Errors, Format, Reading, Unit
from gai.documents.sources import Source

__all__ = [
    "BLOCK_SIZE",
    "PADDING",
    "Batch",
    "DocumentIds",
    "Errors",
    "Format",
    "Reader",
    "Reading",
    "Source",
    "Unit",
    "check",
    "cut",
    "from_texts",
    "padded",
    "place",
    "read",
]


def read(reading: Reading) -> Reader:
    """The documents of all inputs, batch by batch: an iterable of ``Batch``."""
    return Reader(reading)
