"""What gensim is fed: every word of the corpus, once, in order, whatever its sentences are."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.terms import Terms
from gai.vectors import feeding
from gai.vectors.corpus import Corpus
from gai.vectors.feeding import GROUP, LIMIT, feed, grouped, short_lines


def corpus(lengths: list[int], words: int = 12) -> Corpus:
    """Sentences of these lengths, of words 0, 1, 2 ... in turn."""
    ids = (np.arange(sum(lengths)) % words).astype(np.int32)
    bounds = np.cumsum([0, *lengths], dtype=np.int64)
    counts = np.bincount(ids, minlength=words)
    return Corpus(Terms.of(f"w{n}" for n in range(words)), counts, ids, bounds, len(ids))


LENGTHS = st.lists(
    st.one_of(st.integers(1, 30), st.sampled_from([LIMIT - 1, LIMIT, LIMIT + 1, 25_000])),
    min_size=1,
    max_size=12,
)


@given(LENGTHS)
def test_lines_and_groups_lose_nothing(lengths: list[int]) -> None:
    bounds = np.cumsum([0, *lengths], dtype=np.int64)
    lines = short_lines(bounds)
    assert set(bounds.tolist()) <= set(lines.tolist())
    assert 0 < np.diff(lines).min() <= np.diff(lines).max() <= LIMIT
    groups = grouped(lines)
    assert (groups[0], groups[-1]) == (0, len(lines) - 1)
    assert np.diff(lines[groups]).max() <= LIMIT


@pytest.mark.parametrize("lengths", [[3], [LIMIT], [25_000, 3, 9_999], [1] * 25_000, [7] * 9_000])
@pytest.mark.parametrize("small", [0, 10**9])
def test_the_file_holds_every_word(
    lengths: list[int], small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "SMALL", small)
    made = corpus(lengths)
    with feed(made) as fed:
        lines = Path(fed.path).read_text().splitlines()
        text = [[int(word) for word in line.split() if word != "-"] for line in lines]
        sizes = [chunk.groups * GROUP for chunk in fed.chunks]
        assert sum(sizes) == sum(len(line.split()) for line in lines)
        assert sum(chunk.tokens for chunk in fed.chunks) == made.tokens
    assert not Path(fed.path).exists()
    assert list(itertools.chain(*text)) == made.ids.tolist()
    assert max(map(len, text)) <= LIMIT


@pytest.mark.parametrize(
    "lengths", [[25_000, 3, 9_999], [1] * 25_000 + [2], [9_990, 20] * 3, [19] * 999]
)
def test_gensim_trains_on_every_word(lengths: list[int]) -> None:
    """Counted by gensim itself: with nothing thinned out each word is an effective word."""
    from gai.vectors.with_gensim import Choices, GensimTrainer

    made = corpus(lengths)
    with feed(made) as fed:
        trainer = GensimTrainer(made, Choices(dim=4, sample=0, window=2), fed)
        worker, effective = trainer._workers[0], 0
        for chunk in fed.chunks:
            worker.model.random = np.random.RandomState(1)
            _, trained, read = worker.model._do_train_epoch(
                fed.path, 0, chunk.offset, trainer._known, worker.room, 0,
                total_examples=None, total_words=chunk.groups * GROUP - 1,
            )  # fmt: skip
            effective += trained
            assert read == chunk.groups * GROUP
    assert effective == made.tokens


def test_plain_gensim_would_lose_words(tmp_path: Path) -> None:
    """Why there are fillers; should this fail, gensim has been mended and they may go."""
    from gensim.models import Word2Vec

    made = corpus([9_990, 20] * 3)
    path = tmp_path / "words.txt"
    words, bounds = made.ids.astype(str).tolist(), made.bounds.tolist()
    lines = [" ".join(words[a:b]) for a, b in itertools.pairwise(bounds)]
    path.write_text("\n".join(lines) + "\n")
    model = Word2Vec(vector_size=4, min_count=1, sample=0, workers=1)
    model.build_vocab(corpus_file=str(path))
    trained, read = model.train(
        corpus_file=str(path), total_words=made.tokens, total_examples=6, epochs=1
    )
    assert read == made.tokens
    assert trained < made.tokens
