"""Siamese networks: losses, mining, batches of several classes, what they learn and how they are
scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from gai.cli.nn_display import Silent
from gai.errors import GaiError, UsageError
from gai.nn.config import Config, resolved
from gai.nn.data.arrays import Dataset
from gai.nn.data.labels import Labels
from gai.nn.data.one import named, parted
from gai.nn.data.preparing import Parts, prepare
from gai.nn.data.raw import Raw
from gai.nn.data.splits import split_classes
from gai.nn.names import NEGATIVES, POSITIVES
from gai.nn.net import experiment
from gai.nn.net.answers import features
from gai.nn.net.batches import Rows
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.keeping import Nowhere
from gai.nn.net.learning import matching
from gai.nn.net.learning.matching import ByClass, Triplets, contrastive, mined, triplet
from gai.nn.net.loop import Training
from gai.nn.net.models import build
from gai.nn.net.models.siamese import Siamese

ROOT = Path(__file__).parent.parent.parent


def config(**choices: Any) -> Config:
    return resolved({"model": "siamese", "task": "match", "encoder": "mlp", **choices})


def batch(seed: int, size: int = 14, classes: int = 4) -> tuple[Tensor, Tensor]:
    torch.manual_seed(seed)
    return torch.randn(size, 3, dtype=torch.float64), torch.randint(classes, (size,))


SEEDS = st.integers(0, 10_000)


@given(SEEDS, st.sampled_from(sorted(POSITIVES)), st.sampled_from(["semi-hard", "hard"]))
def test_what_is_mined_is_what_plain_loops_find(seed: int, positives: str, negatives: str) -> None:
    points, classes = batch(seed)
    squares = matching.squared_distances(points)
    found = mined(squares, classes, config(positives=positives, negatives=negatives))
    expected = []
    rows = range(len(points))
    for a in rows:
        own = [p for p in rows if p != a and classes[p] == classes[a]]
        others = [n for n in rows if classes[n] != classes[a]]
        if not own or not others:
            continue
        far = lambda row, a=a: float(squares[a, row])  # noqa: E731
        if positives != "all":
            own = [min(own, key=far) if positives == "easy" else max(own, key=far)]
        for p in own:
            beyond = [n for n in others if far(n) > far(p)]
            if negatives == "hard":
                expected.append((a, p, min(others, key=far)))
            elif beyond:
                expected.append((a, p, min(beyond, key=far)))
            else:
                expected.append((a, p, max(others, key=far)))
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_random_negatives_are_of_other_classes_and_all_of_them_come(seed: int) -> None:
    points, classes = batch(seed, 8, 3)
    squares = matching.squared_distances(points)
    seen: dict[int, set[int]] = {}
    for _ in range(100):
        found = mined(squares, classes, config(negatives="random"))
        assert (classes[found.anchors] == classes[found.positives]).all()
        assert (found.anchors != found.positives).all()
        assert (classes[found.anchors] != classes[found.negatives]).all()
        for a, n in zip(found.anchors.tolist(), found.negatives.tolist(), strict=True):
            seen.setdefault(a, set()).add(n)
    for a, negatives in seen.items():
        assert negatives == set(torch.nonzero(classes != classes[a]).flatten().tolist())


@given(SEEDS, st.floats(0.05, 2.0))
def test_the_triplet_loss_is_torchs_with_squared_distances(seed: int, margin: float) -> None:
    points, classes = batch(seed)
    squares = matching.squared_distances(points)
    chosen = mined(squares, classes, config(negatives="hard"))
    if not len(chosen.anchors):
        return
    theirs = nn.TripletMarginWithDistanceLoss(
        distance_function=lambda x, y: (x - y).square().sum(1), margin=margin
    )
    expected = theirs(*(points[rows] for rows in chosen))
    assert float(triplet(squares, chosen, margin)) == pytest.approx(float(expected))


@given(SEEDS, st.floats(0.5, 3.0))
def test_the_contrastive_loss_is_the_mean_over_pairs_of_hadsells(seed: int, margin: float) -> None:
    points, classes = batch(seed)
    squares = matching.squared_distances(points)
    chosen = mined(squares, classes, config(negatives="hard"))
    if not len(chosen.anchors):
        return
    each = []
    for a, p, n in zip(*(rows.tolist() for rows in chosen), strict=True):
        each.append(float((points[a] - points[p]).norm()) ** 2 / 2)
        each.append(max(0.0, margin - float((points[a] - points[n]).norm())) ** 2 / 2)
    assert float(contrastive(squares, chosen, margin)) == pytest.approx(np.mean(each), rel=1e-6)


def test_a_worked_example_of_both_losses() -> None:
    # On a line: two of one class at 0 and 1, one of another at 3.
    squares = matching.squared_distances(torch.tensor([[0.0], [1.0], [3.0]]))
    chosen = Triplets(*(torch.tensor([row]) for row in (0, 1, 2)))
    assert float(triplet(squares, chosen, 8.5)) == 0.5  # 1 - 9 + 8.5
    assert float(triplet(squares, chosen, 8.0)) == 0.0
    assert float(contrastive(squares, chosen, 5.0)) == pytest.approx((1 + 4) / 2 / 2)


@pytest.mark.parametrize("loss", ["triplet", "contrastive"])
@pytest.mark.parametrize("negatives", ["semi-hard", "hard"])
def test_gradients_are_finite_differences_also_where_two_examples_are_one(
    loss: str, negatives: str
) -> None:
    points, classes = batch(3, 9, 3)
    points.requires_grad_()
    of = matching.loss_of(config(loss=loss, negatives=negatives, margin=0.7))
    assert torch.autograd.gradcheck(lambda x: of(x, classes), (points,), eps=1e-7, atol=1e-4)
    same = points.detach()[torch.tensor([0, 0, 1, 1])].requires_grad_()
    value = of(same, torch.tensor([0, 1, 0, 1]))
    value.backward()
    assert same.grad is not None
    assert same.grad.isfinite().all()


def test_a_batch_of_one_class_or_without_pairs_has_no_loss_and_a_gradient_of_zero() -> None:
    for classes in ([0, 0, 0], [0, 1, 2]):
        for loss in ("triplet", "contrastive"):
            points = torch.randn(3, 2, requires_grad=True)
            value = matching.loss_of(config(loss=loss))(points, torch.tensor(classes))
            value.backward()
            assert value.item() == 0.0
            assert points.grad is not None
            assert not points.grad.any()


CLASSES = st.lists(st.integers(2, 9), min_size=2, max_size=8)


@given(CLASSES, st.integers(2, 5), st.integers(4, 30), st.integers(0, 50))
def test_a_batch_has_examples_of_as_many_classes_as_it_has_room_for(
    sizes: list[int], K: int, size: int, seed: int
) -> None:
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    order = ByClass(classes, size, K, seed)
    P = min(max(size // K, 2), len(sizes))
    found = order.epoch(3)
    assert len(found) == order.batches == max(len(classes) // (P * K), 1)
    for rows in found:
        assert len(set(rows.tolist())) == len(rows)
        there, counts = np.unique(classes[rows], return_counts=True)
        assert len(there) == P
        assert all(count == min(K, sizes[k]) for k, count in zip(there, counts, strict=True))


def test_batches_are_the_same_for_the_same_seed_and_epoch_alone() -> None:
    classes = np.repeat(np.arange(5), 20)

    def laid(seed: int, epoch: int) -> list[list[int]]:
        return [rows.tolist() for rows in ByClass(classes, 16, 4, seed).epoch(epoch)]

    assert laid(1, 2) == laid(1, 2)
    assert laid(1, 2) != laid(1, 3)
    assert laid(1, 2) != laid(2, 2)


def test_each_class_and_each_example_comes_in_its_turn() -> None:
    classes = np.repeat(np.arange(4), [2, 5, 30, 63])
    order = ByClass(classes, 8, 2, 0)
    seen: list[Rows] = [rows for epoch in range(40) for rows in order.epoch(epoch)]
    counts = np.bincount(classes[np.concatenate(seen)])
    assert (counts == counts[0]).all()  # P is 4: every batch has all of them
    assert set(np.concatenate(seen).tolist()) == set(range(100))


def test_a_full_batch_has_all_classes() -> None:
    order = ByClass(np.repeat(np.arange(7), 10), 0, 3, 0)
    assert (order.P, order.batches) == (7, 3)


def test_turned_images_are_classes_of_their_own() -> None:
    images = np.arange(2 * 1 * 3 * 3, dtype=np.float32).reshape(2, 1, 3, 3)
    data = Dataset(images, np.array([0, 1]), ["a", "b"])
    made = matching.turned(data)
    assert made.targets is not None
    assert made.targets.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert isinstance(made.inputs, np.ndarray)
    for k in range(4):
        for place in range(2):
            expected = np.rot90(images[place, 0], k)
            assert (made.inputs[2 * k + place, 0] == expected).all()
    with pytest.raises(UsageError, match="not square"):
        matching.turned(Dataset(np.zeros((2, 1, 3, 4), np.float32), np.array([0, 1]), ["a", "b"]))
    with pytest.raises(UsageError, match="images"):
        matching.turned(Dataset(np.zeros((2, 3), np.float32), np.array([0, 1]), ["a", "b"]))


def test_whole_classes_are_held_out_and_two_stay_in_each_part() -> None:
    labels = [f"c{n % 10}" for n in range(50)]
    raw = Raw([str(n) for n in range(50)], texts=labels, labels=labels)
    for fraction, held in ((0.1, 2), (0.34, 3), (0.8, 8)):
        train, valid = split_classes(raw, fraction, seed=1)
        parts = [{labels[row] for row in rows.tolist()} for rows in (train, valid)]
        assert len(parts[1]) == held
        assert not parts[0] & parts[1]
        assert sorted([*train.tolist(), *valid.tolist()]) == list(range(50))
        assert (np.diff(train) > 0).all()
    first, other = split_classes(raw, 0.3, 1)[1], split_classes(raw, 0.3, 2)[1]
    assert first.tolist() != other.tolist()
    with pytest.raises(GaiError, match="10 classes cannot be split"):
        split_classes(raw, 0.9, seed=1)


@pytest.mark.parametrize(
    ("encoder", "shape"),
    [
        ("mlp", Shape("rows", (30,), 8)),
        ("mlp", Shape("numbers", (5,), 8)),
        ("cnn", Shape("images", (1, 6, 6), 8)),
        ("cnn", Shape("ids", (30,), 8)),
        ("lstm", Shape("ids", (30,), 8)),
        ("gru", Shape("sequences", (7, 3), 8)),
        ("transformer", Shape("ids", (30,), 8)),
    ],
)
def test_any_encoder_makes_embeddings_of_length_one(encoder: str, shape: Shape) -> None:
    choices = {"width": 8, "filters": 4, "embedding": 8, "heads": 2, "code": 8}
    net = build(config(encoder=encoder, **choices), shape).eval()
    found = net(inputs_for(shape))
    assert isinstance(net, Siamese)
    assert found.shape == (4, 8)
    assert found.norm(dim=1).tolist() == pytest.approx([1.0] * 4)
    torch.testing.assert_close(net.features(inputs_for(shape)), found)
    torch.testing.assert_close(net.folded()(inputs_for(shape)), found)
    free = build(config(encoder=encoder, **choices, unit_norm=False), shape).eval()
    free.load_state_dict(net.state_dict())
    torch.testing.assert_close(F.normalize(free(inputs_for(shape))), found)


def inputs_for(shape: Shape) -> Inputs:
    rng = torch.Generator().manual_seed(1)
    if shape.kind == "rows":
        cells = torch.randint(2, 30, (8,), generator=rng)
        return Inputs(cells, torch.tensor([0, 2, 4, 6]), torch.ones(8))
    if shape.kind == "ids":
        return Inputs(torch.randint(2, 30, (4, 6), generator=rng), torch.tensor([6, 6, 4, 1]))
    return Inputs(torch.randn(4, *shape.size, generator=rng))


def test_word_vectors_come_into_the_encoder_and_stay_as_they_are() -> None:
    vectors = torch.randn(9, 5)
    net = build(config(input="ids", freeze_vectors=True), Shape("ids", (9,), 8), vectors)
    weight = net.get_parameter("body.embedding.weight")
    assert (weight[1:] == vectors[1:]).all()
    assert not weight.requires_grad


def test_the_encoder_is_checked_as_the_model_that_it_is() -> None:
    with pytest.raises(UsageError, match="cnn does not take rows of numbers"):
        build(config(encoder="cnn"), Shape("numbers", (5,), 8))
    with pytest.raises(UsageError, match="cannot be shared among 4 heads"):
        build(config(encoder="transformer", width=30), Shape("ids", (9,), 8))
    with pytest.raises(UsageError, match="--bidirectional is for recurrent"):
        build(config(bidirectional=True), Shape("ids", (9,), 8))
    with pytest.raises(UsageError, match="--positives is for siamese"):
        build(resolved({"model": "mlp", "positives": "easy"}), Shape("ids", (9,), 2))


def parts_of(tmp_path: Path, **choices: Any) -> Parts:
    """Points around the corners of a cube: eight classes, two of them held out."""
    rng = np.random.default_rng(0)
    corners = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    y = np.repeat(np.arange(8), 12)
    x = corners[y] * 2 + rng.normal(0, 0.2, (96, 3))
    np.savez(tmp_path / "cube.npz", x=x.astype(np.float32), y=y)
    small = {"width": 16, "code": 8, "epochs": 8, "batch_size": 24, "lr": 0.01, "threads": 1}
    data = (str(tmp_path / "cube.npz"),)
    return prepare({"model": "siamese", "data": data, **small, "valid": "0.25", **choices})


def trained(parts: Parts) -> Training:
    made = experiment.fresh(parts, Silent(), Nowhere())
    made.run()
    return made


@pytest.mark.parametrize("loss", ["triplet", "contrastive"])
@pytest.mark.parametrize("negatives", sorted(NEGATIVES))
def test_classes_that_were_never_seen_are_told_apart_where_that_is_easy(
    tmp_path: Path, loss: str, negatives: str
) -> None:
    parts = parts_of(tmp_path, loss=loss, negatives=negatives)
    assert parts.config.split_by == "classes"
    assert parts.config.encoder == "mlp"
    assert not set(parts.raw["train"].labels or ()) & set(parts.raw["valid"].labels or ())
    made = trained(parts)
    assert made.evaluate is not None
    found = made.evaluate()
    assert found["eer"] < 0.05
    assert found["one_shot"] > 0.95
    assert found["chance"] == 0.5


def test_where_nothing_is_lost_nobody_complains_of_gradients_that_vanish(tmp_path: Path) -> None:
    said: list[str] = []
    listener = Silent()
    listener.warn = said.append  # type: ignore[method-assign]
    parts = parts_of(tmp_path, margin=0.001, epochs=20)
    made = experiment.fresh(parts, listener, Nowhere())
    made.run()
    assert made.position.best["eer"] < 0.05
    assert not said


def test_an_evaluation_gives_the_same_again_and_draws_nothing_from_training(
    tmp_path: Path,
) -> None:
    made = experiment.fresh(parts_of(tmp_path, negatives="random"), Silent(), Nowhere())
    assert made.evaluate is not None
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, again = made.evaluate(), made.evaluate()
    assert one == again
    assert np.isfinite(one["loss"])
    assert (torch.get_rng_state() == before).all()


def test_without_unit_norm_nearness_is_of_distances(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, unit_norm=False, loss="contrastive", margin=2.0)
    made = trained(parts)
    assert parts.valid is not None
    found = features(made.network, parts.valid)
    assert np.linalg.norm(found, axis=1).std() > 0.01
    similar = matching.similarity(parts.config)(found, found)
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    assert similar == pytest.approx(1 / (1 + apart), abs=1e-5)
    assert np.diag(similar) == pytest.approx(1.0)
    assert made.evaluate is not None
    assert made.evaluate()["eer"] < 0.05


def test_the_baseline_is_the_cosine_of_what_the_network_sees(tmp_path: Path) -> None:
    from sklearn.metrics.pairwise import cosine_similarity

    from gai.nn.comparing import baseline
    from gai.nn.scores.matching import matching as scored
    from gai.nn.scores.matching import numbered

    parts = parts_of(tmp_path)
    found = baseline(parts, "valid")
    assert found is not None
    assert found.name == "cosine of the numbers"
    assert parts.valid is not None
    seen = cosine_similarity(parts.valid.inputs)
    expected = scored(seen, numbered(list(map(str, parts.raw["valid"].labels or ()))))
    assert found.scores == pytest.approx(expected.summary())


def test_the_baseline_of_texts_is_the_cosine_of_tfidf_whatever_the_encoder_reads(
    tmp_path: Path,
) -> None:
    from gai.nn.comparing import baseline

    lines = [
        f"__label__{word} {word} {filler} word"
        for word in ("ant", "bee", "cat", "dog", "eel", "fox")
        for filler in ("one", "two", "six")
    ]
    (tmp_path / "texts.txt").write_text("\n".join(lines))
    said = {"model": "siamese", "data": (str(tmp_path / "texts.txt"),), "valid": "0.34"}
    rows, ids = prepare(said), prepare({**said, "encoder": "gru", "input": "ids"})
    assert (rows.config.input, ids.config.input) == ("tfidf", "ids")
    one, other = baseline(rows, "valid"), baseline(ids, "valid")
    assert one is not None
    assert other is not None
    assert one.scores == pytest.approx(other.scores)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"loss": "cross-entropy"}, "--loss cross-entropy does not fit --task match"),
        ({"class_weights": "balanced"}, "--class-weights"),
        ({"label_smoothing": 0.1}, "--label-smoothing"),
        ({"margin": 0.0}, "--margin 0"),
        ({"batch_size": 6, "per_class": 4}, "--batch-size 6 has no room for two classes"),
        ({"turned_classes": True}, "--turned-classes is for images"),
        ({"task": "classify"}, "--task classify: siamese has another"),
        ({"negatives": "soft"}, "unknown negatives 'soft'"),
        ({"encoder": "vae"}, "unknown encoder 'vae'"),
    ],
)
def test_choices_that_do_not_fit_are_named(
    tmp_path: Path, choices: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        experiment.fresh(parts_of(tmp_path, **choices), Silent(), Nowhere())


def test_a_class_with_one_example_is_named_with_it(tmp_path: Path) -> None:
    lines = "".join(f"__label__{label} text {n}\n" for n, label in enumerate("aabbcccd"))
    (tmp_path / "few.txt").write_text(lines)
    said = {"model": "siamese", "data": (str(tmp_path / "few.txt"),), "valid": "0"}
    with pytest.raises(GaiError, match=r"the class 'd' has only one example, .*few.txt:8"):
        experiment.fresh(prepare(said), Silent(), Nowhere())


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("__label__a red\n__label__a blue\n")
    data = (str(tmp_path / "one.txt"),)
    with pytest.raises(GaiError, match="at least two classes, the data has only 'a'"):
        prepare({"model": "siamese", "data": data, "valid": "0"})


def test_held_out_data_of_one_class_compares_nothing(tmp_path: Path) -> None:
    parts = parts_of(tmp_path)
    raw = parts.raw["valid"]
    for labels, said in ((["a"] * len(raw), "one class only"), (list(raw.ids), "no two examples")):
        other = Raw(raw.ids, array=raw.array, labels=labels)
        with pytest.raises(GaiError, match=said):
            experiment.judge_of(parts.encoding, other)


def test_a_note_says_where_no_new_class_validates(tmp_path: Path) -> None:
    assert not parts_of(tmp_path).notes
    parts = parts_of(tmp_path, split_by="examples")
    assert any("the valid part has no class that training never saw" in n for n in parts.notes)


def test_few_classes_stay_whole_unless_somebody_says_so(tmp_path: Path) -> None:
    lines = "".join(f"__label__{label} text {n}\n" for n, label in enumerate("abcde" * 4))
    (tmp_path / "few.txt").write_text(lines)
    said = {"model": "siamese", "data": (str(tmp_path / "few.txt"),), "valid": "0.2"}
    assert prepare(said).config.split_by == "examples"
    whole = prepare({**said, "split_by": "classes"})
    assert len(set(whole.raw["valid"].labels or ())) == 2
    assert isinstance(whole.encoding.labels, Labels)
    assert len(whole.encoding.labels.names) == 3


def test_an_example_has_a_name(tmp_path: Path) -> None:
    plain = resolved({"model": "siamese", "task": "match", "data": ()})
    path = tmp_path / "one:2.jsonl"
    path.write_text('{"text": "a"}\n')
    several = tmp_path / "three.jsonl"
    several.write_text('{"text": "a"}\n{"text": "b"}\n{"text": "c"}\n')
    assert named(str(path), plain).texts == ["a"]
    assert named(f"{several}:2", plain).texts == ["b"]
    assert parted("@digits:7") == ("@digits", 7)
    assert parted("gone.jsonl:7") == ("gone.jsonl:7", None)
    with pytest.raises(UsageError, match="has 3 examples: which one"):
        named(str(several), plain)
    with pytest.raises(GaiError, match=r"three.jsonl:4: .* has 3 examples"):
        named(f"{several}:4", plain)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["digits", "banking77"])
def test_one_example_of_a_class_never_seen_says_more_than_to_the_nearest_neighbour(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import nn_matching as bench

    choices, options = bench.WHATS[what]
    found = {
        name: np.mean(each) for name, each in bench.compared(choices, [1], options.split()).items()
    }
    network = found.pop(bench.NETWORK)
    error = found.pop(bench.ERROR)
    assert network > max(found.values()), found
    assert error < 0.22
