"""Numbers as text and back: the kernels against their twins, the twins against Python and numpy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from gai import kernels
from gai.kernels import reference
from gai.output.vectors.text import POWERS, TWOS, WIDEST

ENDS = np.array([0, 1, 2, 0x7FFFFF, 0x800000, 0x800001, 0x7F7FFFFF], np.uint32)


def floats() -> np.ndarray:
    """float32 of every exponent, at both sides of powers of two, denormal, round and random."""
    random = np.random.default_rng(7)
    powers = np.arange(1, 255, dtype=np.uint32) << 23
    bits = np.concatenate([ENDS, powers, powers - 1, powers + 1, np.arange(500, dtype=np.uint32)])
    anything = random.integers(0, 2**32, 3_000, dtype=np.uint32).view(np.float32)
    round_ones = random.integers(1, 999, 500) * 10.0 ** random.integers(-40, 35, 500)
    usual = np.concatenate([random.normal(size=3_000) * 0.1, np.arange(-99, 99), round_ones])
    found = np.concatenate([bits.view(np.float32), anything, usual.astype(np.float32)])
    return np.concatenate([found, -found])[np.isfinite(np.concatenate([found, found]))]


def written(ops: Any, numbers: np.ndarray, dim: int = 1, word: bytes = b"") -> bytes:
    rows = len(numbers) // dim
    arena = np.frombuffer(word * rows + bytes(64), np.uint8)
    offsets = np.arange(rows + 1, dtype=np.int64) * len(word)
    out = np.empty(len(arena) + numbers.size * WIDEST + rows, np.uint8)
    used = ops.write_rows(arena, offsets, numbers.view(np.uint32), dim, POWERS, TWOS, out)
    return out[:used].tobytes()


def test_numbers_are_the_shortest_that_read_back() -> None:
    numbers = floats()
    text = [line.decode().strip() for line in written(kernels.load(), numbers).splitlines()]
    for number, spelled in zip(numbers, text, strict=True):
        assert np.float32(float(spelled)).tobytes() == number.tobytes()
        assert Decimal(spelled) == Decimal(np.format_float_scientific(number))
        assert set(spelled) & set(".e")


def test_the_twin_writes_the_same_bytes() -> None:
    numbers = floats()
    ours = written(kernels.load(), numbers[: len(numbers) // 4 * 4], 4, b"word")
    assert ours == written(reference, numbers[: len(numbers) // 4 * 4], 4, b"word")


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-123456790.0, "-123456790.0"),
        (1e9, "1e+09"),
        (0.001, "0.001"),
        (9.9999e-5, "9.9999e-05"),
        (343126.125, "343126.12"),
        (1e-45, "1e-45"),
    ],
)
def test_numbers_look_as_people_expect(number: float, spelled: str) -> None:
    array = np.array([number], np.float32)
    for ops in (kernels.load(), reference):
        assert written(ops, array) == f" {spelled}\n".encode()


def parsed(ops: Any, text: bytes, dim: int) -> tuple[list[bytes], np.ndarray, int]:
    """The words, the numbers and where reading stopped."""
    data = np.frombuffer(text + bytes(64), np.uint8)
    most = text.count(b"\n") + 1
    starts, ends = np.zeros(most, np.int64), np.zeros(most, np.int64)
    out, state = np.zeros(most * dim, np.float32), np.zeros(1, np.int64)
    rows = ops.parse_rows(data, 0, len(text), dim, POWERS, starts, ends, out, state)
    words = [text[a:b] for a, b in zip(starts[:rows], ends[:rows], strict=True)]
    return words, out[: rows * dim], int(state[0])


def decimals() -> list[bytes]:
    """Numbers as other programs write them, with too few digits and far too many."""
    random = np.random.default_rng(3)
    fixed = [
        b"%.*f" % (int(digits), number * 10.0**power)
        for digits, number, power in zip(
            random.integers(0, 25, 2_000),
            random.normal(size=2_000),
            random.integers(-3, 8, 2_000),
            strict=True,
        )
    ]
    scientific = [
        b"%.*e" % (int(digits), number * 10.0**power)
        for digits, number, power in zip(
            random.integers(0, 22, 2_000),
            random.normal(size=2_000),
            random.integers(-46, 37, 2_000),
            strict=True,
        )
    ]
    others = b"1 -1 +1 1. .5 -.5 1e5 1E+05 1e-5 007 0 -0 0.000 1e-60 16777217 16777216.5"
    return [*fixed, *scientific, *others.split()]


def test_numbers_are_read_as_python_reads_them() -> None:
    for field in decimals():
        words, numbers, stopped = parsed(kernels.load(), b"word " + field + b"\n", 1)
        if stopped == 0:  # left to the twin, where the nearest float32 is in doubt
            words, numbers, stopped = parsed(reference, b"word " + field + b"\n", 1)
        assert words == [b"word"]
        assert numbers[0].tobytes() == np.float32(float(field)).tobytes(), field


def test_the_kernel_leaves_hardly_a_number_to_the_twin() -> None:
    fields = decimals()
    left = [f for f in fields if parsed(kernels.load(), b"word " + f + b"\n", 1)[2] == 0]
    assert b"16777217" in left
    assert len(left) < len(fields) / 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a 1 2\nb 3 4\n", [b"a", b"b"]),
        (b"a 1 2", [b"a"]),
        (b"a 1 2 \r\nb\t3  4\r\n", [b"a", b"b"]),
        (b"\n\na 1 2\n  \nb 3 4\n\n", [b"a", b"b"]),
        (b"new york 1 2\n. . . 3 4\n", [b"new york", b". . ."]),
        (b"7 1 2\n", [b"7"]),
        (b" 1 2\n", [b""]),
        (b"\xc2\xa0 1 2\n", [b"\xc2\xa0"]),
        (b"  a 1 2\n", [b"  a"]),
    ],
)
def test_lines_are_cut_from_the_right(text: bytes, words: list[bytes]) -> None:
    ours, twins = parsed(kernels.load(), text, 2), parsed(reference, text, 2)
    assert ours[0] == twins[0] == words
    assert ours[1].tolist() == twins[1].tolist() == [1, 2, 3, 4][: 2 * len(words)]
    assert ours[2] == twins[2] == len(text)


@pytest.mark.parametrize(
    "line", [b"1 2", b"a 1", b"a 1 x", b"a 1 1_0", b"a 1 0x1p3", b"a 1 --2", b"a 1 e5", b"a 1 ."]
)
def test_a_line_that_is_no_row_ends_the_reading(line: bytes) -> None:
    text = b"a 1 2\n" + line + b"\nb 3 4\n"
    for ops in (kernels.load(), reference):
        words, numbers, stopped = parsed(ops, text, 2)
        assert (words, numbers.tolist(), stopped) == ([b"a"], [1, 2], 6)


def test_only_the_twin_reads_what_is_not_finite() -> None:
    text = b"a nan 1e39\n"
    assert parsed(kernels.load(), text, 2)[2] == 0
    _, numbers, _ = parsed(reference, text, 2)
    assert np.isnan(numbers[0])
    assert np.isinf(numbers[1])
