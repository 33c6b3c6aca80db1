"""Types of tokens: word, number, punct, emoji, url, mention, hashtag.

Patterns go first:

- ``url``: ``scheme://...``, ``www....``, and e-mail addresses. Punctuation at the end and brackets
  that close what the address did not open are no part of it.
- ``mention``: ``@name``, and ``@name@host.org``.
- ``hashtag``: ``#tag`` with a letter in it; ``#1`` is a sign and a number.
- ``emoji``: an emoji with all that belongs to it: variation selectors, skin tones, joined emoji,
  flags, keycaps. A character that Unicode shows as text unless told otherwise is an emoji where
  U+FE0F or a skin tone tells otherwise, and also without where people write it for the emoji: the
  pictographs from U+2600 to U+27BF (``❤``, ``☺``) and from U+1F000 on; ``©`` and ``↔`` are punct.

What is left goes through the ``unicode`` scanner. A segment with a letter is a ``word``, one with a
digit and no letter a ``number``, and anything else but white space ``punct``, symbols too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np

from gai.kernels.classes import CLASS, EXTEND, FORMAT, LETTER_OR_DIGIT, NEWLINE, SPACE, ZWJ
from gai.kernels.reference.scanners import TAILORED, edges, looked_up
from gai.tokens import emoji
from gai.tokens.tables import tables
from gai.tokens.tokenizers import Spans

TYPES = ("word", "number", "punct", "emoji", "url", "mention", "hashtag")

Special = tuple[int, int, str]
"""Start, end and type of a token that a pattern finds."""

INDICATORS = (0x1F1E6, 0x1F200)
TONES = (0x1F3FB, 0x1F400)
DOMAIN = r"(?:[^\W_][\w\-]*+\.)+(?:xn--)?[^\W\d_][^\W_]++(?!\w)"

NEAR = r"\#* ©® \ufe0f \u203c-\u2bff \u3030\u303d\u3297\u3299 \U0001f000-\U0001ffff"
"""A few ranges around all emoji: ``re`` is slow with many."""

SPECIAL = rf"""
    (?<! [A-Za-z0-9] )
    (?: (?P<url> (?: [A-Za-z] [A-Za-z0-9+\-]{{1,31}}+ :// (?= [^\W_] | \[ [\dA-Fa-f:.]++ \] )
                   | (?<! [\w.@] ) (?:www|WWW|Www) \. (?= [^\W_] ) )
                 [^ \s <>"`“”«»‹›„ 、。，；：！？（）【】《》「」『』〈〉 SHOWN ]++ )
      | (?<! \w )
        (?: (?P<mail> (?<! \w [.+%\-] ) \w [\w.+%\-]{{0,63}}+ @ {DOMAIN} )
          | (?P<mention> [@＠] \w [\w MARKS ]*+ (?: @ {DOMAIN} )? )
          | (?P<hashtag> (?<! & ) [\#＃] (?= [\d_]*+ [^\W\d_] ) [\w MARKS ]++ ) ) )
  | (?= [0-9 {NEAR} ] )
    (?P<emoji> (?: [ SHOWN ] (?! \ufe0e )
                 | [ TEXTUAL ] (?= [ \ufe0f TONES ] )
                 | [ INDICATORS ]{{2}}
                 | [0-9\#*] \ufe0f?+ \u20e3 )
               [ MARKS TONES ]*+
               (?: (?<= \u200d ) [ SHOWN TEXTUAL ] [ MARKS TONES ]*+ )*+ )
"""
"""Each pattern begins where a run of its characters begins, and looks at no character more than a
few times, so that a text takes time in proportion to its length. What may follow the first
character of an emoji is what UAX #29 keeps together (WB3c, WB4)."""

SIGN = rf"[@＠＃ {NEAR} ]"
"""A text without one of these, and without PREFIXES, holds no special token."""
PREFIXES = ("://", "www.", "WWW.", "Www.")

ENDS = frozenset(".,;:!?'’*_…([{")
"""What is no part of an address at its end, nor are brackets that it did not open."""
BRACKETS = {")": "(", "]": "[", "}": "{"}


def kind(token: str) -> str:
    """The type of one token, whichever tokenizer made it.

    >>> [kind(token) for token in ("don't", "1,000", "!", "❤️", "www.a.org", "@me", "#tag1")]
    ['word', 'number', 'punct', 'emoji', 'url', 'mention', 'hashtag']
    """
    first = next(specials(token), None)
    if first is not None and first[:2] == (0, len(token)):
        return first[2]
    return plain_kind(token)


def typed_spans(text: str) -> tuple[Spans, list[str]]:
    """The tokens of a text with their places, and the type of each.

    Tokens cover everything but white space. Where no pattern matches words and numbers are the
    tokens of the ``unicode`` scanner.

    >>> spans, types = typed_spans("Hi @me: 2 👍🏽!")
    >>> spans.tokens
    ['Hi', '@me', ':', '2', '👍🏽', '!']
    >>> types
    ['word', 'mention', 'punct', 'number', 'emoji', 'punct']
    """
    found = list(specials(text))
    places = segments(text, found)
    tokens = [text[start:end] for start, end in places]
    known = {start: name for start, _, name in found}
    types = [
        known.get(start) or plain_kind(token)
        for token, (start, _) in zip(tokens, places, strict=True)
    ]
    return Spans(tokens, [start for start, _ in places], [end for _, end in places]), types


def plain_kind(token: str) -> str:
    """The type of a token that no pattern matches."""
    if token.isalpha() or any(map(str.isalpha, token)):
        return "word"
    if any(map(str.isnumeric, token)):
        return "number"
    if not token.isascii() and any(map(is_letter, token)):
        return "word"
    return "punct"


def is_letter(character: str) -> bool:
    """Whether the tables call it a letter or digit; they may be newer than the interpreter."""
    return bool(tables().props[ord(character)] & LETTER_OR_DIGIT)


def specials(text: str) -> Iterator[Special]:
    """The tokens that the patterns find, in order."""
    if not (sign().search(text) or any(prefix in text for prefix in PREFIXES)):
        return
    for found in special().finditer(text):
        start, end = found.span()
        name = found.lastgroup or ""
        if name == "url":
            end = trimmed(text, start, end)
        yield start, end, "url" if name == "mail" else name


def trimmed(text: str, start: int, end: int) -> int:
    """The end of an address without the punctuation behind it."""
    unopened = {
        closing: text.count(closing, start, end) - text.count(opening, start, end)
        for closing, opening in BRACKETS.items()
    }
    while True:
        last = text[end - 1]
        if unopened.get(last, 0) > 0:
            unopened[last] -= 1
        elif last not in ENDS:
            return end
        end -= 1


def segments(text: str, found: list[Special]) -> list[tuple[int, int]]:
    """Where the tokens stand: the special ones, and the segments of what is left, which end there
    as they do at the end of a line."""
    props = looked_up(text, tables().props)
    if not len(props):
        return []
    classes, inside = props & CLASS, np.zeros(len(props) + 1, np.bool_)
    for start, end, _ in found:
        classes[start:end] = NEWLINE
        inside[start + 1 : end] = True
    edge = edges(classes, TAILORED)
    edge = edge[~inside[edge]]
    visible = np.logical_or.reduceat(props & SPACE == 0, edge[:-1])
    starts, ends = edge[:-1][visible], edge[1:][visible]
    for i in np.flatnonzero(props[starts] & SPACE).tolist():
        starts[i] += leading_space(text[starts[i] : ends[i]])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def leading_space(segment: str) -> int:
    """How much white space stands before a mark that combines with it; none before a word."""
    return 0 if plain_kind(segment) != "punct" else len(segment) - len(segment.lstrip())


@cache
def special() -> re.Pattern[str]:
    """The pattern of all special tokens."""
    return re.compile(filled(SPECIAL))


@cache
def sign() -> re.Pattern[str]:
    """The pattern of the characters that special tokens are known by."""
    return re.compile(filled(SIGN))


def filled(source: str) -> str:
    """A pattern without its spaces, with sets of characters for their names."""
    source = re.sub(r"[ \n]+", "", source)
    for name, members in sets().items():
        source = source.replace(name, members)
    return source


@cache
def sets() -> dict[str, str]:
    """The sets of characters in the patterns, as the inside of a class of ``re``."""
    every = emoji.members("emoji")
    tones, indicators = set(range(*TONES)), set(range(*INDICATORS))
    shown = {code for code in every if is_pictograph(code)} - indicators
    shown |= emoji.members("shown") | emoji.members("future")
    textual = {code for code in every if code > 0x7F} - shown - indicators
    codes = {"SHOWN": shown - indicators, "TEXTUAL": textual, "MARKS": marks() - tones}
    codes |= {"TONES": tones, "INDICATORS": indicators}
    return {name: ranges(found) for name, found in codes.items()}


def is_pictograph(code: int) -> bool:
    """Whether an emoji is taken for one however Unicode shows it."""
    return 0x2600 <= code <= 0x27BF or code >= 0x1F000


def marks() -> set[int]:
    """What continues the character before it (UAX #29, WB4); skin tones do."""
    found = np.isin(tables().props & CLASS, (EXTEND, FORMAT, ZWJ))
    return set(np.flatnonzero(found).tolist())


def ranges(codes: set[int]) -> str:
    """The code points for a character class of ``re``; none of them is a sign there."""
    found = np.array(sorted(codes))
    runs = np.split(found, np.flatnonzero(np.diff(found) > 1) + 1)
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)
