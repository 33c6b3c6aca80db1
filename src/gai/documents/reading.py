"""Reading: what to read and how, as the user said it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gai.errors import UsageError

Unit = Literal["file", "line", "paragraph"]
Format = Literal["text", "jsonl", "csv", "tsv", "parquet"]
Errors = Literal["strict", "replace", "ignore"]

BLOCK_SIZE = 4 << 20


@dataclass(frozen=True)
class Reading:
    """What to read and how to make documents of it.

    Attributes
    ----------
    paths
        Files, folders, URLs, and ``-`` for standard input, read in this order.
    glob
        Pattern for the names of the files inside folders; every file without it.
    files_from, files0_from
        Files that hold further paths, one a line or each ended by NUL.
    per
        What one document of plain text is. Without it a named file is one document, each line of
        standard input is one; a record of another format always is.
    input_format
        The format of all inputs; without it the extension says it, and text where none does.
    text_field, id_field
        The field or column of the text, and of the id. Without ``id_field`` a field ``id`` is
        taken where there is one, else the id is ``path:number``.
    errors
        What becomes of undecodable bytes: an error, U+FFFD, or nothing.
    text
        Read plain text that looks binary.
    skip_bad
        Count records that cannot be read and go on.
    pretokenized
        One document a line, in files too.
    block_size
        Bytes of text in one batch, about.
    split_documents
        Give files larger than a block as several batches.
    """

    paths: tuple[str, ...] = ()
    glob: str | None = None
    files_from: str | None = None
    files0_from: str | None = None
    per: Unit | None = None
    input_format: Format | None = None
    text_field: str = "text"
    id_field: str | None = None
    errors: Errors = "strict"
    text: bool = False
    skip_bad: bool = False
    pretokenized: bool = False
    block_size: int = BLOCK_SIZE
    split_documents: bool = False

    def __post_init__(self) -> None:
        _one_of("per", self.per, (None, *get_args(Unit)))
        _one_of("input_format", self.input_format, (None, *get_args(Format)))
        _one_of("errors", self.errors, get_args(Errors))
        if self.block_size < 1:
            raise UsageError(f"block_size is {self.block_size}: it must be at least 1")


def _one_of(name: str, value: str | None, choices: tuple[str | None, ...]) -> None:
    if value not in choices:
        known = ", ".join(choice for choice in choices if choice)
        raise UsageError(f"{name} is {value!r}: it must be one of {known}")
