"""The console script ``gai``: how a run starts, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from gai.cli import terminal
from gai.errors import GaiError

# typer is imported within `run`: until then Ctrl-C would answer with a traceback.

INTERRUPTED, TERMINATED, BROKEN_PIPE = 130, 143, 141


class Terminated(BaseException):
    """SIGTERM as an exception, so that temporary files are removed on the way out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed, 2 usage, 130 interrupted, 141 nobody reads on."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, terminate)
        prepare_streams()
        code = run(words)
        sys.stdout.flush()
    except BaseException as error:
        code = failed(error, debug="--debug" in words)
    return leave(code)


def run(words: list[str]) -> int:
    """The exit code of the command that ``words`` name; what went wrong is raised."""
    from gai.cli import app

    return app.run(words)


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """The handler of SIGTERM."""
    raise Terminated


def prepare_streams() -> None:
    """Makes the standard streams fit for anything: closed ones fail when used, never a byte is bad.

    A closed standard output would give its descriptor, 1, to the next file that is opened.
    """
    if sys.stdout is None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 1)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def failed(error: BaseException, debug: bool) -> int:
    """The exit code for an error, after one line about it; a traceback only where asked for."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if debug and not isinstance(error, BrokenPipeError):
        import traceback

        terminal.say("".join(traceback.format_exception(error)).rstrip())
    for kind, code in QUIET.items():
        if isinstance(error, kind):
            return code
    code, message, hint = explained(error)
    report(message, hint)
    return code


QUIET = {KeyboardInterrupt: INTERRUPTED, Terminated: TERMINATED, BrokenPipeError: BROKEN_PIPE}


def explained(error: BaseException) -> tuple[int, str, str]:
    """The exit code, cause and remedy of an error."""
    if isinstance(error, GaiError):
        return error.code, error.message, error.hint
    if isinstance(error, MemoryError):
        return 1, "not enough memory", "--memory 1G keeps part of the work in temporary files"
    if isinstance(error, OSError):
        where = error.filename if error.filename is not None else "standard output"
        return 1, f"{os.fsdecode(where)}: {error.strerror or error}", ""
    return 1, f"{type(error).__name__}: {error}", "this is a bug in gai; --debug shows where"


def report(message: str, hint: str = "") -> None:
    """Writes ``gai: error: message`` and a line with the hint to standard error."""
    terminal.say(f"gai: error: {terminal.escape(message)}")
    if hint:
        terminal.say("\n".join(f"  {terminal.escape(line)}" for line in hint.splitlines()))


def leave(code: int) -> int:
    """``code``, once nothing can fail any more when the interpreter shuts down."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if code in (INTERRUPTED, TERMINATED):
        # Workers that still compute would keep the process alive; their work is void.
        os._exit(code)
    return code
