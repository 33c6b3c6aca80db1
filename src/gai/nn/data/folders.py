"""Images in files: all of one size, a subfolder a label."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from warnings import catch_warnings

import numpy as np
from numpy.typing import NDArray

from gai.backends import available
from gai.documents.sources import Source
from gai.errors import GaiError, MissingExtraError, UsageError
from gai.nn.data.raw import Raw
from gai.nn.data.wanted import Input, Wanted
from gai.nn.names import OF_CLASSES

GREY = ("1", "L", "LA")
"""Pillow's modes without colours, of up to 8 bits; deeper ones begin with I."""


def images(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The images of an input, float32 [n, C, H, W] from 0 to 1, at most ``size`` at a time.

    C is 1 where all of them are grey, else 3: red, green and blue. Transparency is left out.
    """
    if not available("images"):
        raise MissingExtraError(f"reading {input.path} (images)", "images")
    _require_task(input, wanted)
    step = size or len(input.sources)
    for first in range(0, len(input.sources), step):
        sources = input.sources[first : first + step]
        array = stacked([_pixels(source, wanted) for source in sources], sources)
        labels = [_label(source, input) for source in sources] if wanted.labelled else None
        yield Raw([source.path for source in sources], array=array, labels=labels)


def _require_task(input: Input, wanted: Wanted) -> None:
    if wanted.labelled and wanted.config.task not in OF_CLASSES:
        message = f"{input.path}: images have the names of their folders as labels"
        raise UsageError(message, "--task classify; .npz holds images with other targets")


def _label(source: Source, input: Input) -> str:
    if label := input.label(source):
        return label
    hint = "give the folder that has a subfolder of images for each label"
    raise GaiError(f"{source.name}: an image without a label", hint)


def _pixels(source: Source, wanted: Wanted) -> NDArray[np.uint8]:
    """The pixels of an image: [1 or 3, H, W]."""
    from PIL import Image

    content = wanted.content(source)
    try:
        with catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
            return _channels(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        # Pillow's own message names an object in memory.
        raise GaiError(f"{source.name}: not an image that can be read") from error


def _channels(image: Any) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16 bits; Pillow would cut them off at 255
        return (np.asarray(image)[None] >> 8).astype(np.uint8)
    pixels = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def stacked(pixels: list[NDArray[np.uint8]], sources: list[Source]) -> NDArray[np.float32]:
    """All images as one array from 0 to 1, with 3 channels where one of them has so many."""
    height, width = pixels[0].shape[1:]
    for image, source in zip(pixels, sources, strict=True):
        if image.shape[1:] != (height, width):
            odd = f"{image.shape[2]} x {image.shape[1]}"
            raise GaiError(
                f"{source.name}: {odd} pixels, but {sources[0].name}: {width} x {height}",
                "all images must have one size: mogrify -resize WxH! (ImageMagick) gives them one",
            )
    channels = max(image.shape[0] for image in pixels)
    made = np.empty((len(pixels), channels, height, width), np.float32)
    for row, image in zip(made, pixels, strict=True):
        row[...] = image
    made /= 255
    return made
