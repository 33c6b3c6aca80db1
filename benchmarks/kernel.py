"""The kernel line in a process of its own: ``python -m benchmarks.kernel TEXT ROUNDS``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from gai import kernels
from gai.counts.workers import KernelWorker
from gai.documents import Batch, Reader, Reading
from gai.terms.scanner import Scanner
from gai.tokens.analysis import Analysis
from gai.tokens.prepare import Prepared, prepared

ANALYSES = {"word": Analysis(tokenizer="word", min_length=2), "unicode": Analysis()}


@dataclass
class Found:
    """Tokens in the text; seconds of scan, intern and count in each round, and of a worker."""

    tokens: int = 0
    kernel: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)


def main(path: str, rounds: int) -> None:
    """Prints what each scanner takes for the lines of the text, once it is in memory."""
    batches = list(Reader(Reading(paths=(path,), per="line")))
    found = {name: Found() for name in ANALYSES}
    for number in range(rounds + 1):
        for name, analysis in ANALYSES.items():
            measure(batches, analysis, found[name], warm=number > 0)
    print(json.dumps({name: asdict(fact) for name, fact in found.items()}))


def measure(batches: list[Batch], analysis: Analysis, found: Found, warm: bool) -> None:
    """One round; the first one only counts the tokens, and loads what is to be measured."""
    ready = [prepared(batch, kernels.load(), "strict", analysis) for batch in batches]
    seconds, tokens = timed(lambda: scanned(ready, analysis))
    found.tokens = tokens
    if warm:
        found.kernel.append(seconds)
        found.worker.append(timed(lambda: worked(batches, analysis))[0])


def scanned(ready: list[Prepared], analysis: Analysis) -> int:
    """The number of tokens, after scan, intern and count of text that is checked and cut."""
    scanner = Scanner(analysis, kernels.load(), "count")
    return sum(int(scanner.run(text.batch, text.fold).lengths.sum()) for text in ready)


def worked(batches: list[Batch], analysis: Analysis) -> int:
    """The same with all else that a worker does: UTF-8 checked, lines cut, totals kept."""
    worker = KernelWorker(0, analysis, "strict", kernels.load())
    return sum(int(worker.rows(*item).lengths.sum()) for item in enumerate(batches))


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds of the work, and what it gives back."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
