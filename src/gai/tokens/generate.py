"""Writes the Word_Break data file from Unicode's own property files.

    python -m gai.tokens.generate UCD_FOLDER

UCD_FOLDER holds WordBreakProperty.txt, emoji-data.txt, LineBreak.txt and Scripts.txt of one
Unicode version; the result goes beside this file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from gai.errors import GaiError, UsageError
from gai.kernels import classes
from gai.tokens import tables

LINE = re.compile(
    r"(?P<first>[0-9A-F]{4,6})(?:\.\.(?P<last>[0-9A-F]{4,6}))?\s*;\s*(?P<value>\w+)"
    r"\s*#\s*(?P<category>\S*)"
)
"""One line of a property file; the comment of all but emoji-data.txt begins with the category."""

HEADER = """\
# What the word scanners need to know of each character, from Unicode {version}.
# Each line begins a run of characters that are alike and ends the one before:
# the first code point, its class in gai/kernels/classes.py, and "letter" for letters and digits.
# Made by gai/tokens/generate.py from WordBreakProperty.txt, emoji-data.txt, LineBreak.txt and
# Scripts.txt; do not edit. (c) 2022 Unicode, Inc., modified; the licence is in LICENSE-UNICODE.txt.
"""


class Row(NamedTuple):
    """The value and the General_Category of the characters from ``first`` to ``last``."""

    first: int
    last: int
    value: str
    category: str


def rows(path: Path) -> Iterator[Row]:
    """The lines of a property file that say something."""
    for text in path.read_text(encoding="utf-8").splitlines():
        if line := LINE.match(text):
            first, last, value, category = line.groups()
            yield Row(int(first, 16), int(last or first, 16), value, category)


def characters(path: Path, wanted: Callable[[Row], bool]) -> set[int]:
    """The code points of the lines that are ``wanted``."""
    return {code for row in rows(path) if wanted(row) for code in range(row.first, row.last + 1)}


def version(folder: Path) -> str:
    """The Unicode version of the folder ("15.0"), as WordBreakProperty.txt names itself."""
    path = folder / "WordBreakProperty.txt"
    named = re.match(r"# WordBreakProperty-(\d+\.\d+)", path.read_text(encoding="utf-8"))
    if not named:
        raise GaiError(f"{path} does not begin with its Unicode version")
    return named[1]


def break_classes(folder: Path) -> list[str]:
    """The name of the class of every code point."""
    found = ["OTHER"] * tables.CODE_POINTS
    for row in rows(folder / "WordBreakProperty.txt"):
        found[row.first : row.last + 1] = [row.value.upper()] * (row.last + 1 - row.first)
    pictograph = {"OTHER": "PICTOGRAPH", "ALETTER": "ALETTER_PICTOGRAPH"}
    for code in characters(
        folder / "emoji-data.txt", lambda row: row.value == "Extended_Pictographic"
    ):
        found[code] = pictograph[found[code]]
    for code in characters(folder / "LineBreak.txt", lambda row: row.value == "SA"):
        if found[code] == "OTHER":
            found[code] = "COMPLEX"
    return found


def is_letter_or_digit(row: Row) -> bool:
    """Whether the category is L*, Nd, Nl or No; ``L&`` stands for the cased letters."""
    return row.category[0] == "L" or row.category in ("Nd", "Nl", "No")


def data(folder: Path) -> str:
    """The text of the data file: one line a run of equal characters."""
    letters = characters(folder / "Scripts.txt", is_letter_or_digit)
    names = break_classes(folder)
    assert all(hasattr(classes, name) for name in set(names))
    codes = groupby(range(tables.CODE_POINTS), lambda code: (names[code], code in letters))
    lines = [
        f"{next(run):04X} {name}{' letter' if letter else ''}\n" for (name, letter), run in codes
    ]
    return HEADER.format(version=version(folder)) + "".join(lines)


def main(arguments: list[str]) -> None:
    """Write the data file of the version that is in the folder named by the only argument."""
    if len(arguments) != 1:
        raise UsageError("one argument expected", "python -m gai.tokens.generate UCD_FOLDER")
    folder = Path(arguments[0])
    path = Path(__file__).with_name(f"word_break-{version(folder)}.txt")
    path.write_text(data(folder), encoding="ascii", newline="\n")
    print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
