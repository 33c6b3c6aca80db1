"""JSON lines: one object a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
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
    for above, text in decoded_blocks(stream, reading):
        for number, line in enumerate(io.StringIO(text, newline="\n"), start=above + 1):
            if not line.isspace():
                try:
                    yield _record(line, number, stream.source, reading)
                except BadRecord as error:
                    skip(error, stream, reading)


def _record(line: str, number: int, source: Source, reading: Reading) -> Record:
    place = f"{source.name}:{number}"
    fields = _object(line, place)
    text = _field(fields, reading.text_field, place)
    if not isinstance(text, str):
        raise BadRecord(f"{place}: field {reading.text_field!r} is {_kind(text)}, not a string")
    id = _id(fields, reading.id_field, place) or f"{source.path}:{number}"
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
        raise BadRecord(f"{place}: {_kind(value)}, not an object")
    return value


def _field(fields: dict[str, Any], name: str, place: str) -> Any:
    if name not in fields:
        raise BadRecord(f"{place}: no field {name!r} (fields: {listing(fields)})")
    return fields[name]


def _id(fields: dict[str, Any], name: str | None, place: str) -> str | None:
    value = _field(fields, name, place) if name else fields.get("id")
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if name:
        raise BadRecord(f"{place}: field {name!r} is {_kind(value)}, not a string or whole number")
    return None


def _kind(value: object) -> str:
    """What JSON calls a value."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else "a number"
