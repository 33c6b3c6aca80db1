"""Training examples changed at random by name, as ``gai.nn.names.AUGMENTATIONS`` lists them.

All chance comes from the generator that is given, so a resumed run draws what it would have drawn.
With the rate R (``--augment-rate``)

- text: each word is left out, swapped with the next, or replaced by a synonym or a random word,
  with probability R. A text never loses its last word, a tag never its token; terms that the
  vocabulary lacks stay where they are, and never come in;
- images: moved by up to R of their size along each side, turned by up to R times 90 degrees, scaled
  by up to 1 - R or 1 + R, cut to a side of 1 - R or more; every second one is mirrored. What comes
  in at the border is its last pixel. Several of these are one map, sampled once;
- numbers and pixels: Gaussian noise with deviation R is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import PAD, UNKNOWN, Kind, Ragged
from gai.nn.net.batches import Batch
from gai.nn.net.inputs import Inputs

Augment = Callable[[Batch, Generator], Batch]
"""A batch with its inputs changed; the given one stays as it is."""

FITTING: dict[str, tuple[str, ...]] = {
    "ids": ("drop", "swap", "synonym", "noise"),
    "rows": (),
    "numbers": ("noise",),
    "sequences": ("noise",),
    "images": ("shift", "rotate", "scale", "flip", "crop", "noise"),
}

OF_TAGS = ("noise",)
"""What fits tokens with tags: they must stay, and come as features, which have no synonyms."""

FIRST_TERM = max(PAD, UNKNOWN) + 1


def augmenter(
    config: Config, kind: Kind, vocabulary: Sequence[str] | None = None
) -> Augment | None:
    """What changes the examples of each batch, in the order of ``--augment``; None for nothing.

    ``vocabulary`` is the term of each id, for text; those of padding and of unknown terms are not
    looked at. Raises UsageError for what does not fit the input, GaiError for synonyms where there
    are none.
    """
    if not config.augment:
        return None
    _check(config, kind)
    if kind == "images":
        return partial(of_images, names=config.augment, rate=config.augment_rate)
    if kind != "ids":
        return partial(of_numbers, rate=config.augment_rate)
    assert vocabulary is not None
    changes = [_of_text(name, config.augment_rate, vocabulary) for name in config.augment]
    return partial(of_texts, changes=changes)


def _check(config: Config, kind: Kind) -> None:
    if not 0 < config.augment_rate <= 1:
        raise UsageError("--augment-rate must be above 0 and at most 1")
    if config.task == "lm":
        raise UsageError("--task lm has no --augment: its text is what it learns")
    fitting = FITTING[kind]
    if config.task == "tag":
        fitting = tuple(name for name in fitting if name in OF_TAGS)
    for name in config.augment:
        if name not in fitting:
            tags = config.task == "tag" and name in FITTING[kind]
            what = "--task tag" if tags else f"input {kind}"
            hint = f"one of {', '.join(fitting)}" if fitting else "leave it out"
            raise UsageError(f"--augment {name} does not fit {what}", hint)


Change = Callable[[Ragged, Generator], Ragged]


def of_texts(batch: Batch, rng: Generator, *, changes: Sequence[Change]) -> Batch:
    """Texts through all changes."""
    texts = unpadded(batch.inputs)
    for change in changes:
        texts = change(texts, rng)
    return batch._replace(inputs=padded(texts, batch.inputs.values.device))


def unpadded(inputs: Inputs) -> Ragged:
    """The ids of each text, without what stands behind its end."""
    assert inputs.lengths is not None
    values, lengths = inputs.values.cpu().numpy(), inputs.lengths.cpu().numpy()
    within = np.arange(values.shape[1]) < lengths[:, None]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Ragged(values[within].astype(np.int32), offsets)


def padded(texts: Ragged, device: torch.device) -> Inputs:
    """The texts as a network takes them."""
    values = torch.from_numpy(texts.padded(np.arange(texts.rows)))
    return Inputs(values.to(device).long(), torch.from_numpy(texts.lengths).to(device))


def _of_text(name: str, rate: float, vocabulary: Sequence[str]) -> Change:
    if name == "drop":
        return partial(drop, rate=rate)
    if name == "swap":
        return partial(swap, rate=rate)
    if name == "noise":
        return partial(noise_words, rate=rate, terms=len(vocabulary))
    return partial(put_synonyms, rate=rate, synonyms=synonyms_of(vocabulary))


def drop(texts: Ragged, rng: Generator, *, rate: float) -> Ragged:
    """Texts with words left out; of one that would lose all, a random word stays."""
    values, offsets = texts
    draws = rng.random(len(values))
    kept = (draws >= rate) | (values < FIRST_TERM)
    starts = offsets[:-1][texts.lengths > 0]
    if len(starts):
        # Where no word has drawn the rate or more, the one that came next to it stays.
        highest = np.maximum.reduceat(draws, starts)
        lost = np.add.reduceat(kept.astype(np.int64), starts) == 0
        lengths = texts.lengths[texts.lengths > 0]
        kept |= draws >= np.repeat(np.where(lost, highest, np.inf), lengths)
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    return Ragged(values[kept], before[offsets])


def swap(texts: Ragged, rng: Generator, *, rate: float) -> Ragged:
    """Texts with neighbours swapped, each word at most once."""
    values = texts.values.copy()
    chosen = rng.random(len(values)) < rate
    chosen[texts.offsets[1:][texts.lengths > 0] - 1] = False  # the last word has no next
    left = np.flatnonzero(_every_second(chosen))
    values[left], values[left + 1] = values[left + 1], values[left]
    return Ragged(values, texts.offsets)


def _every_second(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each run of True the first, third, fifth."""
    places = np.arange(len(chosen))
    begins = chosen & ~np.concatenate([np.zeros(1, bool), chosen[:-1]])
    begin = np.maximum.accumulate(np.where(begins, places, 0))
    found: NDArray[np.bool_] = chosen & ((places - begin) % 2 == 0)
    return found


def noise_words(texts: Ragged, rng: Generator, *, rate: float, terms: int) -> Ragged:
    """Texts with random words in place of some, each term of the vocabulary as likely.

    A token that has several features gets those of another token of the batch.
    """
    values = texts.values
    if values.ndim == 2:
        chosen = rng.random(len(values)) < rate
        others = values[rng.permutation(len(values))]
        return Ragged(np.where(chosen[:, None], others, values), texts.offsets)
    chosen = (rng.random(len(values)) < rate) & (values >= FIRST_TERM)
    drawn = rng.integers(FIRST_TERM, max(terms, FIRST_TERM + 1), len(values), values.dtype)
    return Ragged(np.where(chosen, drawn, values), texts.offsets)


class Synonyms(NamedTuple):
    """The synonyms of term t: ``terms[starts[t]:starts[t + 1]]``."""

    starts: NDArray[np.int64]
    terms: NDArray[np.int32]


def put_synonyms(texts: Ragged, rng: Generator, *, rate: float, synonyms: Synonyms) -> Ragged:
    """Texts with synonyms in place of some words that have any."""
    values = texts.values
    first, counts = synonyms.starts[values], np.diff(synonyms.starts)[values]
    chosen = (rng.random(len(values)) < rate) & (counts > 0)
    which = first + (rng.random(len(values)) * counts).astype(np.int64)
    changed = values.copy()
    changed[chosen] = synonyms.terms[which[chosen]]
    return Ragged(changed, texts.offsets)


def synonyms_of(vocabulary: Sequence[str]) -> Synonyms:
    """WordNet's synonyms of each term that are terms themselves: those of its first, most frequent
    meaning as a noun, a verb, an adjective and an adverb.

    GaiError where WordNet is not installed, or has none of the terms.
    """
    from gai.forms.wordnet import data, data_paths

    places = {vocabulary[term]: term for term in range(FIRST_TERM, len(vocabulary))}
    found: list[list[int]] = [[] for _ in vocabulary]
    for word, others in meanings(data("corpora/wordnet/", data_paths()), places):
        known = (other if other in places else other.lower() for other in others)
        found[places[word]] += [places[other] for other in known if other in places]
    rows = [sorted(set(row) - {term}) for term, row in enumerate(found)]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(row) for row in rows])])
    if not starts[-1]:
        hint = "--augment noise puts random words; WordNet knows whole English words in lower case"
        raise GaiError("WordNet has no synonyms of the terms of this vocabulary", hint)
    return Synonyms(starts, np.array([term for row in rows for term in row], np.int32))


def meanings(root: Any, words: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each word that WordNet has, with the words of its first meaning as each part of speech."""
    from gai.forms.wordnet import FILES, read

    wanted = frozenset(words)
    for name in FILES.values():
        synsets = {}
        for line in read(root, f"data.{name}").splitlines():
            if not line.startswith(" "):  # the licence
                fields = line.split(" ", 4)
                synsets[fields[0]] = fields
        for line in read(root, f"index.{name}").splitlines():
            word = line.partition(" ")[0]
            if word in wanted:
                yield word, _words_of(synsets[_first_meaning(line)])


def _first_meaning(line: str) -> str:
    """The key of the first synset in a line of an index: word, part, count of synsets, count of
    pointers, pointers, two counts, synsets (WordNet's manual, wndb(5))."""
    fields = line.split()
    return fields[6 + int(fields[3])]


def _words_of(fields: Sequence[str]) -> list[str]:
    """The words of a line of data: key, file, part, their count in hexadecimal, and then word and
    number in turn; an adjective may end in its position, "(a)"."""
    words = fields[4].split(" ")[: 2 * int(fields[3], 16) : 2]
    return [word.partition("(")[0] for word in words]


def of_numbers(batch: Batch, rng: Generator, *, rate: float) -> Batch:
    """Numbers, in rows or sequences, with noise."""
    return batch._replace(inputs=Inputs(noise(batch.inputs.values, rng, rate=rate)))


def noise(values: Tensor, rng: Generator, *, rate: float) -> Tensor:
    """Numbers with Gaussian noise of deviation ``rate``."""
    drawn = rng.standard_normal(tuple(values.shape), np.float32)
    return values + rate * torch.from_numpy(drawn).to(values.device)


def of_images(batch: Batch, rng: Generator, *, names: Sequence[str], rate: float) -> Batch:
    """Images [B, C, H, W] moved by one affine map each, then noised."""
    images = batch.inputs.values
    maps = [MAPS[name](tuple(images.shape), rate, rng) for name in names if name != "noise"]
    if maps:
        images = sampled(images, product(maps))
    if "noise" in names:
        images = noise(images, rng, rate=rate)
    return batch._replace(inputs=Inputs(images))


Maps = NDArray[np.float64]
"""One map for each image [B, 3, 3]: where in the old image, whose sides go from -1 to 1, a point of
the new one comes from."""


def product(maps: Sequence[Maps]) -> Maps:
    """What the first map does, then the second, and so on.

    A map says where a point comes from, so the last one is asked first.
    """
    whole = maps[0]
    for one in maps[1:]:
        whole = whole @ one
    return whole


def sampled(images: Tensor, maps: Maps) -> Tensor:
    """The images under their maps, linear from one pixel to the next."""
    theta = torch.from_numpy(maps[:, :2].astype(np.float32)).to(images.device)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, "bilinear", "border", align_corners=False)


def _identities(count: int) -> Maps:
    return np.tile(np.eye(3), (count, 1, 1))


def _sides(lowest: float, highest: float, count: int, rng: Generator) -> NDArray[np.float64]:
    """Factors of sides [B, 1], never so small that nothing is left."""
    return np.maximum(rng.uniform(lowest, highest, (count, 1)), 0.1)


def shifts(shape: tuple[int, ...], rate: float, rng: Generator) -> Maps:
    """By up to ``rate`` of the size; a side is 2 long."""
    maps = _identities(shape[0])
    maps[:, :2, 2] = rng.uniform(-2 * rate, 2 * rate, (shape[0], 2))
    return maps


def rotations(shape: tuple[int, ...], rate: float, rng: Generator) -> Maps:
    """Around the middle by up to ``rate`` times 90 degrees, either way."""
    count, _, height, width = shape
    angles = rng.uniform(-rate, rate, count) * np.pi / 2
    maps = _identities(count)
    maps[:, 0, 0] = maps[:, 1, 1] = np.cos(angles)
    # Both sides are 2 long, but a pixel is not as high as it is wide where they differ.
    maps[:, 0, 1] = -np.sin(angles) * height / width
    maps[:, 1, 0] = np.sin(angles) * width / height
    return maps


def scalings(shape: tuple[int, ...], rate: float, rng: Generator) -> Maps:
    """Around the middle, to sides from 1 - ``rate`` to 1 + ``rate`` times theirs."""
    maps = _identities(shape[0])
    maps[:, :2, :2] /= _sides(1 - rate, 1 + rate, shape[0], rng)[:, :, None]
    return maps


def flips(shape: tuple[int, ...], rate: float, rng: Generator) -> Maps:
    """Left and right changed in every second image."""
    maps = _identities(shape[0])
    maps[:, 0, 0] = rng.choice([-1.0, 1.0], shape[0])
    return maps


def crops(shape: tuple[int, ...], rate: float, rng: Generator) -> Maps:
    """A part at a random place, whose sides are 1 - ``rate`` to 1 of the whole, enlarged."""
    sides = _sides(1 - rate, 1, shape[0], rng)
    maps = _identities(shape[0])
    maps[:, :2, :2] *= sides[:, :, None]
    maps[:, :2, 2] = rng.uniform(-1, 1, (shape[0], 2)) * (1 - sides)
    return maps


MAPS: dict[str, Callable[[tuple[int, ...], float, Generator], Maps]] = {
    "shift": shifts,
    "rotate": rotations,
    "scale": scalings,
    "flip": flips,
    "crop": crops,
}
