"""Values of options: what is understood, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.cli import values


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (values.documents, "1", 1),
        (values.documents, "1.0", 1.0),
        (values.documents, "0.5", 0.5),
        (values.documents, "1e-2", 0.01),
        (values.documents, "0", 0),
        (values.span, "2", (2, 2)),
        (values.span, "1,3", (1, 3)),
        (values.size, "300M", 300 << 20),
        (values.size, "2G", 2 << 30),
        (values.size, "2gib", 2 << 30),
        (values.size, "1.5KB", 1536),
        (values.size, "1000", 1000),
        (values.whole(1), "12", 12),
        (values.number(0.0, 1.0), "0.75", 0.75),
        (values.choice("a", "b"), "b", "b"),
    ],
)
def test_a_value_is_understood(parse: Callable[[str], Any], text: str, expected: object) -> None:
    value = parse(text)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (values.documents, "-1"),
        (values.documents, "1.5"),
        (values.documents, "2.0"),
        (values.documents, "nan"),
        (values.documents, "5%"),
        (values.documents, ""),
        (values.documents, "1_0"),
        (values.documents, "٢"),
        (values.span, "0"),
        (values.span, "2,1"),
        (values.span, "1,2,3"),
        (values.span, "1,"),
        (values.span, "a"),
        (values.size, "M"),
        (values.size, "0"),
        (values.size, "-1G"),
        (values.size, "3X"),
        (values.size, "1MM"),
        (values.size, "inf"),
        (values.whole(1), "0"),
        (values.whole(1), "-3"),
        (values.whole(1), "1.5"),
        (values.number(0.0, 1.0), "1.1"),
        (values.number(0.0), "inf"),
        (values.number(0.0), "nan"),
        (values.choice("a", "b"), "c"),
    ],
)
def test_a_value_is_refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|choose|did you mean"):
        parse(text)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(ValueError, match="did you mean unicode"):
        values.choice("unicode", "word")("Unicoed")


@given(st.integers(1, 10**6), st.sampled_from("KMGT"))
def test_units_are_powers_of_1024(number: int, unit: str) -> None:
    assert values.size(f"{number}{unit}") == number * 1024 ** (1 + "KMGT".index(unit))
