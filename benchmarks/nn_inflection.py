"""python -m benchmarks.nn_inflection [LANGUAGE...]: forms of words that were never seen.

Of a treebank each lemma with its features and its form becomes a line of a table such as
UniMorph's. A tenth of the lemmas validates and a tenth tests, with all of their forms. The
transformer reads lemma and features letter by letter and writes the form. Beside it stand the lemma
itself, and rules of endings: what becomes of the longest known ending of a lemma under the same
features, as the baseline of the SIGMORPHON 2017 shared task has them. The treebanks are beside the
repository (GAI_DATA). What is no option here goes to the training.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.nn_generative import DATA, train

TREEBANKS = {
    "en": "en_ewt-ud-train",
    "es": "es_gsd-ud-dev",
    "fr": "fr_gsd-ud-dev",
    "ru": "ru_gsd-ud-dev",
}
INFLECTED = ("VERB", "AUX", "NOUN", "ADJ")
COMMON = (
    "--task seq2seq --header lemma,form,features --text-field lemma+features --label-field form "
    "--layers 2 --width 128 --heads 4 --batch-size 64 --lr 0.002 --schedule warm-up --warmup 200 "
    "--epochs 40"
)

Row = tuple[str, str, str]
"""Lemma, form, features."""


def table(path: Path) -> list[Row]:
    """The commonest form of each lemma with its features, in the order of the treebank."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for line in path.read_text("utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) < 10 or fields[3] not in INFLECTED or fields[5] == "_":
            continue
        form, lemma, marks = fields[1].lower(), fields[2].lower(), fields[5].split("|")
        if lemma.isalpha() and form.isalpha() and not {"Typo=Yes", "Abbr=Yes"} & set(marks):
            features = ";".join([fields[3], *(mark.partition("=")[2] for mark in marks)])
            found[lemma, features][form] += 1
    return [(lemma, forms.most_common(1)[0][0], f) for (lemma, f), forms in found.items()]


def divided(rows: Sequence[Row], seed: int) -> dict[str, list[Row]]:
    """Rows to train on, to validate and to test, no lemma in two of them."""
    lemmas = sorted({lemma for lemma, *_ in rows})
    order = np.random.default_rng(seed).permutation(len(lemmas))
    tenth = len(lemmas) // 10
    part = {lemmas[place]: "test" for place in order[:tenth]}
    part |= {lemmas[place]: "valid" for place in order[tenth : 2 * tenth]}
    parts: dict[str, list[Row]] = {"train": [], "valid": [], "test": []}
    for row in rows:
        parts[part.get(row[0], "train")].append(row)
    return parts


def endings(lemma: str, form: str) -> Iterable[tuple[str, str]]:
    """What becomes of each ending of the lemma that reaches back to where the form differs."""
    same = 0
    while same < min(len(lemma), len(form)) and lemma[same] == form[same]:
        same += 1
    return ((lemma[place:], form[place:]) for place in range(same + 1))


def by_rules(rows: Iterable[Row], asked: Iterable[Row]) -> list[str]:
    """The forms that rules of endings give."""
    rules: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for lemma, form, features in rows:
        for old, new in endings(lemma, form):
            rules[features, old][new] += 1
    return [inflected(lemma, features, rules) for lemma, _, features in asked]


def inflected(lemma: str, features: str, rules: dict[tuple[str, str], Counter[str]]) -> str:
    """The form by the rule of the longest ending that is known."""
    for place in range(len(lemma) + 1):
        if found := rules.get((features, lemma[place:])):
            return lemma[:place] + found.most_common(1)[0][0]
    return lemma


def exact(said: Iterable[str], rows: Sequence[Row]) -> float:
    """The share that is right."""
    pairs = zip(said, rows, strict=True)
    return sum(one == form for one, (_, form, _) in pairs) / len(rows)


def measure(language: str, seed: int, folder: Path, words: Sequence[str]) -> None:
    """Prints what each gets right of the forms of lemmas that were held out."""
    parts = divided(table(DATA / "gold" / f"{TREEBANKS[language]}.conllu"), seed)
    for name, rows in parts.items():
        (folder / f"{name}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    held = ("--valid", folder / "valid.tsv", "--test", folder / "test.tsv", "--seed", seed)
    report = train(
        "transformer", folder / "train.tsv", folder / language, *COMMON.split(), *held, *words
    )
    test = parts["test"]
    reached = report["scores"]["test"]["network"]
    print(
        f"{language}, seed {seed}: {len(parts['train'])} forms learned, {len(test)} asked; "
        f"the lemma itself {exact((row[0] for row in test), test):.3f}, "
        f"rules {exact(by_rules(parts['train'], test), test):.3f}, "
        f"transformer {reached['exact']:.3f} ({report['seconds']:.0f} s)",
        flush=True,
    )


def main() -> None:
    """Runs the languages that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nn_inflection")
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=", ".join(TREEBANKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    said, words = parser.parse_known_args()
    for language in said.languages or TREEBANKS:
        for seed in said.seeds:
            with tempfile.TemporaryDirectory() as folder:
                measure(language, seed, Path(folder), words)


if __name__ == "__main__":
    sys.exit(main())
