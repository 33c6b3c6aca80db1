"""Which of several processes this one is, as torchrun says it: RANK of WORLD_SIZE, and
LOCAL_RANK on its machine."""

from __future__ import annotations

import os

from gai.errors import UsageError


def rank() -> int:
    """The number of this process, from 0; 0 where it is alone."""
    return _number("RANK", 0) if size() > 1 else 0


def size() -> int:
    """How many processes train together."""
    return max(_number("WORLD_SIZE", 1), 1)


def place() -> int:
    """The number of this process on this machine, from 0, which is that of its GPU."""
    return _number("LOCAL_RANK", 0) if size() > 1 else 0


def _number(name: str, default: int) -> int:
    said = os.environ.get(name) or str(default)
    try:
        return int(said)
    except ValueError:
        raise UsageError(f"{name}={said} is no number", "torchrun sets it") from None
