"""Plain text: a text a line, with fastText's labels or without, a number a line, a text a file."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gai.documents.opening import Stream
from gai.documents.records import decoded_blocks
from gai.documents.sources import STDIN
from gai.errors import GaiError, UsageError
from gai.nn.data.columns import Example
from gai.nn.data.wanted import Wanted

PREFIX = "__label__"
"""How fastText marks a label."""

LOOKED_AT = 8192
"""A NUL among the first characters tells a binary file."""

LABELS_OF_TEXT = (
    f"plain text has labels as {PREFIX}x in front of each line; a folder has them as names of its "
    "subfolders; or say --input-format jsonl, csv or tsv"
)


def numbered(stream: Stream, wanted: Wanted) -> Iterator[tuple[int, str]]:
    """The lines with their numbers from 1; LF ends one, it and a CR before it lie outside."""
    for above, text in decoded_blocks(stream, wanted.reading):
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        if above == 0 and lines:
            _require_text(text, stream)
            _require_no_json(lines[0], stream, wanted)
        for number, line in enumerate(lines, start=above + 1):
            yield number, line.removesuffix("\r")


def texts(stream: Stream, wanted: Wanted) -> Iterator[Example]:
    """Each line as a text, blank ones too: what is said of line 7 is said in line 7."""
    source = stream.source
    for number, line in numbered(stream, wanted):
        fields = {wanted.config.text_field: cut_labels(line)[1]}
        yield Example(f"{source.path}:{number}", f"{source.name}:{number}", fields)


def labelled(stream: Stream, wanted: Wanted) -> Iterator[Example]:
    """Each line that is not blank, with the labels in front of it."""
    source = stream.source
    for number, line in numbered(stream, wanted):
        labels, text = cut_labels(line)
        place = f"{source.name}:{number}"
        if labels:
            label = labels if len(labels) > 1 else labels[0]
            fields = {wanted.config.text_field: text, wanted.label_field: label}
            yield Example(f"{source.path}:{number}", place, fields)
        elif line.strip():
            raise GaiError(f"{place}: a line without a label", LABELS_OF_TEXT)


def cut_labels(line: str) -> tuple[list[str], str]:
    """The labels in front of a line, as fastText writes them, and the text behind them."""
    labels = []
    while line.startswith(PREFIX):
        label, *rest = line.split(None, 1)
        labels.append(label.removeprefix(PREFIX))
        line = rest[0] if rest else ""
    return labels, line


def values(stream: Stream, wanted: Wanted) -> Iterator[Example]:
    """Each line that is not blank as a record with one field, ``value``."""
    source = stream.source
    for number, line in numbered(stream, wanted):
        if line.strip():
            place = f"{source.name}:{number}"
            yield Example(f"{source.path}:{number}", place, {"value": line})


def whole(stream: Stream, wanted: Wanted) -> str:
    """All of the text."""
    text = "".join(piece for _, piece in decoded_blocks(stream, wanted.reading))
    _require_text(text, stream)
    return text


def _require_text(text: str, stream: Stream) -> None:
    if "\0" in text[:LOOKED_AT]:
        hint = "text is UTF-8; numbers come as .npz, images as .png, .jpg and the like"
        raise GaiError(f"{stream.source.name}: looks binary (NUL among its first bytes)", hint)


def _require_no_json(line: str, stream: Stream, wanted: Wanted) -> None:
    """Raises UsageError where JSON lines came without their name, to be read as plain text."""
    if stream.source.path != STDIN or wanted.config.input_format or not line.startswith("{"):
        return
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return
    hint = "--input-format jsonl reads their fields, --input-format text each line as it is"
    raise UsageError(f"{stream.source.name} looks like JSON lines", hint)
