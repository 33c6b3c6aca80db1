"""The plain twins of the scanners against Unicode's cases and the rules as UAX #29 words them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gai import kernels
from gai.documents import padded
from gai.kernels import classes as c
from gai.kernels.reference import scanners
from gai.tokens.tables import tables

PROPS, LOWER = tables()
CASES = Path(__file__).parent.parent / "data" / "WordBreakTest-15.0.txt"

ASCII = "aZ09_.:,;'\" \t\r\n\0-"
# Two of each class, with and without the letter bit where a class has both.
NASTY = (
    ASCII
    + "éʹ˂ⓂאתﬠⅧ٣٫‿·’‘״；カー゛ｱ中あ²\u0345\u0301\uff9e\u200d\u00ad\ufeff\u0600"
    + "🇦🇿©😀🏽กแກကេᦀ\u0e31\u3000\u2003\x0b\x85\u2028\ud800İΣßK"
)
nasty = st.text(st.sampled_from(NASTY), max_size=30) | st.text(max_size=20)


def official_cases() -> Iterator[tuple[str, list[int]]]:
    """Each text of WordBreakTest with its boundaries."""
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if case := line.partition("#")[0].strip():
            segments = [
                segment.replace("×", " ").split() for segment in case.strip("÷ ").split("÷")
            ]
            lengths = [0, *map(len, segments)]
            text = "".join(chr(int(code, 16)) for segment in segments for code in segment)
            yield text, [sum(lengths[: count + 1]) for count in range(len(lengths))]


def test_boundaries_pass_every_official_case() -> None:
    cases = list(official_cases())
    assert len(cases) == 1823
    assert [text for text, edges in cases if scanners.boundaries(text, PROPS) != edges] == []


def test_the_kernel_passes_every_official_case() -> None:
    """Its positions are bytes; no case holds a surrogate."""
    wrong = []
    for text, edges in official_cases():
        data = text.encode()
        found = np.empty(len(data) + 1, np.int64)
        count = kernels.load().boundaries(padded(data), len(data), PROPS, LOWER, found)
        if found[:count].tolist() != [len(text[:edge].encode()) for edge in edges]:
            wrong.append(text)
    assert wrong == []


LETTERS = {c.ALETTER, c.ALETTER_PICTOGRAPH, c.HEBREW_LETTER}
NEWLINES = {c.CR, c.LF, c.NEWLINE}
SKIPPED = {c.EXTEND, c.FORMAT, c.ZWJ}
MID_LETTERS = {c.MIDLETTER, c.MIDNUMLET, c.SINGLE_QUOTE}
MID_NUMBERS = {c.MIDNUM, c.MIDNUMLET, c.SINGLE_QUOTE}
WORDY = LETTERS | {c.NUMERIC, c.KATAKANA, c.EXTENDNUMLET}


def breaks(kinds: list[int], at: int, tailored: bool) -> bool:
    """Whether there is a boundary before character ``at``, rule after rule."""
    if at == 0:
        return True  # WB1
    last, right = kinds[at - 1], kinds[at]
    if last == c.CR and right == c.LF:
        return False  # WB3
    if last in NEWLINES or right in NEWLINES:
        return True  # WB3a, WB3b
    if last == c.ZWJ and right in {c.PICTOGRAPH, c.ALETTER_PICTOGRAPH}:
        return False  # WB3c
    if last == c.WSEGSPACE and right == c.WSEGSPACE:
        return False  # WB3d
    if right in SKIPPED:
        return False  # WB4
    before = without_skipped(kinds[:at])
    left, left2 = before[-1], before[-2] if len(before) > 1 else None
    right2 = next((kind for kind in kinds[at + 1 :] if kind not in SKIPPED), None)
    joined = (
        left in LETTERS and right in LETTERS,  # WB5
        left in LETTERS and right in MID_LETTERS and right2 in LETTERS,  # WB6
        left2 in LETTERS and left in MID_LETTERS and right in LETTERS,  # WB7
        left == c.HEBREW_LETTER and right == c.SINGLE_QUOTE,  # WB7a
        left == right2 == c.HEBREW_LETTER and right == c.DOUBLE_QUOTE,  # WB7b
        left2 == right == c.HEBREW_LETTER and left == c.DOUBLE_QUOTE,  # WB7c
        left == right == c.NUMERIC,  # WB8
        left in LETTERS and right == c.NUMERIC,  # WB9
        left == c.NUMERIC and right in LETTERS,  # WB10
        left2 == right == c.NUMERIC and left in MID_NUMBERS,  # WB11
        left == right2 == c.NUMERIC and right in MID_NUMBERS,  # WB12
        left == right == c.KATAKANA,  # WB13
        left in WORDY and right == c.EXTENDNUMLET,  # WB13a
        left == c.EXTENDNUMLET and right in WORDY,  # WB13b
        right == c.REGIONAL_INDICATOR and at_end(before, right) % 2 == 1,  # WB15, WB16
        left == right == c.COMPLEX and tailored,
    )
    return not any(joined)  # WB999


def without_skipped(kinds: list[int]) -> list[int]:
    """The classes that count (WB4); one that begins a text or a line does."""
    return [
        kind
        for at, kind in enumerate(kinds)
        if kind not in SKIPPED or at == 0 or kinds[at - 1] in NEWLINES
    ]


def at_end(kinds: list[int], kind: int) -> int:
    """How often ``kind`` stands in a row at the end."""
    rows = [(key, len(list(row))) for key, row in groupby(kinds)]
    return rows[-1][1] if rows[-1][0] == kind else 0


def rule_by_rule(text: str, tailored: bool) -> list[int]:
    kinds = [int(PROPS[ord(character)]) & c.CLASS for character in text]
    found = [at for at in range(len(text)) if breaks(kinds, at, tailored)]
    return [*found, len(text)] if text else []  # WB2


def test_the_oracle_passes_every_official_case_too() -> None:
    assert all(rule_by_rule(text, tailored=False) == edges for text, edges in official_cases())


@settings(max_examples=400)
@given(nasty)
def test_boundaries_follow_the_rules(text: str) -> None:
    assert scanners.boundaries(text, PROPS) == rule_by_rule(text, tailored=False)


@settings(max_examples=400)
@given(nasty)
def test_spans_are_the_tailored_segments_with_a_letter_or_digit(text: str) -> None:
    assert scanners.unicode_spans(text, PROPS) == [
        (start, end)
        for start, end in pairwise(rule_by_rule(text, tailored=True))
        if any(PROPS[ord(character)] & c.LETTER_OR_DIGIT for character in text[start:end])
    ]


@settings(max_examples=400)
@given(st.text(st.sampled_from(ASCII), max_size=30) | st.text(st.characters(max_codepoint=127)))
def test_words_of_ascii_text_are_those_of_the_rules(text: str) -> None:
    spans = scanners.unicode_spans(text, PROPS)
    assert scanners.unicode_words(text, PROPS) == [text[start:end] for start, end in spans]


@given(st.lists(nasty))
def test_texts_together_have_the_words_of_each(texts: list[str]) -> None:
    each = [
        [text[start:end] for start, end in scanners.unicode_spans(text, PROPS)] for text in texts
    ]
    assert scanners.unicode_words_of_each(texts, PROPS) == each
    assert [scanners.unicode_words(text, PROPS) for text in texts] == each


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("don't stop: 3.14 user_name __ _a_", ["don't", "stop", "3.14", "user_name", "_a_"]),
        ("“don’t” 1,000.5 a.b 1.a e-mail", ["don’t", "1,000.5", "a.b", "1", "a", "e", "mail"]),
        ("漢字かな カタカナ", ["漢", "字", "か", "な", "カタカナ"]),
        ("สวัสดีครับ ไทย1", ["สวัสดีครับ", "ไทย", "1"]),
        ("ສະບາຍດີ, សួស្តី မင်္ဂလာပါ", ["ສະບາຍດີ", "សួស្តី", "မင်္ဂလာပါ"]),
        ("ไทยລາວa", ["ไทยລາວ", "a"]),
        ('צה"ל ג\'ורג\' "את"', ['צה"ל', "ג'ורג'", "את"]),
        ("x² ½ ② 👩\u200d🔬 🇩🇪", ["x", "²", "½", "②"]),
        ("naïve nai\u0308ve a\u00adb", ["naïve", "nai\u0308ve", "a\u00adb"]),
        (" \uff9e", [" \uff9e"]),  # a mark that is a letter, on a space
        ("\ud800a", ["a"]),
    ],
)
def test_words_of_examples(text: str, words: list[str]) -> None:
    assert scanners.unicode_words(text, PROPS) == words


@pytest.mark.parametrize(
    ("text", "count"),
    [("_" * 300_000, 0), ("a'" * 150_000, 1), ("é" + "\u0301" * 300_000, 1), ("🇦" * 300_000, 0)],
)
def test_long_runs_take_linear_time(text: str, count: int) -> None:
    """At a quadratic cost each of them would hold up the tests for minutes."""
    assert len(scanners.unicode_words(text, PROPS)) == count


@given(nasty, st.integers(1, 4))
def test_word_scanner_finds_whole_runs(text: str, min_length: int) -> None:
    runs = groupby(text, lambda character: character.isalnum() or character == "_")
    found = ["".join(run) for is_word, run in runs if is_word]
    assert scanners.words(text, min_length) == [run for run in found if len(run) >= min_length]


@given(nasty)
def test_words_of_two_characters_are_those_of_scikit_learn(text: str) -> None:
    assert scanners.words(text, 2) == re.findall(r"(?u)\b\w\w+\b", text)
