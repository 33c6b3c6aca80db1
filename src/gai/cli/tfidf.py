"""gai tfidf."""

from __future__ import annotations

from gai.cli import matrix
from gai.cli.options import Columns, Documents, Explain, Model, Output, Run, Terms, Top, Weights


def tfidf(
    documents: Documents,
    terms: Terms,
    columns: Columns,
    weights: Weights,
    model: Model,
    top: Top,
    explain: Explain,
    output: Output,
    run: Run,
) -> None:
    """Document-term weights: TF-IDF or BM25.

    The weight of a term in a document is tf * idf: its count divided by the length of the document,
    times ln(N / df), where df of the N documents hold it. Nothing is smoothed and no row is scaled
    unless a flag says so. A length counts the tokens after stop words and before pruning.

    A terminal shows the heaviest terms of each document, a pipe gets a line
    document<TAB>term<TAB>weight for each weight, and -o writes the matrix to a file.

      gai tfidf docs/*.txt
      gai tfidf --like sklearn --per line train.txt -o train.npz
      gai tfidf --apply train.npz --per line test.txt -o test.npz
      gai tfidf docs/*.txt --explain docs/a.txt cat
    """
    matrix.run(
        matrix.Task(
            documents, terms, columns, model, output, run, weights, top.top, explain.explain
        )
    )
