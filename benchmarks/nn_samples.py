"""python -m benchmarks.nn_samples: what a classifier of a gan's samples knows of real digits.

A gan with labels is trained on four fifths of @digits, and a classifier on its samples alone, which
sees no real digit at all: neither to learn from, nor to choose its best weights. Both losses, five
seeds, each with a split of its own. What is no option here goes to the training of the gan.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.nn_generative import spread, train

LOSSES = {
    "non-saturating": (),
    "wasserstein": ("--loss", "wasserstein", "--critic-steps", 2),
}
CLASSIFIER = ("--augment-share", 1, "--valid", 0, "--epochs", 20)


def accuracy(loss: str, seed: int, folder: Path, words: Sequence[str]) -> float:
    """The accuracy on real test digits; prints it with the smallest recall of a class."""
    common = ("--test", 0.2, "--seed", seed)
    made = train("gan", "@digits", folder / "gan", "--conditional", *LOSSES[loss], *common, *words)
    run = folder / "cnn"
    found = train("cnn", "@digits", run, "--augment-from", folder / "gan", *CLASSIFIER, *common)
    test = found["scores"]["test"]
    recalls = {row["label"]: row["recall"] for row in test["details"]["labels"]}
    worst = min(recalls, key=recalls.__getitem__)
    reached: float = test["network"]["accuracy"]
    near = made["scores"]["test"]["network"]
    print(
        f"{loss}, seed {seed}: accuracy {reached:.4f}, {len(recalls)} classes, lowest recall "
        f"{recalls[worst]:.3f} ({worst}); gan {made['seconds']:.0f} s, distance "
        f"{near['distance']:.4f}, diversity {near['diversity']:.2f}",
        flush=True,
    )
    return reached


def main() -> None:
    """Runs both losses with all seeds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nn_samples")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    said, words = parser.parse_known_args()
    for loss in LOSSES:
        with tempfile.TemporaryDirectory() as folder:
            found = [accuracy(loss, seed, Path(folder), words) for seed in said.seeds]
        print(f"{loss}: accuracy {spread(found)}")


if __name__ == "__main__":
    sys.exit(main())
