"""Training and validation parts of examples: the same for the same seed, on every machine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.nn.data import groups
from gai.nn.data.raw import Raw

Rows = NDArray[np.int64]


def _require_fraction(fraction: float) -> None:
    if not 0.0 < fraction < 1.0:
        raise UsageError(f"the validation part is {fraction}: not between 0 and 1", "--valid 0.1")


def split(raw: Raw, fraction: float, seed: int, *, by_time: bool = False) -> tuple[Rows, Rows]:
    """The rows to train on and those to validate on, both ascending.

    With one label an example each class keeps its share, and one example at least to train on;
    otherwise rows are drawn from all; groups stay together. ``by_time`` takes the last ones, and
    leaves out those before them whose targets they hold too. Raises GaiError where a part would be
    empty.
    """
    _require_fraction(fraction)
    if by_time:
        return _by_time(raw, fraction)
    random = np.random.default_rng(seed)
    if raw.groups is not None:
        part = groups.dealt(raw, (1 - fraction, fraction), random)
        _require_both(np.flatnonzero(part == 0), np.flatnonzero(part == 1), raw)
        return np.flatnonzero(part == 0), np.flatnonzero(part == 1)
    classes = classes_of(raw)
    sizes = shares([len(rows) for rows in classes], fraction)
    drawn = [random.permutation(rows)[:size] for rows, size in zip(classes, sizes, strict=True)]
    valid = np.sort(np.concatenate(drawn))
    train = np.setdiff1d(np.arange(len(raw)), valid)
    _require_both(train, valid, raw)
    return train, valid


def split_classes(raw: Raw, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """The rows of the classes to train on and those of the classes to validate on, both ascending.

    Of the classes ``fraction`` are drawn, and two stay in each part: what differs is learned from
    two, and seen in two. Raises GaiError where there are too few.
    """
    _require_fraction(fraction)
    if raw.groups is not None:
        raise UsageError("--split-by classes with --group-field", "one of them")
    classes = classes_of(raw)
    held = max(round(len(classes) * fraction), 2)
    if len(classes) - held < 2:
        many = "1 class" if len(classes) == 1 else f"{len(classes)} classes"
        message = f"{many} cannot be split into training and other ones, two at least of each"
        raise GaiError(message, "--split-by examples, or --valid FILE with other data")
    drawn = np.random.default_rng(seed).permutation(len(classes))[:held]
    valid = np.sort(np.concatenate([classes[place] for place in drawn]))
    return np.setdiff1d(np.arange(len(raw)), valid), valid


def classes_of(raw: Raw) -> list[Rows]:
    """The rows of each class, or all of them."""
    labels = raw.labels
    if not isinstance(labels, list) or not labels or not isinstance(labels[0], str):
        return [np.arange(len(raw))]
    found: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(label, []).append(row)
    return [np.array(found[label]) for label in sorted(found)]


def shares(sizes: list[int], fraction: float) -> list[int]:
    """How many of each group go to validation: all together round(fraction * all), at least 1.

    Each gets its share rounded down; those that lost most by this get one more (the method of
    largest remainders). One of each group stays.
    """
    exact = np.array(sizes) * fraction
    found = np.floor(exact).astype(np.int64)
    left = max(round(sum(sizes) * fraction), 1) - int(found.sum())
    most = np.argsort(found - exact, kind="stable")
    room = most[np.array(sizes)[most] - found[most] > 1]
    found[room[: max(left, 0)]] += 1
    counts: list[int] = found.tolist()
    return counts


def _by_time(raw: Raw, fraction: float) -> tuple[Rows, Rows]:
    """The last rows, and those before them whose targets end before theirs begin."""
    count = len(raw)
    first = count - max(round(count * fraction), 1)
    train, valid = np.arange(max(first - overlap(raw), 0)), np.arange(first, count)
    _require_both(train, valid, raw)
    return train, valid


def overlap(raw: Raw) -> int:
    """How many rows before a window have targets that are its targets too."""
    if raw.array is None or raw.array.ndim != 3 or not isinstance(raw.labels, np.ndarray):
        return 0
    return int(raw.labels.shape[1] // raw.array.shape[2]) - 1


def _require_both(train: Rows, valid: Rows, raw: Raw) -> None:
    if not len(train) or not len(valid):
        many = "1 example" if len(raw) == 1 else f"{len(raw)} examples"
        if isinstance(raw.labels, list) and len(raw) > 1 and not len(valid):
            many += ", one of each class,"
        message = f"{many} cannot be split into a training and a validation part"
        raise GaiError(message, "--valid FILE names other data to validate on")


def split_texts(raw: Raw, fraction: float) -> tuple[Raw, Raw]:
    """All of the text but its end, and the last ``fraction`` of its characters.

    As nanoGPT splits it: 0.1 leaves the first int(0.9 * n) of n characters to train on. A text that
    the cut goes through is in both, in two pieces.
    """
    _require_fraction(fraction)
    assert raw.texts is not None
    ids, texts = list(raw.ids), raw.texts
    ends = np.cumsum([len(text) for text in texts])
    total = int(ends[-1])
    cut = min(int(total * (1.0 - fraction)), total - 1)
    if cut < 1:
        hint = "--valid FILE names other text to validate on"
        raise GaiError(f"a text of length {total} is too short to be split in two", hint)
    number = int(np.searchsorted(ends, cut, side="right"))
    inside = cut - int(ends[number]) + len(texts[number])
    first = _texts(raw, [*texts[:number], texts[number][:inside]], ids[: number + 1])
    return first, _texts(raw, [texts[number][inside:], *texts[number + 1 :]], ids[number:])


def _texts(raw: Raw, texts: list[str], ids: list[str]) -> Raw:
    """These texts but for empty ones."""
    kept = [(text, id) for text, id in zip(texts, ids, strict=True) if text]
    return replace(raw, texts=[text for text, _ in kept], ids=[id for _, id in kept], labels=None)
