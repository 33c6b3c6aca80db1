"""The trainings that python -m benchmarks.nn repeats with five seeds, and what each must reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """A training that is repeated, and what it must reach.

    ``arguments`` are those of gai nn train; {folder}, {data} and {seed} in them are filled in.
    ``score`` is looked up in the report on ``part``. ``least`` is a number, the name of another
    experiment, or "baseline", which must be reached but for ``slack``; of ``lower`` ones it is
    the most.
    """

    name: str
    arguments: str
    score: str = "accuracy"
    part: str = "test"
    least: float | str | None = None
    slack: float = 0.0
    lower: bool = False


TREC = "{folder}/trec-train.jsonl --test {folder}/trec-test.jsonl --pretokenized --keep-case"
NEWS = "{folder}/ag_news-train.jsonl --test {folder}/ag_news-test.jsonl"
BANKING = "{folder}/banking77-train.jsonl --test {folder}/banking77-test.jsonl"
SST = (
    "{folder}/sst2-train.jsonl --valid {folder}/sst2-dev.jsonl --test {folder}/sst2-test.jsonl "
    "--pretokenized"
)
ADDING = (
    "{folder}/adding-train.npz --test {folder}/adding-test.npz --width 64 --dropout 0 --epochs 5 "
    "--batch-size 64 --lr 0.002"
)
DIABETES = (
    "--epochs 100 --early-stopping 20 --width 128 --optimizer adamw --weight-decay 0.1 --test"
)
KIM = "--embedding 300 --batch-size 50 --epochs 20 --max-norm 3 --weights-init he"

EXPERIMENTS = (
    Experiment("TREC, cnn", f"cnn {TREC} {KIM}", least=0.90),
    Experiment(
        "TREC, bidirectional gru with attention",
        f"gru {TREC} --bidirectional --attention --embedding 300 --dropout 0.5 "
        "--input-dropout 0.3 --batch-size 50 --lr 0.002 --epochs 12",
        least=0.88,
    ),
    Experiment(
        "AG News, mlp on TF-IDF",
        f"mlp {NEWS} --ngrams 1,2 --min-count 2 --epochs 5",
        least="baseline",
    ),
    Experiment("AG News, cnn", f"cnn {NEWS} --epochs 6 --batch-size 50 --weights-init he"),
    Experiment("banking77, mlp on TF-IDF", f"mlp {BANKING}", least="baseline", slack=0.01),
    Experiment("SST-2 sentences, cnn", f"cnn {SST} {KIM}", least=0.79),
    Experiment("digits, mlp", "mlp @digits --epochs 40 --test 0.2", least=0.97),
    Experiment("digits, cnn", "cnn @digits --epochs 40 --test 0.2", least=0.985),
    Experiment(
        "diabetes, mlp",
        f"mlp @diabetes {DIABETES} 0.2",
        score="r2",
        least="baseline",
    ),
    Experiment(
        "diabetes with outliers, mse",
        f"mlp {{folder}}/diabetes-{{seed}}-outliers.npz {DIABETES} "
        "{folder}/diabetes-{seed}-test.npz --loss mse",
        score="r2",
    ),
    Experiment(
        "diabetes with outliers, huber",
        f"mlp {{folder}}/diabetes-{{seed}}-outliers.npz {DIABETES} "
        "{folder}/diabetes-{seed}-test.npz --loss huber --huber-delta 0.3",
        score="r2",
        least="diabetes with outliers, mse",
    ),
    Experiment("adding problem, rnn", f"rnn {ADDING}", score="r2", least=0.1, lower=True),
    Experiment("adding problem, lstm", f"lstm {ADDING}", score="r2", least=0.95),
    Experiment("adding problem, gru", f"gru {ADDING}", score="r2", least=0.95),
    Experiment(
        "UD English EWT, bidirectional lstm",
        "lstm {data}/gold/en_ewt-ud-train.conllu --test {data}/gold/en_ewt-ud-dev.conllu "
        "--bidirectional --epochs 5",
        least=0.93,
    ),
)
