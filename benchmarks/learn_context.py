"""Learns what neighbouring words say about lemmas: the table of gai.forms.context.

    python -m benchmarks.learn_context en_ewt-ud-train.conllu > src/gai/forms/context-en.tsv

It reads nothing but that file and simplemma's dictionary. Where the treebank follows a custom of
its own and not the word, nothing is learned: see `counts`. The numbers below were chosen by leaving
out the five genres of the file in turn, as `python -m benchmarks.lemmas --only genres` does.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gai.forms.context import GROUPS, KEEP, Choice, Table, folded, group_of, own

COMMON = 5
"""Times that a word occurs to get a class of its own."""
NEAR = 200
"""Most frequent words, which get weights of their own as neighbours."""
ENDING = (15, 0.6)
"""Rare words with an ending, and the share of them with the same tag, that make it a rule."""
SUPPORT = 3
"""Times that a feature occurs to get a weight."""
ALWAYS = (3, 0.8)
"""Documents, and the share of a word's occurrences, that change its lemma everywhere."""
ALONE = (4, 12)
"""Occurrences with the rarer lemma, and in all, for weights that are learned for one word."""
MARGIN = 0.5
"""Log odds that it takes to leave the dictionary's lemma: five to three."""
UNSEEN = 1.0
"""The same for a word that the treebank does not have: eight to three."""
STRENGTH = {"shared": 1.0, "alone": 0.5}
"""Inverse of the penalty on squared weights (scikit-learn's C)."""
FREEDOM = 2.0
"""How much less the biases of words are held back than the weights of neighbours."""
FOLDS, EARNED = 5, 3
"""Parts to leave out in turn, and mended for each broken one, for weights of a single word."""
VIEWS = 2
"""Times that an occurrence is an example: with punctuation and without."""
UNIT = 8
"""Weights are whole numbers of 1 / UNIT in log odds."""

VERBS = {"VB", "VBD", "VBG", "VBN", "VBP", "VBZ"}
NOUNS = {"NN", "NNS", "JJ", "JJR", "JJS", "RB"}
MERGED = {
    "NNPS": "NNP",
    "ADD": "NNP",
    "FW": "NN",
    "GW": "NN",
    "AFX": "JJ",
    "RBS": "RB",
    "PDT": "DT",
    "WP$": "PRP$",
    "LS": "CD",
    "$": "CD",
    "``": "''",
    "-LRB-": "BRACKET",
    "-RRB-": "BRACKET",
    "HYPH": "SYM",
    "NFP": "SYM",
    ":": "SYM",
}
"""Tags that are too rare to learn from, or mean the same to a neighbour."""

AUXILIARIES = {
    "BE": "be am is are was were been being 'm 're",
    "HAVE": "have has had having 've",
    "DO": "do does did",
    "GET": "get gets got getting gotten",
}
CLITIC = re.compile(r"(['’](s|m|re|ve|ll|d|t)|n['’]t)", re.IGNORECASE)

HEADER = """\
# What the neighbours of English words say about lemmas, for gai/forms/context.py.
# Learned by benchmarks/learn_context.py from the training part of UD English EWT, the Universal
# Dependencies English Web Treebank, (c) 2013-2021 The Board of Trustees of The Leland Stanford
# Junior University; https://universaldependencies.org/treebanks/en_ewt. This table is derived from
# it and is under the same licence, CC BY-SA 4.0: see LICENSE-EWT.txt. Do not edit.
#
# class TAG WORDS      what a common word is as a neighbour
# ending TAG ENDINGS   what another word is as a neighbour, by its end
# near WORDS           words that have weights of their own as neighbours
# rare GROUP BIAS      the bias of a word in -ing or -ed that stands in no line
# weight GROUP FEATURE WEIGHT
# word GROUP WORD LOW HIGH BIAS   the lemma is HIGH where bias and weights exceed 0, else LOW;
#                                 = is the dictionary's"""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the treebank; ``lemma`` is in lower case, ``tag`` is of the Penn Treebank."""

    word: str
    lemma: str
    part: str
    tag: str
    features: str
    glued: bool  # nothing is between it and the word before

    @property
    def key(self) -> str:
        return folded(self.word)


@dataclass(slots=True)
class Document:
    """A document of the treebank; its genre is what its name begins with."""

    name: str
    sentences: list[list[Token]] = field(default_factory=list)

    @property
    def genre(self) -> str:
        return self.name.partition("-")[0]


def documents(path: str | Path) -> list[Document]:
    """The documents of a treebank in CoNLL-U, by its `# newdoc id` lines.

    Words are the syntactic ones: lines of multiword tokens (1-2) and empty nodes (1.1) are left
    out.
    """
    found = [Document("")]
    with open(path, encoding="utf-8") as lines:
        for block in blocks(lines):
            for line in block:
                if line.startswith("# newdoc id"):
                    found.append(Document(line.partition("=")[2].strip()))
            found[-1].sentences.append(list(tokens(block)))
    return [document for document in found if document.sentences]


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines of each sentence, its comments too."""
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line.rstrip("\n"))
        elif block:
            yield block
            block = []
    if block:
        yield block


def tokens(block: Iterable[str]) -> Iterator[Token]:
    """The words of a sentence."""
    glued = False
    for line in block:
        cells = line.split("\t")
        if cells[0].isdigit():
            _, word, lemma, part, tag, features, *_, misc = cells
            yield Token(word, lemma.lower(), part, tag, features, glued)
            glued = "SpaceAfter=No" in misc


@cache
def dictionary(word: str) -> str:
    """simplemma's lemma, in lower case."""
    from simplemma import lemmatize

    return folded(lemmatize(word, lang="en"))


def counts(token: Token) -> bool:
    """Whether a token shows what the lemma of its word is.

    It does not where it is misspelled, abbreviated or foreign (the treebank spells it out), a
    number, a symbol, punctuation (normalised in the treebank), a noun that has only a plural, or a
    name that the treebank takes apart (States, State). Nor does a capitalised word that the
    dictionary keeps although it changes the same word in lower case: it may be a name.
    """
    customs = ("Typo=", "Abbr=", "Foreign=", "Style=", "NumForm=", "Number=Ptan")
    if token.lemma == "_" or any(custom in token.features for custom in customs):
        return False
    if token.part in ("PUNCT", "NUM", "X", "SYM") or not any(map(str.isalnum, token.word)):
        return False
    if token.part == "PROPN" and folded(token.lemma) != token.key:
        return False
    return not dictionary(token.word) == token.key != dictionary(token.word.lower())


def lexicon(documents: Sequence[Document]) -> Table:
    """A table that only knows the classes of words."""
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    for token in all_tokens(documents):
        if "Typo=" not in token.features and " " not in token.word:
            tags[token.key][MERGED.get(token.tag, token.tag)] += 1
    common = {word: top(found) for word, found in tags.items() if found.total() >= COMMON}
    common = {word: tag for word, tag in common.items() if not number(word, tag)}
    for name, words in AUXILIARIES.items():
        common |= dict.fromkeys(words.split(), name)
    frequent = sorted(tags, key=lambda word: (-tags[word].total(), word))
    return Table(common, endings(tags), set(frequent[:NEAR]))


def number(word: str, tag: str) -> bool:
    """Whether the digits of a word say its tag."""
    return tag == "CD" and any(map(str.isdigit, word))


def all_tokens(documents: Iterable[Document]) -> Iterator[Token]:
    """Every token of the documents, in order."""
    return (t for document in documents for sentence in document.sentences for t in sentence)


def top(found: Counter[str]) -> str:
    """The most frequent one; of several the first in the alphabet."""
    return min(found, key=lambda name: (-found[name], name))


def endings(tags: dict[str, Counter[str]]) -> dict[str, str]:
    """The tag that rare words with an ending have, where it says more than a shorter ending."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for word, found in tags.items():
        if found.total() < COMMON and word.isalpha():
            for length in range(1, min(4, len(word) - 2) + 1):
                seen[word[-length:]].update({tag: n for tag, n in found.items() if tag != "NNP"})
    rules: dict[str, str] = {}
    for ending in sorted(seen, key=lambda ending: (len(ending), ending)):
        tag = top(seen[ending]) if seen[ending] else "NN"
        shorter = (rules[ending[n:]] for n in range(1, len(ending)) if ending[n:] in rules)
        total = seen[ending].total()
        enough = total >= ENDING[0] and seen[ending][tag] >= ENDING[1] * total
        if enough and tag != next(shorter, "NN"):
            rules[ending] = tag
    return rules


@dataclass(slots=True)
class Seen:
    """What the treebank says of a word in lower case, where its tokens count."""

    word: str
    all: int = 0  # tokens, also those that do not count
    dictionary: Counter[str] = field(default_factory=Counter)
    lemmas: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    open_class: int = 0  # nouns, verbs, adjectives and adverbs
    as_noun: Counter[str] = field(default_factory=Counter)
    as_verb: Counter[str] = field(default_factory=Counter)
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, token: Token, place: str) -> None:
        lemma = folded(token.lemma)
        self.dictionary[dictionary(token.word.lower())] += 1
        self.lemmas[lemma] += 1
        self.tags[token.tag] += 1
        self.open_class += token.part in ("NOUN", "VERB", "ADJ", "ADV")
        self.as_noun[lemma] += token.tag in NOUNS
        self.as_verb[lemma] += token.tag in VERBS and token.part == "VERB"
        self.places[lemma].add(place)

    @property
    def base(self) -> str:
        """The dictionary's lemma."""
        return top(self.dictionary)


def survey(documents: Iterable[Document]) -> dict[str, Seen]:
    """What there is to learn of each word."""
    seen: dict[str, Seen] = {}
    for document in documents:
        for token in all_tokens([document]):
            word = seen.setdefault(token.key, Seen(token.key))
            word.all += 1
            if counts(token):
                word.add(token, document.name)
    return {word: one for word, one in seen.items() if one.lemmas}


def doubted(word: Seen) -> Choice | None:
    """The group of a word and its two lemmas; None for a word that is in no doubt.

    ``always``: the dictionary is wrong wherever the word occurs. ``ing`` and ``ed``: a form of a
    verb (low) or a word of its own (high). ``verb``: the lemma of a verb (low) or of a noun or an
    adjective (high). Any other group is the word itself, high is what the dictionary does not say.
    """
    total, base = word.lemmas.total(), word.base
    if group := group_of(word.word):
        return participle(word, group)
    if total - word.lemmas[base] < 2:
        return None
    if homograph := verb_or_noun(word):
        return homograph
    best = top(word.lemmas)
    rarer, enough = ALONE
    other = top(Counter({one: n for one, n in word.lemmas.items() if one != base}))
    if total >= enough and min(word.lemmas[base], word.lemmas[other]) >= rarer:
        return Choice("=" + word.word, base, other, 0)
    spread = len(word.places[best]) >= ALWAYS[0] and word.lemmas[best] >= ALWAYS[1] * word.all
    open_class = word.open_class >= 0.9 * total
    return Choice("always", best, best, 0) if best != base and spread and open_class else None


def participle(word: Seen, group: str) -> Choice | None:
    """The choice of a word in -ing or -ed; None where it has no lemma but itself."""
    verbs = Counter({lemma: n for lemma, n in word.lemmas.items() if lemma != word.word})
    verb = top(verbs) if verbs else word.base
    return None if verb == word.word else Choice(group, verb, word.word, 0)


def verb_or_noun(word: Seen) -> Choice | None:
    """The choice of a word whose lemma as a verb is another one than as a noun or adjective."""
    nouns, verbs = +word.as_noun, +word.as_verb
    if not (nouns and verbs) or nouns.total() + verbs.total() < 0.9 * word.lemmas.total():
        return None
    verb, noun = top(verbs), top(nouns)
    if verb == noun:
        return None
    if word.tags["VBN"] and word.tags["JJ"] > word.tags["NN"] and noun == word.word:
        return Choice("ed", verb, noun, 0)  # broken, known
    return Choice("verb", verb, noun, 0) if ambiguous(word) else None


def ambiguous(word: Seen) -> bool:
    """Whether a word is both a verb and a noun or adjective, and little else."""
    nouns, verbs = word.as_noun.total(), word.as_verb.total()
    return min(nouns, verbs) >= 2 and nouns + verbs >= 0.8 * word.lemmas.total()


@dataclass(frozen=True, slots=True)
class Example:
    """An occurrence to learn from: what is to be seen there, and whether high is right."""

    word: str
    document: str
    features: list[str]
    high: bool


Piece = list[tuple[str, Token | None]]
"""Words in a row; None for a word that the treebank has as several."""


def apart(document: Document) -> list[Piece]:
    """The sentences, as the treebank has them."""
    return [[(token.word, token) for token in sentence] for sentence in document.sentences]


def joined(document: Document) -> list[Piece]:
    """The document as one piece without punctuation, clitics joined to the word before.

    So gai's own tokenizers see a text, where nobody looks for sentences.
    """
    piece: Piece = []
    for token in all_tokens([document]):
        if token.glued and piece and CLITIC.fullmatch(token.word):
            piece[-1] = (piece[-1][0] + token.word, None)
        elif any(map(str.isalnum, token.word)):
            piece.append((token.word, token))
    return [piece]


def examples(
    documents: Iterable[Document], table: Table, shared: set[str]
) -> Iterator[tuple[str, Example]]:
    """Every occurrence to learn from with its group: each twice, with and without punctuation."""
    for document in documents:
        for piece in apart(document) + joined(document):
            words = ["", *(word for word, _ in piece), ""]
            for place, (word, token) in enumerate(piece):
                if token and counts(token) and (label := labelled(token, table, shared)):
                    features = table.features(words[place], words[place + 2]) + own(word)
                    yield label[0], Example(token.key, document.name, features, label[1])


def labelled(token: Token, table: Table, shared: set[str]) -> tuple[str, bool] | None:
    """The group that an occurrence is an example of, and whether high is right there."""
    choice, lemma = table.choices.get(token.key), folded(token.lemma)
    if token.key in shared or (choice and choice.group == "verb"):
        return ("verb", token.tag in NOUNS) if token.tag in VERBS | NOUNS else None
    if choice is None or choice.group == "always":
        return None
    if choice.group in GROUPS and lemma not in (choice.low, choice.high):
        return None
    return choice.group, lemma == choice.high


@dataclass(frozen=True, slots=True)
class Learned:
    """What the examples of a group teach, in log odds of high against low.

    ``words`` has the bias of each word that occurs at least twice, ``rare`` that of all others.
    """

    weights: dict[str, float]
    words: dict[str, float]
    rare: float

    def score(self, example: Example) -> float:
        """The log odds of an occurrence."""
        bias = self.words.get(example.word, self.rare)
        return bias + sum(self.weights.get(feature, 0) for feature in example.features)


def learn(documents: Sequence[Document]) -> Table:
    """The table that the documents teach."""
    table, seen = lexicon(documents), survey(documents)
    table.choices = {word: choice for word in sorted(seen) if (choice := doubted(seen[word]))}
    shared = {word for word, one in seen.items() if not group_of(word) and ambiguous(one)}
    found: dict[str, list[Example]] = defaultdict(list)
    for group, example in examples(documents, table, shared - table.choices.keys()):
        found[group].append(example)
    learned = {group: fitted(found[group]) for group in sorted(found) if earns(found[group])}
    settled = {word: settle(one, seen[word], learned) for word, one in table.choices.items()}
    table.choices = {word: choice for word, choice in settled.items() if choice}
    for group, one in learned.items():
        table.weights[group] = {name: whole(one.weights[name]) for name in sorted(one.weights)}
        if group in GROUPS:
            table.rare[group] = whole(one.rare - UNSEEN)
    return table


def whole(log_odds: float) -> int:
    """Log odds in the unit of the table."""
    return round(log_odds * UNIT)


def settle(choice: Choice, seen: Seen, learned: dict[str, Learned]) -> Choice | None:
    """The choice with its bias, which holds the margin; None where the table need not have it."""
    if choice.group == "always":
        return Choice(choice.group, choice.low, choice.high, 1)
    group = learned.get(choice.group)
    if group is None:
        return None
    low, high = (KEEP if lemma == seen.base else lemma for lemma in (choice.low, choice.high))
    known = seen.word in group.words
    if choice.group in GROUPS and low == KEEP and not known:
        return None
    margin = MARGIN * ((high == KEEP) - (low == KEEP))
    return Choice(choice.group, low, high, whole(group.words.get(seen.word, group.rare) + margin))


def earns(examples: Sequence[Example]) -> bool:
    """Whether weights for a single word mend much more than they break on documents left out.

    Weights that several words share are always learned.
    """
    if len({example.word for example in examples}) > 1:
        return True
    names = sorted({example.document for example in examples})
    folds = {name: number % FOLDS for number, name in enumerate(names)}
    mended = broken = 0
    for fold in range(FOLDS):
        rest = [example for example in examples if folds[example.document] != fold]
        if len({example.high for example in rest}) < 2:
            return False
        learned = fitted(rest)
        out = [example for example in examples if folds[example.document] == fold]
        changed = [example.high for example in out if learned.score(example) > MARGIN]
        mended += sum(changed)
        broken += len(changed) - sum(changed)
    return mended >= EARNED * max(broken, VIEWS)


def fitted(examples: Sequence[Example]) -> Learned:
    """What logistic regression with a penalty on squared weights makes of the examples.

    Words that occur once share one bias, so that it holds for words that never occurred.
    """
    words = Counter(example.word for example in examples)
    several = {word for word in words if words[word] >= 2 * VIEWS}
    features = Counter(feature for example in examples for feature in example.features)
    common = sorted(one for one in features if features[one] >= SUPPORT * VIEWS)
    columns = {name: number for number, name in enumerate(common)}
    columns |= {
        "word " + word: number for number, word in enumerate(["", *sorted(several)], len(columns))
    }
    rows = [
        [columns[name] for name in example.features if name in columns]
        + [columns["word " + (example.word if example.word in several else "")]]
        for example in examples
    ]
    strength = STRENGTH["shared" if len(words) > 1 else "alone"]
    weights, intercept = regression(
        rows, [one.high for one in examples], len(common), len(columns), strength
    )
    biases = {word: intercept + weights[columns["word " + word]] for word in ["", *sorted(several)]}
    rare = biases.pop("")
    return Learned({name: weights[columns[name]] for name in common}, biases, rare)


def regression(
    rows: Sequence[Sequence[int]],
    labels: Sequence[bool],
    common: int,
    columns: int,
    strength: float,
) -> tuple[Any, float]:
    """The weight of each column and the intercept."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    scale = np.where(np.arange(columns) < common, 1.0, FREEDOM)
    indices = np.fromiter((column for row in rows for column in row), np.int64)
    indptr = np.cumsum([0, *map(len, rows)])
    matrix = csr_matrix((scale[indices], indices, indptr), shape=(len(rows), columns))
    model = LogisticRegression(C=strength / VIEWS, tol=1e-7, max_iter=10_000)
    model.fit(matrix, np.array(labels))
    return model.coef_[0] * scale, float(model.intercept_[0])


def lines(table: Table) -> Iterator[str]:
    """The lines of the table's file."""
    yield HEADER
    for kind, names in (("class", table.classes), ("ending", table.endings)):
        for tag in sorted(set(names.values())):
            yield f"{kind}\t{tag}\t{' '.join(sorted(one for one in names if names[one] == tag))}"
    yield f"near\t{' '.join(sorted(table.near))}"
    for group in sorted(table.rare):
        yield f"rare\t{group}\t{table.rare[group]}"
    for group in sorted(table.weights):
        for feature, weight in sorted(table.weights[group].items()):
            if weight:
                yield f"weight\t{group}\t{feature}\t{weight}"
    for word, one in sorted(table.choices.items()):
        yield f"word\t{one.group}\t{word}\t{one.low}\t{one.high}\t{one.bias}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.learn_context TRAIN.conllu")
    print(*lines(learn(documents(sys.argv[1]))), sep="\n")
