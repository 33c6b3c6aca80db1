"""One example, by its name: a file that holds it alone, or FILE:N, as its id is written."""

from __future__ import annotations

import os

import numpy as np

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import Raw, read


def named(name: str, config: Config) -> Raw:
    """The example that ``name`` means, without its label: all of a file, or its N-th, from 1 on.

    Raises GaiError where there is none such, and UsageError where it is not said which.
    """
    path, row = parted(name)
    raw = read((path,), config, labelled=False)
    if row is None and len(raw) == 1:
        return raw
    if row is None:
        hint = f"{path}:1 is the first of them"
        raise UsageError(f"{path} has {len(raw):,} examples: which one?", hint)
    if row > len(raw):
        raise GaiError(f"{name}: {path} has {len(raw):,} examples")
    return raw.take(np.array([row - 1]))


def parted(name: str) -> tuple[str, int | None]:
    """The file, and which of its examples where a number says it."""
    path, _, row = name.rpartition(":")
    numbered = path and row.isascii() and row.isdigit() and int(row) > 0
    there = path.startswith("@") or os.path.exists(path)
    return (path, int(row)) if numbered and there and not os.path.exists(name) else (name, None)
