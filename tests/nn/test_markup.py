"""Markup: what comes into it as text stays text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from gai.nn.markup import CONTROL, Html, html, joined, tag, visible


class Reader(HTMLParser):
    """What a browser sees: elements with attributes, and the text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(), st.text())
def test_a_text_is_read_back_as_it_was(inner: str, value: str) -> None:
    found = Reader(tag("p", inner, title=value))
    assert found.elements == [("p", {"title": visible(value)})]
    assert found.text == visible(inner)


@given(st.text())
def test_no_control_character_is_left_and_nothing_else_changes(text: str) -> None:
    shown = visible(text)
    assert not CONTROL.search(shown)
    shown.encode()
    if not CONTROL.search(text):
        assert shown == text


def test_control_characters_are_seen() -> None:
    assert visible("a\nb\tc\x1b[31m\x07\u202e\x7f\x85") == "a↵b⇥c\\x1b[31m\\x07\\u202e\\x7f\\x85"


def test_markup_comes_into_markup_as_it_is() -> None:
    inner = tag("b", "<x>")
    assert tag("p", inner, " & ") == "<p><b>&lt;x&gt;</b> &amp; </p>"
    assert joined([inner, "<"], " · ") == "<b>&lt;x&gt;</b> · &lt;"
    assert html(inner) is inner
    assert isinstance(joined(["a"]), Html)


def test_attributes_are_spelt_and_left_out() -> None:
    made = tag("th", "x", class_="n", colspan=2, hidden=None, scope=False, aria_label="a b")
    assert made == '<th class="n" colspan="2" aria-label="a b">x</th>'
    assert tag("img", src="data:,", alt='"') == '<img src="data:," alt="&quot;">'
