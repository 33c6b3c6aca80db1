"""Series: windows, and the files that they are cut from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import Raw, read, stream
from gai.nn.data.series import windows


def forecast(window: int = 2, horizon: int = 1, **choices: Any) -> Config:
    return Config(task="forecast", window=window, horizon=horizon, **choices)


def written(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8", newline="")
    return str(path)


def failure(path: str, config: Config, **options: Any) -> str:
    with pytest.raises(GaiError) as caught:
        read((path,), config, **options)
    return caught.value.message.removeprefix(path)


def steps_of(raw: Raw) -> Any:
    assert raw.array is not None
    assert raw.array.dtype == np.float32
    return raw.array.tolist()


def test_windows_by_hand() -> None:
    series = np.array([[1, 10], [2, 20], [3, 30], [4, 40], [5, 50]], np.float32)
    inputs, targets = windows(series, 2, 2)
    assert inputs.tolist() == [[[1, 10], [2, 20]], [[2, 20], [3, 30]]]
    assert targets.tolist() == [[3, 30, 4, 40], [4, 40, 5, 50]]
    assert targets.dtype == np.float64


@given(
    steps=st.integers(2, 12), features=st.integers(1, 3), window=st.integers(1, 5), data=st.data()
)
def test_windows_against_a_loop(
    steps: int, features: int, window: int, data: st.DataObject
) -> None:
    window = min(window, steps - 1)
    horizon = data.draw(st.integers(1, steps - window))
    series = np.random.default_rng(steps).random((steps, features)).astype(np.float32)
    inputs, targets = windows(series, window, horizon)
    count = steps - window - horizon + 1
    assert len(inputs) == len(targets) == count
    for i in range(count):
        assert inputs[i].tolist() == series[i : i + window].tolist()
        assert targets[i].tolist() == series[i + window : i + window + horizon].ravel().tolist()


def test_all_columns_of_numbers_are_the_series(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "day,x,y\nMo,1,4\nTu,2,5\nWe,3,6\n")
    raw = read((path,), forecast())
    assert steps_of(raw) == [[[1, 4], [2, 5]]]
    assert isinstance(raw.labels, np.ndarray)
    assert (raw.labels.tolist(), raw.columns) == ([[3, 6]], ("x", "y"))
    assert list(raw.ids) == [f"{path}:3"]
    raw = read((path,), forecast(columns=("y",)))
    assert steps_of(raw) == [[[4], [5]]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "1\n\n2\r\n3\n"),
        ("a.csv", "1\n2\n3\n"),
        ("a.tsv", "value\n1\n2\n3\n"),
        ("a.jsonl", '{"v": 1}\n{"v": 2}\n{"v": 3}\n'),
    ],
)
def test_one_column_in_any_file(tmp_path: Path, name: str, content: str) -> None:
    raw = read((written(tmp_path / name, content),), forecast())
    assert steps_of(raw) == [[[1], [2]]]
    assert isinstance(raw.labels, np.ndarray)
    assert raw.labels.tolist() == [[3]]


@pytest.mark.parametrize("steps", [np.arange(4), np.arange(8).reshape(4, 2)])
@pytest.mark.parametrize("name", ["series", "X", "anything"])
def test_a_series_in_an_array(tmp_path: Path, steps: Any, name: str) -> None:
    path = str(tmp_path / "a.npz")
    np.savez(path, **{name: steps})
    raw = read((path,), forecast())
    assert steps_of(raw) == [steps[k : k + 2].reshape(2, -1).tolist() for k in range(2)]
    assert list(raw.ids) == [f"{path}:3", f"{path}:4"]


def test_without_targets_there_is_the_last_window(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "1\n2\n3\n")
    (raw,) = stream((path,), forecast())
    assert (steps_of(raw), list(raw.ids), raw.labels) == ([[[2], [3]]], [f"{path}:4"], None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x\n1\n2\n", ": 2 steps, but 3 are needed for a window"),
        ("x\n1\n\n2\nabc\n", ":5: column 'x' is 'abc', not a number"),
        ("x,y\n1,2\n3,\n5,6\n", ":3: column 'y' is empty, not a number"),
        ("x,y\n1,2\n3\n5,6\n", ":3: no field 'y' (fields: x)"),
        ("x\nnan\n2\n3\n", ":2: column 'x' is 'nan', not a finite number of 32 bits"),
        ("x,y\n,1\nb,2\n,3\n", ""),
        ("x\na\nb\nc\n", ": no column of numbers (columns: x)"),
        ("x\n", ": no steps in there"),
    ],
)
def test_a_series_with_holes_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = written(tmp_path / "a.csv", content)
    if message:
        assert failure(path, forecast()) == message
    else:
        assert read((path,), forecast()).columns == ("y",)


def test_an_array_that_is_no_series_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "a.npz")
    np.savez(path, a=[1, 2], b=[3, 4])
    assert failure(path, forecast()) == ": no series (arrays: a, b)"
    np.savez(path, X=np.zeros((2, 2, 2)))
    assert failure(path, forecast()) == ": X has 3 dimensions"


def test_a_series_lies_in_one_file(tmp_path: Path) -> None:
    a, b = (written(tmp_path / name, "1\n2\n3\n") for name in ("a.txt", "b.txt"))
    for paths in ((a, b), (str(tmp_path),)):
        with pytest.raises(UsageError, match=r"2 (inputs|files)"):
            read(paths, forecast())
