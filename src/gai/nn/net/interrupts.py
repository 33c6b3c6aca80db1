"""Ctrl-C during a training: the step that runs is finished and saved, then the run ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

WATCHED = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Whether somebody asked the run to end; the second time it ends at once."""

    def __init__(self) -> None:
        self.asked: int | None = None
        self.before: dict[int, Any] = {}

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        if self.asked is not None:
            self.release()
            os.kill(os.getpid(), number)
        self.asked = number

    def release(self) -> None:
        """Puts the handlers back that were there before."""
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def raise_again(self) -> None:
        """Lets the signal that came do what it would have done."""
        self.release()
        if self.asked is None:  # another process of the team was asked
            raise KeyboardInterrupt
        signal.raise_signal(signal.Signals(self.asked))


@contextmanager
def noticed() -> Iterator[Interrupts]:
    """While the block runs, Ctrl-C and SIGTERM are noted and no more."""
    found = Interrupts()
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in WATCHED}
        # A job in the background of a script ignores Ctrl-C, and goes on ignoring it.
        found.before = {n: h for n, h in before.items() if h not in (None, signal.SIG_IGN)}
        for number in found.before:
            signal.signal(number, found.note)
    try:
        yield found
    finally:
        found.release()
