"""gai vectors similarity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gai.cli import vector_answers
from gai.cli.options import TextOutput
from gai.cli.vector_options import Source, Work
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors

Pair = tuple[str, str]


def vectors_similarity(
    source: Source,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD",
            help="Two words; without any, or with -, pairs on standard input, a line word<TAB>word "
            "for each.",
        ),
    ] = None,
    *,
    output: TextOutput,
    work: Work,
) -> None:
    """How similar two words are.

    A line word<TAB>other<TAB>score for each pair: the cosine of their vectors, from -1 to 1. Of a
    line with more fields the first two count.

      gai vectors similarity vectors.bin king queen
      gai vectors similarity vectors.bin < pairs.tsv > similarities.tsv
    """
    given = words or []
    piped = vector_answers.from_stdin(given, "gai vectors similarity FILE king queen")
    path = source.path
    if not piped and len(given) != 2:
        raise UsageError(f"two words are compared, not {len(given)}", "or pairs, from a pipe")
    vectors = vector_answers.asked(path, output, work)
    command: vector_answers.Command[Pair] = vector_answers.Command(
        columns=("word", "other", "score"),
        reader=reader,
        words=lambda pair: pair,
        answers=partial(compared, vectors),
    )
    asked = None if piped else [(given[0], given[1])]
    vector_answers.answer(command, vectors, asked, path, output, work)


def reader(lines: Sequence[str]) -> Callable[[str], Pair]:
    """What reads a line as a pair, for any lines."""
    from gai.output.tsv import unescape

    def read(line: str) -> Pair:
        fields = [unescape(part.strip()) for part in line.split("\t")]
        if len(fields) == 1:
            fields = line.split()
        if len(fields) < 2 or (len(fields) > 2 and "\t" not in line):
            raise UsageError("two words are compared", "word<TAB>word")
        return fields[0], fields[1]

    return read


def compared(vectors: Vectors, pairs: Sequence[Pair]) -> Iterator[vector_answers.Row]:
    """Each pair with its cosine."""
    from gai.vectors.similarity import similarities

    for (one, other), score in zip(pairs, similarities(vectors, pairs), strict=True):
        yield one, other, score
