"""Threads: results in order or as they come, and no work begun after an error."""

from __future__ import annotations

import threading
import time

import pytest

from gai.threads import as_they_come, by_workers


@pytest.mark.parametrize("workers", [1, 4])
def test_every_item_once_by_a_worker_that_is_free(workers: int) -> None:
    busy, seen = [0] * workers, []

    def work(worker: int, item: int) -> int:
        assert not busy[worker]
        busy[worker] = 1
        time.sleep(0.001 * (item % 3))
        busy[worker] = 0
        return item * item

    for result in as_they_come(work, range(40), range(workers)):
        seen.append(result)
    assert sorted(seen) == [item * item for item in range(40)]
    assert list(by_workers(work, range(40), range(workers))) == sorted(seen)


def test_a_slow_item_holds_nobody_up() -> None:
    released = threading.Event()

    def work(worker: str, item: int) -> int:
        if item == 0:
            assert released.wait(10)
        return item

    seen = []
    for result in as_they_come(work, range(10), ["one", "other"]):
        seen.append(result)
        if len(seen) == 9:
            released.set()
    assert seen == [*range(1, 10), 0]


@pytest.mark.parametrize("workers", [["one"], ["one", "other"]])
def test_after_an_error_nothing_is_begun(workers: list[str]) -> None:
    begun = []

    def work(worker: str, item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        time.sleep(0.01)
        return item

    with pytest.raises(ValueError, match="three"):
        list(as_they_come(work, range(1000), workers))
    assert len(begun) < 10


def test_a_caller_who_stops_early_stops_the_work() -> None:
    begun = []

    def work(worker: str, item: int) -> int:
        begun.append(item)
        time.sleep(0.01)
        return item

    results = as_they_come(work, range(1000), ["one", "other"])
    next(results)
    results.close()
    assert len(begun) < 10
