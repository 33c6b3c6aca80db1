"""The documentation is true: every example with an output runs, every list is complete."""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "docs/formats.md",
    "docs/exactness.md",
    "docs/sentences.md",
    "docs/lemmas.md",
    "docs/vectors.md",
    "docs/nn.md",
    "docs/nn-choosing.md",
    "docs/nn-architectures.md",
    "docs/nn-changing.md",
    "docs/nn-seeing.md",
]
SLOW = [page for page in PAGES if page.startswith("docs/nn-")]
"""Pages that start some sixty programs with torch, four minutes of a core in all."""

BLOCK = re.compile(r"^```(console|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
NUMBER = re.compile(r"(-?\d+\.\d+(?:e-?\d+)?)")

Environment = Callable[[Mapping[str, str | None]], dict[str, str]]


class Step(NamedTuple):
    """One command of a console block, and what the page says that it prints."""

    command: str
    output: str


@dataclass(frozen=True)
class Section:
    """The examples below one heading, and before them those above the first heading."""

    page: str
    heading: str
    text: str

    def __str__(self) -> str:
        return f"{Path(self.page).stem}: {self.heading}"


def sections(page: str) -> Iterator[Section]:
    """The sections of a page with examples of their own; the page's beginning prepares them all."""
    beginning, *parts = HEADING.split((ROOT / page).read_text(encoding="utf-8"))
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        if BLOCK.search(text):
            yield Section(page, heading, beginning + text)


def steps(block: str) -> Iterator[Step]:
    """The commands of a console block: ``$ `` begins one, ``> `` goes on with it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines()
        more = 0
        while more < len(rest) and rest[more].startswith("> "):
            more += 1
        command = "\n".join([first, *(line[2:] for line in rest[:more])])
        yield Step(command, "".join(f"{line}\n" for line in rest[more:]))


def same(printed: str, shown: str) -> bool:
    """Whether two outputs are equal, where the last digit of a float is the machine's own."""
    one, two = NUMBER.split(printed), NUMBER.split(shown)
    numbers = zip(map(float, one[1::2]), map(float, two[1::2]), strict=False)
    return one[::2] == two[::2] and all(isclose(a, b, rel_tol=1e-12) for a, b in numbers)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which examples find the corpora and may write beside them."""
    (tmp_path / "corpora").mkdir()
    for path in (ROOT / "corpora").iterdir():
        if path.name != "build":
            (tmp_path / "corpora" / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(
    place: Path, environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """A function that runs a command in bash and gives what it prints on both streams."""
    tools = tmp_path_factory.mktemp("bin")
    (tools / "gai").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gai "$@"\n')
    (tools / "gai").chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    variables = environment({"PATH": path, "LC_ALL": "C", "MAKEFLAGS": None, "MAKELEVEL": None})

    def run(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=place, env=variables, capture_output=True, timeout=120
        )
        kept = [line for line in done.stderr.decode().splitlines() if "compiling" not in line]
        return done.stdout.decode() + "".join(f"{line}\n" for line in kept)

    return run


def examples() -> list[Any]:
    """The sections of all pages; those of pages that train much are slow."""
    return [
        pytest.param(one, marks=[pytest.mark.slow] if page in SLOW else [], id=str(one))
        for page in PAGES
        for one in sections(page)
    ]


@pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("make")), reason="examples need bash and make"
)
@pytest.mark.parametrize("section", examples(), ids=str)
def test_examples_print_what_the_page_shows(section: Section, shell: Callable[[str], str]) -> None:
    names: dict[str, object] = {}
    for kind, block in BLOCK.findall(section.text):
        if kind == "pycon":
            run_python(block, names, section)
            continue
        for step in steps(block):
            printed = shell(step.command)
            assert same(printed, step.output), f"$ {step.command}\n{printed}"


def run_python(block: str, names: dict[str, object], section: Section) -> None:
    """Runs the lines after ``>>>``; ``names`` are the variables of the section."""
    test = doctest.DocTestParser().get_doctest(block, names, str(section), section.page, 0)
    runner = doctest.DocTestRunner(verbose=False)
    report: list[str] = []
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize("page", PAGES)
def test_no_example_is_overlooked(page: str) -> None:
    lines = re.compile(r"^(\$|>>>) ", re.MULTILINE)
    text = (ROOT / page).read_text(encoding="utf-8")
    found = sum(len(lines.findall(block)) for _, block in BLOCK.findall(text))
    assert found == len(lines.findall(text)) > 1
    assert any(step.output for _, block in BLOCK.findall(text) for step in steps(block))


@pytest.mark.parametrize(
    ("printed", "shown"),
    [("a 1\n", "a 2\n"), ("a 0.25\n", "a 0.2500001\n"), ("a 0.5\n", "a 0.5\nb 0.5\n")],
)
def test_a_wrong_output_is_noticed(printed: str, shown: str) -> None:
    assert same(printed, printed)
    assert not same(printed, shown)


def test_the_reference_is_made_of_the_help_pages(environment: Environment) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gai.cli.reference"],
        env=environment({}),
        capture_output=True,
        check=True,
    )
    written = (ROOT / "docs" / "reference.md").read_bytes()
    assert done.stdout == written, "python -m gai.cli.reference > docs/reference.md"


def test_the_architecture_lists_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, listing = text.partition("    src/gai/\n")
    listed = re.findall(r"^ {6}([\w.]+/?) ", listing.partition("\n\n")[0], re.MULTILINE)
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "src" / "gai").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("page", [*PAGES, "docs/architecture.md"])
def test_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!http|#)([^)#]+)", text)
    named = re.findall(r"`((?:tests|corpora|docs)/[\w./-]+)`", text)
    modules = re.findall(r"`((?:documents|tokens|forms|counts|kernels|output|cli)/[\w./]+)`", text)
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    missing += [path for path in named if not (ROOT / path).exists()]
    missing += [path for path in modules if not (ROOT / "src" / "gai" / path).exists()]
    assert not missing
    assert links or named


def test_numbers_that_pages_name_are_counted() -> None:
    text = (ROOT / "docs" / "exactness.md").read_text(encoding="utf-8")
    for name in ("WordBreakTest", "SentenceBreakTest"):
        cases = (ROOT / "tests" / "data" / f"{name}-15.0.txt").read_text(encoding="utf-8")
        count = sum(line.startswith("÷") for line in cases.splitlines())
        assert f"{count:,} cases of {name}" in text
    languages = len(list((ROOT / "corpora" / "udhr").glob("*.txt")))
    assert f"{languages} languages" in text


def test_every_key_of_a_stored_matrix_is_explained(shell: Callable[[str], str]) -> None:
    assert shell("printf 'a b\\n' | gai tfidf -o x.npz") == ""
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    with np.load("x.npz") as arrays:
        kinds = {name: arrays[name].dtype for name in arrays}
        keys = [*arrays, *json.loads(arrays["signature"].tobytes())]
    rows = {key: "".join(re.findall(rf"^\|.*`{key}`.*$", text, re.MULTILINE)) for key in keys}
    assert [key for key in keys if not rows[key]] == []
    named = [key for key, kind in kinds.items() if kind.kind == "S" or kind.name in rows[key]]
    assert named == list(kinds)
