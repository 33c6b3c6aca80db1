"""What a training shows: a live table for a person, JSON lines for a pipe, nothing under -q."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gai.cli import display, terminal
from gai.cli.options import Talk

if TYPE_CHECKING:
    from gai.nn.data.preparing import Parts
    from gai.nn.net.loop import Position, Record

PAUSE = 0.25
"""Seconds between two looks at a running step, so that drawing takes no time from training."""


@contextmanager
def listener(parts: Parts, talk: Talk) -> Iterator[Silent]:
    """Who is told how the training goes."""
    if talk.quiet:
        yield Silent()
    elif not terminal.is_terminal(sys.stdout):
        yield JsonLines()
    elif not terminal.has_colour(sys.stdout):
        yield Rows(parts)
    else:
        with LiveTable(parts) as table:
            yield table


class Silent:
    """Says nothing but warnings that matter to nobody under -q."""

    def begin(self, total_steps: int, done: int) -> None:
        """Nothing."""

    def advance(self, position: Position) -> None:
        """Nothing."""

    def record(self, record: Record) -> None:
        """Nothing."""

    def warn(self, message: str) -> None:
        """Nothing."""


class JsonLines(Silent):
    """A JSON line on standard output for each evaluation; warnings on standard error."""

    def record(self, record: Record) -> None:
        """The line of an evaluation."""
        print(json.dumps(rounded(record.as_dict())), flush=True)

    def warn(self, message: str) -> None:
        """A line on standard error."""
        terminal.say(f"gai: {terminal.escape(message)}")


def rounded(value: Any) -> Any:
    """The same with six digits, which is what a person or a plot needs of a log."""
    if isinstance(value, Mapping):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        short = float(f"{value:.6g}")
        return short if abs(short) != float("inf") and short == short else None
    return value


class Rows(JsonLines):
    """A line of a table for each evaluation."""

    def __init__(self, parts: Parts) -> None:
        self.score = score_of(parts)
        self.begun = False

    def record(self, record: Record) -> None:
        """The line of an evaluation."""
        cells = cells_of(record, self.score)
        if not self.begun:
            self.begun = True
            print("  ".join(f"{name:>{width(name)}}" for name in cells), flush=True)
        print("  ".join(f"{cell:>{width(name)}}" for name, cell in cells.items()), flush=True)


def width(name: str) -> int:
    """Columns for a cell."""
    return max(len(name), 9)


def score_of(parts: Parts) -> str | None:
    """The score that the table shows beside the losses; None where nothing validates."""
    return None if parts.valid is None else parts.encoding.main_score


def validated(scores: Mapping[str, float], score: str, best: bool) -> dict[str, str]:
    """The cells of the validation part; a star marks the best so far."""
    star = "*" if best else " "
    named = score.replace("_", " ")
    return {"valid loss": f"{scores['loss']:.4f}", named: f"{scores[score]:.4f}{star}"}


def cells_of(record: Record, score: str | None) -> dict[str, str]:
    """What the table shows of an evaluation."""
    scores = record.scores
    return {
        "epoch": f"{record.epoch:.2f}".rstrip("0").rstrip("."),
        "step": f"{record.step:,}",
        "train loss": f"{record.train_loss:.4f}",
        **{name.replace("_", " "): f"{part:.4f}" for name, part in record.parts.items()},
        **({} if score is None else validated(scores, score, record.best)),
        "rate": f"{record.lr:.3g}",
        "gradient": f"{record.gradient_norm:.3g}",
        "samples/s": f"{record.samples_per_second:,.0f}",
        "left": clock(record.seconds_left),
    }


def clock(seconds: float) -> str:
    """A duration: 1:05, 2:00:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class LiveTable(JsonLines):
    """A table that grows with each evaluation, and below it the step that runs."""

    def __init__(self, parts: Parts) -> None:
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.score = score_of(parts)
        self.table = display.plain_table()
        self.rows = 0
        self.drawn = 0.0
        self.console = terminal.console()
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self.task = self.bar.add_task("", total=None, loss="")
        self.live = Live(console=self.console, auto_refresh=False, vertical_overflow="visible")

    def __enter__(self) -> LiveTable:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.update(self.table if self.rows else "", refresh=True)
        self.live.stop()

    def begin(self, total_steps: int, done: int) -> None:
        """The bar begins."""
        self.bar.update(self.task, total=total_steps, completed=done)
        self.draw()

    def advance(self, position: Position) -> None:
        """The bar moves, a few times a second."""
        if perf_counter() - self.drawn < PAUSE:
            return
        loss = f"loss {position.loss / max(position.counted, 1):.4f}"
        self.bar.update(
            self.task,
            completed=position.step,
            description=f"epoch {position.epoch + 1}, step {position.step:,}",
            loss=loss,
        )
        self.draw()

    def record(self, record: Record) -> None:
        """A row more."""
        cells = cells_of(record, self.score)
        if not self.rows:
            for name in cells:
                self.table.add_column(name, justify="right")
        self.rows += 1
        self.table.add_row(*cells.values(), style="bold" if record.best else "")
        self.draw()

    def warn(self, message: str) -> None:
        """A line above the table."""
        self.console.print(f"gai: {terminal.escape(message)}", style="yellow")

    def draw(self) -> None:
        """Shows table and bar as they are."""
        from rich.console import Group

        self.drawn = perf_counter()
        self.live.update(Group(self.table, self.bar), refresh=True)


def show(report: Mapping[str, Any], talk: Talk) -> None:
    """The scores at the end: the network beside the baseline, on the same part."""
    if talk.quiet:
        return
    if not terminal.is_terminal(sys.stdout):
        scores = {
            part: {**found["network"], "baselines": found.get("baselines", {})}
            for part, found in report["scores"].items()
        }
        print(json.dumps({"final": rounded(scores)}), flush=True)
        return
    console = terminal.console()
    for part, found in report["scores"].items():
        table = display.plain_table()
        table.add_column(f"on the {part} part")
        columns = {"network": found["network"], **found.get("baselines", {})}
        for name in columns:
            table.add_column(name, justify="right")
        for score in found["network"]:
            cells = [spelt(scores.get(score)) for scores in columns.values()]
            table.add_row(score.replace("_", " "), *cells)
        console.print()
        console.print(table)


def spelt(value: float | None) -> str:
    """A score with four digits behind the point."""
    return "" if value is None else f"{value:.4f}"
