"""What is shown while several networks are trained: which of them, and how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from gai.cli import terminal
from gai.cli.nn_display import PAUSE, Silent
from gai.cli.options import Talk

if TYPE_CHECKING:
    from gai.nn.net.loop import Position


@contextmanager
def counting(what: str, count: int, talk: Talk) -> Iterator[Silent]:
    """Who is told how ``count`` trainings go, one after the other."""
    if talk.quiet:
        yield Silent()
    elif not terminal.has_colour(sys.stderr):
        yield Warner()
    else:
        with Bar(what, count) as bar:
            yield bar


class Warner(Silent):
    """Says each warning once, on standard error."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def warn(self, message: str) -> None:
        """A line, unless it was said before."""
        if message not in self.said:
            self.said.add(message)
            self.say(f"gai: {terminal.escape(message)}")

    def say(self, line: str) -> None:
        """The line on standard error."""
        terminal.say(line)


class Bar(Warner):
    """A bar on standard error over the steps of the training that runs."""

    def __init__(self, what: str, count: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__()
        self.what, self.count, self.number, self.drawn = what, count, 0, 0.0
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False, markup=False),
            transient=True,
        )
        self.task = self.bar.add_task(f"{what} 1 of {count}", total=None, loss="")

    def __enter__(self) -> Bar:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def begin(self, total_steps: int, done: int) -> None:
        """The bar of the next one begins."""
        self.number += 1
        title = f"{self.what} {self.number} of {self.count}"
        self.bar.reset(self.task, total=total_steps, completed=done, description=title, loss="")

    def advance(self, position: Position) -> None:
        """The bar moves, a few times a second."""
        if perf_counter() - self.drawn >= PAUSE:
            self.drawn = perf_counter()
            loss = f"loss {position.loss / max(position.counted, 1):.4f}"
            self.bar.update(self.task, completed=position.step, loss=loss)

    def say(self, line: str) -> None:
        """The line above the bar."""
        self.bar.console.print(line, style="yellow")
