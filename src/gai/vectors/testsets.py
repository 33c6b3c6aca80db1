"""Test sets: pairs of words that people scored, and analogies, built in or from files."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError

BUILT_IN = {
    "wordsim353": "wordsim353.tsv",
    "simlex999": "simlex999.txt",
    "google": "questions-words.txt",
}
"""The files that gensim brings along, by the names that stand for them."""

PAIRS = "a line is two words and a score with TABs between, or commas, semicolons or spaces"
QUESTIONS = "a line is ': section', or four words: Athens Greece Oslo Norway"

Line = tuple[int, str]
"""A line that says something, and its number."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of words, and how similar (or related) people found each: float64 (pairs,)."""

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Analogies:
    """Questions (a, b, c, d): a is to b as c is to d; and the section that each belongs to.

    ``places`` are places in ``sections``: int64 (questions,), never falling.
    """

    name: str
    questions: tuple[tuple[str, str, str, str], ...]
    sections: tuple[str, ...]
    places: NDArray[np.int64]


TestSet = Pairs | Analogies


def load(name: str) -> TestSet:
    """The test set of that name, one of ``BUILT_IN`` or a file.

    A file whose first line begins with a colon holds analogies as Google's does, any other pairs;
    blank lines and lines that begin with ``#`` do not count. A file that is called like a built-in
    set needs its folder ("./google"). Raises GaiError where there is no such set, where it cannot
    be read as UTF-8 or holds nothing, and with the number of the line where one is something else.
    """
    if not name:
        raise missing(name)
    path = built_in(name) if name in BUILT_IN else Path(name)
    lines = lines_of(path, name)
    if not lines:
        raise GaiError(
            f"{name}: nothing in this test set", f"{PAIRS}; or of analogies, {QUESTIONS}"
        )
    return analogies(lines, name) if lines[0][1].startswith(":") else pairs(lines, name)


def built_in(name: str) -> Path:
    """Where a built-in set lies; found without importing gensim, which takes a second."""
    from importlib.util import find_spec

    gensim = find_spec("gensim")
    for folder in (gensim and gensim.submodule_search_locations) or ():
        if (path := Path(folder, "test", "test_data", BUILT_IN[name])).is_file():
            return path
    raise GaiError(f"the test set {name} comes with gensim, which lacks it", "pip install gensim")


def lines_of(path: Path, name: str) -> list[Line]:
    """The lines that say something, with their numbers."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError as error:
        raise missing(name) from error
    except OSError as error:
        raise GaiError(f"{name}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"{name}, line {line}: byte {error.start} of the file is no UTF-8"
        raise GaiError(message, "a test set is text in UTF-8") from error
    numbered = enumerate(text.removeprefix("\ufeff").split("\n"), 1)
    stripped = ((number, line.strip("\r ")) for number, line in numbered)
    return [(number, line) for number, line in stripped if line.strip() and line[0] != "#"]


def missing(name: str) -> GaiError:
    """The error for a name that is neither a built-in set nor a file."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), BUILT_IN, 1)
    hint = f"did you mean {near[0]}?" if near else f"built in are {', '.join(BUILT_IN)}"
    return GaiError(f"no such test set or file: {name}", hint)


def analogies(lines: Iterable[Line], name: str) -> Analogies:
    """The questions of the lines, which begin with a section."""
    sections: list[str] = []
    questions: list[tuple[str, str, str, str]] = []
    places: list[int] = []
    for number, line in lines:
        if line.startswith(":"):
            sections.append(line[1:].strip())
            continue
        words = line.split()
        if len(words) != 4:
            raise GaiError(f"{name}, line {number}: {counted(words, 'word')}, not 4", QUESTIONS)
        questions.append((words[0], words[1], words[2], words[3]))
        places.append(len(sections) - 1)
    if not questions:
        raise GaiError(f"{name}: sections without a question", QUESTIONS)
    return Analogies(name, tuple(questions), tuple(sections), np.array(places, np.int64))


def pairs(lines: list[Line], name: str) -> Pairs:
    """The pairs of the lines, of which the first may name the columns."""
    delimiter = next((mark for mark in "\t,;" if mark in lines[0][1]), None)
    first, second, scores = [], [], []
    for number, line in lines:
        columns = split(line, delimiter)
        if len(columns) != 3 or not columns[0] or not columns[1]:
            raise other_columns(f"{name}, line {number}", columns)
        if number == lines[0][0] and is_heading(columns[2]):
            continue
        first.append(columns[0])
        second.append(columns[1])
        scores.append(score(columns[2], f"{name}, line {number}"))
    if not scores:
        raise GaiError(f"{name}: a heading, and no pairs", PAIRS)
    return Pairs(name, tuple(first), tuple(second), np.array(scores))


def split(line: str, delimiter: str | None) -> list[str]:
    """The columns of a line; without a delimiter blanks are between them."""
    if delimiter is None:
        return line.split()
    if delimiter == "\t":
        return [cell.strip() for cell in line.split("\t")]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:  # a cell of more than 128 KiB
        return []


def other_columns(where: str, columns: list[str]) -> GaiError:
    """The error for a line that is no pair; four words look like an analogy."""
    if len(columns) == 4 and not any(is_number(column) for column in columns):
        return GaiError(f"{where}: four words before any section", QUESTIONS)
    if len(columns) == 3:
        return GaiError(f"{where}: an empty word", PAIRS)
    hint = f"{PAIRS}; cut -f picks columns" if len(columns) > 3 else PAIRS
    return GaiError(f"{where}: {counted(columns, 'column')}, not 3", hint)


def counted(things: list[str], name: str) -> str:
    """How many there are, in words."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def score(text: str, where: str) -> float:
    """The number that the text spells; a GaiError where it is none."""
    if not is_number(text):
        problem = f"the score {text} is no number" if text else "a pair without a score"
        raise GaiError(f"{where}: {problem}", PAIRS)
    return float(text)


def is_number(text: str) -> bool:
    """Whether the text spells a finite number."""
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def is_heading(text: str) -> bool:
    """Whether the text names a column of scores, rather than being a score with a slip in it."""
    return bool(text) and text[0] not in "+-.0123456789" and text.lower() not in ("nan", "inf")
