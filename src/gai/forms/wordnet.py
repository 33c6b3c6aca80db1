"""Lemmas by WordNet, as NLTK finds them, with the parts of speech that NLTK's tagger sees.

NLTK's own reader of WordNet took 6 seconds to load from its zip file, 10 from a folder. Lemmas need
no more than the lists of words and of exceptions, which are read in 0.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gai.errors import GaiError
from gai.forms.former import Former
from gai.forms.lemmas import Analysed

HINT = "gai download nltk wordnet averaged_perceptron_tagger_eng"

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
"""How WordNet's files of a part of speech are named."""

PARTS = {"NOUN": "n", "PROPN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}
"""WordNet's letter for a universal part of speech; of others WordNet has no words."""

UNIVERSAL = {
    "NN": "NOUN",
    "NNS": "NOUN",
    "NNP": "PROPN",
    "NNPS": "PROPN",
    "VB": "VERB",
    "VBD": "VERB",
    "VBG": "VERB",
    "VBN": "VERB",
    "VBP": "VERB",
    "VBZ": "VERB",
    "MD": "AUX",
    "JJ": "ADJ",
    "JJR": "ADJ",
    "JJS": "ADJ",
    "RB": "ADV",
    "RBR": "ADV",
    "RBS": "ADV",
    "WRB": "ADV",
    "PRP": "PRON",
    "PRP$": "PRON",
    "WP": "PRON",
    "WP$": "PRON",
    "EX": "PRON",
    "DT": "DET",
    "PDT": "DET",
    "WDT": "DET",
    "IN": "ADP",
    "RP": "ADP",
    "TO": "PART",
    "POS": "PART",
    "CC": "CCONJ",
    "CD": "NUM",
    "UH": "INTJ",
    "FW": "X",
    "LS": "X",
    "SYM": "SYM",
    "$": "SYM",
    "#": "SYM",
} | dict.fromkeys([".", ",", ":", "(", ")", "``", "''", "-LRB-", "-RRB-"], "PUNCT")
"""The universal part of speech of each tag of the Penn Treebank.

The tagger does not tell some of them apart: be, have and do are always VERB, every preposition
and conjunction of its tag IN is ADP.
"""


VERSION = re.compile(r"WordNet (?:Release )?(\d[\d.]*) Copyright")


class WordNet:
    """The words of WordNet by part of speech, and the rules that lead to them."""

    def __init__(self, root: Any) -> None:
        from nltk.corpus.reader.wordnet import WordNetCorpusReader

        self.words = {part: words_of(root, name) for part, name in FILES.items()}
        self.exceptions = {part: exceptions_of(root, name) for part, name in FILES.items()}
        self.endings: dict[str, list[tuple[str, str]]]
        self.endings = WordNetCorpusReader.MORPHOLOGICAL_SUBSTITUTIONS
        self.version = version_of(root)
        self.found: dict[tuple[str, str], str] = {}

    def lemma(self, word: str, part: str) -> str:
        """The shortest base form of a word in lower case; the word itself where there is none."""
        key = word, part
        if key not in self.found:
            known = self.words[part]
            forms = [form for form in [word, *self.forms(word, part)] if form in known]
            self.found[key] = min(forms, key=len, default=word)
        return self.found[key]

    def forms(self, word: str, part: str) -> list[str]:
        """What a word may be a form of: what the exceptions say, else by its ending."""
        if word in self.exceptions[part]:
            return self.exceptions[part][word]
        endings = self.endings[part]
        return [word[: len(word) - len(old)] + new for old, new in endings if word.endswith(old)]


def words_of(root: Any, name: str) -> frozenset[str]:
    """The first word of each line of an index file; lines of the licence begin with a space."""
    lines = read(root, f"index.{name}").splitlines()
    return frozenset(line.partition(" ")[0] for line in lines if not line.startswith(" "))


def exceptions_of(root: Any, name: str) -> dict[str, list[str]]:
    """The base forms of each irregular form."""
    lines = map(str.split, read(root, f"{name}.exc").splitlines())
    return {line[0]: line[1:] for line in lines if line}


def version_of(root: Any) -> str:
    """WordNet's version, from the licence at the top of each of its files; "" where none stands."""
    found = VERSION.search(read(root, "index.adv"))
    return found[1] if found else ""


def read(root: Any, name: str) -> str:
    """A file of WordNet, out of a folder or a zip file."""
    try:
        with root.join(name).open() as file:
            data: bytes = file.read()
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise GaiError(f"NLTK's wordnet cannot be read: {name}: {error}", HINT) from error


@lru_cache(maxsize=1)
def wordnet(paths: tuple[str, ...]) -> WordNet:
    """WordNet, where NLTK looks for data; GaiError where it is not there."""
    return WordNet(data("corpora/wordnet/", paths))


@lru_cache(maxsize=1)
def tagger(paths: tuple[str, ...]) -> Any:
    """NLTK's tagger for English, whose data is JSON; GaiError where it is not there."""
    from nltk.tag.perceptron import PerceptronTagger

    folder = data("taggers/averaged_perceptron_tagger_eng/", paths)
    pickles = sorted(Path(str(folder)).glob("*.pickle"))
    if pickles:
        raise GaiError(f"{pickles[0]} is a pickle, which can run any code: refused", HINT)
    try:
        return PerceptronTagger()
    except (LookupError, OSError, TypeError, ValueError) as error:
        message = f"NLTK's averaged_perceptron_tagger_eng cannot be read: {type(error).__name__}"
        raise GaiError(message, HINT) from error


def data(resource: str, paths: tuple[str, ...]) -> Any:
    """Where NLTK's data lies; the hint of the GaiError is the command that downloads it."""
    from nltk.data import find

    try:
        return find(resource, list(paths))
    except LookupError as error:
        name = resource.split("/")[1]
        raise GaiError(f"NLTK's {name} is not there", HINT) from error


def data_paths() -> tuple[str, ...]:
    """The folders where NLTK looks for data at this moment."""
    from nltk.data import path

    return tuple(map(str, path))


def nouns() -> Former:
    """WordNet's lemma of each word as a noun, which is NLTK's ``WordNetLemmatizer`` as it comes."""
    known = wordnet(data_paths())

    def forms(words: Sequence[str]) -> list[str]:
        return [known.lemma(word.lower(), "n") for word in words]

    return Former("wordnet-nouns", "en", package(known), cased=False, forms=forms)


def package(known: WordNet) -> str:
    return f"NLTK {version('nltk')}, WordNet {known.version}"


def tagged() -> Tagged:
    """The analyser by WordNet and NLTK's tagger; GaiError where their data is not there."""
    paths = data_paths()
    return Tagged(wordnet(paths), tagger(paths))


class Tagged:
    """WordNet's lemma of each word as the part of speech that NLTK's tagger sees in it.

    Nouns, verbs, adjectives and adverbs are looked up, and come back, in lower case; all else stays
    as it is, for WordNet does not know it. NLTK's tagger sets the pace: 12,000 tokens a second.
    """

    def __init__(self, known: WordNet, tagger: Any) -> None:
        self.known, self.tagger = known, tagger
        self.package = f"{package(known)}, averaged_perceptron_tagger_eng"

    def texts(self, texts: Sequence[str]) -> Iterator[Analysed]:
        """The tokens of each text: sentence by sentence, by NLTK's Treebank tokenizer."""
        from gai.tokens.sentences import sentence_spans
        from gai.tokens.tokenizers import tokenizer

        split = tokenizer("treebank")
        for text in texts:
            whole = Analysed([], [], [], [], [])
            spans = sentence_spans(text)
            sentences = split([text[start:end] for start, end in spans])
            for (offset, _), found in zip(spans, sentences, strict=True):
                whole.starts += [offset + start for start in found.starts]
                whole.ends += [offset + end for end in found.ends]
                self.add(whole, found.tokens)
            yield whole

    def sentences(self, sentences: Sequence[Sequence[str]]) -> Iterator[Analysed]:
        """The given tokens of each sentence."""
        for tokens in sentences:
            starts = [0]
            for token in tokens:
                starts.append(starts[-1] + len(token) + 1)
            ends = [start - 1 for start in starts[1:]]
            found = Analysed([], starts[:-1], ends, [], [])
            self.add(found, list(tokens))
            yield found

    def add(self, found: Analysed, tokens: list[str]) -> None:
        """Adds the tokens of a sentence with their tags and lemmas."""
        tags = [UNIVERSAL.get(tag, "") for _, tag in self.tagger.tag(tokens)]
        found.tokens += tokens
        found.tags += tags
        found.lemmas += map(self.lemma, tokens, tags)

    def lemma(self, token: str, tag: str) -> str:
        """The lemma in lower case; the token itself where WordNet has no such part of speech."""
        part = PARTS.get(tag)
        return self.known.lemma(token.lower(), part) if part else token
