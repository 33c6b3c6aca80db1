"""python -m benchmarks.nn_capsules [digits|mnist]: a capsnet beside a cnn with as many parameters.

    mnist     10,000 images of 28 x 28: 8,000 to train on, 1,000 to validate, 1,000 to test
    digits    @digits, 1,797 images of 8 x 8 in a frame of 12 x 12: 70, 10 and 20 percent

Both see training images that are moved along each side by up to 2 pixels (MNIST) or 1 (digits) and
turned by up to 6.4 or 7.5 degrees. They are tested on images as they are, and on the same five
times over, each moved by up to twice as much and turned by up to 30 degrees: beyond training. Five
seeds, each with a split of its own; the choices were made with others. The data is beside the
repository (GAI_DATA).
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.nn_generative import DATA, MNIST, called, spread, train

Images = NDArray[np.float32]

COPIES, DEGREES = 5, 30.0
"""How often each test image is moved, and how far it is turned at most."""

SEEDS = (21, 22, 23, 24, 25)


@dataclass(frozen=True)
class Set:
    """Images and labels, how many of them train and validate, by how many pixels at most a test
    image is moved, and what both models are told; the cnn's width makes its parameters as many as
    the capsnet's."""

    shares: tuple[float, float]
    pixels: float
    common: str
    capsnet: str
    cnn: str


SETS = {
    "mnist": Set(
        (0.8, 0.1),
        4.0,
        "--augment shift,rotate --augment-rate 0.0714 --batch-size 64 --schedule cosine "
        "--epochs 15",
        "--lr 0.006 --filters 64 --reconstruction 0.005",
        "--lr 0.003 --layers 2 --filters 32 --width 220",
    ),
    "digits": Set(
        (0.7, 0.1),
        2.0,
        "--augment shift,rotate --augment-rate 0.0833 --batch-size 64 --schedule cosine "
        "--epochs 100 --batch-norm",
        "--lr 0.006 --shared-matrices --capsules 32 --filters 64 --reconstruction 0.001",
        "--lr 0.003 --layers 2 --filters 64 --width 232",
    ),
}


def images(name: str) -> tuple[Images, NDArray[Any]]:
    """All images [n, H, W] from 0 to 1, and their labels."""
    if name == "digits":
        from sklearn.datasets import load_digits

        found = load_digits()
        framed = np.pad(found.images / 16, ((0, 0), (2, 2), (2, 2)))
        return framed.astype(np.float32), found.target
    from gai.nn.config import Config
    from gai.nn.data.raw import read

    raw = read((str(DATA / "images" / "mnist" / MNIST),), Config())
    assert raw.array is not None
    return raw.array[:, 0], np.array(raw.labels)


def divide(name: str, folder: Path, seed: int) -> None:
    """Writes train.npz, valid.npz, test.npz and moved.npz."""
    x, y = images(name)
    ends = (np.cumsum(SETS[name].shares) * len(x)).round().astype(int)
    order = np.random.default_rng(seed).permutation(len(x))
    parts = dict(zip(("train", "valid", "test"), np.split(order, ends), strict=True))
    for part, rows in parts.items():
        np.savez(folder / f"{part}.npz", x=x[rows], y=y[rows])
    often = np.repeat(parts["test"], COPIES)
    np.savez(folder / "moved.npz", x=moved(x[often], SETS[name].pixels, seed), y=y[often])


def moved(x: Images, pixels: float, seed: int) -> Images:
    """Images, each turned around its middle and moved by up to so many pixels along each side, at
    random; what comes in is black."""
    from scipy import ndimage

    rng = np.random.default_rng((seed, 1))
    middle = (np.array(x.shape[1:]) - 1) / 2
    made = np.empty_like(x)
    for place, image in enumerate(x):
        angle = np.deg2rad(rng.uniform(-DEGREES, DEGREES))
        shift = rng.uniform(-pixels, pixels, 2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        start = middle - turn @ (middle + shift)
        made[place] = ndimage.affine_transform(image, turn, start, order=1)
    return made


def scored(model: str, name: str, folder: Path, seed: int) -> dict[str, float]:
    """Accuracy on the test part and on the moved one, parameters and seconds, after training."""
    what = SETS[name]
    words = f"{what.common} {getattr(what, model)}".split()
    parts = ("--valid", folder / "valid.npz", "--test", folder / "test.npz", "--seed", seed)
    report = train(model, folder / "train.npz", folder / model, *parts, *words)
    with redirect_stdout(io.StringIO()) as said:
        called("nn", "evaluate", folder / model, folder / "moved.npz", "--threads", "1", "--json")
    return {
        "test": report["scores"]["test"]["network"]["accuracy"],
        "moved": json.loads(said.getvalue())["summary"]["accuracy"],
        "parameters": report["network"]["parameters"],
        "seconds": report["seconds"],
    }


def compare(name: str, seeds: Sequence[int]) -> None:
    """Prints the scores of both models for each seed, then means and differences."""
    found: dict[str, list[dict[str, float]]] = {"capsnet": [], "cnn": []}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            divide(name, Path(folder), seed)
            for model, scores in found.items():
                scores.append(scored(model, name, Path(folder), seed))
                shown = ", ".join(f"{key} {value:.6g}" for key, value in scores[-1].items())
                print(f"{name}, seed {seed}, {model}: {shown}", flush=True)
    for part in ("test", "moved"):
        one, other = ([scores[part] for scores in found[model]] for model in found)
        apart = [a - b for a, b in zip(one, other, strict=True)]
        off = f" ± {stdev(apart):.4f}" if len(apart) > 1 else ""
        print(
            f"{name}, {part}: capsnet {spread(one)}, cnn {spread(other)}, "
            f"difference {mean(apart):+.4f}{off}"
        )


def main() -> None:
    """Runs both, or one of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nn_capsules")
    parser.add_argument("what", choices=[*SETS, "both"], nargs="?", default="both")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    said = parser.parse_args()
    for name in SETS if said.what == "both" else [said.what]:
        compare(name, said.seeds)


if __name__ == "__main__":
    sys.exit(main())
