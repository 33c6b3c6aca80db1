"""Tokens as text again: kernels against plain Python, places against the text itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gai.documents import Batch, Reader, Reading, from_texts
from gai.errors import GaiError
from gai.terms.plain import terms_of_each, text_normaliser
from gai.texts import places, pretokenized, rendering
from gai.texts.stages import Stage
from gai.tokens import Analysis

LETTERS = (
    "aZ09_ -'.:,;\"\t\n\r\0İIıiΣσςßẞK\u0301\u0308\u200d\u00ad\ufeff\u2060\u3000\u2003\u1680\x85\v"
    "אב\u05f4׳カ゛ｶﾞアㄱ가漢字ไทยລາວខ្មែរမြန်မာ\U0001f469\U0001f1e9\U0001f1eaℹⓂ©㊗٣٫१𝒜𐐀𐐨\U000e0001·‿’…½ﬁ"
)
TEXT = st.one_of(
    st.text(st.sampled_from(LETTERS), max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text(st.sampled_from("aB ’"), min_size=10, max_size=80),
)
TEXTS = st.lists(TEXT, min_size=1, max_size=6)
ANALYSES = st.builds(
    Analysis,
    tokenizer=st.sampled_from(["unicode", "word", "whitespace", "pretokenized"]),
    lowercase=st.booleans(),
    strip_accents=st.sampled_from([None, None, "ascii", "unicode"]),
    normalize=st.sampled_from([None, None, "nfc", "nfkc"]),
    stop_words=st.sampled_from([(), ("a", "i", "ß"), ("abababababababababab", "don't")]),
    form=st.sampled_from(["", "", "stem:snowball", "stem:cistem"]),
)
LAYOUTS = {
    "lines": lambda stage: rendering.lines(stage, b" "),
    "one a line": rendering.one_a_line,
    "kept": lambda stage: rendering.kept(stage, b"\n"),
    "records": lambda stage: rendering.records(stage, rendering.spaced, " "),
    "kept records": lambda stage: rendering.records(stage, rendering.replaced, ""),
    "objects": lambda stage: places.places(stage, places.OBJECTS, str.upper, False),
    "rows": lambda stage: places.places(stage, places.ROWS, str.upper, True),
    "documents": lambda stage: places.documents(stage, False),
}


def batch_of(texts: list[str]) -> Batch:
    return from_texts(texts, [f"d{i}" for i in range(len(texts))])


def stage(texts: list[str], analysis: Analysis, engine: str) -> Stage:
    return Stage([batch_of(texts)], analysis, places=True, engine=engine)


def objects(texts: list[str], analysis: Analysis, in_bytes: bool, engine: str) -> Iterator[dict]:
    made = places.places(stage(texts, analysis, engine), places.OBJECTS, lambda _: "", in_bytes)
    # Only LF ends a line; str.splitlines knows others.
    return (json.loads(line) for line in b"".join(made).split(b"\n")[:-1])


@settings(max_examples=400)
@given(TEXTS, ANALYSES, st.sampled_from(sorted(LAYOUTS)))
@example(["ΑΣ ΣΑ\nÅΣ\n", "İİ a", ""], Analysis(), "rows")
@example(["", "", "a"], Analysis(), "lines")
@example(["a\n", "b", "", "\n"], Analysis(), "kept")
@example(["½ x", "ﬁne ﬁ"], Analysis(normalize="nfkc"), "objects")
def test_kernels_write_as_plain_python(texts: list[str], analysis: Analysis, name: str) -> None:
    layout = LAYOUTS[name]
    kernels = b"".join(layout(stage(texts, analysis, "kernels")))
    assert kernels == b"".join(layout(stage(texts, analysis, "reference")))


@settings(max_examples=300)
@given(TEXTS, ANALYSES)
def test_lines_are_the_terms_that_are_counted(texts: list[str], analysis: Analysis) -> None:
    from gai.terms.forming import forming

    lines = b"".join(rendering.lines(stage(texts, analysis, "kernels"), b"\0\0"))
    expected = terms_of_each(analysis, forming(analysis))(texts)
    assert lines == b"".join("\0\0".join(terms).encode() + b"\n" for terms in expected)


@settings(max_examples=300)
@given(TEXTS, ANALYSES.filter(lambda a: not a.form), st.booleans())
@example(["İstanbul ΟΔΟΣ", "xİyΣ"], Analysis(tokenizer="word"), False)
@example(["e\u0301\u0323x ½"], Analysis(strip_accents="unicode"), True)
def test_the_text_at_a_place_is_the_token_before_normalisation(
    texts: list[str], analysis: Analysis, in_bytes: bool
) -> None:
    normalise = text_normaliser(analysis)
    last = {}
    for found in objects(texts, analysis, in_bytes, "kernels"):
        text = texts[int(found["document"][1:])]
        start, end, token = found["start"], found["end"], found["token"]
        source = text.encode()[start:end].decode() if in_bytes else text[start:end]
        assert last.get(found["document"], 0) <= start <= end or source
        last[found["document"]] = start
        # A sigma at the end of a token may not be at the end of its word; an accent may have been
        # one of the token's neighbour.
        alike = token.replace("ς", "σ")
        assert alike == normalise(source).replace("ς", "σ") or alike in normalise(source).replace(
            "ς", "σ"
        )


@pytest.mark.parametrize("tokenizer", ["unicode", "word", "whitespace"])
@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_with_its_case_every_token_is_the_text_at_its_place(
    corpora: Path, tokenizer: str, engine: str
) -> None:
    names = ["greek", "turkish", "thai", "chinese", "hindi", "arabic", "vietnamese"]
    texts = [(corpora / "udhr" / f"{name}.txt").read_text("utf-8") for name in names]
    analysis = Analysis(tokenizer=tokenizer, lowercase=False)
    found = list(objects(texts, analysis, False, engine))
    assert len(found) > 5000
    for one in found:
        text = texts[int(one["document"][1:])]
        assert text[one["start"] : one["end"]] == one["token"]


@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(sorted(LAYOUTS)))
def test_batches_and_threads_leave_no_trace(batches: list[list[str]], name: str) -> None:
    whole = [text for texts in batches for text in texts]
    parts, first = [], 0
    for texts in batches:
        parts.append(from_texts(texts, [f"d{first + i}" for i in range(len(texts))]))
        first += len(texts)
    several = Stage(parts, Analysis(), places=True, jobs=2, engine="kernels")
    one = stage(whole, Analysis(), "kernels")
    assert b"".join(LAYOUTS[name](several)) == b"".join(LAYOUTS[name](one))


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) - {"documents"}))
@pytest.mark.parametrize("per", ["file", "line", "paragraph"])
def test_a_document_in_several_batches_is_one(corpora: Path, per: str, name: str) -> None:
    paths = [str(corpora / "udhr" / f"{name}.txt") for name in ("english", "greek", "turkish")]
    made = []
    for size in (300, 1 << 22):
        reader = Reader(Reading(tuple(paths), per=per, split_documents=True, block_size=size))
        assert size > 300 or len(list(reader)) > 20
        made.append(b"".join(LAYOUTS[name](Stage(reader, Analysis(), places=True, jobs=2))))
    assert made[0] == made[1]
    assert len(made[0]) > 10_000


def test_kept_text_is_the_text_where_nothing_changes(corpora: Path) -> None:
    path = corpora / "gutenberg" / "carroll-alice.txt"
    reader = Reader(Reading((str(path),)))
    analysis = Analysis(lowercase=False)
    assert b"".join(rendering.kept(Stage(reader, analysis, places=True), b"\n")) == (
        path.read_bytes()
    )


def test_worked_examples() -> None:
    texts = ["The cats were running.\n", "ponies, and ties"]
    analysis = Analysis(form="stem:snowball", lang="en")
    assert b"".join(rendering.lines(stage(texts, analysis, "reference"), b" ")) == (
        b"the cat were run\nponi and tie\n"
    )
    assert b"".join(rendering.kept(stage(texts, analysis, "reference"), b"\n")) == (
        b"the cat were run.\nponi, and tie\n"
    )


LINE = st.lists(st.sampled_from(["a", "b\r", "\u3000", " ", "", "\t"]), max_size=5).map(" ".join)


@given(st.lists(LINE, max_size=5))
def test_an_empty_token_is_found(lines: list[str]) -> None:
    text = "\n".join(lines)
    empty = any(line and "" in line.removesuffix("\r").split(" ") for line in text.split("\n"))
    whole = from_texts([text], ["x"])
    uncut = Batch(whole.data, whole.size, None, None, "x", source="x")
    if empty:
        with pytest.raises(GaiError, match=r"x, line [1-5]: an empty token"):
            list(pretokenized.checked([uncut]))
    else:
        assert list(pretokenized.checked([uncut])) == [uncut]


@given(TEXTS)
@example(["a http://x.y/z", "\u0301b", "#c", ""])
def test_typed_words_of_many_texts_are_those_of_each(texts: list[str]) -> None:
    from gai.texts.units import typed_words
    from gai.tokens.patterns import TYPES, typed_spans

    split = typed_words(Analysis(lowercase=False), TYPES)
    assert list(split(texts)) == [typed_spans(text)[0] for text in texts]
