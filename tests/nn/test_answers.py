"""What a trained network says: in the order of the examples, whatever batches they came in."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.errors import GaiError
from gai.nn.config import Config, resolved
from gai.nn.data.arrays import IGNORED, Dataset, Ragged
from gai.nn.data.encoding import Encoding, fit
from gai.nn.data.raw import Raw
from gai.nn.net import answers, devices
from gai.nn.net.answers import Judge, language_loss, mean_over_tokens, probabilities
from gai.nn.net.batches import Batch
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.learning.supervised import Supervised
from gai.nn.net.models import build
from gai.nn.rendering import Labelled, Measured, Tagged


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def texts(count: int, longest: int = 40) -> Dataset:
    """Texts of random lengths, some of them empty."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(0, longest, count)
    values = rng.integers(2, 30, lengths.sum()).astype(np.int32)
    rows = Ragged(values, np.cumsum([0, *lengths], dtype=np.int64))
    return Dataset(rows, None, [str(n) for n in range(count)])


def network(model: str, shape: Shape, **more: Any) -> nn.Module:
    said = {"model": model, "width": 6, "embedding": 5, "filters": 3, "heads": 2, "context": 40}
    torch.manual_seed(1)
    return build(resolved({**said, **more}), shape).eval()


def alone(made: nn.Module, data: Dataset, row: int) -> Tensor:
    """What the network says of one example by itself."""
    assert isinstance(data.inputs, Ragged)
    ids = torch.from_numpy(data.inputs.padded(np.array([row]))).long()
    with torch.no_grad():
        said: Tensor = made(Inputs(ids, torch.from_numpy(data.inputs.lengths[[row]])))
    return said[0]


@pytest.mark.parametrize("model", ["mlp", "cnn", "gru", "transformer"])
def test_answers_are_those_of_each_example_by_itself(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "CELLS", 100)
    data = texts(50)
    made = network(model, Shape("ids", (30,), 4))
    found = answers.answers(made, data)
    assert found.shape == (50, 4)
    for row in range(50):
        assert torch.allclose(found[row], alone(made, data, row), atol=1e-5)


def test_answers_for_each_token_come_one_example_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "CELLS", 100)
    plain = texts(50)
    assert isinstance(plain.inputs, Ragged)
    data = Dataset(plain.inputs, None, plain.ids, per_token=True)
    made = network("gru", Shape("ids", (30,), 4, per_token=True), bidirectional=True)
    found = answers.answers(made, data)
    assert found.shape == (len(plain.inputs.values), 4)
    for row, (begin, length) in enumerate(
        zip(plain.inputs.offsets[:-1], plain.inputs.lengths, strict=True)
    ):
        expected = alone(made, data, row)[:length]
        assert torch.allclose(found[begin : begin + length], expected, atol=1e-5)


def test_features_of_tokens_are_their_mean() -> None:
    data = texts(9)
    assert isinstance(data.inputs, Ragged)
    made = network("gru", Shape("ids", (30,), 4, per_token=True))
    found = answers.features(made, data)
    assert found.shape == (9, 6)
    for row, length in enumerate(data.inputs.lengths):
        ids = torch.from_numpy(data.inputs.padded(np.array([row]))).long()
        with torch.no_grad():
            whole = made.features(Inputs(ids, torch.tensor([length])))[0]  # type: ignore[operator]
        expected = whole[:length].mean(0) if length else torch.zeros(6)
        assert np.allclose(found[row], expected, atol=1e-5)


def test_the_mean_over_tokens_leaves_padding_out() -> None:
    found = torch.tensor([[[1.0], [3.0], [99.0]], [[7.0], [99.0], [99.0]]])
    assert mean_over_tokens(found, torch.tensor([2, 1])).tolist() == [[2.0], [7.0]]
    assert mean_over_tokens(found[:1], None).tolist() == [[pytest.approx(103 / 3)]]


def test_probabilities_add_up_or_stand_alone() -> None:
    said = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]])
    assert probabilities(said).tolist() == [[0.5, 0.5], [pytest.approx(0.75), pytest.approx(0.25)]]
    assert probabilities(said, several=True)[1].tolist() == [pytest.approx(0.75), 0.5]


def test_no_examples_have_no_answers() -> None:
    data = texts(0)
    made = network("cnn", Shape("ids", (30,), 4))
    assert answers.answers(made, data).shape == (0, 0)
    assert answers.features(made, data).shape == (0, 0)


@pytest.mark.parametrize("size", [2, 9, 10, 31, 40])
@pytest.mark.parametrize("cells", [1, 20, 1000])
def test_every_token_but_the_first_is_predicted_once(size: int, cells: int) -> None:
    stream = np.random.default_rng(1).integers(2, 30, size).astype(np.int32)
    made = network("gru", Shape("ids", (30,), 30, per_token=True, causal=True))
    ids, total = torch.from_numpy(stream).long(), 0.0
    for begin in range(0, size - 1, 10):
        window = ids[begin : begin + 10][: size - 1 - begin]
        with torch.no_grad():
            said = made(Inputs(window[None], torch.tensor([len(window)])))[0]
        total += float(
            F.cross_entropy(said, ids[begin + 1 : begin + 1 + len(window)], reduction="sum")
        )
    assert language_loss(made, stream, 10, cells) == pytest.approx(total / (size - 1), rel=1e-5)


def test_a_text_of_one_token_has_nothing_to_predict() -> None:
    made = network("gru", Shape("ids", (30,), 30, per_token=True, causal=True))
    with pytest.raises(GaiError, match="fewer than two tokens"):
        language_loss(made, np.array([3], np.int32), 10)


class Saying(nn.Module):
    """A network that says what it is told of each example, or each token."""

    def __init__(self, said: list[Any]) -> None:
        super().__init__()
        self.said = nn.Parameter(torch.tensor(said))

    def forward(self, inputs: Inputs) -> Tensor:
        return self.said[inputs.values[..., 0].long()]


def encoding(config: Config, labels: Any) -> tuple[Encoding, Raw]:
    count = len(labels)
    array = np.arange(count, dtype=np.float32)[:, None] / 1
    raw = Raw([str(n) for n in range(count)], array=array, labels=labels)
    made = fit(raw, config)
    return Encoding(made.source, made.size, config, None, None, made.labels, made.targets), raw


def test_the_loss_is_of_labels_that_training_has_seen_and_scores_of_all() -> None:
    made, raw = encoding(Config(input="numbers"), ["a", "b", "a"])
    data = made.dataset(Raw(raw.ids, array=raw.array, labels=["a", "z", "b"]))
    said = [[2.0, 0.0], [9.0, 0.0], [2.0, 0.0]]
    judge = Judge(made, data, F.cross_entropy)
    scores = judge.scores(Saying(said))
    expected = F.cross_entropy(torch.tensor([said[0], said[2]]), torch.tensor([0, 1]))
    assert scores["loss"] == pytest.approx(float(expected))
    assert scores["accuracy"] == pytest.approx(1 / 3)
    unknown = made.dataset(Raw(raw.ids, array=raw.array, labels=["z", "z", "z"]))
    assert math.isnan(Judge(made, unknown, F.cross_entropy).scores(Saying(said))["loss"])


def test_numbers_are_scored_in_their_own_units() -> None:
    made, raw = encoding(Config(task="regress", input="numbers"), np.array([[0.0], [10.0], [20.0]]))
    judge = Judge(made, made.dataset(raw), F.mse_loss)
    found = judge.judged(Saying([[0.0], [0.0], [0.0]]))  # the mean, 10
    assert found.summary["mse"] == pytest.approx(200 / 3)
    assert found.summary["mae"] == pytest.approx(20 / 3)
    assert found.summary["r2"] == pytest.approx(0)
    assert found.summary["loss"] == pytest.approx(1)  # in deviations
    assert next(iter(found.summary)) == "loss"


def test_several_labels_are_scored_each() -> None:
    made, raw = encoding(Config(input="numbers"), [("a", "b"), (), ("b",)])
    judge = Judge(made, made.dataset(raw), F.binary_cross_entropy_with_logits)
    found = judge.scores(Saying([[9.0, 9.0], [-9.0, 9.0], [-9.0, 9.0]]))
    assert found["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1))


def test_a_device_that_is_not_there_says_what_to_do() -> None:
    assert devices.device(Config(device="cpu")).type == "cpu"
    with pytest.raises(GaiError, match="--device warp: ") as found:
        devices.device(Config(device="warp"))
    assert found.value.hint == "--device auto, cpu or cuda"


@pytest.mark.parametrize(
    ("model", "device", "precision"),
    [
        ("transformer", "cuda", "bfloat16"),
        ("cnn", "cuda", "float32"),
        ("transformer", "cpu", "float32"),
    ],
)
def test_precision_by_device_and_model(model: str, device: str, precision: str) -> None:
    assert devices.settled(Config(model=model), torch.device(device)).precision == precision
    asked = Config(model=model, precision="bfloat16")
    assert devices.settled(asked, torch.device(device)).precision == "bfloat16"


def test_trying_how_many_threads_are_fastest_changes_nothing() -> None:
    shape = Shape("numbers", (3,), 2)
    made = network("mlp", shape, dropout=0.5, batch_norm=True).train()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    batch = Batch(Inputs(torch.randn(8, 3)), torch.zeros(8, dtype=torch.long), 8)
    chance = torch.get_rng_state()
    assert devices.fastest(made, [batch], Supervised(F.cross_entropy), 2) in (1, 2)
    assert torch.equal(chance, torch.get_rng_state())
    assert all(torch.equal(before[name], tensor) for name, tensor in made.state_dict().items())
    assert all(weight.grad is None for weight in made.parameters())
    assert made.training
    assert devices.fastest(made, [], Supervised(F.cross_entropy), 1) == 1


def test_lines_have_as_many_fields_whatever_ids_and_labels_hold() -> None:
    shares = np.array([[0.25, 0.75]], np.float32)
    said = Labelled(["a\tb\n"], ["x\ty", "z\\"], shares)
    assert list(said.tsv()) == ["a\\tb\\n\tz\\\\\t0.75\n"]
    assert list(said.jsonl()) == ['{"id": "a\\tb\\n", "label": "z\\\\", "probability": 0.75}\n']
    numbers = Measured(["i"], np.array([[1 / 3, 1e-9]]))
    assert list(numbers.tsv()) == ["i\t0.333333\t1e-09\n"]
    assert list(numbers.jsonl()) == ['{"id": "i", "values": [0.333333, 1e-09]}\n']
    tags = np.array([1, 0, 0])
    words = Tagged(["s", "e", "t"], [["a\tb", "c"], [], ["d"]], ["N", "V"], tags, shares[0][tags])
    assert list(words.tsv()) == ["s\ta\\tb\tV\t0.75\n", "s\tc\tN\t0.25\n", "t\td\tN\t0.25\n"]


def test_ignored_tags_are_no_part_of_the_scores() -> None:
    raw = Raw(["1"], tokens=[["a", "b", "a"]], labels=[["N", "V", ""]])
    config = resolved({"model": "gru", "task": "tag", "width": 4, "embedding": 3})
    made = fit(raw, config)
    data = made.dataset(raw)
    assert data.targets is not None
    assert data.targets.tolist() == [0, 1, IGNORED]
    shape = Shape("ids", made.size, 2, per_token=True)
    judge = Judge(made, data, lambda said, right: F.cross_entropy(said[0], right[0]))
    net = network("gru", shape)
    scores = judge.scores(net)
    said = answers.answers(net, data)
    assert scores["loss"] == pytest.approx(float(F.cross_entropy(said[:2], torch.tensor([0, 1]))))
    right = (said[:2].argmax(1) == torch.tensor([0, 1])).double().mean()
    assert scores["accuracy"] == pytest.approx(float(right))


@pytest.mark.parametrize("longest", [1, 2, 3, 100])
def test_long_rows_are_seen_in_windows_that_cover_them(longest: int) -> None:
    rows = Ragged(np.arange(11, dtype=np.int32), np.array([0, 5, 5, 11]))
    windows, owners = answers.in_windows(rows, longest)
    assert windows.lengths.max() <= longest
    assert windows.offsets[-1] == 11
    for row in range(3):
        pieces = [
            windows.values[a:b]
            for (a, b), owner in zip(
                itertools.pairwise(windows.offsets.tolist()), owners.tolist(), strict=True
            )
            if owner == row
        ]
        assert np.concatenate(pieces).tolist() == list(range(*rows.offsets[row : row + 2]))


def test_means_of_windows_are_weighted_by_their_lengths() -> None:
    parts = np.array([[1.0], [4.0], [7.0]], np.float32)
    found = answers.weighted_means(parts, np.array([0, 0, 1]), np.array([2, 1, 0]), 2)
    assert found.tolist() == [[2.0], [7.0]]
