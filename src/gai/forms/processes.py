"""Processes that work on one list after the other, with results in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from gai.errors import GaiError

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[list[Item]], list[Result]]


class Processes(Generic[Item, Result]):
    """Processes that all run one function, which each gets when it starts.

    They are new interpreters, not copies of this one, for a copy of a process with threads may
    hang. They leave Ctrl-C to this process, and are gone as soon as it is, however it ends.
    """

    def __init__(self, jobs: int, function: Work[Item, Result]) -> None:
        self.jobs, self.function = jobs, function
        self.free: list[Connection[Any, Any]] = []
        self.started: list[Any] = []

    def in_order(self, groups: Iterable[list[Item]]) -> Iterator[Result]:
        """The function's results for each group, in the order of the groups.

        Raises GaiError where a process ends before its work, and what the function raises.
        """
        if not self.started:
            self.start()
        todo, ahead = enumerate(groups), 2 * self.jobs
        busy: dict[Connection[Any, Any], int] = {}
        done: dict[int, list[Result]] = {}
        following = 0
        try:
            while True:
                while self.free and len(done) < ahead and (task := next(todo, None)):
                    pipe = self.free.pop()
                    busy[pipe], group = task
                    sent(pipe, group)
                if following in done:
                    yield from done.pop(following)
                    following += 1
                elif busy:
                    for pipe in [pipe for pipe in wait(busy) if isinstance(pipe, Connection)]:
                        done[busy[pipe]] = received(pipe)
                        del busy[pipe]
                        self.free.append(pipe)
                else:
                    return
        finally:
            if busy:  # nobody waits for what they would send
                self.stop()

    def start(self) -> None:
        """Starts the processes; a process loads what it needs when it gets its first group."""
        context = get_context("spawn")
        for _ in range(self.jobs):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there, self.function), daemon=True)
            process.start()
            there.close()
            self.free.append(here)
            self.started.append(process)

    def stop(self) -> None:
        """Ends the processes at once."""
        for process in self.started:
            process.terminate()
        self.free, self.started = [], []


def serve(pipe: Connection[Any, Any], function: Work[Any, Any]) -> None:
    """Sends back what the function makes of each list, until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            group = pipe.recv()
            try:
                result: Any = function(group)
            except Exception as error:  # raised again by the process that waits for it
                result = error
            pipe.send(result)


def end_with_parent() -> None:
    """Ends this process when the one that started it has ended, in the middle of its work."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def sent(pipe: Connection[Any, Any], group: list[Any]) -> None:
    """Sends a group to a process that waits for one."""
    try:
        pipe.send(group)
    except OSError as error:
        raise died() from error


def received(pipe: Connection[Any, Any]) -> list[Any]:
    """What a process sends, or an exception that it sends."""
    try:
        result = pipe.recv()
    except (EOFError, OSError) as error:
        raise died() from error
    if isinstance(result, Exception):
        raise result
    found: list[Any] = result
    return found


def died() -> GaiError:
    message = "a process ended before its work, most likely because the system ran out of memory"
    return GaiError(message, "fewer processes: -j 1")
