"""Text that commands make themselves, written as matrices are: whole files, guarded terminals."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from gai.cli import terminal
from gai.cli.options import TEXT_FORMATS
from gai.errors import UsageError

BUFFER = 1 << 16


def text_format(place: str, format: str | None) -> str:
    """The format for ``place``; raises a UsageError where it is none of ``TEXT_FORMATS``."""
    extension = place.removesuffix(".gz").rpartition(".")[2].lower()
    named = format or ("tsv" if place == "-" else extension)
    if named not in TEXT_FORMATS:
        raise UsageError(
            f"this cannot be written as {named}", f"but as {' or '.join(TEXT_FORMATS)}"
        )
    return named


def check(place: str, format: str | None) -> None:
    """Raises what :func:`write` would raise, before the work, as far as that can be told."""
    text_format(place, format)
    check_place(place)


def check_place(place: str) -> None:
    """Raises a GaiError where no file can be made at ``place``; ``-`` is always fine."""
    from gai.output import atomic

    if place != "-" and not atomic.special(place):
        atomic.check(place)


def write(pieces: Iterable[bytes], place: str) -> None:
    """Writes the pieces to a file, all of them or nothing, or to standard output (``-``)."""
    from gai.output.atomic import staged
    from gai.output.cells import gzipped

    with terminal.guarded(), staged(place) as (sink,):
        for piece in gzipped(pieces) if place.endswith(".gz") else gathered(pieces):
            sink.write(piece)


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > BUFFER:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def write_facts(facts: Sequence[tuple[str, object, str]], format: str | None = None) -> None:
    """Prints a name and a value a line; to a person aligned and with a remark, unless as tsv."""
    if format is None and terminal.is_terminal(sys.stdout):
        print_aligned(
            [(name, terminal.escape(str(value)), remark) for name, value, remark in facts]
        )
        return
    from gai.output.tsv import escape

    text = "".join(f"{name}\t{escape(str(value))}\n" for name, value, _ in facts)
    write([text.encode("utf-8", "surrogateescape")], "-")


def print_aligned(rows: Sequence[tuple[str, str, str]]) -> None:
    """Prints three columns, the second as wide as its short texts need."""
    first = max(len(name) for name, _, _ in rows)
    second = max((len(value) for _, value, remark in rows if remark), default=0)
    for name, value, remark in rows:
        print(f"{name:<{first}}  {value:<{second}}  {remark}".rstrip())
