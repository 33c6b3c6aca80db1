"""Augmentations: what they may change, how often, and that chance comes from one generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import PAD, UNKNOWN, Dataset, Kind, Ragged
from gai.nn.names import AUGMENTATIONS
from gai.nn.net import augmenting
from gai.nn.net.augmenting import FITTING, MAPS, Augment, Synonyms, augmenter, product, sampled
from gai.nn.net.batches import Batch, taker
from gai.nn.net.inputs import Inputs

TERMS = 12
VOCABULARY = ["<pad>", "<unknown>", *"abcdefghij"]


def chance(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def ragged(rows: list[list[int]]) -> Ragged:
    values = np.array([value for row in rows for value in row], np.int32)
    return Ragged(values, np.cumsum([0, *map(len, rows)]).astype(np.int64))


def batch_of(texts: Ragged) -> Batch:
    """The texts as the training loop takes them."""
    targets = np.arange(texts.rows)
    dataset = Dataset(texts, targets, list(map(str, targets)))
    return taker(dataset, torch.device("cpu"))(targets)


def rows_in(batch: Batch) -> list[list[int]]:
    """The ids of each text of a batch; what stands behind their ends is padding."""
    values, lengths = batch.inputs.values, batch.inputs.lengths
    assert lengths is not None
    assert values.dtype == lengths.dtype == torch.int64
    assert values.shape == (len(lengths), max(1, int(lengths.max())))
    ends = list(zip(values.tolist(), lengths.tolist(), strict=True))
    assert all(set(row[length:]) <= {PAD} for row, length in ends)
    return [row[:length] for row, length in ends]


def through(change: Augment | None, rows: list[list[int]], seed: int = 7) -> list[list[int]]:
    """The rows of a batch that was changed."""
    assert change is not None
    before = batch_of(ragged(rows))
    after = change(before, chance(seed))
    assert rows_in(before) == rows  # what is given stays
    assert after.targets is before.targets
    assert after.size == before.size
    return rows_in(after)


def rows_of(texts: Ragged) -> list[list[int]]:
    assert texts.values.dtype == np.int32
    assert texts.offsets.dtype == np.int64
    return [
        texts.values[a:b].tolist() for a, b in zip(texts.offsets, texts.offsets[1:], strict=False)
    ]


texts_of = st.lists(st.lists(st.integers(UNKNOWN, TERMS - 1), max_size=9), min_size=1, max_size=9)
rates = st.floats(0.01, 1.0)
seeds = st.integers(0, 2**32 - 1)


def changed(
    names: tuple[str, ...], rows: list[list[int]], rate: float, seed: int
) -> list[list[int]]:
    change = augmenter(Config(augment=names, augment_rate=rate), "ids", VOCABULARY)
    return through(change, rows, seed)


@given(texts_of, rates, seeds)
def test_dropping_leaves_words_out_and_never_all(
    rows: list[list[int]], rate: float, seed: int
) -> None:
    after = changed(("drop",), rows, rate, seed)
    for old, new in zip(rows, after, strict=True):
        assert bool(new) == bool(old)
        rest = iter(old)
        assert all(value in rest for value in new)  # in the same order
        assert new.count(UNKNOWN) == old.count(UNKNOWN)


def test_dropping_happens_at_its_rate() -> None:
    after = changed(("drop",), [[5] * 50] * 1000, 0.2, 1)
    assert sum(map(len, after)) == pytest.approx(0.8 * 50_000, rel=0.02)


def test_the_word_that_stays_is_any() -> None:
    after = changed(("drop",), [[2, 3, 4, 5]] * 4000, 1.0, 1)
    assert {len(row) for row in after} == {1}
    counts = np.bincount([row[0] for row in after])[2:]
    np.testing.assert_allclose(counts, 1000, rtol=0.1)


@given(texts_of, rates, seeds)
def test_swapping_moves_a_word_by_one_place_at_most(
    rows: list[list[int]], rate: float, seed: int
) -> None:
    after = changed(("swap",), rows, rate, seed)
    for old, new in zip(rows, after, strict=True):
        place = 0
        while place < len(old):
            pair = old[place : place + 2]
            if new[place] == old[place]:
                place += 1
            else:
                assert new[place : place + 2] == pair[::-1]
                place += 2
        assert sorted(new) == sorted(old)


def test_swapping_all_swaps_every_pair() -> None:
    assert changed(("swap",), [[2, 3, 4, 5, 6], [7], [], [8, 9]], 1.0, 1) == [
        [3, 2, 5, 4, 6],
        [7],
        [],
        [9, 8],
    ]


@given(texts_of, rates, seeds)
def test_noise_puts_terms_of_the_vocabulary(rows: list[list[int]], rate: float, seed: int) -> None:
    after = changed(("noise",), rows, rate, seed)
    for old, new in zip(rows, after, strict=True):
        assert len(old) == len(new)
        for a, b in zip(old, new, strict=True):
            assert (a == b) if a == UNKNOWN else UNKNOWN < b < TERMS


def test_noise_happens_at_its_rate_and_draws_all_terms() -> None:
    (after,) = changed(("noise",), [[5] * 50_000], 0.2, 1)
    counts = np.bincount(after, minlength=TERMS)
    np.testing.assert_allclose(np.delete(counts[2:], 3), 1000, rtol=0.15)
    assert counts[PAD] == counts[UNKNOWN] == 0


def test_noise_has_nothing_to_put_where_no_term_is_known() -> None:
    change = augmenter(Config(augment=("noise",), augment_rate=1.0), "ids", VOCABULARY[:2])
    assert through(change, [[1, 1], [1]]) == [[1, 1], [1]]


def test_synonyms_come_from_the_table() -> None:
    table = Synonyms(np.array([0, 0, 0, 2, 2, 3]), np.array([3, 4, 2], np.int32))
    before = ragged([[2, 3, 4, 1] * 1000])
    (after,) = rows_of(augmenting.put_synonyms(before, chance(), rate=0.5, synonyms=table))
    found = np.array(after).reshape(1000, 4)
    assert set(found[:, 0]) == {2, 3, 4}
    assert set(found[:, 1]) == {3}  # has none
    assert set(found[:, 2]) == {4, 2}
    assert set(found[:, 3]) == {UNKNOWN}
    counts = np.bincount(found[:, 0])
    assert counts[2] == pytest.approx(500, abs=60)
    assert counts[3] == pytest.approx(250, abs=60)


@given(texts_of, seeds)
def test_the_same_generator_makes_the_same_texts(rows: list[list[int]], seed: int) -> None:
    names = ("noise", "swap", "drop")
    assert changed(names, rows, 0.4, seed) == changed(names, rows, 0.4, seed)


def test_augmentations_go_one_after_the_other() -> None:
    one = changed(("swap", "drop"), [[2, 3, 4, 5, 6, 7]] * 20, 0.5, 3)
    generator = chance(3)
    texts = augmenting.swap(ragged([[2, 3, 4, 5, 6, 7]] * 20), generator, rate=0.5)
    assert one == rows_of(augmenting.drop(texts, generator, rate=0.5))


# WordNet


def write_wordnet(folder: Path) -> None:
    """Two small parts of speech as WordNet writes them: `car` has two meanings, and `big` a synset
    whose other word ends in its position."""
    licence = "  1 This software and database is being provided\n"
    files = {
        "index.noun": "auto n 1 1 @ 1 0 00000100\n"
        "car n 2 2 @ ~ 2 2 00000100 00000200\n"
        "carriage n 1 1 @ 1 0 00000200\n",
        "data.noun": "00000100 06 n 04 car 0 auto 0 motor_car 1 Wagon 0 001 @ 00000300 n 0000 | a\n"
        "00000200 06 n 02 car 1 carriage 0 001 @ 00000300 n 0000 | of a train\n",
        "index.adj": "big a 1 0 1 1 00000500\n",
        "data.adj": "00000500 00 a 02 big 0 great(a) 0 000 | large\n",
    }
    for part in ("noun", "verb", "adj", "adv"):
        for kind in ("index", "data"):
            (folder / f"{kind}.{part}").write_text(licence + files.get(f"{kind}.{part}", ""))


@pytest.fixture
def wordnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small WordNet, where NLTK looks for it."""
    import nltk.data

    folder = tmp_path / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    return folder


SMALL = ["<pad>", "<unknown>", "car", "auto", "wagon", "carriage", "big", "great", "of"]


def synonyms_in(vocabulary: list[str]) -> dict[str, list[str]]:
    found = augmenting.synonyms_of(vocabulary)
    assert len(found.starts) == len(vocabulary) + 1
    rows = zip(found.starts, found.starts[1:], strict=False)
    return {
        word: [vocabulary[term] for term in found.terms[a:b]]
        for word, (a, b) in zip(vocabulary, rows, strict=True)
        if b > a
    }


def test_synonyms_are_those_of_the_first_meaning(wordnet: Path) -> None:
    write_wordnet(wordnet)
    assert synonyms_in(SMALL) == {
        "car": ["auto", "wagon"],
        "auto": ["car", "wagon"],
        "carriage": ["car"],
        "big": ["great"],
    }


def test_synonyms_through_the_front_door(wordnet: Path) -> None:
    write_wordnet(wordnet)
    change = augmenter(Config(augment=("synonym",), augment_rate=1.0), "ids", SMALL)
    assert through(change, [[6, 8, 1], [5]]) == [[7, 8, 1], [2]]


def test_a_vocabulary_without_synonyms_is_an_error(wordnet: Path) -> None:
    write_wordnet(wordnet)
    with pytest.raises(GaiError, match="no synonyms of the terms") as caught:
        augmenting.synonyms_of([*VOCABULARY[:2], "car"])
    assert "--augment noise" in caught.value.hint


def test_without_wordnet_the_hint_is_how_to_get_it(wordnet: Path) -> None:
    wordnet.rmdir()
    with pytest.raises(GaiError, match="wordnet is not there") as caught:
        augmenter(Config(augment=("synonym",)), "ids", SMALL)
    assert "gai download nltk wordnet" in caught.value.hint


@pytest.mark.slow
def test_synonyms_of_the_real_wordnet(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [str(data / "nltk_data")])
    assert synonyms_in(
        ["", "", "film", "movie", "car", "automobile", "buy", "purchase", "the"]
    ) == {
        "film": ["movie"],
        "movie": ["film"],
        "car": ["automobile"],
        "automobile": ["car"],
        "buy": ["purchase"],
        "purchase": ["buy"],
    }


# Images and numbers


def images(count: int = 6, height: int = 8, width: int = 8) -> NDArray[np.float32]:
    return chance(1).random((count, 2, height, width), np.float32)


def shown(names: tuple[str, ...], batch: NDArray[np.float32], rate: float = 0.25) -> Any:
    change = augmenter(Config(augment=names, augment_rate=rate), "images")
    return changed_numbers(change, batch)


def changed_numbers(change: Augment | None, values: NDArray[np.float32]) -> Any:
    assert change is not None
    given, targets = torch.from_numpy(values.copy()), torch.arange(len(values))
    after = change(Batch(Inputs(given), targets, len(values)), chance())
    np.testing.assert_array_equal(given, values)  # what is given stays
    assert after.targets is targets
    assert after.inputs.values.dtype == torch.float32
    assert after.inputs.values.shape == given.shape
    return after.inputs.values.numpy()


def moved(batch: NDArray[np.float32], maps: NDArray[np.float64]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = sampled(torch.from_numpy(batch), maps).numpy()
    return found


def test_flipping_mirrors_every_second_image() -> None:
    batch = images(400)
    after = shown(("flip",), batch)
    mirrored = [np.allclose(a, b[:, :, ::-1], atol=1e-6) for a, b in zip(after, batch, strict=True)]
    same = [np.allclose(a, b, atol=1e-6) for a, b in zip(after, batch, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert sum(mirrored) == pytest.approx(200, abs=40)


def map_of(matrix: list[list[float]]) -> NDArray[np.float64]:
    return np.array([[*matrix[0]], [*matrix[1]], [0, 0, 1]], float)[None]


def test_a_shift_by_a_pixel_repeats_the_border() -> None:
    batch = images(1)
    after = moved(batch, map_of([[1, 0, 2 / 8], [0, 1, 0]]))
    np.testing.assert_allclose(after[..., :-1], batch[..., 1:], atol=1e-6)
    np.testing.assert_allclose(after[..., -1], batch[..., -1], atol=1e-6)


def test_a_quarter_turn_is_numpys() -> None:
    batch = images(1)
    turned = moved(batch, map_of([[0, -1, 0], [1, 0, 0]]))
    assert any(np.allclose(turned, np.rot90(batch, k, axes=(2, 3)), atol=1e-5) for k in (1, 3))


@pytest.mark.parametrize("name", [name for name in MAPS if name != "flip"])
def test_every_image_has_a_map_of_its_own(name: str) -> None:
    maps = MAPS[name]((50, 1, 8, 8), 0.25, chance())
    assert len(np.unique(maps.round(9), axis=0)) == 50


def test_shifts_go_so_far() -> None:
    maps = MAPS["shift"]((5000, 1, 8, 8), 0.25, chance())
    far = np.abs(maps[:, :2, 2]) / 2  # a side is 2 long
    assert 0.245 < far.max() <= 0.25
    assert abs(maps[:, :2, 2].mean()) < 0.02
    np.testing.assert_array_equal(maps[:, :2, :2], np.broadcast_to(np.eye(2), (5000, 2, 2)))


def test_rotations_are_rotations_in_pixels_too() -> None:
    maps = MAPS["rotate"]((5000, 1, 10, 30), 0.1, chance())
    sides = np.diag([30.0, 10.0])
    in_pixels = sides @ maps[:, :2, :2] @ np.linalg.inv(sides)
    eyes = np.broadcast_to(np.eye(2), in_pixels.shape)
    np.testing.assert_allclose(in_pixels @ in_pixels.transpose(0, 2, 1), eyes, atol=1e-12)
    angles = np.degrees(np.arctan2(in_pixels[:, 1, 0], in_pixels[:, 0, 0]))
    assert 8.9 < angles.max() <= 9
    assert -9 <= angles.min() < -8.9


def test_scalings_are_by_their_rate() -> None:
    factors = 1 / MAPS["scale"]((5000, 1, 8, 8), 0.25, chance())[:, 0, 0]
    assert 0.75 <= factors.min() < 0.755
    assert 1.245 < factors.max() <= 1.25


def test_crops_lie_within_the_image() -> None:
    maps = MAPS["crop"]((5000, 1, 8, 8), 0.25, chance())
    corners = np.array([[x, y, 1] for x in (-1, 1) for y in (-1, 1)]).T
    assert np.abs((maps @ corners)[:, :2]).max() <= 1 + 1e-12
    assert 0.75 <= maps[:, 0, 0].min() < 0.755
    assert maps[:, 0, 0].max() <= 1


def test_maps_go_one_after_the_other() -> None:
    shift, turn = map_of([[1, 0, 2 / 8], [0, 1, 0]]), map_of([[0, -1, 0], [1, 0, 0]])
    batch = images(1)
    step_by_step = moved(moved(batch, shift), turn)
    np.testing.assert_allclose(moved(batch, product([shift, turn])), step_by_step, atol=1e-5)
    assert not np.allclose(moved(batch, product([turn, shift])), step_by_step, atol=1e-2)


@pytest.mark.parametrize("name", FITTING["images"])
@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_images_stay_what_images_are(name: str, rate: float) -> None:
    batch = images(20, 6, 9)
    after = shown((name,), batch, rate)
    assert np.isfinite(after).all()
    assert not np.array_equal(after, batch)
    if name != "noise":  # what is interpolated is between its neighbours
        assert after.min() >= batch.min() - 1e-6
        assert after.max() <= batch.max() + 1e-6


def test_a_blank_image_stays_blank() -> None:
    blank = np.full((5, 1, 8, 8), 0.75, np.float32)
    after = shown(("shift", "rotate", "scale", "flip", "crop"), blank)
    np.testing.assert_allclose(after, 0.75, rtol=1e-5)


@pytest.mark.parametrize(("kind", "shape"), [("numbers", (2000, 9)), ("sequences", (200, 9, 9))])
def test_noise_on_numbers_is_normal(kind: Kind, shape: tuple[int, ...]) -> None:
    change = augmenter(Config(augment=("noise",), augment_rate=0.2), kind)
    after = changed_numbers(change, np.full(shape, 3.0, np.float32))
    assert after.mean() == pytest.approx(3.0, abs=0.01)
    assert after.std() == pytest.approx(0.2, rel=0.03)


# What fits


def test_every_augmentation_of_the_list_fits_something() -> None:
    assert {name for names in FITTING.values() for name in names} == set(AUGMENTATIONS)
    assert set(FITTING) == set(get_args(Kind))


def test_nothing_is_asked_nothing_is_done() -> None:
    for kind in FITTING:
        assert augmenter(Config(), kind, VOCABULARY) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "options", "message", "hint"),
    [
        ("rows", {"augment": ("drop",)}, "drop does not fit input rows", "leave it out"),
        ("images", {"augment": ("swap",)}, "swap does not fit input images", "rotate"),
        ("numbers", {"augment": ("noise", "flip")}, "flip does not fit input numbers", "noise"),
        ("ids", {"augment": ("crop",)}, "crop does not fit input ids", "synonym"),
        ("ids", {"augment": ("drop",), "task": "tag"}, "drop does not fit --task tag", "noise"),
        ("ids", {"augment": ("noise",), "task": "lm"}, "--task lm has no --augment", ""),
        ("ids", {"augment": ("noise",), "augment_rate": 0.0}, "--augment-rate must be", ""),
    ],
)
def test_what_does_not_fit_says_what_does(
    kind: Kind, options: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        augmenter(Config(**options), kind, VOCABULARY)
    assert hint in caught.value.hint


def test_tags_keep_their_tokens() -> None:
    change = augmenter(Config(augment=("noise",), task="tag", augment_rate=1.0), "ids", VOCABULARY)
    rows = [[2, 3], [], [4]]
    assert list(map(len, through(change, rows))) == list(map(len, rows))


def test_noise_gives_a_token_all_features_of_another() -> None:
    change = augmenter(Config(augment=("noise",), task="tag", augment_rate=0.5), "ids", VOCABULARY)
    assert change is not None
    features = np.arange(2, 42, dtype=np.int32).reshape(20, 2)
    lengths = torch.tensor([12, 8])
    values = torch.from_numpy(Ragged(features, np.array([0, 12, 20])).padded(np.arange(2))).long()
    batch = change(Batch(Inputs(values, lengths), None, 2), np.random.default_rng(1))
    assert batch.inputs.lengths is not None
    assert batch.inputs.lengths.tolist() == [12, 8]
    found = batch.inputs.values[torch.arange(12) < lengths[:, None]]
    assert {tuple(row) for row in found.tolist()} <= {tuple(row) for row in features.tolist()}
    assert 5 <= int((found[:, 0].numpy() != features[:, 0]).sum()) <= 15
