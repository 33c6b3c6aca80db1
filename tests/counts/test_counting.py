"""Counting: the kernels give the rows of plain Python, in whatever way the work is cut."""

from __future__ import annotations

import re
from collections import Counter
from io import FileIO
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gai import counts
from gai.counts import Counts, Pruning
from gai.counts import ngrams as ngrams_module
from gai.counts import store as store_module
from gai.documents import Batch, Reader, Reading, from_texts
from gai.errors import GaiError
from gai.terms import interner as interner_module
from gai.tokens import Analysis

NASTY = (
    "aZ09_ -'.:,;\"\t\n\r\0İIıiΣσςßẞK\u0301\u0308\u200d\u00ad\ufeff\u2060\u3000\u2003\u1680\x85\v"
    "אב\u05f4׳カ゛ｶﾞアㄱ가漢字ไทยລາວខ្មែរမြန်မာ\U0001f469\U0001f1e9\U0001f1eaℹⓂ©㊗٣٫१𝒜𐐀𐐨\U000e0001·‿’…"
)
TEXT = st.one_of(
    st.text(st.sampled_from(NASTY), max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text(st.sampled_from("aB ’"), min_size=10, max_size=80),
)
TEXTS = st.lists(TEXT, min_size=1, max_size=6)
ANALYSES = st.builds(
    Analysis,
    tokenizer=st.sampled_from(["unicode", "word", "whitespace", "pretokenized"]),
    min_length=st.sampled_from([1, 2, 3, 9]),
    lowercase=st.booleans(),
    strip_accents=st.sampled_from([None, None, "ascii", "unicode"]),
    normalize=st.sampled_from([None, None, "nfc", "nfkc"]),
    stop_words=st.sampled_from([(), ("a", "i", "ß"), ("abababababababababab", "don't")]),
)


def batch_of(texts: list[str]) -> Batch:
    return from_texts(texts, [f"{i}" for i in range(len(texts))])


def rows_of(found: Counts, pruning: Pruning | None = None) -> list[dict[str, int]]:
    result = found.result(pruning)
    indptr, indices, data = result.csr()
    terms = list(result.terms)
    return [
        {terms[c]: int(n) for c, n in zip(indices[a:b], data[a:b], strict=True)}
        for a, b in pairwise(indptr.tolist())
    ]


def assert_same(one: Counts, two: Counts) -> None:
    assert list(one.terms) == list(two.terms)
    assert rows_of(one) == rows_of(two)
    assert list(one.documents) == list(two.documents)
    for name in ("tf", "df", "lengths", "sizes"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()
    first = [list(found.result(Pruning(order="first")).terms) for found in (one, two)]
    assert first[0] == first[1]


@settings(max_examples=600)
@given(TEXTS, ANALYSES)
@example(["ΑΣ ΣΑ\nÅΣ\nB\n\nΣ\u0301 İΣ. K\nC", "Σ", "\nΣ\n"], Analysis())
@example(["ab\u200d ", "  \u200dℹ"], Analysis())
@example([" ﾞ", "a\u0301", "x 　\u0308ℹ"], Analysis())
@example(["abcdefghijklmno", "pqrstuvwxyz012345", "abcdefg", "h"], Analysis(tokenizer="word"))
@example(["aaaaaaaabbbbbbbbc", "aaaaaaaabbbbbbbbd", "AAAAAAAABBBBBBBBC"], Analysis())
@example(["a  b c-d \t é abcdefghijklmnop abcdefghijklmnopq ", " "], Analysis("pretokenized"))
@example(["_", "__a", "a_", "_1_", "don't stop: 3.14,15 a.b. 'x'"], Analysis())
def test_kernels_count_as_plain_python(texts: list[str], analysis: Analysis) -> None:
    kernel = counts.count([batch_of(texts)], analysis, engine="kernels")
    plain = counts.count([batch_of(texts)], analysis, engine="reference")
    assert_same(kernel, plain)


@settings(max_examples=300)
@given(
    TEXTS,
    st.builds(
        Analysis,
        tokenizer=st.sampled_from(["unicode", "word", "whitespace", "pretokenized"]),
        analyzer=st.sampled_from(["word", "char", "char_wb"]),
        ngrams=st.sampled_from([(1, 1), (1, 2), (2, 2), (2, 4), (3, 3), (1, 9)]),
        lowercase=st.booleans(),
        strip_accents=st.sampled_from([None, "unicode"]),
    ),
)
@example(["a b a b a", "b a b"], Analysis(ngrams=(1, 3)))
@example(["\t a \n\n b\x1f\x85c  "], Analysis(analyzer="char", ngrams=(1, 3)))
@example(["a bcd e\u2003f"], Analysis(analyzer="char_wb", ngrams=(4, 5)))
def test_ngrams_are_those_of_plain_python(texts: list[str], analysis: Analysis) -> None:
    kernel = counts.count([batch_of(texts)], analysis, engine="kernels")
    assert_same(kernel, counts.count([batch_of(texts)], analysis, engine="reference"))


@given(TEXTS)
def test_words_are_those_of_scikit_learns_pattern(texts: list[str]) -> None:
    analysis = Analysis(tokenizer="word", min_length=2)
    found = rows_of(counts.count([batch_of(texts)], analysis, engine="kernels"))
    pattern = re.compile(r"(?u)\b\w\w+\b")
    assert found == [Counter(pattern.findall(text.lower())) for text in texts]


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 3))
def test_batches_and_threads_leave_no_trace(batches: list[list[str]], jobs: int) -> None:
    whole = [text for texts in batches for text in texts]
    analysis = Analysis()
    parts, first = [], 0
    for texts in batches:
        ids = [f"{first + i}" for i in range(len(texts))]
        parts.append(from_texts(texts, ids))
        first += len(texts)
    one = counts.count([batch_of(whole)], analysis, engine="kernels")
    assert_same(one, counts.count(parts, analysis, jobs=jobs, engine="kernels"))


def test_tables_and_arenas_grow(corpora: Path) -> None:
    """From almost no room; the last text is one word of 100,000 letters."""
    texts = [path.read_text() for path in sorted((corpora / "inaugural").glob("*.txt"))[:20]]
    texts += ["x" * 100_000, "é" * 70_000, "y" * 17]
    plain = counts.count([batch_of(texts)], Analysis(), engine="reference")
    tiny = interner_module.Interner

    def small(kernels: object) -> interner_module.Interner:
        return tiny(kernels, slots=16, arena=64)

    with patch("gai.terms.scanner.Interner", small):
        assert_same(counts.count([batch_of(texts)], Analysis(), engine="kernels"), plain)


def test_tables_of_ngrams_grow(corpora: Path) -> None:
    texts = [path.read_text() for path in sorted((corpora / "inaugural").glob("*.txt"))[:8]]
    analysis, large = Analysis(ngrams=(1, 3)), ngrams_module.Ngrams

    def small(analysis: Analysis, kernels: object) -> ngrams_module.Ngrams:
        return large(analysis, kernels, slots=16)

    plain = counts.count([batch_of(texts)], analysis, engine="reference")
    with patch("gai.counts.workers.Ngrams", small):
        assert_same(counts.count([batch_of(texts)], analysis, engine="kernels"), plain)


@pytest.mark.parametrize("tokenizer", ["unicode", "word"])
def test_every_corpus_gives_the_same_rows(corpora: Path, tokenizer: str) -> None:
    reading = Reading((str(corpora / "udhr"), str(corpora / "shakespeare")), per="line")
    analysis = Analysis(tokenizer=tokenizer)
    kernel = counts.count(Reader(reading), analysis, jobs=2, engine="kernels")
    assert_same(kernel, counts.count(Reader(reading), analysis, engine="reference"))


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from(["a", "b", "don't", "x\n", "é", "ΑΣ", "abc" * 9])), st.integers(5, 60)
)
def test_a_document_in_parts_is_one_row(words: list[str], block: int) -> None:
    """Cut as the reader may cut it, and beside other documents."""
    text = " ".join(words) or "a"
    whole = batch_of(["before it", text, "behind it"])
    cuts = [i + 1 for i in range(block, len(text) - 1) if text[i] == " " and text[i + 1].isascii()]
    pieces = [text[a:b] for a, b in zip([0, *cuts[::3]], [*cuts[::3], None], strict=True)]
    batches = [from_texts(["before it", pieces[0]], ["0", "1"])]
    for piece in pieces[1:]:
        batches.append(from_texts([piece], ["1"]))
        batches[-1].continued = True
    behind = from_texts(["behind it"], ["2"])
    batches.append(behind)
    one = counts.count([whole], Analysis(), engine="kernels")
    two = counts.count(batches, Analysis(), jobs=2, engine="kernels")
    assert rows_of(one) == rows_of(two)
    assert one.df.tolist() == two.df.tolist()
    assert one.lengths.tolist() == two.lengths.tolist()
    assert list(one.documents) == list(two.documents)
    totals = counts.count(batches, Analysis(), engine="kernels", rows=False)
    assert totals.df.tolist() == one.df.tolist()
    assert totals.tf.tolist() == one.tf.tolist()


def test_spilled_rows_come_back(corpora: Path) -> None:
    reading = Reading((str(corpora / "shakespeare"),), per="line", block_size=20_000)
    kept = counts.count(Reader(reading), Analysis(), jobs=2, engine="kernels")
    with patch.object(store_module, "resident", lambda: 1 << 60):
        spilled = counts.count(Reader(reading), Analysis(), jobs=2, memory=1, engine="kernels")
    assert all(len(part.ids) == 0 for part in spilled.store.parts)
    assert_same(kept, spilled)


@pytest.mark.parametrize("folder", ["full", "missing"])
def test_rows_that_cannot_be_spilled_name_the_folder(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / folder
    monkeypatch.setattr("tempfile.tempdir", str(place))
    if folder == "full":
        place.mkdir()
        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: FileIO("/dev/full", "w"))
    monkeypatch.setattr(store_module, "resident", lambda: 1 << 60)
    with pytest.raises(GaiError, match=re.escape(str(place))) as raised:
        counts.count([from_texts(["a b"], ["x"])], Analysis(), memory=1)
    assert "TMPDIR" in raised.value.hint


def test_order_first_is_the_order_of_appearance(corpora: Path) -> None:
    paths = sorted(map(str, (corpora / "inaugural").glob("*.txt")))[:9]
    reading = Reading(tuple(paths), block_size=3_000)
    found = counts.count(Reader(reading), Analysis(), jobs=2, engine="kernels")
    seen = counts.count(Reader(reading), Analysis(), engine="reference")
    first = list(found.result(Pruning(order="first")).terms)
    assert first == list(seen.result(Pruning(order="first")).terms)
    assert first[:4] != sorted(first[:4])


def test_fixed_vocabulary_keeps_its_columns() -> None:
    found = counts.count([batch_of(["b a b", "c"])], Analysis())
    result = found.result(Pruning(vocabulary=["z", "b", "a"]))
    assert rows_of(found, Pruning(vocabulary=["z", "b", "a"])) == [{"b": 2, "a": 1}, {}]
    assert result.extra["df"].tolist() == [0, 1, 1]
    assert result.csr()[1].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("pruning", "terms"),
    [
        (Pruning(min_df=2), ["b", "c"]),
        (Pruning(max_df=0.5), ["a", "d"]),
        (Pruning(max_features=2), ["a", "b"]),
        (Pruning(max_features=3, order="freq"), ["a", "b", "c"]),
        (Pruning(order="first"), ["d", "b", "c", "a"]),
    ],
)
def test_pruning(pruning: Pruning, terms: list[str]) -> None:
    found = counts.count([batch_of(["d b c", "a a a b c"])], Analysis())
    assert list(found.result(pruning).terms) == terms
