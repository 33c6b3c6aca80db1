"""What a search shows: a table that grows for a person, JSON lines for a pipe, nothing under -q."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gai.cli import nn_display, terminal
from gai.cli.options import Talk
from gai.nn import advice

if TYPE_CHECKING:
    from gai.nn.data.preparing import Parts
    from gai.nn.net.loop import Record
    from gai.nn.net.searching import Watcher
    from gai.nn.studies import Study, Trial

WIDTHS = {"trial": 5, "fit": 12, "why": 1, "choices": 1}
"""Columns for a cell, where they are not 9; the last is as long as its text."""


@contextmanager
def watcher(parts: Parts, score: str, talk: Talk, *, auto: bool) -> Iterator[Watcher]:
    """Who is told how the search goes."""
    if talk.quiet:
        yield Silent()
    elif not terminal.is_terminal(sys.stdout):
        yield JsonLines()
    elif not terminal.has_colour(sys.stdout):
        yield Rows(score, auto)
    else:
        table = LiveTrials(parts, score, auto)
        with table:
            yield table


class Silent(nn_display.Silent):
    """Says nothing."""

    def ended(self, trial: Trial, best: bool) -> None:
        """Nothing."""


class JsonLines(nn_display.JsonLines):
    """A JSON line on standard output for each trial; warnings on standard error."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def record(self, record: Record) -> None:
        """Nothing: an evaluation is no trial."""

    def ended(self, trial: Trial, best: bool) -> None:
        """The line of a trial."""
        print(json.dumps(nn_display.rounded({**trial.as_dict(), "best": best})), flush=True)

    def warn(self, message: str) -> None:
        """A line on standard error, once, however many trials say it."""
        if message not in self.said:
            self.said.add(message)
            super().warn(message)


class Rows(JsonLines):
    """A line of a table for each trial."""

    def __init__(self, score: str, auto: bool) -> None:
        super().__init__()
        self.score, self.auto, self.begun = score, auto, False

    def ended(self, trial: Trial, best: bool) -> None:
        """The line of a trial."""
        cells = cells_of(trial, best, self.score, self.auto)
        if not self.begun:
            self.begun = True
            print("  ".join(f"{name:<{wide(name)}}" for name in cells).rstrip(), flush=True)
        print("  ".join(f"{cell:<{wide(name)}}" for name, cell in cells.items()), flush=True)


def wide(name: str) -> int:
    """Columns for a cell."""
    return WIDTHS.get(name, max(len(name), 9))


def cells_of(trial: Trial, best: bool, score: str, auto: bool) -> dict[str, str]:
    """What the table shows of a trial; a star marks the best so far."""
    value = "" if trial.value is None else f"{trial.value:.4f}{'*' if best else ' '}"
    found = {
        "trial": f"{trial.number}",
        score.replace("_", " "): value if trial.state == "complete" else trial.state,
        "seconds": f"{trial.seconds:.1f}",
        "fit": trial.verdict.kind,
    }
    choices = trial.why if auto else advice.shown(trial.choices)
    if trial.state in ("failed", "diverged") and not auto:
        choices += f": {trial.why}"
    return {**found, "why" if auto else "choices": terminal.escape(choices)}


class LiveTrials(nn_display.LiveTable):
    """A table that grows with each trial, and below it the training that runs."""

    def __init__(self, parts: Parts, score: str, auto: bool) -> None:
        super().__init__(parts)
        self.shown, self.auto = score, auto
        self.said: set[str] = set()

    def record(self, record: Record) -> None:
        """Nothing: an evaluation is no trial."""

    def ended(self, trial: Trial, best: bool) -> None:
        """A row more."""
        cells = cells_of(trial, best, self.shown, self.auto)
        if not self.rows:
            for name in cells:
                numbers = name in ("trial", "seconds") or name == self.shown.replace("_", " ")
                self.table.add_column(name, justify="right" if numbers else "left", overflow="fold")
        self.rows += 1
        self.table.add_row(*cells.values(), style="bold" if best else "")
        self.draw()

    def warn(self, message: str) -> None:
        """A line above the table, once, however many trials say it."""
        if message not in self.said:
            self.said.add(message)
            super().warn(message)


def show_best(study: Study, talk: Talk) -> None:
    """The best trial and where its run is, and for a person the plot of all trials."""
    best = study.best()
    if talk.quiet or best is None:
        return
    if not terminal.is_terminal(sys.stdout):
        found = {**best.as_dict(), "run": study.file("best")}
        print(json.dumps({"best": nn_display.rounded(found)}), flush=True)
        return
    from gai.cli import charts
    from gai.cli.nn_inspect import say
    from gai.nn.studies import over_time

    trials = [trial for trial in study.trials() if trial.value is not None]
    if len(trials) > 1:
        say("")
        charts.show([over_time(trials, study.about)])
    say(f"\ntrial {best.number} is the best: {terminal.escape(advice.shown(best.choices))}")
    say(f"its run: {terminal.escape(study.file('best'))}")
