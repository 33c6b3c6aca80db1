"""Which characters are emoji, and the script that finds it out.

    python -m gai.tokens.emoji UCD_FOLDER

UCD_FOLDER holds emoji-data.txt of the Unicode version of gai; the result goes beside this file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache as remember
from itertools import groupby
from pathlib import Path

from gai.errors import UsageError
from gai.tokens.generate import characters, version
from gai.tokens.tables import CODE_POINTS, UNICODE_VERSION

DATA = Path(__file__).with_name(f"emoji-{UNICODE_VERSION}.txt")

HEADER = """\
# Which characters are emoji, from Unicode {version}.
# Each line begins a run of characters that are alike and ends the one before: the first code
# point, "emoji" (property Emoji), "shown" (Emoji_Presentation), "future" (kept free for emoji).
# Made by gai/tokens/emoji.py from emoji-data.txt; do not edit.
# (c) 2022 Unicode, Inc., modified; the licence is in LICENSE-UNICODE.txt.
"""

FUTURE = re.compile(
    r"^(\w+)(?:\.\.(\w+))?\s*; Extended_Pictographic.*\)\s+<reserved-\w+>(?:\.\.<reserved-\w+>)?$",
    re.MULTILINE,
)
"""The lines of emoji-data.txt about code points without a character."""


@remember
def members(name: str) -> frozenset[int]:
    """The code points that are ``emoji``, ``shown`` or ``future``.

    >>> chr(min(members("shown")))
    '⌚'
    """
    lines = DATA.read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    starts = [*(int(row[0], 16) for row in rows), CODE_POINTS]
    runs = zip(rows, starts, starts[1:], strict=False)
    return frozenset(code for row, start, end in runs if name in row for code in range(start, end))


def data(folder: Path) -> str:
    """The text of the data file: one line a run of equal characters."""
    path = folder / "emoji-data.txt"
    sets = {
        "emoji": characters(path, lambda row: row.value == "Emoji"),
        "shown": characters(path, lambda row: row.value == "Emoji_Presentation"),
        "future": set(future(path)),
    }
    codes = groupby(range(CODE_POINTS), lambda code: [name for name in sets if code in sets[name]])
    lines = [" ".join([f"{next(run):04X}", *names]) + "\n" for names, run in codes]
    return HEADER.format(version=version(folder)) + "".join(lines)


def future(path: Path) -> Iterator[int]:
    """The code points that Unicode keeps free for pictographs."""
    for first, last in FUTURE.findall(path.read_text(encoding="utf-8")):
        yield from range(int(first, 16), int(last or first, 16) + 1)


def main(arguments: list[str]) -> None:
    """Write the data file of the version that is in the folder named by the only argument."""
    if len(arguments) != 1:
        raise UsageError("one argument expected", "python -m gai.tokens.emoji UCD_FOLDER")
    DATA.write_text(data(Path(arguments[0])), encoding="ascii", newline="\n")
    print(DATA)


if __name__ == "__main__":
    main(sys.argv[1:])
