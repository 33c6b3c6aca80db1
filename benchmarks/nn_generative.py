"""python -m benchmarks.nn_generative WHAT: what autoencoders reach, beside what they must.

    reconstruct   @digits at code width 8, five seeds: the error on the test part, beside PCA's
    anomalies     @digits without one class, each of the ten: AUROC, beside PCA's
    texts         the same on TF-IDF rows: SMS without spam, banking77 without one intent
    vae           the bound on 1,000 images of MNIST after 10 epochs on 9,000, beside the
                  784-400-20-400-784 network that every tutorial has, written out here

Every network is trained and asked by the commands of gai, within this process. The data is beside
the repository (GAI_DATA).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from benchmarks.corpus import ROOT
from gai.cli.main import main as gai

DATA = Path(os.environ.get("GAI_DATA", ROOT.parent / "shared" / "data"))
CODE = 8
SHARE = 0.8
"""Of the examples of ordinary classes, how many are trained on; the others are tested."""

INTENTS = ("card_arrival", "exchange_rate", "lost_or_stolen_card", "terminate_account")
MNIST = "t10k-images-idx3-ubyte.gz"
SMALL = ("--threads", "1")


def called(*words: Any) -> None:
    """Runs a command of gai."""
    if code := gai([str(word) for word in words]):
        raise SystemExit(f"gai {' '.join(map(str, words))}: exit code {code}")


def train(model: str, data: str | Path, run: Path, *words: Any) -> dict[str, Any]:
    """The report of a training."""
    called("nn", "train", model, data, *words, *SMALL, "-q", "--force", "-o", run)
    found: dict[str, Any] = json.loads((run / "report.json").read_text())
    return found


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    off = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{off}"


def reconstruct(folder: Path, seeds: Sequence[int], words: Sequence[str]) -> None:
    """The errors on the test part of @digits."""
    found, others = [], []
    for seed in seeds:
        said = ("--code", CODE, "--test", "0.2", "--seed", seed, *words)
        scores = train("autoencoder", "@digits", folder / "run", *said)["scores"]["test"]
        found.append(scores["network"]["error"])
        others += [one["error"] for one in scores["baselines"].values()]
        print(f"seed {seed}: error {found[-1]:.5f}, PCA {others[-1]:.5f}", flush=True)
    print(f"error {spread(found)}, PCA {spread(others)}")


def anomalies(folder: Path, seeds: Sequence[int], words: Sequence[str]) -> None:
    """How well the error tells a class that was not trained on, mean over the ten."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)
    for seed in seeds:
        found, others = [], []
        for odd in range(10):
            train_rows, test_rows = parted(digits.target != odd, seed)
            others.append(pca_auroc(images, train_rows, test_rows, digits.target == odd))
            for name, rows in (("train", train_rows), ("test", test_rows)):
                np.savez(folder / f"{name}.npz", x=images[rows], y=digits.target[rows])
            train("autoencoder", folder / "train.npz", folder / "run", "--code", CODE,
                  "--seed", seed, *words)  # fmt: skip
            found.append(auroc(folder, folder / "test.npz", str(odd)))
            print(f"without {odd}: AUROC {found[-1]:.4f}, PCA {others[-1]:.4f}", flush=True)
        print(f"seed {seed}: mean AUROC {mean(found):.4f}, PCA {mean(others):.4f}", flush=True)


def parted(ordinary: Any, seed: int) -> tuple[Any, Any]:
    """Rows of ordinary examples to train on, and the others with all that are not."""
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(ordinary))
    cut = round(SHARE * len(rows))
    return rows[:cut], np.concatenate([rows[cut:], np.flatnonzero(~ordinary)])


def pca_auroc(images: Any, train: Any, test: Any, odd: Any) -> float:
    """AUROC of scikit-learn's PCA on the same rows."""
    from sklearn.decomposition import PCA
    from sklearn.metrics import roc_auc_score

    flat = images.reshape(len(images), -1)
    fitted = PCA(CODE, svd_solver="full").fit(flat[train])
    seen = fitted.inverse_transform(fitted.transform(flat[test]))
    return float(roc_auc_score(odd[test], ((seen - flat[test]) ** 2).mean(1)))


def auroc(folder: Path, data: Path, odd: str, *words: str) -> float:
    """What gai nn anomalies says."""
    found = folder / "found.json"
    asked = ("--anomalous", odd, "--json", "--top", "1", "-o", found, *SMALL, "-q")
    called("nn", "anomalies", folder / "run", data, *words, *asked)
    return float(json.loads(found.read_text())["auroc"])


def texts(folder: Path, seeds: Sequence[int], words: Sequence[str]) -> None:
    """The same of texts, beside truncated SVD with as many numbers."""
    for seed in seeds:
        spam = DATA / "labelled" / "sms_spam" / "SMSSpamCollection"
        lines = spam.read_text(encoding="utf-8").splitlines()
        text(folder, "SMS", [line.split("\t", 1)[::-1] for line in lines], "spam", seed, words)
        with (DATA / "labelled" / "banking77" / "train.csv").open(encoding="utf-8") as file:
            rows = [[row["text"], row["category"]] for row in csv.DictReader(file)]
        for intent in INTENTS:
            text(folder, "banking77", rows, intent, seed, words)


def text(
    folder: Path, name: str, rows: list[list[str]], odd: str, seed: int, words: Sequence[str]
) -> None:
    """Trains without a label, and looks for it."""
    labels = np.array([label for _, label in rows])
    train_rows, test_rows = parted(labels != odd, seed)
    for part, numbers in (("train", train_rows), ("test", test_rows)):
        with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
            for number in numbers.tolist():
                said, label = rows[number]
                file.write(json.dumps({"text": said, "label": label}) + "\n")
    train("autoencoder", folder / "train.jsonl", folder / "run", "--seed", seed, *words)
    found = auroc(folder, folder / "test.jsonl", odd)
    other = svd_auroc(folder, labels[test_rows] == odd)
    print(f"{name} without {odd}: AUROC {found:.4f}, truncated SVD {other:.4f}", flush=True)


def svd_auroc(folder: Path, odd: Any) -> float:
    """AUROC of scikit-learn's truncated SVD on the same TF-IDF rows."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.metrics import roc_auc_score

    from gai.nn.comparing import csr
    from gai.nn.data.raw import read
    from gai.nn.runs import Run

    run = Run(str(folder / "run"))
    config = run.config()
    encoding = run.encoding(config)
    train, test = (
        csr(encoding.inputs(read((str(folder / f"{part}.jsonl"),), config)))  # type: ignore[arg-type]
        for part in ("train", "test")
    )
    kept = np.linalg.norm(
        TruncatedSVD(config.code, random_state=0).fit(train).transform(test), axis=1
    )
    return float(roc_auc_score(odd, 1 - kept))  # all rows have length 1, or 0


def vae(folder: Path, seeds: Sequence[int], words: Sequence[str]) -> None:
    """The bounds of both, on the same split."""
    data = DATA / "images" / "mnist" / MNIST
    found, others = [], []
    for seed in seeds:
        said = ("--epochs", 10, "--valid", "0", "--test", "0.1", "--seed", seed, *words)
        report = train("vae", data, folder / "run", *said)
        found.append(report["scores"]["test"]["network"]["elbo"])
        print(f"seed {seed}: ELBO {found[-1]:.2f}, {report['seconds']:.0f} s", flush=True)
        others.append(tutorial(data, seed))
        print(f"seed {seed}: tutorial's ELBO {others[-1]:.2f}", flush=True)
    print(f"ELBO {spread(found)}, tutorial's {spread(others)}")


def tutorial(data: Path, seed: int) -> float:
    """The mean bound on the test part of the tutorial's network: 784-400-20-400-784, ReLU, Adam
    with rate 1e-3, batches of 128, ten epochs, binary cross-entropy and KL."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    from gai.nn.config import Config
    from gai.nn.data.raw import read
    from gai.nn.data.splits import split

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    raw = read((str(data),), Config(task="reconstruct"))
    assert raw.array is not None
    parts = split(raw, 0.1, seed)
    train, test = (torch.from_numpy(raw.array[rows]).flatten(1) for rows in parts)
    fc1, fc21, fc22 = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
    fc3, fc4 = nn.Linear(20, 400), nn.Linear(400, 784)
    layers = nn.ModuleList([fc1, fc21, fc22, fc3, fc4])
    descent = torch.optim.Adam(layers.parameters(), lr=1e-3)

    def negative_bound(x: torch.Tensor) -> torch.Tensor:
        hidden = F.relu(fc1(x))
        mu, logvar = fc21(hidden), fc22(hidden)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        seen = torch.sigmoid(fc4(F.relu(fc3(z))))
        surprise = F.binary_cross_entropy(seen, x, reduction="sum")
        return surprise - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())

    for _ in range(10):
        for rows in torch.randperm(len(train)).split(128):
            descent.zero_grad()
            negative_bound(train[rows]).backward()
            descent.step()
    with torch.no_grad():
        return -float(negative_bound(test)) / len(test)


WHAT = {"reconstruct": reconstruct, "anomalies": anomalies, "texts": texts, "vae": vae}


def main() -> None:
    """Runs one of them; what is no option of its own goes to gai nn train."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nn_generative")
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    said, words = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        WHAT[said.what](Path(folder), said.seeds, words)


if __name__ == "__main__":
    sys.exit(main())
