"""HTML and SVG from parts, in which text stays text whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, line separators, what turns the direction of writing, halves of pairs, and
what no XML may have."""

VOID = frozenset(("meta", "link", "br", "img", "col"))
"""Elements that have no end."""


class Html(str):
    """Markup: all other strings are text, and are escaped where they come into it."""

    __slots__ = ()


SIGNS = {"\n": "↵", "\t": "⇥"}


def visible(text: str) -> str:
    r"""The text with its control characters spelt out: ↵, ⇥, ``\x1b``, ``\u202e``."""
    return CONTROL.sub(lambda found: SIGNS.get(found[0]) or _spelt(ord(found[0])), text)


def _spelt(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def html(part: str | int | float) -> Html:
    """A part as markup: markup stays, text is escaped."""
    return part if isinstance(part, Html) else Html(escape(visible(str(part))))


def joined(parts: Iterable[str], between: str = "") -> Html:
    """The parts one after the other."""
    return Html(html(between).join(map(html, parts)))


def tag(name: str, /, *parts: str, **attributes: str | int | float | bool | None) -> Html:
    """An element with its parts inside.

    ``class_`` is the attribute class, ``_`` in the names of others is a dash; None and False leave
    an attribute out.
    """
    spelt = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html("" if value is True else value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in VOID else f"{joined(parts)}</{name}>"
    return Html(f"<{name}{spelt}>{end}")
