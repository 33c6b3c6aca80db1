"""Stems and lemmas as terms: counted by number, and equal to a loop over the words."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gai import counts
from gai.counts import Counts
from gai.documents import Batch, from_texts
from gai.forms.choosing import named
from gai.kernels.reference.scanners import unicode_words
from gai.terms import Terms
from gai.terms.forming import Forming, FormTable
from gai.terms.scanner import Rows
from gai.tokens import Analysis
from gai.tokens.tables import tables

WORDS = st.sampled_from(
    [
        *("running", "Runs", "ran", "BETTER", "ponies", "Ponies", "the", "The", "a's", "42"),
        *("İstanbul'da", "ΟΔΟΣ", "geliebt", "Häuser"),
    ]
)
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=5)


def batch_of(texts: list[str]) -> Batch:
    return from_texts(texts, [f"{i}" for i in range(len(texts))])


def rows_of(found: Counts) -> list[dict[str, int]]:
    result = found.result()
    indptr, indices, data = result.csr()
    terms = list(result.terms)
    return [
        {terms[c]: int(n) for c, n in zip(indices[a:b], data[a:b], strict=True)}
        for a, b in pairwise(indptr.tolist())
    ]


def by_hand(text: str, analysis: Analysis) -> list[str]:
    """The terms of a text by a loop over its words."""
    former = named(analysis.form, analysis.lang)
    words = unicode_words(text if former.cased else text.lower(), tables().props)
    forms = [former.forms([word])[0] for word in words]
    finished = [form.lower() for form in forms] if former.cased else forms
    return [form for form in finished if form and form not in analysis.stop_words]


@settings(max_examples=100)
@given(
    TEXTS,
    st.sampled_from(["stem:snowball", "stem:porter", "stem:cistem", "stem:regexp:s$|^un"]),
    st.sampled_from([(), ("run", "the")]),
    st.sampled_from(["kernels", "reference"]),
    st.integers(1, 2),
)
def test_counts_of_forms_are_those_of_a_loop(
    texts: list[str], form: str, stops: tuple[str, ...], engine: str, jobs: int
) -> None:
    analysis = Analysis(form=form, stop_words=stops)
    found = counts.count([batch_of(texts)], analysis, engine=engine, jobs=jobs)
    terms = [by_hand(text, analysis) for text in texts]
    assert rows_of(found) == [Counter(one) for one in terms]
    assert found.lengths.tolist() == [len(one) for one in terms]
    df = Counter(term for one in terms for term in set(one))
    assert dict(zip(found.terms, found.df.tolist(), strict=True)) == df


@given(TEXTS)
def test_ngrams_are_made_of_forms(texts: list[str]) -> None:
    analysis = Analysis(form="stem:snowball", ngrams=(2, 2), stop_words=("the",))
    terms = [by_hand(text, analysis) for text in texts]
    expected = [Counter(map(" ".join, pairwise(one))) for one in terms]
    for engine in ("kernels", "reference"):
        assert rows_of(counts.count([batch_of(texts)], analysis, engine=engine)) == expected


def test_a_corpus_counts_the_same_in_every_way(corpora: Path) -> None:
    texts = [path.read_text() for path in sorted((corpora / "inaugural").glob("*.txt"))]
    analysis = Analysis(form="lemma:simplemma", lang="en")
    batches = [batch_of(texts[:20]), batch_of(texts[20:])]
    whole = counts.count([batch_of(texts)], analysis, engine="reference")
    for jobs in (1, 2):
        found = counts.count(batches, analysis, engine="kernels", jobs=jobs)
        assert list(found.terms) == list(whole.terms)
        assert rows_of(found) == rows_of(whole)


def test_every_word_is_looked_at_once(corpora: Path) -> None:
    seen: list[str] = []

    def forms(words: list[str]) -> list[str]:
        seen.extend(words)
        return [word[:2] for word in words]

    forming = Forming(forms, str)
    tables = [FormTable(forming), FormTable(forming)]
    text = (corpora / "gutenberg" / "carroll-alice.txt").read_text().split()
    for table in tables:
        numbers: dict[str, int] = {}
        for part in (text[:5000], text[5000:]):
            ids = np.array([numbers.setdefault(w, len(numbers)) for w in part], np.int32)
            none = np.zeros(0, np.int32)
            rows = Rows(np.array([0, len(ids)]), ids, none, np.array([len(ids)]))
            made = table.formed(rows, Terms.of(numbers))
            terms = table.terms()
            assert [terms[i] for i in made.ids.tolist()] == [word[:2] for word in part]
    assert len(seen) == len(set(text)) == len(set(seen))


@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_neighbours_may_decide(engine: str) -> None:
    """A step that makes "leave" of every "left" before "the"."""

    class Before:
        def __init__(self) -> None:
            self.lemmas, self.words = ["leave"], []

        def extend(self, words: list[str]) -> None:
            self.words += words

        def corrections(self, ids, bounds):  # type: ignore[no-untyped-def]
            left, the = (self.words.index(word) for word in ("left", "the"))
            places = np.flatnonzero((ids[:-1] == left) & (ids[1:] == the))
            inside = np.isin(places + 1, bounds, invert=True)
            return places[inside], np.zeros(inside.sum(), np.int32)

    texts = ["He left the house", "the left", "left left", "the left"]
    analysis = Analysis(form="lemma:simplemma", context=True)
    with patch("gai.forms.choosing.context", lambda analysis: Before):
        found = rows_of(counts.count([batch_of(texts)], analysis, engine=engine))
    assert [row.get("leave") for row in found] == [1, None, None, None]
    assert [row.get("left") for row in found] == [None, 1, 2, 1]
