"""The colours of the classes: those of `color` masks, and those of overlays."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from imagenet_s.spec.classes import IGNORE, OTHER, class_ids
from imagenet_s.spec.subsets import SUBSETS

# Of the colours of overlays, in OKLab. Black lines and text show on all of them (a contrast of at least 4.5),
# and neither white nor the grey of an image is mistaken for one.
LIGHTNESS = (0.6, 0.95)
CHROMA = 0.05  # the least
STEPS = 4096  # distances are compared as integers, so that every machine chooses the same colours


@cache
def colors(subset: int) -> NDArray[np.uint8]:
    """Return the RGB colour of each id in `color` masks, (1001, 3). A wnid has the same in every subset.

    The colours are points of a 10 × 10 × 10 grid without those near black and white, so any two differ by
    at least 28 levels in some channel. They are taken in strides, so that classes with neighbouring ids look
    different.
    """
    grid = np.indices((10, 10, 10)).reshape(3, -1).T
    grid = grid[(grid.sum(axis=1) > 4) & (grid.sum(axis=1) < 23)]
    grid = grid[np.arange(len(grid)) * 367 % len(grid)]  # 367 and 930, the number of points, are coprime
    return _table(subset, list(class_ids(919)), np.round(grid * (255 / 9)).astype(np.uint8))


@cache
def overlay_colors(subset: int) -> NDArray[np.uint8]:
    """Return the RGB colour of each id in overlays, (1001, 3). A wnid has the same in every subset.

    Each colour is the one that is farthest from all before it. The classes of 50 come first, then those that
    300 and 919 add: the fewer classes a subset has, the more its colours differ.
    """
    wnids = list(dict.fromkeys(wnid for number in SUBSETS for wnid in class_ids(number)))
    return _table(subset, wnids, _spread(len(wnids)))


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return sRGB colours, (…, 3), as lightness, a and b, in which equal distances look about equal.

    Source: B. Ottosson, "A perceptual color space for image processing", 2020,
    https://bottosson.github.io/posts/oklab/; linear light by IEC 61966-2-1.
    """
    level = rgb / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    to_cones = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    to_lab = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    lab: NDArray[np.float64] = np.cbrt(linear @ np.transpose(to_cones)) @ np.transpose(to_lab)
    return lab


def _spread(count: int) -> NDArray[np.uint8]:
    """Return colours, (count, 3), each the farthest in OKLab from all before it, the most vivid first."""
    grid = np.round(np.indices((24, 24, 24)).reshape(3, -1).T * (255 / 23)).astype(np.uint8)
    lab = oklab(grid)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    usable = (LIGHTNESS[0] <= lab[:, 0]) & (lab[:, 0] <= LIGHTNESS[1]) & (chroma >= CHROMA)
    points = np.round(lab[usable] * STEPS).astype(np.int64)
    chosen = [int(np.argmax(np.round(chroma[usable] * STEPS)))]
    apart = np.full(len(points), np.iinfo(np.int64).max)
    while len(chosen) < count:
        apart = np.minimum(apart, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(np.argmax(apart)))
    return grid[usable][chosen]


def _table(subset: int, wnids: list[str], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colour of each id, (1001, 3), from those of the wnids: other black, ignore white."""
    table = np.zeros((IGNORE + 1, 3), np.uint8)
    table[OTHER], table[IGNORE] = 0, 255
    ids = class_ids(subset)
    for wnid, color in zip(wnids, palette, strict=False):
        if wnid in ids:
            table[ids[wnid]] = color
    return table
