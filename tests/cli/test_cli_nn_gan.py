"""Generative adversarial networks and capsule networks on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.cli.main import main
from gai.nn.config import Config
from gai.nn.net import blending

Run = Callable[..., Any]

TINY = ("--threads", "1", "--seed", "1", "--width", "16", "-q")
POINTS = {"low": (0.2, 0.8), "high": (0.8, 0.2)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small images in two classes, and runs: a gan with labels, one without, a capsnet."""
    folder = tmp_path_factory.mktemp("gan")
    images("two.npz", folder, ("a", "b"))
    images("other.npz", folder, ("c", "d"))
    images("large.npz", folder, ("a", "b"), side=6)
    (folder / "texts.tsv").write_text("text\tlabel\nthe cat\ta\nthe dog\tb\n" * 20)
    gan = ("gan", "two.npz", "--code", "4", "--layers", "1")
    commands = {
        "labelled": [*gan, "--conditional", "--epochs", "40", "--lr", "0.005"],
        "plain": [*gan, "--epochs", "2"],
        "capsules": ["capsnet", "two.npz", "--epochs", "3", "--filters", "4", "--capsules", "2"],
    }
    for name, words in commands.items():
        said = [str(folder / word) if word.endswith(".npz") else word for word in words]
        assert main(["nn", "train", *said, "-o", str(folder / name), *TINY]) == 0, name
    return folder


def images(name: str, folder: Path, labels: tuple[str, str], side: int = 4) -> None:
    """Images whose left or right half is bright."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=120)
    x = rng.uniform(0, 0.2, (120, 1, side, side))
    for image, label in zip(x, y, strict=True):
        half = slice(side // 2) if label else slice(side // 2, side)
        image[0, :, half] += 0.7
    np.savez(folder / name, x=x.astype(np.float32), y=np.array(labels)[y])


def refused(ended: Any, code: int = 2) -> str:
    """The message of a command that ended with an error of one line and a hint."""
    said: str = ended.stderr.decode()
    assert (ended.returncode, ended.stdout) == (code, b""), said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 2
    return said


def report(folder: Path, name: str = "") -> dict[str, Any]:
    return dict(json.loads((folder / name / "report.json").read_text()))


def test_a_gan_reports_how_near_its_samples_are(folder: Path) -> None:
    found = report(folder, "labelled")
    assert (found["task"], found["data"]["labels"]) == ("generate", ["a", "b"])
    scores = found["scores"]["valid"]
    assert list(scores["network"]) == ["loss", "distance", "told", "diversity", "auc"]
    assert [row["label"] for row in scores["details"]["likeness"]] == ["a", "b"]
    assert list(scores["baselines"]) == ["a normal distribution for each label"]
    assert report(folder, "plain")["data"]["labels"] is None


def test_both_losses_stand_in_the_log(folder: Path) -> None:
    lines = (folder / "labelled" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 40
    assert all({"generator", "discriminator"} <= json.loads(line)["parts"].keys() for line in lines)


def test_the_best_generator_is_kept(folder: Path) -> None:
    lines = (folder / "labelled" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    distances = {record["step"]: record["scores"]["distance"] for record in records}
    assert report(folder, "labelled")["best_step"] == min(distances, key=distances.__getitem__)


def test_a_gan_goes_on_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    """Also its noise, the mean generator, and the steps in which the generator rests."""
    words = [
        "nn",
        "train",
        "gan",
        str(folder / "two.npz"),
        "--loss",
        "wasserstein",
        "--conditional",
    ]
    words += ["--code", "4", "--critic-steps", "3", "--dropout", "0.2", *TINY]
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert main([*words, "--epochs", "4", "-o", str(whole)]) == 0
    assert main([*words, "--epochs", "2", "-o", str(parted)]) == 0
    assert main(["nn", "train", "--resume", "--epochs", "4", "-q", "-o", str(parted)]) == 0
    assert same_tensors(whole, parted, "last/state.safetensors")
    assert same_tensors(whole, parted, "model.safetensors")


def same_tensors(one: Path, other: Path, name: str) -> bool:
    from safetensors.numpy import load_file

    a, b = load_file(one / name), load_file(other / name)
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def test_samples_have_the_labels_that_they_were_asked_for(folder: Path) -> None:
    from gai.nn.net import experiment
    from gai.nn.net.sampling import sampled
    from gai.nn.runs import Run

    network, encoding = experiment.load(Run(str(folder / "labelled")), threads=1)
    made = sampled(network, encoding, 40, seed=0)
    assert made.labels == ["a", "b"] * 20
    left, right = made.values[:, 0, :, :2].mean((1, 2)), made.values[:, 0, :, 2:].mean((1, 2))
    assert np.mean((left > right) == (np.array(made.labels) == "b")) > 0.9


def test_a_classifier_of_samples_alone_knows_real_images(folder: Path, tmp_path: Path) -> None:
    words = ["mlp", str(folder / "two.npz"), "--augment-from", str(folder / "labelled")]
    words += ["--augment-share", "1", "--epochs", "10", "--test", "0.2"]
    assert main(["nn", "train", *words, "-o", str(tmp_path / "run"), *TINY]) == 0
    found = report(tmp_path, "run")
    assert found["scores"]["test"]["network"]["accuracy"] > 0.9
    # The gan had no --test: what is tested on here it may have learned from.
    assert "another split" in found["notes"][0]


@pytest.mark.parametrize(
    ("before", "now", "noted"),
    [
        ({"test": "0.2"}, {"test": "0.2"}, False),
        ({"test": "0.2"}, {"test": "0.2", "valid": "0"}, False),  # drawn before any validate
        ({"test": "0.2", "valid": "0"}, {"test": "0.2"}, True),
        ({"test": "0.2", "seed": 2}, {"test": "0.2"}, True),
        ({"test": "0.2", "seed": 2, "split_seed": 1}, {"test": "0.2"}, False),
        ({}, {"test": "0.2", "valid": "0"}, True),
        ({"data": ("other.npz",)}, {"test": "0.2"}, False),
    ],
)
def test_samples_that_may_know_what_is_held_out_are_noted(
    before: dict[str, Any], now: dict[str, Any], noted: bool
) -> None:
    config = Config(data=("two.npz",))
    gan, own = config.with_(conditional=True, **before), config.with_(augment_from="gan", **now)
    assert bool(blending.notes(gan, own)) is noted


def test_samples_are_added_by_their_share_and_alike_each_time(folder: Path, tmp_path: Path) -> None:
    words = ["nn", "train", "mlp", str(folder / "two.npz"), "--augment-from"]
    words += [str(folder / "labelled"), "--augment-share", "0.25", *TINY]
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert main([*words, "--epochs", "2", "-o", str(whole)]) == 0
    examples = report(whole)["data"]["examples"]
    assert examples == {"train": 144, "valid": 12}  # 108 of them real
    assert report(whole)["notes"] == []
    assert main([*words, "--epochs", "1", "-o", str(parted)]) == 0
    assert main(["nn", "train", "--resume", "--epochs", "2", "-q", "-o", str(parted)]) == 0
    assert same_tensors(whole, parted, "model.safetensors")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gan", "texts.tsv"), "gan does not take text"),
        (("capsnet", "texts.tsv"), "capsnet does not take text"),
        (("gan", "texts.tsv", "--conditional"), "gan does not take text"),
        (("capsnet", "@iris"), "capsnet does not take rows of numbers"),
        (("gan", "@iris", "--task", "classify"), "gan"),
        (("mlp", "two.npz", "--conditional"), "--conditional is for gan"),
        (("mlp", "two.npz", "--capsule-sizes", "4,4"), "--capsule-sizes is for capsnet"),
        (("capsnet", "two.npz", "--kernels", "3,5"), "one width"),
        (("capsnet", "two.npz", "--capsule-sizes", "4"), "expected two numbers"),
        (("gan", "two.npz", "--loss", "margin"), "--loss margin does not fit"),
        (("gan", "@diabetes", "--conditional"), "numbers, not names"),
        (("mlp", "two.npz", "--augment-from", "plain"), "trained without --conditional"),
        (("mlp", "two.npz", "--augment-from", "capsules"), "it is a capsnet, and makes no labels"),
        (("mlp", "two.npz", "--augment-from", "nowhere"), "no such folder"),
        (("mlp", "other.npz", "--augment-from", "labelled"), "no such labels: 'a', 'b'"),
        (("mlp", "large.npz", "--augment-from", "labelled"), "1 x 4 x 4, the data has 1 x 6 x 6"),
        (("mlp", "texts.tsv", "--augment-from", "labelled"), "the data is texts"),
        (("mlp", "@diabetes", "--augment-from", "labelled"), "--task classify"),
        (("mlp", "two.npz", "--augment-from", "labelled", "--augment-share", "1.5"), "1.5"),
    ],
)
def test_what_cannot_be_is_one_line(
    folder: Path, tmp_path: Path, quick: Run, words: tuple[str, ...], message: str
) -> None:
    ended = quick("nn", "train", *words, "-o", tmp_path / "run", *TINY, cwd=folder)
    assert message in refused(ended, ended.returncode or 2)
    assert not (tmp_path / "run").exists()


def test_predictions_and_capsules_of_a_capsnet(folder: Path, quick: Run) -> None:
    said = quick("nn", "predict", "capsules", "two.npz", "--format", "jsonl", cwd=folder)
    first = json.loads(said.stdout.splitlines()[0])
    assert first["label"] in ("a", "b")
    ended = quick("nn", "encode", "capsules", "two.npz", "--format", "tsv", cwd=folder)
    cells = ended.stdout.decode().splitlines()[0].split("\t")
    assert len(cells) == 1 + 2 * 16
    shown = json.loads(quick("nn", "inspect", "capsules", cwd=folder).stdout)
    assert "Routing" in [layer["kind"] for layer in shown["layers"]]


def test_a_gan_predicts_nothing_and_says_what_it_can(folder: Path, quick: Run) -> None:
    said = refused(quick("nn", "predict", "labelled", "two.npz", cwd=folder), 1)
    assert "gai nn sample" in said


def test_a_gan_is_evaluated_on_other_data(folder: Path, quick: Run) -> None:
    ended = quick("nn", "evaluate", "labelled", "two.npz", cwd=folder)
    found = json.loads(ended.stdout)
    assert found["summary"]["distance"] == pytest.approx(
        report(folder, "labelled")["scores"]["valid"]["network"]["distance"], abs=0.3
    )
    assert len(found["details"]["likeness"]) == 2


@pytest.mark.slow
def test_a_classifier_of_samples_of_digits_knows_real_digits_of_all_ten_classes(
    tmp_path: Path,
) -> None:
    """It sees no real digit at all: neither to learn from, nor to choose its best weights."""
    common = ["@digits", "--test", "0.2", "--seed", "1", "--threads", "1", "-q"]
    gan, run = tmp_path / "gan", tmp_path / "run"
    loss = ["--loss", "wasserstein", "--critic-steps", "2"]
    assert main(["nn", "train", "gan", *common, "--conditional", *loss, "-o", str(gan)]) == 0
    samples = ["--augment-from", str(gan), "--augment-share", "1", "--valid", "0"]
    words = ["nn", "train", "mlp", *common, *samples, "--epochs", "20", "-o", str(run)]
    assert main(words) == 0
    scores = report(run)["scores"]["test"]
    assert scores["network"]["accuracy"] > 0.9
    recalls = {row["label"]: row["recall"] for row in scores["details"]["labels"]}
    assert len(recalls) == 10
    assert min(recalls.values()) > 0.7
