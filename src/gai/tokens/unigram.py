"""Learns the pieces of a unigram model with numpy, and always the same ones.

T. Kudo: Subword Regularization, ACL 2018, section 3.2. Begin with too many pieces, estimate their
probabilities by expectation maximisation over all ways to spell each word, drop the pieces that
cost the least likelihood, and go on until few enough are left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError

MOST_WORDS = 300_000
"""The most frequent words are learned from; a rarer one says little and takes as long."""

LONGEST_PIECE = 16
LONGEST_WORD = 24
"""Longer words are learned from in parts, so that products of probabilities stay above zero."""

SEEDS = 10
"""Pieces to begin with, for each that is wanted."""

KEPT = 0.75
"""Share of the pieces that is left after each round."""

ROUNDS = 2
"""Steps of expectation maximisation before pieces are dropped."""

SELDOM = 0.5
"""A piece that is expected fewer times in the whole text is dropped."""

LEAST = 1e-10
"""The lowest probability of a character."""

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
Floats = NDArray[np.float64]
Weighted = Iterable[tuple[str, int]]


class Strings(NamedTuple):
    """Distinct strings, longest first: where each begins in a text, and its length."""

    starts: Ints
    lengths: Ints

    def as_long_as(self, length: int) -> int:
        """How many have at least this length."""
        return int(np.searchsorted(-self.lengths, -length, side="right"))


class Words(NamedTuple):
    """What is learned from: the words one behind the other, and how often each occurs."""

    text: str
    strings: Strings
    counts: Ints


class Pieces(NamedTuple):
    """The pieces to choose from, by number: single characters first.

    ``numbers[k][i]`` is the number of the piece of k + 1 characters that begins at place i of the
    text of the words, -1 where there is none. ``starts`` and ``lengths`` say where to read each,
    ``counts`` how often it occurs.
    """

    numbers: list[Numbers]
    starts: Ints
    lengths: Ints
    counts: Ints
    singles: int


class Step(NamedTuple):
    """All pieces that lead from one place of a string to another: in which strings, and which."""

    start: int
    end: int
    strings: Ints
    pieces: Numbers


def learned(words: Mapping[str, int], size: int, min_frequency: int = 2) -> list[tuple[str, float]]:
    """At most ``size`` pieces and their log probabilities, best first, ties by piece.

    ``words`` says how often each word occurs. What occurs less than ``min_frequency`` times is no
    piece. Raises GaiError where nothing does.
    """
    ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]
    alphabet = frequent_characters(ranked, max(size // 2, 1), min_frequency)
    if not alphabet:
        raise GaiError(f"no character occurs {min_frequency} times", "nothing to learn from")
    laid_out = words_of(ranked, alphabet)
    pieces = seeds(laid_out, alphabet, SEEDS * size, max(min_frequency, 2))
    steps = list(steps_through(laid_out.strings, pieces))
    scores = pieces.counts / pieces.counts.sum()
    while True:
        for _ in range(ROUNDS):
            expected = expectation(steps, laid_out, scores)
            scores = maximised(expected, pieces.singles)
        many = int(np.count_nonzero(scores))
        if many <= size:
            return named(laid_out.text, pieces, scores)
        dropped = cheapest(pieces, scores, expected, many - max(size, int(many * KEPT)))
        scores[dropped] = 0.0
        steps = list(remaining(steps, scores))


def frequent_characters(words: Weighted, most: int, least_often: int) -> str:
    """The characters that occur often enough, at most ``most`` of them, in order."""
    counts: Counter[str] = Counter()
    for word, count in words:
        for character in word:
            counts[character] += count
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return "".join(sorted(character for character, count in ranked if count >= least_often))


def words_of(words: Weighted, alphabet: str) -> Words:
    """The words without other characters than those of the alphabet, cut where they are long."""
    counts: Counter[str] = Counter()
    for word, count in words:
        for part in parts(word, alphabet):
            counts[part] += count
    ordered = sorted(counts.items(), key=lambda item: (-len(item[0]), item[0]))
    lengths = np.array([len(word) for word, _ in ordered], np.int64)
    strings = Strings(np.cumsum(lengths) - lengths, lengths)
    text = "".join(word for word, _ in ordered)
    return Words(text, strings, np.array([count for _, count in ordered], np.int64))


def parts(word: str, alphabet: str) -> Iterator[str]:
    """The runs of characters of the alphabet, none longer than LONGEST_WORD."""
    known = set(alphabet)
    if not known.issuperset(word):
        word = "".join(character if character in known else "\n" for character in word)
    for run in word.split("\n"):
        for start in range(0, len(run), LONGEST_WORD):
            yield run[start : start + LONGEST_WORD]


def seeds(words: Words, alphabet: str, most: int, least_often: int) -> Pieces:
    """The pieces to begin with: all characters, and those longer ones that cover most text.

    A string that is only ever part of one and the same longer string is left out. Strings grow by
    one character a time, because one that is frequent begins with one that is.
    """
    codes = np.frombuffer(words.text.encode("utf-32-le"), "<u4")
    letters = np.frombuffer(alphabet.encode("utf-32-le"), "<u4")
    characters = np.searchsorted(letters, codes)
    often = np.repeat(words.counts, words.strings.lengths)
    ends = np.repeat(words.strings.starts + words.strings.lengths, words.strings.lengths)
    everywhere = np.arange(len(codes))
    levels = [level(characters, everywhere, often, 1)]
    for length in range(2, LONGEST_PIECE + 1):
        before = levels[-1].numbers
        places = everywhere[(before >= 0) & (everywhere + length <= ends)]
        keys = before[places].astype(np.int64) * len(letters) + characters[places + length - 1]
        levels.append(level(keys, places, often, least_often))
    return chosen(levels, most)


class Level(NamedTuple):
    """The frequent strings of one length: their number at each place, and for each number a place
    where it begins and how often it occurs."""

    numbers: Numbers
    starts: Ints
    counts: Ints


def level(keys: Ints, places: Ints, often: Ints, least_often: int) -> Level:
    """The strings at these places that are frequent enough; equal keys are equal strings.

    ``often`` says for every place how often its word occurs.
    """
    _, first, string = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.bincount(string, often[places]).astype(np.int64)
    kept = counts >= least_often
    renumbered = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    numbers = np.full(len(often), -1, np.int32)
    numbers[places] = renumbered[string]
    return Level(numbers, places[first[kept]], counts[kept])


def chosen(levels: list[Level], most: int) -> Pieces:
    """All pieces of one character and the ``most`` best of the longer ones."""
    lengths = np.concatenate([np.full(len(level.starts), k) for k, level in enumerate(levels, 1)])
    starts = np.concatenate([level.starts for level in levels])
    counts = np.concatenate([level.counts for level in levels])
    singles = len(levels[0].starts)
    whole = ~np.concatenate(
        [*map(parts_only, levels, levels[1:]), np.zeros(len(levels[-1].starts), bool)]
    )
    longer = singles + np.flatnonzero(whole[singles:])
    best = longer[np.argsort(-counts[longer] * lengths[longer], kind="stable")[:most]]
    kept = np.concatenate([np.arange(singles), np.sort(best)])
    renumbered = np.full(len(starts) + 1, -1, np.int32)
    renumbered[kept] = np.arange(len(kept))
    offsets = np.cumsum([0] + [len(level.starts) for level in levels])
    numbers = [
        renumbered[np.where(level.numbers < 0, -1, level.numbers + offset)]
        for level, offset in zip(levels, offsets.tolist(), strict=False)
    ]
    return Pieces(numbers, starts[kept], lengths[kept], counts[kept], singles)


def parts_only(strings: Level, longer: Level) -> NDArray[np.bool_]:
    """Which strings occur only inside one and the same string that is longer by a character."""
    found = np.zeros(len(strings.starts), np.bool_)
    for shift in (0, 1):
        inside = strings.numbers[longer.starts + shift]
        found[inside[strings.counts[inside] == longer.counts]] = True
    return found


def steps_through(strings: Strings, pieces: Pieces) -> Iterator[Step]:
    """The steps through strings in the text of the words, ordered by where they end."""
    for end in range(1, int(strings.lengths[0]) + 1):
        starts = strings.starts[: strings.as_long_as(end)]
        for start in range(max(0, end - LONGEST_PIECE), end):
            numbers = pieces.numbers[end - start - 1][starts + start]
            there = np.flatnonzero(numbers >= 0)
            yield Step(start, end, there, numbers[there])


def remaining(steps: Iterable[Step], scores: Floats) -> Iterator[Step]:
    """The steps by pieces that have a probability."""
    for step in steps:
        kept = scores[step.pieces] > 0
        yield step._replace(strings=step.strings[kept], pieces=step.pieces[kept])


def expectation(steps: list[Step], words: Words, scores: Floats) -> Floats:
    """How often each piece is expected in the text, over all ways to spell each word.

    ``before[i]`` and ``after[i]`` are, for each word, the probability of its characters before and
    from place i on (the forward and backward probabilities).
    """
    lengths = words.strings.lengths
    shape = (int(lengths[0]) + 1, len(lengths))
    before, after = np.zeros(shape), np.zeros(shape)
    every = np.arange(len(lengths))
    before[0], after[lengths, every] = 1.0, 1.0
    for start, end, there, pieces in steps:
        before[end][there] += before[start][there] * scores[pieces]
    weights = words.counts / before[lengths, every]
    expected = np.zeros(len(scores))
    for start, end, there, pieces in reversed(steps):
        from_here = scores[pieces] * after[end][there]
        after[start][there] += from_here
        share = before[start][there] * from_here * weights[there]
        expected += np.bincount(pieces, share, len(scores))
    return expected


def maximised(expected: Floats, singles: int) -> Floats:
    """The probabilities of the pieces; the digamma function holds back the rare ones.

    Pieces that are seldom expected get none, but for characters.
    """
    from scipy.special import digamma

    kept = expected >= SELDOM
    scores = np.zeros(len(expected))
    scores[kept] = np.exp(digamma(expected[kept]) - digamma(expected[kept].sum()))
    scores[:singles] = np.maximum(scores[:singles], LEAST)
    return scores


def cheapest(pieces: Pieces, scores: Floats, expected: Floats, many: int) -> Ints:
    """The ``many`` pieces, none a character, without which the text loses the least likelihood.

    Without a piece its best spelling by others takes its place.
    """
    longer = pieces.singles + np.flatnonzero(scores[pieces.singles :])
    longer = longer[np.argsort(-pieces.lengths[longer], kind="stable")]
    strings = Strings(pieces.starts[longer], pieces.lengths[longer])
    loss = expected[longer] * (np.log(scores[longer]) - spelled(strings, pieces, scores))
    return longer[np.argsort(loss, kind="stable")[:many]]


def spelled(strings: Strings, pieces: Pieces, scores: Floats) -> Floats:
    """The log probability of the best spelling of each string by other pieces than itself."""
    with np.errstate(divide="ignore"):
        logs = np.log(scores)
    best = np.full((int(strings.lengths[0]) + 1, len(strings.lengths)), -np.inf)
    best[0] = 0.0
    for start, end, there, numbers in remaining(steps_through(strings, pieces), scores):
        itself = (start == 0) & (strings.lengths[there] == end)
        ways = np.where(itself, -np.inf, best[start][there] + logs[numbers])
        best[end][there] = np.maximum(best[end][there], ways)
    found: Floats = best[strings.lengths, np.arange(len(strings.lengths))]
    return found


def named(text: str, pieces: Pieces, scores: Floats) -> list[tuple[str, float]]:
    """The pieces with their log probabilities, best first."""
    found = [
        (text[start : start + length], round(float(np.log(score)), 6))
        for start, length, score in zip(
            pieces.starts.tolist(), pieces.lengths.tolist(), scores.tolist(), strict=True
        )
        if score > 0
    ]
    return sorted(found, key=lambda piece: (-piece[1], piece[0]))
