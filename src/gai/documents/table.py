"""CSV and TSV with a header row."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from itertools import chain

from gai.documents.batch import Batch
from gai.documents.opening import Stream
from gai.documents.reading import Reading
from gai.documents.records import BadRecord, Columns, Record, batches, columns, decoded_blocks, skip
from gai.documents.sources import Source
from gai.errors import GaiError

DELIMITERS = {"csv": ",", "tsv": "\t"}


def table(stream: Stream, reading: Reading) -> Iterator[Batch]:
    """Batches of the rows below the header; blank rows are left out.

    The id is the column ``id_field``, else the column ``id``; where there is none or it is empty,
    ``path:N``: N is the number of the record, not of the line, from 1.
    """
    records = rows(stream, reading)
    _, header = next(records, (0, None))
    if header is None:
        return
    found = columns(header, stream.source, reading)
    numbered = found.id is None and not reading.skip_bad
    texts = _records(records, found, stream, reading)
    yield from batches(texts, stream.source, reading.block_size, numbered)


def rows(stream: Stream, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the number of the line where each starts."""
    csv.field_size_limit(sys.maxsize)
    texts = Texts(stream, reading)
    found = csv.reader(chain.from_iterable(texts), delimiter=DELIMITERS[stream.source.format])
    line = 1
    for row in found:
        if texts.ended:  # the reader asks for the line behind the last one only inside quotes
            raise GaiError(
                f"{stream.source.name}:{line}: this record opens a quote that never ends"
            )
        if row:
            yield line, row
        line = found.line_num + 1


class Texts:
    """The lines for ``csv.reader``, block by block: LF, CR LF and CR end a line and are kept."""

    def __init__(self, stream: Stream, reading: Reading) -> None:
        self.ended = False
        self._blocks = decoded_blocks(stream, reading)

    def __iter__(self) -> Iterator[Iterable[str]]:
        for _, text in self._blocks:
            yield io.StringIO(text, newline="")
        self.ended = True


def _records(
    rows: Iterator[tuple[int, list[str]]], found: Columns, stream: Stream, reading: Reading
) -> Iterator[Record]:
    for number, (line, row) in enumerate(rows, start=1):
        try:
            yield _record(row, found, line, number, stream.source)
        except BadRecord as error:
            skip(error, stream, reading)


def _record(row: list[str], found: Columns, line: int, number: int, source: Source) -> Record:
    needed = max(found.text, found.id or 0) + 1
    if len(row) < needed:
        raise BadRecord(
            f"{source.name}:{line}: record {number} has {len(row)} fields, it needs {needed}"
        )
    id = "" if found.id is None else row[found.id]
    return id or f"{source.path}:{number}", row[found.text]
