"""Small sets of scikit-learn that need no file: @digits, @iris, @diabetes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import UsageError
from gai.nn.data.arrayfiles import pieces
from gai.nn.data.raw import Raw
from gai.nn.data.wanted import Input, Wanted
from gai.nn.names import OF_CLASSES, UNLABELLED

TASKS = {"@digits": "classify", "@iris": "classify", "@diabetes": "regress"}
"""The sets, and what is learned from each."""


def builtin(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The examples of a set, in scikit-learn's order.

    @digits: 1,797 images [n, 1, 8, 8] from 0 to 1, labels "0" to "9". @iris: 150 flowers, four
    lengths in cm, labels are the species. @diabetes: 442 patients, ten columns of mean 0 and
    length 1, and how far the disease has gone after a year.
    """
    name = input.path
    _require_task(name, wanted)
    array, labels, columns = _loaded(name)
    for part in (array, labels):
        known = repr(part).encode() if isinstance(part, list) else part.tobytes()
        wanted.tally.sha256.update(known)
    ids = [f"{name}:{number}" for number in range(1, len(array) + 1)]
    found = Raw(ids, array=array, labels=labels if wanted.labelled else None, columns=columns)
    yield from pieces(found, size)


def _require_task(name: str, wanted: Wanted) -> None:
    if name not in TASKS:
        hint = f"one of {', '.join(TASKS)}; a file of this name is ./{name}"
        raise UsageError(f"nothing built in is called {name}", hint)
    task = wanted.config.task
    if task not in ("regress", *OF_CLASSES, *UNLABELLED):
        raise UsageError(f"{name} is not for --task {task}", f"--task {TASKS[name]}")


def _loaded(
    name: str,
) -> tuple[NDArray[np.float32], list[str] | NDArray[np.float64], tuple[str, ...]]:
    """Inputs, labels, and names of the columns."""
    from sklearn import datasets

    found: Any = getattr(datasets, f"load_{name[1:]}")()
    if name == "@digits":
        images = (found.images[:, None] / 16).astype(np.float32)
        return images, [str(label) for label in found.target.tolist()], ()
    rows = np.ascontiguousarray(found.data, np.float32)
    columns = tuple(column.removesuffix(" (cm)") for column in found.feature_names)
    if name == "@iris":
        species = [str(found.target_names[label]) for label in found.target]
        return rows, species, columns
    return rows, np.asarray(found.target, np.float64)[:, None], columns
