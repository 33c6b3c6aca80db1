"""Parquet, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gai.documents.batch import Batch
from gai.documents.opening import Stream
from gai.documents.reading import Reading
from gai.documents.records import BadRecord, Columns, Record, batches, columns, skip, undecodable
from gai.documents.sources import Source
from gai.errors import GaiError, MissingExtraError

ROWS = 1024
CHUNK = 1 << 20


def parquet(stream: Stream, reading: Reading) -> Iterator[Batch]:
    """Batches of the rows of a Parquet file.

    The id is the column ``id_field``, else the column ``id`` where it is not null, else
    ``path:N``, N the number of the row from 1.
    """
    with _failures_named(stream.source):
        file = _open(stream)
    with file:
        names = file.schema_arrow.names
        found = columns(names, stream.source, reading)
        _require_text(file.schema_arrow.field(found.text).type, names[found.text], stream.source)
        records = _records(file, found, stream, reading)
        numbered = found.id is None and not reading.skip_bad
        yield from batches(records, stream.source, reading.block_size, numbered)


def objects(stream: Stream) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every row with all of its columns, and its number from 1."""
    with _failures_named(stream.source), _open(stream) as file:
        rows = (row for batch in file.iter_batches(batch_size=ROWS) for row in batch.to_pylist())
        yield from enumerate(rows, start=1)


@contextmanager
def _failures_named(source: Source) -> Iterator[None]:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError(f"reading {source.name} (Parquet)", "parquet") from error
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise GaiError(f"{source.name}: not a Parquet file that can be read: {reason}") from error


def _open(stream: Stream) -> Any:
    """The file as pyarrow sees it; all bytes have passed through the stream, for the digest.

    Parquet begins at its end: what is no plain local file is held in memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if stream.size is None:
        return pq.ParquetFile(pa.BufferReader(b"".join(_chunks(stream))))
    for _ in _chunks(stream):
        pass
    return pq.ParquetFile(stream.source.path)


def _chunks(stream: Stream) -> Iterator[memoryview]:
    full = CHUNK
    while full == CHUNK:
        chunk = memoryview(bytearray(CHUNK))
        full = stream.fill(chunk)
        yield chunk[:full]


def _require_text(type: Any, name: str, source: Source) -> None:
    import pyarrow as pa

    value = type.value_type if pa.types.is_dictionary(type) else type
    kinds = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    if str(value) not in kinds:
        raise GaiError(f"{source.name}: column {name!r} is {type}, not text")


def _records(file: Any, found: Columns, stream: Stream, reading: Reading) -> Iterator[Record]:
    for number, (id, text) in enumerate(_rows(file, found, stream.source), start=1):
        try:
            yield _record(id, text, found, number, stream, reading)
        except BadRecord as error:
            skip(error, stream, reading)


def _rows(file: Any, found: Columns, source: Source) -> Iterator[tuple[object, bytes | None]]:
    """Id and text of each row, the text as bytes, which need not be UTF-8."""
    names = file.schema_arrow.names
    wanted = sorted({names[column] for column in (found.text, found.id) if column is not None})
    with _failures_named(source):
        for batch in file.iter_batches(batch_size=ROWS, columns=wanted):
            texts = _bytes_of(batch.column(names[found.text]))
            ids = [None] * len(texts) if found.id is None else batch.column(names[found.id])
            yield from zip(_values(ids), texts, strict=True)


def _values(column: Any) -> list[object]:
    return column if isinstance(column, list) else column.to_pylist()


def _bytes_of(column: Any) -> list[bytes | None]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def _record(
    id: object, text: bytes | None, found: Columns, number: int, stream: Stream, reading: Reading
) -> Record:
    place = f"{stream.source.name}:{number}"
    if text is None:
        raise BadRecord(f"{place}: the text is null")
    if id is None and found.id_needed:
        raise BadRecord(f"{place}: the id is null")
    name = f"{stream.source.path}:{number}" if id is None else str(id)
    try:
        return name, text.decode("utf-8", reading.errors)
    except UnicodeDecodeError as error:
        raise undecodable(place, error.start, text[error.start]) from error
