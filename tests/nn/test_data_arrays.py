"""Arrays in files and built in: .npz, idx, @digits, @iris, @diabetes."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import read, stream

REGRESS = Config(task="regress")


def npz(path: Path, **found: Any) -> str:
    np.savez(path, **found)
    return str(path)


def failure(path: str, config: Config | None = None, **options: Any) -> str:
    with pytest.raises(GaiError) as caught:
        read((path,), config or Config(), **options)
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix(path)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the examples of a property share."""
    return tmp_path_factory.mktemp("arrays")


@given(
    found=arrays.arrays(
        st.sampled_from([np.uint8, np.int64, np.float16, np.float64, np.bool_]),
        arrays.array_shapes(min_dims=2, max_dims=4, max_side=3),
        elements=st.integers(0, 1),
    )
)
def test_arrays_of_any_kind_come_back_as_float32(folder: Path, found: NDArray[Any]) -> None:
    path = npz(folder / "a.npz", X=found, y=np.arange(len(found)))
    raw = read((path,), Config())
    assert raw.array is not None
    assert (raw.array.dtype, raw.array.shape) == (np.float32, found.shape)
    assert raw.array.tolist() == found.astype(np.float32).tolist()
    assert raw.labels == [str(k) for k in range(len(found))]
    pieces = [p.array for p in stream((path,), Config(), size=2) if p.array is not None]
    assert np.concatenate(pieces).tolist() == raw.array.tolist()
    assert max(map(len, pieces)) <= 2


@pytest.mark.parametrize(
    "names", [("X", "y"), ("x", "labels"), ("data", "targets"), ("inputs", "y")]
)
def test_the_names_that_arrays_may_have(tmp_path: Path, names: tuple[str, str]) -> None:
    path = npz(tmp_path / "a.npz", **{names[0]: [[1.0], [2.0]], names[1]: ["p", "q"], "z": [0]})
    raw = read((path,), Config())
    assert raw.array is not None
    assert (raw.array.tolist(), raw.labels) == ([[1.0], [2.0]], ["p", "q"])
    assert list(raw.ids) == [f"{path}:1", f"{path}:2"]


def test_a_list_of_numbers_is_one_column(tmp_path: Path) -> None:
    raw = read((npz(tmp_path / "a.npz", x=[1, 2, 3], y=[0, 1, 0]),), Config())
    assert raw.array is not None
    assert raw.array.shape == (3, 1)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([1, 0]), ["1", "0"]),
        (np.array([0.5, 2.0]), ["0.5", "2.0"]),
        (np.array([True, False]), ["true", "false"]),
        (np.array(["a", "bc"]), ["a", "bc"]),
        (np.array([b"a", b"bc"]), ["a", "bc"]),
        (np.array([[3], [4]]), ["3", "4"]),
        (np.array([[1, 0, 1], [0, 0, 0]]), [("0", "2"), ()]),
    ],
)
def test_labels_in_arrays(tmp_path: Path, labels: NDArray[Any], expected: list[Any]) -> None:
    path = npz(tmp_path / "a.npz", X=np.zeros((2, 1)), y=labels)
    assert read((path,), Config()).labels == expected


@pytest.mark.parametrize("targets", [[1, 2], [1.5, -2.0], [[1, 2], [3, 4]]])
def test_targets_in_arrays_are_float64(tmp_path: Path, targets: Any) -> None:
    raw = read((npz(tmp_path / "a.npz", X=np.zeros((2, 1)), y=targets),), REGRESS)
    assert isinstance(raw.labels, np.ndarray)
    assert raw.labels.dtype == np.float64
    assert raw.labels.tolist() == np.reshape(np.array(targets, float), (2, -1)).tolist()


X = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("found", "task", "message"),
    [
        ({"a": X, "y": [0, 1]}, "classify", ": no array X, x, data, inputs (arrays: a, y)"),
        ({"X": X, "z": [0, 1]}, "classify", ": no array y, labels, targets (arrays: X, z)"),
        ({"X": X, "y": [0, 1, 2]}, "classify", ": 2 inputs, but 3 labels in y"),
        ({"X": X, "y": 0}, "classify", ": 2 inputs, but 1 labels in y"),
        ({"X": [["a", "b"]], "y": [0]}, "classify", ": X is <U1, not an array of numbers"),
        ({"X": 3, "y": [0]}, "classify", ": X is a single value, not an array of numbers"),
        ({"X": X + 1j, "y": [0, 1]}, "classify", ": X is complex128, not an array of numbers"),
        ({"X": X, "y": [[0, 2], [1, 0]]}, "classify", ": y is 2 x 2: neither one label an"),
        ({"X": X, "y": [0, np.nan]}, "classify", ": y[1] is nan, not a finite number"),
        ({"X": X, "y": [0, np.inf]}, "regress", ": y[1] is inf, not a finite number"),
        ({"X": X, "y": ["a", "b"]}, "regress", ": y is <U1, not an array of numbers"),
        (
            {"X": [[0, 1], [np.nan, 0]], "y": [0, 1]},
            "classify",
            ": X[1, 0] is nan, not a finite number of 32 bits",
        ),
        ({"X": np.array([[np.inf]], np.float16), "y": [0]}, "classify", ": X[0, 0] is inf, not"),
        ({"X": [[0, 1e39]], "y": [0]}, "classify", ": X[0, 1] is 1e+39, not a finite number"),
    ],
)
def test_arrays_that_cannot_be_used_are_named(
    tmp_path: Path, found: dict[str, Any], task: str, message: str
) -> None:
    path = npz(tmp_path / "a.npz", **found)
    assert failure(path, Config(task=task)).startswith(message)


def test_without_labels_none_are_needed(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", X=X)
    assert read((path,), Config(), labelled=False).labels is None


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", X=np.array([{}, {}], object), y=[0, 1])
    assert ": not an .npz file that can be read: Object arrays cannot" in failure(path)


@pytest.mark.parametrize("content", ["", "text", "PK\x03\x04 but not really"])
def test_what_is_no_npz_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.npz").write_text(content)
    assert failure(str(tmp_path / "a.npz")) == ": not an .npz file"


@pytest.mark.parametrize("cut", range(0, 500, 25))
def test_a_damaged_npz_is_an_error(tmp_path: Path, cut: int) -> None:
    whole = Path(npz(tmp_path / "a.npz", X=np.arange(8.0).reshape(2, 4), y=[0, 1])).read_bytes()
    broken = whole[:cut] + bytes(byte ^ 0xFF for byte in whole[cut : cut + 4]) + whole[cut + 4 :]
    (tmp_path / "b.npz").write_bytes(broken)
    found: Any = None
    with suppress(GaiError):
        found = read((str(tmp_path / "b.npz"),), Config()).array
    # Read after all: the damage lies in a time or an attribute that nobody reads.
    assert found is None or found.tolist() == np.arange(8.0).reshape(2, 4).tolist()


@pytest.mark.parametrize("task", ["lm", "tag"])
def test_tasks_of_text_take_no_arrays(tmp_path: Path, task: str) -> None:
    with pytest.raises(UsageError, match="takes no arrays"):
        read((npz(tmp_path / "a.npz", X=X, y=[0, 1]),), Config(task=task))


def packed(array: NDArray[np.uint8]) -> bytes:
    """The array as an idx file."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
NUMBERS = np.array([7, 0], np.uint8)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
    ],
)
def test_idx_files_of_mnist(tmp_path: Path, images: str, labels: str) -> None:
    for name, array in ((images, IMAGES), (labels, NUMBERS)):
        content = packed(array)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    path = str(tmp_path / images)
    raw = read((path,), Config())
    assert raw.array is not None
    assert raw.array.dtype == np.float32
    np.testing.assert_allclose(raw.array, IMAGES[:, None] / 255, atol=1e-7)
    assert raw.labels == ["7", "0"]
    assert raw.sources == (path, str(tmp_path / labels))


def test_idx_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path, labels = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(packed(IMAGES))
    assert failure(str(path)) == ": no labels beside it"
    assert len(read((str(path),), Config(), labelled=False)) == 2
    labels.write_bytes(packed(NUMBERS[:1]))
    assert failure(str(path)) == f": 2 images, but {labels}: 1 labels"
    labels.write_bytes(packed(IMAGES))
    assert "not an idx file of unsigned bytes in 1 dimensions" in failure(str(path))
    path.write_bytes(packed(IMAGES)[:-1])
    assert failure(str(path)) == ": 23 bytes, its head says 24"
    path.write_bytes(b"\0\0\x08\x03\0")
    assert failure(str(path)).startswith(": not an idx file")


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    raw = read(("@digits",), Config())
    found = load_digits()
    assert raw.array is not None
    assert raw.array.shape == (1797, 1, 8, 8)
    np.testing.assert_allclose(raw.array.reshape(-1, 64) * 16, found.data)
    assert raw.labels == [str(target) for target in found.target]
    assert (raw.ids[0], raw.sources) == ("@digits:1", ())


def test_iris_has_names() -> None:
    raw = read(("@iris",), Config())
    assert raw.array is not None
    assert raw.array.shape == (150, 4)
    assert raw.array[0].tolist() == np.array([5.1, 3.5, 1.4, 0.2], np.float32).tolist()
    assert isinstance(raw.labels, list)
    assert sorted(set(raw.labels)) == ["setosa", "versicolor", "virginica"]
    assert raw.columns == ("sepal length", "sepal width", "petal length", "petal width")


def test_diabetes_has_numbers_whatever_the_task_is_thought_to_be() -> None:
    for config in (Config(), REGRESS):
        raw = read(("@diabetes",), config)
        assert raw.array is not None
        assert raw.array.shape == (442, 10)
        assert isinstance(raw.labels, np.ndarray)
        assert (raw.labels.shape, raw.labels[0, 0]) == ((442, 1), 151.0)


def test_built_in_sets_come_in_pieces_and_have_digests() -> None:
    pieces = list(stream(("@iris",), Config(), size=100))
    assert [len(piece) for piece in pieces] == [100, 50]
    assert all(piece.labels is None for piece in pieces)
    digests = {read((name,), Config()).digest for name in ("@iris", "@digits", "@diabetes")}
    assert len(digests) == 3


def test_a_set_that_is_not_built_in_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="nothing built in is called @wine") as caught:
        read(("@wine",), Config())
    assert "@digits, @iris, @diabetes" in caught.value.hint
    monkeypatch.chdir(tmp_path)
    Path("@wine").write_text(json.dumps({"text": "a", "label": "x"}))
    assert read((os.path.join(".", "@wine"),), Config(input_format="jsonl")).texts == ["a"]


def test_no_array_is_read_by_unpickling(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.save(content, np.array([{"a": 1}], object), allow_pickle=True)
    (tmp_path / "a.npz").write_bytes(content.getvalue())
    assert failure(str(tmp_path / "a.npz")) == ": not an .npz file"
