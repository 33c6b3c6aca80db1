"""What the rules of sentence boundaries know of each code point, and the script that finds it out.

    python -m gai.tokens.sentence_tables UCD_FOLDER

UCD_FOLDER holds SentenceBreakProperty.txt of the Unicode version of gai; the result goes beside
this file.
"""

from __future__ import annotations

import re
import sys
from functools import cache as remember
from itertools import groupby
from pathlib import Path

import numpy as np

from gai.errors import GaiError, UsageError
from gai.kernels.reference.sentences import CLASSES, Classes
from gai.tokens.generate import rows
from gai.tokens.tables import CODE_POINTS, UNICODE_VERSION

DATA = Path(__file__).with_name(f"sentence_break-{UNICODE_VERSION}.txt")

HEADER = """\
# The Sentence_Break property of each character, from Unicode {version}.
# Each line begins a run of characters that are alike and ends the one before:
# the first code point, its class.
# Made by gai/tokens/sentence_tables.py from SentenceBreakProperty.txt; do not edit.
# (c) 2022 Unicode, Inc., modified; the licence is in LICENSE-UNICODE.txt.
"""


@remember
def classes() -> Classes:
    """The class of each code point, as the letters of ``gai.kernels.reference.sentences``."""
    starts, letters = [], b""
    for line in DATA.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            start, name = line.split()
            starts.append(int(start, 16))
            letters += CLASSES[name]
    lengths = np.diff(np.array([*starts, CODE_POINTS]))
    return np.repeat(np.frombuffer(letters, np.uint8), lengths)


@remember
def members(name: str) -> str:
    """The characters of one class, in order.

    >>> members("ATerm")
    '.․﹒．'
    """
    letter = np.frombuffer(CLASSES[name], np.uint8)
    return "".join(map(chr, np.flatnonzero(classes() == letter).tolist()))


def data(folder: Path) -> str:
    """The text of the data file: one line a run of equal characters."""
    path = folder / "SentenceBreakProperty.txt"
    named = re.match(r"# SentenceBreakProperty-(\d+\.\d+)", path.read_text(encoding="utf-8"))
    if not named or named[1] != UNICODE_VERSION:
        raise GaiError(f"{path} is not of Unicode {UNICODE_VERSION}")
    found = ["Other"] * CODE_POINTS
    for row in rows(path):
        found[row.first : row.last + 1] = [row.value] * (row.last + 1 - row.first)
    runs = groupby(range(CODE_POINTS), found.__getitem__)
    lines = [f"{next(run):04X} {name}\n" for name, run in runs]
    return HEADER.format(version=UNICODE_VERSION) + "".join(lines)


def main(arguments: list[str]) -> None:
    """Write the data file from the folder named by the only argument."""
    if len(arguments) != 1:
        raise UsageError("one argument expected", "python -m gai.tokens.sentence_tables UCD_FOLDER")
    DATA.write_text(data(Path(arguments[0])), encoding="ascii", newline="\n")
    print(DATA)


if __name__ == "__main__":
    main(sys.argv[1:])
