"""Sentences whose tokens have tags: CoNLL-U, and token<TAB>tag lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from gai.documents import conllu
from gai.documents.opening import Stream
from gai.documents.sources import Source
from gai.errors import GaiError
from gai.nn.data.columns import Example
from gai.nn.data.lines import numbered
from gai.nn.data.wanted import Wanted

Lines = Iterable[tuple[int, str]]

SHAPES = "token<TAB>tag lines with a blank line between sentences, .conllu, or jsonl with two lists"


def sentences(stream: Stream, wanted: Wanted) -> Iterator[Example]:
    """Each sentence with its tokens and tags.

    CoNLL-U (ten columns) gives words and UPOS, "" where there is none; other files have two columns
    and a blank line between sentences. Where no tags are wanted, lines without a TAB are sentences,
    with blanks between their tokens. The id is ``path:N``, N the number of the first line.
    """
    lines = numbered(stream, wanted)
    head: list[tuple[int, str]] = []
    columns = 1
    for number, line in lines:
        head.append((number, line))
        columns = line.count("\t") + 1
        if line.strip() and (columns > 1 or not line.startswith("#")):
            break
    read = _conllu if columns == conllu.COLUMNS else _pairs
    if columns == 1 and not wanted.labelled:
        read = _plain
    return read(chain(head, lines), stream.source, wanted)


def _conllu(lines: Lines, source: Source, wanted: Wanted) -> Iterator[Example]:
    for sentence in conllu.parsed((line for _, line in lines), source.name):
        yield _example(sentence.words, sentence.tags, sentence.line, source, wanted)


def _pairs(lines: Lines, source: Source, wanted: Wanted) -> Iterator[Example]:
    tokens: list[str] = []
    tags: list[str] = []
    first = 0
    for number, line in chain(lines, [(0, "")]):
        if line.strip():
            first = first if tokens else number
            token, tag = _pair(line, f"{source.name}:{number}", wanted)
            tokens.append(token)
            tags.append(tag)
        elif tokens:
            yield _example(tokens, tags, first, source, wanted)
            tokens, tags = [], []


def _pair(line: str, place: str, wanted: Wanted) -> tuple[str, str]:
    token, *tags = line.split("\t")
    if not token or len(tags) != 1 or not tags[0]:
        if token and not wanted.labelled:
            return token, ""
        raise GaiError(f"{place}: not a token, a TAB and its tag", f"tags come as {SHAPES}")
    return token, tags[0]


def _plain(lines: Lines, source: Source, wanted: Wanted) -> Iterator[Example]:
    for number, line in lines:
        yield _example(line.split(), [], number, source, wanted)


def _example(
    tokens: list[str], tags: list[str], line: int, source: Source, wanted: Wanted
) -> Example:
    fields = {wanted.token_field: tokens, wanted.label_field: tags}
    return Example(f"{source.path}:{line}", f"{source.name}:{line}", fields)
