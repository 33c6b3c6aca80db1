"""gai bow."""

from __future__ import annotations

from gai.cli import matrix
from gai.cli.options import Columns, Documents, Model, Output, Run, Terms, Top


def bow(
    documents: Documents,
    terms: Terms,
    columns: Columns,
    model: Model,
    top: Top,
    output: Output,
    run: Run,
) -> None:
    """Document-term counts: the bag of words.

    One row a document, one column a term, and how often the term occurs in the document. A terminal
    shows the most frequent terms of each document, a pipe gets a line document<TAB>term<TAB>count
    for each count, and -o writes the matrix to a file.

      gai bow docs/*.txt -o counts.npz
      zcat dump.jsonl.gz | gai bow --input-format jsonl --min-df 5 -o counts.npz
      gai bow --apply counts.npz new/*.txt -o new.npz
    """
    matrix.run(matrix.Task(documents, terms, columns, model, output, run, top=top.top))
