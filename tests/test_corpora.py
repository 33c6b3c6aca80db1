"""The texts in corpora/ are small, are UTF-8, and say where they come from."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

LIMIT = 8_000_000
MADE = "build"  # what experiment.mk makes


def shipped(corpora: Path) -> list[Path]:
    files = [path for path in sorted(corpora.rglob("*")) if path.is_file()]
    return [path for path in files if path.relative_to(corpora).parts[0] != MADE]


def test_the_whole_folder_is_small(corpora: Path) -> None:
    assert sum(path.stat().st_size for path in shipped(corpora)) <= LIMIT


def test_every_file_is_utf8_text(corpora: Path) -> None:
    for path in shipped(corpora):
        content = path.read_bytes()
        try:
            content.decode()
        except UnicodeDecodeError as error:
            pytest.fail(f"{path} is not UTF-8: {error}")
        assert b"\0" not in content, path


def test_the_readme_names_every_folder_and_nothing_else(corpora: Path) -> None:
    table = (corpora / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9]+)/", table))
    folders = {path.relative_to(corpora).parts[0] for path in shipped(corpora)}
    assert named == {name for name in folders if (corpora / name).is_dir()}


def test_every_row_of_the_readme_has_origin_and_licence(corpora: Path) -> None:
    lines = (corpora / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1:-1] for line in lines if line.startswith("| `")]
    assert len(rows) >= 8
    for file, what, origin, licence, _ in rows:
        assert what.strip(), file
        assert origin.strip(), file
        assert re.search(r"public domain|CC BY 4\.0|MIT|as above", licence), file


def test_the_readme_lists_the_languages_there_are(corpora: Path) -> None:
    text = (corpora / "README.md").read_text(encoding="utf-8")
    listed = re.sub(r"[A-Z][\w ]*:|\(\w+\)", " ", text[text.index("The languages") :])
    files = {path.stem for path in (corpora / "udhr").iterdir()}
    assert files == set(re.findall(r"[a-z]+(?:_[a-z]+)?", listed.split("\n\n", 1)[1]))


def test_every_declaration_is_whole(corpora: Path) -> None:
    """Cut at the wrong line, a file would be half as long or twice."""
    for path in (corpora / "udhr").iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert 150 <= len(lines) <= 230, path
        assert 9_000 <= path.stat().st_size <= 50_000, path


def test_there_is_one_address_every_four_years(corpora: Path) -> None:
    years = [int(path.name[:4]) for path in sorted((corpora / "inaugural").iterdir())]
    assert years == list(range(1789, 2022, 4))


@pytest.mark.parametrize(("name", "rows"), [("train", 10_003), ("test", 3_080)])
def test_banking77_has_its_rows_and_intents(corpora: Path, name: str, rows: int) -> None:
    with open(corpora / "banking77" / f"{name}.csv", encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    assert len(records) == rows
    assert len({record["category"] for record in records}) == 77
    assert all(record["text"].strip() for record in records)
