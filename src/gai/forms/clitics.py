"""English words that hold a second one behind an apostrophe: it's, don't, dog's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Forms = Callable[[Sequence[str]], list[str]]

CLITIC = re.compile(r"(.+?)(n['’]t|['’](?:s|re|ve|ll|m|d))", re.IGNORECASE)
IRREGULAR = {"ca": "can", "wo": "will", "sha": "shall"}
"""What stands before n't where it is not the verb itself."""


def without_clitics(forms: Forms) -> Forms:
    """The same function of words, which sees only the first part of such a word.

    Tokens of plain text keep these words whole. The lemma of the first part is then what treebanks
    have for the first of the two words.
    """
    return lambda words: forms([first_part(word) for word in words])


def first_part(word: str) -> str:
    """The word without a clitic behind it.

    >>> [first_part(word) for word in ("it's", "don't", "Won’t", "dogs'", "'s")]
    ['it', 'do', 'will', "dogs'", "'s"]
    """
    found = CLITIC.fullmatch(word)
    if not found:
        return word
    first = found[1]
    return IRREGULAR.get(first.lower(), first) if found[2][0] in "nN" else first
