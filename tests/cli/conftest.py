"""What the tests of the command line share."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gai as package
from gai.cli.main import main

SENTENCES = b"The cat sat on the mat.\nThe dog barked at the cat.\n"
TERMINAL = {"TERM": "xterm-256color", "NO_COLOR": None, "COLUMNS": None, "LINES": None}
SOURCE = str(Path(package.__path__[0]).parent)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str = ""


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Leaves the signals of the test runner as they are."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """``gai`` within this process, which saves half a second: for what ends before any work."""

    def run(*words: str | Path) -> Ended:
        return Ended(main([str(word) for word in words]), *capfd.readouterr())

    return run


@pytest.fixture
def quick(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """The fixture ``gai`` without a process, for what is about numbers: a tenth of the time."""

    def run(
        *words: str | Path, stdin: bytes = b"", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        (tmp_path / ".stdin").write_bytes(stdin)
        capfdbinary.readouterr()
        with monkeypatch.context() as patched, open(tmp_path / ".stdin") as file:
            patched.setattr(sys, "stdin", file)
            patched.chdir(cwd or tmp_path)
            code = main([str(word) for word in words])
        return subprocess.CompletedProcess(words, code, *capfdbinary.readouterr())

    return run


@pytest.fixture
def ask(quick: Any, folder: Path) -> Callable[..., Any]:
    """A command of gai nn on one thread, within the ``folder`` of the test's runs."""

    def asked(command: str, *words: Any, stdin: bytes = b"") -> Any:
        return quick("nn", command, *words, "--threads", "1", stdin=stdin, cwd=folder)

    return asked


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A file with the two sentences of the documentation, one a line."""
    path = tmp_path / "two.txt"
    path.write_bytes(SENTENCES)
    return path


@pytest.fixture
def variables() -> Callable[..., dict[str, str]]:
    """The environment of a command of our own, as the fixture ``gai`` makes it."""

    def changed(**changes: str | None) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH")]))
        merged = {**os.environ, "PYTHONPATH": path, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    return changed


@pytest.fixture
def on_terminal(variables: Callable[..., dict[str, str]]) -> Callable[..., Ended]:
    """``gai`` on a terminal: ``out`` is all that the terminal got, from both streams.

    Standard input is the terminal as well, unless ``stdin`` is piped in. A ``script`` may take the
    place of the command.
    """

    def run(
        *words: str | Path,
        env: Mapping[str, str | None] | None = None,
        columns: int = 100,
        stdin: bytes | None = None,
        script: Path | None = None,
    ) -> Ended:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, *(["-m", "gai"] if script is None else [script]), *words],
            stdin=slave if stdin is None else subprocess.PIPE,
            stdout=slave,
            stderr=slave,
            env=variables(**TERMINAL | dict(env or {})),
        )
        os.close(slave)
        if process.stdin:
            process.stdin.write(stdin or b"")
            process.stdin.close()
        shown = everything(master)  # first: a terminal that nobody reads blocks who writes
        return Ended(process.wait(60), shown)

    return run


def everything(master: int) -> str:
    """What was written to a terminal whose other end is closed or closes."""
    pieces = []
    try:
        while piece := os.read(master, 1 << 16):
            pieces.append(piece)
    except OSError:
        pass  # Linux reports the closed end as an error
    os.close(master)
    return b"".join(pieces).decode().replace("\r\n", "\n")
