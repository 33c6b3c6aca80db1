"""The plain twins of the kernels: the same results in plain Python, slower and easier to read.

Small jobs run on them, and they are the oracle in the tests of the kernels. Where a kernel fuses
what is easier to read apart (``count_word``, ``count_unicode``) its twin is the plain way to the
same rows: a scanner of ``reference.scanners`` and a dictionary.
"""

from gai.kernels.reference.cooccurrence import count_neighbours, index_words, merge_rows
from gai.kernels.reference.glove import count_parts, deal_pairs, train_pairs
from gai.kernels.reference.joining import join_terms, replace_spans, write_places
from gai.kernels.reference.numbers import parse_rows, write_rows
from gai.kernels.reference.phrases import (
    count_pairs,
    join_phrases,
    merge_counts,
    rehash_counts,
)
from gai.kernels.reference.rows import finish_rows, kept_cells, tally
from gai.kernels.reference.subwords import mean_rows, subword_ids
from gai.kernels.reference.text import count_lines, cut_lines, first_invalid, inspect_text

__all__ = [
    "count_lines",
    "count_neighbours",
    "count_pairs",
    "count_parts",
    "cut_lines",
    "deal_pairs",
    "finish_rows",
    "first_invalid",
    "index_words",
    "inspect_text",
    "join_phrases",
    "join_terms",
    "kept_cells",
    "mean_rows",
    "merge_counts",
    "merge_rows",
    "parse_rows",
    "rehash_counts",
    "replace_spans",
    "subword_ids",
    "tally",
    "train_pairs",
    "write_places",
    "write_rows",
]
