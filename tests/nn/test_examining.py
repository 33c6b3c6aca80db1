"""Where a network is most wrong, and whether to believe it: against plain loops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gai.nn.data.encoding import Encoding
from gai.nn.data.preparing import prepare
from gai.nn.data.raw import Raw
from gai.nn.net import answers, experiment
from gai.nn.net.examining import examined, pixels
from gai.nn.net.models import Model
from gai.nn.pages.facts import Examined
from gai.nn.scores.calibration import bins_of, error_of
from gai.nn.scores.labels import calibration_error

TAGS = "the\tD\ncat\tN\nsat\tV\n\na\tD\ndog\tN\n\ncat\tV\n"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def untrained(**said: Any) -> tuple[Model, Encoding, Raw]:
    """A network as it begins, and the training part that it was made for."""
    parts = prepare({"valid": "0", "seed": 1, "dropout": 0.0, "width": 8, "embedding": 8, **said})
    torch.manual_seed(1)
    return experiment.network_of(parts.encoding).eval(), parts.encoding, parts.raw["train"]


def looked(most: int = 5, **said: Any) -> tuple[Examined, Model, Encoding, Raw]:
    network, encoding, raw = untrained(**said)
    return examined(network, encoding, raw, most), network, encoding, raw


def test_the_worst_are_those_whose_right_label_is_least_probable() -> None:
    found, network, encoding, raw = looked(model="mlp", data=("@iris",))
    shares = answers.answers(network, encoding.dataset(raw)).softmax(-1).double().numpy()
    assert encoding.labels is not None
    names = encoding.labels.names
    losses = []
    for row, label in enumerate(raw.labels):  # type: ignore[arg-type]
        if names[shares[row].argmax()] != label:
            losses.append((-np.log(shares[row, names.index(label)]), raw.ids[row], label))
    losses.sort(key=lambda one: -one[0])
    assert found.wrongs == len(losses)
    assert found.examples == 150
    for mine, (loss, id, label) in zip(found.worst, losses, strict=False):
        assert (mine.loss, mine.id, mine.true) == (pytest.approx(loss), id, label)
        assert mine.said != label
        assert mine.array is not None
        assert mine.array.shape == (4,)
    sure, right = shares.max(1), np.array([names[k] for k in shares.argmax(1)]) == raw.labels
    assert found.calibration is not None
    assert error_of(found.calibration) == pytest.approx(calibration_error(sure, right))


def test_labels_that_training_never_saw_are_not_among_the_worst() -> None:
    network, encoding, raw = untrained(model="mlp", data=("@iris",))
    strange = Raw(raw.ids, array=raw.array, labels=["tulip"] * 149 + ["setosa"])
    assert {wrong.true for wrong in examined(network, encoding, strange, 9).worst} <= {"setosa"}


def test_images_are_pictures() -> None:
    for model in ("cnn", "mlp"):
        found, *_ = looked(2, model=model, data=("@digits",), filters=2)
        assert found.worst[0].array is not None
        assert (found.worst[0].array.dtype, found.worst[0].array.shape) == (np.uint8, (8, 8))
    grey = pixels(np.array([[[0.0, 0.5], [1.0, 2.0]]], np.float32), 0.0, 1.0)
    assert grey.tolist() == [[0, 128], [255, 255]]
    assert pixels(np.zeros((3, 4, 5), np.float32), 0.0, 0.0).shape == (4, 5, 3)


def test_of_several_labels_each_counts_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\na,x|y\nb,\na b,y\nb b,x\n")
    found, network, encoding, raw = looked(
        model="mlp", data=(str(path),), label_sep="|", input="ids"
    )
    said = answers.answers(network, encoding.dataset(raw))
    targets = torch.from_numpy(encoding.dataset(raw).targets)  # type: ignore[arg-type]
    each = torch.nn.functional.binary_cross_entropy_with_logits(said, targets, reduction="none")
    worst = each.sum(1).max().item()
    assert found.worst[0].loss == pytest.approx(worst, rel=1e-5)
    assert {wrong.true for wrong in found.worst} <= {"x, y", "none", "y", "x"}
    assert found.calibration is not None
    assert found.calibration.counts.sum() == 8


def test_numbers_are_compared_in_their_own_units() -> None:
    found, network, encoding, raw = looked(model="mlp", data=("@diabetes",))
    assert found.pairs is not None
    assert raw.labels is not None
    assert found.pairs.true == pytest.approx(np.asarray(raw.labels), rel=1e-4)
    said = answers.answers(network, encoding.dataset(raw))
    assert found.pairs.said == pytest.approx(answers.numbers(said, encoding))
    errors = np.square(found.pairs.true - found.pairs.said)[:, 0]
    assert found.worst[0].id == raw.ids[int(errors.argmax())]
    assert found.pairs.names == ["label"]


def test_tags_that_are_wrong_are_marked_in_their_sentence(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(TAGS)
    found, network, encoding, raw = looked(model="gru", task="tag", data=(str(path),), min_count=1)
    assert encoding.labels is not None
    names = encoding.labels.names
    logs = iter(answers.answers(network, encoding.dataset(raw)).log_softmax(-1))
    expected, losses = {}, {}
    for id, words, tags in zip(raw.ids, raw.tokens or [], raw.labels or [], strict=True):
        rows = [next(logs) for _ in words]
        said = [names[int(row.argmax())] for row in rows]
        pairs = list(zip(words, tags, said, strict=True))
        if any(true != given for _, true, given in pairs):
            each = [-float(row[names.index(tag)]) for row, tag in zip(rows, tags, strict=True)]
            losses[id] = pytest.approx(np.mean(each), rel=1e-5)
            expected[id] = [
                (word, "" if true == given else f"{true}, said {given}")
                for word, true, given in pairs
            ]
    assert {w.id: [(t.text, t.note) for t in w.tokens] for w in found.worst} == expected
    assert {wrong.id: wrong.loss for wrong in found.worst} == losses
    assert len(losses) > 1


def test_a_language_model_shows_where_it_is_surprised(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("to be or not to be\n" * 20)
    found, network, encoding, raw = looked(
        99, model="gru", data=(str(path),), context=10, task="lm"
    )
    stream = encoding.dataset(raw).inputs.values  # type: ignore[union-attr]
    whole = stream[: len(stream) - (len(stream) - 1) % 10]
    mean = answers.language_loss(network, whole, 10)
    assert np.mean([wrong.loss for wrong in found.worst]) == pytest.approx(mean, rel=1e-4)
    text = "".join(token.text for token in found.worst[0].tokens)
    assert len(text) == 10
    assert text in (raw.texts or [""])[0]
    losses = [wrong.loss for wrong in found.worst]
    assert losses == sorted(losses, reverse=True)


def test_bins_hold_all_answers_and_make_the_calibration_error() -> None:
    rng = np.random.default_rng(1)
    sure, right = rng.uniform(size=1000), rng.uniform(size=1000) < 0.6
    bins = bins_of(sure, right, 10)
    assert bins.counts.sum() == 1000
    for k in range(10):
        inside = (sure > k / 10) & (sure <= (k + 1) / 10)
        assert bins.counts[k] == inside.sum()
        assert bins.accuracy[k] == pytest.approx(right[inside].mean())
        assert bins.confidence[k] == pytest.approx(sure[inside].mean())
    assert np.isnan(error_of(bins_of(sure[:0], right[:0])))
