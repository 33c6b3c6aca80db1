"""Series of numbers: windows of steps, and the steps that follow each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gai.documents.records import listing
from gai.errors import GaiError, UsageError
from gai.nn.data.arrayfiles import INPUTS, loaded, numeric
from gai.nn.data.columns import Example, Numbers, number
from gai.nn.data.raw import Raw
from gai.nn.data.records import examples
from gai.nn.data.wanted import Input, Wanted

NAMES = (*INPUTS, "series")


def windows(
    series: NDArray[np.float32], window: int, horizon: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Every window of a series [N, F], as [n, window, F], and what follows it, [n, horizon * F].

    Window i is steps i to i + window; its targets are the ``horizon`` steps behind, one after the
    other, each with its F numbers. n is N - window - horizon + 1.
    """
    cut = sliding_window_view(series, window, axis=0)[: len(series) - window - horizon + 1]
    following = sliding_window_view(series[window:], horizon, axis=0)
    inputs = np.ascontiguousarray(cut.transpose(0, 2, 1))
    targets = following.transpose(0, 2, 1).reshape(len(following), -1)
    return inputs, targets.astype(np.float64)


def series(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The windows of the series in an input, each called as the first step that it foretells.

    Where no targets are wanted there is one window, the last, and what it foretells is unknown:
    its name is ``path:N``, N one more than there are steps.
    """
    if len(input.sources) != 1:
        raise UsageError(f"{input.path}: {len(input.sources)} files", "a series lies in one file")
    config = wanted.config
    steps, ids, columns = _steps(input, wanted)
    needed = config.window + (config.horizon if wanted.labelled else 0)
    if len(steps) < needed:
        message = f"{input.path}: {len(steps)} steps, but {needed} are needed for a window"
        raise GaiError(message, "a smaller --window or --horizon needs fewer")
    if wanted.labelled:
        inputs, targets = windows(steps, config.window, config.horizon)
        named = ids[config.window : config.window + len(inputs)]
        yield Raw(named, array=inputs, labels=targets, columns=columns)
    else:
        following = [f"{input.path}:{len(steps) + 1}"]
        yield Raw(following, array=steps[None, -config.window :], columns=columns)


def _steps(input: Input, wanted: Wanted) -> tuple[NDArray[np.float32], list[str], tuple[str, ...]]:
    """The series [N, F], the name of each step, and the names of the columns."""
    source = input.sources[0]
    if source.path.lower().endswith(".npz") and wanted.config.input_format is None:
        steps = _array(wanted.content(source), source.name)
        return steps, [f"{source.path}:{step}" for step in range(1, len(steps) + 1)], ()
    found = list(examples(input, wanted))
    if not found:
        raise GaiError(f"{source.name}: no steps in there")
    columns = wanted.config.columns or numeric_columns(found)
    if not columns:
        names = listing(found[0].fields)
        raise GaiError(f"{source.name}: no column of numbers (columns: {names})")
    numbers = Numbers(columns, "--columns names the numbers")
    for example in found:
        numbers.add(example)
    return numbers.values.astype(np.float32), [example.id for example in found], columns


def _array(content: bytes, name: str) -> NDArray[np.float32]:
    arrays = loaded(content, name)
    known = [found for found in NAMES if found in arrays] or list(arrays)
    if not known or (len(arrays) > 1 and known[0] not in NAMES):
        hint = f"the series is called one of {', '.join(NAMES)}, or is the only array"
        raise GaiError(f"{name}: no series (arrays: {listing(arrays)})", hint)
    found = numeric(np.asarray(arrays[known[0]]), f"{name}: {known[0]}")
    if found.ndim > 2:
        raise GaiError(
            f"{name}: {known[0]} has {found.ndim} dimensions", "steps, or steps x numbers"
        )
    return found.reshape(len(found), -1)


def numeric_columns(found: list[Example]) -> tuple[str, ...]:
    """The columns whose first cell that is not empty holds a number."""
    return tuple(name for name in found[0].fields if number(_first(found, name)) is not None)


def _first(found: list[Example], name: str) -> object:
    cells = (example.fields.get(name) for example in found)
    return next((cell for cell in cells if cell not in (None, "")), None)
