"""gai vectors nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gai.cli import vector_answers
from gai.cli.options import TextOutput
from gai.cli.vector_options import Found, Source, Work

if TYPE_CHECKING:
    from gai.output.vectors import Vectors


def vectors_nearest(
    source: Source,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD",
            help="Words; without any, or with -, those on standard input, one a line.",
        ),
    ] = None,
    *,
    found: Found,
    output: TextOutput,
    work: Work,
) -> None:
    """The words nearest to a word.

    A line word<TAB>neighbour<TAB>score for each neighbour, nearest first: those with the highest
    cosine of all words. Words on standard input are answered as they arrive; one that has no
    vector is reported there and then, and the exit code is 1 in the end.

      gai vectors nearest vectors.bin king queen -k 5
      gai vectors nearest vectors.bin --top-words 50000 < words.txt > neighbours.tsv
    """
    asked = words or []
    path, piped = source.path, vector_answers.from_stdin(asked, "gai vectors nearest FILE king")
    vectors = vector_answers.asked(path, output, work)
    command = vector_answers.Command(
        columns=("word", "neighbour", "score"),
        reader=lambda _: str,
        words=lambda word: [word],
        answers=partial(neighbours, vectors, found, work.threads),
    )
    vector_answers.answer(command, vectors, None if piped else asked, path, output, work)


def neighbours(
    vectors: Vectors, found: Found, jobs: int, words: Sequence[str]
) -> Iterator[vector_answers.Row]:
    """The neighbours of each word."""
    from gai.vectors.neighbours import nearest
    from gai.vectors.words import query_vectors

    rows, own = query_vectors(vectors, words), vectors.find(words)[:, None]
    near = nearest(vectors, rows, found.k, own, limit=found.top_words, jobs=jobs)
    yield from vector_answers.ranked(vectors, words, *near)
