"""Autoencoders against principal components, dense twins, worked examples, what they are for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn

from gai.cli.nn_display import Silent
from gai.errors import GaiError, UsageError
from gai.nn import baselines, grids
from gai.nn.anomalies import Known, Ranking, detection, spelt
from gai.nn.comparing import baseline
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset, Sparse
from gai.nn.data.preparing import Parts, prepare
from gai.nn.net import experiment
from gai.nn.net.batches import Batch, taker
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.keeping import Memory
from gai.nn.net.learning import reconstruction
from gai.nn.net.learning.reconstruction import Reconstruction
from gai.nn.net.models import build
from gai.nn.net.models.autoencoder import Autoencoder
from gai.nn.net.models.mlp import SparseLinear
from gai.nn.net.reconstructing import cleaned, distances, errors, wanted
from gai.nn.scores.ranking import auroc, average_precision

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def saved(path: Path, x: NDArray[Any], y: NDArray[Any] | None = None) -> str:
    """A file of examples."""
    arrays = {"x": x} if y is None else {"x": x, "y": y}
    np.savez(path, **arrays)
    return str(path)


def trained(path: str, **said: Any) -> tuple[Autoencoder, Parts]:
    """A network after its last step, and the data that it was trained on."""
    fast = {"seed": 1, "threads": 1, "eval_every": 1000}
    asked = {"model": "autoencoder", "data": (path,), **fast, **said}
    parts = prepare(asked)
    training = experiment.fresh(parts, Silent(), Memory())
    training.run()
    network = training.network.eval()
    assert isinstance(network, Autoencoder)
    return network, parts


def flat_examples(count: int = 240, noise: float = 0.3) -> NDArray[np.float32]:
    """Twelve numbers that lie near a plane."""
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((count, 2)) @ rng.standard_normal((2, 12))
    return np.asarray(plane + noise * rng.standard_normal((count, 12)), np.float32)


def sparse_rows(count: int, width: int, seed: int = 0) -> tuple[Sparse, NDArray[np.float32]]:
    """Rows, some of them empty, and the same dense."""
    rng = np.random.default_rng(seed)
    dense = np.asarray(rng.random((count, width)) * (rng.random((count, width)) < 0.3), np.float32)
    dense[0] = dense[-1] = 0
    made = csr_matrix(dense)
    return Sparse(made.indptr.astype(np.int64), made.indices, made.data, width), dense


def batch_of(inputs: Any) -> Batch:
    """All examples as one batch."""
    rows = np.arange(len(inputs) if isinstance(inputs, np.ndarray) else inputs.rows)
    return taker(Dataset(inputs, None, [""] * len(rows)), CPU)(rows)


def test_a_linear_one_finds_what_principal_components_keep(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", flat_examples())
    network, parts = trained(
        path, activation="linear", code=2, width=16, epochs=250, batch_size=0, lr=0.02, valid="0"
    )
    found = errors(network, parts.train, parts.config).mean()
    best = baselines.principal_components(parts.train.inputs, parts.train.inputs, 2)  # type: ignore[arg-type]
    assert best.scores["error"] <= found < 1.02 * best.scores["error"]


def test_principal_components_keep_what_singular_vectors_do() -> None:
    x = flat_examples()
    train, test = x[:200], x[200:]
    vectors = np.linalg.svd(train - train.mean(0))[2][:3]
    off = test - train.mean(0)
    expected = ((off - off @ vectors.T @ vectors) ** 2).mean()
    found = baselines.principal_components(train, test, 3)
    assert found.name == "PCA, 3 components"
    assert found.scores["error"] == pytest.approx(expected, rel=1e-4)
    assert baselines.principal_components(train, test, 99).name == "PCA, 12 components"


def test_truncated_svd_is_measured_without_a_dense_row() -> None:
    _, dense = sparse_rows(40, 15)
    rows = csr_matrix(dense)
    fitted = TruncatedSVD(4, random_state=0).fit(rows)
    seen = fitted.inverse_transform(fitted.transform(rows))
    lengths = np.linalg.norm(seen, axis=1) * np.linalg.norm(dense, axis=1)
    cosines = np.divide((seen * dense).sum(1), lengths, out=np.zeros(40), where=lengths > 0)
    by_angle = baselines.truncated_svd(rows, rows, 4, cosine=True).scores["error"]
    by_length = baselines.truncated_svd(rows, rows, 4, cosine=False).scores["error"]
    assert by_angle == pytest.approx((1 - cosines).mean(), abs=1e-6)
    assert by_length == pytest.approx(((seen - dense) ** 2).sum(1).mean(), abs=1e-6)


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 99))
def test_sparse_rows_come_out_dense(count: int, width: int, seed: int) -> None:
    rows, dense = sparse_rows(count, width, seed)
    assert np.array_equal(wanted(batch_of(rows).inputs, width).numpy(), dense)


def test_sparse_rows_have_the_codes_of_their_dense_twins() -> None:
    rows, dense = sparse_rows(9, 20)
    for layers in (0, 1, 2):
        config = Config(
            model="autoencoder", task="reconstruct", input="tfidf", loss="mse", layers=layers,
            width=7, code=3,
        )  # fmt: skip
        network = build(config, Shape("rows", (20,), 20)).eval()
        twin = build(config.with_(input="numbers"), Shape("numbers", (20,), 20)).eval()
        weights = network.state_dict()
        first = "encoder.0.linear.weight" if layers else "code.weight"
        weights[first] = weights[first].T
        twin.load_state_dict(weights)
        assert isinstance(network, Autoencoder)
        assert isinstance(network.encoder[0].linear if layers else network.code, SparseLinear)
        found, other = network(batch_of(rows).inputs), twin(batch_of(dense).inputs)
        assert torch.allclose(found, other, atol=1e-6)
        code = network.features(batch_of(rows).inputs)
        assert code.shape == (9, 3)
        assert torch.allclose(network.decode(code), found)


def test_a_code_is_as_narrow_as_asked_and_layers_are_mirrored() -> None:
    config = Config(model="autoencoder", task="reconstruct", input="images", layers=2, width=9,
                    code=4, loss="mse")  # fmt: skip
    network = build(config, Shape("images", (1, 5, 6), 30))
    shapes = [tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Linear)]
    assert shapes == [(9, 30), (9, 9), (4, 9), (9, 4), (9, 9), (30, 9)]


def test_distances_are_those_by_hand() -> None:
    seen = torch.tensor([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
    right = torch.tensor([[1.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
    numbers = Config(task="reconstruct", input="numbers", loss="mse")
    assert distances(seen, right, numbers).tolist() == pytest.approx([5 / 3, 16 / 3])
    text = numbers.with_(input="tfidf")
    assert distances(seen, right, text).tolist() == pytest.approx([5.0, 16.0])
    by_angle = distances(seen, right, text.with_(loss="cosine")).tolist()
    assert by_angle == pytest.approx([1 - 1 / (5**0.5 * 2**0.5), 1 - 3 / 5])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", 0.25),
        ("mae", 0.5),
        ("huber", 0.125),
        ("bce", np.log(1 + np.exp(-0.5)) / 2 + np.log(1 + np.exp(0.5)) / 2),
        ("cosine", 1 - 0.5**0.5),
    ],
)
def test_losses_are_those_by_hand(loss: str, expected: float) -> None:
    config = Config(task="reconstruct", input="numbers", loss=loss)
    outputs, right = torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]])
    assert reconstruction.loss_of(config)(outputs, right).item() == pytest.approx(expected)


class Echo(nn.Module):
    """Gives back what it gets, and remembers it."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Tensor] = []

    def forward(self, inputs: Inputs) -> Tensor:
        self.given.append(wanted(inputs, 50))
        return self.given[-1]


def test_noise_is_on_what_comes_in_and_not_on_what_is_wanted() -> None:
    torch.manual_seed(0)
    x = np.full((400, 50), 0.5, np.float32)
    echo = Echo()
    lost = Reconstruction(nn.functional.mse_loss, denoise=0.3)(echo, batch_of(x), 0)
    off = echo.given[0] - 0.5
    assert off.std().item() == pytest.approx(0.3, rel=0.02)
    assert abs(off.mean().item()) < 0.01
    assert lost.loss.item() == pytest.approx(off.square().mean().item())


def test_noise_on_rows_leaves_terms_out() -> None:
    torch.manual_seed(0)
    dense = np.ones((400, 50), np.float32)
    made = csr_matrix(dense)
    rows = Sparse(made.indptr.astype(np.int64), made.indices, made.data, 50)
    echo = Echo()
    Reconstruction(nn.functional.mse_loss, denoise=0.3)(echo, batch_of(rows), 0)
    assert set(echo.given[0].unique().tolist()) == {0.0, 1.0}
    assert echo.given[0].mean().item() == pytest.approx(0.7, abs=0.01)


def test_a_network_that_learned_to_denoise_takes_noise_away(tmp_path: Path) -> None:
    x = 0.5 + 0.15 * flat_examples(noise=0.0).reshape(-1, 3, 4)
    path = saved(tmp_path / "x.npz", x)
    network, parts = trained(
        path, code=4, width=32, epochs=60, denoise=0.2, lr=0.005, test="0.2", valid="0"
    )
    found = cleaned(network, parts.encoding, parts.raw["test"], 0.2, seed=3)
    clean = parts.test.inputs  # type: ignore[union-attr]
    assert found.given.shape == found.made.shape == (48, 1, 3, 4)
    before = ((found.given - clean) ** 2).mean()
    assert before == pytest.approx(0.04, rel=0.15)
    assert ((found.made - clean) ** 2).mean() < before / 2


def test_cleaned_numbers_are_in_their_own_units(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", 1000 + 50 * flat_examples())
    network, parts = trained(path, code=2, width=16, epochs=20, lr=0.01, valid="0")
    found = cleaned(network, parts.encoding, parts.raw["train"], 0.0, seed=1)
    array = parts.raw["train"].array
    assert array is not None
    assert np.allclose(found.given, array, rtol=1e-4)
    assert abs(found.made.mean() - 1000) < 20
    assert parts.encoding.scale is not None
    scaled = (found.made - array) / parts.encoding.scale.deviation
    expected = errors(network, parts.train, parts.config)
    assert (scaled**2).mean(1) == pytest.approx(expected, rel=1e-2)


def test_a_sparse_code_is_mostly_off(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", flat_examples())
    said = {"code": 16, "width": 32, "epochs": 40, "lr": 0.01, "valid": "0"}
    shares = []
    for sparsity in (1e-9, 0.05):
        network, parts = trained(path, sparsity=sparsity, **said)
        code = network.features(batch_of(parts.train.inputs).inputs)
        assert code.min() == 0.0
        shares.append((code > 0).float().mean().item())
    assert shares[1] < 0.7 * shares[0]


def test_a_code_is_not_cheaper_for_being_small_and_weights_large() -> None:
    config = Config(model="autoencoder", task="reconstruct", input="numbers", loss="mse",
                    width=6, code=3, sparsity=0.5)  # fmt: skip
    network = build(config, Shape("numbers", (5,), 5))
    assert isinstance(network, Autoencoder)
    batch = batch_of(flat_examples()[:8, :5])
    objective = Reconstruction(nn.functional.mse_loss, sparsity=0.5)
    before = objective(network, batch, 0)
    with torch.no_grad():
        network.code.weight /= 10  # type: ignore[operator]
        network.code.bias /= 10  # type: ignore[operator]
        network.decoder[0].linear.weight *= 10
    after = objective(network, batch, 0)
    assert after.parts["sparsity"].item() == pytest.approx(before.parts["sparsity"].item(), 1e-4)
    assert before.loss.item() == pytest.approx(sum(part.item() for part in before.parts.values()))
    code = network.encode(batch.inputs)
    by_hand = (code * network.decoder[0].linear.weight.norm(dim=0)).sum(1).mean() / 2
    assert after.parts["sparsity"].item() == pytest.approx(by_hand.item(), 1e-4)


def test_labels_are_not_looked_at(tmp_path: Path) -> None:
    x = flat_examples()
    with_labels = saved(tmp_path / "a.npz", x, np.arange(len(x)) % 3)
    without = saved(tmp_path / "b.npz", x)
    nets = [trained(path, code=2, width=4, epochs=1)[0] for path in (with_labels, without)]
    assert all(torch.equal(a, b) for a, b in zip(*(n.parameters() for n in nets), strict=True))


def test_examples_of_a_label_can_be_left_out(tmp_path: Path) -> None:
    x = flat_examples(60)
    path = saved(tmp_path / "a.npz", x, np.arange(60) % 3)
    said = {"model": "autoencoder", "data": (path,), "valid": "0"}
    parts = prepare({**said, "without": ("1",)})
    assert parts.raw["train"].labels is None
    kept = np.flatnonzero(np.arange(60) % 3 != 1)
    assert np.array_equal(parts.raw["train"].array, x[kept])  # type: ignore[arg-type]
    with pytest.raises(GaiError, match="--without 0,1,2 leaves no example"):
        prepare({**said, "without": ("0", "1", "2")})
    classes = prepare({**said, "model": "mlp", "without": ("1",)})
    assert classes.encoding.labels is not None
    assert classes.encoding.labels.names == ("0", "2")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"loss": "hinge"}, "--loss hinge does not fit --task reconstruct"),
        ({"loss": "bce"}, "bce needs numbers from 0 to 1, and the data, after scaling, has"),
        ({"class_weights": "balanced"}, "--class-weights: an autoencoder has no classes"),
        ({"label_smoothing": 0.1}, "--label-smoothing: an autoencoder has no labels"),
        ({"code": 0}, "--code 0 must be at least 1"),
        ({"beta": 2.0}, "--beta is for vae"),
        ({"model": "mlp", "task": "reconstruct"}, "--task reconstruct is not for mlp"),
        ({"task": "classify"}, "--task classify: autoencoder has another"),
    ],
)
def test_choices_that_do_not_fit_are_errors(
    said: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "x.npz", flat_examples(20))
    with pytest.raises(GaiError, match=message):
        trained(path, epochs=1, width=4, code=said.pop("code", 2), **said)


def test_the_report_has_what_anomalies_are_measured_by(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", flat_examples())
    network, parts = trained(path, code=2, width=8, epochs=5, test="0.25")
    judge = experiment.judge_of(parts.encoding, parts.raw["test"])
    found = judge.judged(network)
    each = errors(network, parts.test, parts.config)  # type: ignore[arg-type]
    assert found.summary["error"] == pytest.approx(each.mean())
    assert found.summary["loss"] == pytest.approx(each.mean())
    low, high = found.intervals["error"]
    assert low < each.mean() < high
    assert found.details["quantiles"] == pytest.approx(np.quantile(each, np.linspace(0, 1, 101)))
    simple = baseline(parts, "test")
    assert simple is not None
    assert simple.name == "PCA, 2 components"
    assert judge.scores(network) == found.summary


def test_planted_outliers_come_first(tmp_path: Path) -> None:
    x = flat_examples(noise=0.1)
    network, parts = trained(saved(tmp_path / "x.npz", x), code=2, width=16, epochs=40, lr=0.01)
    odd = x[:40].copy()
    odd[[3, 17]] = odd[[3, 17]][:, ::-1] * 2
    found = errors(network, parts.encoding.dataset(raw_of(odd), labelled=False), parts.config)
    ranking = Ranking([str(row) for row in range(40)], found)
    assert set(ranking.strangest(None, 2).ids) == {"3", "17"}
    labels = ["odd" if row in (3, 17) else "even" for row in range(40)]
    assert detection(found, labels, ["odd"])["auroc"] == 1.0


def raw_of(array: NDArray[np.float32]) -> Any:
    from gai.nn.data.raw import Raw

    return Raw([str(row) for row in range(len(array))], array=array)


values = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40)


@given(values.filter(lambda pairs: len({wanted for _, wanted in pairs}) == 2))
def test_ranking_scores_are_scikit_learn_s(pairs: list[tuple[int, bool]]) -> None:
    found = np.array([value for value, _ in pairs], float)
    right = np.array([wanted for _, wanted in pairs])
    assert auroc(found, right) == pytest.approx(roc_auc_score(right, found))
    assert average_precision(found, right) == pytest.approx(average_precision_score(right, found))


def test_a_ranking_of_one_kind_has_no_score() -> None:
    assert np.isnan(auroc(np.ones(3), np.ones(3, bool)))
    assert np.isnan(average_precision(np.ones(3), np.zeros(3, bool)))


def test_a_ranking_is_by_error_and_then_by_place() -> None:
    found = np.array([0.5, 2.0, 0.5, 3.0])
    ranking = Ranking(list("abcd"), found, np.array([0.1, 0.9, 0.1, 1.0]), list("xyxy"))
    assert ranking.strangest(None, None).ids == list("dbac")
    assert ranking.strangest(0.5, None).ids == list("db")
    assert list(ranking.strangest(0.5, 1).tsv()) == ["d\t3.0\t1.0\ty\n"]
    assert list(Ranking(["a\tb"], np.array([1.5])).tsv()) == ["a\\tb\t1.5\t\n"]


def test_ordinary_errors_give_shares_and_thresholds() -> None:
    known = Known.of({"scores": {"valid": {"details": {"quantiles": [1.0, 2.0, 4.0]}}}})
    assert known is not None
    assert known.shares(np.array([0.0, 1.5, 3.0, 9.0])).tolist() == [0.0, 0.25, 0.75, 1.0]
    assert known.error(0.75) == 3.0
    assert Known.of({"scores": {}}) is None


def test_what_is_anomalous_must_be_there_and_not_be_all() -> None:
    labels = [("a", "b"), ("b",)]
    assert spelt(labels) == ["a, b", "b"]
    found = detection(np.array([2.0, 1.0]), labels, ["a"])
    assert found == {"auroc": 1.0, "average_precision": 1.0, "anomalous": 1}
    with pytest.raises(GaiError, match="--anomalous b: all of the examples"):
        detection(np.ones(2), labels, ["b"])
    with pytest.raises(GaiError, match="--anomalous c: none of the examples"):
        detection(np.ones(2), labels, ["c"])


def opened(content: bytes) -> NDArray[np.uint8]:
    """What Pillow reads."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


@given(st.integers(1, 7), st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 40))
def test_a_png_is_what_pillow_reads(count: int, channels: int, height: int, width: int) -> None:
    rng = np.random.default_rng(count + height)
    images = rng.random((count, channels, height, width)).astype(np.float32)
    pixels = grids.grid(images)
    assert np.array_equal(opened(grids.png(pixels)), pixels)
    assert pixels.ndim == (2 if channels == 1 else 3)


def test_each_pixel_of_a_grid_is_where_it_should_be() -> None:
    images = np.array([[[0.0, 1.0]], [[0.5, 2.0]], [[-1.0, 0.25]]], np.float32)[:, None]
    line, factor = grids.BETWEEN, 16
    found = grids.grid(images, columns=2)
    assert found.shape == (2 * (factor + 1) + 1, 2 * (2 * factor + 1) + 1)
    assert set(found[0].tolist()) == set(found[:, 0].tolist()) == {line}
    row = found[1].tolist()
    black, white, grey = [0] * factor, [255] * factor, [128] * factor
    assert row == [line, *black, *white, line, *grey, *white, line]
    below = found[factor + 2].tolist()
    assert below == [line, *black, *[64] * factor, *[line] * (2 * factor + 2)]


def test_images_are_shaded_in_a_terminal() -> None:
    small = np.array([[[0.0, 0.3], [0.5, 1.0]]], np.float32)[None].repeat(3, 0)
    assert grids.shaded(small, 12) == ["  ░░    ░░", "▒▒██  ▒▒██", "", "  ░░", "▒▒██"]
    large = np.zeros((1, 1, 4, 20), np.float32)
    large[:, :, 0] = 1.0
    assert grids.shaded(large, 80) == ["▒" * 20, " " * 20]
    red = np.zeros((1, 3, 1, 1), np.float32)
    red[:, 0] = 1.0
    assert grids.shaded(red, 80) == ["░░"]
    assert grids.shaded(small[:0], 80) == []


def test_a_loss_of_one_s_own_is_called(tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    module.write_text(
        "def twice(outputs, targets):\n    return 2 * (outputs - targets).abs().mean()"
    )
    path = saved(tmp_path / "x.npz", flat_examples(40))
    network, parts = trained(path, loss=f"{module}:twice", code=2, width=4, epochs=1, test="0.5")
    found = experiment.judge_of(parts.encoding, parts.raw["test"]).scores(network)
    said = network(batch_of(parts.test.inputs).inputs)  # type: ignore[union-attr]
    off = said.detach().numpy() - parts.test.inputs  # type: ignore[union-attr]
    assert found["loss"] == pytest.approx(2 * np.abs(off).mean(), rel=1e-5)
    assert found["error"] == pytest.approx((off**2).mean(), rel=1e-5)


def test_text_without_a_known_term_is_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(f'{{"text": "{a} {b}"}}\n' for a in "abcd" for b in "efgh") * 3)
    network, parts = trained(
        str(path), code=2, width=4, epochs=2, valid="0", token_pattern=r"\w", tokenizer="regex"
    )
    assert (parts.config.loss, parts.config.min_count, parts.encoding.kind) == ("cosine", 2, "rows")
    empty = raw_of(np.zeros((0, 1), np.float32))
    from dataclasses import replace

    raw = replace(empty, ids=["1", "2"], array=None, texts=["zzz", "a e"])
    found = errors(network, parts.encoding.dataset(raw, labelled=False), parts.config)
    assert found[0] == 1.0
    assert np.isfinite(found).all()


def test_wrong_losses_of_rows_are_errors() -> None:
    config = Config(model="autoencoder", task="reconstruct", input="tfidf", loss="bce")
    with pytest.raises(UsageError, match="--loss bce is for numbers from 0 to 1"):
        reconstruction.require_fitting(config, "rows")
    with pytest.raises(UsageError, match="--denoise 1 of a row leaves nothing"):
        reconstruction.require_fitting(config.with_(loss="mse", denoise=1.0), "rows")


@pytest.mark.slow
def test_the_error_on_digits_is_below_that_of_principal_components() -> None:
    for seed in range(1, 6):
        network, parts = trained("@digits", code=8, test="0.2", seed=seed, eval_every=None)
        found = experiment.judge_of(parts.encoding, parts.raw["test"]).scores(network)
        simple = baseline(parts, "test")
        assert simple is not None
        assert found["error"] < 0.7 * simple.scores["error"]


@pytest.mark.slow
def test_a_digit_that_was_never_seen_is_found(tmp_path: Path) -> None:
    """Averaged over the ten classes, and beside principal components, with 0.02 to spare."""
    digits, found, others = load_digits(), [], []
    x = (digits.images / 16).astype(np.float32)
    for odd in range(10):
        rows = np.random.default_rng(1).permutation(np.flatnonzero(digits.target != odd))
        cut = round(0.8 * len(rows))
        held = np.concatenate([rows[cut:], np.flatnonzero(digits.target == odd)])
        path = saved(tmp_path / f"{odd}.npz", x[rows[:cut]])
        network, parts = trained(path, code=8, eval_every=None)
        data = parts.encoding.dataset(raw_of(x[held]), labelled=False)
        found.append(auroc(errors(network, data, parts.config), digits.target[held] == odd))
        flat = x.reshape(len(x), -1)
        pca = PCA(8, svd_solver="full").fit(flat[rows[:cut]])
        off = pca.inverse_transform(pca.transform(flat[held])) - flat[held]
        others.append(roc_auc_score(digits.target[held] == odd, (off**2).mean(1)))
    assert np.mean(others) > 0.88
    assert np.mean(found) >= np.mean(others) + 0.02
