"""gai's drop-in vectorizers against scikit-learn's own: the same results, errors and warnings."""

import io
import pickle
import re
import warnings
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.feature_extraction import text as peer

from gai import sklearn as ours

PAIRS = [
    (ours.CountVectorizer, peer.CountVectorizer),
    (ours.TfidfVectorizer, peer.TfidfVectorizer),
]
SENTENCES = ["The cat sat on the mat.", "The dog barked at the cat.", "", "...", "The end."]

NASTY = [
    *"aAzZ09_ .,-'\n\t\r\x00\x0b\x1c\x85\xa0\u2003\u2028\u3000",
    *["İ", "ı", "Σ", "ς", "σ", "ΑΣ", "ΑΣ.", "Σ\u0301", "ß", "ẞ", "\u212a", "\u212b", "ǅ", "ﬃ"],
    *["e\u0301", "é", "\u0301", "\u0345", "\u0307", "\u200d", "\u200c", "\ufeff", "\u00ad", "ʰ"],
    *["日本", "か\u3099", "ไทย", "नमस्ते", "한", "👩\u200d👩", "𝐀", "𐐀", "Ⅷ", "²", "½", "\uffff"],
    *["ᴬ", "℡", "№", "㎯", "ΐ", "ŉ", "ﷺ", "\u1e9b\u0323"],
    *["\ud800", "\udc00", "\udfff", "\U0010ffff"],
]
words = st.lists(st.one_of(st.sampled_from(NASTY), st.characters()), max_size=12).map("".join)
documents = st.lists(words, min_size=1, max_size=6)
ranges = st.tuples(st.integers(1, 3), st.integers(0, 2)).map(lambda pair: (pair[0], sum(pair)))
patterns = st.sampled_from([r"(?u)\b\w\w+\b", r"\w+", r"(?u)\b\w+\b", r"\b\w{3,}\b", r"\w\w{2,}"])
options = st.fixed_dictionaries(
    {},
    optional={
        "analyzer": st.sampled_from(["word", "char", "char_wb"]),
        "ngram_range": ranges,
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "stop_words": st.one_of(st.just("english"), st.lists(words, max_size=3)),
        "token_pattern": patterns,
        "binary": st.booleans(),
        "max_features": st.integers(1, 5),
        "min_df": st.integers(1, 2),
    },
)


@pytest.fixture(autouse=True, scope="module")
def no_text_is_small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "SMALL", -1)
        yield


@contextmanager
def counting_with(engine):
    """gai's kernels, or their plain twins that it otherwise takes for so little text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours.counts, "count", partial(ours.counts.count, engine=engine))
        yield


engines = pytest.mark.parametrize("engine", ["kernels", "reference"])


@pytest.fixture
def counted(monkeypatch):
    """A list that grows by one entry, the analysis, whenever gai counts."""
    calls = []
    original = ours.counts.count

    def count(batches, analysis, **options):
        calls.append(analysis)
        return original(batches, analysis, **options)

    monkeypatch.setattr(ours.counts, "count", count)
    return calls


def outcome(function):
    """What a call gives: its result, or its error as text; and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result, error = function(), None
        except Exception as raised:
            result, error = None, f"{type(raised).__name__}: {raised}"
    return result, error, [str(one.message) for one in caught]


def assert_same_matrix(left, right, rtol=0.0):
    assert type(left) is type(right)
    assert (left.shape, left.dtype) == (right.shape, right.dtype)
    assert (left.indices.dtype, left.indptr.dtype) == (right.indices.dtype, right.indptr.dtype)
    left, right = (
        type(x)((x.data, x.indices, x.indptr), x.shape).sorted_indices() for x in (left, right)
    )
    np.testing.assert_array_equal(left.indptr, right.indptr)
    np.testing.assert_array_equal(left.indices, right.indices)
    np.testing.assert_allclose(left.data, right.data, rtol=rtol)


def assert_same(call, **options):
    """Both of gai's vectorizers do what scikit-learn's do when ``call(vectorizer)`` is made."""
    for mine, theirs in PAIRS:
        us, them = mine(**options), theirs(**options)
        got, expected = outcome(lambda us=us: call(us)), outcome(lambda them=them: call(them))
        assert got[1:] == expected[1:]
        assert getattr(us, "vocabulary_", None) == getattr(them, "vocabulary_", None)
        assert set(vars(us)) == set(vars(them))
        if expected[0] is not None:
            assert_same_matrix(got[0], expected[0], 1e-12 if mine is ours.TfidfVectorizer else 0)


@engines
@given(texts=documents, chosen=options)
@settings(max_examples=200, deadline=None)
def test_any_text_under_any_options(engine, texts, chosen):
    with counting_with(engine):
        assert_same(lambda v: v.fit_transform(texts), **chosen)


@given(texts=documents, lowercase=st.booleans(), pattern=patterns)
@settings(max_examples=200, deadline=None)
def test_any_text_through_the_kernels(texts, lowercase, pattern):
    """Options under which the kernels do everything."""
    with counting_with("kernels"):
        assert_same(lambda v: v.fit_transform(texts), lowercase=lowercase, token_pattern=pattern)


@given(documents, documents, options)
@settings(deadline=None)
def test_transforming_other_text(texts, others, chosen):
    assert_same(lambda v: v.fit(texts).transform(others), **chosen)


@given(documents, st.lists(words, min_size=1, unique=True), options)
@settings(deadline=None)
def test_fixed_vocabulary(texts, vocabulary, chosen):
    assert_same(lambda v: v.fit_transform(texts), vocabulary=vocabulary, **chosen)


@given(st.lists(words, min_size=1, max_size=30), st.integers(0, 20), options)
@settings(deadline=None)
def test_portions_of_any_size(texts, size, chosen):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "PORTION", size)
        assert_same(lambda v: v.fit_transform(iter(texts)), **chosen)


def test_same_layout_and_bits_as_scikit_learns():
    """Unigrams are met in the same order, so even the order within the rows is the same."""
    for mine, theirs in PAIRS:
        got, expected = mine().fit_transform(SENTENCES), theirs().fit_transform(SENTENCES)
        assert got.indices.tolist() == expected.indices.tolist()
        assert got.data.tobytes() == expected.data.tobytes()


@pytest.mark.parametrize(
    ("pattern", "shortest"),
    [
        (r"(?u)\b\w\w+\b", 2),
        (r"\b\w\w+\b", 2),
        (r"\w\w+", 2),
        (r"\w+", 1),
        (r"(?u)\b\w+\b", 1),
        (r"\b\w{3,}\b", 3),
        (r"\w\w\w{2,}", 4),
        (r"\w{12,}", 12),
        (r"\w", None),
        (r"\w*", None),
        (r"\w{0,}", None),
        (r"\w{2,3}", None),
        (r"(\w+)", None),
        (r"\W+", None),
        (r"(?a)\w+", None),
        (r"(?i)\b\w+\b", None),
        (r"[a-z]+", None),
        (r"\w+\b\b", None),
        (r"\w+ ", None),
        (r"w+", None),
        ("", None),
        (None, None),
    ],
)
def test_patterns_that_are_runs_of_word_characters(pattern, shortest):
    assert ours._shortest(pattern) == shortest
    if shortest:
        for text in ("", "a bb ccc dddd_d", "x" * 12 + "-é2", *map("é".join, "a b")):
            runs = [run for run in re.findall(r"\w+", text) if len(run) >= shortest]
            assert re.findall(pattern, text) == runs


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ngram_range": (1, 2)},
        {"analyzer": "char", "ngram_range": (2, 3)},
        {"analyzer": "char_wb", "ngram_range": (2, 3)},
        {"token_pattern": r"\w+"},
        {"stop_words": "english"},
        {"stop_words": ["the"]},
        {"strip_accents": "ascii"},
        {"lowercase": False},
        {"vocabulary": ["cat", "unseen"]},
        {"dtype": np.float32},
        {"binary": True},
        {"max_features": 2},
    ],
    ids=str,
)
def test_gai_counts_where_it_can(options, counted):
    assert_same(lambda v: v.fit_transform(SENTENCES), **options)
    assert len(counted) == 2, "both of gai's vectorizers"


@pytest.mark.parametrize(
    "options",
    [
        {"tokenizer": str.split},
        {"preprocessor": str.upper},
        {"analyzer": str.split},
        {"token_pattern": r"[a-z]+"},
        {"token_pattern": r"(\w)\w+"},
        {"token_pattern": None, "tokenizer": list},
        {"strip_accents": str.title},
        {"ngram_range": (0, 1)},
        {"ngram_range": (0, 2)},
    ],
    ids=str,
)
def test_scikit_learn_counts_where_gai_cannot(options, counted):
    assert_same(lambda v: v.fit_transform(SENTENCES), **options)
    assert not counted


@pytest.mark.parametrize("name", ours.HOOKS)
def test_methods_replaced_in_a_subclass_keep_their_say(name, counted):
    own = {
        "build_analyzer": lambda self: str.split,
        "build_preprocessor": lambda self: "{} extra".format,
        "build_tokenizer": lambda self: str.split,
        "decode": lambda self, document: document.replace("cat", "tiger"),
        "get_stop_words": lambda self: frozenset({"cat"}),
        "_char_ngrams": lambda self, document: list("abc"),
        "_char_wb_ngrams": lambda self, document: list("abc"),
        "_white_spaces": re.compile("a"),
        "_word_ngrams": lambda self, tokens, stop_words=None: tokens[:1],
    }[name]
    analyzer = {"_char_ngrams": "char", "_char_wb_ngrams": "char_wb", "_white_spaces": "char"}
    chosen = analyzer.get(name, "word")
    subclass = type("Subclass", (ours.CountVectorizer,), {name: own})
    expected = type("Subclass", (peer.CountVectorizer,), {name: own})(analyzer=chosen)
    wanted = expected.fit_transform(SENTENCES)
    assert_same_matrix(subclass(analyzer=chosen).fit_transform(SENTENCES), wanted)
    assert not counted
    plain = ours.CountVectorizer(analyzer=chosen).fit_transform(SENTENCES)
    assert plain.shape != wanted.shape or (plain != wanted).nnz


def test_a_function_put_on_the_instance_keeps_its_say(counted):
    vectorizer = ours.CountVectorizer()
    vectorizer.build_analyzer = lambda: str.split
    vectorizer.fit(SENTENCES)
    assert "mat." in vectorizer.vocabulary_
    assert not counted


def test_a_subclass_with_methods_of_its_own_is_fast(counted):
    class Vectorizer(ours.TfidfVectorizer):
        def __init__(self, *, input="content", colour="red"):
            super().__init__(input=input)
            self.colour = colour

        def fit_transform(self, documents, y=None):
            return super().fit_transform(documents, y) * 2

    expected = peer.TfidfVectorizer().fit_transform(SENTENCES) * 2
    assert_same_matrix(Vectorizer().fit_transform(SENTENCES), expected, 1e-12)
    assert len(counted) == 1


class Loud(str):
    def lower(self):
        return self.upper()


BAD = [
    ["one two", 1],
    ["one two", None],
    ["one two", np.nan],
    ["one two", float("nan")],
    ["one two", b"caf\xe9"],
    ["one two", ["three"]],
    "one text",
    7,
    None,
    [],
    [""],
    ["a b c"],
    ["the and of"],
    [["nested"]],
    {"key": "value"},
    ["one two", Loud("three four"), "two"],
    np.array(["one two", "two three"]),
    np.array(["one two", "two three"], dtype=object),
    np.array([["one two"]]),
    ["one two", bytearray(b"three")],
    ["one two", memoryview(b"three")],
]


@pytest.mark.parametrize("given_documents", BAD, ids=map(str, range(len(BAD))))
@pytest.mark.parametrize("options", [{}, {"stop_words": "english"}, {"lowercase": False}], ids=str)
def test_the_same_errors(given_documents, options):
    given_documents = list(given_documents) if hasattr(given_documents, "send") else given_documents
    assert_same(lambda v: v.fit_transform(given_documents), **options)
    assert_same(lambda v: v.fit(["one two", "three"]).transform(given_documents), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"min_df": 3},
        {"min_df": 5, "max_df": 1},
        {"max_df": 0.0},
        {"vocabulary": ["cat", "cat"]},
        {"vocabulary": []},
        {"vocabulary": {"cat": 1}},
        {"vocabulary": {"cat": 1, "The": 0}},
        {"vocabulary": {"cat": 1, 7: 0}},
        {"vocabulary": {"cat": 1, "\ud800": 0}},
        {"vocabulary": {"cat", "mat"}},
        {"stop_words": ["The", "it's"]},
        {"stop_words": ["cat", 7, None, "\ud800"]},
        {"stop_words": "german"},
        {"strip_accents": "all"},
        {"analyzer": "words"},
        {"analyzer": "char", "stop_words": "english"},
        {"analyzer": "char", "token_pattern": r"\w"},
        {"token_pattern": "("},
        {"token_pattern": None},
        {"ngram_range": (2, 1)},
        {"ngram_range": (-1, 1)},
        {"ngram_range": None},
        {"ngram_range": (1, 50)},
        {"input": "file"},
        {"input": "filename"},
        {"encoding": "nonsense"},
        {"dtype": np.int8},
        {"dtype": bool},
        {"dtype": "float64"},
    ],
    ids=lambda options: " ".join(options),  # a set has no fixed text
)
def test_the_same_errors_and_warnings_for_options(options):
    assert_same(lambda v: v.fit_transform(SENTENCES), **options)


@pytest.mark.parametrize("documents", [[{"text": "x"}] * 2, ["one two", "three"]], ids=str)
def test_the_same_from_a_generator(documents):
    assert_same(lambda v: v.fit_transform(document for document in documents))


def test_the_same_errors_after_set_params():
    for change in ({"strip_accents": "all"}, {"analyzer": "words"}, {"stop_words": "german"}):
        assert_same(
            lambda v, change=change: v.fit(SENTENCES).set_params(**change).transform(["cat"])
        )
    assert_same(lambda v: v.transform(["cat"]))


def test_stop_words_are_checked_once():
    vectorizer = ours.CountVectorizer(stop_words=["it's"])
    assert len(outcome(lambda: vectorizer.fit(SENTENCES))[2]) == 1
    assert not outcome(lambda: vectorizer.fit(SENTENCES))[2]


@pytest.mark.parametrize("errors", ["strict", "ignore", "replace"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_bytes_are_decoded_as_the_options_say(errors, encoding, counted):
    texts = [s.encode(encoding) for s in ("naïve café", "ΟΔΟΣ")] if encoding != "latin-1" else []
    texts += [b"na\xefve caf\xe9 ", "plain text"]
    assert_same(lambda v: v.fit_transform(texts), encoding=encoding, decode_error=errors)
    assert counted


def test_files_and_names_of_files(tmp_path, counted):
    names = [tmp_path / str(i) for i, _ in enumerate(SENTENCES)]
    for name, sentence in zip(names, SENTENCES, strict=True):
        name.write_text(sentence)
    assert_same(lambda v: v.fit_transform(map(str, names)), input="filename")
    assert_same(lambda v: v.fit_transform(map(io.StringIO, SENTENCES)), input="file")
    assert_same(lambda v: v.fit_transform([name.open("rb") for name in names]), input="file")
    assert_same(lambda v: v.fit_transform([*names, tmp_path / "missing"]), input="filename")
    assert len(counted) == 8
    odd = ["ab\ud800", "a", "\udc00b", "ba"]
    files = {"input": "file", "analyzer": "char"}
    assert_same(lambda v: v.fit_transform(map(io.StringIO, odd)), **files)


def test_documents_that_gai_cannot_take_are_counted_by_scikit_learn(counted):
    texts = ["one two", Loud("two three"), "three", Loud("four four one")]
    assert_same(lambda v: v.fit_transform(texts))
    assert_same(lambda v: v.fit_transform(texts), vocabulary=["one", "ONE", "three"])
    assert_same(lambda v: v.fit_transform(texts[1::2]))
    assert_same(lambda v: v.fit(texts[::2]).transform(texts))
    assert counted


def test_documents_are_taken_as_they_are_needed(monkeypatch):
    """No more than a portion lies in memory before the counting gets it."""
    monkeypatch.setattr(ours, "PORTION", 20)
    made, in_batches = [], []

    def texts():
        for number in range(50):
            made.append(number)
            yield "some text"

    for batch in ours._batches(texts(), {}):
        in_batches += batch.ids
        assert len(made) - len(in_batches) <= 1
    assert len(in_batches) == 50


def test_a_little_text_is_left_to_scikit_learn(monkeypatch, counted):
    monkeypatch.setattr(ours, "SMALL", 30)
    for texts, by_gai in ((["a cat sat"] * 3, 0), (["a cat sat"] * 4, 2), ([], 0), (["x" * 31], 2)):
        counted.clear()
        assert_same(lambda v, texts=texts: v.fit_transform(iter(texts)))
        assert len(counted) == by_gai
    assert_same(lambda v: v.fit_transform(map(io.StringIO, ["a cat"])), input="file")


def test_clones_copies_and_parameters():
    for mine, theirs in PAIRS:
        vectorizer = mine(ngram_range=(1, 2), min_df=2).fit(SENTENCES)
        assert vectorizer.get_params() == theirs(ngram_range=(1, 2), min_df=2).get_params()
        assert list(mine().get_params()) == list(theirs().get_params())
        assert repr(vectorizer) == repr(theirs(ngram_range=(1, 2), min_df=2))
        again = pickle.loads(pickle.dumps(vectorizer))
        expected = vectorizer.transform(SENTENCES)
        assert_same_matrix(again.transform(SENTENCES), expected)
        assert_same_matrix(clone(vectorizer).fit_transform(SENTENCES), expected)
        assert isinstance(vectorizer, (theirs, ours.CountVectorizer))


@engines
def test_texts_in_many_languages(engine, corpora):
    texts = [path.read_bytes() for path in sorted((corpora / "udhr").glob("*.txt"))]
    assert len(texts) > 20
    with counting_with(engine):
        assert_same(lambda v: v.fit_transform(texts))
        assert_same(lambda v: v.fit(texts[::2]).transform(texts), strip_accents="unicode")


@pytest.mark.slow
def test_novels(data, counted):
    paths = sorted((data / "english" / "novels").glob("*.txt"))[::4]
    assert_same(lambda v: v.fit_transform(map(str, paths)), input="filename")
    assert len(counted) == 2


@pytest.mark.slow
@pytest.mark.parametrize("accents", [None, "unicode"])
def test_lines_in_many_languages(data, accents):
    lines = [
        line
        for path in sorted((data / "multilingual").glob("*.txt"))
        for line in path.read_bytes().split(b"\n")
    ]
    with counting_with("kernels"):
        assert_same(lambda v: v.fit_transform(lines), strip_accents=accents)
