"""Streams and signals: broken pipes, full disks, closed streams, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Variables = Callable[..., dict[str, str]]


def shell(line: str, variables: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """A line of shell in which ``$gai`` is the command."""
    line = line.replace("$gai", f"{sys.executable} -m gai")
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, env=variables, cwd=cwd, timeout=60, check=False
    )


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Text whose counts are more than any pipe holds."""
    path = tmp_path / "large.txt"
    path.write_text("".join(f"word{i % 5000} and word{i % 77}\n" for i in range(20_000)))
    return path


@pytest.mark.parametrize(
    "command",
    [
        *("bow --per line", "freq", "tfidf --per line --top 1", "bow --per line --format csv"),
        *("tokenize --per line", "stem --layout keep", "sentences", "tokenize --one-per-line"),
    ],
)
def test_a_reader_that_leaves_early_is_no_error(
    command: str, variables: Variables, large: Path, tmp_path: Path
) -> None:
    line = f"$gai {command} {large} | head -1; echo ${{PIPESTATUS[0]}}"
    done = shell(line, variables(), tmp_path)
    assert done.stderr == b""
    first, code = done.stdout.splitlines()
    assert code in (b"0", b"141")
    assert first


@pytest.mark.parametrize("command", ["--help", "bow --help", "info"])
def test_short_output_into_a_closed_pipe(
    command: str, variables: Variables, tmp_path: Path
) -> None:
    line = f"$gai {command} | true; echo ${{PIPESTATUS[0]}}"
    done = shell(line, variables(), tmp_path)
    assert done.stderr == b""
    assert done.stdout in (b"0\n", b"141\n")


@pytest.mark.parametrize(
    "command",
    [
        *("bow two.txt", "freq two.txt", "--help", "info", "bow --help"),
        *("tokenize two.txt", "stem --layout keep two.txt", "sentences two.txt", "stopwords de -q"),
    ],
)
def test_a_full_disk_is_an_error(
    command: str, variables: Variables, two: Path, tmp_path: Path
) -> None:
    done = shell(f"$gai {command} > /dev/full", variables(), tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"gai: error: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_full_disk_leaves_no_file(variables: Variables, large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    limit = "trap '' XFSZ; ulimit -f 16"  # blocks of 1 KiB; EFBIG stands in for ENOSPC
    done = shell(f"{limit}; $gai bow --per line {large} -o out/x.tsv", variables(), tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"gai: error: ")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("command", ["bow two.txt", "--version", "bow two.txt <&-"])
def test_a_closed_output_is_an_error(
    command: str, variables: Variables, two: Path, tmp_path: Path
) -> None:
    done = shell(f"$gai {command} >&-", variables(), tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"gai: error: ")


def test_a_closed_output_that_is_not_used(variables: Variables, two: Path, tmp_path: Path) -> None:
    done = shell("$gai bow two.txt -o x.tsv >&- 2>&-", variables(), tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "x.tsv").read_text().startswith("two.txt\tat\t1\n")


def test_a_closed_input_is_no_input(variables: Variables, tmp_path: Path) -> None:
    done = shell("$gai bow <&-", variables(), tmp_path)
    assert done.returncode == 2
    assert b"no input" in done.stderr


def test_messages_that_nobody_reads(variables: Variables, two: Path, tmp_path: Path) -> None:
    done = shell("$gai bow two.txt -v 2> /dev/full", variables(), tmp_path)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_run_ends_at_once_and_leaves_nothing(
    number: signal.Signals, code: int, jobs: str, variables: Variables, tmp_path: Path
) -> None:
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    out.mkdir()
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "gai", "bow", "-", "-o", out / "x.npz", "-j", jobs],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=variables(TMPDIR=str(temporary)),
    )
    assert process.stdin
    assert process.stderr
    # A little is counted in plain Python, much of it by kernels.
    process.stdin.write(b"some words that come and come\n" * (5_000, 100_000)[int(jobs) - 1])
    process.stdin.flush()
    time.sleep(1)  # it waits for more now, in the middle of its work
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(2) == code
    assert b"error" not in process.stderr.read()
    assert [*out.iterdir(), *temporary.iterdir()] == []


def test_an_interrupt_while_writing(variables: Variables, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("".join(f"word{i % 5000} and word{i % 77}\n" for i in range(200_000)))
    out = tmp_path / "out"
    out.mkdir()
    words = ["bow", "--per", "line", text, "-o", out / "x.tsv"]
    process = subprocess.Popen([sys.executable, "-m", "gai", *words], env=variables())
    while not list(out.iterdir()):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait(2) == 130
    assert list(out.iterdir()) == []


def test_an_interrupt_while_starting(variables: Variables) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gai", "bow", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=variables(),
    )
    time.sleep(0.15)
    process.send_signal(signal.SIGINT)
    assert process.wait(2) in (130, -signal.SIGINT)


def test_output_is_utf8_whatever_the_locale(gai: Any) -> None:
    for locale in ("C", "POSIX", "de_DE.ISO-8859-1"):
        env = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = gai("bow", stdin="schön\n".encode(), env=env)
        assert done.stdout == "-:1\tschön\t1\n".encode()


def test_it_runs_with_nothing_writable(gai: Any, two: Path, tmp_path: Path) -> None:
    env = {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none", "GAI_CACHE": "/proc/none/x"}
    done = gai("bow", two, env={**env, "NUMBA_CACHE_DIR": None}, cwd=Path(os.sep))
    assert done.returncode == 0, done.stderr
    assert done.stdout == gai("bow", two).stdout


@pytest.mark.slow
@pytest.mark.parametrize("per", ["line", "file"])
def test_one_line_of_500_megabytes(gai, tmp_path, per):
    path, copies = tmp_path / "line.txt", 500
    megabyte = b"word and word. " * (1_000_000 // 15)
    with path.open("wb") as file:
        for _ in range(copies):
            file.write(megabyte)
    done = gai("freq", "--per", per, path)
    times = copies * (1_000_000 // 15)
    assert done.stdout.decode() == f"word\t{2 * times}\t1\nand\t{times}\t1\n", done.stderr
