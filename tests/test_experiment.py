"""corpora/experiment.mk: what nobody touched is never made again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ADDRESSES = ["1789-Washington", "1793-Washington", "1861-Lincoln", "1865-Lincoln"]
WEIGHTINGS = ["counts", "tfidf", "bm25"]

Environment = Callable[[Mapping[str, str | None]], dict[str, str]]

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def make(folder: Path, environment: Environment) -> str:
    """What one run of the experiment prints."""
    done = subprocess.run(
        ["make", "-f", "experiment.mk", f"GAI={sys.executable} -m gai", "SETS=17 18"],
        cwd=folder,
        env=environment({"MAKEFLAGS": None, "MAKELEVEL": None, "LC_ALL": "C"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(
    corpora: Path, environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder in which the experiment ran, on four addresses of two centuries."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "inaugural").mkdir()
    for name in ADDRESSES:
        shutil.copy2(corpora / "inaugural" / f"{name}.txt", folder / "inaugural")
    shutil.copy2(corpora / "experiment.mk", folder)
    make(folder, environment)
    return folder


@pytest.fixture
def experiment(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished experiment, the times of its files included."""
    return shutil.copytree(finished, tmp_path / "experiment")


def made(folder: Path) -> dict[str, int]:
    """When each product was made, in nanoseconds."""
    products = sorted((folder / "build").iterdir())
    return {path.name: path.stat().st_mtime_ns for path in products}


def touch(path: Path) -> None:
    """Gives the file a time after everything that was made, whatever the clock's steps are."""
    newest = max(path.stat().st_mtime_ns for path in (path.parent.parent / "build").iterdir())
    os.utime(path, ns=(newest + 1, newest + 1))


def test_a_second_make_does_nothing_and_a_touched_address_only_what_depends_on_it(
    experiment: Path, environment: Environment
) -> None:
    first = made(experiment)
    assert "Nothing to be done" in make(experiment, environment)
    assert made(experiment) == first

    touch(experiment / "inaugural" / "1861-Lincoln.txt")
    make(experiment, environment)
    again = {name for name, time in made(experiment).items() if time != first[name]}
    depends = {f"18.{weighting}" for weighting in WEIGHTINGS}
    ends = ["npz", "npz.d", "top.tsv"]
    assert again == {f"{name}.{end}" for name in depends for end in ends} | {"comparison.tsv"}
    assert "Nothing to be done" in make(experiment, environment)


def test_a_deleted_address_is_left_out_and_stops_nothing(
    experiment: Path, environment: Environment
) -> None:
    (experiment / "inaugural" / "1865-Lincoln.txt").unlink()
    make(experiment, environment)
    table = (experiment / "build" / "comparison.tsv").read_text(encoding="utf-8")
    assert "1861-Lincoln" in table
    assert "1865-Lincoln" not in table


def test_the_table_holds_the_heaviest_terms_of_each_weighting(finished: Path) -> None:
    table = (finished / "build" / "comparison.tsv").read_text(encoding="utf-8")
    head, *rows = [line.split("\t") for line in table.splitlines()]
    assert head == ["document", *WEIGHTINGS]
    assert [row[0] for row in rows] == [f"inaugural/{name}.txt" for name in ADDRESSES]
    for _, counts, *weighted in rows:
        assert "the" in counts.split()
        for cell in weighted:
            assert len(cell.split()) == 4
            assert "the" not in cell.split()
