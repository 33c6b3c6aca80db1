"""Rows: each job that is measured, what stands beside it, and what was promised of it."""

from __future__ import annotations

import filecmp
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import measure
from benchmarks.corpus import ROOT, Text, Texts, inaugural
from benchmarks.measure import Command, Run
from benchmarks.report import Section, Side, Target, cores

SCRIPT = Path(sys.executable).with_name("gai")
GAI = (str(SCRIPT),) if SCRIPT.exists() else (sys.executable, "-m", "gai")
BOW = "bow --like sklearn --per line {text} -o {output}"
TFIDF = "tfidf --like sklearn --per line {text} -o {output}"
LIMIT = "300M"
LIMIT_BYTES = 300 << 20
SLOW_ROUNDS = 2
"""At most so many rounds where one takes minutes."""
START_ROUNDS = 10


@dataclass(frozen=True)
class Tool:
    """A way to do a job: what the table calls it, and its command with {text} and {output}."""

    label: str
    words: Sequence[str]
    suffix: str = ".npz"

    def command(self, text: Text, output: Path) -> Command:
        """What to start for a text."""
        argv = [word.format(text=text.path, output=output) for word in self.words]
        return Command(argv, output if "{output}" in self.words else None)


@dataclass(frozen=True)
class Task:
    """A tool, its text, and how many tokens are said to be in it."""

    tool: Tool
    text: Text
    tokens: int

    def label(self) -> str:
        """What the table calls it."""
        return self.tool.label.format(text=self.text.path.name, output=f"x{self.tool.suffix}")


@dataclass(frozen=True)
class Bench:
    """What all rows need: the texts, a folder for what is written, and how often to repeat."""

    texts: Texts
    folder: Path
    rounds: int
    quick: bool

    def output(self, number: int, suffix: str = ".npz") -> Path:
        """Where the tool of this number writes."""
        return self.folder / f"out-{number}{suffix}"


def gai(arguments: str) -> Tool:
    """A gai command, spelled as a user types it."""
    return Tool(f"gai {arguments}", (*GAI, *arguments.split()))


def peer(label: str, name: str, *arguments: str, module: str = "benchmarks.peers") -> Tool:
    """A function of a module of peers in a process of its own."""
    return Tool(label, (sys.executable, "-m", module, name, "{text}", *arguments))


SKLEARN_BOW = peer("scikit-learn CountVectorizer", "sklearn-bow", "{output}")
SKLEARN_TFIDF = peer("scikit-learn TfidfVectorizer", "sklearn-tfidf", "{output}")


def sides(
    bench: Bench, text: Text, tools: Sequence[Tool], tokens: Sequence[int], rounds: int = 0
) -> list[Side]:
    """The tools side by side over one text."""
    tasks = [Task(tool, text, count) for tool, count in zip(tools, tokens, strict=True)]
    return alternated(bench, tasks, rounds)


def alternated(bench: Bench, tasks: Sequence[Task], rounds: int = 0) -> list[Side]:
    """Each tool over its text: over a small one first, then in turn."""
    outputs = [bench.output(number, task.tool.suffix) for number, task in enumerate(tasks)]
    pairs = list(zip(tasks, outputs, strict=True))
    rounds, size = rounds or bench.rounds, tasks[0].text.size
    starts = [0.0 if bench.quick else start_of(bench, *pair, size, rounds) for pair in pairs]
    commands = [task.tool.command(task.text, out) for task, out in pairs]
    runs = measure.alternately(commands, rounds)
    return [
        Side(task.label(), seen, task.text.size, task.tokens, start)
        for task, seen, start in zip(tasks, runs, starts, strict=True)
    ]


def start_of(bench: Bench, task: Task, output: Path, size: int, rounds: int) -> float:
    """Seconds for one line, where the text is not of the size of the first one; else 0.

    The first run only warms up.
    """
    if task.text.size == size:
        measure.run(task.tool.command(bench.texts.small, output))
        return 0.0
    command = task.tool.command(bench.texts.line, output)
    _, *runs = measure.alternately([command], rounds + 1)[0]
    return measure.seconds(runs)


def kernel(bench: Bench) -> Section:
    """Scan, intern and count in memory, one core, lines in batches of 4 MiB."""
    text = bench.texts.novels
    found = measure.asked("benchmarks.kernel", str(text.path), str(bench.rounds))
    section = Section("kernel")
    for scanner, fact in found.items():
        for part, label in (("kernel", "scan, intern, count"), ("worker", "whole worker")):
            runs = tuple(Run(seconds) for seconds in fact[part])
            section.sides.append(Side(f"{scanner}: {label}", runs, text.size, fact["tokens"]))
        speed = text.size / 1e6 / median(fact["kernel"])
        section.targets += [
            at_least(f"{scanner}: scan, intern, count", speed, 100, "MB/s"),
            at_least(f"{scanner}: scan, intern, count (aim)", speed, 200, "MB/s"),
        ]
    section.notes.append(
        "kernel: text in memory, checked and cut into lines before; a whole worker does that too."
    )
    return section


def bow(bench: Bench) -> Section:
    """Counts of the novels, against scikit-learn."""
    return beside_sklearn(bench, "bow", bench.texts.novels, bench.rounds, 8)


def bow_large(bench: Bench) -> Section:
    """Counts of five copies of the novels, against scikit-learn."""
    rounds = min(bench.rounds, SLOW_ROUNDS)
    return beside_sklearn(bench, "bow-large", bench.texts.large, rounds, 15)


def tfidf(bench: Bench) -> Section:
    """Weights of the novels, against scikit-learn."""
    return beside_sklearn(bench, "tfidf", bench.texts.novels, bench.rounds, None)


def beside_sklearn(
    bench: Bench, name: str, text: Text, rounds: int, wanted: float | None
) -> Section:
    """A matrix written by gai and by scikit-learn: time, memory, and whether it is the same."""
    weights = name == "tfidf"
    tools = [gai(TFIDF), SKLEARN_TFIDF] if weights else [gai(BOW), SKLEARN_BOW]
    section = Section(name, sides(bench, text, tools, [text.tokens["word"]] * 2, rounds))
    ours, theirs = section.sides
    if wanted:
        times = median(measure.ratios(theirs.runs, ours.runs))
        section.targets.append(at_least("speed against scikit-learn", times, wanted, "times"))
    section.targets.append(below("peak memory", ours, theirs))
    # Five copies hold nothing new, and would take minutes to compare.
    if text is bench.texts.novels:
        section.targets.append(same_matrix(bench, 1e-12 if weights else 0.0))
    return section


def same_matrix(bench: Bench, tolerance: float) -> Target:
    """Whether the matrices that both just wrote are the same."""
    paths = [str(bench.output(number)) for number in range(2)]
    found = measure.asked("benchmarks.checks", "same", *paths)
    equal = bool(found["equal"] and found["largest"] <= tolerance)
    measured = f"difference {found['largest']:.1g}" if found["equal"] else "other terms or cells"
    wanted = f"scikit-learn's terms and numbers, relative difference at most {tolerance:g}"
    return Target(wanted, measured, equal, timed=False)


def gensim(bench: Bench) -> Section:
    """Counts of the novels, against gensim."""
    text = bench.texts.novels
    tools = [gai(BOW), peer("gensim Dictionary.doc2bow", "gensim-bow")]
    return Section("gensim", sides(bench, text, tools, [text.tokens["word"]] * 2))


def counter(bench: Bench) -> Section:
    """Term frequencies of the novels, against a loop in Python."""
    text = bench.texts.novels
    freq = gai("freq --tokenizer word --min-length 2 --per line {text}")
    tools = [freq, peer("collections.Counter and re.findall", "counter")]
    return Section("counter", sides(bench, text, tools, [text.tokens["word"]] * 2))


def wc(bench: Bench) -> Section:
    """Term frequencies of five copies of the novels, against the words that wc counts."""
    text = bench.texts.large
    words = ("env", "LC_ALL=C.UTF-8", "wc", "-w")
    # The first run warms up, and says how many words there are.
    count = int(measure.printed([*words, str(text.path)]).split()[0])
    tools = [gai("freq {text}"), Tool("LC_ALL=C.UTF-8 wc -w {text}", (*words, "{text}"))]
    section = Section("wc", sides(bench, text, tools, [text.tokens["unicode"], count]))
    ours, theirs = section.sides
    times = median(measure.ratios(ours.runs, theirs.runs))
    section.targets.append(at_most("time against wc -w", times, 2, "times"))
    return section


def jobs(bench: Bench) -> Section:
    """Counts of five copies of the novels on two cores and on one."""
    text = bench.texts.large
    tools = [gai(f"{BOW} -j2"), gai(f"{BOW} -j1")]
    section = Section("jobs", sides(bench, text, tools, [text.tokens["word"]] * 2))
    two, one = section.sides
    times = median(measure.ratios(one.runs, two.runs))
    if cores() > 1:
        section.targets.append(at_least("two cores against one", times, 1.7, "times"))
    else:
        section.notes.append("jobs: not judged, since there is one core only.")
    section.targets.append(same_bytes(bench))
    return section


def memory(bench: Bench) -> Section:
    """Counts of five copies of the novels in little memory, and in as much as they take."""
    text = bench.texts.large
    tools = [gai(f"{BOW} --memory {LIMIT}"), gai(BOW)]
    section = Section("memory", sides(bench, text, tools, [text.tokens["word"]] * 2))
    terms = measure.asked("benchmarks.checks", "vocabulary", str(bench.output(0)))
    peak = measure.peak(section.sides[0].runs)
    wanted = f"--memory {LIMIT}: peak at most 300 MiB plus the vocabulary"
    measured = f"{mib(peak)}, vocabulary {mib(terms['bytes'])} ({terms['terms']:,} terms)"
    within = Target(wanted, measured, peak <= LIMIT_BYTES + terms["bytes"])
    section.targets += [within, same_bytes(bench)]
    return section


def same_bytes(bench: Bench) -> Target:
    """Whether both files that were just written hold the same bytes."""
    equal = filecmp.cmp(bench.output(0), bench.output(1), shallow=False)
    return Target("the same bytes in both files", "same" if equal else "others", equal, timed=False)


def start(bench: Bench) -> Section:
    """Commands that have little to do."""
    addresses = [os.path.relpath(path, ROOT) for path in inaugural()]
    tools = [
        gai("--help"),
        gai("--version"),
        gai("tfidf --help"),
        Tool("gai tfidf corpora/inaugural/*.txt", (*GAI, "tfidf", *addresses)),
        Tool("Python itself: python -c pass", (sys.executable, "-c", "pass")),
    ]
    rounds = 1 if bench.quick else max(bench.rounds, START_ROUNDS)
    section = Section("start", sides(bench, bench.texts.small, tools, [0] * 5, rounds))
    section.sides = [side.without_text() for side in section.sides]
    took = [1000 * measure.seconds(side.runs) for side in section.sides]
    section.targets += [
        at_most(tools[0].label, took[0], 200, "ms"),
        at_most(f"{tools[0].label} (aim)", took[0], 150, "ms"),
        at_most(tools[2].label, took[2], 300, "ms"),
        at_most(tools[3].label, took[3], 500, "ms"),
    ]
    return section


def at_least(name: str, value: float, limit: float, unit: str) -> Target:
    """A target of speed."""
    return Target(f"{name}: at least {limit:g} {unit}", f"{value:.3g} {unit}", value >= limit)


def at_most(name: str, value: float, limit: float, unit: str) -> Target:
    """A target of time."""
    return Target(f"{name}: at most {limit:g} {unit}", f"{value:.3g} {unit}", value <= limit)


def below(name: str, ours: Side, theirs: Side) -> Target:
    """A target of memory: gai's largest peak below the other's."""
    mine, others = measure.peak(ours.runs), measure.peak(theirs.runs)
    measured = f"{mib(mine)} against {mib(others)}"
    return Target(f"{name}: below scikit-learn's", measured, mine < others)


def mib(size: int) -> str:
    """Bytes in MiB, for reading."""
    return f"{size / 2**20:,.1f} MiB"


ROWS: dict[str, Callable[[Bench], Section]] = {
    "kernel": kernel,
    "bow": bow,
    "bow-large": bow_large,
    "tfidf": tfidf,
    "gensim": gensim,
    "counter": counter,
    "wc": wc,
    "jobs": jobs,
    "memory": memory,
    "start": start,
}
