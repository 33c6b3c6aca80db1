"""Grids of images: as pixels, as a PNG file, and as shaded characters for a terminal."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]
"""[n, C, H, W] from 0 to 1; what is beyond is cut off. C is 1 for grey, 3 for colours."""

Pixels = NDArray[np.uint8]
"""[H, W] grey, or [H, W, 3] of red, green and blue."""

BETWEEN = 96
"""The grey of the lines between images."""

LEAST = 32
"""Pixels that the longer side of an image has at least: small ones are enlarged."""

SHADES = " ░▒▓█"
"""From black to white, on a dark terminal."""

SMALL = 16
"""Pixels of a side up to which each has a line of its own in a terminal, and two columns."""

WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue are (ITU-R BT.601)."""


def grid(images: Images, columns: int | None = None) -> Pixels:
    """The images row by row, a line of a pixel around each; as square as it can be without
    ``columns``."""
    factor = enlarged(images.shape)
    found = as_bytes(images).repeat(factor, 2).repeat(factor, 3)
    count, channels, height, width = found.shape
    across = min(columns or square(count), max(count, 1))
    down = -(-count // across)
    made = np.full((channels, down * (height + 1) + 1, across * (width + 1) + 1), BETWEEN, np.uint8)
    for place, image in enumerate(found):
        top, left = place // across * (height + 1) + 1, place % across * (width + 1) + 1
        made[:, top : top + height, left : left + width] = image
    return made[0] if channels == 1 else np.ascontiguousarray(np.moveaxis(made, 0, 2))


def enlarged(shape: tuple[int, ...]) -> int:
    """How many pixels, each way, a pixel of an image becomes."""
    return max(LEAST // max(shape[2:]), 1)


def square(count: int) -> int:
    """The columns of a grid that is as high as wide, or one row less."""
    return max(int(np.ceil(np.sqrt(count))), 1)


def as_bytes(images: Images) -> Pixels:
    """The same from 0 to 255."""
    return np.asarray(np.rint(np.clip(images, 0.0, 1.0) * 255), np.uint8)


def png(pixels: Pixels) -> bytes:
    """The bytes of a PNG file (RFC 2083): 8 bits, no filter."""
    height, width = pixels.shape[:2]
    colour = 0 if pixels.ndim == 2 else 2
    head = struct.pack(">2I5B", width, height, 8, colour, 0, 0, 0)
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)  # a 0 before each: no filter
    rows[:, 1:] = pixels.reshape(height, -1)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file: length, kind, content, checksum."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def shaded(images: Images, width: int, columns: int | None = None) -> list[str]:
    """The lines that draw the images in ``width`` columns, as many beside each other as there is
    room for, or no more than ``columns``."""
    drawn = [lines_of(image) for image in brightness(images)]
    if not drawn:
        return []
    across = max((width + 2) // (len(drawn[0][0]) + 2), 1)
    across = min(across, columns or across)
    made: list[str] = []
    for first in range(0, len(drawn), across):
        made += ["  ".join(row) for row in zip(*drawn[first : first + across], strict=True)] + [""]
    return made[:-1]


def brightness(images: Images) -> NDArray[np.float32]:
    """How bright each pixel is: [n, H, W] from 0 to 1."""
    clipped = np.clip(images, 0.0, 1.0)
    if images.shape[1] == 1:
        return clipped[:, 0]
    weighed: NDArray[np.float32] = np.tensordot(clipped, WEIGHTS, (1, 0))
    return weighed


def lines_of(image: NDArray[Any]) -> list[str]:
    """An image [H, W] as lines. A character is about twice as high as wide: a pixel of a small
    image has two of them, a large image one for two pixels, one below the other."""
    height, width = image.shape
    if max(height, width) <= SMALL:
        cells = image.repeat(2, 1)
    else:
        even = np.pad(image, ((0, height % 2), (0, 0)))
        cells = even.reshape(-1, 2, width).mean(1)
    shades = np.minimum((cells * len(SHADES)).astype(np.int64), len(SHADES) - 1)
    return ["".join(SHADES[shade] for shade in row) for row in shades.tolist()]
