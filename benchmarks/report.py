"""Report: what was measured as Markdown tables, which a terminal shows as well."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from statistics import median

from benchmarks import measure
from benchmarks.measure import Run

PACKAGES = (
    *("numpy", "numba", "llvmlite", "scipy", "scikit-learn", "gensim"),
    *("nltk", "spacy", "PyStemmer", "simplemma", "sacremoses", "tokenizers"),
)
HEAD = ("job", "command", "runs", "s", "CPU s", "MB/s", "M tokens/s", "peak MiB", "gai is faster")


@dataclass(frozen=True)
class Side:
    """The runs of one command over a text of ``size`` bytes, 0 where there is none to speak of.

    ``start`` are the seconds of it that a longer text would not make more; they matter where it is
    compared with another one over such a text.
    """

    label: str
    runs: tuple[Run, ...]
    size: int
    tokens: int
    start: float = 0.0

    def without_text(self) -> Side:
        """The same runs, with nothing said of a text."""
        return replace(self, size=0, tokens=0)


@dataclass(frozen=True)
class Target:
    """What was promised, what was measured, and whether it was met.

    ``timed`` is false for what holds on any machine and any text.
    """

    wanted: str
    measured: str
    met: bool
    timed: bool = True


@dataclass
class Section:
    """A job: gai's side first, and the promises."""

    name: str
    sides: list[Side] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def measured(sections: Iterable[Section]) -> str:
    """A table with a line for each command."""
    return table(HEAD, [line for section in sections for line in lines(section)], left=2)


def lines(section: Section) -> Iterator[list[str]]:
    """A line for each side of a job; how much faster gai is stands in the line of the peer."""
    ours = section.sides[0]
    peers = section.name not in ("kernel", "start")
    for side in section.sides:
        ratio = faster(ours, side) if peers and side is not ours else ""
        yield [section.name, side.label, *numbers(side), ratio]


def numbers(side: Side) -> list[str]:
    """The medians of the runs; the peak is the largest."""
    seconds, size = measure.seconds(side.runs), side.size
    cpu, peak = median(run.cpu for run in side.runs), measure.peak(side.runs)
    return [
        str(len(side.runs)),
        f"{seconds:.3f}",
        f"{cpu:.3f}" if cpu else "",
        rate(size / 1e6 / seconds, 1) if size else "",
        rate(side.tokens / 1e6 / seconds, 2) if side.tokens else "",
        f"{peak / 2**20:,.0f}" if peak else "",
    ]


def rate(value: float, digits: int) -> str:
    """A number with so many decimals, with more where it is small."""
    return f"{value:.{digits}f}" if value >= 0.1 else f"{value:.2g}"


def faster(ours: Side, theirs: Side) -> str:
    """The median of the ratios of the rounds, and the smallest and largest."""
    found = times(ours, theirs)
    spread = f" ({min(found):.2f} to {max(found):.2f})" if len(found) > 1 else ""
    return f"{median(found):.2f}{spread}"


def times(ours: Side, theirs: Side) -> list[float]:
    """How many times as long as ours theirs took in each round, or would take for our text."""
    share = ours.size / theirs.size if ours.size and theirs.size else 1.0
    whole = [
        replace(run, seconds=theirs.start + share * max(0.0, run.seconds - theirs.start))
        for run in theirs.runs
    ]
    return measure.ratios(whole, ours.runs)


def promised(sections: Iterable[Section], judged: bool) -> str:
    """A table with a line for each target."""
    found = [
        [section.name, target.wanted, target.measured, verdict(target, judged)]
        for section in sections
        for target in section.targets
    ]
    return table(("job", "target", "measured", ""), found, left=4)


def verdict(target: Target, judged: bool) -> str:
    """What is said of a target; of times and memory nothing, where the texts are too small."""
    if target.timed and not judged:
        return "not judged"
    return "met" if target.met else "not met"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """A Markdown table, aligned; the first ``left`` columns on the left."""
    cells = [head, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    rule = ["-" * width if i < left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join(_row(row, widths, left) for row in (head, rule, *rows))


def _row(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = [
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def machine() -> list[str]:
    """What was measured on, without any names of it."""
    packages = ", ".join(filter(None, map(installed, PACKAGES)))
    return [
        f"{processor()}, {cores()} cores, {platform.system()} {platform.machine()}, "
        f"{memory()} of memory",
        f"Python {platform.python_version()}, {packages}, {first_line('wc', '--version')}",
    ]


def installed(name: str) -> str:
    """A package with its version; "" where it is not installed."""
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def processor() -> str:
    """The model of the processor, where the system says it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown processor"


def memory() -> str:
    """The memory of the machine."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def first_line(*argv: str) -> str:
    """The first line that a command prints; "no NAME" where it does not run."""
    try:
        return measure.printed(argv).decode().partition("\n")[0]
    except measure.Failed:
        return f"no {argv[0]}"
