"""Folders: a subfolder a label, with texts or images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gai import backends
from gai.errors import GaiError, MissingExtraError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import read, stream

RANDOM = np.random.default_rng(1)


def tree(root: Path, **files: str) -> str:
    """A folder with files; ``a__b`` is b.txt in the folder a."""
    for name, content in files.items():
        path = root / (name.replace("__", "/") + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")
    return str(root)


def pixels(*shape: int) -> NDArray[np.uint8]:
    return RANDOM.integers(0, 256, shape, np.uint8)


def saved(path: Path, array: NDArray[Any], mode: str | None = None) -> NDArray[Any]:
    """The array, which now is an image too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path)
    return array


def failure(path: str, config: Config | None = None, **options: Any) -> str:
    with pytest.raises(GaiError) as caught:
        read((path,), config or Config(), **options)
    return caught.value.message.removeprefix(path)


def test_a_subfolder_is_a_label_and_each_file_a_text(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", pos__b="good\n", neg__a="bad", pos__x__a="deep")
    raw = read((root,), Config())
    assert raw.ids == [f"{root}/neg/a.txt", f"{root}/pos/b.txt", f"{root}/pos/x/a.txt"]
    assert raw.labels == ["neg", "pos", "pos"]
    assert raw.texts == ["bad", "good\n", "deep"]
    assert list(raw.sources) == raw.ids
    assert read((root + "/",), Config()).labels == raw.labels


def test_hidden_files_and_those_beside_the_subfolders_are_left_out(tmp_path: Path) -> None:
    files = {"pos__b": "good", "neg__a": "bad", "README": "see", "pos__.hidden": "no"}
    root = tree(tmp_path / "d", **files)
    raw = read((root,), Config())
    assert raw.labels == ["neg", "pos"]
    assert f"{root}/README.txt" not in raw.sources


def test_without_labels_every_file_of_a_folder_is_a_text(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", pos__b="good\nmore", README="see")
    assert read((root,), Config(), labelled=False).texts == ["see", "good\nmore"]
    assert [piece.ids for piece in stream((root,), Config(), size=1)] == [
        [f"{root}/README.txt"],
        [f"{root}/pos/b.txt"],
    ]


def test_a_folder_of_records_is_read_as_records(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{name},x{name}\n")
    assert read((str(tmp_path),), Config()).labels == ["xa", "xb"]


def test_a_language_model_reads_all_files_of_a_folder(corpora: Path) -> None:
    raw = read((str(corpora / "inaugural"),), Config(task="lm"))
    assert len(raw) == 59
    assert raw.texts is not None
    assert raw.texts[0].startswith("Fellow-Citizens of the Senate")


def test_a_folder_without_subfolders_has_no_labels(tmp_path: Path) -> None:
    assert failure(tree(tmp_path / "d", a="x")) == "/a.txt:1: a line without a label"
    root = tree(tmp_path / "e", pos__a="x")
    message = failure(root, Config(task="regress"))
    assert message == "/pos/a.txt: column 'label' is 'pos', not a number"


def test_images_are_numbers_from_0_to_1_with_colours_first(tmp_path: Path) -> None:
    b = saved(tmp_path / "cat" / "b.png", pixels(3, 4, 3))
    a = saved(tmp_path / "dog" / "a.png", pixels(3, 4, 3))
    raw = read((str(tmp_path),), Config())
    assert raw.array is not None
    assert (raw.array.shape, raw.array.dtype) == ((2, 3, 3, 4), np.float32)
    expected = np.stack([b, a]).transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(raw.array, expected, atol=1e-7)
    assert raw.labels == ["cat", "dog"]
    assert raw.ids == [f"{tmp_path}/cat/b.png", f"{tmp_path}/dog/a.png"]


def test_grey_images_have_one_channel_and_three_beside_coloured_ones(tmp_path: Path) -> None:
    grey = saved(tmp_path / "x" / "a.png", pixels(2, 2))
    raw = read((str(tmp_path),), Config())
    assert raw.array is not None
    np.testing.assert_allclose(raw.array, grey[None, None] / 255, atol=1e-7)
    saved(tmp_path / "x" / "b.png", pixels(2, 2, 3))
    both = read((str(tmp_path),), Config())
    assert both.array is not None
    np.testing.assert_allclose(both.array[0], np.stack([grey] * 3) / 255, atol=1e-7)


def test_deep_grey_keeps_its_range(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    saved(tmp_path / "x" / "a.png", deep)
    raw = read((str(tmp_path),), Config())
    assert raw.array is not None
    np.testing.assert_allclose(raw.array[0, 0, 0] * 255, [0, 0, 1, 255])


def test_transparency_and_palettes_become_colours(tmp_path: Path) -> None:
    colours = pixels(2, 2, 4)
    saved(tmp_path / "x" / "a.png", colours)
    saved(tmp_path / "x" / "b.gif", np.full((2, 2, 3), 255, np.uint8), "P")
    raw = read((str(tmp_path),), Config())
    assert raw.array is not None
    expected = colours[..., :3].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(raw.array[0], expected, atol=1e-7)
    np.testing.assert_allclose(raw.array[1], 1.0)


def test_images_of_two_sizes_are_named(tmp_path: Path) -> None:
    saved(tmp_path / "x" / "a.png", pixels(2, 3))
    saved(tmp_path / "x" / "b.png", pixels(3, 3))
    message = f"/x/b.png: 3 x 3 pixels, but {tmp_path}/x/a.png: 3 x 2"
    assert failure(str(tmp_path)) == message


def test_an_image_without_a_label_is_named_or_predicted(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", pixels(2, 3))
    saved(tmp_path / "b.JPG", pixels(2, 3))
    path = str(tmp_path / "a.png")
    assert failure(path) == ": an image without a label"
    pieces = list(stream((str(tmp_path),), Config(), size=1))
    assert [piece.ids for piece in pieces] == [[path], [str(tmp_path / "b.JPG")]]
    assert all(piece.array is not None and piece.labels is None for piece in pieces)


def test_images_have_names_for_labels_and_no_numbers(tmp_path: Path) -> None:
    saved(tmp_path / "x" / "a.png", pixels(2, 3))
    with pytest.raises(UsageError, match="images have the names of their folders"):
        read((str(tmp_path),), Config(task="regress"))


@pytest.mark.parametrize("size", [0, 10, 60])
def test_a_damaged_image_is_named(tmp_path: Path, size: int) -> None:
    saved(tmp_path / "x" / "a.png", pixels(9, 9))
    path = tmp_path / "x" / "a.png"
    path.write_bytes(path.read_bytes()[:size])
    assert failure(str(tmp_path)) == "/x/a.png: not an image that can be read"


def test_images_need_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "x" / "a.png", pixels(2, 3))
    monkeypatch.setattr("gai.nn.data.folders.available", lambda extra: extra != "images")
    with pytest.raises(MissingExtraError) as caught:
        read((str(tmp_path),), Config())
    assert caught.value.hint == "pip install 'gai[images]'"
    assert backends.EXTRAS["images"].module in sys.modules
