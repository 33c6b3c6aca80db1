"""Where sentences end: the rules of UAX #29, tailored by what is known of a language.

A regular expression finds the few places where a sentence may end, and rules decide at each. So a
text is read at the speed of ``re``, in time that grows with its length and no faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path

from gai.errors import UsageError
from gai.tokens.sentence_tables import members

DATA = Path(__file__).with_name("abbreviations.txt")
KINDS = ("name", "number", "inside", "first")

ISO_639_1 = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia
    id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo
    lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl
    ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk
    tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """.split()  # noqa: SIM905
)
NO_LANGUAGE = ("xx", "mul")
"""What others call a text of no one language: only what holds for all is used."""


@dataclass(frozen=True)
class Language:
    """What is known of one language; abbreviations.txt explains the sets.

    ``known`` are all its abbreviations.
    """

    name: frozenset[str]
    number: frozenset[str]
    inside: frozenset[str]
    first: frozenset[str]
    ordinals: bool
    known: frozenset[str]


def language(code: str) -> Language:
    """What is known of the language with this ISO 639-1 code; most have no abbreviations here.

    Raises UsageError where there is no such code.
    """
    if code not in ISO_639_1 and code not in NO_LANGUAGE:
        raise UsageError(
            f"unknown language {code!r}",
            "two letters of ISO 639-1, or xx for any; with lists of abbreviations: "
            + " ".join(code for code, one in lists().items() if one.known),
        )
    return lists().get(code) or made({})


@remember
def lists() -> dict[str, Language]:
    """The languages of abbreviations.txt by code."""
    words: dict[str, dict[str, list[str]]] = {}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            code, kind, *rest = line.split()
            words.setdefault(code, {}).setdefault(kind, []).extend(rest)
    return {code: made(kinds) for code, kinds in words.items()}


def made(words: dict[str, list[str]]) -> Language:
    """A language of the words of each kind."""
    name, number, inside, first = (frozenset(words.get(kind, [])) for kind in KINDS)
    name |= {word.upper() for word in name}  # MR. JONES
    inside |= {word.upper() for word in inside}
    return Language(name, number, inside, first, "ordinal" in words, name | number | inside)


SOFT = ".!?…‼⁇⁈⁉‽․﹒﹖﹗"
"""What may stand inside a word or a number too, so that a space must follow. The other
terminators, 。 and ؟ among them, end a sentence wherever they stand."""
OPENING = "([{\"'“‘«„‚*_-–—"
"""What may stand before an abbreviation."""
DASHES = "-–—"
PARTICLES = ("と", "って", "など")
"""After a quotation these go on with the sentence around it, in Japanese."""

RARE = re.compile("[\U00010000-\U0001dfff]")
"""Characters beyond the first plane, but not the emoji, among which there is no terminator."""
LABEL = re.compile(r"[(\[*]*(?:\d{1,3}|\d{1,2}(?:\.\d{1,2})+|[A-Za-z]|[ivxIVX]{1,5})")
"""What numbers a heading or an item of a list."""
ACRONYM = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
LONGEST = 40
"""No abbreviation is as long as this."""


@remember
def pattern(rare: bool) -> re.Pattern[str]:
    """Matches from a terminator to where the sentence ends, if it does.

    A run of terminators is looked at once, whole, so that no text takes quadratic time.
    ``hard`` matches nothing and says that no space need follow; ``gap`` is the space there is,
    ``opening`` the signs after it, ``word`` the word then, ``stop`` a full stop behind that.
    With ``rare`` terminators, those beyond U+FFFF, it is many times slower.
    """
    terminators = members("STerm") + members("ATerm") + "…"
    if not rare:
        terminators = "".join(sign for sign in terminators if sign <= "\uffff")
    quotes = [sign for sign in members("Close") if unicodedata.category(sign) != "Ps"]
    pointing = [sign for sign in quotes if unicodedata.category(sign) == "Pi"]
    closing = re.escape("".join(sorted({*quotes, *"*_"}.difference(pointing))))
    hard = re.escape("".join(sorted({*terminators}.difference(SOFT))))
    any_one, either_way = re.escape(terminators), re.escape("".join(pointing))
    return re.compile(
        rf"""
        (?P<mark> [{any_one}] (?<! [{any_one}]{{2}} ) [{any_one}]*+ )
        (?: (?<= [{hard}] ) (?P<hard>) )?+
        (?P<close>
          (?: [{closing}] | [{either_way}] (?! \w ) )*+
          (?: \s (?: [)\]»"']++ | [:;=]-?[()DP]++ ) (?! \S ) )?+
        )
        (?(hard) | (?= [\sA-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ] ) )
        (?= (?P<gap> \s*+ )
            (?P<opening> [^\w\s]{{0,9}}+ ) (?: (?<= [{DASHES}] ) \s*+ )?+
            (?P<word> \w*+ ) (?P<stop> \.?+ ) )
        """,
        re.VERBOSE,
    )


@remember
def continuing() -> frozenset[str]:
    """With these no sentence begins: commas and their kin, terminators. Dashes may begin one."""
    signs = members("SContinue") + members("STerm") + members("ATerm") + ";；،؛"
    return frozenset(signs).difference(DASHES)


@remember
def small_letters() -> frozenset[str]:
    """What continues a sentence: the small letters of scripts with capitals, not of Georgian."""
    return frozenset(members("Lower"))


def ends(text: str, start: int, end: int, known: Language) -> Iterator[tuple[int, int]]:
    """Where each sentence but the last ends, and where the next one begins.

    ``text[start:end]`` is one paragraph that neither begins nor ends with white space.
    """
    rare = not text.isascii() and RARE.search(text, start, end) is not None
    for match in pattern(rare).finditer(text, start, end):
        word = word_before(text, start, match.start())
        label = is_label(text, start, match.start() - len(word), word)
        inside = start < match.start() and match.end() < end
        if inside and not label and is_end(match, word, known):
            yield match.end(), (start := match.end("gap"))


def word_before(text: str, start: int, end: int) -> str:
    """What stands between the last white space and ``end``, or the last characters of it."""
    if start == end or text[end - 1].isspace():
        return ""
    return text[max(start, end - LONGEST) : end].rsplit(None, 1)[-1]


def is_label(text: str, start: int, at: int, word: str) -> bool:
    """Whether the word is the number of an item: first in its sentence, or behind a colon."""
    before = text[max(start, at - 3) : at].rstrip()
    return (not before or before.endswith(":")) and LABEL.fullmatch(word) is not None


def is_end(match: re.Match[str], before: str, known: Language) -> bool:
    """Whether the sentence ends; ``before`` is the word before the terminator."""
    groups = match.group("mark", "hard", "close", "gap", "opening", "word")
    mark, hard, close, gap, opening, word = groups
    if opening[:1] in continuing() and not opening.startswith(".."):
        return False
    if hard is not None:
        return not (close and word.startswith(PARTICLES))
    if not gap:  # "over.The"
        return word in known.first and before[-2:].isalpha() and before[-2:].islower()
    small = word[:1] in small_letters()
    if small and opening and opening[0] in DASHES:
        return False
    if mark != ".":
        return not small or not (close or mark[-1] in ".…")
    if not before or before.endswith("."):  # an ellipsis with spaces
        return not small
    before = before.lstrip(OPENING)
    if small:
        return not close and is_plain(before, known)
    if close or (opening and before.isdecimal()):
        return True
    return is_full_stop(before, word, match["stop"], known)


def is_full_stop(before: str, word: str, stop: str, known: Language) -> bool:
    """Whether the stop between two words is more than an abbreviation's or an ordinal's.

    The word behind it does not begin with a small letter; ``stop`` follows that word.
    """
    if before in known.name or (word[:1].isdigit() and before in known.number):
        return False
    starter = begins(word, known)
    if before in known.inside or is_initial(before):
        return starter and not (len(word) == 1 and stop)
    ordinal = known.ordinals and before.isdecimal() and len(before) < 3
    return starter or not ordinal


def is_initial(word: str) -> bool:
    """Whether the word is one letter or an acronym with stops: J, U.S, z.B."""
    return ACRONYM.fullmatch(word) is not None if len(word) > 1 else word.isalpha()


def begins(word: str, known: Language) -> bool:
    """Whether the word begins a sentence more often than a name; in capitals too."""
    return word in known.first or word.capitalize() in known.first


def is_plain(word: str, known: Language) -> bool:
    """Whether a full stop behind this word is no abbreviation's, small letters though follow.

    People write so where nobody corrects them.
    """
    word = word.rstrip(")*_")
    if not word.isalpha() or not word.islower() or {word, word.capitalize()} & known.known:
        return False
    return len(word) > 2 or word.capitalize() in known.first
