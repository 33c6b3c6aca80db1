"""A bar that shows training to a person: speed, loss and the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gai.cli.training import Lines, count, line

if TYPE_CHECKING:
    from gai.vectors.training import Epoch, Trainer


class TrainingBar(Lines):
    """A bar over all epochs, and above it a line for each that has ended."""

    def __init__(self, trainer: Trainer, epochs: int, done: int) -> None:
        super().__init__(trainer, epochs)
        self.loss, self.number = "", done + 1
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        total = (epochs - done) * trainer.size
        self.task = self.bar.add_task(self._title(), total=total, speed="", loss="")

    def _title(self) -> str:
        return f"epoch {min(self.number, self.epochs)}/{self.epochs}"

    def __enter__(self) -> TrainingBar:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def advance(self, units: int) -> None:
        """Moves the bar."""
        speed = self.bar.tasks[0].speed
        shown = f"{count(speed)} {self.trainer.unit}/s" if speed else ""
        self.bar.update(self.task, advance=units, speed=shown)

    def told(self, epoch: Epoch) -> None:
        """A line about the epoch above the bar."""
        self.number = epoch.number + 1
        self.bar.console.print(line(epoch, self.epochs, self.trainer), markup=False)
        loss = f"loss {epoch.loss:.5g}"
        self.bar.update(self.task, description=self._title(), loss=loss)
