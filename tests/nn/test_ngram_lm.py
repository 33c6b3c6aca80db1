"""N-gram language models against a plain twin of dictionaries, and as distributions."""

from __future__ import annotations

from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.nn import ngram_lm
from gai.nn.ngram_lm import FALLBACK, best_order, discounts, fit

V = 4
START = -1

streams = st.lists(st.integers(0, V - 1), max_size=60)
texts = st.tuples(streams, streams, st.integers(1, 4))

Gram = tuple[int, ...]


class Twin:
    """Kneser-Ney as the paper has it, with a dictionary for each order."""

    def __init__(self, ids: list[int], order: int) -> None:
        padded = [START] * order + ids
        grams = {
            k: [tuple(padded[i - k + 1 : i + 1]) for i in range(order, len(padded))]
            for k in range(1, order + 2)
        }
        self.counts: dict[int, Counter[Gram]] = {order: Counter(grams[order])}
        for k in range(1, order):
            self.counts[k] = Counter(gram[1:] for gram in set(grams[k + 1]))
        self.order = order

    def discount(self, k: int, count: int) -> float:
        if count == 0:
            return 0.0
        n = [sum(c == r for c in self.counts[k].values()) for r in range(5)]
        if not (n[1] and n[2] and n[3]):
            return FALLBACK[min(count, 3) - 1]
        y = n[1] / (n[1] + 2 * n[2])
        found = [r - (r + 1) * y * n[r + 1] / n[r] for r in (1, 2, 3)]
        return (found if min(found) > 0 else FALLBACK)[min(count, 3) - 1]

    def probability(self, context: Gram, token: int) -> float:
        k = len(context) + 1
        lower = self.probability(context[1:], token) if context else 1 / V
        counts = {w: self.counts[k][(*context, w)] for w in range(V)}
        total = sum(counts.values())
        if not total:
            return lower
        rest = sum(self.discount(k, c) for c in counts.values()) / total
        share = (counts[token] - self.discount(k, counts[token])) / total
        return share + rest * lower

    def nats(self, ids: list[int]) -> list[float]:
        return [
            -log(self.probability(tuple(ids[max(0, i - self.order + 1) : i]), token))
            for i, token in enumerate(ids)
        ]


@given(texts)
def test_a_model_is_its_plain_twin(drawn: tuple[list[int], list[int], int]) -> None:
    train, valid, order = drawn
    found = fit(np.array(train, np.int32), V, order).nats(np.array(valid, np.int32))
    np.testing.assert_allclose(found, Twin(train, order).nats(valid), rtol=1e-9)


@given(texts)
def test_probabilities_add_up_to_1(drawn: tuple[list[int], list[int], int]) -> None:
    train, before, order = drawn
    model = fit(np.array(train, np.int64), V, order)
    chances = [np.exp(-model.nats(np.array([*before, token]))[-1]) for token in range(V)]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) > 0


@given(texts)
def test_a_model_holds_those_of_lower_orders(drawn: tuple[list[int], list[int], int]) -> None:
    train, valid, order = np.array(drawn[0], int), np.array(drawn[1], int), drawn[2]
    higher = fit(train, V, order + 2).nats(valid, order)
    np.testing.assert_array_equal(higher, fit(train, V, order).nats(valid))


def test_a_token_is_foreseen_from_so_many_before_it() -> None:
    rng = np.random.default_rng(0)
    train, valid = rng.integers(V, size=500), rng.integers(V, size=30)
    model, other = fit(train, V, 3), valid.copy()
    other[10] = (other[10] + 1) % V
    changed = np.flatnonzero(model.nats(valid) != model.nats(other))
    assert changed.tolist() == [10, 11, 12]


def test_single_tokens_by_hand() -> None:
    model = fit(np.array([0, 0, 0, 1]), 2, 1)
    # counts 3 and 1 lose 1.5 and 0.5, which both share
    np.testing.assert_allclose(np.exp(-model.nats(np.array([0, 1]))), [2.5 / 4, 1.5 / 4])


def test_below_the_highest_order_it_counts_what_stands_before() -> None:
    # 1 follows only 0, but 2 follows three different tokens, and is rarer
    train = np.array([0, 1] * 6 + [0, 2, 0, 1, 2, 3, 2])
    nats = fit(train, 5, 2).nats(np.array([4, 1, 4, 2]))
    assert nats[3] < nats[1]


def test_discounts_by_hand() -> None:
    # n_1 to n_4 are 6, 3, 2, 1, so Y is 1/2
    counts = np.repeat([1, 2, 3, 4, 9], [6, 3, 2, 1, 5])
    assert discounts(counts) == pytest.approx((1 - 3 / 6, 2 - 3 * 2 / 3 / 2, 3 - 4 / 2 / 2))


@pytest.mark.parametrize("counts", [[], [1, 1, 1], [2, 3, 3], [1, 2, 3, 3, 3, 3, 3]])
def test_too_few_grams_have_discounts_that_are_given(counts: list[int]) -> None:
    assert discounts(np.array(counts, np.int64)) == FALLBACK


def test_without_text_all_tokens_are_equally_likely() -> None:
    none = np.zeros(0, np.int64)
    np.testing.assert_allclose(fit(none, 5, 3).nats(np.array([0, 4, 2])), log(5))
    assert fit(np.array([0, 1]), 5, 3).nats(none).shape == (0,)


def test_what_repeats_is_foreseen() -> None:
    text = np.tile([0, 1, 2, 1], 200)
    assert fit(text, 3, 1).nats(text).mean() > 0.9
    assert fit(text, 3, 3).nats(text).mean() < 0.02


def test_the_best_order_is_that_of_the_text() -> None:
    rng = np.random.default_rng(1)
    alone = rng.integers(6, size=3000)
    assert best_order(alone, 6, (1, 2, 3, 4)) == 1
    text = list(rng.integers(6, size=2))
    while len(text) < 6000:  # each token is the sum of the two before it, or 1 in 5 times any
        text.append(int(rng.integers(6)) if rng.random() < 0.2 else (text[-1] + text[-2]) % 6)
    assert best_order(np.array(text), 6, (1, 2, 3, 4, 5)) == 3


def test_the_best_order_of_hardly_any_text_is_the_lowest() -> None:
    assert best_order(np.array([1, 2]), 6, (4, 2, 3)) == 2


def test_large_vocabularies_do_not_collide() -> None:
    large = 2_000_000_000
    text = np.array([0, large - 1, 1, large - 1] * 50)
    model = ngram_lm.fit(text, large, 3)
    assert np.exp(-model.nats(text)[2:]).min() > 0.9


@pytest.mark.slow
def test_tiny_shakespeare_by_characters(data: Path) -> None:
    text = (data / "english" / "tinyshakespeare.txt").read_text("utf-8")
    ids = np.unique(list(text), return_inverse=True)[1]
    cut = int(0.9 * len(ids))
    assert best_order(ids[:cut], 65, range(2, 9)) == 7
    assert fit(ids[:cut], 65, 7).nats(ids[cut:]).mean() < 1.52
