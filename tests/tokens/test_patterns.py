"""Types of tokens: what is a word, a number, punctuation, an emoji, a url, a mention, a hashtag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.kernels.classes import LETTER_OR_DIGIT
from gai.kernels.reference.scanners import unicode_words
from gai.tokens import emoji, patterns
from gai.tokens.patterns import TYPES, kind, typed_spans
from gai.tokens.tables import tables

ATOMS = [
    *("@#＠＃:/.,;!?'’()[]{}<>\"&_-+%*0129aZé日ا \t\n\r\u2028\xa0\u202f\u0301\u200d\ufe0e\ufe0f"),
    *("http://", "https://a.b/c", "www.", "WWW.x", "a@b.org", "@me", "#tag", "#1", "😀", "❤", "©"),
    *("👩‍👧", "🇺🇸", "🇺", "\U0001f3fd", "1\ufe0f\u20e3", "\u20e3", "don't", "3.14", "हिन्दी", "xn--"),
]
NASTY = st.lists(st.sampled_from(ATOMS) | st.text(max_size=3), max_size=16).map("".join)


def found(text: str) -> list[str]:
    """The tokens of a text, each with its type."""
    spans, types = typed_spans(text)
    return [f"{name} {token}" for token, name in zip(spans.tokens, types, strict=True)]


def special(text: str) -> list[str]:
    """Those tokens that are no plain words, numbers and signs."""
    return [token for token in found(text) if not token.startswith(("word", "number", "punct"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a.org/x?y=1&z=2#top.", "http://a.org/x?y=1&z=2#top"),
        ("(see https://en.wikipedia.org/wiki/Foo_(bar)).", "https://en.wikipedia.org/wiki/Foo_(bar)"),
        ("<ftp://files.net/a>", "ftp://files.net/a"),
        ('"git+ssh://host:22/x/"', "git+ssh://host:22/x/"),
        ("HTTP://A.B!!", "HTTP://A.B"),
        ("http://[::1]:80/x]", "http://[::1]:80/x"),
        ("http://пример.рф/путь", "http://пример.рф/путь"),
        ("http://a.org。然后", "http://a.org"),
        ("http://a.org😀", "http://a.org"),
        ("日本http://a.org", "http://a.org"),
        ("go to www.a.org, now", "www.a.org"),
        ("write to Jane.Doe+x@mail.a-b.co.uk.", "Jane.Doe+x@mail.a-b.co.uk"),
        ("mailto:me@a.org", "me@a.org"),
        ("http://", None),
        ("http:// a", None),
        ("http://[", None),
        ("www. a", None),
        ("x@y", None),
        ("a@b.c", None),
        ("awww.a", None),
    ],
)  # fmt: skip
def test_addresses(text: str, expected: str | None) -> None:
    assert [t for t in special(text) if t.startswith("url")] == (
        [f"url {expected}"] if expected else []
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@me and @you_2!", ["mention @me", "mention @you_2"]),
        ("@me's", ["mention @me"]),
        (".@me:@you", ["mention @me", "mention @you"]),
        ("@ana@social.example.org.", ["mention @ana@social.example.org"]),
        ("＠用户", ["mention ＠用户"]),
        ("a@b", []),
        ("@ @. @@", []),
        ("#tag #2nd #tag_3.", ["hashtag #tag", "hashtag #2nd", "hashtag #tag_3"]),
        ("#日本語 ＃日本", ["hashtag #日本語", "hashtag ＃日本"]),
        ("#हिन्दी #été", ["hashtag #हिन्दी", "hashtag #été"]),
        ("#cafe\u0301s", ["hashtag #cafe\u0301s"]),
        ("##two", ["hashtag #two"]),
        ("#1 #_1 # C# C#x &#x27; &#39;", []),
        ("#one#two", ["hashtag #one"]),
    ],
)  # fmt: skip
def test_mentions_and_hashtags(text: str, expected: list[str]) -> None:
    assert special(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("😀", "❤", "❤\ufe0f", "☺", "✈", "🅰", "🕊", "©\ufe0f", "↔\ufe0f", "ℹ\ufe0f"),
        *("👍🏽", "🏽", "👩\u200d👩\u200d👧\u200d👦", "👁\ufe0f\u200d🗨\ufe0f", "⛹🏽\u200d♀\ufe0f"),
        *("❤\ufe0f\u200d🔥", "🏳\ufe0f\u200d🌈", "🏴\u200d☠\ufe0f"),
        *("🇺🇸", "1\ufe0f\u20e3", "#\u20e3", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e007f"),
        "🙂‍↔\ufe0f",  # newer than the tables, made of older ones
        "\U0001fae9",  # newer than the tables
    ],
)  # fmt: skip
def test_one_emoji_is_one_token(text: str) -> None:
    assert found(f"a {text} b") == ["word a", f"emoji {text}", "word b"]
    assert found(f"a{text}!{text}") == ["word a", f"emoji {text}", "punct !", f"emoji {text}"]
    assert kind(text) == "emoji"


@pytest.mark.parametrize("text", ["©", "™", "↔", "▶", "‼", "❤\ufe0e", "🇺", "★", "#", "*", "\ufe0f"])
def test_signs_that_are_no_emoji(text: str) -> None:
    assert found(text) == [f"punct {text}"]
    assert kind(text) == "punct"


def test_emoji_stand_beside_each_other() -> None:
    assert found("😀😀❤️🇺🇸🇬🇧🇫") == [
        *("emoji 😀", "emoji 😀", "emoji ❤️", "emoji 🇺🇸", "emoji 🇬🇧", "punct 🇫"),
    ]
    assert found("12\ufe0f\u20e3") == ["number 1", "emoji 2\ufe0f\u20e3"]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        *((token, "word") for token in ("a", "don't", "1st", "日本", "हिन्दी", "Ġthe", "ℹ")),
        *((token, "number") for token in ("1", "3.14", "1,000", "٣", "½", "Ⅷ", "²", "5\u202f0")),
        *((token, "punct") for token in ("", ".", "``", "''", "...", "$", "_", "\u0301", "\x1b")),
        *((token, "url") for token in ("http://a.org", "www.a.org", "me@a.org")),
        *((token, "mention") for token in ("@me", "@me@a.org")),
        *((token, "hashtag") for token in ("#tag", "#1a")),
        *((token, "word") for token in ("(http://a.org)", "@me's", "#a#b", "a😀")),
    ],
)  # fmt: skip
def test_the_type_of_one_token(token: str, expected: str) -> None:
    assert kind(token) == expected


@given(NASTY)
@example("\u0301")
@example("  \u0301a")
@example("\r\n@a\r\n")
@example("5\u202f% \u202f5")
def test_tokens_cover_the_text_in_order(text: str) -> None:
    spans, types = typed_spans(text)
    end_before = 0
    for token, start, end in zip(spans.tokens, spans.starts, spans.ends, strict=True):
        assert text[start:end] == token
        assert token.strip()
        assert not text[end_before:start].strip()
        end_before = end
    assert not text[end_before:].strip()
    assert len(types) == len(spans.tokens)
    assert set(types) <= set(TYPES)


@given(NASTY)
def test_without_special_tokens_words_are_those_of_the_unicode_scanner(text: str) -> None:
    spans, types = typed_spans(text)
    if set(types) <= {"word", "number", "punct"}:
        words = [t for t, name in zip(spans.tokens, types, strict=True) if name != "punct"]
        assert words == unicode_words(text, tables().props)


@given(NASTY)
def test_a_token_is_of_the_type_that_it_has_in_its_text(text: str) -> None:
    """Alone it may be more: what stands before it can keep it from being a mention."""
    spans, types = typed_spans(text)
    for token, name in zip(spans.tokens, types, strict=True):
        if name not in ("word", "number", "punct"):
            assert kind(token) == name


@pytest.mark.parametrize(
    "unit",
    [
        *("a", "_", "a.", "@", "a@", "@a", "a@a.", "#", "#1", "#a", "http://", "(http://a)", "a://"),
        *("www.", ")", "😀\u200d", "\u200d", "🇺", "1\ufe0f", "a-b+", "b.", "❤\ufe0e", "👍🏽"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "http://a", "a@"])
def test_time_grows_with_the_text_and_not_with_its_square(before: str, unit: str) -> None:
    """Anything quadratic would run for minutes."""
    text = before + unit * 20_000
    assert "".join(typed_spans(text)[0].tokens) == text


def is_plain(character: str) -> bool:
    return patterns.plain_kind(character) == "punct"


def test_letters_and_digits_are_those_of_the_tables() -> None:
    """As far as the interpreter knows them; a newer one also knows letters that 15.0 lacks."""
    is_newer = unicodedata.unidata_version > "15.0.0"
    props = tables().props
    characters = map(chr, range(0x32400))  # behind these are tags and selectors only
    wrong = [c for c in characters if is_plain(c) == bool(props[ord(c)] & LETTER_OR_DIGIT)]
    assert wrong == [] or is_newer


def test_the_few_ranges_around_emoji_hold_them_all() -> None:
    near = re.compile(patterns.filled(f"[{patterns.NEAR}]"))
    every = emoji.members("emoji") | emoji.members("future") | {0xFE0F, 0x20E3}
    assert [chr(code) for code in every if not near.match(chr(code))] == list("0123456789")


def test_what_the_emoji_file_says_of_some_characters() -> None:
    assert set(map(ord, "#0©❤😀🇺🏽")) <= emoji.members("emoji")
    assert not set(map(ord, "a★\u200d\ufe0f")) & emoji.members("emoji")
    assert emoji.members("shown") <= emoji.members("emoji")
    assert (len(emoji.members("emoji")), len(emoji.members("shown"))) == (1424, 1205)
    assert not emoji.members("future") & emoji.members("emoji")


EMOJI_DATA = """\
00A9          ; Emoji                # E0.6   [1] (©️)       copyright
1F600..1F601  ; Emoji                # E1.0   [2] (😀..😁)    grinning face
1F600..1F601  ; Emoji_Presentation   # E1.0   [2] (😀..😁)    grinning face
00A9          ; Extended_Pictographic# E0.6   [1] (©️)       copyright
1F1AD..1F1AF  ; Extended_Pictographic# E0.0   [3] (🆭..)    MASK WORK SYMBOL..<reserved-1F1AF>
1F602..1F603  ; Extended_Pictographic# E0.0   [2] (..)    <reserved-1F602>..<reserved-1F603>
1F605         ; Extended_Pictographic# E0.0   [1] ()       <reserved-1F605>
"""


def test_the_script_puts_the_properties_together(tmp_path: Path) -> None:
    (tmp_path / "emoji-data.txt").write_text(EMOJI_DATA, encoding="utf-8")
    (tmp_path / "WordBreakProperty.txt").write_text("# WordBreakProperty-99.1.0.txt\n")
    text = emoji.data(tmp_path)
    assert "Unicode 99.1" in text
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        *("0000", "00A9 emoji", "00AA", "1F600 emoji shown", "1F602 future", "1F604"),
        *("1F605 future", "1F606"),
    ]
    with pytest.raises(UsageError, match="UCD_FOLDER"):
        emoji.main([])
    with pytest.raises((GaiError, OSError)):
        emoji.main([str(tmp_path / "missing")])


@pytest.mark.slow
def test_the_emoji_file_is_what_the_script_makes(data: Path) -> None:
    assert emoji.DATA.read_text(encoding="ascii") == emoji.data(data / "unicode")


def sequences(path: Path) -> Iterator[tuple[str, str]]:
    """The emoji of one of Unicode's lists, and the field behind them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            codes, value = line.partition("#")[0].split(";")[:2]
            yield "".join(chr(int(code, 16)) for code in codes.split()), value.strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["emoji-test.txt", "emoji-zwj-sequences.txt"])
def test_every_emoji_of_unicode_is_one_token(name: str, data: Path) -> None:
    """All but single characters that are shown as text and are no pictographs: © or ↔."""
    missed = {
        sequence: status
        for sequence, status in sequences(data / "unicode" / name)
        if found(f"x{sequence} y") != ["word x", f"emoji {sequence}", "word y"]
    }
    assert set(missed.values()) <= {"unqualified"}
    assert all(len(sequence) == 1 for sequence in missed)
    assert not any(map(patterns.is_pictograph, map(ord, missed)))
