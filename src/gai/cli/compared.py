"""What gai compare writes: words side by side, and the measures of a corpus."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from gai.cli import display, terminal

if TYPE_CHECKING:
    from gai.texts.comparing import Maker, Row
    from gai.texts.measuring import Corpus, Disagreement, Group, Measures, Method

PIECE = 1 << 14
"""Rows that are turned into text at once."""

DIFFERENT = "yellow"
"""The style of a form that is not the lemma."""

NARROW = 30
"""Columns for the words of a group at least."""


def tab_separated(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The rows as lines, cells escaped; None is an empty cell."""
    from gai.output.tsv import escape

    rows = iter(rows)
    while piece := list(islice(rows, PIECE)):
        cells = (("" if cell is None else escape(str(cell)) for cell in row) for row in piece)
        yield "".join("\t".join(line) + "\n" for line in cells).encode()


def as_json(value: object) -> Iterator[bytes]:
    """The value as JSON, lightly indented."""
    yield (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def has_tags(makers: Sequence[Maker]) -> bool:
    """Whether one of the makers knows parts of speech."""
    return any(maker.analyser is not None for maker in makers)


def has_sentences(table: Sequence[Row]) -> bool:
    """Whether the rows are those of a text."""
    return any(row.sentence for row in table)


def words_tsv(makers: Sequence[Maker], table: Sequence[Row]) -> Iterator[bytes]:
    """A header, and a line for each word."""
    sentences, tags = has_sentences(table), has_tags(makers)
    start = ["sentence"] * sentences + ["word"] + ["pos"] * tags
    yield from tab_separated([[*start, *(maker.name for maker in makers)]])
    yield from tab_separated(
        [*[row.sentence] * sentences, row.word, *[row.tag] * tags, *row.forms] for row in table
    )


def words_json(makers: Sequence[Maker], table: Sequence[Row]) -> Iterator[bytes]:
    """A list with an object for each word."""
    return as_json([word_object(makers, row) for row in table])


def word_object(makers: Sequence[Maker], row: Row) -> dict[str, Any]:
    """A word with its stems and lemmas by the names of what made them."""
    made = list(zip(makers, row.forms, strict=True))
    return {
        **({"sentence": row.sentence} if row.sentence else {}),
        "word": row.word,
        "pos": row.tag or None,
        "stems": {maker.name: form for maker, form in made if maker.kind == "stem"},
        "lemmas": {maker.name: form for maker, form in made if maker.kind == "lemma"},
    }


def words_table(makers: Sequence[Maker], table: Sequence[Row]) -> Any:
    """A row for each word; what differs from the lemma stands out, and a lemma is bold."""
    tags, sentences = any(row.tag for row in table), has_sentences(table)
    made = display.plain_table()
    made.add_column("word")
    if tags:
        made.add_column("pos", style="dim")
    for name in headings(makers):
        made.add_column(name)
    for number, row in enumerate(table):
        if sentences and number and row.sentence != table[number - 1].sentence:
            made.add_row()
        start = [terminal.escape(row.word), *[row.tag] * tags]
        made.add_row(*start, *styled(makers, row.forms))
    return made


def headings(makers: Sequence[Maker]) -> list[str]:
    """The names of the columns; where there is one lemmatizer, it is the lemma."""
    alone = sum(maker.kind == "lemma" for maker in makers) == 1
    return ["lemma" if alone and maker.kind == "lemma" else maker.name for maker in makers]


def styled(makers: Sequence[Maker], forms: Sequence[str]) -> list[Any]:
    """The forms; those that differ from the first lemma have a colour."""
    from rich.text import Text

    pairs = list(zip(makers, forms, strict=True))
    lemma = next((form.lower() for maker, form in pairs if maker.kind == "lemma"), None)
    return [
        Text(
            terminal.escape(form),
            " ".join(
                ["bold"] * (maker.kind == "lemma")
                + [DIFFERENT] * (lemma is not None and form.lower() != lemma)
            ),
        )
        for maker, form in pairs
    ]


@dataclass(frozen=True)
class Found:
    """All there is to say about a corpus."""

    corpus: Corpus
    reference: Method | None
    methods: list[Measures]
    groups: list[Group]
    disagreements: list[Disagreement]
    speed: bool

    @property
    def grouped(self) -> int:
        """How many of the words the reference knows: those that Paice's measures are about."""
        known = self.reference.forms if self.reference else {}
        return sum(word in known for word in self.corpus.frequency)


def corpus(
    corpus: Corpus,
    methods: Sequence[Method],
    reference: Method | None,
    groups: int,
    top: int,
    speed: bool,
) -> Found:
    """What there is to say: measures, the largest ``groups`` of each, ``top`` disagreements."""
    from gai.texts.measuring import disagreements, largest, measures

    # Gold lemmas are a method where they are the corpus, not where they only group its words.
    shown = [reference] if reference and reference.kind == "gold" and corpus.sentences else []
    stems = [method for method in methods if method.kind == "stem"]
    telling = disagreements(stems, reference, corpus.frequency, top) if reference else []
    return Found(
        corpus,
        reference,
        [measures(method, reference) for method in [*methods, *shown]],
        [group for method in methods for group in largest(method, corpus.frequency, groups)],
        telling,
        speed,
    )


def size(found: Found) -> display.Facts:
    """How large the corpus is."""
    facts = {
        "words": f"{len(found.corpus.frequency):,}",
        "tokens": f"{found.corpus.words.total():,}",
    }
    if found.grouped == len(found.corpus.frequency):
        return facts
    return facts | {"grouped words": f"{found.grouped:,}"}


def measured(one: Measures, speed: bool) -> dict[str, Any]:
    """The measures of a method by name; None where there is no such number."""
    paice, rate = one.paice, one.method.rate
    return {
        "method": one.method.name,
        "kind": one.method.kind,
        "package": one.method.package or None,
        "words": one.before,
        "forms": one.after,
        "compression": one.compression,
        "tokens": one.tokens,
        "changed": one.changed,
        "ui": paice and paice.ui,
        "oi": paice and paice.oi,
        "sw": paice and paice.sw,
        **({"words_per_second": rate and round(rate)} if speed else {}),
    }


def corpus_tsv(found: Found) -> Iterator[bytes]:
    """Three tables one after the other, each with a header; the first cell names the table."""
    lines: list[Sequence[object]] = []
    for number, one in enumerate(found.methods):
        cells = measured(one, found.speed)
        lines += [["measures", *cells]] * (number == 0)
        lines.append(["measures", *cells.values()])
    lines.append(["group", "method", "form", "words", "tokens", "members"])
    for group in found.groups:
        members = " ".join(group.words)
        lines.append(["group", group.method, group.form, len(group.words), group.tokens, members])
    compared = forms_compared(found)
    lines.append(["disagreement", "kind", "one", "other", "tokens", "by", *compared])
    for one_of in found.disagreements:
        forms = [pair_of(method, one_of) for method in compared.values()]
        start = ["disagreement", one_of.kind, one_of.one, one_of.other, one_of.tokens]
        lines.append([*start, " ".join(one_of.by), *forms])
    return tab_separated(lines)


def forms_compared(found: Found) -> dict[str, Method]:
    """The methods by name whose forms are shown beside disagreements."""
    methods = [one.method for one in found.methods]
    reference = [found.reference] if found.reference else []
    return {method.name: method for method in [*methods, *reference]}


def pair_of(method: Method, disagreement: Disagreement) -> str:
    """The two forms, "nation / nation"; one where they are the same."""
    one, other = (method.forms.get(word, "") for word in (disagreement.one, disagreement.other))
    return one if one == other else f"{one} / {other}"


def corpus_json(found: Found) -> Iterator[bytes]:
    """One object that holds everything."""
    compared = forms_compared(found)
    return as_json(
        {
            "words": len(found.corpus.frequency),
            "tokens": found.corpus.words.total(),
            "reference": found.reference and found.reference.name,
            "grouped": found.grouped,
            "methods": [measured(one, found.speed) for one in found.methods],
            "groups": [
                {
                    "method": group.method,
                    "form": group.form,
                    "tokens": group.tokens,
                    "words": group.words,
                }
                for group in found.groups
            ],
            "disagreements": [
                {
                    "kind": one.kind,
                    "words": [one.one, one.other],
                    "tokens": one.tokens,
                    "by": one.by,
                    "forms": {
                        name: [method.forms.get(one.one), method.forms.get(one.other)]
                        for name, method in compared.items()
                    },
                }
                for one in found.disagreements
            ],
        }
    )


def show(found: Found, facts: display.Facts) -> None:
    """Prints everything for a person."""
    console = terminal.console()
    console.print(display.facts_table(size(found) | facts))
    console.print()
    console.print(measures_table(found))
    if found.groups:
        console.print("\nLargest groups", style="bold")
        console.print(groups_table(found.groups, console.width))
    for kind, title in TITLES.items():
        shown = [one for one in found.disagreements if one.kind == kind]
        if shown:
            console.print(f"\n{title}", style="bold")
            console.print(disagreements_table(shown, found))


TITLES = {
    "joined": "One stem, but several lemmas: most telling first",
    "split": "One lemma, but several stems: most telling first",
}


def measures_table(found: Found) -> Any:
    """A row for each method."""
    made = display.plain_table()
    made.add_column("method", style="bold")
    for name in ("forms", "compression", "changed", "UI", "OI", "SW", *["words/s"] * found.speed):
        made.add_column(name, justify="right")
    for one in found.methods:
        cells = measured(one, found.speed)
        name = one.method.name
        if found.reference and name == found.reference.name and one.method.kind != "gold":
            name = f"{name} (groups)"
        made.add_row(
            name,
            f"{one.after:,}",
            f"{100 * one.compression:.1f} %",
            f"{100 * one.changed / max(one.tokens, 1):.1f} %",
            *(short(cells[index]) for index in ("ui", "oi", "sw")),
            *[spelt(cells.get("words_per_second"))] * found.speed,
        )
    return made


def spelt(rate: int | None) -> str:
    """Words per second, where there was something to measure."""
    return "-" if rate is None else f"{rate:,}"


def short(value: float | None) -> str:
    """A measure in three digits."""
    return "-" if value is None else f"{value:.3g}"


def groups_table(groups: Sequence[Group], width: int) -> Any:
    """A row for each group: as many of its words as fit."""
    made = display.plain_table()
    made.add_column("method", no_wrap=True)
    made.add_column("form", style="bold", no_wrap=True)
    made.add_column("words", justify="right", no_wrap=True)
    made.add_column("most frequent first", no_wrap=True)
    forms = [display.start_of(terminal.escape(group.form), display.NAME) for group in groups]
    names = max(len(group.method) for group in groups)
    room = max(width - names - max(map(display.wide, forms)) - 13, NARROW)
    for group, form in zip(groups, forms, strict=True):
        words = display.start_of(terminal.escape(" ".join(group.words[:room])), room)
        made.add_row(group.method, form, f"{len(group.words):,}", words)
    return made


def disagreements_table(shown: Sequence[Disagreement], found: Found) -> Any:
    """A row for each disagreement; the stemmers that disagree have a colour."""
    from rich.text import Text

    compared = forms_compared(found)
    made = display.plain_table()
    made.add_column("words", style="bold")
    made.add_column("tokens", justify="right")
    for name in compared:
        made.add_column(name)
    for one in shown:
        words = terminal.escape(f"{one.one} / {one.other}")
        cells = [
            Text(terminal.escape(pair_of(method, one)), DIFFERENT if name in one.by else "")
            for name, method in compared.items()
        ]
        made.add_row(words, f"{one.tokens:,}", *cells)
    return made
