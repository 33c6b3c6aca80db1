"""python -m benchmarks.nn_transfer FOLDER: 200 labelled examples of SST-2, from scratch and from
what was learned of unlabelled text, five seeds each.

Of the training part of SST-2 (GLUE's phrases) 1,000 are set aside, 200 labelled ones for each seed;
the text of all others, without labels, trains word vectors and language models. The 872 of GLUE's
development part are the test. Options were chosen on the other file, dev.tsv.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from benchmarks.corpus import data

GAI = (sys.executable, "-m", "gai")
SEEDS = (1, 2, 3, 4, 5)
FEW = 200

BEGINNINGS = {
    "words.safetensors": "word2vec {folder}/rest.txt --dim 100 --window 5 --epochs 20 "
    "--min-count 2 --seed 1 -o {folder}/words.safetensors",
    "lm": "nn train lstm {folder}/rest.txt --unit words --min-count 3 --embedding 100 --width 128 "
    "--vectors {folder}/words.safetensors --context-size 32 --batch-size 64 --epochs 3 --lr 3e-3 "
    "--schedule one-cycle --dropout 0.3 --eval-every 500 --threads 1 --seed 1 -q --force "
    "-o {folder}/lm",
}
"""What is learned of unlabelled text, once."""

FIELDS = "--text-field sentence --valid 0 --test {test} --threads 1 --seed {seed} -q --force"


@dataclass(frozen=True)
class Way:
    """How the 200 are learned."""

    name: str
    arguments: str


WAYS = (
    Way("cnn, from scratch", "nn train cnn {few} --epochs 20 --embedding 100 " + FIELDS),
    Way(
        "cnn, word vectors",
        "nn train cnn {few} --epochs 20 --vectors {folder}/words.safetensors " + FIELDS,
    ),
    Way(
        "lstm, from scratch",
        "nn train lstm {few} --epochs 20 --embedding 100 --width 128 --lr 3e-3 " + FIELDS,
    ),
    Way(
        "lstm, language model",
        "nn finetune {folder}/lm {few} --epochs 20 --lr 3e-3 --unfreeze-every 2 --freeze all "
        "--layer-decay 0.5 " + FIELDS,
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each way."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nn_transfer")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--test", default="test", choices=("test", "dev"))
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    said = parser.parse_args(arguments)
    source = data() / "labelled" / "sst2_glue"
    prepare(source, said.folder)
    for name, words in BEGINNINGS.items():
        if not (said.folder / name).exists():
            gai(words.format(folder=said.folder))
    for way in WAYS:
        if said.only in way.name:
            scores = [
                accuracy(way, said.folder, source / f"{said.test}.tsv", seed)
                for seed in SEEDS[: said.seeds]
            ]
            off = f" ± {stdev(scores):.4f}" if len(scores) > 1 else ""
            print(f"{way.name}: {mean(scores):.4f}{off}  {scores}", flush=True)


def prepare(source: Path, folder: Path) -> None:
    """Writes few-1.tsv and so on, and rest.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    head, *rows = (source / "train.tsv").read_text(encoding="utf-8").splitlines()
    random.Random(0).shuffle(rows)
    by_label = {label: [row for row in rows if row.endswith(f"\t{label}")] for label in "01"}
    half = FEW // 2
    kept: set[str] = set()
    for seed in SEEDS:
        few = [row for found in by_label.values() for row in found[(seed - 1) * half : seed * half]]
        kept.update(few)
        (folder / f"few-{seed}.tsv").write_text(lines([head, *few]), encoding="utf-8")
    texts = [row.rpartition("\t")[0].strip() for row in rows if row not in kept]
    (folder / "rest.txt").write_text(lines(texts), encoding="utf-8")


def lines(rows: Iterable[str]) -> str:
    """One a line."""
    return "".join(f"{row}\n" for row in rows)


def accuracy(way: Way, folder: Path, test: Path, seed: int) -> float:
    """The share of the test part that is right."""
    run = folder / f"run-{seed}"
    said = way.arguments.format(folder=folder, few=folder / f"few-{seed}.tsv", test=test, seed=seed)
    gai(f"{said} -o {run}")
    report = json.loads((run / "report.json").read_text())
    return round(float(report["scores"]["test"]["network"]["accuracy"]), 4)


def gai(words: str) -> None:
    """Runs gai on one thread."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*GAI, *words.split()], capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"gai {words}: {done.stderr}")


if __name__ == "__main__":
    main()
