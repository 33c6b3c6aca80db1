"""python -m benchmarks.nn_matching WHAT: one example of each class, of classes never seen.

    digits      siamese networks trained on six of the ten digits, asked about the other four:
                five choices of the four, five seeds each
    banking77   trained on 52 of the 77 intents, asked about the other 25: another choice for each
                of five seeds

An episode shows one example of each of these classes, and asks of which class another one is; the
networks and everything beside them get the same 1,000 episodes of a choice. Cosines and distances
are of what the networks see; PCA is fitted to the classes of training. Options that it does
not know go to gai nn train.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np

from benchmarks.corpus import ROOT
from gai.cli.main import main as gai
from gai.nn.scores import matching as scores

SMALL = ("--threads", "1")

OFFSETS = (0, 3, 4, 9)
"""Digits that are held out, counted from 0, 2, 4, 6 and 8: so each is held out twice. The options
were chosen on those from 1, 3, 5, 7 and 9."""

DIGITS = (
    "--encoder cnn --pool avg --filters 64 --width 512 --code 256 --turned-classes --augment "
    "shift,rotate,scale --augment-rate 0.2 --positives easy --negatives hard --batch-size 96 "
    "--per-class 8 --lr 1e-4 --epochs 4 --valid 0"
)

BANKING = (
    "--label-field category --analyzer char_wb --ngrams 2,5 --min-count 2 --activation linear "
    "--width 512 --code 512 --dropout 0.5 --input-dropout 0.5 --negatives hard --margin 0.4 "
    "--lr 1e-4 --epochs 8 --valid 0"
)

INTENTS = 25

CHOICES = 100
"""Beside the seed, what draws the intents; others than those that options were chosen on."""


class Choice(NamedTuple):
    """Classes to train on and others to be asked about: files, and what is compared beside."""

    name: str
    train: Path
    held: Path
    classes: Any
    beside: dict[str, Any]
    """Similarities of the held-out examples [n, n], by name."""


def called(*words: Any) -> None:
    """Runs a command of gai."""
    if code := gai([str(word) for word in words]):
        raise SystemExit(f"gai {' '.join(map(str, words))}: exit code {code}")


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    off = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{off}"


def digits(folder: Path, seed: int) -> Iterator[Choice]:
    """The choices of digits."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    images = (loaded.images[:, None] / 16).astype(np.float32)
    for first in range(0, 10, 2):
        held = sorted((first + offset) % 10 for offset in OFFSETS)
        asked = np.isin(loaded.target, held)
        paths = folder / "train.npz", folder / "held.npz"
        for path, rows in zip(paths, (~asked, asked), strict=True):
            np.savez(path, x=images[rows], y=loaded.target[rows])
        flat = images.reshape(len(images), -1)
        beside = of_numbers(flat[~asked], flat[asked])
        name = f"digits {','.join(map(str, held))}"
        yield Choice(name, *paths, loaded.target[asked], beside)


def of_numbers(known: Any, asked: Any) -> dict[str, Any]:
    """Similarities of numbers, and of their principal components."""
    from sklearn.decomposition import PCA

    found = {
        "raw, Euclidean": scores.nearness(asked, asked),
        "raw, cosine": scores.cosines(asked, asked),
        "raw, cosine from the mean": scores.cosines(asked - known.mean(0), asked - known.mean(0)),
    }
    for width in (16, 32):
        codes = PCA(width, svd_solver="full").fit(known).transform(asked)
        found[f"PCA {width}, Euclidean"] = scores.nearness(codes, codes)
        found[f"PCA {width}, cosine"] = scores.cosines(codes, codes)
    return found


def banking77(folder: Path, seed: int) -> Iterator[Choice]:
    """The choice of intents for a seed."""
    parts = {
        part: list(csv.DictReader((ROOT / "corpora" / "banking77" / f"{part}.csv").open()))
        for part in ("train", "test")
    }
    intents = sorted({row["category"] for row in parts["train"]})
    held = set(np.random.default_rng(CHOICES + seed).permutation(intents)[:INTENTS].tolist())
    known = [row for row in parts["train"] if row["category"] not in held]
    asked = [row for row in parts["test"] if row["category"] in held]
    paths = folder / "train.csv", folder / "held.csv"
    for path, rows in zip(paths, (known, asked), strict=True):
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ("text", "category"))
            writer.writeheader()
            writer.writerows(rows)
    texts = [row["text"] for row in known], [row["text"] for row in asked]
    classes = np.array([row["category"] for row in asked])
    yield Choice(f"banking77, choice {seed}", *paths, classes, of_texts(*texts))


def of_texts(known: Sequence[str], asked: Sequence[str]) -> dict[str, Any]:
    """Cosines of TF-IDF rows, fitted to the texts of training, or to all."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    ways: dict[str, dict[str, Any]] = {
        "TF-IDF of words": {},
        "TF-IDF of words, 1 + log tf": {"sublinear_tf": True},
        "TF-IDF of words and pairs": {"sublinear_tf": True, "ngram_range": (1, 2)},
        "TF-IDF of 2 to 5 letters": {
            **{"sublinear_tf": True, "ngram_range": (2, 5), "analyzer": "char_wb"},
        },
    }
    found = {}
    for name, options in ways.items():
        for fitted, more in ((known, ""), ([*known, *asked], ", fitted to the held-out texts too")):
            rows = TfidfVectorizer(**options).fit(fitted).transform(asked)
            found[name + more] = (rows @ rows.T).toarray()
    return found


def accuracy(similarities: Any, classes: Any) -> float:
    """The share of right answers, among all of the classes."""
    ways = len(np.unique(classes))
    asked = scores.episodes(scores.numbered(classes.astype(str)), ways=ways)
    return float(scores.one_shot(similarities, asked).mean())


def network(choice: Choice, folder: Path, seed: int, *words: str) -> tuple[float, float]:
    """One-shot accuracy and equal error rate of a network."""
    from gai.output.dense import load_dense

    run, codes = folder / "run", folder / "codes.npz"
    said = ("--seed", seed, *SMALL, "-q", "--force", "-o", run)
    called("nn", "train", "siamese", choice.train, *words, *said)
    called("nn", "encode", run, choice.held, "-o", codes, *SMALL)
    made = load_dense(str(codes)).vectors
    similar = scores.cosines(made, made)
    error = scores.matching(similar, scores.numbered(choice.classes.astype(str))).eer
    return accuracy(similar, choice.classes), error


UNTRAINED = ("--steps", "1", "--lr", "1e-12")


NETWORK, BEFORE, ERROR = "siamese network", "the same, untrained", "its equal error rate"


def compared(
    choices: Callable[[Path, int], Iterator[Choice]],
    seeds: Sequence[int],
    words: Sequence[str],
) -> dict[str, list[float]]:
    """The one-shot accuracies for each seed and choice, by name, and the equal error rates of the
    network."""
    found: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for seed in seeds:
            for choice in choices(folder, seed):
                one, error = network(choice, folder, seed, *words)
                found[NETWORK].append(one)
                found[ERROR].append(error)
                found[BEFORE].append(network(choice, folder, seed, *words, *UNTRAINED)[0])
                for name, similarities in choice.beside.items():
                    found[name].append(accuracy(similarities, choice.classes))
                best = max(found[name][-1] for name in choice.beside)
                print(
                    f"seed {seed}, {choice.name}: one-shot {one:.4f}, best beside {best:.4f}, "
                    f"equal error rate {error:.4f}",
                    flush=True,
                )
    return found


WHATS = {"digits": (digits, DIGITS), "banking77": (banking77, BANKING)}


def main() -> None:
    """Reads the arguments, and compares."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nn_matching", description=__doc__)
    parser.add_argument("what", choices=WHATS)
    parser.add_argument("--seeds", default="1,2,3,4,5", help="with commas between")
    given, words = parser.parse_known_args()
    choices, options = WHATS[given.what]
    seeds = [int(seed) for seed in given.seeds.split(",")]
    found = compared(choices, seeds, [*options.split(), *words])
    for name, values in found.items():
        print(f"{name:62} {spread(values)}")
    means = np.array(found[NETWORK]).reshape(len(seeds), -1).mean(1)
    print(f"{NETWORK}, the means of seeds {spread(means.tolist()):>33}")


if __name__ == "__main__":
    main()
