"""Reader: the documents of all inputs, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from gai.documents import text
from gai.documents.batch import Batch
from gai.documents.opening import Stream, Tally, opened, total_bytes, total_stored
from gai.documents.reading import Reading
from gai.documents.sources import Source, expand, local_files


class Reader:
    """The documents of a ``Reading``; a new iteration reads from the start.

    ``sources`` are all inputs in order, found and checked when the reader is made: a missing or
    unreadable file raises GaiError at once. ``files`` are the local files among them, and the
    lists of files.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.sources: list[Source] = expand(reading)
        self.files: list[str] = local_files(self.sources, reading)
        self._tally = Tally()

    def __iter__(self) -> Iterator[Batch]:
        self._tally = Tally()
        for whole, sources in groupby(self.sources, key=lambda source: source.per == "file"):
            if whole:
                yield from text.files(list(sources), self.reading, self._tally)
            else:
                yield from self._one_by_one(sources)

    def _one_by_one(self, sources: Iterator[Source]) -> Iterator[Batch]:
        for source in sources:
            with opened(source, self._tally) as stream:
                yield from _batches(stream, self.reading)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, after decompression."""
        return self._tally.bytes_read

    @property
    def bytes_stored(self) -> int:
        """Bytes read so far as they are stored, before decompression."""
        return self._tally.bytes_stored

    @property
    def skipped(self) -> int:
        """Bad records so far that were counted and left out."""
        return self._tally.skipped

    def total_bytes(self) -> int | None:
        """What ``bytes_read`` will be; None with standard input, URLs, pipes and compression."""
        return total_bytes(self.sources)

    def total_stored(self) -> int | None:
        """What ``bytes_stored`` will be; None with standard input, URLs and pipes."""
        return total_stored(self.sources)

    def digest(self) -> str:
        """The SHA-256, in hex, of all bytes read so far, after decompression.

        The bytes of each input are followed by their number (8 bytes, little-endian), so that two
        inputs and the same bytes in one input differ. Complete when the iteration is.
        """
        digest: str = self._tally.sha256.hexdigest()
        return digest


def _batches(stream: Stream, reading: Reading) -> Iterator[Batch]:
    if stream.source.format == "text":
        read = text.paragraphs if stream.source.per == "paragraph" else text.lines
        return read(stream, reading)
    return _records(stream, reading)


def _records(stream: Stream, reading: Reading) -> Iterator[Batch]:
    """Each format is loaded when it is read: most runs read plain text, and start sooner."""
    if stream.source.format == "jsonl":
        from gai.documents.jsonl import jsonl

        return jsonl(stream, reading)
    if stream.source.format == "parquet":
        from gai.documents.parquet import parquet

        return parquet(stream, reading)
    from gai.documents.table import table

    return table(stream, reading)
