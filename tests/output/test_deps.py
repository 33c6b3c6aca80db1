"""Make dependency files, read by make itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gai.errors import GaiError
from gai.output import write_deps
from gai.output.deps import rules

NAMES = (
    "a",
    "a b",
    "a#b",
    "a$b",
    "a$$(b)c",
    "a%b",
    "a:b",
    "a=b",
    "a:=b",
    "=",
    "a*b",
    "a?b",
    "a[b]",
    "a\\b",
    "a\\ b",
    "a\\\\ b",
    "a\\#b",
    "a\\*b",
    "a (2).txt",
    "a,b",
    "a'b",
    'a"b',
    "a&b",
    "a!b",
    "~a",
    "-a",
    "é中",
    "include",
)
MAKE = shutil.which("make")


def make(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [str(MAKE), "-f", "Makefile", *flags, "x.npz"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_make_rebuilds_what_depends_on_a_file(tmp_path: Path, name: str) -> None:
    source, target = tmp_path / name, tmp_path / "x.npz"
    source.touch()
    write_deps(str(tmp_path / "x.d"), "x.npz", [name])
    (tmp_path / "Makefile").write_text("x.npz:\n\t@touch x.npz\n-include x.d\n")
    assert make(tmp_path).returncode == 0
    assert target.exists()
    assert make(tmp_path, "-q").returncode == 0, "the target is not up to date"
    os.utime(source, (2e9, 2e9))
    assert make(tmp_path, "-q").returncode == 1, "a changed file is not noticed"
    source.unlink()
    gone = make(tmp_path)
    assert gone.returncode == 0, gone.stderr


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["out dir/x.npz", "x=1.npz", "x:1.npz", "x%.npz", "x#.npz"])
def test_targets_are_escaped_too(tmp_path: Path, target: str) -> None:
    (tmp_path / "Makefile").write_text(rules(target, ["a"]) + "\nall:\n")
    (tmp_path / "a").touch()
    done = subprocess.run(
        [str(MAKE), "-n", "-d", target], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Considering target file 'a'" in done.stdout


def test_the_form_is_that_of_gcc() -> None:
    files = ["b.txt", "a b.txt", "b.txt", "-", "s3://bucket/key", "x.npz"]
    assert rules("x.npz", files) == "x.npz: \\\n  b.txt \\\n  a\\ b.txt\n\nb.txt:\n\na\\ b.txt:\n"
    assert rules("x.npz", []) == "x.npz:\n"


@pytest.mark.parametrize("name", ["a;b", "a|b", "a\nb", "a\tb", "a(b)", "a\\", "a\\:b", ""])
def test_names_that_make_cannot_read_are_errors(tmp_path: Path, name: str) -> None:
    with pytest.raises(GaiError, match="make cannot name the file"):
        write_deps(str(tmp_path / "x.d"), "x.npz", [name])
    assert list(tmp_path.iterdir()) == []


def test_bytes_of_a_name_pass_as_they_are(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    write_deps(str(tmp_path / "x.d"), "x.npz", [name])
    assert b"\n  caf\xe9.txt\n" in (tmp_path / "x.d").read_bytes()
