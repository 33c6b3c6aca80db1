"""What the neural models are measured on, as files that gai nn train reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

Example = tuple[str, str]
"""A text and its label."""

LENGTH = 200
"""Steps of the adding problem."""


def write(path: Path, examples: Iterable[Example]) -> None:
    """JSON lines with the fields text and label."""
    with path.open("w", encoding="utf-8") as file:
        for text, label in examples:
            file.write(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n")


def label_first(path: Path) -> Iterable[Example]:
    """Lines ``label text``, as in TREC and SST."""
    for line in path.read_text(encoding="latin-1" if "trec" in str(path) else "utf-8").splitlines():
        label, _, text = line.partition(" ")
        yield text, label


def label_last(path: Path) -> Iterable[Example]:
    """Lines ``text<TAB>label``, as in ag_news_alps."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text, _, label = line.rpartition("\t")
        if text.strip():
            yield text, label


def csv_rows(path: Path) -> Iterable[Example]:
    """Rows of banking77."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["category"]


def prepare(data: Path, folder: Path) -> None:
    """Writes everything into ``folder``."""
    labelled = data / "labelled"
    for part in ("train", "test"):
        trec = labelled / "trec" / f"TREC.{part}.all"
        write(folder / f"trec-{part}.jsonl", label_first(trec))
        banking = labelled / "banking77" / f"{part}.csv"
        write(folder / f"banking77-{part}.jsonl", csv_rows(banking))
    for part in ("train", "dev", "test"):
        sst = labelled / "sst_sentences" / f"stsa.binary.{part}"
        write(folder / f"sst2-{part}.jsonl", label_first(sst))
    for part, name in (("train", "dev"), ("test", "test")):
        news = labelled / "ag_news_alps" / f"{name}.tsv"
        write(folder / f"ag_news-{part}.jsonl", label_last(news))
    for part, size, seed in (("train", 20_000, 1), ("test", 2_000, 2)):
        adding(folder / f"adding-{part}.npz", size, seed)
    outliers(folder)


def adding(path: Path, size: int, seed: int) -> None:
    """The adding problem of Hochreiter and Schmidhuber (1997): random numbers, two of them marked,
    one in each half; the target is their sum."""
    rng = np.random.default_rng(seed)
    values = rng.random((size, LENGTH), np.float32)
    marks = np.zeros((size, LENGTH), np.float32)
    half = LENGTH // 2
    first, second = rng.integers(0, half, size), rng.integers(half, LENGTH, size)
    rows = np.arange(size)
    marks[rows, first] = marks[rows, second] = 1
    target = values[rows, first] + values[rows, second]
    np.savez(path, x=np.stack([values, marks], 2), y=target.astype(np.float64))


def outliers(folder: Path) -> None:
    """Diabetes in two parts for each of five seeds, the training part once with 5 % of its labels
    ten times as large."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    for seed in range(1, 6):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(x))
        test, train = order[: len(x) // 5], order[len(x) // 5 :]
        wrong = y[train].copy()
        wrong[rng.choice(len(train), round(0.05 * len(train)), replace=False)] *= 10
        np.savez(folder / f"diabetes-{seed}-train.npz", x=x[train], y=y[train])
        np.savez(folder / f"diabetes-{seed}-outliers.npz", x=x[train], y=wrong)
        np.savez(folder / f"diabetes-{seed}-test.npz", x=x[test], y=y[test])
