"""Corpora: the texts that are measured, made anew for each run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import BinaryIO

from benchmarks.measure import asked

ROOT = Path(__file__).parent.parent
NOVELS_SIZE = 78_400_000
"""Bytes that stand in for the novels where they are not there; about their own size."""
COPIES = 5
PARTS = (0.3, 3, 8)
"""MB from the beginning of the novels, for tools that would take minutes for all of them."""
QUICK_PART = 0.1


@dataclass(frozen=True)
class Text:
    """A file of text, its size in bytes, and its tokens by scanner: "word" from 2 characters on."""

    path: Path
    size: int
    tokens: dict[str, int]


@dataclass(frozen=True)
class Texts:
    """``small`` warms up; ``novels`` and ``large``, five copies of it, are measured.

    ``line`` is the first line of the small one, ``parts`` are beginnings of the novels by their MB.
    """

    line: Text
    small: Text
    novels: Text
    large: Text
    parts: dict[float, Text]
    origin: str


def build(folder: Path, quick: bool) -> Texts:
    """All texts, written into the folder; for ``quick`` the small one stands for the novels."""
    small = described(joined(inaugural(), folder / "inaugural.txt"))
    line = beginning(small, 0)
    if quick:
        large = copied(small, folder / "inaugural-5.txt")
        parts = dict.fromkeys(PARTS, beginning(small, QUICK_PART))
        return Texts(line, small, small, large, parts, "the inaugural addresses (--quick)")
    sources = novels()
    path = joined(
        sources or repeated(gutenberg()), folder / f"{'novels' if sources else 'books'}.txt"
    )
    text = described(path)
    large = copied(text, folder / f"{path.stem}-{COPIES}.txt")
    parts = {size: beginning(text, size) for size in PARTS}
    return Texts(line, small, text, large, parts, ORIGINS[bool(sources)])


ORIGINS = {
    True: "100 English novels",
    False: "the books of corpora/gutenberg, repeated: the novels that the targets are set for are "
    "not there (GAI_DATA names the folder that holds english/novels)",
}


def data() -> Path:
    """The folder of texts and data that are not in the repository."""
    return Path(os.environ.get("GAI_DATA") or ROOT.parent / "shared" / "data")


def nltk_data() -> Path:
    """NLTK's data in it."""
    return data() / "nltk_data"


def novels() -> list[Path]:
    """The novels, sorted; empty where they are not there."""
    return sorted((data() / "english" / "novels").glob("*.txt"))


def gutenberg() -> list[Path]:
    """The books in the repository, sorted."""
    return sorted((ROOT / "corpora" / "gutenberg").glob("*.txt"))


def inaugural() -> list[Path]:
    """The inaugural addresses, sorted."""
    return sorted((ROOT / "corpora" / "inaugural").glob("*.txt"))


def repeated(paths: list[Path]) -> Iterable[Path]:
    """The paths again and again, until their files are as large as the novels."""
    size = 0
    for path in cycle(paths):
        if size >= NOVELS_SIZE:
            return
        size += path.stat().st_size
        yield path


def joined(paths: Iterable[Path], target: Path) -> Path:
    """The files one after the other in one file, each of them ended by a line end."""
    with target.open("wb") as file:
        for path in paths:
            append(path, file)
            with path.open("rb") as source:
                source.seek(-1, os.SEEK_END)
                file.write(b"" if source.read() == b"\n" else b"\n")
    return target


def append(path: Path, file: BinaryIO) -> None:
    """The bytes of one file behind those of another, a few at a time."""
    with path.open("rb") as source:
        shutil.copyfileobj(source, file)


def beginning(text: Text, megabytes: float) -> Text:
    """The first lines of a text, so many MB or a little more, in a file beside it."""
    target = text.path.with_name(f"{text.path.stem}-{megabytes:g}MB.txt")
    left = 1e6 * megabytes
    with text.path.open("rb") as source, target.open("wb") as file:
        # Line by line: a measurer that held megabytes would hide the peaks of small processes.
        for line in source:
            left -= file.write(line)
            if left <= 0:
                break
    return described(target)


def copied(text: Text, target: Path) -> Text:
    """Copies of a text in one file."""
    with target.open("wb") as file:
        for _ in range(COPIES):
            append(text.path, file)
    tokens = {scanner: COPIES * count for scanner, count in text.tokens.items()}
    return Text(target, COPIES * text.size, tokens)


def described(path: Path) -> Text:
    """The text in a file, its tokens counted by gai."""
    found = asked("benchmarks.kernel", str(path), "0")
    return Text(path, path.stat().st_size, {name: fact["tokens"] for name, fact in found.items()})
