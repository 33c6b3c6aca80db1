"""Where one weight comes from."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from gai.cli import writing
from gai.errors import GaiError

if TYPE_CHECKING:
    from gai.cli.plan import Plan
    from gai.output import Result, RowBlock
    from gai.weights import Explanation, Statistics, Weighting

NEARBY = 10_000
"""How many names are searched for similar ones."""

TF = {
    "raw": "count",
    "relative": "count / length",
    "log": "1 + ln(count)",
    "binary": "1",
    "augmented": "0.5 + 0.5 count / largest count of the document",
    "logave": "(1 + ln(count)) / (1 + ln(average count of the document))",
    "bm25": "count / (count + k1 (1 - b + b length / mean length))",
}
IDF = {
    "plain": "ln(documents / df)",
    "smooth": "ln((1 + documents) / (1 + df)) + 1",
    "probabilistic": "max(0, ln((documents - df) / df))",
    "bm25": "ln(1 + (documents - df + 0.5) / (df + 0.5))",
    "none": "1",
}


def explain(question: tuple[str, str], plan: Plan, counts: Result) -> None:
    """Prints the numbers behind the weight of a term in a document, the pair ``question``.

    ``counts`` is the matrix before it is weighed. Raises GaiError where it has no such cell.
    """
    assert plan.weighting is not None
    row, column = row_of(counts, question[0]), column_of(counts, question[1])
    numbers = explained(plan.weighting, plan.corpus(counts), counts, row, column)
    norm = f", then norm {plan.weighting.norm}" if plan.weighting.norm != "none" else ""
    lines = [
        ("document", question[0], ""),
        ("term", question[1], ""),
        ("count", numbers.count, "times the document holds the term"),
        ("length", numbers.length, "tokens of the document"),
        ("tf", numbers.tf, TF[plan.weighting.tf]),
        ("df", numbers.df, "documents that hold the term"),
        ("documents", numbers.documents, "in the corpus"),
        ("idf", numbers.idf, IDF[plan.weighting.idf]),
        ("weight", numbers.weight, f"tf * idf{norm}"),
    ]
    writing.write_facts(lines)


def explained(
    weighting: Weighting, statistics: Statistics, counts: Result, row: int, column: int
) -> Explanation:
    """The numbers behind one cell."""
    from gai import weights

    block = block_of(counts, row)
    start, end = block.indptr[row - block.first : row - block.first + 2].tolist()
    return weights.explain(
        weighting,
        statistics,
        column,
        block.indices[start:end],
        block.data[start:end],
        int(counts.extra["lengths"][row]),
        None if counts.sizes is None else int(counts.sizes()[row]),
    )


def block_of(result: Result, row: int) -> RowBlock:
    """The block that holds a row."""
    blocks = result.rows()
    return next(block for block in blocks if row < block.first + len(block.indptr) - 1)


def row_of(result: Result, document: str) -> int:
    """The row of a document; raises GaiError with similar names where there is none."""
    for row, name in enumerate(result.documents):
        if name == document:
            return row
    near = get_close_matches(document, result.documents[:NEARBY], 3)
    hint = near or result.documents[:1]
    raise GaiError(f"--explain: no document is called {document}", f"there is {', '.join(hint)}")


def column_of(result: Result, term: str) -> int:
    """The column of a term; raises GaiError where it has none."""
    terms = list(result.terms)
    if term in terms:
        return terms.index(term)
    lower = [term.lower()] if term.lower() in terms else []
    near = lower or get_close_matches(term, terms[:NEARBY], 3)
    hint = f"there is {', '.join(near)}" if near else ""
    raise GaiError(f"--explain: no column is called {term}", hint)
