"""One mask: class ids as PNG pixels, id = R + 256·G with B = 0, and the other encodings of the same.

Ids are arrays (height, width) of uint16: 0 is other, 1000 is ignore, the rest are class ids of one
subset. Source of the encoding: the official data set's documentation.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from imagenet_s.classes import IGNORE, OTHER, class_ids
from imagenet_s.errors import first_few

# A mask has its image's size; the largest ImageNet image has 35 million pixels.
MOST_PIXELS = 40_000_000
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is higher, and it warns in lines of code


class BadMask(Exception):
    """A mask that cannot be read, or not be encoded as asked; the text says why."""


@dataclass(frozen=True)
class Decoded:
    """A mask file's ids, None where nothing could be read, and what is odd about it."""

    ids: np.ndarray | None
    problems: tuple[str, ...]


def decode(png: bytes, classes: int) -> Decoded:
    """Reads a mask of a subset with `classes` classes and says everything that is odd about it.

    An odd mask is decoded as far as it goes: without its blue, and converted to RGB.
    """
    try:
        mode, rgb = pixels(png, "RGB")
    except BadMask as error:
        return Decoded(None, (str(error),))
    # Pillow says RGB of 16-bit RGB, too, and keeps the high bytes only.
    mode = "RGB;16" if mode == "RGB" and png[24] == 16 else mode
    ids = ids_of(rgb)
    present = np.unique(ids)
    unknown = present[(present > classes) & (present != IGNORE)]
    problems = []
    if mode != "RGB":
        problems.append(f"is not 8-bit RGB but of mode {mode}")
    if rgb[..., 2].any():
        problems.append("has blue pixels")
    if len(unknown):
        problems.append(f"has ids other than 0..{classes} and {IGNORE}: {first_few(unknown)}")
    return Decoded(ids, tuple(problems))


def pixels(png: bytes | memoryview, mode: str | None = None) -> tuple[str, np.ndarray]:
    """The mode of a PNG, and its pixels, converted to another `mode` if one is given.

    Raises BadMask for what is none, and for one that claims more pixels than any mask has.
    """
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            if image.width * image.height <= MOST_PIXELS:
                return image.mode, np.asarray(image.convert(mode) if mode else image)
    except Exception as error:  # Pillow raises all sorts of things on odd bytes
        raise BadMask(f"is no readable PNG ({error})") from error
    raise BadMask(f"claims {image.width} × {image.height} pixels")


def ids_of(rgb: np.ndarray) -> np.ndarray:
    """RGB pixels, (height, width, 3) uint8 → ids. Blue is not looked at."""
    # The green must be widened first: shifted as it is, it would be lost.
    return rgb[..., 0] | (rgb[..., 1].astype(np.uint16) << 8)


def pixels_digest(ids: np.ndarray) -> bytes:
    """The sha256 of the ids as little-endian uint16, row by row: the same however the PNG is packed."""
    return hashlib.sha256(ids.astype("<u2").tobytes()).digest()


def rgb_of(ids: np.ndarray) -> np.ndarray:
    """Ids → RGB pixels, (height, width, 3) uint8."""
    return np.stack([ids & 255, ids >> 8, np.zeros_like(ids)], axis=-1).astype(np.uint8)


def id16(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A PNG of one 16-bit channel: the ids as they are."""
    return _png(Image.fromarray(ids))


def id8(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A PNG of one 8-bit channel: the ids, ignore as 255. For up to 254 classes, so for 50 only.

    Raises BadMask for other ids above 254.
    """
    if ((ids > 254) & (ids != IGNORE)).any():
        raise BadMask("has ids above 254")
    return _png(Image.fromarray(np.where(ids == IGNORE, 255, ids).astype(np.uint8)))


def binary(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A PNG of one 8-bit channel: 255 where the class `wnid` is, 128 for ignore, 0 elsewhere."""
    values = np.where(ids == class_ids(subset)[wnid], 255, np.where(ids == IGNORE, 128, 0))
    return _png(Image.fromarray(values.astype(np.uint8)))


def color(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A palette PNG to look at: each class in its fixed colour, ignore white, other black.

    Raises BadMask where more than 256 ids would need one palette, and for ids above 1000.
    """
    present, indices = np.unique(ids, return_inverse=True)
    if present[-1] > IGNORE:
        raise BadMask(f"has ids above {IGNORE}")
    if len(present) > 256:
        raise BadMask(f"has {len(present)} ids; a palette holds 256")
    image = Image.fromarray(indices.reshape(ids.shape).astype(np.uint8))
    image.putpalette(colors(subset)[present].tobytes())
    return _png(image)


ENCODERS = {"id16": id16, "id8": id8, "color": color, "binary": binary}


@cache
def colors(subset: int) -> np.ndarray:
    """id → RGB, (1001, 3) uint8. A wnid has the same colour in every subset, and no other has it.

    The colours are points of a grid of 10 × 10 × 10 without those near black and white: any two differ by
    28 levels or more in some channel. They are dealt out in strides, so that neighbours look different.
    """
    grid = np.indices((10, 10, 10)).reshape(3, -1).T
    grid = grid[(grid.sum(axis=1) > 4) & (grid.sum(axis=1) < 23)]
    grid = grid[np.arange(len(grid)) * 367 % len(grid)]  # 367 and the 930 points have no common divisor
    table = np.zeros((IGNORE + 1, 3), np.uint8)
    table[OTHER], table[IGNORE] = 0, 255
    ids = class_ids(subset)
    for color, wnid in zip(grid, class_ids(919), strict=False):
        if wnid in ids:
            table[ids[wnid]] = np.round(color * (255 / 9))
    return table


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
