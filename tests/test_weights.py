"""The weights against scikit-learn, against plain loops over the formulas, and by hand."""

import json
from dataclasses import asdict
from itertools import pairwise, product
from math import log, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from gai.errors import GaiError, UsageError
from gai.weights import IDFS, NORMS, TFS, Statistics, Weighting, explain, idf, weigh

ALL = [Weighting(tf, df, norm) for tf in TFS for df in IDFS for norm in NORMS]


@st.composite
def matrices(draw):
    """Counts, with empty rows and empty columns among them, and the lengths and sizes of rows."""
    columns = draw(st.integers(1, 6))
    cell = st.one_of(st.just(0), st.integers(0, 4), st.integers(1, 10**6))
    rows = draw(st.lists(st.lists(cell, min_size=columns, max_size=columns), min_size=1))
    counts = np.array(rows, np.int64)
    pruned = np.array(draw(st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows))))
    lengths = counts.sum(axis=1) + pruned
    return sparse.csr_array(counts), lengths, lengths * 6 + (lengths > 0)


def statistics_of(counts, lengths):
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    return Statistics(counts.shape[0], df, float(lengths.mean()))


def weighed(weighting, counts, lengths, sizes, statistics=None):
    statistics = statistics or statistics_of(counts, lengths)
    return weigh(weighting, statistics, counts.indptr, counts.indices, counts.data, lengths, sizes)


TF_BY_HAND = {
    "raw": lambda count, row: count,
    "relative": lambda count, row: count / row.length,
    "log": lambda count, row: 1 + log(count),
    "binary": lambda count, row: 1,
    "augmented": lambda count, row: 0.5 + 0.5 * count / max(row.held),
    "logave": lambda count, row: (1 + log(count)) / (1 + log(sum(row.held) / len(row.held))),
    "bm25": lambda count, row: (
        count / (count + row.k1 * (1 - row.b + row.b * row.length / row.mean))
    ),
}
IDF_BY_HAND = {
    "plain": lambda n, df: log(n / df) if df else 0,
    "smooth": lambda n, df: log((1 + n) / (1 + df)) + 1,
    "probabilistic": lambda n, df: log(max(1, (n - df) / df)) if df else 0,
    "bm25": lambda n, df: log(1 + (n - df + 0.5) / (df + 0.5)),
    "none": lambda n, df: 1,
}
NORM_BY_HAND = {
    "none": lambda products, row: 1,
    "l1": lambda products, row: sum(products),
    "l2": lambda products, row: sqrt(sum(x * x for x in products)),
    "unique": lambda products, row: (1 - row.slope) * row.pivot + row.slope * len(row.held),
    "bytes": lambda products, row: row.size**row.alpha,
}


def by_hand(weighting, counts, lengths, sizes, statistics):
    """What weigh should give, one cell at a time, in Python's own floats."""
    df = statistics.df.tolist()
    known = asdict(weighting) | {"mean": statistics.mean_length}
    known["pivot"] = sum(df) / statistics.documents
    for counted, length, size in zip(counts.toarray().tolist(), lengths, sizes, strict=True):
        held = [count for count in counted if count]
        row = SimpleNamespace(**known, held=held, length=int(length), size=int(size))
        products = [
            TF_BY_HAND[weighting.tf](count, row)
            * IDF_BY_HAND[weighting.idf](statistics.documents, df[column])
            for column, count in enumerate(counted)
            if count
        ]
        divisor = NORM_BY_HAND[weighting.norm](products, row) if products else 1
        yield from (x / (divisor or 1) for x in products)


def test_every_combination_equals_plain_loops():
    rng = np.random.default_rng(1)
    dense = rng.poisson(0.6, (40, 30)) * rng.integers(1, 50, (40, 30))
    dense[[0, 7, 8, 39]] = 0
    counts = sparse.csr_array(dense)
    lengths = dense.sum(axis=1) + rng.integers(0, 5, 40)
    matrix = counts, lengths, lengths * 5
    for weighting in ALL:
        expected = list(by_hand(weighting, *matrix, statistics_of(counts, lengths)))
        ours = weighed(weighting, *matrix)
        np.testing.assert_allclose(ours, expected, rtol=1e-13, err_msg=str(weighting))


@given(matrices(), st.sampled_from(ALL), *[st.floats(0, 1)] * 4)
@settings(deadline=None)
def test_any_matrix_and_parameters_equal_plain_loops(matrix, chosen, k1, b, slope, alpha):
    weighting = Weighting(chosen.tf, chosen.idf, chosen.norm, 5 * k1, b, slope, alpha)
    counts, lengths, _ = matrix
    expected = list(by_hand(weighting, *matrix, statistics_of(counts, lengths)))
    np.testing.assert_allclose(weighed(weighting, *matrix), expected, rtol=1e-12, atol=1e-300)


@given(
    matrices(),
    st.sampled_from(["l1", "l2", None]),
    st.sampled_from(["smooth", "none"]),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_equals_scikit_learns_transformer(matrix, norm, idf_name, sublinear):
    weighting = Weighting("log" if sublinear else "raw", idf_name, norm or "none")
    peer = TfidfTransformer(norm=norm, use_idf=idf_name != "none", sublinear_tf=sublinear)
    expected = peer.fit_transform(matrix[0])
    np.testing.assert_array_equal(matrix[0].indices, expected.indices)
    np.testing.assert_allclose(weighed(weighting, *matrix), expected.data, rtol=1e-12)


def test_unsmoothed_scikit_learn_is_plain_plus_one():
    counts = sparse.csr_array(np.array([[3, 0, 1], [1, 1, 0], [2, 0, 0]]))
    peer = TfidfTransformer(smooth_idf=False).fit(counts)
    statistics = Statistics(3, np.array([3, 1, 1]), 1.0)
    np.testing.assert_allclose(idf(Weighting(), statistics) + 1, peer.idf_, rtol=1e-15)


def test_long_rows_stay_as_near_to_scikit_learn():
    rng = np.random.default_rng(5)
    counts = sparse.random_array((3, 200_000), density=0.5, rng=rng, format="csr")
    counts = sparse.csr_array(
        (rng.zipf(1.8, counts.nnz).clip(max=10**6), counts.indices, counts.indptr)
    )
    ours = weighed(Weighting.like_sklearn(), counts, counts.sum(axis=1), None)
    np.testing.assert_allclose(ours, TfidfTransformer().fit_transform(counts).data, rtol=1e-12)


# "The cat sat on the mat." and "The dog barked at the cat.", columns in order of appearance
TERMS = ["the", "cat", "sat", "on", "mat", "dog", "barked", "at"]
SENTENCES = sparse.csr_array(np.array([[2, 1, 1, 1, 1, 0, 0, 0], [2, 1, 0, 0, 0, 1, 1, 1]]))
LENGTHS = np.array([6, 6])


def test_two_sentences_by_hand():
    weights = weighed(Weighting(), SENTENCES, LENGTHS, None)
    rare = log(2) / 6
    assert weights.tolist() == pytest.approx([0, 0, rare, rare, rare, 0, 0, rare, rare, rare])
    assert len(weights) == SENTENCES.nnz, "zero weights stay stored"


def test_explanation_of_cat():
    statistics = statistics_of(SENTENCES, LENGTHS)
    told = explain(Weighting(), statistics, 1, SENTENCES.indices[:5], SENTENCES.data[:5], 6)
    assert (told.count, told.length, told.df, told.documents) == (1, 6, 2, 2)
    assert (told.tf, told.idf, told.unnormed, told.weight) == (1 / 6, 0, 0, 0)


def test_explanation_of_a_term_the_document_lacks():
    statistics = statistics_of(SENTENCES, LENGTHS)
    told = explain(Weighting(), statistics, 5, SENTENCES.indices[:5], SENTENCES.data[:5], 6)
    assert (told.count, told.tf, told.unnormed, told.weight) == (0, 0, 0, 0)
    assert (told.df, told.idf) == (1, pytest.approx(log(2)))


@given(matrices(), st.sampled_from(ALL), st.data())
@settings(deadline=None)
def test_explanation_gives_the_bits_of_the_matrix(matrix, weighting, data):
    counts, lengths, sizes = matrix
    statistics = statistics_of(counts, lengths)
    weights = weighed(weighting, *matrix, statistics)
    row = data.draw(st.integers(0, counts.shape[0] - 1))
    start, end = counts.indptr[row : row + 2]
    for cell in range(start, end):
        told = explain(
            weighting,
            statistics,
            int(counts.indices[cell]),
            counts.indices[start:end],
            counts.data[start:end],
            int(lengths[row]),
            int(sizes[row]),
        )
        assert told.weight == weights[cell]
        assert told.count == counts.data[cell]
        assert told.unnormed == pytest.approx(told.tf * told.idf)


def test_bm25_by_hand():
    # four documents of 10, 20, 30 and 40 tokens; the term is in two, 3 times in the first
    statistics = Statistics(4, np.array([2]), 25.0)
    weights = weigh(
        Weighting.bm25(),
        statistics,
        np.array([0, 1, 1, 2, 2]),
        np.array([0, 0]),
        np.array([3, 1]),
        np.array([10, 20, 30, 40]),
    )
    inverse = log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    first = 3 / (3 + 1.2 * (1 - 0.75 + 0.75 * 10 / 25))
    third = 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 30 / 25))
    assert weights.tolist() == pytest.approx([inverse * first, inverse * third])


def test_bm25_where_every_training_document_was_empty():
    statistics = Statistics(2, np.array([0]), 0.0)
    weights = weigh(Weighting.bm25(), statistics, *map(np.array, ([0, 1], [0], [2], [2])))
    assert weights.tolist() == pytest.approx([2 / 3.2 * log(6)])


def test_smart_codes_mean_what_the_table_says():
    tf = {"n": "raw", "l": "log", "a": "augmented", "b": "binary", "L": "logave"}
    df = {"n": "none", "t": "plain", "p": "probabilistic"}
    norm = {"n": "none", "c": "l2", "u": "unique", "b": "bytes"}
    for code in map("".join, product("nlabL", "ntp", "ncub")):
        assert Weighting.smart(code) == Weighting(tf[code[0]], df[code[1]], norm[code[2]])


def test_ltc_by_hand():
    """Each factor of ltc on a document "a a b" beside "b c"."""
    counts = sparse.csr_array(np.array([[2, 1, 0], [0, 1, 1]]))
    weights = weighed(Weighting.smart("ltc"), counts, np.array([3, 2]), None)
    assert weights.tolist() == pytest.approx([1, 0, 0, 1])
    told = explain(
        Weighting.smart("ltn"), statistics_of(counts, np.array([3, 2])), 0, *row(counts, 0), 3
    )
    assert told.weight == pytest.approx((1 + log(2)) * log(2))


def row(counts, number):
    cells = slice(counts.indptr[number], counts.indptr[number + 1])
    return counts.indices[cells], counts.data[cells]


@pytest.mark.parametrize("code", ["", "lt", "xtc", "ltcc", "lxc", "lt?", "LTC", "lté"])
def test_unknown_smart_code_lists_the_letters(code):
    with pytest.raises(UsageError) as raised:
        Weighting.smart(code)
    assert "tf n l a b L; idf n t p; norm n c u b" in raised.value.hint
    assert repr(code) in raised.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"tf": "Raw"},
        {"idf": "log"},
        {"norm": "l3"},
        {"k1": -1},
        {"k1": float("nan")},
        {"k1": float("inf")},
        {"b": 1.1},
        {"slope": -0.1},
        {"alpha": 2},
    ],
)
def test_bad_choices_are_usage_errors(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        Weighting(**options)


def test_norm_bytes_without_sizes_says_so():
    with pytest.raises(UsageError, match="norm bytes"):
        weighed(Weighting.smart("nnb"), SENTENCES, LENGTHS, None)


@given(matrices(), st.sampled_from(ALL), st.data())
@settings(deadline=None)
def test_any_split_into_blocks_gives_the_same_bits(matrix, weighting, data):
    counts, lengths, _ = matrix
    statistics = statistics_of(counts, lengths)
    whole = weighed(weighting, *matrix, statistics)
    cut = data.draw(st.lists(st.integers(0, counts.shape[0])))
    assert split_at(cut, weighting, *matrix, statistics).tobytes() == whole.tobytes()


def test_long_rows_in_blocks_give_the_same_bits():
    """Long enough for numpy's pairwise sums, its buffers and its vector instructions to matter."""
    rng = np.random.default_rng(1)
    sizes = np.array([0, 1, 20_000, 3, 0, 0, 9_001, 17, 0])
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    data = rng.zipf(1.7, indptr[-1]).clip(max=10**5)
    indices = np.concatenate([np.sort(rng.permutation(20_000)[:size]) for size in sizes])
    counts = sparse.csr_array((data, indices, indptr), shape=(len(sizes), 20_000))
    lengths = counts.sum(axis=1)
    statistics = statistics_of(counts, lengths)
    for weighting in ALL:
        whole = weighed(weighting, counts, lengths, sizes, statistics)
        for cut in (range(9), [2], [3], [1, 6]):
            parts = split_at(cut, weighting, counts, lengths, sizes, statistics)
            assert np.array_equal(parts, whole), weighting


def split_at(cuts, weighting, counts, lengths, sizes, statistics):
    bounds = sorted({0, counts.shape[0], *cuts})
    parts = []
    for first, last in pairwise(bounds):
        indptr = counts.indptr[first : last + 1]
        cells = slice(indptr[0], indptr[-1])
        part = (indptr - indptr[0], counts.indices[cells], counts.data[cells])
        rows = lengths[first:last], sizes[first:last]
        parts.append(weigh(weighting, statistics, *part, *rows))
    return np.concatenate(parts)


@pytest.mark.filterwarnings("error")
def test_no_nan_from_unseen_terms_and_empty_documents():
    """Column 1 was in no training document, column 0 in all; row 1 is empty."""
    statistics = Statistics(3, np.array([3, 0]), 2.0)
    cells = np.array([0, 2, 2, 3]), np.array([0, 1, 0]), np.array([1, 5, 2])
    for weighting in ALL:
        weights = weigh(weighting, statistics, *cells, np.array([6, 0, 2]), np.array([12, 0, 4]))
        assert len(weights) == 3, weighting
        assert np.isfinite(weights).all(), weighting


@pytest.mark.filterwarnings("error")
def test_no_rows_no_cells_no_documents():
    empty = Statistics(0, np.array([], np.int64), 0.0)
    nothing = np.array([], np.int64)
    for weighting in ALL:
        assert not len(weigh(weighting, empty, np.array([0]), nothing, nothing, nothing, nothing))


def test_idf_of_unseen_terms():
    statistics = Statistics(3, np.array([0]), 2.0)
    values = {name: idf(Weighting(idf=name), statistics).item() for name in IDFS}
    assert values == {
        "plain": 0,
        "smooth": pytest.approx(1 + log(4)),
        "probabilistic": 0,
        "bm25": pytest.approx(log(8)),
        "none": 1,
    }


def test_idf_is_computed_once_and_cannot_be_spoiled():
    statistics = Statistics(3, np.array([1, 2]), 2.0)
    first = idf(Weighting(), statistics)
    assert idf(Weighting("raw", norm="l2"), statistics) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_a_document_of_one_token():
    cells = np.array([0, 1]), np.array([0]), np.array([1]), np.array([1])
    assert weigh(Weighting(idf="none"), Statistics(1, np.array([1]), 1.0), *cells) == [1]


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_counts_are_left_as_they_were(dtype):
    counts = np.array([1, 2], dtype)
    for weighting in ALL:
        statistics = Statistics(2, np.array([1, 1]), 2.0)
        args = np.array([0, 2]), np.array([0, 1]), counts, np.array([3]), np.array([9])
        weights = weigh(weighting, statistics, *args)
        weights[:] = -1
        assert counts.tolist() == [1, 2]
        assert weights.dtype == np.float64


def test_a_description_survives_json():
    pivoted = Weighting.from_dict({"norm": "unique", "slope": 0.5})
    for weighting in (*ALL, Weighting.bm25(2.0, 0.5), pivoted):
        told = json.loads(json.dumps(weighting.describe()))
        assert Weighting.from_dict(told) == weighting


def test_a_description_holds_only_what_changes_a_number():
    assert Weighting.like_sklearn().describe() == {"tf": "raw", "idf": "smooth", "norm": "l2"}
    assert set(Weighting.bm25().describe()) == {"tf", "idf", "norm", "k1", "b"}
    assert Weighting.smart("nnu").describe()["slope"] == 0.2
    assert Weighting.smart("nnb").describe()["alpha"] == 0.5


def test_a_description_from_another_version_is_an_error():
    with pytest.raises(GaiError, match="'lambda'"):
        Weighting.from_dict({"tf": "raw", "lambda": 0.1})
