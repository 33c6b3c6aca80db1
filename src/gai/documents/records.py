"""What the record formats share: bad records, columns, decoding, and records into batches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gai.documents.batch import Batch, from_texts
from gai.documents.blocks import after_line, blocks
from gai.documents.opening import Stream
from gai.documents.reading import Errors, Reading
from gai.documents.sources import Source
from gai.errors import GaiError

LISTED = 20
"""So many fields or columns are named in a message."""

SURROGATES = re.compile("[\ud800-\udfff]")
REPLACEMENTS = {"replace": "\ufffd", "ignore": ""}

Record = tuple[str, str]
"""The id and the text of one document."""


class BadRecord(GaiError):
    """A record that cannot be read; ``skip_bad`` counts it and goes on."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "--skip-bad counts such records and goes on")


def skip(error: BadRecord, stream: Stream, reading: Reading) -> None:
    """Count a bad record, or raise it where bad records are not to be skipped."""
    if not reading.skip_bad:
        raise error
    stream.tally.skipped += 1


def batches(
    records: Iterable[Record], source: Source, limit: int, numbered: bool
) -> Iterator[Batch]:
    """Batches of about ``limit`` characters; ``numbered``: the ids are path:1, path:2, ..."""
    restart = True
    for ids, texts in _portions(records, limit):
        batch = from_texts(texts, ids)
        batch.source = source.name
        if numbered:
            batch.ids, batch.restart = source.path, restart
        yield batch
        restart = False


def _portions(records: Iterable[Record], limit: int) -> Iterator[tuple[list[str], list[str]]]:
    ids: list[str] = []
    texts: list[str] = []
    size = 0
    for id, text in records:
        ids.append(id)
        texts.append(text)
        size += len(text) + len(id)
        if size >= limit:
            yield ids, texts
            ids, texts, size = [], [], 0
    if ids:
        yield ids, texts


@dataclass(frozen=True)
class Columns:
    """Where the text and the id stand in a row."""

    text: int
    id: int | None
    id_needed: bool  # the user named the column


def columns(names: list[str], source: Source, reading: Reading) -> Columns:
    """The columns that hold text and id; raises GaiError where a named one is missing."""
    text = _column(reading.text_field, names, source, "--text-field")
    if reading.id_field is not None:
        return Columns(text, _column(reading.id_field, names, source, "--id-field"), True)
    return Columns(text, names.index("id") if "id" in names else None, False)


def _column(name: str, names: list[str], source: Source, option: str) -> int:
    if name in names:
        return names.index(name)
    raise GaiError(
        f"{source.name}: no column {name!r} (columns: {listing(names)})", f"{option} names it"
    )


def listing(names: Iterable[str]) -> str:
    """Names for a message, those with blanks or control characters at their ends quoted."""
    shown = [name if name.isprintable() and name == name.strip() else repr(name) for name in names]
    more = ["..."] if len(shown) > LISTED else []
    return ", ".join(shown[:LISTED] + more)


def decoded_blocks(stream: Stream, reading: Reading) -> Iterator[tuple[int, str]]:
    """Pieces of the text that end at LF, each with the number of lines before it.

    Raises GaiError where the text is no UTF-8.
    """
    above = 0
    for block in blocks(stream, reading.block_size, after_line):
        data = block.data[: block.size].tobytes()
        try:
            text = data.decode("utf-8", reading.errors)
        except UnicodeDecodeError as error:
            line = above + data.count(b"\n", 0, error.start) + 1
            place = f"{stream.source.name}:{line}"
            raise undecodable(place, block.offset + error.start, data[error.start]) from error
        yield above, text
        above += data.count(b"\n")


def undecodable(place: str, offset: int, byte: int) -> GaiError:
    """The error for a byte that is no UTF-8."""
    return GaiError(
        f"{place}: undecodable byte 0x{byte:02x} at byte {offset}: not UTF-8",
        "--errors replace puts U+FFFD in its place, --errors ignore leaves it out",
    )


def without_surrogates(text: str, place: str, errors: Errors) -> str:
    """``text`` without the lone surrogates that JSON can spell and UTF-8 cannot."""
    if text.isascii() or not (found := SURROGATES.search(text)):
        return text
    if errors == "strict":
        raise GaiError(
            f"{place}: lone surrogate \\u{ord(found[0]):04x} in the text",
            "--errors replace puts U+FFFD in its place, --errors ignore leaves it out",
        )
    return SURROGATES.sub(REPLACEMENTS[errors], text)
