"""Analysis: everything that lies between the text of a document and its terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from gai.errors import UsageError

SCANNERS = ("unicode", "word", "whitespace", "pretokenized")
"""The tokenizers that kernels know."""
LIBRARIES = ("spacy", "treebank", "tweet", "toktok", "punkt", "bpe", "unigram")
"""The tokenizers of other packages; they see the text as it is, and their tokens are normalised."""
TOKENIZERS = (*SCANNERS, "regex", *LIBRARIES)
ANALYSED = ("lemma:spacy", "lemma:wordnet")
"""Forms that need the whole sentence."""
ANALYZERS = ("word", "char", "char_wb")


@dataclass(frozen=True)
class Analysis:
    r"""Everything that lies between the text of a document and its terms.

    The text is normalised first: Unicode normal form, lower case, accents. Then tokens are made,
    then each token may become its stem or its lemma.

    Attributes
    ----------
    tokenizer
        ``unicode``: segments of UAX #29 with a letter or a digit; ``word``: runs of ``\w``;
        ``whitespace``: what ``str.split`` gives; ``regex``: what ``token_pattern`` finds;
        ``pretokenized``: what spaces (U+0020) separate; or one of ``LIBRARIES``.
    token_pattern
        A pattern for Python's ``re``. Of a pattern with one group the group is the token.
    min_length
        Shortest token of ``word``, in characters.
    lowercase, strip_accents, normalize
        How the text is normalised.
    form
        What becomes of a token: "" nothing, ``stem:snowball``, ``stem:porter:martin``,
        ``lemma:simplemma``. Lemmas are looked up in the original case, and normalised after.
    context
        Whether lemmas that one word leaves open are decided by its neighbours.
    lang, model
        The language, or the file or package, of tokenizer and form, where these want one.
    package
        The library behind the form, and its version.
    analyzer
        ``word``: n-grams of tokens; ``char`` and ``char_wb``: n-grams of characters, as
        scikit-learn defines them, ``char_wb`` inside words padded with spaces.
    ngrams
        Smallest and largest n.
    stop_words
        Tokens that are left out, normalised as the text is, sorted. ``stop_words_name`` is how the
        user called them.
    """

    tokenizer: str = "unicode"
    token_pattern: str | None = None
    min_length: int = 1
    lowercase: bool = True
    strip_accents: str | None = None
    normalize: str | None = None
    form: str = ""
    context: bool = False
    lang: str = ""
    model: str = ""
    package: str = ""
    analyzer: str = "word"
    ngrams: tuple[int, int] = (1, 1)
    stop_words: tuple[str, ...] = ()
    stop_words_name: str = ""

    def __post_init__(self) -> None:
        if self.tokenizer not in TOKENIZERS:
            raise UsageError(f"unknown tokenizer {self.tokenizer}", f"one of {TOKENIZERS}")
        if self.analyzer not in ANALYZERS:
            raise UsageError(f"unknown analyzer {self.analyzer}", f"one of {ANALYZERS}")
        low, high = self.ngrams
        if not 1 <= low <= high:
            raise UsageError(f"n-grams from {low} to {high}", "1 or more, the smaller one first")
        if self.tokenizer == "regex":
            _ = self.pattern

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled token pattern; raises UsageError where it is no pattern."""
        try:
            pattern = re.compile(self.token_pattern or "")
        except re.error as error:
            raise UsageError(f"token pattern {self.token_pattern!r}: {error}") from error
        if pattern.groups > 1:
            raise UsageError(
                f"token pattern {self.token_pattern!r} has {pattern.groups} groups",
                "at most one; write (?:...) for the others",
            )
        return pattern

    @property
    def scanned(self) -> bool:
        """Whether a kernel finds the tokens."""
        known = self.tokenizer in SCANNERS and self.form not in ANALYSED
        return self.analyzer == "word" and known

    @property
    def splittable(self) -> bool:
        """Whether a document may be cut after a line, or before a word, and counted in parts."""
        plain = self.strip_accents is None and self.normalize is None
        words = self.scanned and self.tokenizer != "pretokenized"
        return words and plain and not self.context and self.ngrams == (1, 1)
