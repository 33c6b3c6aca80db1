"""gai vectors analogy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gai.cli import values, vector_answers
from gai.cli.options import TextOutput, option
from gai.cli.vector_options import Found, Source, Work

if TYPE_CHECKING:
    from gai.output.vectors import Vectors
    from gai.vectors.analogy import Expression


@dataclass(eq=False, repr=False)
class Answers(Found):
    """Which words are found, and how."""

    method: Annotated[
        str | None,
        option(
            "--method",
            parse=values.choice("3cosadd", "3cosmul"),
            help="3cosadd: nearest to the sum of the vectors. 3cosmul: near to each word that is "
            "added and far from each that is taken away (Levy and Goldberg 2014).",
            default="3cosadd",
        ),
    ] = None


def vectors_analogy(
    source: Source,
    expression: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPRESSION",
            help="Words with + or - between, as arguments or in quotes; in quotes, several. "
            "Without any, or with - alone, those on standard input, one a line.",
        ),
    ] = None,
    *,
    answers: Answers,
    output: TextOutput,
    work: Work,
) -> None:
    """What is to woman as king is to man: king - man + woman.

    A line expression<TAB>word<TAB>score for each word found, best first; the words of the
    expression are not among them. Each vector is brought to length 1 before it is added. Spaces
    stand around + and -, for a word may hold them itself; a sign may also begin a word, behind --.

      gai vectors analogy vectors.bin king - man + woman
      gai vectors analogy vectors.bin 'paris - france + italy' 'walked - walk + go' -k 3
      gai vectors analogy vectors.bin -- king -man +woman
    """
    given = expression or []
    usage = "gai vectors analogy FILE king - man + woman"
    path, piped = source.path, vector_answers.from_stdin(given, usage)
    vectors = vector_answers.asked(path, output, work)
    command = vector_answers.Command(
        columns=("expression", "word", "score"),
        reader=partial(parser, vectors),
        words=lambda one: one.words,
        answers=partial(solutions, vectors, answers, work.threads),
    )
    asked = None if piped else typed(vectors, given)
    vector_answers.answer(command, vectors, asked, path, output, work)


def typed(vectors: Vectors, given: Sequence[str]) -> list[Expression]:
    """The expressions on the command line: one in each argument that holds spaces, where all do,
    else one of all arguments."""
    from gai.vectors.analogy import parse, vocabulary

    if len(given) == 1 or all(len(text.split()) > 1 for text in given):
        return [*map(parser(vectors, given), given)]
    return [parse(given, vocabulary(vectors, given))]


def parser(vectors: Vectors, lines: Sequence[str]) -> Callable[[str], Expression]:
    """What reads one of the lines as an expression."""
    from gai.vectors.analogy import parse, vocabulary

    known = vocabulary(vectors, (token for line in lines for token in line.split()))
    return lambda line: parse(line.split(), known)


def solutions(
    vectors: Vectors, answers: Answers, jobs: int, expressions: Sequence[Expression]
) -> Iterator[vector_answers.Row]:
    """The best words for each expression."""
    from gai.vectors.analogy import solve

    method = answers.method or "3cosadd"
    found = solve(vectors, expressions, answers.k, method, limit=answers.top_words, jobs=jobs)
    yield from vector_answers.ranked(vectors, [str(one) for one in expressions], *found)
