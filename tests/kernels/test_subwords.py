"""Parts of words: the kernels against their twins, the twins against gensim."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gai import kernels
from gai.kernels import reference
from gai.terms import Terms

WORDS = ["", "a", "ab", "über", "日本語", "x" * 40, "e\u0301a", "😀b", "</s>", "<", ">", "a b"]


def words() -> Terms:
    random = np.random.default_rng(0)
    made = ["".join(map(chr, random.integers(97, 2000, n))) for n in random.integers(1, 12, 200)]
    return Terms.of([*WORDS, *made])


def ids_of(ops: Any, terms: Terms, low: int, high: int, bucket: int) -> list[list[int]]:
    bounds, ids = np.zeros(len(terms) + 1, np.int64), np.zeros(50_000, np.int32)
    count = ops.subword_ids(terms.arena, terms.offsets, low, high, bucket, bounds, ids)
    assert bounds[-1] == count
    return [ids[a:b].tolist() for a, b in pairwise(bounds)]


@pytest.mark.parametrize(
    ("low", "high", "bucket"), [(3, 6, 2_000_000), (1, 3, 100), (1, 1, 5), (2, 2, 1), (5, 4, 10)]
)
def test_parts_are_those_of_gensim(low: int, high: int, bucket: int) -> None:
    inner = pytest.importorskip("gensim.models.fasttext_inner", reason="gensim is compiled C")
    terms = words()
    ours = ids_of(kernels.load(), terms, low, high, bucket)
    assert ours == ids_of(reference, terms, low, high, bucket)
    for word, found in zip(terms, ours, strict=True):
        parts = inner.compute_ngrams_bytes(word, low, high)
        assert sorted(found) == sorted(inner.ft_hash_bytes(part) % bucket for part in parts)


def test_bytes_that_are_no_text_have_parts_too() -> None:
    broken = Terms(np.frombuffer(b"\x80\xffa\xe4\xc3", np.uint8), np.array([0, 2, 5], np.int64))
    ours = ids_of(kernels.load(), broken, 1, 3, 1000)
    assert ours == ids_of(reference, broken, 1, 3, 1000)
    assert all(ours)


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_means_are_those_of_the_twin_at_any_address(shift: int) -> None:
    random = np.random.default_rng(1)
    known, parts = (random.normal(size=(n, 13)).astype(np.float32) for n in (5, 40))
    bounds = np.cumsum([0, *random.integers(0, 6, 30)])
    ids = random.integers(0, 40, bounds[-1]).astype(np.int32)
    places = random.integers(-1, 5, 30)
    tables = [np.frombuffer(bytes(shift) + t.tobytes(), np.uint8)[shift:] for t in (known, parts)]
    made = []
    for ops in (kernels.load(), reference):
        out = np.full(30 * 13, 9, np.float32)
        ops.mean_rows(*tables, places, bounds, ids, 13, out)
        made.append(out.reshape(30, 13))
    assert np.array_equal(*made)
    for row, place in enumerate(places):
        rows = [*([known[place]] if place >= 0 else []), *parts[ids[bounds[row] : bounds[row + 1]]]]
        wanted = np.mean(rows, axis=0) if rows else np.zeros(13)
        assert np.allclose(made[0][row], wanted, atol=1e-6)
