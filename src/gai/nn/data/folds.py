"""k folds of the data: each is held out once, and trained on by the others.

With one label an example every class is spread evenly over the folds (Kohavi 1995); groups stay
together; a series is cut by time, and no fold is foretold from what comes after it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gai.errors import UsageError
from gai.nn.config import Config
from gai.nn.data import groups
from gai.nn.data.raw import Raw
from gai.nn.data.splits import classes_of, overlap

Rows = NDArray[np.int64]


def held_out(raw: Raw, config: Config) -> tuple[Raw, Raw]:
    """What a fold is not, and the fold, as ``config.fold`` says: 2/5 is the second of five.

    Raises UsageError where the data has not so many folds.
    """
    assert config.fold is not None
    number, count = numbers_of(config.fold)
    if config.test is not None:
        hint = "a fold is the test part of its run"
        raise UsageError(f"--fold {config.fold} and --test {config.test}", hint)
    if config.task == "lm":
        return without_piece(raw, number, count)
    require(raw, count)
    if config.task == "forecast":
        train, held = by_time(raw, number, count)
    else:
        seed = config.seed if config.split_seed is None else config.split_seed
        fold = assigned(raw, count, seed)
        train, held = np.flatnonzero(fold != number - 1), np.flatnonzero(fold == number - 1)
    return raw.take(train), raw.take(held)


def numbers_of(text: str) -> tuple[int, int]:
    """The two numbers of ``2/5``."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) > 1):
        raise UsageError(f"--fold {text}: not a fold of two or more", "--fold 2/5")
    return int(number), int(count)


def assigned(raw: Raw, count: int, seed: int) -> Rows:
    """The fold of each example, int64 [n] from 0 on; the same for the same seed.

    Folds differ by at most one example, and by at most one of each class. Groups stay together, so
    that theirs differ by more.
    """
    random = np.random.default_rng(seed)
    if raw.groups is not None:
        return groups.dealt(raw, [1 / count] * count, random)
    order = np.concatenate([random.permutation(rows) for rows in classes_of(raw)])
    fold = np.empty(len(raw), np.int64)
    fold[order] = np.arange(len(raw)) % count
    return fold


def by_time(raw: Raw, number: int, count: int) -> tuple[Rows, Rows]:
    """All that comes before a fold, and the fold: what is learned from grows from fold to fold.

    Folds are as large as each other, and what comes before the first is as large or larger. The
    last windows before a fold are left out where its targets are theirs, too.
    """
    size = len(raw) // (count + 1)
    first = len(raw) - (count + 1 - number) * size
    train = np.arange(max(first - overlap(raw), 0))
    if not size or not len(train):
        hint = f"-k {max(count // 2, 2)}, or a longer series"
        raise UsageError(f"{len(raw)} windows are too few for {count} folds", hint)
    return train, np.arange(first, first + size)


def without_piece(raw: Raw, number: int, count: int) -> tuple[Raw, Raw]:
    """All of the text but the piece of this number, and the piece: pieces follow one another."""
    assert raw.texts is not None
    size = sum(map(len, raw.texts))
    if size < count:
        raise UsageError(f"{count} folds of a text of length {size}", "fewer folds, or more text")
    if raw.groups is not None:
        raise UsageError("--group-field: a language model reads one text", "leave it out")
    first, last = (size * (number - 1)) // count, (size * number) // count
    before, after = piece(raw, 0, first), piece(raw, last, size)
    train = replace(before, ids=[*before.ids, *after.ids], texts=_texts(before) + _texts(after))
    return train, piece(raw, first, last)


def piece(raw: Raw, first: int, last: int) -> Raw:
    """The characters from ``first`` up to ``last`` of all texts, one after the other."""
    ids, texts, start = list[str](), list[str](), 0
    for id, text in zip(raw.ids, _texts(raw), strict=True):
        inside = text[max(first - start, 0) : max(last - start, 0)]
        start += len(text)
        if inside:
            ids.append(id)
            texts.append(inside)
    return replace(raw, ids=ids, texts=texts, labels=None)


def _texts(raw: Raw) -> list[str]:
    return raw.texts or []


def require(raw: Raw, count: int) -> None:
    """Raises UsageError where there are fewer examples, groups, or examples of every class than
    folds."""
    if len(raw) < count:
        raise UsageError(f"{count} folds of {len(raw):,} examples", "fewer folds, or more data")
    if raw.groups is not None:
        if (found := len(set(raw.groups))) < count:
            raise UsageError(f"{count} folds of {found:,} groups", "fewer folds, or more groups")
        return
    most = max(class_sizes(raw).values(), default=count)
    if most < count:
        hint = f"{max(most, 2)} folds, or more data"
        raise UsageError(f"{count} folds, and no label has more than {most} examples", hint)


def bootstrapped(count: int, seed: int) -> Rows:
    """As many rows as there are, drawn with replacement: about 63 % of them, some several times."""
    return np.random.default_rng((seed, 2)).integers(count, size=count)


def class_sizes(raw: Raw) -> Counter[str]:
    """How many examples each label has; nothing where an example has not just one."""
    labels = raw.labels
    if not isinstance(labels, list) or not labels or not isinstance(labels[0], str):
        return Counter()
    return Counter(str(label) for label in labels)


def note(raw: Raw, count: int) -> str | None:
    """What a person should know of classes that are not in every fold."""
    sizes = class_sizes(raw)
    rare = sorted(label for label, size in sizes.items() if size < count)
    if not rare:
        return None
    shown = ", ".join(map(repr, rare[:3])) + (", ..." if len(rare) > 3 else "")
    return f"labels with fewer examples than there are folds: {shown}"
