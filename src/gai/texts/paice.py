"""How much a stemmer cuts too little and too much: Paice's understemming and overstemming."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Paice:
    r"""Pairs of words, counted, and the three measures that follow from them.

    Of W words that belong to groups (those of one lemma, say) and got stems, n_g are in group g,
    n_s got the stem s, and n_gs did both. A pair of one group should get one stem (desired merge),
    a pair of two groups should not (desired non-merge).

    Source: C. D. Paice, An evaluation method for stemming algorithms, SIGIR 1994.

    Attributes
    ----------
    gdmt
        Desired merges: the sum of n_g (n_g - 1) / 2 over all groups.
    gumt
        Those of them that the stemmer does not make: the sum of n_gs (n_g - n_gs) / 2.
    gdnt
        Desired non-merges: the sum of n_g (W - n_g) / 2.
    gwmt
        Wrong merges: the sum of n_gs (n_s - n_gs) / 2.
    """

    gdmt: int
    gumt: int
    gdnt: int
    gwmt: int

    @property
    def ui(self) -> float | None:
        """Understemming index: gumt / gdmt, from 0 to 1; None where no pair should be merged."""
        return self.gumt / self.gdmt if self.gdmt else None

    @property
    def oi(self) -> float | None:
        """Overstemming index: gwmt / gdnt, from 0 to 1; None where all words are one group."""
        return self.gwmt / self.gdnt if self.gdnt else None

    @property
    def sw(self) -> float | None:
        """Stemming weight: oi / ui; None where that is no number. Large is a strong stemmer."""
        return self.oi / self.ui if self.ui and self.oi is not None else None


def paice(words: Iterable[tuple[Hashable, Hashable]]) -> Paice:
    """Paice's counts for one (group, stem) for each distinct word.

    >>> paice([("run", "run"), ("run", "run"), ("run", "ran"), ("rung", "run")])
    Paice(gdmt=3, gumt=2, gdnt=3, gwmt=2)
    """
    both = Counter(words)
    groups, stems = Counter[Hashable](), Counter[Hashable]()
    for (group, stem), number in both.items():
        groups[group] += number
        stems[stem] += number
    merged = pairs(both)
    desired = pairs(groups)
    every = both.total() * (both.total() - 1) // 2
    return Paice(desired, desired - merged, every - desired, pairs(stems) - merged)


def pairs(classes: Counter[Hashable] | Counter[tuple[Hashable, Hashable]]) -> int:
    """How many pairs of words are in one class: the sum of n (n - 1) / 2."""
    return sum(number * (number - 1) // 2 for number in classes.values())
