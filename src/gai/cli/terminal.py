"""What a terminal may see: colours where they are welcome, and never a raw control character."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TextIO

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0, DEL and C1 control characters, line separators, bidirectional overrides, lone surrogates."""


def escape(text: str, keep: str = "") -> str:
    r"""``text`` with its control characters but ``keep`` spelt out, as ``\x1b`` or ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return UNSAFE.sub(lambda found: found[0] if found[0] in keep else spelt(found[0]), text)


def spelt(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at this stream."""
    return stream is not None and not stream.closed and stream.isatty()


def has_colour(stream: TextIO | None) -> bool:
    """Whether escape sequences are welcome: on a terminal that knows them, without NO_COLOR."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in ("dumb", "")
    return is_terminal(stream) and not plain


def bold(text: str, stream: TextIO | None = None) -> str:
    return f"\x1b[1m{text}\x1b[0m" if has_colour(stream or sys.stdout) else text


def say(text: str) -> None:
    """Writes a line to standard error; nobody to read it is no reason to fail."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def console() -> Any:
    """A rich console on standard output: no markup in texts, colours only where welcome."""
    from rich.console import Console

    return Console(
        file=sys.stdout,
        markup=False,
        highlight=False,
        emoji=False,
        color_system="auto" if has_colour(sys.stdout) else None,
    )


class Escaping(io.RawIOBase):
    """A stream of UTF-8 in which control characters are spelt out, all but TAB and LF."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        text = escape(self.decoder.decode(bytes(piece)), keep="\t\n")
        self.stream.write(text.encode())
        self.stream.flush()
        return len(piece)


@contextmanager
def guarded() -> Iterator[None]:
    """Spells out control characters on standard output while the block runs, if a person looks."""
    real = sys.stdout
    if not is_terminal(real):
        yield
        return
    real.flush()
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(Escaping(real.buffer)), "utf-8")
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout = real
