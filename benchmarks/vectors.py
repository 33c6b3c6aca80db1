"""python -m benchmarks.vectors: training and asking word vectors, beside gensim and GloVe's own
program, over the same tokens, in one run.

The folder of a built copy of GloVe's C program is named by --glove or by the variable GLOVE; it
holds vocab_count, cooccur, shuffle and glove, perhaps in build/.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from benchmarks import corpus, measure, report
from benchmarks.measure import Command, Failed, Run
from benchmarks.report import Section, Side, Target, cores
from benchmarks.rows import GAI, at_least, at_most, mib
from benchmarks.vector_peers import DIM, GLOVE_WINDOW, MIN_COUNT, WINDOW, K

HERE = Path(__file__).parent
RESULTS = HERE / "results-vectors.md"
KINDS = ("word2vec", "fasttext")
PEERS = (sys.executable, "-m", "benchmarks.vector_peers")
PROGRAMS = ("vocab_count", "cooccur", "shuffle", "glove")
SETS = {"simlex999": "SimLex-999", "wordsim353": "WordSim-353", "google": "analogies"}
LONG = 20
"""Seconds from which on such stamps are exact enough."""

STAMP = "%m/%d/%y - %I:%M.%S%p"
"""How GloVe's program writes the time of an iteration, to the second."""


@dataclass(frozen=True)
class Sizes:
    """How much is done; MB are of the beginning of the novels, 0: all of them."""

    throughput: float = 8
    whole: float = 20
    whole_fasttext: float = 8
    quality: float = 20
    quality_fasttext: float = 8
    glove: float = 0
    epochs: int = 5
    iterations: int = 5
    words: int = 2_000_000
    dim: int = 300


QUICK = Sizes(0.2, 0.2, 0.2, 0.5, 0.2, 0.5, 2, 3, 20_000, 50)


@dataclass(frozen=True)
class Bench:
    """What all jobs need: ``tokens`` maps MB to a file of tokens, a line a line of the text."""

    folder: Path
    sizes: Sizes
    rounds: int
    seeds: int
    glove: Path | None
    tokens: dict[float, Path]

    def file(self, name: str) -> Path:
        """A place to write to."""
        return self.folder / name


@dataclass
class Found(Section):
    """A section with tables of its own besides that of times."""

    tables: list[str] = field(default_factory=list)


def asked(*words: object) -> Any:
    """The JSON that a piece of work prints."""
    return measure.asked("benchmarks.vector_peers", *map(str, words))


def speed(bench: Bench) -> list[Found]:
    """An epoch alone: words a second of gai and of gensim's corpus_file mode, in turn."""
    return [speed_of(bench, kind) for kind in KINDS]


def speed_of(bench: Bench, kind: str) -> Found:
    """The same of one trainer."""
    text = bench.tokens[bench.sizes.throughput]
    seen = asked("throughput", kind, text, max(bench.rounds, 5))
    size, count = text.stat().st_size, seen["words"]
    labels = {"gai": f"gai {kind}", "gensim": f"gensim {kind}, corpus_file"}
    sides = [Side(label, runs_of(seen[name]), size, count) for name, label in labels.items()]
    ratio = median(measure.ratios(sides[1].runs, sides[0].runs))
    promise = at_least(f"{kind}: words/s against gensim's", ratio, 0.95, "times")
    return Found(f"epoch of {kind}", sides, [promise])


def whole(bench: Bench) -> list[Found]:
    """Whole processes: vocabulary, an epoch, and the vectors of words written."""
    return [whole_of(bench, kind) for kind in KINDS]


def whole_of(bench: Bench, kind: str) -> Found:
    """The same of one trainer."""
    size = bench.sizes.whole_fasttext if kind == "fasttext" else bench.sizes.whole
    text = bench.tokens[size]
    commands = {
        f"gai {kind} --pretokenized": ours(bench, kind, text, 1, 1),
        f"gensim {kind}, corpus_file": theirs(bench, kind, "file", text, 1, 1),
        f"gensim {kind}, LineSentence": theirs(bench, kind, "lines", text, 1, 1),
    }
    runs = measure.alternately(list(commands.values()), bench.rounds)
    size, count = text.stat().st_size, tokens_in(text)
    sides = [Side(label, seen, size, count) for label, seen in zip(commands, runs, strict=True)]
    ratio = median(measure.ratios(sides[1].runs, sides[0].runs))
    promise = at_least(f"{kind}: against corpus_file", ratio, 1, "times")
    return Found(f"whole {kind}", sides, [promise])


def ours(bench: Bench, kind: str, text: Path, epochs: int, seed: int) -> Command:
    """gai's command."""
    output = bench.file(f"gai-{kind}.bin")
    options = f"--pretokenized --keep-case --per line --dim {DIM} --window {WINDOW}"
    more = f"--min-count {MIN_COUNT} --epochs {epochs} --seed {seed} --format word2vec --quiet"
    return Command([*GAI, kind, str(text), "-o", str(output), *f"{options} {more}".split()], output)


def theirs(bench: Bench, kind: str, how: str, text: Path, epochs: int, seed: int) -> Command:
    """gensim in a process."""
    output = bench.file(f"gensim-{kind}.bin")
    words = ("gensim", kind, how, text, output, epochs, seed)
    return Command([*PEERS, *map(str, words)], output)


def tokens_in(text: Path) -> int:
    """How many tokens are in a file."""
    with text.open("rb") as lines:
        return sum(len(line.split()) for line in lines)


def quality(bench: Bench) -> list[Found]:
    """Scores of both over several seeds."""
    section = Found("quality")
    lines: list[list[str]] = []
    for kind in KINDS:
        size = bench.sizes.quality_fasttext if kind == "fasttext" else bench.sizes.quality
        text, epochs = bench.tokens[size], bench.sizes.epochs
        seen: dict[str, list[Any]] = {"gai": [], "gensim": []}
        for seed in range(1, bench.seeds + 1):
            for name, command in (
                ("gai", ours(bench, kind, text, epochs, seed)),
                ("gensim", theirs(bench, kind, "lines", text, epochs, seed)),
            ):
                run = measure.run(command)
                seen[name].append((run, asked("scores", command.output)))
        lines += score_lines(kind, seen)
        section.targets += agreements(kind, seen)
    head = ("trainer", "set", "known", "mean", "standard error", "single runs", "peak MiB")
    section.tables.append(report.table(head, lines, left=2))
    return [section]


def score_lines(kind: str, seen: dict[str, list[Any]]) -> Iterator[list[str]]:
    """A line for each trainer and test set."""
    for name, runs in seen.items():
        peak = measure.peak(run for run, _ in runs)
        for key, label in SETS.items():
            values = [found[key][0] for _, found in runs]
            known, total = runs[0][1][key][1:]
            yield [
                *(f"{name} {kind}", label, f"{known:,} of {total:,}"),
                *(f"{mean(values):.4f}", f"{standard_error(values):.4f}"),
                " ".join(f"{value:.4f}" for value in values),
                f"{peak / 2**20:,.0f}",
            ]


def agreements(kind: str, seen: dict[str, list[Any]]) -> Iterator[Target]:
    """Whether the means of both lie within two standard errors of their difference."""
    for key, label in SETS.items():
        one, two = ([found[key][0] for _, found in runs] for runs in seen.values())
        apart = mean(one) - mean(two)
        error = (standard_error(one) ** 2 + standard_error(two) ** 2) ** 0.5
        wanted = f"{kind}, {label}: gai within two standard errors of gensim"
        measured = f"{apart:+.4f}, standard error {error:.4f}"
        yield Target(wanted, measured, abs(apart) <= 2 * error)


def standard_error(values: Sequence[float]) -> float:
    """That of the mean; 0 of a single value."""
    return stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


STEPS = {
    "vocabulary": ("read", "vocab_count"),
    "co-occurrences": ("count", "cooccur"),
    "order": ("prepare", "shuffle"),
    "iteration": ("iterations", "glove"),
}
"""The steps of GloVe: what gai's facts call them, and the program of GloVe that does them."""


def glove(bench: Bench) -> list[Found]:
    """Counting, shuffling and iterations, losses and scores, beside GloVe's own programs."""
    text, iterations = bench.tokens[bench.sizes.glove], bench.sizes.iterations
    size, count = text.stat().st_size, tokens_in(text)
    out = bench.file("gai-glove.bin")
    mine, peak = asked_with_peak("glove", text, out, iterations)
    mine["iterations"] = mean(mine["iterations"])
    peer = reference(bench, text, iterations) if bench.glove else None
    found, steps = {"gai": (mine["losses"], asked("scores", out))}, []
    for step, (ours, theirs) in STEPS.items():
        sides = [Side("gai", runs_of([mine[ours]]), size, count)]
        if peer:
            sides.append(Side(theirs, (peer.runs[theirs],), size, count))
        steps.append(Found(f"glove {step}", sides))
    section = Found("glove")
    section.notes.append(f"glove: peak of gai {mib(peak)}, {mine['pairs']:,} pairs.")
    if peer:
        found["GloVe"] = (peer.losses, asked("scores", peer.vectors))
        peaks = max(run.peak for run in peer.runs.values())
        section.notes.append(f"glove: peak of its C programs {mib(peaks)}.")
        section.targets += glove_targets(mine, peer, found)
    else:
        section.notes.append("glove: its C programs are not there: --glove or GLOVE names them.")
    section.tables.append(loss_table(found))
    return [*steps, section]


def runs_of(seconds: Sequence[float]) -> tuple[Run, ...]:
    """Seconds as runs."""
    return tuple(map(Run, seconds))


def asked_with_peak(*words: object) -> tuple[Any, int]:
    """The JSON that a piece of work prints, and the peak memory of its process in bytes."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([*PEERS, *map(str, words)], stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise Failed(f"{' '.join(map(str, words))} ended with {process.returncode}")
        said.seek(0)
        return json.loads(said.read()), usage.ru_maxrss * measure.MAXRSS_UNIT


@dataclass(frozen=True)
class Reference:
    """What GloVe's own programs did: a run of each (of glove an iteration), losses, vectors."""

    runs: dict[str, Run]
    losses: list[float]
    vectors: Path


def reference(bench: Bench, text: Path, iterations: int) -> Reference:
    """GloVe's programs one after the other, told what gai is told."""
    assert bench.glove is not None
    program = {name: str(bench.glove / name) for name in PROGRAMS}
    vocab, pairs, mixed = (bench.file(f"glove.{name}") for name in ("vocab", "pairs", "mixed"))
    counting = ("-vocab-file", vocab, "-window-size", GLOVE_WINDOW)
    steps: dict[str, tuple[Sequence[object], Path, Path]] = {
        "vocab_count": (("-min-count", MIN_COUNT), text, vocab),
        "cooccur": (counting, text, pairs),
        "shuffle": (("-seed", 1), pairs, mixed),
    }
    runs = {
        name: piped([program[name], *words, "-verbose", 0], source, target)
        for name, (words, source, target) in steps.items()
    }
    vectors, log = bench.file("glove-reference"), bench.file("glove.log")
    # Not -write-header: its first line does not count <unk>, which is written all the same.
    told = f"-threads {cores()} -vector-size {DIM} -iter {iterations} -binary 0 -seed 1"
    files = ["-input-file", mixed, "-vocab-file", vocab, "-save-file", vectors]
    whole = piped([program["glove"], *files, *told.split()], Path(os.devnull), log, errors=True)
    losses, seconds = iterations_in(log.read_text(), whole.seconds)
    runs["glove"] = Run(seconds, whole.cpu / iterations, whole.peak)
    return Reference(runs, losses, vectors.with_suffix(".txt"))


def piped(words: Sequence[object], source: Path, target: Path, errors: bool = False) -> Run:
    """A run of a program from one file to another; with ``errors`` these are written too."""
    with source.open("rb") as reading, target.open("wb") as writing:
        begin = time.perf_counter()
        said = writing if errors else subprocess.DEVNULL
        process = subprocess.Popen([*map(str, words)], stdin=reading, stdout=writing, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{words[0]} ended with {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * measure.MAXRSS_UNIT)


def iterations_in(log: str, seconds: float) -> tuple[list[float], float]:
    """The losses in a log of glove, and the seconds of an iteration: those between the stamps of
    the first and the last one, which are whole seconds; of ``seconds`` where that is too coarse."""
    found = re.findall(r"(\S+ - \S+), iter: \d+, cost: ([\d.]+)", log)
    if not found:
        raise Failed("glove said nothing of its iterations")
    first, *_, last = [datetime.strptime(stamp, STAMP) for stamp, _ in [*found, found[-1]]]
    between = (last - first).total_seconds()
    losses = [float(loss) for _, loss in found]
    if between < LONG:
        return losses, seconds / len(found)
    return losses, between / (len(found) - 1)


def loss_table(found: dict[str, tuple[list[float], Any]]) -> str:
    """The losses and scores of each program."""
    lines = [
        [
            *(name, f"{losses[0]:.6f}", f"{losses[-1]:.6f}"),
            *(f"{scores[key][0]:.4f}" for key in SETS),
        ]
        for name, (losses, scores) in found.items()
    ]
    head = ("GloVe by", "loss of the first iteration", "of the last", *SETS.values())
    return report.table(head, lines, left=1)


def glove_targets(mine: Any, peer: Reference, found: dict[str, Any]) -> list[Target]:
    """What was promised of GloVe."""
    counting = peer.runs["cooccur"].seconds / mine["count"]
    iteration = peer.runs["glove"].seconds / mine["iterations"]
    apart = abs(mine["losses"][-1] / peer.losses[-1] - 1)
    (_, one), (_, two) = found.values()
    differences = [abs(one[key][0] - two[key][0]) for key in ("simlex999", "wordsim353")]
    return [
        at_least("counting against GloVe's", counting, 1.5, "times"),
        at_least("an iteration against GloVe's", iteration, 1.2, "times"),
        at_most("loss of the last iteration, apart from GloVe's", 100 * apart, 1, "%"),
        at_most("similarity scores, apart from GloVe's", max(differences), 0.01, ""),
    ]


def nearest(bench: Bench) -> list[Found]:
    """Neighbours of a word among many, and loading: mapped and copied formats of both."""
    section = Found("nearest")
    words, dim = bench.sizes.words, bench.sizes.dim
    names = {
        "gai, npz": ("gai", "v.npz"),
        "gai, word2vec": ("gai", "v.bin"),
        "gensim, own format": ("gensim", "v.kv"),
        "gensim, word2vec": ("gensim", "v.bin"),
    }
    files = sorted({file for _, file in names.values()})
    asked_nothing = [*PEERS, "make-vectors", str(words), str(dim)]
    measure.run(Command([*asked_nothing, *(str(bench.file(name)) for name in files)]))
    found, lines = {}, []
    for label, (tool, file) in names.items():
        seen, peak = asked_with_peak("ask", tool, bench.file(file), words)
        found[label] = seen
        more = median(seen["more"])
        lines.append(
            [label, f"{seen['load']:.2f}", f"{seen['first']:.3f}", f"{more:.3f}", mib(peak)]
        )
    head = ("file", "load s", "first word s", "each more s", "peak")
    section.tables.append(report.table(head, lines, left=1))
    section.notes.append(f"nearest: {words:,} words of {dim} random numbers, the {K} nearest.")
    section.targets += nearest_targets(found)
    return [section]


def nearest_targets(found: dict[str, Any]) -> list[Target]:
    """What was promised of neighbours."""
    ours, theirs = found["gai, npz"], found["gensim, own format"]
    equal = all(one["found"] == theirs["found"] for one in found.values())
    return [
        at_most("a word after loading", median(ours["more"]), 1, "s"),
        Target("the neighbours that gensim finds", "same" if equal else "others", equal, False),
    ]


JOBS: dict[str, Callable[[Bench], list[Found]]] = {
    "speed": speed,
    "whole": whole,
    "quality": quality,
    "glove": glove,
    "nearest": nearest,
}


def main() -> int:
    """Measures and prints; 1 where a process failed or a result was not the same."""
    options = arguments()
    os.chdir(corpus.ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    (HERE / "build").mkdir(exist_ok=True)
    names, load = options.only or list(JOBS), os.getloadavg()[0]
    sections: list[Found] = []
    failures: list[str] = []
    with tempfile.TemporaryDirectory(dir=HERE / "build") as folder:
        bench = prepared(Path(os.path.relpath(folder)), options)
        for name in names:
            say(f"measuring {name}")
            try:
                sections += JOBS[name](bench)
            except Failed as failure:
                failures.append(f"{name}: {failure}")
    text = "\n".join(paragraphs(sections, options, load))
    print(text)
    print(*failures, sep="\n", end="\n" if failures else "", file=sys.stderr)
    if options.output or (len(names) == len(JOBS) and not failures and not options.quick):
        (options.output or RESULTS).write_text(text + "\n")
    wrong = [t for section in sections for t in section.targets if not t.timed and not t.met]
    return 1 if failures or wrong else 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vectors", description=__doc__)
    add = parser.add_argument
    add("--only", action="append", choices=list(JOBS), metavar="JOB", help=", ".join(JOBS))
    add("--quick", action="store_true", help="small texts, each once; nothing is judged")
    add("--rounds", type=int, help="runs of whole processes [3]")
    add("--seeds", type=int, help="runs of each trainer for the scores [3]")
    add("--quality-mb", type=float, help="MB of text for the scores, 0: all novels [20, 8]")
    add("--iterations", type=int, help="of GloVe [5]")
    add("--glove", type=Path, default=os.environ.get("GLOVE"), help="folder of its C program")
    add("--output", type=lambda name: Path(name).absolute(), help=f"[{RESULTS.name}]")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seeds = options.seeds or (2 if options.quick else 3)
    return options


def prepared(folder: Path, options: argparse.Namespace) -> Bench:
    """Everything that jobs need, with kernels compiled."""
    say("compiling kernels, where they are not")
    measure.run(Command([*GAI, "info", "--compile"]))
    made: dict[str, Any] = {}
    if options.quality_mb is not None:
        made |= {"quality": options.quality_mb, "quality_fasttext": options.quality_mb}
    if options.iterations:
        made["iterations"] = options.iterations
    chosen = QUICK if options.quick else Sizes()
    sizes = Sizes(**{**vars(chosen), **made})
    say("cutting text into tokens")
    parts = {sizes.throughput, sizes.whole, sizes.whole_fasttext, sizes.glove}
    parts |= {sizes.quality, sizes.quality_fasttext}
    tokens = tokenized(folder, sorted(parts))
    peer = programs(options.glove) if options.glove else None
    return Bench(folder, sizes, options.rounds, options.seeds, peer, tokens)


def tokenized(folder: Path, parts: Sequence[float]) -> dict[float, Path]:
    """The beginning of the novels, as so many MB each say (0: all), as lines of tokens."""
    sources = corpus.novels() or corpus.repeated(corpus.gutenberg())
    text = corpus.joined(sources, folder / "novels.txt")
    whole = text.stat().st_size
    found = {}
    for size in parts:
        part = folder / f"novels-{size:g}.txt"
        cut(text, part, int(1e6 * size) or whole)
        found[size] = part.with_suffix(".tok")
        words = ["tokenize", "--per", "line", "--format", "text", "-q", str(part)]
        measure.run(Command([*GAI, *words, "-o", str(found[size])], found[size]))
        part.unlink()
    text.unlink()
    return found


def cut(text: Path, target: Path, size: int) -> None:
    """Writes the first lines of a text, about so many bytes."""
    with text.open("rb") as source, target.open("wb") as file:
        for line in source:
            size -= file.write(line)
            if size <= 0:
                break


def programs(folder: Path) -> Path:
    """Where GloVe's programs are; raises SystemExit where they are not."""
    for place in (folder, folder / "build"):
        if all(os.access(place / name, os.X_OK) for name in PROGRAMS):
            return place.absolute()
    raise SystemExit(f"{folder} does not hold {', '.join(PROGRAMS)}")


def say(text: str) -> None:
    """Tells a person how far it is."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


NOTES = (
    f"Same tokens and settings for all: {DIM} dimensions, skip-gram, window {WINDOW}, 5 negative "
    f"examples, words that occur {MIN_COUNT} times or more, as many threads as cores.",
    "epoch: one epoch in a process, gai and gensim in turn, the vocabulary built and the file "
    "written before; gai's includes its loss. whole: processes in turn, an epoch, the vectors of "
    "words written.",
    "quality: Spearman's correlation, and the share of analogies that are right, of those with "
    "known words only; gensim reads the lines itself, for with corpus_file and several threads its "
    "learning rate falls too slowly. A score is of one seed; the standard error is that of the "
    "mean of seeds.",
    "glove: window 10, x-max 100; iterations: the mean of all, GloVe's by the stamps it prints.",
)


def paragraphs(
    sections: Sequence[Found], options: argparse.Namespace, load: float
) -> Iterator[str]:
    """The lines of the page."""
    yield "# Word vectors beside gensim and GloVe\n"
    yield "Made by `python -m benchmarks.vectors`.\n"
    for line in report.machine():
        yield f"- {line}"
    yield f"- load of the machine before: {load:.1f}, after: {os.getloadavg()[0]:.1f}"
    if timed := [section for section in sections if section.sides]:
        yield f"\n## Times\n\n{report.measured(timed)}"
    for section in sections:
        for table in section.tables:
            yield f"\n## {section.name.capitalize()}\n\n{table}"
    yield "\n## Targets\n\n" + report.promised(sections, not options.quick) + "\n"
    for note in (*NOTES, *(note for section in sections for note in section.notes)):
        yield f"- {note}"


if __name__ == "__main__":
    sys.exit(main())
