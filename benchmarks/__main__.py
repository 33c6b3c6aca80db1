"""python -m benchmarks: gai beside other tools, over the same texts, in one run."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import corpus, measure, report, rows, text_rows
from benchmarks.measure import Command, Failed
from benchmarks.report import Section
from benchmarks.rows import GAI, Bench

HERE = Path(__file__).parent
RESULTS = HERE / "results.md"
ROWS = rows.ROWS | text_rows.ROWS


def main() -> int:
    """Measures, prints and writes; 1 where a process failed or a result was not the same.

    A target of speed or memory that is not met changes nothing: the table says it.
    """
    options = arguments()
    os.chdir(corpus.ROOT)
    # Without compiled modules every Python process would start several times slower.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    (HERE / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE / "build") as folder:
        load = os.getloadavg()[0]
        bench = prepared(Path(os.path.relpath(folder)), options)
        sections, failures = results(bench, options.only)
    text = page(bench, sections, load)
    print(text)
    print(*failures, sep="\n", end="\n" if failures else "", file=sys.stderr)
    complete = len(sections) == len(ROWS) and not options.quick
    if complete or options.output:
        (options.output or RESULTS).write_text(text + "\n")
    wrong = [t for s in sections for t in s.targets if not t.timed and not t.met]
    return 1 if failures or wrong else 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, help="runs of each command [3]")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(ROWS),
        metavar="JOB",
        help=f"only this job; may be repeated: {', '.join(ROWS)}",
    )
    parser.add_argument("--quick", action="store_true", help="a small text, each command once")
    parser.add_argument(
        "--output",
        type=lambda name: Path(name).absolute(),
        metavar="FILE",
        help="write here [benchmarks/results.md, of a whole run only]",
    )
    options = parser.parse_args()
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: 1 or more")
    options.rounds = options.rounds or (1 if options.quick else 3)
    # bow-large does over another text what bow does, which matters for numbers only.
    options.only = options.only or [n for n in ROWS if not (options.quick and n == "bow-large")]
    return options


def prepared(folder: Path, options: argparse.Namespace) -> Bench:
    """The texts, with kernels compiled."""
    say("compiling kernels, where they are not")
    measure.run(Command([*GAI, "info", "--compile"]))
    say("building texts")
    return Bench(corpus.build(folder, options.quick), folder, options.rounds, options.quick)


def results(bench: Bench, names: list[str]) -> tuple[list[Section], list[str]]:
    """What was measured, and what failed."""
    sections, failures = [], []
    for name in names:
        say(f"measuring {name}")
        try:
            sections.append(ROWS[name](bench))
        except Failed as failure:
            failures.append(f"{name}: {failure}")
        for path in bench.folder.glob("out-*"):
            path.unlink()
    return sections, failures


def say(text: str) -> None:
    """Tells a person how far it is."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def page(bench: Bench, sections: list[Section], load: float) -> str:
    """All that was found."""
    return "\n".join(paragraphs(bench, sections, load))


def paragraphs(bench: Bench, sections: list[Section], load: float) -> Iterator[str]:
    """The lines of the page."""
    yield "# gai beside other tools\n"
    yield "Made by `make bench`.\n"
    for line in (*report.machine(), *texts(bench)):
        yield f"- {line}"
    yield f"- load of the machine before: {load:.1f}, after: {os.getloadavg()[0]:.1f}"
    yield f"\n## Side by side\n\n{report.measured(sections)}\n"
    for note in (*NOTES, *(note for section in sections for note in section.notes)):
        yield f"- {note}"
    yield f"- No peak below {measure.own_peak() >> 20} MiB can be seen: that of the measurer."
    yield f"\n## Targets\n\n{report.promised(sections, not bench.quick)}"


NOTES = (
    "Whole processes, start and writing included, in turn (A B A B ...), after a run of each over "
    "a small text. Files are in the page cache.",
    "s, CPU s, MB/s, tokens/s: medians; MB is 10^6 bytes of text. peak: the largest.",
    "gai is faster: median (smallest to largest) of the ratios of the rounds. A peer over "
    "a shorter text is given the time that it would take for gai's: its start, which is measured "
    "over one line, and the rest in proportion.",
    "gai uses all cores where no -j is given, its peers one.",
    "scikit-learn and gensim read the lines lazily. scikit-learn writes matrix and terms "
    "uncompressed; gensim writes nothing. Rows of both are left unsorted.",
    "tokenize, stem, lemmatize, sentences: text to standard output, which is /dev/null, where no "
    "file is named. M tokens/s counts gai's tokens of the text for all. Slow peers take the "
    "beginning of the novels (novels-3MB.txt: 3 MB of it). gai makes lower case too.",
)


def texts(bench: Bench) -> list[str]:
    """What was measured over."""
    made = bench.texts
    sizes = [f"`{text.path.name}` {text.size / 1e6:.1f} MB" for text in (made.novels, made.large)]
    return [f"texts: {made.origin}, in one file: {', and five copies of it: '.join(sizes)}"]


if __name__ == "__main__":
    sys.exit(main())
