"""JSON lines: one object a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from gai.documents.batch import Batch
from gai.documents.opening import Stream
from gai.documents.reading import Reading
from gai.documents.records import (
    BadRecord,
    Record,
    batches,
    decoded_blocks,
    listing,
    skip,
    without_surrogates,
)
from gai.documents.sources import Source


def jsonl(stream: Stream, reading: Reading) -> Iterator[Batch]:
    """Batches of JSON lines; blank lines are left out.

    The id is the field ``id_field``, else a string or whole number in a field ``id``; where there
    is none or it is empty, ``path:LINE``.
    """
    return batches(_records(stream, reading), stream.source, reading.block_size, numbered=False)


def _records(stream: Stream, reading: Reading) -> Iterator[Record]:
    for number, fields in objects(stream, reading):
        try:
            yield _record(fields, number, stream.source, reading)
        except BadRecord as error:
            skip(error, stream, reading)


def objects(stream: Stream, reading: Reading) -> Iterator[tuple[int, dict[str, Any]]]:
    """The object in each line that is not blank, with the number of the line."""
    for above, text in decoded_blocks(stream, reading):
        for number, line in enumerate(io.StringIO(text, newline="\n"), start=above + 1):
            if not line.isspace():
                try:
                    fields = _object(line, f"{stream.source.name}:{number}")
                except BadRecord as error:
                    skip(error, stream, reading)
                else:
                    yield number, fields


def _record(fields: dict[str, Any], number: int, source: Source, reading: Reading) -> Record:
    place = f"{source.name}:{number}"
    text = field_of(fields, reading.text_field, place)
    if not isinstance(text, str):
        raise BadRecord(f"{place}: field {reading.text_field!r} is {kind_of(text)}, not a string")
    id = id_of(fields, reading.id_field, place) or f"{source.path}:{number}"
    errors = reading.errors
    return without_surrogates(id, place, errors), without_surrogates(text, place, errors)


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        column = min(error.pos, len(line.rstrip("\r\n"))) + 1
        raise BadRecord(f"{place}: not JSON: {error.msg} (column {column})") from error
    except (ValueError, RecursionError) as error:  # a number too long, a list too deep
        raise BadRecord(f"{place}: not JSON that can be read: {error}") from error
    if not isinstance(value, dict):
        raise BadRecord(f"{place}: {kind_of(value)}, not an object")
    return value


def field_of(fields: Mapping[str, Any], name: str, place: str) -> Any:
    """The value of a field; raises BadRecord, which lists the fields, where it is not there."""
    if name not in fields:
        raise BadRecord(f"{place}: no field {name!r} (fields: {listing(fields)})")
    return fields[name]


def id_of(fields: Mapping[str, Any], name: str | None, place: str) -> str | None:
    """The id in the field ``name``, or in a field ``id``; None where that holds no id."""
    value = field_of(fields, name, place) if name else fields.get("id")
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if name:
        raise BadRecord(
            f"{place}: field {name!r} is {kind_of(value)}, not a string or whole number"
        )
    return None


def kind_of(value: object) -> str:
    """What JSON calls a value; Parquet has other kinds too."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a string"
    return "a number" if isinstance(value, int | float) else f"a {type(value).__name__}"
