"""A progress bar on standard error for work that takes longer than a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from gai.cli import terminal

PATIENCE, INTERVAL = 1.0, 0.1  # seconds


class Reads(Protocol):
    """What the bar shows: how much has been read of the files as they are stored."""

    @property
    def bytes_stored(self) -> int: ...

    def total_stored(self) -> int | None: ...


@contextmanager
def progress(work: Reads, quiet: bool = False) -> Iterator[None]:
    """Shows how far ``work`` has come while the block runs, if a person looks and it takes long."""
    if quiet or not terminal.has_colour(sys.stderr):
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=show, args=(work, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def show(work: Reads, done: threading.Event) -> None:
    """Draws the bar until ``done`` is set."""
    if done.wait(PATIENCE):
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(binary_units=False), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=work.total_stored())
        while not done.wait(INTERVAL):
            bar.update(task, completed=work.bytes_stored)
