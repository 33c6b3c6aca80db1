"""docs/concepts.md: every line that it says to try runs."""

from __future__ import annotations

import glob
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from gai.cli.app import COMMANDS
from gai.cli.main import main

PAGE = Path(__file__).parent.parent / "docs" / "concepts.md"
ROW = re.compile(r"^\|(?P<concept>.*)\| `(?P<line>.+)` \|$", re.MULTILINE)


class Section(NamedTuple):
    """A question of the page, with the lines to try."""

    name: str
    lines: list[str]


def sections() -> list[Section]:
    _, *parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = (Section(part.partition("\n")[0], lines_of(part)) for part in parts)
    return [section for section in found if section.lines]


def lines_of(part: str) -> list[str]:
    return [found["line"] for found in ROW.finditer(part)]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name)
def test_every_line_of_a_section_runs(
    section: Section,
    corpora: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "corpora").symlink_to(corpora)
    monkeypatch.chdir(tmp_path)
    for line in section.lines:
        code = main(words(line))
        assert code == 0, f"{line}\n{capfd.readouterr().err}"


def words(line: str) -> list[str]:
    """The words of a line without its ``gai``, file names as a shell would find them; networks this
    small are fastest on one thread."""
    name, *rest = shlex.split(line)
    assert name == "gai"
    found = [path for word in rest for path in (sorted(glob.glob(word)) or [word])]
    return found + (["--threads", "1"] if rest[:2] == ["nn", "train"] else [])


def test_every_row_has_a_line_and_every_command_of_nn_has_a_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("|") and "---" not in row]
    lines = [line for section in sections() for line in section.lines]
    heads = [row for row in rows if row == "| concept | try |"]
    assert len(lines) == len(rows) - len(heads)
    used = {" ".join(line.split()[1:3]) for line in lines}
    assert {name for name in COMMANDS if name.startswith("nn ")} <= used
