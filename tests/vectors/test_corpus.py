"""The corpus: text as ids of frequent words, whoever read it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.documents.batch import Batch, from_texts
from gai.errors import GaiError
from gai.tokens.analysis import Analysis
from gai.vectors.corpus import Corpus, Segmenter, read_corpus

WORDS = st.sampled_from(["a", "b", "bb", "c", "é", "Σας", "d1"])
SENTENCES = st.lists(st.lists(WORDS, max_size=6).map(" ".join), min_size=1, max_size=12)


def batches(texts: Sequence[str], size: int) -> list[Batch]:
    parts = [texts[first : first + size] for first in range(0, len(texts), size)]
    return [from_texts(list(part), [""] * len(part)) for part in parts]


def sentences(corpus: Corpus) -> list[list[str]]:
    words = [corpus.words[place] for place in corpus.ids.tolist()]
    bounds = corpus.bounds.tolist()
    return [words[first:last] for first, last in itertools.pairwise(bounds)]


def by_hand(texts: Sequence[str], min_count: int, most: int | None) -> tuple[list[str], list]:
    """Words in order, and the sentences that are left of the texts."""
    split = [text.lower().split() for text in texts]
    counts = Counter(word for words in split for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    kept = [word for word in ranked if counts[word] >= min_count][:most]
    left = [[word for word in words if word in kept] for words in split]
    return kept, [words for words in left if words]


@given(SENTENCES, st.integers(1, 3), st.sampled_from([None, 1, 3]), st.integers(1, 4))
def test_plain_python_by_hand(
    texts: list[str], min_count: int, most: int | None, size: int
) -> None:
    kept, left = by_hand(texts, min_count, most)
    stream = batches(texts, size)
    if not kept:
        with pytest.raises(GaiError):
            read_corpus(stream, Analysis(), min_count=min_count, engine="reference")
        return
    corpus = read_corpus(
        stream, Analysis(), min_count=min_count, max_vocab=most, engine="reference"
    )
    assert list(corpus.words) == kept
    assert sentences(corpus) == left
    assert corpus.counts.tolist() == np.bincount(corpus.ids, minlength=len(kept)).tolist()
    assert corpus.read == sum(len(text.split()) for text in texts)


def test_kernels_and_threads_give_the_same() -> None:
    rng = np.random.default_rng(3)
    texts = [
        " ".join(f"w{number}" for number in rng.zipf(1.3, 20) if number < 5_000)
        for _ in range(3_000)
    ]
    plain = read_corpus(batches(texts, 100), Analysis(), min_count=3, engine="reference")
    for jobs in (1, 3):
        found = read_corpus(
            batches(texts, 100), Analysis(), min_count=3, engine="kernels", jobs=jobs
        )
        assert found.words == plain.words
        assert np.array_equal(found.ids, plain.ids)
        assert np.array_equal(found.bounds, plain.bounds)
        assert found.read == plain.read


def test_a_document_in_parts_is_one_sentence() -> None:
    first, second = batches(["a b a", "b a b"], 1)
    second.continued = True
    corpus = read_corpus([first, second], Analysis(), engine="reference")
    assert sentences(corpus) == [["a", "b", "a", "b", "a", "b"]]


def test_sentences_are_found_in_documents() -> None:
    def halves(text: str) -> list[tuple[int, int]]:
        middle = text.index(".") + 1
        return [(0, middle), (middle + 1, len(text))]

    texts = ["Ä é i. a o u", "i i. ü ü"]
    corpus = read_corpus(
        batches(texts, 2), Analysis(), segmenter=Segmenter("halves", halves), engine="reference"
    )
    assert sentences(corpus) == [["ä", "é", "i"], ["a", "o", "u"], ["i", "i"], ["ü", "ü"]]


def test_forms_are_what_is_learned() -> None:
    analysis = Analysis(form="stem:porter", stop_words=("the",))
    corpus = read_corpus(batches(["the cats", "cat the cat"], 1), analysis, engine="kernels")
    assert sentences(corpus) == [["cat"], ["cat", "cat"]]


def test_no_word_is_frequent_enough() -> None:
    with pytest.raises(GaiError, match="no word occurs 5 times") as caught:
        read_corpus(batches(["one two two"], 1), Analysis(), min_count=5)
    assert "'two', occurs 2 times" in caught.value.message
    assert "--min-count 2" in caught.value.hint


def test_no_words_at_all() -> None:
    with pytest.raises(GaiError, match="no words in the input"):
        read_corpus(batches(["  ", "..."], 1), Analysis())
