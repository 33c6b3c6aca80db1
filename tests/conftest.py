"""What all tests share: the texts of corpora/, the data beside the repository, the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import gai as package

settings.register_profile("gai", deadline=None)  # the first example may compile kernels
settings.load_profile("gai")

ROOT = Path(__file__).parent.parent
SOURCE = Path(package.__path__[0]).parent

Gai = Callable[..., "subprocess.CompletedProcess[bytes]"]
Environment = Callable[[Mapping[str, str | None]], dict[str, str]]


# pytest-xdist tells its workers a width, and people tell their shells a taste.
DISPLAY = ["COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"]

# How long one example takes says more about the machine than about gai.
settings.register_profile("gai", deadline=None)


def pytest_configure() -> None:
    """Makes a run the same in any terminal, on any machine."""
    settings.load_profile("gai")
    for name in DISPLAY:
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def torch_as_it_was() -> Iterator[None]:
    """Takes back what a training sets for its whole process: threads, and numbers near 0 as 0."""
    torch: Any = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
        if threads:
            torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of small real texts that the repository ships."""
    return ROOT / "corpora"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of large real data beside the repository; only slow tests ask for it.

    ``GAI_DATA`` names it. The test is skipped where it does not exist.
    """
    path = Path(os.environ.get("GAI_DATA") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip(f"no data at {path}: set GAI_DATA to the folder")
    return path


@pytest.fixture(scope="session")
def gai() -> Gai:
    """The command ``gai`` as a function: ``gai("freq", path, stdin=b"...", env={...}, cwd=...)``.

    Gives back the completed process with ``returncode`` and, as bytes, ``stdout`` and ``stderr``.
    """
    return run


@pytest.fixture(scope="session")
def environment() -> Environment:
    """The environment for a process that runs gai, as a function of the changes to make in it."""
    return surroundings


def run(
    *args: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[bytes]:
    """The finished process of ``python -m gai ARGS``; None in ``env`` unsets a variable."""
    return subprocess.run(
        [sys.executable, "-m", "gai", *map(str, args)],
        input=stdin,
        capture_output=True,
        env=surroundings(env or {}),
        cwd=cwd,
        timeout=timeout,
        check=False,
    )


def surroundings(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with changes; gai is the one that the tests import, in any folder.

    A variable whose change is None is unset.
    """
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
    merged = {**os.environ, "PYTHONPATH": path, **changes}
    return {name: value for name, value in merged.items() if value is not None}
