"""The colour of each class, in masks to look at and in plots."""

from functools import cache

import numpy as np

from imagenet_s.spec.classes import IGNORE, OTHER, class_ids


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
