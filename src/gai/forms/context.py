"""Context: where a word's neighbours say that its lemma is another one than the dictionary's.

``her`` stays ``her`` before a noun and is ``she`` elsewhere; ``thought`` behind ``I`` is ``think``;
``interested`` and ``parking`` may be words of their own. A table that was learned from a treebank
holds the words in doubt, and what each neighbour speaks for. The score of an occurrence is a bias
of the word, plus a weight of the word before, plus a weight of the word after; its sign decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError

FOLDER = Path(__file__).parent

KEEP = "="
"""Stands for the lemma that the dictionary gave."""

EDGE = "<>"
"""The class of what is before the first word and after the last one."""

PRONOUNS = {"PRP", "WP", "EX", "WRB", "WDT", "DT"}
"""After a word of these classes 's is a verb, after any other the possessive."""

FALLBACKS = ("BE", "CD", "NN", "NNP", "POS", "RB", "SYM")
"""Classes that words get by their form."""

GROUPS = {"ing": 5, "ed": 4}
"""Endings that every word is judged by, and the letters that such a word has at least."""

ENDS = tuple(GROUPS)


@dataclass(frozen=True, slots=True)
class Choice:
    """Two lemmas of a word: ``high`` where its score is above 0, else ``low``."""

    group: str
    low: str
    high: str
    bias: int


@dataclass(slots=True)
class Table:
    """What was learned.

    Attributes
    ----------
    classes
        The class of each common word, in lower case: a tag of the Penn Treebank.
    endings
        The class of other words by how they end; the longest ending that fits counts.
    near
        Words that have weights of their own as neighbours.
    rare
        By group, the bias of a word that has none of its own.
    choices
        The words in doubt.
    weights
        By group and feature; a feature is what `features` or `own` says.
    """

    classes: dict[str, str] = field(default_factory=dict)
    endings: dict[str, str] = field(default_factory=dict)
    near: set[str] = field(default_factory=set)
    rare: dict[str, int] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    weights: dict[str, dict[str, int]] = field(default_factory=dict)

    def class_of(self, word: str) -> str:
        """What kind of word it is: the tag that it, or words that look like it, has most often."""
        lower = folded(word)
        return self.classes.get(lower) or self.class_by_form(word, lower)

    def class_by_form(self, word: str, lower: str) -> str:
        """The class of a word that is not common."""
        if lower.isalpha():
            return "NNP" if word[0].isupper() else self.class_by_ending(lower)
        if not any(map(str.isalnum, lower)):
            return self.classes.get(lower[:1], "SYM")
        if "'" in lower[1:]:
            return self.class_by_clitic(lower)
        if any(map(str.isdigit, lower)):
            return "CD"
        return "NNP" if word[0].isupper() else self.class_by_ending(lower)

    def class_by_clitic(self, word: str) -> str:
        """The class of the end of "don't" and "she's", which is what the next word stands by."""
        if word.endswith("n't"):
            return self.classes.get("n't", "RB")
        host, _, end = word.rpartition("'")
        if end == "s":
            return "BE" if self.classes.get(host) in PRONOUNS else "POS"
        return self.classes.get("'" + end, "NN")

    def class_by_ending(self, word: str) -> str:
        """The class of a word by its last letters."""
        for length in (4, 3, 2, 1):
            if len(word) > length + 1 and word[-length:] in self.endings:
                return self.endings[word[-length:]]
        return "NN"

    def features(self, before: str, after: str) -> list[str]:
        """What there is to see around a place: the class of each neighbour, and some words.

        ``""`` stands for no neighbour. A word has an underscore before it: "before _the".
        """
        found = []
        for side, word in (("before", before), ("after", after)):
            found.append(f"{side} {self.class_of(word) if word else EDGE}")
            if folded(word) in self.near:
                found.append(f"{side} _{folded(word)}")
        return found

    def choice(self, word: str) -> Choice | None:
        """The two lemmas of a word in doubt; the bias counts what the word itself says."""
        lower = folded(word)
        found = self.choices.get(lower)
        if found is None and lower.endswith(ENDS):
            found = self.choice_by_ending(word)
        if found is None:
            return None
        weights = self.weights.get(found.group, {})
        bias = found.bias + sum(weights.get(feature, 0) for feature in own(word))
        return Choice(found.group, found.low, found.high, bias)

    def choice_by_ending(self, word: str) -> Choice | None:
        """The choice of a word in -ing or -ed by itself: a form of a verb, or its own lemma."""
        group = group_of(word)
        if group not in self.rare:
            return None
        return Choice(group, KEEP, word.lower(), self.rare[group])


def folded(word: str) -> str:
    """A word as the table has it: in lower case, with straight apostrophes."""
    lower = word.lower()
    return lower if lower.isascii() else lower.replace("’", "'").replace("‘", "'")


def group_of(word: str) -> str:
    """The ending that a word is judged by, or "".

    >>> group_of("Meeting"), group_of("wing"), group_of("bed")
    ('ing', '', '')
    """
    lower = word.lower()
    fits = (end for end, length in GROUPS.items() if lower.endswith(end) and len(lower) >= length)
    return next(fits, "")


def own(word: str) -> list[str]:
    """What a word itself says, beside its letters.

    >>> own("Uninterested"), own("well-known")
    (['own Title', 'own un-'], ['own -'])
    """
    found = []
    if word[:1].isupper():
        found.append("own UPPER" if len(word) > 1 and word.isupper() else "own Title")
    if "-" in word:
        found.append("own -")
    if word[:2].lower() == "un":
        found.append("own un-")
    return found


def read(lines: Iterable[str], name: str) -> Table:
    """The table in the lines of a file; GaiError names the line that is not of a table."""
    table = Table()
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                take(table, line.rstrip("\n").split("\t"))
            except (ValueError, TypeError) as error:
                raise GaiError(f"{name}: line {number} is not of a table of contexts") from error
    return table


def take(table: Table, cells: list[str]) -> None:
    """Adds what a line says: its first cell says what kind of line it is."""
    match cells:
        case ["class", name, words]:
            table.classes |= dict.fromkeys(words.split(" "), name)
        case ["ending", name, endings]:
            table.endings |= dict.fromkeys(endings.split(" "), name)
        case ["near", words]:
            table.near |= set(words.split(" "))
        case ["rare", group, bias]:
            table.rare[group] = int(bias)
        case ["weight", group, feature, weight]:
            table.weights.setdefault(group, {})[feature] = int(weight)
        case ["word", group, word, low, high, bias]:
            table.choices[word] = Choice(group, low, high, int(bias))
        case _:
            raise ValueError(cells[0])


class Context:
    """Lemmas that the neighbours of a word decide.

    The dictionary's lemma stays where nothing speaks against it. Words come in their original case;
    the lemmas that are given out are in lower case. `extend` takes each distinct word once, and
    `corrections` then works on ids alone.

    Attributes
    ----------
    lemmas
        The lemmas that are given out, by number.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.lemmas: list[str] = []
        self.numbers: dict[str, int] = {}
        self.kinds = {kind: number for number, kind in enumerate(kinds(table))}
        common = {word: self.kinds[name] for word, name in table.classes.items()}
        self.known = common | {word: self.kinds["_" + word] for word in table.near}
        self.groups = {group: number for number, group in enumerate(groups(table))}
        self.before, self.after = self.laid_out("before"), self.laid_out("after")
        self.words = 0
        self.doubted = np.zeros(1024, bool)
        self.rows = np.zeros((1024, 5), np.int32)

    @classmethod
    def load(cls, lang: str = "en") -> Context:
        """The context of a language that there is a table for; GaiError for any other."""
        known = sorted(path.stem.removeprefix("context-") for path in FOLDER.glob("context-*.tsv"))
        if lang not in known:
            hint = f"there is one for: {' '.join(known)}"
            raise GaiError(f"no table of contexts for the language {lang!r}", hint)
        path = FOLDER / f"context-{lang}.tsv"
        with path.open(encoding="utf-8") as file:
            return cls(read(file, path.name))

    def laid_out(self, side: str) -> NDArray[np.int32]:
        """int32[groups, kinds]: what each kind of neighbour on a side adds to the score.

        A word that has weights of its own adds those of its class too.
        """
        found = np.zeros((len(self.groups), len(self.kinds)), np.int32)
        for group, row in self.groups.items():
            learned = self.table.weights.get(group, {})
            for kind, column in self.kinds.items():
                of = [kind, self.table.class_of(kind[1:])] if kind.startswith("_") else [kind]
                found[row, column] = sum(learned.get(f"{side} {one}", 0) for one in of)
        return found

    def extend(self, words: Sequence[str]) -> None:
        """Takes the next distinct words: the first one of all has id 0."""
        first, total = self.words, self.words + len(words)
        if total > len(self.rows):
            room = max(total, 2 * len(self.rows))
            self.rows = np.resize(self.rows, (room, self.rows.shape[1]))
            self.doubted = np.resize(self.doubted, room)
        self.rows[first:total, 0] = np.fromiter(map(self.kind, words), np.int32, len(words))
        self.doubted[first:total] = False
        for id_, word in enumerate(words, first):
            if choice := self.table.choice(word):
                low, high = self.number(choice.low), self.number(choice.high)
                self.rows[id_, 1:] = self.groups[choice.group], low, high, choice.bias
                self.doubted[id_] = True
        self.words = total

    def kind(self, word: str) -> int:
        """The number of what counts of a neighbour: the word if it is in `near`, else its class."""
        lower = folded(word)
        known = self.known.get(lower)
        return self.kinds[self.table.class_by_form(word, lower)] if known is None else known

    def number(self, lemma: str) -> int:
        """The number of a lemma, which is put into `lemmas` if it is new; -1 for KEEP."""
        if lemma == KEEP:
            return -1
        if lemma not in self.numbers:
            self.numbers[lemma] = len(self.lemmas)
            self.lemmas.append(lemma)
        return self.numbers[lemma]

    def corrections(
        self, ids: NDArray[np.int32], bounds: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The positions in ``ids`` that get another lemma, rising, and its number in `lemmas`.

        Parameters
        ----------
        ids
            int32: the words, as numbers of what `extend` took.
        bounds
            int64: piece s is ``ids[bounds[s]:bounds[s + 1]]``, and no neighbour is looked for
            beyond it. A piece is a sentence, or a whole document where sentences are not known.
            What is outside all pieces gets no correction.

        The lemma may be the one that the dictionary gave, where it did so already.
        """
        first, last = (int(bounds[0]), int(bounds[-1])) if len(bounds) else (0, 0)
        places = np.flatnonzero(self.doubted[ids[first:last]]) + first
        piece = np.searchsorted(bounds, places, side="right")
        edges = [places == bounds[piece - 1], places == bounds[piece] - 1]
        before, after = (
            np.where(edge, 0, self.rows[ids[(places + step) % len(ids)], 0])
            for edge, step in zip(edges, (-1, 1), strict=True)
        )
        _, group, low, high, bias = self.rows[ids[places]].T
        score = bias + self.before[group, before] + self.after[group, after]
        lemma = np.where(score > 0, high, low)
        changed = lemma >= 0
        return places[changed], lemma[changed]

    def correct(self, words: Sequence[str], lemmas: Sequence[str]) -> list[str]:
        """The lemmas of one piece, corrected: what `corrections` does, word by word."""
        around = ["", *words, ""]
        corrected = []
        for place, (word, lemma) in enumerate(zip(words, lemmas, strict=True)):
            choice = self.table.choice(word)
            if choice is None:
                corrected.append(lemma)
                continue
            weights = self.table.weights.get(choice.group, {})
            features = self.table.features(around[place], around[place + 2])
            score = choice.bias + sum(weights.get(feature, 0) for feature in features)
            chosen = choice.high if score > 0 else choice.low
            corrected.append(lemma if chosen == KEEP else chosen)
        return corrected


def kinds(table: Table) -> list[str]:
    """What a neighbour may count as: the edge, the classes, and the words of `near`."""
    classes = {*table.classes.values(), *table.endings.values(), *FALLBACKS}
    return [EDGE, *sorted(classes), *sorted("_" + word for word in table.near)]


def groups(table: Table) -> list[str]:
    """The names of all groups of words in doubt."""
    return sorted({*table.rare, *(choice.group for choice in table.choices.values())})
