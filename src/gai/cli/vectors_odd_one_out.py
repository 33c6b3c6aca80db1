"""gai vectors odd-one-out."""

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

FEWEST = 3
"""Of two words neither is odd."""

Words = tuple[str, ...]


def vectors_odd_one_out(
    source: Source,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS",
            help="Three words or more; without any, or with -, those of each line of standard "
            "input, with spaces or TABs between.",
        ),
    ] = None,
    *,
    output: TextOutput,
    work: Work,
) -> None:
    """The word that does not fit with the others.

    A line words<TAB>odd<TAB>score: the word whose vector has the smallest cosine with the mean of
    all, each at length 1. As gensim's doesnt_match.

      gai vectors odd-one-out vectors.bin breakfast cereal dinner lunch
    """
    given = words or []
    usage = "gai vectors odd-one-out FILE breakfast cereal dinner lunch"
    path, piped = source.path, vector_answers.from_stdin(given, usage)
    asked = None if piped else [enough(given)]
    vectors = vector_answers.asked(path, output, work)
    command: vector_answers.Command[Words] = vector_answers.Command(
        columns=("words", "odd", "score"),
        reader=reader,
        words=lambda listed: listed,
        answers=partial(odd, vectors),
    )
    vector_answers.answer(command, vectors, asked, path, output, work)


def enough(words: Sequence[str]) -> Words:
    """The words; raises a UsageError where they are too few."""
    if len(words) < FEWEST:
        raise UsageError(f"{' '.join(words)}: too few words", f"{FEWEST} or more")
    return tuple(words)


def reader(lines: Sequence[str]) -> Callable[[str], Words]:
    """What reads a line as words, for any lines."""
    from gai.output.tsv import unescape

    def read(line: str) -> Words:
        return enough([*map(unescape, line.split("\t"))] if "\t" in line else line.split())

    return read


def odd(vectors: Vectors, asked: Sequence[Words]) -> Iterator[vector_answers.Row]:
    """The odd word of each set of words, and its cosine with the mean."""
    from gai.vectors.similarity import centralities

    for words in asked:
        scores = centralities(vectors, words)
        least = int(scores.argmin())
        yield words, words[least], scores[least]
