"""The colour of each class in `color` masks and in plots."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from imagenet_s.spec.classes import IGNORE, OTHER, class_ids


@cache
def colors(subset: int) -> NDArray[np.uint8]:
    """Return the RGB colour of each id, (1001, 3). A wnid has the same colour in every subset.

    The colours are points of a 10 × 10 × 10 grid without those near black and white, so any two differ by
    at least 28 levels in some channel. They are taken in strides, so that classes with neighbouring ids look
    different.
    """
    grid = np.indices((10, 10, 10)).reshape(3, -1).T
    grid = grid[(grid.sum(axis=1) > 4) & (grid.sum(axis=1) < 23)]
    grid = grid[np.arange(len(grid)) * 367 % len(grid)]  # 367 and 930, the number of points, are coprime
    table = np.zeros((IGNORE + 1, 3), np.uint8)
    table[OTHER], table[IGNORE] = 0, 255
    ids = class_ids(subset)
    for color, wnid in zip(grid, class_ids(919), strict=False):
        if wnid in ids:
            table[ids[wnid]] = np.round(color * (255 / 9))
    return table
