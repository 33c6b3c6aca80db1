"""The kernels over raw text against their plain twins."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gai import kernels
from gai.documents import padded
from gai.kernels import reference

RAW = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", b"\0", b"\x8a", "é".encode()])).map(
        b"".join
    ),
)


@given(RAW)
@example(b"\xed\xa0\x80")
@example(b"\xf4\x90\x80\x80")
@example(b"\xe2\x82")
@example("1234567Σ".encode())
@example("İ".encode())
def test_inspect_text_finds_what_python_cannot_decode(raw: bytes) -> None:
    facts, expected = np.zeros(1, np.int64), np.zeros(1, np.int64)
    data = padded(raw)
    found = kernels.load().inspect_text(data, len(raw), facts)
    assert found == reference.inspect_text(data, len(raw), expected)
    assert found >= 0 or facts[0] == expected[0]


@given(RAW)
def test_lines_are_cut_as_the_twin_cuts_them(raw: bytes) -> None:
    data, ops = padded(raw), kernels.load()
    count = ops.count_lines(data, len(raw))
    assert count == reference.count_lines(data, len(raw))
    found = [np.full(count + 1, -1, np.int64) for _ in range(4)]
    assert ops.cut_lines(data, len(raw), *found[:2]) == count
    assert reference.cut_lines(data, len(raw), *found[2:]) == count
    assert np.array_equal(found[0][:count], found[2][:count])
    assert np.array_equal(found[1][:count], found[3][:count])


def test_what_lies_behind_the_text_is_not_seen() -> None:
    data = padded(b"ab\ncd")
    data[5:] = 0x0A
    assert kernels.load().count_lines(data, 5) == 2
    data[5:] = 0xFF
    assert kernels.load().inspect_text(data, 5, np.zeros(1, np.int64)) == -1
