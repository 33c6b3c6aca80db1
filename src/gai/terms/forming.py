"""From words to their forms, once for each distinct word, by number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gai.terms.arena import Terms
from gai.terms.scanner import Rows
from gai.tokens.analysis import ANALYSED, Analysis
from gai.tokens.normalise import normaliser

Step = Callable[[str], str]


class Context(Protocol):
    """What decides by the neighbours of a word; see ``gai.forms.context``.

    ``lemmas`` may grow as words are learned.
    """

    lemmas: list[str]

    def extend(self, words: Sequence[str]) -> None: ...

    def corrections(
        self, ids: NDArray[np.int32], bounds: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]: ...


class Forming:
    """What becomes of each word; shared by all workers, so that no word is looked at twice.

    ``forms`` gives the form of each of many words, ``finish`` what is done to a form afterwards.
    Words that end as one of ``drop``, or as nothing, are left out.
    """

    def __init__(
        self,
        forms: Callable[[Sequence[str]], list[str]],
        finish: Step,
        drop: Collection[str] = (),
        context: Callable[[], Context] | None = None,
    ) -> None:
        self.forms, self.finish, self.context = forms, finish, context
        self.drop = frozenset(drop) | {""}
        self._known: dict[str, str] = {}
        self._lock = Lock()

    def of(self, words: Sequence[str]) -> list[str]:
        """The finished form of each word; "" for one that is left out."""
        with self._lock:  # the libraries behind are not made for threads
            new = [word for word in dict.fromkeys(words) if word not in self._known]
            made = self.forms(new)
            self._known.update(zip(new, map(self.ended, made), strict=True))
            return [self._known[word] for word in words]

    def ended(self, form: str) -> str:
        """A form as it is given out."""
        final = self.finish(form)
        return "" if final in self.drop else final


def forming(analysis: Analysis) -> Forming | None:
    """What becomes of each token; None where they stay as they are, or whole sentences decide."""
    from gai.forms import choosing

    if not analysis.form or analysis.form in ANALYSED:
        return None
    former = choosing.former(analysis)
    finish: Step = str
    if former.cased:
        finish = normaliser(analysis.lowercase, analysis.strip_accents, None)
    context = choosing.context(analysis) if analysis.context else None
    return Forming(former.forms, finish, analysis.stop_words, context)


def before_forms(analysis: Analysis) -> Analysis:
    """The analysis up to the words that become forms; itself where none do."""
    from gai.forms import choosing

    if not analysis.form or analysis.form in ANALYSED:
        return analysis
    plain = replace(analysis, form="", context=False, stop_words=())
    if not choosing.former(analysis).cased:
        return plain
    return replace(plain, lowercase=False, strip_accents=None)


class FormTable:
    """One worker's words and forms by number: ids of words in, ids of forms out."""

    def __init__(self, forming: Forming) -> None:
        self.forming = forming
        self.context = forming.context() if forming.context else None
        self.numbers: dict[str, int] = {}
        self.form_of = np.zeros(0, np.int32)
        self._decided: list[int] = []

    def terms(self) -> Terms:
        """The forms, in the order of their ids."""
        return Terms.of(self.numbers)

    def formed(self, rows: Rows, words: Terms) -> Rows:
        """The rows with the ids of forms in place of those of words; dropped tokens are gone.

        ``rows`` are encoded or located tokens, ``words`` all words so far, by id.
        """
        self._learn(words)
        ids = self.form_of[rows.ids]
        if self.context is not None:
            where, decided = self.context.corrections(rows.ids, rows.indptr)
            ids[where] = np.array(self._decided, np.int32)[decided]
        kept = ids >= 0
        if kept.all():
            return rows._replace(ids=ids)
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[rows.indptr]
        places = (rows.begins[kept], rows.stops[kept]) if len(rows.begins) else (rows.begins,) * 2
        return Rows(indptr, ids[kept], rows.counts[:0], np.diff(indptr), *places)

    def _learn(self, words: Terms) -> None:
        known = len(self.form_of)
        if len(words) == known:
            return
        new = list(words[known:])
        numbers = [self._number(form) for form in self.forming.of(new)]
        self.form_of = np.concatenate([self.form_of, np.array(numbers, np.int32)])
        if self.context is not None:
            self.context.extend(new)
            more = self.context.lemmas[len(self._decided) :]
            self._decided += [self._number(self.forming.ended(lemma)) for lemma in more]

    def _number(self, form: str) -> int:
        return self.numbers.setdefault(form, len(self.numbers)) if form else -1
