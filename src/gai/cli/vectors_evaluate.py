"""gai vectors evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from gai.cli import evaluated, terminal, values, writing
from gai.cli.counting import check_deps, write_deps
from gai.cli.options import Talk, TextOutput, option
from gai.cli.vector_files import loaded
from gai.cli.vector_options import Source, Work
from gai.errors import GaiError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors
    from gai.vectors.evaluation import Score
    from gai.vectors.testsets import TestSet

SETS = ("wordsim353", "simlex999", "google")


@dataclass(eq=False, repr=False)
class Tests:
    """What the vectors are tested on, and how."""

    panel: ClassVar[str] = "Tests"
    sets: Annotated[
        list[str] | None,
        option(
            "--set",
            metavar="NAME|FILE",
            help=f"{', '.join(SETS)}, or a file: two words and a score a line, or four words a "
            "line below lines ': section'. Again for more than one.",
            default="all three",
        ),
    ] = None
    method: Annotated[
        str | None,
        option(
            "--method",
            parse=values.choice("3cosadd", "3cosmul"),
            help="How analogies are solved.",
            default="3cosadd",
        ),
    ] = None
    top_words: Annotated[
        int | None,
        option(
            "--top-words",
            metavar="N",
            parse=values.whole(1),
            help="Look at the first N words only, which in most files are the most frequent.",
            default="300000",
        ),
    ] = None
    subwords: Annotated[
        bool,
        option(
            "--subwords", help="In pairs, let parts of words (FastText) answer for unseen ones."
        ),
    ] = False
    missing: Annotated[
        bool, option("--missing", help="List the words that the vectors lack, not the scores.")
    ] = False


def vectors_evaluate(source: Source, tests: Tests, output: TextOutput, work: Work) -> None:
    """Scores on similarity and analogy test sets.

    Of pairs of words Spearman's and Pearson's correlation between their cosines and what people
    said, with a 95 % interval; of analogies how many are solved, by section. Words are looked for
    whatever their case, and what has unknown words is left out, as gensim does it: the numbers
    are the same.

      gai vectors evaluate vectors.bin
      gai vectors evaluate vectors.bin --set simlex999 --set mine.tsv
      gai vectors evaluate vectors.bin --set google --method 3cosmul --format jsonl
    """
    from gai.vectors import testsets

    path = source.path
    check_deps(output)
    writing.check(output.place, output.format)
    sets = [testsets.load(name) for name in dict.fromkeys(tests.sets or SETS)]
    started = perf_counter()
    vectors = loaded(path, work)
    if tests.subwords and not vectors.knows_parts:
        raise GaiError(f"{path} knows no parts of words, as --subwords needs", "leave it out")
    scores = scored(vectors, sets, tests, work.threads)
    write_deps(output, [path], [one.name for one in sets if one.name not in SETS])
    write(scores, tests, output)
    tell(scores, vectors, work, perf_counter() - started)


def scored(vectors: Vectors, sets: Sequence[TestSet], tests: Tests, jobs: int) -> list[Score]:
    """The scores of the vectors on the sets."""
    from gai.vectors.evaluation import Asking, evaluate

    given = {"method": tests.method, "top_words": tests.top_words}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return evaluate(vectors, sets, Asking(**chosen, subwords=tests.subwords, jobs=jobs))


def write(scores: Sequence[Score], tests: Tests, output: TextOutput) -> None:
    """Writes the scores or the missing words, for a person or for a program."""
    if output.to_table():
        show = evaluated.show_missing if tests.missing else evaluated.show
        show(scores)
        return
    columns = evaluated.LACKING if tests.missing else evaluated.COLUMNS
    rows = evaluated.missing_rows if tests.missing else evaluated.score_rows
    format = writing.text_format(output.place, output.format)
    writing.write(evaluated.pieces(rows(scores), columns, format), output.place)


def tell(scores: Sequence[Score], vectors: Vectors, talk: Talk, seconds: float) -> None:
    """Says which sets say nothing about the vectors, and with -v what was done."""
    if talk.quiet:
        return
    for score in scores:
        if not score.found:
            terminal.say(f"gai: {score.name}: its words are not in these vectors")
    if talk.verbose:
        size = f"{len(vectors):,} words of {vectors.dim:,} dimensions"
        terminal.say(f"gai: {len(scores)} test sets, {size}, {seconds:.2f} s")
