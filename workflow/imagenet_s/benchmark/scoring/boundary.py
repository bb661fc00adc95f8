"""Boundaries of the classes of a mask, as boundary IoU wants them: of all classes at once.

Source: the official toolbox, which erodes the mask of each class by itself with a square of 3 × 3, d times,
outside the image counting as not the class, and calls boundary what the erosion takes away. A class keeps a
pixel exactly where the window of (2d + 1)² pixels around it holds nothing else. So a pixel is interior where
its window is constant, whatever its class, and boundary elsewhere.
"""

import math

import numpy as np

RATIO = 0.03  # of the diagonal of the image: the width of a boundary


def width_of(height: int, width: int) -> int:
    """How many pixels wide the boundaries of an image are: d, at least 1.

    Halves round to the even number, as in the official toolbox: 210 × 280 has 10, not 11.
    The square root is of a sum, not `hypot`, which may round its last digit in another way.
    """
    return max(1, round(RATIO * math.sqrt(height * height + width * width)))


def boundary(ids: np.ndarray) -> np.ndarray:
    """Which pixels are boundary: ids, (height, width) of any integers → (height, width) bool.

    Ignore and ids that are no class have boundaries like any other id: they are not removed before.
    """
    return boundary_of_width(ids, width_of(*ids.shape))


def boundary_of_width(ids: np.ndarray, d: int) -> np.ndarray:
    """The same with boundaries of `d` ≥ 1 pixels.

    Where a window is not constant, two of its pixels that touch (by a side or a corner) differ, and one of
    them is nearer to the middle than d. So the boundary of one pixel, widened by d − 1 in all directions, is
    the boundary of d pixels. To widen bits is quicker than any filter of ids.
    """
    return _widened(_widened(_thin(ids), d - 1).T, d - 1).T


def _thin(ids: np.ndarray) -> np.ndarray:
    """Where the window of 3 × 3 pixels is not constant, or not inside the image."""
    across = ids[:, 1:] != ids[:, :-1]
    down = ids[1:] != ids[:-1]
    row = np.zeros(ids.shape, bool)  # whether a pixel differs from its left or right neighbour
    row[:, 1:] |= across
    row[:, :-1] |= across
    thin = row.copy()
    thin[1:] |= row[:-1]
    thin[:-1] |= row[1:]
    # Three constant rows whose middle pixels are the same are a constant window.
    thin[1:] |= down
    thin[:-1] |= down
    thin[[0, -1]] = True
    thin[:, [0, -1]] = True
    return thin


def _widened(bits: np.ndarray, by: int) -> np.ndarray:
    """Each true pixel made 2·by + 1 of them, by as many up and down; outside the image is false."""
    bits = np.pad(bits, ((by, by), (0, 0)))
    # Windows of 1, 2, 4, … pixels, each of two smaller ones: a few passes, however wide.
    window, last = 1, 2 * by + 1
    while window < last:
        step = min(window, last - window)
        bits = bits[:-step] | bits[step:]
        window += step
    return bits
