"""python -m benchmarks.sentences: every engine for sentences on gold treebanks, as a table.

The gold files are those of ``gold/`` below the folder that GAI_DATA names. Scored are the places
where a sentence ends inside a paragraph; where a paragraph ends is given, and counts for nobody.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks.corpus import ROOT
from gai.errors import GaiError
from gai.kernels.reference.sentences import boundaries
from gai.tokens.sentence_tables import classes
from gai.tokens.sentences import ENGINES, Segmenter, Spans, segmenter, stripped

DATA = Path(os.environ.get("GAI_DATA") or ROOT.parent / "shared" / "data")
GROUP = 10
"""Sentences of a paragraph where the treebank is a bag of sentences."""
SECONDS = 0.5
"""Shortest time that is measured."""


@dataclass(frozen=True)
class Gold:
    """A treebank; of a ``shuffled`` one the first half was looked at while the rules were made."""

    lang: str
    name: str
    shuffled: bool = True

    @property
    def path(self) -> Path:
        return DATA / "gold" / f"{self.name}-ud-dev.conllu"


TREEBANKS = [
    Gold("en", "en_ewt", shuffled=False),
    Gold("de", "de_gsd"),
    Gold("fr", "fr_gsd"),
    Gold("es", "es_gsd"),
    Gold("ru", "ru_gsd"),
    Gold("zh", "zh_gsdsimp"),
]


@dataclass
class Sentence:
    """A sentence of a treebank, whether a paragraph begins with it and whether a space follows."""

    text: str = ""
    begins: bool = False
    space: bool = True


def sentences(path: Path) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file."""
    one, words = Sentence(), 0
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# text = "):
            one.text = line.removeprefix("# text = ").strip()
        elif line.startswith(("# newdoc", "# newpar")):
            one.begins = True
        elif not line:
            yield one
            one, words = Sentence(), 0
        elif not line.startswith("#"):
            number, *_, misc = line.split("\t")
            first, _, last = number.partition("-")
            # "3-4" is one token of two words; "3.1" stands for a word that is not written.
            if "." not in number and int(first) > words:
                words = int(last or first)
                one.space = "SpaceAfter=No" not in misc


def paragraphs(gold: Gold) -> list[list[Sentence]]:
    """The paragraphs of a treebank; of a shuffled one the second half, made of GROUP sentences."""
    found: list[list[Sentence]] = []
    for number, sentence in enumerate(sentences(gold.path)):
        begins = number % GROUP == 0 if gold.shuffled else sentence.begins or not found
        if begins:
            found.append([])
        found[-1].append(sentence)
    return found[len(found) // 2 :] if gold.shuffled else found


@dataclass(frozen=True)
class Text:
    """The text of a treebank, where sentences end, and where of these also a paragraph ends."""

    text: str
    ends: set[int]
    last: set[int]


def rebuilt(found: Iterable[list[Sentence]]) -> Text:
    """The paragraphs as one text, blank lines between them."""
    text, ends, last = "", set(), set()
    for paragraph in found:
        for sentence in paragraph:
            text += sentence.text
            ends.add(len(text))
            text += " " * sentence.space
        text = text.rstrip()
        last.add(len(text))
        text += "\n\n"
    return Text(text, ends, last)


@dataclass(frozen=True)
class Score:
    """What an engine got right of the ends inside paragraphs, and MB of UTF-8 per second."""

    found: int
    gold: int
    right: int
    speed: float

    @property
    def precision(self) -> float:
        return 100 * self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        return 100 * self.right / self.gold

    @property
    def f1(self) -> float:
        return 200 * self.right / (self.found + self.gold)


def scored(split: Segmenter, text: Text) -> Score:
    """The score of an engine on a text."""
    found = {end for _, end in split(text.text)} - text.last
    gold = text.ends - text.last
    return Score(len(found), len(gold), len(found & gold), speed(split, text.text))


def speed(split: Segmenter, text: str) -> float:
    """MB of UTF-8 that one core splits in a second."""
    rounds, begin = 0, time.process_time()
    while (taken := time.process_time() - begin) < SECONDS:
        split(text)
        rounds += 1
    return rounds * len(text.encode()) / taken / 1e6


def plain(text: str) -> Spans:
    """The sentences of UAX #29, as they are in the standard."""
    edges = pairwise(boundaries(text, classes()))
    return [span for start, end in edges for span in stripped(text, start, end)]


def engines(lang: str) -> Iterator[tuple[str, Callable[[], Segmenter]]]:
    """The name of each engine that may know the language, and how it is made."""
    yield "UAX #29", lambda: plain
    for name in ENGINES:
        yield name, partial(segmenter, name, lang=lang)
    from spacy.util import get_installed_models

    for model in sorted(get_installed_models()):
        if model.startswith(f"{lang}_"):
            yield f"spacy {model}", partial(segmenter, "spacy", model=model)


def rows() -> Iterator[str]:
    """The lines of the table; the best F1 of a language is bold."""
    yield "| treebank | engine | precision | recall | F1 | MB/s |"
    yield "|---|---|--:|--:|--:|--:|"
    for gold in TREEBANKS:
        text = rebuilt(paragraphs(gold))
        scores = dict(scores_of(gold.lang, text))
        best = max(round(score.f1, 2) for score in scores.values())
        for name, score in scores.items():
            f1 = f"{score.f1:.2f}"
            f1 = f"**{f1}**" if round(score.f1, 2) == best else f1
            numbers = f"{score.precision:.2f} | {score.recall:.2f} | {f1} | {score.speed:.2g}"
            yield f"| {gold.name} ({len(text.ends - text.last)}) | {name} | {numbers} |"


def scores_of(lang: str, text: Text) -> Iterator[tuple[str, Score]]:
    """The score of each engine; none of one that does not know the language."""
    for name, make in engines(lang):
        try:
            split = make()
        except GaiError:
            continue
        yield name, scored(split, text)


def main() -> None:
    """Prints the table."""
    import nltk

    nltk.data.path.append(str(DATA / "nltk_data"))
    for row in rows():
        print(row, flush=True)


if __name__ == "__main__":
    main()
