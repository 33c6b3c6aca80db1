"""CoNLL-U: sentences whose words have lemmas and parts of speech that people gave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gai.errors import GaiError

COLUMNS = 10


@dataclass(slots=True)
class Annotated:
    """One sentence: its words, and the lemma and the universal part of speech of each.

    A word without a part of speech has the tag "". ``line`` is the number of the first line.
    """

    words: list[str] = field(default_factory=list)
    lemmas: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    line: int = field(default=0, compare=False)


def read(path: str) -> list[Annotated]:
    """The sentences of a file.

    Words are the syntactic ones: of a token that holds several ("du" is "de" and "le") these
    count. Raises GaiError where the file cannot be read, holds no sentence or is no CoNLL-U.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            sentences = list(parsed(file, path))
    except OSError as error:
        raise GaiError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise GaiError(f"{path}: this is no UTF-8", "CoNLL-U is text in UTF-8") from error
    if not sentences:
        raise GaiError(f"{path}: no sentences", "CoNLL-U: a word a line, ten columns")
    return sentences


def parsed(lines: Iterable[str], name: str) -> Iterator[Annotated]:
    """The sentences in the lines of a file called ``name``."""
    sentence = Annotated()
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r\n")
        if line.startswith("#"):
            continue
        if line.strip():
            sentence.line = sentence.line or number
            append(sentence, line.split("\t"), f"{name}, line {number}")
        else:
            if sentence.words:
                yield sentence
            sentence = Annotated()
    if sentence.words:
        yield sentence


def append(sentence: Annotated, cells: list[str], place: str) -> None:
    """Adds the word of a line, unless it stands for others or for none."""
    if len(cells) != COLUMNS:
        columns = "column" if len(cells) == 1 else "columns"
        message = f"{place}: {len(cells)} {columns}, but CoNLL-U has {COLUMNS}"
        raise GaiError(message, "ID FORM LEMMA UPOS ..., separated by TABs")
    identity, word, lemma, tag = cells[:4]
    if identity.isdigit():
        sentence.words.append(word)
        sentence.lemmas.append(word if lemma == "_" else lemma)
        sentence.tags.append("" if tag == "_" else tag)
