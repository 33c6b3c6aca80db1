"""Compiled kernels come back from the cache, whatever has become of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import numpy as np
from gai import kernels
from gai.documents import padded
said = []
ops = kernels.load(lambda: said.append("compiling"))
print(ops.count_lines(padded(b"a\\nb"), 3), *said, "numba" in sys.modules)
"""


def lines(cache: Path | str) -> list[str]:
    """What the program prints; it counts the lines of a text that has two."""
    env = {**os.environ, "GAI_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, check=True, text=True
    )
    return done.stdout.split()


def test_compiled_once_and_then_loaded_without_numba(tmp_path: Path) -> None:
    assert lines(tmp_path) == ["2", "compiling", "True"]
    assert lines(tmp_path) == ["2", "False"]


@pytest.mark.parametrize("content", [b"", b'{"crc32": 1}\nabc', b"\0\xff", b"{}\n", None])
def test_a_damaged_cache_file_is_made_anew(tmp_path: Path, content: bytes | None) -> None:
    lines(tmp_path)
    (file,) = tmp_path.glob("kernels-*/count_lines.o")
    file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    assert lines(tmp_path) == ["2", "compiling", "True"]
    assert lines(tmp_path) == ["2", "False"]


def test_no_cache_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for _ in range(2):
        assert lines(tmp_path / "file" / "below") == ["2", "compiling", "True"]


def test_nothing_is_compiled_ahead_of_time_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = {**os.environ, "GAI_CACHE": str(tmp_path / "file" / "below")}
    program = "from gai import kernels; print(kernels.compile_all(print))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=env, capture_output=True, check=True, text=True)
    assert done.stdout == "None\n"


def test_a_cache_that_takes_no_folder_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, say: what cannot be kept is compiled again next time."""
    from gai.kernels import build, native

    monkeypatch.setenv("GAI_CACHE", str(tmp_path))
    monkeypatch.setattr(build, "compile_kernel", lambda module, name: ({}, b"code"))
    monkeypatch.setattr(native, "folder", lambda: tmp_path / "missing" / "kernels")
    assert native._compiled("count_lines").endswith(b"\ncode")


def test_every_kernel_in_the_table_of_contents_is_there(tmp_path: Path) -> None:
    """And none is missing from it."""
    import importlib

    from gai.kernels import native

    modules = {
        name: importlib.import_module(f"gai.kernels.{name}") for name in {*native.MODULES.values()}
    }
    exported = {
        name: module
        for module, content in modules.items()
        for name, value in vars(content).items()
        if hasattr(value, "arguments") and getattr(value, "__module__", "") == content.__name__
    }
    assert exported == native.MODULES


BOTH = """
from gai import counts
from gai.documents import from_texts
from gai.tokens import Analysis
for tokenizer in ("word", "unicode"):
    found = counts.count([from_texts(["0\u5b57"], ["a"])], Analysis(tokenizer), engine="kernels")
    print(*found.terms)
"""


def test_kernels_compiled_apart_do_not_take_each_others_place(tmp_path: Path) -> None:
    """Numba gives the first of the two in each process the same name."""
    env = {**os.environ, "GAI_CACHE": str(tmp_path)}

    def run(program: str) -> str:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=env, capture_output=True, check=True, text=True).stdout

    for name in ("count_word", "count_unicode"):
        run(f"from gai import kernels; kernels.load().{name}")
    assert run(BOTH).split("\n") == ["0\u5b57", "0 \u5b57", ""]
