"""Wanted: what is to be read out of each example, and what has been read so far."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from gai.documents.opening import Tally, opened
from gai.documents.reading import Errors, Format, Reading
from gai.documents.sources import Source
from gai.errors import UsageError
from gai.nn.config import Config

TOKENS, TAGS = "tokens", "tags"
"""The fields of tagged sentences, where --text-field and --label-field name no others."""

PIECE = 1 << 20


class Input(NamedTuple):
    """A path as the user typed it, and the files that it stands for."""

    path: str
    sources: list[Source]

    def label(self, source: Source) -> str:
        """The name of the subfolder that a file of a folder lies in, "" for one beside them."""
        return os.path.relpath(source.path, self.path).rpartition(os.sep)[0].partition(os.sep)[0]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is to be read out of each example, and what has been read so far.

    ``tally`` counts and digests bytes, ``files`` are the local ones. Raises UsageError where the
    config asks for what cannot be.
    """

    config: Config
    labelled: bool
    tally: Tally = field(default_factory=Tally)
    files: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        fields = self.config.label_field
        if not fields or (len(fields) > 1 and self.config.task == "tag"):
            raise UsageError(f"--label-field names {len(fields)} fields, not one")

    @property
    def reading(self) -> Reading:
        """How the records are read."""
        format = cast(Format | None, self.config.input_format)
        return Reading(input_format=format, errors=cast(Errors, self.config.errors))

    @property
    def token_field(self) -> str:
        name = self.config.text_field
        return TOKENS if name == "text" else name

    @property
    def label_field(self) -> str:
        name = self.config.label_field[0]
        return TAGS if self.config.task == "tag" and name == "label" else name

    def content(self, source: Source) -> bytes:
        """All bytes of a file, after decompression."""
        pieces = []
        with opened(source, self.tally) as stream:
            filled = PIECE
            while filled == PIECE:
                piece = bytearray(PIECE)
                filled = stream.fill(memoryview(piece))
                pieces.append(piece[:filled])
        return b"".join(pieces)
