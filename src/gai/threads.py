"""Threads that work ahead while results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")
Worker = TypeVar("Worker")


def in_order(
    function: Callable[[In], Out], items: Iterable[In], jobs: int
) -> Generator[Out, None, None]:
    """``function`` of each item, in the order of the items.

    With several jobs that many threads work ahead, at most one finished or running item more than
    there are threads. After an error, or where the caller stops early, no further item is begun.
    """
    if jobs <= 1:
        yield from map(function, items)
        return
    ahead: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                ahead.append(pool.submit(function, item))
                if len(ahead) > jobs:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def by_workers(
    function: Callable[[Worker, In], Out], items: Iterable[In], workers: Sequence[Worker]
) -> Generator[Out, None, None]:
    """``function`` of a worker and each item, in the order of the items; a worker has one item at
    a time."""
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def one(item: In) -> Out:
        worker = free.get()
        try:
            return function(worker, item)
        finally:
            free.put(worker)

    return in_order(one, items, len(workers))


def as_they_come(
    function: Callable[[Worker, In], Out], items: Iterable[In], workers: Sequence[Worker]
) -> Generator[Out, None, None]:
    """``function`` of a worker and each item, in whatever order they end: no worker waits for
    another. After an error, or where the caller stops early, no further item is begun."""
    if len(workers) <= 1:
        yield from (function(worker, item) for worker in workers for item in items)
        return
    left, results = deque(items), SimpleQueue[Future[Out] | None]()

    def work(worker: Worker) -> None:
        with suppress(IndexError):
            while True:
                results.put(settled(function, worker, left.popleft()))
        results.put(None)

    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            for worker in workers:
                pool.submit(work, worker)
            ended = 0
            while ended < len(workers):
                if (result := results.get()) is None:
                    ended += 1
                else:
                    yield result.result()
        finally:
            left.clear()


def settled(function: Callable[[Worker, In], Out], worker: Worker, item: In) -> Future[Out]:
    """What ``function`` gives back or raises, for another thread."""
    future: Future[Out] = Future()
    try:
        future.set_result(function(worker, item))
    except BaseException as error:
        future.set_exception(error)
    return future
